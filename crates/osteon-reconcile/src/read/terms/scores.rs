//! Cells of scores.

use crate::cells::Value;
use crate::metric::Metric;
use crate::printed::Printed;
use crate::read::columns::{Column, Kind};
use crate::read::emit::Table;
use crate::read::models::join;
use crate::read::rows::Row;
use crate::read::terms::{ends, model_name, set};
use crate::read::value::Shape;
use crate::read::{models, words};
use crate::role::{Measure, Role, RowRole};

pub fn is_percent(table: &Table, column: usize) -> bool {
    let said = &table.columns[column];
    let Kind::Score(metric) = said.kind else { return false };
    let line: Vec<(usize, usize)> = table.body().into_iter().map(|row| (row, column)).collect();
    metric.is_share() && table.is_percent(&line, &said.heading(), said.is_percent)
}

/// A P value, or what else a row of comparisons prints below the scores that it compares.
pub fn comparison(table: &mut Table, row: &Row, column: &Column, at: usize) {
    let read = table.reads[row.at][at].clone();
    let Some(value) = models::score_value(&read) else { return };
    let is_share = |number: Printed| (0.0..=1.0).contains(&number.value());
    let role = match value {
        Value::Number(p) if is_share(p) => Role::P(column.compared.clone()),
        Value::Test { .. } => Role::P(column.compared.clone()),
        _ => Role::Estimate(Measure::Difference),
    };
    let place = [set(column, row), join(&[&column.name, &row.section, &row.label]), column.heading()];
    table.push((row.at, at), &[], place, value, (role, RowRole::Comparison));
}

pub fn score(table: &mut Table, row: &Row, columns: &[Column], at: usize, metric: Metric, is_percent: bool) {
    let column = &columns[at];
    let read = table.reads[row.at][at].clone();
    let Some(mut value) = models::score_value(&read) else { return };
    // `n (%)` beside estimates: a count of the patients of whom its percentage is.
    if let (Metric::Size, Shape::Pair(n, percent)) = (metric, &read.shape)
        && n.decimals() == 0
        && n.value() >= 0.0
        && columns.iter().any(|it| matches!(it.kind, Kind::Estimate(_)))
    {
        value = Value::Count { n: n.value() as u64, percent: *percent };
    }
    let mut parts = Vec::new();
    let mut error = None;
    if let Value::Number(estimate) | Value::MeanSd { mean: estimate, .. } = value
        && let Some((low, high, places)) = ends(table, row.at, columns, at)
    {
        if let Value::MeanSd { sd, .. } = value {
            error = Some(sd);
        }
        // An interval of shares beside a percentage, or the other way round, is left where it is.
        let fits = (high.value() > 1.5) == (estimate.value() > 1.5) || !metric.is_share();
        if fits {
            value = Value::Estimate { estimate, low, high };
            parts = places;
        }
    }
    let is_percent = is_percent && !is_in_shares(table, row.at, columns, at);
    let percent = metric.is_share() && (read.is_percent || is_percent && !models::is_area_share(Some(metric), &read));
    let set = join(&[&row.set, &column.set]);
    let name = model_name(column, row);
    let known = if set.is_empty() { "all" } else { &set };
    let is_there = table.cells.iter().any(|cell| {
        cell.place.set == known
            && cell.place.row == name
            && cell.place.column == metric.heading()
            && cell.source.row == row.at + 1
    });
    let heading = if is_there { column.heading() } else { metric.heading().to_owned() };
    let mut labels = [&row.label, &row.section, &column.name].into_iter().chain(&column.path);
    let role =
        if words::is_average(column.leaf()) || labels.any(|it| words::is_average_row(it)) || table.is_resampled(&set) {
            Role::Average(metric)
        } else {
            Role::Score(metric)
        };
    // The difference of two rows' scores is a score of neither.
    let role = if words::is_difference(&row.label) { Role::Estimate(Measure::Difference) } else { role };
    let is_of_readers = metric == Metric::Kappa && words::says_agreement(&column.heading());
    let heading = if matches!(role, Role::Score(_)) && !is_of_readers { heading } else { column.heading() };
    if let Some(error) = error.filter(|_| !percent) {
        let place = [set.clone(), name.clone(), join(&[column.prefix, "SE"])];
        table.push((row.at, at), &[], place, Value::Number(error), (Role::StandardError, RowRole::Model));
    }
    table.push((row.at, at), &parts, [set, name, heading], value, (role, RowRole::Model));
    let is_unit_said = column.is_percent.is_some() || table.correction.unit.is_some();
    let last = table.cells.last_mut().expect("just put there");
    (last.is_percent, last.is_unit_said) = (percent, is_unit_said);
}

/// Whether a cell of a column of percentages stands in a row of shares: a table of several studies has both, as each
/// printed them. Not where the unit is said.
fn is_in_shares(table: &Table, row: usize, columns: &[Column], at: usize) -> bool {
    let is_said = columns[at].is_percent.is_some() || table.correction.unit.is_some();
    if is_said || words::says_percent(&columns[at].heading()) {
        return false;
    }
    let of_counts =
        |it: &usize| matches!(columns[*it].kind, Kind::Score(metric) if metric.is_share() && !metric.is_area());
    let mut values = (0..columns.len()).filter(of_counts).filter_map(|it| {
        let read = &table.reads[row][it];
        match models::score_value(read)? {
            Value::Number(number) | Value::Estimate { estimate: number, .. } => {
                Some(!read.is_percent && number.is_two_digit_share())
            }
            _ => None,
        }
    });
    values.next().is_some_and(|first| first && values.all(|it| it))
}
