//! What the sentences of an article state in numbers: P values of DeLong's test, Brier scores, sizes of sets, and which
//! way a term of the model points by SHAP.
//!
//! A sentence is read only where it names what the tables name: models by the labels of their rows, sets by theirs, terms
//! by theirs or by the abbreviation that the text gives them, groups by their columns.

use crate::cells::{PublishedCell, Value};
use crate::finding::Place;
use crate::metric::Metric;
use crate::printed::Printed;
use crate::read::prose::Paragraph;
use crate::read::words;
use crate::role::{Compared, Role, RowRole, Source};

/// The table that statements are called by.
pub const TEXT: &str = "text";

/// The statements of a text about what the tables hold, as cells of the table `text`.
pub fn statements(paragraphs: &[Paragraph], cells: &[PublishedCell], file: &str) -> Vec<PublishedCell> {
    let known = Known::new(cells, paragraphs);
    let mut found: Vec<PublishedCell> = Vec::new();
    for paragraph in paragraphs {
        let mut outcome: Option<String> = None;
        for sentence in sentences(&paragraph.text) {
            let statements = known.statements(sentence, &paragraph.text, &mut outcome);
            found.extend(statements.into_iter().map(|it| it.cell(file, paragraph.line)));
        }
    }
    let mut places: Vec<Place> = Vec::new();
    found.retain(|cell| {
        let is_new = !places.contains(&cell.place);
        places.push(cell.place.clone());
        is_new
    });
    found
}

/// What the tables name.
struct Known {
    models: Vec<String>,
    sets: Vec<String>,
    /// Sets whose size no table prints.
    unsized_sets: Vec<String>,
    /// Terms of regressions, each with the names that the text has for it.
    terms: Vec<(String, Vec<String>)>,
    groups: Vec<String>,
}

/// One statement: set, row and column of its cell, what stands there, and what it is for.
struct Statement {
    place: [String; 3],
    printed: String,
    value: Value,
    roles: (Role, RowRole),
}

impl Statement {
    fn cell(self, file: &str, line: usize) -> PublishedCell {
        let [set, row, column] = self.place;
        PublishedCell {
            place: Place { table: TEXT.to_owned(), set, row, column },
            printed: self.printed,
            value: self.value,
            has_comma: false,
            is_percent: false,
            is_unit_said: false,
            fraction: None,
            range: None,
            odd: None,
            rounding: None,
            source: Source { file: file.to_owned(), line, row: 0, column: 1, also: Vec::new() },
            role: self.roles.0,
            row_role: self.roles.1,
        }
    }
}

/// Sentences end at a stop that a capital letter follows.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices(". ") {
        if text[at + 2..].starts_with(|c: char| c.is_uppercase()) {
            found.push(&text[from..=at]);
            from = at + 2;
        }
    }
    found.push(&text[from..]);
    found
}

/// Letters and digits alone, in lower case, each with its place in the text.
fn letters(text: &str) -> Vec<(usize, char)> {
    let kept = text.char_indices().filter(|(_, c)| c.is_alphanumeric() || *c == '+');
    kept.flat_map(|(at, c)| c.to_lowercase().map(move |c| (at, c))).collect()
}

fn bare(text: &str) -> String {
    letters(text).into_iter().map(|(_, c)| c).collect()
}

/// Names shorter than this are found as whole words only.
const SHORT: usize = 8;

/// Where names are mentioned, each by its place in the list and in the text; of names within names the longest.
fn mentions(text: &str, names: &[String]) -> Vec<(usize, usize)> {
    let kept = letters(text);
    let plain: Vec<char> = kept.iter().map(|(_, c)| *c).collect();
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|&at| std::cmp::Reverse(names[at].len()));
    let mut is_taken = vec![false; plain.len()];
    let mut found = Vec::new();
    for name in order {
        let wanted: Vec<char> = bare(&names[name]).chars().collect();
        if wanted.len() < 2 {
            continue;
        }
        for at in 0..(plain.len() + 1).saturating_sub(wanted.len()) {
            let end = at + wanted.len();
            // Whole words: nothing of a word stands directly before or behind.
            let is_apart = |one: usize, other: usize| kept[other].0 > kept[one].0 + kept[one].1.len_utf8();
            let is_word = (at == 0 || is_apart(at - 1, at)) && (end == plain.len() || is_apart(end - 1, end));
            if plain[at..end] == wanted[..]
                && !is_taken[at..end].contains(&true)
                && (is_word || wanted.len() >= SHORT && (at == 0 || is_apart(at - 1, at)))
            {
                is_taken[at..end].fill(true);
                found.push((kept[at].0, name));
            }
        }
    }
    found.sort_unstable();
    found
}

impl Known {
    fn new(cells: &[PublishedCell], paragraphs: &[Paragraph]) -> Known {
        let of = |kept: &dyn Fn(&PublishedCell) -> Option<String>| {
            let mut names: Vec<String> = cells.iter().filter_map(kept).filter(|it| !it.is_empty()).collect();
            let mut seen = std::collections::HashSet::new();
            names.retain(|it| seen.insert(bare(it)));
            names
        };
        let sets = of(&|it| (it.row_role == RowRole::Model && it.place.set != "all").then(|| it.place.set.clone()));
        let is_sized = |set: &String| {
            cells.iter().any(|it| {
                it.row_role == RowRole::Sizes
                    && (words::same_set(&it.place.set, set) || words::same_set(&it.place.column, set))
            })
        };
        let term = |it: &PublishedCell| match &it.row_role {
            RowRole::Term { variable, .. } => Some(variable.clone()),
            _ => None,
        };
        Known {
            models: of(&|it| (it.row_role == RowRole::Model).then(|| it.place.row.clone())),
            unsized_sets: sets.iter().filter(|it| !is_sized(it)).cloned().collect(),
            sets,
            terms: of(&term).into_iter().map(|term| (term.clone(), names_of(&term, paragraphs))).collect(),
            groups: of(&|it| match it.role {
                Role::Group { is_total: false, .. } => Some(it.place.column.clone()),
                _ => None,
            }),
        }
    }

    fn statements(&self, sentence: &str, paragraph: &str, outcome: &mut Option<String>) -> Vec<Statement> {
        let lower = sentence.to_lowercase();
        let mut found = self.sizes(sentence);
        if lower.contains("delong") {
            found.extend(self.delong(sentence));
        }
        if lower.contains("brier") {
            found.extend(self.brier(sentence));
        }
        if paragraph.contains("SHAP") {
            found.extend(self.shap(sentence, outcome));
        }
        found
    }

    /// The set that was mentioned last before a place of a sentence; the only one behind it, when there is none.
    fn set_at(&self, sentence: &str, at: usize) -> Option<String> {
        let spoken: Vec<String> = self.sets.iter().map(|it| spoken(it)).collect();
        let found = mentions(&sentence.to_lowercase().replace("testing", "test"), &spoken);
        let before = found.iter().rev().find(|(place, _)| *place < at);
        before.or(found.first()).map(|(_, set)| self.sets[*set].clone())
    }

    /// P values with the two models that are named before each. Where more are named, or one number follows another
    /// `respectively`, nobody knows which is of which.
    fn delong(&self, sentence: &str) -> Vec<Statement> {
        let mut found = Vec::new();
        if sentence.contains("respectively") && p_values(sentence).len() > 1 {
            return found;
        }
        let mut from = 0;
        for (at, end, p) in p_values(sentence) {
            let segment = &sentence[from..at];
            let named = mentions(segment, &self.models);
            if let [(one_at, one), (_, other)] = named[..]
                && one != other
                && is_comparison(&segment[one_at..])
                && let Some(set) = self.set_at(sentence, at)
            {
                let row = format!("DeLong: {} vs {}", self.models[one], self.models[other]);
                found.push(Statement {
                    place: [set, row, "P value".to_owned()],
                    printed: p.to_string(),
                    value: Value::Number(p),
                    roles: (Role::P(Compared::default()), RowRole::Comparison),
                });
            }
            from = end;
        }
        found
    }

    /// `The Brier score for X was 0.193`.
    fn brier(&self, sentence: &str) -> Option<Statement> {
        let named = mentions(sentence, &self.models);
        let at = sentence.to_lowercase().find("brier")?;
        let (place, number) =
            numbers(sentence.get(at..)?).into_iter().find(|(_, it)| (0.0..1.0).contains(&it.value()))?;
        let mut own: Vec<usize> = named.iter().filter(|(it, _)| *it < at + place).map(|it| it.1).collect();
        own.dedup();
        let &[model] = &own[..] else { return None };
        let set = self.set_at(&sentence[..at + place], at + place).unwrap_or_else(|| "overall".to_owned());
        Some(Statement {
            place: [set, self.models[model].clone(), "Brier score".to_owned()],
            printed: number.to_string(),
            value: Value::Number(number),
            roles: (Role::Score(Metric::Brier), RowRole::Model),
        })
    }

    /// `The training set (n = 75)`, of sets whose size no table prints.
    fn sizes(&self, sentence: &str) -> Vec<Statement> {
        let mut found = Vec::new();
        for set in &self.unsized_sets {
            let spoken = spoken(set);
            let lower = sentence.to_lowercase();
            for (at, text) in lower.match_indices(&spoken) {
                let rest = lower[at + text.len()..].trim_start_matches(|c: char| c.is_alphabetic());
                let rest = rest.trim_start();
                let rest =
                    ["set", "cohort", "group", "dataset"].iter().find_map(|it| rest.strip_prefix(it)).unwrap_or(rest);
                let inner = rest.trim_start().strip_prefix('(').and_then(|it| it.split(')').next());
                let Some(n) = inner.filter(|it| it.trim_start().starts_with('n')).and_then(words::size) else {
                    continue;
                };
                found.push(Statement {
                    place: [set.clone(), "n".to_owned(), "Total".to_owned()],
                    printed: n.to_string(),
                    value: Value::Number(Printed::of(n as f64, 0)),
                    roles: (Role::Group { n: Some(n), is_total: true }, RowRole::Sizes),
                });
            }
        }
        found
    }

    /// `Higher values of X had positive contributions toward predicting Y`, `the presence of X exerted a positive effect`.
    fn shap(&self, sentence: &str, outcome: &mut Option<String>) -> Option<Statement> {
        let lower = sentence.to_lowercase();
        let predicted = ["predicting ", "prediction of ", "predict ", "predicts "];
        let named = |from: usize| mentions(&sentence[from..], &self.groups).first().map(|it| self.groups[it.1].clone());
        if let Some(group) =
            predicted.iter().find_map(|it| lower.find(it)).filter(|&at| sentence.is_char_boundary(at)).and_then(named)
        {
            *outcome = Some(group);
        }
        let is_higher = ["higher", "high ", "presence of", "increas", "elevated"].iter().any(|it| lower.contains(it));
        let (positive, negative) = (lower.contains("positive"), lower.contains("negative"));
        if !is_higher || positive == negative {
            return None;
        }
        let mut own: Vec<&String> = self
            .terms
            .iter()
            .filter(|(_, names)| !mentions(sentence, names).is_empty())
            .map(|(term, _)| term)
            .collect();
        own.dedup();
        let (&[term], Some(group)) = (&own[..], outcome.clone()) else { return None };
        let sign = if positive { "1" } else { "-1" };
        Some(Statement {
            place: ["all".to_owned(), format!("SHAP: {term}"), group],
            printed: sign.to_owned(),
            value: Value::Number(Printed::parse(sign)?),
            roles: (Role::Unknown, RowRole::Unknown),
        })
    }
}

/// A set's name as sentences have it: its first word, without `set` or `cohort`.
fn spoken(set: &str) -> String {
    let text = words::plain(&words::without_size(set));
    let kept = text.split(' ').filter(|it| !["set", "cohort", "group", "dataset", "the", "data"].contains(it));
    let kept: Vec<&str> = kept.collect();
    match kept.join(" ").as_str() {
        "train" => "training".to_owned(),
        "testing" => "test".to_owned(),
        other => other.to_owned(),
    }
}

/// The name of a term and its abbreviation, where the text gives one: `pathological fracture (PF)`.
fn names_of(term: &str, paragraphs: &[Paragraph]) -> Vec<String> {
    let mut names = vec![term.to_owned()];
    let wanted = term.to_lowercase();
    for paragraph in paragraphs {
        let lower = paragraph.text.to_lowercase();
        // Letters that change their length in lower case would shift every place behind them.
        if lower.len() != paragraph.text.len() {
            continue;
        }
        for (at, text) in lower.match_indices(&wanted) {
            let behind = paragraph.text[at + text.len()..].trim_start();
            let short = behind.strip_prefix('(').and_then(|it| it.split(')').next());
            if let Some(short) =
                short.filter(|it| (2..8).contains(&it.len()) && it.chars().all(|c| c.is_alphanumeric()))
            {
                names.push(short.to_owned());
            }
        }
    }
    names.dedup();
    names
}

/// Whether two models are set against each other by a word between or around them.
fn is_comparison(text: &str) -> bool {
    let lower = format!(" {} ", text.to_lowercase());
    [" and ", " vs ", " vs. ", " versus ", " with ", " than ", " to ", " from ", " over "]
        .iter()
        .any(|it| lower.contains(it))
}

/// P values of a sentence: where each begins and ends.
fn p_values(sentence: &str) -> Vec<(usize, usize, Printed)> {
    let mut found = Vec::new();
    for (at, _) in sentence.char_indices().filter(|(_, c)| matches!(c, 'P' | 'p')) {
        if sentence[..at].ends_with(|c: char| c.is_alphanumeric()) {
            continue;
        }
        let rest = &sentence[at + 1..];
        let word =
            ["-values", "-value", " values", " value", "-Value", " Value"].iter().find(|it| rest.starts_with(**it));
        let rest = rest[word.map_or(0, |it| it.len())..].trim_start();
        if !rest.starts_with(['=', '<', '>', '≤', '≥', '＝', '＜', '＞']) {
            continue;
        }
        let text = crate::read::value::normal(rest);
        let sign = text.chars().next().filter(|c| *c != '=');
        let digits: String = text
            .chars()
            .skip(1)
            .skip_while(|c| c.is_whitespace())
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        let number = format!("{}{}", sign.map_or(String::new(), String::from), digits.trim_end_matches('.'));
        let end = sentence.len() - rest.len();
        if let Some(p) = Printed::parse(&number).filter(|p| p.value() <= 1.0) {
            found.push((at, end, p));
        }
    }
    found
}

/// Numbers with decimals: where each begins.
fn numbers(text: &str) -> Vec<(usize, Printed)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = text[at..].find(|c: char| c.is_ascii_digit()).map(|it| at + it) {
        let rest = &text[start..];
        let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let number = digits.trim_end_matches('.');
        found.extend(Printed::parse(number).filter(|it| it.decimals() > 0).map(|it| (start, it)));
        at = start + digits.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_words_and_the_longest_first() {
        let names = ["Model_clinical", "Model_rad", "Model_rad-combined", "RF"].map(str::to_owned);
        let text = "that of Model rad-combined and the Model clinical, by RF (performance)";
        let found: Vec<usize> = mentions(text, &names).into_iter().map(|it| it.1).collect();
        assert_eq!(found, [2, 0, 3]);
        let p: Vec<String> = p_values("A (P = 0.936), B (p<0.001) and a P value of 3; P-value = 0.04.")
            .into_iter()
            .map(|it| it.2.to_string())
            .collect();
        assert_eq!(p, ["0.936", "<0.001", "0.04"]);
    }
}
