//! The rules that raise queries by themselves: missing values and values outside their usual range.

use crate::protocol::variable::{Entry, Kind, VARIABLES};
use crate::store::{Patient, QuerySource, QueryState, Write};
use crate::study::Error;

/// Brings a patient's rule queries up to date: raises what is new, closes what no longer holds.
/// A query that a person answered or closed is not raised again.
pub fn apply(write: &Write, code: &str) -> Result<(), Error> {
    let patient = write.patient(code)?;
    let findings = findings(&patient);
    let queries = write.queries_of(patient.id)?;
    let of_rules = || queries.iter().filter(|query| query.source == QuerySource::Rule);
    for (field, text) in &findings {
        if !of_rules().any(|query| query.field == *field && query.text == *text && !query.resolved_by_rule()) {
            write.raise_query(patient.id, field, QuerySource::Rule, text)?;
        }
    }
    for query in of_rules().filter(|query| query.state == QueryState::Open) {
        if !findings.iter().any(|(field, text)| query.field == *field && query.text == *text) {
            write.resolve_query(query.id)?;
        }
    }
    Ok(())
}

/// Field and text of what a rule finds at an included patient.
fn findings(patient: &Patient) -> Vec<(&'static str, String)> {
    if !patient.included() {
        return Vec::new();
    }
    let finding = |(at, variable): (usize, &crate::protocol::variable::Variable)| match patient.entries[at] {
        None => Some((VARIABLES[at].name, "no value".to_owned())),
        Some(Entry::Number(value)) => match variable.kind {
            Kind::Number { usual: [low, high], .. } if !(low..=high).contains(&value) => {
                Some((VARIABLES[at].name, format!("{value} is outside the usual range {low} to {high}")))
            }
            _ => None,
        },
        Some(Entry::Level(_)) => None,
    };
    VARIABLES.iter().enumerate().filter_map(finding).collect()
}
