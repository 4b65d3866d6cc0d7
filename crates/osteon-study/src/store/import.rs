//! Imports of files as entries that can be turned back as a whole.

use rusqlite::params;

use crate::store::{Change, Store, StoreError, Write};

/// A file that changed values, or the turning back of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    pub id: i64,
    pub kind: String,
    /// As the user named the file.
    pub path: String,
    /// Of a salt and the file's own SHA-256: a small file is not found by trying values.
    pub sha256: String,
    /// Its first and last change.
    pub first: i64,
    pub last: i64,
    pub at: String,
    /// The import that it turned back.
    pub undoes: Option<i64>,
}

impl Import {
    /// As the trail tells it.
    pub(in crate::store) fn told(&self) -> String {
        let undoes = self.undoes.map(|id| format!(" undoes {id}")).unwrap_or_default();
        format!("{} changes {} to {}{undoes}", self.sha256, self.first, self.last)
    }
}

impl Store {
    /// All imports, the oldest first; files of older schemas recorded none.
    pub fn imports(&self) -> Result<Vec<Import>, StoreError> {
        if self.version()? < 6 {
            return Ok(Vec::new());
        }
        let sql = "SELECT id, kind, path, sha256, first, last, at, undoes FROM import ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(Import {
                id: row.get(0)?,
                kind: row.get(1)?,
                path: row.get(2)?,
                sha256: row.get(3)?,
                first: row.get(4)?,
                last: row.get(5)?,
                at: row.get(6)?,
                undoes: row.get(7)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Number of the newest change; 0 for none.
    pub fn last_change(&self) -> Result<i64, StoreError> {
        Ok(self.connection.query_row("SELECT coalesce(max(seq), 0) FROM change", [], |row| row.get(0))?)
    }

    /// The changes from `first` to `last`, the oldest first.
    pub fn changes_between(&self, first: i64, last: i64) -> Result<Vec<Change>, StoreError> {
        let sql = format!("SELECT {} FROM change WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq", self.link_columns()?);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![first, last], crate::store::trail::change)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Write<'_> {
    /// Ends an import: all changes since `first` are its own. Gives its number; `None` where nothing was changed.
    pub fn end_import(
        &self,
        kind: &str,
        path: &str,
        sha256: &str,
        first: i64,
        undoes: Option<i64>,
    ) -> Result<Option<i64>, StoreError> {
        let last = self.last_change()?;
        if last < first {
            return Ok(None);
        }
        let sql = "INSERT INTO import (kind, path, sha256, first, last, at, undoes, salt)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let salt = osteon_base::text::hex(rand::random::<[u8; 16]>());
        let salted = crate::store::sha256(format!("{salt}{sha256}"));
        self.connection.execute(sql, params![kind, path, salted, first, last, self.at, undoes, salt])?;
        Ok(Some(self.connection.last_insert_rowid()))
    }
}
