//! Tables of plain text whose columns are aligned under a rule of dashes: `Variable    All` above `--------  -----`.

use crate::read::blocks::joined;
use crate::read::grid::{Grid, GridCell, GridRow, MOST_COLUMNS};

/// Whether a text has a rule of several columns of dashes.
pub fn is_aligned(text: &str) -> bool {
    text.lines().any(|line| ends(line).is_some())
}

/// All such tables in order; the paragraph before the header is the title.
pub fn tables(text: &str) -> Vec<Grid> {
    let lines: Vec<&str> = text.lines().collect();
    let mut tables = Vec::new();
    for (at, ends) in lines.iter().enumerate().filter_map(|(at, line)| Some((at, ends(line)?))) {
        let is_blank = |it: &usize| lines[*it].trim().is_empty();
        let first = (0..at).rev().find(is_blank).map_or(0, |it| it + 1);
        let last = (at..lines.len()).find(is_blank).unwrap_or(lines.len());
        let mut header = GridRow { line: first + 1, cells: Vec::new() };
        for (number, line) in lines[first..at].iter().enumerate() {
            let cells = row(line, first + number + 1, &ends).cells;
            header.cells.resize(cells.len(), GridCell::default());
            for (whole, part) in header.cells.iter_mut().zip(cells) {
                whole.text = format!("{} {}", whole.text, part.text).trim().to_owned();
                (whole.line, whole.width) = (part.line, part.width);
            }
        }
        let mut rows = vec![header];
        rows.extend((at + 1..last).map(|it| row(lines[it], it + 1, &ends)));
        let is_first = first == 0 || !lines[..first].iter().any(|line| !line.trim().is_empty());
        let title = match (0..first).rev().find(|it| !is_blank(it)) {
            Some(it) if !is_first && is_title(lines[it]) => lines[it].trim().to_owned(),
            _ => String::new(),
        };
        tables.push(Grid { title, rows, header_rows: 1, ..Grid::default() });
    }
    joined(tables)
}

/// A line of words; the row of a table before has columns.
fn is_title(line: &str) -> bool {
    line.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("table")) || !line.trim().contains("  ")
}

/// Where each column of a rule begins, in characters; `None` for any other line.
fn ends(line: &str) -> Option<Vec<usize>> {
    let line = line.trim_end();
    let mut starts = Vec::new();
    let mut before = ' ';
    for (at, c) in line.chars().enumerate() {
        match (c, before) {
            ('-', ' ') => starts.push(at),
            ('-' | ' ', _) => (),
            _ => return None,
        }
        before = c;
    }
    ((2..=MOST_COLUMNS).contains(&starts.len()) && line.contains("  -")).then_some(starts)
}

fn row(line: &str, number: usize, starts: &[usize]) -> GridRow {
    let chars: Vec<char> = line.chars().collect();
    let cell = |(index, &start): (usize, &usize)| {
        let end = starts.get(index + 1).copied().unwrap_or(chars.len()).min(chars.len());
        GridCell::new(&chars.get(start.min(end)..end).unwrap_or(&[]).iter().collect::<String>(), number)
    };
    GridRow { line: number, cells: starts.iter().enumerate().map(cell).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_their_dashes_and_blocks_are_joined() {
        let text = "Table 1. Cohort\n\nVariable            All\n---------  ------------\n  Male        24 (25.8)\nAge        \
                    17.13 ± 9.01\n\nVariable        p\n---------  ------\n  Male\nAge        <0.001\n\nNote\n";
        let tables = tables(text);
        assert_eq!(tables.len(), 1);
        let grid = &tables[0];
        assert_eq!((grid.title.as_str(), grid.text(0, 2), grid.text(1, 1)), ("Table 1. Cohort", "p", "24 (25.8)"));
        assert_eq!((grid.text(2, 1), grid.text(2, 2), grid.rows[2].line), ("17.13 ± 9.01", "<0.001", 6));
    }
}
