//! Names, sets and kinds of regression that stand above columns.

use crate::metric::Metric;
use crate::read::columns::{Column, Kind};
use crate::read::words;

pub fn set_unless_said(column: &mut Column, set: String, name: String) {
    if column.set.is_empty() {
        column.set = set;
    }
    if column.name.is_empty() {
        column.name = name;
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
pub fn name_groups(columns: &mut [Column]) {
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
pub fn name_others(columns: &mut [Column]) {
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
                // The metric may stand above what tells its columns apart: `Sensitivity | Without AI | With AI`.
                let leaf = column.leaf();
                let is_metric = Metric::named(leaf).or_else(|| Metric::at_end(leaf)).is_some();
                let above = if is_metric || words::interval(leaf).is_some() { above } else { column.path.to_vec() };
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
pub fn prefix_of_terms(columns: &mut [Column]) {
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
