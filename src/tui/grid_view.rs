//! A table on the screen: a cursor on a cell, a frozen first column, rows and columns that scroll.
//!
//! Only the rows that are seen are ever asked for.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::dialog::wrap;
use crate::tui::theme::Theme;

/// Where the cursor is and what is seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GridView {
    pub row: usize,
    pub column: usize,
    /// First row and first column (after the frozen one) that are seen.
    pub top: usize,
    pub left: usize,
}

/// Where the cursor goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    Down(usize),
    Up(usize),
    Left,
    Right,
    First,
    Last,
    RowStart,
    RowEnd,
    To(usize),
}

/// What is drawn: how many rows, and a text a cell.
pub struct Grid<'a> {
    pub headings: &'a [Heading],
    pub rows: usize,
    pub cell: &'a dyn Fn(usize, usize) -> (String, Style),
    /// Drawn before the row's first cell, one column wide.
    pub sign: &'a dyn Fn(usize) -> &'static str,
}

/// A column's head.
#[derive(Clone, Debug, PartialEq)]
pub struct Heading {
    pub text: String,
    pub width: u16,
    pub right: bool,
}

impl GridView {
    /// Moves the cursor and scrolls after it; `height` rows are seen, columns have these widths on a screen `width` wide.
    pub fn go(&mut self, to: Move, rows: usize, widths: &[u16], size: (u16, u16)) {
        let last = rows.saturating_sub(1);
        let last_column = widths.len().saturating_sub(1);
        match to {
            Move::Down(n) => self.row = (self.row + n).min(last),
            Move::Up(n) => self.row = self.row.saturating_sub(n),
            Move::Left => self.column = self.column.saturating_sub(1),
            Move::Right => self.column = (self.column + 1).min(last_column),
            Move::First => self.row = 0,
            Move::Last => self.row = last,
            Move::RowStart => self.column = 0,
            Move::RowEnd => self.column = last_column,
            Move::To(row) => self.row = row.min(last),
        }
        self.settle(rows, widths, size);
    }

    /// Brings the cursor into the table and into sight.
    pub fn settle(&mut self, rows: usize, widths: &[u16], (width, height): (u16, u16)) {
        self.row = self.row.min(rows.saturating_sub(1));
        self.column = self.column.min(widths.len().saturating_sub(1));
        let seen = usize::from(height).max(1);
        self.top =
            self.top.clamp((self.row + 1).saturating_sub(seen), self.row).min(rows.saturating_sub(seen.min(rows)));
        self.left = self.left.min(widths.len().saturating_sub(1)).max(1);
        if self.column > 0 {
            self.left = self.left.min(self.column);
            while self.left < self.column && !fits(widths, self.left, self.column, width) {
                self.left += 1;
            }
        }
        while self.left > 1 && fits(widths, self.left - 1, widths.len() - 1, width) {
            self.left -= 1;
        }
    }

    /// The row and column under a place of the body.
    pub fn at(&self, x: u16, y: u16, widths: &[u16]) -> (usize, usize) {
        let row = self.top + usize::from(y);
        let mut edge = 1 + widths.first().copied().unwrap_or(0);
        if x <= edge {
            return (row, 0);
        }
        for (column, width) in widths.iter().enumerate().skip(self.left.max(1)) {
            edge += 2 + width;
            if x <= edge {
                return (row, column);
            }
        }
        (row, self.column)
    }

    /// Draws heading and rows; the first line is the heading.
    pub fn draw(&self, grid: &Grid, theme: Theme, area: Rect, buffer: &mut Buffer) {
        if area.height == 0 || area.width == 0 || grid.headings.is_empty() {
            return;
        }
        let columns = self.columns(grid.headings, area.width);
        for (column, x, width) in &columns {
            let heading = &grid.headings[*column];
            let style = if *column == self.column { theme.heading().underlined() } else { theme.heading() };
            put(buffer, area.x + x, area.y, *width, &heading.text, heading.right, style);
        }
        let signs = theme.signs();
        if self.left > 1 {
            let x = area.x + 1 + grid.headings[0].width;
            put(buffer, x, area.y, 1, signs.more_left, false, theme.attention());
        }
        if columns.last().is_some_and(|(column, _, _)| column + 1 < grid.headings.len()) {
            put(buffer, area.right() - 1, area.y, 1, signs.more_right, false, theme.attention());
        }
        let seen = usize::from(area.height - 1);
        for (line, row) in (self.top..grid.rows).take(seen).enumerate() {
            let y = area.y + 1 + line as u16;
            let here = row == self.row;
            if here {
                buffer.set_style(Rect::new(area.x, y, area.width, 1), theme.selected());
            }
            put(buffer, area.x, y, 1, (grid.sign)(row), false, Style::new());
            for (column, x, width) in &columns {
                let (text, style) = (grid.cell)(row, *column);
                let style = match (here, *column == self.column) {
                    (true, true) => theme.selected_cell(),
                    (true, false) => theme.selected(),
                    _ => style,
                };
                put(buffer, area.x + x, y, *width, &text, grid.headings[*column].right, style);
            }
        }
    }

    /// Columns that are seen: position in the table, x and width.
    fn columns(&self, headings: &[Heading], width: u16) -> Vec<(usize, u16, u16)> {
        let frozen = headings[0].width.min(width.saturating_sub(1));
        let mut seen = vec![(0, 1, frozen)];
        let mut x = 1 + frozen + 2;
        for (column, heading) in headings.iter().enumerate().skip(self.left.max(1)) {
            // The last cell is the sign's where more columns follow.
            let room = width.saturating_sub(x + u16::from(column + 1 < headings.len()));
            if room < heading.width.min(4) || room == 0 {
                break;
            }
            seen.push((column, x, heading.width.min(room)));
            x += heading.width + 2;
        }
        seen
    }
}

/// Whether the columns `from..=to` fit beside the frozen one, and the sign that more follow.
fn fits(widths: &[u16], from: usize, to: usize, width: u16) -> bool {
    let columns: u32 = widths[from..=to].iter().map(|width| u32::from(*width) + 2).sum();
    u32::from(widths[0]) + 1 + columns + u32::from(to + 1 < widths.len()) <= u32::from(width)
}

/// Writes a text into its column, cut with a sign where it is too long.
pub fn put(buffer: &mut Buffer, x: u16, y: u16, width: u16, text: &str, right: bool, style: Style) {
    let wanted = unicode_width::UnicodeWidthStr::width(text) as u16;
    if !buffer.area.contains((x, y).into()) || width == 0 {
        return;
    }
    let shift = if right { width.saturating_sub(wanted) } else { 0 };
    buffer.set_stringn(x + shift, y, text, usize::from(width - shift), style);
    if wanted > width {
        let end = (x + width - 1).min(buffer.area.right() - 1);
        buffer[(end, y)].set_char('~');
    }
}

/// Writes lines, broken at blanks where they are too long; the last says so when there are more than fit.
pub fn put_lines(buffer: &mut Buffer, area: Rect, lines: &[String]) {
    let lines = wrap(lines, usize::from(area.width));
    let cut = lines.len() > usize::from(area.height);
    for (line, y) in lines.iter().zip(area.y..area.bottom()) {
        let more = cut && y + 1 == area.bottom();
        put(buffer, area.x, y, area.width, if more { "~ more: enter" } else { line }, false, Style::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_is_always_seen() {
        let widths = [6, 10, 10, 10, 10, 10];
        for (width, height) in [(0, 0), (5, 1), (30, 4), (200, 50)] {
            let mut view = GridView::default();
            let moves = [Move::Last, Move::RowEnd, Move::Up(3), Move::Left, Move::Down(100), Move::First, Move::To(7)];
            for to in moves {
                view.go(to, 20, &widths, (width, height));
                assert!(view.row < 20 && view.top <= view.row);
                assert!(view.row < view.top + usize::from(height).max(1));
                assert!(view.column == 0 || view.left <= view.column);
            }
            view.settle(0, &widths, (width, height));
            assert_eq!((view.row, view.top), (0, 0));
        }
    }
}
