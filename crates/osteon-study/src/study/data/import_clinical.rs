//! Clinical variables from a file into the study: a preview of what would change, then all or nothing.

use std::path::Path;

use crate::store::{Patient, Store, Write};
use crate::study::data::clinical::{self, Map, Row};
use crate::study::data::input;
use crate::study::data::rules;
use crate::study::data::undo_import;
use crate::study::{Error, Refusal, Study};

/// What to do with rows that hold a refused cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRows {
    /// Import nothing at all.
    Refuse,
    /// Import the other rows.
    Skip,
}

/// What an import did, or would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClinicalReport {
    pub notes: Vec<String>,
    /// What was read and may be something else.
    pub warnings: Vec<String>,
    /// What to do about what was refused.
    pub hints: Vec<String>,
    pub refused: Vec<Refusal>,
    /// Whether something of the whole file is refused, so that skipping rows does not help.
    pub stops: bool,
    pub added: Vec<String>,
    /// Values that differ from the stored ones, those that were not there before too.
    pub changed: Vec<FieldChange>,
    /// Patients that the file leaves as they are.
    pub unchanged: usize,
    /// Empty cells over stored values, which they leave alone.
    pub kept: usize,
    /// Patients whom an import that was turned back had brought, and who belong to the study again.
    pub included_again: Vec<String>,
    /// Number of the import, where it changed something.
    pub import: Option<i64>,
    /// Whether the study was changed as told here.
    pub applied: bool,
}

impl ClinicalReport {
    /// How many stored values another one replaces.
    pub fn replaced(&self) -> usize {
        self.changed.iter().filter(|change| !change.old.is_empty()).count()
    }
}

/// One stored value that another one replaces; `old` is empty where there was none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    pub code: String,
    pub field: String,
    pub old: String,
    pub new: String,
    /// Whether this reader may not see it.
    pub hidden: bool,
}

/// A file's rows and what identifies the file.
struct Incoming {
    rows: Vec<Row>,
    report: ClinicalReport,
    sha256: String,
}

impl Study {
    /// What `import_clinical` would do when bad rows are skipped; nothing is changed.
    pub fn preview_clinical(&self, file: &Path, map: Option<&Path>) -> Result<ClinicalReport, Error> {
        let found = self.read_clinical(file, map)?;
        self.plan(&self.store, &found.rows, found.report)
    }

    /// Imports the rows of a file that replaces no stored value. With a refused cell nothing is imported, unless bad
    /// rows are to be skipped.
    pub fn import_clinical(&self, file: &Path, map: Option<&Path>, bad_rows: BadRows) -> Result<ClinicalReport, Error> {
        self.import_clinical_for(file, map, bad_rows, "")
    }

    /// The same with a reason, which is needed where stored values are replaced. What changed is one entry that can be
    /// turned back as a whole.
    pub fn import_clinical_for(
        &self,
        file: &Path,
        map: Option<&Path>,
        bad_rows: BadRows,
        reason: &str,
    ) -> Result<ClinicalReport, Error> {
        let Incoming { rows, report, sha256 } = self.read_clinical(file, map)?;
        if report.stops || bad_rows == BadRows::Refuse && !report.refused.is_empty() {
            return self.plan(&self.store, &rows, report);
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let reason = osteon_base::text::clean(reason).trim().to_owned();
        let why = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        self.store.write(&format!("import clinical {name}{why}"), |write| {
            let first = write.last_change()? + 1;
            let mut report = self.plan(write, &rows, report)?;
            let replaced = report.replaced();
            if replaced > 0 && reason.is_empty() {
                return Err(Error::ImportReason(replaced));
            }
            for row in &rows {
                if self.apply(write, row)? {
                    report.included_again.push(row.code.clone());
                }
            }
            let import = write.end_import("clinical", &file.to_string_lossy(), &sha256, first, None)?;
            Ok(ClinicalReport { import, applied: true, ..report })
        })
    }

    fn read_clinical(&self, file: &Path, map: Option<&Path>) -> Result<Incoming, Error> {
        let book = &self.protocol.codebook;
        let parse = |path: &Path| Map::parse(&input::text(path)?, book).map_err(|why| why.within(path));
        let map = map.map(parse).transpose()?.unwrap_or_default();
        let bytes = input::bytes(file)?;
        let mut found = clinical::read(&bytes, book, &map).map_err(|why| why.within(file))?;
        let known = self.store.patient_codes()?;
        let hint = clinical::ids::against(&mut found.rows, &known, &map, &mut found.refused);
        found.hints.extend(hint);
        let stops = !found.whole.is_empty();
        let report = ClinicalReport {
            notes: found.notes,
            warnings: found.warnings,
            hints: found.hints,
            refused: [found.whole, found.refused].concat(),
            stops,
            ..ClinicalReport::default()
        };
        Ok(Incoming { rows: found.rows, report, sha256: crate::store::sha256(&bytes) })
    }

    fn plan(&self, store: &Store, rows: &[Row], mut report: ClinicalReport) -> Result<ClinicalReport, Error> {
        for row in rows {
            let Some(patient) = store.find_patient(&row.code)? else {
                report.added.push(row.code.clone());
                continue;
            };
            let before = report.changed.len();
            let typed = self.protocol.codebook.variables.iter().enumerate().filter(|(_, it)| !it.is_computed());
            for (at, variable) in typed {
                let hidden = !self.may_see(&variable.name);
                match (&patient.entries[at], &row.values[at]) {
                    // Whether a hidden value is the one that is stored is not told.
                    (old, Some(new)) if hidden || old.as_ref() != Some(new) => report.changed.push(FieldChange {
                        code: row.code.clone(),
                        field: variable.name.clone(),
                        old: old.as_ref().map(|value| variable.text(value)).unwrap_or_default(),
                        new: variable.text(new),
                        hidden,
                    }),
                    (Some(_), None) if !hidden => report.kept += 1,
                    _ => (),
                }
            }
            report.unchanged += usize::from(report.changed.len() == before);
        }
        Ok(report)
    }

    /// Enters a row; whether its patient, whom an import that was turned back had brought, is included again.
    fn apply(&self, write: &Write, row: &Row) -> Result<bool, Error> {
        let mut again = false;
        match write.find_patient(&row.code)? {
            None => drop(write.add_patient(&row.code, &row.values)?),
            Some(patient) => {
                self.update(write, &patient, row)?;
                again = patient.exclusion.as_deref().is_some_and(undo_import::is_turned_back);
                if again {
                    let patient = write.patient(&row.code)?;
                    write.exclude_patient(&patient, None)?;
                }
            }
        }
        rules::apply(write, &self.protocol, &row.code)?;
        Ok(again)
    }

    fn update(&self, write: &Write, patient: &Patient, row: &Row) -> Result<(), Error> {
        let mut version = patient.version;
        for (at, variable) in self.protocol.codebook.variables.iter().enumerate() {
            let is_new = row.values[at] != patient.entries[at] || !self.may_see(&variable.name);
            if row.values[at].is_some() && is_new && !variable.is_computed() {
                version = self.enter(write, patient, version, variable, row.values[at].as_ref())?;
            }
        }
        Ok(())
    }
}
