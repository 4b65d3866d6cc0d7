//! The protocol's rules that raise queries by themselves.

use crate::protocol::Protocol;
use crate::store::{QuerySource, QueryState, Write};
use crate::study::Error;

/// Brings a patient's rule queries up to date: raises what is new, closes what no longer holds.
/// A query that a person answered or closed is not raised again.
pub fn apply(write: &Write, protocol: &Protocol, code: &str) -> Result<(), Error> {
    let patient = write.patient(code)?;
    let findings =
        if patient.included() { protocol.query.broken(&protocol.codebook, &patient.entries) } else { Vec::new() };
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
