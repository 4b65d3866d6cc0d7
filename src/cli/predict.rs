//! `osteon predict`: the nomogram as a command, and a model file on an image and its mask.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cli::watch::watched;
use crate::cli::{Format, Globals, Outcome, opening, output};
use osteon_radiomics::read::Label;
use osteon_study::model::ModelError;
use osteon_study::study::{self, Error, Files};

/// Points and probability of a patient of the study; or, with --model, of any image and mask without a study file
///
/// Without --model: one id, values by --set, and the combined model of the study's newest fit. With --model: IMAGE and
/// MASK are measured as the model asks; the probability comes with its interval, points, SHAP values, warnings for
/// inputs outside the training range and the distance to the training patients. Research use only.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A patient of the study; with --model, an image and a mask, or SLOT=IMAGE SLOT=MASK for a model of several images
    #[arg(value_name = "ID | IMAGE MASK", num_args = 0..)]
    target: Vec<PathBuf>,
    /// A value, such as alp=300, pathological_fracture=yes or rad_score=0.4; it replaces the patient's
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// A model file; no study is opened
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// A table with one patient a row: Image, Mask, Label and the model's clinical inputs; paths are relative to it
    #[arg(long, value_name = "CSV", requires = "model", conflicts_with_all = ["target", "set"])]
    batch: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

/// How an image and a mask are read, as in `osteon features`.
#[derive(Debug, clap::Args)]
struct Reading {
    /// Label of the mask, where it has several; all is their union
    #[arg(long, value_name = "N|all", allow_negative_numbers = true, requires = "model")]
    label: Option<Label>,
    /// Which series, where the folder or archive holds several: number in the list, description or UID
    #[arg(long, value_name = "SERIES", requires = "model")]
    series: Option<String>,
    /// Which structure of the contours or the segmentation, by name
    #[arg(long, value_name = "NAME", requires = "model")]
    structure: Option<String>,
    /// Put a mask of another grid on the image's: nearest
    #[arg(long, value_name = "HOW", requires = "model")]
    resample_mask: Option<String>,
    /// Measure a region of which a part lies outside the image: accept
    #[arg(long, value_name = "HOW", requires = "model")]
    cut: Option<String>,
    /// Interpolate even slices where those of a series lie unevenly: resample
    #[arg(long, value_name = "HOW", requires = "model")]
    uneven: Option<String>,
    /// Take contours or a segmentation drawn in another frame of reference than the image's
    #[arg(long, requires = "model")]
    other_frame: bool,
}

impl Reading {
    fn assignments(&self) -> Vec<String> {
        let other_frame = self.other_frame.then(|| "accept".to_owned());
        let given = [
            ("mask.resample", &self.resample_mask),
            ("mask.cut", &self.cut),
            ("mask.other_frame", &other_frame),
            ("mask.uneven", &self.uneven),
        ];
        given.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_ref()?))).collect()
    }
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    opening::needs_sight(globals)?;
    match (&args.model, &args.batch) {
        (None, _) => of_study(args, globals),
        (Some(model), None) => of_files(args, model, globals),
        (Some(model), Some(table)) => of_table(args, model, table, globals),
    }
}

fn of_study(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    if args.target.len() > 1 {
        let why = "an image and a mask need a model: --model FILE; without one, give one patient's id";
        return Err(Error::Request(why.to_owned()));
    }
    let code = args.target.first().map(|code| code.to_string_lossy().into_owned());
    let study = opening::read(globals)?;
    output::print_sheet(&study.predict(code.as_deref(), &args.set)?, globals.format)?;
    Ok(Outcome::Done)
}

fn of_files(args: &Args, path: &std::path::Path, globals: &Globals) -> Result<Outcome, Error> {
    let model = study::read_model(path)?;
    let given = model.given(&args.set)?;
    let slots = pairs(&model.file.rad_slots(), &args.target)?;
    let files = (!slots.is_empty()).then(|| Files {
        slots,
        series: args.reading.series.clone(),
        structure: args.reading.structure.clone(),
        label: args.reading.label.unwrap_or(Label::Only),
        reading: args.reading.assignments(),
    });
    let predicted = watched(globals, |job| study::predict_files(&model, files.as_ref(), &given, job))?;
    if globals.format == Format::Json {
        output::print_json(&study::prediction_json(&model, &predicted, &given))?;
    } else {
        output::print_sheets(&study::prediction_sheets(&model, "Prediction", &predicted), globals.format)?;
    }
    Ok(Outcome::Done)
}

/// Image and mask of each slot, from `SLOT=FILE` words or two bare paths.
fn pairs(wanted: &[&str], words: &[PathBuf]) -> Result<BTreeMap<String, [PathBuf; 2]>, Error> {
    let mut found: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for word in words {
        let text = word.to_string_lossy();
        let named = text.split_once('=').filter(|(slot, _)| wanted.contains(slot) && !word.exists());
        let (slot, path) = named.map_or(("", word.clone()), |(slot, path)| (slot, path.into()));
        found.entry(slot.to_owned()).or_default().push(path);
    }
    let pair = |(slot, paths): (String, Vec<PathBuf>)| match <[PathBuf; 2]>::try_from(paths) {
        Ok(pair) => Ok((slot, pair)),
        Err(paths) => {
            let of = if slot.is_empty() { String::new() } else { format!(" of {slot}") };
            let missing = match paths.len() {
                1 => format!("a mask beside the image{of}"),
                n => format!("one image and one mask{of} are wanted, {n} files are given: a pair"),
            };
            Err(ModelError::Slot { wanted: wanted.join(", "), missing }.into())
        }
    };
    found.into_iter().map(pair).collect()
}

fn of_table(args: &Args, path: &std::path::Path, table: &std::path::Path, globals: &Globals) -> Result<Outcome, Error> {
    let model = study::read_model(path)?;
    let reading = args.reading.assignments();
    let batch = watched(globals, |job| study::predict_batch(&model, table, &reading, job))?;
    if globals.format == Format::Json {
        output::print_json(&study::batch_json(&model, &batch))?;
    } else {
        output::print_sheet(&study::batch_sheet(&model, &batch), globals.format)?;
    }
    let failed: Vec<_> = batch.rows.iter().filter_map(|row| Some((&row.id, row.outcome.as_ref().err()?))).collect();
    failed.iter().for_each(|(id, why)| output::warn(&format!("{id}: {why}")));
    Ok(if failed.is_empty() { Outcome::Done } else { Outcome::SomeFailed })
}
