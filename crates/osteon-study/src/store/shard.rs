//! Shards: parts of an extraction that ran elsewhere, each a whole file of its own, and their way into the study.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::params;
use sha2::{Digest, Sha256};

use crate::store::file::beside;
use crate::store::{Access, Run, RunId, Store, StoreError, Write, guard};

/// Which shard of which plan a run was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardRow {
    /// Hash of the plan.
    pub plan: String,
    /// From 1.
    pub number: usize,
    pub n_shards: usize,
    pub run: RunId,
    /// SHA-256 of the merged file; `None` in the shard file itself.
    pub sha256: Option<String>,
}

/// A database on local disk that is gone when this value is, unless it was published.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// A name that nobody has in a folder; nothing is there yet.
    pub fn in_folder(folder: &Path, name: &str) -> Scratch {
        let own = format!("{name}.{}.{:016x}.db", std::process::id(), rand::random::<u64>());
        Scratch { path: folder.join(own) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Copies the closed database beside its place, forces it to the disk, and gives it its name, which must be free:
    /// whoever sees the name sees the whole file.
    pub fn publish(self, to: &Path) -> Result<(), StoreError> {
        guard::free_place(to)?;
        guard::name_new(&self.copy_beside(to)?.path, to)
    }

    /// The same in the place of a file that the caller knows to be replaceable.
    pub fn publish_over(self, to: &Path) -> Result<(), StoreError> {
        let draft = self.copy_beside(to)?;
        let renamed = std::fs::rename(&draft.path, to).and_then(|()| guard::sync_folder(to));
        renamed.map_err(|source| StoreError::File { path: to.to_owned(), source })
    }

    fn copy_beside(&self, to: &Path) -> Result<Scratch, StoreError> {
        let draft =
            Scratch { path: beside(to, &format!(".{}.{:016x}.draft", std::process::id(), rand::random::<u64>())) };
        let copy = || {
            let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.path)?;
            std::io::copy(&mut File::open(&self.path)?, &mut out)?;
            out.sync_all()
        };
        copy().map_err(|source| StoreError::File { path: to.to_owned(), source })?;
        Ok(draft)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let _ = std::fs::remove_file(beside(&self.path, suffix));
        }
    }
}

impl Store {
    /// Closes a file that nobody else has open so that it is one file, whole, without a log beside it.
    pub fn close_as_one_file(self) -> Result<(), StoreError> {
        self.connection.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
        self.connection.close().map_err(|(_, cause)| StoreError::from(cause))
    }

    /// Moves what stands in the place of a shard, and is none, aside; gives its new name. Refuses a whole study file, and
    /// any file that is not named like a shard: nothing is replaced that may be somebody's.
    pub fn move_damaged_aside(path: &Path) -> Result<PathBuf, StoreError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_named = name.starts_with("shard-") && name.ends_with(".db");
        let is_study = || Store::as_it_is(path).and_then(|store| store.shards()).is_ok_and(|shards| shards.is_empty());
        if !is_named || is_study() {
            return Err(StoreError::Foreign(path.to_owned()));
        }
        guard::move_aside(path)
    }

    /// Opens a shard file to read it; one that is shorter than it says was cut.
    pub fn open_shard(path: &Path) -> Result<Store, StoreError> {
        let wrong = |source| StoreError::File { path: path.to_owned(), source };
        let mut file = File::open(path).map_err(wrong)?;
        let (found, mut header) = (file.metadata().map_err(wrong)?.len(), [0; 32]);
        let expected = file.read_exact(&mut header).map_or(32, |()| length(&header));
        if found < expected {
            return Err(StoreError::Cut { path: path.to_owned(), found, expected });
        }
        Store::open(path, Access::Read)
    }

    /// Merged shards; in a shard file, itself.
    pub fn shards(&self) -> Result<Vec<ShardRow>, StoreError> {
        let sql = "SELECT plan, number, n_shards, run, sha256 FROM shard ORDER BY run";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let count = |at: usize| row.get::<_, i64>(at).map(|n| usize::try_from(n).unwrap_or(0));
            Ok(ShardRow {
                plan: row.get(0)?,
                number: count(1)?,
                n_shards: count(2)?,
                run: row.get(3)?,
                sha256: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Write<'_> {
    /// Enters which shard a run was; of a merged file, with its hash, in the trail too.
    pub fn put_shard(&self, shard: &ShardRow) -> Result<(), StoreError> {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let sql = "INSERT INTO shard (plan, number, n_shards, run, sha256) VALUES (?1, ?2, ?3, ?4, ?5)";
        let bound = params![shard.plan, count(shard.number), count(shard.n_shards), shard.run, shard.sha256];
        self.connection.execute(sql, bound)?;
        Ok(())
    }

    /// Enters a run that happened elsewhere as it happened there.
    pub fn adopt_run(&self, run: &Run) -> Result<RunId, StoreError> {
        let sql = "INSERT INTO run (kind, protocol_hash, inputs, seed, program_version, actor, host, started_at,
                                    finished_at, locked, trail_head)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let seed = run.seed.0.cast_signed();
        let bound = params![
            run.kind,
            run.protocol_hash,
            run.inputs,
            seed,
            run.program_version,
            run.actor,
            run.host,
            run.started_at,
            run.finished_at,
            run.locked,
            run.trail_head
        ];
        self.connection.execute(sql, bound)?;
        let run = RunId(self.connection.last_insert_rowid());
        self.tell_run(run)?;
        Ok(run)
    }
}

/// Bytes of a database by its header: the size of a page, 1 for 65,536, and the number of pages.
fn length(header: &[u8; 32]) -> u64 {
    let page = match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    page * u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]))
}

/// SHA-256 of a file, read piece by piece.
pub fn file_sha256(path: &Path) -> Result<String, StoreError> {
    let wrong = |source| StoreError::File { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(wrong)?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        match file.read(&mut piece).map_err(wrong)? {
            0 => return Ok(osteon_base::text::hex(hash.finalize())),
            n => hash.update(&piece[..n]),
        }
    }
}
