//! Square tables whose rows and columns are the same models or quantities: P values of pairs, correlations.

use crate::cells::Value;
use crate::metric::Metric;
use crate::read::columns::Kind;
use crate::read::emit::Table;
use crate::read::value::Shape;
use crate::read::{models, words};
use crate::role::{Compared, Role, RowRole};

/// Names that rows and columns must share.
const SHARED: usize = 3;

/// Reads a matrix of pairs; `false` when the table is none.
pub fn read(table: &mut Table) -> bool {
    let name = |text: &str| words::plain(&words::without_size(text));
    let headings: Vec<String> = table
        .frame
        .paths
        .iter()
        .map(|path| path.last().map_or(String::new(), |text| words::without_size(text)))
        .collect();
    let first = table.frame.n_labels;
    let body: Vec<usize> = table.body();
    let label = |row: usize| words::without_size(table.grid.text(row, first - 1));
    let is_heading = |label: &str| headings.iter().skip(first).any(|it| !it.is_empty() && name(it) == name(label));
    let n_scores = headings.iter().skip(first).filter(|it| Metric::named(it).is_some()).count();
    let shared = body.iter().filter(|&&row| is_heading(&label(row))).count();
    if shared < SHARED || 3 * shared < 2 * body.len() || 3 * shared < 2 * (headings.len() - first - n_scores) {
        return false;
    }
    let one = |row: usize, column: usize| match table.reads[row][column].shape {
        Shape::One(number) | Shape::Pair(number, _) | Shape::Interval(number, ..) => Some(number),
        _ => None,
    };
    let own = |row: usize, column: usize| name(&label(row)) == name(&headings[column]);
    // The models' areas may stand beside their pairs.
    let scores: Vec<(usize, Metric)> =
        (first..headings.len()).filter_map(|at| Some((at, Metric::named(&headings[at])?))).collect();
    let is_pair = |column: usize| !scores.iter().any(|(at, _)| *at == column);
    let columns: Vec<usize> = (first..headings.len()).filter(|&it| is_pair(it)).collect();
    let places: Vec<(usize, usize)> =
        body.iter().flat_map(|&row| columns.iter().map(move |&column| (row, column))).collect();
    let numbers: Vec<f64> = places.iter().filter_map(|&(row, column)| one(row, column)).map(|it| it.value()).collect();
    // One that no P and no correlation is may be misprinted.
    let beyond = numbers.iter().filter(|it| it.abs() > 1.0).count();
    if numbers.is_empty() || beyond > 1 || beyond == 1 && numbers.len() < 5 {
        return false;
    }
    let words = format!("{} {}", table.grid.title, table.grid.text(0, 0)).to_lowercase();
    let diagonal =
        places.iter().filter(|&&(row, column)| own(row, column)).filter_map(|&(row, column)| one(row, column));
    let is_correlation = ["correl", "pearson", "spearman", "icc", "kappa"].iter().any(|word| words.contains(word))
        || numbers.iter().any(|it| *it < 0.0)
        || diagonal.filter(|it| it.value() == 1.0).count() > 1;
    let pairs: Vec<(usize, usize, String, String)> = places
        .iter()
        .filter(|&&(row, column)| !own(row, column) && !headings[column].is_empty())
        .map(|&(row, column)| (row, column, label(row), headings[column].clone()))
        .collect();
    let areas: Vec<(usize, usize, Metric, String)> = scores
        .iter()
        .flat_map(|&(column, metric)| body.iter().map(move |&row| (row, column, metric)))
        .map(|(row, column, metric)| (row, column, metric, label(row)))
        .collect();
    for (row, column, metric, model) in areas {
        let Some(value) = models::score_value(&table.reads[row][column]) else { continue };
        let place = [String::new(), model, metric.heading().to_owned()];
        table.push((row, column), &[], place, value, (Role::Score(metric), RowRole::Model));
    }
    for (row, column, one, other) in pairs {
        let Some(value) = value(&table.reads[row][column].shape) else { continue };
        let (head, heading, role) = if is_correlation {
            ("", "Correlation", Role::Score(Metric::Correlation))
        } else {
            ("DeLong: ", "P value", Role::P(Compared::default()))
        };
        let place = [String::new(), format!("{head}{one} vs {other}"), heading.to_owned()];
        table.push((row, column), &[], place, value, (role, RowRole::Comparison));
    }
    for (at, column) in table.columns.iter_mut().enumerate().skip(first) {
        if let Some((_, metric)) = scores.iter().find(|it| it.0 == at) {
            column.kind = Kind::Score(*metric);
            continue;
        }
        column.kind = if is_correlation { Kind::Score(Metric::Correlation) } else { Kind::P };
        column.compared = Compared::default();
    }
    // A pair with itself has nothing to check.
    table.taken.extend(
        places.into_iter().filter(|&(row, column)| name(table.grid.text(row, first - 1)) == name(&headings[column])),
    );
    true
}

fn value(shape: &Shape) -> Option<Value> {
    match *shape {
        Shape::One(number) => Some(Value::Number(number)),
        Shape::Test(statistic, p) => Some(Value::Test { statistic, p }),
        Shape::Interval(estimate, low, high) => Some(Value::Estimate { estimate, low, high }),
        _ => None,
    }
}
