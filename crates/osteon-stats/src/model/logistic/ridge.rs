//! Penalised estimates: the ridge of `rms::lrm(penalty = ...)`, and uniform shrinkage.

use std::ops::Range;

use nalgebra::{DMatrix, DVector};

use crate::model::logistic::design::{Standardised, null_log_likelihood, predictor};
use crate::model::logistic::newton::{self, Solution};
use crate::model::logistic::{self, Fit, FitError, Method};
use crate::table::Design;

/// A fit of the largest ln L − (penalty / 2) Σ β² s²: s² is a column's variance, and of levels the sum runs over the
/// distances of all levels, the reference too, from their mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Ridge {
    pub penalty: f64,
    /// Estimates and standard errors (inverse of the penalised information); no P values come from them.
    pub fit: Fit,
    /// Effective degrees of freedom: trace of the information times the covariance, the intercept left out.
    pub df: f64,
    /// Twice the gain of the unpenalised log-likelihood over the intercept alone.
    pub chi2: f64,
}

impl Ridge {
    /// Hurvich and Tsai's corrected criterion on the scale of chi-square, as `pentrace`; larger is better.
    pub fn aicc(&self) -> f64 {
        let rest = self.fit.n as f64 - self.df - 1.0;
        // Without a row to spare nothing can be said of new ones.
        if rest <= 0.0 { f64::NEG_INFINITY } else { self.chi2 - 2.0 * self.df * (1.0 + (self.df + 1.0) / rest) }
    }
}

/// Levels' indicator columns, which are penalised together.
pub type Levels = Range<usize>;

/// Penalties among which the corrected criterion chooses.
pub const PENALTIES: [f64; 16] = [0.0, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 48.0, 96.0];

/// The same for many columns on few rows.
pub const WIDE_PENALTIES: [f64; 14] =
    [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 4096.0, 16_384.0];

/// The ridge fit; `levels` are the columns of each categorical variable.
///
/// # Errors
/// As of `logistic::fit`.
pub fn ridge(design: &Design, event: &[bool], levels: &[Levels], penalty: f64) -> Result<Ridge, FitError> {
    logistic::check(design, event)?;
    let (standardised, aliased) = Standardised::new(design);
    let x = standardised.with_intercept();
    let p = penalty * matrix(&standardised, levels);
    let mut g = DVector::zeros(x.ncols());
    let none = vec![0.0; event.len()];
    let value = |g: &DVector<f64>| newton::log_likelihood_of(&predictor(&x, g, &none), event) - 0.5 * g.dot(&(&p * g));
    let mut best = value(&g);
    let mut converged = false;
    for _ in 0..200 {
        let eta = predictor(&x, &g, &none);
        let residuals = DVector::from_iterator(event.len(), newton::residuals(&eta, event));
        let score = x.tr_mul(&residuals) - &p * &g;
        let Some(factor) = (newton::information(&x, &eta) + &p).cholesky() else { break };
        let step = factor.solve(&score);
        let mut share = 1.0;
        while value(&(&g + share * &step)) < best - 1e-12 * best.abs().max(1e-3) && share > 1e-6 {
            share /= 2.0;
        }
        g += share * &step;
        best = value(&g);
        if step.amax() <= 1e-12 * (1.0 + g.amax()) {
            converged = true;
            break;
        }
    }
    let eta = predictor(&x, &g, &none);
    let information = newton::information(&x, &eta);
    let k = x.ncols();
    let covariance = (&information + &p).cholesky().map_or_else(|| DMatrix::zeros(k, k), |factor| factor.inverse());
    let df = (&information * &covariance).trace() - 1.0;
    let log_likelihood = newton::log_likelihood_of(&eta, event);
    let solution = Solution {
        covariance,
        probabilities: eta.iter().map(|&eta| newton::logistic(eta)).collect(),
        log_likelihood,
        converged,
        step: DVector::zeros(k),
        coefficients: g,
    };
    let mut fit = standardised.fit(design, event, &solution, Method::MaximumLikelihood);
    fit.warnings = aliased;
    if !converged {
        fit.warnings.push(logistic::Warning::NotConverged);
    }
    let events = event.iter().filter(|&&event| event).count();
    let chi2 = 2.0 * (log_likelihood - null_log_likelihood(event.len(), events));
    Ok(Ridge { penalty, fit, df, chi2 })
}

/// The ridge whose corrected criterion is the largest, of `PENALTIES`; the smallest penalty among equals.
///
/// # Errors
/// As of `ridge`.
pub fn ridge_by_aicc(design: &Design, event: &[bool], levels: &[Levels]) -> Result<Ridge, FitError> {
    ridge_by_aicc_of(design, event, levels, &PENALTIES)
}

/// The same of other penalties, rising. One at which the fit has no maximum, as without a penalty where events are
/// separated, is not taken while another has one.
///
/// # Errors
/// As of `ridge`.
pub fn ridge_by_aicc_of(
    design: &Design,
    event: &[bool],
    levels: &[Levels],
    penalties: &[f64],
) -> Result<Ridge, FitError> {
    let mut best: Option<Ridge> = None;
    for &penalty in penalties {
        let next = ridge(design, event, levels, penalty)?;
        let better = |best: &Ridge| !best.fit.converged || next.fit.converged && next.aicc() > best.aicc();
        if best.as_ref().is_none_or(better) {
            best = Some(next);
        }
    }
    Ok(best.expect("there is a penalty"))
}

/// The penalty in units of the standardised columns, intercept first: `rms::Penalty.matrix`.
fn matrix(standardised: &Standardised, levels: &[Levels]) -> DMatrix<f64> {
    let k = standardised.kept.len();
    let mut p = DMatrix::identity(k + 1, k + 1);
    p[(0, 0)] = 0.0;
    for columns in levels {
        let own: Vec<usize> = (0..k).filter(|&at| columns.contains(&standardised.kept[at])).collect();
        let share = 1.0 / (own.len() as f64 + 1.0);
        for &i in &own {
            for &j in &own {
                let value = f64::from(u8::from(i == j)) - share;
                p[(i + 1, j + 1)] = value / (standardised.sds[i] * standardised.sds[j]);
            }
        }
    }
    p
}

/// A model whose slopes are multiplied by one factor.
#[derive(Clone, Debug, PartialEq)]
pub struct Shrunken {
    pub factor: f64,
    pub intercept: f64,
    /// One a column of the design; `None` for one that was left out.
    pub slopes: Vec<Option<f64>>,
}

/// Slopes times `factor`, and the intercept with which as many events are expected as were observed (Steyerberg 2019,
/// 13.2). `None` where an estimate is not finite.
pub fn shrink(fit: &Fit, design: &Design, event: &[bool], factor: f64) -> Option<Shrunken> {
    let slopes: Vec<Option<f64>> = fit.terms[1..].iter().map(|term| term.estimate.map(|it| factor * it)).collect();
    let offset: Vec<f64> = (0..event.len())
        .map(|row| slopes.iter().enumerate().map(|(j, slope)| slope.unwrap_or(0.0) * design.x[[row, j]]).sum())
        .collect();
    if offset.iter().any(|it: &f64| !it.is_finite()) {
        return None;
    }
    let ones = DMatrix::from_element(event.len(), 1, 1.0);
    let solution = newton::maximise(&ones, &offset, event, DVector::zeros(1));
    solution.converged.then(|| Shrunken { factor, intercept: solution.coefficients[0], slopes })
}
