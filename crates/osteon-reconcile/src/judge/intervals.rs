//! How many events and others a set has, from the intervals of its scores: an interval of a share says its number of
//! patients, where a usual formula gives it.

use std::collections::BTreeMap;

use crate::judge::limits::{METHODS, Method};
use crate::metrics::{SENSITIVITY, SPECIFICITY};
use crate::models::Model;
use crate::printed::Printed;
use osteon_stats::stats::distribution::Z_975;

/// The largest group tried.
const LARGEST: i64 = 2000;
/// Rows whose intervals must be of one number before it is believed.
const FEWEST: usize = 2;

/// Events and others, where two rows and two thirds of them have intervals of each by one formula.
pub fn sizes(rows: &[&Model]) -> Option<(i64, i64)> {
    METHODS.into_iter().find_map(|method| {
        let (events, others) = (size(rows, SENSITIVITY, method)?, size(rows, SPECIFICITY, method)?);
        Some((events, others))
    })
}

fn size(rows: &[&Model], score: usize, method: Method) -> Option<i64> {
    let own: Vec<[Printed; 3]> = rows
        .iter()
        .filter_map(|row| {
            let at = row.scores.iter().position(|(it, _)| *it == score)?;
            let (low, high) = row.limits[at]?;
            Some([row.scores[at].1, low, high])
        })
        .collect();
    let mut votes: BTreeMap<i64, usize> = BTreeMap::new();
    for [share, low, high] in &own {
        // About z² p (1 - p) / h² patients have an interval of this half width.
        let (p, half) = (share.value(), 0.5 * (high.value() - low.value()));
        let about = Z_975 * Z_975 * p * (1.0 - p) / (half * half).max(1e-9);
        let range = (0.6 * about) as i64 - 5..=(1.6 * about) as i64 + 10;
        let fits = |n: i64| {
            share.numerators(n).filter(|x| (0..=n).contains(x)).any(|x| {
                let [from, to] = method.of(x, n).unwrap_or([-1.0, -1.0]);
                low.is(from) && high.is(to)
            })
        };
        for n in (2..=LARGEST).filter(|&n| range.contains(&n) && fits(n)) {
            *votes.entry(n).or_default() += 1;
        }
    }
    let most = *votes.values().max()?;
    let mut best = votes.iter().filter(|(_, count)| **count == most);
    let (&n, _) = best.next()?;
    (best.next().is_none() && most >= FEWEST && 3 * most >= 2 * own.len()).then_some(n)
}
