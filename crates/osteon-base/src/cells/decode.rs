//! Bytes as text: UTF-8 with or without a mark, UTF-16 with one, or without where the zero bytes tell the order.

use std::borrow::Cow;

use crate::cells::{CellsError, Note, Place, scan, separator};

/// First bytes of files that are often given in place of a table.
const OTHERS: [(&[u8], &str); 8] = [
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "an old Excel workbook (.xls), or one protected by a password"),
    (b"\x1F\x8B", "a compressed file (gzip)"),
    (b"$FL2", "an SPSS file (.sav)"),
    (b"$FL3", "an SPSS file (.zsav)"),
    (b"<stata_dta>", "a Stata file (.dta)"),
    (b"%PDF", "a PDF"),
    (b"\xFF\xFE\0\0", "UTF-32"),
    (b"\0\0\xFE\xFF", "UTF-32"),
];

/// Refuses what is known to be something else by its first bytes.
pub fn refuse_other_formats(bytes: &[u8]) -> Result<(), CellsError> {
    let known = OTHERS.iter().find(|(start, _)| bytes.starts_with(start)).map(|&(_, found)| found);
    let begins = |tag: &str| {
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start();
        text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
    };
    // Web applications write their "Excel" files as HTML or XML.
    let markup = ["<html", "<!doctype", "<table", "<?xml"].into_iter().any(begins).then_some("HTML or XML");
    match known.or(markup) {
        Some(found) => Err(CellsError::Format { found }),
        None => Ok(()),
    }
}

/// The text of a file, without its byte order mark.
pub fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Vec<Note>), CellsError> {
    let (text, notes) = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => (utf8(rest)?, vec![Note::ByteOrderMark]),
        [0xFF, 0xFE, rest @ ..] => (utf16(rest, u16::from_le_bytes)?, vec![Note::Utf16]),
        [0xFE, 0xFF, rest @ ..] => (utf16(rest, u16::from_be_bytes)?, vec![Note::Utf16]),
        _ => match order_without_mark(bytes) {
            Some(order) => (utf16(bytes, order)?, vec![Note::Utf16]),
            None => (utf8(bytes)?, Vec::new()),
        },
    };
    match text.find('\0') {
        Some(at) => Err(CellsError::Nul { place: place_of(&text[..at]) }),
        None => Ok((text, notes)),
    }
}

/// The byte order of UTF-16 without a mark: headers are mostly ASCII, so that every other byte is zero.
fn order_without_mark(bytes: &[u8]) -> Option<fn([u8; 2]) -> u16> {
    let start = &bytes[..bytes.len().min(4096) & !1];
    let zeros = |odd: usize| start.iter().skip(odd).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    // A quarter of all bytes, and few on the other side: U+4E00 has a zero byte there.
    let most = |zeros: usize, other: usize| zeros > 4 * other && zeros * 4 >= start.len();
    if most(odd, even) {
        Some(u16::from_le_bytes)
    } else if most(even, odd) {
        Some(u16::from_be_bytes)
    } else {
        None
    }
}

fn utf16(bytes: &[u8], order: fn([u8; 2]) -> u16) -> Result<Cow<'_, str>, CellsError> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(CellsError::HalfUnit);
    }
    let mut text = String::with_capacity(units.len());
    for unit in char::decode_utf16(units.iter().map(|&unit| order(unit))) {
        text.push(unit.map_err(|_| CellsError::Surrogate { line: 1 + line_ends(&text) })?);
    }
    Ok(text.into())
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, CellsError> {
    std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|cause| {
        let at = cause.valid_up_to();
        let shown = |bytes: &[u8]| bytes.iter().map(|&byte| windows_1252(byte)).collect::<String>();
        // As many letters on either side as a word may have.
        let (before, after) = (shown(&bytes[at.saturating_sub(20)..at]), shown(&bytes[at..bytes.len().min(at + 20)]));
        let head: String = before.chars().rev().take_while(|c| c.is_alphanumeric()).collect();
        let tail = after.chars().enumerate().take_while(|(n, c)| *n == 0 || c.is_alphanumeric()).map(|(_, c)| c);
        let word = head.chars().rev().chain(tail).collect();
        let prefix = std::str::from_utf8(&bytes[..at]).expect("valid up to here");
        let (line, column) = match place_of(prefix) {
            Place::Text { line, column } | Place::Sheet { row: line, column, .. } => (line, column),
        };
        CellsError::Encoding { line, column, byte: bytes[at], word }
    })
}

/// The cell in which a text breaks off.
fn place_of(text: &str) -> Place {
    let (separator, body, line) = separator::find(text, None, &mut Vec::new());
    scan::last_place(body, separator, line)
}

fn line_ends(text: &str) -> usize {
    text.matches('\n').count()
}

/// The character of a byte in Windows-1252; the five bytes without one give the replacement character.
/// Source: <https://encoding.spec.whatwg.org/index-windows-1252.txt>.
fn windows_1252(byte: u8) -> char {
    const FROM_128: [char; 32] = [
        '€', '\u{fffd}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{fffd}', 'Ž', '\u{fffd}',
        '\u{fffd}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{fffd}', 'ž', 'Ÿ',
    ];
    match byte {
        128..=159 => FROM_128[usize::from(byte) - 128],
        _ => char::from(byte),
    }
}
