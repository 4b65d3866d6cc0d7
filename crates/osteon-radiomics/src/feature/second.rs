//! The second singular value of a sparse matrix whose first is known to be 1.

use nalgebra::{DMatrix, SymmetricEigen};

/// Sides up to which the dense eigenvalues are as fast.
const DENSE: usize = 48;
/// Steps of the iteration at most: more levels end with what the last step gives.
const MOST_STEPS: usize = 600;

/// Of a matrix given by its cells (row, column, value), scaled so that its largest singular value is 1 with the unit
/// vectors `left` and `right`.
///
/// Lanczos iteration on `A' A` without its first eigenvector, every new vector made orthogonal to all before (twice:
/// Giraud et al. 2005), until the largest Ritz value's residual is below 1e-14 of it: eigenvalues are then off by the
/// square of the residual over their gap.
pub fn second_singular_value(cells: Vec<(usize, usize, f64)>, left: &[f64], right: &[f64]) -> f64 {
    let n = right.len();
    if n <= DENSE {
        let mut dense = DMatrix::<f64>::zeros(left.len(), n);
        cells.iter().for_each(|&(i, j, value)| dense[(i, j)] += value);
        let mut values: Vec<f64> = dense.singular_values().iter().copied().collect();
        values.sort_by(|a, b| b.total_cmp(a));
        return values.get(1).copied().unwrap_or(0.0);
    }
    let deflate = |vector: &mut [f64]| {
        let along = dot(vector, right);
        vector.iter_mut().zip(right).for_each(|(value, part)| *value -= along * part);
    };
    let apply = |vector: &[f64]| {
        let mut middle = vec![0.0; left.len()];
        cells.iter().for_each(|&(i, j, value)| middle[i] += value * vector[j]);
        let mut found = vec![0.0; n];
        cells.iter().for_each(|&(i, j, value)| found[j] += value * middle[i]);
        found
    };
    // A start that no structure of levels is orthogonal to.
    let mut start: Vec<f64> = (0..n).map(|at| ((at as f64 + 1.0) * 0.618_033_988_749_895).fract() - 0.5).collect();
    deflate(&mut start);
    let length = dot(&start, &start).sqrt();
    start.iter_mut().for_each(|value| *value /= length);
    let (mut basis, mut diagonal, mut beside): (Vec<Vec<f64>>, Vec<f64>, Vec<f64>) = (vec![start], vec![], vec![]);
    let mut largest = 0.0;
    for step in 0..MOST_STEPS.min(n - 1) {
        let mut next = apply(&basis[step]);
        diagonal.push(dot(&next, &basis[step]));
        for _ in 0..2 {
            deflate(&mut next);
            for vector in &basis {
                let along = dot(&next, vector);
                next.iter_mut().zip(vector).for_each(|(value, part)| *value -= along * part);
            }
        }
        let rest = dot(&next, &next).sqrt();
        let is_last = step + 1 == MOST_STEPS.min(n - 1) || rest < 1e-15;
        // The small problem costs the cube of its side: it is not asked at every step.
        if is_last || step % 8 == 7 {
            let (value, tail) = largest_ritz(&diagonal, &beside);
            largest = value;
            if is_last || rest * tail.abs() < 1e-14 * value {
                break;
            }
        }
        next.iter_mut().for_each(|value| *value /= rest);
        beside.push(rest);
        basis.push(next);
    }
    largest.max(0.0).sqrt()
}

/// Largest eigenvalue of a tridiagonal matrix, and the last part of its unit vector.
fn largest_ritz(diagonal: &[f64], beside: &[f64]) -> (f64, f64) {
    let n = diagonal.len();
    let small = DMatrix::from_fn(n, n, |i, j| match i.abs_diff(j) {
        0 => diagonal[i],
        1 => beside[i.min(j)],
        _ => 0.0,
    });
    let eigen = SymmetricEigen::new(small);
    let at = (0..n).max_by(|&a, &b| eigen.eigenvalues[a].total_cmp(&eigen.eigenvalues[b])).expect("a step was made");
    (eigen.eigenvalues[at], eigen.eigenvectors[(n - 1, at)])
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Probabilities of pairs of `n` levels, some of which never meet.
    fn pairs(n: usize, apart: usize) -> Vec<(usize, usize, f64)> {
        let count = |i: usize, j: usize| ((i * 7919 + j * 104_729 + i * j * 31) % 13) as f64;
        let mut cells = Vec::new();
        for i in 0..n {
            for j in (0..n).filter(|&j| i.abs_diff(j) <= apart) {
                let (low, high) = (i.min(j), i.max(j));
                cells.push((i, j, count(low, high) + f64::from(u8::from(i == j))));
            }
        }
        cells
    }

    #[test]
    fn the_sparse_way_gives_the_dense_value() {
        for (n, apart) in [(60, 60), (200, 5), (200, 60), (333, 332)] {
            let cells = pairs(n, apart);
            let total: f64 = cells.iter().map(|cell| cell.2).sum();
            let mut marginal = vec![0.0; n];
            cells.iter().for_each(|&(i, _, p)| marginal[i] += p / total);
            let scaled: Vec<_> =
                cells.iter().map(|&(i, j, p)| (i, j, p / total / (marginal[i] * marginal[j]).sqrt())).collect();
            let roots: Vec<f64> = marginal.iter().map(|share| share.sqrt()).collect();
            let mut dense = DMatrix::<f64>::zeros(n, n);
            scaled.iter().for_each(|&(i, j, value)| dense[(i, j)] += value);
            let mut sizes: Vec<f64> = dense.symmetric_eigenvalues().iter().map(|value| value.abs()).collect();
            sizes.sort_by(|a, b| b.total_cmp(a));
            let found = second_singular_value(scaled, &roots, &roots);
            assert!((found - sizes[1]).abs() < 1e-12, "{n} {apart}: {found} {}", sizes[1]);
        }
    }

    #[test]
    fn two_groups_of_levels_that_never_meet_give_1() {
        let cells: Vec<_> =
            (0..100).flat_map(|i| (0..100).filter(move |j| i % 2 == j % 2).map(move |j| (i, j, 0.02))).collect();
        let roots = vec![0.1; 100];
        assert!((second_singular_value(cells, &roots, &roots) - 1.0).abs() < 1e-12);
    }
}
