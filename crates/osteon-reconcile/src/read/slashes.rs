//! Counts of several levels in one cell: `34/46` in the row "Sex (male/female)".

use crate::cells::Value;
use crate::printed::Printed;
use crate::read::columns::{Column, Kind};
use crate::read::emit::Table;
use crate::read::models::join;
use crate::read::rows::{Row, RowKind};
use crate::read::words;
use crate::role::{Role, RowRole};

/// Levels that a cell may have.
const MOST: usize = 8;

/// Reads a row of such cells, one cell a level and group; `false` when it is none.
pub fn read(table: &mut Table, row: &Row, columns: &[Column]) -> bool {
    if row.kind != RowKind::Single {
        return false;
    }
    let groups: Vec<usize> = (0..columns.len()).filter(|&at| columns[at].kind == Kind::Group).collect();
    let texts: Vec<(usize, Vec<u64>)> =
        groups.iter().filter_map(|&at| Some((at, counts(table.grid.text(row.at, at))?))).collect();
    let Some((_, first)) = texts.first() else { return false };
    let names = names(&row.variable, first.len());
    let sizes: Vec<Option<u64>> = (0..columns.len()).map(|at| table.columns[at].n.or(columns[at].n)).collect();
    let adds_up = texts.iter().filter(|(at, it)| sizes[*at] == Some(it.iter().sum())).count();
    let is_list = names.is_some() || 2 * adds_up >= texts.len() && adds_up > 0;
    if texts.len() < groups.len() || texts.iter().any(|(_, it)| it.len() != first.len()) || !is_list {
        return false;
    }
    let variable = without_levels(&row.variable);
    let names = names.unwrap_or_else(|| (1..=first.len()).map(|at| format!("level {at}")).collect());
    for (at, levels) in texts {
        let column = &columns[at];
        let (n, is_total) = (sizes[at], words::is_total(&column.name));
        for (name, count) in names.iter().zip(levels) {
            let place = [join(&[&row.set, &column.set]), format!("{variable}: {name}"), column.name.clone()];
            let role = RowRole::Level { variable: variable.clone(), level: name.clone() };
            table.push(
                (row.at, at),
                &[],
                place,
                Value::Number(Printed::of(count as f64, 0)),
                (Role::Group { n, is_total }, role),
            );
            table.cells.last_mut().expect("just put there").fraction = None;
        }
    }
    true
}

/// The whole numbers of `34/46`; `None` for anything else.
fn counts(text: &str) -> Option<Vec<u64>> {
    let parts: Vec<&str> = text.split(['/', ':']).map(str::trim).collect();
    let is_number = |it: &&str| !it.is_empty() && it.len() < 7 && it.bytes().all(|byte| byte.is_ascii_digit());
    ((2..=MOST).contains(&parts.len()) && parts.iter().all(is_number))
        .then(|| parts.iter().filter_map(|it| it.parse().ok()).collect())
}

/// The levels that a label names: `male/female` of "Sex (male/female)".
fn names(label: &str, n: usize) -> Option<Vec<String>> {
    let inner = match (label.find(['(', '[', ',']), label.rfind([')', ']'])) {
        (Some(open), Some(close)) if open < close => &label[open + 1..close],
        (Some(open), None) => &label[open + 1..],
        _ => label,
    };
    let parts: Vec<String> = inner.split(['/', ':']).map(|it| it.trim().to_owned()).collect();
    (parts.len() == n && parts.iter().all(|it| !it.is_empty())).then_some(parts)
}

/// The variable's name without its levels.
pub fn without_levels(label: &str) -> String {
    let name = match label.find(['(', '[', ',']) {
        Some(open) if label[open..].contains('/') => label[..open].trim(),
        _ => label,
    };
    let name = if name.is_empty() { label } else { name };
    name.replace(": ", " ").replace([':'], " ")
}
