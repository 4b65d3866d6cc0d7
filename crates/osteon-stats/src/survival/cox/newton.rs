//! Newton's method on the partial likelihood.

use nalgebra::{DMatrix, DVector};

use crate::survival::cox::likelihood::{Prepared, Value};

/// Where the likelihood has its maximum.
pub struct Solution {
    pub coefficients: DVector<f64>,
    /// Inverse of the information; zeros when that is singular.
    pub covariance: DMatrix<f64>,
    pub information: DMatrix<f64>,
    pub log_likelihood: f64,
    pub converged: bool,
    /// The last step taken: the direction of escape when there is no maximum.
    pub step: DVector<f64>,
}

/// Newton's method converges in about six steps; where the likelihood is monotone each adds one to the predictor.
const MAX_STEPS: usize = 80;
/// The error after a step is about its square: after one this small, in standard deviations, it is rounding.
const SMALL: f64 = 1e-9;

/// The maximum, reached from `start` with halved steps; coefficients in `fixed` stay where they are.
pub fn maximise(prepared: &Prepared, start: DVector<f64>, fixed: &[usize]) -> Solution {
    let k = start.len();
    let free: Vec<usize> = (0..k).filter(|at| !fixed.contains(at)).collect();
    let mut coefficients = start;
    let mut value = prepared.at(&coefficients);
    let mut step = DVector::zeros(k);
    let mut converged = free.is_empty();
    for _ in 0..MAX_STEPS {
        if converged {
            break;
        }
        let part = value.information.select_rows(&free).select_columns(&free);
        let Some(factor) = part.cholesky() else { break };
        let change = factor.solve(&value.score.select_rows(&free));
        step.fill(0.0);
        free.iter().zip(change.iter()).for_each(|(&at, &change)| step[at] = change);
        let Some((next, found)) = climb(prepared, &coefficients, &step, &value) else { break };
        let gain = found.log_likelihood - value.log_likelihood;
        (coefficients, value) = (next, found);
        // Without a maximum steps stay long while there is nothing left to gain.
        if gain <= f64::EPSILON * value.log_likelihood.abs().max(1.0) {
            converged = step.amax() <= 1e-6 * (1.0 + coefficients.amax());
            break;
        }
        converged = step.amax() <= SMALL * (1.0 + coefficients.amax());
    }
    let covariance =
        value.information.clone().cholesky().map_or_else(|| DMatrix::zeros(k, k), |factor| factor.inverse());
    let (information, log_likelihood) = (value.information, value.log_likelihood);
    Solution { coefficients, covariance, information, log_likelihood, converged, step }
}

/// A step that does not go down.
fn climb(
    prepared: &Prepared,
    from: &DVector<f64>,
    step: &DVector<f64>,
    value: &Value,
) -> Option<(DVector<f64>, Value)> {
    let rounding = 1e-12 * value.log_likelihood.abs().max(1e-3);
    let mut share = 1.0;
    while share > 1e-6 {
        let next = from + share * step;
        let found = prepared.at(&next);
        if found.log_likelihood >= value.log_likelihood - rounding {
            return Some((next, found));
        }
        share /= 2.0;
    }
    None
}
