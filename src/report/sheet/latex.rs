//! A sheet as a LaTeX table with the rules of booktabs.

use crate::report::sheet::Sheet;
use crate::text::clean;

pub fn render(sheet: &Sheet) -> String {
    let mut text = String::from("\\begin{table}\n\\centering\n");
    if !sheet.title.is_empty() {
        text.push_str(&format!("\\caption{{{}}}\n", escape(&sheet.title)));
    }
    let columns: String = (0..sheet.headings.len()).map(|at| if sheet.right_aligned(at) { 'r' } else { 'l' }).collect();
    text.push_str(&format!("\\begin{{tabular}}{{{columns}}}\n\\toprule\n"));
    let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
    text.push_str(&line(sheet.headings.iter().map(|heading| escape(heading)).collect()));
    text.push_str("\\midrule\n");
    for row in &sheet.rows {
        let cell = |value: String| match value.strip_prefix("  ") {
            Some(level) => format!("\\quad {}", escape(level)),
            None => escape(&value),
        };
        text.push_str(&line(row.iter().map(|value| cell(value.text())).collect()));
    }
    text.push_str("\\bottomrule\n\\end{tabular}\n");
    for note in sheet.notes.iter().chain(&sheet.provenance) {
        text.push_str(&format!("\n\\smallskip{{\\footnotesize {}}}\n", escape(note)));
    }
    text + "\\end{table}\n"
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
