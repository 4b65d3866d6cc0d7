//! The files of a zip archive, without trusting it: the `zip` crate reads and checks sums, bounds and names are ours.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::read::ZipFile;

use crate::read::Limits;

/// Why an archive is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZipError {
    #[error("damaged zip archive: {0}")]
    Damaged(String),
    #[error("{name}: {what}")]
    File { name: String, what: String },
    #[error("the archive says that its files take {bytes} bytes, the limit for its size is {limit}")]
    TooLarge { bytes: u64, limit: u64 },
}

/// Images shrink ten times, empty ones fifty; what shrinks more is made to fill memory.
const MOST_RATIO: u64 = 100;

/// Bytes that tell whether a file is kept.
const HEAD: usize = 132;

/// So much may come out of any archive.
const ALWAYS: u64 = 64 << 20;

pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Name and content of every file in the archive for which `keep` says so after its first 132 bytes, by name. Names
/// are cleaned and for people only: nothing is ever written or opened under them.
///
/// # Errors
///
/// An archive of which any file is damaged, encrypted or of another length than promised, kept or not: what damage hides
/// might have been kept. Larger content than the limit, or than 100 times the archive beyond 64 MB.
pub fn files(
    archive: &[u8],
    limits: &Limits,
    keep: impl Fn(&[u8]) -> bool,
) -> Result<Vec<(String, Vec<u8>)>, ZipError> {
    let mut archive_of = ZipArchive::new(Cursor::new(archive)).map_err(|cause| ZipError::Damaged(cause.to_string()))?;
    // The crate keeps the last of several files of one name.
    if stated_files(archive).is_some_and(|stated| stated != archive_of.len()) {
        return Err(ZipError::Damaged("two of its files have one name".to_owned()));
    }
    let limit = limits.max_bytes.min((archive.len() as u64).saturating_mul(MOST_RATIO).max(ALWAYS));
    let mut bytes = 0u64;
    let mut wanted = Vec::new();
    for index in 0..archive_of.len() {
        let file = archive_of.by_index_raw(index).map_err(|cause| ZipError::Damaged(cause.to_string()))?;
        bytes = bytes.saturating_add(file.size());
        let name = osteon_base::text::clean(&String::from_utf8_lossy(file.name_raw())).into_owned();
        if file.encrypted() {
            return Err(ZipError::File { name, what: "it is encrypted".to_owned() });
        }
        if !name.ends_with('/') {
            wanted.push((name, index));
        }
    }
    if bytes > limit {
        return Err(ZipError::TooLarge { bytes, limit });
    }
    wanted.sort();
    let mut files = Vec::new();
    for (name, index) in wanted {
        let content = archive_of.by_index(index).map_err(|cause| cause.to_string()).and_then(whole);
        let content = content.map_err(|what| ZipError::File { name: name.clone(), what })?;
        if keep(&content[..content.len().min(HEAD)]) {
            files.push((name, content));
        }
    }
    Ok(files)
}

/// How many files the end of the list states; `None` where that stands elsewhere (Zip64).
fn stated_files(archive: &[u8]) -> Option<usize> {
    let end = archive.windows(12).rposition(|bytes| bytes.starts_with(b"PK\x05\x06"))?;
    let stated = u16::from_le_bytes([archive[end + 10], archive[end + 11]]);
    (stated != u16::MAX).then_some(usize::from(stated))
}

/// No more than the size promised is inflated; the sum of the whole is checked at its end.
fn whole(file: ZipFile<impl Read>) -> Result<Vec<u8>, String> {
    let size = file.size();
    let mut content = Vec::new();
    file.take(size.saturating_add(1)).read_to_end(&mut content).map_err(|cause| cause.to_string())?;
    if content.len() as u64 == size { Ok(content) } else { Err("it is not as long as the archive says".to_owned()) }
}
