//! Printed test statistics and p values against counts and moments, and against each other.

use std::collections::BTreeSet;

use crate::cohort::{Arm, Variable};
use crate::finding::{Finding, Kind, Severity};
use crate::independence::{self, Test, Tested};
use crate::moments::Moments;
use crate::printed::{Interval, Printed};
use osteon_stats::stats::distribution::{chi2_sf, normal_two_sided, t_two_sided};

/// What all cohort tables say of the tests in use.
pub fn check(arms: &[Arm]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for arm in arms {
        for variable in &arm.variables {
            findings.extend(categorical(arm, variable));
            findings.extend(continuous(arm, variable));
        }
    }
    findings.extend(categorical_method(arms));
    findings.extend(continuous_method(arms));
    findings
}

/// A table of counts, all its tests, and those whose statistic and p are both printed.
struct Fit {
    table: Vec<Vec<u64>>,
    all: Vec<Tested>,
    fitting: Vec<Tested>,
}

/// `None` without counts, or when neither statistic nor p is printed.
fn fit(arm: &Arm, variable: &Variable) -> Option<Fit> {
    let table = variable.table(&arm.compared())?;
    variable.p.or(variable.statistic)?;
    let all = independence::tests(&table);
    let fits = |tested: &Tested| {
        let statistic = match (variable.statistic, tested.statistic) {
            (Some(printed), Some(computed)) => printed.is(computed),
            _ => true,
        };
        statistic && variable.p.is_none_or(|p| p.is(tested.p))
    };
    let fitting = all.iter().copied().filter(fits).collect();
    Some(Fit { table, all, fitting })
}

fn categorical(arm: &Arm, variable: &Variable) -> Vec<Finding> {
    let Some(Fit { table, all, fitting }) = fit(arm, variable) else { return Vec::new() };
    if !fitting.is_empty() || all.is_empty() {
        return Vec::new();
    }
    let freedom = independence::freedom(&table);
    // Of the tests, that which gives one of the two numbers; Pearson when none does.
    let half = |tested: &&Tested| {
        let statistic = variable.statistic.zip(tested.statistic).is_some_and(|(printed, it)| printed.is(it));
        statistic || variable.p.is_some_and(|p| p.is(tested.p))
    };
    let nearest = all.iter().find(half).unwrap_or(&all[0]);
    let every: Vec<String> = all
        .iter()
        .map(|it| match it.statistic {
            Some(statistic) => format!("{}: {statistic:.3}, p {:.3}", it.test.word(), it.p),
            None => format!("{}: p {:.3}", it.test.word(), it.p),
        })
        .collect();
    let mut findings = Vec::new();
    if let (Some(printed), Some(computed)) = (variable.statistic, nearest.statistic)
        && !printed.is(computed)
    {
        findings.push((Kind::Statistic, "statistic", printed, computed));
    }
    if let Some(printed) = variable.p.filter(|p| !p.is(nearest.p)) {
        findings.push((Kind::PValue, "P value", printed, nearest.p));
    }
    let own = variable
        .statistic
        .zip(variable.p)
        .is_some_and(|(statistic, p)| p.meets(statistic.interval().map(|it| chi2_sf(it.max(0.0), freedom))));
    let among = if own { "; the two printed numbers do agree with each other" } else { "" };
    findings
        .into_iter()
        .map(|(kind, column, printed, computed)| Finding {
            kind,
            severity: grade(printed, computed),
            place: arm.place(&variable.name, column),
            printed: printed.to_string(),
            implied: printed.like(computed),
            alternatives: every.clone(),
            why: format!(
                "No usual test gives it from the counts; {} gives {}{among}.",
                nearest.test.name(),
                printed.like(computed)
            ),
        })
        .collect()
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

fn continuous(arm: &Arm, variable: &Variable) -> Option<Finding> {
    let compared = compared(arm, variable)?;
    let p = variable.p?;
    let [normal, student] = compared.p_values();
    // Welch's degrees of freedom lie between those of the smaller group and n - 2.
    let fewest = (compared.one.n.min(compared.other.n)).saturating_sub(1).max(1) as f64;
    let welch = compared.statistic.interval().magnitude().map(|t| t_two_sided(t, fewest));
    let from_t = Interval { low: student.low.min(welch.low), high: student.high.max(welch.high) };
    if p.meets(normal) || compared.is_t() && p.meets(from_t) {
        return None;
    }
    let computed = if compared.is_t() { student.middle() } else { normal_two_sided(compared.statistic.value()) };
    let by = if compared.is_t() { "Student's t" } else { "the normal distribution" };
    Some(Finding {
        kind: Kind::PValue,
        severity: grade(p, computed),
        place: arm.place(&variable.name, "P value"),
        printed: p.to_string(),
        implied: p.like(computed),
        alternatives: Vec::new(),
        why: format!("{} has the two-sided p {} by {by}.", compared.statistic, p.like(computed)),
    })
}

/// Which test of independence every printed p is compatible with, and where Fisher's was due.
fn categorical_method(arms: &[Arm]) -> Vec<Finding> {
    let mut common: BTreeSet<Test> = BTreeSet::from([Test::Pearson, Test::Yates, Test::Fisher, Test::LikelihoodRatio]);
    let (mut n, mut sparse, mut tables) = (0, Vec::new(), BTreeSet::new());
    for arm in arms {
        for variable in &arm.variables {
            let Some(Fit { table, all, fitting }) = fit(arm, variable) else { continue };
            if fitting.is_empty() {
                continue;
            }
            n += 1;
            tables.insert(arm.table.as_str());
            let possible = |test: &Test| {
                // Yates's correction exists for two-by-two tables only.
                fitting.iter().any(|it| it.test == *test)
                    || *test == Test::Yates && table.len() > 2 && fitting.iter().any(|it| it.test == Test::Pearson)
            };
            common.retain(possible);
            let exact = all.iter().find(|it| it.test == Test::Fisher).filter(|_| independence::is_sparse(&table));
            if let (Some(exact), false) = (exact, fitting.iter().any(|it| it.test == Test::Fisher)) {
                sparse.push((arm, variable, exact.p));
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
