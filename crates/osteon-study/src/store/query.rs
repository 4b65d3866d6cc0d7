//! Queries about a patient's field: raised, answered, closed.

use std::collections::BTreeMap;

use rusqlite::{Row, params};

use crate::store::{Change, PatientId, QueryId, Store, StoreError, Write};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuerySource {
    Person,
    Rule,
}

/// Where a query stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryState {
    Open,
    Answered,
    Closed,
}

/// One query as stored; the trail says who raised and answered it, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub id: QueryId,
    pub patient: PatientId,
    pub field: String,
    pub source: QuerySource,
    pub text: String,
    pub state: QueryState,
    pub answer: Option<String>,
}

const COLUMNS: &str = "id, patient, field, source, text, state, answer";
/// Numbers of queries on what a blind reader may not see begin here.
const HIDDEN_FROM: i64 = 500_001;
/// The answer of a rule that no longer finds anything.
pub(in crate::store) const RESOLVED: &str = "no longer so";

impl QuerySource {
    /// As the database writes it.
    pub fn name(self) -> &'static str {
        match self {
            QuerySource::Person => "person",
            QuerySource::Rule => "rule",
        }
    }
}

impl QueryState {
    /// As the database writes it.
    pub fn name(self) -> &'static str {
        match self {
            QueryState::Open => "open",
            QueryState::Answered => "answered",
            QueryState::Closed => "closed",
        }
    }
}

impl Query {
    /// Whether its own rule closed it, so that it may be raised again.
    pub fn resolved_by_rule(&self) -> bool {
        self.state == QueryState::Closed && self.answer.as_deref() == Some(RESOLVED)
    }
}

impl Store {
    /// All queries, the oldest first, those on hidden variables before the others: the newest that all see is the last.
    pub fn queries(&self) -> Result<Vec<Query>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM query ORDER BY id < {HIDDEN_FROM}, id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], query)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The queries about one patient.
    pub fn queries_of(&self, patient: PatientId) -> Result<Vec<Query>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM query WHERE patient = ?1 ORDER BY id < {HIDDEN_FROM}, id");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([patient], query)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Queries that are not what the trail says. Since schema 6 a link names its query; one of before names patient and
    /// field, of which there may be several: of these what was said minus what was taken back is compared.
    pub(in crate::store) fn queries_against(&self, changes: &[Change]) -> Result<Vec<String>, StoreError> {
        let mut balance: BTreeMap<(String, String), BTreeMap<String, i64>> = BTreeMap::new();
        let mut count = |code: &str, field: &str, value: &str, n: i64| {
            *balance.entry((code.to_owned(), field.to_owned())).or_default().entry(value.to_owned()).or_default() += n;
        };
        let mut told: BTreeMap<i64, Told> = BTreeMap::new();
        for change in changes.iter().rev().filter(|change| change.table == "query") {
            let (code, Link { name, what, id }) = (&change.row, Link::of(&change.field));
            match (id.and_then(|id| told.get_mut(&id)), id) {
                (Some(query), _) => query.hear(what, change.new.clone()),
                (None, Some(id)) if what.is_none() => {
                    let text = change.new.clone().unwrap_or_default();
                    told.insert(id, [code.clone(), name.to_owned(), text, "open".to_owned(), String::new()].into());
                }
                _ => {
                    let field = what.map_or_else(|| name.to_owned(), |what| format!("{name} {what}"));
                    change.new.iter().for_each(|new| count(code, &field, new, 1));
                    change.old.iter().for_each(|old| count(code, &field, old, -1));
                    if what.is_none() {
                        count(code, &format!("{field} state"), "open", 1);
                    }
                }
            }
        }
        let codes: BTreeMap<PatientId, String> = self.patients()?.into_iter().map(|it| (it.id, it.code)).collect();
        let mut findings = Vec::new();
        for query in self.queries()? {
            let (code, field) = (codes.get(&query.patient).map_or("", String::as_str), &query.field);
            let text = format!("{}: {}", query.source.name(), query.text);
            let answer = query.answer.unwrap_or_default();
            if let Some(known) = told.remove(&query.id.0) {
                let held = [code.to_owned(), field.clone(), text, query.state.name().to_owned(), answer];
                if known != held.into() {
                    findings.push(format!("query {} of {code}: {field} is not what the trail says", query.id.0));
                }
                continue;
            }
            count(code, field, &text, -1);
            count(code, &format!("{field} state"), query.state.name(), -1);
            if !answer.is_empty() {
                count(code, &format!("{field} answer"), &answer, -1);
            }
        }
        findings.extend(told.into_iter().map(|(id, Told([code, ..]))| format!("query {id} of {code} is gone")));
        let differs = balance.into_iter().filter(|(_, values)| values.values().any(|n| *n != 0));
        findings.extend(differs.map(|((code, field), _)| format!("query {code}: {field} is not what the trail says")));
        Ok(findings)
    }
}

/// A query as the trail tells it: code, field, source and text, state, answer.
#[derive(PartialEq)]
struct Told([String; 5]);

impl From<[String; 5]> for Told {
    fn from(parts: [String; 5]) -> Told {
        Told(parts)
    }
}

impl Told {
    fn hear(&mut self, what: Option<&str>, new: Option<String>) {
        let new = new.unwrap_or_default();
        match what {
            Some("state") => self.0[3] = new,
            Some("answer") => self.0[4] = new,
            // The source stands before the text that was told first.
            Some(_) => {
                let source = self.0[2].split(": ").next().unwrap_or_default().to_owned();
                self.0[2] = format!("{source}: {new}");
            }
            None => (),
        }
    }
}

/// The field of a link about a query: the variable, what of the query it tells (`None`: that it was raised), its number.
pub struct Link<'a> {
    pub name: &'a str,
    pub what: Option<&'a str>,
    pub id: Option<i64>,
}

impl Link<'_> {
    /// `alp query 7`, `alp answer of query 7`; before schema 6 `alp`, `alp answer`.
    pub fn of(field: &str) -> Link<'_> {
        let (front, id) = match field.rsplit_once(' ').map(|(front, id)| (front, id.parse().ok())) {
            Some((front, Some(id))) => (front.strip_suffix(" query").unwrap_or(front), Some(id)),
            _ => (field, None),
        };
        let front = front.strip_suffix(" of").unwrap_or(front);
        let ends = ["state", "answer", "text"];
        let what = ends.into_iter().find_map(|what| Some((front.strip_suffix(what)?.strip_suffix(' ')?, what)));
        what.map_or(Link { name: front, what: None, id }, |(name, what)| Link { name, what: Some(what), id })
    }
}

impl Write<'_> {
    /// Asks about a field of a patient.
    pub fn raise_query(
        &self,
        patient: PatientId,
        field: &str,
        source: QuerySource,
        text: &str,
    ) -> Result<QueryId, StoreError> {
        // Numbers of their own: a gap among the others would tell a blind reader of whom something is asked.
        let is_hidden = self.codebook()?.hidden().contains(field);
        let among = if is_hidden { HIDDEN_FROM..i64::MAX } else { 1..HIDDEN_FROM };
        let sql = "INSERT INTO query (id, patient, field, source, text)
                   SELECT coalesce(max(id), ?5 - 1) + 1, ?1, ?2, ?3, ?4 FROM query WHERE id >= ?5 AND id < ?6";
        let bound = params![patient, field, source.name(), text, among.start, among.end];
        self.connection.prepare_cached(sql)?.execute(bound)?;
        Ok(QueryId(self.connection.last_insert_rowid()))
    }

    /// Answers an open query.
    pub fn answer_query(&self, id: QueryId, answer: &str) -> Result<(), StoreError> {
        let sql = "UPDATE query SET state = 'answered', answer = ?2 WHERE id = ?1 AND state = 'open'";
        self.one_query(id, sql, params![id, answer], "open")
    }

    /// Closes a query that is not closed.
    pub fn close_query(&self, id: QueryId) -> Result<(), StoreError> {
        let sql = "UPDATE query SET state = 'closed' WHERE id = ?1 AND state <> 'closed'";
        self.one_query(id, sql, params![id], "open or answered")
    }

    /// Closes a rule's query because the rule finds nothing any more.
    pub fn resolve_query(&self, id: QueryId) -> Result<(), StoreError> {
        let sql = "UPDATE query SET state = 'closed', answer = ?2 WHERE id = ?1 AND state = 'open'";
        self.one_query(id, sql, params![id, RESOLVED], "open")
    }

    fn one_query(
        &self,
        id: QueryId,
        sql: &str,
        bound: &[&dyn rusqlite::ToSql],
        expected: &str,
    ) -> Result<(), StoreError> {
        match self.connection.prepare_cached(sql)?.execute(bound)? {
            0 => Err(StoreError::Refused(format!("no query {} that is {expected}", id.0))),
            _ => Ok(()),
        }
    }
}

fn query(row: &Row) -> rusqlite::Result<Query> {
    Ok(Query {
        id: row.get(0)?,
        patient: row.get(1)?,
        field: row.get(2)?,
        source: if row.get::<_, String>(3)? == "rule" { QuerySource::Rule } else { QuerySource::Person },
        text: row.get(4)?,
        state: match row.get::<_, String>(5)?.as_str() {
            "open" => QueryState::Open,
            "answered" => QueryState::Answered,
            _ => QueryState::Closed,
        },
        answer: row.get(6)?,
    })
}
