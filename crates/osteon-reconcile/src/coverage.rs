//! Which cells take part in a check.

use crate::averages;
use crate::cells::{PublishedCell, Value};
use crate::chance;
use crate::metric::Metric;
use crate::printed::Printed;
use crate::role::{Role, RowRole};
use crate::survival;
use crate::tallies;

/// For each cell, whether a check reads its numbers: a check has to know the column, and its companions.
pub fn used(cells: &[PublishedCell]) -> Vec<bool> {
    let tallied = tallies::used(cells);
    let is_tallied = |cell: &PublishedCell| tallied.iter().any(|it| std::ptr::eq(*it, cell));
    cells.iter().map(|cell| is_tallied(cell) || is_used(cells, cell)).collect()
}

/// Whether a mean with its SD takes part: a test of the row or a range stands with it, it pools with other sets or to a
/// total, or few whole numbers have it.
fn is_mean_used(cells: &[PublishedCell], cell: &PublishedCell, n: u64, mean: Printed) -> bool {
    let same = |other: &&PublishedCell| other.place.row == cell.place.row && *other != cell;
    let own = |other: &&PublishedCell| (&other.place.table, &other.place.set) == (&cell.place.table, &cell.place.set);
    let is_tested = |it: &PublishedCell| {
        matches!(it.role, Role::P(_) | Role::Statistic(_) | Role::Balance) && !matches!(it.value, Value::Words)
    };
    let is_total = |it: &PublishedCell| matches!(it.role, Role::Group { is_total: true, .. });
    let is_part = |it: &PublishedCell| matches!(it.role, Role::Group { n: Some(_), .. });
    cells.iter().filter(same).filter(own).any(is_tested)
        || is_total(cell) && cells.iter().filter(same).filter(own).any(is_part)
        || cells.iter().filter(same).filter(own).any(is_total)
        || cells.iter().filter(same).any(|it| it.place.table != cell.place.table && is_part(it))
        || cell.range.is_some()
        || n as f64 * mean.unit() < 1.0
}

/// A whole number that percentages of its row may be of.
fn is_number(cell: &PublishedCell) -> bool {
    matches!(cell.value, Value::Number(n) if n.decimals() == 0 && n.is_exact())
        && matches!(cell.role, Role::Group { .. } | Role::Score(Metric::Size))
}

fn is_used(cells: &[PublishedCell], cell: &PublishedCell) -> bool {
    let beside = |other: &&PublishedCell| {
        (&other.place.table, &other.place.set) == (&cell.place.table, &cell.place.set) && *other != cell
    };
    let in_row = |other: &&PublishedCell| beside(other) && other.place.row == cell.place.row;
    let in_line = |other: &&PublishedCell| {
        other.place.table == cell.place.table && other.source.row_key() == cell.source.row_key() && *other != cell
    };
    // A statistic and its P are held against each other.
    let is_companion = match cell.role {
        Role::P(_) => {
            cells.iter().filter(in_row).any(|other| matches!(other.role, Role::Statistic(_) | Role::Estimate(_)))
        }
        Role::Statistic(_) => cells.iter().filter(in_row).any(|other| matches!(other.role, Role::P(_))),
        _ => false,
    };
    match (&cell.role, cell.value) {
        (Role::Score(metric) | Role::Average(metric), Value::MeanSd { .. }) if metric.is_share() => true,
        (Role::Average(_), Value::Number(_)) => averages::is_of_rows_above(cells, cell),
        (_, Value::Absent | Value::Words | Value::Reference) => false,
        (Role::Score(Metric::Size), Value::Count { percent, .. }) => percent.decimals() > 0,
        (Role::Group { n: None, .. }, Value::Count { .. }) => {
            cell.fraction.is_some() || cells.iter().filter(in_line).any(is_number)
        }
        (Role::Group { n: None, .. }, Value::Number(_)) | (Role::Score(Metric::Size), Value::Number(_))
            if is_number(cell)
                && cells
                    .iter()
                    .filter(in_line)
                    .any(|it| matches!((&it.role, it.value), (Role::Group { n: None, .. }, Value::Count { .. }))) =>
        {
            true
        }
        // A number of no level is no count that anything is held against.
        (Role::Group { n, .. }, Value::Number(number)) => {
            n.is_some() && number.decimals() == 0 && !matches!(cell.row_role, RowRole::Quantity { .. })
        }
        (Role::Group { n, .. }, Value::Count { .. }) => n.is_some(),
        (Role::Group { n: Some(n), .. }, Value::MeanSd { mean, .. }) => is_mean_used(cells, cell, *n, mean),
        (Role::Group { n: None, .. }, Value::MeanSd { .. }) => false,
        (Role::Group { .. } | Role::Unknown, Value::Median { spread: Some(_), .. }) => true,
        (Role::Unknown, Value::Number(_) | Value::Median { .. }) => survival::is_used(cells, cell),
        (Role::StandardError, Value::Number(_)) => {
            cells.iter().filter(in_row).any(|other| matches!(other.value, Value::Estimate { .. }))
        }
        (Role::Estimate(_), Value::Number(_) | Value::MeanSd { .. }) => {
            cells.iter().filter(in_row).any(|other| matches!(other.role, Role::Estimate(_) | Role::StandardError))
        }
        (Role::Balance, Value::Number(_)) => cells.iter().filter(beside).any(|other| {
            matches!(other.role, Role::Group { n: Some(_), .. })
                && (other.place.row == cell.place.row || other.place.row == format!("{}: yes", cell.place.row))
        }),
        (Role::P(_) | Role::Statistic(_), _) => match &cell.row_role {
            RowRole::Term { .. } => cells.iter().filter(in_row).any(|other| matches!(other.role, Role::Estimate(_))),
            RowRole::Comparison => true,
            RowRole::Model => {
                cells.iter().filter(in_row).any(|other| matches!(other.role, Role::Score(Metric::Correlation)))
                    || matches!(cell.role, Role::P(_)) && chance::is_used(cells, cell)
            }
            RowRole::Variable { variable } => {
                cells.iter().filter(beside).any(|other| {
                    matches!(other.role, Role::Group { .. })
                        && match &other.row_role {
                            RowRole::Level { variable: of, .. } => of == variable,
                            _ => other.place.row == cell.place.row && matches!(other.value, Value::MeanSd { .. }),
                        }
                }) || is_companion
            }
            _ => cells.iter().filter(in_row).any(|other| {
                matches!((&other.role, other.value), (Role::Group { .. }, Value::MeanSd { .. } | Value::Count { .. }))
            }),
        },
        (Role::Estimate(_), Value::Estimate { .. }) => true,
        // An area, a C-index and the like are held against their bounds, an interval against its own score.
        (Role::Score(Metric::Auc | Metric::CIndex | Metric::Brier | Metric::PrecisionRecallArea), _) => true,
        (
            Role::Score(Metric::Icc | Metric::Correlation | Metric::Dice | Metric::Jaccard),
            Value::Number(_) | Value::Estimate { .. },
        ) => true,
        (Role::Score(metric), Value::Number(_) | Value::Estimate { .. }) => {
            let others = cells.iter().filter(in_row).filter(|other| matches!(other.role, Role::Score(_)));
            (crate::metrics::score_of(*metric).is_some() || metric.is_count() && *metric != Metric::Size)
                && others.count() > 0
        }
        _ => false,
    }
}
