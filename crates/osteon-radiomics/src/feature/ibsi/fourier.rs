//! The discrete Fourier transform in three dimensions, for lengths that are powers of two.

use nalgebra::Complex;

/// In place, unscaled, x fastest.
pub fn transform(cells: &mut [Complex<f64>], shape: [usize; 3]) {
    let strides = [shape[1] * shape[2], shape[2], 1];
    for axis in 0..3 {
        let (n, stride) = (shape[axis], strides[axis]);
        let roots: Vec<Complex<f64>> =
            (0..n / 2).map(|k| Complex::from_polar(1.0, -std::f64::consts::TAU * k as f64 / n as f64)).collect();
        let mut line = vec![Complex::default(); n];
        for block in cells.chunks_exact_mut(n * stride) {
            for first in 0..stride {
                line.iter_mut().zip(block[first..].iter().step_by(stride)).for_each(|(own, cell)| *own = *cell);
                transform_line(&mut line, &roots);
                block[first..].iter_mut().step_by(stride).zip(&line).for_each(|(cell, own)| *cell = *own);
            }
        }
    }
}

/// Cooley and Tukey 1965: bits reversed, then butterflies over doubling lengths.
fn transform_line(line: &mut [Complex<f64>], roots: &[Complex<f64>]) {
    let n = line.len();
    if n < 2 {
        return;
    }
    let unused = usize::BITS - n.trailing_zeros();
    for at in 0..n {
        let reversed = at.reverse_bits() >> unused;
        if at < reversed {
            line.swap(at, reversed);
        }
    }
    let mut half = 1;
    while half < n {
        for block in line.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for ((a, b), root) in low.iter_mut().zip(high).zip(roots.iter().step_by(n / 2 / half)) {
                let turned = *b * root;
                (*a, *b) = (*a + turned, *a - turned);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transform_is_the_sum_that_defines_it() {
        let shape = [2, 4, 8];
        let cells: Vec<Complex<f64>> = (0..64).map(|k| Complex::new((k * k % 7) as f64, (k % 5) as f64)).collect();
        let mut found = cells.clone();
        transform(&mut found, shape);
        let place = |at: usize| [at / 32, at / 8 % 4, at % 8];
        for (k, found) in found.iter().enumerate() {
            let term = |(at, cell): (usize, &Complex<f64>)| {
                let turns: f64 = (0..3).map(|d| (place(at)[d] * place(k)[d]) as f64 / shape[d] as f64).sum();
                cell * Complex::from_polar(1.0, -std::f64::consts::TAU * turns)
            };
            let expected: Complex<f64> = cells.iter().enumerate().map(term).sum();
            assert!((found - expected).norm() < 1e-12);
        }
    }
}
