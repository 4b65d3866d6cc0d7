//! `osteon init`.

use std::path::{Path, PathBuf};

use crate::cli::{Globals, Outcome, output};
use osteon_study::protocol::Preset;
use osteon_study::study::{self, Error, Study, propose_codebook, write_whole};

/// Make a new study file
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the study is called in tables and screens
    #[arg(long, default_value = "Osteosarcoma study")]
    title: String,
    /// The protocol to follow; the preset `study` when not given
    #[arg(long, value_name = "FILE")]
    protocol: Option<PathBuf>,
    /// Make no study yet: propose a codebook from this clinical file (CSV or XLSX) and write it as a protocol beside the
    /// study file, to be read and edited
    #[arg(long, value_name = "FILE", conflicts_with = "protocol")]
    from: Option<PathBuf>,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    if let Some(file) = &args.from {
        return propose(file, globals);
    }
    let protocol = match &args.protocol {
        Some(file) => study::read_protocol(file)?,
        None => Preset::Study.protocol(),
    };
    let study = Study::create(&globals.study, &args.title, protocol)?;
    output::say(globals, &format!("{}: a new study, protocol {}", globals.study.display(), study.protocol.hash()));
    Ok(Outcome::Done)
}

/// Writes what a file seems to hold as a protocol, with what should be looked at above it.
fn propose(file: &Path, globals: &Globals) -> Result<Outcome, Error> {
    let to = globals.study.with_extension("toml");
    if to.exists() {
        return Err(Error::Request(format!("{} is there already; rename it first", to.display())));
    }
    let found = propose_codebook(file)?;
    let mut text = format!(
        "# Proposed from {}; patients are named by its column {}. Read every line before it is used.\n",
        file.display(),
        found.id
    );
    found.notes.iter().for_each(|note| text.push_str(&format!("# {}\n", note.replace('\n', " "))));
    if found.codebook.outcomes.is_empty() {
        text.push_str(
            "# No outcome is declared yet, such as: [outcome] name = \"response\", event = \"necrosis_pct < 90\"\n",
        );
    }
    text.push_str(&format!("codebook = \"none\"\n\n{}", found.codebook.to_toml()));
    write_whole(&to, text.as_bytes()).map_err(|source| Error::File { path: to.clone(), source })?;
    found.notes.iter().for_each(|note| output::say(globals, &format!("note: {note}")));
    let (to, n) = (to.display(), found.codebook.variables.len());
    output::say(globals, &format!("{to}: {n} variables proposed; edit it, then: osteon init --protocol {to}"));
    Ok(Outcome::Done)
}
