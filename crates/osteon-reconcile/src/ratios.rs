//! Estimates of regressions against their own intervals and P values, without any data.
//!
//! A table's intervals are of one kind: where the others are symmetric on the scale of the coefficient, one that is not
//! holds a wrong number. Its P values likewise: where most are Wald's, one far from it is wrong; where few are, another
//! test was used and nothing is asserted.

use std::collections::BTreeMap;

use crate::finding::{Finding, Kind, Place, Severity};
use crate::printed::{Interval, Printed};
use crate::regression::Row;
use crate::role::Measure;
use crate::tested::grade;
use osteon_stats::stats::distribution::{normal_quantile, normal_two_sided};

/// By so much of the half width an estimate must be off the middle: profile and score intervals are off by less.
const ASYMMETRY: f64 = 0.06;
/// Intervals of differences of proportions are often of Newcombe's method or of a bootstrap.
const OF_DIFFERENCE: f64 = 0.3;
/// Symmetric neighbours that an asymmetric interval needs to be called wrong.
const NEIGHBOURS: usize = 3;
/// How far z of a P may lie beyond what the interval allows: likelihood-ratio, score and profile differ by so much.
const GAP: f64 = 0.05;
const RELATIVE_GAP: f64 = 0.05;
/// How far z of the only P that is not Wald's must lie beyond where few others are.
const FAR: f64 = 1.0;

/// What the rows of all tables get wrong and reveal.
pub fn check(rows: &[Row]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut tables: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        match outside(row) {
            Some(finding) => findings.push(finding),
            None => tables.entry(row.place.table.as_str()).or_default().push(row),
        }
    }
    for own in tables.values() {
        findings.extend(asymmetric(own));
        let mut columns: BTreeMap<(&str, &str), Vec<&Row>> = BTreeMap::new();
        for row in own.iter().filter(|row| !row.is_asymmetric(0.0)) {
            columns.entry((&row.place.set, &row.place.column)).or_default().push(row);
        }
        findings.extend(columns.values().flat_map(|column| p_values(column)));
    }
    findings
}

/// The P values of which nothing can be said: those that Wald's test does not explain where it explains too few.
pub fn unjudged(rows: &[Row]) -> Vec<Place> {
    let mut columns: BTreeMap<[&str; 3], Vec<&Row>> = BTreeMap::new();
    for row in rows.iter().filter(|row| outside(row).is_none() && !row.is_asymmetric(0.0)) {
        columns.entry([&row.place.table, &row.place.set, &row.place.column]).or_default().push(row);
    }
    let is_left = |finding: &Finding| finding.implied.starts_with("cannot be judged");
    let left = columns.values().filter(|rows| p_values(rows).iter().any(is_left));
    let p = |row: &&Row| row.p.clone().filter(|(_, p)| !p.meets(row.z().map(normal_two_sided))).map(|(place, _)| place);
    left.flat_map(|rows| rows.iter().filter_map(p).collect::<Vec<_>>()).collect()
}

impl Row {
    /// On the scale on which the interval is symmetric.
    fn scaled(&self, interval: Interval) -> Interval {
        if self.measure.is_ratio() {
            Interval { low: interval.low.max(1e-9), high: interval.high.max(1e-9) }.map(f64::ln)
        } else {
            interval
        }
    }

    fn unscaled(&self, value: f64) -> f64 {
        if self.measure.is_ratio() { value.exp() } else { value }
    }

    fn parts(&self) -> [Interval; 3] {
        [self.estimate, self.low, self.high].map(|it| self.scaled(it.interval()))
    }

    /// Whether the estimate is off the middle of its interval beyond rounding, and by more than this share of half
    /// its width.
    fn is_asymmetric(&self, share: f64) -> bool {
        let [estimate, low, high] = self.parts();
        let middle = low.plus(high).times(0.5);
        let half = 0.5 * (high.middle() - low.middle()).max(1e-9);
        let gap = (estimate.low - middle.high).max(middle.low - estimate.high);
        gap > 1e-9 && (estimate.middle() - middle.middle()).abs() > share * half
    }

    /// Wald's z: what the digits of estimate and interval allow.
    fn z(&self) -> Interval {
        let [estimate, low, high] = self.parts();
        let error = high.minus(low).times(0.5 / self.reach);
        let error = Interval { low: error.low.max(1e-12), high: error.high.max(1e-12) };
        // The middle of the interval is the estimate, often with more digits.
        let middle = low.plus(high).times(0.5);
        let z = estimate.common(middle).unwrap_or(estimate).magnitude();
        Interval { low: z.low / error.high, high: z.high / error.low }
    }

    /// What each of the three numbers would have to be for the interval to be symmetric.
    fn repairs(&self) -> [(&'static str, Printed, f64); 3] {
        let [estimate, low, high] =
            [self.estimate, self.low, self.high].map(|it| self.scaled(Interval::point(it.value())).low);
        [
            ("estimate", self.estimate, self.unscaled(0.5 * (low + high))),
            ("lower end", self.low, self.unscaled(2.0 * estimate - high)),
            ("upper end", self.high, self.unscaled(2.0 * estimate - low)),
        ]
    }

    /// The repair that one slip of a finger explains: the digits of one printed number, with one changed.
    fn slip(&self) -> Option<(&'static str, Printed, f64)> {
        let near = |(_, printed, value): &(&str, Printed, f64)| {
            (-3..=3).any(|units| {
                let around = Printed::of(value + f64::from(units) * printed.unit(), printed.decimals());
                let close = (around.value() - value).abs() <= (3.0 * printed.unit()).max(0.004 * value.abs());
                close && around != *printed && around.is_slip_of(*printed)
            })
        };
        let mut found = self.repairs().into_iter().filter(near);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }
}

/// An estimate outside its own interval.
fn outside(row: &Row) -> Option<Finding> {
    let [estimate, low, high] = row.parts();
    if estimate.high >= low.low && estimate.low <= high.high && low.low <= high.high {
        return None;
    }
    let culprit = if estimate.high < low.low { 1 } else { 2 };
    let repairs = row.repairs();
    let (part, _, value) = repairs[culprit];
    let decimals = [row.estimate, row.low, row.high].iter().map(|it| it.decimals()).max().unwrap_or(0) as usize + 1;
    let implied = format!("{part} {value:.decimals$}");
    let mut finding = row.finding(
        Kind::OddsRatio,
        Severity::Inconsistent,
        implied,
        "The estimate lies outside its own interval.".to_owned(),
    );
    finding.alternatives = repairs.iter().map(|(part, _, value)| format!("{part} {value:.decimals$}")).collect();
    Some(finding)
}

/// The intervals of a table that are not symmetric.
fn asymmetric(rows: &[&Row]) -> Vec<Finding> {
    let share = |row: &Row| if row.measure == Measure::Difference { OF_DIFFERENCE } else { ASYMMETRY };
    let (odd, even): (Vec<&&Row>, Vec<&&Row>) = rows.iter().partition(|row| row.is_asymmetric(share(row)));
    if odd.is_empty() {
        return Vec::new();
    }
    let scale = if odd[0].measure.is_ratio() { "the logarithmic scale" } else { "its scale" };
    if even.len() >= NEIGHBOURS && even.len() >= 4 * odd.len() || even.len() >= NEIGHBOURS && odd.len() == 1 {
        return odd
            .iter()
            .map(|row| {
                let slip = row.slip();
                let (severity, implied) = match slip {
                    Some((part, printed, value)) => (Severity::Typo, format!("{part} {}", printed.like(value))),
                    None => (Severity::Inconsistent, String::new()),
                };
                let why = format!(
                    "The interval is not symmetric on {scale}; {} of {} others of the table are.",
                    even.len(),
                    rows.len() - 1
                );
                let mut finding = row.finding(Kind::OddsRatio, severity, implied, why);
                let repairs = row.repairs();
                finding.alternatives =
                    repairs.iter().map(|(part, printed, value)| format!("{part} {}", printed.like(*value))).collect();
                finding
            })
            .collect();
    }
    let (part, printed, value) = odd[0].repairs()[0];
    let implied = if odd.len() == 1 { format!("{part} {}", printed.like(value)) } else { String::new() };
    let named: Vec<&str> = odd.iter().map(|row| row.place.row.as_str()).collect();
    let why = format!(
        "{} of {} intervals are not symmetric on {scale}, as Wald's are: profile, exact or bootstrap ones, or a wrong \
         number, in {}.",
        odd.len(),
        rows.len(),
        named.join("; ")
    );
    vec![odd[0].finding(Kind::Method, Severity::Note, implied, why)]
}

/// The P values of a column of estimates.
fn p_values(rows: &[&Row]) -> Vec<Finding> {
    // A P beside the first of several levels of which the others have none is of the whole variable.
    let variable = |row: &Row| row.place.row.split_once(": ").map(|(name, _)| name.to_owned());
    let is_joint = |row: &Row| {
        let own = variable(row);
        own.is_some() && rows.iter().any(|it| it.p.is_none() && variable(it) == own)
    };
    let with_p: Vec<(&Row, &Place, Printed)> = rows
        .iter()
        .filter(|row| !is_joint(row))
        .filter_map(|row| row.p.as_ref().map(|(place, p)| (*row, place, *p)))
        .collect();
    let explained = |&(row, _, p): &(&Row, &Place, Printed)| p.meets(row.z().map(normal_two_sided));
    let (by_wald, others): (Vec<_>, Vec<_>) = with_p.into_iter().partition(explained);
    // A P below the last digit says little of the test.
    let telling = by_wald.iter().filter(|(_, _, p)| p.is_exact() && p.value() > p.unit()).count();
    let far: Vec<_> = others.iter().filter(|(row, _, p)| gap(row, *p) > 0.0).collect();
    let Some(&&(first, place, p)) = far.first() else { return Vec::new() };
    // One far from it is told by fewer.
    let is_one = far.len() == 1 && gap(first, p) > FAR && telling > 0 && by_wald.len() > 1;
    if telling > 1 && by_wald.len() >= 2 * far.len() || is_one {
        return far.iter().map(|(row, place, p)| p_finding(row, place, *p, by_wald.len())).collect();
    }
    let named: Vec<&str> = far.iter().map(|(row, ..)| row.place.row.as_str()).collect();
    let why = format!(
        "Wald's test explains {} of {} P values of this column, not {}: a likelihood-ratio, score or exact test, or a \
         test of the counts.",
        by_wald.len(),
        by_wald.len() + others.len(),
        named.join("; ")
    );
    vec![Finding {
        kind: Kind::Method,
        severity: Severity::Note,
        place: place.clone(),
        printed: p.to_string(),
        implied: format!("cannot be judged; Wald {}", p.like(central(first))),
        alternatives: Vec::new(),
        why,
    }]
}

/// How far z of the printed P lies beyond Wald's, less what other tests of the same term may differ by.
fn gap(row: &Row, p: Printed) -> f64 {
    let quantile = |p: f64| if p <= 0.0 { f64::INFINITY } else { -normal_quantile((0.5 * p.min(1.0)).max(1e-300)) };
    let interval = p.interval();
    let printed = Interval { low: quantile(interval.high), high: quantile(interval.low) };
    let wald = row.z();
    let gap = (printed.low - wald.high).max(wald.low - printed.high);
    gap - GAP - RELATIVE_GAP * wald.high.min(10.0)
}

/// Wald's P of the printed numbers as they stand.
fn central(row: &Row) -> f64 {
    let [estimate, low, high] = [row.estimate, row.low, row.high].map(|it| row.scaled(Interval::point(it.value())).low);
    normal_two_sided(estimate * 2.0 * row.reach / (high - low).max(1e-12))
}

fn p_finding(row: &Row, place: &Place, p: Printed, explained: usize) -> Finding {
    let implied = row.z().map(normal_two_sided);
    let central = central(row);
    Finding {
        kind: Kind::PValue,
        severity: match grade(p, central) {
            Severity::Rounding => Severity::Inconsistent,
            severity => severity,
        },
        place: place.clone(),
        printed: p.to_string(),
        implied: p.like(central),
        alternatives: vec![format!("between {:.4} and {:.4}", implied.low, implied.high)],
        why: format!(
            "{} gives a Wald p between {:.4} and {:.4}; {explained} others of the column are Wald's.",
            row.printed, implied.low, implied.high
        ),
    }
}
