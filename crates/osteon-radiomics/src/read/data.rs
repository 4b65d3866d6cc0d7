//! Where the voxels of a file lie, and how its bytes become numbers.

use std::io::{ErrorKind, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::GzDecoder;
use flate2::read::ZlibDecoder;

use crate::grid::Element;
use crate::read::ReadError;

/// How voxels are stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub element: Element,
    pub order: Order,
    /// Whether a compressed stream begins at the file's start, at the voxels, or nowhere; MetaImage's is zlib's.
    pub gzip: Gzip,
    pub coding: Coding,
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
    /// At the start of a file that stands beside its header, if its first bytes say so.
    AsFound,
    Zlib,
    /// bzip2 from the voxels on.
    Bzip2,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Binary,
    /// Decimal numbers between white space or commas.
    Text,
    /// Two hexadecimal digits a byte.
    Hex,
}

/// What stands before the voxels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// So many bytes of the stored file, then, after a gzip stream was opened, so many of its content.
    Bytes { stored: u64, content: u64 },
    /// So many lines from a place of the stored file on, then so many bytes of what follows, once it is inflated.
    Lines { start: u64, lines: u64, bytes: u64 },
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
            Skip::Lines { start, lines, bytes } => (behind_lines(file, start, lines), bytes),
            Skip::AllButVoxels { bytes } => ((file.len() as u64).saturating_sub(bytes), 0),
        };
        let rest = usize::try_from(stored).ok().and_then(|stored| file.get(stored..)).unwrap_or_default();
        let mut reader: Box<dyn Read> = match self.gzip {
            Gzip::None => Box::new(rest),
            Gzip::AsFound if !rest.starts_with(&crate::read::GZIP) => Box::new(rest),
            Gzip::File | Gzip::Voxels | Gzip::AsFound => Box::new(Members::new(rest)),
            Gzip::Zlib => Box::new(ZlibDecoder::new(rest)),
            Gzip::Bzip2 => Box::new(MultiBzDecoder::new(rest)),
        };
        std::io::copy(&mut reader.by_ref().take(content), &mut std::io::sink()).map_err(gzip_error)?;
        if self.coding != Coding::Binary {
            let bytes = unfold(rest, self)?;
            let most = bytes.len();
            return Ok((Box::new(std::io::Cursor::new(bytes)), most));
        }
        let most = if self.gzip == Gzip::None { rest.len() } else { rest.len().saturating_mul(DEFLATE_RATIO) };
        Ok((reader, most))
    }

    /// The bytes of so many numbers of one file, and whether its content goes on. Numbers that are written as text are
    /// turned into bytes.
    pub fn bytes(&self, file: &[u8], n_numbers: usize) -> Result<(Vec<u8>, bool), ReadError> {
        let expected = n_numbers * self.element.bytes();
        let (mut reader, most) = self.open(file)?;
        let mut bytes = Vec::new();
        bytes.reserve_exact(expected.min(most));
        let found = reader.by_ref().take(expected as u64).read_to_end(&mut bytes);
        match found {
            Ok(found) if found == expected => (),
            Err(cause) if cause.kind() != ErrorKind::UnexpectedEof => return Err(gzip_error(cause)),
            _ => return Err(ReadError::Truncated { found: bytes.len() as u64, expected: expected as u64 }),
        }
        Ok((bytes, fill(&mut reader, &mut [0])? > 0))
    }

    /// Calls `each(intensity)` for so many numbers; errors when there are fewer, and tells whether the content goes on.
    pub fn decode(
        &self,
        mut reader: impl Read,
        n_numbers: usize,
        mut each: impl FnMut(f64),
    ) -> Result<bool, ReadError> {
        let (width, intensity) = (self.element.bytes(), self.intensity());
        let expected = n_numbers * width;
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
                each(value);
            }
            found += filled;
        }
        // One read past the end also makes gzip check its sums.
        Ok(fill(&mut reader, &mut buffer[..1])? > 0)
    }
}

/// The place in a file behind so many lines.
fn behind_lines(file: &[u8], start: u64, lines: u64) -> u64 {
    let mut at = usize::try_from(start).unwrap_or(file.len()).min(file.len());
    for _ in 0..lines {
        let Some(length) = file[at..].iter().position(|&byte| byte == b'\n') else { return file.len() as u64 };
        at += length + 1;
    }
    at as u64
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

/// The content of gzip members that follow each other; what comes behind the last (zeros up to a block's end) is none.
pub struct Members<'a>(Option<GzDecoder<&'a [u8]>>);

impl<'a> Members<'a> {
    pub fn new(bytes: &'a [u8]) -> Members<'a> {
        Members(Some(GzDecoder::new(bytes)))
    }
}

impl Read for Members<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let found = member.read(buffer)?;
            if found > 0 || buffer.is_empty() {
                return Ok(found);
            }
            let rest = *member.get_ref();
            self.0 = rest.starts_with(&crate::read::GZIP).then(|| GzDecoder::new(rest));
        }
        Ok(0)
    }
}

/// Numbers that are written as text, as bytes of the layout's element and order.
fn unfold(text: &[u8], layout: &Layout) -> Result<Vec<u8>, ReadError> {
    let wrong = |word: &[u8]| ReadError::Field {
        field: "a voxel",
        found: word[..word.len().min(40)].escape_ascii().to_string(),
        expected: "a number of the header's type and encoding",
    };
    let mut bytes = Vec::new();
    if layout.coding == Coding::Hex {
        let digits: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        for pair in digits.chunks(2) {
            let digit =
                |at: usize| pair.get(at).and_then(|&byte| char::from(byte).to_digit(16)).ok_or_else(|| wrong(pair));
            bytes.push((digit(0)? * 16 + digit(1)?) as u8);
        }
        return Ok(bytes);
    }
    for word in text.split(|byte| byte.is_ascii_whitespace() || *byte == b',').filter(|word| !word.is_empty()) {
        let number = std::str::from_utf8(word).ok().and_then(|word| encode(word, layout.element));
        let mut number = number.ok_or_else(|| wrong(word))?;
        if layout.order == Order::BigEndian {
            number.reverse();
        }
        bytes.extend(number);
    }
    Ok(bytes)
}

/// The bytes of a decimal number, least first; `None` when it is none of the type.
fn encode(word: &str, element: Element) -> Option<Vec<u8>> {
    macro_rules! bytes {
        ($number:ty) => {
            word.parse::<$number>().ok()?.to_le_bytes().to_vec()
        };
    }
    Some(match element {
        Element::U8 => bytes!(u8),
        Element::I8 => bytes!(i8),
        Element::U16 => bytes!(u16),
        Element::I16 => bytes!(i16),
        Element::U32 => bytes!(u32),
        Element::I32 => bytes!(i32),
        Element::U64 => bytes!(u64),
        Element::I64 => bytes!(i64),
        Element::F32 => bytes!(f32),
        Element::F64 => bytes!(f64),
    })
}

fn gzip_error(cause: std::io::Error) -> ReadError {
    ReadError::Gzip(cause.to_string())
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
