//! Firth's penalised likelihood (Firth 1993; Heinze and Schemper 2002): finite estimates for any data.

use nalgebra::{DMatrix, DVector};
use rand::Rng as _;
use rayon::prelude::*;

use crate::model::logistic::design::{Standardised, predictor};
use crate::model::logistic::newton::{self, Solution, log_likelihood_of, logistic};
use crate::model::logistic::{Fit, Method, Warning};
use crate::table::Design;
use osteon_base::seed::Seed;

/// Scoring converges linearly here.
const MAX_STEPS: usize = 500;
const SMALL: f64 = 1e-12;

/// Random starts of a fit; as many scales as below.
const RANDOM_STARTS: usize = 25;
/// Sizes of the random starts, in coefficients of standardised columns.
const SCALES: [f64; 5] = [0.5, 1.0, 2.0, 4.0, 8.0];
/// Maxima this near are one: the first that was found is kept.
pub const SAME: f64 = 1e-8;
/// Rows times squared terms times starts of about a second.
const MAX_WORK: usize = 30_000_000;

pub fn fit(design: &Design, standardised: &Standardised, event: &[bool]) -> Fit {
    let x = standardised.with_intercept();
    fit_at(design, standardised, event, highest(&x, &x, event, &[], &starts(&x, event)))
}

/// The fit that rises from `start`, in coefficients of the standardised columns.
pub fn fit_from(design: &Design, standardised: &Standardised, event: &[bool], start: DVector<f64>) -> Fit {
    let x = standardised.with_intercept();
    fit_at(design, standardised, event, maximise(&x, &x, event, &[], start))
}

fn fit_at(design: &Design, standardised: &Standardised, event: &[bool], solution: Solution) -> Fit {
    let mut fit = standardised.fit(design, event, &solution, Method::Firth);
    // |X'WX| of the design is that of the standardised columns times the product of the squared SDs.
    fit.log_likelihood += standardised.sds.iter().map(|sd| sd.ln()).sum::<f64>();
    let ones = DMatrix::from_element(event.len(), 1, 1.0);
    fit.null_log_likelihood = maximise(&ones, &ones, event, &[], DVector::zeros(1)).log_likelihood;
    if !fit.converged {
        fit.warnings.push(Warning::NotConverged);
    }
    fit
}

/// Where the searches begin. The penalty makes several maxima possible: zero, the way to the maximum of the plain
/// likelihood, the maxima without each column, steps along each column, and random ones, always the same.
fn starts(x: &DMatrix<f64>, event: &[bool]) -> Vec<DVector<f64>> {
    let (n, k) = x.shape();
    let zeros = || DVector::zeros(k);
    let mut starts = vec![zeros()];
    let plain = newton::maximise(x, &vec![0.0; n], event, zeros()).coefficients;
    let largest = (x * &plain).amax();
    // Under separation that way has no end: it is followed to where probabilities are within 1e-4 of 0 and 1.
    starts.push(if largest > 10.0 { plain * (10.0 / largest) } else { plain });
    let affordable = MAX_WORK / (n * k * k).max(1);
    for column in 1..k {
        if starts.len() + 5 > affordable {
            return starts;
        }
        starts.push(maximise(x, x, event, &[column], zeros()).coefficients);
        for step in [-6.0, -2.0, 2.0, 6.0] {
            let mut start = zeros();
            start[column] = step;
            starts.push(start);
        }
    }
    let seed = Seed(1).named("firth");
    for draw in 0..RANDOM_STARTS.min(affordable.saturating_sub(starts.len())) {
        let mut rng = seed.nth(draw).rng();
        // A sum of uniform numbers is near enough to a normal one.
        let mut normal = || (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
        starts.push(DVector::from_fn(k, |_, _| SCALES[draw % SCALES.len()] * normal()));
    }
    starts
}

/// The highest of the maxima that are reached from some starts.
pub fn highest(
    x: &DMatrix<f64>,
    basis: &DMatrix<f64>,
    event: &[bool],
    fixed: &[usize],
    starts: &[DVector<f64>],
) -> Solution {
    let reached = |start: &DVector<f64>| maximise(x, basis, event, fixed, start.clone());
    let all: Vec<Solution> = starts.par_iter().map(reached).collect();
    let better = |best: Solution, next: Solution| {
        let higher = next.log_likelihood > best.log_likelihood + SAME || !best.log_likelihood.is_finite();
        if higher && next.log_likelihood.is_finite() { next } else { best }
    };
    all.into_iter().reduce(better).expect("there is a start")
}

/// The maximum of ln L + ln|X'WX| / 2, with the `fixed` coefficients held at their start.
///
/// The penalty is that of all columns also then, as in logistf. `basis` spans what `x` spans, and its determinant is
/// taken: columns far from 0 lose digits of theirs, and differ from it by a constant only.
pub fn maximise(
    x: &DMatrix<f64>,
    basis: &DMatrix<f64>,
    event: &[bool],
    fixed: &[usize],
    start: DVector<f64>,
) -> Solution {
    let offset = vec![0.0; event.len()];
    let free: Vec<usize> = (0..x.ncols()).filter(|at| !fixed.contains(at)).collect();
    let mut coefficients = start;
    let mut eta = predictor(x, &coefficients, &offset);
    let mut information = newton::information(basis, &eta);
    let mut value = penalised(&information, &eta, event);
    let mut step = DVector::zeros(x.ncols());
    let mut converged = free.is_empty();
    for _ in 0..MAX_STEPS {
        if converged {
            break;
        }
        let Some(factor) = information.clone().cholesky() else { break };
        let leverages = leverages(basis, &eta, &factor.inverse());
        let score = x.tr_mul(&residuals(&eta, event, &leverages));
        let curvature = curvature(x, &eta, &leverages);
        let Some(part) = curvature.select_rows(&free).select_columns(&free).cholesky() else { break };
        let change = part.solve(&score.select_rows(&free));
        step.fill(0.0);
        free.iter().zip(change.iter()).for_each(|(&at, &change)| step[at] = change);
        // Long steps leave the region where the quadratic is any good.
        let mut share = (5.0 / step.amax()).min(1.0);
        let found = loop {
            let next = &coefficients + share * &step;
            let next_eta = predictor(x, &next, &offset);
            let next_information = newton::information(basis, &next_eta);
            let next_value = penalised(&next_information, &next_eta, event);
            if next_value >= value - 1e-12 {
                break Some((next, next_eta, next_information, next_value));
            }
            share /= 2.0;
            if share < 1e-8 {
                break None;
            }
        };
        let Some(found) = found else { break };
        (coefficients, eta, information, value) = found;
        converged = step.amax() <= SMALL * (1.0 + coefficients.amax());
    }
    let k = x.ncols();
    let covariance = information.cholesky().map_or_else(|| DMatrix::zeros(k, k), |factor| factor.inverse());
    let settled = converged || step.amax() <= 1e-9 * (1.0 + coefficients.amax());
    Solution {
        covariance,
        probabilities: eta.iter().map(|&eta| logistic(eta)).collect(),
        log_likelihood: value,
        converged: settled,
        step,
        coefficients,
    }
}

/// The diagonal of the hat matrix, p (1 - p) x' V x.
fn leverages(x: &DMatrix<f64>, eta: &DVector<f64>, inverse: &DMatrix<f64>) -> DVector<f64> {
    let spread = x * inverse;
    DVector::from_fn(x.nrows(), |i, _| newton::weight(eta[i]) * spread.row(i).dot(&x.row(i)))
}

/// y - p + h (1/2 - p): X' of it is the penalised score.
fn residuals(eta: &DVector<f64>, event: &[bool], leverages: &DVector<f64>) -> DVector<f64> {
    let shrunk = |i: usize| leverages[i] * (0.5 - logistic(eta[i]));
    DVector::from_iterator(event.len(), newton::residuals(eta, event).enumerate().map(|(i, plain)| plain + shrunk(i)))
}

/// Minus the derivative of the score at fixed leverages, X' W (1 + h) X. Without the h a step is twice too long where
/// the leverages are 1, and goes to and fro for ever.
fn curvature(x: &DMatrix<f64>, eta: &DVector<f64>, leverages: &DVector<f64>) -> DMatrix<f64> {
    let mut weighted = x.clone();
    for (i, mut row) in weighted.row_iter_mut().enumerate() {
        row *= (newton::weight(eta[i]) * (1.0 + leverages[i])).sqrt();
    }
    weighted.tr_mul(&weighted)
}

fn penalised(information: &DMatrix<f64>, eta: &DVector<f64>, event: &[bool]) -> f64 {
    match information.clone().cholesky() {
        None => f64::NEG_INFINITY,
        Some(factor) => log_likelihood_of(eta, event) + factor.l_dirty().diagonal().iter().map(|d| d.ln()).sum::<f64>(),
    }
}
