//! Printed AUCs against the pairs they count, the operating point, and what an interval can be for so many patients.
//!
//! DeLong's variance (DeLong, DeLong & Clarke-Pearson 1988) is bounded by the analysis of variance of the pair
//! indicators: placements of rows and columns share at most A (1 - A).

use crate::finding::{Finding, Kind, Severity};
use crate::metrics::{matrices, other_sizes, score_named};
use crate::models::{Auc, Model};
use crate::printed::{Interval, Printed};
use crate::scores::has_area;
use osteon_stats::stats::distribution::Z_975;

/// What the AUCs get wrong and reveal.
pub fn check(models: &[Model]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for model in models {
        let Some((column, auc)) = &model.auc else { continue };
        if auc.area.loose().low > 1.0 {
            continue;
        }
        findings.extend(pairs(model, column, auc));
        let of_interval = interval(model, column, auc);
        if of_interval.as_ref().is_none_or(|it| it.severity == Severity::Note) {
            findings.extend(operating_point(model, column, auc));
        }
        findings.extend(of_interval);
    }
    findings.extend(slipped(models));
    findings.extend(asymmetric(models));
    findings.extend(method(models));
    findings
}

/// By how much one arm of an interval is longer than the other, at the least, on the scale (plain or logit) on which
/// they differ less; `None` for an interval cut off at 0 or 1.
fn skew(auc: &Auc) -> Option<f64> {
    let (low, high) = auc.interval?;
    if is_end(low, 0.0) || is_end(high, 1.0) {
        return None;
    }
    let inside = |it: f64| it.clamp(1e-6, 1.0 - 1e-6);
    let ratio = |scale: &dyn Fn(f64) -> f64| {
        let [area, low, high] = [auc.area, low, high].map(|it| it.interval().map(|it| scale(inside(it))));
        let (below, above) = (area.minus(low), high.minus(area));
        let least =
            |long: Interval, short: Interval| if short.high > 0.0 { long.low / short.high } else { f64::INFINITY };
        least(below, above).max(least(above, below)).max(1.0)
    };
    Some(ratio(&|it| it).min(ratio(&|it| (it / (1.0 - it)).ln())))
}

/// An arm so many times the other, on either scale, is of no usual method.
const SKEWED: f64 = 2.0;
/// An arm so many times the other is none of Wald's, as far as rounding goes.
const UNEVEN: f64 = 1.15;
/// What arms of usual intervals differ by at most, on the better scale.
const EVEN: f64 = 1.35;
/// Even intervals of the table that a skewed one needs around it.
const NEIGHBOURS: usize = 4;

/// Intervals of a table that are skewed where nearly all others are even: an end or the area is misprinted.
fn slipped(models: &[Model]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for model in models {
        let Some((column, auc)) = &model.auc else { continue };
        let Some(own) = skew(auc).filter(|&own| is_inside(auc) && own >= UNEVEN) else { continue };
        let others: Vec<f64> = models
            .iter()
            .filter(|it| it.place.table == model.place.table && it.place != model.place)
            .filter_map(|it| it.auc.as_ref().and_then(|(_, auc)| skew(auc)))
            .collect();
        let even = others.iter().filter(|&&it| it <= EVEN).count();
        if even < NEIGHBOURS || 5 * even < 4 * others.len() || own < SKEWED && !are_walds(models, model) {
            continue;
        }
        let Some((low, high)) = auc.interval else { continue };
        let [a, l, h] = [auc.area, low, high].map(Printed::value);
        let repairs =
            [("area", auc.area, 0.5 * (l + h)), ("lower end", low, 2.0 * a - h), ("upper end", high, 2.0 * a - l)];
        let why = format!(
            "Its ends lie {:.3} below and {:.3} above the area; {even} of {} other intervals of the table are even.",
            a - l,
            h - a,
            others.len()
        );
        let mut finding = finding(model, column, auc, Kind::AucInterval, Severity::Inconsistent, why);
        finding.alternatives =
            repairs.iter().map(|(part, printed, value)| format!("{part} {}", printed.like(*value))).collect();
        findings.push(finding);
    }
    findings
}

/// Whether all other intervals of the table, and enough of them, are symmetric on the plain scale.
fn are_walds(models: &[Model], of: &Model) -> bool {
    let others: Vec<&Auc> = models
        .iter()
        .filter(|it| it.place.table == of.place.table && it.place != of.place)
        .filter_map(|it| it.auc.as_ref().map(|(_, auc)| auc).filter(|auc| auc.interval.is_some()))
        .collect();
    let digits = others.iter().filter(|it| it.area.decimals() > 2).count();
    others.len() >= NEIGHBOURS && digits == others.len() && others.iter().all(|it| standard_error(it).is_some())
}

/// One note for each table on the intervals that are not Wald's.
fn asymmetric(models: &[Model]) -> Vec<Finding> {
    let mut tables: Vec<&str> = models.iter().map(|model| model.place.table.as_str()).collect();
    tables.dedup();
    let of_table = |table: &str| {
        let own: Vec<(&Model, &String, &Auc)> = models
            .iter()
            .filter(|model| model.place.table == table)
            .filter_map(|model| model.auc.as_ref().map(|(column, auc)| (model, column, auc)))
            .filter(|(.., auc)| auc.interval.is_some())
            .collect();
        let odd: Vec<_> = own.iter().filter(|(.., auc)| standard_error(auc).is_none() && is_inside(auc)).collect();
        let &&(model, column, auc) = odd.first()?;
        let why = format!(
            "{} of {} intervals of the table are not symmetric: logit, exact or bootstrap, not Wald's.",
            odd.len(),
            own.len()
        );
        Some(finding(model, column, auc, Kind::Method, Severity::Note, why))
    };
    tables.into_iter().filter_map(of_table).collect()
}

/// Whether the area lies within its interval, and the interval is not cut off at both ends.
fn is_inside(auc: &Auc) -> bool {
    auc.interval.is_some_and(|(low, high)| {
        let area = auc.area.interval();
        area.high >= low.interval().low && area.low <= high.interval().high && !(is_end(low, 0.0) && is_end(high, 1.0))
    })
}

fn finding(model: &Model, column: &str, auc: &Auc, kind: Kind, severity: Severity, why: String) -> Finding {
    let printed = match auc.interval {
        Some((low, high)) => format!("{}({low}-{high})", auc.area),
        None => auc.area.to_string(),
    };
    let (implied, alternatives) = (String::new(), Vec::new());
    Finding { kind, severity, place: model.at(column), printed, implied, alternatives, why }
}

/// An AUC is a whole number of half pairs.
fn pairs(model: &Model, column: &str, auc: &Auc) -> Option<Finding> {
    let [a, b] = model.declared.as_ref()?.n;
    if has_area(auc, (a, b)) {
        return None;
    }
    let nearest = (auc.area.value() * (2 * a * b) as f64).round() / (2 * a * b) as f64;
    let why = format!("{a} x {b} patients make {} pairs, and no number of half pairs gives it.", a * b);
    let mut finding = finding(model, column, auc, Kind::Auc, Severity::Inconsistent, why);
    finding.implied = auc.area.like(nearest);
    finding.alternatives = (-1..=1)
        .flat_map(|i| (-1..=1).map(move |j| (a + i, b + j)))
        .filter(|&size| has_area(auc, size))
        .map(|(a, b)| format!("{a}/{b}"))
        .collect();
    Some(finding)
}

/// A curve through (1 - specificity, sensitivity) has at least the area below and left of that point, and at most
/// that outside the area above it.
fn operating_point(model: &Model, column: &str, auc: &Auc) -> Option<Finding> {
    let score = |name: &str| {
        let index = score_named(name)?;
        model.scores.iter().find(|(score, _)| *score == index).map(|(_, printed)| printed.interval())
    };
    let (sensitivity, specificity) = (score("sensitivity")?, score("specificity")?);
    if sensitivity.low > 1.0 || specificity.low > 1.0 {
        return None;
    }
    let possible = Interval {
        low: sensitivity.low.max(0.0) * specificity.low.max(0.0),
        high: 1.0 - (1.0 - sensitivity.high.min(1.0)) * (1.0 - specificity.high.min(1.0)),
    };
    (!auc.area.meets(possible)).then(|| {
        let why = format!(
            "A curve through the printed sensitivity and specificity has an area between {:.3} and {:.3}.",
            possible.low, possible.high
        );
        finding(model, column, auc, Kind::Auc, Severity::Inconsistent, why)
    })
}

/// Standard errors that a symmetric interval, cut off at 0 and 1, can stand for; `None` when it is not symmetric.
pub fn standard_error(auc: &Auc) -> Option<Interval> {
    let (low, high) = auc.interval?;
    let area = auc.area.interval();
    let below = area.minus(low.interval());
    let above = high.interval().minus(area);
    let half = match (is_end(low, 0.0), is_end(high, 1.0)) {
        (false, false) => below.common(above)?,
        (false, true) => Interval { low: below.low.max(above.low), high: below.high },
        (true, false) => Interval { low: above.low.max(below.low), high: above.high },
        (true, true) => return None,
    };
    (half.low <= half.high).then(|| half.times(1.0 / Z_975)).map(|it| Interval { low: it.low.max(0.0), high: it.high })
}

fn is_end(printed: Printed, end: f64) -> bool {
    printed.value() == end
}

fn interval(model: &Model, column: &str, auc: &Auc) -> Option<Finding> {
    let (low, high) = auc.interval?;
    let area = auc.area.interval();
    if area.high < low.interval().low || area.low > high.interval().high {
        let why = "The AUC lies outside its own interval.".to_owned();
        return Some(finding(model, column, auc, Kind::AucInterval, Severity::Inconsistent, why));
    }
    let error = standard_error(auc)?;
    let sizes = sizes(model)?;
    let most = |(a, b): (i64, i64)| {
        let area =
            if area.contains(0.5) { 0.25 } else { (area.low * (1.0 - area.low)).max(area.high * (1.0 - area.high)) };
        (area / (a.min(b) - 1).max(1) as f64).sqrt()
    };
    let greatest = sizes.iter().map(|&size| most(size)).fold(0.0, f64::max);
    (error.low > greatest * BOOTSTRAP).then(|| {
        let why = format!(
            "Its standard error is at least {:.4}; no scores of so many patients have more than {greatest:.4}.",
            error.low
        );
        finding(model, column, auc, Kind::AucInterval, Severity::Inconsistent, why)
    })
}

/// The sizes that this row can be of: declared where its scores allow them, else near ones.
fn sizes(model: &Model) -> Option<Vec<(i64, i64)>> {
    let [a, b] = model.declared.as_ref()?.n;
    let fits = [(b, a), (a, b)].into_iter().filter(|&(p, n)| !matrices(&model.scores, p, n).is_empty());
    let fits: Vec<(i64, i64)> = fits.collect();
    if !fits.is_empty() {
        return Some(fits);
    }
    let near: Vec<(i64, i64)> =
        [(b, a), (a, b)].iter().flat_map(|&(p, n)| other_sizes(&model.scores, p, n, 1)).collect();
    Some(if near.is_empty() { vec![(b, a)] } else { near })
}

/// By so much the error of a bootstrap may exceed the greatest of DeLong's.
const BOOTSTRAP: f64 = 1.1;

/// Hanley and McNeil's (1982) standard error under exponential scores.
fn hanley_mcneil(area: f64, (positives, negatives): (i64, i64)) -> f64 {
    let (p, n) = (positives as f64, negatives as f64);
    let (q1, q2) = (area / (2.0 - area), 2.0 * area * area / (1.0 + area));
    let variance = area * (1.0 - area) + (p - 1.0) * (q1 - area * area) + (n - 1.0) * (q2 - area * area);
    (variance.max(0.0) / (p * n)).sqrt()
}

/// Patients up to which all rankings are tried: C(19, 9) is 92,378.
const MOST_RANKED: i64 = 20;

/// Rankings, without ties, of so many patients that have the printed AUC and pass the operating point; and of those,
/// how many have DeLong's standard error within `error`.
fn rankings(model: &Model, auc: &Auc, error: Interval, size: (i64, i64)) -> (usize, usize) {
    let (p, n) = size;
    let points: Vec<(i64, i64)> =
        matrices(&model.scores, p, n).iter().map(|it| (it.true_positive, it.false_positive)).collect();
    let wanted = auc.area.numerators(p * n);
    let mut walk = Walk { p, n, points, wanted, error, above: Vec::new(), found: (0, 0) };
    walk.go(0, 0, 0, model.scores.len() < 2);
    walk.found
}

/// A walk over all rankings from the highest score down: each step is a positive or a negative.
struct Walk {
    p: i64,
    n: i64,
    points: Vec<(i64, i64)>,
    wanted: std::ops::RangeInclusive<i64>,
    error: Interval,
    /// For each positive so far, the negatives above it.
    above: Vec<i64>,
    found: (usize, usize),
}

impl Walk {
    fn go(&mut self, positives: i64, negatives: i64, won: i64, passed: bool) {
        let passed = passed || self.points.contains(&(positives, negatives));
        if won > *self.wanted.end() || won + (self.p - positives) * (self.n - negatives) < *self.wanted.start() {
            return;
        }
        if positives == self.p {
            if passed || (negatives..=self.n).any(|it| self.points.contains(&(positives, it))) {
                self.found.0 += 1;
                self.found.1 += usize::from(self.error.contains(self.delong()));
            }
            return;
        }
        self.above.push(negatives);
        self.go(positives + 1, negatives, won + self.n - negatives, passed);
        self.above.pop();
        if negatives < self.n {
            self.go(positives, negatives + 1, won, passed);
        }
    }

    /// DeLong's standard error of the ranking.
    fn delong(&self) -> f64 {
        let (p, n) = (self.p as f64, self.n as f64);
        let variance = |sum: f64, squares: f64, size: f64| (squares - sum * sum / size) / (size - 1.0) / size;
        let placements = |it: &i64| (self.n - it) as f64 / n;
        let (sum, squares) = self.above.iter().map(placements).fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
        let lost = (0..self.n).map(|j| self.above.iter().filter(|&&above| above <= j).count() as f64 / p);
        let (sum_n, squares_n) = lost.fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
        (variance(sum, squares, p).max(0.0) + variance(sum_n, squares_n, n).max(0.0)).sqrt()
    }
}

/// Which formula the symmetric intervals are of: DeLong's or Hanley and McNeil's.
fn method(models: &[Model]) -> Option<Finding> {
    let (mut symmetric, mut hanley, mut ranked, mut witnessed, mut clipped) = (0, 0, 0, 0, 0);
    let mut first = None;
    for model in models {
        let Some((column, auc)) = &model.auc else { continue };
        let (Some(error), Some(sizes)) = (standard_error(auc), sizes(model)) else { continue };
        first.get_or_insert_with(|| model.at(column));
        symmetric += 1;
        clipped += usize::from(auc.interval.is_some_and(|(_, high)| is_end(high, 1.0)));
        let wide = Interval { low: error.low - 1e-9, high: error.high + 1e-9 };
        let area = auc.area.interval();
        let formula = |size| Interval::spanning(hanley_mcneil(area.low, size), hanley_mcneil(area.high, size));
        hanley += usize::from(sizes.iter().any(|&size| formula(size).overlaps(wide)));
        let small: Vec<(i64, i64)> = sizes.iter().copied().filter(|(p, n)| p + n <= MOST_RANKED).collect();
        if !small.is_empty() {
            ranked += 1;
            witnessed += usize::from(small.iter().any(|&size| rankings(model, auc, wide, size).1 > 0));
        }
    }
    let place = first.filter(|_| symmetric > 1)?;
    let found = if ranked > 0 {
        format!(
            "; of the {ranked} small enough to try all rankings, {witnessed} have one with the printed AUC, operating \
             point and DeLong interval"
        )
    } else {
        String::new()
    };
    let implied = if hanley == symmetric { "Wald, Hanley-McNeil" } else { "Wald, DeLong, clipped at 1" };
    Some(Finding {
        kind: Kind::Method,
        severity: Severity::Note,
        place: crate::finding::Place { row: "all rows".into(), ..place },
        printed: String::new(),
        implied: implied.to_owned(),
        alternatives: Vec::new(),
        why: format!(
            "{symmetric} intervals are symmetric but for {clipped} cut off at 1; Hanley and McNeil's formula gives \
             {hanley} of them{found}."
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hanley_and_mcneil_give_the_example_of_their_paper() {
        // Hanley & McNeil 1982: area 0.893, 51 abnormal and 58 normal images, standard error 0.032.
        assert!((hanley_mcneil(0.893, (51, 58)) - 0.032).abs() < 0.001);
    }
}
