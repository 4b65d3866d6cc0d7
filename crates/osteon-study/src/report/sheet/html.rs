//! A sheet as an HTML table element.

use crate::report::sheet::{Cell, Sheet};
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

/// The table in a page: rows have headings of their own, numbers never break, `mark` says in short where they come from.
pub fn in_page(sheet: &Sheet, mark: &str) -> String {
    let mut text = String::from("<table>\n");
    if !sheet.title.is_empty() {
        text.push_str(&format!("<caption>{}</caption>\n", escape(&sheet.title)));
    }
    let class = |at| if sheet.right_aligned(at) { " class=\"n\"" } else { "" };
    let heading = |(at, name): (usize, &String)| format!("<th scope=\"col\"{}>{}</th>", class(at), escape(name));
    let headings: String = sheet.headings.iter().enumerate().map(heading).collect();
    text.push_str(&format!("<thead>\n<tr>{headings}</tr>\n</thead>\n<tbody>\n"));
    for row in &sheet.rows {
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let value = cell.text();
            let words = escape(value.trim_start());
            match (at, cell) {
                (0, Cell::Level { .. }) => format!("<th scope=\"row\" class=\"level\">{words}</th>"),
                (0, _) => format!("<th scope=\"row\">{words}</th>"),
                _ if cell.is_number() => format!("<td class=\"n\">{words}</td>"),
                _ => format!("<td>{words}</td>"),
            }
        });
        text.push_str(&format!("<tr>{}</tr>\n", cells.collect::<String>()));
    }
    text.push_str("</tbody>\n");
    let notes: Vec<String> = sheet.notes.iter().map(|note| escape(note)).chain([mark.to_owned()]).collect();
    let span = sheet.headings.len();
    text.push_str(&format!("<tfoot>\n<tr><td colspan=\"{span}\">{}</td></tr>\n</tfoot>\n", notes.join("<br>\n")));
    text + "</table>\n"
}

pub(in crate::report::sheet) fn escape(text: &str) -> String {
    clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
