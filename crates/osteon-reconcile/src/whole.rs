//! Counts that are no whole numbers: `1.2 (46.9)` among `46 (46.9)`.

use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Severity};
use crate::role::{Role, RowRole};

/// Cells of levels with a decimal in their count, where the other groups of the row have whole ones.
pub fn check(cells: &[PublishedCell]) -> Vec<Finding> {
    let is_odd = |cell: &&PublishedCell| {
        matches!(cell.role, Role::Group { .. })
            && matches!(cell.value, Value::MeanSd { mean, .. } if mean.decimals() > 0)
            && !cell.printed.contains('±')
    };
    let level = |cell: &PublishedCell| match &cell.row_role {
        RowRole::Level { variable, .. } => Some(variable.clone()),
        _ => None,
    };
    let finding = |cell: &PublishedCell| {
        let own = || {
            cells.iter().filter(|it| {
                it.place.table == cell.place.table && it.source.row > 0 && it.source.row_key() == cell.source.row_key()
            })
        };
        let others: Vec<&PublishedCell> =
            own().filter(|it| matches!(it.role, Role::Group { .. }) && it.place != cell.place).collect();
        let are_counts = others.iter().all(|it| matches!(it.value, Value::Count { .. }) && level(it).is_some());
        (!others.is_empty() && are_counts).then(|| Finding {
            kind: Kind::Count,
            severity: Severity::Inconsistent,
            place: cell.place.clone(),
            printed: cell.printed.clone(),
            implied: String::new(),
            alternatives: Vec::new(),
            why: "A count is a whole number, as those of the other groups are.".to_owned(),
        })
    };
    cells.iter().filter(is_odd).filter_map(finding).collect()
}
