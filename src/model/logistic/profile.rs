//! Profile likelihood: intervals and tests that do not trust the curvature at the maximum.

use nalgebra::{DMatrix, DVector};

use crate::model::logistic::design::Standardised;
use crate::model::logistic::{Fit, FitError, Method, Params, firth, fit, newton};
use crate::stats::distribution::{Z_975, chi2_sf};
use crate::stats::root;
use crate::stats::two_groups::Test;
use crate::table::Design;

/// What the profile likelihood says of one term.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// Limits of the 95 % interval of the coefficient; infinite where the likelihood never falls far enough.
    pub low: f64,
    pub high: f64,
    /// Likelihood-ratio test of the coefficient being 0.
    pub test: Test,
}

/// One profile a term of `fit`, intercept first; `None` for aliased terms and where nothing was estimated.
pub fn profile(fit: &Fit, design: &Design, event: &[bool]) -> Vec<Option<Profile>> {
    let (standardised, _) = Standardised::new(design);
    let one = |(at, term): (usize, &crate::model::logistic::Term)| {
        let estimate = term.estimate?;
        let column = match at {
            0 => 0,
            at => standardised.kept.iter().position(|&kept| kept == at - 1)? + 1,
        };
        Some(Curve::new(&standardised, event, fit, column).profile(estimate, term.se))
    };
    fit.terms.iter().enumerate().map(one).collect()
}

/// The log-likelihood as a function of one coefficient.
struct Curve<'a> {
    /// All columns, that of the coefficient among them, in a form where it is a coordinate.
    x: DMatrix<f64>,
    column: usize,
    event: &'a [bool],
    method: Method,
    /// One unit of the coordinate in units of the coefficient.
    unit: f64,
    maximum: f64,
    /// The other coefficients where the likelihood was last looked at: a good start for the next look.
    near: std::cell::RefCell<Option<DVector<f64>>>,
}

impl<'a> Curve<'a> {
    fn new(standardised: &Standardised, event: &'a [bool], fit: &Fit, column: usize) -> Curve<'a> {
        let x = if column == 0 { standardised.uncentred() } else { standardised.with_intercept() };
        let unit = if column == 0 { 1.0 } else { 1.0 / standardised.sds[column - 1] };
        let scale: f64 = standardised.sds.iter().map(|sd| sd.ln()).sum();
        let maximum = match fit.method {
            Method::MaximumLikelihood => fit.log_likelihood,
            Method::Firth => fit.log_likelihood - scale,
        };
        Curve { x, column, event, method: fit.method, unit, maximum, near: std::cell::RefCell::new(None) }
    }

    /// Twice the loss of log-likelihood when the coefficient is held at `value`.
    fn loss(&self, value: f64) -> f64 {
        let held = value / self.unit;
        let reached = match self.method {
            Method::MaximumLikelihood => {
                let offset: Vec<f64> = self.x.column(self.column).iter().map(|x| x * held).collect();
                let rest = self.x.clone().remove_column(self.column);
                let near = self.near.borrow().clone();
                let start = near.unwrap_or_else(|| DVector::zeros(rest.ncols()));
                let solution = newton::maximise(&rest, &offset, self.event, start);
                *self.near.borrow_mut() = solution.converged.then_some(solution.coefficients);
                solution.log_likelihood
            }
            Method::Firth => {
                let mut start = DVector::zeros(self.x.ncols());
                start[self.column] = held;
                firth::maximise(&self.x, self.event, Some(self.column), start).log_likelihood
            }
        };
        2.0 * (self.maximum - reached)
    }

    fn profile(&self, estimate: f64, se: Option<f64>) -> Profile {
        let statistic = self.loss(0.0).max(0.0);
        let test = Test { statistic, df: 1.0, p: chi2_sf(statistic, 1.0) };
        // Under separation the estimate is infinite: look from 0, with the unit of the column as the step.
        let (from, step) = match se {
            Some(se) if estimate.is_finite() && se.is_finite() => (estimate, se),
            _ => (0.0, self.unit),
        };
        let low = if estimate == f64::NEG_INFINITY { estimate } else { self.limit(from, -step, estimate) };
        let high = if estimate == f64::INFINITY { estimate } else { self.limit(from, step, estimate) };
        Profile { low, high, test }
    }

    /// Where the loss reaches the 95 % point of chi-square, going out from `from`.
    fn limit(&self, from: f64, step: f64, estimate: f64) -> f64 {
        let limit = Z_975 * Z_975;
        let signed = |value: f64| self.loss(value).max(0.0).sqrt() - limit.sqrt();
        let beyond = if step > 0.0 { f64::INFINITY } else { f64::NEG_INFINITY };
        let mut inner = from;
        // From 0 under separation the start may itself lie outside: walk towards the estimate first.
        if !estimate.is_finite() {
            let mut towards = -step;
            while signed(inner) > 0.0 {
                inner += towards;
                towards *= 1.5;
                if (inner / self.unit).abs() > 1e4 {
                    return beyond;
                }
            }
        }
        let mut reach = step;
        let mut outer = inner + reach;
        while signed(outer) < 0.0 {
            inner = outer;
            reach *= 1.5;
            outer += reach;
            if (outer / self.unit).abs() > 1e6 {
                return beyond;
            }
        }
        root::bracketed(signed, inner, outer).unwrap_or(beyond)
    }
}

/// Likelihood-ratio test of leaving out the columns at `positions`; `None` when that changes no estimated term.
pub fn likelihood_ratio(
    full: &Fit,
    design: &Design,
    event: &[bool],
    positions: std::ops::Range<usize>,
) -> Result<Option<Test>, FitError> {
    let kept: Vec<usize> = (0..design.columns.len()).filter(|at| !positions.contains(at)).collect();
    let reduced = Design {
        rows: design.rows.clone(),
        columns: kept.iter().map(|&at| design.columns[at].clone()).collect(),
        x: design.x.select(ndarray::Axis(1), &kept),
    };
    let without = fit(&reduced, event, &Params { method: full.method, ..Params::default() })?;
    let df = full.df().saturating_sub(without.df());
    let statistic = (2.0 * (full.log_likelihood - without.log_likelihood)).max(0.0);
    Ok((df > 0).then(|| Test { statistic, df: df as f64, p: chi2_sf(statistic, df as f64) }))
}

/// Wald's test of all columns at `positions` together; `None` when one of them has no standard error.
pub fn wald(fit: &Fit, positions: std::ops::Range<usize>) -> Option<Test> {
    let terms: Vec<usize> = positions.map(|at| at + 1).collect();
    let estimates = terms.iter().map(|&at| fit.terms[at].se.and(fit.terms[at].estimate)).collect::<Option<Vec<_>>>()?;
    let estimates = DVector::from_vec(estimates);
    let covariance = DMatrix::from_fn(terms.len(), terms.len(), |i, j| fit.covariance[[terms[i], terms[j]]]);
    let statistic = estimates.dot(&covariance.cholesky()?.solve(&estimates));
    Some(Test { statistic, df: terms.len() as f64, p: chi2_sf(statistic, terms.len() as f64) })
}
