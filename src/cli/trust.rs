//! `osteon lock`, `unlock`, `verify`, `backup`, `restore`: what keeps a study trustworthy.

use std::path::PathBuf;

use crate::cli::watch::watched;
use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::{self, Error};

/// Freeze clinical data and images, or the split
#[derive(Debug, clap::Args)]
pub struct LockArgs {
    /// Why; goes to the trail
    #[arg(long)]
    reason: String,
    /// The split in force instead of clinical data and images
    #[arg(long)]
    split: bool,
    /// The protocol in force, as the analysis plan: it cannot be changed until it is unlocked, and the trail and the report
    /// tell both
    #[arg(long, conflicts_with = "split")]
    protocol: bool,
}

/// Let what was frozen be changed again
#[derive(Debug, clap::Args)]
pub struct UnlockArgs {
    /// Why; goes to the trail
    #[arg(long)]
    reason: String,
    /// The split in force instead of clinical data and images
    #[arg(long)]
    split: bool,
    /// The protocol; what is changed then is named as changed after the lock
    #[arg(long, conflicts_with = "split")]
    protocol: bool,
}

/// Check file, trail, images on disk, and results against their inputs
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A copy that cp made while the study was open lacks the changes in the log beside it, and looks well: \
                  nothing in it tells. osteon backup makes copies that are whole; --expect-head tells whether a change \
                  that you noted is there."
)]
pub struct VerifyArgs {
    /// A trail head noted earlier, which the trail must still hold
    #[arg(long, value_name = "HASH")]
    expect_head: Option<String>,
}

/// Copy the study to a new file, checked and whole, while others go on working
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    file: PathBuf,
}

/// Put a backup in the place of a study file that is not there
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    file: PathBuf,
    /// Only check that the backup is whole
    #[arg(long)]
    check: bool,
}

pub fn lock(args: &LockArgs, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::write(globals)?;
    if args.protocol {
        study.lock_plan(&args.reason)?
    } else if args.split {
        study.lock_split(&args.reason)?
    } else {
        study.lock(&args.reason)?
    }
    output::say(globals, "locked");
    Ok(Outcome::Done)
}

pub fn unlock(args: &UnlockArgs, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::write(globals)?;
    if args.protocol {
        study.unlock_plan(&args.reason)?
    } else if args.split {
        study.unlock_split(&args.reason)?
    } else {
        study.unlock(&args.reason)?
    }
    output::say(globals, "unlocked");
    Ok(Outcome::Done)
}

pub fn verify(args: &VerifyArgs, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::read(globals)?;
    let found = watched(globals, |job| study.verify(args.expect_head.as_deref(), job))?;
    output::print(&format!("{}\n", found.head))?;
    found.notes.iter().for_each(|note| output::say(globals, &format!("note: {note}")));
    found.findings.iter().for_each(|finding| output::warn(finding));
    let study::Verification { changes, images, regions, findings, .. } = &found;
    if findings.is_empty() {
        output::say(globals, &format!("all is well: {changes} changes, {images} image files, {regions} results"));
        return Ok(Outcome::Done);
    }
    Err(Error::NotVerified(findings.len()))
}

pub fn backup(args: &BackupArgs, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::read(globals)?;
    tell_dropped(&study.backup(&args.file)?);
    output::say(globals, &format!("{}: written and checked", args.file.display()));
    Ok(Outcome::Done)
}

pub fn restore(args: &RestoreArgs, globals: &Globals) -> Result<Outcome, Error> {
    if args.check {
        let head = study::check_backup(&args.file)?;
        output::say(globals, &format!("{}: whole, head {head}", args.file.display()));
    } else {
        tell_dropped(&study::restore(&args.file, &globals.study)?);
        output::say(globals, &format!("{}: restored", globals.study.display()));
    }
    Ok(Outcome::Done)
}

/// Names what a copy left behind.
fn tell_dropped(names: &[String]) {
    names.iter().for_each(|name| output::warn(&format!("{name}: no part of the schema, left out of the copy")));
}
