//! Cells of P values and statistics.

use crate::cells::Value;
use crate::printed::Printed;
use crate::read::columns::{Column, Kind};
use crate::read::emit::Table;
use crate::read::models::join;
use crate::read::rows::{Row, RowKind};
use crate::read::terms::{model_name, row_name, set, term};
use crate::read::value::Shape;
use crate::read::{slashes, words};
use crate::role::{Role, RowRole};

/// Whether a P is of the term of a regression beside it, not of groups.
fn is_of_term(columns: &[Column], at: usize) -> bool {
    let left = columns[..at].iter().rev().find(|it| !matches!(it.kind, Kind::Interval(_) | Kind::P | Kind::Statistic));
    let any = columns.iter().any(|it| matches!(it.kind, Kind::Estimate(_)));
    let has_groups = columns.iter().any(|it| it.kind == Kind::Group);
    any && (left.is_some_and(|it| matches!(it.kind, Kind::Estimate(_))) || !has_groups)
}

pub fn p(table: &mut Table, row: &Row, columns: &[Column], at: usize) {
    let column = &columns[at];
    let read = table.reads[row.at][at].clone();
    let value = match read.shape {
        Shape::One(p) | Shape::Pair(p, _) => Value::Number(p),
        Shape::Test(statistic, p) => Value::Test { statistic, p },
        Shape::Words if column.kind == Kind::P && words::is_not_significant(table.grid.text(row.at, at)) => {
            Value::Number(Printed::parse(">0.05").expect("a number"))
        }
        Shape::Words => Value::Words,
        _ => return,
    };
    let role = match column.kind {
        Kind::P => Role::P(column.compared.clone()),
        Kind::Balance => Role::Balance,
        _ => {
            let mut compared = column.compared.clone();
            if let Some(letter) = &read.letter {
                compared.test.clone_from(letter);
            }
            Role::Statistic(compared)
        }
    };
    let is_p = column.kind == Kind::P;
    let is_test = matches!(value, Value::Test { .. });
    let is_score = columns.iter().any(|it| matches!(it.kind, Kind::Score(_)));
    let set = set(column, row);
    let (name, heading, row_role) = if is_of_term(columns, at) {
        let beside = columns[..at].iter().rposition(|it| matches!(it.kind, Kind::Estimate(_)));
        let after = beside.is_some_and(|it| table.reads[row.at][it].after_reference);
        let (name, role) = term(row, None, after);
        let role = match (role, row.kind) {
            (RowRole::Term { variable, .. }, RowKind::Variable) => RowRole::Variable { variable },
            (role, _) => role,
        };
        (name, join(&[column.prefix, if is_p { "P value" } else { "statistic" }]), role)
    } else if is_score {
        let heading =
            if is_test { column.leaf().to_owned() } else { (if is_p { "P value" } else { "statistic" }).to_owned() };
        let role = if is_test { RowRole::Comparison } else { RowRole::Model };
        (model_name(column, row), heading, role)
    } else {
        let is_list = table.cells.iter().any(|cell| {
            let own = slashes::without_levels(&row.variable);
            let is_level = matches!(&cell.row_role, RowRole::Level { variable, .. } if *variable == own);
            is_level && cell.source.row == row.at + 1
        });
        let variable = match row.kind {
            RowKind::Single if is_list => slashes::without_levels(&row.variable),
            _ => row.variable.replace(": ", " "),
        };
        let heading = match column.kind {
            Kind::P => "P value",
            Kind::Balance => "SMD",
            _ => "statistic",
        };
        let heading = heading.to_owned();
        // The P of a variable may stand with its first level; later levels have their own.
        let taken = table.cells.iter().any(|cell| {
            cell.place.row == variable
                && cell.place.column == heading
                && (cell.place.set == set || set.is_empty() && cell.place.set == "all")
                && row.kind == RowKind::Level
        });
        if taken {
            (row_name(row), heading, RowRole::Level { variable, level: row.label.clone() })
        } else {
            (variable.clone(), heading, RowRole::Variable { variable })
        }
    };
    table.push((row.at, at), &[], [set, name, heading], value, (role, row_role));
}
