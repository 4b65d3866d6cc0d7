//! The penalised quadratic at the heart of the LASSO: min ½ b'Gb − q'b + λ‖b‖₁ over a small working set.

/// Coordinate descent gives up only here: collinear columns need many sweeps.
const MOST_SWEEPS: usize = 200_000;
/// Steps below this part of the largest |q| no longer change a coefficient in double precision.
const SMALLEST_STEP: f64 = 1e-14;
/// A solution's slopes may be off by this part of the largest |q|: rounding of a linear system.
const EXACT: f64 = 1e-11;
/// A column whose part that the others do not explain is below this part of its length is collinear with them.
const COLLINEAR: f64 = 1e-12;

/// Minimises over `b`, which is also the start. `gram` is symmetric, one row a coefficient.
///
/// Coefficients enter and leave one by one, each time a linear system gives the others. Where that ends at collinear
/// columns, coordinate descent with covariance updates takes over (Friedman, Hastie and Tibshirani 2010, section 2.2).
pub fn minimise(gram: &[Vec<f64>], q: &[f64], lambda: f64, b: &mut [f64]) {
    let scale = q.iter().fold(0.0, |largest: f64, value| largest.max(value.abs())).max(lambda);
    if pursue(gram, q, lambda, scale, b) {
        return;
    }
    let mut slope = gradient(gram, q, b);
    let mut step = 1e-4;
    for _ in 0..MOST_SWEEPS {
        if sweep(gram, lambda, &mut slope, b) > step * scale {
            continue;
        }
        if pursue(gram, q, lambda, scale, b) || step <= SMALLEST_STEP {
            return;
        }
        slope = gradient(gram, q, b);
        step *= 0.03;
    }
}

/// Active-set steps (feature-sign search: Lee, Battle, Raina and Ng 2007, algorithm 1); `false` leaves `b` no worse.
fn pursue(gram: &[Vec<f64>], q: &[f64], lambda: f64, scale: f64, b: &mut [f64]) -> bool {
    let mut active: Vec<usize> = (0..b.len()).filter(|&j| b[j] != 0.0).collect();
    let mut signs: Vec<f64> = active.iter().map(|&j| b[j].signum()).collect();
    for _ in 0..10 + 4 * b.len() {
        while !active.is_empty() {
            let Some(target) = solve(gram, q, lambda, &active, &signs) else { return false };
            let turns = |k: usize| (target[k] * signs[k] <= 0.0).then(|| b[active[k]] / (b[active[k]] - target[k]));
            let first = (0..active.len()).filter_map(|k| Some((turns(k)?, k))).min_by(|a, b| a.0.total_cmp(&b.0));
            let part = first.map_or(1.0, |(part, _)| part);
            active.iter().zip(&target).for_each(|(&j, target)| b[j] += part * (target - b[j]));
            let Some((_, k)) = first else { break };
            b[active[k]] = 0.0;
            active.remove(k);
            signs.remove(k);
        }
        let slope = gradient(gram, q, b);
        let most =
            (0..b.len()).filter(|j| !active.contains(j)).max_by(|&i, &j| slope[i].abs().total_cmp(&slope[j].abs()));
        match most.filter(|&j| slope[j].abs() > lambda + EXACT * scale) {
            Some(j) => {
                active.push(j);
                signs.push(slope[j].signum());
            }
            None => {
                return active.iter().zip(&signs).all(|(&j, sign)| (slope[j] - lambda * sign).abs() <= EXACT * scale);
            }
        }
    }
    false
}

/// The coefficients of the active columns with their signs held; `None` when they are collinear.
fn solve(gram: &[Vec<f64>], q: &[f64], lambda: f64, active: &[usize], signs: &[f64]) -> Option<Vec<f64>> {
    let n = active.len();
    let mut factor = vec![0.0; n * n];
    let mut x: Vec<f64> = active.iter().zip(signs).map(|(&j, sign)| q[j] - lambda * sign).collect();
    // Cholesky's factor row by row, with the forward substitution on the way.
    for i in 0..n {
        let (done, own) = factor.split_at_mut(i * n);
        for k in 0..i {
            let row = &done[k * n..];
            own[k] = (gram[active[i]][active[k]] - inner(&own[..k], row)) / row[k];
        }
        let pivot = gram[active[i]][active[i]] - inner(&own[..i], &own[..i]);
        if pivot.is_nan() || pivot <= COLLINEAR * gram[active[i]][active[i]] {
            return None;
        }
        own[i] = pivot.sqrt();
        x[i] = (x[i] - inner(&own[..i], &x)) / own[i];
    }
    for i in (0..n).rev() {
        x[i] /= factor[i * n + i];
        let (before, rest) = x.split_at_mut(i);
        before.iter_mut().zip(&factor[i * n..]).for_each(|(x, l)| *x -= l * rest[0]);
    }
    Some(x)
}

/// Inner product over the length of `a`, with four running sums.
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

/// q − Gb.
fn gradient(gram: &[Vec<f64>], q: &[f64], b: &[f64]) -> Vec<f64> {
    (0..q.len()).map(|j| q[j] - inner(b, &gram[j])).collect()
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
        minimise(&[vec![1.0, 0.0], vec![0.0, 2.0]], &[3.0, -0.5], 1.0, &mut b);
        assert_eq!(b, [2.0, 0.0]);
        let mut b = [0.0; 2];
        minimise(&[vec![1.0, 1.0], vec![1.0, 1.0]], &[3.0, 3.0], 1.0, &mut b);
        assert!((b[0] + b[1] - 2.0).abs() < 1e-12);
    }
}
