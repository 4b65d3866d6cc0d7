//! Scores beside the fraction that they are: `83.3 (18/24)`.

use crate::cells::{PublishedCell, Value, shown_like};
use crate::finding::{Finding, Kind, Severity};
use crate::metric::Metric;
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
    findings.extend(last_digits(&all, found));
    let is_told = |it: &Finding| {
        let same = |other: &&Finding| {
            (&other.place.table, &other.place.set, &other.place.row) == (&it.place.table, &it.place.set, &it.place.row)
        };
        found.iter().filter(same).any(|other| other.severity != Severity::Note)
    };
    findings.extend(shares(cells).into_iter().filter(|it| !is_told(it)));
    findings
}

/// Cells that print their fraction exactly before another is off by a last digit.
const EXACT: usize = 3;

/// Scores that are off their own fraction by a last digit, where all others of the table are exact.
fn last_digits(all: &[Beside], found: &[Finding]) -> Vec<Finding> {
    let is_exact = |it: &Beside| it.score.is_ratio(it.fraction.0 as i64, it.fraction.1 as i64);
    let mut findings = Vec::new();
    for it in all.iter().filter(|it| it.fits() && !is_exact(it)) {
        let own = || all.iter().filter(|other| other.cell.place.table == it.cell.place.table && other.fits());
        let place = &it.cell.place;
        let is_told = found.iter().any(|other| {
            other.severity != Severity::Note
                && (&other.place.table, &other.place.set, &other.place.row) == (&place.table, &place.set, &place.row)
        });
        let exact = own().filter(|it| is_exact(it)).count();
        if exact >= EXACT && own().count() == exact + 1 && !is_told {
            findings.push(Finding { severity: Severity::Rounding, ..it.finding() });
        }
    }
    findings
}

/// A count with a percentage in a table that prints no sizes of its groups, and what the percentage may be of.
struct Share<'a> {
    cell: &'a PublishedCell,
    n: u64,
    percent: Printed,
}

impl Share<'_> {
    fn is_of(&self, of: u64) -> bool {
        of > 0 && self.n <= of && self.percent.is_ratio(100 * self.n as i64, of as i64)
    }

    fn finding(&self, of: u64, why: String) -> Finding {
        let exact = 100.0 * self.n as f64 / of.max(1) as f64;
        Finding {
            kind: Kind::Percent,
            severity: grade(self.percent, exact),
            place: self.cell.place.clone(),
            printed: self.cell.printed.clone(),
            implied: format!("{}({})", self.n, self.percent.like(exact)),
            alternatives: Vec::new(),
            why,
        }
    }
}

/// Percentages that are not of the cell's own fraction, or of the number that the row prints in another column, where
/// those of the other rows are.
fn shares(cells: &[PublishedCell]) -> Vec<Finding> {
    let mut columns: std::collections::BTreeMap<(&str, usize), Vec<Share>> = std::collections::BTreeMap::new();
    let is_of_others = |cell: &PublishedCell| match cell.role {
        Role::Group { n: None, .. } => true,
        Role::Group { n: Some(n), .. } => is_of_none(cells, cell, n),
        Role::Score(Metric::Size) => true,
        _ => false,
    };
    for cell in cells.iter().filter(|it| is_of_others(it)) {
        if let Value::Count { n, percent } = cell.value {
            let key = (cell.place.table.as_str(), cell.source.column);
            columns.entry(key).or_default().push(Share { cell, n, percent });
        }
    }
    let mut findings = Vec::new();
    for own in columns.values() {
        let of_fraction = |share: &Share| share.cell.fraction.map(|it| it.1);
        findings.extend(off(own, &of_fraction, "printed in the same cell"));
        let mut others: Vec<usize> = Vec::new();
        for share in own {
            others.extend(numbers(cells, share.cell).into_iter().map(|(column, _)| column));
        }
        others.sort_unstable();
        others.dedup();
        let of_column = |column: usize| {
            move |share: &Share| numbers(cells, share.cell).into_iter().find(|it| it.0 == column).map(|it| it.1)
        };
        let fitting = |column: &usize| {
            let of = of_column(*column);
            own.iter().filter(|it| of(it).is_some_and(|of| it.is_of(of))).count()
        };
        if let Some(n) = common(own) {
            findings.extend(off(own, &|_| Some(n), "of which the other percentages are"));
        } else if let Some(column) = others.into_iter().max_by_key(fitting) {
            findings.extend(off(own, &of_column(column), "which the row prints"));
        }
    }
    findings
}

/// Whether hardly a percentage of a cell's column is of the size that the group seems to have.
fn is_of_none(cells: &[PublishedCell], cell: &PublishedCell, size: u64) -> bool {
    let own = cells.iter().filter(|it| it.place.table == cell.place.table && it.source.column == cell.source.column);
    let fits = own.filter_map(|it| match it.value {
        Value::Count { n, percent } => Some(percent.is_ratio(100 * n as i64, size as i64)),
        _ => None,
    });
    let fits: Vec<bool> = fits.collect();
    fits.len() > FEWEST && 4 * fits.iter().filter(|it| **it).count() < fits.len()
}

/// Percentages with decimals that are of one number before it is taken for that of the column.
const OF_ONE: usize = 4;

/// The number of patients of which nearly all percentages of a column of counts beside estimates are.
fn common(own: &[Share]) -> Option<u64> {
    let telling: Vec<&Share> = own
        .iter()
        .filter(|it| it.cell.role == Role::Score(Metric::Size) && it.percent.decimals() > 0 && it.n > 0)
        .collect();
    let least = telling.iter().map(|it| it.n).max()?;
    let fitting = |n: u64| telling.iter().filter(|it| it.is_of(n)).count();
    let n = (least..=20 * least).max_by_key(|&n| (fitting(n), std::cmp::Reverse(n)))?;
    (fitting(n) >= OF_ONE && 4 * fitting(n) >= 3 * telling.len()).then_some(n)
}

/// Rows whose percentages are of their number before another is told.
const FEWEST: usize = 2;

fn off(own: &[Share], of: &dyn Fn(&Share) -> Option<u64>, what: &str) -> Vec<Finding> {
    let known: Vec<(&Share, u64)> = own.iter().filter_map(|it| Some((it, of(it)?))).collect();
    let (right, wrong): (Vec<_>, Vec<_>) = known.iter().partition(|(it, of)| it.is_of(*of));
    if right.len() < FEWEST || right.len() < 2 * wrong.len() {
        return Vec::new();
    }
    let why = |of: u64, n: u64| format!("{n}/{of}, {what}, is {:.3} %.", 100.0 * n as f64 / of.max(1) as f64);
    wrong.into_iter().map(|(it, of)| it.finding(of, why(of, it.n))).collect()
}

/// Whole numbers that a cell's row prints, each with its column.
fn numbers(cells: &[PublishedCell], cell: &PublishedCell) -> Vec<(usize, u64)> {
    let own =
        cells.iter().filter(|it| it.place.table == cell.place.table && it.source.row_key() == cell.source.row_key());
    let number = |it: &PublishedCell| match it.value {
        Value::Number(n) if n.decimals() == 0 && n.is_exact() && n.value() >= 1.0 => Some(n.value() as u64),
        Value::Count { n, .. } => Some(n),
        _ => None,
    };
    own.filter(|it| it.source.column != cell.source.column)
        .filter(|it| matches!(it.role, Role::Group { .. } | Role::Score(Metric::Size)))
        .filter_map(|it| Some((it.source.column, number(it)?)))
        .collect()
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
