//! Tables as papers print them: read from any file a person has, and understood cell by cell.
//!
//! A file becomes grids of texts with places (`html`, `docx`, `latex`, `markdown`, `aligned`,
//! `delimited`); a grid's structure is found
//! (`header`, `columns`, `rows`), every cell is read by its own text and by what its row and column say (`value`,
//! `emit`), and a person may correct the roles in a small TOML beside the file (`correction`). Nothing refuses a table:
//! what is not understood is counted and named.

mod aligned;
mod beside;
mod blocks;
mod columns;
pub mod correction;
mod delimited;
mod docx;
pub(crate) mod emit;
mod encoding;
pub mod grid;
mod header;
mod html;
mod latex;
mod markdown;
mod markup;
mod matrix;
mod mend;
mod models;
mod prose;
mod rows;
mod said;
pub mod shown;
pub mod slashes;
mod spans;
pub mod statements;
mod summaries;
mod terms;
mod tokens;
pub mod value;
pub mod words;

use osteon_base::cells::{self, CellsError};

use crate::cells::PublishedCell;
use crate::read::correction::Correction;
use crate::read::grid::Grid;

/// What a file may have at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// Bytes of the file.
    pub max_bytes: usize,
    /// Text of a document or workbook once unpacked.
    pub max_inflated: usize,
}

impl Default for Params {
    fn default() -> Params {
        Params { max_bytes: 64 << 20, max_inflated: 256 << 20 }
    }
}

/// Why a file has no table.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{found} bytes, expected at most {limit}")]
    Bytes { found: usize, limit: usize },
    #[error("the document unpacks to more than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the document cannot be read: {why}")]
    Document { why: String },
    #[error("no table with numbers; expected HTML, JATS XML, DOCX, LaTeX, Markdown, aligned text, TSV, CSV or XLSX")]
    NoTable,
    #[error(transparent)]
    Cells(#[from] CellsError),
    #[error(transparent)]
    Correction(#[from] correction::CorrectionError),
    #[error(transparent)]
    Tidy(#[from] crate::error::ReconcileError),
}

/// A table as it was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub file: String,
    /// Number of the table in its file, from 1.
    pub number: usize,
    /// How findings call it: `3` of `Table 3. ...`, the file's name otherwise.
    pub name: String,
    pub title: String,
    /// Empty for a tidy file.
    pub grid: Grid,
    /// What each column and row is, in order.
    pub said: Vec<Said>,
    /// The cells that were read.
    pub cells: Vec<PublishedCell>,
    /// Cells with numbers that were not: line, column, text.
    pub unread: Vec<(usize, usize, String)>,
}

/// What a column or row was taken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub of: Of,
    /// Column, or line of the row; from 1.
    pub at: usize,
    pub heading: String,
    /// In words.
    pub role: String,
    /// As a correction names it; empty where it has no name.
    pub key: String,
    /// The groups that a P can be of.
    pub pair: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Column,
    Row,
}

/// All tables with numbers of a file, as they are understood; `file` names it in places and tells nothing else.
pub fn read(bytes: &[u8], file: &str, correction: &Correction, params: &Params) -> Result<Vec<Reading>, ReadError> {
    if let Some(tidy) = tidy(bytes) {
        return Ok(tidy_readings(crate::cells::read(&tidy)?, file));
    }
    let name = file.to_lowercase();
    if let Some(kind) = ["docx", "xlsx"].into_iter().find(|it| name.ends_with(&format!(".{it}")))
        && !bytes.starts_with(b"PK")
    {
        let why = format!("it is no ZIP archive, as {} files are: save it again", kind.to_uppercase());
        return Err(ReadError::Document { why });
    }
    let grids = grids(bytes, params)?;
    let total = grids.len();
    let texts = grids.iter().flat_map(|it| &it.rows).flat_map(|it| &it.cells).map(|it| it.text.as_str());
    let is_decimal = value::has_decimal_commas(texts);
    let mut readings = Vec::new();
    for (at, grid) in grids.into_iter().enumerate() {
        let correction = correction.table(at + 1);
        readings.push(emit::understand(grid, file, [at + 1, total], correction, is_decimal));
    }
    if readings.is_empty() {
        return Err(ReadError::NoTable);
    }
    readings.extend(stated(bytes, file, &readings, params));
    Ok(readings)
}

/// What the sentences around the tables state of what these hold, as one more table; `None` where they state nothing.
fn stated(bytes: &[u8], file: &str, readings: &[Reading], params: &Params) -> Option<Reading> {
    let known: Vec<PublishedCell> = readings.iter().flat_map(|it| it.cells.clone()).collect();
    let cells = statements::statements(&prose::paragraphs(bytes, params), &known, file);
    (!cells.is_empty()).then(|| Reading {
        file: file.to_owned(),
        number: readings.len() + 1,
        name: statements::TEXT.to_owned(),
        title: "statements of the text".to_owned(),
        grid: Grid::default(),
        said: Vec::new(),
        cells,
        unread: Vec::new(),
    })
}

/// All tables with numbers of a file, as they stand there; a table that a page shows twice is given once.
pub fn grids(bytes: &[u8], params: &Params) -> Result<Vec<Grid>, ReadError> {
    if bytes.len() > params.max_bytes {
        return Err(ReadError::Bytes { found: bytes.len(), limit: params.max_bytes });
    }
    if let Some((text, note)) =
        encoding::chinese(bytes).filter(|_| markup(bytes).is_none() && !bytes.starts_with(b"PK"))
    {
        let mut found = self::grids(text.as_bytes(), params)?;
        found.iter_mut().for_each(|grid| grid.notes.push(note.clone()));
        return Ok(found);
    }
    let mut grids = if is_document(bytes) {
        docx::tables(&docx::document(bytes, params.max_inflated)?)
    } else if let Some((text, note)) = markup(bytes) {
        let mut grids = html::tables(&text);
        grids.iter_mut().for_each(|grid| grid.notes.extend(note.clone()));
        grids
    } else if let Some(text) = text_of(bytes, latex::is_latex) {
        latex::tables(text)
    } else if let Some(text) = text_of(bytes, markdown::is_markdown) {
        markdown::tables(text)
    } else if let Some(text) = text_of(bytes, aligned::is_aligned) {
        aligned::tables(text)
    } else {
        let params = cells::Params {
            max_bytes: params.max_bytes,
            max_inflated: params.max_inflated,
            max_cells: grid::MOST_CELLS,
            ..cells::Params::default()
        };
        delimited::tables(bytes, &params)?
    };
    grids.retain(|grid| grid.has_numbers() && grid.rows.len() > 1 && grid.width() > 1);
    let mut kept: Vec<Grid> = Vec::new();
    for grid in grids {
        let same = |other: &Grid| {
            other.rows.len() == grid.rows.len()
                && other
                    .rows
                    .iter()
                    .zip(&grid.rows)
                    .all(|(a, b)| a.cells.iter().map(|it| &it.text).eq(b.cells.iter().map(|it| &it.text)))
        };
        if !kept.iter().any(same) {
            kept.push(grid);
        }
    }
    Ok(kept)
}

/// The text of a file that is of a kind.
fn text_of(bytes: &[u8], is_kind: fn(&str) -> bool) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text)).filter(|text| is_kind(text))
}

fn is_document(bytes: &[u8]) -> bool {
    let name = b"word/document.xml";
    bytes.starts_with(b"PK\x03\x04") && bytes.windows(name.len()).any(|window| window == name)
}

/// The text of HTML or XML, and what was assumed of its encoding.
fn markup(bytes: &[u8]) -> Option<(String, Option<String>)> {
    let is_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let rest = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
    if rest[first] != b'<' && !is_utf16 {
        return None;
    }
    let (text, note) = encoding::text(bytes);
    if !text.trim_start().starts_with('<') {
        return None;
    }
    let head: String = text.chars().take(4096).collect::<String>().to_lowercase();
    ["<!doctype", "<html", "<?xml", "<table", "<article", "<head", "<body", "<div", "<!--", "<p", "<section"]
        .iter()
        .any(|tag| head.contains(tag))
        .then_some((text, note))
}

/// The text of a tidy file: its first line has the columns table, row, column and printed.
fn tidy(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next()?.replace('"', "").to_lowercase();
    let names: Vec<&str> = first.split(',').map(str::trim).collect();
    ["table", "row", "column", "printed"].iter().filter(|it| names.contains(it)).count().ge(&3).then(|| text.to_owned())
}

/// One reading for each table of a tidy file.
fn tidy_readings(cells: Vec<PublishedCell>, file: &str) -> Vec<Reading> {
    let mut readings: Vec<Reading> = Vec::new();
    for mut cell in cells {
        cell.source.file = file.to_owned();
        let at = readings.iter().position(|it| it.name == cell.place.table).unwrap_or_else(|| {
            readings.push(Reading {
                file: file.to_owned(),
                number: readings.len() + 1,
                name: cell.place.table.clone(),
                title: String::new(),
                grid: Grid::default(),
                said: Vec::new(),
                cells: Vec::new(),
                unread: Vec::new(),
            });
            readings.len() - 1
        });
        readings[at].cells.push(cell);
    }
    readings
}
