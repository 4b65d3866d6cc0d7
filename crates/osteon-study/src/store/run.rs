//! Runs: the executions that produced results.

use rusqlite::{OptionalExtension, Row, params};

use crate::store::trail::sha256;
use crate::store::{RunId, Store, StoreError, Write};
use osteon_base::seed::Seed;

/// A run that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun<'a> {
    /// `extract`, `fit`, `agreement`, ...
    pub kind: &'a str,
    /// Hash of what it reads.
    pub inputs: &'a str,
    pub seed: Seed,
}

/// What was so when a run began; its results are stored when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    pub at: String,
    pub protocol_hash: String,
    pub locked: bool,
    pub trail_head: String,
}

/// One execution as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: RunId,
    pub kind: String,
    pub protocol_hash: String,
    pub inputs: String,
    pub seed: Seed,
    pub program_version: String,
    pub actor: String,
    pub host: String,
    pub started_at: String,
    pub finished_at: Option<String>,
    /// Whether the data were locked when it began.
    pub locked: bool,
    /// Hash of the last change when it began.
    pub trail_head: String,
}

impl Run {
    /// Hash of all that was so when it began.
    pub(in crate::store) fn begun(&self) -> String {
        let Run {
            kind, protocol_hash, inputs, seed, program_version, actor, host, started_at, locked, trail_head, ..
        } = self;
        let row = (kind, protocol_hash, inputs, seed.0, program_version, actor, host, started_at, locked, trail_head);
        sha256(serde_json::json!(row).to_string())
    }
}

const COLUMNS: &str = "id, kind, protocol_hash, inputs, seed, program_version, actor, host, started_at, finished_at, \
                       locked, trail_head";

impl Store {
    /// All runs, newest first.
    pub fn runs(&self) -> Result<Vec<Run>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM run ORDER BY id DESC"))?;
        let rows = statement.query_map([], run)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The run of an id.
    pub fn run(&self, id: RunId) -> Result<Option<Run>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM run WHERE id = ?1"))?;
        Ok(statement.query_row([id], run).optional()?)
    }

    /// What is so now, for a run that stores its results later.
    pub fn beginning(&self) -> Result<Beginning, StoreError> {
        let (at, trail_head) = (self.now(), self.trail_head()?);
        let sql = "SELECT protocol_hash, locked_at IS NOT NULL FROM study";
        let began = |row: &Row| Ok(Beginning { at, protocol_hash: row.get(0)?, locked: row.get(1)?, trail_head });
        Ok(self.connection.query_row(sql, [], began)?)
    }

    /// The document of a protocol that is or was in force.
    pub fn protocol_document(&self, hash: &str) -> Result<String, StoreError> {
        Ok(self.connection.query_row("SELECT toml FROM protocol WHERE hash = ?1", [hash], |row| row.get(0))?)
    }
}

impl Write<'_> {
    /// A run begins, under the protocol in force.
    pub fn begin_run(&self, run: &NewRun) -> Result<RunId, StoreError> {
        let id = self.put_run(run, &Beginning { at: self.at.clone(), ..self.beginning()? })?;
        self.tell_begun(id)?;
        Ok(id)
    }

    /// Writes what a run is to the trail when it begins: one that is killed never ends, and results stay that refer to it.
    fn tell_begun(&self, run: RunId) -> Result<(), StoreError> {
        if let Some(row) = self.run(run)? {
            let told = "INSERT INTO trail VALUES ('run', ?1, 'begun', NULL, ?2)";
            self.connection.execute(told, params![run.0.to_string(), row.begun()])?;
        }
        Ok(())
    }

    /// The same of runs that never ended: at migration.
    pub(in crate::store) fn tell_open_runs(&self) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare("SELECT id FROM run WHERE finished_at IS NULL ORDER BY id")?;
        let runs: Vec<RunId> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        runs.into_iter().try_for_each(|run| self.tell_begun(run))
    }

    /// A run that began before this transaction.
    pub fn put_run(&self, run: &NewRun, began: &Beginning) -> Result<RunId, StoreError> {
        let sql = "INSERT INTO run (kind, protocol_hash, inputs, seed, program_version, actor, host, started_at,
                                    locked, trail_head)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
        let Beginning { at, protocol_hash, locked, trail_head } = began;
        let actor = self.actor();
        let seed = run.seed.0.cast_signed();
        let version = env!("CARGO_PKG_VERSION");
        let (name, host) = (&actor.name, &actor.host);
        let bound = params![run.kind, protocol_hash, run.inputs, seed, version, name, host, at, locked, trail_head];
        self.connection.execute(sql, bound)?;
        Ok(RunId(self.connection.last_insert_rowid()))
    }

    /// The run is over; the trail keeps a hash of what it is, with its models where it has any.
    pub fn end_run(&self, run: RunId) -> Result<(), StoreError> {
        self.connection.execute("UPDATE run SET finished_at = ?1 WHERE id = ?2", params![self.at, run])?;
        self.tell_run(run)
    }

    /// Writes the hash of a finished run to the trail.
    pub(in crate::store) fn tell_run(&self, run: RunId) -> Result<(), StoreError> {
        if let Some((field, seal)) = self.seal(run)? {
            let told = "INSERT INTO trail VALUES ('run', ?1, ?2, NULL, ?3)";
            self.connection.execute(told, params![run.0.to_string(), field, seal])?;
        }
        Ok(())
    }

    /// The same of all runs that the trail does not know: at migration, which anchors what older programs left.
    pub(in crate::store) fn tell_unknown_runs(&self) -> Result<(), StoreError> {
        let sql = "SELECT id FROM run WHERE finished_at IS NOT NULL AND NOT EXISTS (
                       SELECT 1 FROM change WHERE tbl = 'run' AND row_key = CAST(run.id AS TEXT))";
        let mut statement = self.connection.prepare(sql)?;
        let runs: Vec<RunId> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        runs.into_iter().try_for_each(|run| self.tell_run(run))
    }

    /// Tells that a fit went on from parts that an interrupted one kept: nothing but their own hashes holds those.
    pub fn tell_resumed(&self, run: RunId, n_parts: usize) -> Result<(), StoreError> {
        let told = "INSERT INTO trail VALUES ('run', ?1, 'resumed', NULL, ?2)";
        self.connection.execute(told, params![run.0.to_string(), format!("{n_parts} kept parts")])?;
        Ok(())
    }

    /// Tells how long each learner of a fit needed.
    pub fn tell_seconds(&self, run: RunId, seconds: &[(String, f64)]) -> Result<(), StoreError> {
        let told = "INSERT INTO trail VALUES ('run', ?1, 'seconds', NULL, ?2)";
        self.connection.execute(told, params![run.0.to_string(), serde_json::json!(seconds).to_string()])?;
        Ok(())
    }
}

fn run(row: &Row) -> rusqlite::Result<Run> {
    Ok(Run {
        id: row.get(0)?,
        kind: row.get(1)?,
        protocol_hash: row.get(2)?,
        inputs: row.get(3)?,
        seed: Seed(row.get::<_, i64>(4)?.cast_unsigned()),
        program_version: row.get(5)?,
        actor: row.get(6)?,
        host: row.get(7)?,
        started_at: row.get(8)?,
        finished_at: row.get(9)?,
        locked: row.get(10)?,
        trail_head: row.get(11)?,
    })
}
