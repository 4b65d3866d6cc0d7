//! Printed odds ratios: from which counts, levels, event and patients they come, and whether interval and p agree.

use crate::cells::{PublishedCell, Value};
use crate::cohort::Arm;
use crate::finding::{Finding, Kind, Place, Severity};
use crate::odds::{self, OddsRatio, TwoByTwo};
use crate::printed::{Interval, Printed};
use crate::ratios;
use crate::read::words;
use crate::role::{Measure, Role, RowRole};
use crate::stated::{self, Direction};
use crate::tested::grade;
use osteon_stats::stats::distribution::normal_quantile;

/// One printed estimate of a regression with its interval and p.
#[derive(Clone, Debug)]
pub struct Row {
    pub place: Place,
    pub printed: String,
    pub measure: Measure,
    pub estimate: Printed,
    pub low: Printed,
    pub high: Printed,
    pub p: Option<(Place, Printed)>,
    /// Standard errors on either side of the estimate that its interval reaches: 1.96 at 95 %.
    pub reach: f64,
}

/// A way to make a two-by-two table of a variable's counts.
#[derive(Clone, Debug)]
struct Source {
    arm: usize,
    level: String,
    reference: String,
    event: String,
    odds: OddsRatio,
}

/// What the estimates get wrong and reveal.
pub fn check(cells: &[PublishedCell], arms: &[Arm]) -> Vec<Finding> {
    let rows = rows(cells);
    let mut findings = ratios::check(&rows);
    let univariate: Vec<&Row> =
        rows.iter().filter(|row| row.measure == Measure::OddsRatio && !is_adjusted(&row.place.column)).collect();
    let (mut sources, mut unexplained) = (Vec::new(), Vec::new());
    for row in &univariate {
        let candidates = candidates(arms, &row.place.row);
        let fitting: Vec<Source> = candidates.iter().filter(|it| row.fits(&it.odds)).cloned().collect();
        if fitting.is_empty() && !candidates.is_empty() {
            unexplained.push((*row, candidates));
        }
        sources.push((*row, fitting));
    }
    let explained = sources.iter().filter(|(_, fitting)| !fitting.is_empty()).count();
    if explained > 1 && explained >= unexplained.len() {
        findings.extend(unexplained.iter().flat_map(|(row, candidates)| mismatch(arms, row, candidates)));
    } else if let Some((row, _)) = unexplained.first() {
        let names: Vec<&str> = unexplained.iter().map(|(row, _)| row.place.row.as_str()).collect();
        let why = format!(
            "The counts of the cohort tables give {explained} of {} odds ratios, not {}: other patients, other levels, or \
             adjusted.",
            explained + unexplained.len(),
            names.join("; ")
        );
        findings.push(row.finding(Kind::Method, Severity::Note, "cannot be judged".to_owned(), why));
    }
    if let Some(event) = event(arms, &sources, &mut findings) {
        findings.extend(references(arms, &sources, &event));
        findings.extend(stated::shap(cells, &directions(arms, &sources, &event)));
    }
    findings.extend(patients(arms, &sources));
    findings
}

/// The P values beside estimates of which nothing can be said.
pub fn unjudged(cells: &[PublishedCell]) -> Vec<Place> {
    ratios::unjudged(&rows(cells))
}

fn is_adjusted(column: &str) -> bool {
    let column = column.to_lowercase();
    column.contains("multi") || column.contains("adjusted")
}

fn rows(cells: &[PublishedCell]) -> Vec<Row> {
    let mut rows = Vec::new();
    for cell in cells {
        let (Value::Estimate { estimate, low, high }, Role::Estimate(measure)) = (cell.value, &cell.role) else {
            continue;
        };
        let beside = |other: &&PublishedCell| {
            let (one, two) = (&other.place, &cell.place);
            (&one.table, &one.set, &one.row) == (&two.table, &two.set, &two.row)
        };
        let own: Vec<&PublishedCell> = cells.iter().filter(beside).collect();
        let estimates = || own.iter().filter(|it| matches!(it.role, Role::Estimate(_)));
        let is_p = |it: &&&PublishedCell| matches!(it.role, Role::P(_)) && matches!(it.value, Value::Number(_));
        // The P whose heading begins as this one does, and as no other estimate's does better.
        let shared = |one: &str, other: &str| one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
        let next = estimates().map(|it| it.source.column).filter(|&at| at > cell.source.column).min();
        let apart = own.iter().any(|it| it.source.column != cell.source.column);
        let beside = |it: &&&PublishedCell| {
            it.source.column > cell.source.column && next.is_none_or(|next| it.source.column < next)
        };
        let behind = own.iter().filter(is_p).filter(beside).min_by_key(|it| it.source.column).filter(|_| apart);
        let p = own.iter().filter(is_p).max_by_key(|it| shared(&it.place.column, &cell.place.column)).filter(|p| {
            let most = estimates().map(|it| shared(&it.place.column, &p.place.column)).max();
            most == Some(shared(&cell.place.column, &p.place.column))
        });
        // The P of a comparison of readers or models is of another test than the interval of their difference.
        let p = behind.or(p).filter(|it| !is_of_other_test(it));
        let p = p.filter(|_| cell.row_role != RowRole::Comparison).and_then(|it| match it.value {
            Value::Number(p) => Some((it.place.clone(), p)),
            _ => None,
        });
        let (place, printed) = (cell.place.clone(), cell.printed.clone());
        let level = f64::from(words::confidence_level(&place.column)) / 100.0;
        let reach = normal_quantile(0.5 + 0.5 * level);
        rows.push(Row { place, printed, measure: *measure, estimate, low, high, p, reach });
    }
    rows
}

/// Words of headings whose P is of another test than Wald's.
pub(crate) const NOT_WALDS: [&str; 15] = [
    "log-rank",
    "logrank",
    "log rank",
    "log–rank",
    "likelihood",
    "lrt",
    "interaction",
    "trend",
    "q value",
    "q-value",
    "fdr",
    "score test",
    "permutation",
    "fisher",
    "chi",
];

/// Whether a P's heading says that it is of another test than Wald's.
fn is_of_other_test(cell: &PublishedCell) -> bool {
    matches!(&cell.role, Role::P(compared) if NOT_WALDS.iter().any(|it| compared.test.contains(it)))
}

impl Row {
    fn fits(&self, odds: &OddsRatio) -> bool {
        self.estimate.is(odds.estimate)
            && self.low.meets(odds.low)
            && self.high.meets(odds.high)
            && self.p.as_ref().is_none_or(|(_, p)| p.is(odds.p))
    }

    pub fn finding(&self, kind: Kind, severity: Severity, implied: String, why: String) -> Finding {
        let (place, printed) = (self.place.clone(), self.printed.clone());
        Finding { kind, severity, place, printed, implied, alternatives: Vec::new(), why }
    }
}

fn logs(printed: Printed) -> Interval {
    let interval = printed.interval();
    Interval { low: interval.low.max(f64::MIN_POSITIVE), high: interval.high.max(f64::MIN_POSITIVE) }.map(f64::ln)
}

/// Every two-by-two table that the row's variable offers: arms, levels, references, either outcome as the event.
fn candidates(arms: &[Arm], row: &str) -> Vec<Source> {
    let (name, level) = row.split_once(": ").map_or((row, None), |(name, level)| (name.trim(), Some(level.trim())));
    let mut sources = Vec::new();
    for (a, arm) in arms.iter().enumerate() {
        let Some(variable) = arm.variable(name) else { continue };
        let [one, other] = arm.compared()[..] else { continue };
        let Some(table) = variable.table(&[one, other]) else { continue };
        let levels = (0..variable.levels.len()).filter(|&it| !variable.levels[it].is_missing());
        for exposed in
            levels.clone().filter(|&it| level.is_none_or(|level| variable.levels[it].name.eq_ignore_ascii_case(level)))
        {
            let singles = levels
                .clone()
                .filter(|&it| it != exposed)
                .map(|it| (variable.levels[it].name.clone(), table[it].clone()));
            let rest: Vec<u64> = [0, 1]
                .map(|group| levels.clone().filter(|&it| it != exposed).map(|it| table[it][group]).sum())
                .to_vec();
            let all = (table.len() > 2).then(|| ("all others".to_owned(), rest));
            for (reference, counts) in singles.chain(all) {
                for (event, nonevent, group) in [(0, 1, one), (1, 0, other)] {
                    let two = TwoByTwo {
                        event_exposed: table[exposed][event],
                        other_exposed: table[exposed][nonevent],
                        event_rest: counts[event],
                        other_rest: counts[nonevent],
                    };
                    let Some(odds) = odds::wald(&two) else { continue };
                    let (level, event) = (variable.levels[exposed].name.clone(), arm.groups[group].column.clone());
                    sources.push(Source { arm: a, level, reference: reference.clone(), event, odds });
                }
            }
        }
    }
    sources
}

/// The nearest table that the counts offer, when none gives the printed row.
fn mismatch(arms: &[Arm], row: &Row, candidates: &[Source]) -> Vec<Finding> {
    let off = |it: &Source| {
        let right = [row.estimate.is(it.odds.estimate), row.low.meets(it.odds.low), row.high.meets(it.odds.high)];
        let distance = (row.estimate.value().max(1e-9).ln() - it.odds.estimate.ln()).abs();
        (3 - right.iter().filter(|&&it| it).count(), distance)
    };
    let nearest = candidates.iter().min_by(|a, b| off(a).partial_cmp(&off(b)).expect("finite")).expect("not empty");
    let odds = &nearest.odds;
    let implied = format!(
        "{}({}-{})",
        row.estimate.like(odds.estimate),
        row.low.like(odds.low.middle()),
        row.high.like(odds.high.middle())
    );
    let what = format!(
        "{} against {}, event {}, in table {} {}",
        nearest.level, nearest.reference, nearest.event, arms[nearest.arm].table, arms[nearest.arm].set
    );
    let interval = row.estimate.is(odds.estimate) && row.low.meets(odds.low) && row.high.meets(odds.high);
    if let (true, Some((place, p))) = (interval, &row.p) {
        return vec![Finding {
            kind: Kind::PValue,
            severity: grade(*p, odds.p),
            place: place.clone(),
            printed: p.to_string(),
            implied: p.like(odds.p),
            alternatives: Vec::new(),
            why: format!("The counts ({what}) give the printed odds ratio with the Wald p {}.", p.like(odds.p)),
        }];
    }
    let why = format!("No choice of levels, event and patients gives it from the counts; the nearest is {what}.");
    vec![row.finding(Kind::OddsRatio, Severity::Inconsistent, implied, why)]
}

/// The group that was modelled: named by rows that name a level, or by the direction of continuous variables.
fn event(arms: &[Arm], sources: &[(&Row, Vec<Source>)], findings: &mut Vec<Finding>) -> Option<String> {
    let mut votes: Vec<(String, &Row, bool)> = Vec::new();
    for (row, fitting) in sources {
        if row.place.row.contains(": ") && !fitting.is_empty() && fitting.iter().all(|it| it.event == fitting[0].event)
        {
            votes.push((fitting[0].event.clone(), row, true));
        }
        votes.extend(direction(arms, row).map(|event| (event, *row, false)));
    }
    let first = votes.iter().find(|(.., exact)| *exact).or(votes.first())?.0.clone();
    let count = votes.iter().filter(|(event, ..)| *event == first).count();
    let row = votes[0].1;
    for (_, row, _) in votes.iter().filter(|(event, ..)| *event != first) {
        let why = format!("Its side of 1 says that the event is not {first}, which the other rows model.");
        findings.push(row.finding(Kind::Direction, Severity::Inconsistent, String::new(), why));
    }
    findings.push(Finding {
        kind: Kind::Event,
        severity: Severity::Note,
        place: Place { row: "all rows".into(), column: "event".into(), ..row.place.clone() },
        printed: String::new(),
        implied: first.clone(),
        alternatives: Vec::new(),
        why: format!(
            "{count} odds ratios have the size or the direction that they have only with {first} as the event."
        ),
    });
    Some(first)
}

/// The group in which a continuous variable is higher, if the odds ratio is above 1, else the other. The slope of a
/// logistic model of one variable has the sign of the difference of the means.
fn direction(arms: &[Arm], row: &Row) -> Option<String> {
    let log = logs(row.estimate);
    for arm in arms {
        let Some(variable) = arm.variable(&row.place.row) else { continue };
        let [one, other] = arm.compared()[..] else { continue };
        let (Some(a), Some(b)) = (variable.moments[one], variable.moments[other]) else { continue };
        let difference = b.mean.interval().minus(a.mean.interval());
        if log.contains(0.0) || difference.contains(0.0) {
            return None;
        }
        let higher = if difference.low > 0.0 { other } else { one };
        let lower = if higher == one { other } else { one };
        return Some(arm.groups[if log.low > 0.0 { higher } else { lower }].column.clone());
    }
    None
}

/// The level and reference of every categorical row, given the event.
fn references(arms: &[Arm], sources: &[(&Row, Vec<Source>)], event: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (row, fitting) in sources {
        let Some(source) = fitting.iter().find(|it| it.event == event) else { continue };
        let why = format!(
            "With {event} as the event, it is {} against {}, by Wald's interval, in table {} {}.",
            source.level, source.reference, arms[source.arm].table, arms[source.arm].set
        );
        let implied = format!("{} vs {}", source.level, source.reference);
        findings.push(row.finding(Kind::Reference, Severity::Note, implied, why));
    }
    let name = |row: &Row| row.place.row.split(": ").next().unwrap_or("").to_owned();
    let last = |row: &Row, source: &Source| {
        let variable = arms[source.arm].variable(&name(row)).expect("the source has it");
        variable.levels.last().is_some_and(|level| level.name == source.reference)
    };
    let chosen: Vec<(&Row, &Source)> = sources
        .iter()
        .filter_map(|(row, fitting)| fitting.iter().find(|it| it.event == event).map(|source| (*row, source)))
        .collect();
    let (of_last, of_other): (Vec<_>, Vec<_>) = chosen.iter().partition(|(row, source)| last(row, source));
    if !of_last.is_empty() && !of_other.is_empty() {
        let (few, many) = if of_other.len() <= of_last.len() { (of_other, "last") } else { (of_last, "first") };
        findings.extend(few.iter().map(|(row, source)| {
            let why =
                format!("Its reference is {}, while most rows have the {many} level as reference.", source.reference);
            let implied = format!("{} vs {}", source.level, source.reference);
            row.finding(Kind::Reference, Severity::Note, implied, why)
        }));
    }
    findings
}

/// Where each univariate odds ratio points: with higher values, or with a later level against an earlier one.
fn directions(arms: &[Arm], sources: &[(&Row, Vec<Source>)], event: &str) -> Vec<Direction> {
    let other = |arm: &Arm| arm.groups.iter().find(|it| !it.is_total && it.column != event).map(|it| it.column.clone());
    let mut found = Vec::new();
    for (row, fitting) in sources {
        let log = logs(row.estimate);
        if log.contains(0.0) {
            continue;
        }
        let towards = |is_event: bool, arm: &Arm| if is_event { Some(event.to_owned()) } else { other(arm) };
        let name = row.place.row.split(": ").next().unwrap_or("");
        let source = fitting.iter().find(|it| it.event == event);
        let arm = source.map_or_else(|| arms.iter().find(|it| it.variable(name).is_some()), |it| Some(&arms[it.arm]));
        let Some((arm, variable)) = arm.and_then(|arm| Some((arm, arm.variable(name)?))) else { continue };
        let later = match source {
            Some(source) => {
                let at = |level: &str| variable.levels.iter().position(|it| it.name == level);
                at(&source.level) > at(&source.reference)
            }
            None if variable.levels.is_empty() => true,
            None => continue,
        };
        let Some(towards) = towards((log.low > 0.0) == later, arm) else { continue };
        found.push(Direction { row: row.place.row.clone(), towards, odds_ratio: row.printed.clone() });
    }
    found
}

/// Whether all patients or one set alone gave the odds ratios.
fn patients(arms: &[Arm], sources: &[(&Row, Vec<Source>)]) -> Vec<Finding> {
    let found: Vec<&(&Row, Vec<Source>)> = sources.iter().filter(|(_, fitting)| !fitting.is_empty()).collect();
    let whole = |arm: usize| arms.iter().all(|it| patients_of(it) <= patients_of(&arms[arm]));
    let Some((row, _)) = found.first() else { return Vec::new() };
    let arm = (0..arms.len()).find(|&arm| found.iter().all(|(_, fitting)| fitting.iter().any(|it| it.arm == arm)));
    let Some(arm) = arm else { return Vec::new() };
    let n = patients_of(&arms[arm]);
    let learnt = if whole(arm) && arms.len() > 1 {
        "; where a test set was held out, it took part in choosing the variables"
    } else {
        ""
    };
    vec![Finding {
        kind: Kind::Sample,
        severity: Severity::Note,
        place: Place { row: "all rows".into(), column: "n".into(), ..row.place.clone() },
        printed: String::new(),
        implied: format!("{n} patients (table {} {})", arms[arm].table, arms[arm].set),
        alternatives: Vec::new(),
        why: format!("All {} odds ratios of counts come from these patients{learnt}.", found.len()),
    }]
}

fn patients_of(arm: &Arm) -> u64 {
    arm.compared().into_iter().map(|group| arm.groups[group].n).sum()
}
