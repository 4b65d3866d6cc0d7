//! `osteon edit`, `osteon exclude`, `osteon include`: changes of one patient, each with its reason.

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::{Edit, Error};

/// Set fields of a patient; an empty value clears a field
#[derive(Debug, clap::Args)]
pub struct EditArgs {
    /// The patient
    id: String,
    /// Fields and their new values
    #[arg(required = true, value_name = "FIELD=VALUE", value_parser = assignment)]
    edits: Vec<Edit>,
    /// Why; goes to the trail
    #[arg(long)]
    reason: String,
    /// The version that was looked at; refused when the patient was changed since
    #[arg(long, value_name = "N")]
    version: Option<i64>,
}

/// Take a patient out of the study; nothing is deleted
#[derive(Debug, clap::Args)]
pub struct ExcludeArgs {
    /// The patient
    id: String,
    /// Why; goes to the trail and to the inclusion flow
    #[arg(long)]
    reason: String,
}

/// Take an excluded patient back
#[derive(Debug, clap::Args)]
pub struct IncludeArgs {
    /// The patient
    id: String,
    /// Why; goes to the trail
    #[arg(long)]
    reason: String,
}

pub fn edit(args: &EditArgs, globals: &Globals) -> Result<Outcome, Error> {
    let cleared = opening::write(globals)?.edit(&args.id, &args.edits, &args.reason, args.version)?;
    let without = if cleared.is_empty() { String::new() } else { format!("; now missing: {}", cleared.join(", ")) };
    output::say(globals, &format!("{}: changed{without}", args.id));
    Ok(Outcome::Done)
}

pub fn exclude(args: &ExcludeArgs, globals: &Globals) -> Result<Outcome, Error> {
    opening::write(globals)?.exclude(&args.id, &args.reason)?;
    output::say(globals, &format!("{}: excluded", args.id));
    Ok(Outcome::Done)
}

pub fn include(args: &IncludeArgs, globals: &Globals) -> Result<Outcome, Error> {
    opening::write(globals)?.include(&args.id, &args.reason)?;
    output::say(globals, &format!("{}: included", args.id));
    Ok(Outcome::Done)
}

fn assignment(text: &str) -> Result<Edit, String> {
    let (field, value) = text.split_once('=').ok_or("expected FIELD=VALUE")?;
    Ok(Edit { field: field.trim().to_owned(), value: value.trim().to_owned() })
}
