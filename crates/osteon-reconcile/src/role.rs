//! What a printed cell is for: where it stands in its source, and the roles of its column and row.
//!
//! A role says what the header tells and leaves open what it does not: which groups a P compares is a list of the
//! groups that it can be of, the most natural first, and whoever judges picks the ones that explain the column.

use crate::metric::Metric;

/// Where a cell stands in its file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Source {
    /// As the person named it; empty when the text came without a file.
    pub file: String,
    /// Of the file, from 1; the row of the table where a format has no lines. 0 when a header or a caption says it
    /// without a cell of its own.
    pub line: usize,
    /// Row of the table as it was understood, from 1, where the file has rows: a saved page may give each cell a line of
    /// its own. 0 in a tidy file.
    pub row: usize,
    /// Cell of its row, from 1.
    pub column: usize,
    /// Lines and columns of further cells that are part of this one: the interval beside its estimate.
    pub also: Vec<(usize, usize)>,
}

impl Source {
    /// What cells of one row of a table share: the row, or the line where there are no rows.
    pub fn row_key(&self) -> usize {
        if self.row > 0 { self.row } else { self.line }
    }
}

/// What the column of a cell is for; of the row, where the metrics of a table stand in its first column.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Role {
    /// Patients: a group of a cohort table.
    Group { n: Option<u64>, is_total: bool },
    /// A P value of a test between groups, or of a regression's term (then without groups).
    P(Compared),
    /// The statistic of such a test.
    Statistic(Compared),
    /// An estimate with its interval.
    Estimate(Measure),
    /// A score, area or count of a model, reader or marker.
    Score(Metric),
    /// A score that its label calls a mean over resamples or folds: no counts of one confusion matrix give it.
    Average(Metric),
    /// The standard error of the estimate or area of its row.
    StandardError,
    /// A standardized difference between two groups.
    Balance,
    /// Nothing that is known.
    #[default]
    Unknown,
}

/// The groups of one table and set that a P can be of, by the names of their columns (`Place::column`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// The natural reading: the groups under the same spanning header, or left of the P and right of the P before it.
    pub groups: Vec<String>,
    /// The header, or a person's correction, names these groups; otherwise any subset or pooling of the set's groups
    /// may be meant.
    pub is_named: bool,
    /// The test that header or legend name, in lower case; empty when none is named.
    pub test: String,
}

/// Of what an estimate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    OddsRatio,
    HazardRatio,
    RiskRatio,
    /// A coefficient: its interval is symmetric without logarithms.
    Coefficient,
    /// A difference of means or proportions.
    Difference,
}

impl Measure {
    pub fn word(self) -> &'static str {
        match self {
            Measure::OddsRatio => "OR",
            Measure::HazardRatio => "HR",
            Measure::RiskRatio => "RR",
            Measure::Coefficient => "beta",
            Measure::Difference => "difference",
        }
    }

    /// Ratios have intervals that are symmetric on the logarithmic scale.
    pub fn is_ratio(self) -> bool {
        matches!(self, Measure::OddsRatio | Measure::HazardRatio | Measure::RiskRatio)
    }
}

/// What the row of a cell is; of the column, where the metrics of a table stand in its first column.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RowRole {
    /// The sizes of the groups.
    Sizes,
    /// A variable whose levels follow: it carries their P.
    Variable { variable: String },
    /// A level of a variable.
    Level { variable: String, level: String },
    /// A quantity summarized in one row.
    Quantity { variable: String, summary: Summary },
    /// A model, reader or marker on one set.
    Model,
    /// A term of a regression.
    Term { variable: String, level: String },
    /// Two models held against each other.
    Comparison,
    #[default]
    Unknown,
}

/// How a quantity is summarized, by the words of its label or header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Summary {
    MeanSd,
    /// Mean with its standard error.
    MeanSe,
    /// Median with quartiles or their difference; never a mean, an SD or a count.
    MedianIqr,
    /// Median or mean with the smallest and the greatest value.
    Range,
    #[default]
    Unsaid,
}

/// How a table came to its digits, when a person says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rounding {
    Rounded,
    Cut,
}
