//! Firth's penalised partial likelihood (Heinze and Schemper 2001): finite estimates also where the likelihood rises for
//! ever.

use nalgebra::{DMatrix, DVector};

use crate::survival::cox::likelihood::Prepared;
use crate::survival::cox::newton::{self, Solution};
use crate::survival::cox::{Fit, Params, Standardised, Warning, assemble};
use crate::table::Design;

/// Scoring converges linearly here.
const MAX_STEPS: usize = 500;
const SMALL: f64 = 1e-11;
/// Maxima this near are one.
const SAME: f64 = 1e-8;
/// The way to the maximum of the plain likelihood is followed to where hazards differ by e to this.
const FAR: f64 = 10.0;

pub fn fit(design: &Design, standardised: &Standardised, prepared: &Prepared, params: Params) -> Fit {
    let k = standardised.kept.len();
    let plain = newton::maximise(prepared, DVector::zeros(k), &[]).coefficients;
    let reach = if k == 0 { 0.0 } else { prepared.z.tr_mul(&plain).amax() };
    let second = if reach > FAR { plain * (FAR / reach) } else { plain };
    // The penalty makes several maxima possible: the highest of those from 0 and from the plain likelihood's.
    let (first, other) = (maximise(prepared, DVector::zeros(k), &[]), maximise(prepared, second, &[]));
    let solution = if other.log_likelihood > first.log_likelihood + SAME { other } else { first };
    let mut fit = assemble(design, standardised, prepared, params, &solution);
    // |I| of the design is that of the standardised columns times the product of the squared SDs.
    let units: f64 = standardised.sds.iter().map(|sd| sd.ln()).sum();
    fit.log_likelihood += units;
    fit.null_log_likelihood = penalised(prepared, &DVector::zeros(k)).map_or(f64::NAN, |at| at.value) + units;
    if !fit.converged {
        fit.warnings.push(Warning::NotConverged);
    }
    fit
}

/// The penalised likelihood at some coefficients.
struct Penalised {
    value: f64,
    score: DVector<f64>,
    information: DMatrix<f64>,
}

/// ln L + ln|I| / 2 and its slope, U + tr(I⁻¹ dI) / 2; `None` where I is singular.
fn penalised(prepared: &Prepared, coefficients: &DVector<f64>) -> Option<Penalised> {
    let k = coefficients.len();
    let plain = prepared.value(coefficients, true);
    let factor = plain.information.clone().cholesky()?;
    let half_log_determinant: f64 = factor.l_dirty().diagonal().iter().map(|d| d.ln()).sum();
    let inverse = factor.inverse();
    let mut score = plain.score;
    for l in 0..k {
        let trace: f64 = (0..k)
            .flat_map(|i| (0..k).map(move |j| (i, j)))
            .map(|(i, j)| inverse[(i, j)] * plain.third[(i * k + j) * k + l])
            .sum();
        score[l] += 0.5 * trace;
    }
    let value = plain.log_likelihood + half_log_determinant;
    value.is_finite().then_some(Penalised { value, score, information: plain.information })
}

/// The maximum from `start`; coefficients in `fixed` stay, and the penalty is that of all columns also then.
pub fn maximise(prepared: &Prepared, start: DVector<f64>, fixed: &[usize]) -> Solution {
    let k = start.len();
    let free: Vec<usize> = (0..k).filter(|at| !fixed.contains(at)).collect();
    let mut coefficients = start;
    let nowhere = |coefficients: DVector<f64>| Solution {
        covariance: DMatrix::zeros(k, k),
        information: DMatrix::zeros(k, k),
        log_likelihood: f64::NEG_INFINITY,
        converged: false,
        step: DVector::zeros(k),
        coefficients,
    };
    let Some(mut here) = penalised(prepared, &coefficients) else { return nowhere(coefficients) };
    let mut step = DVector::zeros(k);
    let mut converged = free.is_empty();
    for _ in 0..MAX_STEPS {
        if converged {
            break;
        }
        let Some(factor) = here.information.select_rows(&free).select_columns(&free).cholesky() else { break };
        let change = factor.solve(&here.score.select_rows(&free));
        step.fill(0.0);
        free.iter().zip(change.iter()).for_each(|(&at, &change)| step[at] = change);
        // Long steps leave the region where the quadratic is any good.
        let mut share = (5.0 / step.amax()).min(1.0);
        let found = loop {
            let next = &coefficients + share * &step;
            if let Some(there) = penalised(prepared, &next).filter(|there| there.value >= here.value - 1e-12) {
                break Some((next, there));
            }
            share /= 2.0;
            if share < 1e-8 {
                break None;
            }
        };
        let Some(found) = found else { break };
        (coefficients, here) = found;
        converged = step.amax() <= SMALL * (1.0 + coefficients.amax());
    }
    let converged = converged || step.amax() <= 1e-9 * (1.0 + coefficients.amax());
    let covariance =
        here.information.clone().cholesky().map_or_else(|| DMatrix::zeros(k, k), |factor| factor.inverse());
    let (information, log_likelihood) = (here.information, here.value);
    Solution { coefficients, covariance, information, log_likelihood, converged, step }
}
