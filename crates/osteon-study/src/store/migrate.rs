//! Study files of older schemas: copied, then brought to this one in a single transaction.

use std::path::{Path, PathBuf};

use crate::store::file::beside;
use crate::store::{Store, StoreError, Write};

/// The schema that this program knows.
pub(in crate::store) const VERSION: i32 = 6;
/// What brings a file to a schema from the one before it. Steps are only ever added.
const STEPS: &[(i32, &str)] = &[
    (2, include_str!("../../../../migrations/2.sql")),
    (3, include_str!("../../../../migrations/3.sql")),
    (4, include_str!("../../../../migrations/4.sql")),
    (5, include_str!("../../../../migrations/5.sql")),
    (6, include_str!("../../../../migrations/6.sql")),
];

impl Store {
    /// Brings the file to this program's schema; gives the copy that was made of it before. The copy is made while no
    /// other program can write, so that it holds everything that was acknowledged.
    pub(in crate::store) fn migrate(&self) -> Result<Option<PathBuf>, StoreError> {
        let reason = format!("osteon {} knows schema {VERSION}", env!("CARGO_PKG_VERSION"));
        self.begin_and(&reason, |write| {
            let found = write.version()?;
            // Another program may have been faster.
            if found == VERSION {
                return Ok(None);
            }
            let copy = self.copy_of_schema(found)?;
            write.step_up(found)?;
            Ok(Some(copy))
        })
    }

    /// The schema of the file.
    pub(in crate::store) fn version(&self) -> Result<i32, StoreError> {
        Ok(self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
    }

    /// A copy of the file as it is beside it; one that an interrupted migration left is taken when it is the same.
    fn copy_of_schema(&self, version: i32) -> Result<PathBuf, StoreError> {
        let source = Store::as_it_is(self.path())?;
        let name = |n: usize| match n {
            0 => format!(".schema-{version}.backup"),
            n => format!(".schema-{version}.backup-{n}"),
        };
        for copy in (0..).map(|n| beside(self.path(), &name(n))) {
            match source.backup(&copy) {
                Err(StoreError::Exists(_)) if source.equals(&copy) => return Ok(copy),
                Err(StoreError::Exists(_)) => (),
                result => return result.map(|_| copy),
            }
        }
        unreachable!("some number is free")
    }

    fn equals(&self, copy: &Path) -> bool {
        let head = || self.trail_head().ok();
        crate::store::backup::check(copy).is_ok_and(|found| Some(found) == head())
    }
}

impl Write<'_> {
    fn step_up(&self, found: i32) -> Result<(), StoreError> {
        for (_, step) in STEPS.iter().filter(|(to, _)| *to > found) {
            self.connection.execute_batch(step)?;
        }
        self.put_codebook(&*self.codebook()?)?;
        self.connection.pragma_update(None, "user_version", VERSION)?;
        self.connection.execute("UPDATE study SET program_version = ?1", [env!("CARGO_PKG_VERSION")])?;
        let told = "INSERT INTO trail SELECT 'study', title, 'schema', ?1, ?2 FROM study";
        self.connection.execute(told, [found.to_string(), VERSION.to_string()])?;
        self.tell_split_terms()?;
        self.tell_unknown_runs()?;
        self.tell_open_runs()?;
        self.tell_all_results()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_step_leads_to_the_schema_of_a_new_file() {
        let last = STEPS.iter().map(|(to, _)| *to).collect::<Vec<_>>();
        assert_eq!(last, (2..=VERSION).collect::<Vec<_>>());
        assert!(crate::store::file::SCHEMA.contains(&format!("PRAGMA user_version = {VERSION};")));
    }
}
