//! Scores beside the fraction that they are: `83.3 (18/24)`.

use crate::cells::{PublishedCell, Value, shown_like};
use crate::finding::{Finding, Kind, Severity};
use crate::printed::Printed;
use crate::role::Role;
use crate::tested::grade;

/// A score with its fraction, as shares of one.
struct Beside<'a> {
    cell: &'a PublishedCell,
    score: Printed,
    fraction: (u64, u64),
}

/// Scores that their own fraction does not give. Nothing is said of a table most of whose fractions are of something
/// else, nor of a row in which `found` has a fault already.
pub fn check(cells: &[PublishedCell], found: &[Finding]) -> Vec<Finding> {
    let all: Vec<Beside> = cells.iter().filter_map(beside).collect();
    let mut findings: Vec<Finding> = all.iter().filter_map(Beside::beyond).collect();
    let all: Vec<Beside> = all.into_iter().filter(|it| it.fraction.0 <= it.fraction.1).collect();
    for it in all.iter().filter(|it| !it.fits()) {
        let own = |other: &&Beside| other.cell.place.table == it.cell.place.table;
        let (fitting, n) = (all.iter().filter(own).filter(|it| it.fits()).count(), all.iter().filter(own).count());
        let place = &it.cell.place;
        let is_told = found.iter().any(|it| {
            let same = (&it.place.table, &it.place.set, &it.place.row) == (&place.table, &place.set, &place.row);
            same && it.severity != Severity::Note
        });
        if 2 * fitting > n && !is_told {
            findings.push(it.finding());
        }
    }
    findings
}

fn beside(cell: &PublishedCell) -> Option<Beside<'_>> {
    let Role::Score(metric) = cell.role else { return None };
    let is_of_counts = metric.is_share() && !metric.is_area();
    let (Value::Number(score) | Value::Estimate { estimate: score, .. }) = cell.value else { return None };
    let score = if !cell.is_percent && score.value() > 1.5 { score.as_share() } else { score };
    let fraction = cell.fraction.filter(|(_, below)| *below > 0)?;
    (is_of_counts && score.is_exact()).then_some(Beside { cell, score, fraction })
}

impl Beside<'_> {
    /// More patients than there are.
    fn beyond(&self) -> Option<Finding> {
        let (above, below) = self.fraction;
        (above > below).then(|| Finding {
            kind: Kind::Metric,
            severity: Severity::Inconsistent,
            place: self.cell.place.clone(),
            printed: self.cell.printed.clone(),
            implied: String::new(),
            alternatives: self.score.numerators(below as i64).map(|above| format!("{above}/{below}")).collect(),
            why: format!("{above} are more than the {below} of whom they are counted."),
        })
    }

    fn share(&self) -> f64 {
        self.fraction.0 as f64 / self.fraction.1 as f64
    }

    /// Rounded in any way.
    fn fits(&self) -> bool {
        self.score.loose().contains(self.share()) || self.score.is_ratio(self.fraction.0 as i64, self.fraction.1 as i64)
    }

    fn finding(&self) -> Finding {
        let (above, below) = self.fraction;
        Finding {
            kind: Kind::Metric,
            severity: grade(self.score, self.share()),
            place: self.cell.place.clone(),
            printed: self.cell.printed.clone(),
            implied: shown_like(&self.cell.printed, self.score, self.share()),
            alternatives: self.score.numerators(below as i64).map(|above| format!("{above}/{below}")).collect(),
            why: format!("{above}/{below}, printed in the same cell, is {:.5}.", self.share()),
        }
    }
}
