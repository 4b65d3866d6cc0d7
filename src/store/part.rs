//! Finished parts of long work, kept until the whole is stored.

use std::collections::BTreeMap;

use rusqlite::params;

use crate::store::{Store, StoreError, Write};

impl Store {
    /// The kept parts of a work: name and JSON.
    pub fn parts(&self, work: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT name, value FROM part WHERE work = ?1")?;
        let rows = statement.query_map([work], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Write<'_> {
    /// Keeps a finished part of a work.
    pub fn keep_part(&self, work: &str, name: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO part (work, name, value) VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute(params![work, name, value])?;
        Ok(())
    }

    /// The whole is stored: no parts are needed any more, of this work or of one that was given up.
    pub fn forget_parts(&self) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM part", [])?;
        Ok(())
    }
}
