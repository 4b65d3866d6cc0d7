//! P values of correlation coefficients against the number of patients: t = r sqrt((n - 2) / (1 - r²)) has n - 2 degrees
//! of freedom (Pearson's exactly, Spearman's as programs approximate it).

use std::collections::BTreeMap;

use crate::cells::{PublishedCell, Value};
use crate::cohort::Arm;
use crate::finding::{Finding, Kind, Place, Severity};
use crate::metric::Metric;
use crate::printed::{Interval, Printed};
use crate::role::Role;
use crate::tested::grade;
use osteon_stats::stats::distribution::t_two_sided;

/// Pairs that speak for a number of patients before others are judged.
const FEWEST: usize = 3;
/// The largest number of patients tried.
const LARGEST: u64 = 5000;

/// A coefficient with its P.
struct Pair {
    place: Place,
    r: Printed,
    p: Printed,
}

/// P values that do not follow from their coefficient, where most others of the set speak for one number of patients;
/// and a note where that is not the printed one.
pub fn check(cells: &[PublishedCell], arms: &[Arm]) -> Vec<Finding> {
    let mut sets: BTreeMap<(String, String), Vec<Pair>> = BTreeMap::new();
    for cell in cells {
        if let Some(pair) = pair(cells, cell) {
            sets.entry((cell.place.table.clone(), cell.place.set.clone())).or_default().push(pair);
        }
    }
    sets.values().flat_map(|pairs| judged(pairs, printed_size(&pairs[0].place, arms))).collect()
}

fn pair(cells: &[PublishedCell], cell: &PublishedCell) -> Option<Pair> {
    let Role::Score(Metric::Correlation) = cell.role else { return None };
    let (Value::Number(r) | Value::Estimate { estimate: r, .. }) = cell.value else { return None };
    let behind = cells.iter().filter(|it| {
        let same = (&it.place.table, &it.place.set, &it.place.row);
        same == (&cell.place.table, &cell.place.set, &cell.place.row) && it.source.column > cell.source.column
    });
    let next = behind.min_by_key(|it| it.source.column).filter(|it| matches!(it.role, Role::P(_)))?;
    let Value::Number(p) = next.value else { return None };
    (r.value().abs() < 1.0).then(|| Pair { place: next.place.clone(), r, p })
}

fn printed_size(place: &Place, arms: &[Arm]) -> Option<u64> {
    let arm = arms.iter().find(|arm| arm.holds(place))?;
    let only = if arm.groups.len() == 1 { Some(0) } else { arm.total() };
    only.map(|at| arm.groups[at].n)
}

impl Pair {
    fn of(&self, n: u64) -> Interval {
        let freedom = n.saturating_sub(2).max(1) as f64;
        let inside = |it: f64| it.clamp(0.0, 1.0 - 1e-12);
        self.r.interval().magnitude().map(|r| {
            let r = inside(r);
            t_two_sided(r * (freedom / (1.0 - r * r)).sqrt(), freedom)
        })
    }

    fn follows(&self, n: u64) -> bool {
        self.p.meets(self.of(n))
    }
}

fn judged(pairs: &[Pair], printed: Option<u64>) -> Vec<Finding> {
    let explained = |n: u64| pairs.iter().filter(|it| it.follows(n)).count();
    let telling = |n: u64| {
        let tells = |it: &&Pair| it.follows(n) && it.p.is_exact() && it.of(n).high - it.of(n).low < 0.2;
        pairs.iter().filter(tells).count()
    };
    let is_spoken = |n: u64| telling(n) >= FEWEST && 3 * explained(n) >= 2 * pairs.len();
    let own = printed.filter(|&n| is_spoken(n));
    let most = (4..=LARGEST).map(explained).max().unwrap_or(0);
    let sizes: Vec<u64> = match own {
        Some(n) => vec![n],
        None => (4..=LARGEST).filter(|&n| explained(n) == most && is_spoken(n)).collect(),
    };
    let (Some(&first), Some(&last)) = (sizes.first(), sizes.last()) else { return Vec::new() };
    let n = sizes[sizes.len() / 2];
    let mut findings = Vec::new();
    if let (Some(printed), None) = (printed, own) {
        findings.push(Finding {
            kind: Kind::Sample,
            severity: Severity::Note,
            place: pairs[0].place.clone(),
            printed: format!("n = {printed}"),
            implied: format!("n = {first} to {last}"),
            alternatives: Vec::new(),
            why: format!(
                "{most} of {} P values follow from their correlations with other numbers of patients.",
                pairs.len()
            ),
        });
    }
    let wrong = pairs.iter().filter(|pair| !sizes.iter().any(|&n| pair.follows(n)));
    findings.extend(wrong.map(|pair| {
        let range = pair.of(n);
        Finding {
            kind: Kind::PValue,
            severity: match grade(pair.p, range.middle()) {
                Severity::Rounding => Severity::Inconsistent,
                severity => severity,
            },
            place: pair.place.clone(),
            printed: pair.p.to_string(),
            implied: pair.p.like(range.middle()),
            alternatives: Vec::new(),
            why: format!(
                "A correlation of {} in {n} patients, of whom {} other P values speak, has a P between {:.4} and {:.4}.",
                pair.r,
                explained(n),
                range.low,
                range.high
            ),
        }
    }));
    findings
}
