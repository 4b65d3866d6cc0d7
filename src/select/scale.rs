//! z-scores learnt from training rows, and the columns that have any variance.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

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
        let means: Vec<f64> = x.axis_iter(Axis(1)).map(|column| column.iter().sum::<f64>() / n).collect();
        let sd = |(column, mean): (ndarray::ArrayView1<f64>, &f64)| {
            let squares: f64 = column.iter().map(|value| (value - mean).powi(2)).sum();
            if varies(column) { (squares / n).sqrt() } else { 1.0 }
        };
        let sds = x.axis_iter(Axis(1)).zip(&means).map(sd).collect();
        Scaling { means, sds }
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

/// Positions of the columns that are not constant.
pub fn varying(x: ArrayView2<f64>) -> Vec<usize> {
    (0..x.ncols()).filter(|&j| varies(x.column(j))).collect()
}

fn varies(column: ndarray::ArrayView1<f64>) -> bool {
    let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
    for &value in column {
        low = low.min(value);
        high = high.max(value);
    }
    high - low > NOISE * low.abs().max(high.abs())
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
