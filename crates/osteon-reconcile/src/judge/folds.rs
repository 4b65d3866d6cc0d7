//! Accuracies that are means over folds or resamples, each with its SD, against those of sensitivity and specificity.
//!
//! In every fold the accuracy lies between sensitivity and specificity. The mean distance of these two is at most the
//! root of its mean square, and the SD of a difference at most the sum of the SDs: so the mean accuracy lies within
//! half of sqrt(d² + (s + t)²) of the middle of the two means that are d apart, with SDs s and t.

use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Severity};
use crate::metric::Metric;
use crate::printed::Printed;
use crate::role::Role;

/// Folds of which a standard error may stand in the place of the SD.
const FOLDS: f64 = 10.0;

/// Mean accuracies that no folds have with these sensitivities and specificities.
pub fn check(cells: &[PublishedCell]) -> Vec<Finding> {
    let accuracies = cells.iter().filter_map(|cell| Some((cell, of(cell, Metric::Accuracy)?)));
    accuracies.filter_map(|(cell, (mean, _))| outside(cells, cell, mean)).collect()
}

fn outside(cells: &[PublishedCell], cell: &PublishedCell, mean: Printed) -> Option<Finding> {
    let own = || {
        cells.iter().filter(|it| {
            (&it.place.table, &it.place.set, &it.place.row) == (&cell.place.table, &cell.place.set, &cell.place.row)
        })
    };
    let only = |metric: Metric| {
        let mut found = own().filter_map(|it| of(it, metric));
        found.next().filter(|_| found.next().is_none())
    };
    let ((one, s), (other, t)) = (only(Metric::Sensitivity)?, only(Metric::Specificity)?);
    let spread = (s.loose().high + t.loose().high) * FOLDS.sqrt();
    let apart = (one.value() - other.value()).abs() + one.unit() + other.unit();
    let half = 0.5 * (apart * apart + spread * spread).sqrt();
    let (low, high) =
        (0.5 * (one.loose().low + other.loose().low) - half, 0.5 * (one.loose().high + other.loose().high) + half);
    (mean.loose().high < low || mean.loose().low > high).then(|| Finding {
        kind: Kind::Metric,
        severity: Severity::Inconsistent,
        place: cell.place.clone(),
        printed: cell.printed.clone(),
        implied: String::new(),
        alternatives: Vec::new(),
        why: format!(
            "In each fold it lies between sensitivity and specificity; with their means and SDs its mean is at least \
             {:.3} and at most {:.3}.",
            low.max(0.0),
            high.min(1.0)
        ),
    })
}

/// A mean share with its SD.
fn of(cell: &PublishedCell, wanted: Metric) -> Option<(Printed, Printed)> {
    let (Role::Score(metric) | Role::Average(metric)) = cell.role else { return None };
    let Value::MeanSd { mean, sd } = cell.value else { return None };
    (metric == wanted && mean.value() <= 1.0).then_some((mean, sd))
}
