//! The use cases that the command line and the dashboard share; the only place that knows paths, patients and errors together.

mod cohort;
mod edit;
mod error;
mod open;

use std::path::Path;

use crate::protocol::Protocol;

pub use edit::Edit;
pub use error::Error;
pub use open::Study;

/// Reads and checks a protocol file.
pub fn read_protocol(path: &Path) -> Result<Protocol, Error> {
    let text = std::fs::read_to_string(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    Ok(Protocol::parse(&text)?)
}
