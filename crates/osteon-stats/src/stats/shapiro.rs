//! The Shapiro-Wilk test of normality after Royston (1995), algorithm AS R94, as in R.

use crate::stats::describe::mean;
use crate::stats::distribution::{normal_quantile, normal_sf};

/// W and its p value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShapiroWilk {
    pub w: f64,
    pub p: f64,
}

/// `None` outside 3 to 5000 values (the range of the approximation) or without spread.
pub fn shapiro_wilk(values: &[f64]) -> Option<ShapiroWilk> {
    let n = values.len();
    if !(3..=5000).contains(&n) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let range = sorted[n - 1] - sorted[0];
    if !(range > 0.0 && range.is_finite()) {
        return None;
    }
    let x: Vec<f64> = sorted.iter().map(|value| (value - sorted[0]) / range).collect();
    let one_minus_w = one_minus_w(&x, &weights(n));
    Some(ShapiroWilk { w: 1.0 - one_minus_w, p: p_value(one_minus_w, n as f64) })
}

/// The weights of the lower half, positive; the upper half has the opposite ones.
fn weights(n: usize) -> Vec<f64> {
    if n == 3 {
        return vec![std::f64::consts::FRAC_1_SQRT_2];
    }
    let half = n / 2;
    let m: Vec<f64> = (1..=half).map(|i| -normal_quantile((i as f64 - 0.375) / (n as f64 + 0.25))).collect();
    let sum_of_squares = 2.0 * m.iter().map(|m| m * m).sum::<f64>();
    let root = sum_of_squares.sqrt();
    let u = 1.0 / (n as f64).sqrt();
    let first = polynomial(&[0.0, 0.221157, -0.147981, -2.07119, 4.434685, -2.706056], u) + m[0] / root;
    let mut weights = m.clone();
    weights[0] = first;
    let rest = if n > 5 {
        let second = m[1] / root + polynomial(&[0.0, 0.042981, -0.293762, -1.752461, 5.682633, -3.582633], u);
        weights[1] = second;
        (sum_of_squares - 2.0 * (m[0] * m[0] + m[1] * m[1])) / (1.0 - 2.0 * (first * first + second * second))
    } else {
        (sum_of_squares - 2.0 * m[0] * m[0]) / (1.0 - 2.0 * first * first)
    };
    let from = if n > 5 { 2 } else { 1 };
    weights[from..].iter_mut().for_each(|weight| *weight /= rest.sqrt());
    weights
}

/// 1 - W as (ssx - cov)(ssx + cov) / (ssx ssa), which keeps its digits when W is near 1.
fn one_minus_w(x: &[f64], half: &[f64]) -> f64 {
    let n = x.len();
    let weight = |at: usize| match at {
        at if at < half.len() => -half[at],
        at if at >= n - half.len() => half[n - 1 - at],
        _ => 0.0,
    };
    let centre = mean(x).expect("there are three values");
    let mean_weight = (0..n).map(weight).sum::<f64>() / n as f64;
    let (mut ssa, mut ssx, mut sax) = (0.0, 0.0, 0.0);
    for (at, value) in x.iter().enumerate() {
        let (a, x) = (weight(at) - mean_weight, value - centre);
        ssa += a * a;
        ssx += x * x;
        sax += a * x;
    }
    let root = (ssa * ssx).sqrt();
    (root - sax) * (root + sax) / (ssa * ssx)
}

fn p_value(one_minus_w: f64, n: f64) -> f64 {
    if n == 3.0 {
        // Exact: 6/π (asin √W - asin √0.75).
        let w = 1.0 - one_minus_w;
        let p = 6.0 / std::f64::consts::PI * (w.sqrt().asin() - 0.75_f64.sqrt().asin());
        return p.clamp(0.0, 1.0);
    }
    let y = one_minus_w.ln();
    let ln_n = n.ln();
    let (y, m, s) = if n <= 11.0 {
        let gamma = polynomial(&[-2.273, 0.459], n);
        if y >= gamma {
            return 1e-99;
        }
        let m = polynomial(&[0.544, -0.39978, 0.025054, -6.714e-4], n);
        (-(gamma - y).ln(), m, polynomial(&[1.3822, -0.77857, 0.062767, -0.0020322], n).exp())
    } else {
        let m = polynomial(&[-1.5861, -0.31082, -0.083751, 0.0038915], ln_n);
        (y, m, polynomial(&[-0.4803, -0.082676, 0.0030302], ln_n).exp())
    };
    normal_sf((y - m) / s)
}

/// Σ c[i] x^i.
fn polynomial(c: &[f64], x: f64) -> f64 {
    c.iter().rev().fold(0.0, |sum, c| sum * x + c)
}
