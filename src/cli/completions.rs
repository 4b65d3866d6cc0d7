//! `osteon completions SHELL`.

use clap_complete::Shell;

use crate::cli::{Outcome, output};
use osteon_study::study::Error;

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut crate::cli::definition(), "osteon", &mut text);
    output::print(&String::from_utf8_lossy(&text))?;
    Ok(Outcome::Done)
}
