//! Which values are missing together.

use crate::table::{Table, TableError};

/// Holes of some columns of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Missing {
    pub rows: usize,
    /// Name and rows without a value, in the order asked for.
    pub variables: Vec<(String, usize)>,
    /// The most frequent first, then the one with fewer holes.
    pub patterns: Vec<Pattern>,
}

/// Rows with the same holes.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// One a variable: has a value.
    pub known: Vec<bool>,
    pub rows: usize,
}

impl Missing {
    /// Rows that are complete in all variables.
    pub fn complete(&self) -> usize {
        self.patterns.iter().filter(|pattern| !pattern.known.contains(&false)).map(|pattern| pattern.rows).sum()
    }
}

/// The holes of the named columns.
///
/// # Errors
/// A name that no column has.
pub fn missing(table: &Table, names: &[&str]) -> Result<Missing, TableError> {
    let columns = names.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?;
    let rows = table.rows().len();
    let mut patterns: Vec<Pattern> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for row in 0..rows {
        let known: Vec<bool> = columns.iter().map(|column| !column.values.is_hole(row)).collect();
        let at = *places.entry(known.clone()).or_insert_with(|| {
            patterns.push(Pattern { known, rows: 0 });
            patterns.len() - 1
        });
        patterns[at].rows += 1;
    }
    let holes = |pattern: &Pattern| pattern.known.iter().filter(|known| !**known).count();
    patterns.sort_by_key(|pattern| (std::cmp::Reverse(pattern.rows), holes(pattern)));
    let without = |at: usize| patterns.iter().filter(|pattern| !pattern.known[at]).map(|pattern| pattern.rows).sum();
    let variables = names.iter().enumerate().map(|(at, name)| ((*name).to_owned(), without(at))).collect();
    Ok(Missing { rows, variables, patterns })
}
