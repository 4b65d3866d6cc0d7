//! P values of several tests at once.

use serde::{Deserialize, Serialize};

/// How P values are adjusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// Holm (1979): the chance of any false finding, whatever the tests' dependence.
    Holm,
    /// Benjamini and Hochberg (1995): the expected share of false findings.
    Bh,
}

impl Adjustment {
    /// What the adjusted value is called in a heading.
    pub fn label(self) -> &'static str {
        match self {
            Adjustment::Holm => "p (Holm)",
            Adjustment::Bh => "q (BH)",
        }
    }

    /// As in JSON and on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Adjustment::Holm => "holm",
            Adjustment::Bh => "bh",
        }
    }
}

/// Adjusted values in the order given, as R's `p.adjust`; tests that could not be made (`None`) do not count.
pub fn adjust(p: &[Option<f64>], how: Adjustment) -> Vec<Option<f64>> {
    let mut order: Vec<usize> = (0..p.len()).filter(|&at| p[at].is_some()).collect();
    let value = |at: usize| p[at].unwrap_or(1.0);
    order.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
    let n = order.len();
    let mut adjusted = vec![None; p.len()];
    match how {
        Adjustment::Holm => {
            let mut largest = 0.0_f64;
            for (rank, &at) in order.iter().enumerate() {
                largest = largest.max((n - rank) as f64 * value(at));
                adjusted[at] = Some(largest.min(1.0));
            }
        }
        Adjustment::Bh => {
            let mut smallest = 1.0_f64;
            for (rank, &at) in order.iter().enumerate().rev() {
                smallest = smallest.min(n as f64 / (rank + 1) as f64 * value(at));
                adjusted[at] = Some(smallest);
            }
        }
    }
    adjusted
}
