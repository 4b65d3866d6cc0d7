//! Rows of classification scores judged without printed group sizes, or before these are asked.
//!
//! In this order, so that one cause gives one finding: each number by itself, numbers that say the same twice, what
//! follows from others of the row, printed counts, the sizes that a set's rows speak for, and last whether any share of
//! events gives the row at all.

mod counted;
mod derived;
pub mod folds;
mod harmonic;
mod intervals;
mod limits;
pub mod own;
mod region;
mod row_sizes;
mod sets;
mod sizes;
pub mod swapped;

use std::collections::BTreeMap;

pub use sets::is_outside;

use crate::finding::{Finding, Kind, Severity};
use crate::metrics::matrices_by;
use crate::models::Model;
use crate::printed::Rounding;

/// What the rows get wrong and reveal, and the rows that are still to be held against their declared sizes.
pub fn check(models: &[Model]) -> (Vec<Finding>, Vec<Model>) {
    let mut findings = Vec::new();
    let mut rows: Vec<Model> = models.to_vec();
    for row in &mut rows {
        findings.extend(own::check(row));
        findings.extend(derived::repeated(row));
        // Printed counts say which of all scores is wrong.
        if row.matrix().is_none() {
            findings.extend(derived::check(row));
        }
    }
    findings.extend(harmonic::check(&rows));
    let mut sets: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (at, row) in rows.iter().enumerate() {
        sets.entry((row.place.table.clone(), row.place.set.clone())).or_default().push(at);
    }
    let mut open = vec![true; rows.len()];
    for members in sets.values() {
        findings.extend(undeclare(&mut rows, members));
        let set: Vec<&Model> = members.iter().map(|&at| &rows[at]).collect();
        let (found, left) = sets::check(&set);
        findings.extend(found);
        for (&at, left) in members.iter().zip(left) {
            open[at] = left;
        }
    }
    let left = rows.into_iter().zip(open).filter(|(_, open)| *open).map(|(row, _)| row).collect();
    (findings, left)
}

/// Takes the declared sizes from rows of a set none of which they fit: they are of other groups.
fn undeclare(rows: &mut [Model], members: &[usize]) -> Option<Finding> {
    let told: Vec<usize> = members.iter().copied().filter(|&at| rows[at].scores.len() > 1).collect();
    let fits = |row: &Model| {
        row.declared.as_ref().is_none_or(|sizes| {
            let [a, b] = sizes.n;
            row.matrix().is_some()
                || [(a, b), (b, a)].iter().any(|&(p, n)| !matrices_by(&row.scores, p, n, Rounding::Any).is_empty())
        })
    };
    if told.len() < 2 || told.iter().any(|&at| fits(&rows[at])) {
        return None;
    }
    let first = &rows[told[0]];
    let sizes = first.declared.as_ref()?;
    let why = format!(
        "None of {} rows has a confusion matrix of the printed sizes {}/{} ({}, {}): they are of other patients or groups.",
        told.len(),
        sizes.n[0],
        sizes.n[1],
        sizes.names[0],
        sizes.names[1]
    );
    let finding = on(first, &[], Kind::Sample, Severity::Note, String::new(), why);
    for &at in members {
        rows[at].declared = None;
    }
    Some(finding)
}

/// A finding on some columns of a row, by their positions; all of them when there are none.
fn on(row: &Model, at: &[usize], kind: Kind, severity: Severity, implied: String, why: String) -> Finding {
    let all: Vec<usize> = (0..row.scores.len()).collect();
    let at = if at.is_empty() { &all } else { at };
    let columns: Vec<&str> = at.iter().map(|&at| row.columns[at].as_str()).collect();
    let texts: Vec<&str> = at.iter().map(|&at| row.texts[at].as_str()).collect();
    Finding {
        kind,
        severity,
        place: row.at(&columns.join(", ")),
        printed: texts.join(" "),
        implied,
        alternatives: Vec::new(),
        why,
    }
}
