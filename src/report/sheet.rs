//! One presentation table: text, CSV, JSON, Markdown, HTML, LaTeX and screens all render this.

/// A table to be read by a person, and what it stands on.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Sheet {
    pub title: String,
    pub headings: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
    pub notes: Vec<String>,
    /// Where the numbers come from: one `name: value` a line (study head, protocol hash, run, seed, version).
    pub provenance: Vec<String>,
}

/// One typed cell; its text is made by one rule each, in one place.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Empty,
    Text(String),
    Count(usize),
    CountPercent { n: usize, of: usize },
    Number { value: f64, digits: usize },
    MeanSd { mean: f64, sd: f64, digits: usize },
    MedianIqr { median: f64, q1: f64, q3: f64, digits: usize },
    Interval { estimate: f64, low: f64, high: f64, digits: usize },
    P(f64),
}
