//! All tests of one variable between two groups, and the choice of the one to print.

use serde::{Deserialize, Serialize};

use crate::stats::contingency::{self, Counts};
use crate::stats::describe::{Quantiles, Summary, summary};
use crate::stats::fisher::fisher;
use crate::stats::mann_whitney::{MannWhitney, mann_whitney};
use crate::stats::normality::{KolmogorovSmirnov, kolmogorov_smirnov};
use crate::stats::shapiro::{ShapiroWilk, shapiro_wilk};
use crate::stats::shift::{self, Shift};
use crate::stats::text::{fixed, p_text};
use crate::stats::two_groups::{Test, levene, standardised_difference, t_pooled, t_welch};
use osteon_base::setting::{self, Unfit};

/// How tests are chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// What compares a continuous variable.
    pub continuous: ContinuousRule,
    /// Which test says whether a variable is normal.
    pub normality: Normality,
    /// Which values must be normal.
    pub normality_of: NormalityOf,
    /// A p value of the normality test below this means not normal.
    pub normality_alpha: f64,
    /// A p value of Levene's test below this means unequal variances, hence Welch.
    pub levene_alpha: f64,
    /// What compares a categorical variable.
    pub categorical: CategoricalRule,
    /// An expected count below this is small.
    pub small_expected: f64,
    /// Fisher's test is due when more than this share of the expected counts is small (2 x 2: any).
    pub small_share: f64,
    /// Exact Mann-Whitney p values up to this product of the group sizes.
    pub exact_pairs: usize,
    /// Steps that Fisher's test may take before Pearson's stands in for it.
    pub fisher_operations: usize,
    /// How quartiles are interpolated.
    pub quantiles: Quantiles,
}

/// What compares a continuous variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContinuousRule {
    /// t when normal (pooled or Welch as Levene's test says), Mann-Whitney when not.
    ByNormality,
    MannWhitney,
    /// t whatever the distribution.
    T,
}

/// A test of normality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normality {
    KsLilliefors,
    KsPlain,
    Shapiro,
}

/// Which values must be normal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NormalityOf {
    /// Both groups together, as SPSS's one-sample test takes them.
    All,
    /// Each group by itself, which is what the t test assumes.
    Groups,
}

/// What compares a categorical variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoricalRule {
    /// Fisher's exact test when expected counts are small, else Pearson's.
    ByExpected,
    Pearson,
    Yates,
    LikelihoodRatio,
    Fisher,
}

/// A test that a table can print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestName {
    TPooled,
    TWelch,
    MannWhitney,
    Pearson,
    Yates,
    LikelihoodRatio,
    Fisher,
}

/// A continuous variable in two groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Continuous {
    /// Of all values, of the first group, of the second.
    pub all: Summary,
    pub groups: [Summary; 2],
    pub t_pooled: Option<Test>,
    pub t_welch: Option<Test>,
    pub levene: Option<Test>,
    pub mann_whitney: Option<MannWhitney>,
    /// Of all values, of the first group, of the second.
    pub ks: [Option<KolmogorovSmirnov>; 3],
    pub shapiro: [Option<ShapiroWilk>; 3],
    pub standardised_difference: Option<f64>,
    /// Of the first group against the second.
    pub shift: Option<Shift>,
    pub chosen: Option<Chosen>,
}

/// A categorical variable in two groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Categorical {
    pub counts: Counts,
    pub pearson: Option<Test>,
    pub yates: Option<Test>,
    pub likelihood_ratio: Option<Test>,
    pub linear_by_linear: Option<Test>,
    pub fisher: Option<f64>,
    pub cramers_v: Option<f64>,
    pub standardised_difference: Option<f64>,
    pub chosen: Option<Chosen>,
}

/// The test to print, its result, and why it was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    pub test: TestName,
    /// t, Z or chi-square; none for Fisher's test.
    pub statistic: Option<f64>,
    pub df: Option<f64>,
    pub p: f64,
    pub from: PFrom,
    pub why: String,
    /// The p values that the choice of the test rests on.
    pub by: Vec<Decision>,
}

/// Which distribution a p value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PFrom {
    /// That of the statistic: t, or all tables or orders with the observed margins or values.
    Exact,
    /// The normal or chi-square one that it comes near to.
    Asymptotic,
}

/// A p value that decided between tests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decision {
    pub test: &'static str,
    pub of: DecidedOn,
    pub p: f64,
    /// What `p` was compared with.
    pub alpha: f64,
}

/// Whose values a decision looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecidedOn {
    All,
    First,
    Second,
}

impl PFrom {
    /// As in JSON and notes.
    pub fn key(self) -> &'static str {
        match self {
            PFrom::Exact => "exact",
            PFrom::Asymptotic => "asymptotic",
        }
    }
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        setting::share("normality_alpha", self.normality_alpha)?;
        setting::share("levene_alpha", self.levene_alpha)?;
        setting::above_zero("small_expected", self.small_expected)?;
        setting::share("small_share", self.small_share)
    }
}

impl Default for Params {
    /// SPSS practice as methods sections promise it.
    fn default() -> Self {
        Params {
            continuous: ContinuousRule::ByNormality,
            normality: Normality::KsLilliefors,
            normality_of: NormalityOf::Groups,
            normality_alpha: 0.05,
            levene_alpha: 0.05,
            categorical: CategoricalRule::ByExpected,
            small_expected: 5.0,
            small_share: 0.2,
            exact_pairs: 100_000,
            fisher_operations: 5_000_000,
            quantiles: Quantiles::Type6,
        }
    }
}

impl TestName {
    /// As in JSON and CSV.
    pub fn key(self) -> &'static str {
        match self {
            TestName::TPooled => "t_pooled",
            TestName::TWelch => "t_welch",
            TestName::MannWhitney => "mann_whitney",
            TestName::Pearson => "pearson_chi2",
            TestName::Yates => "yates_chi2",
            TestName::LikelihoodRatio => "likelihood_ratio",
            TestName::Fisher => "fisher",
        }
    }

    /// As in a printed table.
    pub fn label(self) -> &'static str {
        match self {
            TestName::TPooled => "t",
            TestName::TWelch => "Welch t",
            TestName::MannWhitney => "Mann-Whitney Z",
            TestName::Pearson => "Pearson chi-square",
            TestName::Yates => "Yates chi-square",
            TestName::LikelihoodRatio => "LR chi-square",
            TestName::Fisher => "Fisher exact",
        }
    }
}

/// Compares a continuous variable between two groups of finite values.
pub fn continuous(a: &[f64], b: &[f64], params: &Params) -> Continuous {
    let all: Vec<f64> = a.iter().chain(b).copied().collect();
    let ranks = mann_whitney(a, b, params.exact_pairs);
    let is_exact = ranks.is_some_and(|test| shift::is_exact(a.len(), b.len(), &test));
    let mut comparison = Continuous {
        all: summary(&all, params.quantiles),
        groups: [summary(a, params.quantiles), summary(b, params.quantiles)],
        t_pooled: t_pooled(a, b),
        t_welch: t_welch(a, b),
        levene: levene(a, b),
        mann_whitney: ranks,
        ks: [kolmogorov_smirnov(&all), kolmogorov_smirnov(a), kolmogorov_smirnov(b)],
        shapiro: [shapiro_wilk(&all), shapiro_wilk(a), shapiro_wilk(b)],
        standardised_difference: standardised_difference(a, b),
        shift: shift::shift(a, b, is_exact),
        chosen: None,
    };
    comparison.chosen = choose_continuous(&comparison, params);
    comparison
}

/// Compares a categorical variable between two groups; one row of counts a level, one column a group.
pub fn categorical(rows: &[Vec<usize>], params: &Params) -> Categorical {
    let counts = Counts::new(rows);
    let mut comparison = Categorical {
        pearson: contingency::pearson(&counts),
        yates: contingency::yates(&counts),
        likelihood_ratio: contingency::likelihood_ratio(&counts),
        linear_by_linear: contingency::linear_by_linear(&counts),
        fisher: fisher(&counts, params.fisher_operations),
        cramers_v: contingency::cramers_v(&counts),
        standardised_difference: contingency::standardised_difference(&counts),
        counts,
        chosen: None,
    };
    comparison.chosen = choose_categorical(&comparison, params);
    comparison
}

fn choose_continuous(comparison: &Continuous, params: &Params) -> Option<Chosen> {
    let (parametric, why, by) = match params.continuous {
        ContinuousRule::MannWhitney => (false, "as the protocol sets it".to_owned(), Vec::new()),
        ContinuousRule::T => (true, "t as the protocol sets it".to_owned(), Vec::new()),
        ContinuousRule::ByNormality => judge_normality(comparison, params),
    };
    if parametric && let Some(chosen) = choose_t(comparison, params, &why, &by) {
        return Some(chosen);
    }
    let why = if parametric { format!("{why}, but without spread there is no t") } else { why };
    choose_ranks(comparison, why, by)
}

/// Mann-Whitney's test: the exact p of small groups without ties, else that of Z, and the note says which.
fn choose_ranks(comparison: &Continuous, why: String, by: Vec<Decision>) -> Option<Chosen> {
    let ranks = comparison.mann_whitney?;
    let [m, n] = [0, 1].map(|group| comparison.groups[group].n);
    let (p, from, because) = match ranks.p_exact.filter(|_| shift::is_exact(m, n, &ranks)) {
        Some(exact) => (exact, PFrom::Exact, "exact P, no ties".to_owned()),
        None if ranks.has_ties => (ranks.p?, PFrom::Asymptotic, "asymptotic P, with ties".to_owned()),
        None if m.max(n) >= shift::EXACT_BELOW => {
            let because = format!("asymptotic P, a group of {} or more", shift::EXACT_BELOW);
            (ranks.p?, PFrom::Asymptotic, because)
        }
        None => (ranks.p?, PFrom::Asymptotic, "asymptotic P".to_owned()),
    };
    let why = format!("{why}; {because}; rank-biserial correlation {}", fixed(ranks.rank_biserial, 3));
    Some(Chosen { test: TestName::MannWhitney, statistic: ranks.z, df: None, p, from, why, by })
}

fn choose_t(comparison: &Continuous, params: &Params, why: &str, by: &[Decision]) -> Option<Chosen> {
    let unequal = comparison.levene.filter(|levene| levene.p < params.levene_alpha);
    let (name, test, because) = match (unequal, comparison.levene) {
        (Some(levene), _) => {
            (TestName::TWelch, comparison.t_welch?, format!("variances differ, Levene {}", p(levene.p)))
        }
        (None, Some(levene)) => {
            (TestName::TPooled, comparison.t_pooled?, format!("equal variances, Levene {}", p(levene.p)))
        }
        (None, None) => (TestName::TWelch, comparison.t_welch?, "Levene's test is undefined".to_owned()),
    };
    let why = format!("{why}; {because}");
    let levene =
        |levene: Test| Decision { test: "levene", of: DecidedOn::All, p: levene.p, alpha: params.levene_alpha };
    let by = by.iter().copied().chain(comparison.levene.map(levene)).collect();
    let (statistic, df) = (Some(test.statistic), Some(test.df));
    Some(Chosen { test: name, statistic, df, p: test.p, from: PFrom::Exact, why, by })
}

/// Whether the variable counts as normal, the sentence that says so, and the p values behind it.
fn judge_normality(comparison: &Continuous, params: &Params) -> (bool, String, Vec<Decision>) {
    let samples = match params.normality_of {
        NormalityOf::All => 0..1,
        NormalityOf::Groups => 1..3,
    };
    let p_of = |sample: usize| match params.normality {
        Normality::KsLilliefors => comparison.ks[sample].map(|ks| ks.p_lilliefors),
        Normality::KsPlain => comparison.ks[sample].map(|ks| ks.p_plain),
        Normality::Shapiro => comparison.shapiro[sample].map(|shapiro| shapiro.p),
    };
    let (name, key) = match params.normality {
        Normality::KsLilliefors => ("K-S (Lilliefors)", "ks_lilliefors"),
        Normality::KsPlain => ("K-S", "ks_plain"),
        Normality::Shapiro => ("Shapiro-Wilk", "shapiro"),
    };
    let of = [DecidedOn::All, DecidedOn::First, DecidedOn::Second];
    let decision =
        |sample: usize| p_of(sample).map(|p| Decision { test: key, of: of[sample], p, alpha: params.normality_alpha });
    let by: Vec<Decision> = samples.clone().filter_map(decision).collect();
    let found: Option<Vec<f64>> = samples.map(p_of).collect();
    let (normal, why) = match found.map(|found| found.into_iter().fold(1.0, f64::min)) {
        None => (false, format!("too few or constant values for {name}")),
        Some(least) if least < params.normality_alpha => (false, format!("not normal, {name} {}", p(least))),
        Some(least) => (true, format!("normal, {name} {}", p(least))),
    };
    (normal, why, by)
}

fn choose_categorical(comparison: &Categorical, params: &Params) -> Option<Chosen> {
    let (share, smallest) = comparison.counts.sparseness(params.small_expected);
    let two_by_two = comparison.counts.is_two_by_two();
    let sparse = if two_by_two { share > 0.0 } else { share > params.small_share };
    let limit = params.small_expected;
    let why = format!("{:.0} % of expected counts below {limit}, smallest {smallest:.2}", 100.0 * share);
    let set = || "as the protocol sets it".to_owned();
    let (name, why) = match params.categorical {
        CategoricalRule::ByExpected if sparse => (TestName::Fisher, why),
        CategoricalRule::ByExpected => (TestName::Pearson, why),
        CategoricalRule::Pearson if sparse => (TestName::Pearson, format!("{}, though {why}", set())),
        CategoricalRule::Pearson => (TestName::Pearson, set()),
        CategoricalRule::Yates if two_by_two => (TestName::Yates, set()),
        CategoricalRule::Yates => (TestName::Pearson, "Yates' correction is for 2 x 2 tables".to_owned()),
        CategoricalRule::LikelihoodRatio => (TestName::LikelihoodRatio, set()),
        CategoricalRule::Fisher => (TestName::Fisher, set()),
    };
    let from = |test: TestName, result: Option<Test>, why: String| {
        let result = result?;
        let (statistic, df) = (Some(result.statistic), Some(result.df));
        Some(Chosen { test, statistic, df, p: result.p, from: PFrom::Asymptotic, why, by: Vec::new() })
    };
    match (name, comparison.fisher) {
        (TestName::Fisher, Some(p)) => {
            let from = PFrom::Exact;
            Some(Chosen { test: name, statistic: None, df: None, p, from, why, by: Vec::new() })
        }
        (TestName::Fisher, None) => {
            let why = format!("{why}; the table is too large for Fisher's test");
            from(TestName::Pearson, comparison.pearson, why)
        }
        (TestName::Yates, _) => from(name, comparison.yates, why),
        (TestName::LikelihoodRatio, _) => from(name, comparison.likelihood_ratio, why),
        _ => from(TestName::Pearson, comparison.pearson, why),
    }
}

/// `p = 0.012` or `p < 0.001`, for sentences.
fn p(p: f64) -> String {
    match p_text(p).strip_prefix('<') {
        Some(limit) => format!("p < {limit}"),
        None => format!("p = {}", p_text(p)),
    }
}
