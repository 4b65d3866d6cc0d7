//! Every confusion matrix compatible with printed accuracy, sensitivity, specificity, precision, NPV and F1.
//!
//! The question is that of mlscorecheck (Fazekas & Kovacs 2024, doi:10.1016/j.knosys.2024.111481): do whole counts
//! exist that give all scores at the printed digits? Here all counts are tried, in whole-number arithmetic.

use crate::printed::Printed;

/// Whole counts of a two-class prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Matrix {
    pub true_positive: i64,
    pub false_negative: i64,
    pub true_negative: i64,
    pub false_positive: i64,
}

/// A score as a ratio of counts.
pub struct Score {
    pub names: &'static [&'static str],
    pub of: fn(&Matrix) -> (i64, i64),
}

/// The scores understood, by every name they go by in lower case; the first is how we print it.
pub const SCORES: [Score; 6] = [
    Score { names: &["accuracy", "acc"], of: |m| (m.true_positive + m.true_negative, m.positives() + m.negatives()) },
    Score { names: &["sensitivity", "sens", "recall", "tpr"], of: |m| (m.true_positive, m.positives()) },
    Score { names: &["specificity", "spec", "tnr"], of: |m| (m.true_negative, m.negatives()) },
    Score { names: &["precision", "prec", "ppv"], of: |m| (m.true_positive, m.true_positive + m.false_positive) },
    Score { names: &["npv"], of: |m| (m.true_negative, m.true_negative + m.false_negative) },
    Score {
        names: &["f1", "f1 score", "f1-score"],
        of: |m| (2 * m.true_positive, 2 * m.true_positive + m.false_positive + m.false_negative),
    },
];

/// Printed scores, each with its index in `SCORES`.
pub type Printeds = Vec<(usize, Printed)>;

impl Matrix {
    pub fn positives(&self) -> i64 {
        self.true_positive + self.false_negative
    }

    pub fn negatives(&self) -> i64 {
        self.true_negative + self.false_positive
    }

    /// The score with this index in `SCORES`; `None` when its denominator is zero.
    pub fn score(&self, score: usize) -> Option<f64> {
        let (above, below) = (SCORES[score].of)(self);
        (below > 0).then(|| above as f64 / below as f64)
    }

    /// Whether the score is printed like this; an undefined one is printed as zero.
    fn prints(&self, score: usize, printed: Printed) -> bool {
        let (above, below) = (SCORES[score].of)(self);
        if below == 0 { printed.is_ratio(0, 1) } else { printed.is_ratio(above, below) }
    }
}

/// The index in `SCORES` of a column's name.
pub fn score_named(name: &str) -> Option<usize> {
    let name = name.trim().to_lowercase();
    SCORES.iter().position(|score| score.names.contains(&name.as_str()))
}

/// Every matrix of so many positives and negatives that gives all printed scores.
pub fn matrices(printed: &Printeds, positives: i64, negatives: i64) -> Vec<Matrix> {
    let range = |name: &str, of: i64| {
        let score = score_named(name).expect("a name of the table");
        let known = printed.iter().find(|(index, _)| *index == score);
        known.map_or(0..=of, |(_, value)| {
            let all = value.numerators(of);
            *all.start().max(&0)..=*all.end().min(&of)
        })
    };
    let mut found = Vec::new();
    for true_positive in range("sensitivity", positives) {
        for true_negative in range("specificity", negatives) {
            let matrix = Matrix {
                true_positive,
                false_negative: positives - true_positive,
                true_negative,
                false_positive: negatives - true_negative,
            };
            if printed.iter().all(|&(score, value)| matrix.prints(score, value)) {
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
