//! A sheet as aligned text of at most 80 columns: long words wrap, wide sheets come in blocks.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::report::sheet::{Cell, Sheet};
use osteon_base::text::clean;

/// The terminal that everybody has.
const WIDTH: usize = 80;
/// Between two columns.
const GAP: &str = "  ";
/// Text cells wider than this wrap, so that one long remark does not push the numbers away.
const TEXT_WIDTH: usize = 30;

pub fn render(sheet: &Sheet) -> String {
    render_in(sheet, WIDTH)
}

/// Positions of the columns of each block of at most `room` columns of text.
pub fn in_columns(sheet: &Sheet, room: usize) -> Vec<Vec<usize>> {
    blocks(sheet, room).into_iter().map(|block| block.into_iter().map(|column| column.at).collect()).collect()
}

/// The same for a terminal of this width.
pub fn render_in(sheet: &Sheet, room: usize) -> String {
    let mut lines = Vec::new();
    if !sheet.title.is_empty() {
        lines.extend(wrap(&clean(&sheet.title), room));
    }
    for block in blocks(sheet, room) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(block_lines(&block, sheet.rows.len()));
    }
    if !sheet.notes.is_empty() || !sheet.provenance.is_empty() {
        lines.push(String::new());
    }
    for note in sheet.notes.iter().chain(&sheet.provenance) {
        lines.extend(wrap(&clean(note), room));
    }
    lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A column laid out: where it is in the sheet, the lines of its heading and of each row, and how wide it is.
#[derive(Clone)]
pub struct Column {
    pub at: usize,
    pub heading: Vec<String>,
    cells: Vec<Vec<String>>,
    width: usize,
    pub right: bool,
}

fn column(sheet: &Sheet, at: usize) -> Column {
    let cells: Vec<Vec<String>> = sheet.rows.iter().map(|row| cell_lines(row.get(at))).collect();
    let body = cells.iter().flatten().map(|line| line.width()).max().unwrap_or(0);
    let text = clean(&sheet.headings[at]);
    // No word of a heading is broken that has room among the longest texts.
    let longest = text.split_whitespace().map(UnicodeWidthStr::width).max().unwrap_or(0);
    let heading = wrap(&text, body.max(longest).clamp(12, TEXT_WIDTH));
    let width = heading.iter().map(|line| line.width()).max().unwrap_or(0).max(body);
    Column { at, heading, cells, width, right: sheet.right_aligned(at) }
}

fn cell_lines(cell: Option<&Cell>) -> Vec<String> {
    match cell {
        None => vec![String::new()],
        Some(cell) if cell.is_number() => vec![cell.text()],
        Some(cell) => {
            let text = cell.text();
            let indent = text.len() - text.trim_start().len();
            let lines = wrap(text.trim_start(), TEXT_WIDTH - indent);
            lines.into_iter().map(|line| format!("{:indent$}{line}", "")).collect()
        }
    }
}

/// The fewest leading columns that tell all rows apart, at most three; one when they do not.
fn keys(sheet: &Sheet) -> usize {
    let apart = |n: usize| {
        let mut seen = std::collections::BTreeSet::new();
        sheet.rows.iter().all(|row| seen.insert(row.iter().take(n).map(|cell| format!("{cell:?}")).collect::<Vec<_>>()))
    };
    (1..=sheet.headings.len().min(3)).find(|&n| apart(n)).unwrap_or(1)
}

/// Groups of columns that fit the width together, each beginning with those that tell the rows apart.
pub fn blocks(sheet: &Sheet, room: usize) -> Vec<Vec<Column>> {
    let n_keys = keys(sheet);
    let mut columns = (0..sheet.headings.len()).map(|at| column(sheet, at));
    let start: Vec<Column> = columns.by_ref().take(n_keys).collect();
    if start.len() < n_keys {
        return Vec::new();
    }
    let width = start.iter().map(|column| column.width + GAP.len()).sum::<usize>().saturating_sub(GAP.len());
    let (mut blocks, mut used) = (vec![start.clone()], width);
    for column in columns {
        let wanted = column.width + GAP.len();
        if used + wanted > room && blocks.last().is_some_and(|block| block.len() > n_keys) {
            blocks.push(start.clone());
            used = width;
        }
        used += wanted;
        blocks.last_mut().expect("a block was begun").push(column);
    }
    blocks
}

fn block_lines(block: &[Column], n_rows: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let headings: Vec<&[String]> = block.iter().map(|column| &column.heading[..]).collect();
    lines.extend(row_lines(block, &headings));
    lines.push(block.iter().map(|column| "-".repeat(column.width)).collect::<Vec<_>>().join(GAP));
    for row in 0..n_rows {
        let cells: Vec<&[String]> = block.iter().map(|column| &column.cells[row][..]).collect();
        lines.extend(row_lines(block, &cells));
    }
    lines
}

fn row_lines(block: &[Column], cells: &[&[String]]) -> Vec<String> {
    let height = cells.iter().map(|lines| lines.len()).max().unwrap_or(0);
    let line = |at: usize| {
        let padded = block.iter().zip(cells).map(|(column, lines)| {
            let text = lines.get(at).map_or("", String::as_str);
            let blanks = " ".repeat(column.width - text.width());
            if column.right { format!("{blanks}{text}") } else { format!("{text}{blanks}") }
        });
        padded.collect::<Vec<_>>().join(GAP)
    };
    (0..height).map(line).collect()
}

/// Whether a text has at most `width` columns, without looking at more of it than that: cells may have a million letters.
fn fits(text: &str, width: usize) -> bool {
    let mut columns = 0;
    text.chars().all(|letter| {
        columns += letter.width().unwrap_or(0);
        columns <= width
    })
}

/// A text in lines of at most `width` columns.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    wrap(&clean(text), width)
}

/// Lines of at most `width` columns, broken at blanks, a longer word anywhere; at least one line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut word = word;
        loop {
            let line = lines.last_mut().expect("there is a line");
            let blank = usize::from(!line.is_empty());
            if fits(word, width.saturating_sub(line.width() + blank)) {
                line.push_str(&" "[..blank]);
                line.push_str(word);
                break;
            }
            if fits(word, width) || !line.is_empty() {
                lines.push(String::new());
                continue;
            }
            let cut = word.char_indices().map(|(at, _)| at).take_while(|&at| word[..at].width() <= width).last();
            let cut = cut.filter(|&at| at > 0).unwrap_or(word.len());
            line.push_str(&word[..cut]);
            word = &word[cut..];
            lines.push(String::new());
        }
    }
    lines
}
