//! P values that compare whole sets of a table, each of which is printed in several groups: `Training` of `Low` and
//! `High` against `Test` of `Low` and `High`.

use crate::cohort::{Arm, Group, Level, Variable};
use crate::columns::Column;

/// Sets of a table that are compared at most.
const MOST: usize = 3;

/// For each column of P values that its own groups do not explain, the groups of all sets of its table in one arm: of
/// the variables that have a P there, with the counts and moments of all sets.
pub fn arms(arms: &[Arm], columns: &[Column]) -> Vec<Arm> {
    columns
        .iter()
        .filter(|column| !column.is_judged() && column.lines.iter().any(|line| line.fitting.is_empty()))
        .filter(|column| !column.is_named())
        .filter_map(|column| joined(arms, column))
        .collect()
}

fn joined(arms: &[Arm], column: &Column) -> Option<Arm> {
    let sets: Vec<&Arm> = arms.iter().filter(|arm| arm.table == column.arm.table).collect();
    if sets.len() < 2 || sets.len() > MOST || sets.iter().any(|it| it.compared().len() < 2) {
        return None;
    }
    let places: Vec<(usize, usize)> = sets
        .iter()
        .enumerate()
        .flat_map(|(set, arm)| arm.compared().into_iter().map(move |group| (set, group)))
        .collect();
    let groups = places.iter().map(|&(set, group)| {
        let own = &sets[set].groups[group];
        Group { column: format!("{} {}", sets[set].set, own.column), n: own.n, is_total: false }
    });
    let compared = column.arm.p_columns.iter().filter(|(name, _)| *name == column.name).cloned().collect();
    let with_p = column.arm.variables.iter().filter(|it| it.p_in(&column.name).is_some());
    let variables: Vec<Variable> = with_p.filter_map(|it| variable(&sets, &places, it, &column.name)).collect();
    (!variables.is_empty()).then(|| Arm {
        table: column.arm.table.clone(),
        set: column.arm.set.clone(),
        groups: groups.collect(),
        variables,
        p_columns: compared,
        is_rounded: column.arm.is_rounded,
    })
}

fn variable(sets: &[&Arm], places: &[(usize, usize)], of: &Variable, column: &str) -> Option<Variable> {
    let same: Vec<&Variable> = sets.iter().map(|arm| arm.variable(&of.name)).collect::<Option<_>>()?;
    let level = |level: &Level| {
        let own: Vec<&Level> =
            same.iter().map(|it| it.levels.iter().find(|it| it.row == level.row)).collect::<Option<_>>()?;
        let counts = places.iter().map(|&(set, group)| own[set].counts.get(group).copied().flatten()).collect();
        Some(Level { row: level.row.clone(), name: level.name.clone(), counts })
    };
    let p = of.p_in(column)?;
    Some(Variable {
        name: of.name.clone(),
        levels: of.levels.iter().map(level).collect::<Option<_>>()?,
        moments: places.iter().map(|&(set, group)| same[set].moments.get(group).copied().flatten()).collect(),
        statistic: None,
        named: String::new(),
        p: Some(p),
        is_doubtful: same.iter().any(|it| it.is_doubtful),
        tests: vec![(column.to_owned(), p)],
        numbers: vec![None; places.len()],
    })
}
