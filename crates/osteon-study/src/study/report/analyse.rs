//! Statistics of any CSV file, without a study.

use std::collections::BTreeSet;
use std::path::Path;

use crate::report::cohort::{Compared, compare, too_many_levels};
use crate::report::discrimination::{Discrimination, HowScored, discrimination};
use crate::report::regression::Regression;
use crate::study::Error;
use crate::study::data::input;
use osteon_base::job::Job;
use osteon_stats::model::logistic;
use osteon_stats::stats::compare::Params;
use osteon_stats::table::encode::{EncodeError, Encoded, encode};
use osteon_stats::table::event::Event;
use osteon_stats::table::expand::{Expansion, expand};
use osteon_stats::table::missing::{Missing, missing};
use osteon_stats::table::read::{self, Options, Read};
use osteon_stats::table::{Column, Table, Values};

/// Reads a file of cells with a heading: CSV, TSV or a workbook.
pub fn read_table(path: &Path, options: &Options) -> Result<Read, Error> {
    let bytes = input::table_bytes(path)?;
    read::table(&bytes, options).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Refuses columns that are named twice, or that tell the outcome themselves.
pub(in crate::study) fn are_predictors(names: &[String], outcome: &[&str], what: &str) -> Result<(), Error> {
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(Error::Request(format!("{name} is named twice among the columns that are {what}s")));
        }
        if outcome.contains(&name.as_str()) {
            return Err(Error::Request(format!(
                "{name} tells the outcome itself and cannot be a {what}: it would predict the outcome from the outcome"
            )));
        }
    }
    Ok(())
}

/// Variables by event.
pub struct Description {
    /// Rows whose event is known, without and with it.
    pub n: [usize; 2],
    pub variables: Vec<Compared>,
    /// Holes of the variables over the rows whose event is known.
    pub missing: Missing,
    pub notes: Vec<String>,
}

/// Compares the named variables (all but the event's column when none is named) between rows with and without it. A
/// variable of two numbers is compared as two levels unless it is among the `continuous`.
pub fn describe(
    read: Read,
    event: &Event,
    names: &[String],
    continuous: &[String],
    params: &Params,
) -> Result<Description, Error> {
    let known = event.of(&read.table)?;
    let mut notes = read.notes;
    for name in continuous {
        read.table.numbers(name)?;
    }
    are_predictors(names, &[], "variable")?;
    if names.contains(&event.column) {
        notes.push(format!(
            "{}: divides the rows into the two groups, its test only repeats the division",
            event.column
        ));
    }
    let rows = read.table.rows().to_vec();
    let (mut columns, mut dichotomous) = (Vec::new(), Vec::new());
    for column in read.table.columns() {
        let levels = two_levels(&column.values).filter(|_| !continuous.contains(&column.name));
        dichotomous.extend(levels.is_some().then_some(column.name.as_str()));
        let values = levels.unwrap_or_else(|| column.values.clone());
        columns.push(Column { name: column.name.clone(), values });
    }
    let table = Table::new(rows, columns)?;
    let columns = table.columns().iter().filter(|column| column.name != event.column);
    let (identifiers, others): (Vec<&Column>, Vec<&Column>) = columns.partition(|column| is_identifier(column));
    let named: Vec<&str> = match names {
        [] => {
            notes.extend(identifiers.iter().map(|column| format!("{}: left out, every row has its own", column.name)));
            others.iter().map(|column| column.name.as_str()).collect()
        }
        names => names.iter().map(String::as_str).collect(),
    };
    let variables = compare(&table, &named, &known, params)?;
    dichotomous.retain(|name| variables.iter().any(|variable| variable.name == **name));
    if !dichotomous.is_empty() {
        let (names, are) = (dichotomous.join(", "), if dichotomous.len() == 1 { "is" } else { "are" });
        notes.push(format!("{names}: two values, compared as levels; --continuous compares as numbers what {are} one"));
    }
    let count = |wanted| known.iter().filter(|&&event| event == Some(wanted)).count();
    let unknown = known.len() - count(false) - count(true);
    if unknown > 0 {
        notes.push(format!("{} without {} left out", osteon_base::text::counted(unknown, "row"), event.column));
    }
    let rows: Vec<usize> = (0..known.len()).filter(|&row| known[row].is_some()).collect();
    let missing = missing(&table.select(&rows), &named)?;
    Ok(Description { n: [count(false), count(true)], variables, missing, notes })
}

/// The levels of a column of numbers that has two of them, in more than two rows.
fn two_levels(values: &Values) -> Option<Values> {
    let Values::Numbers(numbers) = values else { return None };
    let first = numbers.iter().flatten().next()?;
    let second = numbers.iter().flatten().find(|value| *value != first)?;
    let (low, high) = (first.min(*second), first.max(*second));
    let known = numbers.iter().flatten().count();
    let two = known > 2 && numbers.iter().flatten().all(|value| *value == low || *value == high);
    let codes = || numbers.iter().map(|value| value.map(|value| usize::from(value == high))).collect();
    two.then(|| Values::Levels { levels: vec![low.to_string(), high.to_string()], codes: codes() })
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
    by: &Expansion,
    params: &logistic::Params,
) -> Result<Regressed, Error> {
    are_predictors(terms, &[&event.column], "term")?;
    let known = event.of(&read.table)?;
    let (encoded, notes) = encoded(read, terms, references, &known, "odds ratio")?;
    let event: Vec<bool> = encoded.kept.iter().filter_map(|&row| known[row]).collect();
    let expanded = expand(&encoded, by).map_err(|why| Error::Request(why.to_string()))?;
    let regression = Regression::expanded(&expanded, &event, params)?;
    Ok(Regressed { regression, encoded: expanded.encoded, event, notes })
}

/// A model with the design that it was fitted on.
pub struct Regressed {
    pub regression: Regression,
    pub encoded: Encoded,
    pub event: Vec<bool>,
    pub notes: Vec<String>,
}

/// The terms over the rows that are complete in them and in `known`, and what the reader must know of them. `ratio` is
/// what the model's estimates are.
pub(super) fn encoded(
    read: &Read,
    terms: &[String],
    references: &[(String, String)],
    known: &[Option<bool>],
    ratio: &str,
) -> Result<(Encoded, Vec<String>), Error> {
    if let Some((column, _)) = references.iter().find(|(column, _)| !terms.contains(column)) {
        return Err(Error::Request(format!("a reference level was given for {column}, which is no term")));
    }
    let names: Vec<&str> = terms.iter().map(String::as_str).collect();
    let references: Vec<(&str, &str)> =
        references.iter().map(|(column, level)| (column.as_str(), level.as_str())).collect();
    for name in &names {
        if let Values::Levels { codes, .. } = &read.table.column(name)?.values {
            let with = |row: &usize| known[*row].is_some();
            let present: BTreeSet<usize> = (0..codes.len()).filter(with).filter_map(|row| codes[row]).collect();
            let rows = (0..codes.len()).filter(with).filter(|&row| codes[row].is_some()).count();
            if too_many_levels(present.len(), rows) {
                let (column, levels) = ((*name).to_owned(), present.len());
                return Err(EncodeError::TooManyLevels { column, levels, rows }.into());
            }
        }
    }
    let encoded = encode(&read.table, &names, &references, known)?;
    for (column, level) in &references {
        let used = encoded.variables.iter().find(|variable| variable.name == *column);
        if used.is_some_and(|variable| variable.reference.as_deref() != Some(*level)) {
            return Err(Error::Request(format!(
                "--reference {column}={level}: no row that is complete in all terms has this level"
            )));
        }
    }
    let mut notes = read.notes.clone();
    let left_out = known.len() - encoded.kept.len();
    if left_out > 0 {
        notes.push(format!("{left_out} incomplete rows were left out"));
    }
    for variable in &encoded.variables {
        if let Some(reference) = &variable.reference {
            notes.push(format!("{}: reference level {reference}", variable.name));
        }
        if let Some([low, high]) = two_numbers(&read.table.column(&variable.name)?.values, &encoded.kept) {
            notes.push(format!(
                "{}: two values, {low} and {high}; the {ratio} is that of one unit, --categorical compares the two",
                variable.name
            ));
        }
    }
    Ok((encoded, notes))
}

/// The two values of a column of numbers that are not one unit apart.
fn two_numbers(values: &Values, rows: &[usize]) -> Option<[f64; 2]> {
    let Values::Numbers(numbers) = values else { return None };
    let known = || rows.iter().filter_map(|&row| numbers[row]);
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    let two = rows.len() > 2 && low < high && high - low != 1.0 && known().all(|value| value == low || value == high);
    two.then_some([low, high])
}

/// The discrimination of scores, over the rows that are complete in all of them.
pub fn discriminate(
    read: &Read,
    event: &Event,
    names: &[String],
    how: &HowScored,
    job: &Job,
) -> Result<(Discrimination, Vec<String>), Error> {
    are_predictors(names, &[&event.column], "score")?;
    let known = event.of(&read.table)?;
    let columns = names.iter().map(|name| read.table.numbers(name)).collect::<Result<Vec<_>, _>>()?;
    let complete = |row: &usize| known[*row].is_some() && columns.iter().all(|column| column[*row].is_some());
    let rows: Vec<usize> = (0..known.len()).filter(complete).collect();
    let event: Vec<bool> = rows.iter().filter_map(|&row| known[row]).collect();
    let score = |(name, column): (&String, &&[Option<f64>])| {
        (name.clone(), rows.iter().filter_map(|&row| column[row]).collect::<Vec<f64>>())
    };
    let scores: Vec<_> = names.iter().zip(&columns).map(score).collect();
    let found = discrimination(&scores, &event, how, job)?;
    let events = event.iter().filter(|&&event| event).count();
    let found = found.ok_or(logistic::FitError::OneOutcome { n: event.len(), events })?;
    let mut notes = read.notes.clone();
    if rows.len() < known.len() {
        notes.push(format!("{} incomplete rows were left out", known.len() - rows.len()));
    }
    Ok((found, notes))
}
