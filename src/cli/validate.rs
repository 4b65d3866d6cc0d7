//! `osteon validate`: a model file on patients that it was not learnt from.

use std::path::PathBuf;

use crate::cli::watch::watched;
use crate::cli::{Globals, Outcome, model, opening, output};
use osteon_study::model::read::Model;
use osteon_study::study::{self, Error, Updating, Who};

/// Apply a frozen model file to the patients of a study, or of a part of it, and judge it by their outcomes
///
/// The study is the one that --study names. Prints the case mix beside the training patients, discrimination with
/// intervals, calibration, net benefit with bands and DeLong's comparisons. What was looked at is recorded in the study's
/// trail; Tables 3 and 5, figures and the report have the cohort from then on. Patients that the model learnt from, excluded
/// ones and those without an outcome are left out and counted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A model file
    model: PathBuf,
    /// What the cohort is called in tables, figures and the trail; after --where when not given
    #[arg(long, value_name = "NAME")]
    cohort: Option<String>,
    /// Only patients who pass a filter, such as 'centre = "B"'
    #[arg(long = "where", value_name = "FILTER")]
    filter: Option<String>,
    /// Only patients whose id stands in the first column of a file
    #[arg(long, value_name = "FILE")]
    ids: Option<PathBuf>,
    /// Another model file to compare with, on the same patients; may be repeated
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Update the model by the cohort and write it as a model file of its own: in-the-large (another intercept), slope
    /// (intercept and slope), or batch (a harmonized model learns the cohort's scanners or centres from their features, and
    /// is then judged)
    #[arg(long, value_enum, value_name = "HOW", requires = "output")]
    update: Option<How>,
    /// Where to write the updated model file
    #[arg(short, long, value_name = "FILE", requires = "update")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum How {
    InTheLarge,
    Slope,
    Batch,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let models = std::iter::once(&args.model).chain(&args.against);
    let mut models = models.map(|path| study::read_model(path)).collect::<Result<Vec<_>, _>>()?;
    let study = opening::write(globals)?;
    let who = Who { name: args.cohort.clone(), filter: args.filter.clone(), ids: args.ids.clone() };
    let parent = models[0].file.sha256.clone();
    if args.update == Some(How::Batch) {
        let file = watched(globals, |job| study.with_batches(&models[0], &who, job))?;
        models[0] = Model::of(file)?;
    }
    let validated = watched(globals, |job| study.validate(&models, &who, job))?;
    output::print_sheets(&validated.sheets, globals.format)?;
    for note in &validated.notes {
        output::say(globals, note);
    }
    if let (Some(how), Some(path)) = (args.update, &args.output) {
        let file = match how {
            How::InTheLarge => study::updated(&models[0], Updating::InTheLarge, &validated)?,
            How::Slope => study::updated(&models[0], Updating::Slope, &validated)?,
            How::Batch => models[0].file.clone(),
        };
        model::put(path, file.to_text().as_bytes())?;
        output::say(globals, &format!("{}: model {}, updated from {}", path.display(), file.sha256, parent));
    }
    Ok(Outcome::Done)
}
