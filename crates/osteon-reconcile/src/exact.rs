//! Fisher's exact test of tables of any size under a budget: exact where few tables have the margins, and by drawing
//! such tables where there are many.
//!
//! The budget is counted in tables, not in seconds, so that any machine gives the same answer.

use osteon_base::seed::Seed;
use osteon_stats::stats::contingency::Counts;
use osteon_stats::stats::fisher::fisher;
use rand::Rng;

/// Tables with the given margins up to which all are asked: below 100 MB and a second.
const MOST_TABLES: f64 = 1e6;
/// What the exact test may do with them.
const OPERATIONS: usize = 4_000_000;
/// Tables drawn where there are more.
const DRAWN: usize = 40_000;
/// Standard errors within which a drawn p value lies but for one in a thousand.
const ERRORS: f64 = 3.3;
/// Patients beyond which no table is drawn.
const MOST_PATIENTS: usize = 200_000;

/// Fisher's p and how far it may be off: 0 where it is exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exact {
    pub p: f64,
    pub error: f64,
}

/// Whether the exact p is had at once.
pub fn is_cheap(counts: &Counts) -> bool {
    counts.is_two_by_two() || tables(counts) <= 2e4
}

/// Fisher's two-sided p; `None` for a table of one row or column, or of too many patients.
pub fn exact(counts: &Counts) -> Option<Exact> {
    if counts.row_sums().len() < 2 || counts.column_sums().len() < 2 || counts.n() > MOST_PATIENTS {
        return None;
    }
    if (counts.is_two_by_two() || tables(counts) <= MOST_TABLES)
        && let Some(p) = fisher(counts, OPERATIONS)
    {
        return Some(Exact { p, error: 0.0 });
    }
    Some(drawn(counts))
}

/// No fewer tables than have these margins: every row but the largest dealt freely, or every column.
fn tables(counts: &Counts) -> f64 {
    let free = |sums: &[usize], places: usize| -> f64 {
        let largest = sums.iter().copied().max().unwrap_or(0);
        let mut left_out = false;
        sums.iter()
            .filter(|&&sum| sum != largest || std::mem::replace(&mut left_out, true))
            .map(|&sum| (1..places).map(|at| (sum + at) as f64 / at as f64).product::<f64>())
            .product()
    };
    let (rows, columns) = (counts.row_sums(), counts.column_sums());
    free(rows, columns.len()).min(free(columns, rows.len()))
}

/// The share of drawn tables that are at most as likely as the observed one (Patefield 1981 draws cell by cell).
fn drawn(counts: &Counts) -> Exact {
    // The table names its own draws: the same ones whatever else is asked.
    let seed = counts.cells().iter().flatten().fold(Seed(0).named("fisher"), |seed, &cell| seed.nth(cell));
    let mut rng = seed.rng();
    let mut logs = vec![0.0; counts.n() + 1];
    for n in 1..=counts.n() {
        logs[n] = logs[n - 1] + (n as f64).ln();
    }
    let weight = |cell: usize| -logs[cell];
    let observed: f64 = counts.cells().iter().flatten().map(|&cell| weight(cell)).sum();
    let mut few = 0usize;
    for _ in 0..DRAWN {
        let mut columns = counts.column_sums().to_vec();
        let mut all = counts.n();
        let mut sum = 0.0;
        for &row in counts.row_sums() {
            let (mut left, mut below) = (row, all);
            for column in columns.iter_mut() {
                let taken = hypergeometric(rng.random::<f64>(), left, *column, below, &logs);
                sum += weight(taken);
                below -= *column;
                *column -= taken;
                left -= taken;
            }
            all -= row;
        }
        few += usize::from(sum <= observed + 1e-7);
    }
    let p = few as f64 / DRAWN as f64;
    let spread = (p * (1.0 - p)).max(1.0 / DRAWN as f64) / DRAWN as f64;
    Exact { p, error: ERRORS * spread.sqrt() }
}

/// How many of `draws` without return from `all`, of which `white` are white, are white: the value at the quantile
/// `uniform`, searched outwards from the mode.
fn hypergeometric(uniform: f64, draws: usize, white: usize, all: usize, logs: &[f64]) -> usize {
    let (low, high) = ((draws + white).saturating_sub(all), draws.min(white));
    if low == high {
        return low;
    }
    let mode = ((draws as u128 + 1) * (white as u128 + 1) / (all as u128 + 2)) as usize;
    let mode = mode.clamp(low, high);
    let choose = |n: usize, k: usize| logs[n] - logs[k] - logs[n - k];
    let top = (choose(white, mode) + choose(all - white, draws - mode) - choose(all, draws)).exp();
    let mut left = uniform - top;
    if left < 0.0 {
        return mode;
    }
    let up =
        |x: usize| (white - x) as f64 * (draws - x) as f64 / ((x + 1) as f64 * (all + x + 1 - white - draws) as f64);
    let (mut below, mut above) = ((mode, top), (mode, top));
    loop {
        let mut moved = false;
        if above.0 < high {
            above = (above.0 + 1, above.1 * up(above.0));
            left -= above.1;
            moved = true;
            if left < 0.0 {
                return above.0;
            }
        }
        if below.0 > low {
            below = (below.0 - 1, below.1 / up(below.0 - 1));
            left -= below.1;
            moved = true;
            if left < 0.0 {
                return below.0;
            }
        }
        if !moved {
            // What rounding leaves over.
            return mode;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[&[usize]]) -> Counts {
        Counts::new(&rows.iter().map(|row| row.to_vec()).collect::<Vec<_>>())
    }

    #[test]
    fn drawn_tables_give_the_exact_p_within_their_error() {
        for rows in [&[&[12usize, 7, 3][..], &[4, 9, 11]][..], &[&[3, 1, 2], &[0, 2, 4], &[2, 2, 0]]] {
            let counts = counts(rows);
            let (exact, drawn) = (exact(&counts).unwrap(), drawn(&counts));
            assert!(exact.error == 0.0 && (exact.p - drawn.p).abs() <= drawn.error, "{exact:?} {drawn:?}");
        }
    }

    #[test]
    fn large_tables_are_drawn_and_agree_with_other_programs() {
        // NumPy: the sum over all tables of these margins, and SciPy 1.17.1 (fisher_exact by 400,000 draws, standard
        // error 0.0008) for the last.
        for (rows, p) in [
            (&[&[21usize, 2, 7, 0][..], &[57, 39, 24, 12], &[7, 19, 3, 5]][..], 3.834518040681735e-5),
            (&[&[15, 0, 7, 0], &[59, 33, 22, 9], &[11, 27, 5, 8]], 9.279548002455263e-7),
            (&[&[35, 14, 14, 3], &[42, 27, 17, 9], &[8, 19, 3, 5]], 0.00623184655443191),
            (&[&[12, 7, 3], &[4, 9, 11], &[5, 5, 9]], 0.03428454922312664),
            (&[&[125, 28, 70, 21], &[78, 19, 44, 11], &[44, 6, 21, 1], &[35, 7, 18, 3], &[9, 6, 11, 2]], 0.38660),
        ] {
            let found = exact(&counts(rows)).unwrap();
            assert!((found.p - p).abs() <= found.error + 1e-9 + 0.004 * p, "{found:?}, expected {p}");
        }
    }
}
