//! Figures: each a plain function from results to a plot, its numbers and its caption.

pub mod batch;
pub mod calibration;
pub mod decision;
pub mod flow;
pub mod forest;
pub mod icc;
pub mod kaplan_meier;
pub mod lasso;
pub mod learnt;
pub mod nomogram;
pub mod roc;
pub mod scored;
pub mod selection;
pub mod shap;
pub mod workflow;

use crate::report::sheet::{self, Cell, Sheet};
use osteon_plot::cells::{self, Cells, Charset};
use osteon_plot::fit::{self, Tight};
use osteon_plot::png::{self, PngError};
use osteon_plot::{FONT_PT, Mark, Plot, TextCell, TextColumn, pdf, svg, tiff};

/// A figure to hand in: the drawing, every number shown in it, and what it shows in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    pub plot: Plot,
    pub numbers: Sheet,
    pub caption: String,
}

/// What a figure is drawn on; its words have the usual size.
#[derive(Clone, Debug, PartialEq)]
pub struct Paper {
    pub width_mm: f64,
    /// Lines of `name: value`: study head, protocol hash, run, seed, version.
    pub provenance: Vec<String>,
}

/// One and two columns of a journal page.
pub const ONE_COLUMN_MM: f64 = 85.0;
pub const TWO_COLUMNS_MM: f64 = 174.0;

/// Dots to the inch of a picture where none are asked for.
pub const DPI: f64 = 300.0;

impl Paper {
    /// Panels side by side where the page is wide, below each other where not.
    fn columns(&self, most: usize) -> usize {
        ((self.width_mm / (ONE_COLUMN_MM - 10.0)) as usize).clamp(1, most.max(1))
    }
}

impl Figure {
    pub fn svg(&self) -> String {
        svg::render(&self.plot)
    }

    pub fn svg_as(&self, text: svg::Text) -> String {
        svg::render_as(&self.plot, text)
    }

    pub fn pdf(&self) -> Vec<u8> {
        pdf::render(&self.plot)
    }

    /// At so many dots to the inch.
    pub fn png(&self, dpi: f64) -> Result<Vec<u8>, PngError> {
        png::render(&self.plot, dpi)
    }

    pub fn tiff(&self, dpi: f64) -> Result<Vec<u8>, PngError> {
        tiff::render(&self.plot, dpi)
    }

    /// Whether all words and data have room.
    pub fn fits(&self) -> Result<(), Tight> {
        fit::check(&self.plot)
    }

    /// Every number shown, in full.
    pub fn csv(&self) -> String {
        sheet::render(&self.numbers, sheet::Format::Csv)
    }

    pub fn cells(&self, width: usize, height: usize, charset: Charset) -> Cells {
        cells::render(&self.plot, width, height, charset)
    }
}

/// Name, title and headings of the numbers; rows and panels come later.
struct Draft<'a> {
    name: &'a str,
    title: &'a str,
    caption: String,
    columns: usize,
    headings: &'a [&'a str],
}

impl Draft<'_> {
    fn finish(self, paper: &Paper, panels: Vec<osteon_plot::Panel>, rows: Vec<Vec<Cell>>) -> Figure {
        let plot = Plot {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            width_mm: paper.width_mm,
            height_mm: None,
            font_pt: FONT_PT,
            columns: self.columns,
            panels,
            provenance: paper.provenance.clone(),
        };
        let numbers = Sheet {
            title: self.title.to_owned(),
            headings: self.headings.iter().map(|&heading| heading.to_owned()).collect(),
            rows,
            notes: Vec::new(),
            provenance: paper.provenance.clone(),
        };
        Figure { plot, numbers, caption: self.caption }
    }
}

/// `the training set (n = 75; A) and the test set (n = 18; B)`.
fn panels_in_words<'a>(sets: impl Iterator<Item = (&'a str, usize)>) -> String {
    let lower = |name: &str| match name.strip_suffix(" set") {
        Some(kind) => format!("the {} set", kind.to_lowercase()),
        None => name.to_owned(),
    };
    let one = |(at, (name, n)): (usize, (&str, usize))| format!("{} (n = {n}; {})", lower(name), lettered(at, ""));
    let all: Vec<String> = sets.enumerate().map(one).collect();
    match &all[..] {
        [] => "no set".to_owned(),
        [first] => first.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// `A  Training set`.
fn lettered(n: usize, title: &str) -> String {
    let letter = char::from(b'A' + (n % 26) as u8);
    if title.is_empty() { letter.to_string() } else { format!("{letter}  {title}") }
}

fn words(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// What stands for a number that does not exist.
const NONE: &str = "–";

/// With a minus sign.
fn signed(value: Option<f64>) -> String {
    value.map_or(NONE.to_owned(), |value| osteon_plot::number(value, 2))
}

fn value(value: f64) -> Cell {
    if value.is_finite() { Cell::Number { value, digits: 4 } } else { Cell::Empty }
}

fn text_cell(at: f64, text: impl Into<String>) -> TextCell {
    TextCell { at, text: text.into(), bold: false }
}

fn column(heading: &str, anchor: osteon_plot::Anchor, cells: Vec<TextCell>) -> TextColumn {
    TextColumn { heading: heading.to_owned(), anchor, cells }
}

/// Draws later what lies under the rest.
fn under(mut back: Vec<Mark>, front: Vec<Mark>) -> Vec<Mark> {
    back.extend(front);
    back
}
