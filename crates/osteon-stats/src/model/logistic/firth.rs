//! Firth's penalised likelihood (Firth 1993; Heinze and Schemper 2002): finite estimates for any data.

use nalgebra::{DMatrix, DVector};
use rand::Rng as _;
use rayon::prelude::*;

use crate::model::logistic::design::Standardised;
use crate::model::logistic::newton::{self, Solution};
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
/// Leverages below this leave the penalty no way to a second maximum: no row can turn a fit, and none has been seen.
const LOW_LEVERAGE: f64 = 0.1;

pub fn fit(design: &Design, standardised: &Standardised, event: &[bool]) -> Fit {
    let x = standardised.with_intercept();
    let first = highest(&x, &x, event, &[], &first_starts(&x, event));
    let best = if has_one_maximum(&x, &first.coefficients) {
        first
    } else {
        higher(first, reached(&x, &x, event, &[], &further_starts(&x, event)))
    };
    fit_at(design, standardised, event, best)
}

/// The fit that rises from `start`, in coefficients of the standardised columns.
pub fn fit_from(design: &Design, standardised: &Standardised, event: &[bool], start: DVector<f64>) -> Fit {
    let x = standardised.with_intercept();
    fit_at(design, standardised, event, maximise(&x, &x, event, &[], start))
}

/// Whether no row has much leverage, neither at 0 nor at the maximum: further starts are then needless.
pub fn has_one_maximum(x: &DMatrix<f64>, maximum: &DVector<f64>) -> bool {
    let low = |coefficients: &DVector<f64>| {
        let weights = (x * coefficients).map(newton::weight);
        let factor = gram(x, &weights).cholesky();
        factor.is_some_and(|factor| leverages(x, &weights, &factor.inverse()).max() < LOW_LEVERAGE)
    };
    low(&DVector::zeros(x.ncols())) && low(maximum)
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

/// Where every search begins: zero, and the way to the maximum of the plain likelihood.
fn first_starts(x: &DMatrix<f64>, event: &[bool]) -> Vec<DVector<f64>> {
    let zeros = || DVector::zeros(x.ncols());
    let plain = newton::maximise(x, &vec![0.0; x.nrows()], event, zeros()).coefficients;
    let largest = (x * &plain).amax();
    // Under separation that way has no end: it is followed to where probabilities are within 1e-4 of 0 and 1.
    vec![zeros(), if largest > 10.0 { plain * (10.0 / largest) } else { plain }]
}

/// Where it begins again, since the penalty makes several maxima possible: the maxima without each column, steps along
/// each column, and random ones, always the same.
fn further_starts(x: &DMatrix<f64>, event: &[bool]) -> Vec<DVector<f64>> {
    let (n, k) = x.shape();
    let zeros = || DVector::zeros(k);
    let affordable = (MAX_WORK / (n * k * k).max(1)).saturating_sub(2);
    let mut starts = Vec::new();
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
    let mut all = reached(x, basis, event, fixed, starts);
    let first = all.remove(0);
    higher(first, all)
}

fn reached(
    x: &DMatrix<f64>,
    basis: &DMatrix<f64>,
    event: &[bool],
    fixed: &[usize],
    starts: &[DVector<f64>],
) -> Vec<Solution> {
    starts.par_iter().map(|start| maximise(x, basis, event, fixed, start.clone())).collect()
}

/// The first of the highest.
fn higher(first: Solution, others: Vec<Solution>) -> Solution {
    let better = |best: Solution, next: Solution| {
        let higher = next.log_likelihood > best.log_likelihood + SAME || !best.log_likelihood.is_finite();
        if higher && next.log_likelihood.is_finite() { next } else { best }
    };
    others.into_iter().fold(first, better)
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
    let free: Vec<usize> = (0..x.ncols()).filter(|at| !fixed.contains(at)).collect();
    let mut here = Place::new(x, basis, event, start);
    // A sum of so many terms is not known better.
    let rounding = |value: f64| (4.0 * f64::EPSILON * (event.len() as f64).sqrt() * value.abs()).max(1e-12);
    let mut step = DVector::zeros(x.ncols());
    let mut converged = free.is_empty();
    for _ in 0..MAX_STEPS {
        if converged {
            break;
        }
        let Some(factor) = here.information.clone().cholesky() else { break };
        let leverages = leverages(basis, &here.weights, &factor.inverse());
        let score = x.tr_mul(&here.residuals.zip_zip_map(&leverages, &here.halves, |plain, h, half| plain + h * half));
        let curvature = gram(x, &here.weights.zip_map(&leverages, |weight, h| weight * (1.0 + h)));
        let Some(part) = curvature.select_rows(&free).select_columns(&free).cholesky() else { break };
        let change = part.solve(&score.select_rows(&free));
        step.fill(0.0);
        free.iter().zip(change.iter()).for_each(|(&at, &change)| step[at] = change);
        // Long steps leave the region where the quadratic is any good.
        let mut share = (5.0 / step.amax()).min(1.0);
        let found = loop {
            let next = Place::new(x, basis, event, &here.coefficients + share * &step);
            if next.value >= here.value - rounding(here.value) {
                break Some(next);
            }
            share /= 2.0;
            if share < 1e-8 {
                break None;
            }
        };
        let Some(found) = found else { break };
        here = found;
        converged = step.amax() <= SMALL * (1.0 + here.coefficients.amax());
    }
    let k = x.ncols();
    let covariance = here.information.cholesky().map_or_else(|| DMatrix::zeros(k, k), |factor| factor.inverse());
    let settled = converged || step.amax() <= 1e-9 * (1.0 + here.coefficients.amax());
    Solution {
        covariance,
        probabilities: (x * &here.coefficients).iter().map(|&eta| newton::logistic(eta)).collect(),
        log_likelihood: here.value,
        converged: settled,
        step,
        coefficients: here.coefficients,
    }
}

/// What a step needs to know of a place: one exponential a row.
struct Place {
    coefficients: DVector<f64>,
    /// p (1 - p).
    weights: DVector<f64>,
    /// y - p.
    residuals: DVector<f64>,
    /// 1/2 - p.
    halves: DVector<f64>,
    information: DMatrix<f64>,
    /// The penalised log-likelihood.
    value: f64,
}

impl Place {
    fn new(x: &DMatrix<f64>, basis: &DMatrix<f64>, event: &[bool], coefficients: DVector<f64>) -> Place {
        let eta = x * &coefficients;
        let n = event.len();
        let [mut weights, mut residuals, mut halves] = [(); 3].map(|()| DVector::zeros(n));
        let mut log_likelihood = 0.0;
        for (i, (&eta, &event)) in eta.iter().zip(event).enumerate() {
            // The probabilities of the likelier and of the rarer outcome.
            let e = (-eta.abs()).exp();
            let (likely, rare) = (1.0 / (1.0 + e), e / (1.0 + e));
            let (p, q) = if eta >= 0.0 { (likely, rare) } else { (rare, likely) };
            weights[i] = likely * rare;
            residuals[i] = if event { q } else { -p };
            halves[i] = 0.5 - p;
            let lost = if event { -eta } else { eta };
            log_likelihood -= lost.max(0.0) + e.ln_1p();
        }
        let information = gram(basis, &weights);
        let penalty = information
            .clone()
            .cholesky()
            .map_or(f64::NEG_INFINITY, |factor| factor.l_dirty().diagonal().iter().map(|d| d.ln()).sum::<f64>());
        Place { coefficients, weights, residuals, halves, information, value: log_likelihood + penalty }
    }
}

/// X' W X.
fn gram(x: &DMatrix<f64>, weights: &DVector<f64>) -> DMatrix<f64> {
    let k = x.ncols();
    let mut gram = DMatrix::zeros(k, k);
    for j in 0..k {
        let weighted = x.column(j).component_mul(weights);
        for i in 0..=j {
            gram[(i, j)] = x.column(i).dot(&weighted);
            gram[(j, i)] = gram[(i, j)];
        }
    }
    gram
}

/// The diagonal of the hat matrix, p (1 - p) x' V x.
fn leverages(x: &DMatrix<f64>, weights: &DVector<f64>, inverse: &DMatrix<f64>) -> DVector<f64> {
    let spread = (x * inverse).component_mul(x);
    spread.column_sum().component_mul(weights)
}
