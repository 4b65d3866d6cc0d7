//! Tables whose columns are groups, estimates, scores and P values.

use crate::cells::{PublishedCell, Value};
use crate::metric::Metric;
use crate::printed::Printed;
use crate::read::columns::{Column, Kind};
use crate::read::emit::Table;
use crate::read::models::{self, join, or_model};
use crate::read::rows::{self, Row, RowKind};
use crate::read::slashes;
use crate::read::spans;
use crate::read::summaries;
use crate::read::value::Shape;
use crate::read::words::{self, Ends};
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

/// Variables whose levels must add up to one number before it is taken for the size of a group without a printed one.
const SUMS: usize = 3;

/// Gives groups without a printed size the number to which the levels of most variables add up.
fn summed_sizes(table: &mut Table) {
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

fn is_percent(table: &Table, column: usize) -> bool {
    let said = &table.columns[column];
    let Kind::Score(metric) = said.kind else { return false };
    let line: Vec<(usize, usize)> = table.body().into_iter().map(|row| (row, column)).collect();
    metric.is_share() && table.is_percent(&line, &said.heading(), said.is_percent)
}

/// `Variable: Level`, with no other colon that would be taken for it.
fn row_name(row: &Row) -> String {
    let variable = row.variable.replace(": ", " ");
    match row.label.as_str() {
        "" => row.variable.clone(),
        label => format!("{variable}: {label}"),
    }
}

/// The model of a row of scores; in a table of features or markers, what its label says.
fn model_name(column: &Column, row: &Row) -> String {
    let name = join(&[&column.name, &row.section, &row.label]);
    or_model(if name.is_empty() { row_name(row) } else { name })
}

fn set(column: &Column, row: &Row) -> String {
    join(&[&row.set, &column.set])
}

fn size(table: &mut Table, row: &Row, at: usize, column: &Column) {
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
fn ends(table: &Table, row: usize, columns: &[Column], target: usize) -> Option<EndsApart> {
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

fn term(row: &Row, next: Option<&Row>, after_reference: bool) -> (String, RowRole) {
    // `Reference 0.433 (...)`: the numbers are of the level below.
    let level = match next.filter(|next| after_reference && next.variable == row.variable) {
        Some(next) => next.label.clone(),
        None => row.label.clone(),
    };
    let name = if after_reference { row.variable.clone() } else { row_name(row) };
    (name, RowRole::Term { variable: row.variable.clone(), level })
}

fn estimate(table: &mut Table, row: &Row, next: Option<&Row>, columns: &[Column], at: usize) {
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
fn error(table: &mut Table, row: &Row, columns: &[Column], at: usize) {
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

/// Counts with percentages that a number of patients must give before it is taken for the size of their group.
const SHARES: usize = 3;

/// Gives groups without a printed size the number of which three of four counts are the printed percentages.
fn sizes_of_shares(table: &mut Table) {
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

/// Whether a P is of the term of a regression beside it, not of groups.
fn is_of_term(columns: &[Column], at: usize) -> bool {
    let left = columns[..at].iter().rev().find(|it| !matches!(it.kind, Kind::Interval(_) | Kind::P | Kind::Statistic));
    let any = columns.iter().any(|it| matches!(it.kind, Kind::Estimate(_)));
    let has_groups = columns.iter().any(|it| it.kind == Kind::Group);
    any && (left.is_some_and(|it| matches!(it.kind, Kind::Estimate(_))) || !has_groups)
}

fn p(table: &mut Table, row: &Row, columns: &[Column], at: usize) {
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

/// A P value, or what else a row of comparisons prints below the scores that it compares.
fn comparison(table: &mut Table, row: &Row, column: &Column, at: usize) {
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

fn score(table: &mut Table, row: &Row, columns: &[Column], at: usize, metric: Metric, is_percent: bool) {
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

/// The sizes in the header of every group that a set has cells of, and of the classes and sets of scores.
fn sizes(table: &mut Table) {
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
