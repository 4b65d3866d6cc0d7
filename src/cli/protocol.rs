//! `osteon protocol`: presets and candidates.

use std::path::PathBuf;

use crate::cli::{Globals, Outcome, output};
use crate::protocol::Protocol;
use crate::study::{self, Error};

/// Show a protocol, or check a candidate
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print a protocol, every key with its value
    Show {
        /// A preset by name
        #[arg(long, default_value = "study")]
        preset: String,
    },
    /// Read a candidate; print its hash, or what is wrong with it
    Check { file: PathBuf },
}

pub fn run(args: &Args, _globals: &Globals) -> Result<Outcome, Error> {
    match &args.action {
        Action::Show { preset } => {
            let protocol = preset.parse::<crate::protocol::Preset>()?.protocol();
            output::print(&protocol.to_toml())?;
        }
        Action::Check { file } => {
            let protocol: Protocol = study::read_protocol(file)?;
            output::print(&format!("{}\n", protocol.hash()))?;
        }
    }
    Ok(Outcome::Done)
}
