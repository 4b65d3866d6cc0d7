//! Printed TP, FN, TN and FP against the scores beside them.

use crate::finding::{Finding, Kind, Place, Severity};
use crate::judge::{on, swapped};
use crate::metrics::Matrix;
use crate::models::Model;
use crate::printed::Rounding;
use crate::tested::grade;

/// What the counts say of the scores, or most of the scores of one count. `usual` are the sizes of the set's other
/// rows with counts, when these agree.
pub fn check(row: &Model, matrix: &Matrix, usual: Option<(i64, i64)>) -> Vec<Finding> {
    let off = |rounding: Rounding| -> Vec<usize> {
        let wrong = |&at: &usize| !matrix.prints(row.scores[at].0, row.scores[at].1, rounding);
        (0..row.scores.len()).filter(wrong).collect()
    };
    let (wrong, hard) = (off(Rounding::Nearest), off(Rounding::Any));
    let moved = usual.is_some_and(|usual| usual != size(matrix));
    if let Some(finding) =
        (hard.len() > 1 || !hard.is_empty() && moved).then(|| one_count(row, matrix, usual)).flatten()
    {
        return vec![finding];
    }
    if let Some(finding) = (hard.len() > 1).then(|| swapped::counts(row, matrix, usual)).flatten() {
        return vec![finding];
    }
    if hard.is_empty()
        && let Some(finding) = other_total(row, matrix, usual)
    {
        return vec![finding];
    }
    if hard.len() > 2 {
        let why = format!("{matrix} give none of them, and no other value of one count does.");
        return vec![on(row, &hard, Kind::Metric, Severity::Inconsistent, String::new(), why)];
    }
    wrong.into_iter().map(|at| one_score(row, matrix, at, hard.contains(&at))).collect()
}

/// Counts that add up to another number of patients than the table prints, and than the other rows have.
fn other_total(row: &Model, matrix: &Matrix, usual: Option<(i64, i64)>) -> Option<Finding> {
    let (own, (p, n)) = (size(matrix), usual?);
    let total = row.total?;
    if own == (p, n) || p + n != total || own.0 + own.1 == total {
        return None;
    }
    let names: Vec<&str> = row.counts.iter().flatten().map(|(column, _)| column.as_str()).collect();
    let printed: Vec<String> = row.counts.iter().flatten().map(|(_, n)| n.to_string()).collect();
    Some(Finding {
        kind: Kind::GroupSize,
        severity: Severity::Inconsistent,
        place: row.at(&names.join(", ")),
        printed: printed.join(" "),
        implied: format!("n = {total} ({p}/{n})"),
        alternatives: Vec::new(),
        why: format!(
            "Its counts are of {} patients ({}/{}), those of the other rows of the printed {total} ({p}/{n}).",
            own.0 + own.1,
            own.0,
            own.1
        ),
    })
}

pub fn size(matrix: &Matrix) -> (i64, i64) {
    (matrix.true_positive + matrix.false_negative, matrix.true_negative + matrix.false_positive)
}

fn with(matrix: &Matrix, count: usize, n: i64) -> Matrix {
    let mut changed = *matrix;
    *[
        &mut changed.true_positive,
        &mut changed.false_negative,
        &mut changed.true_negative,
        &mut changed.false_positive,
    ][count] = n;
    changed
}

/// The one count that must be another for all scores to follow.
fn one_count(row: &Model, matrix: &Matrix, usual: Option<(i64, i64)>) -> Option<Finding> {
    let most = 2 * (size(matrix).0 + size(matrix).1) + 10;
    let mut found: Vec<(usize, i64)> = Vec::new();
    for count in 0..4 {
        for n in 0..=most {
            let changed = with(matrix, count, n);
            if row.scores.iter().all(|&(score, printed)| changed.prints(score, printed, Rounding::Any)) {
                found.push((count, n));
            }
        }
    }
    let sized = |&(count, n): &(usize, i64)| usual.is_none_or(|usual| usual == size(&with(matrix, count, n)));
    let chosen: Vec<(usize, i64)> = found.iter().copied().filter(sized).collect();
    let (count, n) = match (&chosen[..], &found[..]) {
        ([one], _) | (_, [one]) => *one,
        _ => return None,
    };
    let (column, printed) = row.counts[count].as_ref()?;
    let sizes = match usual {
        Some((p, q)) if usual == Some(size(&with(matrix, count, n))) => {
            format!(" and the sizes {p}/{q} of the other rows are met")
        }
        _ => String::new(),
    };
    Some(Finding {
        kind: Kind::Count,
        severity: Severity::Typo,
        place: Place { column: column.clone(), ..row.place.clone() },
        printed: printed.to_string(),
        implied: n.to_string(),
        alternatives: Vec::new(),
        why: format!("Only with {n} do all scores of the row follow{sizes}."),
    })
}

fn one_score(row: &Model, matrix: &Matrix, at: usize, hard: bool) -> Finding {
    let (score, printed) = row.scores[at];
    let computed = matrix.score(score).unwrap_or(0.0);
    let severity = match (hard, grade(printed, computed)) {
        (false, _) => Severity::Rounding,
        (true, Severity::Rounding) => Severity::Inconsistent,
        (true, severity) => severity,
    };
    let why = format!(
        "{matrix} give {computed:.4}{}.",
        if hard { "" } else { ": the last digit was cut off or is off by one" }
    );
    on(row, &[at], Kind::Metric, severity, crate::cells::shown_like(&row.texts[at], printed, computed), why)
}
