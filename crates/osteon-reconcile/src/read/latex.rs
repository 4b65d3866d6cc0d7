//! Tables of LaTeX: `tabular`, `tabular*`, `tabularx` and `longtable`, whatever package draws their rules.

use crate::read::blocks::joined;
use crate::read::grid::{Grid, GridCell, GridRow, MOST_COLUMNS};

const ENVIRONMENTS: [&str; 4] = ["tabularx", "tabular*", "tabular", "longtable"];

/// Whether a text has a table of LaTeX.
pub fn is_latex(text: &str) -> bool {
    ENVIRONMENTS.iter().any(|name| text.contains(&format!("\\begin{{{name}}}")))
}

/// All tables of a text in order; a caption before one is its title.
pub fn tables(text: &str) -> Vec<Grid> {
    let mut tables = Vec::new();
    let mut from = 0;
    loop {
        let starts = ENVIRONMENTS.iter().filter_map(|name| {
            let begin = format!("\\begin{{{name}}}");
            Some((from + text[from..].find(&begin)?, *name, begin.len()))
        });
        let Some((at, name, length)) = starts.min_by_key(|it| it.0) else { break };
        let end = text[at..].find(&format!("\\end{{{name}}}")).map_or(text.len(), |it| at + it);
        let title = caption(&text[from..at]).or_else(|| caption(&text[at..end])).unwrap_or_default();
        tables.push(Grid { title, rows: rows(text, at + length, end), ..Grid::default() });
        from = end;
    }
    joined(tables)
}

fn caption(text: &str) -> Option<String> {
    let at = text.rfind("\\caption{")? + 9;
    let words = plain(&text[at..at + group(&text[at..])]);
    // `\setcounter{table}{3}` stands before Table 4.
    let counter = text.rfind("\\setcounter{table}{").and_then(|it| {
        let number = &text[it + 19..];
        number[..number.find('}')?].parse::<usize>().ok()
    });
    Some(counter.map_or(words.clone(), |before| format!("Table {}. {words}", before + 1)))
}

/// Bytes up to the brace that closes the group in which a text begins.
fn group(text: &str) -> usize {
    let (mut depth, mut before) = (0, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '{' if before != '\\' => depth += 1,
            '}' if before != '\\' && depth == 0 => return at,
            '}' if before != '\\' => depth -= 1,
            _ => (),
        }
        before = if before == '\\' && c == '\\' { ' ' } else { c };
    }
    text.len()
}

/// The rows between two bytes, the column types left out.
fn rows(text: &str, from: usize, end: usize) -> Vec<GridRow> {
    let mut at = from;
    while at < end && text[at..].starts_with(['{', '[']) {
        let close =
            if text[at..].starts_with('{') { group(&text[at + 1..]) } else { text[at..].find(']').unwrap_or(0) };
        at = (at + close + 2).min(end);
    }
    let mut rows = Vec::new();
    let (mut cells, mut cell, mut depth) = (Vec::new(), String::new(), 0usize);
    let mut line = 1 + text[..at].matches('\n').count();
    let mut chars = text[at..end].chars().peekable();
    while let Some(c) = chars.next() {
        line += usize::from(c == '\n');
        match c {
            '\\' if chars.peek() == Some(&'\\') && depth == 0 => {
                chars.next();
                cells.push((std::mem::take(&mut cell), line));
                rows.push(std::mem::take(&mut cells));
                // `\\[2pt]`
                if chars.peek() == Some(&'[') {
                    chars.by_ref().take_while(|&c| c != ']').for_each(drop);
                }
            }
            '\\' => {
                cell.push('\\');
                cell.extend(chars.next());
            }
            '%' => {
                for skipped in chars.by_ref() {
                    if skipped == '\n' {
                        line += 1;
                        break;
                    }
                }
            }
            '&' if depth == 0 => cells.push((std::mem::take(&mut cell), line)),
            c => {
                depth = match c {
                    '{' => depth + 1,
                    '}' => depth.saturating_sub(1),
                    _ => depth,
                };
                cell.push(c);
            }
        }
    }
    let filled = |row: &Vec<(String, usize)>| row.iter().any(|(text, _)| !plain(text).trim().is_empty());
    rows.iter().filter(|row| filled(row)).map(|row| grid_row(row)).collect()
}

fn grid_row(cells: &[(String, usize)]) -> GridRow {
    let mut row = GridRow { line: cells[0].1, cells: Vec::new() };
    for (text, line) in cells.iter().take(MOST_COLUMNS) {
        let rest = text.find("\\multicolumn{").map(|at| &text[at + 13..]);
        let width: usize = rest.and_then(|rest| rest[..rest.find('}')?].parse().ok()).unwrap_or(1);
        row.cells.push(GridCell::new(&plain(text), *line));
        row.cells.extend((1..width.min(MOST_COLUMNS)).map(|_| GridCell::new("", *line)));
    }
    row
}

/// A text without commands: signs for their names, the words of their groups.
fn plain(text: &str) -> String {
    const SIGNS: [(&str, &str); 20] = [
        ("pm", "±"),
        ("times", "×"),
        ("chi", "χ"),
        ("kappa", "κ"),
        ("beta", "β"),
        ("alpha", "α"),
        ("rho", "ρ"),
        ("leq", "≤"),
        ("le", "≤"),
        ("geq", "≥"),
        ("ge", "≥"),
        ("quad", "  "),
        ("qquad", "    "),
        ("cdot", "·"),
        ("textendash", "–"),
        ("dagger", "†"),
        ("ddagger", "‡"),
        ("textasciitilde", "~"),
        ("newline", " "),
        ("sim", "~"),
    ];
    // Commands whose arguments are no words.
    const DROPPED: [(&str, usize); 9] = [
        ("multicolumn", 2),
        ("multirow", 2),
        ("cmidrule", 1),
        ("cline", 1),
        ("label", 1),
        ("caption", 1),
        ("rule", 2),
        ("vspace", 1),
        ("setlength", 2),
    ];
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let name: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
                if name.is_empty() {
                    let sign = rest.chars().next().unwrap_or(' ');
                    rest = &rest[sign.len_utf8().min(rest.len())..];
                    // A line break, and small spaces.
                    out.push(if "\\,;: !".contains(sign) { ' ' } else { sign });
                    continue;
                }
                rest = rest[name.len()..].trim_start_matches([' ', '*']);
                if let Some((_, sign)) = SIGNS.iter().find(|(it, _)| *it == name) {
                    out.push_str(sign);
                }
                let arguments = DROPPED.iter().find(|(it, _)| *it == name).map_or(0, |it| it.1);
                for _ in 0..=arguments {
                    if let (Some(inner), Some(close)) = (rest.strip_prefix(['[', '(']), rest.find([']', ')'])) {
                        rest = if close > 0 { &rest[close + 1..] } else { inner };
                    }
                }
                for _ in 0..arguments {
                    if let Some(inner) = rest.strip_prefix('{') {
                        rest = inner.get(group(inner) + 1..).unwrap_or("");
                    }
                }
            }
            '$' | '{' | '}' | '^' => (),
            '~' => out.push(' '),
            c => out.push(c),
        }
    }
    out.replace("---", "—").replace("--", "–")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_without_their_commands() {
        let text = "\\begin{table}\n\\setcounter{table}{3}\n\\caption{Odds}\n\\begin{tabular}{lr@{}r}\n\\toprule\n & \
                    \\multicolumn{2}{c}{Training (n = 40)} \\\\ \\cmidrule(lr){2-3}\nItem & \\shortstack[r]{Good\\\\n} & $P$ \
                    \\\\\n\\midrule % rule\n\\quad Male & 24 (25.8\\%) & $<$0.001 \\\\[2pt]\nAge\\_y & 17.1 $\\pm$ 9.0 & \
                    0.5--1.5 \\\\\n\\bottomrule\n\\end{tabular}\n\\end{table}\n";
        let grid = &tables(text)[0];
        assert_eq!((grid.title.as_str(), grid.rows.len()), ("Table 4. Odds", 4));
        assert_eq!((grid.text(0, 1), grid.text(0, 2), grid.text(1, 1)), ("Training (n = 40)", "", "Good n"));
        assert_eq!((grid.text(2, 0), grid.text(2, 1), grid.text(2, 2)), ("Male", "24 (25.8%)", "<0.001"));
        assert_eq!((grid.text(3, 0), grid.text(3, 1), grid.text(3, 2)), ("Age_y", "17.1 ± 9.0", "0.5–1.5"));
        assert!(grid.rows[2].cells[0].indent > 0 && grid.rows[2].line == 9, "{grid:?}");
        for odd in ["\\begin{tabular}", "\\begin{tabular}{", "\\begin{tabular}{l}\\", "\\begin{tabular}{l}a&{\\\\b"] {
            tables(odd);
        }
    }
}
