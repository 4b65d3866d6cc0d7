//! The baseline hazard, and the survival of a person that a fit predicts.

use nalgebra::{DMatrix, DVector};

use crate::survival::cox::likelihood::Prepared;
use crate::survival::cox::{Fit, Standardised, coordinates};
use crate::survival::follow_up::FollowUp;
use crate::table::Design;

/// The cumulative hazard at the means of the columns, stratum by stratum.
#[derive(Clone, Debug, PartialEq)]
pub struct Baseline {
    pub strata: Vec<Vec<Step>>,
    means: DVector<f64>,
    estimates: DVector<f64>,
    covariance: DMatrix<f64>,
}

/// The hazard up to one time of events.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub time: f64,
    /// Cumulative, of a person at the means.
    pub hazard: f64,
    /// Of the hazard, for known coefficients.
    variance: f64,
    /// Σ (mean of those at risk - mean of all rows) dH, in the units of the design.
    weighted: DVector<f64>,
}

/// A predicted survival.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Predicted {
    pub survival: f64,
    /// Of ln survival.
    pub se_ln: f64,
}

/// The logarithm of the cumulative hazard at one time, a line over the columns: `intercept + b'x`.
#[derive(Clone, Debug, PartialEq)]
pub struct LogHazard {
    pub intercept: f64,
    /// Of the intercept, then the estimates.
    pub covariance: Vec<Vec<f64>>,
}

/// The baseline of a fit, by the fit's own way with ties (Breslow's for exact ones); `None` where a term is infinite.
pub fn baseline(design: &Design, follow_up: &FollowUp, strata: Option<&[usize]>, fit: &Fit) -> Option<Baseline> {
    let (standardised, _) = Standardised::new(design);
    let prepared = Prepared::new(&standardised.z, follow_up, strata, fit.params.ties);
    let coefficients = coordinates(&standardised, fit)?;
    let centred = prepared.z.tr_mul(&coefficients);
    let eta: Vec<f64> = centred.iter().copied().collect();
    let k = design.columns.len();
    let found = prepared.strata.iter().map(|stratum| {
        let mut falling: Vec<Step> = Vec::new();
        prepared.walk(stratum, &eta, false, |moment, steps| {
            let mut step = Step { time: moment.time, hazard: 0.0, variance: 0.0, weighted: DVector::zeros(k) };
            for (times, sums) in steps {
                step.hazard += times / sums.zero;
                step.variance += times / (sums.zero * sums.zero);
                let mean = sums.mean();
                for (at, &column) in standardised.kept.iter().enumerate() {
                    step.weighted[column] += mean[at] * standardised.sds[at] * times / sums.zero;
                }
            }
            falling.push(step);
        });
        falling.reverse();
        for at in 1..falling.len() {
            let (before, here) = falling.split_at_mut(at);
            let (before, here) = (&before[at - 1], &mut here[0]);
            here.hazard += before.hazard;
            here.variance += before.variance;
            here.weighted += &before.weighted;
        }
        falling
    });
    let mut means = DVector::zeros(k);
    standardised.kept.iter().zip(&standardised.means).for_each(|(&column, mean)| means[column] = *mean);
    Some(Baseline {
        strata: found.collect(),
        means,
        estimates: DVector::from_iterator(k, fit.terms.iter().map(|term| term.estimate.unwrap_or(0.0))),
        covariance: DMatrix::from_fn(k, k, |i, j| fit.covariance[[i, j]]),
    })
}

impl Baseline {
    /// The survival of a person with the values `x` of the design's columns, in a stratum, at a time. After the last
    /// event the curve stays where it is.
    pub fn predict(&self, stratum: usize, x: &[f64], time: f64) -> Predicted {
        let steps = &self.strata[stratum];
        let passed = steps.partition_point(|step| step.time <= time);
        let Some(step) = passed.checked_sub(1).map(|last| &steps[last]) else {
            return Predicted { survival: 1.0, se_ln: 0.0 };
        };
        // An aliased column has neither mean nor estimate here.
        let centred =
            DVector::from_fn(
                x.len(),
                |at, _| if self.covariance[(at, at)] > 0.0 { x[at] - self.means[at] } else { 0.0 },
            );
        let ratio = centred.dot(&self.estimates).exp();
        let spread = centred * step.hazard - &step.weighted;
        let variance = step.variance + spread.dot(&(&self.covariance * &spread));
        Predicted { survival: (-step.hazard * ratio).exp(), se_ln: ratio * variance.sqrt() }
    }

    /// ln of the cumulative hazard of a stratum at a time with its covariance, so that an interval for anybody's survival is
    /// Wald's on the log-log scale; `None` before the first event. The variance of the line at `x` is that of
    /// [`Baseline::predict`] over the squared hazard.
    pub fn log_hazard(&self, stratum: usize, time: f64) -> Option<LogHazard> {
        let steps = &self.strata[stratum];
        let step = &steps[steps.partition_point(|step| step.time <= time).checked_sub(1)?];
        let k = self.means.len();
        let mut from = &self.means + &step.weighted / step.hazard;
        (0..k).filter(|&at| self.covariance[(at, at)] <= 0.0).for_each(|at| from[at] = 0.0);
        let pull = &self.covariance * &from;
        let first = step.variance / (step.hazard * step.hazard) + from.dot(&pull);
        let cell = |i: usize, j: usize| match (i, j) {
            (0, 0) => first,
            (0, j) => -pull[j - 1],
            (i, 0) => -pull[i - 1],
            (i, j) => self.covariance[(i - 1, j - 1)],
        };
        let covariance = (0..=k).map(|i| (0..=k).map(|j| cell(i, j)).collect()).collect();
        Some(LogHazard { intercept: step.hazard.ln() + self.at_zero(), covariance })
    }

    /// The predictor's offset: that of a person whose columns are all 0.
    pub fn at_zero(&self) -> f64 {
        -self.means.dot(&self.estimates)
    }
}
