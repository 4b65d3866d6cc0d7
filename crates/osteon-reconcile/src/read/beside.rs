//! A table printed in halves side by side, `Feature | A | B | P | Feature | A | B | P`: stacked to be understood, and put
//! back to be shown.

use crate::cells::PublishedCell;
use crate::read::Said;
use crate::read::grid::{Grid, GridRow};

/// Lines of a half are counted from here, so that no other line of the file is called so.
const BEYOND: usize = 1 << 40;

/// The grid as its file has it, and how wide a half is.
pub struct Halves {
    pub grid: Grid,
    width: usize,
}

/// Stacks the halves of a grid whose header is the same several times over; `None`, and nothing done, for any other.
pub fn stacked(grid: &mut Grid) -> Option<Halves> {
    let width = half(grid)?;
    let whole = grid.clone();
    let parts = grid.width() / width;
    let (header, body) = grid.rows.split_at(1);
    let mut rows: Vec<GridRow> = header.to_vec();
    rows[0].cells.truncate(width);
    for part in 0..parts {
        for row in body {
            let mut row = row.clone();
            row.cells.resize(width * parts, Default::default());
            row.cells = row.cells.drain(part * width..(part + 1) * width).collect();
            row.line += part * BEYOND;
            row.cells.iter_mut().for_each(|cell| cell.line += if cell.line > 0 { part * BEYOND } else { 0 });
            if row.cells.iter().any(|cell| !cell.text.is_empty()) {
                rows.push(row);
            }
        }
    }
    grid.rows = rows;
    Some(Halves { grid: whole, width })
}

/// Columns of a half: the header's texts repeat, and each half begins with labels.
fn half(grid: &Grid) -> Option<usize> {
    let width = grid.width();
    let header: Vec<&str> = (0..width).map(|column| grid.text(0, column)).collect();
    let repeats =
        |half: usize| width.is_multiple_of(half) && (half..width).all(|column| header[column] == header[column - half]);
    let is_full = |half: usize| header[..half].iter().all(|it| !it.is_empty());
    let is_label = |column: usize| {
        let texts: Vec<&str> =
            (1..grid.rows.len()).map(|row| grid.text(row, column)).filter(|it| !it.is_empty()).collect();
        let words = texts.iter().filter(|it| it.starts_with(|c: char| c.is_alphabetic())).count();
        texts.len() > 1 && 3 * words >= 2 * texts.len()
    };
    let distinct = |half: usize| (1..half).all(|column| header[column] != header[0]);
    let found = (3..=width / 2).find(|&half| repeats(half) && is_full(half) && distinct(half))?;
    ((0..width).step_by(found).all(is_label) && !grid.has_spans).then_some(found)
}

impl Halves {
    /// Gives what was read the lines and columns that its file has.
    pub fn put_back(&self, cells: &mut [PublishedCell], said: &mut [Said], unread: &mut [(usize, usize, String)]) {
        let place = |line: &mut usize, column: &mut usize| {
            *column += *line / BEYOND * self.width;
            *line %= BEYOND;
        };
        for cell in cells {
            place(&mut cell.source.line, &mut cell.source.column);
            cell.source.also.iter_mut().for_each(|(line, column)| place(line, column));
        }
        for (line, column, _) in unread {
            place(line, column);
        }
        for it in said.iter_mut().filter(|it| it.of == crate::read::Of::Row) {
            it.at %= BEYOND;
        }
    }
}
