//! The maximum of the logistic likelihood.

use linfa::Dataset;
use linfa::traits::Fit as _;
use linfa_logistic::LogisticRegression;
use nalgebra::{DMatrix, DVector};
use ndarray::{Array1, Array2};
use rayon::prelude::*;

use crate::model::logistic::design::{Standardised, predictor};

/// Where the likelihood has its maximum.
pub struct Solution {
    pub coefficients: DVector<f64>,
    /// Inverse of the Fisher information; zeros when that is singular.
    pub covariance: DMatrix<f64>,
    pub probabilities: Vec<f64>,
    pub log_likelihood: f64,
    pub converged: bool,
    /// The last step taken: the direction of escape when there is no maximum.
    pub step: DVector<f64>,
}

/// Newton's method converges in about six steps; under separation each step adds one to the predictor.
const MAX_STEPS: usize = 60;
/// The error after a step is about its square: after one this small, in standard deviations, it is rounding.
const SMALL: f64 = 1e-8;
/// Predictors beyond this are under suspicion of separation: probabilities within 1e-9 of 0 or 1.
const EXTREME: f64 = 20.0;

/// linfa's line search has no limit of steps: without a penalty it never ends where events are separated, because the
/// likelihood is flat out to infinity. One this small moves the start in the sixth digit, and Newton's steps take it back.
const PENALTY: f64 = 1e-6;
/// Nor does it end where a step gains less than rounding. What a start leaves, Newton's steps square away.
const NEAR: f64 = 1e-4;

/// A start from linfa's quasi-Newton fit, intercept first; zeros where linfa went astray.
pub fn start(standardised: &Standardised, event: &[bool]) -> DVector<f64> {
    let (n, k) = standardised.z.shape();
    let zeros = || DVector::zeros(k + 1);
    // Only where there is a maximum within reach: linfa runs for ever where events are separated.
    let calm = maximise(&standardised.with_intercept(), &vec![0.0; n], event, zeros());
    let extreme = predictor(&standardised.with_intercept(), &calm.coefficients, &vec![0.0; n]).amax();
    // On many rows Newton's own steps are the shorter way.
    if n > BLOCK && calm.converged && extreme < EXTREME / 2.0 {
        return calm.coefficients;
    }
    if k == 0 || !calm.converged || extreme.is_nan() || extreme >= EXTREME / 2.0 {
        return zeros();
    }
    let x = Array2::from_shape_fn((n, k), |(i, j)| standardised.z[(i, j)]);
    let data = Dataset::new(x, Array1::from_iter(event.iter().copied()));
    let fit = LogisticRegression::default().alpha(PENALTY).gradient_tolerance(NEAR).max_iterations(200);
    let model = fit.fit(&data);
    let Ok(model) = model else { return zeros() };
    // linfa models the more frequent class.
    let sign = if model.labels().pos.class { 1.0 } else { -1.0 };
    let found = std::iter::once(model.intercept()).chain(model.params().iter().copied());
    let start = DVector::from_iterator(k + 1, found.map(|value| sign * value));
    let extreme = predictor(&standardised.with_intercept(), &start, &vec![0.0; n]).amax();
    if extreme < EXTREME / 2.0 { start } else { zeros() }
}

/// Newton's method with halved steps from `start`, on columns `x` and a fixed part of the predictor `offset`.
pub fn maximise(x: &DMatrix<f64>, offset: &[f64], event: &[bool], start: DVector<f64>) -> Solution {
    let mut coefficients = start;
    let mut eta = predictor(x, &coefficients, offset);
    let mut log_likelihood = log_likelihood_of(&eta, event);
    let mut step = DVector::zeros(coefficients.len());
    let mut converged = coefficients.is_empty();
    for _ in 0..MAX_STEPS {
        if converged {
            break;
        }
        let score = x.tr_mul(&DVector::from_iterator(event.len(), residuals(&eta, event)));
        let Some(information) = information(x, &eta).cholesky() else { break };
        step = information.solve(&score);
        let mut share = 1.0;
        let found = loop {
            let next = &coefficients + share * &step;
            let next_eta = predictor(x, &next, offset);
            let next_log_likelihood = log_likelihood_of(&next_eta, event);
            let rounding = 1e-12 * log_likelihood.abs().max(1e-3);
            if next_log_likelihood >= log_likelihood - rounding {
                break Some((next, next_eta, next_log_likelihood));
            }
            share /= 2.0;
            if share < 1e-6 {
                break None;
            }
        };
        let Some(found) = found else { break };
        let gain = found.2 - log_likelihood;
        (coefficients, eta, log_likelihood) = found;
        // Under separation steps stay long while there is nothing left to gain.
        if gain <= f64::EPSILON * log_likelihood.abs().max(1.0) {
            converged = step.amax() <= 1e-6 * (1.0 + coefficients.amax());
            break;
        }
        converged = step.amax() <= SMALL * (1.0 + coefficients.amax());
    }
    let k = coefficients.len();
    let covariance = information(x, &eta).cholesky().map_or_else(|| DMatrix::zeros(k, k), |factor| factor.inverse());
    Solution {
        covariance,
        probabilities: eta.iter().map(|&eta| logistic(eta)).collect(),
        log_likelihood,
        converged,
        step,
        coefficients,
    }
}

/// Levenberg's damped steps from `start`, then Newton's: for places so extreme that the information is singular to
/// rounding while the score is not, as along a profile far from the maximum, or on the way to infinity.
pub fn climb(x: &DMatrix<f64>, offset: &[f64], event: &[bool], start: DVector<f64>) -> Solution {
    // Each good step divides the damping by ten, so that even a start 1e300 away is left behind.
    const MAX_STEPS: usize = 400;
    let mut coefficients = start;
    let mut eta = predictor(x, &coefficients, offset);
    let mut log_likelihood = log_likelihood_of(&eta, event);
    let from = coefficients.clone();
    let mut damping = 1.0;
    for _ in 0..MAX_STEPS {
        let score = x.tr_mul(&DVector::from_iterator(event.len(), residuals(&eta, event)));
        let mut damped = information(x, &eta);
        let added = damping * (damped.diagonal().amax() + f64::MIN_POSITIVE.sqrt());
        (0..coefficients.len()).for_each(|at| damped[(at, at)] += added);
        let Some(factor) = damped.cholesky() else {
            damping *= 10.0;
            continue;
        };
        let next = &coefficients + factor.solve(&score);
        let next_eta = predictor(x, &next, offset);
        let next_log_likelihood = log_likelihood_of(&next_eta, event);
        if next_log_likelihood > log_likelihood {
            (coefficients, eta, log_likelihood) = (next, next_eta, next_log_likelihood);
            damping = (damping / 10.0).max(f64::MIN_POSITIVE);
        } else if damping > 1e20 {
            break;
        } else {
            damping *= 10.0;
        }
    }
    let step = &coefficients - from;
    let there = maximise(x, offset, event, coefficients);
    let log_likelihood = there.log_likelihood.max(log_likelihood);
    // Without a maximum the whole way is the direction of escape: what is finite in it has been left far behind.
    let step = if there.converged { there.step } else { step };
    Solution { log_likelihood, step, ..there }
}

/// Rows that are taken together; a study's are one block.
pub const BLOCK: usize = 4096;

/// X' W X, the sum over blocks of rows in their order: the same digits for any number of threads.
pub fn information(x: &DMatrix<f64>, eta: &DVector<f64>) -> DMatrix<f64> {
    let block = |rows: &(usize, usize)| {
        let mut weighted = x.rows(rows.0, rows.1).into_owned();
        for (mut row, &eta) in weighted.row_iter_mut().zip(eta.rows(rows.0, rows.1).iter()) {
            row *= weight(eta).sqrt();
        }
        weighted.tr_mul(&weighted)
    };
    let starts = (0..x.nrows().max(1)).step_by(BLOCK);
    let blocks: Vec<(usize, usize)> = starts.map(|start| (start, BLOCK.min(x.nrows() - start))).collect();
    let parts: Vec<DMatrix<f64>> = blocks.par_iter().map(block).collect();
    parts.into_iter().reduce(|sum, part| sum + part).expect("there is a block")
}

/// y - p, row by row.
pub fn residuals<'a>(eta: &'a DVector<f64>, event: &'a [bool]) -> impl Iterator<Item = f64> + 'a {
    eta.iter().zip(event).map(|(&eta, &event)| if event { logistic(-eta) } else { -logistic(eta) })
}

/// Σ ln of the probability of what happened.
pub fn log_likelihood_of(eta: &DVector<f64>, event: &[bool]) -> f64 {
    -eta.iter().zip(event).map(|(&eta, &event)| softplus(if event { -eta } else { eta })).sum::<f64>()
}

/// 1 / (1 + e^-x) without overflow.
pub fn logistic(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// p (1 - p).
pub fn weight(eta: f64) -> f64 {
    logistic(eta) * logistic(-eta)
}

/// ln(1 + e^x).
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
