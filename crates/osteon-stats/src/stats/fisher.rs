//! Fisher's exact test: 2 x 2, and Freeman and Halton's for larger tables.
//!
//! The p value is the probability, margins given, of all tables at most as likely as the observed one; as in R,
//! tables within 1e-7 relative of its probability count as equally likely.

use std::collections::BTreeMap;

use statrs::function::factorial::ln_factorial;

use crate::stats::contingency::Counts;
use crate::stats::fisher_rows;

/// ln(1 + 1e-7): what counts as equally likely.
const TIE: f64 = 1e-7;
/// Partial tables whose logarithms agree to this step count as one; far below `TIE`.
const MERGE: f64 = 1e-10;

/// The two-sided p value; `None` for a table of one row or column, or when it would take more than `max_operations`.
pub fn fisher(counts: &Counts, max_operations: usize) -> Option<f64> {
    if counts.row_sums().len() < 2 || counts.column_sums().len() < 2 {
        return None;
    }
    if counts.is_two_by_two() {
        return Some(two_by_two(counts));
    }
    let transposed = counts.column_sums().len() > counts.row_sums().len();
    let (rows, columns) =
        if transposed { (counts.column_sums(), counts.row_sums()) } else { (counts.row_sums(), counts.column_sums()) };
    let observed: f64 = counts.row_sums().iter().map(|&n| ln_factorial(n as u64)).sum::<f64>()
        + counts.column_sums().iter().map(|&n| ln_factorial(n as u64)).sum::<f64>()
        - counts.cells().iter().flatten().map(|&n| ln_factorial(n as u64)).sum::<f64>();
    // In the units of the search: Σ over rows of ln multinomial, without the factorials of the columns.
    let limit = observed - columns.iter().map(|&n| ln_factorial(n as u64)).sum::<f64>() + TIE;
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    match columns {
        [a, b] => fisher_rows::share(&rows, *a.min(b), limit, max_operations),
        columns => Search { rows, limit, operations: max_operations }.p(columns),
    }
}

/// The hypergeometric distribution by the ratios of neighbours, outwards from its mode.
fn two_by_two(counts: &Counts) -> f64 {
    let (row, column, n) = (counts.row_sums()[0], counts.column_sums()[0], counts.n());
    let (low, high) = ((row + column).saturating_sub(n), row.min(column));
    let mode = ((row as u128 + 1) * (column as u128 + 1) / (n as u128 + 2)) as usize;
    let mode = mode.clamp(low, high);
    let up = |x: usize| (row - x) as f64 * (column - x) as f64 / ((x + 1) as f64 * (n + x + 1 - row - column) as f64);
    let mut density = vec![1.0; high - low + 1];
    for x in mode..high {
        density[x + 1 - low] = density[x - low] * up(x);
    }
    for x in (low..mode).rev() {
        density[x - low] = density[x + 1 - low] / up(x);
    }
    let observed = density[counts.cells()[0][0] - low] * (1.0 + TIE);
    let total: f64 = density.iter().sum();
    (density.iter().filter(|&&value| value <= observed).sum::<f64>() / total).min(1.0)
}

/// Row by row through all tables with the given margins; partial tables with the same columns left and the same
/// probability are one (after Mehta and Patel 1983).
struct Search {
    /// Ascending, so that the largest row is dealt with in closed form.
    rows: Vec<usize>,
    /// ln of the largest weight that counts.
    limit: f64,
    operations: usize,
}

/// Columns left, and the rounded logarithm of the partial table's weight.
type Key = (Vec<usize>, i64);

/// The weight of a partial table (logarithm) and how many there are.
type Partial = (f64, f64);

impl Search {
    fn p(mut self, columns: &[usize]) -> Option<f64> {
        let total = multinomial(columns);
        let mut p = 0.0;
        let mut sorted = columns.to_vec();
        sorted.sort_unstable();
        let mut nodes: BTreeMap<Key, Partial> = BTreeMap::from([((sorted, 0), (0.0, 1.0))]);
        for at in 0..self.rows.len() - 1 {
            let mut next: BTreeMap<Key, Partial> = BTreeMap::new();
            for ((left, _), (past, times)) in nodes {
                let mut row = Vec::new();
                let mut found = Vec::new();
                deal(self.rows[at], &left, &mut row, &mut found);
                self.operations = self.operations.checked_sub(found.len())?;
                for row in found {
                    let past = past + multinomial(&row);
                    let mut left: Vec<usize> = left.iter().zip(&row).map(|(left, taken)| left - taken).collect();
                    let rest = multinomial(&left);
                    if past > self.limit {
                        continue;
                    }
                    if past + rest <= self.limit {
                        p += times * (past + rest - total).exp();
                        continue;
                    }
                    left.sort_unstable();
                    let node = next.entry((left, (past / MERGE).round() as i64)).or_insert((past, 0.0));
                    node.1 += times;
                }
            }
            nodes = next;
        }
        p += self.last(&nodes, total);
        Some(p.min(1.0))
    }

    fn last(&self, nodes: &BTreeMap<Key, Partial>, total: f64) -> f64 {
        let weight = |((left, _), (past, times)): (&Key, &Partial)| (past + multinomial(left), *times);
        let counted = nodes.iter().map(weight).filter(|(weight, _)| *weight <= self.limit);
        counted.map(|(weight, times)| times * (weight - total).exp()).sum()
    }
}

/// All ways to take `n` from `left`.
fn deal(n: usize, left: &[usize], row: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
    let Some((&here, rest)) = left.split_first() else {
        if n == 0 {
            found.push(row.clone());
        }
        return;
    };
    let after: usize = rest.iter().sum();
    for x in n.saturating_sub(after)..=here.min(n) {
        row.push(x);
        deal(n - x, rest, row, found);
        row.pop();
    }
}

/// ln of (Σ parts)! / Π parts!.
fn multinomial(parts: &[usize]) -> f64 {
    let sum: usize = parts.iter().sum();
    ln_factorial(sum as u64) - parts.iter().map(|&part| ln_factorial(part as u64)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every table of the given margins, summed up without any cleverness.
    fn by_enumeration(rows: &[Vec<usize>]) -> f64 {
        let counts = Counts::new(rows);
        let mut tables = vec![(counts.column_sums().to_vec(), 0.0)];
        for &row in counts.row_sums() {
            let mut next = Vec::new();
            for (left, past) in &tables {
                let mut found = Vec::new();
                deal(row, left, &mut Vec::new(), &mut found);
                for taken in found {
                    let rest = left.iter().zip(&taken).map(|(left, taken)| left - taken).collect();
                    next.push((rest, past + multinomial(&taken)));
                }
            }
            tables = next;
        }
        let observed: f64 = counts.cells().iter().map(|row| multinomial(row)).sum();
        let total: f64 = tables.iter().map(|(_, weight)| weight.exp()).sum();
        tables.iter().filter(|(_, weight)| *weight <= observed + TIE).map(|(_, weight)| weight.exp()).sum::<f64>()
            / total
    }

    #[test]
    fn every_shape_agrees_with_plain_enumeration() {
        let tables: [&[[usize; 2]]; 4] = [
            &[[3, 1], [1, 3]],
            &[[2, 1], [5, 4], [2, 4]],
            &[[4, 0], [3, 3], [0, 5], [2, 2]],
            &[[1, 2], [3, 0], [2, 2], [0, 4], [5, 1]],
        ];
        for table in tables {
            let rows: Vec<Vec<usize>> = table.iter().map(|row| row.to_vec()).collect();
            let p = fisher(&Counts::new(&rows), 1_000_000).unwrap();
            assert!((p / by_enumeration(&rows) - 1.0).abs() < 1e-12, "{table:?}: {p}");
        }
        let wide = [vec![3, 1, 2, 0], vec![0, 2, 4, 1], vec![2, 2, 0, 3]];
        let p = fisher(&Counts::new(&wide), 1_000_000).unwrap();
        assert!((p / by_enumeration(&wide) - 1.0).abs() < 1e-12, "{p}");
    }

    #[test]
    fn large_tables_of_two_columns_keep_nine_digits() {
        let check = |rows: &[[usize; 2]], p: f64| {
            let rows: Vec<Vec<usize>> = rows.iter().map(|row| row.to_vec()).collect();
            let found = fisher(&Counts::new(&rows), 5_000_000).unwrap();
            assert!((found / p - 1.0).abs() < 1e-9, "{found}, expected {p}");
        };
        // NumPy: one minus the sum over all tables likelier than this one. R 4.2.2 has 0.73202222: its pasts within 1e-7
        // are one.
        check(&[[264, 303], [420, 417], [397, 420], [461, 463], [376, 378], [414, 450]], 0.7320221184485773);
        // R 4.2.2, fisher.test with a workspace of 2e7.
        let tail = [[31, 3], [28, 52], [2, 31], [1, 2], [2, 4], [6, 7], [7, 4], [0, 2], [5, 2], [3, 0], [3, 1], [1, 3]];
        check(&tail, 8.22201623700937e-13);
    }

    #[test]
    fn a_table_too_large_for_the_allowance_has_no_p() {
        let rows: Vec<Vec<usize>> = (0..30).map(|at| vec![100 + at, 200 - at]).collect();
        assert_eq!(fisher(&Counts::new(&rows), 100_000), None);
        assert_eq!(fisher(&Counts::new(&[vec![3, 4]]), 100_000), None);
    }
}
