//! The F of three groups and more against their printed means and SDs, and against its own P.
//!
//! Means, F and P are three: where two rows have all of them of one analysis of variance, and most others too, the rest
//! is judged.

use crate::cohort::{Arm, Variable};
use crate::finding::{Finding, Kind, Severity};
use crate::moments::{self, Group};
use crate::printed::{Interval, Printed};
use crate::read::words::{self, Statistic};
use crate::tested::grade;
use osteon_stats::stats::distribution::f_sf;

/// Rows that follow before others are judged.
const FEWEST: usize = 2;

/// A row of means with its F.
struct Row<'a> {
    arm: &'a Arm,
    variable: &'a Variable,
    f: Printed,
    p: Option<Printed>,
    /// Every F that means and SDs of these digits have.
    of_means: Interval,
    freedom: [f64; 2],
}

/// F statistics and P values that do not follow, where most rows of the table do.
pub fn check(arms: &[Arm]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for arm in arms {
        let rows: Vec<Row> = arm.variables.iter().filter_map(|it| row(arm, it)).collect();
        let (right, wrong): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|it| it.is_right());
        if right.len() >= FEWEST && right.len() >= wrong.len() {
            findings.extend(wrong.into_iter().map(Row::finding));
        }
    }
    findings
}

fn row<'a>(arm: &'a Arm, variable: &'a Variable) -> Option<Row<'a>> {
    let f = variable.statistic.filter(|_| words::statistics(&variable.named).contains(&Statistic::F))?;
    let compared = arm.compared();
    let moments = |&group: &usize| variable.moments.get(group).copied().flatten().map(|it| it.group());
    let groups: Vec<Group> = compared.iter().map(moments).collect::<Option<_>>()?;
    let (n, k) = (groups.iter().map(|it| it.n).sum::<u64>() as f64, groups.len() as f64);
    (groups.len() > 2 && n > k).then(|| {
        let freedom = [k - 1.0, n - k];
        Row { arm, variable, f, p: variable.p, of_means: ratio(&groups, freedom), freedom }
    })
}

/// Between by within.
fn ratio(groups: &[Group], [above, below]: [f64; 2]) -> Interval {
    let between = moments::between(groups).times(1.0 / above);
    let within = groups.iter().fold(Interval::point(0.0), |sum, it| sum.plus(moments::within(it))).times(1.0 / below);
    let (least, most) = (within.low.max(1e-12), within.high.max(1e-12));
    Interval { low: between.low.max(0.0) / most, high: between.high.max(0.0) / least }
}

impl Row<'_> {
    fn p_of(&self, f: Interval) -> Interval {
        f.map(|it| f_sf(it.max(0.0), self.freedom[0], self.freedom[1]))
    }

    fn is_of_means(&self) -> bool {
        self.f.meets(self.of_means)
    }

    fn is_p_of_f(&self) -> bool {
        self.p.is_none_or(|p| p.meets(self.p_of(self.f.interval())))
    }

    fn is_right(&self) -> bool {
        self.is_of_means() && self.is_p_of_f()
    }

    fn finding(&self) -> Finding {
        let p_of_means = self.p.is_some_and(|p| p.meets(self.p_of(self.of_means)));
        if let Some(p) = self.p.filter(|_| self.is_of_means()) {
            let computed = self.p_of(Interval::point(self.f.value())).low;
            let why = format!(
                "The F {} of {} and {} degrees of freedom has the P {}.",
                self.f,
                self.freedom[0],
                self.freedom[1],
                p.like(computed)
            );
            return self.told((Kind::PValue, "P value"), p, computed, self.graded(p, computed), why);
        }
        let computed = self.of_means.middle();
        let severity = if self.is_p_of_f() && !p_of_means { Severity::Note } else { self.graded(self.f, computed) };
        let why = match severity {
            Severity::Note => {
                "F and P agree with each other, and not with means and SDs: another analysis, or a wrong mean or SD."
                    .to_owned()
            }
            _ => format!(
                "The printed means and SDs have an F between {:.3} and {:.3}.",
                self.of_means.low, self.of_means.high
            ),
        };
        self.told((Kind::Statistic, "statistic"), self.f, computed, severity, why)
    }

    fn graded(&self, printed: Printed, computed: f64) -> Severity {
        match grade(printed, computed) {
            Severity::Rounding => Severity::Inconsistent,
            severity => severity,
        }
    }

    fn told(
        &self,
        (kind, column): (Kind, &str),
        printed: Printed,
        computed: f64,
        severity: Severity,
        why: String,
    ) -> Finding {
        Finding {
            kind,
            severity,
            place: self.arm.place(&self.variable.name, column),
            printed: printed.to_string(),
            implied: printed.like(computed),
            alternatives: Vec::new(),
            why,
        }
    }
}
