//! The discrete Fourier transform in three dimensions: by butterflies for lengths that are powers of two, by their
//! divisors for others.

pub type Complex = nalgebra::Complex<f64>;

/// In place, unscaled, x fastest.
pub fn transform(cells: &mut [Complex], shape: [usize; 3]) {
    let strides = [shape[1] * shape[2], shape[2], 1];
    for axis in 0..3 {
        let (n, stride) = (shape[axis], strides[axis]);
        let root = |k: usize| Complex::from_polar(1.0, -std::f64::consts::TAU * k as f64 / n as f64);
        let roots: Vec<Complex> = (0..if n.is_power_of_two() { n / 2 } else { n }).map(root).collect();
        let mut line = vec![Complex::default(); n];
        for block in cells.chunks_exact_mut(n * stride) {
            for first in 0..stride {
                line.iter_mut().zip(block[first..].iter().step_by(stride)).for_each(|(own, cell)| *own = *cell);
                if n.is_power_of_two() {
                    transform_line(&mut line, &roots);
                } else {
                    line = mixed(&line, 1, n, &roots);
                }
                block[first..].iter_mut().step_by(stride).zip(&line).for_each(|(cell, own)| *cell = *own);
            }
        }
    }
}

/// The way back, scaled: `inverse` of `transform` changes nothing.
pub fn inverse(cells: &mut [Complex], shape: [usize; 3]) {
    let n = cells.len() as f64;
    cells.iter_mut().for_each(|cell| *cell = cell.conj());
    transform(cells, shape);
    cells.iter_mut().for_each(|cell| *cell = cell.conj() / n);
}

/// Cooley and Tukey 1965 for any length: transforms of every p-th cell, p the least divisor, put together.
fn mixed(line: &[Complex], apart: usize, n: usize, roots: &[Complex]) -> Vec<Complex> {
    // Roots are those of the whole line, which the recursion strides through.
    let step = roots.len() / n;
    let p = (2..=n).take_while(|p| p * p <= n).find(|p| n.is_multiple_of(*p)).unwrap_or(n);
    let m = n / p;
    let parts: Vec<Vec<Complex>> = if m == 1 {
        (0..p).map(|r| vec![line[r * apart]]).collect()
    } else {
        (0..p).map(|r| mixed(&line[r * apart..], apart * p, m, roots)).collect()
    };
    let term = |k: usize| parts.iter().enumerate().map(|(r, part)| part[k % m] * roots[r * k % n * step]).sum();
    (0..n).map(term).collect()
}

/// Cooley and Tukey 1965: bits reversed, then butterflies over doubling lengths.
fn transform_line(line: &mut [Complex], roots: &[Complex]) {
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
        for shape in [[2, 4, 8], [3, 4, 5], [1, 12, 7], [18, 1, 9]] {
            let n: usize = shape.iter().product();
            let cells: Vec<Complex> = (0..n).map(|k| Complex::new((k * k % 7) as f64, (k % 5) as f64)).collect();
            let mut found = cells.clone();
            transform(&mut found, shape);
            let place = |at: usize| [at / (shape[1] * shape[2]), at / shape[2] % shape[1], at % shape[2]];
            for (k, found) in found.iter().enumerate() {
                let term = |(at, cell): (usize, &Complex)| {
                    let turns: f64 = (0..3).map(|d| (place(at)[d] * place(k)[d]) as f64 / shape[d] as f64).sum();
                    cell * Complex::from_polar(1.0, -std::f64::consts::TAU * turns)
                };
                let expected: Complex = cells.iter().enumerate().map(term).sum();
                assert!((found - expected).norm() < 1e-12);
            }
            inverse(&mut found, shape);
            assert!(found.iter().zip(&cells).all(|(a, b)| (a - b).norm() < 1e-12));
        }
    }
}
