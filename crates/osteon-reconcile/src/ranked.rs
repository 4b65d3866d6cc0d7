//! Statistics of medians and of terms against their own P values: an H, a chi-square or a Z says its P without any data.

use std::collections::BTreeMap;

use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Place};
use crate::printed::Printed;
use crate::read::words::{self, Statistic};
use crate::role::Role;
use crate::tested::grade;
use osteon_stats::stats::distribution::{chi2_sf, f_sf, normal_two_sided, t_two_sided};

/// A row of medians, or of a term, with a statistic and a P.
struct Row {
    place: Place,
    statistic: Printed,
    p: Printed,
    n_groups: usize,
    /// What the statistic's heading says that it is.
    named: Vec<Statistic>,
}

/// What the statistic of a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Law {
    Normal,
    /// With one degree of freedom fewer than groups.
    ChiSquare,
    OneFreedom,
    /// Student's t with so many degrees of freedom, which the table does not print.
    Student(u32),
    /// F with as many degrees of freedom below it.
    Variance(u32),
}

/// Degrees of freedom tried for a t.
const FREEDOMS: u32 = 400;

impl Law {
    fn p(self, statistic: f64, n_groups: usize) -> f64 {
        match self {
            Law::Normal => normal_two_sided(statistic),
            Law::ChiSquare => chi2_sf(statistic.max(0.0), (n_groups.max(2) - 1) as f64),
            Law::OneFreedom => chi2_sf(statistic.max(0.0), 1.0),
            Law::Student(freedom) => t_two_sided(statistic, f64::from(freedom)),
            Law::Variance(freedom) => f_sf(statistic.max(0.0), (n_groups.max(2) - 1) as f64, f64::from(freedom)),
        }
    }

    /// Whether a statistic of this name has it.
    fn is_of(self, named: &[Statistic]) -> bool {
        let wanted = match self {
            Law::Normal => Statistic::Z,
            Law::ChiSquare | Law::OneFreedom => Statistic::ChiSquare,
            Law::Student(_) => Statistic::T,
            Law::Variance(_) => Statistic::F,
        };
        named.contains(&wanted)
    }

    fn name(self) -> &'static str {
        match self {
            Law::Student(_) => "Student's t of any degrees of freedom",
            Law::Variance(_) => "F of any degrees of freedom",
            Law::Normal => "the normal distribution",
            Law::ChiSquare => "chi-square with one degree of freedom fewer than groups",
            Law::OneFreedom => "chi-square with one degree of freedom",
        }
    }
}

/// P values that do not follow from the statistics beside them, where most of the column's do.
pub fn check(cells: &[PublishedCell]) -> Vec<Finding> {
    // By table, set and the letter of the statistic.
    let mut columns: BTreeMap<(String, String, String), Vec<Row>> = BTreeMap::new();
    for cell in cells {
        let (Role::P(_), Value::Number(p)) = (&cell.role, cell.value) else { continue };
        if let Some(row) = row(cells, cell, p) {
            let letter = format!("{:?}", row.named);
            columns.entry((cell.place.table.clone(), cell.place.set.clone(), letter)).or_default().push(row);
        }
    }
    columns.values().flat_map(|rows| column(rows)).collect()
}

fn row(cells: &[PublishedCell], cell: &PublishedCell, p: Printed) -> Option<Row> {
    let own = || {
        cells.iter().filter(|it| {
            (&it.place.table, &it.place.set, &it.place.row) == (&cell.place.table, &cell.place.set, &cell.place.row)
        })
    };
    // The statistic that stands nearest before the P.
    let before = own().filter(|it| it.source.column <= cell.source.column);
    let statistics = before.filter_map(|it| match (&it.role, it.value) {
        (Role::Statistic(compared), Value::Number(number)) => Some((it.source.column, number, compared.test.as_str())),
        _ => None,
    });
    let (_, statistic, name) = statistics.max_by_key(|(column, ..)| *column)?;
    let named = words::statistics(name);
    // Wald's, of a term.
    if own().any(|it| matches!(it.role, Role::Estimate(_))) {
        return Some(Row { place: cell.place.clone(), statistic, p, n_groups: 2, named });
    }
    let groups: Vec<&PublishedCell> = own().filter(|it| matches!(it.role, Role::Group { .. })).collect();
    // Means of groups whose sizes no table prints, and log-rank tests of the levels below.
    let means = groups.iter().filter(|it| matches!(it.value, Value::MeanSd { .. })).count();
    let is_sized = groups.iter().any(|it| matches!(it.role, Role::Group { n: Some(_), .. }));
    let is_of_levels = groups.is_empty() && named == [Statistic::ChiSquare];
    if means > 1 && means == groups.len() && !is_sized && named.len() == 1 || is_of_levels {
        let n_groups = if is_of_levels { levels(cells, cell) } else { means };
        return Some(Row { place: cell.place.clone(), statistic, p, n_groups, named });
    }
    let medians = groups.iter().filter(|it| matches!(it.value, Value::Median { .. })).count();
    (medians > 1 && medians == groups.len()).then(|| {
        let place = cell.place.clone();
        Row { place, statistic, p, n_groups: medians, named }
    })
}

/// Rows between a P and the next one of its column.
fn levels(cells: &[PublishedCell], p: &PublishedCell) -> usize {
    let own = || cells.iter().filter(|it| it.place.table == p.place.table && it.source.row_key() > p.source.row_key());
    let next = own().filter(|it| it.source.column == p.source.column).map(|it| it.source.row_key()).min();
    let mut lines: Vec<usize> =
        own().map(|it| it.source.row_key()).filter(|&it| next.is_none_or(|next| it < next)).collect();
    lines.sort_unstable();
    lines.dedup();
    lines.len()
}

fn column(rows: &[Row]) -> Vec<Finding> {
    let follows = |law: Law, row: &Row| {
        law.is_of(&row.named) && row.p.meets(row.statistic.interval().magnitude().map(|it| law.p(it, row.n_groups)))
    };
    let freedoms = || (1..=FREEDOMS).rev();
    let of_means = rows.iter().all(|row| row.named == [Statistic::F]);
    let variances = freedoms().map(Law::Variance).filter(|_| of_means);
    let students =
        freedoms().map(Law::Student).chain(variances).filter(|law| rows.iter().any(|row| law.is_of(&row.named)));
    let laws: Vec<Law> = students.chain([Law::OneFreedom, Law::ChiSquare, Law::Normal]).collect();
    let explained = |law: Law| rows.iter().filter(|row| follows(law, row)).count();
    let Some(law) = laws.iter().copied().max_by_key(|&law| explained(law)) else { return Vec::new() };
    let count = explained(law);
    // The letter of a Z says its law: one other row is enough.
    let is_said = rows.iter().all(|row| row.named == [Statistic::Z]);
    if count < if is_said { 1 } else { 2 } || 3 * count < 2 * rows.len() && !(is_said && 2 * count >= rows.len()) {
        return Vec::new();
    }
    // As many degrees of freedom may do as well.
    let best: Vec<Law> = laws.into_iter().filter(|&law| explained(law) == count).collect();
    let wrong = rows.iter().filter(|row| law.is_of(&row.named) && !best.iter().any(|&law| follows(law, row)));
    wrong
        .map(|row| {
            let computed = law.p(row.statistic.value().abs(), row.n_groups);
            Finding {
                kind: Kind::PValue,
                severity: grade(row.p, computed),
                place: row.place.clone(),
                printed: row.p.to_string(),
                implied: row.p.like(computed),
                alternatives: Vec::new(),
                why: format!(
                    "{} has the P {} by {}, as {count} others of the column have theirs.",
                    row.statistic,
                    row.p.like(computed),
                    law.name()
                ),
            }
        })
        .collect()
}
