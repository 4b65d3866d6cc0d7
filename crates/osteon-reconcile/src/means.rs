//! P values of means that stand without a statistic: whether Student's t, Welch's t or the analysis of variance of the
//! printed means and SDs gives them.
//!
//! As with counts, a column is judged only under a test that explains most of it: papers compare skewed values by
//! ranks and print their means all the same. A row is called wrong only when it is far from what the others follow.

use crate::cohort::{Arm, Variable};
use crate::columns::{self, Column};
use crate::finding::{Finding, Kind, Place, Severity};
use crate::moments::{self, Group};
use crate::printed::{Interval, Printed};
use crate::tested::grade;
use osteon_stats::stats::distribution::{f_sf, normal_quantile, t_two_sided};

/// Explained rows that a column needs before others are judged.
const FEWEST: usize = 3;
/// How many times as many must be explained as not.
const TIMES: usize = 4;
/// How far the normal quantile of a printed P must lie beyond that of the test.
const GAP: f64 = 0.5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Student,
    Welch,
    Anova,
}

impl Test {
    fn name(self) -> &'static str {
        match self {
            Test::Student => "Student's t test",
            Test::Welch => "Welch's t test",
            Test::Anova => "the analysis of variance",
        }
    }

    /// Every P that means and SDs of these digits can have.
    fn p(self, groups: &[Group]) -> Interval {
        match (self, groups) {
            (Test::Anova, _) => anova(groups),
            (_, [one, other]) => two(self, one, other),
            _ => Interval { low: 0.0, high: 1.0 },
        }
    }
}

fn two(test: Test, one: &Group, other: &Group) -> Interval {
    let difference = one.mean.minus(other.mean).magnitude();
    let (m, n) = (one.n as f64, other.n as f64);
    let of = |a: f64, b: f64| -> (f64, f64) {
        let (va, vb) = (a * a / m, b * b / n);
        match test {
            Test::Welch => {
                let freedom = (va + vb).powi(2) / (va * va / (m - 1.0) + vb * vb / (n - 1.0)).max(1e-300);
                ((va + vb).sqrt(), freedom.max(1.0))
            }
            _ => {
                let pooled = ((m - 1.0) * a * a + (n - 1.0) * b * b) / (m + n - 2.0);
                ((pooled * (1.0 / m + 1.0 / n)).sqrt(), m + n - 2.0)
            }
        }
    };
    let sds = [
        (one.sd.low, other.sd.low),
        (one.sd.high, other.sd.high),
        (one.sd.low, other.sd.high),
        (one.sd.high, other.sd.low),
    ];
    let (mut low, mut high) = (1.0_f64, 0.0_f64);
    for (a, b) in sds {
        let (error, freedom) = of(a, b);
        let p = |difference: f64| if error > 0.0 { t_two_sided(difference / error, freedom) } else { 0.0 };
        low = low.min(p(difference.high));
        high = high.max(p(difference.low));
    }
    Interval { low, high }
}

fn anova(groups: &[Group]) -> Interval {
    let n: f64 = groups.iter().map(|it| it.n as f64).sum();
    let k = groups.len() as f64;
    let between = moments::between(groups);
    let within = groups.iter().fold(Interval::point(0.0), |sum, it| sum.plus(moments::within(it)));
    let p = |between: f64, within: f64| {
        if within > 0.0 { f_sf(between / (k - 1.0) / (within / (n - k)), k - 1.0, n - k) } else { 0.0 }
    };
    Interval { low: p(between.high, within.low), high: p(between.low, within.high) }
}

/// A column of P values with what explains those of its means.
pub struct Means<'a> {
    arm: &'a Arm,
    column: String,
    /// Groups of the arm, pooled where several stand together.
    groups: Vec<Vec<usize>>,
    test: Test,
    explained: Vec<&'a Variable>,
    wrong: Vec<&'a Variable>,
    /// Rows whose means are so far apart that no test of any choice of groups has the printed P.
    hopeless: Vec<String>,
}

/// Every column of P values over means.
pub fn columns<'a>(arms: &'a [Arm], counted: &[Column]) -> Vec<Means<'a>> {
    let mut found = Vec::new();
    for arm in arms {
        for (name, compared) in &arm.p_columns {
            let of_counts =
                counted.iter().find(|it| it.arm.table == arm.table && it.arm.set == arm.set && it.name == *name);
            let mut choices: Vec<Vec<Vec<usize>>> = of_counts.map(|it| it.groups.clone()).into_iter().collect();
            choices.extend(columns::choices(arm, compared));
            // Pooled groups only where the counts of the column are of them.
            let is_pooled = |it: &Vec<Vec<usize>>| it.iter().any(|pool| pool.len() > 1);
            let tried = choices
                .into_iter()
                .enumerate()
                .filter(|(at, it)| !is_pooled(it) || *at == 0 && of_counts.is_some_and(|counts| counts.is_judged()));
            let tried = tried.flat_map(|(_, groups)| {
                let tests = if groups.len() == 2 { &[Test::Student, Test::Welch][..] } else { &[Test::Anova][..] };
                tests.iter().map(|&test| means(arm, name, &groups, test)).collect::<Vec<_>>()
            });
            let mut best: Option<Means> = None;
            let tried: Vec<Means> = tried.collect();
            let hopeless = hopeless(arm, name, &tried);
            for it in tried {
                if best.as_ref().is_none_or(|best| it.explained.len() > best.explained.len()) {
                    best = Some(it);
                }
            }
            found.extend(best.filter(|it| !it.explained.is_empty() || !it.wrong.is_empty()).map(|mut it| {
                it.hopeless = hopeless;
                it
            }));
        }
    }
    found
}

fn means<'a>(arm: &'a Arm, column: &str, groups: &[Vec<usize>], test: Test) -> Means<'a> {
    let rows = arm.variables.iter().filter(|it| it.statistic.is_none() && it.p_in(column).is_some());
    let rows = rows.filter(|it| of(it, groups).is_some_and(|of| of.iter().all(|it| it.n > 1)));
    let (explained, wrong) = rows.partition(|it| {
        let (Some(groups), Some(p)) = (of(it, groups), it.p_in(column)) else { return false };
        p.meets(test.p(&groups))
    });
    Means { arm, column: column.to_owned(), groups: groups.to_vec(), test, explained, wrong, hopeless: Vec::new() }
}

/// How far the normal quantile of every test must lie beyond that of the printed P: a test of ranks of skewed values,
/// outliers and missing values take less from it.
const HOPELESS: f64 = 3.0;

/// Names of the rows in which, whatever groups are compared and by which test, the means differ far more than the
/// printed P says.
fn hopeless(arm: &Arm, column: &str, tried: &[Means]) -> Vec<String> {
    let beyond = |means: &Means, variable: &Variable| {
        let (Some(groups), Some(p)) = (of(variable, &means.groups), variable.p_in(column)) else { return false };
        let quantile = |p: f64| if p >= 1.0 { 0.0 } else { -normal_quantile((0.5 * p).max(1e-300)) };
        groups.len() > 1 && quantile(means.test.p(&groups).high) > quantile(p.interval().low.max(0.0)) + HOPELESS
    };
    let rows =
        arm.variables.iter().filter(|it| it.statistic.is_none() && it.p_in(column).is_some_and(|p| p.is_exact()));
    let all = |it: &&Variable| !tried.is_empty() && tried.iter().all(|means| beyond(means, it));
    rows.filter(all).map(|it| it.name.clone()).collect()
}

fn of(variable: &Variable, groups: &[Vec<usize>]) -> Option<Vec<Group>> {
    let one = |&at: &usize| variable.moments.get(at).copied().flatten().map(|it| it.group());
    let pool = |pool: &Vec<usize>| match pool.as_slice() {
        [only] => one(only),
        several => Some(moments::pool(&several.iter().map(one).collect::<Option<Vec<Group>>>()?)),
    };
    groups.iter().map(pool).collect()
}

impl Means<'_> {
    /// Whether it is of a column of counts: the same P values, of the same groups.
    pub fn is_of(&self, column: &Column) -> bool {
        std::ptr::eq(self.arm, column.arm) && self.column == column.name && self.groups == column.groups
    }

    /// Table, set and heading.
    pub fn key(&self) -> [String; 3] {
        [self.arm.table.clone(), self.arm.set.clone(), self.column.clone()]
    }

    /// Explained rows whose P says something, where no row speaks against the test.
    pub fn speaking(&self) -> usize {
        if self.wrong.is_empty() { self.telling() } else { 0 }
    }

    /// Explained rows whose P says something: not below its last digit, and not any P at all.
    fn telling(&self) -> usize {
        let tells = |variable: &&&Variable| {
            let (Some(groups), Some(p)) = (of(variable, &self.groups), variable.p_in(&self.column)) else {
                return false;
            };
            let range = self.test.p(&groups);
            p.is_exact() && p.value() > p.unit() && range.high - range.low < 0.2
        };
        self.explained.iter().filter(tells).count()
    }

    /// What was taken for it, in one sentence.
    pub fn taken(&self) -> String {
        let name = |&at: &usize| self.arm.groups[at].column.as_str();
        let names: Vec<String> =
            self.groups.iter().map(|pool| pool.iter().map(name).collect::<Vec<_>>().join(" + ")).collect();
        format!(
            "table {} {} {}: of {}, {} of {} rows of means explained by {}",
            self.arm.table,
            self.arm.set,
            self.column,
            names.join(" : "),
            self.explained.len(),
            self.explained.len() + self.wrong.len(),
            self.test.name()
        )
    }

    /// The rows that no test explains: those that are far from it, and those of which nothing can be said.
    fn parted(&self) -> (Vec<&Variable>, Vec<&Variable>) {
        let is_judged = self.telling() >= FEWEST && self.explained.len() >= TIMES * self.wrong.len();
        let far =
            |it: &&Variable| is_judged && self.gap(it).is_some_and(|gap| gap > GAP) || self.hopeless.contains(&it.name);
        self.wrong.iter().copied().partition(far)
    }

    /// The P values of which nothing can be said.
    pub fn unjudged(&self) -> Vec<Place> {
        self.parted().1.into_iter().map(|it| self.arm.place(&it.name, &self.column)).collect()
    }

    pub fn findings(&self) -> Vec<Finding> {
        let (judged, left) = self.parted();
        let mut findings: Vec<Finding> = judged.iter().filter_map(|it| self.finding(it)).collect();
        if let Some(first) = left.first() {
            let names: Vec<&str> = left.iter().map(|it| it.name.as_str()).collect();
            let why = format!(
                "By {} the printed means and SDs give {} of {} P values, not {}: ranks were compared, or values are missing.",
                self.test.name(),
                self.explained.len(),
                self.explained.len() + self.wrong.len(),
                names.join("; ")
            );
            findings.push(Finding {
                kind: Kind::Method,
                severity: Severity::Note,
                place: self.arm.place(&first.name, &self.column),
                printed: first.p_in(&self.column).map(|p| p.to_string()).unwrap_or_default(),
                implied: "cannot be judged".to_owned(),
                alternatives: Vec::new(),
                why,
            });
        }
        findings
    }

    /// How far the printed P lies from the test's, as a normal quantile.
    fn gap(&self, variable: &Variable) -> Option<f64> {
        let (groups, p) = (of(variable, &self.groups)?, variable.p_in(&self.column)?);
        let quantile = |p: f64| if p >= 1.0 { 0.0 } else { -normal_quantile((0.5 * p).max(1e-300)) };
        let (range, printed) = (self.test.p(&groups), p.interval());
        let ours = Interval { low: quantile(range.high), high: quantile(range.low) };
        let theirs = Interval { low: quantile(printed.high), high: quantile(printed.low.max(0.0)) };
        Some((theirs.low - ours.high).max(ours.low - theirs.high))
    }

    fn finding(&self, variable: &Variable) -> Option<Finding> {
        let (groups, p): (Vec<Group>, Printed) = (of(variable, &self.groups)?, variable.p_in(&self.column)?);
        let range = self.test.p(&groups);
        let severity = match grade(p, range.middle()) {
            Severity::Rounding => Severity::Inconsistent,
            severity => severity,
        };
        Some(Finding {
            kind: Kind::PValue,
            severity,
            place: self.arm.place(&variable.name, &self.column),
            printed: p.to_string(),
            implied: p.like(range.middle()),
            alternatives: vec![format!("between {:.4} and {:.4}", range.low, range.high)],
            why: if self.hopeless.contains(&variable.name) {
                format!(
                    "The means differ by far more than this P says: by {} it is {}.",
                    self.test.name(),
                    if range.high < 1e-4 { "below 0.0001".to_owned() } else { format!("at most {:.4}", range.high) }
                )
            } else {
                format!(
                    "By {}, which gives {} other P values of the column, the printed means and SDs have a P between {:.4} \
                     and {:.4}.",
                    self.test.name(),
                    self.explained.len(),
                    range.low,
                    range.high
                )
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_printed_moments_are_those_of_scipy() {
        // SciPy 1.17.1: ttest_ind_from_stats(57.3, 14.0, 76, 57.5, 15.3, 62), the same with equal_var=False, and f_oneway
        // of data with these moments (F from the decomposition of sums of squares).
        let exact = |n: u64, mean: f64, sd: f64| Group { n, mean: Interval::point(mean), sd: Interval::point(sd) };
        let pair = [exact(76, 57.3, 14.0), exact(62, 57.5, 15.3)];
        for (test, p) in [(Test::Student, 0.9363069916), (Test::Welch, 0.9368896822), (Test::Anova, 0.9363069916)] {
            assert!((test.p(&pair).middle() - p).abs() < 1e-9, "{test:?} {:?}", test.p(&pair));
        }
    }
}
