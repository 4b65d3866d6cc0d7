//! A plot as terminal cells, for standard output and for screens alike.

use crate::plot::canvas::{Area, Canvas};
use crate::plot::painter::Painter;
use crate::plot::{Ansi, Plot};

/// What lines are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// Eight dots a cell.
    Braille,
    /// One sign a cell, for terminals and readers that know no more.
    Ascii,
}

/// A grid of styled characters, row after row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cells {
    pub width: usize,
    pub height: usize,
    pub cells: Vec<Cell>,
}

/// One character of one terminal cell's width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub symbol: char,
    pub colour: Ansi,
    pub bold: bool,
}

/// A panel narrower or lower than this says nothing.
const LEAST_WIDTH: usize = 34;
const LEAST_HEIGHT: usize = 9;

/// Draws the plot on `width` x `height` cells: panels side by side while each has room, then below each other.
/// Panels that do not fit are counted in the last row.
pub fn render(plot: &Plot, width: usize, height: usize, charset: Charset) -> Cells {
    let mut canvas = Canvas::new(width, height, charset);
    let panels = plot.panels.len();
    if panels == 0 || width == 0 || height == 0 {
        return canvas.finish();
    }
    let columns = plot.columns.clamp(1, panels).min((width / LEAST_WIDTH).max(1));
    let wanted = panels.div_ceil(columns);
    let rows = wanted.min((height / LEAST_HEIGHT).max(1));
    let left_over = panels.saturating_sub(rows * columns);
    let free = height - usize::from(left_over > 0 && height > 1);
    for (n, panel) in plot.panels.iter().take(rows * columns).enumerate() {
        let (row, column) = (n / columns, n % columns);
        let (left, top) = (column * width / columns, row * free / rows);
        let right = (column + 1) * width / columns - usize::from(column + 1 < columns);
        let bottom = (row + 1) * free / rows;
        let area = Area { left, top, width: right - left, height: bottom - top };
        Painter::new(&mut canvas, panel, area, charset).paint();
    }
    if left_over > 0 && height > 1 {
        let text = format!("{left_over} more panels need more rows");
        canvas.words(0, height as isize - 1, &text, width, (Ansi::DarkGray, false));
    }
    canvas.finish()
}

impl Cells {
    pub fn cell(&self, column: usize, row: usize) -> Option<Cell> {
        if column < self.width { self.cells.get(row * self.width + column).copied() } else { None }
    }

    /// Lines without trailing blanks, coloured by escape sequences where asked.
    pub fn to_text(&self, coloured: bool) -> String {
        let mut out = String::new();
        for row in self.cells.chunks(self.width.max(1)) {
            let end = row.iter().rposition(|cell| cell.symbol != ' ').map_or(0, |last| last + 1);
            let mut look = (Ansi::Foreground, false);
            for cell in &row[..end] {
                if coloured && cell.symbol != ' ' && (cell.colour, cell.bold) != look {
                    look = (cell.colour, cell.bold);
                    out.push_str(&format!("\u{1b}[0;{}{}m", if cell.bold { "1;" } else { "" }, cell.colour.sgr()));
                }
                out.push(cell.symbol);
            }
            if look != (Ansi::Foreground, false) {
                out.push_str("\u{1b}[0m");
            }
            out.push('\n');
        }
        out
    }
}
