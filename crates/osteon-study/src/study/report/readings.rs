//! Printed tables of any file a person has: read, shown, judged, and told with the place of every finding.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::report::sheet::{Cell, Sheet};
use crate::study::Error;
use crate::study::data::input;
use osteon_reconcile::located::locate;
use osteon_reconcile::printed::Printed;
use osteon_reconcile::read::correction::{self, Amendment, Correction, CorrectionError};
use osteon_reconcile::read::shown::{self, Coverage};
use osteon_reconcile::read::{Of, Params, Reading};
use osteon_reconcile::{Finding, Judgement, PublishedCell, Severity};
use serde_json::{Value, json};

/// The tables of one paper with what the checks say of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub readings: Vec<Reading>,
    /// One for each reading.
    pub coverages: Vec<Coverage>,
    pub findings: Vec<Finding>,
    /// What was taken for whole columns, in sentences.
    pub taken: Vec<String>,
}

/// The tables of some files, `-` being standard input, as they are understood. A file's corrections, `FILE.toml`
/// beside it, are read too.
pub fn readings(files: &[PathBuf]) -> Result<Vec<Reading>, Error> {
    let mut readings: Vec<Reading> = Vec::new();
    for path in files {
        let at = |source| Error::Published { path: path.clone(), source };
        let (name, bytes) = bytes(path)?;
        let correction = correction_of(path)?;
        for mut reading in osteon_reconcile::read::read(&bytes, &name, &correction, &Params::default()).map_err(at)? {
            let is_tidy = reading.said.is_empty();
            if !is_tidy && readings.iter().any(|other| other.name == reading.name) {
                rename(&mut reading, &name);
            }
            readings.push(reading);
        }
    }
    Ok(readings)
}

/// The tables of a text that was pasted, as they are understood.
pub fn pasted(text: &str) -> Result<Vec<Reading>, Error> {
    osteon_reconcile::read::read(text.as_bytes(), "pasted", &Correction::default(), &Params::default())
        .map_err(|source| Error::Published { path: "the pasted text".into(), source })
}

/// Two files that call their tables the same are told apart by their names.
fn rename(reading: &mut Reading, file: &str) {
    let name = format!("{} of {file}", reading.name);
    reading.cells.iter_mut().for_each(|cell| cell.place.table.clone_from(&name));
    reading.name = name;
}

fn bytes(path: &Path) -> Result<(String, Vec<u8>), Error> {
    let wrong = |source| Error::File { path: path.to_owned(), source };
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().take(Params::default().max_bytes as u64 + 1).read_to_end(&mut bytes).map_err(wrong)?;
        return Ok(("standard input".to_owned(), bytes));
    }
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    Ok((name, input::bytes(path)?))
}

/// The file of corrections beside a file of tables.
pub fn correction_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".toml");
    PathBuf::from(name)
}

fn correction_of(path: &Path) -> Result<Correction, Error> {
    let beside = correction_path(path);
    if !beside.exists() {
        return Ok(Correction::default());
    }
    let text = input::text(&beside)?;
    Correction::parse(&text).map_err(|cause| Error::Published { path: beside, source: cause.into() })
}

/// Writes how each file was read beside it, to be corrected by hand; a file that is there already is left and refused.
pub fn write_corrections(files: &[PathBuf], readings: &[Reading]) -> Result<Vec<PathBuf>, Error> {
    let mut written = Vec::new();
    for path in files.iter().filter(|path| path.as_os_str() != "-") {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let of: Vec<Reading> = readings.iter().filter(|reading| reading.file == name).cloned().collect();
        let beside = correction_path(path);
        let wrong = |source| Error::File { path: beside.clone(), source };
        let mut file = std::fs::File::create_new(&beside).map_err(wrong)?;
        std::io::Write::write_all(&mut file, correction::template(&of).as_bytes()).map_err(wrong)?;
        written.push(beside);
    }
    Ok(written)
}

/// Puts what a person says of one cell's column, row and table into the file of corrections beside a file of tables,
/// behind what it says already. Pasted tables (several lines) are first written to a file of their own. Gives the file
/// of tables and that of corrections.
pub fn amend(
    published: &str,
    table: &str,
    (line, column): (usize, usize),
    amendment: &Amendment,
) -> Result<[PathBuf; 2], Error> {
    let path = if published.contains('\n') { write_pasted(published)? } else { PathBuf::from(published) };
    let readings = readings(std::slice::from_ref(&path))?;
    let number = readings.iter().find(|reading| reading.name == table).map_or(1, |reading| reading.number);
    let beside = correction_path(&path);
    let refused = |cause: CorrectionError| Error::Published { path: beside.clone(), source: cause.into() };
    let more = amendment.toml(number, column, line).ok_or_else(|| refused(CorrectionError::Nothing))?;
    let wrong = |source| Error::File { path: beside.clone(), source };
    let before = if beside.exists() { input::text(&beside)? } else { String::new() };
    let whole = before + &more;
    Correction::parse(&whole).map_err(refused)?;
    std::fs::write(&beside, whole).map_err(wrong)?;
    Ok([path, beside])
}

/// Writes pasted tables to the first of `pasted-1.txt`, `pasted-2.txt`, ... that is not there.
fn write_pasted(text: &str) -> Result<PathBuf, Error> {
    let mut number = 1;
    loop {
        let path = PathBuf::from(format!("pasted-{number}.txt"));
        match std::fs::File::create_new(&path) {
            Ok(mut file) => {
                let written = std::io::Write::write_all(&mut file, text.as_bytes());
                return written.map(|()| path.clone()).map_err(|source| Error::File { path, source });
            }
            Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            Err(source) => return Err(Error::File { path, source }),
        }
    }
}

/// All tables held against themselves and each other.
pub fn judged(readings: Vec<Reading>) -> Judged {
    let cells: Vec<PublishedCell> = readings.iter().flat_map(|reading| reading.cells.clone()).collect();
    let Judgement { findings: judged, used, taken } = osteon_reconcile::judge(&cells);
    let findings = osteon_reconcile::reading_notes(&readings).into_iter().chain(judged).collect();
    let mut rest = &used[..];
    let coverages = readings
        .iter()
        .map(|reading| {
            let (own, others) = rest.split_at(reading.cells.len());
            rest = others;
            shown::coverage(reading, own)
        })
        .collect();
    Judged { readings, coverages, findings, taken }
}

impl Judged {
    fn cells(&self) -> Vec<PublishedCell> {
        self.readings.iter().flat_map(|reading| reading.cells.clone()).collect()
    }

    /// How the tables were understood, what was taken for whole columns, and how many cells took part.
    pub fn reading_text(&self) -> String {
        let mut text = String::new();
        for (reading, coverage) in self.readings.iter().zip(&self.coverages) {
            if !reading.said.is_empty() {
                text.push_str(&shown::text(reading));
                text.push('\n');
            }
            text.push_str(&shown::coverage_text(reading, coverage));
            text.push_str("\n\n");
        }
        for sentence in &self.taken {
            text.push_str(&format!("{sentence}\n"));
        }
        if !self.taken.is_empty() {
            text.push('\n');
        }
        text
    }

    /// Tables with their roles and coverage, findings with their places.
    pub fn json(&self) -> Value {
        let word = |of: Of| if of == Of::Column { "column" } else { "row" };
        let tables = self.readings.iter().zip(&self.coverages).map(|(reading, coverage)| {
            let roles: Vec<Value> = reading
                .said
                .iter()
                .map(|said| json!({ "of": word(said.of), "at": said.at, "heading": said.heading, "role": said.role }))
                .collect();
            json!({
                "file": reading.file, "table": reading.name, "title": reading.title, "cells": coverage.cells,
                "used": coverage.used, "roles": roles,
            })
        });
        let cells = self.cells();
        let findings = self.findings.iter().map(|finding| self.finding_json(&cells, finding));
        json!({
            "tables": tables.collect::<Vec<_>>(),
            "taken": self.taken,
            "findings": findings.collect::<Vec<_>>(),
        })
    }

    fn finding_json(&self, cells: &[PublishedCell], finding: &Finding) -> Value {
        let place = &finding.place;
        let located = locate(cells, finding);
        let source = located.map(|it| &it.cell.source);
        let own = located.filter(|it| it.is_cell);
        let heading = own.and_then(|it| {
            let reading = self.readings.iter().find(|reading| reading.name == place.table)?;
            let said = reading.said.iter().find(|said| said.of == Of::Column && said.at == it.cell.source.column)?;
            Some(said.heading.clone()).filter(|heading| !heading.is_empty())
        });
        let printed = own.map_or(&finding.printed, |it| &it.cell.printed);
        let implied = match own {
            Some(it) if it.cell.is_percent => in_percent(&finding.implied),
            _ => finding.implied.clone(),
        };
        json!({
            "file": source.map_or("", |it| it.file.as_str()),
            "line": source.map(|it| it.line),
            "column": own.map(|it| it.cell.source.column),
            "table": place.table,
            "set": place.set,
            "row": place.row,
            "heading": heading.unwrap_or_else(|| place.column.clone()),
            "kind": finding.kind.word(),
            "severity": finding.severity.word(),
            "printed": printed,
            "implied": implied,
            "alternatives": finding.alternatives,
            "why": finding.why,
        })
    }

    /// The findings as a table, each with its place and the row of its cell as the source prints it.
    pub fn sheet(&self) -> Sheet {
        const HEADINGS: [&str; 11] = [
            "severity",
            "kind",
            "table",
            "line",
            "column",
            "row",
            "heading",
            "printed",
            "implied",
            "why",
            "as printed",
        ];
        let cells = self.cells();
        let rows = self.findings.iter().map(|finding| {
            let told = self.finding_json(&cells, finding);
            let text = |key: &str| match &told[key] {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            let keys = ["severity", "kind", "table", "line", "column", "row", "heading", "printed", "implied", "why"];
            let row = keys.into_iter().map(text).chain([self.as_printed(&cells, finding)]);
            row.map(Cell::Text).collect()
        });
        let coverages = self.readings.iter().zip(&self.coverages);
        let notes = coverages.map(|(reading, coverage)| shown::coverage_text(reading, coverage));
        Sheet {
            title: "Published tables against themselves".to_owned(),
            headings: HEADINGS.map(String::from).to_vec(),
            rows: rows.collect(),
            notes: std::iter::once(crate::study::report::reconcile::summary(&self.findings))
                .chain(notes)
                .chain(self.taken.iter().cloned())
                .collect(),
            ..Sheet::default()
        }
    }

    /// The tables as they are printed, each row with its line and role, each cell with the sign of its gravest finding;
    /// an `o` stands behind what no check read. The cell of a finding is in column `2 + column`.
    pub fn printed_sheet(&self) -> Sheet {
        let cells = self.cells();
        let mut signs: HashMap<(String, usize, Option<usize>), Severity> = HashMap::new();
        for finding in &self.findings {
            let Some(located) = locate(&cells, finding) else { continue };
            let column = located.is_cell.then_some(located.cell.source.column);
            let key = (located.cell.place.table.clone(), located.cell.source.line, column);
            let gravest = signs.entry(key).or_insert(finding.severity);
            *gravest = finding.severity.min(*gravest);
        }
        let width = self.readings.iter().map(|reading| reading.grid.width()).max().unwrap_or(0);
        let mut rows = Vec::new();
        for (reading, coverage) in self.readings.iter().zip(&self.coverages) {
            let signed =
                |text: &str, line: usize, column: Option<usize>| match signs.get(&(reading.name.clone(), line, column))
                {
                    Some(severity) => format!("{text} [{}]", severity.sign()),
                    None if coverage.missing.iter().any(|it| Some(it.1) == column && it.0 == line) => {
                        format!("{text} o")
                    }
                    None => text.to_owned(),
                };
            let role = |of: Of, at: usize| {
                let said = reading.said.iter().find(|said| said.of == of && said.at == at);
                said.map_or("", |said| said.role.as_str())
            };
            let mut head = vec![reading.name.clone(), String::new(), "roles".to_owned()];
            head.extend((1..=reading.grid.width()).map(|at| role(Of::Column, at).to_owned()));
            rows.push(head);
            for row in &reading.grid.rows {
                let mut texts = vec![reading.name.clone(), row.line.to_string()];
                texts.push(signed(role(Of::Row, row.line), row.line, None));
                let cells = row.cells.iter().enumerate();
                texts.extend(cells.map(|(at, cell)| signed(&cell.text, row.line, Some(at + 1))));
                rows.push(texts);
            }
        }
        rows.iter_mut().for_each(|row| row.resize(3 + width, String::new()));
        let heading = |at: usize| at.to_string();
        let fixed = ["table", "line", "role of the row"].map(String::from);
        let coverages = self.readings.iter().zip(&self.coverages);
        let legend =
            "[X] impossible, [!] inconsistent, [?] typo, [~] rounding, [i] note; o: no check reads it".to_owned();
        Sheet {
            title: "Published tables as they were understood".to_owned(),
            headings: fixed.into_iter().chain((1..=width).map(heading)).collect(),
            rows: rows.into_iter().map(|row| row.into_iter().map(Cell::Text).collect()).collect(),
            notes: std::iter::once(legend)
                .chain(coverages.map(|(reading, coverage)| shown::coverage_text(reading, coverage)))
                .chain(self.taken.iter().cloned())
                .collect(),
            ..Sheet::default()
        }
    }

    /// The row of a finding's cell, the cell in angle quotes.
    fn as_printed(&self, cells: &[PublishedCell], finding: &Finding) -> String {
        let Some(located) = locate(cells, finding) else { return String::new() };
        let source = &located.cell.source;
        let reading = self.readings.iter().find(|reading| reading.name == located.cell.place.table);
        let row = reading.and_then(|reading| reading.grid.rows.iter().find(|row| row.line == source.line));
        let Some(row) = row else { return String::new() };
        let mark = |(at, cell): (usize, &osteon_reconcile::read::grid::GridCell)| {
            if located.is_cell && at + 1 == source.column { format!("»{}«", cell.text) } else { cell.text.clone() }
        };
        row.cells.iter().enumerate().map(mark).collect::<Vec<_>>().join(" | ")
    }
}

/// The cells of some readings as a tidy file: `table,set,row,column,printed`.
pub fn tidy(readings: &[Reading]) -> Result<String, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["table", "set", "row", "column", "printed"])?;
    for cell in readings.iter().flat_map(|reading| &reading.cells) {
        let place = &cell.place;
        let printed = cell.odd.as_ref().map_or(cell.printed.as_str(), |odd| odd.mended.as_str());
        let printed = if cell.is_percent && !printed.contains('%') { in_shares(printed) } else { printed.to_owned() };
        writer.write_record([&place.table, &place.set, &place.row, &place.column, &sheet_safe(&printed)])?;
    }
    let bytes = writer.into_inner().expect("a file is written to memory");
    Ok(String::from_utf8(bytes).expect("text stays text"))
}

/// A cell's text as it is; tabs and line ends become spaces.
fn sheet_safe(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A share as the percentage that the table prints; anything else as it is.
fn in_percent(text: &str) -> String {
    match Printed::parse(text) {
        Some(share) if share.decimals() >= 2 && share.value() <= 1.0 => {
            format!("{:.*}", share.decimals() as usize - 2, share.value() * 100.0)
        }
        _ => text.to_owned(),
    }
}

/// Every number of a percentage's cell as a share.
fn in_shares(text: &str) -> String {
    let mut out = String::new();
    let mut number = String::new();
    let flush = |number: &mut String, out: &mut String| {
        match Printed::parse(number) {
            Some(percent) => out.push_str(&percent.as_share().to_string()),
            None => out.push_str(number),
        }
        number.clear();
    };
    for c in text.chars() {
        if c.is_ascii_digit() || c == '.' {
            number.push(c);
        } else {
            flush(&mut number, &mut out);
            out.push(c);
        }
    }
    flush(&mut number, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_become_shares_and_back() {
        assert_eq!(in_shares("61.6 (58.3-64.9)"), "0.616 (0.583-0.649)");
        assert_eq!((in_percent("0.9752").as_str(), in_percent("n = 3").as_str()), ("97.52", "n = 3"));
    }
}
