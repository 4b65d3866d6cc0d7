//! `osteon init`.

use std::path::PathBuf;

use crate::cli::{Globals, Outcome, output};
use osteon_study::protocol::Preset;
use osteon_study::study::{self, Error, Study};

/// Make a new study file
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the study is called in tables and screens
    #[arg(long, default_value = "Osteosarcoma study")]
    title: String,
    /// The protocol to follow; the preset `study` when not given
    #[arg(long, value_name = "FILE")]
    protocol: Option<PathBuf>,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let protocol = match &args.protocol {
        Some(file) => study::read_protocol(file)?,
        None => Preset::Study.protocol(),
    };
    let study = Study::create(&globals.study, &args.title, protocol)?;
    output::say(globals, &format!("{}: a new study, protocol {}", globals.study.display(), study.protocol.hash()));
    Ok(Outcome::Done)
}
