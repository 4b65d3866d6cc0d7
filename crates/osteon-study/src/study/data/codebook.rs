//! Codebooks as files: read in any of their forms, written in another, proposed from a clinical file, put in force.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::protocol::Protocol;
use crate::protocol::codebook::propose::{Proposal, propose};
use crate::protocol::codebook::variable::{Kind, Number, Variable};
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
    let text = input::text(path)?;
    let first = text.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    let wrong = |cause: String| Error::Request(format!("{}: {cause}", path.display()));
    let is_csv = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("csv"));
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
    let typed: Vec<&Variable> = book.variables.iter().filter(|variable| !variable.is_computed()).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut row = |first: &str, cell: &dyn Fn(&Variable) -> String| {
        let cells = std::iter::once(first.to_owned()).chain(typed.iter().map(|variable| cell(variable)));
        writer.write_record(cells).expect("written to memory");
    };
    row("patient_id", &|variable| variable.name.clone());
    row("# meaning", &|variable| variable.heading());
    row("# known at", &|variable| variable.moment.name().to_owned());
    row("# allowed", &|variable| variable.expected());
    String::from_utf8(writer.into_inner().expect("written to memory")).expect("all cells are text")
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
    let (header, rows) = grid.headed().ok_or_else(|| wrong("no header line".to_owned()))?;
    let headers: Vec<&str> = header.texts().collect();
    let mut columns: Vec<(&str, Vec<&str>)> = headers.iter().map(|header| (*header, Vec::new())).collect();
    for row in rows {
        for ((_, cells), text) in columns.iter_mut().zip(row.texts().chain(std::iter::repeat(""))) {
            cells.push(text);
        }
    }
    propose(&columns).map_err(|cause| wrong(cause.to_string()))
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
