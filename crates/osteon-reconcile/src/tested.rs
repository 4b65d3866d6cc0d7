//! Printed test statistics and p values against counts and moments, and against each other.

use std::collections::BTreeSet;

use crate::cohort::{Arm, Variable};
use crate::columns::Column;
use crate::finding::{Finding, Kind, Severity};
use crate::independence::{self, Test};
use crate::moments::Moments;
use crate::printed::{Interval, Printed};
use crate::read::words::{self, Statistic};
use osteon_stats::stats::distribution::{chi2_sf, normal_two_sided, t_two_sided};

/// What all cohort tables say of the tests in use.
pub fn check(arms: &[Arm], columns: &[Column]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = columns.iter().flat_map(Column::findings).collect();
    for arm in arms {
        findings.extend(continuous(arm));
    }
    findings.extend(repeated(columns));
    findings.extend(categorical_method(arms, columns));
    findings.extend(continuous_method(arms));
    findings
}

/// A column whose P values are all those of another column: copied, when these are many.
fn repeated(columns: &[Column]) -> Vec<Finding> {
    let values = |column: &Column| -> Vec<(String, String)> {
        column.lines.iter().filter_map(|it| Some((it.variable.name.clone(), it.p?.to_string()))).collect()
    };
    let mut findings = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let own = values(column);
        for other in columns[..at].iter().filter(|other| own.len() > 2 && values(other) == own) {
            findings.push(Finding {
                kind: Kind::Repeat,
                severity: Severity::Note,
                place: column.arm.place(&column.lines[0].variable.name, &column.name),
                printed: own.iter().map(|(_, p)| p.as_str()).collect::<Vec<_>>().join(" "),
                implied: String::new(),
                alternatives: Vec::new(),
                why: format!("All {} P values are those of {} of table {}.", own.len(), other.arm.set, other.arm.table),
            });
        }
    }
    findings
}

/// How grave a printed number is that should be `computed`.
pub fn grade(printed: Printed, computed: f64) -> Severity {
    if printed.units_off(computed).abs() < 1.0 + 1e-9 {
        Severity::Rounding
    } else if Printed::of(computed, printed.decimals()).is_slip_of(printed) {
        Severity::Typo
    } else {
        Severity::Inconsistent
    }
}

/// Two groups with moments, a statistic and a p.
struct Compared<'a> {
    arm: &'a Arm,
    variable: &'a Variable,
    one: Moments,
    other: Moments,
    statistic: Printed,
}

fn compared<'a>(arm: &'a Arm, variable: &'a Variable) -> Option<Compared<'a>> {
    let [one, other] = arm.compared()[..] else { return None };
    let (one, other) = (variable.moments[one]?, variable.moments[other]?);
    Some(Compared { arm, variable, one, other, statistic: variable.statistic? })
}

impl Compared<'_> {
    /// p by the normal distribution and by t with n - 2 degrees of freedom.
    fn p_values(&self) -> [Interval; 2] {
        let freedom = (self.one.n + self.other.n).saturating_sub(2).max(1) as f64;
        let statistic = self.statistic.interval().magnitude();
        [statistic.map(normal_two_sided), statistic.map(|t| t_two_sided(t, freedom))]
    }

    /// Student's and Welch's t from the printed moments.
    fn t(&self) -> [Interval; 2] {
        let (one, other) = (self.one.group(), self.other.group());
        let difference = one.mean.minus(other.mean);
        let (m, n) = (one.n as f64, other.n as f64);
        let both = |error: &dyn Fn(f64, f64) -> f64| {
            let errors = Interval { low: error(one.sd.low, other.sd.low), high: error(one.sd.high, other.sd.high) };
            let all = [errors.low, errors.high].map(|error| [difference.low / error, difference.high / error]);
            let all: Vec<f64> = all.concat();
            Interval {
                low: all.iter().copied().fold(f64::INFINITY, f64::min),
                high: all.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            }
        };
        let pooled =
            both(&|a, b| (((m - 1.0) * a * a + (n - 1.0) * b * b) / (m + n - 2.0) * (1.0 / m + 1.0 / n)).sqrt());
        [pooled, both(&|a, b| (a * a / m + b * b / n).sqrt())]
    }

    fn is_t(&self) -> bool {
        self.t()
            .iter()
            .any(|&t| self.statistic.meets(t) || self.statistic.meets(Interval { low: -t.high, high: -t.low }))
    }
}

/// The statistics and P values of means: these follow from each other in most rows, or nothing is asserted.
fn continuous(arm: &Arm) -> Vec<Finding> {
    let rows: Vec<(Compared, Printed)> =
        arm.variables.iter().filter_map(|it| Some((compared(arm, it)?, it.p?))).collect();
    let (explained, wrong): (Vec<_>, Vec<_>) = rows.iter().partition(|(row, p)| row.explains(*p));
    let telling = explained.iter().filter(|(_, p)| p.is_exact()).count();
    if wrong.is_empty() || telling > 1 && explained.len() >= wrong.len() {
        return wrong.iter().map(|(row, p)| row.finding(*p)).collect();
    }
    // A t that is that of the means to its last digit says its own P.
    if !wrong.is_empty() && wrong.iter().all(|(row, p)| row.is_told_by_t(*p)) {
        return wrong.iter().map(|(row, p)| row.finding(*p)).collect();
    }
    // Means, statistic and P are three: where two agree the third is wrong.
    if !explained.is_empty() && explained.len() >= wrong.len() && wrong.iter().all(|(row, p)| row.is_apart(*p)) {
        return wrong.iter().map(|(row, p)| row.finding(*p)).collect();
    }
    let (first, p) = wrong[0];
    let names: Vec<&str> = wrong.iter().map(|(row, _)| row.variable.name.as_str()).collect();
    vec![Finding {
        kind: Kind::Method,
        severity: Severity::Note,
        place: arm.place(&first.variable.name, "P value"),
        printed: p.to_string(),
        implied: "cannot be judged".to_owned(),
        alternatives: Vec::new(),
        why: format!("The statistics of {} are not of a test that gives their P values.", names.join("; ")),
    }]
}

impl Compared<'_> {
    fn student(&self) -> Interval {
        // Welch's degrees of freedom lie between those of the smaller group and n - 2.
        let [_, student] = self.p_values();
        let fewest = (self.one.n.min(self.other.n)).saturating_sub(1).max(1) as f64;
        let welch = self.statistic.interval().magnitude().map(|t| t_two_sided(t, fewest));
        Interval { low: student.low.min(welch.low), high: student.high.max(welch.high) }
    }

    /// Whether the printed P is that of the statistic: a Z, a t, an H or an F.
    fn explains(&self, p: Printed) -> bool {
        let [normal, _] = self.p_values();
        let positive = |it: f64| it.max(0.0);
        let squared = self.statistic.interval().map(positive);
        let freedom = (self.one.n + self.other.n).saturating_sub(2).max(1) as f64;
        let may_be = |statistic: Statistic| words::statistics(&self.variable.named).contains(&statistic);
        may_be(Statistic::Z) && p.meets(normal)
            || may_be(Statistic::T) && self.is_t() && p.meets(self.student())
            || may_be(Statistic::F) && self.is_square() && p.meets(squared.map(|it| t_two_sided(it.sqrt(), freedom)))
            || may_be(Statistic::ChiSquare) && p.meets(squared.map(|it| chi2_sf(it, 1.0)))
    }

    /// Whether the statistic may be a t, is that of the means, and the P is far from it.
    fn is_told_by_t(&self, p: Printed) -> bool {
        let student = self.student();
        let apart = p.value() < 0.5 * student.low || p.value() > 2.0 * student.high;
        words::statistics(&self.variable.named).contains(&Statistic::T)
            && self.statistic.decimals() > 1
            && self.statistic.value().abs() > 0.1
            && self.is_t()
            && p.is_exact()
            && apart
    }

    /// The P values that Student's or Welch's test of the printed moments can have.
    fn p_of_means(&self) -> Interval {
        let fewest = (self.one.n.min(self.other.n)).saturating_sub(1).max(1) as f64;
        let most = (self.one.n + self.other.n).saturating_sub(2).max(1) as f64;
        let ends = self.t().map(|t| t.magnitude());
        let all = ends.iter().flat_map(|it| [t_two_sided(it.low, fewest), t_two_sided(it.high, most)]);
        let all: Vec<f64> = all.collect();
        Interval { low: all.iter().copied().fold(1.0, f64::min), high: all.iter().copied().fold(0.0, f64::max) }
    }

    /// Whether the statistic is the F of the printed moments.
    fn is_square(&self) -> bool {
        self.t()
            .iter()
            .any(|t| self.statistic.meets(Interval::spanning(t.magnitude().low.powi(2), t.magnitude().high.powi(2))))
    }

    /// Whether the statistic is named t and either it or the P, but not both, follows from the means.
    fn is_apart(&self, p: Printed) -> bool {
        words::statistics(&self.variable.named) == [Statistic::T]
            && self.is_t() != p.meets(self.p_of_means())
            && p.is_exact()
    }

    fn finding(&self, p: Printed) -> Finding {
        let t = self.t()[0];
        if self.is_apart(p) && !self.is_t() {
            let t = if self.statistic.value() < 0.0 { -t.magnitude().middle() } else { t.magnitude().middle() };
            return Finding {
                kind: Kind::Statistic,
                severity: match grade(self.statistic, t) {
                    Severity::Rounding => Severity::Inconsistent,
                    severity => severity,
                },
                place: self.arm.place(&self.variable.name, "statistic"),
                printed: self.statistic.to_string(),
                implied: self.statistic.like(t),
                alternatives: Vec::new(),
                why: format!("The means and SDs have the t {}, and the P of that.", self.statistic.like(t)),
            };
        }
        let [_, student] = self.p_values();
        let is_t = self.is_t() || words::statistics(&self.variable.named) == [Statistic::T];
        let computed = if is_t { student.middle() } else { normal_two_sided(self.statistic.value()) };
        let by = if is_t { "Student's t" } else { "the normal distribution" };
        Finding {
            kind: Kind::PValue,
            severity: grade(p, computed),
            place: self.arm.place(&self.variable.name, "P value"),
            printed: p.to_string(),
            implied: p.like(computed),
            alternatives: Vec::new(),
            why: format!("{} has the two-sided p {} by {by}.", self.statistic, p.like(computed)),
        }
    }
}

/// Which test of independence every printed p is compatible with, and where Fisher's was due.
fn categorical_method(arms: &[Arm], columns: &[Column]) -> Vec<Finding> {
    let mut common: BTreeSet<Test> = BTreeSet::from([Test::Pearson, Test::Yates, Test::Fisher, Test::LikelihoodRatio]);
    let (mut n, mut sparse, mut tables) = (0, Vec::new(), BTreeSet::new());
    for column in columns {
        for line in column.lines.iter().filter(|it| !it.fitting.is_empty()) {
            n += 1;
            tables.insert(column.arm.table.as_str());
            let possible = |test: &Test| {
                // Yates's correction exists for two-by-two tables only.
                line.fitting.iter().any(|it| it.test == *test)
                    || *test == Test::Yates
                        && line.table.len() > 2
                        && line.fitting.iter().any(|it| it.test == Test::Pearson)
            };
            common.retain(possible);
            let exact = line.all.iter().find(|it| it.test == Test::Fisher && it.error == 0.0);
            let exact = exact.filter(|_| independence::is_sparse(&line.table));
            if let (Some(exact), false) = (exact, line.fitting.iter().any(|it| it.test == Test::Fisher)) {
                sparse.push((column.arm, line.variable, exact.p));
            }
        }
    }
    let place = |arm: &Arm, row: &str| arm.place(row, "P value");
    let mut findings = Vec::new();
    if let (Some(test), Some(arm), true) = (common.first(), arms.first(), n > 1) {
        let tables: Vec<&str> = tables.into_iter().collect();
        findings.push(Finding {
            kind: Kind::Method,
            severity: Severity::Note,
            place: place(arm, "all categorical rows"),
            printed: String::new(),
            implied: test.name().to_owned(),
            alternatives: common.iter().skip(1).map(|test| test.name().to_owned()).collect(),
            why: format!("All {n} categorical p values of tables {} are those of {}.", tables.join(", "), test.name()),
        });
    }
    findings.extend(sparse.into_iter().map(|(arm, variable, p)| Finding {
        kind: Kind::Method,
        severity: Severity::Note,
        place: place(arm, &variable.name),
        printed: variable.p.map(|p| p.to_string()).unwrap_or_default(),
        implied: variable.p.map_or(format!("{p:.3}"), |printed| printed.like(p)),
        alternatives: Vec::new(),
        why: "Cells expect too few patients for chi-square; this is Fisher's exact p.".to_owned(),
    }));
    findings
}

/// Whether the statistics are t or Z of ranks, and what exact p values small groups would have had.
fn continuous_method(arms: &[Arm]) -> Vec<Finding> {
    let (mut normal, mut t, mut first) = (0, 0, None);
    let mut findings = Vec::new();
    for arm in arms {
        for compared in arm.variables.iter().filter_map(|variable| compared(arm, variable)) {
            let Some(p) = compared.variable.p else { continue };
            first.get_or_insert(arm);
            t += usize::from(compared.is_t());
            if compared.is_t() || !p.meets(compared.p_values()[0]) {
                continue;
            }
            normal += 1;
            findings.extend(exact_note(&compared, p));
        }
    }
    let Some(arm) = first.filter(|_| normal + t > 1) else { return findings };
    let (implied, why) = if normal > t {
        (
            "Mann-Whitney, asymptotic",
            format!(
                "{normal} statistics give the printed p by the normal distribution, and the printed means and SDs \
                 give no such t: ranks were compared, without exact p."
            ),
        )
    } else {
        ("t test", format!("{t} statistics are t of the printed means and SDs."))
    };
    findings.push(Finding {
        kind: Kind::Method,
        severity: Severity::Note,
        place: arm.place("all continuous rows", "P value"),
        printed: String::new(),
        implied: implied.to_owned(),
        alternatives: Vec::new(),
        why,
    });
    findings
}

/// The exact p of the Mann-Whitney U that `statistic` stands for when no values are tied, for groups of at most 20.
fn exact_note(compared: &Compared, p: Printed) -> Option<Finding> {
    let (m, n) = (compared.one.n, compared.other.n);
    if m.max(n) > 20 || m.min(n) < 2 {
        return None;
    }
    let deviation = (m as f64 * n as f64 * (m + n + 1) as f64 / 12.0).sqrt();
    let u = (m * n) as f64 / 2.0 - compared.statistic.value().abs() * deviation;
    // Without ties U is whole; ties shrink the deviation a little, hence the tenth.
    let exact = if (u - u.round()).abs() < 0.1 {
        exact_p(u.round().max(0.0) as usize, m as usize, n as usize)
    } else {
        return None;
    };
    (!p.is(exact)).then(|| Finding {
        kind: Kind::Method,
        severity: Severity::Note,
        place: compared.arm.place(&compared.variable.name, "P value"),
        printed: p.to_string(),
        implied: p.like(exact),
        alternatives: Vec::new(),
        why: format!(
            "Asymptotic; the exact Mann-Whitney p of U = {} in {m} and {n} untied values is {}.",
            u.round(),
            p.like(exact)
        ),
    })
}

/// Twice the share of orders of m and n different values whose U is at most `u`.
fn exact_p(u: usize, m: usize, n: usize) -> f64 {
    // ways[i][s]: choices of i of the ranks seen so far whose U is s.
    let most = m * n;
    let mut ways = vec![vec![0.0; most + 1]; m + 1];
    ways[0][0] = 1.0;
    for seen in 0..m + n {
        for taken in (1..=m.min(seen + 1)).rev() {
            let below = seen + 1 - taken;
            for s in below..=most {
                let more = ways[taken - 1][s - below];
                ways[taken][s] += more;
            }
        }
    }
    let all: f64 = ways[m].iter().sum();
    (2.0 * ways[m][..=u.min(most)].iter().sum::<f64>() / all).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_mann_whitney_p_is_that_of_the_tables() {
        // Mann & Whitney 1947: m = n = 3, U = 0 has 1 of 20 orders. R 4.2.2, wilcox.test exact, 9 and 9, U = 30: 0.387.
        assert!((exact_p(0, 3, 3) - 0.1).abs() < 1e-12);
        assert!((exact_p(30, 9, 9) - 0.387).abs() < 5e-4);
    }
}
