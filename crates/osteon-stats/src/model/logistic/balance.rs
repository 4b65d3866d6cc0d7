//! Whether events are separated, decided without a fit.
//!
//! Turn the rows without the event round. By Stiemke's theorem there is a separating direction exactly when no weights
//! of at least 1 balance the rows, Σ (1 + μ) row = 0. The shortest sum that weights can reach (non-negative least
//! squares, Lawson and Hanson 1974) then is such a direction itself: no row points away from it.

use nalgebra::{DMatrix, DVector};

/// Against rounding, relative to rows of length 1.
const ZERO: f64 = 1e-9;
/// Rows that a direction tells so little are left to the next one.
const TOLD: f64 = 1e-6;

/// A direction with no row on its wrong side and as many as possible strictly on the right one; `None` where there is
/// none.
pub fn direction(x: &DMatrix<f64>, event: &[bool]) -> Option<DVector<f64>> {
    let rows = signed(x, event);
    let mut left: Vec<usize> = (0..rows.nrows()).collect();
    let mut whole: Option<DVector<f64>> = None;
    // What one direction tells, the next need not respect: a small enough part of it changes no side.
    while !left.is_empty() {
        let Some(found) = shortest_sum(&rows.select_rows(&left)) else { break };
        let margins = &rows * &found;
        let told = |row: &usize| margins[*row] > TOLD;
        if left.iter().any(|&row| margins[row] < -TOLD) || !left.iter().any(told) {
            break;
        }
        whole = Some(match whole {
            None => found,
            Some(whole) => {
                let sides = &rows * &whole;
                let ratio = |row: usize| if margins[row] < 0.0 { sides[row] / -margins[row] } else { 1.0 };
                let done = (0..rows.nrows()).filter(|row| !left.contains(row));
                let share = done.map(ratio).fold(1.0, f64::min) / 2.0;
                whole + found * share
            }
        });
        left.retain(|row| !told(row));
    }
    whole
}

/// Rows of length 1, those without the event turned round.
fn signed(x: &DMatrix<f64>, event: &[bool]) -> DMatrix<f64> {
    let mut rows = x.clone();
    for (mut row, &event) in rows.row_iter_mut().zip(event) {
        let length = row.norm();
        row /= if event { length } else { -length };
    }
    rows
}

/// The shortest Σ (1 + μ) row over μ >= 0, made 1 long; `None` when the rows can be balanced.
fn shortest_sum(rows: &DMatrix<f64>) -> Option<DVector<f64>> {
    let (n, k) = rows.shape();
    let plain = rows.row_sum_tr();
    let mut weights = DVector::<f64>::zeros(n);
    let mut free: Vec<usize> = Vec::new();
    let mut sum = plain.clone();
    for _ in 0..3 * n + 10 * k {
        // The row that shortens the sum most.
        let along = rows * &sum;
        let candidates = (0..n).filter(|row| !free.contains(row));
        let Some(steepest) = candidates.min_by(|&a, &b| along[a].total_cmp(&along[b])) else { break };
        if along[steepest] >= -ZERO * sum.norm() {
            break;
        }
        free.push(steepest);
        settle(rows, &plain, &mut free, &mut weights)?;
        sum = &plain + rows.tr_mul(&weights);
        if sum.norm() <= ZERO * n as f64 {
            return None;
        }
    }
    (sum.norm() > ZERO * n as f64).then(|| sum.normalize())
}

/// The best weights of the free rows, those that would turn negative put back to 0; `None` when rounding leaves none.
fn settle(rows: &DMatrix<f64>, plain: &DVector<f64>, free: &mut Vec<usize>, weights: &mut DVector<f64>) -> Option<()> {
    while !free.is_empty() {
        let columns = rows.select_rows(free.iter()).transpose();
        let wanted = columns.svd(true, true).solve(&-plain, 1e-13).ok()?;
        if wanted.iter().all(|&weight| weight > 0.0) {
            free.iter().zip(&wanted).for_each(|(&row, &weight)| weights[row] = weight);
            return Some(());
        }
        let reach = |(&row, &wanted): (&usize, &f64)| weights[row] / (weights[row] - wanted);
        let falling = free.iter().zip(&wanted).filter(|(_, wanted)| **wanted <= 0.0);
        let share = falling.map(reach).fold(1.0, f64::min);
        for (&row, &wanted) in free.iter().zip(&wanted) {
            weights[row] += share * (wanted - weights[row]);
        }
        let emptied: Vec<usize> = free.iter().copied().filter(|&row| weights[row] <= 1e-14).collect();
        emptied.iter().for_each(|&row| weights[row] = 0.0);
        free.retain(|row| !emptied.contains(row));
    }
    Some(())
}
