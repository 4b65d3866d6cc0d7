//! The one error that sees all others, with its exit code and its hint.

use std::path::PathBuf;

use crate::protocol::ProtocolError;

/// Why a request could not be met.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    #[error(transparent)]
    Cancelled(#[from] crate::job::Cancelled),
}

impl Error {
    /// 2 wrong request, file or protocol; 3 database; 130 cancelled.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Cancelled(_) => 130,
            _ => 2,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Protocol(ProtocolError::UnknownKey { .. }) => {
                Some("osteon protocol show prints every key with its value".to_owned())
            }
            _ => None,
        }
    }
}
