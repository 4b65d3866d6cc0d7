//! `osteon init`.

use std::path::PathBuf;

use crate::cli::{Globals, Outcome, output};
use osteon_study::protocol::Preset;
use osteon_study::study::Group;
use osteon_study::study::{self, Error, Study, propose_protocol};

/// Make a new study file
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the study is called in tables and screens
    #[arg(long, default_value = "Osteosarcoma study")]
    title: String,
    /// The protocol to follow; the preset `study` when not given
    #[arg(long, value_name = "FILE")]
    protocol: Option<PathBuf>,
    /// The preset to follow
    #[arg(long, value_name = "NAME", conflicts_with = "protocol")]
    preset: Option<String>,
    /// Make no study yet: propose a codebook from this clinical file (CSV or XLSX) and write it as a protocol beside the
    /// study file, to be read and edited
    #[arg(long, value_name = "FILE", conflicts_with = "protocol")]
    from: Option<PathBuf>,
    /// Share the study with the members of this group of the machine: its file is for owner and group (mode 660), and
    /// its folder gets the group and the setgid bit, so that logs and copies are the group's too
    #[arg(long, value_name = "GROUP", conflicts_with = "from")]
    group: Option<String>,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    if let Some(file) = &args.from {
        let (to, n, notes) = propose_protocol(file, &globals.study.with_extension("toml"))?;
        notes.iter().for_each(|note| output::say(globals, &format!("note: {note}")));
        let to = to.display();
        output::say(globals, &format!("{to}: {n} variables proposed; edit it, then: osteon init --protocol {to}"));
        return Ok(Outcome::Done);
    }
    let protocol = match (&args.protocol, &args.preset) {
        (Some(file), _) => study::read_protocol(file)?,
        (None, Some(name)) => name.parse::<Preset>()?.protocol(),
        (None, None) => Preset::Study.protocol(),
    };
    let group = args.group.as_deref().map(Group::named).transpose().map_err(Error::Store)?;
    let study = Study::create(&globals.study, &args.title, protocol)?;
    output::say(globals, &format!("{}: a new study, protocol {}", globals.study.display(), study.protocol.hash()));
    if let Some(group) = group {
        let folder = group.share(&globals.study).map_err(Error::Store)?;
        let (name, file, folder) = (&group.name, globals.study.display(), folder.display());
        output::say(globals, &format!("{file}: shared with group {name}; {folder}: new files are the group's"));
    }
    Ok(Outcome::Done)
}
