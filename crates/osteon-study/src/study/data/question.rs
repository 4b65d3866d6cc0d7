//! Queries about a patient's field, raised and answered by people.

use crate::report::sheet::{Cell, Sheet};
use crate::store::{Change, ChangeFilter, Link, Query, QueryId, QuerySource, QueryState};
use crate::study::data::edit::required;
use crate::study::{Error, Study};

impl Study {
    /// Asks about a field of a patient.
    pub fn raise_query(&self, code: &str, name: &str, text: &str) -> Result<QueryId, Error> {
        let (text, name) = (required(text)?, &self.variable_to_write(name)?.name);
        Ok(self
            .store
            .write("a query", |write| write.raise_query(write.patient(code)?.id, name, QuerySource::Person, &text))?)
    }

    /// Answers an open query.
    pub fn answer_query(&self, id: QueryId, answer: &str) -> Result<(), Error> {
        let answer = required(answer)?;
        Ok(self.store.write("an answer", |write| write.answer_query(id, &answer))?)
    }

    /// Closes a query.
    pub fn close_query(&self, id: QueryId, reason: &str) -> Result<(), Error> {
        Ok(self.store.write(&required(reason)?, |write| write.close_query(id))?)
    }

    /// All queries that are not closed, or all there ever were.
    pub fn queries_sheet(&self, closed: bool) -> Result<Sheet, Error> {
        let patients = self.store.patients()?;
        let code = |id| patients.iter().find(|patient| patient.id == id).map_or("", |patient| patient.code.as_str());
        let shown =
            |query: &crate::store::Query| (closed || query.state != QueryState::Closed) && self.may_see(&query.field);
        let changes = self.store.changes(&ChangeFilter::default())?;
        let queries: Vec<_> = self.store.queries()?.into_iter().filter(shown).collect();
        let open = queries.iter().filter(|query| query.state == QueryState::Open).count();
        let row = |query: &crate::store::Query| {
            let cells = [code(query.patient), &query.field, query.state.name(), &query.text];
            let number = Cell::Count(usize::try_from(query.id.0).unwrap_or(0));
            let answer = query.answer.clone().map_or(Cell::Empty, Cell::Text);
            let raised = raised(&changes, code(query.patient), query);
            [number]
                .into_iter()
                .chain(cells.map(|text| Cell::Text(text.to_owned())))
                .chain([answer])
                .chain(raised)
                .collect()
        };
        Ok(Sheet {
            title: "Queries".to_owned(),
            headings: ["query", "patient", "field", "state", "text", "answer", "raised by", "raised at"]
                .map(str::to_owned)
                .to_vec(),
            rows: queries.iter().map(row).collect(),
            notes: vec![match queries.len() {
                0 => "no query waits for an answer or to be closed".to_owned(),
                _ => format!("{open} open"),
            }],
            provenance: self.provenance()?,
        })
    }
}

/// Who raised a query, and when, as the trail says.
fn raised(changes: &[Change], code: &str, query: &Query) -> [Cell; 2] {
    let source = if query.source == QuerySource::Rule { "rule" } else { "person" };
    let told = format!("{source}: {}", query.text);
    let of = |change: &&Change| {
        change.table == "query"
            && change.row == code
            && Link::of(&change.field).name == query.field
            && Link::of(&change.field).what.is_none()
            && Link::of(&change.field).id.is_none_or(|id| id == query.id.0)
            && change.new.as_ref() == Some(&told)
    };
    match changes.iter().find(of) {
        Some(change) => [Cell::Text(change.actor.clone()), Cell::Text(change.at.clone())],
        None => [Cell::Empty, Cell::Empty],
    }
}
