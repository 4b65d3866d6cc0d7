//! Sizes of groups: printed, or those that their counts add up to.

use crate::cells::{PublishedCell, Value};
use crate::printed::Printed;
use crate::read::columns::{Column, Kind};
use crate::read::emit::Table;
use crate::read::rows::Row;
use crate::read::terms::set;
use crate::read::value::Shape;
use crate::read::words;
use crate::role::{Role, RowRole};

/// Variables whose levels must add up to one number before it is taken for the size of a group without a printed one.
const SUMS: usize = 3;

/// Gives groups without a printed size the number to which the levels of most variables add up.
pub fn summed_sizes(table: &mut Table) {
    for at in 0..table.columns.len() {
        let column = &table.columns[at];
        if column.kind != Kind::Group || column.n.is_some() || !column.inferred.is_empty() {
            continue;
        }
        let mut sums: Vec<(String, u64, usize)> = Vec::new();
        for cell in table.cells.iter().filter(|cell| cell.source.column == at + 1) {
            let (RowRole::Level { variable, .. }, Value::Count { n, .. }) = (&cell.row_role, whole(cell.value)) else {
                continue;
            };
            let key = format!("{}/{variable}", cell.place.set);
            match sums.iter_mut().find(|it| it.0 == key) {
                Some(it) => (it.1, it.2) = (it.1 + n, it.2 + 1),
                None => sums.push((key, n, 1)),
            }
        }
        let sums: Vec<u64> = sums.into_iter().filter(|it| it.2 > 1).map(|it| it.1).collect();
        let votes = |n: u64| sums.iter().filter(|&&it| it == n).count();
        let Some(&n) = sums.iter().max_by_key(|&&n| votes(n)) else { continue };
        if votes(n) < SUMS || 3 * votes(n) < 2 * sums.len() {
            continue;
        }
        table.columns[at].n = Some(n);
        table.columns[at].inferred = ", to which its levels add up";
        for cell in table.cells.iter_mut().filter(|cell| cell.source.column == at + 1) {
            if let Role::Group { n: size, .. } = &mut cell.role {
                *size = Some(n);
            }
        }
    }
}

/// A count without a percentage as one.
fn whole(value: Value) -> Value {
    match value {
        Value::Number(n) if n.decimals() == 0 && n.value() >= 0.0 && n.is_exact() => {
            Value::Count { n: n.value() as u64, percent: n }
        }
        other => other,
    }
}

pub fn size(table: &mut Table, row: &Row, at: usize, column: &Column) {
    let (Shape::One(n) | Shape::Pair(n, _)) = table.reads[row.at][at].shape else { return };
    let n = n.value().max(0.0) as u64;
    let is_total = words::is_total(&column.name);
    if column.n.is_none() {
        table.columns[at].n = Some(n);
        let place = [set(column, row), "n".to_owned(), column.name.clone()];
        let value = Value::Number(Printed::parse(&n.to_string()).expect("a whole number"));
        table.push((row.at, at), &[], place, value, (Role::Group { n: Some(n), is_total }, RowRole::Sizes));
    } else if column.n == Some(n) {
        // The header's size once more.
        table.taken.insert((row.at, at));
    }
}

/// Counts with percentages that a number of patients must give before it is taken for the size of their group.
const SHARES: usize = 3;

/// Gives groups without a printed size the number of which three of four counts are the printed percentages.
pub fn sizes_of_shares(table: &mut Table) {
    for at in 0..table.columns.len() {
        let is_sized = table.columns[at].n.is_some() || !table.columns[at].inferred.is_empty();
        if table.columns[at].kind != Kind::Group || is_sized {
            continue;
        }
        let own = |cell: &&PublishedCell| cell.source.column == at + 1 && matches!(cell.role, Role::Group { .. });
        let mut pairs: Vec<(u64, Printed)> = table
            .cells
            .iter()
            .filter(own)
            .filter_map(|cell| match cell.value {
                Value::Count { n, percent } if n > 0 && percent.decimals() > 0 && cell.fraction.is_none() => {
                    Some((n, percent))
                }
                _ => None,
            })
            .collect();
        pairs.sort_by_key(|it| it.0);
        pairs.dedup_by_key(|it| it.0);
        let least = pairs.last().map_or(0, |it| it.0);
        let fitting =
            |n: u64| pairs.iter().filter(|(count, percent)| percent.is_ratio(100 * *count as i64, n as i64)).count();
        let Some(n) = (least.max(1)..=20 * least.max(1)).max_by_key(|&n| (fitting(n), std::cmp::Reverse(n))) else {
            continue;
        };
        if fitting(n) < SHARES || 4 * fitting(n) < 3 * pairs.len() {
            continue;
        }
        table.columns[at].n = Some(n);
        table.columns[at].inferred = ", of which its percentages are";
        for cell in table.cells.iter_mut().filter(|cell| cell.source.column == at + 1) {
            if let Role::Group { n: size, .. } = &mut cell.role {
                *size = Some(n);
            }
        }
    }
}

/// The sizes in the header of every group that a set has cells of, and of the classes and sets of scores.
pub fn sizes(table: &mut Table) {
    let mut wanted: Vec<(usize, String, String, u64, bool)> = Vec::new();
    let segments: Vec<(usize, Vec<Column>)> =
        std::iter::once((0, table.columns.clone())).chain(table.again.clone()).collect();
    for (index, (from, columns)) in segments.iter().enumerate() {
        let until = segments.get(index + 1).map_or(table.grid.rows.len(), |(row, _)| *row);
        let lines = (table.grid.rows[*from].line, table.grid.rows.get(until).map_or(usize::MAX, |row| row.line));
        for (at, column) in columns.iter().enumerate() {
            let Some(n) = column.n else { continue };
            let name = match column.kind {
                Kind::Group => column.name.clone(),
                Kind::Score(_) if !column.class.is_empty() => column.class.clone(),
                Kind::Score(_) if !column.set.is_empty() => "Total".to_owned(),
                _ => continue,
            };
            let is_total = name == "Total" || words::is_total(&name);
            for cell in &table.cells {
                let inside = (lines.0..lines.1).contains(&cell.source.line) && cell.source.column == at + 1;
                let known = |it: &&(usize, String, String, u64, bool)| it.1 == cell.place.set && it.2 == name;
                if inside && !wanted.iter().any(|it| known(&it)) {
                    wanted.push((at, cell.place.set.clone(), name.clone(), n, is_total));
                }
            }
        }
    }
    let known: Vec<(String, String)> = table
        .cells
        .iter()
        .filter(|cell| cell.row_role == RowRole::Sizes)
        .map(|cell| (cell.place.set.clone(), cell.place.column.clone()))
        .collect();
    for (at, set, name, n, is_total) in wanted {
        if !known.contains(&(set.clone(), name.clone())) {
            let place = table.size_row(at, n);
            table.push_size(place, &set, &name, n, is_total);
        }
    }
}
