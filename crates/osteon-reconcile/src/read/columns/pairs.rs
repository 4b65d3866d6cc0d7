//! Which column an interval is of, and which groups a P compares.

use crate::read::columns::{Column, Kind};
use crate::read::value::{Read, Shape};
use crate::read::words;
use crate::read::words::Ends;
use crate::regression::NOT_WALDS;
use crate::role::Compared;

/// The column that an interval of its own column belongs to: the nearest whose numbers lie between its ends.
pub fn attach_intervals(columns: &mut [Column], reads: &[Vec<Read>], body: &[usize]) {
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
pub fn compare(columns: &mut [Column]) {
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
