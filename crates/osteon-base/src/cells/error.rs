//! Why bytes are no grid of cells.

use crate::cells::Place;

/// Why bytes are no grid of cells.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CellsError {
    #[error("{found} bytes, expected at most {limit}")]
    Bytes { found: usize, limit: usize },
    #[error("more than {limit} cells")]
    TooManyCells { limit: usize },
    #[error("the workbook unpacks to more than {limit} bytes")]
    TooMuchText { limit: usize },
    #[error("{found}, expected CSV or an Excel workbook (.xlsx)")]
    Format { found: &'static str },
    #[error("UTF-16 of an odd number of bytes: the file is cut off")]
    HalfUnit,
    #[error("line {line}: half of a UTF-16 surrogate pair")]
    Surrogate { line: usize },
    #[error("line {line}, column {column}: byte 0x{byte:02X} is not UTF-8; in Windows-1252 the word is {word:?}")]
    Encoding { line: usize, column: usize, byte: u8, word: String },
    #[error("{place}: a NUL character")]
    Nul { place: Place },
    #[error("line {line}, column {column}: the quote that opens here is not closed")]
    OpenQuote { line: usize, column: usize },
    #[error(
        "line {line}, column {column}: {found:?} follows a closing quote, expected a separator or the end of the line"
    )]
    AfterQuote { line: usize, column: usize, found: String },
    #[error("the workbook cannot be read: {0}")]
    Workbook(String),
    #[error("no sheet {name}; the sheets are {}", sheets.join(", "))]
    NoSheet { name: String, sheets: Vec<String> },
    #[error("{place}: outside the 1,048,576 rows and 16,384 columns of a sheet")]
    Outside { place: Place },
    #[error("{place}: a formula without a stored value")]
    NoValue { place: Place },
}

impl CellsError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            CellsError::Encoding { .. } | CellsError::Surrogate { .. } | CellsError::HalfUnit => {
                Some("save the file as CSV UTF-8")
            }
            CellsError::Format { .. } | CellsError::Nul { .. } => Some("save the file as CSV UTF-8 or as .xlsx"),
            CellsError::OpenQuote { .. } | CellsError::AfterQuote { .. } => {
                Some("a quote inside a quoted cell is written twice: \"5\"\" nail\"")
            }
            CellsError::NoValue { .. } => Some("open the workbook in a spreadsheet program and save it there"),
            CellsError::Workbook(_) => Some("open the workbook in a spreadsheet program and save it as CSV UTF-8"),
            _ => None,
        }
    }
}
