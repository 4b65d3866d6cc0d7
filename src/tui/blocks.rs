//! Small tables under and beside each other: the study at a glance.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::grid_view::put;
use crate::tui::theme::Theme;
use osteon_study::report::sheet::{Cell, Sheet};

/// Width below which a block is not cut into columns any further.
const NARROWEST: u16 = 38;

/// Rows of all sheets, in reading order.
pub fn rows(sheets: &[Sheet]) -> usize {
    sheets.iter().map(|sheet| sheet.rows.len()).sum()
}

/// The line of its column that a row stands on.
pub fn line_of(sheets: &[Sheet], width: u16, row: usize) -> usize {
    let mut first = 0;
    for stack in stacks(sheets, width) {
        let mut line = 0;
        for sheet in stack {
            if row < first + sheet.rows.len() {
                return line + 1 + row - first;
            }
            first += sheet.rows.len();
            line += lines(sheet);
        }
    }
    0
}

/// First row of the sheet before or after the one that holds a row.
pub fn neighbour(sheets: &[Sheet], row: usize, by: isize) -> usize {
    let starts: Vec<usize> = sheets
        .iter()
        .scan(0, |first, sheet| {
            let start = *first;
            *first += sheet.rows.len();
            Some(start)
        })
        .collect();
    let at = starts.iter().rposition(|&start| start <= row).unwrap_or(0);
    starts.get(at.saturating_add_signed(by)).copied().unwrap_or(row).min(rows(sheets).saturating_sub(1))
}

fn lines(sheet: &Sheet) -> usize {
    sheet.rows.len() + sheet.notes.len() + 2
}

/// The sheets in columns of about the same height, in reading order.
fn stacks(sheets: &[Sheet], width: u16) -> Vec<Vec<&Sheet>> {
    let count = usize::from((width / NARROWEST).clamp(1, 3));
    let total: usize = sheets.iter().map(lines).sum();
    let mut stacks: Vec<Vec<&Sheet>> = vec![Vec::new()];
    let mut filled = 0;
    for sheet in sheets {
        let full = filled + lines(sheet) / 2 >= total.div_ceil(count) && !stacks[stacks.len() - 1].is_empty();
        if full && stacks.len() < count {
            stacks.push(Vec::new());
            filled = 0;
        }
        filled += lines(sheet);
        let last = stacks.len() - 1;
        stacks[last].push(sheet);
    }
    stacks
}

/// Draws the sheets from line `top` on, the row under the cursor marked.
pub fn draw(sheets: &[Sheet], top: usize, cursor: usize, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let stacks = stacks(sheets, area.width);
    let width = (area.width / stacks.len().max(1) as u16).saturating_sub(2);
    let mut first = 0;
    for (stack, x) in stacks.iter().zip((area.x + 1..).step_by(usize::from(width) + 2)) {
        let mut lines = Vec::new();
        for sheet in stack {
            lines.extend(block(sheet, usize::from(width), cursor.checked_sub(first), theme));
            first += sheet.rows.len();
        }
        let lines = lines.into_iter();
        for ((text, style), y) in lines.skip(top).zip(area.y..area.bottom()) {
            put(buffer, x, y, width, &text, false, style);
        }
    }
}

/// Title, rows with their first cell to the left and the others to the right, notes, an empty line.
fn block(sheet: &Sheet, width: usize, cursor: Option<usize>, theme: Theme) -> Vec<(String, Style)> {
    let mut lines = vec![(sheet.title.clone(), theme.heading())];
    let style = |at: usize| if cursor == Some(at) { theme.selected() } else { Style::new() };
    lines.extend(sheet.rows.iter().enumerate().map(|(at, row)| (line(row, width), style(at))));
    lines.extend(sheet.notes.iter().map(|note| (note.clone(), Style::new())));
    lines.push((String::new(), Style::new()));
    lines
}

/// The first cell to the left, the others to the right; what is too long is cut on the right.
fn line(row: &[Cell], width: usize) -> String {
    let Some((first, rest)) = row.split_first() else { return String::new() };
    let left: String = first.text().chars().take(width).collect();
    let right = rest.iter().map(Cell::text).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("  ");
    let room = width.saturating_sub(left.chars().count() + 1);
    let right: String = if right.chars().count() > room {
        right.chars().take(room.saturating_sub(1)).chain("~".chars().take(room)).collect()
    } else {
        right
    };
    format!("{left} {right:>room$}")
}
