//! Scores of a row that say the same quantity twice, and scores that follow from others of the row.

use crate::finding::{Finding, Kind, Severity};
use crate::judge::on;
use crate::metrics::{
    ACCURACY, BALANCED, COMPLEMENTS, DIAGNOSTIC_ODDS, LR_MINUS, LR_PLUS, MCC, NPV, PRECISION, SCORES, SENSITIVITY,
    SPECIFICITY, YOUDEN,
};
use crate::models::Model;
use crate::printed::{Interval, Printed};
use crate::tested::grade;

/// Finds quantities printed several times with different values, and leaves each once in the row: as it stands in the
/// first column, complements (a false negative rate is one minus the sensitivity) turned into what they complement.
pub fn repeated(row: &mut Model) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut later = Vec::new();
    for at in 0..row.scores.len() {
        if let Some(&(_, of)) = COMPLEMENTS.iter().find(|(score, _)| *score == row.scores[at].0) {
            row.scores[at] = (of, row.scores[at].1.complement());
            row.limits[at] = row.limits[at].map(|(low, high)| (high.complement(), low.complement()));
        }
    }
    for score in [ACCURACY, SENSITIVITY, SPECIFICITY, PRECISION, NPV] {
        let own: Vec<usize> = (0..row.scores.len()).filter(|&at| row.scores[at].0 == score).collect();
        let Some((&first, others)) = own.split_first() else { continue };
        findings.extend(repeated_finding(row, first, others));
        later.extend(others);
    }
    later.sort_unstable();
    row.remove(&later);
    findings
}

fn repeated_finding(row: &Model, first: usize, others: &[usize]) -> Option<Finding> {
    let value = |at: usize| row.scores[at].1;
    let differs = |at: usize, loose: bool| {
        let of = |it: Printed| if loose { it.loose() } else { it.interval() };
        let (one, other) = (of(value(first)), of(value(at)));
        !Interval { low: one.low - 1e-12, high: one.high + 1e-12 }.overlaps(other)
    };
    let off: Vec<usize> = others.iter().copied().filter(|&at| differs(at, false)).collect();
    let hard: Vec<usize> = off.iter().copied().filter(|&at| differs(at, true)).collect();
    let &place = hard.first().or(off.first())?;
    let complement = crate::metrics::score_named(&row.columns[place])
        .is_some_and(|it| COMPLEMENTS.iter().any(|(score, _)| *score == it));
    let target = if complement { value(first).complement() } else { value(first) };
    let implied = crate::cells::shown_like(&row.texts[place], value(place), target.value());
    let shown: Vec<String> = std::iter::once(first)
        .chain(others.iter().copied())
        .map(|at| format!("{} {}", row.columns[at], row.texts[at]))
        .collect();
    // Of two values nobody knows which is wrong; a third that agrees with the first tells.
    let severity = match (hard.is_empty(), off.len() < others.len()) {
        (true, _) => Severity::Rounding,
        (false, true) => Severity::Typo,
        (false, false) => Severity::Inconsistent,
    };
    let why = if hard.is_empty() {
        format!("The same quantity to the last digit: {}.", shown.join(", "))
    } else {
        format!("The same quantity with different values: {}.", shown.join(", "))
    };
    let mut finding = on(row, &[place], Kind::Metric, severity, implied, why);
    finding.alternatives = off.iter().skip(1).map(|&at| row.columns[at].clone()).collect();
    Some(finding)
}

/// Youden's index, balanced accuracy, likelihood ratios and the diagnostic odds ratio from sensitivity and
/// specificity; MCC from these, precision and NPV. What contradicts its sources leaves the row.
pub fn check(row: &mut Model) -> Vec<Finding> {
    let mut off: Vec<(usize, Interval)> = Vec::new();
    for at in 0..row.scores.len() {
        let (score, printed) = row.scores[at];
        let Some(range) = implied(row, score) else { continue };
        // One unit of slack: the sources may have been cut off, and the formula applied to unrounded ones.
        if !printed.loose().overlaps(range) {
            off.push((at, range));
        }
    }
    let findings = match &off[..] {
        [] => Vec::new(),
        // Several that follow from the same two numbers: one of these is wrong, not each of them.
        several if several.len() > 1 && several.iter().all(|(at, _)| row.scores[*at].0 != MCC) => {
            let columns: Vec<usize> = (0..row.scores.len())
                .filter(|&at| {
                    [SENSITIVITY, SPECIFICITY].contains(&row.scores[at].0) || several.iter().any(|it| it.0 == at)
                })
                .collect();
            let names: Vec<&str> = several.iter().map(|(at, _)| row.columns[*at].as_str()).collect();
            let why = format!("{} do not follow from the printed sensitivity and specificity.", names.join(", "));
            vec![on(row, &columns, Kind::Metric, Severity::Inconsistent, String::new(), why)]
        }
        some => some.iter().map(|&(at, range)| derived_finding(row, at, range)).collect(),
    };
    let wrong: Vec<usize> = off.iter().map(|(at, _)| *at).collect();
    row.remove(&wrong);
    findings
}

fn derived_finding(row: &Model, at: usize, range: Interval) -> Finding {
    let (score, printed) = row.scores[at];
    let source =
        if score == MCC { "precision, NPV, sensitivity and specificity" } else { "sensitivity and specificity" };
    let why =
        format!("The printed {source} give a {} between {:.4} and {:.4}.", SCORES[score].name(), range.low, range.high);
    let severity = match grade(printed, range.middle()) {
        Severity::Rounding => Severity::Inconsistent,
        severity => severity,
    };
    on(row, &[at], Kind::Metric, severity, printed.like(range.middle()), why)
}

/// What the other scores of the row say a score is.
fn implied(row: &Model, score: usize) -> Option<Interval> {
    let of = |score: usize| row.score(score).map(|it| clamp(it.interval()));
    let (sensitivity, specificity) = (of(SENSITIVITY)?, of(SPECIFICITY)?);
    let corners = |f: fn(f64, f64) -> f64| {
        let at = [(0, 0), (0, 1), (1, 0), (1, 1)]
            .map(|(i, j)| f([sensitivity.low, sensitivity.high][i], [specificity.low, specificity.high][j]));
        let low = at.iter().copied().fold(f64::INFINITY, f64::min);
        let high = at.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (low.is_finite() && high.is_finite()).then_some(Interval { low, high })
    };
    match score {
        YOUDEN => corners(|s, c| s + c - 1.0),
        BALANCED => corners(|s, c| 0.5 * (s + c)),
        LR_PLUS => corners(|s, c| s / (1.0 - c)),
        LR_MINUS => corners(|s, c| (1.0 - s) / c),
        DIAGNOSTIC_ODDS => corners(|s, c| s * c / ((1.0 - s) * (1.0 - c))),
        MCC => {
            // An identity of the four rates; it rises with each of them.
            let (precision, npv) = (of(PRECISION)?, of(NPV)?);
            let at = |p: f64, n: f64, s: f64, c: f64| {
                (p * n * s * c).sqrt() - ((1.0 - p) * (1.0 - n) * (1.0 - s) * (1.0 - c)).sqrt()
            };
            Some(Interval {
                low: at(precision.low, npv.low, sensitivity.low, specificity.low),
                high: at(precision.high, npv.high, sensitivity.high, specificity.high),
            })
        }
        _ => None,
    }
}

fn clamp(interval: Interval) -> Interval {
    Interval { low: interval.low.clamp(0.0, 1.0), high: interval.high.clamp(0.0, 1.0) }
}
