//! Spreads by themselves: a median within its quartiles or range, and a mean and an SD that values of the printed range
//! can have.

use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Severity};
use crate::printed::{Interval, Printed};
use crate::read::words;
use crate::role::{Role, RowRole, Summary};

/// Medians outside their own interval, means outside their range, and SDs that no values of the range have.
pub fn check(cells: &[PublishedCell]) -> Vec<Finding> {
    cells.iter().filter_map(|cell| median(cells, cell).or_else(|| moments(cells, cell))).collect()
}

fn finding(cell: &PublishedCell, kind: Kind, implied: String, why: String) -> Finding {
    Finding {
        kind,
        severity: Severity::Inconsistent,
        place: cell.place.clone(),
        printed: cell.printed.clone(),
        implied,
        alternatives: Vec::new(),
        why,
    }
}

/// Whether label or heading say that the number is a mean or median.
fn is_said(cell: &PublishedCell) -> bool {
    let summary = match cell.row_role {
        RowRole::Quantity { summary, .. } => summary,
        _ => Summary::Unsaid,
    };
    [summary, words::summary(&cell.place.row), words::summary(&cell.place.column)]
        .into_iter()
        .any(|it| it != Summary::Unsaid)
}

/// Numbers within their own interval that another without a word of medians needs around it.
const NEIGHBOURS: usize = 1;

/// Whether the number before an interval lies outside it; `None` of any other cell.
fn is_outside(cell: &PublishedCell) -> Option<bool> {
    let Value::Median { median, spread: Some((low, high)) } = cell.value else { return None };
    let (middle, from, to) = (median.loose(), low.loose(), high.loose());
    Some(middle.high < from.low || middle.low > to.high || from.low > to.high)
}

fn median(cells: &[PublishedCell], cell: &PublishedCell) -> Option<Finding> {
    let Value::Median { median, spread: Some((low, high)) } = cell.value else { return None };
    let is_outside_own = is_outside(cell)?;
    let others = || cells.iter().filter(|it| it.place.table == cell.place.table && *it != cell).filter_map(is_outside);
    let is_usual = || others().filter(|it| !it).count() >= NEIGHBOURS && !others().any(|it| it);
    (is_outside_own && (is_said(cell) || is_usual())).then(|| {
        let why = format!("{median} lies outside its own quartiles or range, {low} to {high}.");
        finding(cell, Kind::Mean, String::new(), why)
    })
}

/// Values between l and h with the mean m have an SD of at most sqrt((h - m)(m - l) n / (n - 1)) (Bhatia and Davis
/// 2000), and as l and h are among them of at least (h - l) / sqrt(2 (n - 1)).
fn moments(cells: &[PublishedCell], cell: &PublishedCell) -> Option<Finding> {
    let (Value::MeanSd { mean, sd }, Some((low, high))) = (cell.value, cell.range) else { return None };
    let label = words::plain(&format!("{} {}", cell.place.row, cell.place.column));
    let is_range = ["range", "min"].iter().any(|it| label.contains(it));
    let is_of_errors = matches!(cell.row_role, RowRole::Quantity { summary: Summary::MeanSe, .. });
    if is_of_errors || label.contains("quart") || label.contains("iqr") {
        return None;
    }
    // A bracket of which nothing is said is a range where all others of the table can be.
    if !is_range {
        let others = cells.iter().filter(|it| it.place.table == cell.place.table && it.place != cell.place);
        let others: Vec<Interval> = others.filter_map(beyond_range).collect();
        let right = others.iter().filter(|it| it.low <= 1.0).count();
        let own = beyond_range(cell)?;
        if right < FEWEST_RANGES || right < others.len() || own.low < FAR_BEYOND {
            return None;
        }
    }
    let n = match cell.role {
        Role::Group { n: Some(n), .. } if n > 1 => Some(n as f64),
        _ => None,
    };
    let (m, l, h) = (mean.loose(), low.loose(), high.loose());
    if m.high < l.low || m.low > h.high || l.low > h.high {
        let why = format!("The mean {mean} lies outside the printed range, {low} to {high}.");
        return Some(finding(cell, Kind::Mean, String::new(), why));
    }
    let possible = Interval { low: least(l, h, n), high: most(m, l, h, n) };
    (!sd.loose().overlaps(possible)).then(|| {
        let like = |value: f64| Printed::of(value, sd.decimals() + 1).to_string();
        let why = format!(
            "Values between {low} and {high} with the mean {mean} have an SD between {} and {}.",
            like(possible.low),
            like(possible.high)
        );
        finding(cell, Kind::Sd, String::new(), why)
    })
}

/// Cells that can be of a range before another cannot.
const FEWEST_RANGES: usize = 3;
/// By how many times the greatest SD of a range one must be exceeded, that could be of quartiles.
const FAR_BEYOND: f64 = 3.0;

/// The SD of a mean with a bracket, in times of the greatest that values within the bracket have.
fn beyond_range(cell: &PublishedCell) -> Option<Interval> {
    let (Value::MeanSd { mean, sd }, Some((low, high))) = (cell.value, cell.range) else { return None };
    let most = most(mean.loose(), low.loose(), high.loose(), None).max(1e-9);
    Some(sd.loose().times(1.0 / most))
}

fn most(mean: Interval, low: Interval, high: Interval, n: Option<f64>) -> f64 {
    let middle = (0.5 * (low.low + high.high)).clamp(mean.low, mean.high);
    let freedom = n.map_or(2.0, |n| n / (n - 1.0));
    ((high.high - middle).max(0.0) * (middle - low.low).max(0.0) * freedom).sqrt()
}

fn least(low: Interval, high: Interval, n: Option<f64>) -> f64 {
    n.map_or(0.0, |n| (high.low - low.high).max(0.0) / (2.0 * (n - 1.0)).sqrt())
}
