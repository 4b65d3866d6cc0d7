//! One presentation table: text, CSV, JSON, Markdown, HTML, LaTeX and screens all render this.

mod cell;
mod csv;
mod html;
mod json;
mod latex;
mod markdown;
mod text;
mod xlsx;

pub use cell::Cell;
pub use html::in_page;
pub use text::{in_columns, wrapped};
pub use xlsx::workbook;

/// A table to be read by a person, and what it stands on.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Sheet {
    pub title: String,
    /// Distinct names, one a column; the first columns, as many as tell rows apart, are repeated when a wide sheet is
    /// broken into blocks.
    pub headings: Vec<String>,
    /// One cell a heading.
    pub rows: Vec<Vec<Cell>>,
    pub notes: Vec<String>,
    /// Where the numbers come from: one `name: value` a line (study head, protocol hash, run, seed, version).
    pub provenance: Vec<String>,
}

/// How a sheet is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Aligned, at most 80 columns wide.
    Text,
    /// One value a field, full precision: `17.13 ± 9.01` under `Total` becomes `Total mean` and `Total sd`.
    Csv,
    /// `title`, `headings`, `rows` (objects by heading, numbers in full), `notes`, `provenance`.
    Json,
    Markdown,
    /// A `<table>` element, to stand in a page.
    Html,
    /// A `table` environment for the booktabs package.
    Latex,
}

/// The sheet as a document, ending in a line break.
pub fn render(sheet: &Sheet, format: Format) -> String {
    match format {
        Format::Text => text::render(sheet),
        Format::Csv => csv::render(sheet),
        Format::Json => json::render(sheet),
        Format::Markdown => markdown::render(sheet),
        Format::Html => html::render(sheet),
        Format::Latex => latex::render(sheet),
    }
}

/// The sheet as a journal takes it: as text of this width, as HTML whose rows have headings, as one LaTeX float.
pub fn for_journal(sheet: &Sheet, format: Format, width: usize) -> String {
    match format {
        Format::Text => text::render_in(sheet, width),
        Format::Html => html::in_page(sheet, &provenance_html(sheet)),
        Format::Latex => latex::for_journal(sheet),
        other => render(sheet, other),
    }
}

fn provenance_html(sheet: &Sheet) -> String {
    let lines: Vec<String> = sheet.provenance.iter().map(|line| html::escape(line)).collect();
    format!("<span class=\"from\">{}</span>", lines.join("; "))
}

impl Sheet {
    /// The sheet in parts of at most `room` characters a line, each beginning with the columns that tell the rows apart;
    /// notes stand below the last.
    pub fn parts(&self, room: usize) -> Vec<Sheet> {
        let columns = in_columns(self, room);
        let n = columns.len();
        let part = |(k, at): (usize, Vec<usize>)| Sheet {
            title: if k == 0 { self.title.clone() } else { format!("{} (continued)", self.title) },
            headings: at.iter().map(|&at| self.headings[at].clone()).collect(),
            rows: self
                .rows
                .iter()
                .map(|row| at.iter().map(|&at| row.get(at).cloned().unwrap_or(Cell::Empty)).collect())
                .collect(),
            notes: if k + 1 == n { self.notes.clone() } else { Vec::new() },
            provenance: self.provenance.clone(),
        };
        columns.into_iter().enumerate().map(part).collect()
    }

    /// Columns whose cells are all numbers or empty stand to the right.
    pub(crate) fn right_aligned(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Cell::Empty);
        cells.clone().next().is_some() && cells.all(Cell::is_number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let level = Cell::Level { of: "Sex".into(), level: "Male".into() };
        Sheet {
            title: "Table 1. Cohort & response".into(),
            headings: ["Variable", "All", "p"].map(String::from).to_vec(),
            rows: vec![
                vec![level, Cell::CountPercent { n: 24, of: 93 }, Cell::Empty],
                vec![
                    Cell::Text("Age_years".into()),
                    Cell::MeanSd { mean: 17.129, sd: 9.0135, digits: 2 },
                    Cell::P(0.000_5),
                ],
            ],
            notes: vec!["Age: t test".into()],
            provenance: vec!["version: 1".into()],
        }
    }

    #[test]
    fn text_is_aligned() {
        let expected = "Table 1. Cohort & response\n\n\
                        Variable            All       p\n\
                        ---------  ------------  ------\n  \
                          Male        24 (25.8)        \n\
                        Age_years  17.13 ± 9.01  <0.001\n\n\
                        Age: t test\nversion: 1\n";
        let trimmed: Vec<&str> = expected.lines().map(str::trim_end).collect();
        assert_eq!(render(&sheet(), Format::Text).lines().collect::<Vec<_>>(), trimmed);
    }

    #[test]
    fn csv_has_one_value_a_field() {
        let text = render(&sheet(), Format::Csv);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("Variable,Variable level,All n,All percent,All mean,All sd,p"));
        assert_eq!(lines.next(), Some("Sex,Male,24,25.806451612903224,,,"));
        assert_eq!(lines.next(), Some("Age_years,,,,17.129,9.0135,0.0005"));
    }

    #[test]
    fn json_keeps_every_digit_and_has_no_nan() {
        let mut sheet = sheet();
        sheet.rows[0][2] = Cell::Number { value: f64::INFINITY, digits: 2 };
        let value: serde_json::Value = serde_json::from_str(&render(&sheet, Format::Json)).unwrap();
        assert_eq!(value["rows"][1]["All"]["sd"], 9.0135);
        assert_eq!(value["rows"][0]["Variable"]["level"], "Male");
        assert!(value["rows"][0]["p"].is_null());
    }

    #[test]
    fn markup_is_escaped() {
        assert!(render(&sheet(), Format::Html).contains("Cohort &amp; response"));
        assert!(render(&sheet(), Format::Html).contains("&lt;0.001"));
        let latex = render(&sheet(), Format::Latex);
        assert!(latex.contains(r"Age\_years & 17.13 $\pm$ 9.01 & $<$0.001 \\"), "{latex}");
        let mut numbers = sheet();
        numbers.title = "Table 4. Odds".into();
        numbers.rows[0][1] = Cell::Range { low: 0.5, high: 1.5, digits: 1 };
        numbers.rows[0][2] = Cell::Number { value: -1e-20, digits: 21 };
        let latex = render(&numbers, Format::Latex);
        assert!(latex.contains(r"0.5--1.5 & $-$1.00e-20 \\"), "{latex}");
        assert!(
            latex.contains("\\caption{Odds}") && !latex.contains("counter"),
            "the author's counter counts: {latex}"
        );
        assert!(latex.starts_with("% needs \\usepackage{booktabs}"), "{latex}");
        assert_eq!(latex.matches("\\begin{table}").count(), 1);
        assert!(render(&sheet(), Format::Markdown).contains("| Age\\_years | 17.13 ± 9.01 | \\<0.001 |"));
    }

    #[test]
    fn a_wide_sheet_is_broken_into_blocks_of_at_most_80_columns() {
        let headings: Vec<String> = (0..12).map(|at| format!("a rather long heading {at}")).collect();
        let rows = vec![(0..12).map(|at| Cell::Text(format!("word {at} ").repeat(30))).collect()];
        let text = render(&Sheet { headings, rows, ..Sheet::default() }, Format::Text);
        assert!(text.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80), "{text}");
        assert!(text.contains("heading 11"));
    }

    #[test]
    fn control_characters_go() {
        let rows = vec![vec![Cell::Text("a\u{1b}[31mb\u{7}".into())]];
        let sheet = Sheet { headings: vec!["x".into()], rows, ..Sheet::default() };
        for format in [Format::Text, Format::Csv, Format::Markdown, Format::Html, Format::Latex] {
            assert!(!render(&sheet, format).contains('\u{1b}'));
        }
    }
}
