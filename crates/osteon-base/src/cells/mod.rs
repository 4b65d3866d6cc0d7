//! One reader of grids of cells: CSV, TSV, semicolons and pipes in UTF-8 or UTF-16, and XLSX workbooks.
//!
//! Whatever a file is, it becomes a [`Grid`]: rows of trimmed texts, each with the line and column where it stands.
//! What had to be understood on the way (separator, encoding, sheet, percentages) is told in [`Grid::notes`].

mod decode;
mod error;
mod place;
mod scan;
mod separator;
mod workbook;

pub use error::CellsError;
pub use place::{Note, Place};
pub use separator::Separator;

/// What the reader is told beforehand, and what it refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// `None`: found from the first records.
    pub separator: Option<Separator>,
    /// `None`: the first visible sheet with cells.
    pub sheet: Option<String>,
    /// Size of the file.
    pub max_bytes: usize,
    /// Cells with the empty ones between them.
    pub max_cells: usize,
    /// XML of a workbook, and text of its cells: a string that many cells share counts for each.
    pub max_inflated: usize,
}

impl Default for Params {
    fn default() -> Params {
        Params { separator: None, sheet: None, max_bytes: 64 << 20, max_cells: 20_000_000, max_inflated: 256 << 20 }
    }
}

/// Rows of cells. Lines without any character, and rows of a sheet without any cell, are no rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// The texts of all cells, one after another.
    text: String,
    spans: Vec<Span>,
    rows: Vec<Line>,
    /// The sheet of a workbook that was read.
    pub sheet: Option<String>,
    /// What was read differently than it stands in the file.
    pub notes: Vec<Note>,
}

/// Where a cell's text stands in `Grid::text`, and on which line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
    line: u32,
}

/// Line on which a row begins, and the position of its first cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    line: u32,
    first: usize,
}

/// One row of a grid.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    text: &'a str,
    spans: &'a [Span],
    /// Line of the file on which the row begins, or row of the sheet; from 1.
    pub line: usize,
}

/// One cell of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell<'a> {
    /// Without the white space and the invisible characters around it.
    pub text: &'a str,
    /// Line of the file on which the cell begins (a quoted cell before it may hold lines), or row of the sheet; from 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
}

/// Reads the bytes of a file, whatever its name: a workbook is known by its first bytes.
pub fn read(bytes: &[u8], params: &Params) -> Result<Grid, CellsError> {
    if bytes.len() > params.max_bytes {
        return Err(CellsError::Bytes { found: bytes.len(), limit: params.max_bytes });
    }
    decode::refuse_other_formats(bytes)?;
    if bytes.starts_with(b"PK\x03\x04") {
        return workbook::read(bytes, params);
    }
    let (text, mut notes) = decode::decode(bytes)?;
    let (separator, body, line) = separator::find(&text, params.separator, &mut notes);
    let grid = scan::scan(body, separator, line, params.max_cells)?;
    notes.extend(grid.notes);
    Ok(Grid { notes, ..grid })
}

impl Grid {
    /// All rows, the header first.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.rows.len()).map(|at| self.row(at))
    }

    /// The first row with a text, and the rows with a text below it.
    ///
    /// Empty cells at the right end of the header are cut off: spreadsheets write them for columns once used.
    pub fn headed(&self) -> Option<(Row<'_>, impl Iterator<Item = Row<'_>>)> {
        let mut rows = self.rows().filter(|row| !row.is_blank());
        let header = rows.next()?;
        let width = header.texts().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
        Some((Row { spans: &header.spans[..width], ..header }, rows))
    }

    /// Where a cell stands, as a message names it.
    pub fn place(&self, cell: &Cell) -> Place {
        match &self.sheet {
            None => Place::Text { line: cell.line, column: cell.column },
            Some(sheet) => Place::Sheet { sheet: sheet.clone(), row: cell.line, column: cell.column },
        }
    }

    fn row(&self, at: usize) -> Row<'_> {
        let Line { line, first } = self.rows[at];
        let end = self.rows.get(at + 1).map_or(self.spans.len(), |next| next.first);
        Row { text: &self.text, spans: &self.spans[first..end], line: line as usize }
    }
}

impl<'a> Row<'a> {
    /// Number of cells.
    #[allow(clippy::len_without_is_empty, reason = "a row has a cell")]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether no cell has a text.
    pub fn is_blank(&self) -> bool {
        self.spans.iter().all(|span| span.start == span.end)
    }

    /// The cell at a position from 0; `None` right of the last.
    pub fn cell(&self, at: usize) -> Option<Cell<'a>> {
        let span = self.spans.get(at)?;
        let text = &self.text[span.start as usize..span.end as usize];
        Some(Cell { text, line: span.line as usize, column: at + 1 })
    }

    /// The text at a position from 0; empty right of the last cell.
    pub fn text(&self, at: usize) -> &'a str {
        self.cell(at).map_or("", |cell| cell.text)
    }

    /// The cells from left to right.
    pub fn cells(&self) -> impl ExactSizeIterator<Item = Cell<'a>> + DoubleEndedIterator + use<'a> {
        let row = *self;
        (0..row.len()).map(move |at| row.cell(at).expect("the position is below the length"))
    }

    /// The texts from left to right.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &'a str> + DoubleEndedIterator + use<'a> {
        self.cells().map(|cell| cell.text)
    }

    /// The row with as many cells as its header; empty cells right of these are cut off. `None` when cells are missing,
    /// or when one right of the header has a text.
    pub fn fitted(&self, width: usize) -> Option<Row<'a>> {
        let (kept, surplus) = self.spans.split_at_checked(width)?;
        surplus.iter().all(|span| span.start == span.end).then_some(Row { spans: kept, ..*self })
    }
}
