//! `osteon log`: the trail.

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::ChangeFilter;
use osteon_study::study::Error;

/// Show who changed what, when and why, newest first
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only changes of this patient
    id: Option<String>,
    /// Only changes by this person
    #[arg(long)]
    actor: Option<String>,
    /// Only changes of this field
    #[arg(long)]
    field: Option<String>,
    /// At most so many; 0 is all
    #[arg(long, short = 'n', default_value_t = 50)]
    limit: usize,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let filter = ChangeFilter {
        row: text(&args.id),
        actor: text(&args.actor),
        field: text(&args.field),
        before: 0,
        limit: args.limit,
    };
    let study = opening::read(globals)?;
    let sheet = study.trail_sheet(&filter)?;
    // An id that nothing was ever written of is a typing error.
    if sheet.rows.is_empty() && !filter.row.is_empty() && filter.actor.is_empty() && filter.field.is_empty() {
        return Err(Error::Request(format!(
            "the trail has nothing of {}: no patient, run or study of that name",
            filter.row
        )));
    }
    output::print_sheet(&sheet, globals.format)?;
    Ok(Outcome::Done)
}
