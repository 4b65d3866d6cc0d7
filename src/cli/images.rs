//! Linked images and masks as files.

use std::path::PathBuf;

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::Error;

/// Tell the study where its images and masks are now
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Link the files below one folder at the same paths below another, where a store of images moved. Each file must
    /// have the hash of the one that was imported; one that has not, or is missing, and nothing changes
    Relocate {
        /// The folder, as it was
        old: PathBuf,
        /// The folder where the files are now
        new: PathBuf,
    },
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let What::Relocate { old, new } = &args.what;
    let report = opening::write(globals)?.relocate_images(old, new)?;
    for (path, why) in &report.refused {
        output::warn(&format!("{}: {why}", path.display()));
    }
    let (files, refused) = (report.files, report.refused.len());
    if refused > 0 {
        return Err(Error::Request(format!("{refused} of {files} files refused, nothing was changed")));
    }
    let other = match report.other {
        0 => String::new(),
        n => format!(", {n} files elsewhere stay as they are"),
    };
    output::say(globals, &format!("{files} files relocated{other}"));
    Ok(Outcome::Done)
}
