//! Scores of models: tables whose metrics stand in rows, and the values of scores in either direction.

use std::collections::HashSet;

use crate::cells::Value;
use crate::metric::Metric;
use crate::read::columns::{Column, Kind};
use crate::read::emit::Table;
use crate::read::rows::{Row, RowKind};
use crate::read::value::{Read, Shape};
use crate::read::words;
use crate::role::{Compared, Measure, Role, RowRole};

/// Reads a table whose metrics stand in the labels of rows: every data column is a model on a set.
pub fn in_rows(table: &mut Table) -> Vec<Row> {
    let (mut set, mut section) = (String::new(), String::new());
    let mut rows: Vec<Row> = Vec::new();
    let mut last: Vec<String> = Vec::new();
    // Sets that a heading prints with their size: row, name, n.
    let mut headed: Vec<(usize, String, u64)> = Vec::new();
    // Row of the metric that an interval below it belongs to.
    let mut before: Option<usize> = None;
    // Labels of metrics since the last heading; one that comes again begins another block of rows.
    let mut seen: HashSet<[String; 3]> = HashSet::new();
    let mut block = String::new();
    for at in table.body() {
        let labels: Vec<String> =
            (0..table.frame.n_labels).map(|column| table.grid.text(at, column).to_owned()).collect();
        let first = labels.iter().position(|it| !it.is_empty()).unwrap_or(0);
        let filled: Vec<String> = labels
            .iter()
            .enumerate()
            .map(|(index, own)| {
                if own.is_empty() && index < first { last.get(index).cloned().unwrap_or_default() } else { own.clone() }
            })
            .collect();
        last.clone_from(&filled);
        let label = filled.iter().rev().find(|it| !it.is_empty()).cloned().unwrap_or_default();
        let data: Vec<usize> = (table.frame.n_labels..table.grid.width())
            .filter(|&column| !matches!(table.reads[at][column].shape, Shape::Absent))
            .collect();
        let mut row = Row {
            at,
            kind: RowKind::Single,
            set: set.clone(),
            section: section.clone(),
            variable: String::new(),
            label: label.clone(),
        };
        if let Some(said) = table.correction.row(table.grid.rows[at].line) {
            said.apply(&mut row);
        }
        if row.kind == RowKind::Ignored {
            rows.push(row);
            continue;
        }
        let metric = Metric::named(&row.label).or_else(|| Metric::at_end(&row.label));
        let is_set = metric.is_none() && !words::is_comparison(&label) && words::is_set(&label);
        if data.is_empty() || is_set && only_beside(table, at, &data) {
            row.kind = RowKind::Heading;
            if let (true, Some(n)) = (words::is_set(&label), words::size(&label)) {
                headed.push((at, words::without_size(&label), n));
            }
            words::head(words::without_size(&label), &mut set, &mut section);
            (block, seen) = (String::new(), HashSet::new());
            if !data.is_empty() {
                row.set.clone_from(&set);
                read_row(table, &row, None, &data);
            }
            rows.push(row);
            continue;
        }
        // A label beside the metric's names a set or a model.
        for other in filled.iter().filter(|it| !it.is_empty() && **it != label) {
            if words::is_set(other) {
                row.set.clone_from(other)
            } else {
                row.section.clone_from(other)
            };
        }
        if metric.is_some() {
            if !seen.insert([row.set.clone(), row.section.clone(), label.clone()]) {
                (block, seen) = (format!("from line {}", table.grid.rows[at].line), HashSet::new());
                seen.insert([row.set.clone(), row.section.clone(), label.clone()]);
            }
            row.section = join(&[&row.section, &block]);
        }
        if metric.is_none()
            && words::interval(&row.label).is_some()
            && before.is_some_and(|above| attach(table, above, at, &data))
        {
            rows.push(row);
            continue;
        }
        read_row(table, &row, metric, &data);
        before = metric.map(|_| at);
        rows.push(row);
    }
    sizes(table, &headed);
    title_size(table);
    rows
}

/// The only size that a title prints, of a table of scores without sets and sizes of its own.
pub fn title_size(table: &mut Table) {
    let is_score = |cell: &crate::cells::PublishedCell| matches!(cell.role, Role::Score(_));
    let is_one_set = table.cells.iter().all(|cell| cell.place.set == "all");
    let is_sized = table.cells.iter().any(|cell| matches!(cell.role, Role::Group { .. }));
    if is_one_set
        && !is_sized
        && table.cells.iter().any(is_score)
        && let Some(n) = words::only_size(&table.grid.title)
    {
        table.push_size((0, 0), "all", "Total", n, true);
    }
}

/// Whether a row has nothing but P values and differences beside the models' columns.
fn only_beside(table: &Table, row: usize, data: &[usize]) -> bool {
    data.iter().all(|&column| matches!(table.columns_at(row)[column].kind, Kind::P | Kind::Estimate(_)))
}

fn read_row(table: &mut Table, row: &Row, metric: Option<Metric>, data: &[usize]) {
    let of_models = |column: &usize| table.columns_at(row.at)[*column].kind == Kind::Unknown;
    let line: Vec<(usize, usize)> = data.iter().copied().filter(of_models).map(|column| (row.at, column)).collect();
    let heading = format!("{} {}", row.label, table.grid.title);
    let is_share = metric.is_some_and(Metric::is_share);
    let is_percent = is_share && table.is_percent(&line, &heading, None);
    let (is_p, is_statistic) = (words::is_p(&row.label), words::is_statistic(&row.label));
    for &column in data {
        let said = table.columns_at(row.at)[column].clone();
        let place = [join(&[&said.set, &row.set]), or_model(join(&[&said.name, &row.section])), String::new()];
        let read = table.reads[row.at][column].clone();
        if said.kind != Kind::Unknown {
            beside(table, row, column, &said, &read);
            continue;
        }
        let is_resampled = table.is_resampled(&place[0]);
        let percent = is_share && (read.is_percent || is_percent && !is_area_share(metric, &read));
        let (role, name) = match (metric, &read.shape) {
            (Some(metric), _) if words::is_average(&row.label) || is_mean(&said, row) || is_resampled => {
                (Role::Average(metric), row.label.clone())
            }
            (Some(metric), _) => (Role::Score(metric), column_name(table, metric, &row.label, &place, percent)),
            (None, Shape::Test(..)) => {
                let test = words::plain(&row.label);
                (Role::P(Compared { test, ..Compared::default() }), row.label.clone())
            }
            (None, _) if is_p => (Role::P(Compared::default()), row.label.clone()),
            (None, _) if is_statistic => (Role::Statistic(Compared::default()), row.label.clone()),
            _ => (Role::Unknown, row.label.clone()),
        };
        let Some(value) = score_value(&read) else { continue };
        let [set, model, _] = place;
        table.push((row.at, column), &[], [set, model, name], value, (role, RowRole::Model));
        let is_unit_said = table.correction.unit.is_some();
        let last = table.cells.last_mut().expect("just put there");
        (last.is_percent, last.is_unit_said) = (percent, is_unit_said);
    }
}

/// Whether a model's column or section says that its scores are means over readers or folds.
fn is_mean(column: &Column, row: &Row) -> bool {
    words::is_average_row(&column.name) || words::is_average_row(&row.section)
}

/// A P value or a difference in a column beside those of the models.
fn beside(table: &mut Table, row: &Row, column: usize, said: &Column, read: &Read) {
    let Some(value) = score_value(read) else { return };
    let set = join(&[&said.set, &row.set]);
    let (name, heading, role) = match (said.kind, words::pair(said.leaf())) {
        (Kind::P, Some((one, other))) => {
            (format!("DeLong: {one} vs {other}"), join(&["P value", &row.section]), Role::P(said.compared.clone()))
        }
        (Kind::P, None) => (row.label.clone(), said.heading(), Role::P(said.compared.clone())),
        _ => (row.label.clone(), said.heading(), Role::Estimate(Measure::Difference)),
    };
    // A P of two scores is only DeLong's where it stands with the areas.
    let is_area = row.kind == RowKind::Heading || Metric::named(&row.label) == Some(Metric::Auc);
    let name = if is_area { name } else { format!("{} {}", row.label, name.trim_start_matches("DeLong: ")) };
    table.push((row.at, column), &[], [set, name, heading], value, (role, RowRole::Comparison));
}

/// An area of 0.84 in a table of percentages is no percentage.
pub fn is_area_share(metric: Option<Metric>, read: &Read) -> bool {
    let small = matches!(read.shape, Shape::One(value) | Shape::Interval(value, ..) if value.value() <= 1.0);
    small && metric.is_some_and(Metric::is_area)
}

/// The metric's name; the printed label where the set and model have that metric already.
fn column_name(table: &Table, metric: Metric, label: &str, place: &[String; 3], _percent: bool) -> String {
    let set = if place[0].is_empty() { "all" } else { &place[0] };
    let is_there = table
        .cells
        .iter()
        .any(|cell| cell.place.set == set && cell.place.row == place[1] && cell.place.column == metric.heading());
    if is_there { label.to_owned() } else { metric.heading().to_owned() }
}

/// What a cell of a score says; `None` when nothing that can be read.
pub fn score_value(read: &Read) -> Option<Value> {
    Some(match read.shape {
        Shape::One(number) => Value::Number(number),
        Shape::Interval(estimate, low, high) => Value::Estimate { estimate, low, high },
        // `30/40 (75.0)` prints its score behind the fraction; `0.84 (0.05)` before its standard error.
        Shape::Pair(_, second) if read.fraction.is_some() => Value::Number(second),
        Shape::Pair(first, _) => Value::Number(first),
        Shape::PlusMinus(mean, sd) => Value::MeanSd { mean, sd },
        Shape::Test(statistic, p) => Value::Test { statistic, p },
        _ => return None,
    })
}

/// Puts the ends of an interval in its own row beside the scores of the row above.
fn attach(table: &mut Table, above: usize, at: usize, data: &[usize]) -> bool {
    let mut any = false;
    for &column in data {
        let Shape::Ends(low, high) = table.reads[at][column].shape else { continue };
        let line = table.line(above, column);
        let (here, part) = (table.line(at, column), table.grid.text(at, column).to_owned());
        let cell =
            table.cells.iter_mut().rev().find(|cell| cell.source.line == line && cell.source.column == column + 1);
        if let Some(cell) = cell
            && let Value::Number(estimate) = cell.value
        {
            cell.value = Value::Estimate { estimate, low, high };
            cell.source.also.push((here, column + 1));
            cell.printed = format!("{} ({part})", cell.printed);
            table.taken.insert((at, column));
            any = true;
        }
    }
    any
}

/// Sizes that headers and labels print for the sets.
fn sizes(table: &mut Table, headed: &[(usize, String, u64)]) {
    for (row, set, n) in headed {
        if table.cells.iter().any(|cell| cell.place.set == *set) {
            table.push_size((*row, 0), set, "Total", *n, true);
        }
    }
    let mut done: Vec<(String, u64)> = Vec::new();
    for column in table.frame.n_labels..table.columns.len() {
        let Column { set, name, n: Some(n), .. } = table.columns[column].clone() else { continue };
        let set = if set.is_empty() { name } else { set };
        let used = |it: &&crate::cells::PublishedCell| it.place.set == set || set.is_empty() && it.place.set == "all";
        if table.cells.iter().any(|cell| used(&cell)) && !done.iter().any(|(known, _)| *known == set) {
            let at = table.size_row(column, n);
            table.push_size(at, &set, "Total", n, true);
            done.push((set, n));
        }
    }
}

/// The parts that say something.
pub fn join(parts: &[&str]) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if !kept.contains(part) {
            kept.push(part);
        }
    }
    kept.join(" ")
}

pub fn or_model(name: String) -> String {
    if name.is_empty() { "model".to_owned() } else { name }
}
