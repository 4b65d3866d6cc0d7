//! Which cells take part in a check.

use crate::averages;
use crate::cells::{PublishedCell, Value};
use crate::metric::Metric;
use crate::role::{Role, RowRole};
use crate::survival;

/// For each cell, whether a check reads its numbers: a check has to know the column, and its companions.
pub fn used(cells: &[PublishedCell]) -> Vec<bool> {
    cells.iter().map(|cell| is_used(cells, cell)).collect()
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
        other.place.table == cell.place.table && other.source.line == cell.source.line && *other != cell
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
        (Role::Group { n, .. }, Value::Count { .. } | Value::Number(_)) => n.is_some(),
        (Role::Group { n, .. }, Value::MeanSd { .. }) => n.is_some(),
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
        (Role::Score(Metric::Icc | Metric::Correlation), Value::Number(_) | Value::Estimate { .. }) => true,
        (Role::Score(metric), Value::Number(_) | Value::Estimate { .. }) => {
            let others = cells.iter().filter(in_row).filter(|other| matches!(other.role, Role::Score(_)));
            (crate::metrics::score_of(*metric).is_some() || metric.is_count() && *metric != Metric::Size)
                && others.count() > 0
        }
        _ => false,
    }
}
