//! Columns that are exact copies of earlier ones: |r| = 1 over the rows.

use ndarray::ArrayView2;
use osteon_base::seed::Seed;

/// Distance of two z-scored columns from which they are no copies: 1 - |r| below 1e-12, which rounding reaches.
const SAME: f64 = 1e-12;

/// For each column of z-scores (rows x columns), the first column that it is a copy of, up to sign; `None` for the
/// first of its kind.
///
/// Copies have the same projection on any direction, up to sign: columns are sorted by one and compared with those
/// beside them, so that the time grows as n log n.
pub fn copies(z: ArrayView2<f64>) -> Vec<Option<usize>> {
    let n = z.nrows() as f64;
    // A direction that no feature knows of.
    let direction: Vec<f64> = (0..z.nrows())
        .map(|row| (Seed(1).named("copies").nth(row).0 >> 11) as f64 / (1_u64 << 53) as f64 - 0.5)
        .collect();
    let length = direction.iter().map(|value| value * value).sum::<f64>().sqrt();
    let project = |column: usize| z.column(column).iter().zip(&direction).map(|(z, d)| z * d).sum::<f64>().abs();
    let keys: Vec<f64> = (0..z.ncols()).map(project).collect();
    let mut order: Vec<usize> = (0..z.ncols()).collect();
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]).then(a.cmp(&b)));
    // |z1 - z2|^2 = 2 n (1 - r): projections of copies are no farther apart than this.
    let reach = (2.0 * n * SAME).sqrt() * length;
    let correlation = |a: usize, b: usize| z.column(a).dot(&z.column(b)) / n;
    let is_copy = |a: usize, b: usize| 1.0 - correlation(a, b).abs() <= SAME;
    let mut of: Vec<Option<usize>> = vec![None; z.ncols()];
    for (at, &column) in order.iter().enumerate() {
        let near = order[..at].iter().rev().take_while(|&&other| keys[column] - keys[other] <= reach);
        let first = near.filter(|&&other| is_copy(column, other)).map(|&other| root(&of, other)).min();
        if let Some(first) = first {
            let (kept, copy) = (first.min(column), first.max(column));
            of[copy] = Some(kept);
        }
    }
    (0..z.ncols()).map(|column| of[column].map(|other| root(&of, other))).collect()
}

/// The first of the kind of a column.
fn root(of: &[Option<usize>], column: usize) -> usize {
    let mut at = column;
    while let Some(next) = of[at] {
        at = next;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::scale::Scaling;

    #[test]
    fn copies_up_to_scale_sign_and_shift_are_found_and_near_copies_are_not() {
        let x = |row: usize, k: u64| (Seed(k).nth(row).0 >> 11) as f64 / (1_u64 << 53) as f64;
        let values = ndarray::Array2::from_shape_fn((40, 7), |(row, column)| match column {
            0 => x(row, 1),
            1 => x(row, 2),
            2 => 1e6 * x(row, 1) + 3.0,
            3 => 5.0 - x(row, 2) / 7.0,
            4 => x(row, 1) + 1e-4 * x(row, 3),
            5 => -x(row, 1),
            _ => x(row, 4),
        });
        let z = Scaling::of(values.view()).apply(values.view());
        assert_eq!(copies(z.view()), [None, None, Some(0), Some(1), None, Some(0), None]);
    }
}
