//! The files of a zip archive, without trusting it (PKWARE's APPNOTE: central directory, stored and deflated files).

use std::io::Read;

use flate2::read::DeflateDecoder;

use crate::read::Limits;

/// Why an archive is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZipError {
    #[error("damaged zip archive: {0}")]
    Damaged(&'static str),
    #[error("{name}: {what}")]
    File { name: String, what: &'static str },
    #[error("the archive says that its files take {bytes} bytes, the limit for its size is {limit}")]
    TooLarge { bytes: u64, limit: u64 },
}

/// Images shrink ten times, empty ones fifty; what shrinks more is made to fill memory.
const MOST_RATIO: u64 = 100;

/// So much may come out of any archive.
const ALWAYS: u64 = 64 << 20;

const END: [u8; 4] = *b"PK\x05\x06";
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";

pub fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(&LOCAL) || bytes.starts_with(&END)
}

/// Name and content of every file in the archive for which `keep` says so after its first 132 bytes.
pub fn files(
    archive: &[u8],
    limits: &Limits,
    keep: impl Fn(&[u8]) -> bool,
) -> Result<Vec<(String, Vec<u8>)>, ZipError> {
    let entries = entries(archive)?;
    let bytes: u64 = entries.iter().map(|entry| u64::from(entry.size)).sum();
    let limit = limits.max_bytes.min((archive.len() as u64).saturating_mul(MOST_RATIO).max(ALWAYS));
    if bytes > limit {
        return Err(ZipError::TooLarge { bytes, limit });
    }
    let mut files = Vec::new();
    for entry in entries {
        let mut head = Vec::new();
        // What cannot be inflated is refused below, if it is wanted at all.
        let _ = entry.open(archive)?.take(132).read_to_end(&mut head);
        if keep(&head) {
            files.push((entry.name.clone(), entry.read(archive)?));
        }
    }
    Ok(files)
}

struct Entry {
    name: String,
    method: u16,
    stored: u32,
    size: u32,
    at: u32,
}

impl Entry {
    fn open<'a>(&self, archive: &'a [u8]) -> Result<Box<dyn Read + 'a>, ZipError> {
        let wrong = |what| ZipError::File { name: self.name.clone(), what };
        let local = archive.get(self.at as usize..).filter(|local| local.starts_with(&LOCAL));
        let local = local.ok_or_else(|| wrong("its place in the archive holds no file"))?;
        let lengths = word(local, 26).zip(word(local, 28)).ok_or_else(|| wrong("its header is cut off"))?;
        let start = 30 + usize::from(lengths.0) + usize::from(lengths.1);
        let stored = local.get(start..).and_then(|rest| rest.get(..self.stored as usize));
        let stored = stored.ok_or_else(|| wrong("it is cut off"))?;
        match self.method {
            0 => Ok(Box::new(stored)),
            8 => Ok(Box::new(DeflateDecoder::new(stored))),
            _ => Err(wrong("it is neither stored nor deflated")),
        }
    }

    /// No more than the size promised is inflated.
    fn read(&self, archive: &[u8]) -> Result<Vec<u8>, ZipError> {
        let wrong = |what| ZipError::File { name: self.name.clone(), what };
        let mut content = Vec::new();
        let reader = self.open(archive)?.take(u64::from(self.size) + 1);
        std::io::BufReader::new(reader)
            .read_to_end(&mut content)
            .map_err(|_| wrong("its deflated data are damaged"))?;
        if content.len() == self.size as usize {
            Ok(content)
        } else {
            Err(wrong("it is not as long as the archive says"))
        }
    }
}

/// The files of the central directory, by name; folders are left out.
fn entries(archive: &[u8]) -> Result<Vec<Entry>, ZipError> {
    // A comment of up to 65,535 bytes may follow the end record of 22.
    let tail = archive.len().saturating_sub(22 + 65_535);
    let end = (tail..archive.len().saturating_sub(21)).rev().find(|&at| archive[at..].starts_with(&END));
    let end = &archive[end.ok_or(ZipError::Damaged("no end of its list of files"))?..];
    let (count, start) = word(end, 10).zip(long(end, 16)).ok_or(ZipError::Damaged("its end is cut off"))?;
    let mut rest = archive.get(start as usize..).ok_or(ZipError::Damaged("its list of files lies outside"))?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let cut = ZipError::Damaged("its list of files is cut off");
        if !rest.starts_with(&ENTRY) {
            return Err(cut);
        }
        let words = |at| word(rest, at).ok_or(ZipError::Damaged("its list of files is cut off"));
        let longs = |at| long(rest, at).ok_or(ZipError::Damaged("its list of files is cut off"));
        let (name, extra, comment) = (usize::from(words(28)?), usize::from(words(30)?), usize::from(words(32)?));
        let text = String::from_utf8_lossy(rest.get(46..46 + name).ok_or(cut.clone())?).into_owned();
        let (method, stored, size, at) = (words(10)?, longs(20)?, longs(24)?, longs(42)?);
        let text = osteon_base::text::clean(&text).into_owned();
        if words(8)? & 1 == 1 {
            return Err(ZipError::File { name: text, what: "it is encrypted" });
        }
        rest = rest.get(46 + name + extra + comment..).ok_or(cut)?;
        if !text.ends_with('/') {
            entries.push(Entry { name: text, method, stored, size, at });
        }
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}
