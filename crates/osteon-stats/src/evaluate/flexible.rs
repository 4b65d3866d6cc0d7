//! Flexible calibration curves with 95 % bands: loess, and a logistic regression on a spline of the logit.

use ndarray::Array2;

use crate::evaluate::smooth;
use crate::model::logistic;
use crate::stats::distribution::Z_975;
use crate::table::{Design, spline};

/// One place of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub predicted: f64,
    pub observed: f64,
    pub low: f64,
    pub high: f64,
}

/// Loess of degree 2 and span 0.75 of the event on the probability, at the places `at`, with the band of its standard
/// errors (normal quantiles, as CalibrationCurves); limits may leave 0 to 1.
///
/// `None` where `smooth::loess_curve` is.
pub fn loess(event: &[bool], p: &[f64], at: &[f64]) -> Option<Vec<Point>> {
    let y: Vec<f64> = event.iter().map(|&event| f64::from(event)).collect();
    let curve = smooth::loess_curve(p, &y, 0.75, at)?;
    let point = |[predicted, observed, se]: [f64; 3]| Point {
        predicted,
        observed,
        low: observed - Z_975 * se,
        high: observed + Z_975 * se,
    };
    Some(curve.points.into_iter().map(point).collect())
}

/// A logistic calibration curve.
#[derive(Clone, Debug, PartialEq)]
pub struct Spline {
    /// Of the logit.
    pub knots: Vec<f64>,
    pub points: Vec<Point>,
}

/// How many knots rows bear: 3 below 30, 4 below 100, else 5 (Harrell, Regression Modeling Strategies, 2.4.6).
pub fn n_knots(rows: usize) -> usize {
    match rows {
        0..30 => 3,
        30..100 => 4,
        _ => 5,
    }
}

/// Logistic regression of the event on a restricted cubic spline of the logit, at the places `at`, with Wald's band of
/// the linear predictor. Probabilities of 0 and 1 have no logit and take no part.
///
/// `None` where logits have too few values for knots, or separate the events.
pub fn spline(event: &[bool], p: &[f64], at: &[f64]) -> Option<Spline> {
    let logit = |p: f64| (p / (1.0 - p)).ln();
    let rows: Vec<usize> = (0..p.len()).filter(|&row| p[row] > 0.0 && p[row] < 1.0).collect();
    let logits: Vec<f64> = rows.iter().map(|&row| logit(p[row])).collect();
    let event: Vec<bool> = rows.iter().map(|&row| event[row]).collect();
    let knots = spline::knots(&logits, n_knots(rows.len())).ok()?;
    let bases: Vec<Vec<f64>> = logits.iter().map(|&x| spline::basis(x, &knots)).collect();
    let k = knots.len() - 1;
    let design = Design {
        rows: rows.iter().map(usize::to_string).collect(),
        columns: (0..k).map(|at| format!("spline {at}")).collect(),
        x: Array2::from_shape_fn((rows.len(), k), |(i, j)| bases[i][j]),
    };
    let fit = logistic::fit(&design, &event, &logistic::Params::default()).ok()?;
    if fit.is_separated() || !fit.converged {
        return None;
    }
    let estimates: Vec<f64> = fit.terms.iter().map(|term| term.estimate.unwrap_or(0.0)).collect();
    let point = |&predicted: &f64| {
        let x: Vec<f64> = std::iter::once(1.0).chain(spline::basis(logit(predicted), &knots)).collect();
        let eta: f64 = x.iter().zip(&estimates).map(|(x, b)| x * b).sum();
        let variance: f64 = (0..=k).map(|i| (0..=k).map(|j| x[i] * fit.covariance[[i, j]] * x[j]).sum::<f64>()).sum();
        let back = |eta: f64| 1.0 / (1.0 + (-eta).exp());
        let half = Z_975 * variance.max(0.0).sqrt();
        Point { predicted, observed: back(eta), low: back(eta - half), high: back(eta + half) }
    };
    let inside = |p: &&f64| **p > 0.0 && **p < 1.0;
    Some(Spline { points: at.iter().filter(inside).map(point).collect(), knots })
}
