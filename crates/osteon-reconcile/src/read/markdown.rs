//! Pipe tables of a Markdown text.

use crate::read::grid::{Grid, GridCell, GridRow, MOST_COLUMNS, tidy};

/// All pipe tables of a text in order; the line before one is its title, the lines behind it its legend.
pub fn tables(text: &str) -> Vec<Grid> {
    let lines: Vec<&str> = lines(text);
    let mut tables: Vec<Grid> = Vec::new();
    let (mut at, mut title) = (0, String::new());
    while at < lines.len() {
        if let Some(height) = header(&lines, at) {
            let body = at + height + 1;
            // A row of dashes is one of cells left out; a rule has three in each.
            let is_next = |it: usize| header(&lines, it).is_some_and(|height| is_long_rule(lines[it + height]));
            let is_end = |it: &usize| !lines[*it].contains('|') || is_next(*it);
            let end = (body..lines.len()).find(is_end).unwrap_or(lines.len());
            let head = lines[at..at + height].join(" ");
            let mut rows: Vec<GridRow> = vec![row(&head, at + 1)];
            rows.extend((body..end).map(|it| row(lines[it], it + 1)));
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

/// How many lines the header has that begins at a line: one above its rule, or two, of which the file has broken a cell.
fn header(lines: &[&str], at: usize) -> Option<usize> {
    let has_rule = |it: usize| lines.get(it).is_some_and(|line| is_rule(line)) && !is_rule(lines[it - 1]);
    let width = |text: &str| row(text, 0).cells.len();
    let is_broken = |first: usize| {
        let (one, other, rule) = (lines[first], lines[first + 1], width(lines[first + 2]));
        other.contains('|') && width(other) < rule && width(&format!("{one} {other}")) == rule
    };
    if !lines[at].contains('|') {
        None
    } else if has_rule(at + 1) {
        // The second line of a header that began above.
        let is_second = at > 0 && lines[at - 1].contains('|') && !is_rule(lines[at - 1]) && is_broken(at - 1);
        (!is_second).then_some(1)
    } else if has_rule(at + 2) && is_broken(at) {
        Some(2)
    } else {
        None
    }
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

fn is_long_rule(line: &str) -> bool {
    let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
    cells.len() > 1 && cells.iter().all(|it| it.contains("---"))
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

    #[test]
    fn tables_may_follow_each_other_and_break_a_heading() {
        let text = "| a | b |\n|---|---|\n| 1 | 2 |\n| c | d |\n| e |\n|---|---|---|---|\n| 3 | 4 | 5 | 6 |\n";
        let tables = tables(text);
        assert_eq!(tables.len(), 2);
        assert_eq!((tables[0].rows.len(), tables[1].rows.len(), tables[1].text(0, 3)), (2, 2, "e"));
        assert_eq!((tables[1].rows[0].line, tables[1].rows[1].line), (4, 7));
    }
}
