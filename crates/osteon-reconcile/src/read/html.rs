//! Tables of a saved article page or of a JATS file.

use crate::read::grid::{Builder, Grid, tidy};
use crate::read::markup::{Piece, attribute, pieces, resolved};

/// Tables inside tables that are followed; deeper ones are texts of their cells.
const DEEPEST: usize = 8;
/// Characters kept before a table, for its title.
const BEFORE: usize = 1200;
/// Characters kept behind a table, for its footnotes.
const BEHIND: usize = 1500;

/// A table that is being read.
struct Open {
    builder: Builder,
    title: String,
    /// The cell that is being read: text, line, width, height.
    cell: Option<(String, usize, usize, usize)>,
    /// A row of header cells only, so far.
    is_header: bool,
    in_head: bool,
    in_caption: bool,
    in_foot: bool,
    superscript: usize,
}

/// All tables of a page in order, with their captions and footnotes.
pub fn tables(text: &str) -> Vec<Grid> {
    let mut done: Vec<Grid> = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut before = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Open { name, attributes, line } => {
                let name = name.to_ascii_lowercase();
                if name == "table" && open.len() < DEEPEST {
                    let title = title(&before);
                    before.clear();
                    open.push(Open::new(title));
                    continue;
                }
                match open.last_mut() {
                    Some(table) => table.start(&name, attributes, line),
                    None if is_block(&name) => before.push('\n'),
                    None => (),
                }
            }
            Piece::Close { name } => {
                let name = name.to_ascii_lowercase();
                if name == "table" {
                    if let Some(table) = open.pop() {
                        done.push(table.finish());
                        before.clear();
                    }
                } else if let Some(table) = open.last_mut() {
                    table.end(&name);
                } else if is_block(&name) {
                    before.push('\n');
                }
            }
            Piece::Text { text, line } => match open.last_mut() {
                Some(table) => table.text(&resolved(text), line),
                None => {
                    let text = resolved(text);
                    before.push_str(&text);
                    if let Some(last) = done.last_mut().filter(|it| it.legend.len() < BEHIND) {
                        last.legend.push_str(&text);
                    }
                    if before.len() > 2 * BEFORE {
                        let mut cut = before.len() - BEFORE;
                        while !before.is_char_boundary(cut) {
                            cut += 1;
                        }
                        before.drain(..cut);
                    }
                }
            },
        }
    }
    done.extend(open.into_iter().map(Open::finish));
    for grid in &mut done {
        grid.legend = tidy(&grid.legend).chars().take(BEHIND).collect();
    }
    done
}

impl Open {
    fn new(title: String) -> Open {
        Open {
            builder: Builder::default(),
            title,
            cell: None,
            is_header: true,
            in_head: false,
            in_caption: false,
            in_foot: false,
            superscript: 0,
        }
    }

    fn start(&mut self, name: &str, attributes: &str, line: usize) {
        match name {
            "tr" => {
                self.end_cell();
                self.end_row();
                self.builder.row(line);
                self.is_header = true;
            }
            "td" | "th" => {
                self.end_cell();
                let size = |wanted| attribute(attributes, wanted).and_then(|it| it.trim().parse().ok()).unwrap_or(1);
                let height = match size("rowspan") {
                    // To the end of the table.
                    0 => usize::MAX,
                    height => height,
                };
                self.is_header &= name == "th" || self.in_head;
                let indent = indent(attributes);
                self.cell = Some((" ".repeat(indent), line, size("colspan"), height));
            }
            "thead" => self.in_head = true,
            "tbody" => self.in_head = false,
            "tfoot" => self.in_foot = true,
            "caption" => {
                self.in_caption = true;
                self.title.clear();
            }
            "sup" => self.superscript += 1,
            "br" | "p" | "div" | "li" | "break" => self.text(" ", line),
            _ => (),
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "td" | "th" => self.end_cell(),
            "tr" => {
                self.end_cell();
                self.end_row();
            }
            "thead" => {
                self.end_cell();
                self.end_row();
                self.in_head = false;
            }
            "tfoot" => self.in_foot = false,
            "caption" => self.in_caption = false,
            "sup" => self.superscript = self.superscript.saturating_sub(1),
            _ => (),
        }
    }

    fn text(&mut self, text: &str, _line: usize) {
        match &mut self.cell {
            Some((cell, ..)) => match self.superscript {
                // What is raised is a mark or a power, never a digit of the number before it.
                1.. if cell.ends_with(|c: char| c.is_ascii_digit())
                    && text.starts_with(|c: char| c.is_ascii_digit()) =>
                {
                    cell.push('^');
                    cell.push_str(text);
                }
                _ => cell.push_str(text),
            },
            None if self.in_caption => self.title.push_str(text),
            None => (),
        }
    }

    fn end_cell(&mut self) {
        if let Some((text, line, width, height)) = self.cell.take() {
            self.builder.cell(&text, line, width, height);
        }
        self.superscript = 0;
    }

    fn end_row(&mut self) {
        let rows = &self.builder.grid.rows;
        if self.is_header && rows.last().is_some_and(|row| !row.cells.is_empty()) {
            let all = self.builder.grid.header_rows + 1 == rows.len();
            self.builder.grid.header_rows += usize::from(all);
        }
        self.is_header = false;
    }

    fn finish(mut self) -> Grid {
        self.end_cell();
        self.end_row();
        let title = tidy(&self.title);
        let mut grid = self.builder.finish();
        grid.title = title;
        grid
    }
}

/// Steps by which a style or a class moves a label to the right.
fn indent(attributes: &str) -> usize {
    let style = attribute(attributes, "style").unwrap_or_default().to_lowercase();
    let class = attribute(attributes, "class").unwrap_or_default().to_lowercase();
    let moved = ["padding-left", "text-indent", "margin-left"].iter().find_map(|key| {
        let value: String = style
            .split(key)
            .nth(1)?
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(char::is_ascii_digit)
            .collect();
        value.parse::<usize>().ok()
    });
    match moved {
        Some(size) if size > 0 => 1 + size.min(60) / 10,
        _ => usize::from(class.contains("indent")),
    }
}

pub fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "section"
            | "figure"
            | "figcaption"
            | "label"
            | "caption"
            | "title"
            | "table-wrap"
            | "table-wrap-foot"
            | "li"
            | "tr"
            | "td"
            | "br"
            | "header"
            | "fn"
    )
}

/// The title in what stands before a table: from its last `Table 3` on, or its last line.
fn title(before: &str) -> String {
    let at = before.match_indices(['T', 't']).rev().map(|(at, _)| at).find(|&at| {
        let word = before.get(at..at + 5).is_some_and(|word| word.eq_ignore_ascii_case("table"));
        let starts = before[..at].trim_end_matches([' ', '\t']).ends_with('\n') || at == 0;
        let number = before
            .get(at + 5..)
            .is_some_and(|rest| rest.trim_start().starts_with(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase()));
        word && starts && number
    });
    match at {
        Some(at) => tidy(&before[at..]).chars().take(400).collect(),
        None => {
            tidy(before.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("")).chars().take(200).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gives_its_tables_with_spans_titles_and_footnotes() {
        let page = "<html><body><p>Text</p><div><h3>Table 2.</h3><p>Cohort</p>\n<table><thead>\n<tr><th rowspan=2>Item\
                    <th colspan='2'>Training</tr><tr><th>A<sup>a</sup></th><th>B</th></thead><tbody>\n<tr><td>&nbsp;Male</td>\
                    <td>10<sup>2</sup></td><td>5&#8211;6</table><p>a mark</p></body>";
        let tables = tables(page);
        assert_eq!(tables.len(), 1);
        let grid = &tables[0];
        assert_eq!((grid.title.as_str(), grid.legend.as_str(), grid.header_rows), ("Table 2. Cohort", "a mark", 2));
        let texts: Vec<Vec<&str>> =
            grid.rows.iter().map(|row| row.cells.iter().map(|cell| cell.text.as_str()).collect()).collect();
        assert_eq!(texts, [vec!["Item", "Training", ""], vec!["", "Aa", "B"], vec!["Male", "10^2", "5–6"]]);
        assert_eq!((grid.rows[0].cells[1].width, grid.rows[2].line, grid.rows[2].cells[0].indent), (2, 4, 1));
        assert!(grid.rows[1].cells[0].is_covered && grid.rows[0].cells[2].is_covered);
    }
}
