//! Patients: their variables, inclusion and response.

use std::collections::BTreeMap;

use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, Row, params};

use crate::protocol::variable::{Entry, Kind, NECROSIS, VARIABLES, Variable};
use crate::store::{PatientId, Store, StoreError, Write};

/// One patient as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Patient {
    pub id: PatientId,
    /// The study's name for the patient.
    pub code: String,
    /// One entry a variable, in the order of `VARIABLES`.
    pub entries: Vec<Option<Entry>>,
    pub response: Option<Response>,
    /// Why the patient is excluded; `None` is included.
    pub exclusion: Option<String>,
    /// Grows with each edit.
    pub version: i64,
}

/// Pathological response: necrosis of at least 90 % is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    Good,
    Poor,
}

impl Response {
    /// As the study writes it.
    pub fn name(self) -> &'static str {
        match self {
            Response::Good => "pGR",
            Response::Poor => "non-pGR",
        }
    }
}

impl Patient {
    pub fn included(&self) -> bool {
        self.exclusion.is_none()
    }

    /// The entry of a variable by its name.
    pub fn entry(&self, name: &str) -> Option<Entry> {
        let at = VARIABLES.iter().position(|variable| variable.name == name)?;
        self.entries[at]
    }
}

impl Store {
    /// All patients in the natural order of their codes, the excluded ones too.
    pub fn patients(&self) -> Result<Vec<Patient>, StoreError> {
        if self.version()? < 6 {
            return self.patients_of_columns();
        }
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM patient ORDER BY id"))?;
        let mut patients: Vec<Patient> = statement.query_map([], patient)?.collect::<Result<_, _>>()?;
        let places = self.places()?;
        let sql = format!("SELECT {VALUE} FROM clinical");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([])?;
        // Both come in the order of the patients' ids.
        let mut at = 0;
        while let Some(row) = rows.next()? {
            let id: PatientId = row.get(0)?;
            while patients.get(at).is_some_and(|patient| patient.id < id) {
                at += 1;
            }
            if let Some(patient) = patients.get_mut(at).filter(|patient| patient.id == id) {
                enter(patient, row, &places)?;
            }
        }
        patients.sort_by_cached_key(|patient| natural(&patient.code));
        Ok(patients)
    }

    /// The first patients in the order of the codes' letters: what one screen needs before all are read.
    pub fn first_patients(&self, limit: usize) -> Result<Vec<Patient>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM patient ORDER BY code LIMIT ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut patients: Vec<Patient> = statement.query_map([limit], patient)?.collect::<Result<_, _>>()?;
        let places = self.places()?;
        patients.iter_mut().try_for_each(|patient| self.fill_in(patient, &places))?;
        patients.sort_by_cached_key(|patient| natural(&patient.code));
        Ok(patients)
    }

    /// How many patients there are, the excluded ones too.
    pub fn count_patients(&self) -> Result<usize, StoreError> {
        let n: i64 = self.connection.query_row("SELECT count(*) FROM patient", [], |row| row.get(0))?;
        Ok(usize::try_from(n).unwrap_or(0))
    }

    /// The patient of a code; errors when there is none.
    pub fn patient(&self, code: &str) -> Result<Patient, StoreError> {
        self.find_patient(code)?.ok_or_else(|| StoreError::NoPatient(code.to_owned()))
    }

    /// The patient of a code, if there is one.
    pub fn find_patient(&self, code: &str) -> Result<Option<Patient>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM patient WHERE code = ?1");
        let mut found = self.connection.prepare_cached(&sql)?.query_row([code], patient).optional()?;
        if let Some(patient) = &mut found {
            self.fill_in(patient, &self.places()?)?;
        }
        Ok(found)
    }

    fn fill_in(&self, patient: &mut Patient, places: &BTreeMap<i64, usize>) -> Result<(), StoreError> {
        let sql = format!("SELECT {VALUE} FROM clinical WHERE patient = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query([patient.id])?;
        while let Some(row) = rows.next()? {
            enter(patient, row, places)?;
        }
        Ok(())
    }

    /// Where the variable of a row id stands in `VARIABLES`.
    fn places(&self) -> Result<BTreeMap<i64, usize>, StoreError> {
        Ok(self.variable_ids()?.into_iter().enumerate().map(|(at, id)| (id, at)).collect())
    }

    /// Patients of a file of an older schema, which is read to be checked: there each variable is a column.
    fn patients_of_columns(&self) -> Result<Vec<Patient>, StoreError> {
        let names: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
        let sql = format!("SELECT id, code, exclusion_reason, version, event, {} FROM patient", names.join(", "));
        let mut statement = self.connection.prepare(&sql)?;
        let read = |row: &Row| {
            let entries = VARIABLES.iter().enumerate().map(|(at, variable)| match variable.kind {
                Kind::Number { .. } => Ok(row.get::<_, Option<f64>>(at + 5)?.map(Entry::Number)),
                Kind::Levels(_) => Ok(row.get::<_, Option<String>>(at + 5)?.and_then(|name| level(variable, &name))),
            });
            Ok(Patient { entries: entries.collect::<rusqlite::Result<_>>()?, ..patient(row)? })
        };
        let mut patients: Vec<Patient> = statement.query_map([], read)?.collect::<Result<_, _>>()?;
        patients.sort_by_cached_key(|patient| natural(&patient.code));
        Ok(patients)
    }
}

impl Write<'_> {
    /// A new patient; `entries` in the order of `VARIABLES`.
    pub fn add_patient(&self, code: &str, entries: &[Option<Entry>]) -> Result<PatientId, StoreError> {
        self.connection.prepare_cached("INSERT INTO patient (code) VALUES (?1)")?.execute([code])?;
        let patient = PatientId(self.connection.last_insert_rowid());
        for (variable, (id, entry)) in VARIABLES.iter().zip(self.variable_ids()?.into_iter().zip(entries)) {
            if entry.is_some() {
                self.put_value(patient, id, variable, *entry)?;
            }
        }
        self.put_outcomes(patient, entries)?;
        Ok(patient)
    }

    /// Sets one variable of a patient whose version is still `version`, and gives the new version.
    pub fn edit_patient(
        &self,
        patient: &Patient,
        version: i64,
        variable: &Variable,
        entry: Option<Entry>,
    ) -> Result<i64, StoreError> {
        let sql = "UPDATE patient SET version = version + 1 WHERE id = ?1 AND version = ?2";
        let version = self.changed(patient, version, sql, &[&patient.id, &version])?;
        let at = VARIABLES.iter().position(|it| it.name == variable.name);
        let at = at.ok_or_else(|| StoreError::Refused(format!("no variable {}", variable.name)))?;
        self.put_value(patient.id, self.variable_ids()?[at], variable, entry)?;
        let now = self.patient(&patient.code)?;
        self.put_outcomes(patient.id, &now.entries)?;
        Ok(version)
    }

    fn put_value(
        &self,
        patient: PatientId,
        id: i64,
        variable: &Variable,
        entry: Option<Entry>,
    ) -> Result<(), StoreError> {
        let moment = if variable.name == NECROSIS { "surgery" } else { "baseline" };
        let (kind, number, word) = match entry {
            None => {
                let sql = "DELETE FROM clinical WHERE patient = ?1 AND variable = ?2 AND moment = ?3";
                self.connection.prepare_cached(sql)?.execute(params![patient, id, moment])?;
                return Ok(());
            }
            Some(Entry::Number(number)) => ("number", Some(number), None),
            Some(Entry::Level(name)) => ("levels", None, Some(name)),
        };
        let sql = "INSERT INTO clinical (patient, variable, moment, kind, number, word) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT DO UPDATE SET number = excluded.number, word = excluded.word, missing = NULL";
        self.connection.prepare_cached(sql)?.execute(params![patient, id, moment, kind, number, word])?;
        Ok(())
    }

    /// Excludes a patient for a reason, or includes it again with `None`; gives the new version.
    pub fn exclude_patient(&self, patient: &Patient, reason: Option<&str>) -> Result<i64, StoreError> {
        let sql = "UPDATE patient SET included = ?1 IS NULL, exclusion_reason = ?1, version = version + 1
                   WHERE id = ?2 AND version = ?3";
        self.changed(patient, patient.version, sql, &[&reason, &patient.id, &patient.version])
    }

    fn changed(&self, patient: &Patient, version: i64, sql: &str, bound: &[&dyn ToSql]) -> Result<i64, StoreError> {
        if self.connection.prepare_cached(sql)?.execute(bound)? == 1 {
            return Ok(version + 1);
        }
        let sql = "SELECT version FROM patient WHERE id = ?1";
        let found = self.connection.query_row(sql, params![patient.id], |row| row.get(0))?;
        Err(StoreError::Stale { code: patient.code.clone(), found, expected: version })
    }
}

/// Digits by their value, so that P9 comes before P10; equal numbers by length, then by text.
pub fn natural(code: &str) -> Vec<(String, u128, String)> {
    let mut parts = Vec::new();
    let mut rest = code;
    while !rest.is_empty() {
        let words = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, after) = rest.split_at(words);
        let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at(digits);
        parts.push((word.to_lowercase(), number.parse().unwrap_or(u128::MAX), format!("{word}{number}")));
        rest = after;
    }
    parts
}

/// A patient without values; the event is that of the outcome in force.
const COLUMNS: &str =
    "id, code, exclusion_reason, version, (SELECT event FROM outcome WHERE patient = id AND name = 'response')";
const VALUE: &str = "patient, variable, number, word";

fn patient(row: &Row) -> rusqlite::Result<Patient> {
    let event: Option<bool> = row.get(4)?;
    Ok(Patient {
        id: row.get(0)?,
        code: row.get(1)?,
        exclusion: row.get(2)?,
        version: row.get(3)?,
        response: event.map(|event| if event { Response::Poor } else { Response::Good }),
        entries: vec![None; VARIABLES.len()],
    })
}

/// Enters the value of a row of `clinical`.
fn enter(patient: &mut Patient, row: &Row, places: &BTreeMap<i64, usize>) -> rusqlite::Result<()> {
    let Some(&at) = places.get(&row.get(1)?) else { return Ok(()) };
    patient.entries[at] = match row.get::<_, Option<f64>>(2)? {
        Some(number) => Some(Entry::Number(number)),
        None => row.get::<_, Option<String>>(3)?.and_then(|name| level(&VARIABLES[at], &name)),
    };
    Ok(())
}

fn level(variable: &Variable, name: &str) -> Option<Entry> {
    match variable.kind {
        Kind::Levels(levels) => levels.iter().find(|level| level.name == name).map(|level| Entry::Level(level.name)),
        Kind::Number { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_sort_by_their_numbers() {
        let mut codes = ["P10", "p9", "P1a", "P1", "", "Q1"];
        codes.sort_by_cached_key(|code| natural(code));
        assert_eq!(codes, ["", "P1", "P1a", "p9", "P10", "Q1"]);
    }
}
