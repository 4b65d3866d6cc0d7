//! Pipe tables of a Markdown text.

use crate::read::grid::{Grid, GridCell, GridRow, MOST_COLUMNS, tidy};

/// All pipe tables of a text in order; the line before one is its title, the lines behind it its legend.
pub fn tables(text: &str) -> Vec<Grid> {
    let lines: Vec<&str> = lines(text);
    let mut tables: Vec<Grid> = Vec::new();
    let (mut at, mut title) = (0, String::new());
    while at < lines.len() {
        if lines.get(at + 1).is_some_and(|line| is_rule(line)) && lines[at].contains('|') {
            let end = (at + 2..lines.len()).find(|&it| !lines[it].contains('|')).unwrap_or(lines.len());
            let of = (at..end).filter(|&it| it != at + 1);
            let mut rows: Vec<GridRow> = of.map(|it| row(lines[it], it + 1)).collect();
            let beyond: usize = rows.iter().map(|row| row.cells.len().saturating_sub(MOST_COLUMNS)).sum();
            rows.iter_mut().for_each(|row| row.cells.truncate(MOST_COLUMNS));
            let mut grid = Grid { title: std::mem::take(&mut title), rows, header_rows: 1, ..Grid::default() };
            grid.leave_out(beyond);
            tables.push(grid);
            at = end;
            continue;
        }
        let words = tidy(&lines[at].replace("**", "")).trim_start_matches('#').trim().to_owned();
        if !words.is_empty() {
            if let Some(last) = tables.last_mut().filter(|last| last.legend.len() < 1500) {
                last.legend.push_str(&words);
                last.legend.push(' ');
            }
            title = words;
        }
        at += 1;
    }
    tables
}

/// Whether a text has a pipe table.
pub fn is_markdown(text: &str) -> bool {
    let lines = lines(text);
    lines.windows(2).any(|pair| pair[0].contains('|') && is_rule(pair[1]))
}

/// Lines with any ending.
fn lines(text: &str) -> Vec<&str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r')).collect()
}

/// `|---|:--:|`
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.contains("--") && line.contains('|') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
}

fn row(line: &str, number: usize) -> GridRow {
    let inner = line.trim();
    // R's heading has bars of its own.
    let inner =
        inner.strip_prefix('|').unwrap_or(inner).replace("(>|z|)", "(>\\|z\\|)").replace("(>|t|)", "(>\\|t\\|)");
    let mut cells = vec![String::new()];
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'|') => {
                cells.last_mut().expect("there is a cell").push(chars.next().expect("peeked"))
            }
            '|' => cells.push(String::new()),
            c => cells.last_mut().expect("there is a cell").push(c),
        }
    }
    if inner.ends_with('|') && cells.len() > 1 && cells.last().is_some_and(|last| last.trim().is_empty()) {
        cells.pop();
    }
    let cell = |text: &String| {
        let mut cell = GridCell::new(&plain(text), number);
        // One space after the bar is of the notation.
        cell.indent = cell.indent.saturating_sub(1);
        cell
    };
    GridRow { line: number, cells: cells.iter().map(cell).collect() }
}

/// Without the emphasis, line breaks and references of Markdown; a single star is a footnote's mark.
fn plain(text: &str) -> String {
    let mut text = unescaped(&text.replace("**", "").replace("__", ""));
    if !text.contains('<') && !text.contains('&') {
        return text;
    }
    for tag in ["<br>", "<br/>", "<br />"] {
        text = text.replace(tag, " ");
    }
    for tag in
        ["<sup>", "</sup>", "<sub>", "</sub>", "<b>", "</b>", "<i>", "</i>", "<em>", "</em>", "<strong>", "</strong>"]
    {
        text = text.replace(tag, "");
    }
    crate::read::markup::resolved(&text)
}

/// `\<0.001` and `age\_years` without the backslash before a sign.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' || !chars.peek().is_some_and(char::is_ascii_punctuation) {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_cells_are_counted_in_files_with_any_line_ending() {
        for ending in ["\n", "\r\n", "\r"] {
            let text = ["Table 1. X", "", "| a | b |", "|---|---|", "| 1 \\| 2 | **3** |", "", "note"].join(ending);
            let tables = tables(&text);
            assert_eq!(tables.len(), 1);
            assert_eq!((tables[0].title.as_str(), tables[0].legend.trim()), ("Table 1. X", "note"));
            assert_eq!((tables[0].rows[1].line, tables[0].text(1, 0), tables[0].text(1, 1)), (5, "1 | 2", "3"));
        }
    }
}
