//! Chi-square tests of a contingency table.

use crate::stats::distribution::chi2_sf;
use crate::stats::two_groups::Test;

/// Counts, one row a level and one column a group; rows and columns without any count are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    cells: Vec<Vec<usize>>,
    row_sums: Vec<usize>,
    column_sums: Vec<usize>,
    n: usize,
}

impl Counts {
    /// From rows of equal length.
    pub fn new(rows: &[Vec<usize>]) -> Counts {
        let n_columns = rows.first().map_or(0, Vec::len);
        assert!(rows.iter().all(|row| row.len() == n_columns), "rows of a table have one length");
        let kept: Vec<usize> = (0..n_columns).filter(|&j| rows.iter().any(|row| row[j] > 0)).collect();
        let rows = rows.iter().filter(|row| row.iter().any(|&count| count > 0));
        let cells: Vec<Vec<usize>> = rows.map(|row| kept.iter().map(|&j| row[j]).collect()).collect();
        let row_sums: Vec<usize> = cells.iter().map(|row| row.iter().sum()).collect();
        let column_sums = (0..kept.len()).map(|j| cells.iter().map(|row| row[j]).sum()).collect();
        let n = row_sums.iter().sum();
        Counts { cells, row_sums, column_sums, n }
    }

    pub fn n(&self) -> usize {
        self.n
    }

    pub fn cells(&self) -> &[Vec<usize>] {
        &self.cells
    }

    pub fn row_sums(&self) -> &[usize] {
        &self.row_sums
    }

    pub fn column_sums(&self) -> &[usize] {
        &self.column_sums
    }

    /// Two rows and two columns.
    pub fn is_two_by_two(&self) -> bool {
        self.row_sums.len() == 2 && self.column_sums.len() == 2
    }

    /// Counts expected under independence, row by row.
    pub fn expected(&self) -> Vec<Vec<f64>> {
        let n = self.n as f64;
        self.row_sums.iter().map(|&r| self.column_sums.iter().map(|&c| r as f64 * c as f64 / n).collect()).collect()
    }

    /// The share of cells with an expected count below `limit`, and the smallest expected count.
    pub fn sparseness(&self, limit: f64) -> (f64, f64) {
        let expected: Vec<f64> = self.expected().into_iter().flatten().collect();
        let below = expected.iter().filter(|&&count| count < limit).count();
        (below as f64 / expected.len().max(1) as f64, expected.into_iter().fold(f64::INFINITY, f64::min))
    }

    fn df(&self) -> Option<f64> {
        let df = (self.row_sums.len().max(1) - 1) * (self.column_sums.len().max(1) - 1);
        (df > 0).then_some(df as f64)
    }

    /// Σ over cells of f(observed, expected).
    fn sum(&self, f: impl Fn(f64, f64) -> f64) -> f64 {
        let expected = self.expected();
        let cells = self.cells.iter().flatten().zip(expected.iter().flatten());
        cells.map(|(&observed, &expected)| f(observed as f64, expected)).sum()
    }
}

fn chi2(statistic: f64, df: f64) -> Test {
    Test { statistic, df, p: chi2_sf(statistic, df) }
}

/// Pearson's chi-square without continuity correction; `None` for a table of one row or column.
pub fn pearson(counts: &Counts) -> Option<Test> {
    Some(chi2(counts.sum(|o, e| (o - e).powi(2) / e), counts.df()?))
}

/// Pearson's chi-square with Yates' continuity correction, never beyond zero (as R and SPSS); 2 x 2 only.
pub fn yates(counts: &Counts) -> Option<Test> {
    counts.is_two_by_two().then(|| chi2(counts.sum(|o, e| ((o - e).abs() - 0.5).max(0.0).powi(2) / e), 1.0))
}

/// The likelihood-ratio chi-square G².
pub fn likelihood_ratio(counts: &Counts) -> Option<Test> {
    let df = counts.df()?;
    let g2 = 2.0 * counts.sum(|o, e| if o > 0.0 { o * (o / e).ln() } else { 0.0 });
    Some(chi2(g2.max(0.0), df))
}

/// Mantel's linear-by-linear association (n - 1) r² with scores 1, 2, ... for rows and columns, df 1.
pub fn linear_by_linear(counts: &Counts) -> Option<Test> {
    counts.df()?;
    let n = counts.n as f64;
    let mean = |sums: &[usize]| sums.iter().enumerate().map(|(at, &sum)| at as f64 * sum as f64).sum::<f64>() / n;
    let (row_mean, column_mean) = (mean(&counts.row_sums), mean(&counts.column_sums));
    let square = |sums: &[usize], mean: f64| -> f64 {
        sums.iter().enumerate().map(|(at, &sum)| (at as f64 - mean).powi(2) * sum as f64).sum()
    };
    let mut product = 0.0;
    for (i, row) in counts.cells.iter().enumerate() {
        for (j, &count) in row.iter().enumerate() {
            product += (i as f64 - row_mean) * (j as f64 - column_mean) * count as f64;
        }
    }
    let spread = square(&counts.row_sums, row_mean) * square(&counts.column_sums, column_mean);
    Some(chi2((n - 1.0) * product * product / spread, 1.0))
}

/// Cramér's V, from Pearson's chi-square, without bias correction.
pub fn cramers_v(counts: &Counts) -> Option<f64> {
    let smaller = counts.row_sums.len().min(counts.column_sums.len());
    pearson(counts).map(|test| (test.statistic / (counts.n as f64 * (smaller - 1) as f64)).sqrt())
}

/// The standardised difference of two groups' level shares (Yang and Dalton 2012): |p1 - p2| over the root of the
/// mean variance for two levels, the Mahalanobis distance of the shares for more.
///
/// `None` unless there are two groups and the shares vary.
pub fn standardised_difference(counts: &Counts) -> Option<f64> {
    if counts.column_sums.len() != 2 || counts.row_sums.len() < 2 {
        return None;
    }
    let k = counts.row_sums.len() - 1;
    if k > 200 {
        return None;
    }
    let share = |level: usize, group: usize| counts.cells[level][group] as f64 / counts.column_sums[group] as f64;
    let difference = nalgebra::DVector::from_fn(k, |i, _| share(i, 0) - share(i, 1));
    let covariance = nalgebra::DMatrix::from_fn(k, k, |i, j| {
        let of = |group: usize| {
            if i == j { share(i, group) * (1.0 - share(i, group)) } else { -share(i, group) * share(j, group) }
        };
        (of(0) + of(1)) / 2.0
    });
    let solved = covariance.cholesky()?.solve(&difference);
    Some(difference.dot(&solved).max(0.0).sqrt()).filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_levels_and_groups_do_not_count() {
        let counts = Counts::new(&[vec![3, 0, 4], vec![0, 0, 0], vec![5, 0, 1]]);
        assert_eq!(counts.cells(), [[3, 4], [5, 1]]);
        assert!(counts.is_two_by_two());
        let constant = Counts::new(&[vec![3, 4]]);
        assert_eq!((pearson(&constant), cramers_v(&constant), linear_by_linear(&constant)), (None, None, None));
        assert_eq!(pearson(&Counts::new(&[])), None);
    }

    #[test]
    fn the_difference_of_two_shares_is_that_of_austin() {
        let counts = Counts::new(&[vec![10, 15], vec![30, 25]]);
        let (p, q): (f64, f64) = (0.25, 0.375);
        let expected = (p - q).abs() / ((p * (1.0 - p) + q * (1.0 - q)) / 2.0).sqrt();
        assert!((standardised_difference(&counts).unwrap() - expected).abs() < 1e-14);
    }
}
