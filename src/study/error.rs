//! The one error that sees all others, with its exit code and its hint.

use std::path::PathBuf;

use crate::protocol::ProtocolError;
use crate::store::StoreError;

/// Why a request could not be met.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{place} is {found:?}, expected {expected}")]
    Cell { place: String, found: String, expected: String },
    #[error("no field {found}; the fields are {valid}")]
    Field { found: String, valid: String },
    #[error("a change needs a reason")]
    NoReason,
    #[error(transparent)]
    Cancelled(#[from] crate::job::Cancelled),
}

impl Error {
    /// 2 wrong request, file or protocol; 3 database; 130 cancelled.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Cancelled(_) => 130,
            Error::Store(cause) if !cause.is_request() => 3,
            _ => 2,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Protocol(ProtocolError::UnknownKey { .. }) => {
                Some("osteon protocol show prints every key with its value".to_owned())
            }
            Error::Store(StoreError::Missing(_)) => {
                Some("osteon init makes one; --study FILE or OSTEON_STUDY names another".to_owned())
            }
            Error::NoReason => Some("--reason TEXT goes to the trail with the change".to_owned()),
            Error::Store(StoreError::Refused(why)) if why.starts_with("the study is locked") => {
                Some("osteon unlock --reason TEXT lets clinical data be changed again".to_owned())
            }
            _ => None,
        }
    }
}
