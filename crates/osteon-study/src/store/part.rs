//! Finished parts of long work, kept until the whole is stored.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, params};

use crate::store::{Store, StoreError, Write, sha256};

/// What links about kept parts are called in the trail: table `part`, the work, how many, and the hash over them.
pub const PARTS: &str = "part";

impl Store {
    /// The kept parts of a work that the trail tells of: name and JSON. Those since its last word on them, and all where
    /// one is not what was kept, are left out, to be made again.
    pub fn parts(&self, work: &str) -> Result<BTreeMap<String, String>, StoreError> {
        let Some((n, told)) = self.told_parts(work)? else { return Ok(BTreeMap::new()) };
        let kept = self.first_parts(work, n)?;
        if kept.len() != n || hash_of(&kept) != told {
            return Ok(BTreeMap::new());
        }
        let opened = kept.iter().map(|(name, sealed)| Some((name.clone(), opened(work, name, sealed)?)));
        Ok(opened.collect::<Option<_>>().unwrap_or_default())
    }

    /// Works whose kept parts are not those that the trail tells of.
    pub fn altered_parts(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare("SELECT DISTINCT work FROM part ORDER BY work")?;
        let works = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        let is_altered = |work: &String| {
            Ok(match self.told_parts(work)? {
                Some((n, told)) => hash_of(&self.first_parts(work, n)?) != told,
                None => false,
            })
        };
        works.into_iter().filter_map(|work| is_altered(&work).map(|is| is.then_some(work)).transpose()).collect()
    }

    /// How many parts the newest link about a work tells of, and the hash over them.
    fn told_parts(&self, work: &str) -> Result<Option<(usize, String)>, StoreError> {
        let sql = "SELECT new FROM change WHERE tbl = ?1 AND row_key = ?2 ORDER BY seq DESC LIMIT 1";
        let told = self.connection.prepare_cached(sql)?.query_row(params![PARTS, work], |row| row.get(0));
        let told: Option<String> = told.optional()?;
        Ok(told.and_then(|told| told.split_once(' ').and_then(|(n, hash)| Some((n.parse().ok()?, hash.to_owned())))))
    }

    /// Names and sealed values in the order they were kept.
    fn first_parts(&self, work: &str, n: usize) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT name, value FROM part WHERE work = ?1 ORDER BY id LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![work, i64::try_from(n).unwrap_or(i64::MAX)], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
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
    /// Keeps a finished part of a work. The trail tells of them in steps of a quarter: few links, of which an interruption
    /// costs a fifth of what was done.
    pub fn keep_part(&self, work: &str, name: &str, value: &str) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO part (work, name, value) VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute(params![work, name, sealed(work, name, value)])?;
        let sql = "SELECT count(*) FROM part WHERE work = ?1";
        let n: i64 = self.connection.prepare_cached(sql)?.query_row([work], |row| row.get(0))?;
        let n = usize::try_from(n).unwrap_or_default();
        if std::iter::successors(Some(1), |told| Some(told + (told / 4).max(1))).take_while(|told| *told <= n).last()
            == Some(n)
        {
            let told = format!("{n} {}", hash_of(&self.first_parts(work, n)?));
            let sql = "INSERT INTO trail VALUES (?1, ?2, 'kept', NULL, ?3)";
            self.connection.prepare_cached(sql)?.execute(params![PARTS, work, told])?;
        }
        Ok(())
    }

    /// Leaves out the parts of a work that are not gone on from, so that no later word of the trail covers them.
    pub fn keep_only(&self, work: &str, n: usize) -> Result<(), StoreError> {
        let sql =
            "DELETE FROM part WHERE work = ?1 AND id NOT IN (SELECT id FROM part WHERE work = ?1 ORDER BY id LIMIT ?2)";
        self.connection.execute(sql, params![work, i64::try_from(n).unwrap_or(i64::MAX)])?;
        Ok(())
    }

    /// The whole is stored: no parts are needed any more, of this work or of one that was given up.
    pub fn forget_parts(&self) -> Result<(), StoreError> {
        self.connection.execute("DELETE FROM part", [])?;
        Ok(())
    }
}

/// One hash over names and sealed values.
fn hash_of(parts: &[(String, String)]) -> String {
    sha256(parts.iter().map(|(name, sealed)| format!("{name} {}\n", sha256(sealed))).collect::<String>())
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
