//! Validations of models that were learnt elsewhere or before: what was looked at stands in the trail.

use rusqlite::params;

use crate::store::{Store, StoreError, Write};

/// One validation as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationRecord {
    /// When, UTC.
    pub at: String,
    /// Name of the cohort.
    pub cohort: String,
    /// What was looked at, as JSON.
    pub document: String,
    /// Hash of the trail's record.
    pub hash: String,
}

impl Store {
    /// All validations, oldest first.
    pub fn validations(&self) -> Result<Vec<ValidationRecord>, StoreError> {
        let sql = "SELECT at, row_key, new, hash FROM change WHERE tbl = 'validation' AND new IS NOT NULL ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            Ok(ValidationRecord { at: row.get(0)?, cohort: row.get(1)?, document: row.get(2)?, hash: row.get(3)? })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

impl Write<'_> {
    /// Records a validation. `field` begins with a variable that tells the outcome, so that it is hidden with it.
    pub fn note_validation(&self, cohort: &str, field: &str, document: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO trail VALUES ('validation', ?1, ?2, NULL, ?3)";
        self.connection.execute(sql, params![cohort, field, document])?;
        Ok(())
    }
}
