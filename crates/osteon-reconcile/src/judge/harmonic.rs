//! F1 beside precision and recall of rows that print no specificity: classes of a report, or means over classes.

use crate::finding::{Finding, Kind, Severity};
use crate::judge::on;
use crate::metrics::{F1, NPV, PRECISION, SENSITIVITY, SPECIFICITY};
use crate::models::Model;
use crate::printed::{Interval, Printed};
use crate::read::words;

/// Rows whose F1 follows exactly before another that is far off is told.
const FEWEST: usize = 2;
/// How far off is far: means over classes have an F1 a little below the harmonic mean.
const FAR: f64 = 0.05;

/// F1 above the mean of precision and recall, which no class and no mean over classes or folds has; and F1 far from the
/// harmonic mean in one row of a table whose other rows have it.
pub fn check(rows: &[Model]) -> Vec<Finding> {
    let own: Vec<(&Model, usize, [Printed; 3])> = rows.iter().filter_map(of).collect();
    let mut findings = Vec::new();
    for &(row, at, [precision, recall, f1]) in &own {
        let above = f1.loose().low > 0.5 * (precision.loose().high + recall.loose().high);
        let same = own.iter().filter(|(it, ..)| it.place.table == row.place.table && it.place != row.place);
        let right = same.clone().filter(|(.., it)| gap(it) <= 0.0).count();
        let is_alone = right >= FEWEST && right == same.count() && gap(&[precision, recall, f1]) > FAR;
        let is_mean = words::is_average_row(&row.place.row) || words::is_average_row(&row.place.set);
        if above || is_alone && !is_mean {
            let (p, r) = (precision.value(), recall.value());
            let implied = crate::cells::shown_like(&row.texts[at], f1, 2.0 * p * r / (p + r).max(1e-12));
            let why = if above {
                "No class, and no mean over classes or folds, has an F1 above the mean of precision and recall."
                    .to_owned()
            } else {
                format!("It is the harmonic mean of precision and recall, as in the {right} other rows.")
            };
            findings.push(on(row, &[at], Kind::Metric, Severity::Inconsistent, implied, why));
        }
    }
    findings
}

/// Precision, recall and F1 of a row that prints nothing from which its confusion matrix would follow.
fn of(row: &Model) -> Option<(&Model, usize, [Printed; 3])> {
    if row.score(SPECIFICITY).is_some() || row.score(NPV).is_some() || row.matrix().is_some() {
        return None;
    }
    let at = row.scores.iter().position(|(score, _)| *score == F1)?;
    Some((row, at, [row.score(PRECISION)?, row.score(SENSITIVITY)?, row.scores[at].1]))
}

/// How far F1 lies beyond what precision and recall allow at their digits.
fn gap([precision, recall, f1]: &[Printed; 3]) -> f64 {
    let mean = |p: f64, r: f64| if p + r > 0.0 { 2.0 * p * r / (p + r) } else { 0.0 };
    let (p, r, f1) = (precision.loose(), recall.loose(), f1.loose());
    let range = Interval { low: mean(p.low.max(0.0), r.low.max(0.0)), high: mean(p.high, r.high) };
    (f1.low - range.high).max(range.low - f1.high)
}
