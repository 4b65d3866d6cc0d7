//! Where the cell of a finding stands in its file.

use crate::cells::PublishedCell;
use crate::finding::{Finding, Place};

/// The cells a finding is of: its own cell, or the first of the columns that it names, or of its row, or of its set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Located<'a> {
    pub cell: &'a PublishedCell,
    /// The finding is of this one cell, not of a row or set.
    pub is_cell: bool,
}

/// Finds a finding's cell by its names; `None` when no cell of its set was read.
pub fn locate<'a>(cells: &'a [PublishedCell], finding: &Finding) -> Option<Located<'a>> {
    let Place { table, set, row, column } = &finding.place;
    let inside = || cells.iter().filter(|cell| cell.place.table == *table && cell.place.set == *set);
    if let Some(cell) = inside().find(|cell| cell.place.row == *row && cell.place.column == *column) {
        return Some(Located { cell, is_cell: true });
    }
    let of_row = || inside().filter(|cell| cell.place.row == *row && cell.source.line > 0);
    let named = |cell: &&PublishedCell| column.split(", ").any(|name| name == cell.place.column);
    let found = of_row().find(named).or_else(|| of_row().next()).or_else(|| inside().find(|cell| cell.source.line > 0));
    let cell = found.or_else(|| cells.iter().find(|cell| cell.place.table == *table && cell.source.line > 0))?;
    Some(Located { cell, is_cell: false })
}
