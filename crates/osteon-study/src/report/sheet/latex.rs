//! A sheet as one LaTeX float with the rules of booktabs: a wide one is stacked, or fitted to the line for a journal.

use crate::report::sheet::text::{Column, blocks};
use crate::report::sheet::{Cell, Sheet};
use osteon_base::text::clean;

/// Characters that fit between the margins of a page in footnotesize.
const WIDTH: usize = 84;

pub fn render(sheet: &Sheet) -> String {
    let blocks = blocks(sheet, WIDTH);
    let mut text = "% needs \\usepackage{booktabs}\n".to_owned();
    for (at, block) in blocks.iter().enumerate() {
        text.push_str("\\begin{table}\n\\centering\\footnotesize\\setlength{\\tabcolsep}{4pt}\n");
        // Only the first part has a caption: LaTeX counts captions.
        text.push_str(&if at == 0 { caption(&sheet.title) } else { "(continued)\\\\[2pt]\n".to_owned() });
        text.push_str(&tabular(sheet, block));
        if at + 1 == blocks.len() {
            let notes: Vec<&String> = sheet.notes.iter().chain(&sheet.provenance).collect();
            text.push_str(&notes_below(&notes));
        }
        text.push_str("\\end{table}\n");
    }
    text
}

/// One tabular, made narrower where it is wider than the line; where it comes from stands in comments.
pub fn for_journal(sheet: &Sheet) -> String {
    let whole = blocks(sheet, usize::MAX);
    let Some(block) = whole.first() else { return render(sheet) };
    let is_wide = blocks(sheet, WIDTH).len() > 1;
    let packages = if is_wide { "booktabs,graphicx" } else { "booktabs" };
    let mut text = format!("% needs \\usepackage{{{packages}}}\n");
    text.extend(sheet.provenance.iter().map(|line| format!("% {}\n", clean(line))));
    text.push_str("\\begin{table}\n\\centering\\footnotesize\\setlength{\\tabcolsep}{4pt}\n");
    text.push_str(&caption(&sheet.title));
    let tabular = tabular(sheet, block);
    match is_wide {
        true => text.push_str(&format!("\\resizebox{{\\linewidth}}{{!}}{{%\n{}}}\n", tabular)),
        false => text.push_str(&tabular),
    }
    text.push_str(&notes_below(&sheet.notes.iter().collect::<Vec<_>>()));
    text + "\\end{table}\n"
}

/// Without the number that a title begins with: LaTeX counts.
fn caption(title: &str) -> String {
    let words = title.strip_prefix("Table ").and_then(|title| title.split_once(". "));
    match words.map_or(title, |(_, words)| words) {
        "" => String::new(),
        words => format!("\\caption{{{}}}\n", escape(words)),
    }
}

/// One paragraph: a line each would not fit on the page.
fn notes_below(notes: &[&String]) -> String {
    let notes: Vec<String> = notes.iter().map(|note| escape(note.trim_end_matches('.'))).collect();
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
        Cell::Text(text) | Cell::Printed(text) => escape(text),
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
            '–' => escaped.push_str("--"),
            '−' => escaped.push_str("$-$"),
            '·' => escaped.push_str("$\\cdot$"),
            '×' => escaped.push_str("$\\times$"),
            '≥' => escaped.push_str("$\\geq$"),
            '≤' => escaped.push_str("$\\leq$"),
            'χ' => escaped.push_str("$\\chi$"),
            'λ' => escaped.push_str("$\\lambda$"),
            'µ' | 'μ' => escaped.push_str("$\\mu$"),
            '²' => escaped.push_str("\\textsuperscript{2}"),
            '³' => escaped.push_str("\\textsuperscript{3}"),
            '“' => escaped.push_str("``"),
            '”' => escaped.push_str("''"),
            '\u{a0}' | '\u{202f}' => escaped.push('~'),
            c if superscript(c).is_some() => {
                escaped.push_str(&format!("\\textsuperscript{{{}}}", superscript(c).unwrap_or(c)));
            }
            '<' => escaped.push_str("$<$"),
            '>' => escaped.push_str("$>$"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The letter of a superscript one.
fn superscript(c: char) -> Option<char> {
    const RAISED: &str = "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢ";
    RAISED.chars().zip("abcdefghijklmnoprs".chars()).find(|(raised, _)| *raised == c).map(|(_, plain)| plain)
}
