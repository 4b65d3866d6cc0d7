//! The design as the solvers see it: independent columns with mean 0 and SD 1, and the way back.

use nalgebra::{DMatrix, DVector};
use ndarray::Array2;

use crate::model::logistic::newton::Solution;
use crate::model::logistic::{Fit, INTERCEPT, Method, Term, Warning, collinear};
use crate::stats::describe::{mean, sd};
use crate::table::Design;

/// Standardised independent columns.
pub struct Standardised {
    /// rows x kept columns.
    pub z: DMatrix<f64>,
    /// Positions of the kept columns in the design.
    pub kept: Vec<usize>,
    pub means: Vec<f64>,
    pub sds: Vec<f64>,
}

impl Standardised {
    /// Leaves out what earlier columns explain, and says so.
    pub fn new(design: &Design) -> (Standardised, Vec<Warning>) {
        let (n, k) = design.x.dim();
        let mut all = DMatrix::zeros(n, k);
        let (mut means, mut sds) = (Vec::new(), Vec::new());
        for j in 0..k {
            let column = design.x.column(j).to_vec();
            let (mean, sd) = (mean(&column).unwrap_or(0.0), sd(&column).unwrap_or(0.0));
            // Noise below the last digits of the mean is not a variable.
            let sd = if sd > 1e-13 * mean.abs() { sd } else { 0.0 };
            if sd > 0.0 {
                column.iter().enumerate().for_each(|(i, value)| all[(i, j)] = (value - mean) / sd);
            }
            means.push(mean);
            sds.push(sd);
        }
        let (kept, aliased) = collinear::independent(&all, &design.columns);
        let standardised = Standardised {
            z: all.select_columns(&kept),
            means: kept.iter().map(|&j| means[j]).collect(),
            sds: kept.iter().map(|&j| sds[j]).collect(),
            kept,
        };
        (standardised, aliased)
    }

    /// A column of ones before the standardised ones: the intercept is that at the means.
    pub fn with_intercept(&self) -> DMatrix<f64> {
        self.z.clone().insert_column(0, 1.0)
    }

    /// The same columns only scaled, not centred: the intercept is that of the design.
    pub fn uncentred(&self) -> DMatrix<f64> {
        let mut x = self.with_intercept();
        for j in 0..self.kept.len() {
            x.column_mut(j + 1).add_scalar_mut(self.means[j] / self.sds[j]);
        }
        x
    }

    /// The estimates of a fit as coefficients of `with_intercept`, or of `uncentred`; `None` when one is not finite.
    pub fn coordinates(&self, fit: &Fit, centred: bool) -> Option<DVector<f64>> {
        let estimate = |term: usize| fit.terms[term].se.and(fit.terms[term].estimate).filter(|it| it.is_finite());
        let slopes = self.kept.iter().map(|&at| estimate(at + 1)).collect::<Option<Vec<f64>>>()?;
        let at_means: f64 = slopes.iter().zip(&self.means).map(|(slope, mean)| slope * mean).sum();
        let intercept = estimate(0)? + if centred { at_means } else { 0.0 };
        let scaled = slopes.iter().zip(&self.sds).map(|(slope, sd)| slope * sd);
        Some(DVector::from_iterator(slopes.len() + 1, std::iter::once(intercept).chain(scaled)))
    }

    /// Coefficients of the design from those of the standardised columns: b = A g.
    pub fn back(&self) -> DMatrix<f64> {
        let k = self.kept.len();
        let mut a = DMatrix::identity(k + 1, k + 1);
        for j in 0..k {
            a[(j + 1, j + 1)] = 1.0 / self.sds[j];
            a[(0, j + 1)] = -self.means[j] / self.sds[j];
        }
        a
    }

    /// The fit in the units of the design.
    pub fn fit(&self, design: &Design, event: &[bool], solution: &Solution, method: Method) -> Fit {
        let a = self.back();
        let estimates = &a * &solution.coefficients;
        let covariance = &a * &solution.covariance * a.transpose();
        // Not the root of a variance in the units of the design: that of 1e200 overflows, that of 1e-200 vanishes.
        let se = |p: usize| match p {
            0 => covariance[(0, 0)].sqrt(),
            p => solution.covariance[(p, p)].sqrt() / self.sds[p - 1],
        };
        let k = design.columns.len() + 1;
        let position = |term: usize| match term {
            0 => Some(0),
            term => self.kept.iter().position(|&kept| kept == term - 1).map(|at| at + 1),
        };
        let name = |term: usize| if term == 0 { INTERCEPT } else { design.columns[term - 1].as_str() };
        let term = |at: usize| Term {
            name: name(at).to_owned(),
            estimate: position(at).map(|p| estimates[p]),
            se: position(at).map(se),
        };
        let between = |i: usize, j: usize| match (position(i), position(j)) {
            (Some(i), Some(j)) => covariance[(i, j)],
            _ => 0.0,
        };
        let events = event.iter().filter(|&&event| event).count();
        Fit {
            method,
            n: event.len(),
            events,
            terms: (0..k).map(term).collect(),
            covariance: Array2::from_shape_fn((k, k), |(i, j)| between(i, j)),
            probabilities: solution.probabilities.clone(),
            log_likelihood: solution.log_likelihood,
            null_log_likelihood: null_log_likelihood(event.len(), events),
            converged: solution.converged,
            warnings: Vec::new(),
        }
    }
}

/// The log-likelihood of the event's share.
pub fn null_log_likelihood(n: usize, events: usize) -> f64 {
    let term = |count: usize| if count == 0 { 0.0 } else { count as f64 * (count as f64 / n as f64).ln() };
    term(events) + term(n - events)
}

/// The linear predictor.
pub fn predictor(x: &DMatrix<f64>, coefficients: &DVector<f64>, offset: &[f64]) -> DVector<f64> {
    x * coefficients + DVector::from_column_slice(offset)
}
