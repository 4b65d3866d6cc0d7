//! Time to event in any file of cells, without a study.

use crate::report::curves::{Curves, CurvesOf};
use crate::report::hazards::Hazards;
use crate::study::Error;
use crate::study::report::analyse::encoded;
use osteon_stats::survival::cox::Params;
use osteon_stats::survival::follow_up::{FollowUp, FollowUpError};
use osteon_stats::survival::kaplan_meier::Interval;
use osteon_stats::table::event::Event;
use osteon_stats::table::natural;
use osteon_stats::table::read::Read;
use osteon_stats::table::{Table, Values};

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
    let known = known(table, &request.time, &request.event, &columns)?;
    let (encoded, mut notes) = encoded(read, &request.terms, &request.references, &known, "hazard ratio")?;
    let event = encoded.kept.iter().filter_map(|&row| known[row]).collect();
    let follow_up = follow_up(table, &request.time, request.entry.as_deref(), &encoded.kept, event)?;
    notes.extend(at_zero(&follow_up, &request.time));
    let numbered = |name: &Option<String>| -> Result<Option<(Vec<usize>, Vec<String>)>, Error> {
        name.as_ref().map(|name| groups(table, name, &encoded.kept)).transpose()
    };
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
