//! ROC, decision and calibration curves from scores and events.

use rayon::prelude::*;

use crate::report::figure::{Figure, Paper, calibration, decision, roc};
use crate::report::performance::Scored;
use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_stats::evaluate::flexible::{self, Point};
use osteon_stats::evaluate::optimism::resamples;
use osteon_stats::evaluate::smooth::lowess;
use osteon_stats::evaluate::{
    bootstrap, calibration as calibrated, decision as benefit, roc as receiver, roc_band as band,
};
use osteon_stats::stats::proportion::clopper_pearson;

/// One panel a set, in the order of the rows; a set with one class alone has no curve. The last model has its band.
pub fn roc(rows: &[Scored], seed: Seed, paper: &Paper) -> Figure {
    let curve = |row: &&Scored| {
        let auc = receiver::auc(&row.score, &row.event)?;
        let mut points: Vec<[f64; 2]> = receiver::curve(&row.score, &row.event)
            .into_iter()
            .map(|point| [1.0 - point.specificity, point.sensitivity])
            .collect();
        points.reverse();
        let interval = Some(auc.interval().0);
        Some(roc::Curve { model: titled(&row.model), points, auc: auc.auc, interval, band: Vec::new() })
    };
    let set = |(name, own): (String, Vec<&Scored>)| {
        let mut curves: Vec<roc::Curve> = own.iter().filter_map(curve).collect();
        if let (Some(last), Some(row)) = (curves.last_mut(), own.last()) {
            last.band = roc_band(row, seed.named(&name));
        }
        roc::Set { n: most(&own), name, curves }
    };
    roc::figure(&sets(rows).into_iter().map(set).collect::<Vec<_>>(), paper)
}

/// Net benefit at whole percents of a range of thresholds; only of scores that are probabilities. `range` is what was
/// asked for; else it ends where too few patients are positive for a curve to mean anything. The last model has its band.
pub fn decision(rows: &[Scored], range: Option<[f64; 2]>, seed: Seed, paper: &Paper) -> Figure {
    let [from, to] = range.unwrap_or_else(|| told_range(rows));
    let thresholds: Vec<f64> =
        benefit::percents().into_iter().filter(|t| (from - 1e-9..=to + 1e-9).contains(t)).collect();
    let curve = |row: &&Scored| {
        let points = benefit::curve(&row.event, &row.score, &thresholds);
        let points = points.into_iter().map(|it| [it.threshold, it.model]).collect();
        decision::Curve { model: titled(&row.model), points, band: Vec::new() }
    };
    let set = |(name, own): (String, Vec<&Scored>)| {
        let events = own[0].event.iter().filter(|&&event| event).count();
        let prevalence = events as f64 / own[0].event.len().max(1) as f64;
        let own: Vec<&Scored> = own.into_iter().filter(|row| probability(&row)).collect();
        let mut curves: Vec<decision::Curve> = own.iter().map(curve).collect();
        if let (Some(last), Some(row)) = (curves.last_mut(), own.last()) {
            last.band = benefit_band(row, &thresholds, seed.named(&name));
        }
        decision::Set { n: most(&own), name, prevalence, curves }
    };
    decision::figure(&sets(rows).into_iter().map(set).collect::<Vec<_>>(), paper)
}

/// From 1 % to the largest threshold, in steps of 5 % and at most 80 %, at which in every set some model still calls [`FEWEST`] patients
/// positive: beyond it one patient more or less throws the curves up and down.
fn told_range(rows: &[Scored]) -> [f64; 2] {
    /// Patients that a net benefit stands on at the least.
    const FEWEST: usize = 5;
    let reach = |(_, own): &(String, Vec<&Scored>)| {
        let of = |row: &&&Scored| {
            let mut score = row.score.clone();
            score.sort_by(|a, b| b.total_cmp(a));
            score.get(FEWEST - 1).copied().unwrap_or(0.0)
        };
        own.iter().filter(probability).map(|row| of(&row)).fold(0.0, f64::max)
    };
    let least = sets(rows).iter().map(reach).fold(1.0, f64::min);
    [0.01, ((least * 20.0 + 1e-9).floor() / 20.0).clamp(0.2, 0.8)]
}

/// Smoothed curves of scores that are probabilities: loess, lowess where loess has no standard errors. The last model
/// has its band (of lowess by bootstrap) and groups.
pub fn calibration(rows: &[Scored], seed: Seed, paper: &Paper) -> Figure {
    let set = |(name, own): (String, Vec<&Scored>)| {
        let n = most(&own);
        let own: Vec<&Scored> = own.into_iter().filter(|row| probability(&row)).collect();
        let last = own.len().saturating_sub(1);
        let models = own.iter().enumerate().filter_map(|(at, row)| model(row, at == last, seed.named(&name)));
        let models = models.collect();
        let patients = own.last().map(|row| row.score.iter().copied().zip(row.event.iter().copied()).collect());
        calibration::Set { name, n, models, patients: patients.unwrap_or_default() }
    };
    calibration::figure(&sets(rows).into_iter().map(set).collect::<Vec<_>>(), paper)
}

fn sets(rows: &[Scored]) -> Vec<(String, Vec<&Scored>)> {
    let mut sets: Vec<(String, Vec<&Scored>)> = Vec::new();
    for row in rows.iter().filter(|row| row.event.contains(&true) && row.event.contains(&false)) {
        let name = if row.set.contains(' ') { row.set.clone() } else { format!("{} set", titled(&row.set)) };
        match sets.iter_mut().find(|(known, _)| *known == name) {
            Some((_, own)) => own.push(row),
            None => sets.push((name, vec![row])),
        }
    }
    sets
}

fn probability(row: &&&Scored) -> bool {
    row.score.iter().all(|p| (0.0..=1.0).contains(p))
}

fn most(rows: &[&Scored]) -> usize {
    rows.iter().map(|row| row.event.len()).max().unwrap_or(0)
}

fn titled(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn model(row: &Scored, full: bool, seed: Seed) -> Option<calibration::Model> {
    const GROUPS: usize = 5;
    let indices = calibrated::calibration(&row.event, &row.score)?;
    let group = |it: calibrated::Group| {
        let events = (it.observed * it.n as f64).round() as usize;
        let [low, high] = clopper_pearson(events, it.n)?;
        Some([it.predicted, it.observed, low, high])
    };
    let groups = calibrated::groups(&row.event, &row.score, GROUPS);
    let flexible = flexible(row);
    Some(calibration::Model {
        name: titled(&row.model),
        brier: indices.brier,
        intercept: indices.in_the_large.map(|it| it.0),
        slope: indices.recalibration.map(|it| it.slope),
        smooth: flexible.as_ref().map_or_else(|| smoothed(&row.event, &row.score), |points| curve_of(points)),
        band: match flexible {
            _ if !full => Vec::new(),
            Some(points) => points.iter().map(|point| [point.predicted, point.low, point.high]).collect(),
            None => lowess_band(row, seed),
        },
        groups: if full { groups.into_iter().filter_map(group).collect() } else { Vec::new() },
    })
}

/// Rows from which on curves have no bands by bootstrap.
const MANY_ROWS: usize = 20_000;

/// `[1 - specificity, low, high]` of the sensitivity, by bootstrap.
fn roc_band(row: &Scored, seed: Seed) -> Vec<[f64; 3]> {
    const STEPS: usize = 50;
    if row.event.len() > MANY_ROWS {
        return Vec::new();
    }
    let at: Vec<f64> = (0..=STEPS).map(|n| n as f64 / STEPS as f64).collect();
    let params = bootstrap::Params::default();
    let band = band::band(&row.score, &row.event, &at, &params, seed, &Job::unwatched());
    let mut points: Vec<[f64; 3]> =
        band.into_iter().flatten().map(|it| [1.0 - it.specificity, it.low, it.high]).collect();
    points.reverse();
    points
}

/// `[threshold, low, high]` of the net benefit.
fn benefit_band(row: &Scored, thresholds: &[f64], seed: Seed) -> Vec<[f64; 3]> {
    let params = bootstrap::Params::default();
    let found = benefit::benefits(&row.event, &row.score, thresholds, &params, seed, &Job::unwatched());
    found.into_iter().flatten().map(|it| [it.threshold, it.ci[0], it.ci[1]]).collect()
}

/// The loess curve with its band over the range of the probabilities; `None` where it has no standard errors.
fn flexible(row: &Scored) -> Option<Vec<Point>> {
    const STEPS: usize = 60;
    let low = row.score.iter().copied().fold(f64::INFINITY, f64::min);
    let high = row.score.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let at: Vec<f64> = (0..=STEPS).map(|n| low + (high - low) * n as f64 / STEPS as f64).collect();
    flexible::loess(&row.event, &row.score, &at)
}

fn curve_of(points: &[Point]) -> Vec<[f64; 2]> {
    points.iter().map(|point| [point.predicted, point.observed.clamp(0.0, 1.0)]).collect()
}

/// R's `lowess(p, event, iter = 0)`, sorted by the probability, each probability once.
fn smoothed(event: &[bool], p: &[f64]) -> Vec<[f64; 2]> {
    let mut pairs: Vec<(f64, f64)> = p.iter().copied().zip(event.iter().map(|&event| f64::from(event))).collect();
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (x, y): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    let mut points: Vec<[f64; 2]> =
        x.iter().zip(lowess(&x, &y, 2.0 / 3.0)).map(|(&x, y)| [x, y.clamp(0.0, 1.0)]).collect();
    points.dedup_by_key(|point| point[0].to_bits());
    points
}

/// Pointwise 95 % percentile interval over resamples; only where at least half of them reach.
fn lowess_band(row: &Scored, seed: Seed) -> Vec<[f64; 3]> {
    const SAMPLES: usize = 500;
    const STEPS: usize = 60;
    let n = row.event.len();
    let curves: Vec<Vec<[f64; 2]>> = resamples(n, SAMPLES, seed.named("calibration"))
        .into_par_iter()
        .map(|rows| {
            let event: Vec<bool> = rows.iter().map(|&at| row.event[at]).collect();
            let p: Vec<f64> = rows.iter().map(|&at| row.score[at]).collect();
            smoothed(&event, &p)
        })
        .collect();
    let at = |x: f64| {
        let mut heights: Vec<f64> = curves.iter().filter_map(|curve| height(curve, x)).collect();
        heights.sort_by(f64::total_cmp);
        let quantile = |share: f64| heights[((heights.len() - 1) as f64 * share).round() as usize];
        (heights.len() * 2 >= SAMPLES).then(|| [x, quantile(0.025), quantile(0.975)])
    };
    (0..=STEPS).map(|n| n as f64 / STEPS as f64).filter_map(at).collect()
}

/// The curve at `x`, between its points; `None` beyond its ends.
fn height(curve: &[[f64; 2]], x: f64) -> Option<f64> {
    let after = curve.partition_point(|point| point[0] < x);
    let right = curve.get(after)?;
    if right[0] == x {
        return Some(right[1]);
    }
    let left = curve.get(after.checked_sub(1)?)?;
    Some(left[1] + (right[1] - left[1]) * (x - left[0]) / (right[0] - left[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_heights_between_its_ends_only() {
        let curve = [[0.2, 0.0], [0.4, 1.0]];
        assert!((height(&curve, 0.3).unwrap() - 0.5).abs() < 1e-12);
        assert_eq!((height(&curve, 0.1), height(&curve, 0.5), height(&curve, 0.2)), (None, None, Some(0.0)));
    }
}
