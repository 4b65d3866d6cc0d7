//! Whether any sensitivity, specificity and share of events give all printed scores: a check that needs no n.
//!
//! Branch and bound over the share of events. Every score here rises or falls throughout with each of the three
//! shares, so its range over a box lies at the corners, and a box is left when a printed score lies outside its range.
//! Printed sensitivity and specificity are not divided further: each score may use its own value within their digits,
//! which accuses less than a joint search would.

use crate::metrics::{Cells, Printeds, SCORES, SENSITIVITY, SPECIFICITY};
use crate::printed::{Interval, Printed};

/// How far each printed number may be from the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Half a unit of the last digit.
    Rounded,
    /// One unit: rounded, cut off, or off by one.
    Loose,
}

impl Width {
    pub fn of(self, printed: Printed) -> Interval {
        match self {
            Width::Rounded => printed.interval(),
            Width::Loose => printed.loose(),
        }
    }
}

/// Boxes looked at before the answer is "cannot tell", which counts as possible.
const MOST_BOXES: usize = 20_000;
/// Boxes smaller than this in all three directions are possible as far as `f64` can tell.
const LEAST: f64 = 1e-7;
/// A sensitivity or specificity known better than this is a printed one.
const COARSE: f64 = 0.03;

/// The printed scores of one row as constraints.
#[derive(Clone, Debug)]
pub struct Region {
    sensitivity: Interval,
    specificity: Interval,
    others: Vec<(usize, Interval)>,
}

type Box3 = [Interval; 3];

impl Region {
    pub fn new(scores: &Printeds, width: Width) -> Region {
        let unit = Interval { low: 0.0, high: 1.0 };
        let (mut sensitivity, mut specificity, mut others) = (unit, unit, Vec::new());
        for &(score, printed) in scores.iter().filter(|(score, _)| SCORES[*score].is_monotone) {
            let interval = widened(width.of(printed));
            let own = match score {
                SENSITIVITY => &mut sensitivity,
                SPECIFICITY => &mut specificity,
                _ => {
                    others.push((score, interval));
                    continue;
                }
            };
            // An empty interval is kept as it is: nothing is possible then.
            *own = Interval { low: own.low.max(interval.low), high: own.high.min(interval.high) };
        }
        Region { sensitivity, specificity, others }
    }

    /// Whether some shares give all scores.
    pub fn is_possible(&self) -> bool {
        self.possible_with(Interval { low: 0.0, high: 1.0 })
    }

    /// The shares of events between the least and the greatest possible one, to about 1e-4; `None` when none is.
    pub fn events(&self) -> Option<Interval> {
        let low = self.end(Interval { low: 0.0, high: 1.0 }, 0)?;
        let high = self.end(Interval { low: 0.0, high: 1.0 }, 1)?;
        Some(Interval { low: low.low, high: high.high })
    }

    /// The outermost possible piece on one side (0 low, 1 high).
    fn end(&self, events: Interval, side: usize) -> Option<Interval> {
        if !self.possible_with(events) {
            return None;
        }
        let near_edge = events.low.min(1.0 - events.high);
        if events.high - events.low < 1e-4_f64.max(1e-3 * near_edge).min(5e-4) {
            return Some(events);
        }
        let middle = events.middle();
        let mut halves = [Interval { low: events.low, high: middle }, Interval { low: middle, high: events.high }];
        if side == 1 {
            halves.reverse();
        }
        halves.into_iter().find_map(|half| self.end(half, side))
    }

    /// Whether some share of events within `events` is possible.
    pub fn possible_with(&self, events: Interval) -> bool {
        if self.sensitivity.low > self.sensitivity.high || self.specificity.low > self.specificity.high {
            return false;
        }
        let mut boxes: Vec<Box3> = vec![[self.sensitivity, self.specificity, events]];
        let mut seen = 0;
        while let Some(piece) = boxes.pop() {
            seen += 1;
            if seen > MOST_BOXES {
                return true;
            }
            if self.excludes(&piece) {
                continue;
            }
            let width = |side: usize| piece[side].high - piece[side].low;
            let widths = [0, 1, 2].map(|side| if side < 2 && width(side) < COARSE { 0.0 } else { width(side) });
            let widest = (0..3).max_by(|&a, &b| widths[a].total_cmp(&widths[b])).expect("three sides");
            if widths[widest] < LEAST || self.holds_at(piece.map(Interval::middle)) {
                return true;
            }
            let middle = piece[widest].middle();
            for half in
                [Interval { low: piece[widest].low, high: middle }, Interval { low: middle, high: piece[widest].high }]
            {
                let mut part = piece;
                part[widest] = half;
                boxes.push(part);
            }
        }
        false
    }

    fn holds_at(&self, [sensitivity, specificity, events]: [f64; 3]) -> bool {
        let cells = Cells::of_shares(sensitivity, specificity, events);
        self.others.iter().all(|&(score, interval)| {
            let [above, below] = (SCORES[score].of)(cells);
            below > 0.0 && interval.contains(above / below)
        })
    }

    fn excludes(&self, piece: &Box3) -> bool {
        self.others.iter().any(|&(score, interval)| {
            let mut range = Interval { low: f64::INFINITY, high: f64::NEG_INFINITY };
            for corner in 0..8 {
                let at = |side: usize| if corner >> side & 1 == 0 { piece[side].low } else { piece[side].high };
                let [above, below] = (SCORES[score].of)(Cells::of_shares(at(0), at(1), at(2)));
                if below.abs() < 1e-300 {
                    // Undefined in a corner: any value may be near it.
                    return false;
                }
                range = Interval { low: range.low.min(above / below), high: range.high.max(above / below) };
            }
            !interval.overlaps(range)
        })
    }
}

fn widened(interval: Interval) -> Interval {
    Interval { low: interval.low - 1e-9, high: interval.high + 1e-9 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::score_named;

    fn row(text: &[(&str, &str)]) -> Printeds {
        text.iter().map(|(name, value)| (score_named(name).unwrap(), Printed::parse(value).unwrap())).collect()
    }

    #[test]
    fn accuracy_lies_between_sensitivity_and_specificity() {
        let outside = row(&[("sensitivity", "0.9545"), ("specificity", "0.9167"), ("accuracy", "0.9783")]);
        assert!(!Region::new(&outside, Width::Loose).is_possible());
        let inside = row(&[("sensitivity", "0.797"), ("specificity", "0.570"), ("accuracy", "0.684")]);
        let events = Region::new(&inside, Width::Rounded).events().unwrap();
        // By hand: (0.684 - 0.570) / (0.797 - 0.570) is 0.5022, give or take the last digits.
        assert!(events.low < 0.5022 && events.high > 0.5022 && events.high - events.low < 0.02, "{events:?}");
    }

    #[test]
    fn every_real_matrix_is_possible() {
        let mut state = 7u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        for _ in 0..400 {
            let (p, n) = (1 + next(150) as i64, 1 + next(150) as i64);
            let (tp, tn) = (next(p as u64 + 1) as i64, next(n as u64 + 1) as i64);
            let matrix = crate::metrics::Matrix {
                true_positive: tp,
                false_negative: p - tp,
                true_negative: tn,
                false_positive: n - tn,
            };
            let scores: Printeds =
                (0..12).filter_map(|at| matrix.score(at).map(|value| (at, Printed::of(value, 3)))).collect();
            assert!(Region::new(&scores, Width::Rounded).is_possible(), "{matrix:?}");
            let events = Region::new(&scores, Width::Rounded).events().unwrap();
            let share = p as f64 / (p + n) as f64;
            assert!(events.low <= share + 1e-3 && share - 1e-3 <= events.high, "{matrix:?} {events:?}");
        }
    }
}
