//! The first principal components of a table of z-scores: where its rows differ most.

use nalgebra::{DMatrix, SymmetricEigen};
use ndarray::ArrayView2;

/// Scores of the rows on the first components.
#[derive(Clone, Debug, PartialEq)]
pub struct Components {
    /// Rows x components; a component's largest score by size is above 0.
    pub scores: Vec<Vec<f64>>,
    /// Share of the whole variance along each.
    pub shares: Vec<f64>,
}

/// The first `n` components of `z` (rows x columns), whose columns are centred here; `None` with fewer than two rows or
/// without variance. From the Gram matrix of the rows, which are fewer than the columns.
pub fn components(z: ArrayView2<f64>, n: usize) -> Option<Components> {
    let rows = z.nrows();
    let means = z.mean_axis(ndarray::Axis(0))?;
    let centred = &z - &means;
    let gram = centred.dot(&centred.t());
    let total: f64 = (0..rows).map(|i| gram[[i, i]]).sum();
    if rows < 2 || total <= 0.0 || !total.is_finite() {
        return None;
    }
    let eigen = SymmetricEigen::new(DMatrix::from_fn(rows, rows, |i, k| gram[[i, k]]));
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    order.truncate(n);
    let column = |&at: &usize| {
        let own: Vec<f64> = eigen.eigenvectors.column(at).iter().copied().collect();
        let largest = own.iter().copied().fold(0.0, |most: f64, x| if x.abs() > most.abs() { x } else { most });
        let length = eigen.eigenvalues[at].max(0.0).sqrt() * largest.signum();
        own.into_iter().map(|x| x * length).collect::<Vec<f64>>()
    };
    let columns: Vec<Vec<f64>> = order.iter().map(column).collect();
    Some(Components {
        scores: (0..rows).map(|row| columns.iter().map(|column| column[row]).collect()).collect(),
        shares: order.iter().map(|&at| eigen.eigenvalues[at].max(0.0) / total).collect(),
    })
}
