//! Finished parts of long work, kept until the whole is stored.

use std::collections::BTreeMap;

use rusqlite::params;

use crate::store::{Store, StoreError, Write, sha256};

impl Store {
    /// The kept parts of a work: name and JSON. What is not as it was kept is left out, to be made again.
    pub fn parts(&self, work: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT name, value FROM part WHERE work = ?1")?;
        let rows = statement.query_map([work], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
        let kept = rows.filter_map(|row| match row {
            Ok((name, sealed)) => opened(work, &name, &sealed).map(|value| Ok((name, value))),
            Err(cause) => Some(Err(cause.into())),
        });
        kept.collect()
    }
}

impl Store {
    /// Gives pages that hold nothing back to the disk. Where they are more than a quarter of the file it is written anew,
    /// its rows packed; else a file that an earlier version made keeps them for later.
    pub fn return_free_pages(&self) -> Result<(), StoreError> {
        let count = |name| self.connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let how = match 4 * count("freelist_count")? > count("page_count")? {
            true => "VACUUM",
            false => "PRAGMA incremental_vacuum",
        };
        let mut statement = self.connection.prepare(how)?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(())
    }
}

impl Write<'_> {
    /// Keeps a finished part of a work.
    pub fn keep_part(&self, work: &str, name: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO part (work, name, value) VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute(params![work, name, sealed(work, name, value)])?;
        Ok(())
    }

    /// The whole is stored: no parts are needed any more, of this work or of one that was given up.
    pub fn forget_parts(&self) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM part", [])?;
        Ok(())
    }
}

/// The part with a hash of itself, its work and its name.
fn sealed(work: &str, name: &str, value: &str) -> String {
    format!(r#"{{"sha256":"{}","part":{value}}}"#, sha256(format!("{work} {name} {value}")))
}

/// The part in a seal that is whole.
fn opened(work: &str, name: &str, text: &str) -> Option<String> {
    const BEFORE: usize = r#"{"sha256":"","part":"#.len() + 64;
    let value = text.strip_suffix('}')?.get(BEFORE..)?;
    (sealed(work, name, value) == text).then(|| value.to_owned())
}
