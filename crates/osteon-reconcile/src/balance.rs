//! Standardized mean differences against the means, SDs and shares that they are of (Austin PC. Stat Med
//! 2009;28:3083-3107).

use crate::cells::{PublishedCell, Value};
use crate::cohort::{Arm, Variable};
use crate::finding::{Finding, Kind, Severity};
use crate::printed::{Interval, Printed};
use crate::role::Role;
use crate::tested::grade;

/// Rows that follow before others are judged.
const FEWEST: usize = 3;

/// Differences that their row does not give, where most rows of the column give theirs.
pub fn check(cells: &[PublishedCell], arms: &[Arm]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for arm in arms {
        let own = cells.iter().filter(|cell| cell.role == Role::Balance && arm.holds(&cell.place));
        let rows: Vec<(&PublishedCell, Printed, Vec<Interval>)> = own
            .filter_map(|cell| {
                let Value::Number(printed) = cell.value else { return None };
                let possible = possible(arm, arm.variable(&cell.place.row)?);
                (!possible.is_empty()).then_some((cell, printed, possible))
            })
            .collect();
        let follows = |(_, printed, possible): &&(&PublishedCell, Printed, Vec<Interval>)| {
            let printed = printed.loose().magnitude();
            // Some tables print it in percent.
            possible.iter().any(|it| it.overlaps(printed) || it.times(100.0).overlaps(printed))
        };
        let (right, wrong): (Vec<_>, Vec<_>) = rows.iter().partition(follows);
        if right.len() >= FEWEST && right.len() >= 3 * wrong.len() {
            findings
                .extend(wrong.iter().map(|(cell, printed, possible)| finding(cell, *printed, possible, right.len())));
        }
    }
    findings
}

/// The difference by the mean of the two variances, and by the pooled one.
fn possible(arm: &Arm, variable: &Variable) -> Vec<Interval> {
    let [one, other] = arm.compared()[..] else { return Vec::new() };
    if let (Some(a), Some(b)) = (variable.moments[one], variable.moments[other]) {
        let (m, n) = (a.n as f64, b.n as f64);
        let (a, b) = (a.group(), b.group());
        let difference = a.mean.minus(b.mean).magnitude();
        let by = |weight: f64| {
            let sd = |x: f64, y: f64| (weight * x * x + (1.0 - weight) * y * y).sqrt().max(1e-12);
            let (low, high) = (sd(a.sd.low, b.sd.low), sd(a.sd.high, b.sd.high));
            Interval { low: difference.low / high, high: difference.high / low }
        };
        return vec![by(0.5), by((m - 1.0) / (m + n - 2.0).max(1.0))];
    }
    let level = match &variable.levels[..] {
        [only] | [only, _] => only,
        _ => return Vec::new(),
    };
    let share = |group: usize| {
        let count = level.counts.get(group).copied().flatten()?;
        Some(count.n as f64 / count.of.unwrap_or(arm.groups[group].n).max(1) as f64)
    };
    let (Some(p), Some(q)) = (share(one), share(other)) else { return Vec::new() };
    let spread = |variance: f64| Interval::point((p - q).abs() / variance.sqrt().max(1e-12));
    let all = (p * arm.groups[one].n as f64 + q * arm.groups[other].n as f64)
        / (arm.groups[one].n + arm.groups[other].n).max(1) as f64;
    vec![spread(0.5 * (p * (1.0 - p) + q * (1.0 - q))), spread(all * (1.0 - all))]
}

fn finding(cell: &PublishedCell, printed: Printed, possible: &[Interval], right: usize) -> Finding {
    let computed = possible[0].middle().copysign(printed.value());
    Finding {
        kind: Kind::Statistic,
        severity: match grade(printed, computed) {
            Severity::Rounding => Severity::Inconsistent,
            severity => severity,
        },
        place: cell.place.clone(),
        printed: cell.printed.clone(),
        implied: printed.like(computed),
        alternatives: Vec::new(),
        why: format!(
            "The numbers of its row give a standardized difference between {:.4} and {:.4}; {right} other rows give theirs.",
            possible[0].low, possible[0].high
        ),
    }
}
