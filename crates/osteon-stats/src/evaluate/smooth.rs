//! Local regression of one variable: Cleveland's lowess and loess of degree 2, as R computes them.

use nalgebra::{DMatrix, DVector};

use crate::evaluate::windows::Windows;

/// Fitted values at the points themselves; `x` rises. Share `f` of the points, no robustness steps, and
/// neighbours closer than 1 % of the range interpolated: R's `lowess(x, y, f, iter = 0)`.
pub fn lowess(x: &[f64], y: &[f64], f: f64) -> Vec<f64> {
    let n = x.len();
    if n < 2 {
        return y.to_vec();
    }
    let share = ((f * n as f64 + 1e-7) as usize).clamp(2, n);
    let delta = 0.01 * (x[n - 1] - x[0]);
    let mut fitted = vec![0.0; n];
    let (mut left, mut right) = (0, share - 1);
    let (mut last, mut at): (Option<usize>, usize) = (None, 0);
    loop {
        while right + 1 < n && x[at] - x[left] > x[right + 1] - x[at] {
            left += 1;
            right += 1;
        }
        fitted[at] = line(x, y, x[at], left, right).unwrap_or(y[at]);
        if let Some(last) = last {
            for j in last + 1..at {
                let share = (x[j] - x[last]) / (x[at] - x[last]);
                fitted[j] = share * fitted[at] + (1.0 - share) * fitted[last];
            }
        }
        let mut done = at;
        let mut next = at + 1;
        while next < n && x[next] <= x[at] + delta {
            if x[next] == x[done] {
                fitted[next] = fitted[done];
                done = next;
            }
            next += 1;
        }
        last = Some(done);
        if done + 1 >= n {
            return fitted;
        }
        at = (done + 1).max(next - 1);
    }
}

/// Tricube-weighted line through the points `left..=right` and their ties, at `x0`.
fn line(x: &[f64], y: &[f64], x0: f64, left: usize, right: usize) -> Option<f64> {
    let range = x[x.len() - 1] - x[0];
    let h = (x0 - x[left]).max(x[right] - x0);
    let (mut weights, mut total) = (Vec::new(), 0.0);
    for &xj in &x[left..] {
        let distance = (xj - x0).abs();
        let weight = match distance {
            far if far > 0.999 * h && xj > x0 => break,
            far if far > 0.999 * h => 0.0,
            near if near <= 0.001 * h => 1.0,
            between => (1.0 - (between / h).powi(3)).powi(3),
        };
        weights.push(weight);
        total += weight;
    }
    if total <= 0.0 {
        return None;
    }
    weights.iter_mut().for_each(|weight| *weight /= total);
    let points = || weights.iter().zip(&x[left..]).zip(&y[left..]);
    let centre: f64 = points().map(|((w, x), _)| w * x).sum();
    let spread: f64 = points().map(|((w, x), _)| w * (x - centre).powi(2)).sum();
    let tilt = if h > 0.0 && spread.sqrt() > 0.001 * range { (x0 - centre) / spread } else { 0.0 };
    Some(points().map(|((w, x), y)| w * (tilt * (x - centre) + 1.0) * y).sum())
}

/// Points up to this many are smoothed one by one, which is quadratic in their number.
const ONE_BY_ONE: usize = 500;

/// `loess` at each of the points, `x` rising; `None` where it is `None` at one of them.
///
/// Of many points, the weighted sums that a parabola needs come from sums over blocks of points, so that the time grows
/// as n log n; a point whose parabola such sums do not hold to ten digits is smoothed by itself.
pub fn loess_at_points(x: &[f64], y: &[f64], span: f64) -> Option<Vec<f64>> {
    if x.len() <= ONE_BY_ONE {
        return x.iter().map(|&x0| loess(x, y, span, x0)).collect();
    }
    let mut windows = Windows::new(x, y, reach(x.len(), span));
    let mut fitted: Vec<f64> = Vec::with_capacity(x.len());
    for (at, &x0) in x.iter().enumerate() {
        let value = match fitted.last() {
            Some(&same) if x[at - 1] == x0 => same,
            _ => windows.parabola(x0).or_else(|| loess(x, y, span, x0))?,
        };
        fitted.push(value);
    }
    Some(fitted)
}

/// How many points a share of them is, as R counts.
fn reach(n: usize, span: f64) -> usize {
    ((n as f64 * span + 1e-5) as usize).min(n)
}

/// Value at `x0` of a tricube-weighted parabola through the nearest share `span` of the points:
/// R's `loess(y ~ x, span, degree = 2, surface = "direct")`. `None` with fewer than 3 points in reach.
pub fn loess(x: &[f64], y: &[f64], span: f64, x0: f64) -> Option<f64> {
    let near = Near::new(x, span, x0)?;
    let right = DVector::from_iterator(near.points.len(), near.points.iter().map(|&(at, root)| root * y[at]));
    let solved = near.matrix().svd(true, true).solve(&right, 1e-10).ok()?;
    Some(solved[0])
}

/// A loess curve with its standard errors.
#[derive(Clone, Debug, PartialEq)]
pub struct LoessCurve {
    /// Residual standard error.
    pub sigma: f64,
    /// `[x, fitted, standard error]`.
    pub points: Vec<[f64; 3]>,
}

/// Standard errors need every row of the smoother's matrix: on more points than this there are none.
pub const LOESS_ERRORS: usize = 2000;

/// Values at the points `at` and their standard errors: R's `predict(loess(..., surface = "direct", statistics =
/// "exact"), se = TRUE)` (Cleveland and Devlin 1988, equations 12 to 15). `None` where the curve is `None` at one of
/// them, on more than `LOESS_ERRORS` points, and without a residual degree of freedom.
pub fn loess_curve(x: &[f64], y: &[f64], span: f64, at: &[f64]) -> Option<LoessCurve> {
    if x.len() > LOESS_ERRORS {
        return None;
    }
    let (mut residual, mut delta) = (0.0, 0.0);
    for (row, &x0) in x.iter().enumerate() {
        let operator = operator(x, span, x0)?;
        let fitted: f64 = operator.iter().zip(y).map(|(l, y)| l * y).sum();
        residual += (y[row] - fitted).powi(2);
        delta += operator.iter().map(|l| l * l).sum::<f64>() + 1.0 - 2.0 * operator[row];
    }
    if delta <= 1e-8 {
        return None;
    }
    let sigma = (residual / delta).sqrt();
    let point = |&x0: &f64| {
        let operator = operator(x, span, x0)?;
        let fitted = operator.iter().zip(y).map(|(l, y)| l * y).sum();
        Some([x0, fitted, sigma * operator.iter().map(|l| l * l).sum::<f64>().sqrt()])
    };
    Some(LoessCurve { sigma, points: at.iter().map(point).collect::<Option<_>>()? })
}

/// What each point adds to the value of loess at `x0`.
fn operator(x: &[f64], span: f64, x0: f64) -> Option<Vec<f64>> {
    let near = Near::new(x, span, x0)?;
    let inverse = near.matrix().pseudo_inverse(1e-10).ok()?;
    let mut row = vec![0.0; x.len()];
    for (k, &(at, root)) in near.points.iter().enumerate() {
        row[at] = inverse[(0, k)] * root;
    }
    Some(row)
}

/// The points within reach of one place, each with the root of its tricube weight.
struct Near<'a> {
    x: &'a [f64],
    x0: f64,
    h: f64,
    points: Vec<(usize, f64)>,
}

impl<'a> Near<'a> {
    /// `None` with fewer than 3 points in reach.
    fn new(x: &'a [f64], span: f64, x0: f64) -> Option<Near<'a>> {
        let reach = reach(x.len(), span);
        if reach < 3 {
            return None;
        }
        let mut distances: Vec<f64> = x.iter().map(|x| (x - x0).abs()).collect();
        distances.sort_by(f64::total_cmp);
        let h = distances[reach - 1];
        if h <= 0.0 {
            return None;
        }
        let weight = |x: f64| {
            let distance = (x - x0).abs() / h;
            if distance < 1.0 { (1.0 - distance.powi(3)).powi(3) } else { 0.0 }
        };
        let points: Vec<(usize, f64)> =
            x.iter().map(|&x| weight(x).sqrt()).enumerate().filter(|(_, root)| *root > 0.0).collect();
        // Between two crowds all points in reach may be equally far, and weigh nothing.
        (!points.is_empty()).then_some(Near { x, x0, h, points })
    }

    /// The weighted parabola's columns.
    fn matrix(&self) -> DMatrix<f64> {
        DMatrix::from_fn(self.points.len(), 3, |i, k| {
            let (at, root) = self.points[i];
            root * ((self.x[at] - self.x0) / self.h).powi(k as i32)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_points_are_smoothed_as_each_by_itself() {
        let check = |x: Vec<f64>| {
            let y: Vec<f64> =
                (0..x.len()).map(|at| f64::from(u8::from(at * 7919 % 1009 < 1009 * at / x.len()))).collect();
            let found = loess_at_points(&x, &y, 0.75).unwrap();
            for at in (0..x.len()).step_by(17) {
                let direct = loess(&x, &y, 0.75, x[at]).unwrap();
                assert!((found[at] - direct).abs() < 1e-10, "{at}: {} {direct}", found[at]);
            }
        };
        let n = 2000;
        let even: Vec<f64> = (0..n).map(|at| f64::from(at) / f64::from(n)).collect();
        check(even.clone());
        // Crowded at 0, with ties and with a few far away.
        check(even.iter().map(|x| x.powi(6)).collect());
        check(even.iter().map(|x| (x * 40.0).floor() / 40.0).collect());
        check(even.iter().map(|x| if *x < 0.995 { 1e-3 * x } else { *x }).collect());
    }
}
