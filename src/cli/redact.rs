//! `osteon redact` and `osteon withdraw`: what has to leave the file for good.

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::{Error, Redaction, Withdrawal};

/// Take a value, or written reasons, out of the study file for good
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The value goes from the patient, from queries and from every change of the trail; the file is written \
                  anew, so that it is in no free page either. The trail goes on: who changed what and when stays, the \
                  change is marked, and osteon verify passes. Backups, exports and reports made before still hold it; \
                  study files in the same folder are named."
)]
pub struct RedactArgs {
    /// The patient
    #[arg(required_unless_present = "change", conflicts_with = "change")]
    id: Option<String>,
    /// The variable; or the word reasons, for all reasons that were given for this patient
    #[arg(required_unless_present = "change", conflicts_with = "change")]
    field: Option<String>,
    /// Instead, the reason of this change and of all made for the same one
    #[arg(long, value_name = "N")]
    change: Option<i64>,
    /// Why; goes to the trail, and should not repeat what is taken out
    #[arg(long)]
    reason: String,
}

/// Exclude a patient who withdrew consent, and keep or erase what is known of them
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("how").required(true))]
pub struct WithdrawArgs {
    /// The patient
    id: String,
    /// Keep what was collected so far
    #[arg(long, group = "how")]
    keep: bool,
    /// Erase values, queries, links to files and features, in the trail too
    #[arg(long, group = "how")]
    erase: bool,
    /// Why; goes to the trail
    #[arg(long)]
    reason: String,
}

pub fn redact(args: &RedactArgs, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::write(globals)?;
    let done = match (args.change, &args.id, &args.field) {
        (Some(change), ..) => study.redact_reason(change, &args.reason)?,
        (None, Some(id), Some(field)) => study.redact(id, field, &args.reason)?,
        _ => return Err(Error::Request("a patient and a field, or --change N, is needed".to_owned())),
    };
    Ok(tell(&done, globals))
}

pub fn withdraw(args: &WithdrawArgs, globals: &Globals) -> Result<Outcome, Error> {
    let how = if args.erase { Withdrawal::Erase } else { Withdrawal::Keep };
    let done = opening::write(globals)?.withdraw(&args.id, how, &args.reason)?;
    output::say(globals, &format!("{}: excluded, consent withdrawn", args.id));
    if args.erase {
        return Ok(tell(&done, globals));
    }
    Ok(Outcome::Done)
}

/// Says what was done; a negative answer while the file still holds it.
fn tell(done: &Redaction, globals: &Globals) -> Outcome {
    let Redaction { values, queries, files, verdicts, results, links, .. } = done;
    let counts = format!(
        ": {values} values, {queries} queries, {files} linked files, {verdicts} verdicts, {results} results of extraction; \
         {links} changes of the trail lost their text"
    );
    output::say(globals, &format!("taken out{}", if done.is_told { counts.as_str() } else { "" }));
    done.stays.iter().for_each(|it| output::say(globals, &format!("stays: {it}")));
    for copy in &done.copies {
        output::warn(&format!("{}: a study file that may still hold it; delete it if so", copy.display()));
    }
    output::warn("backups, exports and reports made before are not reached from here");
    if done.is_pending {
        output::warn(
            "another program reads the study: its file holds the old pages until that ends; then repeat this command",
        );
        return Outcome::SomeFailed;
    }
    Outcome::Done
}
