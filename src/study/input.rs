//! Files that the study reads: whole, of bounded size, images checked against their recorded hash.

use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::grid::{Image, Mask};
use crate::read::{self, Header, Label, Limits, Source};
use crate::study::Error;

/// No file that the study reads as text is larger.
const MAX_TEXT: u64 = 64 << 20;
/// A compressed image is never larger than the voxels it may hold, but for its header.
const MAX_IMAGE: u64 = (2 << 30) + (1 << 20);

/// An image file in memory: its bytes and, for a header that stands alone, those of its voxels.
pub struct ImageBytes {
    bytes: Vec<u8>,
    data: Option<Vec<u8>>,
    pub header: Header,
    /// SHA-256 of the bytes, the header's before the voxels'.
    pub sha256: String,
}

/// The bytes of a file of text.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    limited(path, MAX_TEXT)
}

/// A file of UTF-8 text.
pub fn text(path: &Path) -> Result<String, Error> {
    let wrong = |cause| Error::File { path: path.to_owned(), source: std::io::Error::other(cause) };
    String::from_utf8(bytes(path)?).map_err(wrong)
}

/// Reads an image file and checks its header.
pub fn image_bytes(path: &Path) -> Result<ImageBytes, Error> {
    let wrong = |source| Error::Image { path: path.to_owned(), source };
    let bytes = limited(path, MAX_IMAGE)?;
    let header = read::header(&bytes, &Limits::default()).map_err(wrong)?;
    let data = header.data_file.as_ref().map(|name| beside(&path.with_file_name(name))).transpose()?;
    let mut hash = Sha256::new();
    hash.update(&bytes);
    hash.update(data.as_deref().unwrap_or_default());
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(ImageBytes { bytes, data, header, sha256 })
}

impl ImageBytes {
    /// Size of the file or files.
    pub fn len(&self) -> u64 {
        (self.bytes.len() + self.data.as_ref().map_or(0, Vec::len)) as u64
    }

    pub fn image(&self, path: &Path) -> Result<Image, Error> {
        read::image(self.source(), &Limits::default()).map_err(|source| Error::Image { path: path.to_owned(), source })
    }

    pub fn mask(&self, path: &Path, label: Option<i64>) -> Result<Mask, Error> {
        let label = label.map_or(Label::AnyNonZero, Label::Value);
        read::mask(self.source(), label, &Limits::default())
            .map_err(|source| Error::Image { path: path.to_owned(), source })
    }

    fn source(&self) -> Source<'_> {
        Source { bytes: &self.bytes, data: self.data.as_deref() }
    }
}

/// The file that a header names; a symbolic link could lead anywhere.
fn beside(path: &Path) -> Result<Vec<u8>, Error> {
    if path.is_symlink() {
        let source = std::io::Error::other("a symbolic link, expected the file of the voxels");
        return Err(Error::File { path: path.to_owned(), source });
    }
    limited(path, MAX_IMAGE)
}

fn limited(path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let wrong = |source| Error::File { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(wrong)?;
    if !file.metadata().map_err(wrong)?.is_file() {
        return Err(wrong(std::io::Error::other("not a regular file")));
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > most {
        return Err(wrong(std::io::Error::other(format!("larger than {most} bytes"))));
    }
    Ok(bytes)
}
