//! Rows that print their own number of patients: subgroups, each of which has a confusion matrix of its size or not.

use crate::finding::{Finding, Kind, Severity};
use crate::metrics::matrices_by;
use crate::models::Model;
use crate::printed::Rounding;

/// Rows with a matrix before another without one is told.
const FEWEST: usize = 3;
/// Patients of a row up to which its matrices are tried.
const MOST: i64 = 400;

/// Rows whose scores no confusion matrix of their printed number of patients gives, where all others have one.
pub fn check(rows: &[&Model]) -> Vec<Finding> {
    let sized: Vec<(&Model, &str, i64)> = rows
        .iter()
        .filter_map(|row| row.own_size.as_ref().map(|(column, n)| (*row, column.as_str(), *n)))
        .filter(|(row, _, n)| row.scores.len() > 2 && row.matrix().is_none() && (2..=MOST).contains(n))
        .collect();
    let has_matrix =
        |row: &Model, n: i64| (1..n).any(|p| !matrices_by(&row.scores, p, n - p, Rounding::Any).is_empty());
    let (right, wrong): (Vec<_>, Vec<_>) = sized.iter().partition(|(row, _, n)| has_matrix(row, *n));
    if right.len() < FEWEST || right.len() < 3 * wrong.len() {
        return Vec::new();
    }
    let finding = |(row, column, n): &&(&Model, &str, i64)| Finding {
        kind: Kind::GroupSize,
        severity: Severity::Inconsistent,
        place: row.at(column),
        printed: n.to_string(),
        implied: String::new(),
        alternatives: Vec::new(),
        why: format!(
            "No confusion matrix of {n} patients gives the scores of the row; all {} other rows have one of theirs.",
            right.len()
        ),
    };
    wrong.iter().map(finding).collect()
}
