//! z-scores learnt from training rows, and the columns that have any variance.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use osteon_base::wide::wide;

/// A column varies when its range exceeds this part of its largest magnitude: below it only rounding differs.
const NOISE: f64 = 1e-12;

/// Mean and population SD (divided by n, as scikit-learn and glmnet) of each column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    pub means: Vec<f64>,
    /// 1 for a constant column.
    pub sds: Vec<f64>,
}

impl Scaling {
    /// Learnt from `x`, rows x columns.
    pub fn of(x: ArrayView2<f64>) -> Scaling {
        let n = x.nrows().max(1) as f64;
        // Row after row, as the memory lies: each column is still added up in the order of its rows.
        let (mut means, mut squares) = (vec![0.0; x.ncols()], vec![0.0; x.ncols()]);
        for row in x.rows() {
            means.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        }
        means.iter_mut().for_each(|sum| *sum /= n);
        for row in x.rows() {
            let add = |((sum, value), mean): ((&mut f64, &f64), &f64)| *sum += (value - mean).powi(2);
            squares.iter_mut().zip(row).zip(&means).for_each(add);
        }
        let varies = varies(x);
        let sd = |(squares, varies): (&f64, &bool)| if *varies { (squares / n).sqrt() } else { 1.0 };
        let sds = squares.iter().zip(&varies).map(sd).collect();
        Scaling { means, sds }
    }

    /// (value - mean) / SD of column `k`.
    pub fn z(&self, k: usize, value: f64) -> f64 {
        (value - self.means[k]) / self.sds[k]
    }

    /// (x - mean) / SD.
    pub fn apply(&self, x: ArrayView2<f64>) -> Array2<f64> {
        let mut z = x.to_owned();
        for (j, mut column) in z.axis_iter_mut(Axis(1)).enumerate() {
            column.mapv_inplace(|value| (value - self.means[j]) / self.sds[j]);
        }
        z
    }
}

wide! {
    /// Mean and population SD of one column, 1 where it is constant: those of `Scaling` but for the order of additions.
    pub fn mean_and_sd(column: &[f64]) -> (f64, f64) {
        let n = column.len().max(1) as f64;
        let mean = sum(column, |value| value) / n;
        let sd = (sum(column, |value| (value - mean) * (value - mean)) / n).sqrt();
        // A range is at least twice the SD, no magnitude is more than this: mostly the range need not be looked for.
        let most = mean.abs() + n.sqrt() * sd;
        (mean, if sd > NOISE * most || is_spread(column) { sd } else { 1.0 })
    }
}

/// Sum with eight running sums: the order of additions is fixed and the compiler can vectorise it.
#[inline(always)]
fn sum(column: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let (whole, rest) = column.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for values in whole {
        (0..8).for_each(|k| sums[k] += of(values[k]));
    }
    let [a, b, c, d, e, f, g, h] = sums;
    let rest: f64 = rest.iter().map(|&value| of(value)).sum();
    ((a + e) + (c + g)) + ((b + f) + (d + h)) + rest
}

fn is_spread(column: &[f64]) -> bool {
    let low = column.iter().copied().fold(f64::INFINITY, f64::min);
    let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    high - low > NOISE * low.abs().max(high.abs())
}

/// Positions of the columns that are not constant.
pub fn varying(x: ArrayView2<f64>) -> Vec<usize> {
    let varies = varies(x);
    (0..x.ncols()).filter(|&j| varies[j]).collect()
}

fn varies(x: ArrayView2<f64>) -> Vec<bool> {
    let (mut low, mut high) = (vec![f64::INFINITY; x.ncols()], vec![f64::NEG_INFINITY; x.ncols()]);
    for row in x.rows() {
        low.iter_mut().zip(row).for_each(|(low, value)| *low = low.min(*value));
        high.iter_mut().zip(row).for_each(|(high, value)| *high = high.max(*value));
    }
    low.iter().zip(&high).map(|(low, high)| high - low > NOISE * low.abs().max(high.abs())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn constant_columns_are_found_and_scale_to_zero() {
        let x = array![[1.0, 7.0, 0.1], [2.0, 7.0, 0.1 + 1e-17], [3.0, 7.0, 0.1]];
        assert_eq!(varying(x.view()), [0]);
        let z = Scaling::of(x.view()).apply(x.view());
        assert!((z[[2, 0]] - 1.5_f64.sqrt()).abs() < 1e-15);
        assert!(z.column(1).iter().all(|&value| value == 0.0));
    }
}
