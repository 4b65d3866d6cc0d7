//! Which rows of a file are patients.

use std::collections::BTreeMap;

use osteon_base::cells::{Grid, Row};

use crate::study::Refusal;
use crate::study::data::clinical::header::Header;
use crate::study::data::clinical::map::Map;
use crate::study::data::clinical::{Clinical, ids};

/// A row that is a patient's, or one of several.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// Line in the file, the header being 1 where nothing stands above it.
    pub line: u64,
    pub code: String,
    pub cells: Row<'a>,
}

/// First words of rows that sum the others up, in English, German and French.
const SUMMARY: &[&str] = &[
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sum",
    "mean",
    "average",
    "median",
    "summe",
    "gesamt",
    "mittelwert",
    "durchschnitt",
    "standard deviation",
    "std dev",
    "std. dev.",
    "stdev",
    "standardabweichung",
    "anzahl",
    "somme",
    "moyenne",
    "médiane",
    "mean ± sd",
    "mean (sd)",
    "mean±sd",
    "median (iqr)",
    "n missing",
    "minimum",
    "maximum",
];
/// Words that may be a summary or a patient.
const EITHER: &[&str] = &["n", "sd", "se", "min", "max", "count", "range", "iqr", "q1", "q3", "var", "all"];

/// The rows below the header that are patients; others are counted or refused.
pub fn patients<'a>(grid: &'a Grid, header: &Header, map: &Map, told: &mut Clinical) -> Vec<Line<'a>> {
    let (mut lines, mut left) = (Vec::new(), Left::default());
    for row in grid.rows().filter(|row| row.line as u64 > header.line && !row.is_blank()) {
        if row.text(header.code).starts_with('#') {
            left.remarks += 1;
        } else if is_header(&row, header) {
            left.headers.push(row.line);
        } else if let Some(word) = summary(&row, header, map) {
            *left.summaries.entry(word).or_default() += 1;
        } else if let Some(line) = patient(row, header, map, told) {
            lines.push(line);
        }
    }
    left.tell(told);
    ids::without_fractions(&mut lines, told);
    for line in &mut lines {
        if let Some(own) = map.patients.get(&line.code) {
            line.code.clone_from(own);
        }
    }
    lines
}

/// Rows that are no patients.
#[derive(Default)]
struct Left {
    remarks: usize,
    headers: Vec<usize>,
    summaries: BTreeMap<String, usize>,
}

impl Left {
    fn tell(self, told: &mut Clinical) {
        if self.remarks > 0 {
            told.notes.push(format!("lines that begin with # are remarks: {} not read", self.remarks));
        }
        if !self.headers.is_empty() {
            let lines: Vec<String> = self.headers.iter().map(usize::to_string).collect();
            told.notes.push(format!("the header again, not read: line {}", lines.join(", ")));
        }
        if !self.summaries.is_empty() {
            let words = self.summaries.iter().map(|(word, n)| format!("{word} ({n})")).collect::<Vec<_>>();
            told.notes.push(format!("rows that sum up the others, not read: {}", words.join(", ")));
        }
    }
}

fn is_header(row: &Row, header: &Header) -> bool {
    header.texts.iter().enumerate().all(|(at, text)| osteon_base::text::clean(row.text(at)) == text.as_str())
}

/// The word by which a row is a summary of the others; `n = 93` is one too.
fn summary(row: &Row, header: &Header, map: &Map) -> Option<String> {
    let code = row.text(header.code);
    if map.patients.contains_key(code) {
        return None;
    }
    let word = if code.is_empty() { row.texts().find(|text| !text.is_empty())? } else { code };
    let shown = osteon_base::text::shown(&osteon_base::text::clean(word));
    let word = word.trim_end_matches(':').trim().to_lowercase();
    let counted = word.strip_prefix('n').is_some_and(|rest| {
        rest.trim_start().strip_prefix('=').is_some_and(|n| n.trim().bytes().all(|byte| byte.is_ascii_digit()))
    });
    (counted || SUMMARY.contains(&word.as_str())).then_some(shown)
}

fn patient<'a>(row: Row<'a>, header: &Header, map: &Map, told: &mut Clinical) -> Option<Line<'a>> {
    let line = row.line as u64;
    let mut refuse = |column: &str, value: &str, expected: String| {
        let value = osteon_base::text::shown(&osteon_base::text::clean(value));
        told.refused.push(Refusal { line, column: column.to_owned(), value, expected });
    };
    let Some(cells) = row.fitted(header.texts.len()) else {
        let found = format!("{} cells", row.len());
        refuse("", &found, format!("{} cells as in the header", header.texts.len()));
        return None;
    };
    let code = osteon_base::text::clean(cells.text(header.code)).trim().to_owned();
    let place = &header.texts[header.code];
    if EITHER.contains(&code.trim_end_matches(':').to_lowercase().as_str()) && !map.patients.contains_key(&code) {
        refuse(place, &code, "a patient; this may be a row that sums up the others".to_owned());
        told.hint(format!(
            "delete such rows, or say that it is a patient: [patients] \"{code}\" = \"{code}\" in the map"
        ));
        return None;
    }
    if code.is_empty() || code.chars().count() > 64 {
        refuse(place, &code, "a patient's name of 1 to 64 characters".to_owned());
        return None;
    }
    Some(Line { line, code, cells })
}
