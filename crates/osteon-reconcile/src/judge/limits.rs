//! Intervals of scores against the number of patients that they are of.
//!
//! A whole set's intervals are taken by one method: where most are exactly Wilson's, Wald's, or Clopper and Pearson's
//! for their counts, the rest are judged under it; otherwise nothing is asserted, because a bootstrap, clustered
//! patients or another level of confidence give other ones.

use crate::finding::{Finding, Kind, Severity};
use crate::judge::on;
use crate::metrics::{Matrix, SCORES, matrices};
use crate::models::Model;
use crate::printed::Printed;
use osteon_stats::stats::distribution::Z_975;
use osteon_stats::stats::proportion::{clopper_pearson, wilson};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Wilson,
    Wald,
    ClopperPearson,
    AgrestiCoull,
}

pub const METHODS: [Method; 4] = [Method::Wilson, Method::Wald, Method::ClopperPearson, Method::AgrestiCoull];

impl Method {
    fn name(self) -> &'static str {
        match self {
            Method::Wilson => "Wilson's",
            Method::Wald => "Wald's",
            Method::ClopperPearson => "Clopper and Pearson's",
            Method::AgrestiCoull => "Agresti and Coull's",
        }
    }

    /// The interval of `x` of `n` at 95 %.
    pub fn of(self, x: i64, n: i64) -> Option<[f64; 2]> {
        let (count, all) = (x as f64, n as f64);
        let around = |middle: f64, all: f64| {
            let half = Z_975 * (middle * (1.0 - middle) / all).sqrt();
            [(middle - half).max(0.0), (middle + half).min(1.0)]
        };
        match self {
            Method::Wilson => wilson(x as usize, n as usize),
            Method::ClopperPearson => clopper_pearson(x as usize, n as usize),
            Method::Wald => (n > 0).then(|| around(count / all, all)),
            Method::AgrestiCoull => {
                let more = all + Z_975 * Z_975;
                (n > 0).then(|| around((count + 0.5 * Z_975 * Z_975) / more, more))
            }
        }
    }
}

/// One interval with the count and the number that it is of.
struct Limit<'a> {
    row: &'a Model,
    at: usize,
    low: Printed,
    high: Printed,
    x: i64,
    n: i64,
}

impl Limit<'_> {
    fn is(&self, method: Method, loose: bool) -> bool {
        let meets =
            |printed: Printed, value: f64| if loose { printed.loose().contains(value) } else { printed.is(value) };
        method.of(self.x, self.n).is_some_and(|[low, high]| meets(self.low, low) && meets(self.high, high))
    }
}

/// Fewer intervals of one method say nothing.
const FEWEST: usize = 3;

/// What the intervals of a set's scores get wrong and reveal, where the counts behind them are known; `inferred` are
/// the events and others of which the rows speak.
pub fn check(rows: &[&Model], inferred: Option<(i64, i64)>) -> Vec<Finding> {
    let limits: Vec<Limit> = rows.iter().flat_map(|row| known(row, inferred)).collect();
    let fitting = |method: Method| limits.iter().filter(|it| it.is(method, true)).count();
    let Some(method) = METHODS.into_iter().rev().max_by_key(|&method| fitting(method)) else { return Vec::new() };
    let count = fitting(method);
    if count < FEWEST || 5 * count < 4 * limits.len() {
        let mut findings = beyond(&limits);
        if count >= FEWEST {
            findings.push(method_note(&limits, method, count));
        }
        return findings;
    }
    let mut findings = vec![method_note(&limits, method, count)];
    for limit in limits.iter().filter(|it| !METHODS.iter().any(|&method| it.is(method, true))) {
        let [low, high] = method.of(limit.x, limit.n).expect("it was asked for before");
        let implied = format!("{}-{}", limit.low.like(low), limit.high.like(high));
        let why = format!(
            "{}/{} has the interval {implied} by the method of the set's other {count} intervals ({}).",
            limit.x,
            limit.n,
            method.name()
        );
        findings.push(on(limit.row, &[limit.at], Kind::Metric, Severity::Inconsistent, implied, why));
    }
    findings
}

fn method_note(limits: &[Limit], method: Method, count: usize) -> Finding {
    let first = &limits[0];
    let why = format!("{count} of {} intervals are {} for their counts.", limits.len(), method.name());
    on(first.row, &[first.at], Kind::Method, Severity::Note, method.name().to_owned(), why)
}

/// Chances between which the ends of any interval at 95 % lie, as binomial quantiles: those of bootstraps of a hundred
/// samples and more, and of every usual formula.
const OUTER: f64 = 1e-4;
const INNER: f64 = 0.2;

/// Intervals of no one method, bootstrap ones it may be: ends that no resampling of their counts has, where nearly all
/// others of the set are possible.
fn beyond(limits: &[Limit]) -> Vec<Finding> {
    let inside: Vec<&Limit> = limits.iter().filter(|it| 0 < it.x && it.x < it.n).collect();
    let (right, wrong): (Vec<&Limit>, Vec<&Limit>) = inside.iter().partition(|it| it.is_possible());
    if right.len() < FEWEST || right.len() < 4 * wrong.len() {
        return Vec::new();
    }
    let finding = |limit: &Limit| {
        let [from, to] = [OUTER, INNER].map(|chance| limit.quantile(chance));
        let [upto, above] = [1.0 - OUTER, 1.0 - INNER].map(|chance| limit.quantile(chance));
        let why = format!(
            "{}/{} has a lower end between {from:.3} and {to:.3} and an upper one between {above:.3} and {upto:.3} by any \
             method, bootstraps among them.",
            limit.x, limit.n
        );
        on(limit.row, &[limit.at], Kind::Metric, Severity::Inconsistent, String::new(), why)
    };
    wrong.into_iter().map(finding).collect()
}

impl Limit<'_> {
    fn is_possible(&self) -> bool {
        // Resamples of a whole set vary in their denominators too.
        let slack = 1.0 / self.n as f64;
        let within = |printed: Printed, low: f64, high: f64| {
            let printed = printed.loose();
            printed.high >= self.quantile(low) - slack && printed.low <= self.quantile(high) + slack
        };
        within(self.low, OUTER, INNER) && within(self.high, 1.0 - INNER, 1.0 - OUTER)
    }

    /// The share at which the distribution function of Binomial(n, x / n) reaches a chance.
    fn quantile(&self, chance: f64) -> f64 {
        let (n, p) = (self.n as f64, self.x as f64 / self.n as f64);
        let mut term = n * (1.0 - p).ln();
        let mut sum = term.exp();
        for k in 0..self.n {
            if sum >= chance {
                return k as f64 / n;
            }
            term += ((n - k as f64) / (k as f64 + 1.0) * p / (1.0 - p)).ln();
            sum += term.exp();
        }
        1.0
    }
}

fn known<'a>(row: &'a Model, inferred: Option<(i64, i64)>) -> Vec<Limit<'a>> {
    let Some(matrix) = matrix(row, inferred) else { return Vec::new() };
    let of = |at: usize| {
        let (score, _) = row.scores[at];
        let (low, high) = row.limits[at]?;
        let [above, below] = (SCORES[score].of)(matrix.cells());
        let plain = score < 5;
        (plain && below > 0.0).then_some(Limit { row, at, low, high, x: above as i64, n: below as i64 })
    };
    (0..row.scores.len()).filter_map(of).collect()
}

/// The only matrix that a row can have.
fn matrix(row: &Model, inferred: Option<(i64, i64)>) -> Option<Matrix> {
    if let Some(matrix) = row.matrix() {
        return Some(matrix);
    }
    let Some(sizes) = &row.declared else {
        let (p, n) = inferred?;
        return match matrices(&row.scores, p, n)[..] {
            [one] => Some(one),
            _ => None,
        };
    };
    let [a, b] = sizes.n;
    let mut found: Vec<Matrix> = matrices(&row.scores, b, a);
    if a != b {
        found.extend(matrices(&row.scores, a, b));
    }
    match found[..] {
        [one] => Some(one),
        _ => None,
    }
}
