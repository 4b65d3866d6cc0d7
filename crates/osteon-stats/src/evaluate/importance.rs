//! Permutation importance: how much AUC is lost when one feature is shuffled among the rows.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::evaluate::roc;
use osteon_base::seed::Seed;

/// Mean and SD of the loss over the repeats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Importance {
    pub mean: f64,
    pub sd: f64,
}

/// One value a column of `x` (rows x columns); `None` without both classes. Breiman (2001), with AUC as the measure.
pub fn permutation(
    x: ArrayView2<f64>,
    event: &[bool],
    predict: impl Fn(ArrayView2<f64>) -> Vec<f64> + Sync,
    n_repeats: usize,
    seed: Seed,
) -> Option<Vec<Importance>> {
    let auc = |x: ArrayView2<f64>| roc::auc(&predict(x), event).map(|auc| auc.auc);
    let whole = auc(x)?;
    let loss = |column: usize, repeat: usize| {
        let seed = seed.nth(column).nth(repeat);
        let mut order: Vec<usize> = (0..x.nrows()).collect();
        order.sort_by_key(|&row| seed.nth(row).0);
        let mut shuffled = x.to_owned();
        order.iter().enumerate().for_each(|(to, &from)| shuffled[[to, column]] = x[[from, column]]);
        auc(shuffled.view()).map(|auc| whole - auc)
    };
    let of = |column: usize| {
        let losses: Vec<f64> = (0..n_repeats).map(|repeat| loss(column, repeat)).collect::<Option<_>>()?;
        let n = losses.len().max(1) as f64;
        let mean = losses.iter().sum::<f64>() / n;
        let squares: f64 = losses.iter().map(|loss| (loss - mean).powi(2)).sum();
        Some(Importance { mean, sd: (squares / (n - 1.0).max(1.0)).sqrt() })
    };
    (0..x.ncols()).into_par_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    #[test]
    fn only_the_feature_that_is_used_matters() {
        let x = Array2::from_shape_fn((20, 2), |(row, column)| if column == 0 { row as f64 } else { (row % 3) as f64 });
        let event: Vec<bool> = (0..20).map(|row| row >= 10).collect();
        let found = permutation(x.view(), &event, |x| x.column(0).to_vec(), 10, Seed(2)).unwrap();
        assert!(found[0].mean > 0.2, "{found:?}");
        assert_eq!(found[1], Importance { mean: 0.0, sd: 0.0 });
    }
}
