//! Queries about a patient's field: raised, answered, closed.

use rusqlite::{Row, params};

use crate::store::{PatientId, QueryId, Store, StoreError, Write};

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

/// The answer of a rule that no longer finds anything.
const RESOLVED: &str = "no longer so";

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
    /// All queries, oldest first.
    pub fn queries(&self) -> Result<Vec<Query>, StoreError> {
        let sql = "SELECT id, patient, field, source, text, state, answer FROM query ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], query)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The queries about one patient.
    pub fn queries_of(&self, patient: PatientId) -> Result<Vec<Query>, StoreError> {
        let sql = "SELECT id, patient, field, source, text, state, answer FROM query WHERE patient = ?1 ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([patient], query)?;
        Ok(rows.collect::<Result<_, _>>()?)
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
        let sql = "INSERT INTO query (patient, field, source, text) VALUES (?1, ?2, ?3, ?4)";
        let source = match source {
            QuerySource::Person => "person",
            QuerySource::Rule => "rule",
        };
        self.connection.prepare_cached(sql)?.execute(params![patient, field, source, text])?;
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
