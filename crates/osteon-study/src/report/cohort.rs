//! Variables of a cohort compared between two groups: what `describe` and Tables 1 and 2 are made of.

use osteon_stats::stats::compare::{self, Categorical, Chosen, Continuous, Params, TestName};
use osteon_stats::stats::shift::Shift;
use osteon_stats::table::{Table, TableError, Values};

/// What the column of effect sizes holds.
pub const EFFECT: &str = "Effect: standardized mean difference (first group minus second, over the root of the mean \
                          variance); where ranks are compared, Hodges-Lehmann median difference (first minus second) \
                          with its 95% CI; Cramér's V for levels";

/// One variable in two groups.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    pub name: String,
    /// Rows of each group without a value.
    pub missing: [usize; 2],
    pub kind: Kind,
}

/// What kind of variable it is, with all its tests.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Continuous(Box<Continuous>),
    Categorical {
        levels: Vec<String>,
        /// One entry a level: rows of the first and of the second group.
        counts: Vec<[usize; 2]>,
        comparison: Box<Categorical>,
    },
}

impl Compared {
    /// The test to print; `None` where no test can be made.
    pub fn chosen(&self) -> Option<&Chosen> {
        match &self.kind {
            Kind::Continuous(comparison) => comparison.chosen.as_ref(),
            Kind::Categorical { comparison, .. } => comparison.chosen.as_ref(),
        }
    }

    /// Rows with a value, of each group.
    pub fn n(&self) -> [usize; 2] {
        match &self.kind {
            Kind::Continuous(comparison) => [0, 1].map(|group| comparison.groups[group].n),
            Kind::Categorical { counts, .. } => [0, 1].map(|group| counts.iter().map(|count| count[group]).sum()),
        }
    }

    /// The effect that goes with the test: the standardised difference of means, the shift where ranks are compared, or
    /// Cramér's V of levels.
    pub fn effect(&self) -> Effect {
        match &self.kind {
            Kind::Continuous(comparison) if is_rank_test(comparison.chosen.as_ref()) => Effect::Shift(comparison.shift),
            Kind::Continuous(comparison) => Effect::Difference(comparison.standardised_difference),
            Kind::Categorical { comparison, .. } => Effect::Association(comparison.cramers_v),
        }
    }

    /// The sentence that says which test was made and why.
    pub fn note(&self, label: &str) -> String {
        match self.chosen() {
            Some(chosen) => format!("{label}: {}: {}{}", chosen.test.label(), chosen.why, self.level()),
            None => format!("{label}: no test: {}", self.obstacle()),
        }
    }

    /// What the interval of the shift covers where that is not 95 %.
    fn level(&self) -> String {
        match self.effect() {
            Effect::Shift(Some(shift)) if shift.level < 0.95 => {
                format!("; the groups are too small for 95 %: the interval has {:.1} %", 100.0 * shift.level)
            }
            _ => String::new(),
        }
    }

    /// Why there is no test.
    fn obstacle(&self) -> String {
        let reason = match (&self.kind, self.n()) {
            (_, [0, 0]) => "all values are missing",
            (_, [0, _] | [_, 0]) => "one group is empty",
            (Kind::Categorical { levels, .. }, n) if too_many_levels(levels.len(), n[0] + n[1]) => {
                return format!("{} levels on {} rows are too many to compare", levels.len(), n[0] + n[1]);
            }
            (Kind::Categorical { .. }, _) => "there is only one level",
            (Kind::Continuous(comparison), _) if comparison.all.min == comparison.all.max => "the variable is constant",
            _ => "there are too few values",
        };
        reason.to_owned()
    }
}

/// How far two groups are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    Difference(Option<f64>),
    Shift(Option<Shift>),
    Association(Option<f64>),
}

/// More levels than a variable has, unless each has rows enough.
const MANY_LEVELS: usize = 20;
/// Rows a level that many levels need: fewer give expected counts of which most are small.
const ROWS_OF_A_LEVEL: usize = 5;
/// More are names, whatever the rows.
const TOO_MANY_LEVELS: usize = 100;

/// Whether levels on this many rows are no groups that a test could compare.
pub fn too_many_levels(levels: usize, rows: usize) -> bool {
    levels > TOO_MANY_LEVELS || levels > MANY_LEVELS && rows < ROWS_OF_A_LEVEL * levels
}

/// Compares columns between the rows where `second` is false and those where it is true; other rows do not count.
pub fn compare(
    table: &Table,
    names: &[&str],
    second: &[Option<bool>],
    params: &Params,
) -> Result<Vec<Compared>, TableError> {
    names.iter().map(|name| one(table, name, second, params)).collect()
}

fn one(table: &Table, name: &str, second: &[Option<bool>], params: &Params) -> Result<Compared, TableError> {
    let column = table.column(name)?;
    let rows = |group: bool| (0..second.len()).filter(move |&row| second[row] == Some(group));
    let missing = [false, true].map(|group| rows(group).filter(|&row| column.values.is_hole(row)).count());
    let kind = match &column.values {
        Values::Numbers(values) => {
            let of = |group| rows(group).filter_map(|row| values[row]).collect::<Vec<f64>>();
            Kind::Continuous(Box::new(compare::continuous(&of(false), &of(true), params)))
        }
        Values::Levels { levels, codes } => {
            let mut counts = vec![[0; 2]; levels.len()];
            for group in [false, true] {
                for code in rows(group).filter_map(|row| codes[row]) {
                    counts[code][usize::from(group)] += 1;
                }
            }
            let n = counts.iter().flatten().sum();
            // Without counts there is no test.
            let tested = if too_many_levels(levels.len(), n) { &[][..] } else { &counts };
            let table: Vec<Vec<usize>> = tested.iter().map(|count| count.to_vec()).collect();
            let comparison = Box::new(compare::categorical(&table, params));
            Kind::Categorical { levels: levels.clone(), counts, comparison }
        }
    };
    Ok(Compared { name: name.to_owned(), missing, kind })
}

/// Whether the chosen test is about ranks, so that a table may print the median.
pub fn is_rank_test(chosen: Option<&Chosen>) -> bool {
    chosen.is_some_and(|chosen| chosen.test == TestName::MannWhitney)
}
