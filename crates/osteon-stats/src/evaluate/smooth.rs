//! Local regression of one variable: Cleveland's lowess and loess of degree 2, as R computes them.

use nalgebra::{DMatrix, DVector};

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

/// Value at `x0` of a tricube-weighted parabola through the nearest share `span` of the points:
/// R's `loess(y ~ x, span, degree = 2, surface = "direct")`. `None` with fewer than 3 points in reach.
pub fn loess(x: &[f64], y: &[f64], span: f64, x0: f64) -> Option<f64> {
    let n = x.len();
    let reach = ((n as f64 * span + 1e-5) as usize).min(n);
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
    let near: Vec<(f64, f64, f64)> =
        x.iter().zip(y).map(|(&x, &y)| (x, y, weight(x).sqrt())).filter(|(_, _, root)| *root > 0.0).collect();
    let matrix = DMatrix::from_fn(near.len(), 3, |i, k| near[i].2 * ((near[i].0 - x0) / h).powi(k as i32));
    let right = DVector::from_fn(near.len(), |i, _| near[i].2 * near[i].1);
    let solved = matrix.svd(true, true).solve(&right, 1e-10).ok()?;
    Some(solved[0])
}
