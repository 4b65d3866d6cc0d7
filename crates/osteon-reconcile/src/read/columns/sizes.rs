//! Sizes of groups that headings and neighbours say.

use crate::metric::Metric;
use crate::read::columns::{Column, Kind, shapes};
use crate::read::value::{Read, Shape};
use crate::read::words;

/// Counts with percentages of a heading's size before it is taken for that of each group below it.
const OF_SPAN: usize = 3;

/// The size in a heading that spans several groups is of none of them, but where their percentages are of it: `Any grade`
/// and `Grade 3` under one arm.
pub fn own_sizes(columns: &mut [Column], reads: &[Vec<Read>], body: &[usize]) {
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

/// Columns headed `%` to the right of one headed `n` under the same name.
pub fn pair_shares(columns: &mut [Column]) {
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
pub fn counted_sizes(columns: &mut [Column], reads: &[Vec<Read>], body: &[usize]) {
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
