//! Text as records of cells (RFC 4180, with any line ending and any of the separators).
//!
//! Own code, for the crate `csv` tells no line for a cell, counts no carriage returns as lines, and takes an open
//! quote or text behind a closing one without a word.

use crate::cells::{CellsError, Grid, Line, Note, Place, Separator, Span};

/// All records of a text that begins on `line`.
pub fn scan(text: &str, separator: Separator, line: usize, max_cells: usize) -> Result<Grid, CellsError> {
    let mut scanner = Scanner { text, separator: separator.byte(), at: 0, line };
    let mut grid = Grid::default();
    let (mut formulas, mut first) = (0, None);
    while let Some(begin) = scanner.record()? {
        let before = grid.spans.len();
        grid.rows.push(Line { line: begin as u32, first: before });
        loop {
            let cell = scanner.cell(grid.spans.len() - before + 1, &mut grid.text)?;
            if cell.as_formula {
                formulas += 1;
                first.get_or_insert(Place::Text { line: cell.line, column: grid.spans.len() - before + 1 });
            }
            grid.spans.push(Span { start: cell.start as u32, end: grid.text.len() as u32, line: cell.line as u32 });
            if grid.spans.len() > max_cells {
                return Err(CellsError::TooManyCells { limit: max_cells });
            }
            if cell.last {
                break;
            }
        }
    }
    grid.notes.extend(first.map(|first| Note::AsFormula { cells: formulas, first }));
    Ok(grid)
}

/// Number of cells of each of the first records; those behind an error are left out.
pub fn widths(text: &str, separator: Separator, records: usize) -> Vec<usize> {
    let mut scanner = Scanner { text, separator: separator.byte(), at: 0, line: 1 };
    let (mut widths, mut cells) = (Vec::new(), String::new());
    while widths.len() < records && matches!(scanner.record(), Ok(Some(_))) {
        let mut width = 1;
        loop {
            cells.clear();
            match scanner.cell(width, &mut cells) {
                Ok(cell) if cell.last => break,
                Ok(_) => width += 1,
                Err(_) => return widths,
            }
        }
        widths.push(width);
    }
    widths
}

/// The cell in which a text ends.
pub fn last_place(text: &str, separator: Separator, line: usize) -> Place {
    // A mark behind the text, so that an empty last cell or line is one too.
    let marked = format!("{text}?");
    let mut scanner = Scanner { text: &marked, separator: separator.byte(), at: 0, line };
    let (mut line, mut column, mut cells) = (line, 1, String::new());
    while let Ok(Some(begin)) = scanner.record() {
        (line, column) = (begin, 1);
        loop {
            cells.clear();
            match scanner.cell(column, &mut cells) {
                Ok(cell) if cell.last => break,
                Ok(_) => (line, column) = (scanner.line, column + 1),
                Err(CellsError::OpenQuote { line, column }) => return Place::Text { line, column },
                Err(_) => return Place::Text { line, column },
            }
        }
    }
    Place::Text { line, column }
}

struct Scanner<'a> {
    text: &'a str,
    separator: u8,
    at: usize,
    line: usize,
}

/// What was learnt of a cell while its text was written.
struct Scanned {
    /// Where its text begins in the text of all cells.
    start: usize,
    line: usize,
    /// The record ends behind it.
    last: bool,
    /// Written `="007"`.
    as_formula: bool,
}

impl Scanner<'_> {
    /// Goes to the next line that is not empty; the line, or `None` at the end.
    fn record(&mut self) -> Result<Option<usize>, CellsError> {
        while self.end_of_line() {}
        Ok((self.at < self.text.len()).then_some(self.line))
    }

    /// Writes the text of the cell that begins here, and goes behind its separator or line ending.
    fn cell(&mut self, column: usize, out: &mut String) -> Result<Scanned, CellsError> {
        let (start, line) = (out.len(), self.line);
        let rest = &self.text[self.at..];
        let padding = rest.len() - rest.trim_start_matches(|c| self.is_padding(c)).len();
        if rest[padding..].starts_with('"') {
            self.at += padding + 1;
            self.quoted(column, line, out)?;
        } else {
            let bytes = rest.as_bytes();
            let end = bytes.iter().position(|&byte| byte == self.separator || byte == b'\n' || byte == b'\r');
            let end = end.unwrap_or(bytes.len());
            out.push_str(&rest[..end]);
            self.at += end;
        }
        let as_formula = trim(out, start);
        let last = if self.text.as_bytes().get(self.at) == Some(&self.separator) {
            self.at += 1;
            false
        } else {
            self.end_of_line();
            true
        };
        Ok(Scanned { start, line, last, as_formula })
    }

    /// Writes what stands up to the closing quote, and goes to the separator or line ending behind it.
    fn quoted(&mut self, column: usize, line: usize, out: &mut String) -> Result<(), CellsError> {
        loop {
            let rest = &self.text[self.at..];
            let end = rest.bytes().position(|byte| matches!(byte, b'"' | b'\n' | b'\r'));
            let end = end.ok_or(CellsError::OpenQuote { line, column })?;
            out.push_str(&rest[..end]);
            self.at += end;
            if self.end_of_line() {
                // One line ending inside cells, however the file ends its lines.
                out.push('\n');
            } else if rest[end..].starts_with("\"\"") {
                out.push('"');
                self.at += 2;
            } else {
                self.at += 1;
                break;
            }
        }
        let rest = &self.text[self.at..];
        let padding = rest.len() - rest.trim_start_matches(|c| self.is_padding(c)).len();
        self.at += padding;
        match rest[padding..].chars().next() {
            None | Some('\n' | '\r') => Ok(()),
            Some(c) if c == char::from(self.separator) => Ok(()),
            Some(_) => {
                let end = |c: char| c == char::from(self.separator) || c == '\n' || c == '\r';
                let found = rest[padding..].split(end).next().unwrap_or_default().chars().take(20).collect();
                Err(CellsError::AfterQuote { line: self.line, column, found })
            }
        }
    }

    /// Goes behind a line ending when one is here.
    fn end_of_line(&mut self) -> bool {
        let length = match self.text.as_bytes()[self.at..] {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return false,
        };
        self.at += length;
        self.line += 1;
        true
    }

    fn is_padding(&self, c: char) -> bool {
        surrounds(c) && !matches!(c, '\n' | '\r') && c != char::from(self.separator)
    }
}

/// White space, and characters that nobody sees around a word: zero-width ones and stray byte order marks.
pub fn surrounds(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// Trims the text from `start` on; whether it was written `="..."`.
fn trim(out: &mut String, start: usize) -> bool {
    let cell = out[start..].trim_matches(surrounds);
    let (inner, as_formula) = match cell.strip_prefix("=\"").and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) if !inner.contains('"') => (inner.trim_matches(surrounds), true),
        _ => (cell, false),
    };
    if inner.len() < out.len() - start {
        let inner = inner.to_owned();
        out.truncate(start);
        out.push_str(&inner);
    }
    as_formula
}
