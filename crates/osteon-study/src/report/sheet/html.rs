//! A sheet as an HTML table element.

use crate::report::sheet::Sheet;
use osteon_base::text::clean;

pub fn render(sheet: &Sheet) -> String {
    let mut text = String::from("<table>\n");
    if !sheet.title.is_empty() {
        text.push_str(&format!("<caption>{}</caption>\n", escape(&sheet.title)));
    }
    let style = |at| if sheet.right_aligned(at) { " style=\"text-align:right\"" } else { "" };
    let heading = |(at, name): (usize, &String)| format!("<th scope=\"col\"{}>{}</th>", style(at), escape(name));
    let headings: String = sheet.headings.iter().enumerate().map(heading).collect();
    text.push_str(&format!("<thead>\n<tr>{headings}</tr>\n</thead>\n<tbody>\n"));
    for row in &sheet.rows {
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let value = cell.text();
            let indent = if value.starts_with("  ") { "&emsp;" } else { "" };
            format!("<td{}>{indent}{}</td>", style(at), escape(value.trim_start()))
        });
        text.push_str(&format!("<tr>{}</tr>\n", cells.collect::<String>()));
    }
    text.push_str("</tbody>\n");
    let notes: Vec<String> = sheet.notes.iter().chain(&sheet.provenance).map(|note| escape(note)).collect();
    if !notes.is_empty() {
        let span = sheet.headings.len();
        text.push_str(&format!("<tfoot>\n<tr><td colspan=\"{span}\">{}</td></tr>\n</tfoot>\n", notes.join("<br>\n")));
    }
    text + "</table>\n"
}

fn escape(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
