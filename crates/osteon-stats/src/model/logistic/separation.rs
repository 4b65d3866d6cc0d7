//! Complete and quasi-complete separation (Albert and Anderson 1984): found, proved and named.
//!
//! Without a maximum Newton's steps settle into a direction along which the likelihood rises for ever. Such a
//! direction is a proof: no row lies on its wrong side. Where the steps end elsewhere, `balance` decides.

use nalgebra::{DMatrix, DVector};
use ndarray::Array2;

use crate::model::logistic::design::{Standardised, null_log_likelihood, predictor};
use crate::model::logistic::newton::{Solution, maximise};
use crate::model::logistic::{Fit, INTERCEPT, Infinite, Method, Term, Warning, balance};
use crate::table::Design;

/// A separating direction and the rows that it tells without error.
pub struct Separation {
    /// In standardised columns, intercept first, largest entry 1.
    direction: DVector<f64>,
    /// Rows strictly on their right side.
    told: Vec<bool>,
}

/// Against rounding, in units of the largest margin.
const ZERO: f64 = 1e-6;
/// Predictors below this have a maximum: each step would have added one.
const CALM: f64 = 10.0;

/// The separation that kept Newton's method from a maximum, if that is what did.
pub fn find(x: &DMatrix<f64>, event: &[bool], solution: &Solution) -> Option<Separation> {
    let extreme = predictor(x, &solution.coefficients, &vec![0.0; event.len()]).amax();
    if solution.converged && extreme < CALM {
        return None;
    }
    let mut newtons = [&solution.step, &solution.coefficients].into_iter().filter(|direction| direction.amax() > 0.0);
    let found = newtons.find_map(|direction| proof(x, event, direction));
    found.or_else(|| proof(x, event, &balance::direction(x, event)?))
}

/// The direction as a proof: no row on the wrong side, some strictly on the right one.
fn proof(x: &DMatrix<f64>, event: &[bool], direction: &DVector<f64>) -> Option<Separation> {
    let direction = direction / direction.amax();
    let margins: Vec<f64> =
        (x * &direction).iter().zip(event).map(|(&side, &event)| if event { side } else { -side }).collect();
    let largest = margins.iter().fold(0.0_f64, |largest, margin| largest.max(margin.abs()));
    let proved = largest > ZERO && margins.iter().all(|&margin| margin > -ZERO * largest);
    let told = margins.iter().map(|&margin| margin > ZERO * largest).collect();
    proved.then_some(Separation { direction, told })
}

/// Rows times columns up to which `balance` is asked once more: it takes a second there.
const MAX_BALANCED: usize = 20_000;

/// Whether these columns tell all rows of `told`.
fn tells(x: &DMatrix<f64>, event: &[bool], told: &[bool]) -> bool {
    let solution = maximise(x, &vec![0.0; event.len()], event, DVector::zeros(x.ncols()));
    let all = |found: &Separation| found.told.iter().zip(told).all(|(found, told)| *found || !told);
    let Some(found) = find(x, event, &solution) else { return false };
    let balanced = || proof(x, event, &balance::direction(x, event)?);
    all(&found) || x.len() <= MAX_BALANCED && balanced().is_some_and(|found| all(&found))
}

/// The limit of the fit: terms of the direction are infinite, the others are estimated from the rows that overlap. A
/// term without which the others tell the same rows is neither: with them far enough out, any value of it fits as well.
pub fn limit(design: &Design, standardised: &Standardised, event: &[bool], separation: &Separation) -> Fit {
    let back = standardised.back();
    let escape = &back * &separation.direction;
    let scale = |at: usize| if at == 0 { 1.0 } else { standardised.sds[at - 1] };
    let largest = separation.direction.amax();
    // A standardised entry of the direction is noise or it moves the predictor; the intercept follows the means.
    let sizes: Vec<f64> = (0..escape.len()).map(|at| escape[at] * scale(at)).collect();
    let widest =
        (1..escape.len()).fold(largest, |widest, at| widest.max((escape[at] * standardised.means[at - 1]).abs()));
    let infinite: Vec<bool> =
        (0..escape.len()).map(|at| sizes[at].abs() > 10.0 * ZERO * if at == 0 { widest } else { largest }).collect();
    let rest = Overlap::new(standardised, event, separation, &infinite);
    // The intercept is that of the design, the slopes are the same in both forms.
    let without = |at: usize| match at {
        0 => standardised.uncentred().remove_column(0),
        at => standardised.with_intercept().remove_column(at),
    };
    let undetermined: Vec<bool> =
        (0..escape.len()).map(|at| infinite[at] && tells(&without(at), event, &separation.told)).collect();
    let k = design.columns.len() + 1;
    let name =
        |at: usize| if at == 0 { INTERCEPT.to_owned() } else { design.columns[standardised.kept[at - 1]].clone() };
    let mut terms: Vec<Term> = std::iter::once(INTERCEPT.to_owned())
        .chain(design.columns.iter().cloned())
        .map(|name| Term { name, estimate: None, se: None })
        .collect();
    let mut covariance = Array2::zeros((k, k));
    let place = |at: usize| if at == 0 { 0 } else { standardised.kept[at - 1] + 1 };
    for at in 0..escape.len() {
        let term = &mut terms[place(at)];
        if undetermined[at] {
            continue;
        }
        if infinite[at] {
            term.estimate = Some(f64::INFINITY.copysign(escape[at]));
        } else if let Some((estimate, se)) = rest.term(at) {
            term.estimate = Some(estimate);
            term.se = Some(se);
            covariance[[place(at), place(at)]] = se * se;
        }
    }
    let (free, named): (Vec<usize>, Vec<usize>) =
        (1..escape.len()).chain([0]).filter(|&at| infinite[at]).partition(|&at| undetermined[at]);
    let named = named.into_iter().map(|at| Infinite { term: name(at), positive: escape[at] > 0.0 }).collect();
    let complete = separation.told.iter().all(|&told| told);
    let mut warnings = vec![Warning::Separation { complete, terms: named }];
    if !free.is_empty() {
        warnings.push(Warning::Undetermined { terms: free.into_iter().map(name).collect() });
    }
    let events = event.iter().filter(|&&event| event).count();
    Fit {
        method: Method::MaximumLikelihood,
        n: event.len(),
        events,
        terms,
        covariance,
        probabilities: rest.probabilities,
        log_likelihood: rest.log_likelihood,
        null_log_likelihood: null_log_likelihood(event.len(), events),
        converged: false,
        warnings,
    }
}

/// The fit on the rows that the direction does not tell.
struct Overlap {
    /// Estimates and standard errors by term position, of those that the rows determine.
    found: Vec<Option<(f64, f64)>>,
    probabilities: Vec<f64>,
    log_likelihood: f64,
}

impl Overlap {
    fn new(standardised: &Standardised, event: &[bool], separation: &Separation, infinite: &[bool]) -> Overlap {
        let rows: Vec<usize> = (0..event.len()).filter(|&row| !separation.told[row]).collect();
        let mut probabilities: Vec<f64> = event.iter().map(|&event| f64::from(event)).collect();
        let mut found = vec![None; infinite.len()];
        let inside: Vec<bool> = rows.iter().map(|&row| event[row]).collect();
        if rows.is_empty() {
            return Overlap { found, probabilities, log_likelihood: 0.0 };
        }
        // Finite terms first, so that what the rows cannot tell apart is charged to the infinite ones.
        let order: Vec<usize> = (0..infinite.len())
            .filter(|&at| !infinite[at])
            .chain((0..infinite.len()).filter(|&at| infinite[at]))
            .collect();
        let x = standardised.uncentred().select_rows(&rows).select_columns(&order);
        let kept = independent_columns(&x);
        let solution = maximise(&x.select_columns(&kept), &vec![0.0; rows.len()], &inside, DVector::zeros(kept.len()));
        for (at, &column) in kept.iter().enumerate() {
            let term = order[column];
            let sd = if term == 0 { 1.0 } else { standardised.sds[term - 1] };
            found[term] = Some((solution.coefficients[at] / sd, solution.covariance[(at, at)].sqrt() / sd));
        }
        rows.iter().zip(&solution.probabilities).for_each(|(&row, &p)| probabilities[row] = p);
        Overlap { found, probabilities, log_likelihood: solution.log_likelihood }
    }

    fn term(&self, at: usize) -> Option<(f64, f64)> {
        self.found[at]
    }
}

/// Columns, in order, that are no combination of earlier ones.
fn independent_columns(x: &DMatrix<f64>) -> Vec<usize> {
    let mut basis: Vec<DVector<f64>> = Vec::new();
    let mut kept = Vec::new();
    for j in 0..x.ncols() {
        let mut rest = x.column(j).into_owned();
        let norm = rest.norm();
        for _ in 0..2 {
            for direction in &basis {
                let along = direction.dot(&rest);
                rest.axpy(-along, direction, 1.0);
            }
        }
        if norm > 0.0 && rest.norm() > 1e-9 * norm {
            basis.push(rest.normalize());
            kept.push(j);
        }
    }
    kept
}
