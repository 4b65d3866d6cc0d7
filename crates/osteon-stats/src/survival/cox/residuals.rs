//! What each row adds to the fit: martingale, score and Schoenfeld residuals, and the robust variance that follows.

use nalgebra::{DMatrix, DVector};
use ndarray::Array2;

use crate::survival::cox::likelihood::{Moment, Prepared};
use crate::survival::cox::sums::Sums;
use crate::survival::cox::{Fit, Standardised, Ties, coordinates};
use crate::survival::follow_up::FollowUp;
use crate::table::Design;

/// Residuals in the units of the design.
#[derive(Clone, Debug, PartialEq)]
pub struct Residuals {
    /// Events less expected events, one a row.
    pub martingale: Vec<f64>,
    /// Rows x terms; columns of aliased terms are 0.
    pub score: DMatrix<f64>,
}

/// The hazard at one time of events.
struct Hazard {
    time: f64,
    total: f64,
    /// Σ mean / sum at risk, in standardised columns.
    weighted: DVector<f64>,
}

/// The residuals of a fit by partial likelihood or by Firth's; `None` where a term is infinite or ties are exact.
pub fn residuals(design: &Design, follow_up: &FollowUp, strata: Option<&[usize]>, fit: &Fit) -> Option<Residuals> {
    if fit.params.ties == Ties::Exact {
        return None;
    }
    let (standardised, _) = Standardised::new(design);
    let prepared = Prepared::new(&standardised.z, follow_up, strata, fit.params.ties);
    let eta = prepared.predictor(&coordinates(&standardised, fit)?);
    let k = standardised.kept.len();
    let mut martingale = vec![0.0; follow_up.len()];
    let mut score = DMatrix::<f64>::zeros(follow_up.len(), k);
    for stratum in &prepared.strata {
        let mut hazards: Vec<Hazard> = Vec::new();
        prepared.walk(stratum, &eta, false, |moment, steps| {
            add_deaths(&prepared, moment, steps, &eta, &mut martingale, &mut score);
            let total = steps.iter().map(|(times, sums)| times / sums.zero).sum();
            let one = |sum: DVector<f64>, (times, sums): &(f64, Sums)| sum + sums.mean() * (times / sums.zero);
            hazards.push(Hazard { time: moment.time, total, weighted: steps.iter().fold(DVector::zeros(k), one) });
        });
        hazards.reverse();
        let sums = cumulative(&hazards, k);
        for &row in &stratum.rows {
            let end = hazards.partition_point(|hazard| hazard.time <= follow_up.times()[row]);
            let start = hazards.partition_point(|hazard| hazard.time <= follow_up.entry(row)).min(end);
            let w = eta[row].exp();
            let total = sums[end].0 - sums[start].0;
            martingale[row] -= w * total;
            let spread = prepared.z.column(row) * total - (&sums[end].1 - &sums[start].1);
            (0..k).for_each(|at| score[(row, at)] -= w * spread[at]);
        }
    }
    let mut whole = DMatrix::zeros(follow_up.len(), design.columns.len());
    for (at, &column) in standardised.kept.iter().enumerate() {
        whole.set_column(column, &(score.column(at) * standardised.sds[at]));
    }
    Some(Residuals { martingale, score: whole })
}

/// Sums of the hazards before each place, rising in time.
fn cumulative(hazards: &[Hazard], k: usize) -> Vec<(f64, DVector<f64>)> {
    let mut sums = vec![(0.0, DVector::zeros(k))];
    for hazard in hazards {
        let (total, weighted) = sums.last().expect("it begins with one");
        sums.push((total + hazard.total, weighted + &hazard.weighted));
    }
    sums
}

/// The events themselves, and the hazard that those at tied times do not have: in Efron's way a row is at risk less
/// and less while the events at its time happen.
fn add_deaths(
    prepared: &Prepared,
    moment: &Moment,
    steps: &[(f64, Sums)],
    eta: &[f64],
    martingale: &mut [f64],
    score: &mut DMatrix<f64>,
) {
    let d = moment.dead.len() as f64;
    for &row in &moment.dead {
        martingale[row] += 1.0;
        for (step, (times, sums)) in steps.iter().enumerate() {
            let over = if steps.len() > 1 { step as f64 / d } else { 0.0 };
            let spread = prepared.z.column(row) - sums.mean();
            let back = eta[row].exp() * over / sums.zero;
            martingale[row] += back;
            (0..spread.len()).for_each(|at| score[(row, at)] += (times / d + back) * spread[at]);
        }
    }
}

/// The fit with the variance of Lin and Wei (1989), rows of one cluster taken together (one number a row).
pub fn robust(fit: &Fit, residuals: &Residuals, cluster: &[usize]) -> Fit {
    let k = fit.terms.len();
    let covariance = DMatrix::from_fn(k, k, |i, j| fit.covariance[[i, j]]);
    let n_clusters = cluster.iter().max().map_or(0, |last| last + 1);
    let mut sums = DMatrix::<f64>::zeros(n_clusters, k);
    let moved = &residuals.score * covariance;
    for (row, &cluster) in cluster.iter().enumerate() {
        for at in 0..k {
            sums[(cluster, at)] += moved[(row, at)];
        }
    }
    let covariance = sums.tr_mul(&sums);
    let mut fit = fit.clone();
    for (at, term) in fit.terms.iter_mut().enumerate().filter(|(_, term)| term.se.is_some()) {
        term.se = Some(covariance[(at, at)].sqrt());
    }
    fit.covariance = Array2::from_shape_fn((k, k), |(i, j)| covariance[(i, j)]);
    fit
}
