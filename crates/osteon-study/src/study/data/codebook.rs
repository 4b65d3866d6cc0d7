//! Codebooks as files: read in any of their forms, written in another, proposed from a clinical file, put in force.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::protocol::Protocol;
use crate::protocol::codebook::propose::{Proposal, propose};
use crate::protocol::codebook::variable::{Detection, Kind, Number, Variable};
use crate::protocol::codebook::{Codebook, redcap, sheet};
use crate::report::sheet::{Cell, Sheet};
use crate::store::write_whole;
use crate::study::data::input;
use crate::study::{Error, Study};
use osteon_base::cells;

/// A form in which a codebook is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodebookForm {
    /// The protocol's tables.
    Toml,
    /// One row a variable.
    Csv,
    /// REDCap's data dictionary.
    Redcap,
}

/// A codebook that was read from a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadCodebook {
    pub codebook: Codebook,
    /// The form that was found.
    pub form: CodebookForm,
    /// What was guessed, changed or left out.
    pub notes: Vec<String>,
}

/// Reads a codebook; which form it has is told by its first line and its name.
pub fn read_codebook(path: &Path) -> Result<ReadCodebook, Error> {
    let text = as_text(path)?;
    let first = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    let wrong = |cause: String| Error::Request(format!("{}: {cause}", path.display()));
    let is_csv = path.extension().is_some_and(|it| ["csv", "xlsx"].iter().any(|end| it.eq_ignore_ascii_case(end)));
    if first.contains(redcap::COLUMNS[0]) {
        let found = redcap::read(&text).map_err(|cause| wrong(cause.to_string()))?;
        return Ok(ReadCodebook { codebook: found.codebook, form: CodebookForm::Redcap, notes: found.notes });
    }
    let (codebook, form) = match is_csv {
        true => (sheet::read(&text).map_err(|cause| wrong(cause.to_string()))?, CodebookForm::Csv),
        false => {
            let protocol = Protocol::parse(&with_no_base(&text)).map_err(|cause| wrong(cause.to_string()))?;
            (Codebook::clone(&protocol.codebook), CodebookForm::Toml)
        }
    };
    Ok(ReadCodebook { codebook, form, notes: Vec::new() })
}

/// The text of a codebook file; of a workbook, its first sheet as CSV.
fn as_text(path: &Path) -> Result<String, Error> {
    let bytes = input::bytes(path)?;
    if !bytes.starts_with(b"PK\x03\x04") {
        return input::text(path);
    }
    let grid = cells::read(&bytes, &cells::Params::default()).map_err(|cause| Error::from(cause).within(path))?;
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for row in grid.rows() {
        writer.write_record(row.texts()).expect("written to memory");
    }
    Ok(String::from_utf8(writer.into_inner().expect("written to memory")).expect("all cells are text"))
}

/// Tables of variables without a word about what they stand over stand over nothing: the file is the codebook.
fn with_no_base(text: &str) -> String {
    let says = |key: &str| text.lines().any(|line| line.trim_start().starts_with(key));
    if says("codebook") || says("preset") { text.to_owned() } else { format!("codebook = \"none\"\n{text}") }
}

/// A codebook in a form, and what the form cannot say.
pub fn write_codebook(book: &Codebook, form: CodebookForm) -> (String, Vec<String>) {
    let others = || {
        let outcomes = book.outcomes.iter().map(|it| format!("outcome {} has no place in this form", it.name));
        outcomes.collect::<Vec<_>>()
    };
    match form {
        CodebookForm::Toml => (book.to_toml(), Vec::new()),
        CodebookForm::Csv => (sheet::write(book), others()),
        CodebookForm::Redcap => {
            let (text, mut lost) = redcap::write(book, "record_id");
            lost.extend(others());
            (text, lost)
        }
    }
}

/// An empty clinical file: a column for each variable that is typed, with rows about units and allowed values below
/// the header, which an import leaves out.
pub fn clinical_template(book: &Codebook) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in template(book) {
        writer.write_record(row).expect("written to memory");
    }
    String::from_utf8(writer.into_inner().expect("written to memory")).expect("all cells are text")
}

/// The same as a sheet of a workbook.
pub fn clinical_template_sheet(book: &Codebook) -> Sheet {
    let mut rows = template(book).into_iter();
    let headings = rows.next().unwrap_or_default();
    let rows = rows.map(|row| row.into_iter().map(Cell::Text).collect()).collect();
    Sheet { title: "Clinical".to_owned(), headings, rows, ..Sheet::default() }
}

/// The variables of a codebook as a sheet to be edited, one row each, which `read_codebook` takes from a workbook.
pub fn editable_sheet(book: &Codebook) -> Sheet {
    let text = sheet::write(book);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows = reader.records().map(|row| row.expect("it was written here"));
    let headings = rows.next().map(|row| row.iter().map(str::to_owned).collect()).unwrap_or_default();
    let cell = |text: &str| if text.is_empty() { Cell::Empty } else { Cell::Text(text.to_owned()) };
    let rows = rows.map(|row| row.iter().map(cell).collect()).collect();
    Sheet { title: "Codebook".to_owned(), headings, rows, ..Sheet::default() }
}

fn template(book: &Codebook) -> Vec<Vec<String>> {
    let typed: Vec<&Variable> = book.variables.iter().filter(|variable| !variable.is_computed()).collect();
    let row = |first: &str, cell: &dyn Fn(&Variable) -> String| {
        std::iter::once(first.to_owned()).chain(typed.iter().map(|variable| cell(variable))).collect()
    };
    vec![
        row("patient_id", &|variable| variable.name.clone()),
        row("# meaning", &|variable| variable.heading()),
        row("# known at", &|variable| variable.moment.name().to_owned()),
        row("# allowed", &|variable| variable.expected()),
    ]
}

/// What variables that both codebooks have lose by the new one, one sentence a property: a form that cannot say it.
pub fn lost(was: &Codebook, now: &Codebook) -> Vec<String> {
    let pairs = || now.variables.iter().filter_map(|new| Some((was.keyed(&new.key)?, new)));
    let usual = |variable: &Variable| match &variable.kind {
        Kind::Number(number) => !number.usual.is_everything(),
        _ => false,
    };
    let words = |variable: &Variable| match &variable.kind {
        Kind::Number(number) => !number.words.is_empty(),
        _ => false,
    };
    let limits = |variable: &Variable| match &variable.kind {
        Kind::Number(number) => number.detection != Detection::Refuse,
        _ => false,
    };
    let missing = |variable: &Variable| !variable.missing.is_empty();
    let said = |what: &str, has: &dyn Fn(&Variable) -> bool| {
        let names: Vec<&str> =
            pairs().filter(|(old, new)| has(old) && !has(new)).map(|(_, new)| new.name.as_str()).collect();
        (!names.is_empty()).then(|| format!("{what} of {} are lost: this form does not say them", names.join(", ")))
    };
    [
        said("usual ranges", &usual),
        said("codes for missing values", &missing),
        said("rules for limits of detection", &limits),
        said("words for numbers", &words),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The variables of a codebook as a table to read.
pub fn codebook_sheet(book: &Codebook) -> Sheet {
    let words = |text: &str| Cell::Text(text.to_owned());
    let row = |variable: &Variable| {
        let usual = match &variable.kind {
            Kind::Number(Number { usual, .. }) if !usual.is_everything() => usual.words(),
            _ => String::new(),
        };
        let allowed = variable.formula.as_ref().map_or_else(|| variable.expected(), |it| format!("= {}", it.text()));
        let key = if variable.key == variable.name { "" } else { &variable.key };
        [&variable.name, key, &variable.label, &variable.unit, variable.kind.name(), variable.role.name()]
            .map(words)
            .into_iter()
            .chain([words(variable.moment.name()), words(&allowed), words(&usual)])
            .collect()
    };
    let outcome = |it: &crate::protocol::codebook::outcome::Outcome| {
        let force = if it.in_force { ", in force" } else { "" };
        format!("outcome {}{force}: {} if {}, else {}", it.name, it.event_label, it.event, it.other_label)
    };
    let slots = book.slots.iter().map(|slot| format!("image {}: {}", slot.slot, slot.label));
    let moment = format!("predictors are known at {} or before", book.prediction_moment.name());
    Sheet {
        title: "Codebook".to_owned(),
        headings: ["name", "key", "label", "unit", "kind", "role", "known at", "allowed", "usual"]
            .map(str::to_owned)
            .to_vec(),
        rows: book.variables.iter().map(row).collect(),
        notes: book.outcomes.iter().map(outcome).chain(slots).chain([moment]).collect(),
        provenance: Vec::new(),
    }
}

/// Proposes a codebook from a clinical file: CSV in any of its forms, or a workbook.
pub fn propose_codebook(path: &Path) -> Result<Proposal, Error> {
    let wrong = |cause: String| Error::Request(format!("{}: {cause}", path.display()));
    let bytes = input::bytes(path)?;
    let grid = cells::read(&bytes, &cells::Params::default()).map_err(|cause| wrong(cause.to_string()))?;
    // Title lines have few texts, a header one for nearly each column.
    let texts = |row: &cells::Row| row.texts().filter(|text| !text.is_empty()).count();
    let filled: Vec<cells::Row> = grid.rows().filter(|row| !row.is_blank()).collect();
    let widest = filled.iter().take(30).map(texts).max().unwrap_or(0);
    let at = filled.iter().take(30).position(|row| 2 * texts(row) > widest);
    let at = at.ok_or_else(|| wrong("no header line".to_owned()))?;
    let width = filled[at].texts().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
    let headers: Vec<&str> = filled[at].texts().take(width).collect();
    let rows = filled[at + 1..].iter();
    let mut columns: Vec<(&str, Vec<&str>)> = headers.iter().map(|header| (*header, Vec::new())).collect();
    for row in rows {
        for ((_, cells), text) in columns.iter_mut().zip(row.texts().chain(std::iter::repeat(""))) {
            cells.push(text);
        }
    }
    let mut found = propose(&columns).map_err(|cause| wrong(cause.to_string()))?;
    if at > 0 {
        found.notes.insert(0, format!("the header is line {}; {at} lines above it were left out", filled[at].line));
    }
    Ok(found)
}

/// Writes what a file seems to hold as a protocol, with what should be looked at above it. Gives the protocol's file, how
/// many variables it proposes, and what should be looked at.
pub fn propose_protocol(file: &Path, to: &Path) -> Result<(PathBuf, usize, Vec<String>), Error> {
    if to.exists() {
        return Err(Error::Request(format!("{} is there already; rename it first", to.display())));
    }
    let found = propose_codebook(file)?;
    let mut text = format!(
        "# Proposed from {}; patients are named by its column {}. Read every line before it is used.\n",
        file.display(),
        found.id
    );
    found.notes.iter().for_each(|note| text.push_str(&format!("# {}\n", note.replace('\n', " "))));
    if found.codebook.outcomes.is_empty() {
        text.push_str(
            "# No outcome is declared yet, such as: [outcome] name = \"response\", event = \"necrosis_pct < 90\"\n",
        );
    }
    text.push_str(&format!("codebook = \"none\"\n\n{}", found.codebook.to_toml()));
    write_whole(to, text.as_bytes()).map_err(|source| Error::File { path: to.to_owned(), source })?;
    Ok((to.to_owned(), found.codebook.variables.len(), found.notes))
}

impl Study {
    /// Puts the codebook of a file in force, the rest of the protocol as it is; gives the protocol's hash. A form that
    /// cannot say outcomes and images leaves those of the study.
    pub fn use_codebook(&self, read: &ReadCodebook, reason: &str) -> Result<String, Error> {
        let mut document = read.codebook.to_tables();
        if read.form != CodebookForm::Toml {
            let mut own = self.protocol.codebook.to_tables();
            document
                .extend(["outcome", "image"].into_iter().filter_map(|key| Some((key.to_owned(), own.remove(key)?))));
        }
        document.insert("codebook".to_owned(), toml::Value::String("none".to_owned()));
        let protocol = self.protocol.clone().under(document)?;
        let protocol = match protocol.codebook == self.protocol.codebook {
            true => Protocol { codebook: Arc::clone(&self.protocol.codebook), ..protocol },
            false => protocol,
        };
        self.use_protocol(protocol, reason)
    }
}
