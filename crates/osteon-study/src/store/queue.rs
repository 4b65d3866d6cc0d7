//! The queue of long work: who runs what, how far it is, and whether it still lives.

use rusqlite::{OptionalExtension, Row, params};

use crate::store::{JobId, Store, StoreError, Write};

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Queued,
    Running,
    Done,
    Failed,
    Cancelled,
}

/// One job as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    pub id: JobId,
    /// `extract`, `fit`, ...
    pub kind: String,
    /// JSON, as the kind wants it.
    pub request: String,
    pub state: JobState,
    /// Somebody asked it to stop.
    pub cancel: bool,
    pub stage: String,
    pub done: usize,
    pub total: usize,
    pub actor: String,
    pub host: String,
    pub pid: Option<u32>,
    pub queued_at: String,
    pub started_at: Option<String>,
    pub heartbeat_at: Option<String>,
    pub finished_at: Option<String>,
    pub error: Option<String>,
}

impl JobState {
    const ALL: [JobState; 5] =
        [JobState::Queued, JobState::Running, JobState::Done, JobState::Failed, JobState::Cancelled];

    /// As the database writes it.
    pub fn name(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen to it.
    pub fn over(self) -> bool {
        !matches!(self, JobState::Queued | JobState::Running)
    }
}

const COLUMNS: &str = "id, kind, request, state, cancel, stage, done, total, actor, host, pid, queued_at, started_at, \
                       heartbeat_at, finished_at, error";

impl Store {
    /// All jobs, newest first.
    pub fn jobs(&self) -> Result<Vec<JobRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM job ORDER BY id DESC"))?;
        let rows = statement.query_map([], job)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The job of an id.
    pub fn job(&self, id: JobId) -> Result<Option<JobRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM job WHERE id = ?1"))?;
        Ok(statement.query_row([id], job).optional()?)
    }
}

impl Write<'_> {
    /// Puts work in the queue.
    pub fn queue_job(&self, kind: &str, request: &str) -> Result<JobId, StoreError> {
        let sql =
            "INSERT INTO job (kind, request, state, actor, host, queued_at) VALUES (?1, ?2, 'queued', ?3, ?4, ?5)";
        let actor = self.actor();
        self.connection.execute(sql, params![kind, request, actor.name, actor.host, self.at])?;
        Ok(JobId(self.connection.last_insert_rowid()))
    }

    /// This process takes a job that nobody runs; `false` when it is not to be had.
    pub fn take_job(&self, id: JobId) -> Result<bool, StoreError> {
        let sql = "UPDATE job SET state = 'running', pid = ?2, host = ?3, started_at = ?4, heartbeat_at = ?4,
                   error = NULL, finished_at = NULL WHERE id = ?1 AND state = 'queued'";
        let bound = params![id, std::process::id(), self.actor().host, self.at];
        Ok(self.connection.execute(sql, bound)? == 1)
    }

    /// Progress and a sign of life; `true` when somebody asked the job to stop.
    pub fn beat(&self, id: JobId, stage: &str, done: usize, total: usize) -> Result<bool, StoreError> {
        let sql = "UPDATE job SET stage = ?2, done = ?3, total = ?4, heartbeat_at = ?5 WHERE id = ?1 RETURNING cancel";
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let bound = params![id, stage, count(done), count(total), self.at];
        Ok(self.connection.prepare_cached(sql)?.query_row(bound, |row| row.get(0))?)
    }

    /// The job is over.
    pub fn end_job(&self, id: JobId, state: JobState, error: Option<&str>) -> Result<(), StoreError> {
        let sql = "UPDATE job SET state = ?2, error = ?3, finished_at = ?4 WHERE id = ?1";
        self.connection.execute(sql, params![id, state.name(), error, self.at])?;
        Ok(())
    }

    /// Asks a running job to stop, takes a waiting one out of the queue; `false` when it is over already.
    pub fn cancel_job(&self, id: JobId) -> Result<bool, StoreError> {
        let sql = "UPDATE job SET cancel = 1, finished_at = iif(state = 'queued', ?2, NULL),
                   state = iif(state = 'queued', 'cancelled', state) WHERE id = ?1 AND state IN ('queued', 'running')";
        Ok(self.connection.execute(sql, params![id, self.at])? == 1)
    }

    /// Puts a job whose worker is dead, or one that is over, back in the queue.
    pub fn requeue_job(&self, id: JobId) -> Result<(), StoreError> {
        let sql = "UPDATE job SET state = 'queued', cancel = 0, pid = NULL, error = NULL WHERE id = ?1";
        self.connection.execute(sql, params![id])?;
        Ok(())
    }
}

fn job(row: &Row) -> rusqlite::Result<JobRow> {
    let state: String = row.get(3)?;
    let count = |at: usize| row.get::<_, i64>(at).map(|n| usize::try_from(n).unwrap_or(0));
    Ok(JobRow {
        id: row.get(0)?,
        kind: row.get(1)?,
        request: row.get(2)?,
        state: JobState::ALL.into_iter().find(|known| known.name() == state).unwrap_or(JobState::Failed),
        cancel: row.get(4)?,
        stage: row.get(5)?,
        done: count(6)?,
        total: count(7)?,
        actor: row.get(8)?,
        host: row.get(9)?,
        pid: row.get(10)?,
        queued_at: row.get(11)?,
        started_at: row.get(12)?,
        heartbeat_at: row.get(13)?,
        finished_at: row.get(14)?,
        error: row.get(15)?,
    })
}
