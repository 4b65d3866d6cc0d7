//! Tables of a Word document.

use std::io::{Cursor, Read};

use crate::read::ReadError;
use crate::read::grid::{Builder, Grid, tidy};
use crate::read::markup::{Piece, attribute, pieces, resolved};

/// Tables inside tables that are followed.
const DEEPEST: usize = 8;

/// A table that is being read.
#[derive(Default)]
struct Open {
    builder: Builder,
    title: String,
    rows: usize,
    cell: Option<Cell>,
    /// The paragraph's indentation in twips.
    is_header: bool,
}

#[derive(Default)]
struct Cell {
    text: String,
    width: usize,
    /// A vertical merge: this cell goes on from the one above.
    goes_on: bool,
    indent: usize,
}

/// The text of the main part, inflated to at most `limit` bytes.
pub fn document(bytes: &[u8], limit: usize) -> Result<String, ReadError> {
    let damaged = |cause: &dyn std::fmt::Display| ReadError::Document { why: cause.to_string() };
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|cause| damaged(&cause))?;
    let part = archive.by_name("word/document.xml").map_err(|cause| damaged(&cause))?;
    let mut text = Vec::new();
    part.take(limit as u64 + 1).read_to_end(&mut text).map_err(|cause| damaged(&cause))?;
    if text.len() > limit {
        return Err(ReadError::TooLarge { limit });
    }
    String::from_utf8(text).map_err(|cause| damaged(&cause))
}

/// All tables of the main part in order; a row's line is its number in its table.
pub fn tables(xml: &str) -> Vec<Grid> {
    let (mut done, mut open): (Vec<Grid>, Vec<Open>) = (Vec::new(), Vec::new());
    let (mut paragraph, mut last_words) = (String::new(), String::new());
    let (mut raised, mut in_text) = (false, false);
    for piece in pieces(xml) {
        match piece {
            Piece::Open { name: "tbl", .. } if open.len() < DEEPEST => {
                open.push(Open { title: std::mem::take(&mut last_words), ..Open::default() });
            }
            Piece::Open { name, attributes, .. } => {
                let value = || attribute(attributes, "val");
                match name {
                    "r" => raised = false,
                    "t" => in_text = !attributes.trim_end().ends_with('/'),
                    "vertAlign" => raised = value().as_deref() == Some("superscript"),
                    _ => (),
                }
                let Some(table) = open.last_mut() else { continue };
                match name {
                    "tr" => {
                        table.rows += 1;
                        table.builder.row(table.rows);
                        table.is_header = false;
                    }
                    "tblHeader" if table.builder.grid.header_rows + 1 == table.rows => {
                        table.builder.grid.header_rows += 1;
                    }
                    "tc" => table.cell = Some(Cell { width: 1, ..Cell::default() }),
                    _ => table.mark(name, attributes),
                }
            }
            Piece::Close { name } => match name {
                "t" => in_text = false,
                "tbl" => done.extend(open.pop().map(Open::finish)),
                "tc" => {
                    if let Some(table) = open.last_mut() {
                        table.end_cell();
                    }
                }
                "p" => match open.last_mut().and_then(|table| table.cell.as_mut()) {
                    Some(cell) => cell.text.push(' '),
                    None => {
                        let words = tidy(&paragraph);
                        paragraph.clear();
                        if !words.is_empty() {
                            if let Some(last) = done.last_mut().filter(|last| last.legend.len() < 1500) {
                                last.legend.push_str(&words);
                                last.legend.push(' ');
                            }
                            last_words = words;
                        }
                    }
                },
                _ => (),
            },
            Piece::Text { text, .. } if in_text => {
                let text = resolved(text);
                match open.last_mut().and_then(|table| table.cell.as_mut()) {
                    Some(cell) => {
                        let digits = cell.text.ends_with(|c: char| c.is_ascii_digit())
                            && text.starts_with(|c: char| c.is_ascii_digit());
                        if raised && digits {
                            cell.text.push('^');
                        }
                        cell.text.push_str(&text);
                    }
                    None => paragraph.push_str(&text),
                }
            }
            Piece::Text { .. } => (),
        }
    }
    done.extend(open.into_iter().map(Open::finish));
    done
}

impl Open {
    fn mark(&mut self, name: &str, attributes: &str) {
        let Some(cell) = self.cell.as_mut() else { return };
        let value = || attribute(attributes, "val");
        match name {
            "gridSpan" => cell.width = value().and_then(|it| it.parse().ok()).unwrap_or(1),
            "vMerge" => cell.goes_on = value().is_none_or(|it| it == "continue"),
            "ind" => {
                let twips = attribute(attributes, "left").or_else(|| attribute(attributes, "start"));
                let twips = twips.or_else(|| attribute(attributes, "firstLine"));
                cell.indent = twips.and_then(|it| it.parse::<i64>().ok()).map_or(0, |it| (it.max(0) / 100) as usize);
            }
            "tab" | "br" => cell.text.push(' '),
            "noBreakHyphen" => cell.text.push('-'),
            _ => (),
        }
    }

    fn end_cell(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        let text = if cell.goes_on { String::new() } else { " ".repeat(cell.indent.min(40)) + &cell.text };
        self.builder.cell(&text, self.rows, cell.width, 1);
        if cell.goes_on
            && let Some(row) = self.builder.grid.rows.last_mut()
        {
            let first = row.cells.len().saturating_sub(cell.width.max(1));
            row.cells[first..].iter_mut().for_each(|cell| cell.is_covered = true);
            self.builder.grid.has_spans = true;
        }
    }

    fn finish(mut self) -> Grid {
        self.end_cell();
        let mut grid = self.builder.finish();
        grid.title = self.title;
        grid
    }
}
