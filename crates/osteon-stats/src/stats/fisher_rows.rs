//! Freeman and Halton's test of r x 2 tables.
//!
//! Row by row, partial tables with the same first column left and the same probability are one (Mehta and Patel 1983).
//! Those that no way to go on can make likelier than the observed table are counted at once; the others meet the sorted
//! tables of the last rows.

use std::collections::BTreeMap;

/// Partial tables whose logarithms agree to this are one; far below what counts as equally likely.
const MERGE: f64 = 1e-11;
/// Tables of the last rows that are made beforehand.
const MADE_BEFOREHAND: usize = 300_000;

/// Tables by weight: its logarithm, ascending, and how many there are.
type Weights = Vec<(f64, f64)>;

/// The share of tables whose Σ ln C(row, x) is at most `limit`, given the rows' sums (ascending) and that of the first
/// column; `None` when more than `operations` partial tables are met.
pub fn share(rows: &[usize], column: usize, limit: f64, mut operations: usize) -> Option<f64> {
    let choose = Choose::new(rows.iter().sum());
    let total = choose.ln(rows.iter().sum(), column);
    let front = front_rows(rows);
    let mut share = 0.0;
    let mut nodes = BTreeMap::from([(column, vec![(0.0, 1.0)])]);
    for at in 0..front {
        let (row, rest) = (rows[at], &rows[at + 1..]);
        let (n_rest, largest) = (rest.iter().sum::<usize>(), largest_sums(rest));
        let mut next: BTreeMap<usize, Weights> = BTreeMap::new();
        for (left, past) in &nodes {
            let sums = Sums::new(past);
            for x in left.saturating_sub(n_rest)..=row.min(*left) {
                let (way, left) = (choose.ln(row, x), left - x);
                let whole = past.partition_point(|(past, _)| past + way + largest[left] <= limit);
                share += sums.up_to(whole, way + choose.ln(n_rest, left) - total);
                let end = past.partition_point(|(past, _)| past + way <= limit);
                if end > whole {
                    operations = operations.checked_sub(end - whole)?;
                    next.entry(left).or_default().extend(past[whole..end].iter().map(|(past, n)| (past + way, *n)));
                }
            }
        }
        next.values_mut().for_each(merge);
        nodes = next;
    }
    let n_last = rows[front..].iter().sum();
    let lasts = last_rows(&rows[front..], nodes.keys().copied(), &choose, &mut operations)?;
    for (left, past) in &nodes {
        let last = &lasts[left];
        let sums = Sums::new(last);
        let own = choose.ln(n_last, *left);
        for (past, n) in past {
            let counted = last.partition_point(|(weight, _)| past + weight <= limit);
            share += n * (past + own - total).exp() * sums.up_to(counted, -own);
        }
    }
    Some(share.min(1.0))
}

/// How many rows are walked through; at least two are left.
fn front_rows(rows: &[usize]) -> usize {
    let mut front = rows.len() - 2;
    let mut tables = rows[front..].iter().fold(1, |tables: usize, row| tables.saturating_mul(row + 1));
    while front > 1 && tables.saturating_mul(rows[front - 1] + 1) <= MADE_BEFOREHAND {
        front -= 1;
        tables *= rows[front] + 1;
    }
    front
}

/// The largest Σ ln C(row, x) for each Σ x: the terms are concave, so the best steps are taken one after the other.
fn largest_sums(rows: &[usize]) -> Vec<f64> {
    let step = |row: usize, x: usize| ((row - x) as f64 / (x + 1) as f64).ln();
    let mut steps: Vec<f64> = rows.iter().flat_map(|&row| (0..row).map(move |x| step(row, x))).collect();
    steps.sort_by(|a, b| b.total_cmp(a));
    let mut sum = 0.0;
    let running = steps.into_iter().map(|step| {
        sum += step;
        sum
    });
    std::iter::once(0.0).chain(running).collect()
}

/// All tables of some rows for each wanted sum of their first column.
fn last_rows(
    rows: &[usize],
    wanted: impl Iterator<Item = usize>,
    choose: &Choose,
    operations: &mut usize,
) -> Option<BTreeMap<usize, Weights>> {
    let (&last, others) = rows.split_last().expect("two rows are left");
    let mut made: BTreeMap<usize, Weights> = BTreeMap::from([(0, vec![(0.0, 1.0)])]);
    for &row in others {
        let mut next: BTreeMap<usize, Weights> = BTreeMap::new();
        for (sum, weights) in &made {
            for x in 0..=row {
                let way = choose.ln(row, x);
                *operations = operations.checked_sub(weights.len())?;
                next.entry(sum + x).or_default().extend(weights.iter().map(|(weight, n)| (weight + way, *n)));
            }
        }
        next.values_mut().for_each(merge);
        made = next;
    }
    let mut found = BTreeMap::new();
    for sum in wanted {
        let mut weights = Vec::new();
        for (before, those) in made.range(sum.saturating_sub(last)..=sum) {
            let way = choose.ln(last, sum - before);
            *operations = operations.checked_sub(those.len())?;
            weights.extend(those.iter().map(|(weight, n)| (weight + way, *n)));
        }
        merge(&mut weights);
        found.insert(sum, weights);
    }
    Some(found)
}

/// In order, equal weights together.
fn merge(weights: &mut Weights) {
    weights.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    weights.dedup_by(|next, kept| {
        let same = next.0 - kept.0 <= MERGE;
        if same {
            kept.1 += next.1;
        }
        same
    });
}

/// Running sums of n exp(weight), in units of the largest weight.
struct Sums {
    unit: f64,
    running: Vec<f64>,
}

impl Sums {
    fn new(weights: &Weights) -> Sums {
        let unit = weights.last().map_or(0.0, |(weight, _)| *weight);
        let mut sum = 0.0;
        let running = weights.iter().map(|(weight, n)| {
            sum += n * (weight - unit).exp();
            sum
        });
        Sums { unit, running: running.collect() }
    }

    /// Of the first `count`, times exp(`factor`).
    fn up_to(&self, count: usize, factor: f64) -> f64 {
        if count == 0 { 0.0 } else { self.running[count - 1] * (self.unit + factor).exp() }
    }
}

/// ln C(n, k) from a table of factorials.
struct Choose(Vec<f64>);

impl Choose {
    fn new(largest: usize) -> Choose {
        Choose((0..=largest as u64).map(statrs::function::factorial::ln_factorial).collect())
    }

    fn ln(&self, n: usize, k: usize) -> f64 {
        self.0[n] - self.0[k] - self.0[n - k]
    }
}
