//! The penalised quadratic at the heart of the LASSO: min ½ b'Gb − q'b + λ‖b‖₁ over a small working set.

use osteon_base::wide::wide;

/// Coordinate descent gives up only here: collinear columns need many sweeps.
const MOST_SWEEPS: usize = 200_000;
/// Steps below this part of the largest |q| no longer change a coefficient in double precision.
const SMALLEST_STEP: f64 = 1e-14;
/// A solution's slopes may be off by this part of the largest |q|: rounding of a linear system.
const EXACT: f64 = 1e-11;
/// A column whose part that the others do not explain is below this part of its length is collinear with them.
const COLLINEAR: f64 = 1e-12;

/// The active coefficients with their signs, and Cholesky's factor of their part of the Gram matrix, row below row. It
/// is kept from one problem to the next: the matrices of a path only grow.
#[derive(Default)]
pub struct Pursuit {
    active: Vec<usize>,
    signs: Vec<f64>,
    factor: Vec<Vec<f64>>,
}

impl Pursuit {
    /// Minimises over `b`, which is also the start. `gram` is symmetric, one row a coefficient; the rows and columns
    /// that an earlier call saw are the same.
    ///
    /// Coefficients enter and leave one by one, each time a linear system gives the others. Where that ends at
    /// collinear columns, coordinate descent with covariance updates takes over (Friedman, Hastie and Tibshirani 2010,
    /// section 2.2).
    pub fn minimise(&mut self, gram: &[Vec<f64>], q: &[f64], lambda: f64, b: &mut [f64]) {
        let scale = q.iter().fold(0.0, |largest: f64, value| largest.max(value.abs())).max(lambda);
        if self.pursue(gram, q, lambda, scale, b) {
            return;
        }
        *self = Pursuit::default();
        if self.pursue(gram, q, lambda, scale, b) {
            return;
        }
        let mut slope = gradient(gram, q, b);
        let mut step = 1e-4;
        for _ in 0..MOST_SWEEPS {
            if sweep(gram, lambda, &mut slope, b) > step * scale {
                continue;
            }
            if self.pursue(gram, q, lambda, scale, b) || step <= SMALLEST_STEP {
                return;
            }
            slope = gradient(gram, q, b);
            step *= 0.03;
        }
    }

    /// Active-set steps (feature-sign search: Lee, Battle, Raina and Ng 2007, algorithm 1); `false` leaves `b` no worse.
    fn pursue(&mut self, gram: &[Vec<f64>], q: &[f64], lambda: f64, scale: f64, b: &mut [f64]) -> bool {
        if !self.start(gram, b) {
            return false;
        }
        for _ in 0..10 + 4 * b.len() {
            while !self.active.is_empty() {
                let target = self.target(q, lambda);
                let turns = |k: usize| {
                    (target[k] * self.signs[k] <= 0.0).then(|| b[self.active[k]] / (b[self.active[k]] - target[k]))
                };
                let first =
                    (0..self.active.len()).filter_map(|k| Some((turns(k)?, k))).min_by(|a, b| a.0.total_cmp(&b.0));
                let part = first.map_or(1.0, |(part, _)| part);
                self.active.iter().zip(&target).for_each(|(&j, target)| b[j] += part * (target - b[j]));
                let Some((_, k)) = first else { break };
                b[self.active[k]] = 0.0;
                self.drop(k);
            }
            let slope = gradient(gram, q, b);
            let mut idle = vec![true; b.len()];
            self.active.iter().for_each(|&j| idle[j] = false);
            let most = (0..b.len()).filter(|&j| idle[j]).max_by(|&i, &j| slope[i].abs().total_cmp(&slope[j].abs()));
            match most.filter(|&j| slope[j].abs() > lambda + EXACT * scale) {
                Some(j) if !self.add(gram, j, slope[j].signum()) => {
                    if !self.exchange(gram, j, slope[j].signum(), b) {
                        return false;
                    }
                }
                Some(_) => (),
                None => {
                    let met = |(&j, sign): (&usize, &f64)| (slope[j] - lambda * sign).abs() <= EXACT * scale;
                    return self.active.iter().zip(&self.signs).all(met);
                }
            }
        }
        false
    }

    /// Makes the coefficients that are not zero the active ones; `false` when they are collinear.
    fn start(&mut self, gram: &[Vec<f64>], b: &[f64]) -> bool {
        let n_active = b.iter().filter(|b| **b != 0.0).count();
        let kept = |(&j, sign): (&usize, &f64)| b[j] != 0.0 && b[j].signum() == *sign;
        if self.active.len() == n_active && self.active.iter().zip(&self.signs).all(kept) {
            return true;
        }
        *self = Pursuit::default();
        (0..b.len()).filter(|&j| b[j] != 0.0).all(|j| self.add(gram, j, b[j].signum()))
    }

    /// One more active coefficient: a row of the factor. `false`, and nothing changed, when it is collinear.
    fn add(&mut self, gram: &[Vec<f64>], j: usize, sign: f64) -> bool {
        let own = &gram[j];
        let mut row: Vec<f64> = Vec::with_capacity(self.active.len() + 1);
        for (&other, factor) in self.active.iter().zip(&self.factor) {
            let k = row.len();
            row.push((own[other] - inner(&row, factor)) / factor[k]);
        }
        let pivot = own[j] - inner(&row, &row);
        if pivot.is_nan() || pivot <= COLLINEAR * own[j] {
            return false;
        }
        row.push(pivot.sqrt());
        self.active.push(j);
        self.signs.push(sign);
        self.factor.push(row);
        true
    }

    /// Column `j`, which the active ones explain, takes the place of the first of them that comes to zero while they give
    /// way to it: the fit stays, and the sum of magnitudes falls, for the slope of `j` is beyond lambda.
    fn exchange(&mut self, gram: &[Vec<f64>], j: usize, sign: f64, b: &mut [f64]) -> bool {
        let mut share: Vec<f64> = self.active.iter().map(|&k| gram[j][k]).collect();
        self.solve(&mut share);
        let room = |k: usize| {
            let pace = sign * share[k];
            (pace * self.signs[k] > 0.0).then(|| (b[self.active[k]] / pace, k))
        };
        let Some((way, k)) = (0..share.len()).filter_map(room).min_by(|a, b| a.0.total_cmp(&b.0)) else {
            return false;
        };
        self.active.iter().zip(&share).for_each(|(&i, share)| b[i] -= way * sign * share);
        (b[self.active[k]], b[j]) = (0.0, way * sign);
        self.drop(k);
        self.add(gram, j, sign)
    }

    /// Takes out the active coefficient of position `k`: rotations bring the rows below back to a triangle.
    fn drop(&mut self, k: usize) {
        self.active.remove(k);
        self.signs.remove(k);
        self.factor.remove(k);
        for i in k..self.factor.len() {
            let [along, beyond] = [self.factor[i][i], self.factor[i][i + 1]];
            let length = along.hypot(beyond);
            let (cos, sin) = (along / length, beyond / length);
            for row in &mut self.factor[i..] {
                (row[i], row[i + 1]) = (cos * row[i] + sin * row[i + 1], cos * row[i + 1] - sin * row[i]);
            }
            self.factor[i].truncate(i + 1);
        }
    }

    /// The active coefficients with their signs held.
    fn target(&self, q: &[f64], lambda: f64) -> Vec<f64> {
        let mut x: Vec<f64> = self.active.iter().zip(&self.signs).map(|(&j, sign)| q[j] - lambda * sign).collect();
        self.solve(&mut x);
        x
    }

    /// Puts the solution of the active part of the Gram matrix in the place of the right side.
    fn solve(&self, x: &mut [f64]) {
        solve(&self.factor, x);
    }
}

wide! {
    fn solve(factor: &[Vec<f64>], x: &mut [f64]) {
        for (i, row) in factor.iter().enumerate() {
            x[i] = (x[i] - inner(&x[..i], row)) / row[i];
        }
        for (i, row) in factor.iter().enumerate().rev() {
            x[i] /= row[i];
            let (before, rest) = x.split_at_mut(i);
            before.iter_mut().zip(row).for_each(|(x, l)| *x -= l * rest[0]);
        }
    }
}

/// The minimum without a penalty on magnitudes: Gb = q; `false`, and nothing changed, where G is not positive definite.
pub fn solve_positive(gram: &[Vec<f64>], q: &[f64], b: &mut [f64]) -> bool {
    let mut all = Pursuit::default();
    if !(0..q.len()).all(|j| all.add(gram, j, 1.0)) {
        return false;
    }
    b.copy_from_slice(q);
    all.solve(b);
    true
}

/// Inner product over the length of `a`, with four running sums.
#[inline(always)]
fn inner(a: &[f64], b: &[f64]) -> f64 {
    let (a4, a_rest) = a.as_chunks::<4>();
    let (b4, b_rest) = b[..a.len()].as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in a4.iter().zip(b4) {
        (0..4).for_each(|k| sums[k] += a[k] * b[k]);
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (sums[0] + sums[2]) + (sums[1] + sums[3]) + rest
}

wide! {
    /// q − Gb.
    fn gradient(gram: &[Vec<f64>], q: &[f64], b: &[f64]) -> Vec<f64> {
        let mut slope = q.to_vec();
        for (slope, row) in slope.iter_mut().zip(gram) {
            *slope -= inner(b, row);
        }
        slope
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orthogonal_columns_are_soft_thresholded_and_duplicates_still_end() {
        let mut b = [0.0; 2];
        Pursuit::default().minimise(&[vec![1.0, 0.0], vec![0.0, 2.0]], &[3.0, -0.5], 1.0, &mut b);
        assert_eq!(b, [2.0, 0.0]);
        let mut b = [0.0; 2];
        Pursuit::default().minimise(&[vec![1.0, 1.0], vec![1.0, 1.0]], &[3.0, 3.0], 1.0, &mut b);
        assert!((b[0] + b[1] - 2.0).abs() < 1e-12);
    }
}
