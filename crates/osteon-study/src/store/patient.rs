//! Patients: their variables, inclusion and response.

use rusqlite::types::{ToSql, Value};
use rusqlite::{OptionalExtension, Row, params, params_from_iter};

use crate::protocol::variable::{Entry, Kind, VARIABLES, Variable};
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
        let sql = format!("SELECT {} FROM patient", columns());
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut patients: Vec<Patient> = statement.query_map([], patient)?.collect::<Result<_, _>>()?;
        patients.sort_by_cached_key(|patient| natural(&patient.code));
        Ok(patients)
    }

    /// The first patients in the order of the codes' letters: what one screen needs before all are read.
    pub fn first_patients(&self, limit: usize) -> Result<Vec<Patient>, StoreError> {
        let sql = format!("SELECT {} FROM patient ORDER BY code LIMIT ?1", columns());
        let mut statement = self.connection.prepare_cached(&sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut patients: Vec<Patient> = statement.query_map([limit], patient)?.collect::<Result<_, _>>()?;
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
        let sql = format!("SELECT {} FROM patient WHERE code = ?1", columns());
        Ok(self.connection.prepare_cached(&sql)?.query_row([code], patient).optional()?)
    }
}

impl Write<'_> {
    /// A new patient; `entries` in the order of `VARIABLES`.
    pub fn add_patient(&self, code: &str, entries: &[Option<Entry>]) -> Result<PatientId, StoreError> {
        let names: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
        let marks: Vec<String> = (2..names.len() + 2).map(|at| format!("?{at}")).collect();
        let sql = format!("INSERT INTO patient (code, {}) VALUES (?1, {})", names.join(", "), marks.join(", "));
        let bound = std::iter::once(Value::from(code.to_owned())).chain(entries.iter().map(value));
        self.connection.prepare_cached(&sql)?.execute(params_from_iter(bound))?;
        Ok(PatientId(self.connection.last_insert_rowid()))
    }

    /// Sets one variable of a patient whose version is still `version`, and gives the new version.
    pub fn edit_patient(
        &self,
        patient: &Patient,
        version: i64,
        variable: &Variable,
        entry: Option<Entry>,
    ) -> Result<i64, StoreError> {
        let sql =
            format!("UPDATE patient SET {} = ?1, version = version + 1 WHERE id = ?2 AND version = ?3", variable.name);
        self.changed(patient, version, &sql, &[&value(&entry), &patient.id, &version])
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

fn columns() -> String {
    let names: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    format!("id, code, event, exclusion_reason, version, {}", names.join(", "))
}

fn patient(row: &Row) -> rusqlite::Result<Patient> {
    let event: Option<bool> = row.get(2)?;
    let entries = VARIABLES.iter().enumerate().map(|(at, variable)| entry(variable, row, at + 5));
    Ok(Patient {
        id: row.get(0)?,
        code: row.get(1)?,
        response: event.map(|event| if event { Response::Poor } else { Response::Good }),
        exclusion: row.get(3)?,
        version: row.get(4)?,
        entries: entries.collect::<Result<_, _>>()?,
    })
}

fn entry(variable: &Variable, row: &Row, at: usize) -> rusqlite::Result<Option<Entry>> {
    match variable.kind {
        Kind::Number { .. } => Ok(row.get::<_, Option<f64>>(at)?.map(Entry::Number)),
        Kind::Levels(levels) => {
            let stored: Option<String> = row.get(at)?;
            Ok(stored.and_then(|name| levels.iter().find(|level| level.name == name)).map(|l| Entry::Level(l.name)))
        }
    }
}

fn value(entry: &Option<Entry>) -> Value {
    match entry {
        None => Value::Null,
        Some(Entry::Number(number)) => Value::Real(*number),
        Some(Entry::Level(name)) => Value::Text((*name).to_owned()),
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
