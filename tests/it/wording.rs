//! Every string that a person may read, held against the words that were decided against.

use std::{fs, path::Path};

/// Phrases that are not said, and what is.
const NOT_SAID: &[(&str, &str)] = &[
    ("learnt again", "refitted"),
    ("the whole chain", "the entire modelling pipeline"),
    ("count as events", "classification threshold"),
    ("remembers its rows", "random forests overfit their training samples"),
    ("forest remembers", "random forests overfit their training samples"),
    ("became z-scores", "were z-score normalized"),
    ("by bins of the fixed width", "with a fixed bin width of"),
    ("rings around it", "peritumoral regions"),
    ("of this order went on", "top-ranked features"),
    ("the diagonal is chance", "dashed line: no discrimination"),
    ("features with weight", "features with non-zero coefficients"),
    ("ways for the test set to leak", "data-leakage checks"),
    ("strokes up", "rug marks above and below"),
    ("with a hole", "with missing values"),
    ("fault of its own", "internal error"),
    ("no key here is about that", "no matching shortcut"),
    ("ends in none of", "unsupported file type"),
    ("line to the outside", "progress, cancellation and checkpoints"),
    ("remains of a child", "reaps the child process"),
    ("not to be foreseen", "branch-free: the predicate is unpredictable"),
    ("square away", "converges quadratically"),
    ("this hangs on", "depends on"),
    ("tumour", "tumor"),
    ("colour", "color"),
    ("standardised", "standardized"),
    ("penalised", "penalized"),
    ("normalised", "normalized"),
    ("discretis", "discretiz"),
    ("grey level", "gray level"),
    ("Wilson's 95 %", "Wilson 95% CI"),
];

/// Strings that read what others wrote, or words of the protocol.
const READ_NOT_SAID: &[&str] = &["[\"tumor\", \"tumour\", \"lesion\"]"];

#[test]
fn no_string_says_a_word_that_was_decided_against() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    let mut sources = Vec::new();
    for folder in ["src", "crates"] {
        rust_files(&root.join(folder), &mut sources);
    }
    assert!(sources.len() > 200, "all sources are read");
    for path in &sources {
        let text = fs::read_to_string(path).unwrap();
        // Unit tests stand at the end of a file; what they hold is not said.
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let text = READ_NOT_SAID.iter().fold(text.to_owned(), |text, known| text.replace(known, ""));
        for said in strings(&text) {
            // One word alone is a key or a name of a file; a path or a pattern has no blank.
            wrong.extend(decided_against(&said, said.contains(' ')).map(|why| format!("{}: {why}", path.display())));
        }
    }
    let pages = osteon::cli::man::pages();
    for (name, text) in &pages {
        wrong.extend(decided_against(text, true).map(|why| format!("man/{name}: {why}")));
    }
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    wrong.extend(decided_against(&readme, true).map(|why| format!("README.md: {why}")));
    assert!(wrong.is_empty(), "{} places:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_report_says_a_word_that_was_decided_against() {
    let study = crate::fit::study(None);
    study.draw_split(osteon_base::seed::Seed(4), 0.806).unwrap();
    study.fit(&osteon_base::job::Job::unwatched()).unwrap();
    let text = osteon_study::report::page::markdown(&study.report(None).unwrap());
    let wrong: Vec<String> = decided_against(&text, true).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn decided_against(text: &str, is_sentence: bool) -> impl Iterator<Item = String> + '_ {
    let found = move |(not, but): &(&str, &str)| {
        let at = text.to_lowercase().find(&not.to_lowercase()).filter(|_| is_sentence)?;
        let around: String =
            text.chars().skip(text[..at.min(text.len())].chars().count().saturating_sub(40)).take(110).collect();
        Some(format!("“{not}”, say “{but}”: {}", around.replace('\n', " ")))
    };
    NOT_SAID.iter().filter_map(found)
}

fn rust_files(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "tests" && name != "target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The string literals of Rust source, and doc comments of arguments (clap prints them), without names in braces.
fn strings(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        rest = &rest[at..];
        if rest.starts_with("//") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some(inner) = rest.strip_prefix('"') {
            let mut end = inner.len();
            let mut escaped = false;
            for (at, c) in inner.char_indices() {
                match c {
                    '\\' if !escaped => escaped = true,
                    '"' if !escaped => {
                        end = at;
                        break;
                    }
                    _ => escaped = false,
                }
            }
            found.push(without_braces(&inner[..end]));
            rest = inner.get(end + 1..).unwrap_or("");
        } else if rest.starts_with("'\"'") || rest.starts_with("'/'") {
            rest = &rest[3..];
        } else if rest.starts_with("'\\\"'") || rest.starts_with("'\\''") {
            rest = &rest[4..];
        } else {
            rest = &rest[1..];
        }
    }
    found
}

/// `{tumour}` is the name of a value.
fn without_braces(text: &str) -> String {
    let mut out = String::new();
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            c if depth == 0 => out.push(c),
            _ => (),
        }
    }
    out
}

#[test]
fn strings_are_found_and_names_in_them_are_not_read() {
    let source = "let a = \"one {tumour} two\"; // \"no\"\nlet b = '\"'; let c = \"thr\\\"ee\";";
    assert_eq!(strings(source), ["one  two", "thr\\\"ee"]);
}
