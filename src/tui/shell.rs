//! `:` in the words of the command line: what the shell can do to a study, done from the dashboard.
//!
//! The program is run once more, on the same study file and without a terminal: what it would ask, it refuses with the
//! option that answers it. What it prints is shown.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::tui::app::App;
use crate::tui::message::{Answer, Effect, Request};
use osteon_study::study::{Study, View};

/// Commands that read or that belong to a shell only.
const NOT_HERE: [&str; 4] = ["demo", "completions", "man", "work"];

static DEFINITION: OnceLock<clap::Command> = OnceLock::new();

/// Tells the dashboard which commands the program has.
pub fn know(definition: clap::Command) {
    let _ = DEFINITION.set(definition);
}

fn command(name: &str) -> Option<&'static clap::Command> {
    let known = DEFINITION.get().filter(|_| !NOT_HERE.contains(&name))?;
    known.find_subcommand(name)
}

/// Whether a line has words of the shell: a command of the program with something behind it. One word alone is a name
/// of the dashboard first.
pub fn is_line(text: &str) -> bool {
    let words = words(text);
    words.len() > 1 && command(&words[0]).is_some() && !is_own(&words)
}

/// Names of the dashboard that take an argument.
fn is_own(words: &[String]) -> bool {
    let is_shells = |it: &clap::Command| it.find_subcommand(&words[1]).is_some() || words[1].starts_with('-');
    let name = words[0].as_str();
    matches!(name, "patients" | "report" | "reconcile" | "export" | "split" | "table")
        && !command(name).is_some_and(is_shells)
}

/// Runs a line, or says why not.
pub fn ask(app: &mut App, text: &str) -> Vec<Effect> {
    let words = words(text);
    let Some(first) = words.first() else { return Vec::new() };
    if command(first).is_none() {
        app.complain(format!("no command {}", text.trim()));
        return Vec::new();
    }
    app.say(format!("osteon {} runs", text.trim()));
    vec![Effect::Ask(Request::Command(text.trim().to_owned()))]
}

/// Runs a line of the shell's words on this study.
pub fn run(study: &Study, line: &str) -> Answer {
    let Ok(program) = std::env::current_exe() else {
        return Answer::Refused("the program does not know where its own file is".to_owned());
    };
    let mut command = Command::new(program);
    command.args(words(line)).arg("--study").arg(study.path()).args(["--color", "never"]);
    if study.view == View::Blind {
        command.arg("--blind");
    }
    let output = command.stdin(Stdio::null()).output();
    match output {
        Err(cause) => Answer::Refused(format!("osteon {line}: {cause}")),
        Ok(output) => {
            let mut lines: Vec<String> = Vec::new();
            for part in [&output.stdout, &output.stderr] {
                let text = String::from_utf8_lossy(part);
                lines.extend(text.lines().map(|line| osteon_base::text::clean(line).into_owned()));
            }
            let ended = match output.status.code() {
                Some(0) if lines.is_empty() => "done".to_owned(),
                Some(0) => String::new(),
                Some(code) => format!("ended with exit code {code}"),
                None => "was stopped by a signal".to_owned(),
            };
            lines.extend(Some(ended).filter(|ended| !ended.is_empty()));
            Answer::Said { title: format!("osteon {line}"), lines }
        }
    }
}

/// Words of a line as a shell parts them: blanks part, quotes of either kind hold together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
