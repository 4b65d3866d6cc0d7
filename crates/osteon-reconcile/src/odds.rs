//! The odds ratio of a two-by-two table with its Wald interval and p.

use crate::printed::Interval;
use osteon_stats::stats::distribution::{Z_975, normal_two_sided};

/// Counts of events and others among the exposed and the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TwoByTwo {
    pub event_exposed: u64,
    pub other_exposed: u64,
    pub event_rest: u64,
    pub other_rest: u64,
}

/// Estimate, limits and p; the limits span the quantiles 1.96 and 1.959964, both in use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OddsRatio {
    pub estimate: f64,
    pub low: Interval,
    pub high: Interval,
    pub p: f64,
}

const QUANTILES: [f64; 2] = [1.96, Z_975];

/// The Wald odds ratio (Woolf's standard error); `None` when a cell is empty.
pub fn wald(table: &TwoByTwo) -> Option<OddsRatio> {
    let [a, b, c, d] =
        [table.event_exposed, table.other_exposed, table.event_rest, table.other_rest].map(|count| count as f64);
    let log = (a * d / (b * c)).ln();
    let error = (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt();
    if !log.is_finite() || !error.is_finite() {
        return None;
    }
    let limit = |side: f64| Interval::spanning(QUANTILES[0], QUANTILES[1]).map(|z| (log + side * z * error).exp());
    Some(OddsRatio { estimate: log.exp(), low: limit(-1.0), high: limit(1.0), p: normal_two_sided(log / error) })
}

impl TwoByTwo {
    /// The other reference level, or the other outcome as the event.
    pub fn inverted(self) -> TwoByTwo {
        TwoByTwo {
            event_exposed: self.event_rest,
            other_exposed: self.other_rest,
            event_rest: self.event_exposed,
            other_rest: self.other_exposed,
        }
    }
}
