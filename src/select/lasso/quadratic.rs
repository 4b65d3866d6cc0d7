//! The penalised quadratic at the heart of the LASSO: min ½ b'Gb − q'b + λ‖b‖₁ over a small working set.

use nalgebra::{Cholesky, DMatrix, DVector};

/// Coordinate descent gives up only here: correlated columns need many sweeps when the direct solution is refused.
const MOST_SWEEPS: usize = 200_000;
/// Steps below this part of the largest |q| no longer change a coefficient in double precision.
const SMALLEST_STEP: f64 = 1e-14;

/// Minimises over `b`, which is also the start. `gram` is symmetric, one row a coefficient.
///
/// Coordinate descent with covariance updates (Friedman, Hastie and Tibshirani 2010, section 2.2) finds which
/// coefficients are zero; the others then solve a linear system, kept when its signs and zeros agree.
pub fn minimise(gram: &[Vec<f64>], q: &[f64], lambda: f64, b: &mut [f64]) {
    let scale = q.iter().fold(0.0, |largest: f64, value| largest.max(value.abs())).max(lambda);
    let mut slope = gradient(gram, q, b);
    let mut step = 1e-4;
    for _ in 0..MOST_SWEEPS {
        let moved = sweep(gram, lambda, &mut slope, b);
        if moved > step * scale {
            continue;
        }
        if settle(gram, q, lambda, scale, b) || step <= SMALLEST_STEP {
            return;
        }
        slope = gradient(gram, q, b);
        step *= 0.03;
    }
}

/// q − Gb.
fn gradient(gram: &[Vec<f64>], q: &[f64], b: &[f64]) -> Vec<f64> {
    let row = |j: usize| q[j] - gram[j].iter().zip(b).map(|(g, b)| g * b).sum::<f64>();
    (0..q.len()).map(row).collect()
}

/// One pass over all coordinates; gives the largest step in units of the gradient.
fn sweep(gram: &[Vec<f64>], lambda: f64, slope: &mut [f64], b: &mut [f64]) -> f64 {
    let mut moved: f64 = 0.0;
    for j in 0..b.len() {
        let own = gram[j][j];
        if own <= 0.0 {
            continue;
        }
        let pull = slope[j] + own * b[j];
        let next = pull.signum() * (pull.abs() - lambda).max(0.0) / own;
        let delta = next - b[j];
        if delta != 0.0 {
            b[j] = next;
            slope.iter_mut().zip(&gram[j]).for_each(|(slope, g)| *slope -= g * delta);
            moved = moved.max(delta.abs() * own);
        }
    }
    moved
}

/// Solves for the non-zero coefficients with their signs held; `false` leaves `b` as it was.
fn settle(gram: &[Vec<f64>], q: &[f64], lambda: f64, scale: f64, b: &mut [f64]) -> bool {
    let active: Vec<usize> = (0..b.len()).filter(|&j| b[j] != 0.0).collect();
    let matrix = DMatrix::from_fn(active.len(), active.len(), |i, k| gram[active[i]][active[k]]);
    let right = DVector::from_fn(active.len(), |i, _| q[active[i]] - lambda * b[active[i]].signum());
    let Some(factor) = Cholesky::new(matrix) else { return false };
    let solved = factor.solve(&right);
    let mut next = vec![0.0; b.len()];
    for (&j, &value) in active.iter().zip(solved.iter()) {
        if value * b[j] <= 0.0 || !value.is_finite() {
            return false;
        }
        next[j] = value;
    }
    let slope = gradient(gram, q, &next);
    let holds = |j: usize| {
        let excess = if next[j] == 0.0 { slope[j].abs() - lambda } else { (slope[j].abs() - lambda).abs() };
        excess <= 1e-11 * scale
    };
    if !(0..b.len()).all(holds) {
        return false;
    }
    b.copy_from_slice(&next);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_columns_are_soft_thresholded_and_duplicates_still_end() {
        let mut b = [0.0; 2];
        minimise(&[vec![1.0, 0.0], vec![0.0, 2.0]], &[3.0, -0.5], 1.0, &mut b);
        assert_eq!(b, [2.0, 0.0]);
        let mut b = [0.0; 2];
        minimise(&[vec![1.0, 1.0], vec![1.0, 1.0]], &[3.0, 3.0], 1.0, &mut b);
        assert!((b[0] + b[1] - 2.0).abs() < 1e-12);
    }
}
