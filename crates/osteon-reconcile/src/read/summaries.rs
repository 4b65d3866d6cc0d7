//! What a cell of a group says: a count, a mean with its SD, a median, by its label, its group and its neighbours.

use crate::cells::Value;
use crate::printed::Printed;
use crate::read::value::{Read, Shape};
use crate::read::words;
use crate::role::Summary;

/// The value of a cell under a group; `row` are the cells of all groups with their sizes. `None` when it says nothing
/// that can be read.
pub fn group_value(
    read: &Read,
    share: Option<Printed>,
    n: Option<u64>,
    label: &str,
    is_level: bool,
    row: &[(Read, Option<u64>)],
) -> Option<Value> {
    let summary = words::summary(label);
    let is_median = matches!(summary, Summary::MedianIqr | Summary::Range);
    let whole = |number: Printed| (number.decimals() == 0 && number.value() >= 0.0).then(|| number.value() as u64);
    Some(match read.shape {
        Shape::One(number) => match (share, whole(number)) {
            (Some(percent), Some(n)) => Value::Count { n, percent },
            _ if is_median => Value::Median { median: number, spread: None },
            _ => Value::Number(number),
        },
        Shape::PlusMinus(mean, _)
            if is_median && summary == Summary::MedianIqr && !words::plain(label).contains("mean") =>
        {
            Value::Median { median: mean, spread: None }
        }
        Shape::PlusMinus(mean, sd) => Value::MeanSd { mean, sd },
        // An interval in a group is of quartiles or a range, seldom of a mean: never a mean and SD.
        Shape::Interval(median, low, high) => Value::Median { median, spread: Some((low, high)) },
        Shape::Pair(first, second) => {
            let is_count = whole(first).is_some()
                && (read.is_share || read.fraction.is_some() || is_level || words::says_counts(label) && !is_median);
            match whole(first) {
                // `25.8 (24)` under % (n), whatever the numbers.
                _ if words::says_percent_first(label) && whole(second).is_some() => {
                    Value::Count { n: whole(second)?, percent: first }
                }
                Some(n) if is_count => Value::Count { n, percent: second },
                _ if is_median => Value::Median { median: first, spread: None },
                Some(count) if summary == Summary::Unsaid && (are_shares(row) || known_values(read, row).is_some()) => {
                    Value::Count { n: count, percent: second }
                }
                // `25.8 (24)` under % (n).
                None if whole(second).zip(n).is_some_and(|(count, n)| count <= n && fits(count, n, first)) => {
                    Value::Count { n: whole(second)?, percent: first }
                }
                None if read.is_percent => return None,
                _ => Value::MeanSd { mean: first, sd: second },
            }
        }
        Shape::Ends(..) | Shape::Test(..) | Shape::Absent | Shape::Reference | Shape::Words => return None,
    })
}

/// Whether most groups of the row print the percentage of their count.
fn are_shares(row: &[(Read, Option<u64>)]) -> bool {
    let (mut fit, mut all) = (0, 0);
    for (read, n) in row {
        let (Shape::Pair(count, percent), Some(n)) = (&read.shape, n) else { continue };
        all += 1;
        fit += usize::from(count.decimals() == 0 && count.value() >= 0.0 && fits(count.value() as u64, *n, *percent));
    }
    all > 0 && 2 * fit >= all
}

/// The count with the number of patients whose value is known, where every group of the row prints a percentage of
/// fewer patients than it has: `31 (35.2)` of 97 is 31 of 88. `None` where a group prints one of all its patients, or
/// where its digits leave several numbers open.
pub fn known_values(read: &Read, row: &[(Read, Option<u64>)]) -> Option<(u64, u64)> {
    // The number of patients in all, where a column prints it for each row.
    let total = row.iter().find_map(|(it, _)| match it.shape {
        Shape::One(total) if total.decimals() == 0 => Some(total.value() as u64),
        _ => None,
    });
    let is_fewer = |of: u64, n: u64| of < n || of == n && total.is_some();
    let of = |read: &Read, n: Option<u64>| -> Vec<(u64, u64)> {
        let (Shape::Pair(count, percent), Some(n)) = (&read.shape, n) else { return Vec::new() };
        if count.decimals() > 0 || count.value() < 1.0 || percent.decimals() == 0 || percent.value() <= 0.0 {
            return Vec::new();
        }
        let count = count.value() as u64;
        let around = 100.0 * count as f64 / percent.value();
        let near = (around.floor().max(1.0) as u64).saturating_sub(2)..=around.ceil() as u64 + 2;
        let fitting = near.filter(|&of| percent.is_ratio(100 * count as i64, of as i64));
        fitting.filter(|&of| count <= of && is_fewer(of, n) && 2 * of >= n).map(|of| (count, of)).collect()
    };
    let is_pair = |it: &Read| matches!(it.shape, Shape::Pair(..));
    let sized: Vec<&(Read, Option<u64>)> =
        row.iter().filter(|(it, _)| it.shape != Shape::Absent && (total.is_none() || is_pair(it))).collect();
    let mut found: Vec<Vec<(u64, u64)>> = sized.iter().map(|(it, n)| of(it, *n)).collect();
    if let (Some(total), [one, other]) = (total, &mut found[..]) {
        let (first, second) = (one.clone(), other.clone());
        one.retain(|(_, a)| second.iter().any(|(_, b)| a + b == total));
        other.retain(|(_, b)| first.iter().any(|(_, a)| a + b == total));
    }
    let at = sized.iter().position(|(it, _)| it == read)?;
    let all = sized.len() > 1 && found.iter().all(|it| it.len() == 1);
    found[at].first().copied().filter(|_| all)
}

/// Within a unit of the last digit: a slip of rounding is still a percentage.
fn fits(count: u64, n: u64, percent: Printed) -> bool {
    n > 0 && percent.units_off(100.0 * count as f64 / n as f64).abs() <= 1.5
}
