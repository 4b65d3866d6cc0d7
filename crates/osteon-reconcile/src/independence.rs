//! Which test of independence gives a printed statistic and p from a table of counts.

use crate::exact;
use crate::printed::{Interval, Printed};
use osteon_stats::stats::contingency::{self, Counts};
use osteon_stats::stats::distribution::{chi2_sf, normal_two_sided};

/// A test in common use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Test {
    Pearson,
    Yates,
    Fisher,
    LikelihoodRatio,
    /// Mantel's linear-by-linear association, levels and groups in printed order.
    Trend,
    /// Of ordered levels; of two groups also Mann and Whitney's test without continuity correction.
    KruskalWallis,
    /// Of ordered levels, with continuity correction.
    MannWhitney,
}

impl Test {
    /// The short word used in files.
    pub fn word(self) -> &'static str {
        match self {
            Test::Pearson => "pearson",
            Test::Yates => "yates",
            Test::Fisher => "fisher",
            Test::LikelihoodRatio => "lr",
            Test::Trend => "trend",
            Test::KruskalWallis => "kruskal-wallis",
            Test::MannWhitney => "mann-whitney",
        }
    }

    /// The name used in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Test::Pearson => "Pearson's chi-square without continuity correction",
            Test::Yates => "chi-square with Yates's correction",
            Test::Fisher => "Fisher's exact test",
            Test::LikelihoodRatio => "the likelihood-ratio chi-square",
            Test::Trend => "the test for linear trend",
            Test::KruskalWallis => "Kruskal-Wallis of the ordered levels",
            Test::MannWhitney => "Mann-Whitney of the ordered levels",
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
    /// How far the p may be off: 0 but where tables were drawn.
    pub error: f64,
}

impl Tested {
    /// The p values that it can be: one, but where tables were drawn.
    pub fn range(&self) -> Interval {
        Interval { low: self.p - self.error, high: self.p + self.error }
    }

    /// Whether a printed p is this one; 0.999 and the like also stand for 1.
    pub fn is_p(&self, printed: Printed) -> bool {
        let p = self.range();
        let next_to_one = printed.is_exact() && printed.decimals() > 1 && printed.value() + 1.5 * printed.unit() > 1.0;
        printed.meets(p) || next_to_one && p.high >= printed.value()
    }
}

/// How much work Fisher's test may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Only where its p is had at once.
    Cheap,
    /// Exactly or by drawn tables.
    Full,
}

/// Pearson's, Yates's, Fisher's and the likelihood-ratio test of a table of counts, rows by columns. Empty when fewer
/// than two rows or columns hold anything.
pub fn tests(table: &[Vec<u64>], effort: Effort) -> Vec<Tested> {
    let counts = counts(table);
    let chi_square = |test: Test, tested: Option<osteon_stats::stats::two_groups::Test>| {
        tested.map(|it| Tested { test, statistic: Some(it.statistic), p: it.p, error: 0.0 })
    };
    let fisher = (effort == Effort::Full || exact::is_cheap(&counts)).then(|| exact::exact(&counts)).flatten();
    [
        chi_square(Test::Pearson, contingency::pearson(&counts)),
        chi_square(Test::Yates, contingency::yates(&counts)),
        fisher.map(|it| Tested { test: Test::Fisher, statistic: None, p: it.p, error: it.error }),
        chi_square(Test::LikelihoodRatio, contingency::likelihood_ratio(&counts)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The tests that take the order of the levels for a scale: trend, and ranks of the levels.
pub fn ordered(table: &[Vec<u64>]) -> Vec<Tested> {
    let counts = counts(table);
    let trend = contingency::linear_by_linear(&counts).filter(|it| it.statistic.is_finite());
    let trend = trend.map(|it| Tested { test: Test::Trend, statistic: Some(it.statistic), p: it.p, error: 0.0 });
    // With the variance of n and not of n - 1 (Cochran 1954, Armitage 1955), as R's prop.trend.test has it; of
    // two by two it is Pearson's.
    let n = counts.n() as f64;
    let is_binary = (counts.row_sums().len() == 2) != (counts.column_sums().len() == 2);
    let armitage = trend.filter(|_| is_binary && n > 1.0).map(|it| {
        let statistic = it.statistic.unwrap_or(0.0) * n / (n - 1.0);
        Tested { statistic: Some(statistic), p: chi2_sf(statistic, 1.0), ..it }
    });
    [trend, kruskal_wallis(&counts), mann_whitney(&counts), armitage].into_iter().flatten().collect()
}

/// For each level the mean of its ranks, and the sum of t³ - t over the ties.
fn ranks(counts: &Counts) -> (Vec<f64>, f64) {
    let (mut before, mut ranks, mut ties) = (0.0, Vec::new(), 0.0);
    for &level in counts.row_sums() {
        let level = level as f64;
        ranks.push(before + 0.5 * (level + 1.0));
        ties += level.powi(3) - level;
        before += level;
    }
    (ranks, ties)
}

fn rank_sum(counts: &Counts, ranks: &[f64], group: usize) -> f64 {
    counts.cells().iter().zip(ranks).map(|(row, rank)| row[group] as f64 * rank).sum()
}

/// H with the correction for ties (Kruskal & Wallis 1952).
fn kruskal_wallis(counts: &Counts) -> Option<Tested> {
    let (n, groups) = (counts.n() as f64, counts.column_sums());
    if groups.len() < 2 || counts.row_sums().len() < 2 {
        return None;
    }
    let (ranks, ties) = ranks(counts);
    let squares: f64 =
        groups.iter().enumerate().map(|(at, &size)| rank_sum(counts, &ranks, at).powi(2) / size as f64).sum();
    let h = (12.0 / (n * (n + 1.0)) * squares - 3.0 * (n + 1.0)) / (1.0 - ties / (n.powi(3) - n));
    let p = chi2_sf(h.max(0.0), (groups.len() - 1) as f64);
    Some(Tested { test: Test::KruskalWallis, statistic: Some(h), p, error: 0.0 })
}

/// Z with the corrections for ties and continuity (Mann & Whitney 1947), of two groups.
fn mann_whitney(counts: &Counts) -> Option<Tested> {
    let &[a, b] = counts.column_sums() else { return None };
    if counts.row_sums().len() < 2 {
        return None;
    }
    let (ranks, ties) = ranks(counts);
    let (a, b) = (a as f64, b as f64);
    let n = a + b;
    let u = rank_sum(counts, &ranks, 0) - 0.5 * a * (a + 1.0);
    let spread = (a * b / 12.0 * (n + 1.0 - ties / (n * (n - 1.0)))).sqrt();
    let z = ((u - 0.5 * a * b).abs() - 0.5).max(0.0) / spread;
    Some(Tested { test: Test::MannWhitney, statistic: Some(z), p: normal_two_sided(z), error: 0.0 })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_ordered_levels_are_those_of_scipy() {
        // SciPy 1.17.1: kruskal, mannwhitneyu(method="asymptotic"); NumPy: (n - 1) r^2. Levels 0, 1, 2 of 85 and 37.
        let table = vec![vec![77, 28], vec![5, 7], vec![3, 2]];
        let [trend, kruskal, mann, ..] = ordered(&table)[..] else { panic!("three tests") };
        for (tested, statistic, p) in [
            (trend, 3.1362195632164567, 0.07657109861379995),
            (kruskal, 4.500160868880647, 0.03389166498433863),
            // SciPy prints U = 1343.5; its Z follows from the P.
            (mann, 2.1168, 0.0342830686564226),
        ] {
            let close = (tested.statistic.unwrap() - statistic).abs() < 1e-3 && (tested.p / p - 1.0).abs() < 1e-9;
            assert!(close, "{tested:?}, expected {statistic} and {p}");
        }
        let three = ordered(&[vec![10, 4, 3], vec![5, 9, 6], vec![3, 6, 12]]);
        let kruskal = three.iter().find(|it| it.test == Test::KruskalWallis).unwrap();
        assert!((kruskal.statistic.unwrap() - 9.768580564793634).abs() < 1e-9, "{kruskal:?}");
        assert!((kruskal.p - 0.007564490509452386).abs() < 1e-12, "{kruskal:?}");
    }
}
