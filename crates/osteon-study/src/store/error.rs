//! What can go wrong with a study file.

use std::path::PathBuf;

use rusqlite::ErrorCode;

/// Why the study file could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{}: a folder, pipe or device, expected a study file", .0.display())]
    NoFile(PathBuf),
    #[error("{}: there is no study file", .0.display())]
    Missing(PathBuf),
    #[error("{}: there is a file already", .0.display())]
    Exists(PathBuf),
    #[error("{}: the log of another file lies there", orphan.display())]
    Orphan { path: PathBuf, orphan: PathBuf },
    #[error("{}: a file of something else, which is not replaced", .0.display())]
    Foreign(PathBuf),
    #[error("{}: not a study file of osteon", .0.display())]
    NotAStudy(PathBuf),
    #[error("{}: schema {found}, this osteon knows {known}; osteon {by} reads it", path.display())]
    Newer { path: PathBuf, found: i32, known: i32, by: String },
    #[error("{}: of an older osteon, and cannot be brought to this one's schema here: {why}", path.display())]
    Older { path: PathBuf, why: String },
    #[error("{}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("the study file is open for reading only: {0}")]
    ReadOnly(String),
    #[error("{}: the study file was removed or replaced while it was open", .0.display())]
    Gone(PathBuf),
    #[error("{}: the study's log was removed or replaced while it was open", .0.display())]
    LogGone(PathBuf),
    #[error("another program kept writing for {0} seconds")]
    Busy(u64),
    #[error("the study file is damaged")]
    Damaged(#[source] rusqlite::Error),
    #[error("{0}: the feature values are not those that were stored")]
    Altered(String),
    #[error("the models and predictions of run {} are not those that the trail has a hash of: osteon verify; a new fit replaces them", .0.0)]
    AlteredModels(crate::store::RunId),
    #[error("{}: {found} bytes, expected {expected}: the file was cut", path.display())]
    Cut { path: PathBuf, found: u64, expected: u64 },
    #[error("the disk is full; nothing was changed")]
    Full,
    #[error("the disk could not be read or written, or has no room; nothing was changed")]
    Disk(#[source] rusqlite::Error),
    #[error("{0}")]
    Refused(String),
    #[error("no patient {0}")]
    NoPatient(String),
    #[error("patient {code} was changed meanwhile: version {found}, expected {expected}")]
    Stale { code: String, found: i64, expected: i64 },
    #[error("the database")]
    Sqlite(#[source] rusqlite::Error),
}

impl StoreError {
    /// Whether the request was wrong, and not the database.
    pub fn is_request(&self) -> bool {
        use StoreError::{Exists, File, Foreign, Missing, NoFile, NoPatient, Orphan, Refused, Stale};
        matches!(
            self,
            Missing(_)
                | NoFile(_)
                | Exists(_)
                | Foreign(_)
                | Orphan { .. }
                | File { .. }
                | Refused(_)
                | NoPatient(_)
                | Stale { .. }
        )
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(cause: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, message) = &cause else {
            return StoreError::Sqlite(cause);
        };
        match failure.code {
            ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => StoreError::Damaged(cause),
            ErrorCode::DiskFull => StoreError::Full,
            ErrorCode::SystemIoFailure => StoreError::Disk(cause),
            ErrorCode::ReadOnly => StoreError::ReadOnly("the file or its folder is not writable".to_owned()),
            ErrorCode::ConstraintViolation if failure.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER => {
                StoreError::Refused(message.clone().unwrap_or_default())
            }
            _ => StoreError::Sqlite(cause),
        }
    }
}
