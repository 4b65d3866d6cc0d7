//! Clinical variables from a CSV file into the study: a preview of what would change, then all or nothing.

use std::path::Path;

use crate::store::{Patient, Store, Write};
use crate::study::data::clinical::{self, Map, Row};
use crate::study::data::input;
use crate::study::data::rules;
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
    pub refused: Vec<Refusal>,
    pub added: Vec<String>,
    pub changed: Vec<FieldChange>,
    /// Patients that the file leaves as they are.
    pub unchanged: usize,
    /// Empty cells over stored values, which they leave alone.
    pub kept: usize,
    /// Whether the study was changed as told here.
    pub applied: bool,
}

/// One stored value that another one replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    pub code: String,
    pub field: String,
    pub old: String,
    pub new: String,
    /// Whether this reader may not see it.
    pub hidden: bool,
}

impl Study {
    /// What `import_clinical` would do when bad rows are skipped; nothing is changed.
    pub fn preview_clinical(&self, file: &Path, map: Option<&Path>) -> Result<ClinicalReport, Error> {
        let (rows, report) = self.read_clinical(file, map)?;
        self.plan(&self.store, &rows, report)
    }

    /// Imports the rows of a file. With a refused cell nothing is imported, unless bad rows are to be skipped.
    pub fn import_clinical(&self, file: &Path, map: Option<&Path>, bad_rows: BadRows) -> Result<ClinicalReport, Error> {
        let (rows, report) = self.read_clinical(file, map)?;
        if bad_rows == BadRows::Refuse && !report.refused.is_empty() {
            return self.plan(&self.store, &rows, report);
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        self.store.write(&format!("import clinical {name}"), |write| {
            let report = self.plan(write, &rows, report)?;
            for row in &rows {
                self.apply(write, row)?;
            }
            Ok(ClinicalReport { applied: true, ..report })
        })
    }

    fn read_clinical(&self, file: &Path, map: Option<&Path>) -> Result<(Vec<Row>, ClinicalReport), Error> {
        let book = &self.protocol.codebook;
        let parse = |path: &Path| Map::parse(&input::text(path)?, book).map_err(|why| why.within(path));
        let map = map.map(parse).transpose()?.unwrap_or_default();
        let clinical = clinical::read(&input::bytes(file)?, book, &map).map_err(|why| why.within(file))?;
        let report = ClinicalReport { notes: clinical.notes, refused: clinical.refused, ..ClinicalReport::default() };
        Ok((clinical.rows, report))
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
                match (&patient.entries[at], &row.values[at]) {
                    (old, Some(new)) if old.as_ref() != Some(new) => report.changed.push(FieldChange {
                        code: row.code.clone(),
                        field: variable.name.clone(),
                        old: old.as_ref().map(|value| variable.text(value)).unwrap_or_default(),
                        new: variable.text(new),
                        hidden: !self.may_see(&variable.name),
                    }),
                    (Some(_), None) => report.kept += 1,
                    _ => (),
                }
            }
            report.unchanged += usize::from(report.changed.len() == before);
        }
        Ok(report)
    }

    fn apply(&self, write: &Write, row: &Row) -> Result<(), Error> {
        match write.find_patient(&row.code)? {
            None => drop(write.add_patient(&row.code, &row.values)?),
            Some(patient) => self.update(write, &patient, row)?,
        }
        rules::apply(write, &self.protocol, &row.code)
    }

    fn update(&self, write: &Write, patient: &Patient, row: &Row) -> Result<(), Error> {
        let mut version = patient.version;
        for (at, variable) in self.protocol.codebook.variables.iter().enumerate() {
            if row.values[at].is_some() && row.values[at] != patient.entries[at] {
                version = write.edit_patient(patient, version, variable, row.values[at].as_ref())?;
            }
        }
        Ok(())
    }
}
