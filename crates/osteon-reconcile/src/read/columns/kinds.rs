//! What a column is for, by its heading and its numbers.

use crate::metric::Metric;
use crate::read::columns::{Column, Kind};
use crate::read::value::Shape;
use crate::read::words;
use crate::role::Measure;

/// Whether the numbers of a column are P values by themselves: all within 0 and 1, with decimals or a sign.
pub fn are_p_values(shapes: &[&Shape]) -> bool {
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
pub fn beside_models(column: &Column, shapes: &[&Shape]) -> Kind {
    if column.path.iter().any(|text| words::is_p(text)) && mostly_shares(shapes) {
        return Kind::P;
    }
    if words::is_difference(column.leaf()) || words::measure(column.leaf()) == Some(Measure::Difference) {
        return Kind::Estimate(Measure::Difference);
    }
    Kind::Unknown
}

/// `Model AUC (95% CI) | Set A | Set B`: the metric that only the heading of the labels names is that of every column.
pub fn metric_of_labels(columns: &mut [Column], paths: &[Vec<String>]) {
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

pub fn kind(column: &Column, shapes: &[&Shape]) -> Kind {
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
