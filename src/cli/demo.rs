//! `osteon demo`: a synthetic study from nothing.

use std::io::IsTerminal;
use std::path::PathBuf;

use crate::cli::watch::watched;
use crate::cli::{Globals, Outcome, dashboard, extract, fit, output};
use osteon_study::study::{ClinicalTable, Error, ModelTable, Study};

/// Make a synthetic study of 93 artificial patients with images, and run everything on it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder to make it in
    #[arg(default_value = "osteon-demo")]
    dir: PathBuf,
    /// Do not open the dashboard at the end
    #[arg(long)]
    no_dashboard: bool,
}

impl Args {
    /// The demonstration in a folder, and its dashboard.
    pub fn new(dir: PathBuf) -> Args {
        Args { dir, no_dashboard: false }
    }
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let (study, report, fitted) = watched(globals, |job| {
        let study = Study::demo(&args.dir, job)?;
        let report = study.extract_all(job)?;
        let fitted = if study.has_models()? { None } else { Some(study.fit(job)?) };
        Ok::<_, Error>((study, report, fitted))
    })?;
    let outcome = extract::tell(&report, globals);
    for table in [ClinicalTable::One, ClinicalTable::Two, ClinicalTable::Four] {
        output::print_sheet(&study.clinical_table(table, &study.protocol)?.0, globals.format)?;
    }
    if let Some(fitted) = &fitted {
        fit::tell(fitted, globals);
    }
    for table in [ModelTable::Three, ModelTable::Five] {
        output::print_sheet(&study.model_table(table)?, globals.format)?;
    }
    output::say(globals, &format!("the synthetic study: {}", study.path().display()));
    if !args.no_dashboard && std::io::stdout().is_terminal() && std::io::stdin().is_terminal() {
        dashboard::open(&study, &dashboard::Args::default(), globals)?;
    }
    Ok(outcome)
}
