//! Patients: their variables, inclusion and response.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::types::ToSql;
use rusqlite::{OptionalExtension, Row, params};

use crate::protocol::codebook::range::Range;
use crate::protocol::codebook::variable::{Kind, Variable};
use crate::protocol::codebook::{Codebook, Value};
use crate::store::{PatientId, Store, StoreError, Write};

/// One patient as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Patient {
    pub id: PatientId,
    /// The study's name for the patient.
    pub code: String,
    /// The codebook that the values are read under.
    pub book: Arc<Codebook>,
    /// One value a variable, in the order of the codebook.
    pub entries: Vec<Option<Value>>,
    /// Whether the patient has the event of the outcome in force; `None` where that is unknown.
    pub event: Option<bool>,
    /// Why the patient is excluded; `None` is included.
    pub exclusion: Option<String>,
    /// Grows with each edit.
    pub version: i64,
}

impl Patient {
    pub fn included(&self) -> bool {
        self.exclusion.is_none()
    }

    /// The value of a variable by its name; `None` where it is missing, for a reason or not.
    pub fn entry(&self, name: &str) -> Option<&Value> {
        self.known(self.book.place(name)?)
    }

    /// The value of the variable at a place of the codebook, unless it is missing.
    pub fn known(&self, at: usize) -> Option<&Value> {
        self.entries[at].as_ref().filter(|value| !matches!(value, Value::Missing(_)))
    }

    /// The value as files and the trail write it; empty where it is missing.
    pub fn text(&self, at: usize) -> String {
        self.known(at).map(|value| self.book.variables[at].text(value)).unwrap_or_default()
    }

    /// Whether a value is missing: it is not there, or is known not to exist.
    pub fn lacks(&self, at: usize) -> bool {
        self.known(at).is_none()
    }

    /// The side of the outcome in force, as the study calls it; empty where it is unknown.
    pub fn side(&self) -> &str {
        self.event.map_or("", |event| self.book.side(event))
    }
}

impl Store {
    /// All patients in the natural order of their codes, the excluded ones too.
    pub fn patients(&self) -> Result<Vec<Patient>, StoreError> {
        if self.version()? < 6 {
            return self.patients_of_columns();
        }
        let read = self.reader()?;
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM patient ORDER BY id"))?;
        let mut patients: Vec<Patient> =
            statement.query_map([read.outcome()], |row| read.patient(row))?.collect::<Result<_, _>>()?;
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
        let read = self.reader()?;
        let sql = format!("SELECT {COLUMNS} FROM patient ORDER BY code LIMIT ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let bound = params![read.outcome(), limit];
        let mut patients: Vec<Patient> =
            statement.query_map(bound, |row| read.patient(row))?.collect::<Result<_, _>>()?;
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

    /// The codes of all patients, the excluded ones too, in no order.
    pub fn patient_codes(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT code FROM patient")?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// The patient of a code; errors when there is none.
    pub fn patient(&self, code: &str) -> Result<Patient, StoreError> {
        self.find_patient(code)?.ok_or_else(|| StoreError::NoPatient(code.to_owned()))
    }

    /// The patient of a code, if there is one.
    pub fn find_patient(&self, code: &str) -> Result<Option<Patient>, StoreError> {
        let read = self.reader()?;
        let sql = format!("SELECT {COLUMNS} FROM patient WHERE code = ?2");
        let bound = params![read.outcome(), code];
        let mut found = self.connection.prepare_cached(&sql)?.query_row(bound, |row| read.patient(row)).optional()?;
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

    /// Where the variable of a row id stands in the codebook.
    fn places(&self) -> Result<BTreeMap<i64, usize>, StoreError> {
        Ok(self.variable_ids()?.into_iter().enumerate().map(|(at, id)| (id, at)).collect())
    }

    fn reader(&self) -> Result<Reader, StoreError> {
        Ok(Reader { book: self.codebook()? })
    }

    /// Patients of a file of an older schema, which is read to be checked: there each variable of the published study is
    /// a column.
    fn patients_of_columns(&self) -> Result<Vec<Patient>, StoreError> {
        let book = Arc::new(Codebook::study().clone());
        let names: Vec<&str> = book.variables.iter().map(|variable| variable.name.as_str()).collect();
        let sql = format!("SELECT id, code, exclusion_reason, version, event, {} FROM patient", names.join(", "));
        let mut statement = self.connection.prepare(&sql)?;
        let reader = Reader { book: Arc::clone(&book) };
        let read = |row: &Row| {
            let entries = book.variables.iter().enumerate().map(|(at, variable)| match variable.kind {
                Kind::Number(_) => Ok(row.get::<_, Option<f64>>(at + 5)?.map(Value::Number)),
                _ => Ok(row.get::<_, Option<String>>(at + 5)?.and_then(|name| word(variable, &name))),
            });
            Ok(Patient { entries: entries.collect::<rusqlite::Result<_>>()?, ..reader.patient(row)? })
        };
        let mut patients: Vec<Patient> = statement.query_map([], read)?.collect::<Result<_, _>>()?;
        patients.sort_by_cached_key(|patient| natural(&patient.code));
        Ok(patients)
    }
}

impl Write<'_> {
    /// A new patient; `values` in the order of the codebook. What formulas compute is computed.
    pub fn add_patient(&self, code: &str, values: &[Option<Value>]) -> Result<PatientId, StoreError> {
        self.connection.prepare_cached("INSERT INTO patient (code) VALUES (?1)")?.execute([code])?;
        let patient = PatientId(self.connection.last_insert_rowid());
        let book = self.codebook()?;
        for (variable, (id, value)) in book.variables.iter().zip(self.variable_ids()?.into_iter().zip(values)) {
            if value.is_some() && !variable.is_computed() {
                self.put_value(patient, id, variable, value.as_ref())?;
            }
        }
        self.put_outcomes(patient, values)?;
        Ok(patient)
    }

    /// Sets one variable of a patient whose version is still `version`, and gives the new version.
    pub fn edit_patient(
        &self,
        patient: &Patient,
        version: i64,
        variable: &Variable,
        value: Option<&Value>,
    ) -> Result<i64, StoreError> {
        if let Some(formula) = &variable.formula {
            let (name, formula) = (&variable.name, formula.text());
            return Err(StoreError::Refused(format!("{name} is computed ({formula}) and never typed")));
        }
        let sql = "UPDATE patient SET version = version + 1 WHERE id = ?1 AND version = ?2";
        let version = self.changed(patient, version, sql, &[&patient.id, &version])?;
        let at = self.codebook()?.place(&variable.name);
        let at = at.ok_or_else(|| StoreError::Refused(format!("no variable {}", variable.name)))?;
        self.put_value(patient.id, self.variable_ids()?[at], variable, value)?;
        let now = self.patient(&patient.code)?;
        self.put_outcomes(patient.id, &now.entries)?;
        Ok(version)
    }

    /// Tells the trail of a value that was entered and is the one that was there: to a blind reader, for whom this is
    /// called, a guess that is right must not look other than one that is wrong.
    pub fn tell_again(&self, patient: &Patient, variable: &Variable, value: Option<&Value>) -> Result<(), StoreError> {
        let text = value.map(|value| match value {
            Value::Missing(reason) => format!("missing: {reason}"),
            value => variable.text(value),
        });
        let sql = "INSERT INTO trail
                   SELECT 'patient', ?1, key || iif(?3 = moment, '', ' at ' || ?3), ?4, ?4 FROM variable WHERE key = ?2";
        self.connection.execute(sql, params![patient.code, variable.key, variable.moment.name(), text])?;
        Ok(())
    }

    pub(in crate::store) fn put_value(
        &self,
        patient: PatientId,
        id: i64,
        variable: &Variable,
        value: Option<&Value>,
    ) -> Result<(), StoreError> {
        let (kind, moment) = (variable.kind.name(), variable.moment.name());
        let Some(value) = value else {
            let sql = "DELETE FROM clinical WHERE patient = ?1 AND variable = ?2 AND moment = ?3";
            self.connection.prepare_cached(sql)?.execute(params![patient, id, moment])?;
            return Ok(());
        };
        let (number, word, missing) = match value {
            Value::Number(number) => (Some(*number), None, None),
            Value::Missing(reason) => (None, None, Some(reason.to_string())),
            other => (None, Some(variable.text(other)), None),
        };
        let sql = "INSERT INTO clinical (patient, variable, moment, kind, number, word, missing)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                   ON CONFLICT DO UPDATE
                   SET number = excluded.number, word = excluded.word, missing = excluded.missing
                   WHERE number IS NOT excluded.number OR word IS NOT excluded.word OR missing IS NOT excluded.missing";
        self.connection.prepare_cached(sql)?.execute(params![patient, id, moment, kind, number, word, missing])?;
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

/// A patient without values; the event is that of the outcome in force, ?1.
const COLUMNS: &str =
    "id, code, exclusion_reason, version, (SELECT event FROM outcome WHERE patient = id AND name = ?1)";
const VALUE: &str = "patient, variable, number, word, missing";

/// Rows as patients, under a codebook.
struct Reader {
    book: Arc<Codebook>,
}

impl Reader {
    /// Name of the outcome in force; empty for none.
    fn outcome(&self) -> &str {
        self.book.outcome().map_or("", |outcome| outcome.name.as_str())
    }

    fn patient(&self, row: &Row) -> rusqlite::Result<Patient> {
        Ok(Patient {
            id: row.get(0)?,
            code: row.get(1)?,
            exclusion: row.get(2)?,
            version: row.get(3)?,
            event: row.get(4)?,
            entries: vec![None; self.book.variables.len()],
            book: Arc::clone(&self.book),
        })
    }
}

/// Enters the value of a row of `clinical`.
fn enter(patient: &mut Patient, row: &Row, places: &BTreeMap<i64, usize>) -> rusqlite::Result<()> {
    let Some(&at) = places.get(&row.get(1)?) else { return Ok(()) };
    let value = match (row.get::<_, Option<f64>>(2)?, row.get::<_, Option<String>>(3)?) {
        (Some(number), _) => Some(Value::Number(number)),
        (None, Some(text)) => word(&patient.book.variables[at], &text),
        (None, None) => row.get::<_, Option<String>>(4)?.map(|reason| Value::Missing(reason.into())),
    };
    patient.entries[at] = value;
    Ok(())
}

/// What a value is that the trail writes so; `None` where it has no place in the variable any more.
pub fn stored(variable: &Variable, text: &str) -> Option<Value> {
    if let Some(reason) = text.strip_prefix("missing: ") {
        return Some(Value::Missing(reason.into()));
    }
    match variable.kind {
        Kind::Number(_) => text.parse().ok().map(Value::Number).or_else(|| word(variable, text)),
        _ => word(variable, text),
    }
}

/// What a stored word means.
fn word(variable: &Variable, word: &str) -> Option<Value> {
    match &variable.kind {
        Kind::Levels { levels, .. } => levels.iter().position(|level| level.name == word).map(Value::Level),
        Kind::Number(_) => Range::parse(word).ok().map(Value::Interval),
        Kind::Date => word.parse().ok().map(Value::Date),
        Kind::Text => Some(Value::Text(word.into())),
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
