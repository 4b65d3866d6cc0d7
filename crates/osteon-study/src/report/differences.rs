//! Further columns of tables that compare two groups, where they are asked for: adjusted P values, differences with
//! intervals, standardised differences; and which values are missing together.

use crate::report::cohort::{Compared, Kind, is_rank_test};
use crate::report::sheet::{Cell, Sheet};
use osteon_stats::stats::adjust::{Adjustment, adjust};
use osteon_stats::stats::compare::TestName;
use osteon_stats::stats::difference::{self, Difference, Variances};
use osteon_stats::stats::text::decimals;
use osteon_stats::table::missing::Missing;

/// What is asked for; nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub adjust: Option<Adjustment>,
    pub differences: bool,
}

impl Asked {
    pub fn nothing(self) -> bool {
        self == Asked::default()
    }

    /// One a column.
    pub fn headings(self) -> Vec<&'static str> {
        let adjust = self.adjust.map(Adjustment::label);
        let differences = self.differences.then_some(["difference (95% CI)", "SMD"]);
        adjust.into_iter().chain(differences.into_iter().flatten()).collect()
    }

    /// What the columns hold.
    pub fn notes(self) -> Vec<String> {
        let adjust = self.adjust.map(|how| {
            format!(
                "{}: {} over the tests of one comparison in this table",
                how.label(),
                match how {
                    Adjustment::Holm => "Holm's adjusted P values, for the chance of any false finding,",
                    Adjustment::Bh => "Benjamini and Hochberg's q values, for the expected share of false findings,",
                }
            )
        });
        let differences = self.differences.then(|| {
            "difference: first group minus second; of means with Student's interval where his test was chosen, else \
             Welch's; where ranks are compared, Hodges-Lehmann; of shares, level by level, with Newcombe's interval. SMD: \
             standardized difference (Austin; of levels that of Yang and Dalton, without sign)"
                .to_owned()
        });
        adjust.into_iter().chain(differences).collect()
    }

    /// The adjusted P value of each variable.
    pub fn adjusted(self, variables: &[Compared]) -> Vec<Option<f64>> {
        let p: Vec<Option<f64>> = variables.iter().map(|it| it.chosen().map(|chosen| chosen.p)).collect();
        self.adjust.map_or_else(|| vec![None; p.len()], |how| adjust(&p, how))
    }

    /// The cells of a variable's row, then those of each of its levels.
    pub fn cells(self, variable: &Compared, adjusted: Option<f64>) -> Vec<Vec<Cell>> {
        let width = self.headings().len();
        let mut first: Vec<Cell> = self.adjust.map(|_| Cell::p(adjusted)).into_iter().collect();
        let mut levels = Vec::new();
        match &variable.kind {
            Kind::Continuous(comparison) => {
                let digits = decimals(comparison.all.sd, 2);
                let cell = continuous(variable).map_or(Cell::Empty, |it| Cell::Interval {
                    estimate: it.estimate,
                    low: it.low,
                    high: it.high,
                    digits,
                });
                first.extend([cell, Cell::number(comparison.standardised_difference, 3)]);
            }
            Kind::Categorical { comparison, .. } => {
                first.extend([Cell::Empty, Cell::number(comparison.standardised_difference, 3)]);
                for it in shares(variable) {
                    let cell = it.map_or(Cell::Empty, |it| Cell::Interval {
                        estimate: it.estimate,
                        low: it.low,
                        high: it.high,
                        digits: 3,
                    });
                    let mut row = vec![Cell::Empty; usize::from(self.adjust.is_some())];
                    row.extend([cell, Cell::Empty]);
                    row.truncate(width);
                    levels.push(row);
                }
            }
        }
        first.truncate(width);
        std::iter::once(first).chain(levels).collect()
    }
}

/// Difference of a continuous variable in the manner of its test.
pub fn continuous(variable: &Compared) -> Option<Difference> {
    let Kind::Continuous(comparison) = &variable.kind else { return None };
    if is_rank_test(comparison.chosen.as_ref()) {
        return comparison.shift.map(|it| Difference { estimate: it.estimate, low: it.low, high: it.high });
    }
    let pooled = comparison.chosen.as_ref().is_some_and(|chosen| chosen.test == TestName::TPooled);
    let variances = if pooled { Variances::Pooled } else { Variances::Separate };
    difference::of_summaries(&comparison.groups[0], &comparison.groups[1], variances)
}

/// Difference of each level's shares.
pub fn shares(variable: &Compared) -> Vec<Option<Difference>> {
    let Kind::Categorical { counts, .. } = &variable.kind else { return Vec::new() };
    let n = variable.n();
    counts.iter().map(|count| difference::shares((count[0], n[0]), (count[1], n[1]))).collect()
}

/// Values missing per variable, and which are missing together.
pub fn missing_sheets(missing: &Missing, label: impl Fn(&str) -> String) -> Vec<Sheet> {
    let share = |n: usize| Cell::CountPercent { n, of: missing.rows };
    let row = |(name, n): &(String, usize)| vec![Cell::Text(label(name)), share(*n), Cell::Count(missing.rows - n)];
    let variables = Sheet {
        title: "Missing values".to_owned(),
        headings: ["Variable", "Missing, n (%)", "Known"].map(str::to_owned).to_vec(),
        rows: missing.variables.iter().map(row).collect(),
        notes: vec![format!("{} of {} rows are complete in all of these variables", missing.complete(), missing.rows)],
        provenance: Vec::new(),
    };
    // Variables without a hole tell no pattern from another.
    let with: Vec<usize> = (0..missing.variables.len()).filter(|&at| missing.variables[at].1 > 0).collect();
    if with.is_empty() {
        return vec![variables];
    }
    let mut headings = vec!["Missing together".to_owned(), "Rows, n (%)".to_owned(), "Variables".to_owned()];
    headings.extend(with.iter().map(|&at| label(&missing.variables[at].0)));
    let pattern = |pattern: &osteon_stats::table::missing::Pattern| {
        let holes: Vec<usize> = with.iter().copied().filter(|&at| !pattern.known[at]).collect();
        let names: Vec<String> = holes.iter().map(|&at| label(&missing.variables[at].0)).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let mut row = vec![Cell::Text(names), share(pattern.rows), Cell::Count(holes.len())];
        row.extend(with.iter().map(|&at| Cell::Text(if pattern.known[at] { "known" } else { "missing" }.to_owned())));
        row
    };
    let patterns = Sheet {
        title: "Patterns of missing values".to_owned(),
        headings,
        rows: missing.patterns.iter().map(pattern).collect(),
        notes: Vec::new(),
        provenance: Vec::new(),
    };
    vec![variables, patterns]
}
