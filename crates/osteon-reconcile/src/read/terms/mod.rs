//! Tables whose columns are groups, estimates, scores and P values.

mod p_values;
mod scores;
mod sizes;

use crate::cells::Value;
use crate::metric::Metric;
use crate::printed::Printed;
use crate::read::columns::{Column, Kind};
use crate::read::emit::Table;
use crate::read::models::{join, or_model};
use crate::read::rows::{Row, RowKind};
use crate::read::terms::p_values::p;
use crate::read::terms::scores::{comparison, is_percent, score};
use crate::read::terms::sizes::{size, sizes, sizes_of_shares, summed_sizes};
use crate::read::value::Shape;
use crate::read::words::Ends;
use crate::read::{models, rows, slashes, spans, summaries, words};
use crate::role::{Compared, Measure, Role, RowRole, Summary};

/// Reads every row of the body under its columns.
pub fn in_columns(table: &mut Table) -> Vec<Row> {
    let rows = rows::rows(table.grid, &table.reads, &table.frame, &table.columns, &table.correction);
    let percents: Vec<bool> = (0..table.columns.len()).map(|column| is_percent(table, column)).collect();
    let spans = spans::find(table, &rows);
    for (index, row) in rows.iter().enumerate() {
        if matches!(row.kind, RowKind::Ignored | RowKind::Heading) {
            continue;
        }
        let columns = table.columns_at(row.at).to_vec();
        let is_list = slashes::read(table, row, &columns);
        for (at, column) in columns.iter().enumerate() {
            if matches!(table.reads[row.at][at].shape, Shape::Absent) {
                continue;
            }
            match column.kind {
                Kind::Group if row.kind == RowKind::Sizes => size(table, row, at, column),
                Kind::Group if is_list => (),
                Kind::Group => match spans.as_ref().filter(|it| it.has(at)) {
                    Some(spans) => spans.push(table, row, at),
                    None => group(table, row, &columns, at),
                },
                Kind::Estimate(_) => estimate(table, row, rows.get(index + 1), &columns, at),
                Kind::P | Kind::Statistic | Kind::Balance => p(table, row, &columns, at),
                Kind::Error => error(table, row, &columns, at),
                Kind::Score(_) if words::is_comparison(&row.label) => comparison(table, row, column, at),
                Kind::Score(metric) => score(table, row, &columns, at, metric, percents[at]),
                Kind::Unknown if words::is_survival(column.leaf()) => survival(table, row, &columns, at),
                _ => (),
            }
        }
    }
    spans.iter().for_each(|it| it.push_sizes(table));
    summed_sizes(table);
    sizes_of_shares(table);
    sizes(table);
    models::title_size(table);
    rows
}

/// `Variable: Level`, with no other colon that would be taken for it.
pub fn row_name(row: &Row) -> String {
    let variable = row.variable.replace(": ", " ");
    match row.label.as_str() {
        "" => row.variable.clone(),
        label => format!("{variable}: {label}"),
    }
}

/// The model of a row of scores; in a table of features or markers, what its label says.
pub fn model_name(column: &Column, row: &Row) -> String {
    let name = join(&[&column.name, &row.section, &row.label]);
    or_model(if name.is_empty() { row_name(row) } else { name })
}

pub fn set(column: &Column, row: &Row) -> String {
    join(&[&row.set, &column.set])
}

fn group(table: &mut Table, row: &Row, columns: &[Column], at: usize) {
    let column = &columns[at];
    let n = table.columns[at].n.or(column.n);
    let words = format!("{} {} {}", row.variable, row.label, column.leaf());
    let mut parts = Vec::new();
    let share = columns.get(at + 1).filter(|next| next.kind == Kind::Share).and_then(|_| {
        match table.reads[row.at][at + 1].shape {
            Shape::One(share) => Some(share),
            _ => None,
        }
    });
    if share.is_some() {
        parts.push((row.at, at + 1));
    }
    let row_reads: Vec<_> = (0..columns.len())
        .filter(|&it| columns[it].kind == Kind::Group)
        .map(|it| (table.reads[row.at][it].clone(), table.columns[it].n))
        .collect();
    let is_level = row.kind == RowKind::Level;
    let Some(value) = summaries::group_value(&table.reads[row.at][at], share, n, &words, is_level, &row_reads) else {
        return;
    };
    let is_count = matches!(value, Value::Count { .. });
    let (name, role) = match row.kind {
        RowKind::Single if is_count && !row.variable.contains(": ") => (
            format!("{}: yes", row.variable),
            RowRole::Level { variable: row.variable.clone(), level: "yes".to_owned() },
        ),
        RowKind::Single if is_count => {
            let (variable, level) = row.variable.split_once(": ").expect("it was just found");
            (row.variable.clone(), RowRole::Level { variable: variable.to_owned(), level: level.to_owned() })
        }
        RowKind::Level if is_count || matches!(value, Value::Number(_)) => {
            (row_name(row), RowRole::Level { variable: row.variable.replace(": ", " "), level: row.label.clone() })
        }
        _ => {
            let summary = match words::summary(&words) {
                Summary::Unsaid if table.says_errors_of_means() => Summary::MeanSe,
                summary => summary,
            };
            (row_name(row), RowRole::Quantity { variable: row.variable.replace(": ", " "), summary })
        }
    };
    let place = [set(column, row), name, column.name.clone()];
    let is_total = words::is_total(&column.name);
    let percent = table.reads[row.at][at].is_percent && matches!(value, Value::Number(_));
    let known = summaries::known_values(&table.reads[row.at][at], &row_reads)
        .filter(|_| is_count && row.kind == RowKind::Single);
    table.push((row.at, at), &parts, place, value, (Role::Group { n, is_total }, role));
    let last = table.cells.last_mut().expect("just put there");
    last.is_percent = percent;
    last.fraction = last.fraction.or(known);
}

/// The lower and the upper end of an interval, with the places (row, column) that they stand in.
type EndsApart = (Printed, Printed, Vec<(usize, usize)>);

/// The ends that stand in columns of their own, with their places.
pub fn ends(table: &Table, row: usize, columns: &[Column], target: usize) -> Option<EndsApart> {
    let (mut low, mut high, mut parts) = (None, None, Vec::new());
    for (at, column) in columns.iter().enumerate().filter(|(_, column)| column.target == Some(target)) {
        match (column.kind, &table.reads[row][at].shape) {
            (Kind::Interval(_), Shape::Ends(from, to)) => (low, high) = (Some(*from), Some(*to)),
            (Kind::Interval(Ends::Lower), Shape::One(from)) => low = Some(*from),
            (Kind::Interval(Ends::Upper), Shape::One(to)) => high = Some(*to),
            _ => continue,
        }
        parts.push((row, at));
    }
    Some((low?, high?, parts))
}

pub fn term(row: &Row, next: Option<&Row>, after_reference: bool) -> (String, RowRole) {
    // `Reference 0.433 (...)`: the numbers are of the level below.
    let level = match next.filter(|next| after_reference && next.variable == row.variable) {
        Some(next) => next.label.clone(),
        None => row.label.clone(),
    };
    let name = if after_reference { row.variable.clone() } else { row_name(row) };
    (name, RowRole::Term { variable: row.variable.clone(), level })
}

pub fn estimate(table: &mut Table, row: &Row, next: Option<&Row>, columns: &[Column], at: usize) {
    let column = &columns[at];
    let Kind::Estimate(measure) = column.kind else { return };
    let read = &table.reads[row.at][at];
    let (name, role) = term(row, next, read.after_reference);
    let (value, parts) = match (read.shape.clone(), ends(table, row.at, columns, at)) {
        (Shape::Interval(estimate, low, high), _) => (Value::Estimate { estimate, low, high }, Vec::new()),
        (Shape::One(estimate), Some((low, high, parts))) => (Value::Estimate { estimate, low, high }, parts),
        // `0.911 (0.431)` under "B (SE)".
        (Shape::Pair(mean, sd) | Shape::PlusMinus(mean, sd), None)
            if measure == Measure::Coefficient && sd.value() > 0.0 && words::plain(column.leaf()).contains("se") =>
        {
            (Value::MeanSd { mean, sd }, Vec::new())
        }
        (Shape::One(estimate) | Shape::Pair(estimate, _) | Shape::PlusMinus(estimate, _), None) => {
            (Value::Number(estimate), Vec::new())
        }
        (Shape::Reference, _) => (Value::Reference, Vec::new()),
        _ => return,
    };
    let own = columns.iter().find(|it| it.target == Some(at)).map_or(95, |it| words::confidence_level(&it.heading()));
    let level = if own == 95 { words::confidence_level(&column.heading()) } else { own };
    let heading = join(&[column.prefix, measure.word(), &format!("({level}%CI)")]);
    let inner = read.p;
    table.push(
        (row.at, at),
        &parts,
        [set(column, row), name.clone(), heading],
        value,
        (Role::Estimate(measure), role.clone()),
    );
    if let Some(p) = inner {
        let place = [set(column, row), name, join(&[column.prefix, "P value"])];
        table.push((row.at, at), &[], place, Value::Number(p), (Role::P(Compared::default()), role));
    }
}

/// Events, or a share or median of survival with its interval.
fn survival(table: &mut Table, row: &Row, columns: &[Column], at: usize) {
    let column = &columns[at];
    let (value, parts) = match (table.reads[row.at][at].shape.clone(), ends(table, row.at, columns, at)) {
        (Shape::Interval(median, low, high), _) => (Value::Median { median, spread: Some((low, high)) }, Vec::new()),
        (Shape::One(median), Some((low, high, parts))) => (Value::Median { median, spread: Some((low, high)) }, parts),
        (Shape::One(number) | Shape::Pair(number, _), None) => (Value::Number(number), Vec::new()),
        _ => return,
    };
    let role = RowRole::Quantity { variable: row.variable.clone(), summary: Summary::MedianIqr };
    let place = [set(column, row), model_name(column, row), column.heading()];
    table.push((row.at, at), &parts, place, value, (Role::Unknown, role));
}

/// The standard error of the estimate, or of the area, to its left.
pub fn error(table: &mut Table, row: &Row, columns: &[Column], at: usize) {
    let Shape::One(error) = table.reads[row.at][at].shape else { return };
    let left = columns[..at].iter().rposition(|it| matches!(it.kind, Kind::Estimate(_) | Kind::Score(_)));
    let Some(target) = left.filter(|&it| error.value() >= 0.0 && columns[it].kind != Kind::Score(Metric::Size)) else {
        return;
    };
    let column = &columns[target];
    let set = set(column, row);
    let (name, role) = match column.kind {
        Kind::Estimate(_) => term(row, None, table.reads[row.at][target].after_reference),
        _ => (model_name(column, row), RowRole::Model),
    };
    let place = [set, name, join(&[column.prefix, "SE"])];
    table.push((row.at, at), &[], place, Value::Number(error), (Role::StandardError, role));
}
