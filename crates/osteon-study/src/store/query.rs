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

    /// Queries that are not what the trail says. The trail names a query by patient and field, and a field may have
    /// several: what was said minus what was taken back is compared, whichever query it was.
    pub(in crate::store) fn queries_against(&self, changes: &[Change]) -> Result<Vec<String>, StoreError> {
        let mut balance: BTreeMap<(String, String), BTreeMap<String, i64>> = BTreeMap::new();
        let mut count = |code: &str, field: &str, value: &str, n: i64| {
            *balance.entry((code.to_owned(), field.to_owned())).or_default().entry(value.to_owned()).or_default() += n;
        };
        let is_raised = |field: &str| ![" state", " answer", " text"].iter().any(|part| field.ends_with(part));
        for change in changes.iter().filter(|change| change.table == "query") {
            let (code, field) = (&change.row, &change.field);
            change.new.iter().for_each(|new| count(code, field, new, 1));
            change.old.iter().for_each(|old| count(code, field, old, -1));
            if is_raised(field) {
                count(code, &format!("{field} state"), "open", 1);
            }
        }
        let codes: BTreeMap<PatientId, String> = self.patients()?.into_iter().map(|it| (it.id, it.code)).collect();
        for query in self.queries()? {
            let (code, field) = (codes.get(&query.patient).map_or("", String::as_str), &query.field);
            count(code, field, &format!("{}: {}", query.source.name(), query.text), -1);
            count(code, &format!("{field} state"), query.state.name(), -1);
            query.answer.iter().for_each(|answer| count(code, &format!("{field} answer"), answer, -1));
        }
        let differs = balance.into_iter().filter(|(_, values)| values.values().any(|n| *n != 0));
        Ok(differs.map(|((code, field), _)| format!("query {code}: {field} is not what the trail says")).collect())
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
