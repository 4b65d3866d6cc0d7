//! Every confusion matrix compatible with printed scores of two classes.
//!
//! The question is that of mlscorecheck (Fazekas & Kovacs 2023, arXiv:2310.12527): do whole counts
//! exist that give all scores at the printed digits? Here all counts are tried.

use crate::metric::Metric;
use crate::printed::{Printed, Rounding};

/// Whole counts of a two-class prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Matrix {
    pub true_positive: i64,
    pub false_negative: i64,
    pub true_negative: i64,
    pub false_positive: i64,
}

/// The four cells as numbers or as shares of all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cells {
    pub tp: f64,
    pub fn_: f64,
    pub tn: f64,
    pub fp: f64,
}

/// A score as a quotient of the four cells; of whole cells both numbers are whole (but for MCC) and exact.
pub struct Score {
    pub metric: Metric,
    pub of: fn(Cells) -> [f64; 2],
    /// Rises or falls throughout with each of sensitivity, specificity and the share of events.
    pub is_monotone: bool,
}

const fn score(metric: Metric, of: fn(Cells) -> [f64; 2]) -> Score {
    Score { metric, of, is_monotone: true }
}

/// The scores of a confusion matrix.
pub const SCORES: [Score; 18] = [
    score(Metric::Accuracy, |m| [m.tp + m.tn, m.all()]),
    score(Metric::Sensitivity, |m| [m.tp, m.positives()]),
    score(Metric::Specificity, |m| [m.tn, m.negatives()]),
    score(Metric::Precision, |m| [m.tp, m.tp + m.fp]),
    score(Metric::Npv, |m| [m.tn, m.tn + m.fn_]),
    score(Metric::F1, |m| [2.0 * m.tp, 2.0 * m.tp + m.fp + m.fn_]),
    score(Metric::FalsePositiveRate, |m| [m.fp, m.negatives()]),
    score(Metric::FalseNegativeRate, |m| [m.fn_, m.positives()]),
    score(Metric::FalseDiscoveryRate, |m| [m.fp, m.tp + m.fp]),
    score(Metric::FalseOmissionRate, |m| [m.fn_, m.tn + m.fn_]),
    score(Metric::BalancedAccuracy, |m| {
        [m.tp * m.negatives() + m.tn * m.positives(), 2.0 * m.positives() * m.negatives()]
    }),
    score(Metric::Youden, |m| [m.tp * m.negatives() - m.fp * m.positives(), m.positives() * m.negatives()]),
    Score {
        metric: Metric::Mcc,
        of: |m| {
            let below = (m.tp + m.fp) * m.positives() * (m.tn + m.fn_) * m.negatives();
            [m.tp * m.tn - m.fp * m.fn_, below.sqrt()]
        },
        is_monotone: false,
    },
    Score {
        metric: Metric::Kappa,
        of: |m| {
            let chance = (m.tp + m.fp) * m.positives() + (m.tn + m.fn_) * m.negatives();
            [m.all() * (m.tp + m.tn) - chance, m.all() * m.all() - chance]
        },
        is_monotone: false,
    },
    score(Metric::PositiveRatio, |m| [m.tp * m.negatives(), m.fp * m.positives()]),
    score(Metric::NegativeRatio, |m| [m.fn_ * m.negatives(), m.tn * m.positives()]),
    score(Metric::DiagnosticOddsRatio, |m| [m.tp * m.tn, m.fp * m.fn_]),
    score(Metric::ErrorRate, |m| [m.fp + m.fn_, m.all()]),
];

impl Score {
    /// Its name within a sentence.
    pub fn name(&self) -> String {
        let heading = self.metric.heading();
        let is_word = heading.chars().skip(1).all(|c| c.is_lowercase() || c == ' ');
        if is_word { heading.to_lowercase() } else { heading.to_owned() }
    }
}

/// Places in `SCORES` that other modules ask for by name.
pub const ACCURACY: usize = 0;
pub const SENSITIVITY: usize = 1;
pub const SPECIFICITY: usize = 2;
pub const PRECISION: usize = 3;
pub const NPV: usize = 4;
pub const F1: usize = 5;
pub const BALANCED: usize = 10;
pub const YOUDEN: usize = 11;
pub const MCC: usize = 12;
pub const LR_PLUS: usize = 14;
pub const LR_MINUS: usize = 15;
pub const DIAGNOSTIC_ODDS: usize = 16;

/// One minus which score a score is: false negatives are what sensitivity leaves.
pub const COMPLEMENTS: [(usize, usize); 5] =
    [(6, SPECIFICITY), (7, SENSITIVITY), (8, PRECISION), (9, NPV), (17, ACCURACY)];

/// Printed scores, each with its index in `SCORES`.
pub type Printeds = Vec<(usize, Printed)>;

impl Cells {
    pub fn all(self) -> f64 {
        self.positives() + self.negatives()
    }

    pub fn positives(self) -> f64 {
        self.tp + self.fn_
    }

    pub fn negatives(self) -> f64 {
        self.tn + self.fp
    }

    /// The cells, as shares, of a sensitivity, a specificity and a share of events.
    pub fn of_shares(sensitivity: f64, specificity: f64, events: f64) -> Cells {
        Cells {
            tp: events * sensitivity,
            fn_: events * (1.0 - sensitivity),
            tn: (1.0 - events) * specificity,
            fp: (1.0 - events) * (1.0 - specificity),
        }
    }
}

impl Matrix {
    pub fn cells(&self) -> Cells {
        let [tp, fn_, tn, fp] =
            [self.true_positive, self.false_negative, self.true_negative, self.false_positive].map(|it| it as f64);
        Cells { tp, fn_, tn, fp }
    }

    /// The score with this index in `SCORES`; `None` when its denominator is zero.
    pub fn score(&self, score: usize) -> Option<f64> {
        let [above, below] = (SCORES[score].of)(self.cells());
        (below > 0.0).then(|| above / below)
    }

    /// Whether the score is printed like this; an undefined one is printed as zero.
    pub fn prints(&self, score: usize, printed: Printed, rounding: Rounding) -> bool {
        let [above, below] = (SCORES[score].of)(self.cells());
        if below <= 0.0 {
            printed.is_quotient([0.0, 1.0], rounding)
        } else {
            printed.is_quotient([above, below], rounding)
        }
    }
}

impl std::fmt::Display for Matrix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Matrix { true_positive, false_negative, true_negative, false_positive } = self;
        write!(f, "TP {true_positive}, FN {false_negative}, TN {true_negative}, FP {false_positive}")
    }
}

/// The place in `SCORES` of a metric.
pub fn score_of(metric: Metric) -> Option<usize> {
    SCORES.iter().position(|score| score.metric == metric)
}

/// The place in `SCORES` of a column's name.
pub fn score_named(name: &str) -> Option<usize> {
    Metric::named(name).and_then(score_of)
}

/// Every matrix of so many positives and negatives that gives all printed scores.
pub fn matrices(printed: &Printeds, positives: i64, negatives: i64) -> Vec<Matrix> {
    matrices_by(printed, positives, negatives, Rounding::Nearest)
}

/// As `matrices`, of numbers that lost their digits in a given way.
pub fn matrices_by(printed: &Printeds, positives: i64, negatives: i64, rounding: Rounding) -> Vec<Matrix> {
    let range = |score: usize, of: i64| {
        let known = printed.iter().find(|(index, _)| *index == score);
        known.map_or(0..=of, |(_, value)| {
            let around = value.loose();
            let low = (around.low * of as f64).floor().clamp(0.0, of as f64) as i64;
            low..=(around.high * of as f64).ceil().clamp(0.0, of as f64) as i64
        })
    };
    let mut found = Vec::new();
    for true_positive in range(SENSITIVITY, positives) {
        for true_negative in range(SPECIFICITY, negatives) {
            let matrix = Matrix {
                true_positive,
                false_negative: positives - true_positive,
                true_negative,
                false_positive: negatives - true_negative,
            };
            if printed.iter().all(|&(score, value)| matrix.prints(score, value, rounding)) {
                found.push(matrix);
            }
        }
    }
    found
}

/// Other sizes, each group within `reach` of the declared one, that have a matrix; nearest first.
pub fn other_sizes(printed: &Printeds, positives: i64, negatives: i64, reach: i64) -> Vec<(i64, i64)> {
    let near = |n: i64| (n - reach).max(1)..=n + reach;
    let mut sizes: Vec<(i64, i64)> = near(positives)
        .flat_map(|p| near(negatives).map(move |n| (p, n)))
        .filter(|&size| size != (positives, negatives) && !matrices(printed, size.0, size.1).is_empty())
        .collect();
    sizes.sort_by_key(|&(p, n)| ((p - positives).abs() + (n - negatives).abs(), p, n));
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_have_the_values_of_scikit_learn() {
        // scikit-learn 1.9.1: matthews_corrcoef and cohen_kappa_score; likelihood ratios by hand; of TP 6, FN 2, TN 9, FP 3.
        let matrix = Matrix { true_positive: 6, false_negative: 2, true_negative: 9, false_positive: 3 };
        let expected = [(MCC, 0.4923659639173309), (13, 0.4897959183673469), (LR_PLUS, 3.0), (LR_MINUS, 1.0 / 3.0)];
        for (score, expected) in expected {
            assert!((matrix.score(score).unwrap() - expected).abs() < 1e-12, "{}", SCORES[score].name());
        }
    }
}
