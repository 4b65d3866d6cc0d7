//! A plot as terminal cells, for standard output and for screens alike.

use crate::canvas::{Area, Canvas};
use crate::painter::{self, Painter};
use crate::{Ansi, Plot};

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

/// A row of panels lower than this says nothing.
const LEAST_HEIGHT: usize = 9;
/// Rows above and below the words beside an axis: title, headings, axis, ticks, its title.
const AROUND: usize = 6;

/// Draws the plot on `width` x `height` cells: panels side by side while each has room, then below each other.
/// Panels that do not fit are counted in the last row.
pub fn render(plot: &Plot, width: usize, height: usize, charset: Charset) -> Cells {
    let mut canvas = Canvas::new(width, height, charset);
    if plot.panels.is_empty() || width == 0 || height == 0 {
        return canvas.finish();
    }
    let rows = rows(plot, width, charset);
    let shown = rows.len().min((height / LEAST_HEIGHT).max(1));
    let left_over: usize = rows[shown..].iter().map(Vec::len).sum();
    let free = height - usize::from(left_over > 0 && height > 1);
    let wishes: Vec<usize> = rows[..shown].iter().map(|row| wish(plot, row)).collect();
    let total: usize = wishes.iter().sum();
    let mut top = 0;
    for (row, wish) in rows[..shown].iter().zip(&wishes) {
        let bottom = top + free * wish / total;
        for (n, &panel) in row.iter().enumerate() {
            let left = n * width / row.len();
            let right = (n + 1) * width / row.len() - usize::from(n + 1 < row.len());
            let area = Area { left, top, width: right.saturating_sub(left), height: bottom - top };
            Painter::new(&mut canvas, &plot.panels[panel], area, charset).paint();
        }
        top = bottom;
    }
    if left_over > 0 && height > 1 {
        let text = format!("{left_over} more panels need more rows");
        canvas.words(0, height as isize - 1, &text, width, (Ansi::DarkGray, false));
    }
    canvas.finish()
}

/// How many rows of cells show the whole plot well at this width.
pub fn height(plot: &Plot, width: usize, charset: Charset) -> usize {
    rows(plot, width, charset).iter().map(|row| wish(plot, row)).sum()
}

/// Positions of the panels that are easily read together at this size, a list for each screen that the plot needs.
pub fn screens(plot: &Plot, width: usize, height: usize) -> Vec<Vec<usize>> {
    const READABLE: usize = 13;
    let mut screens: Vec<Vec<usize>> = Vec::new();
    let mut free = 0;
    for row in rows(plot, width, Charset::Braille) {
        let need = wish(plot, &row).min(READABLE);
        if free < need || screens.is_empty() {
            screens.push(Vec::new());
            free = height;
        }
        free = free.saturating_sub(need);
        screens.last_mut().expect("one was pushed").extend(row);
    }
    screens
}

/// Fewest rows of cells in which no word beside the axes hides another.
pub fn least_height(plot: &Plot, width: usize, charset: Charset) -> usize {
    let rows = rows(plot, width, charset);
    let all: usize = rows.iter().map(|row| wish(plot, row)).sum();
    let need = |row: &Vec<usize>| {
        let lines = row.iter().filter_map(|&n| lines_beside(plot, n)).max();
        // Rows of panels share the height as they wish.
        (lines.map_or(LEAST_HEIGHT, |lines| lines + AROUND) * all).div_ceil(wish(plot, row))
    };
    rows.iter().map(need).max().unwrap_or(0)
}

fn rows(plot: &Plot, width: usize, charset: Charset) -> Vec<Vec<usize>> {
    let beside = plot.panels.iter().filter(|panel| !panel.wide);
    let least = beside.map(|panel| painter::least_width(panel, charset)).max().unwrap_or(1);
    plot.rows(plot.columns.clamp(1, (width / least).max(1)))
}

/// Rows of cells for a row of panels: two for each line of words beside, or the usual height.
fn wish(plot: &Plot, row: &[usize]) -> usize {
    const USUAL: usize = 22;
    let lines = |n: &usize| lines_beside(plot, *n).map_or(USUAL, |lines| (lines * 2 + AROUND).clamp(12, 60));
    row.iter().map(lines).max().unwrap_or(USUAL)
}

/// Lines of words beside the axes of a panel.
fn lines_beside(plot: &Plot, panel: usize) -> Option<usize> {
    let panel = &plot.panels[panel];
    panel.left.iter().chain(&panel.right).map(|column| column.cells.len()).max()
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
