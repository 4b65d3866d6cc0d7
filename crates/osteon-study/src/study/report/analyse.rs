//! Statistics of any CSV file, without a study.

use std::path::Path;

use crate::report::cohort::{Compared, compare};
use crate::report::discrimination::{Discrimination, discrimination};
use crate::report::regression::Regression;
use crate::study::Error;
use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_stats::evaluate::bootstrap;
use osteon_stats::model::logistic;
use osteon_stats::stats::compare::Params;
use osteon_stats::table::encode::encode;
use osteon_stats::table::event::Event;
use osteon_stats::table::read::{self, Read};
use osteon_stats::table::{Column, Values};

/// Reads a CSV file; `categorical` columns hold levels even where they look like numbers.
pub fn read_table(path: &Path, categorical: &[String]) -> Result<Read, Error> {
    let bytes = std::fs::read(path).map_err(|source| Error::File { path: path.to_owned(), source })?;
    read::csv(&bytes, categorical).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Variables by event.
pub struct Description {
    /// Rows whose event is known, without and with it.
    pub n: [usize; 2],
    pub variables: Vec<Compared>,
    pub notes: Vec<String>,
}

/// Compares the named variables (all but the event's column when none is named) between rows with and without it.
pub fn describe(read: Read, event: &Event, names: &[String], params: &Params) -> Result<Description, Error> {
    let known = event.of(&read.table)?;
    let mut notes = read.notes;
    let columns = read.table.columns().iter().filter(|column| column.name != event.column);
    let (identifiers, others): (Vec<&Column>, Vec<&Column>) = columns.partition(|column| is_identifier(column));
    let named: Vec<&str> = match names {
        [] => {
            notes.extend(identifiers.iter().map(|column| format!("{}: left out, every row has its own", column.name)));
            others.iter().map(|column| column.name.as_str()).collect()
        }
        names => names.iter().map(String::as_str).collect(),
    };
    let variables = compare(&read.table, &named, &known, params)?;
    let count = |wanted| known.iter().filter(|&&event| event == Some(wanted)).count();
    let unknown = known.len() - count(false) - count(true);
    if unknown > 0 {
        notes.push(format!("{unknown} rows without {} were left out", event.column));
    }
    Ok(Description { n: [count(false), count(true)], variables, notes })
}

/// Words of which no two rows share one, in more rows than any variable has levels.
fn is_identifier(column: &Column) -> bool {
    match &column.values {
        Values::Levels { levels, codes } => levels.len() > 20 && levels.len() == codes.iter().flatten().count(),
        Values::Numbers(_) => false,
    }
}

/// A model of the event on the named variables, over the rows that are complete in them.
pub fn regress(
    read: &Read,
    event: &Event,
    terms: &[String],
    references: &[(String, String)],
    params: &logistic::Params,
) -> Result<(Regression, Vec<String>), Error> {
    let known = event.of(&read.table)?;
    if let Some((column, _)) = references.iter().find(|(column, _)| !terms.contains(column)) {
        return Err(Error::Request(format!("a reference level was given for {column}, which is no term")));
    }
    let names: Vec<&str> = terms.iter().map(String::as_str).collect();
    let references: Vec<(&str, &str)> =
        references.iter().map(|(column, level)| (column.as_str(), level.as_str())).collect();
    let encoded = encode(&read.table, &names, &references, &known)?;
    let event: Vec<bool> = encoded.kept.iter().filter_map(|&row| known[row]).collect();
    let mut notes = read.notes.clone();
    let left_out = known.len() - encoded.kept.len();
    if left_out > 0 {
        notes.push(format!("{left_out} incomplete rows were left out"));
    }
    for variable in &encoded.variables {
        if let Some(reference) = &variable.reference {
            notes.push(format!("{}: reference level {reference}", variable.name));
        }
    }
    Ok((Regression::new(&encoded, &event, params)?, notes))
}

/// The discrimination of scores, over the rows that are complete in all of them.
pub fn discriminate(
    read: &Read,
    event: &Event,
    names: &[String],
    params: &bootstrap::Params,
    seed: Seed,
    job: &Job,
) -> Result<(Discrimination, Vec<String>), Error> {
    let known = event.of(&read.table)?;
    let columns = names.iter().map(|name| read.table.numbers(name)).collect::<Result<Vec<_>, _>>()?;
    let complete = |row: &usize| known[*row].is_some() && columns.iter().all(|column| column[*row].is_some());
    let rows: Vec<usize> = (0..known.len()).filter(complete).collect();
    let event: Vec<bool> = rows.iter().filter_map(|&row| known[row]).collect();
    let score = |(name, column): (&String, &&[Option<f64>])| {
        (name.clone(), rows.iter().filter_map(|&row| column[row]).collect::<Vec<f64>>())
    };
    let scores: Vec<_> = names.iter().zip(&columns).map(score).collect();
    let found = discrimination(&scores, &event, params, seed, job)?;
    let events = event.iter().filter(|&&event| event).count();
    let found = found.ok_or(logistic::FitError::OneOutcome { n: event.len(), events })?;
    let mut notes = read.notes.clone();
    if rows.len() < known.len() {
        notes.push(format!("{} incomplete rows were left out", known.len() - rows.len()));
    }
    Ok((found, notes))
}
