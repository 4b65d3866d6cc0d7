//! Tables that print the levels of every variable in columns: `Absent | Present` under each of two groups.

use crate::cells::Value;
use crate::printed::Printed;
use crate::read::columns::{Column, Kind};
use crate::read::emit::Table;
use crate::read::rows::{Row, RowKind};
use crate::read::value::Shape;
use crate::read::words;
use crate::role::{Role, RowRole};

/// Rows that add up to one number of patients before their columns are taken for levels.
const FEWEST: usize = 3;

/// Columns that are levels of a group: the column, the group's name and size, the level.
pub struct Spans {
    levels: Vec<(usize, String, u64, String)>,
}

/// Finds groups whose columns are levels: the same headings under each, whole numbers without a size, which add up to
/// one number of patients a group.
pub fn find(table: &Table, rows: &[Row]) -> Option<Spans> {
    let groups: Vec<(usize, &Column)> =
        table.columns.iter().enumerate().filter(|(_, it)| it.kind == Kind::Group).collect();
    let is_sized = groups.iter().any(|(_, it)| it.n.is_some() || it.path.len() < 2);
    if is_sized || !table.columns.iter().any(|it| it.kind == Kind::P) {
        return None;
    }
    let mut spans: Vec<(String, Vec<(usize, String)>)> = Vec::new();
    for (at, column) in groups {
        let level = (at, column.leaf().to_owned());
        match spans.iter_mut().find(|(name, _)| *name == column.path[0]) {
            Some((_, levels)) => levels.push(level),
            None => spans.push((column.path[0].clone(), vec![level])),
        }
    }
    let named = |(_, levels): &(String, Vec<(usize, String)>)| -> Vec<String> {
        levels.iter().map(|(_, level)| words::plain(level)).collect()
    };
    let first = named(spans.first()?);
    let is_level = |text: &String| {
        let is_unit = text.contains('%') || matches!(text.as_str(), "n" | "no" | "no." | "number" | "");
        !is_unit && !words::is_set(text) && !words::is_total(text)
    };
    let are_levels = first.len() > 1 && first.iter().all(is_level) && (1..first.len()).all(|at| first[at] != first[0]);
    if spans.len() < 2 || !are_levels || spans.iter().any(|it| named(it) != first) {
        return None;
    }
    let mut found = Vec::new();
    for (name, levels) in &spans {
        let sum =
            |row: &Row| levels.iter().map(|(at, _)| count(table, row.at, *at).map(|it| it.0)).sum::<Option<u64>>();
        let sums: Vec<u64> =
            rows.iter().filter(|it| it.kind == RowKind::Single).map(sum).collect::<Option<Vec<u64>>>()?;
        let votes = |n: u64| sums.iter().filter(|&&it| it == n).count();
        let &n = sums.iter().max_by_key(|&&n| votes(n))?;
        if votes(n) < FEWEST || 4 * votes(n) < 3 * sums.len() {
            return None;
        }
        found.extend(levels.iter().map(|(at, level)| (*at, name.clone(), n, level.clone())));
    }
    Some(Spans { levels: found })
}

/// The count of a cell, and its percentage where it prints one.
fn count(table: &Table, row: usize, column: usize) -> Option<(u64, Option<Printed>)> {
    let whole = |n: Printed| (n.decimals() == 0 && n.is_exact() && n.value() >= 0.0).then(|| n.value() as u64);
    match table.reads[row][column].shape {
        Shape::One(n) => Some((whole(n)?, None)),
        Shape::Pair(n, percent) => Some((whole(n)?, Some(percent))),
        _ => None,
    }
}

impl Spans {
    pub fn has(&self, column: usize) -> bool {
        self.levels.iter().any(|it| it.0 == column)
    }

    /// Puts the count of a row under one of the columns: a level of the row's variable in the column's group.
    pub fn push(&self, table: &mut Table, row: &Row, column: usize) {
        let Some((_, group, size, level)) = self.levels.iter().find(|it| it.0 == column) else { return };
        let Some((n, percent)) = count(table, row.at, column) else { return };
        let variable = row.variable.replace(": ", " ");
        let value = match percent {
            Some(percent) => Value::Count { n, percent },
            None => Value::Number(Printed::of(n as f64, 0)),
        };
        let place = [row.set.clone(), format!("{variable}: {level}"), group.clone()];
        let role = Role::Group { n: Some(*size), is_total: false };
        table.push((row.at, column), &[], place, value, (role, RowRole::Level { variable, level: level.clone() }));
    }

    /// Puts the sizes of the groups, as their rows add up.
    pub fn push_sizes(&self, table: &mut Table) {
        let mut done: Vec<&String> = Vec::new();
        for (column, group, size, _) in &self.levels {
            table.columns[*column].inferred = ", a level of each row";
            if !done.contains(&group) {
                table.push_size((0, *column), "", group, *size, false);
                done.push(group);
            }
        }
    }
}
