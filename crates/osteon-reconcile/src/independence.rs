//! Which test of independence gives a printed statistic and p from a table of counts.

use osteon_stats::stats::contingency::{self, Counts};
use osteon_stats::stats::fisher::fisher;

/// A test in common use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    Pearson,
    Yates,
    Fisher,
    LikelihoodRatio,
}

impl Test {
    /// The short word used in files.
    pub fn word(self) -> &'static str {
        match self {
            Test::Pearson => "pearson",
            Test::Yates => "yates",
            Test::Fisher => "fisher",
            Test::LikelihoodRatio => "lr",
        }
    }

    /// The name used in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Test::Pearson => "Pearson's chi-square without continuity correction",
            Test::Yates => "chi-square with Yates's correction",
            Test::Fisher => "Fisher's exact test",
            Test::LikelihoodRatio => "the likelihood-ratio chi-square",
        }
    }
}

/// What one test gives for a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tested {
    pub test: Test,
    /// `None` for Fisher's test.
    pub statistic: Option<f64>,
    pub p: f64,
}

/// Beyond this Fisher's test is left out: a second's work.
const FISHER_OPERATIONS: usize = 200_000_000;

/// Every test of a table of counts, rows by columns. Empty when fewer than two rows or columns hold anything.
pub fn tests(table: &[Vec<u64>]) -> Vec<Tested> {
    let counts = counts(table);
    let chi_square = |test: Test, tested: Option<osteon_stats::stats::two_groups::Test>| {
        tested.map(|it| Tested { test, statistic: Some(it.statistic), p: it.p })
    };
    [
        chi_square(Test::Pearson, contingency::pearson(&counts)),
        chi_square(Test::Yates, contingency::yates(&counts)),
        fisher(&counts, FISHER_OPERATIONS).map(|p| Tested { test: Test::Fisher, statistic: None, p }),
        chi_square(Test::LikelihoodRatio, contingency::likelihood_ratio(&counts)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Degrees of freedom of the table without its empty rows and columns.
pub fn freedom(table: &[Vec<u64>]) -> f64 {
    let counts = counts(table);
    (counts.row_sums().len().saturating_sub(1) * counts.column_sums().len().saturating_sub(1)) as f64
}

/// Whether more than a fifth of the cells expect fewer than five, or one expects fewer than one: where Cochran (1954)
/// no longer trusts chi-square.
pub fn is_sparse(table: &[Vec<u64>]) -> bool {
    let (share, least) = counts(table).sparseness(5.0);
    share > 0.2 || least < 1.0
}

fn counts(table: &[Vec<u64>]) -> Counts {
    Counts::new(&table.iter().map(|row| row.iter().map(|&count| count as usize).collect()).collect::<Vec<_>>())
}
