//! `osteon export`.

use std::io;
use std::path::Path;

use crate::cli::{Format, Globals, Outcome, opening, output};
use osteon_study::study::{Error, ExportOptions};

/// Write the study as plain files, or print the feature values
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A new or empty folder; a workbook (FILE.xlsx) of patients, codebook, images and queries; or the word `features`, to print one CSV row a patient, region and rater
    target: String,
    /// Replace ids by salted hashes; leave out free text, paths and the trail
    #[arg(long)]
    deidentify: bool,
    /// With --deidentify: count the patients whom these variables together single out; the centre, age and sex when not given
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "deidentify")]
    quasi: Vec<String>,
    /// With --deidentify: write a number as bands of this width, such as age=10; may be given again
    #[arg(long, value_name = "NAME=WIDTH", value_parser = band, requires = "deidentify")]
    band: Vec<(String, f64)>,
    /// Put an apostrophe before text that a spreadsheet would run as a formula
    #[arg(long)]
    spreadsheet_safe: bool,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::read(globals)?;
    if args.target == "features" {
        if !matches!(globals.format, Format::Text | Format::Csv) {
            return Err(Error::OnlyCsv);
        }
        study.write_features(io::BufWriter::new(io::stdout().lock()))?;
        return Ok(Outcome::Done);
    }
    let is_workbook = Path::new(&args.target).extension().is_some_and(|it| it.eq_ignore_ascii_case("xlsx"));
    let options = ExportOptions {
        deidentify: args.deidentify,
        spreadsheet_safe: args.spreadsheet_safe,
        quasi: args.quasi.clone(),
        bands: args.band.clone(),
    };
    let target = Path::new(&args.target);
    let told = if is_workbook { study.export_workbook(target, options)? } else { study.export(target, options)? };
    for line in told {
        output::say(globals, &line);
    }
    Ok(Outcome::Done)
}

fn band(text: &str) -> Result<(String, f64), String> {
    let wrong = || "expected NAME=WIDTH, such as age=10".to_owned();
    let (name, width) = text.split_once('=').ok_or_else(wrong)?;
    Ok((name.to_owned(), width.parse().map_err(|_| wrong())?))
}
