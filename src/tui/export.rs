//! A view as the text of a file: made from plain values, away from the loop.

use std::sync::Arc;

use crate::tui::data::{Cohort, Content};
use osteon_study::report::sheet::{Cell, Format, Sheet, render};

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub enum View {
    Content(Box<Content>),
    /// Patients as listed: these rows in this order, these columns.
    Patients {
        cohort: Arc<Cohort>,
        rows: Vec<u32>,
        columns: Vec<usize>,
    },
}

/// How it is written; the ending of the file decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Sheet(Format),
    Svg,
}

impl Ending {
    /// The form that a file's ending stands for.
    pub fn of(path: &str) -> Result<Ending, String> {
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        Ok(Ending::Sheet(match ending {
            "svg" => return Ok(Ending::Svg),
            "csv" => Format::Csv,
            "md" => Format::Markdown,
            "html" => Format::Html,
            "json" => Format::Json,
            "tex" => Format::Latex,
            "txt" => Format::Text,
            _ => return Err(format!("no form of this view ends in .{ending}")),
        }))
    }
}

/// The text of a view; `None` where the view has no such form.
pub fn text(view: &View, ending: Ending) -> Option<String> {
    match (view, ending) {
        (View::Content(content), Ending::Svg) => match &**content {
            Content::Chart(figure) => Some(figure.svg()),
            _ => None,
        },
        (View::Content(content), Ending::Sheet(format)) => match &**content {
            Content::Sheet(sheet) => Some(render(sheet, format)),
            Content::Chart(figure) => Some(render(&figure.numbers, format)),
            Content::Blocks(sheets) => {
                Some(sheets.iter().map(|sheet| render(sheet, format)).collect::<Vec<_>>().join("\n"))
            }
            Content::Nothing(_) => None,
        },
        (View::Patients { cohort, rows, columns }, Ending::Sheet(format)) => {
            Some(render(&patients(cohort, rows, columns), format))
        }
        (View::Patients { .. }, Ending::Svg) => None,
    }
}

fn patients(cohort: &Cohort, rows: &[u32], columns: &[usize]) -> Sheet {
    let cell = |row: u32, column: usize| match cohort.text(row as usize, column) {
        text if text.is_empty() => Cell::Empty,
        text => Cell::Text(text),
    };
    Sheet {
        title: "Patients".to_owned(),
        headings: columns.iter().map(|&at| cohort.name(at).to_owned()).collect(),
        rows: rows.iter().map(|&row| columns.iter().map(|&at| cell(row, at)).collect()).collect(),
        notes: Vec::new(),
        provenance: Vec::new(),
    }
}
