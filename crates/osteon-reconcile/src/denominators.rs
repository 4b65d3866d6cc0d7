//! What the percentages of a variable are of, where the table says it outside the cell: the patients whose value is
//! known, the patients of the row above (`Metastasis`, then its sites), things that a row counts (`No. of tumors`), or
//! another column's count of the row.
//!
//! Another denominator than the group's is taken only where it explains what the group's does not.

use crate::cohort::{Arm, Count};
use crate::printed::Printed;

/// Rows above a variable that may count what its percentages are of.
const ABOVE: usize = 12;
/// Percentages of a column that must be of another column before it is believed.
const FEWEST: usize = 3;

/// Puts the denominators into the counts of an arm.
pub fn settle(arm: &mut Arm) {
    for group in 0..arm.groups.len() {
        of_column(arm, group);
    }
    for variable in 0..arm.variables.len() {
        let own = open(arm, variable);
        let misses = misses(&own, &|_, group| Some(arm.groups[group].n));
        if misses == 0 || of_known(arm, variable, &own, misses) {
            continue;
        }
        of_row_above(arm, variable, &own, misses);
    }
}

/// A percentage that prints no denominator: level, group, count.
struct Open {
    level: usize,
    group: usize,
    count: u64,
    percent: Printed,
}

fn open(arm: &Arm, variable: usize) -> Vec<Open> {
    let levels = arm.variables[variable].levels.iter().enumerate();
    let cells = levels.flat_map(|(level, it)| it.counts.iter().enumerate().map(move |(group, it)| (level, group, *it)));
    cells
        .filter_map(|(level, group, count)| match count {
            Some(Count { printed, percent: Some(percent), of: None, percent_of: None, .. }) => {
                Some(Open { level, group, count: printed, percent })
            }
            _ => None,
        })
        .collect()
}

/// How many percentages are not of what `of` says of their level and group.
fn misses(cells: &[Open], of: &dyn Fn(usize, usize) -> Option<u64>) -> usize {
    let fits = |it: &&Open| {
        of(it.level, it.group).is_some_and(|of| it.count <= of && it.percent.is_ratio(100 * it.count as i64, of as i64))
    };
    cells.len() - cells.iter().filter(fits).count()
}

/// Percentages of the patients whose value is known, where a row counts the others.
fn of_known(arm: &mut Arm, variable: usize, cells: &[Open], misses_of_group: usize) -> bool {
    let levels = &arm.variables[variable].levels;
    let is_missing: Vec<bool> = levels.iter().map(|it| it.is_missing()).collect();
    if !is_missing.contains(&true) || !is_missing.contains(&false) {
        return false;
    }
    let missing = |group: usize| -> u64 {
        let own = levels.iter().filter(|it| it.is_missing());
        own.filter_map(|it| it.counts.get(group).copied().flatten()).map(|it| it.printed).sum()
    };
    let known: Vec<Option<u64>> =
        (0..arm.groups.len()).map(|group| arm.groups[group].n.checked_sub(missing(group))).collect();
    let of = |level: usize, group: usize| if is_missing[level] { Some(arm.groups[group].n) } else { known[group] };
    if misses(cells, &of) >= misses_of_group {
        return false;
    }
    for it in cells.iter().filter(|it| !is_missing[it.level]) {
        put(arm, variable, it, known[it.group]);
    }
    true
}

fn put(arm: &mut Arm, variable: usize, cell: &Open, of: Option<u64>) {
    if let Some(count) = &mut arm.variables[variable].levels[cell.level].counts[cell.group] {
        count.of = of;
    }
}

/// Percentages of what a row above counts, the nearest first: all of them, or all but one of many that are not of the
/// group.
fn of_row_above(arm: &mut Arm, variable: usize, cells: &[Open], misses_of_group: usize) {
    let n = cells.len();
    let is_of_group = misses_of_group < 2 || misses_of_group + 1 < n;
    let above = (0..variable).rev().take(ABOVE).flat_map(|at| numbers(arm, at));
    let explains = |numbers: &Vec<Option<u64>>| {
        let misses = misses(cells, &|_, group| numbers[group]);
        misses == 0 || misses == 1 && n > 3
    };
    let Some(numbers) = above.filter(|_| !is_of_group).find(explains) else { return };
    for it in cells {
        put(arm, variable, it, numbers[it.group]);
    }
}

/// What a row counts, one entry a group: a row of whole numbers, or the only level of a variable.
fn numbers(arm: &Arm, variable: usize) -> Vec<Vec<Option<u64>>> {
    let it = &arm.variables[variable];
    let only = match &it.levels[..] {
        [only] => Some(only.counts.iter().map(|it| it.map(|it| it.printed)).collect()),
        _ => None,
    };
    let mut found: Vec<Vec<Option<u64>>> = only.into_iter().collect();
    found.extend(it.numbers.iter().any(Option::is_some).then(|| it.numbers.clone()));
    found.iter_mut().for_each(|it| it.resize(arm.groups.len(), None));
    found
}

/// Percentages of another column's count of their row, where the group's size explains few of them.
fn of_column(arm: &mut Arm, group: usize) {
    let mut own: Vec<(usize, Open)> = Vec::new();
    for variable in 0..arm.variables.len() {
        own.extend(open(arm, variable).into_iter().filter(|it| it.group == group).map(|it| (variable, it)));
    }
    own.retain(|(_, it)| it.count > 0);
    let fits = |of: &dyn Fn(usize, usize) -> Option<u64>| {
        let fit = |(variable, it): &&(usize, Open)| {
            of(*variable, it.level)
                .is_some_and(|of| it.count <= of && it.percent.is_ratio(100 * it.count as i64, of as i64))
        };
        own.iter().filter(fit).count()
    };
    let of_group = fits(&|_, _| Some(arm.groups[group].n));
    if own.len() < FEWEST || 2 * of_group >= own.len() || arm.groups[group].is_total {
        return;
    }
    let count = |variable: usize, level: usize, other: usize| {
        let level = &arm.variables[variable].levels[level];
        let number = arm.variables[variable].numbers.get(other).copied().flatten();
        level.counts.get(other).copied().flatten().map(|it| it.printed).or(number)
    };
    let others = (0..arm.groups.len()).filter(|&other| other != group);
    let best =
        others.map(|other| (fits(&|variable, level| count(variable, level, other)), other)).max_by_key(|it| it.0);
    let Some((fitting, other)) = best else { return };
    if fitting < FEWEST || fitting + 1.max(own.len() / 5) < own.len() {
        return;
    }
    let of: Vec<Option<u64>> = own.iter().map(|(variable, it)| count(*variable, it.level, other)).collect();
    for ((variable, it), of) in own.iter().zip(of) {
        if let Some(count) = &mut arm.variables[*variable].levels[it.level].counts[group] {
            count.percent_of = of;
        }
    }
}
