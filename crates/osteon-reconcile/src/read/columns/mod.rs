//! What each column is: by its header, by its neighbours, and by the numbers in it.

mod kinds;
mod names;
mod pairs;
mod sizes;

pub use names::set_and_name;

use crate::metric::Metric;
use crate::read::columns::kinds::{are_p_values, beside_models, kind, metric_of_labels};
use crate::read::columns::names::{name_groups, name_others, prefix_of_terms, set_unless_said};
use crate::read::columns::pairs::{attach_intervals, compare};
use crate::read::columns::sizes::{counted_sizes, own_sizes, pair_shares};
use crate::read::correction::{ColumnCorrection, TableCorrection};
use crate::read::grid::Grid;
use crate::read::header::Frame;
use crate::read::value::{Read, Shape};
use crate::read::words;
use crate::read::words::Ends;
use crate::role::{Compared, Measure};

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Label,
    Group,
    /// The percentages of the group to its left.
    Share,
    P,
    Statistic,
    Estimate(Measure),
    Score(Metric),
    /// The standard error of the estimate or area to its left.
    Error,
    /// Standardized differences between two groups.
    Balance,
    Interval(Ends),
    /// A person said that it is to be left out.
    Ignored,
    Unknown,
}

/// A column as it was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub kind: Kind,
    /// Header texts from top to bottom.
    pub path: Vec<String>,
    /// The set that the header names; empty for none.
    pub set: String,
    /// The group, or the model of scores, that the header names.
    pub name: String,
    /// The class of patients above a count or score, where it is no model: `Reference standard positive`.
    pub class: String,
    /// `univariate` or `multivariate`, of a regression.
    pub prefix: &'static str,
    pub n: Option<u64>,
    /// Where `n` comes from when it is no printed size; empty otherwise.
    pub inferred: &'static str,
    /// Of an interval: the column whose ends it gives.
    pub target: Option<usize>,
    pub compared: Compared,
    /// `Some` when a person said it.
    pub is_percent: Option<bool>,
}

impl Column {
    pub fn heading(&self) -> String {
        self.path.join(" / ")
    }

    pub fn leaf(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// A data column of a table whose metrics stand in rows, or any column before its kind is known.
fn bare(path: &[String]) -> Column {
    let n = path.iter().rev().find_map(|text| words::size(text));
    Column {
        kind: Kind::Unknown,
        path: path.to_vec(),
        set: String::new(),
        name: String::new(),
        class: String::new(),
        prefix: "",
        n,
        inferred: "",
        target: None,
        compared: Compared::default(),
        is_percent: None,
    }
}

/// Every column of the table; `metrics_in_rows` makes each data column a model on a set.
pub fn columns(
    grid: &Grid,
    reads: &[Vec<Read>],
    frame: &Frame,
    paths: &[Vec<String>],
    metrics_in_rows: bool,
    correction: &TableCorrection,
) -> Vec<Column> {
    let body: Vec<usize> = (frame.n_header..grid.rows.len()).filter(|&row| !frame.is_header_row(row)).collect();
    let mut columns: Vec<Column> = paths.iter().map(|path| bare(path)).collect();
    for (at, column) in columns.iter_mut().enumerate() {
        let shapes = shapes(reads, &body, at);
        // A heading that the file leaves empty may be taken from its neighbour, but not for P values.
        let is_bare = frame.n_header > 0 && (0..frame.n_header).all(|row| grid.text(row, at).is_empty());
        column.kind = if at < frame.n_labels {
            Kind::Label
        } else if metrics_in_rows {
            beside_models(column, &shapes)
        } else if is_bare && are_p_values(&shapes) {
            column.path.clear();
            Kind::P
        } else {
            kind(column, &shapes)
        };
        if let Some(said) = correction.column(at + 1) {
            said.apply(column);
        }
    }
    if !metrics_in_rows {
        metric_of_labels(&mut columns, paths);
    }
    if metrics_in_rows {
        for column in columns.iter_mut().skip(frame.n_labels).filter(|it| it.kind == Kind::Unknown) {
            let (set, name) = set_and_name(&column.path);
            set_unless_said(column, set, name);
        }
        return columns;
    }
    pair_shares(&mut columns);
    counted_sizes(&mut columns, reads, &body);
    own_sizes(&mut columns, reads, &body);
    name_groups(&mut columns);
    name_others(&mut columns);
    prefix_of_terms(&mut columns);
    attach_intervals(&mut columns, reads, &body);
    compare(&mut columns);
    for (at, column) in columns.iter_mut().enumerate() {
        if let Some(ColumnCorrection { pair: Some(pair), .. }) = correction.column(at + 1) {
            column.compared.groups.clone_from(pair);
            column.compared.is_named = true;
        }
    }
    columns
}

/// The shapes of the filled cells of a column.
pub fn shapes<'a>(reads: &'a [Vec<Read>], body: &[usize], column: usize) -> Vec<&'a Shape> {
    let cell = |&row: &usize| reads.get(row).and_then(|row| row.get(column)).map(|read| &read.shape);
    body.iter().filter_map(cell).filter(|shape| !matches!(shape, Shape::Absent | Shape::Reference)).collect()
}
