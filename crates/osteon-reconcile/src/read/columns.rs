//! What each column is: by its header, by its neighbours, and by the numbers in it.

use crate::metric::Metric;
use crate::read::correction::{ColumnCorrection, TableCorrection};
use crate::read::grid::Grid;
use crate::read::header::Frame;
use crate::read::value::{Read, Shape};
use crate::read::words::{self, Ends};
use crate::regression::NOT_WALDS;
use crate::role::{Compared, Measure};

/// What a column is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Label,
    Group,
    /// The percentages of the group to its left.
    Share,
    P,
    Statistic,
    Estimate(Measure),
    Score(Metric),
    /// The standard error of the estimate or area to its left.
    Error,
    /// Standardized differences between two groups.
    Balance,
    Interval(Ends),
    /// A person said that it is to be left out.
    Ignored,
    Unknown,
}

/// A column as it was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub kind: Kind,
    /// Header texts from top to bottom.
    pub path: Vec<String>,
    /// The set that the header names; empty for none.
    pub set: String,
    /// The group, or the model of scores, that the header names.
    pub name: String,
    /// The class of patients above a count or score, where it is no model: `Reference standard positive`.
    pub class: String,
    /// `univariate` or `multivariate`, of a regression.
    pub prefix: &'static str,
    pub n: Option<u64>,
    /// Where `n` comes from when it is no printed size; empty otherwise.
    pub inferred: &'static str,
    /// Of an interval: the column whose ends it gives.
    pub target: Option<usize>,
    pub compared: Compared,
    /// `Some` when a person said it.
    pub is_percent: Option<bool>,
}

impl Column {
    pub fn heading(&self) -> String {
        self.path.join(" / ")
    }

    pub fn leaf(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }
}

/// A data column of a table whose metrics stand in rows, or any column before its kind is known.
fn bare(path: &[String]) -> Column {
    let n = path.iter().rev().find_map(|text| words::size(text));
    Column {
        kind: Kind::Unknown,
        path: path.to_vec(),
        set: String::new(),
        name: String::new(),
        class: String::new(),
        prefix: "",
        n,
        inferred: "",
        target: None,
        compared: Compared::default(),
        is_percent: None,
    }
}

/// Every column of the table; `metrics_in_rows` makes each data column a model on a set.
pub fn columns(
    grid: &Grid,
    reads: &[Vec<Read>],
    frame: &Frame,
    paths: &[Vec<String>],
    metrics_in_rows: bool,
    correction: &TableCorrection,
) -> Vec<Column> {
    let body: Vec<usize> = (frame.n_header..grid.rows.len()).filter(|&row| !frame.is_header_row(row)).collect();
    let mut columns: Vec<Column> = paths.iter().map(|path| bare(path)).collect();
    for (at, column) in columns.iter_mut().enumerate() {
        let shapes = shapes(reads, &body, at);
        // A heading that the file leaves empty may be taken from its neighbour, but not for P values.
        let is_bare = frame.n_header > 0 && (0..frame.n_header).all(|row| grid.text(row, at).is_empty());
        column.kind = if at < frame.n_labels {
            Kind::Label
        } else if metrics_in_rows {
            beside_models(column, &shapes)
        } else if is_bare && are_p_values(&shapes) {
            column.path.clear();
            Kind::P
        } else {
            kind(column, &shapes)
        };
        if let Some(said) = correction.column(at + 1) {
            said.apply(column);
        }
    }
    if !metrics_in_rows {
        metric_of_labels(&mut columns, paths);
    }
    if metrics_in_rows {
        for column in columns.iter_mut().skip(frame.n_labels).filter(|it| it.kind == Kind::Unknown) {
            let (set, name) = set_and_name(&column.path);
            set_unless_said(column, set, name);
        }
        return columns;
    }
    pair_shares(&mut columns);
    counted_sizes(&mut columns, reads, &body);
    own_sizes(&mut columns, reads, &body);
    name_groups(&mut columns);
    name_others(&mut columns);
    prefix_of_terms(&mut columns);
    attach_intervals(&mut columns, reads, &body);
    compare(&mut columns);
    for (at, column) in columns.iter_mut().enumerate() {
        if let Some(ColumnCorrection { pair: Some(pair), .. }) = correction.column(at + 1) {
            column.compared.groups.clone_from(pair);
            column.compared.is_named = true;
        }
    }
    columns
}

fn set_unless_said(column: &mut Column, set: String, name: String) {
    if column.set.is_empty() {
        column.set = set;
    }
    if column.name.is_empty() {
        column.name = name;
    }
}

/// The shapes of the filled cells of a column.
fn shapes<'a>(reads: &'a [Vec<Read>], body: &[usize], column: usize) -> Vec<&'a Shape> {
    let cell = |&row: &usize| reads.get(row).and_then(|row| row.get(column)).map(|read| &read.shape);
    body.iter().filter_map(cell).filter(|shape| !matches!(shape, Shape::Absent | Shape::Reference)).collect()
}

/// Whether the numbers of a column are P values by themselves: all within 0 and 1, with decimals or a sign.
fn are_p_values(shapes: &[&Shape]) -> bool {
    let is_p = |shape: &&&Shape| matches!(shape, Shape::One(p) if (0.0..=1.0).contains(&p.value()) && (p.decimals() > 1 || !p.is_exact()));
    let numbers = shapes.iter().filter(|shape| !matches!(shape, Shape::Words)).count();
    numbers > 1 && shapes.iter().filter(is_p).count() == numbers
}

/// Whether all numbers of a column but one, or four of five, lie within 0 and 1.
fn mostly_shares(shapes: &[&Shape]) -> bool {
    let inside = |shape: &&&Shape| matches!(shape, Shape::One(p) if (0.0..=1.0).contains(&p.value()));
    let numbers = shapes.iter().filter(|shape| !matches!(shape, Shape::Words)).count();
    let inside = shapes.iter().filter(inside).count();
    10 * inside >= 8 * numbers || inside > 0 && numbers - inside <= 1
}

/// Columns of P values and of differences beside those of models, in a table whose metrics stand in rows.
fn beside_models(column: &Column, shapes: &[&Shape]) -> Kind {
    if column.path.iter().any(|text| words::is_p(text)) && mostly_shares(shapes) {
        return Kind::P;
    }
    if words::is_difference(column.leaf()) || words::measure(column.leaf()) == Some(Measure::Difference) {
        return Kind::Estimate(Measure::Difference);
    }
    Kind::Unknown
}

/// `Model AUC (95% CI) | Set A | Set B`: the metric that only the heading of the labels names is that of every column.
fn metric_of_labels(columns: &mut [Column], paths: &[Vec<String>]) {
    let Some(metric) = paths.first().and_then(|path| Metric::at_end(path.last()?)).filter(|it| !it.is_count()) else {
        return;
    };
    if columns.iter().any(|it| matches!(it.kind, Kind::Score(_) | Kind::Estimate(_) | Kind::Interval(_))) {
        return;
    }
    for column in columns.iter_mut().filter(|it| matches!(it.kind, Kind::Group | Kind::Unknown)) {
        column.kind = Kind::Score(metric);
        if column.set.is_empty() {
            let set: Vec<String> = column.path.iter().map(|text| words::without_size(text)).collect();
            column.set = set.join(" ");
        }
    }
}

/// Counts with percentages of a heading's size before it is taken for that of each group below it.
const OF_SPAN: usize = 3;

/// The size in a heading that spans several groups is of none of them, but where their percentages are of it: `Any grade`
/// and `Grade 3` under one arm.
fn own_sizes(columns: &mut [Column], reads: &[Vec<Read>], body: &[usize]) {
    let is_of = |column: usize, n: u64| {
        let pairs = shapes(reads, body, column).into_iter().filter_map(|shape| match shape {
            Shape::Pair(count, percent) if count.decimals() == 0 && percent.decimals() > 0 => Some((*count, *percent)),
            _ => None,
        });
        let pairs: Vec<bool> =
            pairs.map(|(count, percent)| percent.is(100.0 * count.value() / n.max(1) as f64)).collect();
        let fitting = pairs.iter().filter(|it| **it).count();
        fitting >= OF_SPAN && 4 * fitting >= 3 * pairs.len()
    };
    let sized = |column: &Column| {
        let at = column.path.iter().rposition(|text| words::size(text).is_some())?;
        (at + 1 < column.path.len()).then(|| column.path[..=at].to_vec())
    };
    let groups: Vec<(usize, Option<Vec<String>>)> =
        (0..columns.len()).filter(|&at| columns[at].kind == Kind::Group).map(|at| (at, sized(&columns[at]))).collect();
    for (at, above) in &groups {
        let shared = above.is_some() && groups.iter().any(|(other, it)| other != at && it == above);
        let n = columns[*at].n;
        let is_spanned = shared && n == above.as_ref().and_then(|path| words::size(path.last()?));
        if is_spanned && !n.is_some_and(|n| is_of(*at, n)) {
            columns[*at].n = None;
        }
    }
}

fn kind(column: &Column, shapes: &[&Shape]) -> Kind {
    let leaf = column.leaf();
    let whole = column.heading();
    let is_pair = words::pair(leaf).is_some() && column.path.iter().any(|text| words::is_p(text));
    if (words::is_p(leaf) || is_pair) && mostly_shares(shapes) {
        return Kind::P;
    }
    // `P value` that has lost its letter.
    if matches!(words::plain(leaf).as_str(), "value" | "values" | "sig" | "sig.") && are_p_values(shapes) {
        return Kind::P;
    }
    if words::is_standard_error(leaf) {
        return Kind::Error;
    }
    if words::is_balance(leaf) {
        return Kind::Balance;
    }
    if words::is_difference(leaf) {
        return Kind::Estimate(Measure::Difference);
    }
    if shapes.iter().any(|shape| matches!(shape, Shape::Test(..)))
        && shapes.iter().all(|shape| matches!(shape, Shape::Test(..) | Shape::Words))
    {
        return Kind::P;
    }
    if let Some(metric) =
        column.path.iter().rev().find_map(|text| Metric::named(text)).filter(|_| words::interval(leaf).is_none())
    {
        let is_below = column.path.iter().rev().take(2).any(|text| Metric::named(text) == Some(metric));
        // `No (n = 164)` is a group of those without.
        let is_group =
            metric == Metric::Size && (column.n.is_some() || column.path.len() > 1 && parent_is_group(column));
        if is_below && !is_group {
            return Kind::Score(metric);
        }
    }
    if let Some(metric) =
        Metric::at_end(leaf).filter(|_| words::interval(leaf).is_none() && words::measure(leaf).is_none())
    {
        return Kind::Score(metric);
    }
    if let Some(ends) = words::interval(leaf) {
        let fits =
            shapes.iter().filter(|shape| matches!(shape, Shape::Ends(..) | Shape::One(_) | Shape::Words)).count();
        if fits == shapes.len() {
            return Kind::Interval(ends);
        }
    }
    if let Some(measure) =
        words::measure(leaf).or_else(|| words::measure(&whole).filter(|_| words::interval(leaf).is_some()))
    {
        return Kind::Estimate(measure);
    }
    if words::is_statistic(leaf) {
        return Kind::Statistic;
    }
    if column.n.is_none() && words::is_survival(leaf) {
        return Kind::Unknown;
    }
    let counted = |shape: &&&Shape| {
        matches!(shape, Shape::One(_) | Shape::Pair(..) | Shape::PlusMinus(..) | Shape::Interval(..) | Shape::Ends(..))
    };
    let numbers = shapes.iter().filter(counted).count();
    if numbers > 0 && 2 * numbers >= shapes.len() { Kind::Group } else { Kind::Unknown }
}

/// `n` and `%` under the name of a group.
fn parent_is_group(column: &Column) -> bool {
    let parent = &column.path[column.path.len() - 2];
    words::size(parent).is_some() || words::is_set(parent) || words::is_total(parent)
}

/// Columns headed `%` to the right of one headed `n` under the same name.
fn pair_shares(columns: &mut [Column]) {
    for at in 1..columns.len() {
        let (before, rest) = columns.split_at_mut(at);
        let (left, this) = (&mut before[at - 1], &mut rest[0]);
        let is_percent =
            matches!(words::plain(this.leaf()).as_str(), "%" | "(%)" | "percent" | "percentage" | "percentage (%)");
        let is_count = matches!(
            words::plain(left.leaf()).as_str(),
            "n" | "no" | "no." | "number" | "count" | "counts" | "cases" | "patients"
        );
        let same = left.path.len() == this.path.len()
            && left.path[..left.path.len().saturating_sub(1)] == this.path[..this.path.len().saturating_sub(1)];
        let is_sized = left.kind == Kind::Group && left.n.is_some() && left.path.len() == this.path.len();
        if is_percent && (is_count && same || is_sized) && matches!(this.kind, Kind::Group | Kind::Unknown) {
            this.kind = Kind::Share;
            left.kind = Kind::Group;
        }
    }
}

/// Columns headed `n` or `No. of patients (%)` that count the patients of each row: all of them beside two groups or
/// more, or the only group of a table of counts with percentages.
fn counted_sizes(columns: &mut [Column], reads: &[Vec<Read>], body: &[usize]) {
    let is_judged = |it: &Column| {
        matches!(it.kind, Kind::Estimate(_)) || matches!(it.kind, Kind::Score(metric) if metric != Metric::Size)
    };
    if columns.iter().any(is_judged) {
        return;
    }
    let sized = columns.iter().filter(|it| it.kind == Kind::Group && it.n.is_some()).count();
    for (at, column) in columns.iter_mut().enumerate().filter(|(_, it)| it.kind == Kind::Score(Metric::Size)) {
        let shapes = shapes(reads, body, at);
        let with_share = shapes.iter().filter(|shape| matches!(shape, Shape::Pair(n, _) if n.decimals() == 0)).count();
        if 2 * with_share > shapes.len() {
            column.kind = Kind::Group;
        } else if sized > 1 {
            (column.kind, column.name) = (Kind::Group, "Total".to_owned());
        }
    }
}

/// Header texts that say only what kind of number stands below.
fn is_unit(text: &str) -> bool {
    let text = words::plain(text);
    matches!(
        text.as_str(),
        "n" | "no"
            | "no."
            | "n (%)"
            | "no. (%)"
            | "n(%)"
            | "%"
            | "number"
            | "number (%)"
            | "mv ± sd"
            | "mean ± sd"
            | "value"
            | "values"
            | "count"
            | "no (%)"
            | "n, %"
            | "cases"
            | "patients"
    )
}

/// Names, sizes and sets of the groups.
fn name_groups(columns: &mut [Column]) {
    let parts = |column: &Column| -> Vec<String> {
        column
            .path
            .iter()
            .filter(|text| !is_unit(text))
            .map(|text| words::without_size(text))
            .filter(|text| !text.is_empty())
            .collect()
    };
    let groups: Vec<usize> = (0..columns.len()).filter(|&at| columns[at].kind == Kind::Group).collect();
    let tops: Vec<Option<String>> = groups
        .iter()
        .map(|&at| parts(&columns[at]).first().cloned().filter(|_| parts(&columns[at]).len() > 1))
        .collect();
    let mut names: Vec<&String> = tops.iter().flatten().collect();
    names.dedup();
    // Each spanning header is a set of its own when each has a P of its own, under it or directly behind it.
    let has_p = |top: &String| {
        let last =
            groups.iter().zip(&tops).filter(|(_, it)| it.as_ref() == Some(top)).map(|(at, _)| *at).max().unwrap_or(0);
        let under = columns.iter().any(|it| {
            it.kind == Kind::P && it.path.first().map(|text| words::without_size(text)).as_ref() == Some(top)
        });
        under
            || columns[last + 1..]
                .iter()
                .find(|it| it.kind != Kind::Statistic && it.kind != Kind::Share)
                .is_some_and(|it| it.kind == Kind::P)
    };
    let are_sets = names.len() > 1 && tops.iter().all(Option::is_some) && names.iter().all(|top| has_p(top));
    for (&at, top) in groups.iter().zip(&tops) {
        let parts = parts(&columns[at]);
        let (set, name) = match top {
            Some(top) if are_sets => (top.clone(), parts[1..].join(" ")),
            _ => (String::new(), parts.join(" ")),
        };
        let name = if name.is_empty() { columns[at].heading() } else { name };
        set_unless_said(&mut columns[at], set, name);
    }
    // A P and a statistic belong to the set of the groups to their left.
    let mut set = String::new();
    for column in columns.iter_mut() {
        match column.kind {
            Kind::Group => set.clone_from(&column.set),
            Kind::P | Kind::Statistic | Kind::Balance if column.set.is_empty() => column.set.clone_from(&set),
            _ => (),
        }
    }
}

/// Sets, models and kinds of regression that stand above estimates, scores and their P values.
fn name_others(columns: &mut [Column]) {
    let has_groups = columns.iter().any(|it| it.kind == Kind::Group);
    let metrics: Vec<Metric> =
        columns.iter().filter_map(|it| if let Kind::Score(metric) = it.kind { Some(metric) } else { None }).collect();
    // What stands above scores is a model or a set where a metric comes twice; otherwise a class of patients.
    let repeats = metrics.iter().enumerate().any(|(at, metric)| metrics[..at].contains(metric));
    for column in columns.iter_mut() {
        let above: Vec<String> = column.path[..column.path.len().saturating_sub(1)].to_vec();
        let whole = words::plain(&column.heading());
        column.prefix = if whole.contains("multivari")
            || whole.contains("multiple")
            || whole.contains("adjusted") && !whole.contains("unadjusted")
        {
            "multivariate"
        } else if whole.contains("univari")
            || whole.contains("crude")
            || whole.contains("unadjusted")
            || whole.contains("simple")
        {
            "univariate"
        } else {
            ""
        };
        let is_kind = |text: &str| {
            let text = words::plain(text);
            ["univari", "multivari", "crude", "adjusted", "regression"].iter().any(|word| text.contains(word))
        };
        match column.kind {
            Kind::Estimate(_) | Kind::Interval(_) | Kind::P | Kind::Statistic | Kind::Error
                if !has_groups || !column.prefix.is_empty() =>
            {
                let set: Vec<String> = above
                    .iter()
                    .filter(|text| !is_kind(text))
                    .map(|text| words::without_size(text))
                    .filter(|it| words::measure(it).is_none())
                    .collect();
                if column.set.is_empty() {
                    column.set = set.join(" ");
                }
            }
            Kind::Score(_) => {
                let above: Vec<String> =
                    above.into_iter().filter(|text| Metric::named(text).is_none() && !is_unit(text)).collect();
                let (set, name) = set_and_name(&above);
                match repeats {
                    true => set_unless_said(column, set, name),
                    false if column.n.is_some() && !name.is_empty() => column.class = name,
                    false => set_unless_said(column, set, String::new()),
                }
            }
            _ => (),
        }
    }
}

/// A P behind `Adjusted OR` is of the same regression.
fn prefix_of_terms(columns: &mut [Column]) {
    let mut prefix = "";
    for column in columns.iter_mut() {
        match column.kind {
            Kind::Estimate(_) => prefix = column.prefix,
            Kind::P | Kind::Statistic | Kind::Error if column.prefix.is_empty() => column.prefix = prefix,
            Kind::Interval(_) | Kind::P | Kind::Statistic | Kind::Error => (),
            _ => prefix = "",
        }
    }
}

/// The set and the model among header texts.
pub fn set_and_name(path: &[String]) -> (String, String) {
    let parts = path.iter().flat_map(|text| match words::name_and_set(text) {
        Some((name, set)) => vec![name, set],
        None => vec![text.clone()],
    });
    let clean: Vec<String> =
        parts.map(|text| words::without_size(&text)).filter(|text| !text.is_empty() && !is_unit(text)).collect();
    let (sets, names): (Vec<String>, Vec<String>) = clean.into_iter().partition(|text| words::is_set(text));
    (sets.join(" "), names.join(" "))
}

/// The column that an interval of its own column belongs to: the nearest whose numbers lie between its ends.
fn attach_intervals(columns: &mut [Column], reads: &[Vec<Read>], body: &[usize]) {
    for at in 0..columns.len() {
        let Kind::Interval(ends) = columns[at].kind else { continue };
        let free = |target: usize| !columns.iter().any(|it| it.target == Some(target) && it.kind == columns[at].kind);
        let can = |target: usize| {
            let is_survival = columns[target].kind == Kind::Unknown && words::is_survival(columns[target].leaf());
            (is_survival || matches!(columns[target].kind, Kind::Estimate(_) | Kind::Score(_) | Kind::Group))
                && target != at
        };
        let mut near: Vec<usize> = (0..columns.len()).filter(|&it| can(it) && free(it)).collect();
        // An end that names a score is of it; an upper end stands beside the lower one.
        let words = words::plain(columns[at].leaf());
        let is_named = |it: usize| {
            let name = words::plain(columns[it].leaf());
            let is_said = [" for ", " of "].iter().any(|it| words.ends_with(&format!("{it}{name}")));
            !name.is_empty() && is_said || name.chars().count() > 1 && words.starts_with(&name)
        };
        let is_other_end = |it: usize| {
            ends == Ends::Upper
                && at > 0
                && columns[at - 1].kind == Kind::Interval(Ends::Lower)
                && columns[at - 1].target == Some(it)
        };
        near.sort_by_key(|&it| (!is_named(it), !is_other_end(it), it.abs_diff(at), it > at));
        let score = |target: usize| {
            let (mut fits, mut all) = (0, 0);
            for &row in body {
                let of = |column: usize| reads[row].get(column).map(|read| &read.shape);
                let Some(Shape::One(value)) = of(target) else { continue };
                let (low, high) = match (of(at), ends) {
                    (Some(Shape::Ends(low, high)), _) => (low.value(), high.value()),
                    (Some(Shape::One(low)), Ends::Lower) => (low.value(), f64::INFINITY),
                    (Some(Shape::One(high)), Ends::Upper) => (f64::NEG_INFINITY, high.value()),
                    _ => continue,
                };
                all += 1;
                let value = value.value();
                fits += usize::from(low <= value && value <= high);
            }
            if all == 0 { 0.0 } else { fits as f64 / all as f64 }
        };
        let said = near.first().copied().filter(|&it| is_named(it) && score(it) >= 0.5);
        let fitting = said.or_else(|| near.iter().copied().find(|&it| score(it) >= 0.7));
        columns[at].target = fitting.or_else(|| near.first().copied().filter(|it| it.abs_diff(at) <= 2));
        if let Some(target) = columns[at].target {
            let (set, prefix) = (columns[target].set.clone(), columns[target].prefix);
            columns[at].set = set;
            columns[at].prefix = prefix;
        }
    }
}

/// Which groups each P can be of.
fn compare(columns: &mut [Column]) {
    let mut since: Vec<usize> = Vec::new();
    let mut used = false;
    for at in 0..columns.len() {
        match columns[at].kind {
            Kind::Group => {
                if used {
                    since.clear();
                    used = false;
                }
                since.push(at);
            }
            Kind::P | Kind::Statistic => {
                let is_p = columns[at].kind == Kind::P;
                let all: Vec<usize> = (0..columns.len())
                    .filter(|&it| columns[it].kind == Kind::Group && columns[it].set == columns[at].set)
                    .collect();
                // A P before its groups compares those behind it.
                let near: Vec<usize> = if since.is_empty() { all.clone() } else { since.clone() };
                let sum: u64 = near.iter().filter_map(|&it| columns[it].n).sum();
                let is_whole = |it: usize| {
                    words::is_total(&columns[it].name) || near.len() > 2 && columns[it].n.is_some_and(|n| 2 * n == sum)
                };
                let heading = words::plain(&columns[at].heading());
                let named: Vec<usize> = all
                    .iter()
                    .copied()
                    .filter(|&it| {
                        let name = words::plain(&columns[it].name);
                        name.chars().count() > 2 && heading.contains(&name)
                    })
                    .collect();
                let groups = if named.len() > 1 { &named } else { &near };
                let names = groups
                    .iter()
                    .filter(|&&it| named.len() > 1 || !is_whole(it))
                    .map(|&it| columns[it].name.clone())
                    .collect();
                const TESTS: [&str; 10] =
                    ["cox", "anova", "t-test", "t test", "mann", "χ2", "kruskal", "wilcoxon", "delong", "logistic"];
                let is_said = TESTS.iter().chain(&NOT_WALDS).any(|word| heading.contains(word));
                let test = match is_p {
                    true if is_said => heading.clone(),
                    true => String::new(),
                    // A statistic is of the test that its heading names: F, t, Z.
                    false => words::plain(columns[at].leaf()),
                };
                columns[at].compared = Compared { groups: names, is_named: named.len() > 1, test };
                used |= is_p;
            }
            _ => (),
        }
    }
}
