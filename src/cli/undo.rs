//! `osteon undo`: a patient's last change, or an import as a whole, turned back.

use crate::cli::{Globals, Outcome, opening, output};
use osteon_base::text::counted;
use osteon_study::study::Error;

/// Turn back a patient's last change, or an import as a whole; the turning back is a change too
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The patient whose last change is turned back
    #[arg(required_unless_present = "import", conflicts_with = "import")]
    id: Option<String>,
    /// The import to turn back, as osteon import list numbers it; without a number the last one in force
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "last", value_parser = number)]
    import: Option<Which>,
    /// Why; goes to the trail
    #[arg(long)]
    reason: String,
}

/// Which import.
#[derive(Clone, Copy, Debug)]
enum Which {
    Last,
    Number(i64),
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::write(globals)?;
    let Some(which) = args.import else {
        let id = args.id.as_deref().unwrap_or_default();
        let said = study.undo(id, &args.reason, None)?;
        output::say(globals, &format!("{id}: {said}"));
        return Ok(Outcome::Done);
    };
    let number = match which {
        Which::Last => None,
        Which::Number(number) => Some(number),
    };
    let done = study.undo_import(number, &args.reason)?;
    output::say(
        globals,
        &format!(
            "import {}: {} {} as before, {} excluded",
            done.import,
            counted(done.values, "value"),
            if done.values == 1 { "is" } else { "are" },
            counted(done.excluded, "patient")
        ),
    );
    if let Some(entry) = done.entry {
        output::say(globals, &format!("entry {entry}: osteon undo --import {entry} --reason TEXT brings it all back"));
    }
    Ok(Outcome::Done)
}

fn number(text: &str) -> Result<Which, String> {
    match text {
        "last" => Ok(Which::Last),
        _ => text.parse().map(Which::Number).map_err(|_| "expected the number of an import".to_owned()),
    }
}
