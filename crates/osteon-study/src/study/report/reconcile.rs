//! Published numbers: read from a file, checked against themselves and against recomputed ones, laid out.

use std::path::Path;

use crate::report::sheet::{Cell, Sheet};
use crate::study::Error;
use crate::study::data::input;
use crate::study::report::readings;
use osteon_reconcile::against::{self, Difference, Recomputed};
use osteon_reconcile::cells::{PublishedCell, Value};
use osteon_reconcile::rows::{self, Verdict};
use osteon_reconcile::{Finding, ReconcileError, Severity};

/// The published cells of a file: tidy (`table,set,row,column,printed`), or tables as they are printed.
pub fn published(path: &Path) -> Result<Vec<PublishedCell>, Error> {
    let readings = readings::readings(&[path.to_owned()])?;
    Ok(readings.into_iter().flat_map(|reading| reading.cells).collect())
}

/// Cells from lines of `table,set,row,column,printed`.
pub fn cells(lines: &[[String; 5]]) -> Result<Vec<PublishedCell>, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["table", "set", "row", "column", "printed"])?;
    for line in lines {
        writer.write_record(line)?;
    }
    let bytes = writer.into_inner().expect("a file is written to memory");
    let text = String::from_utf8(bytes).expect("text stays text");
    osteon_reconcile::read(&text)
        .map_err(|source| Error::Published { path: "the report's own tables".into(), source: source.into() })
}

/// What published tables get wrong and reveal.
pub fn findings(cells: &[PublishedCell]) -> Vec<Finding> {
    osteon_reconcile::reconcile(cells)
}

/// Published cells beside those of a tidy file of recomputed ones, in units of the last printed digit.
pub fn differences(cells: &[PublishedCell], recomputed: &Path) -> Result<Vec<Difference>, Error> {
    let recomputed: Vec<Recomputed> = published(recomputed)?.iter().map(recomputed_cell).collect();
    Ok(against::against(cells, &recomputed))
}

/// One verdict for each row of a file of published numbers.
pub fn rows(path: &Path) -> Result<Vec<Verdict>, Error> {
    checked(path, rows::verdicts)
}

fn recomputed_cell(cell: &PublishedCell) -> Recomputed {
    let values = match cell.value {
        Value::Count { n, percent } => vec![n as f64, percent.value()],
        Value::MeanSd { mean, sd } => vec![mean.value(), sd.value()],
        Value::Estimate { estimate, low, high } => [estimate, low, high].map(|it| it.value()).to_vec(),
        Value::Number(number) => vec![number.value()],
        Value::Median { median, spread } => {
            let ends = spread.into_iter().flat_map(|(low, high)| [low, high]);
            std::iter::once(median).chain(ends).map(|it| it.value()).collect()
        }
        Value::Test { statistic, p } => vec![statistic.value(), p.value()],
        Value::Absent | Value::Reference | Value::Words => Vec::new(),
    };
    Recomputed { place: cell.place.clone(), values }
}

/// Reads a file and gives its text to `check`; a refusal names the file.
fn checked<T>(path: &Path, check: impl Fn(&str) -> Result<T, ReconcileError>) -> Result<T, Error> {
    let text = input::text(path)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    check(text).map_err(|source| Error::Published { path: path.to_owned(), source: source.into() })
}

/// The verdicts as a table: `id`, `verdict`, `alternatives` (JSON).
pub fn verdict_sheet(verdicts: &[Verdict]) -> Sheet {
    let word = |consistent| if consistent { "consistent" } else { "inconsistent" };
    let row = |it: &Verdict| vec![it.id.clone(), word(it.consistent).to_owned(), it.alternatives.to_string()];
    sheet("", &["id", "verdict", "alternatives"], verdicts.iter().map(row))
}

const HEADINGS: [&str; 10] =
    ["severity", "kind", "table", "set", "row", "column", "printed", "implied", "alternatives", "why"];

/// The findings as a table.
pub fn finding_sheet(findings: &[Finding]) -> Sheet {
    let rows = findings.iter().map(|it| {
        let place = &it.place;
        vec![
            it.severity.word().to_owned(),
            it.kind.word().to_owned(),
            place.table.clone(),
            place.set.clone(),
            place.row.clone(),
            place.column.clone(),
            it.printed.clone(),
            it.implied.clone(),
            it.alternatives.join("; "),
            it.why.clone(),
        ]
    });
    let mut sheet = sheet("Published tables against themselves", &HEADINGS, rows);
    sheet.notes.push(summary(findings));
    sheet
}

/// The differences as a table.
pub fn difference_sheet(differences: &[Difference]) -> Sheet {
    let agree = differences.iter().filter(|it| it.agrees).count();
    let rows = differences.iter().map(|it| {
        let place = &it.place;
        let cell = [&place.table, &place.set, &place.row, &place.column].map(|it| Cell::Text(it.clone()));
        let numbers = [
            Cell::Text(it.printed.clone()),
            Cell::Text(it.recomputed.clone()),
            Cell::Number { value: it.units, digits: 1 },
            Cell::Text(if it.agrees { "agrees" } else { "differs" }.to_owned()),
        ];
        cell.into_iter().chain(numbers).collect()
    });
    Sheet {
        title: "Published tables against recomputed ones".to_owned(),
        headings: ["table", "set", "row", "column", "printed", "recomputed", "units", "verdict"]
            .map(String::from)
            .to_vec(),
        rows: rows.collect(),
        notes: vec![
            format!("{agree} of {} recomputed cells agree at the printed digits.", differences.len()),
            "units: recomputed minus printed, in units of the last printed digit".to_owned(),
        ],
        ..Sheet::default()
    }
}

fn sheet(title: &str, headings: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Sheet {
    Sheet {
        title: title.to_owned(),
        headings: headings.iter().map(|&it| it.to_owned()).collect(),
        rows: rows.map(|row| row.into_iter().map(Cell::Text).collect()).collect(),
        ..Sheet::default()
    }
}

/// How many findings of each severity.
pub fn summary(findings: &[Finding]) -> String {
    let count = |severity: Severity| findings.iter().filter(|it| it.severity == severity).count();
    let counts: Vec<String> = Severity::ALL.iter().map(|&it| format!("{} {}", count(it), it.word())).collect();
    format!("{} findings: {}", findings.len(), counts.join(", "))
}

/// The terminal that everybody has.
const WIDTH: usize = 80;

/// The findings for a terminal of 80 columns: grouped by table, gravest first, each with its sign and word.
pub fn text(findings: &[Finding]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut table = None;
    for finding in findings {
        let place = &finding.place;
        if table != Some(&place.table) {
            table = Some(&place.table);
            let title = if place.table.starts_with(|c: char| c.is_ascii_digit()) { "Table " } else { "" };
            lines.extend([format!("{title}{}", place.table), String::new()]);
        }
        let severity = finding.severity;
        let place = [&place.set, &place.row, &place.column].map(String::as_str).join(" / ");
        let head = format!("{} {}, {}: {place}", severity.sign(), severity.word(), finding.kind.word());
        lines.extend(wrap(&head, "", "    "));
        let implied = match (finding.printed.as_str(), finding.implied.as_str()) {
            ("", implied) => implied.to_owned(),
            (printed, "") => format!("printed {printed}"),
            (printed, implied) => format!("printed {printed}, implied {implied}"),
        };
        for text in [implied.as_str(), &finding.why].into_iter().filter(|it| !it.is_empty()) {
            lines.extend(wrap(text, "    ", "    "));
        }
        for alternative in finding.alternatives.iter().filter(|it| **it != finding.implied) {
            lines.extend(wrap(&format!("- {alternative}"), "    ", "      "));
        }
        lines.push(String::new());
    }
    lines.push(summary(findings));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Words in lines of at most `WIDTH` columns; a longer word stands alone.
fn wrap(text: &str, first: &str, next: &str) -> Vec<String> {
    let mut lines = vec![first.to_owned()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is a first line");
        let room = line.chars().count() + 1 + word.chars().count() <= WIDTH;
        let blank = line.trim().is_empty();
        match (blank, room) {
            (true, _) => line.push_str(word),
            (false, true) => line.extend([" ", word]),
            (false, false) => lines.push(format!("{next}{word}")),
        }
    }
    lines
}
