//! Where the voxels of a file lie, and how its bytes become numbers.

use std::io::{ErrorKind, Read};

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use crate::grid::Element;
use crate::read::ReadError;

/// How voxels are stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub element: Element,
    pub order: Order,
    /// Whether a gzip stream begins at the file's start, at the voxels, or nowhere; MetaImage's is zlib's.
    pub gzip: Gzip,
    pub skip: Skip,
    /// Stored value times `slope` plus `intercept` is the intensity.
    pub slope: f64,
    pub intercept: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    LittleEndian,
    BigEndian,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gzip {
    None,
    File,
    Voxels,
    Zlib,
}

/// What stands before the voxels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// So many bytes of the stored file, then, after a gzip stream was opened, so many of its content.
    Bytes { stored: u64, content: u64 },
    /// The voxels are the last bytes of the file.
    AllButVoxels { bytes: u64 },
}

/// Bytes that are decoded at a time: they fit a processor's nearest memory.
const CHUNK: usize = 1 << 14;

/// Bytes that one byte of a deflate stream gives at most (258 for two bits).
const DEFLATE_RATIO: usize = 1032;

impl Layout {
    pub fn is_scaled(&self) -> bool {
        self.slope != 1.0 || self.intercept != 0.0
    }

    /// The number type of intensities: ITK holds what it scaled in single precision.
    pub fn intensity(&self) -> Element {
        match self.element {
            Element::F64 => Element::F64,
            _ if self.is_scaled() => Element::F32,
            stored => stored,
        }
    }

    /// The content from the first voxel on, and the most bytes that it can have.
    pub fn open<'a>(&self, file: &'a [u8]) -> Result<(Box<dyn Read + 'a>, usize), ReadError> {
        let (stored, content) = match self.skip {
            Skip::Bytes { stored, content } => (stored, content),
            Skip::AllButVoxels { bytes } => ((file.len() as u64).saturating_sub(bytes), 0),
        };
        let rest = usize::try_from(stored).ok().and_then(|stored| file.get(stored..)).unwrap_or_default();
        let mut reader: Box<dyn Read> = match self.gzip {
            Gzip::None => Box::new(rest),
            Gzip::File | Gzip::Voxels => Box::new(MultiGzDecoder::new(rest)),
            Gzip::Zlib => Box::new(ZlibDecoder::new(rest)),
        };
        std::io::copy(&mut reader.by_ref().take(content), &mut std::io::sink()).map_err(gzip_error)?;
        let most = if self.gzip == Gzip::None { rest.len() } else { rest.len().saturating_mul(DEFLATE_RATIO) };
        Ok((reader, most))
    }

    /// Appends `keep(intensity)` of every voxel; errors unless the bytes are exactly those of `shape`.
    pub fn decode<T>(
        &self,
        (mut reader, most): (impl Read, usize),
        shape: [usize; 3],
        cells: &mut Vec<T>,
        mut keep: impl FnMut(f64) -> T,
    ) -> Result<(), ReadError> {
        let (width, intensity) = (self.element.bytes(), self.intensity());
        let expected = shape.iter().product::<usize>() * width;
        cells.reserve_exact(expected.min(most) / width);
        let (mut buffer, mut values, mut found) = (vec![0; CHUNK], Vec::with_capacity(CHUNK), 0);
        while found < expected {
            let chunk = &mut buffer[..CHUNK.min(expected - found)];
            let filled = fill(&mut reader, chunk)?;
            if filled < chunk.len() {
                return Err(ReadError::Truncated { found: (found + filled) as u64, expected: expected as u64 });
            }
            values.clear();
            numbers(chunk, self.element, self.order, &mut values);
            for &stored in &values {
                let value =
                    if self.is_scaled() { intensity.cast(stored * self.slope + self.intercept) } else { stored };
                if !value.is_finite() {
                    return Err(not_finite(cells.len(), shape, value));
                }
                cells.push(keep(value));
            }
            found += filled;
        }
        // One read past the end also makes gzip check its sums.
        match fill(&mut reader, &mut buffer[..1])? {
            0 => Ok(()),
            _ => Err(ReadError::Trailing { expected: expected as u64 }),
        }
    }
}

/// Reads until the buffer is full or the content ends; tells how far it came.
pub fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize, ReadError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => break,
            Err(cause) => return Err(gzip_error(cause)),
        }
    }
    Ok(filled)
}

fn gzip_error(cause: std::io::Error) -> ReadError {
    ReadError::Gzip(cause.to_string())
}

fn not_finite(at: usize, [_, ny, nx]: [usize; 3], value: f64) -> ReadError {
    ReadError::NotFinite { x: at % nx, y: at / nx % ny, z: at / nx / ny, value }
}

/// Appends the numbers that `bytes` store.
fn numbers(bytes: &[u8], element: Element, order: Order, values: &mut Vec<f64>) {
    macro_rules! every {
        ($number:ty) => {
            values.extend(bytes.chunks_exact(size_of::<$number>()).map(|chunk| {
                let chunk = chunk.try_into().expect("a chunk has the width of its number");
                match order {
                    Order::LittleEndian => <$number>::from_le_bytes(chunk) as f64,
                    Order::BigEndian => <$number>::from_be_bytes(chunk) as f64,
                }
            }))
        };
    }
    match element {
        Element::U8 => every!(u8),
        Element::I8 => every!(i8),
        Element::U16 => every!(u16),
        Element::I16 => every!(i16),
        Element::U32 => every!(u32),
        Element::I32 => every!(i32),
        Element::U64 => every!(u64),
        Element::I64 => every!(i64),
        Element::F32 => every!(f32),
        Element::F64 => every!(f64),
    }
}
