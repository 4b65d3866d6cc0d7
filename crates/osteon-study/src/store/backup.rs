//! Copies of a study file that are whole, checked and in place only when they are finished.

use std::fs::{DirEntry, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::store::file::{beside, reserve};
use crate::store::migrate::VERSION;
use crate::store::{Store, StoreError, guard};

impl Store {
    /// Copies the study to a new file while others go on reading and writing: written beside its place, checked,
    /// forced to the disk, renamed, and read again under its name; it is for the same owner and group. Errors when the place is taken. Triggers, views and
    /// indexes that are no part of the schema stay behind; their names are given.
    pub fn backup(&self, to: &Path) -> Result<Vec<String>, StoreError> {
        guard::free_place(to)?;
        forget_drafts(to);
        let draft = draft(to);
        reserve(&draft)?;
        let kept = |dropped| {
            let same = crate::store::group::same_access(self.path(), &draft);
            same.map(|()| dropped).map_err(|source| StoreError::File { path: draft.clone(), source })
        };
        let result = self.copy_to(&draft).and_then(kept).and_then(|dropped| settle(&draft, to).map(|()| dropped));
        remove(&draft);
        result
    }

    fn copy_to(&self, draft: &Path) -> Result<Vec<String>, StoreError> {
        let path = draft.to_str().ok_or_else(|| StoreError::Refused("the path is not UTF-8".to_owned()))?;
        self.connection.execute("VACUUM INTO ?1", [path])?;
        // A copy has its own journal mode; a study file's is the write-ahead log.
        let copy = Connection::open(draft)?;
        copy.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        let dropped = if self.version()? == VERSION { crate::store::check::drop_foreign(&copy)? } else { Vec::new() };
        drop(copy);
        check(draft).map(|_| dropped)
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

/// Checks that a copy, of whatever schema, is whole; gives its trail head.
pub fn check(copy: &Path) -> Result<String, StoreError> {
    let store = Store::as_it_is(copy)?;
    match store.check_whole()?.into_iter().next() {
        Some(finding) => Err(StoreError::Refused(format!("the copy is not whole: {finding}"))),
        None => store.trail_head(),
    }
}

/// Puts a checked copy in the place of a study file that is not there.
pub fn restore(from: &Path, to: &Path) -> Result<Vec<String>, StoreError> {
    check(from)?;
    Store::as_it_is(from)?.backup(to)
}

/// Forces the draft to the disk and gives it its name, which must be free still.
fn settle(draft: &Path, to: &Path) -> Result<(), StoreError> {
    let wrong = |source| StoreError::File { path: to.to_owned(), source };
    let expected = Store::as_it_is(draft)?.trail_head()?;
    File::open(draft).and_then(|file| file.sync_all()).map_err(wrong)?;
    guard::free_place(to)?;
    guard::name_new(draft, to)?;
    let found = Store::as_it_is(to)?.trail_head()?;
    if found == expected {
        return Ok(());
    }
    Err(StoreError::Refused(format!("{}: not the copy that was checked; a log beside it changed it", to.display())))
}

/// Removes what backups to this place left when they were killed: patients' data under a name that nobody looks for.
fn forget_drafts(to: &Path) {
    const NO_COPY_TAKES_LONGER: Duration = Duration::from_secs(3600);
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = to.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let old = |entry: &DirEntry| {
        let found = entry.file_name().to_string_lossy().into_owned();
        let pid = found.strip_prefix(&name).and_then(|rest| rest.strip_prefix('.')?.strip_suffix(".draft"));
        let age = entry.metadata().and_then(|file| file.modified()).map(|at| at.elapsed().unwrap_or_default());
        pid.is_some_and(|pid| pid.parse::<u32>().is_ok()) && age.is_ok_and(|age| age > NO_COPY_TAKES_LONGER)
    };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten().filter(old) {
        remove(&entry.path());
    }
}

fn remove(draft: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(draft, suffix));
    }
}

fn draft(to: &Path) -> PathBuf {
    beside(to, &format!(".{}.draft", std::process::id()))
}
