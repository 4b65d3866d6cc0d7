//! P values of areas against 0.5, where a table's column is of that test.

use std::collections::BTreeMap;

use crate::cells::{PublishedCell, Value};
use crate::finding::{Finding, Kind, Severity};
use crate::models::{Auc, Model};
use crate::printed::Printed;
use crate::read::words;
use crate::role::{Role, RowRole};
use osteon_stats::stats::distribution::{Z_975, normal_quantile, normal_two_sided};
use osteon_stats::stats::text::p_text;

/// Rows that agree before another is told, and how many of these for each that does not.
const FEWEST: usize = 3;
const TIMES: usize = 3;
/// How far z of a P may lie from that of the area: programs take the error under the null or another one, and their
/// intervals may be of a bootstrap.
const NEAR: f64 = 0.5;
const RELATIVE: f64 = 0.25;
/// From how far it is no such difference.
const FAR: f64 = 1.2;
const RELATIVE_FAR: f64 = 0.5;

/// An area with the P beside it: z of the area, and the quantiles that the P stands for.
struct Row<'a> {
    cell: &'a PublishedCell,
    p: Printed,
    z: f64,
}

/// P values far from those of their areas, in a column whose other P values are near.
pub fn check(cells: &[PublishedCell], models: &[Model]) -> Vec<Finding> {
    let mut columns: BTreeMap<(&str, &str, usize), Vec<Row>> = BTreeMap::new();
    for cell in cells {
        let (Role::P(compared), RowRole::Model, Value::Number(p)) = (&cell.role, &cell.row_role, cell.value) else {
            continue;
        };
        let is_other = ["delong", " vs", "compar", "differ"].iter().any(|it| compared.test.contains(it));
        if is_other || words::pair(&cell.place.column).is_some() {
            continue;
        }
        let same = |it: &&Model| {
            (&it.place.table, &it.place.set, &it.place.row) == (&cell.place.table, &cell.place.set, &cell.place.row)
        };
        let Some(z) = models.iter().find(same).and_then(|it| z(&it.auc.as_ref()?.1)) else { continue };
        let key = (cell.place.table.as_str(), cell.place.set.as_str(), cell.source.column);
        columns.entry(key).or_default().push(Row { cell, p, z });
    }
    // A column without a P for one of the areas may compare the others with it.
    let areas = |table: &str, set: &str| {
        models.iter().filter(|it| it.place.table == table && it.place.set == set && it.auc.is_some()).count()
    };
    columns.iter().flat_map(|(&(table, set, _), rows)| column(rows, areas(table, set) == rows.len())).collect()
}

/// Whether a P stands beside an area with its interval: it may be of the test against 0.5.
pub fn is_used(cells: &[PublishedCell], cell: &PublishedCell) -> bool {
    let same = |it: &&PublishedCell| {
        (&it.place.table, &it.place.set, &it.place.row) == (&cell.place.table, &cell.place.set, &cell.place.row)
    };
    let is_area = |it: &PublishedCell| {
        it.role == Role::Score(crate::metric::Metric::Auc) && matches!(it.value, Value::Estimate { .. })
    };
    let column = |it: &&PublishedCell| {
        it.place.table == cell.place.table && it.place.set == cell.place.set && it.source.column == cell.source.column
    };
    cell.row_role == RowRole::Model
        && cells.iter().filter(same).any(is_area)
        && cells.iter().filter(column).filter(|it| matches!(it.role, Role::P(_))).count() > FEWEST
}

fn z(auc: &Auc) -> Option<f64> {
    let (low, high) = auc.interval?;
    // An end that is cut off leaves the other half.
    let half = if high.value() >= 1.0 { auc.area.value() - low.value() } else { 0.5 * (high.value() - low.value()) };
    (half > 0.0).then(|| (auc.area.value() - 0.5).abs() * Z_975 / half)
}

fn quantile(p: f64) -> f64 {
    if p >= 1.0 { 0.0 } else { -normal_quantile((0.5 * p).max(1e-300)) }
}

impl Row<'_> {
    /// How far z of the area lies outside what the P stands for.
    fn gap(&self) -> f64 {
        let interval = self.p.interval();
        let (low, high) = (quantile(interval.high.min(1.0)), quantile(interval.low.max(0.0)));
        (low - self.z).max(self.z - high)
    }

    fn is_near(&self) -> bool {
        self.gap() <= NEAR + RELATIVE * self.z
    }

    fn is_far(&self) -> bool {
        self.gap() > FAR.max(RELATIVE_FAR * self.z)
    }

    /// Says something of the test: not below its last digit.
    fn is_telling(&self) -> bool {
        self.is_near() && self.p.is_exact() && self.p.value() > self.p.unit()
    }
}

fn column(rows: &[Row], is_full: bool) -> Vec<Finding> {
    let near = rows.iter().filter(|it| it.is_near()).count();
    let wrong: Vec<&Row> = rows.iter().filter(|it| it.is_far()).collect();
    if near < FEWEST || near < TIMES * wrong.len() || !is_full && !rows.iter().any(Row::is_telling) {
        return Vec::new();
    }
    let finding = |row: &&Row| Finding {
        kind: Kind::PValue,
        severity: Severity::Inconsistent,
        place: row.cell.place.clone(),
        printed: row.cell.printed.clone(),
        implied: format!("about {}", p_text(normal_two_sided(row.z)).trim_start_matches(['<', ' '])),
        alternatives: Vec::new(),
        why: format!(
            "The area and its interval lie {:.1} standard errors from 0.5; {near} others of the column are P of that.",
            row.z
        ),
    };
    wrong.iter().map(finding).collect()
}
