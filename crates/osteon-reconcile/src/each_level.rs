//! P values of every level: each level against all others, where a table prints one for each.

use crate::cells::{PublishedCell, Value};
use crate::cohort::{Arm, Variable};
use crate::columns::choices;
use crate::finding::{Finding, Kind};
use crate::independence::{self, Effort, Test, Tested};
use crate::printed::Printed;
use crate::role::{Compared, Role, RowRole};
use crate::tested::grade;

/// P values that follow before another is told.
const FEWEST: usize = 3;

/// A level with its P and the tests of its counts against the others'.
struct Line<'a> {
    cell: &'a PublishedCell,
    p: Printed,
    all: Vec<Tested>,
}

/// A variable whose levels have their own P values: its P is none of all levels.
pub struct Judged {
    pub table: String,
    pub set: String,
    pub variable: String,
}

/// What the P values of levels get wrong, and the variables that have them.
pub fn check(cells: &[PublishedCell], arms: &[Arm]) -> (Vec<Finding>, Vec<Judged>) {
    let (mut findings, mut judged) = (Vec::new(), Vec::new());
    for arm in arms {
        let variables: Vec<&Variable> = arm.variables.iter().filter(|it| each(cells, arm, it).is_some()).collect();
        let lines: Vec<Line> = variables.iter().flat_map(|it| lines(cells, arm, it)).collect();
        let (right, wrong): (Vec<&Line>, Vec<&Line>) =
            lines.iter().partition(|line| line.all.iter().any(|it| it.is_p(line.p)));
        let telling = right.iter().filter(|line| line.p.is_exact()).count();
        if telling < FEWEST || right.len() < 3 * wrong.len() {
            continue;
        }
        findings.extend(wrong.iter().filter_map(|line| line.finding(right.len())));
        judged.extend(variables.iter().map(|it| Judged {
            table: arm.table.clone(),
            set: arm.set.clone(),
            variable: it.name.clone(),
        }));
    }
    (findings, judged)
}

/// The P cells of a variable's levels, in their order; `None` where not all of two levels or more have one.
fn each<'a>(cells: &'a [PublishedCell], arm: &Arm, variable: &Variable) -> Option<Vec<&'a PublishedCell>> {
    let own = || cells.iter().filter(|it| arm.holds(&it.place));
    let p = |row: &str| {
        let of_level = own().find(|it| matches!(it.role, Role::P(_)) && it.place.row == row);
        // That of the first level stands for the variable.
        let count = own().find(|it| it.place.row == row && matches!(it.role, Role::Group { .. }))?;
        let beside = own().find(|it| {
            matches!((&it.role, &it.row_role), (Role::P(_), RowRole::Variable { .. }))
                && it.source.row_key() == count.source.row_key()
        });
        of_level.or(beside)
    };
    let found: Option<Vec<&PublishedCell>> = variable.levels.iter().map(|level| p(&level.row)).collect();
    let is_apart =
        |it: &Vec<&PublishedCell>| (1..it.len()).all(|at| it[..at].iter().all(|other| other.place != it[at].place));
    found.filter(|it| it.len() > 1 && is_apart(it))
}

fn lines<'a>(cells: &'a [PublishedCell], arm: &Arm, variable: &Variable) -> Vec<Line<'a>> {
    let Some(own) = each(cells, arm, variable) else { return Vec::new() };
    let Some(groups) = choices(arm, &Compared::default()).into_iter().next() else { return Vec::new() };
    let groups: Vec<usize> = groups.concat();
    let Some(counts) = variable.table(&groups) else { return Vec::new() };
    let rest = |level: usize| -> Vec<u64> {
        (0..groups.len())
            .map(|group| counts.iter().enumerate().filter(|(at, _)| *at != level).map(|(_, row)| row[group]).sum())
            .collect()
    };
    let line = |(level, cell): (usize, &'a PublishedCell)| {
        let Value::Number(p) = cell.value else { return None };
        Some(Line { cell, p, all: independence::tests(&[counts[level].clone(), rest(level)], Effort::Cheap) })
    };
    own.into_iter().enumerate().filter_map(line).collect()
}

impl Line<'_> {
    fn finding(&self, right: usize) -> Option<Finding> {
        let nearest = self.all.iter().find(|it| it.test == Test::Pearson).or(self.all.first())?;
        Some(Finding {
            kind: Kind::PValue,
            severity: grade(self.p, nearest.p),
            place: self.cell.place.clone(),
            printed: self.cell.printed.clone(),
            implied: self.p.like(nearest.p),
            alternatives: self.all.iter().map(|it| format!("{} {:.4}", it.test.name(), it.p)).collect(),
            why: format!(
                "No usual test of this level against the others gives it; {right} other P values of the column are of such \
                 tests."
            ),
        })
    }
}
