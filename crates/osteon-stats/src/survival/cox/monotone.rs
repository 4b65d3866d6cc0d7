//! A likelihood that rises for ever: found, proved and named.
//!
//! Along a direction where whoever has the event has the highest value among all at risk, at each time, every factor of
//! the likelihood rises to a limit. The last step of Newton's method shows the direction; the data prove it.

use nalgebra::{DMatrix, DVector};

use crate::model::logistic::Infinite;
use crate::survival::cox::likelihood::Prepared;
use crate::survival::cox::newton::{self, Solution};
use crate::survival::cox::{Fit, Standardised, Warning};

/// Against rounding, in units of the largest difference.
const ZERO: f64 = 1e-6;
/// Information below this part of the largest is that of the direction itself, which has none.
const FLAT: f64 = 1e-7;

/// The proved direction in standardised columns, largest entry 1; `None` where the likelihood has a maximum.
pub fn direction(prepared: &Prepared, solution: &Solution) -> Option<DVector<f64>> {
    if solution.converged {
        return None;
    }
    let ways = [&solution.step, &solution.coefficients];
    ways.into_iter()
        .filter(|way| way.amax() > 0.0)
        .map(|way| way / way.amax())
        .find(|way| told(prepared, way).is_some())
}

/// How often somebody at risk is strictly below whoever has the event; `None` where the direction is no proof.
fn told(prepared: &Prepared, direction: &DVector<f64>) -> Option<usize> {
    let height = prepared.z.tr_mul(direction);
    let (mut largest, mut wrong): (f64, f64) = (0.0, 0.0);
    let mut below = Vec::new();
    for stratum in &prepared.strata {
        for moment in &stratum.moments {
            let least = moment.dead.iter().map(|&row| height[row]).fold(f64::INFINITY, f64::min);
            for &row in stratum.rows.iter().filter(|&&row| prepared.follow_up.at_risk(row, moment.time)) {
                largest = largest.max((height[row] - least).abs());
                wrong = wrong.max(height[row] - least);
                below.push(least - height[row]);
            }
        }
    }
    let proves = largest > ZERO && wrong <= ZERO * largest;
    proves.then(|| below.into_iter().filter(|below| *below > ZERO * largest).count())
}

/// Whether the likelihood rises as far with the coefficient held at 0: any value of it then fits as well.
fn is_undetermined(prepared: &Prepared, whole: &DVector<f64>, at: usize) -> bool {
    let solution = newton::maximise(prepared, DVector::zeros(whole.len()), &[at]);
    let rest = direction(prepared, &solution).filter(|rest| rest[at] == 0.0);
    rest.and_then(|rest| told(prepared, &rest)) >= told(prepared, whole)
}

/// Terms of the direction are infinite; the others keep the limit of their estimates, with the information that is left.
pub fn mark(
    fit: &mut Fit,
    standardised: &Standardised,
    prepared: &Prepared,
    direction: &DVector<f64>,
    solution: &Solution,
) {
    let within = known_part(&solution.information);
    let (mut named, mut free) = (Vec::new(), Vec::new());
    let escapes = |at: usize| direction[at].abs() > 10.0 * ZERO;
    for (at, &column) in standardised.kept.iter().enumerate() {
        let term = &mut fit.terms[column];
        if escapes(at) && is_undetermined(prepared, direction, at) {
            (term.estimate, term.se) = (None, None);
            free.push(term.name.clone());
        } else if escapes(at) {
            term.estimate = Some(f64::INFINITY.copysign(direction[at]));
            term.se = None;
            named.push(Infinite { term: term.name.clone(), positive: direction[at] > 0.0 });
        } else {
            term.se = Some(within[(at, at)].sqrt() / standardised.sds[at]);
        }
    }
    for (i, &row) in standardised.kept.iter().enumerate() {
        for (j, &column) in standardised.kept.iter().enumerate() {
            let known = !escapes(i) && !escapes(j);
            let value = within[(i, j)] / standardised.sds[i] / standardised.sds[j];
            fit.covariance[[row, column]] = if known { value } else { 0.0 };
        }
    }
    fit.converged = false;
    fit.warnings.push(Warning::Monotone { terms: named });
    if !free.is_empty() {
        fit.warnings.push(Warning::Undetermined { terms: free });
    }
}

/// The inverse of the information outside the directions that have none.
fn known_part(information: &DMatrix<f64>) -> DMatrix<f64> {
    let eigen = information.clone().symmetric_eigen();
    let largest = eigen.eigenvalues.amax();
    let mut inverse = DMatrix::zeros(information.nrows(), information.ncols());
    for (at, &value) in eigen.eigenvalues.iter().enumerate() {
        if value > FLAT * largest {
            let vector = eigen.eigenvectors.column(at);
            inverse += vector * vector.transpose() / value;
        }
    }
    inverse
}
