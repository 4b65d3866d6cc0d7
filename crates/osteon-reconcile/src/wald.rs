//! Coefficients, their standard errors and Wald statistics beside the ratios and intervals that follow from them:
//! exp(B) is the ratio, (B / SE)² is Wald's chi-square, and B ± 1.96 SE are the ends of the interval on its scale.
//!
//! Each relation is judged only where most rows of its columns obey it; a row that breaks several gets one finding, on
//! the number whose replacement mends all of them.

use std::collections::BTreeMap;

use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Severity};
use crate::metric::Metric;
use crate::printed::{Interval, Printed};
use crate::role::{Measure, Role};
use crate::tested::grade;
use osteon_stats::stats::distribution::Z_975;

/// Quantile of Student's t with ten degrees of freedom.
const T_975: f64 = 2.2281388519649385;

/// Rows that obey a relation before others are judged by it.
const FEWEST: usize = 2;

#[derive(Clone, Copy)]
struct Number<'a> {
    cell: &'a PublishedCell,
    printed: Printed,
}

/// What one row prints of one term, or of one area.
struct Line<'a> {
    estimate: Option<Number<'a>>,
    error: Option<Number<'a>>,
    wald: Option<Number<'a>>,
    ratio: Option<Number<'a>>,
    /// Ends of the interval, on the coefficient's scale, with the cell that holds them.
    ends: Option<(&'a PublishedCell, [Interval; 2])>,
    is_area: bool,
}

/// What the relations between the columns of a regression, or of areas with standard errors, find wrong. Rows of which
/// `found` tells a fault are left out.
pub fn check(cells: &[PublishedCell], found: &[Finding]) -> Vec<Finding> {
    let mut columns: BTreeMap<[String; 3], Vec<Line>> = BTreeMap::new();
    for (key, line) in lines(cells) {
        columns.entry(key).or_default().push(line);
    }
    let told = |line: &Line| {
        let own = [line.estimate, line.error, line.wald, line.ratio].into_iter().flatten().map(|it| it.cell);
        let own: Vec<&PublishedCell> = own.chain(line.ends.map(|it| it.0)).collect();
        found.iter().any(|it| it.severity != Severity::Note && own.iter().any(|cell| cell.place == it.place))
    };
    columns.values().flat_map(|lines| judged(lines, &told)).collect()
}

/// The lines of all rows, by table, set, and kind of regression.
fn lines(cells: &[PublishedCell]) -> Vec<([String; 3], Line<'_>)> {
    let mut found: Vec<([String; 4], Line)> = Vec::new();
    for cell in cells {
        let is_area = matches!(cell.role, Role::Score(Metric::Auc | Metric::CIndex | Metric::Kappa));
        if !is_area && !matches!(cell.role, Role::Estimate(_) | Role::StandardError | Role::Statistic(_)) {
            continue;
        }
        let prefix = ["univariate", "multivariate"].into_iter().find(|it| cell.place.column.starts_with(it));
        let prefix = prefix.unwrap_or("").to_owned();
        let key = [cell.place.table.clone(), cell.place.set.clone(), prefix, cell.place.row.clone()];
        let at = found.iter().position(|(it, _)| *it == key).unwrap_or_else(|| {
            let line = Line { estimate: None, error: None, wald: None, ratio: None, ends: None, is_area: false };
            found.push((key, line));
            found.len() - 1
        });
        found[at].1.take(cell);
    }
    found.into_iter().map(|([table, set, prefix, _], line)| ([table, set, prefix], line)).collect()
}

impl<'a> Line<'a> {
    fn take(&mut self, cell: &'a PublishedCell) {
        let number = |printed: Printed| Some(Number { cell, printed });
        match (&cell.role, cell.value) {
            (Role::Estimate(Measure::Coefficient), Value::MeanSd { mean, sd }) => {
                (self.estimate, self.error) = (number(mean), number(sd));
            }
            (Role::Estimate(Measure::Coefficient), Value::Number(estimate)) => self.estimate = number(estimate),
            (Role::Estimate(Measure::Coefficient), Value::Estimate { estimate, low, high }) => {
                self.estimate = number(estimate);
                self.ends.get_or_insert((cell, [low.loose(), high.loose()]));
            }
            (Role::Estimate(measure), Value::Number(ratio)) if measure.is_ratio() => self.ratio = number(ratio),
            (Role::Estimate(measure), Value::Estimate { estimate, low, high }) if measure.is_ratio() => {
                self.ratio = number(estimate);
                self.ends = Some((cell, [low, high].map(|it| log(it.loose()))));
            }
            (Role::StandardError, Value::Number(error)) => self.error = number(error),
            (Role::Statistic(_), Value::Number(statistic)) => self.wald = number(statistic),
            (Role::Score(_), Value::Estimate { estimate, low, high }) => {
                (self.estimate, self.is_area) = (number(estimate), true);
                self.ends = Some((cell, [low.loose(), high.loose()]));
            }
            _ => (),
        }
    }

    /// Whether the ratio is that of the coefficient.
    fn is_ratio_right(&self) -> Option<bool> {
        let (estimate, ratio) = (self.estimate?, self.ratio?);
        Some(log(ratio.printed.loose()).overlaps(estimate.printed.loose()))
    }

    /// |B| / SE.
    fn z(&self) -> Option<Interval> {
        let (estimate, error) = (self.estimate?.printed.loose(), self.error?.printed.loose());
        let size = estimate.magnitude();
        (error.low > 0.0).then(|| Interval { low: size.low / error.high, high: size.high / error.low })
    }

    /// Whether the statistic is Wald's chi-square, or its root.
    fn is_wald_right(&self) -> Option<bool> {
        let (z, wald) = (self.z()?, self.wald?.printed.loose().magnitude());
        Some(wald.overlaps(z) || wald.overlaps(Interval { low: z.low * z.low, high: z.high * z.high }))
    }

    /// Whether the ends are those of the coefficient and its standard error; ends beyond 0 and 1 of an area are cut.
    fn are_ends_right(&self) -> Option<bool> {
        let (estimate, error) = (self.estimate?.printed.loose(), self.error?.printed.loose());
        let (_, [low, high]) = self.ends?;
        // Of a linear regression by Student's t, with ten degrees of freedom or more.
        let half = Interval { low: error.low * Z_975, high: error.high * T_975 };
        let (below, above) = (estimate.minus(half), estimate.plus(half));
        let cut = |it: Interval| {
            if self.is_area { Interval { low: it.low.clamp(0.0, 1.0), high: it.high.clamp(0.0, 1.0) } } else { it }
        };
        Some(cut(below).overlaps(low) && cut(above).overlaps(high))
    }
}

fn log(interval: Interval) -> Interval {
    Interval { low: interval.low.max(1e-12), high: interval.high.max(1e-12) }.map(f64::ln)
}

fn judged(lines: &[Line], told: &dyn Fn(&Line) -> bool) -> Vec<Finding> {
    let relations: [fn(&Line) -> Option<bool>; 3] =
        [|it| it.is_ratio_right(), |it| it.is_wald_right(), |it| it.are_ends_right()];
    let is_judged = relations.map(|relation| {
        let of = |wanted: bool| lines.iter().filter(|line| relation(line) == Some(wanted)).count();
        of(true) >= FEWEST && of(true) >= 2 * of(false)
    });
    let mut findings = Vec::new();
    for line in lines.iter().filter(|line| !told(line)) {
        let state: Vec<Option<bool>> =
            relations.iter().zip(is_judged).map(|(it, judged)| it(line).filter(|_| judged)).collect();
        if state.contains(&Some(false)) {
            findings.extend(line.finding([state[0], state[1], state[2]]));
        }
    }
    findings
}

impl Line<'_> {
    /// The number to which all broken relations point, with what the others say it is.
    fn finding(&self, [ratio, wald, ends]: [Option<bool>; 3]) -> Option<Finding> {
        let (is_off, holds) = (|it: Option<bool>| it == Some(false), |it: Option<bool>| it == Some(true));
        let middle = |number: Option<Number>| number.map(|it| it.printed.value());
        let (estimate, error) = (middle(self.estimate)?, middle(self.error));
        let odds = middle(self.ratio).filter(|it| *it > 0.0).map(f64::ln);
        if is_off(ratio) && (is_off(wald) || is_off(ends) || !holds(wald) && !holds(ends)) {
            let why = "The ratio of the row is not exp of this coefficient, as it is in the other rows.";
            return Some(finding(self.estimate?, odds?, Kind::OddsRatio, why));
        }
        if is_off(ratio) {
            let why = "It is not exp of the coefficient of its row, as it is in the other rows.";
            return Some(finding(self.ratio?, estimate.exp(), Kind::OddsRatio, why));
        }
        let half = |ends: [Interval; 2]| (ends[1].middle() - ends[0].middle()) / (2.0 * Z_975);
        if is_off(ends) && !holds(wald) {
            let (cell, own) = self.ends?;
            let is_even = (0.5 * (own[0].middle() + own[1].middle()) - estimate).abs() < 0.1 * half(own);
            if is_off(wald) || is_even || self.is_area {
                let why = "The interval, and Wald's statistic where it is printed, are not of this standard error.";
                return Some(finding(self.error?, half(own), Kind::Statistic, why));
            }
            return Some(interval(cell, estimate, error?, self.ratio.is_some()));
        }
        if is_off(ends) {
            return Some(interval(self.ends?.0, estimate, error?, self.ratio.is_some()));
        }
        let z = estimate / error?;
        let is_root = self.wald?.printed.value() < 0.0;
        let why = "It is not the square of coefficient by standard error, as it is in the other rows.";
        Some(finding(self.wald?, if is_root { z } else { z * z }, Kind::Statistic, why))
    }
}

fn finding(number: Number, computed: f64, kind: Kind, why: &str) -> Finding {
    Finding {
        kind,
        severity: match grade(number.printed, computed) {
            Severity::Rounding => Severity::Inconsistent,
            severity => severity,
        },
        place: number.cell.place.clone(),
        printed: number.cell.printed.clone(),
        implied: number.printed.like(computed),
        alternatives: Vec::new(),
        why: why.to_owned(),
    }
}

fn interval(cell: &PublishedCell, estimate: f64, error: f64, is_ratio: bool) -> Finding {
    let end = |side: f64| {
        let end = estimate + side * Z_975 * error;
        if is_ratio { end.exp() } else { end }
    };
    Finding {
        kind: Kind::OddsRatio,
        severity: Severity::Inconsistent,
        place: cell.place.clone(),
        printed: cell.printed.clone(),
        implied: format!("{:.3} to {:.3}", end(-1.0), end(1.0)),
        alternatives: Vec::new(),
        why: "The interval is not that of coefficient and standard error, as it is in the other rows.".to_owned(),
    }
}
