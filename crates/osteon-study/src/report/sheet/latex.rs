//! A sheet as LaTeX tables with the rules of booktabs: a wide one continues in further tables, notes follow the last.

use crate::report::sheet::text::{Column, blocks};
use crate::report::sheet::{Cell, Sheet};
use osteon_base::text::clean;

/// Characters that fit between the margins of a page in footnotesize.
const WIDTH: usize = 84;

pub fn render(sheet: &Sheet) -> String {
    let blocks = blocks(sheet, WIDTH);
    let mut text = String::new();
    for (at, block) in blocks.iter().enumerate() {
        text.push_str("\\begin{table}\n\\centering\\footnotesize\\setlength{\\tabcolsep}{4pt}\n");
        text.push_str(&caption(&sheet.title, at > 0));
        text.push_str(&tabular(sheet, block));
        if at + 1 == blocks.len() {
            text.push_str(&notes(sheet));
        }
        text.push_str("\\end{table}\n");
    }
    text
}

/// The number that a title begins with is LaTeX's own; a table that goes on keeps it.
fn caption(title: &str, continued: bool) -> String {
    if title.is_empty() {
        return String::new();
    }
    let words = title.strip_prefix("Table ").and_then(|title| title.split_once(". "));
    let numbered = words.and_then(|(number, words)| Some((number.parse::<usize>().ok()?.checked_sub(1)?, words)));
    let (counter, words) = match (numbered, continued) {
        (Some((before, words)), _) => (format!("\\setcounter{{table}}{{{before}}}\n"), words),
        (None, true) => ("\\addtocounter{table}{-1}\n".to_owned(), title),
        (None, false) => (String::new(), title),
    };
    format!("{counter}\\caption{{{}{}}}\n", escape(words), if continued { " (continued)" } else { "" })
}

/// One paragraph: a line each would not fit on the page.
fn notes(sheet: &Sheet) -> String {
    let notes: Vec<String> = sheet.notes.iter().chain(&sheet.provenance).map(|note| escape(note)).collect();
    if notes.is_empty() {
        return String::new();
    }
    format!("\n\\smallskip{{\\raggedright {}.\\par}}\n", notes.join(".\n"))
}

fn tabular(sheet: &Sheet, block: &[Column]) -> String {
    let sides: String = block.iter().map(|column| if column.right { 'r' } else { 'l' }).collect();
    let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
    let headings = line(block.iter().map(heading).collect());
    let rows = sheet
        .rows
        .iter()
        .map(|row| line(block.iter().map(|column| row.get(column.at).map_or(String::new(), cell)).collect()));
    let rows: String = rows.collect();
    format!("\\begin{{tabular}}{{{sides}}}\n\\toprule\n{headings}\\midrule\n{rows}\\bottomrule\n\\end{{tabular}}\n")
}

/// A heading in as many lines as in text.
fn heading(column: &Column) -> String {
    let lines: Vec<String> = column.heading.iter().map(|line| escape(line)).collect();
    match &lines[..] {
        [line] => line.clone(),
        lines => format!("\\shortstack[{}]{{{}}}", if column.right { 'r' } else { 'l' }, lines.join("\\\\")),
    }
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => escape(text),
        Cell::Level { level, .. } => format!("\\quad {}", escape(level)),
        numbers => signed(&escape(&numbers.text())),
    }
}

/// Numbers with a minus sign, ranges with a dash.
fn signed(text: &str) -> String {
    let mut typeset = String::new();
    let mut before = ' ';
    for c in text.chars() {
        match (c, before) {
            ('-', '0'..='9') => typeset.push_str("--"),
            ('-', 'e') => typeset.push('-'),
            ('-', _) => typeset.push_str("$-$"),
            _ => typeset.push(c),
        }
        before = c;
    }
    typeset
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in clean(text).chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', c]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '±' => escaped.push_str("$\\pm$"),
            '<' => escaped.push_str("$<$"),
            '>' => escaped.push_str("$>$"),
            c => escaped.push(c),
        }
    }
    escaped
}
