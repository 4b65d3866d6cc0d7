//! Two numbers of a row, or the scores of two rows, that stand in each other's place: one finding instead of many.

use crate::finding::{Finding, Kind, Severity};
use crate::judge::{counted, on};
use crate::metrics::{Matrix, Printeds, matrices_by};
use crate::models::Model;
use crate::printed::Rounding;

/// The only two scores of a row with which, once exchanged, it has a matrix of this size.
pub fn scores(row: &Model, positives: i64, negatives: i64) -> Option<Finding> {
    if row.scores.len() < 4 {
        return None;
    }
    let exchanged = |a: usize, b: usize| -> Printeds {
        let mut scores = row.scores.clone();
        (scores[a].1, scores[b].1) = (row.scores[b].1, row.scores[a].1);
        scores
    };
    let pairs = (0..row.scores.len()).flat_map(|a| (a + 1..row.scores.len()).map(move |b| (a, b)));
    let different = pairs.filter(|&(a, b)| row.scores[a].1 != row.scores[b].1);
    let mut found =
        different.filter(|&(a, b)| !matrices_by(&exchanged(a, b), positives, negatives, Rounding::Any).is_empty());
    let (a, b) = found.next().filter(|_| found.next().is_none())?;
    let why = format!(
        "{} and {} are exchanged: the other way round the row has a confusion matrix of {positives}/{negatives} patients.",
        row.columns[a], row.columns[b]
    );
    let implied = format!("{} {}", row.texts[b], row.texts[a]);
    Some(on(row, &[a, b], Kind::Metric, Severity::Inconsistent, implied, why))
}

/// The only two counts of a row with which, once exchanged, all its scores follow.
pub fn counts(row: &Model, matrix: &Matrix, usual: Option<(i64, i64)>) -> Option<Finding> {
    let cells = [matrix.true_positive, matrix.false_negative, matrix.true_negative, matrix.false_positive];
    let mut found: Vec<(usize, usize, Matrix)> = Vec::new();
    for a in 0..4 {
        for b in a + 1..4 {
            let mut swapped = cells;
            swapped.swap(a, b);
            let [true_positive, false_negative, true_negative, false_positive] = swapped;
            let other = Matrix { true_positive, false_negative, true_negative, false_positive };
            let follows = row.scores.iter().all(|&(score, it)| other.prints(score, it, Rounding::Any));
            if cells[a] != cells[b] && follows {
                found.push((a, b, other));
            }
        }
    }
    let sized: Vec<_> =
        found.iter().filter(|(.., it)| usual.is_none_or(|usual| usual == counted::size(it))).copied().collect();
    let (a, b, _) = match (&sized[..], &found[..]) {
        ([one], _) | (_, [one]) => *one,
        _ => return None,
    };
    let (first, second) = (row.counts[a].as_ref()?, row.counts[b].as_ref()?);
    Some(Finding {
        kind: Kind::Count,
        severity: Severity::Inconsistent,
        place: row.at(&format!("{}, {}", first.0, second.0)),
        printed: format!("{} {}", first.1, second.1),
        implied: format!("{} {}", second.1, first.1),
        alternatives: Vec::new(),
        why: format!("{} and {} are exchanged: the other way round all scores of the row follow.", first.0, second.0),
    })
}

/// Rows with counts whose scores are each other's: their positions, and one finding for both.
pub fn rows(rows: &[&Model]) -> Option<([usize; 2], Finding)> {
    let prints = |scores: &Model, matrix: &Matrix| {
        scores.scores.len() > 2 && scores.scores.iter().all(|&(score, it)| matrix.prints(score, it, Rounding::Any))
    };
    for a in 0..rows.len() {
        for b in a + 1..rows.len() {
            let (Some(one), Some(other)) = (rows[a].matrix(), rows[b].matrix()) else { continue };
            if prints(rows[a], &one) || prints(rows[b], &other) || !prints(rows[a], &other) || !prints(rows[b], &one) {
                continue;
            }
            let why = format!("Its scores are those of the counts of {}, and the other way round.", rows[b].place.row);
            let finding = on(rows[a], &[], Kind::Metric, Severity::Inconsistent, rows[b].texts.join(" "), why);
            return Some(([a, b], finding));
        }
    }
    None
}
