//! `osteon query`: questions about a patient's field.

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::Error;
use osteon_study::study::QueryId;

/// Ask, answer and close questions about patients' fields
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List the queries that are not closed
    List {
        /// The closed ones too
        #[arg(long)]
        all: bool,
    },
    /// Ask about a field of a patient
    Raise { id: String, field: String, text: String },
    /// Answer an open query
    Answer { query: i64, text: String },
    /// Close a query
    Close {
        query: i64,
        /// Why; goes to the trail
        #[arg(long)]
        reason: String,
    },
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    match &args.action {
        Action::List { all } => {
            output::print_sheet(&opening::read(globals)?.queries_sheet(*all)?, globals.format)?;
        }
        Action::Raise { id, field, text } => {
            let study = opening::write(globals)?;
            let query = study.raise_query(id, field, text)?;
            // The number of one that is hidden tells how many there are.
            let number = if study.may_see(field) { format!(" {}", query.0) } else { " is raised".to_owned() };
            output::say(globals, &format!("query{number}"));
        }
        Action::Answer { query, text } => opening::write(globals)?.answer_query(QueryId(*query), text)?,
        Action::Close { query, reason } => opening::write(globals)?.close_query(QueryId(*query), reason)?,
    }
    Ok(Outcome::Done)
}
