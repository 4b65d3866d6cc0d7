//! Time to event in any file of cells, and in a study that declares it.

use std::collections::BTreeMap;

use crate::protocol::codebook::time::NoTime;
use crate::report::curves::{Curves, CurvesOf};
use crate::report::hazards::Hazards;
use crate::store::Patient;
use crate::study::report::analyse::{are_predictors, encoded};
use crate::study::{Error, Study};
use osteon_stats::survival::cox::Params;
use osteon_stats::survival::follow_up::{FollowUp, FollowUpError};
use osteon_stats::survival::kaplan_meier::Interval;
use osteon_stats::table::event::{Event, Relation};
use osteon_stats::table::natural;
use osteon_stats::table::read::Read;
use osteon_stats::table::{Column, Table, Values};

/// A Cox regression that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct HazardRequest {
    pub time: String,
    pub entry: Option<String>,
    pub event: Event,
    pub terms: Vec<String>,
    pub references: Vec<(String, String)>,
    pub strata: Option<String>,
    /// The column whose values tell clusters for the robust variance.
    pub cluster: Option<String>,
    pub params: Params,
}

/// Curves that are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct CurveRequest {
    pub time: String,
    pub entry: Option<String>,
    pub event: Event,
    pub competing: Option<Event>,
    pub by: Option<String>,
    pub strata: Option<String>,
    /// Times whose survival is stated; those of the axis when empty.
    pub at: Vec<f64>,
    pub interval: Interval,
}

/// Fits hazards on the named terms, over the rows that are complete in them, in time, event and entry.
pub fn hazards(read: &Read, request: &HazardRequest) -> Result<(Hazards, Vec<String>), Error> {
    let table = &read.table;
    let columns = [request.entry.as_ref(), request.strata.as_ref(), request.cluster.as_ref()];
    let outcome = [request.time.as_str(), &request.event.column];
    are_predictors(&request.terms, &outcome, "term")?;
    are_predictors(request.strata.as_slice(), &outcome, "stratum")?;
    are_predictors(request.cluster.as_slice(), &outcome, "cluster")?;
    let known = known(table, &request.time, &request.event, &columns)?;
    let (encoded, mut notes) = encoded(read, &request.terms, &request.references, &known, "hazard ratio")?;
    let event = encoded.kept.iter().filter_map(|&row| known[row]).collect();
    let follow_up = follow_up(table, &request.time, request.entry.as_deref(), &encoded.kept, event)?;
    notes.extend(at_zero(&follow_up, &request.time));
    let numbered = |name: &Option<String>| name.as_ref().map(|name| groups(table, name, &encoded.kept)).transpose();
    let (strata, cluster) = (numbered(&request.strata)?, numbered(&request.cluster)?);
    if let (Some(name), Some((_, levels))) = (&request.strata, &strata) {
        notes.push(format!("a baseline hazard for each of the {} values of {name}", levels.len()));
    }
    let clusters = cluster.as_ref().map(|(of, levels)| (of.as_slice(), levels.len()));
    let strata = strata.as_ref().map(|(of, _)| of.as_slice());
    Ok((Hazards::new(&encoded, &follow_up, strata, clusters, request.params)?, notes))
}

/// Curves of the rows that are complete in time, event, entry and group.
pub fn curves(read: &Read, request: &CurveRequest) -> Result<(Curves, Vec<String>), Error> {
    let table = &read.table;
    let columns = [request.entry.as_ref(), request.by.as_ref(), request.strata.as_ref()];
    let competing = request.competing.as_ref().map(|other| other.column.as_str());
    let outcome: Vec<&str> = [request.time.as_str(), &request.event.column].into_iter().chain(competing).collect();
    are_predictors(request.by.as_slice(), &outcome, "group")?;
    are_predictors(request.strata.as_slice(), &outcome, "stratum")?;
    let known = known(table, &request.time, &request.event, &columns)?;
    let competing = request.competing.as_ref().map(|event| event.of(table)).transpose()?;
    let complete = |row: &usize| known[*row].is_some() && competing.as_ref().is_none_or(|other| other[*row].is_some());
    let rows: Vec<usize> = (0..known.len()).filter(complete).collect();
    let mut notes = read.notes.clone();
    if rows.len() < known.len() {
        notes.push(format!("{} incomplete rows were left out", known.len() - rows.len()));
    }
    let event: Vec<bool> = rows.iter().filter_map(|&row| known[row]).collect();
    let other: Option<Vec<bool>> = competing.map(|other| rows.iter().filter_map(|&row| other[row]).collect());
    if let Some(at) = other.as_ref().and_then(|other| (0..rows.len()).find(|&at| other[at] && event[at])) {
        let row = &table.rows()[rows[at]];
        return Err(Error::Request(format!(
            "row {row} has both the event {} and the competing one; give conditions that exclude each other",
            request.event
        )));
    }
    let follow_up = follow_up(table, &request.time, request.entry.as_deref(), &rows, event)?;
    notes.extend(at_zero(&follow_up, &request.time));
    let group = request.by.as_ref().map(|name| groups(table, name, &rows)).transpose()?;
    let strata = request.strata.as_ref().map(|name| groups(table, name, &rows)).transpose()?;
    if let (Some(name), Some((_, levels))) = (&request.by, &group)
        && levels.len() > MOST_GROUPS
    {
        let n = levels.len();
        return Err(Error::Request(format!("{name} has {n} values, a curve each; at most {MOST_GROUPS} can be read")));
    }
    let (group, names) = group.unwrap_or_else(|| (vec![0; rows.len()], vec!["All".to_owned()]));
    let of = CurvesOf {
        follow_up: &follow_up,
        competing: other.as_deref(),
        group: &group,
        names,
        strata: strata.as_ref().map(|(of, _)| of.as_slice()),
        at: &request.at,
        interval: request.interval,
    };
    Ok((Curves::new(of), notes))
}

/// The times of a study's patients as a file of cells would have them.
pub struct Followed {
    pub read: Read,
    /// The columns of time and of how it ended: 0, 1 for the event, 2 and more for competing ones.
    pub time: String,
    pub event: Event,
    /// An event that competes: any of them.
    pub competing: Option<Event>,
    /// `name: event over time` for titles.
    pub title: String,
    /// The reference levels that the codebook declares, of the variables that are used.
    pub references: Vec<(String, String)>,
}

impl Study {
    /// The included patients with their variables and the time of an outcome: the only one of kind "time" when none is
    /// named.
    ///
    /// Refused for a blind reader, and where one of `used` is measured after time begins.
    pub fn followed(&self, outcome: Option<&str>, used: &[String]) -> Result<Followed, Error> {
        let book = &*self.protocol.codebook;
        let outcome = self.timed_outcome(outcome)?;
        let time = outcome.time.as_ref().expect("it was filtered");
        let begins = time.begins(book);
        if let Some(late) = used.iter().filter_map(|name| book.named(name)).find(|it| it.moment > begins) {
            return Err(Error::Request(format!(
                "{} is measured at {}, after time begins at {}: patients had to live so long to have it; set \
                 outcome.{}.landmark to a date of that moment, or leave it out",
                late.name,
                late.moment.name(),
                begins.name(),
                outcome.name
            )));
        }
        let mut patients = self.store.patients()?;
        patients.retain(Patient::included);
        let mut lost: BTreeMap<NoTime, usize> = BTreeMap::new();
        let (mut times, mut causes) = (Vec::new(), Vec::new());
        for patient in &patients {
            let found = time.passed(outcome, book, &patient.entries);
            times.push(found.as_ref().ok().map(|it| it.time));
            causes.push(found.as_ref().ok().map(|it| it.cause as f64));
            if let Err(why) = found {
                *lost.entry(why).or_default() += 1;
            }
        }
        let cohort = self.cohort()?;
        let label = format!("{} ({})", outcome.name, time.unit.name());
        let state = format!("{} state", outcome.name);
        let mut columns = cohort.columns().to_vec();
        columns.push(Column { name: label.clone(), values: Values::Numbers(times) });
        columns.push(Column { name: state.clone(), values: Values::Numbers(causes) });
        let table = Table::new(cohort.rows().to_vec(), columns)?;
        let mut notes: Vec<String> = lost.iter().map(|(why, n)| format!("{n} patients have no time: {why}")).collect();
        if let Some(end) = time.censor_after {
            notes.push(format!("follow-up ends at {end} {}", time.unit.name()));
        }
        if let Some(landmark) = &time.landmark {
            notes.push(format!("time begins at {landmark}"));
        }
        if !time.competing.is_empty() {
            let names: Vec<&str> = time.competing.iter().map(|(name, _)| name.as_str()).collect();
            notes.push(format!("competing: {}", names.join(", ")));
        }
        let asked = |relation, value: &str| Event { column: state.clone(), relation, value: value.to_owned() };
        Ok(Followed {
            read: Read { table, notes },
            event: asked(Relation::Equal, "1"),
            competing: (!time.competing.is_empty()).then(|| asked(Relation::AtLeast, "2")),
            title: format!("{}: {} over {}", outcome.name, outcome.event_label, time.unit.name()),
            references: book.references().into_iter().filter(|(name, _)| used.contains(name)).collect(),
            time: label,
        })
    }
}

/// Each term alone, over the rows that are complete in it.
pub fn each_alone(read: &Read, request: &HazardRequest) -> Vec<(String, Result<Hazards, Error>)> {
    let one = |term: &String| {
        let references = request.references.iter().filter(|(column, _)| column == term).cloned().collect();
        let alone = HazardRequest { terms: vec![term.clone()], references, ..request.clone() };
        (term.clone(), hazards(read, &alone).map(|(hazards, _)| hazards))
    };
    request.terms.iter().map(one).collect()
}

/// Curves of more groups cannot be told from each other.
const MOST_GROUPS: usize = 12;

/// The event of each row, `None` where it or one of the columns has no value.
fn known(table: &Table, time: &str, event: &Event, others: &[Option<&String>]) -> Result<Vec<Option<bool>>, Error> {
    let mut known = event.of(table)?;
    table.numbers(time)?;
    let time = time.to_owned();
    for name in others.iter().copied().flatten().chain([&time]) {
        let column = table.column(name)?;
        let holes = known.iter_mut().enumerate().filter(|(row, _)| column.values.is_hole(*row));
        holes.for_each(|(_, known)| *known = None);
    }
    Ok(known)
}

/// The rows' times; what cannot be one is refused with the row's name.
fn follow_up(
    table: &Table,
    time: &str,
    entry: Option<&str>,
    rows: &[usize],
    event: Vec<bool>,
) -> Result<FollowUp, Error> {
    let of = |name: &str| -> Result<Vec<f64>, Error> {
        let numbers = table.numbers(name)?;
        Ok(rows.iter().filter_map(|&row| numbers[row]).collect())
    };
    let entries = entry.map(of).transpose()?;
    FollowUp::new(entries, of(time)?, event).map_err(|cause| match cause {
        FollowUpError::Time { row, time: found } => {
            let row = &table.rows()[rows[row]];
            Error::Request(format!("column {time}, row {row}: the time is {found}, expected at least 0"))
        }
        FollowUpError::Order { row, entry: from, time: to } => {
            let (name, row) = (entry.unwrap_or_default(), &table.rows()[rows[row]]);
            Error::Request(format!(
                "row {row}: {name} {from} is not before {time} {to}, so the row was never at risk; correct it or take it \
                 out of the file"
            ))
        }
        FollowUpError::Empty => Error::Request(format!("no row is complete in {time}, the event and the columns asked for")),
        other => other.into(),
    })
}

/// Rows that were not observed at all.
fn at_zero(follow_up: &FollowUp, time: &str) -> Option<String> {
    let n = (0..follow_up.len()).filter(|&row| follow_up.times()[row] == 0.0 && !follow_up.events()[row]).count();
    (n > 0)
        .then(|| format!("{n} rows are censored at {time} 0: they count among the rows, but are at risk at no event"))
}

/// The number of each row's group, and the groups' names in natural order, of those that have a row.
fn groups(table: &Table, name: &str, rows: &[usize]) -> Result<(Vec<usize>, Vec<String>), Error> {
    let words: Vec<String> = match &table.column(name)?.values {
        Values::Numbers(values) => rows.iter().filter_map(|&row| values[row]).map(|value| value.to_string()).collect(),
        Values::Levels { levels, codes } => {
            rows.iter().filter_map(|&row| codes[row]).map(|code| levels[code].clone()).collect()
        }
    };
    let mut names = words.clone();
    names.sort_by(|a, b| natural::compare(a, b));
    names.dedup();
    let number = |word: &String| names.iter().position(|name| name == word).expect("each word is a name");
    Ok((words.iter().map(number).collect(), names))
}
