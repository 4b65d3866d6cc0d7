//! A printed group size against all percentages of its group: one wrong size, and not every percentage.

use crate::cohort::Arm;
use crate::finding::{Finding, Kind, Severity};
use crate::printed::Printed;

/// Percentages that a group needs before its size is doubted.
const FEWEST: usize = 6;

/// Corrects sizes that most percentages contradict while another size explains them; where none does, the group's
/// percentages are left alone. `misses` tells, for variable, level and group, whether a percentage fits no denominator.
pub fn check(arm: &mut Arm, misses: &dyn Fn(&Arm, [usize; 3]) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for group in 0..arm.groups.len() {
        let printed = percentages(arm, group);
        let n = arm.groups[group].n;
        let off = |count: u64, it: Printed| it.units_off(100.0 * count as f64 / n.max(1) as f64).abs() >= 1.0 + 1e-9;
        let own = printed.iter().filter(|(_, count, it)| off(*count, *it)).count();
        if printed.len() < FEWEST || 2 * own <= printed.len() {
            continue;
        }
        let missed = printed.iter().filter(|(at, ..)| misses(arm, *at)).count();
        let fitting =
            |n: u64| printed.iter().filter(|(_, count, it)| it.is_ratio(100 * *count as i64, n as i64)).count();
        let best = (1..=3 * n.max(10)).max_by_key(|&n| fitting(n)).filter(|&n| 10 * fitting(n) >= 9 * printed.len());
        let place = arm.place("n", &arm.groups[group].column.clone());
        let (printed_n, all) = (n.to_string(), printed.len());
        let finding = |kind, severity, implied: String, why: String| Finding {
            kind,
            severity,
            place: place.clone(),
            printed: printed_n.clone(),
            implied,
            alternatives: Vec::new(),
            why,
        };
        match best {
            Some(other) => {
                let why = format!("{} of {all} percentages of the group are of {other} patients.", fitting(other));
                findings.push(finding(Kind::GroupSize, Severity::Inconsistent, other.to_string(), why));
                arm.groups[group].n = other;
            }
            // Of the rows, or of the known values: each variable has its own denominator.
            None if 2 * missed <= printed.len() => (),
            None => {
                let why =
                    format!("{missed} of {all} percentages of the group are not of {n} patients, nor of any number.");
                findings.push(finding(Kind::Method, Severity::Note, "cannot be judged".to_owned(), why));
                forget(arm, group);
            }
        }
    }
    findings
}

/// Variable, level and group, count and percentage.
fn percentages(arm: &Arm, group: usize) -> Vec<([usize; 3], u64, Printed)> {
    let mut found = Vec::new();
    for (v, variable) in arm.variables.iter().enumerate() {
        for (l, level) in variable.levels.iter().enumerate() {
            if let Some(count) = level.counts.get(group).copied().flatten()
                && let Some(percent) = count.percent.filter(|_| count.printed > 0)
            {
                found.push(([v, l, group], count.printed, percent));
            }
        }
    }
    found
}

fn forget(arm: &mut Arm, group: usize) {
    for level in arm.variables.iter_mut().flat_map(|it| &mut it.levels) {
        if let Some(Some(count)) = level.counts.get_mut(group) {
            count.percent = None;
        }
    }
}
