//! Copies of a study file that are whole, checked and in place only when they are finished.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::store::file::{beside, reserve};
use crate::store::{Access, Store, StoreError};

impl Store {
    /// Copies the study to a new file while others go on reading and writing: written beside its place, checked,
    /// forced to the disk, then renamed. Errors when the place is taken.
    pub fn backup(&self, to: &Path) -> Result<(), StoreError> {
        if to.exists() {
            return Err(StoreError::Exists(to.to_owned()));
        }
        let draft = draft(to);
        reserve(&draft)?;
        let result = self.copy_to(&draft).and_then(|()| settle(&draft, to));
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&draft, suffix));
        }
        result
    }

    fn copy_to(&self, draft: &Path) -> Result<(), StoreError> {
        let path = draft.to_str().ok_or_else(|| StoreError::Refused("the path is not UTF-8".to_owned()))?;
        self.connection.execute("VACUUM INTO ?1", [path])?;
        // A copy has its own journal mode; a study file's is the write-ahead log.
        let copy = Connection::open(draft)?;
        copy.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        drop(copy);
        let copy = Store::open(draft, Access::Read)?;
        match copy.check_whole()?.into_iter().next() {
            Some(finding) => Err(StoreError::Refused(format!("the copy is not whole: {finding}"))),
            None => Ok(()),
        }
    }

    /// What is wrong with the file as a file: integrity, schema, trail, data against the trail.
    pub fn check_whole(&self) -> Result<Vec<String>, StoreError> {
        let mut findings = self.check_integrity()?;
        findings.extend(self.check_schema()?);
        findings.extend(self.check_trail()?.err());
        findings.extend(self.check_against_trail()?);
        Ok(findings)
    }
}

/// Puts a checked copy in the place of a study file that is not there.
pub fn restore(from: &Path, to: &Path) -> Result<(), StoreError> {
    let copy = Store::open(from, Access::Read)?;
    if let Some(finding) = copy.check_whole()?.into_iter().next() {
        return Err(StoreError::Refused(format!("the copy is not whole: {finding}")));
    }
    copy.backup(to)
}

/// Forces the draft to the disk and gives it its name, which must be free still.
fn settle(draft: &Path, to: &Path) -> Result<(), StoreError> {
    let wrong = |source| StoreError::File { path: to.to_owned(), source };
    File::open(draft).and_then(|file| file.sync_all()).map_err(wrong)?;
    // A hard link, unlike a rename, does not replace what somebody put there meanwhile; not every file system has it.
    let named = std::fs::hard_link(draft, to);
    named.or_else(|cause| if to.exists() { Err(cause) } else { std::fs::rename(draft, to) }).map_err(wrong)?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(wrong)
}

fn draft(to: &Path) -> PathBuf {
    beside(to, &format!(".{}.draft", std::process::id()))
}
