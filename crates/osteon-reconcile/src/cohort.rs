//! The cohort tables among published cells: groups with sizes, variables with counts or moments, tests.

use crate::cells::{PublishedCell, Value};
use crate::denominators;
use crate::finding::Place;
use crate::moments::Moments;
use crate::printed::Printed;
use crate::read::words;
use crate::role::{Compared, Role, Rounding, RowRole, Summary};

/// One set of one table whose groups have printed sizes.
#[derive(Clone, Debug)]
pub struct Arm {
    pub table: String,
    pub set: String,
    pub groups: Vec<Group>,
    pub variables: Vec<Variable>,
    /// Each column of P values with the groups that its header says it compares.
    pub p_columns: Vec<(String, Compared)>,
    /// A person said that digits are rounded: cut ones are no habit.
    pub is_rounded: bool,
}

/// A column of patients.
#[derive(Clone, Debug)]
pub struct Group {
    pub column: String,
    pub n: u64,
    /// All other groups together.
    pub is_total: bool,
}

/// A variable with its levels or its moments, one entry a group, and its test.
#[derive(Clone, Debug)]
pub struct Variable {
    pub name: String,
    pub levels: Vec<Level>,
    pub moments: Vec<Option<Moments>>,
    pub statistic: Option<Printed>,
    /// What the statistic is, as its heading or cell says; empty where none does.
    pub named: String,
    /// The first printed P.
    pub p: Option<Printed>,
    /// Some of its counts stand in the wrong rows, nobody knows which, or a median stands among its levels: its P is not
    /// judged.
    pub is_doubtful: bool,
    /// Every printed P with its column.
    pub tests: Vec<(String, Printed)>,
    /// Whole numbers of a row that is no level, one entry a group: `No. of tumors`.
    pub numbers: Vec<Option<u64>>,
}

/// One level of a categorical variable.
#[derive(Clone, Debug)]
pub struct Level {
    pub row: String,
    pub name: String,
    pub counts: Vec<Option<Count>>,
}

/// A printed count, and the count that most of the table speaks for.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    pub printed: u64,
    pub percent: Option<Printed>,
    /// The patients of the group among whom it was counted, where these are fewer: 88 of `31/88 (35.2)`, or what other
    /// rows of the table say (`denominators`).
    pub of: Option<u64>,
    /// What its percentage is of, where that is another column's count of the row.
    pub percent_of: Option<u64>,
    pub n: u64,
}

/// Levels counted in all groups before their sums alone tell whether a group is the total.
const FEWEST_SUMS: usize = 4;

/// Column names that hold a test statistic or its p, in lower case.
pub const STATISTICS: [&str; 9] = ["statistic", "z", "t", "u", "chi2", "χ2", "χ²", "z/χ2", "test statistic"];
const P_VALUES: [&str; 4] = ["p value", "p", "p-value", "pvalue"];

/// Every set of every table that has a row `n`, in order of appearance.
pub fn arms(cells: &[PublishedCell]) -> Vec<Arm> {
    let mut arms: Vec<Arm> = Vec::new();
    for cell in cells.iter().filter(|cell| cell.place.row.eq_ignore_ascii_case("n")) {
        let Value::Number(n) = cell.value else { continue };
        let group = Group { column: cell.place.column.clone(), n: n.value().max(0.0) as u64, is_total: false };
        match arms.iter_mut().find(|arm| arm.holds(&cell.place)) {
            Some(arm) => arm.groups.push(group),
            None => arms.push(Arm {
                table: cell.place.table.clone(),
                set: cell.place.set.clone(),
                groups: vec![group],
                variables: Vec::new(),
                p_columns: Vec::new(),
                is_rounded: cell.rounding == Some(Rounding::Rounded),
            }),
        }
    }
    for arm in &mut arms {
        arm.mark_total();
        for cell in cells {
            if arm.holds(&cell.place) && !cell.place.row.eq_ignore_ascii_case("n") {
                arm.add(cell);
            }
        }
        arm.doubt_total();
        arm.adopt_tests();
        denominators::settle(arm);
    }
    arms
}

/// The whole among `arms` and the arms of one other table that together are its patients.
pub fn splits(arms: &[Arm]) -> Vec<(usize, Vec<usize>)> {
    let mut splits = Vec::new();
    for (whole, of) in arms.iter().enumerate() {
        let mut tables: Vec<&str> = arms.iter().map(|arm| arm.table.as_str()).filter(|it| *it != of.table).collect();
        tables.dedup();
        for table in tables {
            let parts: Vec<usize> = (0..arms.len()).filter(|&part| arms[part].table == table).collect();
            let adds_up = |group: &Group| {
                let sizes: Vec<u64> = parts.iter().filter_map(|&part| arms[part].size(&group.column)).collect();
                sizes.is_empty() || sizes.len() == parts.len() && sizes.iter().sum::<u64>() == group.n
            };
            let shared = of.groups.iter().any(|group| parts.iter().any(|&it| arms[it].size(&group.column).is_some()));
            if parts.len() > 1 && shared && of.groups.iter().all(adds_up) {
                splits.push((whole, parts));
            }
        }
    }
    splits
}

impl Arm {
    pub fn holds(&self, place: &Place) -> bool {
        self.table == place.table && self.set == place.set
    }

    pub fn place(&self, row: &str, column: &str) -> Place {
        Place { table: self.table.clone(), set: self.set.clone(), row: row.to_owned(), column: column.to_owned() }
    }

    pub fn size(&self, column: &str) -> Option<u64> {
        self.groups.iter().find(|group| group.column == column).map(|group| group.n)
    }

    pub fn total(&self) -> Option<usize> {
        self.groups.iter().position(|group| group.is_total)
    }

    /// Whether the total is the sum of the other groups.
    pub fn adds_up(&self) -> bool {
        let total: u64 = self.groups.iter().filter(|it| it.is_total).map(|it| it.n).sum();
        let parts: u64 = self.groups.iter().filter(|it| !it.is_total).map(|it| it.n).sum();
        self.groups.len() > 2 && total == parts
    }

    /// The groups that are compared: all but the total.
    pub fn compared(&self) -> Vec<usize> {
        (0..self.groups.len()).filter(|&group| !self.groups[group].is_total).collect()
    }

    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name.eq_ignore_ascii_case(name))
    }

    fn mark_total(&mut self) {
        let sum: u64 = self.groups.iter().map(|group| group.n).sum();
        let many = self.groups.len() > 2;
        for group in &mut self.groups {
            group.is_total = is_named_total(group) || many && 2 * group.n == sum;
        }
    }

    /// A group as large as all others together, by its size alone, is one more cohort where its counts are not sums of
    /// theirs. Where too few counts tell, cohorts that are all called sets of patients are no parts of each other.
    fn doubt_total(&mut self) {
        let Some(total) = self.total().filter(|&it| !is_named_total(&self.groups[it])) else { return };
        let others = self.compared();
        let (mut sums, mut all) = (0, 0);
        for level in self.variables.iter().flat_map(|it| &it.levels) {
            let count = |group: usize| level.counts.get(group).copied().flatten().map(|it| it.printed);
            let Some(parts) = others.iter().map(|&it| count(it)).sum::<Option<u64>>() else { continue };
            let Some(whole) = count(total) else { continue };
            all += 1;
            sums += usize::from(parts == whole);
        }
        let are_sets = self.groups.iter().all(|group| words::is_set(&group.column));
        // The counts of two levels are one fact: half of them may be sums by chance.
        if 2 * sums < all && all >= FEWEST_SUMS || 0 < all && 2 * sums <= all && are_sets {
            self.groups[total].is_total = false;
        }
    }

    /// The tests of a row that counts all patients are those of the levels below it.
    fn adopt_tests(&mut self) {
        for at in 1..self.variables.len() {
            let (before, rest) = self.variables.split_at_mut(at);
            let (whole, parts) = (&mut before[at - 1], &mut rest[0]);
            let [only] = &whole.levels[..] else { continue };
            let is_all = |(group, count): (&Group, &Option<Count>)| count.is_some_and(|it| it.printed == group.n);
            let is_whole = self.groups.iter().zip(&only.counts).all(is_all);
            if is_whole && parts.name == levels_of(&whole.name) && parts.tests.is_empty() && !parts.levels.is_empty() {
                parts.tests = std::mem::take(&mut whole.tests);
                (parts.p, parts.statistic) = (whole.p.take(), whole.statistic.take());
                parts.named.clone_from(&whole.named);
            }
        }
    }

    fn add(&mut self, cell: &PublishedCell) {
        let (name, level) = match cell.place.row.split_once(": ") {
            Some((name, level)) => (name.trim(), Some(level.trim())),
            None => (cell.place.row.as_str(), None),
        };
        let at = self.variables.iter().position(|it| it.name == name).unwrap_or_else(|| {
            let (moments, levels) = (vec![None; self.groups.len()], Vec::new());
            self.variables.push(Variable {
                name: name.to_owned(),
                levels,
                moments,
                statistic: None,
                named: String::new(),
                p: None,
                is_doubtful: false,
                tests: Vec::new(),
                numbers: vec![None; self.groups.len()],
            });
            self.variables.len() - 1
        });
        let variable = &mut self.variables[at];
        let column = cell.place.column.to_lowercase();
        match (self.groups.iter().position(|group| group.column == cell.place.column), cell.value) {
            // Quartiles and ranges are no standard deviations, whatever brackets they stand in.
            (Some(_), Value::MeanSd { .. } | Value::Count { .. }) if level.is_none() && is_of_ranks(name) => (),
            // The P of a variable that prints its median or mean above its levels is of that.
            (Some(_), Value::Median { .. }) if level.is_some() => variable.is_doubtful = true,
            (Some(group), Value::MeanSd { mean, sd }) => {
                variable.is_doubtful |= level.is_some();
                let is_error = is_of_errors(cell);
                variable.moments[group] = Some(Moments { n: self.groups[group].n, mean, sd, is_error });
            }
            (Some(group), Value::Count { n, percent }) => {
                let of = own_denominator(cell.fraction, n, percent, self.groups[group].n);
                variable.level(&cell.place.row, level).counts_for(self.groups.len())[group] =
                    Some(Count { printed: n, percent: Some(percent), of, percent_of: None, n });
            }
            (Some(group), Value::Number(n)) if n.decimals() == 0 && level.is_some() => {
                let n = n.value().max(0.0) as u64;
                variable.level(&cell.place.row, level).counts_for(self.groups.len())[group] =
                    Some(Count { printed: n, percent: None, of: None, percent_of: None, n });
            }
            (Some(group), Value::Number(n)) if n.decimals() == 0 && n.is_exact() && n.value() >= 0.0 => {
                variable.numbers[group] = Some(n.value() as u64);
            }
            (None, Value::Number(number)) if STATISTICS.contains(&column.as_str()) => {
                variable.statistic = Some(number);
                if let Role::Statistic(compared) = &cell.role {
                    variable.named.clone_from(&compared.test);
                }
            }
            (None, Value::Number(number)) if is_p(cell) => {
                variable.p.get_or_insert(number);
                variable.tests.push((cell.place.column.clone(), number));
                if !self.p_columns.iter().any(|(name, _)| *name == cell.place.column) {
                    let compared = match &cell.role {
                        Role::P(compared) => compared.clone(),
                        _ => Compared::default(),
                    };
                    self.p_columns.push((cell.place.column.clone(), compared));
                }
            }
            _ => (),
        }
    }
}

/// Whether a mean stands with its standard error in the place of an SD.
fn is_of_errors(cell: &PublishedCell) -> bool {
    matches!(cell.row_role, RowRole::Quantity { summary: Summary::MeanSe, .. })
        || words::summary(&cell.place.row) == Summary::MeanSe
}

fn is_named_total(group: &Group) -> bool {
    ["total", "all", "overall"].contains(&group.column.to_lowercase().as_str())
}

/// The denominator of `31/88 (35.2)`: the patients of the group whose value is known. `None` where the fraction is
/// none of the group, or is of two levels: `56/41 (57.7)` of 97 counts men and women.
fn own_denominator(fraction: Option<(u64, u64)>, n: u64, percent: Printed, size: u64) -> Option<u64> {
    let (above, below) = fraction?;
    let fits = |of: u64| percent.is_ratio(100 * n as i64, of as i64);
    let is_of_two = above + below == size && fits(size) && !fits(below);
    (above == n && above <= below && below <= size && !is_of_two).then_some(below)
}

/// A P of the groups; one of a regression's term is not.
fn is_p(cell: &PublishedCell) -> bool {
    if matches!(cell.row_role, RowRole::Term { .. } | RowRole::Comparison) {
        return false;
    }
    matches!(cell.role, Role::P(_)) || P_VALUES.contains(&cell.place.column.to_lowercase().as_str())
}

/// The name of the variable that the rows below a row with numbers are levels of.
pub fn levels_of(name: &str) -> String {
    format!("{name} (levels)")
}

/// Whether a label says that its numbers are a median with quartiles or a range.
fn is_of_ranks(label: &str) -> bool {
    let label = label.to_lowercase();
    let words = ["median", "iqr", "interquartile", "quartile", "range", "q1", "p25", "min-max", "min–max"];
    words.iter().any(|word| label.contains(word))
}

/// Whether patients of whom a value is not known are a level like others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Left,
    Counted,
}

impl Arm {
    /// The counts of a variable, levels by the given groups of columns (pooled where several); of a single printed
    /// level, also the patients without it. `None` when a count is not printed.
    pub fn pooled(&self, variable: &Variable, groups: &[Vec<usize>], missing: Missing) -> Option<Vec<Vec<u64>>> {
        let count = |level: &Level, group: usize| level.counts.get(group).copied().flatten();
        let pool = |level: &Level| -> Option<Vec<u64>> {
            groups.iter().map(|pool| pool.iter().map(|&group| Some(count(level, group)?.n)).sum()).collect()
        };
        let kept = |it: &&Level| missing == Missing::Counted || !it.is_missing();
        let levels: Vec<&Level> = variable.levels.iter().filter(kept).collect();
        let mut rows: Vec<Vec<u64>> = levels.iter().map(|it| pool(it)).collect::<Option<_>>()?;
        if let [only] = levels[..] {
            let own = |group: usize| count(only, group).and_then(|it| it.of);
            let size = |group: usize| own(group).unwrap_or(self.groups[group].n);
            let rest: Option<Vec<u64>> = groups
                .iter()
                .zip(&rows[0])
                .map(|(pool, with)| pool.iter().map(|&group| size(group)).sum::<u64>().checked_sub(*with))
                .collect();
            rows.push(rest?);
        }
        (rows.len() > 1 && groups.len() > 1).then_some(rows)
    }
}

impl Variable {
    /// The P printed in a column.
    pub fn p_in(&self, column: &str) -> Option<Printed> {
        self.tests.iter().find(|(name, _)| name == column).map(|(_, p)| *p)
    }

    /// The counts most of the table speaks for, levels by the named groups; `None` when one is not printed.
    pub fn table(&self, groups: &[usize]) -> Option<Vec<Vec<u64>>> {
        let count = |level: &Level, group: usize| level.counts[group].map(|count| count.n);
        let rows: Option<Vec<Vec<u64>>> =
            self.levels.iter().map(|level| groups.iter().map(|&group| count(level, group)).collect()).collect();
        rows.filter(|rows| rows.len() > 1 && groups.len() > 1)
    }

    fn level(&mut self, row: &str, name: Option<&str>) -> &mut Level {
        let at = self.levels.iter().position(|level| level.row == row).unwrap_or_else(|| {
            let name = name.unwrap_or("").to_owned();
            self.levels.push(Level { row: row.to_owned(), name, counts: Vec::new() });
            self.levels.len() - 1
        });
        &mut self.levels[at]
    }
}

impl Level {
    /// Patients of whom the value is not known.
    pub fn is_missing(&self) -> bool {
        words::is_missing(&self.name)
    }

    fn counts_for(&mut self, n_groups: usize) -> &mut Vec<Option<Count>> {
        self.counts.resize(n_groups, None);
        &mut self.counts
    }
}
