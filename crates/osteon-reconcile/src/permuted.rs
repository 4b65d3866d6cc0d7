//! Percentages that stand at other levels than their counts: swapped cells, and rows shifted by one.

use crate::cohort::{Arm, Variable};
use crate::finding::{Finding, Kind, Severity};

/// The levels of a variable and group whose percentages belong to each other's counts.
pub struct Permuted {
    pub arm: usize,
    pub variable: usize,
    /// Group, and its levels that are concerned.
    pub groups: Vec<(usize, Vec<usize>)>,
}

/// All variables with such groups.
pub fn find(arms: &[Arm]) -> Vec<Permuted> {
    let mut found = Vec::new();
    for (a, arm) in arms.iter().enumerate() {
        for (v, variable) in arm.variables.iter().enumerate() {
            let groups: Vec<(usize, Vec<usize>)> = (0..arm.groups.len())
                .filter_map(|group| levels(variable, group, arm.groups[group].n).map(|levels| (group, levels)))
                .collect();
            if !groups.is_empty() {
                found.push(Permuted { arm: a, variable: v, groups });
            }
        }
    }
    found
}

/// Levels whose count has another percentage, when the percentages of all these levels are those of their counts in
/// another order.
fn levels(variable: &Variable, group: usize, n: u64) -> Option<Vec<usize>> {
    let count = |level: usize| variable.levels[level].counts.get(group).copied().flatten();
    let fits = |of: usize, at: usize| {
        let (Some(of), Some(at)) = (count(of), count(at)) else { return false };
        at.percent.is_some_and(|percent| {
            percent.is_ratio(100 * of.printed as i64, at.of.or(at.percent_of).unwrap_or(n) as i64)
        })
    };
    let wrong: Vec<usize> = (0..variable.levels.len())
        .filter(|&level| count(level).is_some_and(|it| it.percent.is_some()) && !fits(level, level))
        .collect();
    let mut free = wrong.clone();
    for &level in &wrong {
        let at = free.iter().position(|&at| fits(level, at))?;
        free.remove(at);
    }
    (wrong.len() > 1).then_some(wrong)
}

impl Permuted {
    pub fn holds(&self, [arm, variable, level, group]: [usize; 4]) -> bool {
        self.arm == arm
            && self.variable == variable
            && self.groups.iter().any(|(it, levels)| *it == group && levels.contains(&level))
    }

    /// Takes the counts that the percentages speak for, and marks the variable: the counts may be right as well.
    pub fn apply(&self, arms: &mut [Arm]) {
        let arm = &mut arms[self.arm];
        for (group, levels) in &self.groups {
            let n = arm.groups[*group].n as i64;
            let variable = &mut arm.variables[self.variable];
            variable.is_doubtful = true;
            let printed: Vec<u64> =
                levels.iter().filter_map(|&it| variable.levels[it].counts[*group]).map(|it| it.printed).collect();
            for &level in levels {
                if let Some(count) = &mut variable.levels[level].counts[*group]
                    && let Some(percent) = count.percent
                    && let Some(&other) = printed.iter().find(|&&it| percent.is_ratio(100 * it as i64, n))
                {
                    count.n = other;
                }
            }
        }
    }

    /// One finding for the variable.
    pub fn finding(&self, arms: &[Arm]) -> Finding {
        let arm = &arms[self.arm];
        let variable = &arm.variables[self.variable];
        let (group, levels) = &self.groups[0];
        let count = |level: usize| variable.levels[level].counts[*group].expect("its percentage was read");
        let printed: Vec<String> = levels
            .iter()
            .map(|&level| {
                format!(
                    "{}({})",
                    count(level).printed,
                    count(level).percent.map(|it| it.to_string()).unwrap_or_default()
                )
            })
            .collect();
        let implied: Vec<String> = levels
            .iter()
            .map(|&level| {
                let n = count(level).printed;
                let percent = count(level).percent.expect("its percentage was read");
                format!("{n}({})", percent.like(100.0 * n as f64 / arm.groups[*group].n as f64))
            })
            .collect();
        let names: Vec<&str> = self.groups.iter().map(|(it, _)| arm.groups[*it].column.as_str()).collect();
        let how = if levels.len() == 2 { "swapped" } else { "shifted" };
        Finding {
            kind: Kind::Count,
            severity: Severity::Inconsistent,
            place: arm.place(&variable.levels[levels[0]].row, &arm.groups[*group].column),
            printed: printed.join(" "),
            implied: implied.join(" "),
            alternatives: vec!["or the counts are in the wrong rows and the percentages are right".to_owned()],
            why: format!(
                "The counts or the percentages of {} of its levels are {how}, in {}.",
                levels.len(),
                names.join(", ")
            ),
        }
    }
}
