//! The codebook as the file holds it: variables and levels as rows, the view `cohort`, and what values say of outcomes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use crate::protocol::Protocol;
use crate::protocol::codebook::outcome::{Reason, State};
use crate::protocol::codebook::variable::{Kind, Variable};
use crate::protocol::codebook::{Codebook, Value};
use crate::store::{PatientId, Store, StoreError, Write};

impl Store {
    /// The codebook in force when this connection first asked, or when it was told of another one.
    pub(in crate::store) fn codebook(&self) -> Result<Arc<Codebook>, StoreError> {
        if let Some((_, book)) = &*self.book.borrow() {
            return Ok(Arc::clone(book));
        }
        let row = self.study()?;
        let book = codebook_of(&row.protocol_toml)?;
        *self.book.borrow_mut() = Some((row.protocol_hash, Arc::clone(&book)));
        Ok(book)
    }

    /// Reads and writes from now on under the codebook of this protocol, which is in force.
    pub fn use_codebook(&self, protocol_hash: &str, book: &Arc<Codebook>) {
        *self.book.borrow_mut() = Some((protocol_hash.to_owned(), Arc::clone(book)));
    }

    /// Refuses to write values under a codebook that another program has replaced meanwhile.
    fn is_current(&self) -> Result<(), StoreError> {
        let hash: String = self.connection.query_row("SELECT protocol_hash FROM study", [], |row| row.get(0))?;
        self.codebook()?;
        match &*self.book.borrow() {
            Some((known, _)) if *known != hash => Err(StoreError::Refused(
                "another program put another protocol in force meanwhile; open the study again and repeat the step"
                    .to_owned(),
            )),
            _ => Ok(()),
        }
    }

    /// Why the outcome in force is unknown in included patients, and in how many.
    pub fn unknown_outcomes(&self) -> Result<Vec<(String, usize)>, StoreError> {
        let book = self.codebook()?;
        let name = book.outcome().map_or("", |outcome| outcome.name.as_str());
        let sql = "SELECT reason, count(*) FROM outcome JOIN patient ON patient.id = patient
                   WHERE name = ?1 AND included AND reason IS NOT NULL GROUP BY reason ORDER BY count(*) DESC, reason";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = |row: &rusqlite::Row| Ok((row.get(0)?, usize::try_from(row.get::<_, i64>(1)?).unwrap_or(0)));
        Ok(statement.query_map([name], row)?.collect::<Result<_, _>>()?)
    }

    /// Names and keys of the variables that tell an outcome under any protocol that was ever in force.
    pub fn ever_hidden(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut statement = self.connection.prepare("SELECT toml FROM protocol")?;
        let documents: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut hidden = BTreeSet::new();
        for document in documents {
            let Ok(book) = codebook_of(&document) else { continue };
            for name in book.hidden() {
                hidden.insert(name.to_owned());
                hidden.extend(book.named(name).map(|variable| variable.key.clone()));
            }
        }
        Ok(hidden)
    }

    /// Row ids of the variables, in the order of the codebook in force.
    pub(in crate::store) fn variable_ids(&self) -> Result<Vec<i64>, StoreError> {
        self.ids_of(&*self.codebook()?)
    }

    fn ids_of(&self, book: &Codebook) -> Result<Vec<i64>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT key, id FROM variable")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let ids: BTreeMap<String, i64> = rows.collect::<Result<_, _>>()?;
        let id = |variable: &Variable| {
            let missing = || StoreError::Refused(format!("the study file has no variable {}", variable.key));
            ids.get(&variable.key).copied().ok_or_else(missing)
        };
        book.variables.iter().map(id).collect()
    }

    /// Rows of `variable` and `level`, the view `cohort` and the outcomes of patients that are not what codebook and
    /// values say.
    pub(in crate::store) fn check_codebook(&self) -> Result<Vec<String>, StoreError> {
        let book = &*self.codebook()?;
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
            let mut computed = patient.entries.clone();
            book.compute(&mut computed);
            for (variable, _) in
                book.variables.iter().zip(computed.iter().zip(&patient.entries)).filter(|(_, (now, held))| now != held)
            {
                let (code, name) = (&patient.code, &variable.name);
                findings.push(format!("patient {code}: {name} is not what its formula gives"));
            }
            for (name, known) in outcomes(book, &patient.entries) {
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
    ///
    /// # Errors
    /// When a value in the file has no place in it: another kind or moment, a level that is gone, a range that is too
    /// narrow.
    pub(in crate::store) fn put_codebook(&self, book: &Codebook) -> Result<(), StoreError> {
        self.loses_nothing(book)?;
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
        let ids = self.ids_of(book)?;
        self.connection.execute_batch(&format!("DROP VIEW IF EXISTS cohort; {}", cohort(book, &ids)))?;
        Ok(())
    }

    /// Refuses a codebook under which a stored value would have no place. Values of variables that it leaves out are
    /// kept.
    fn loses_nothing(&self, book: &Codebook) -> Result<(), StoreError> {
        let is_gone = |slot: &String| !book.slots.iter().any(|it| it.slot == *slot);
        if let Some(slot) = self.linked_slots()?.into_iter().find(is_gone) {
            let sql = "SELECT count(DISTINCT patient) FROM image WHERE slot = ?1";
            let n: i64 = self.connection.query_row(sql, [&slot], |row| row.get(0))?;
            return Err(StoreError::Refused(format!(
                "image.{slot} cannot go: {n} patients have files in this slot; keep a table [[image]] with slot = \
                 \"{slot}\" (its label may change)"
            )));
        }
        let sql = "SELECT variable.key, variable.kind, clinical.moment, number, word, (SELECT code FROM patient WHERE id = patient),
                          count(*)
                   FROM clinical JOIN variable ON variable.id = clinical.variable
                   WHERE missing IS NULL AND NOT computed
                   GROUP BY variable.key, clinical.moment, number, word";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (key, kind, moment): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let Some(variable) = book.keyed(&key) else { continue };
            let (number, word): (Option<f64>, Option<String>) = (row.get(3)?, row.get(4)?);
            let (code, n): (String, i64) = (row.get(5)?, row.get(6)?);
            let lost = match (&variable.kind, number, &word) {
                _ if variable.kind.name() != kind => Some(format!("it would be a {}", variable.kind.name())),
                _ if variable.moment.name() != moment => {
                    Some(format!("it would be known at {}", variable.moment.name()))
                }
                _ if variable.is_computed() => Some("it would be computed".to_owned()),
                (Kind::Number(rule), Some(value), _) if !rule.possible.contains(value) => {
                    Some(format!("a stored number would not be possible ({})", rule.possible.words()))
                }
                (Kind::Levels { levels, .. }, _, Some(word)) if !levels.iter().any(|level| level.name == *word) => {
                    Some(format!("the level {word} would be gone"))
                }
                _ => None,
            };
            if let Some(why) = lost {
                let name = &variable.name;
                return Err(StoreError::Refused(format!(
                    "variable.{name} cannot change so: {why} ({n} or more patients, {code} among them); correct the \
                     values first"
                )));
            }
        }
        Ok(())
    }

    /// Tells the trail, key by key, how one codebook differs from another one.
    pub(in crate::store) fn tell_codebook(&self, was: &Codebook, now: &Codebook) -> Result<(), StoreError> {
        let (was, now) = (told(was), told(now));
        let places: BTreeSet<&(String, String, String)> = was.keys().chain(now.keys()).collect();
        let sql = "INSERT INTO trail VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut enter = self.connection.prepare_cached(sql)?;
        for place in places {
            let (old, new) = (was.get(place), now.get(place));
            if old != new {
                let (table, row, field) = place;
                enter.execute(params![table, row, field, old, new])?;
            }
        }
        Ok(())
    }

    /// Computes anew what follows from the values of every patient.
    pub(in crate::store) fn follow_codebook(&self) -> Result<(), StoreError> {
        // Outcomes that are no longer declared.
        self.connection.execute("DELETE FROM outcome", [])?;
        self.connection
            .execute("DELETE FROM clinical WHERE variable IN (SELECT id FROM variable WHERE computed)", [])?;
        for patient in self.patients()? {
            self.put_outcomes(patient.id, &patient.entries)?;
        }
        Ok(())
    }

    /// Enters what follows from a patient's values: those that formulas compute, and each outcome.
    pub(in crate::store) fn put_outcomes(
        &self,
        patient: PatientId,
        values: &[Option<Value>],
    ) -> Result<(), StoreError> {
        self.is_current()?;
        let book = &*self.codebook()?;
        let mut values = values.to_vec();
        book.compute(&mut values);
        if book.variables.iter().any(Variable::is_computed) {
            for ((variable, id), value) in book.variables.iter().zip(self.variable_ids()?).zip(&values) {
                if variable.is_computed() {
                    self.put_value(patient, id, variable, value.as_ref())?;
                }
            }
        }
        let sql = "INSERT INTO outcome VALUES (?1, ?2, ?3, ?4)
                   ON CONFLICT DO UPDATE SET event = excluded.event, reason = excluded.reason
                   WHERE event IS NOT excluded.event OR reason IS NOT excluded.reason";
        let mut put = self.connection.prepare_cached(sql)?;
        for (name, (event, reason)) in outcomes(book, &values) {
            put.execute(params![patient, name, event, reason])?;
        }
        Ok(())
    }
}

/// The codebook of a protocol that was in force once.
pub(in crate::store) fn codebook_of(toml: &str) -> Result<Arc<Codebook>, StoreError> {
    let wrong =
        |cause: crate::protocol::ProtocolError| StoreError::Refused(format!("the protocol of the file: {cause}"));
    Ok(Protocol::stored(toml).map_err(wrong)?.codebook)
}

/// Each key of each variable, outcome and slot with its value as the protocol writes it; variables by their permanent key.
fn told(book: &Codebook) -> BTreeMap<(String, String, String), String> {
    let mut told = BTreeMap::new();
    for (table, value) in book.to_tables() {
        // Linked files of a patient are told as `image`.
        let table = if table == "image" { "slot".to_owned() } else { table };
        let Some(entries) = value.as_array() else {
            told.insert(("codebook".to_owned(), table, "value".to_owned()), value.to_string());
            continue;
        };
        for entry in entries.iter().filter_map(toml::Value::as_table) {
            let text = |key: &str| entry.get(key).and_then(toml::Value::as_str);
            let name = text("key").or(text("name")).or(text("slot")).unwrap_or_default();
            for (key, value) in entry {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                told.insert((table.clone(), name.to_owned(), key.clone()), value);
            }
        }
    }
    told
}

/// Key, name, position with kind, moment and whether computed, range, levels.
type Row = (String, String, (i64, String, String, bool), (Option<f64>, bool, Option<f64>, bool), String);
/// Whether it is an event, or why that is unknown.
type Known = (Option<bool>, Option<String>);

fn row_of(at: usize, variable: &Variable) -> Row {
    let finite = |end: f64| (end.is_finite() && !variable.is_computed()).then_some(end);
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
            as_column(&variable.name)
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

/// A variable's name as SQL writes it: in quotes where it is a word of SQL, such as German `alter`, or no plain name.
fn as_column(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_keyword = KEYWORDS.split_whitespace().any(|word| word.eq_ignore_ascii_case(name));
    if is_keyword || !name.chars().all(is_plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

/// https://www.sqlite.org/lang_keywords.html, 3.50.
const KEYWORDS: &str = "abort action add after all alter always analyze and as asc attach autoincrement before begin \
     between by cascade case cast check collate column commit conflict constraint create cross current current_date \
     current_time current_timestamp database default deferrable deferred delete desc detach distinct do drop each else \
     end escape except exclude exclusive exists explain fail filter first following for foreign from full generated \
     glob group groups having if ignore immediate in index indexed initially inner insert instead intersect into is \
     isnull join key last left like limit match materialized natural no not nothing notnull null nulls of offset on or \
     order others outer over partition plan pragma preceding primary query raise range recursive references regexp \
     reindex release rename replace restrict returning right rollback row rows savepoint select set table temp \
     temporary then ties to transaction trigger unbounded union unique update using vacuum values view virtual when \
     where window with within without";

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
