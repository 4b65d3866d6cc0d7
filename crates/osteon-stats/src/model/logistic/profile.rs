//! Profile likelihood: intervals and tests that do not trust the curvature at the maximum.

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use crate::model::logistic::design::Standardised;
use crate::model::logistic::{Fit, Method, firth, newton};
use crate::stats::distribution::{Z_975, chi2_sf, normal_two_sided};
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

/// Rows times squared terms times fits that take a few seconds; Firth's steps are more and dearer.
const MAX_WORK: usize = 2_500_000_000;
const FIRTH_COSTS: usize = 8;
/// Fits that both limits of a term take, about.
const FITS_OF_A_PROFILE: usize = 16;

/// Whether `fits` models like this one are done in a few seconds.
pub fn affordable(fit: &Fit, fits: usize) -> bool {
    let cost = if fit.method == Method::Firth { FIRTH_COSTS } else { 1 };
    let work =
        [fit.n, fit.terms.len(), fit.terms.len(), cost].iter().fold(fits, |work, &factor| work.saturating_mul(factor));
    work <= MAX_WORK
}

/// One profile a term of `fit`, intercept first; `None` for aliased terms, where nothing was estimated, and
/// everywhere when they are not `affordable`.
pub fn profile(fit: &Fit, design: &Design, event: &[bool]) -> Vec<Option<Profile>> {
    if !affordable(fit, FITS_OF_A_PROFILE * fit.terms.len()) {
        return vec![None; fit.terms.len()];
    }
    let (standardised, _) = Standardised::new(design);
    let one = |(at, term): (usize, &crate::model::logistic::Term)| {
        let estimate = term.estimate?;
        let column = match at {
            0 => 0,
            at => standardised.kept.iter().position(|&kept| kept == at - 1)? + 1,
        };
        Some(Curve::new(&standardised, event, fit, column).profile(estimate, term.se))
    };
    fit.terms.par_iter().enumerate().map(one).collect()
}

/// The log-likelihood as a function of one coefficient.
struct Curve<'a> {
    /// All columns, that of the coefficient among them, in a form where it is a coordinate.
    x: DMatrix<f64>,
    /// The same space in centred columns.
    centred: DMatrix<f64>,
    column: usize,
    event: &'a [bool],
    method: Method,
    /// One unit of the coordinate in units of the coefficient.
    unit: f64,
    maximum: f64,
    tangent: Option<Tangent>,
}

/// Where the other coefficients go to first order when one is moved off the maximum: the start of each search.
struct Tangent {
    maximum: DVector<f64>,
    slope: DVector<f64>,
}

impl Tangent {
    /// Of the columns `x` at their maximum.
    fn new(x: &DMatrix<f64>, maximum: DVector<f64>, column: usize) -> Option<Tangent> {
        let covariance = newton::information(x, &(x * &maximum)).cholesky()?.inverse();
        let slope = covariance.column(column) / covariance[(column, column)];
        Some(Tangent { maximum, slope })
    }

    fn at(&self, column: usize, held: f64) -> DVector<f64> {
        let mut start = &self.maximum + (held - self.maximum[column]) * &self.slope;
        start[column] = held;
        start
    }
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
        let tangent = standardised.coordinates(fit, column > 0).and_then(|maximum| Tangent::new(&x, maximum, column));
        Curve { x, centred: standardised.with_intercept(), column, event, method: fit.method, unit, maximum, tangent }
    }

    /// Twice the loss of log-likelihood when the coefficient is held at `value`.
    fn loss(&self, value: f64) -> f64 {
        let held = value / self.unit;
        let mut zeros = DVector::zeros(self.x.ncols());
        zeros[self.column] = held;
        let tangent = self.tangent.as_ref().map(|tangent| tangent.at(self.column, held));
        let near = tangent.map(|start| self.reached(held, start)).filter(|near| near.log_likelihood.is_finite());
        if let Some(near) = near.as_ref().filter(|near| near.converged) {
            return 2.0 * (self.maximum - near.log_likelihood);
        }
        let far = self.reached(held, zeros);
        let best = near.filter(|near| near.log_likelihood > far.log_likelihood || far.log_likelihood.is_nan());
        let best = best.unwrap_or(far);
        2.0 * (self.maximum - self.climbed(held, best).log_likelihood)
    }

    /// The rest of the way, where Newton's steps were stuck below the maximum.
    fn climbed(&self, held: f64, from: newton::Solution) -> newton::Solution {
        if from.converged || self.method == Method::Firth {
            return from;
        }
        let offset: Vec<f64> = self.x.column(self.column).iter().map(|x| x * held).collect();
        let rest = self.x.clone().remove_column(self.column);
        newton::climb(&rest, &offset, self.event, from.coefficients)
    }

    /// The maximum over the other coefficients, searched from `start`.
    fn reached(&self, held: f64, start: DVector<f64>) -> newton::Solution {
        match self.method {
            Method::MaximumLikelihood => {
                let offset: Vec<f64> = self.x.column(self.column).iter().map(|x| x * held).collect();
                let rest = self.x.clone().remove_column(self.column);
                newton::maximise(&rest, &offset, self.event, start.remove_row(self.column))
            }
            Method::Firth => firth::maximise(&self.x, &self.centred, self.event, &[self.column], start),
        }
    }

    fn profile(&self, estimate: f64, se: Option<f64>) -> Profile {
        let statistic = self.loss(0.0).max(0.0);
        let test = Test { statistic, df: 1.0, p: chi2_sf(statistic, 1.0) };
        // Under separation the estimate is infinite: look from 0, with the unit of the column as the step.
        let (from, step) = match se {
            Some(se) if estimate.is_finite() && se > 0.0 && se.is_finite() => (estimate, se),
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

/// Likelihood-ratio test of the columns at `positions` all being 0; `None` when that changes no estimated term.
pub fn likelihood_ratio(
    full: &Fit,
    design: &Design,
    event: &[bool],
    positions: std::ops::Range<usize>,
) -> Option<Test> {
    let (standardised, _) = Standardised::new(design);
    let of = |at: usize| positions.contains(&standardised.kept[at]);
    let tested: Vec<usize> = (0..standardised.kept.len()).filter(|&at| of(at)).map(|at| at + 1).collect();
    let x = standardised.with_intercept();
    let (maximum, without) = match full.method {
        Method::MaximumLikelihood => {
            let rest = x.remove_columns_at(&tested);
            let zeros = DVector::zeros(rest.ncols());
            (full.log_likelihood, newton::maximise(&rest, &vec![0.0; event.len()], event, zeros))
        }
        Method::Firth => {
            let scale: f64 = standardised.sds.iter().map(|sd| sd.ln()).sum();
            let zeros = DVector::zeros(x.ncols());
            (full.log_likelihood - scale, firth::maximise(&x, &x, event, &tested, zeros))
        }
    };
    let (statistic, df) = ((2.0 * (maximum - without.log_likelihood)).max(0.0), tested.len() as f64);
    (df > 0.0).then(|| Test { statistic, df, p: chi2_sf(statistic, df) })
}

/// Wald's test of all columns at `positions` together; `None` when one of them has no standard error.
pub fn wald(fit: &Fit, positions: std::ops::Range<usize>) -> Option<Test> {
    let terms: Vec<usize> = positions.map(|at| at + 1).collect();
    if let [at] = terms[..] {
        let z = fit.terms[at].z()?;
        return Some(Test { statistic: z * z, df: 1.0, p: normal_two_sided(z) });
    }
    let estimates = terms.iter().map(|&at| fit.terms[at].se.and(fit.terms[at].estimate)).collect::<Option<Vec<_>>>()?;
    let estimates = DVector::from_vec(estimates);
    let covariance = DMatrix::from_fn(terms.len(), terms.len(), |i, j| fit.covariance[[terms[i], terms[j]]]);
    let statistic = estimates.dot(&covariance.cholesky()?.solve(&estimates));
    Some(Test { statistic, df: terms.len() as f64, p: chi2_sf(statistic, terms.len() as f64) })
}
