//! `osteon protocol`: presets and candidates.

use std::path::PathBuf;

use crate::cli::{Globals, Outcome, opening, output};
use osteon_radiomics::pyradiomics::Strictness;
use osteon_study::protocol::{Preset, Protocol, foreign};
use osteon_study::study::{self, Error};

/// Show a protocol, or check a candidate
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print the protocol in force, every key with its value; the preset `study` where there is no study file
    Show {
        /// A preset by name instead
        #[arg(long)]
        preset: Option<String>,
    },
    /// Put another protocol in force; earlier results keep theirs
    Use {
        file: PathBuf,
        /// Why; goes to the trail
        #[arg(long)]
        reason: String,
    },
    /// List every setting: what it means, its unit, what it takes, its default, and when it has a say
    Keys {
        /// Only the settings of this table or key, such as learn or select.mrmr
        key: Option<String>,
    },
    /// Print pyradiomics' parameter file (YAML or JSON) as a protocol over the preset pyradiomics; what has no counterpart
    /// is listed
    From {
        file: PathBuf,
        /// Leave out and list what of the file is not known, instead of refusing it
        #[arg(long)]
        lenient: bool,
    },
    /// Read a candidate; print its hash and which of its settings have no say, or what is wrong with it
    Check { file: PathBuf },
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    match &args.action {
        Action::Show { preset } => {
            let protocol = match preset {
                Some(name) => name.parse::<Preset>()?.protocol(),
                None if globals.study.exists() => opening::read(globals)?.protocol,
                None => Preset::Study.protocol(),
            };
            output::print(&protocol.to_toml())?;
        }
        Action::Use { file, reason } => {
            let hash = opening::write(globals)?.use_protocol(study::read_protocol(file)?, reason)?;
            output::say(globals, &format!("in force: {hash}"));
        }
        Action::Keys { key } => {
            output::print_sheet(&study::settings_sheet(key.as_deref())?, globals.format)?;
        }
        Action::From { file, lenient } => {
            let strictness = if *lenient { Strictness::Lenient } else { Strictness::Refuse };
            let parameters = study::read_parameters(file, strictness)?;
            let translated = foreign::translated(&parameters)?;
            let without = translated.without.iter().map(|what| format!("# no counterpart: {what}\n"));
            output::print(&format!("{}{}", without.collect::<String>(), translated.protocol.to_toml()))?;
            for what in &translated.without {
                output::warn(&format!("no counterpart: {what}"));
            }
            parameters.notes_of_regions().iter().for_each(|note| output::say(globals, &format!("note: {note}")));
        }
        Action::Check { file } => {
            let protocol: Protocol = study::read_protocol(file)?;
            output::print(&format!("{}\n", protocol.hash()))?;
            for (key, because) in study::settings_without_say(file)? {
                output::say(globals, &format!("note: {key} has no say: {because}"));
            }
        }
    }
    Ok(Outcome::Done)
}
