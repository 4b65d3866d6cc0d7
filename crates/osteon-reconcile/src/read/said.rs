//! Columns and rows with their roles in words, as they are shown before anything is judged.

use crate::metric::METRICS;
use crate::read::columns::{Column, Kind};
use crate::read::emit::Table;
use crate::read::models::join;
use crate::read::rows::{Row, RowKind};
use crate::read::words::{self, Ends};
use crate::read::{Of, Said};
use crate::role::Role;

/// What every column and row was taken for.
pub fn said(table: &Table, rows: &[Row], metrics_in_rows: bool) -> Vec<Said> {
    let mut said: Vec<Said> =
        table.columns.iter().enumerate().map(|(at, column)| of_column(table, at, column, metrics_in_rows)).collect();
    for row in rows {
        let role = of_row(table, row, metrics_in_rows);
        let heading =
            (0..table.frame.n_labels).map(|at| table.grid.text(row.at, at)).find(|it| !it.is_empty()).unwrap_or("");
        said.push(Said {
            of: Of::Row,
            at: table.grid.rows[row.at].line,
            heading: heading.to_owned(),
            role,
            key: String::new(),
            pair: Vec::new(),
        });
    }
    said
}

fn of_column(table: &Table, at: usize, column: &Column, metrics_in_rows: bool) -> Said {
    let summed = column.inferred;
    let size = column.n.map_or(String::new(), |n| format!(" n={n}{summed}"));
    let of_set = if column.set.is_empty() { String::new() } else { format!(" of {}", column.set) };
    let (role, key) = match column.kind {
        Kind::Label => ("label".to_owned(), "label".to_owned()),
        _ if metrics_in_rows && column.kind == Kind::Unknown => {
            let name = if column.name.is_empty() { "model".to_owned() } else { format!("model {}", column.name) };
            let set = if column.set.is_empty() { String::new() } else { format!(" on {}", column.set) };
            (format!("{name}{set}{size}"), String::new())
        }
        Kind::Group => {
            let total = if words::is_total(&column.name) { "all patients" } else { "group" };
            (format!("{total}{size}{of_set}"), "group".to_owned())
        }
        Kind::Share => ("percentages of the group to its left".to_owned(), "percent".to_owned()),
        Kind::P | Kind::Statistic => {
            let word = if column.kind == Kind::P { ("P value", "p") } else { ("test statistic", "statistic") };
            let groups = column.compared.groups.join(" : ");
            let of = match (groups.is_empty(), column.compared.is_named) {
                (true, _) => String::new(),
                (false, true) => format!(" of {groups}"),
                (false, false) => format!(" of {groups}, if nothing else explains it better"),
            };
            (format!("{}{of}", word.0), word.1.to_owned())
        }
        Kind::Estimate(measure) => (join(&[column.prefix, measure.word()]) + &of_set, measure.word().to_owned()),
        Kind::Score(metric) => {
            let name = METRICS.iter().find(|(it, ..)| *it == metric).map_or("", |(_, heading, _)| *heading);
            let percent = table
                .cells
                .iter()
                .any(|cell| cell.source.column == at + 1 && cell.is_percent && matches!(cell.role, Role::Score(_)));
            let unit = if percent { ", percent" } else { "" };
            (format!("{name}{unit}{of_set}"), name.to_owned())
        }
        Kind::Interval(ends) => {
            let word = match ends {
                Ends::Both => ("interval", "interval"),
                Ends::Lower => ("lower end", "lower"),
                Ends::Upper => ("upper end", "upper"),
            };
            let of = column
                .target
                .map_or(" of nothing that was found".to_owned(), |target| format!(" of column {}", target + 1));
            (format!("{}{of}", word.0), word.1.to_owned())
        }
        Kind::Error => ("standard error".to_owned(), "se".to_owned()),
        Kind::Balance => ("standardized difference".to_owned(), "smd".to_owned()),
        Kind::Ignored => ("left out".to_owned(), "ignore".to_owned()),
        Kind::Unknown => ("not understood".to_owned(), String::new()),
    };
    Said { of: Of::Column, at: at + 1, heading: column.heading(), role, key, pair: column.compared.groups.clone() }
}

fn of_row(table: &Table, row: &Row, metrics_in_rows: bool) -> String {
    if metrics_in_rows && row.kind == RowKind::Single {
        let line = table.grid.rows[row.at].line;
        let cell = table
            .cells
            .iter()
            .find(|cell| cell.source.line == line || cell.source.also.iter().any(|(it, _)| *it == line));
        return match cell.map(|cell| (&cell.role, cell.is_percent)) {
            Some((Role::Score(metric), percent)) => {
                format!("{}{}", metric.heading(), if percent { ", percent" } else { "" })
            }
            Some((Role::Average(metric), _)) => format!("{}, a mean over resamples", metric.heading()),
            Some((Role::P(_), _)) => "P value".to_owned(),
            Some((Role::Statistic(_), _)) => "test statistic".to_owned(),
            _ => "not understood".to_owned(),
        };
    }
    match row.kind {
        RowKind::Heading if words::is_set(&row.label) => "set of patients".to_owned(),
        RowKind::Heading => "heading".to_owned(),
        RowKind::Sizes => "sizes of the groups".to_owned(),
        RowKind::Variable => "variable, its levels follow".to_owned(),
        RowKind::Level => format!("level of {}", row.variable),
        RowKind::Single if row.variable.is_empty() => {
            let set = if row.set.is_empty() { String::new() } else { format!(" on {}", row.set) };
            format!("model {}{set}", row.label)
        }
        RowKind::Single => "variable in one row".to_owned(),
        RowKind::Ignored => "left out".to_owned(),
    }
}
