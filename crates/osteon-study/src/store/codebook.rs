//! The codebook as the file holds it: variables and levels as rows, the view `cohort`, and what values say of outcomes.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};

use crate::protocol::codebook::outcome::{Reason, State};
use crate::protocol::codebook::variable::{Kind, Variable};
use crate::protocol::codebook::{Codebook, Value};
use crate::protocol::variable::Entry;
use crate::store::{PatientId, Store, StoreError, Write};

impl Store {
    /// The codebook in force.
    pub(in crate::store) fn codebook(&self) -> &'static Codebook {
        Codebook::study()
    }

    /// Row ids of the variables, in the order of the codebook.
    pub(in crate::store) fn variable_ids(&self) -> Result<Vec<i64>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT key, id FROM variable")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let ids: BTreeMap<String, i64> = rows.collect::<Result<_, _>>()?;
        let id = |variable: &Variable| {
            let missing = || StoreError::Refused(format!("the study file has no variable {}", variable.key));
            ids.get(&variable.key).copied().ok_or_else(missing)
        };
        self.codebook().variables.iter().map(id).collect()
    }

    /// Rows of `variable` and `level`, the view `cohort` and the outcomes of patients that are not what codebook and
    /// values say.
    pub(in crate::store) fn check_codebook(&self) -> Result<Vec<String>, StoreError> {
        let book = self.codebook();
        let mut statement = self.connection.prepare(
            "SELECT key, name, position, kind, moment, computed, low, above, high, below,
                    (SELECT json_group_array(level.name ORDER BY level.position) FROM level
                     WHERE level.variable = variable.id)
             FROM variable WHERE NOT retired ORDER BY position",
        )?;
        let found: Vec<Row> = statement
            .query_map([], |row| {
                let range = (row.get(6)?, row.get(7)?, row.get(8)?, row.get(9)?);
                let said = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
                Ok((row.get(0)?, row.get(1)?, said, range, row.get(10)?))
            })?
            .collect::<Result<_, _>>()?;
        let expected: Vec<Row> = book.variables.iter().enumerate().map(|(at, variable)| row_of(at, variable)).collect();
        let mut findings = Vec::new();
        for at in 0..found.len().max(expected.len()) {
            if found.get(at) != expected.get(at) {
                let key = found.get(at).or(expected.get(at)).map_or("", |row| row.0.as_str());
                findings.push(format!("variable {key} is not as in the codebook"));
            }
        }
        let sql = "SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = 'cohort'";
        let view: Option<String> = self.connection.query_row(sql, [], |row| row.get(0)).optional()?;
        if view != Some(cohort(book, &self.variable_ids()?)) {
            findings.push("the view cohort is not that of the codebook".to_owned());
        }
        let sql = "SELECT patient, name, event, reason FROM outcome";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?))))?;
        let mut held: BTreeMap<(PatientId, String), Known> = rows.collect::<Result<_, _>>()?;
        for patient in self.patients()? {
            let values = values(book, &patient.entries);
            for (name, known) in outcomes(book, &values) {
                if held.remove(&(patient.id, name.clone())) != Some(known) {
                    findings.push(format!("patient {}: the outcome {name} is not what its values say", patient.code));
                }
            }
        }
        findings
            .extend(held.into_keys().map(|(_, name)| format!("an outcome {name} belongs to no patient or outcome")));
        Ok(findings)
    }
}

impl Write<'_> {
    /// Copies a codebook into the file: new variables get a row, others are retired, and the view is made anew.
    pub(in crate::store) fn put_codebook(&self, book: &Codebook) -> Result<(), StoreError> {
        self.connection.execute("UPDATE variable SET retired = 1 WHERE NOT retired", [])?;
        let sql = "INSERT INTO variable (key, name, position, kind, moment, computed, low, above, high, below)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                   ON CONFLICT (key) DO UPDATE
                   SET name = excluded.name, position = excluded.position, moment = excluded.moment,
                       computed = excluded.computed, low = excluded.low, above = excluded.above, high = excluded.high,
                       below = excluded.below, retired = 0
                   WHERE kind = excluded.kind RETURNING id";
        let mut enter = self.connection.prepare_cached(sql)?;
        let mut level =
            self.connection.prepare_cached("INSERT INTO level (variable, name, position) VALUES (?1, ?2, ?3)")?;
        for (at, variable) in book.variables.iter().enumerate() {
            let (key, name, (position, kind, moment, computed), (low, above, high, below), _) = row_of(at, variable);
            let bound = params![key, name, position, kind, moment, computed, low, above, high, below];
            let id: Option<i64> = enter.query_row(bound, |row| row.get(0)).optional()?;
            let id = id.ok_or_else(|| StoreError::Refused(format!("variable {key} has another kind in the file")))?;
            self.connection.execute("DELETE FROM level WHERE variable = ?1", [id])?;
            if let Kind::Levels { levels, .. } = &variable.kind {
                for (position, one) in levels.iter().enumerate() {
                    level.execute(params![id, one.name, position.cast_signed() as i64])?;
                }
            }
        }
        let ids = self.variable_ids()?;
        self.connection.execute_batch(&format!("DROP VIEW IF EXISTS cohort; {}", cohort(book, &ids)))?;
        Ok(())
    }

    /// Enters what a patient's values say of each outcome.
    pub(in crate::store) fn put_outcomes(
        &self,
        patient: PatientId,
        entries: &[Option<Entry>],
    ) -> Result<(), StoreError> {
        let book = self.codebook();
        let sql = "INSERT INTO outcome VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO UPDATE SET event = excluded.event, reason = excluded.reason
                   WHERE event IS NOT excluded.event OR reason IS NOT excluded.reason";
        let mut put = self.connection.prepare_cached(sql)?;
        for (name, (event, reason)) in outcomes(book, &values(book, entries)) {
            put.execute(params![patient, name, event, reason])?;
        }
        Ok(())
    }
}

/// Key, name, position with kind, moment and whether computed, range, levels.
type Row = (String, String, (i64, String, String, bool), (Option<f64>, bool, Option<f64>, bool), String);
/// Whether it is an event, or why that is unknown.
type Known = (Option<bool>, Option<String>);

fn row_of(at: usize, variable: &Variable) -> Row {
    let finite = |end: f64| end.is_finite().then_some(end);
    let (range, levels) = match &variable.kind {
        Kind::Number(number) => {
            let range = number.possible;
            ((finite(range.low), range.above, finite(range.high), range.below), Vec::new())
        }
        Kind::Levels { levels, .. } => ((None, false, None, false), levels.iter().map(|it| it.name.as_str()).collect()),
        Kind::Date | Kind::Text => ((None, false, None, false), Vec::new()),
    };
    let levels = serde_json::to_string(&levels).expect("texts are JSON");
    let (kind, moment) = (variable.kind.name().to_owned(), variable.moment.name().to_owned());
    let said = (at.cast_signed() as i64, kind, moment, variable.is_computed());
    (variable.key.clone(), variable.name.clone(), said, range, levels)
}

/// The text of the view: one correlated subquery a variable, because a join may have 64 tables only.
fn cohort(book: &Codebook, ids: &[i64]) -> String {
    let column = |(variable, id): (&Variable, &i64)| {
        let value = if matches!(variable.kind, Kind::Number(_)) { "number" } else { "word" };
        let moment = variable.moment.name();
        format!(
            "    (SELECT {value} FROM clinical WHERE patient = patient.id AND variable = {id} AND moment = '{moment}') AS {},\n",
            variable.name
        )
    };
    let columns: String = book.variables.iter().zip(ids).map(column).collect();
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let outcome = book.outcome().map(|outcome| {
        let event =
            format!("(SELECT event FROM outcome WHERE patient = patient.id AND name = {})", quoted(&outcome.name));
        let labels = [&outcome.event_label, &outcome.other_label].map(|label| quoted(label));
        format!(
            "    CASE {event} WHEN 1 THEN {} WHEN 0 THEN {} END AS response,\n    {event} AS event,\n",
            labels[0], labels[1]
        )
    });
    let outcome = outcome.unwrap_or_default();
    format!("CREATE VIEW cohort AS SELECT code AS id,\n{columns}{outcome}    included, exclusion_reason\nFROM patient")
}

/// Each outcome's name, and what the values say of it.
fn outcomes(book: &Codebook, values: &[Option<Value>]) -> Vec<(String, Known)> {
    let known = |state| match state {
        State::Event => (Some(true), None),
        State::Other => (Some(false), None),
        State::Unknown(Reason::Missing(name)) => (None, Some(format!("{name} is missing"))),
        State::Unknown(Reason::Straddles(name)) => (None, Some(format!("{name} lies on both sides of the cut"))),
        State::Unknown(Reason::Censored) => (None, Some("not followed for so long".to_owned())),
    };
    let ask = |outcome: &crate::protocol::codebook::outcome::Outcome| {
        let question = outcome.ask(book).expect("a codebook was checked");
        (outcome.name.clone(), known(question.state(values)))
    };
    book.outcomes.iter().map(ask).collect()
}

fn values(book: &Codebook, entries: &[Option<Entry>]) -> Vec<Option<Value>> {
    let value = |(variable, entry): (&Variable, &Option<Entry>)| match (entry, &variable.kind) {
        (Some(Entry::Number(number)), _) => Some(Value::Number(*number)),
        (Some(Entry::Level(name)), Kind::Levels { levels, .. }) => {
            levels.iter().position(|level| level.name == *name).map(Value::Level)
        }
        _ => None,
    };
    book.variables.iter().zip(entries).map(value).collect()
}
