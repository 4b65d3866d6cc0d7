//! A sheet as a Markdown pipe table.

use crate::report::sheet::Sheet;
use osteon_base::text::clean;

pub fn render(sheet: &Sheet) -> String {
    let mut text = String::new();
    if !sheet.title.is_empty() {
        text.push_str(&format!("**{}**\n\n", escape(&sheet.title)));
    }
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    text.push_str(&line(sheet.headings.iter().map(|heading| escape(heading)).collect()));
    let rule = |at| if sheet.right_aligned(at) { "---:".to_owned() } else { "---".to_owned() };
    text.push_str(&line((0..sheet.headings.len()).map(rule).collect()));
    for row in &sheet.rows {
        let cell = |text: String| match text.strip_prefix("  ") {
            Some(level) => format!("&nbsp;&nbsp;{}", escape(level)),
            None => escape(&text),
        };
        text.push_str(&line(row.iter().map(|value| cell(value.text())).collect()));
    }
    for note in sheet.notes.iter().chain(&sheet.provenance) {
        text.push_str(&format!("\n{}\n", escape(note)));
    }
    text
}

/// Backslashes before what Markdown or its HTML would take for markup.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in clean(text).chars() {
        if matches!(c, '\\' | '|' | '*' | '_' | '`' | '<' | '[' | ']' | '#') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
