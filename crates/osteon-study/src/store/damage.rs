//! What keeps a file from being written to: it is looked through once, before the first change.

use crate::store::{Store, StoreError};

/// A larger file would not be read whole in about a second: there the tables that the trail covers have to do, and feature
/// values are held against their hashes when they are read.
const READ_AT_ONCE: i64 = 64 << 20;
const COVERED: [&str; 14] = [
    "study",
    "protocol",
    "patient",
    "variable",
    "level",
    "clinical",
    "outcome",
    "image",
    "query",
    "verdict",
    "import",
    "split",
    "split_member",
    "change",
];

impl Store {
    /// The first thing that is wrong with what is stored: structure, references, schema, trail, data against the trail,
    /// and the values of every result.
    pub(in crate::store) fn first_damage(&self) -> Option<String> {
        match self.look_through() {
            Ok(found) => found,
            // A file that others keep from being read now is not damaged; the write says what is wrong.
            Err(StoreError::Disk(_) | StoreError::Busy(_)) => None,
            Err(StoreError::Sqlite(rusqlite::Error::SqliteFailure(..))) => None,
            Err(StoreError::Damaged(cause) | StoreError::Sqlite(cause)) => Some(cause.to_string()),
            Err(cause) => Some(cause.to_string()),
        }
    }

    fn look_through(&self) -> Result<Option<String>, StoreError> {
        let _snapshot = self.snapshot()?;
        let is_small = self.size()? <= READ_AT_ONCE;
        let tables = if is_small { vec![String::new()] } else { COVERED.map(|table| format!("({table})")).to_vec() };
        for table in tables {
            if let Some(found) = self.damaged_structure(&table)? {
                return Ok(Some(found));
            }
        }
        // Feature values have hashes: their references are most of those in a file, and say less.
        for table in self.tables()?.iter().filter(|name| *name != "feature_block") {
            if let Some(found) = self.check_references(table)?.into_iter().next() {
                return Ok(Some(found));
            }
        }
        let mut found = self.check_schema()?;
        found.extend(self.check_trail()?.err());
        if found.is_empty() {
            found = self.check_against_trail()?;
        }
        if found.is_empty() && is_small {
            let altered = self.altered_values()?.into_iter();
            found.extend(altered.map(|place| StoreError::Altered(place).to_string()));
        }
        Ok(found.into_iter().next())
    }

    /// What SQLite finds wrong with the file, or with one `(table)`.
    fn damaged_structure(&self, table: &str) -> Result<Option<String>, StoreError> {
        let sql = format!("PRAGMA integrity_check{table}");
        let found: String = self.connection.query_row(&sql, [], |row| row.get(0))?;
        // A heading may stand above what was found.
        Ok(found.lines().last().filter(|line| *line != "ok").map(str::to_owned))
    }

    fn size(&self) -> Result<i64, StoreError> {
        let pages: i64 = self.connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        let bytes: i64 = self.connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        Ok(pages * bytes)
    }
}
