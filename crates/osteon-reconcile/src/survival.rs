//! Tables of survival without data: fewer live later, and no more have an event than there are.

use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Severity};
use crate::metric::Metric;
use crate::printed::Printed;
use crate::read::words;
use crate::role::Role;

/// Shares of survival that rise with time, and events of more patients than the row has.
pub fn check(cells: &[PublishedCell]) -> Vec<Finding> {
    let own: Vec<&PublishedCell> = cells.iter().filter(|it| it.role == Role::Unknown && number(it).is_some()).collect();
    let mut findings: Vec<Finding> = own.iter().filter_map(|cell| rising(&own, cell)).collect();
    findings.extend(own.iter().filter_map(|cell| too_many(cells, cell)));
    findings
}

/// Whether a cell is held against others of its row here.
pub fn is_used(cells: &[PublishedCell], cell: &PublishedCell) -> bool {
    let others = || cells.iter().filter(|it| same_line(it, cell) && it.place != cell.place);
    let time = words::survival_at(&cell.place.column);
    let is_series = |it: &PublishedCell| {
        time.is_some() && words::survival_at(&it.place.column).map(|it| it.1) == time.as_ref().map(|it| it.1.clone())
    };
    cell.role == Role::Unknown
        && (others().any(is_series) || is_events(cell) && others().any(|it| it.role == Role::Score(Metric::Size)))
}

fn number(cell: &PublishedCell) -> Option<Printed> {
    match cell.value {
        Value::Number(number) | Value::Median { median: number, .. } => Some(number),
        _ => None,
    }
}

fn same_line(one: &PublishedCell, other: &PublishedCell) -> bool {
    one.place.table == other.place.table && one.source.row_key() == other.source.row_key()
}

fn rising(own: &[&PublishedCell], cell: &PublishedCell) -> Option<Finding> {
    let (at, of) = words::survival_at(&cell.place.column)?;
    let share = number(cell)?;
    let earlier = own.iter().find(|it| {
        let time = words::survival_at(&it.place.column);
        let is_before = time.is_some_and(|(before, same)| before < at && same == of);
        is_before && same_line(it, cell) && number(it).is_some_and(|it| it.loose().high < share.loose().low)
    })?;
    let before = number(earlier)?;
    Some(finding(cell, format!("It is higher than {}, {before}.", earlier.place.column)))
}

fn is_events(cell: &PublishedCell) -> bool {
    matches!(
        words::plain(&cell.place.column).as_str(),
        "events" | "no. of events" | "deaths" | "events (n)" | "number of events"
    )
}

fn too_many(cells: &[PublishedCell], cell: &PublishedCell) -> Option<Finding> {
    let events = number(cell).filter(|_| is_events(cell))?;
    let size = cells.iter().find(|it| it.role == Role::Score(Metric::Size) && same_line(it, cell))?;
    let n = number(size)?;
    (events.value() > n.value())
        .then(|| finding(cell, format!("{events} events are more than the {n} patients of the row.")))
}

fn finding(cell: &PublishedCell, why: String) -> Finding {
    Finding {
        kind: Kind::Count,
        severity: Severity::Inconsistent,
        place: cell.place.clone(),
        printed: cell.printed.clone(),
        implied: String::new(),
        alternatives: Vec::new(),
        why,
    }
}
