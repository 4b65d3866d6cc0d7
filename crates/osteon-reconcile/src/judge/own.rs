//! Each printed score by itself: within what it can be, and within its own interval.

use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Severity};
use crate::judge::on;
use crate::metric::Metric;
use crate::metrics::SCORES;
use crate::models::Model;
use crate::printed::Printed;
use crate::role::Role;

/// Areas, C-index, ICC, correlation, Brier score and the like: within what they can be, and within their own interval.
pub fn numbers(cells: &[PublishedCell]) -> Vec<Finding> {
    cells.iter().filter_map(|cell| number(cells, cell)).collect()
}

fn number(cells: &[PublishedCell], cell: &PublishedCell) -> Option<Finding> {
    if let Role::P(_) = cell.role {
        return probability(cell);
    }
    if let Value::MeanSd { mean, sd } = cell.value {
        return average(cell, mean, sd);
    }
    let Role::Score(metric) = cell.role else { return None };
    let [least, most] = bounds(cells, cell, metric)?;
    let (value, limits) = match cell.value {
        Value::Number(value) => (value, None),
        Value::Estimate { estimate, low, high } => (estimate, Some((low, high))),
        _ => return None,
    };
    // A percentage, of a share: no slip is as large.
    if cell.printed.contains('%') || value.value() >= 10.0 {
        return None;
    }
    let around = value.loose();
    let (kind, of_interval) =
        if metric == Metric::Auc { (Kind::Auc, Kind::AucInterval) } else { (Kind::Metric, Kind::Metric) };
    if around.low > most || around.high < least {
        return Some(finding(cell, kind, Severity::Impossible, format!("It lies between {least} and {most}.")));
    }
    let (low, high) = limits?;
    let outside = around.high < low.loose().low || around.low > high.loose().high;
    let why = format!("It lies outside its own interval, {low} to {high}.");
    outside.then(|| finding(cell, of_interval, Severity::Inconsistent, why))
}

/// The least and the greatest value of a score that no confusion matrix gives.
fn bounds(cells: &[PublishedCell], cell: &PublishedCell, metric: Metric) -> Option<[f64; 2]> {
    match metric {
        Metric::Auc | Metric::CIndex | Metric::Brier | Metric::PrecisionRecallArea | Metric::Dice | Metric::Jaccard => {
            Some([0.0, 1.0])
        }
        Metric::Icc | Metric::Correlation => Some([-1.0, 1.0]),
        Metric::Kappa if crate::models::is_agreement(cells, cell) => Some([-1.0, 1.0]),
        _ => None,
    }
}

fn finding(cell: &PublishedCell, kind: Kind, severity: Severity, why: String) -> Finding {
    Finding {
        kind,
        severity,
        place: cell.place.clone(),
        printed: cell.printed.clone(),
        implied: String::new(),
        alternatives: Vec::new(),
        why,
    }
}

/// A mean of shares with its SD or standard error: both within what numbers from 0 to 1 can have.
fn average(cell: &PublishedCell, mean: Printed, sd: Printed) -> Option<Finding> {
    let (Role::Score(metric) | Role::Average(metric)) = cell.role else { return None };
    if !metric.is_share() || mean.value() >= 10.0 {
        return None;
    }
    let around = mean.loose();
    if around.low > 1.0 || around.high < 0.0 {
        let why = "A mean of such scores lies between 0 and 1.".to_owned();
        return Some(finding(cell, Kind::Metric, Severity::Impossible, why));
    }
    // Two values at least: the variance with n - 1 is at most twice m (1 - m).
    let middle = 0.5_f64.clamp(around.low.clamp(0.0, 1.0), around.high.clamp(0.0, 1.0));
    let most = (2.0 * middle * (1.0 - middle)).sqrt();
    let is_beyond = sd.loose().low > most.max(0.0) || sd.loose().high < 0.0;
    let why = "No scores between 0 and 1 with this mean have such an SD.".to_owned();
    is_beyond.then(|| finding(cell, Kind::Metric, Severity::Inconsistent, why))
}

/// A P value above 1 or below 0.
fn probability(cell: &PublishedCell) -> Option<Finding> {
    let (Value::Number(p) | Value::Test { p, .. }) = cell.value else { return None };
    let around = p.loose();
    let why = "A P value lies between 0 and 1.".to_owned();
    (p.is_exact() && around.low > 1.0 || around.high < 0.0)
        .then(|| finding(cell, Kind::PValue, Severity::Impossible, why))
}

/// Scores that no classifier has, and scores outside their own interval; the first kind leaves the row.
pub fn check(row: &mut Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut wrong = Vec::new();
    for at in 0..row.scores.len() {
        let (score, printed) = row.scores[at];
        let metric = SCORES[score].metric;
        let is_signed = matches!(metric, Metric::Youden | Metric::Mcc | Metric::Kappa);
        let least = if is_signed { -1.0 } else { 0.0 };
        let most = if metric.is_share() || is_signed { 1.0 } else { f64::INFINITY };
        let around = printed.loose();
        if around.low > most || around.high < least {
            let why = format!("A {} lies between {least} and {most}.", SCORES[score].name());
            findings.push(on(row, &[at], Kind::Metric, Severity::Impossible, String::new(), why));
            wrong.push(at);
            continue;
        }
        if let Some((low, high)) = row.limits[at]
            && (around.high < low.loose().low || around.low > high.loose().high || low.value() > high.value())
        {
            let why = format!("It lies outside its own interval, {} to {}.", low, high);
            findings.push(on(row, &[at], Kind::Metric, Severity::Inconsistent, String::new(), why));
        }
    }
    row.remove(&wrong);
    // An area beyond 1 is told by `numbers`, and says nothing of a curve.
    row.auc.take_if(|(_, auc)| auc.area.loose().low > 1.0);
    findings
}
