//! `osteon import`: clinical variables and images.

use std::path::{Path, PathBuf};

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::report::sheet::{Cell, Sheet};
use osteon_study::study::{BadRows, ClinicalReport, Error, ImagesReport, Link, Refusal};

/// Import clinical variables or images
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Clinical variables from a CSV file: one row a patient, columns by name
    Clinical {
        file: PathBuf,
        /// TOML file that names the file's headers (`[columns]`) and words for levels (`[levels.sex]`)
        #[arg(long, value_name = "FILE")]
        map: Option<PathBuf>,
        /// Print what would change, and change nothing
        #[arg(long)]
        dry_run: bool,
        /// Import the other rows when some hold a refused cell
        #[arg(long)]
        skip_bad_rows: bool,
    },
    /// Images and masks, from a manifest (patient,image,mask,repeat_mask,label,series) or a folder with one folder a
    /// patient
    #[command(
        after_help = "An image is NIfTI, NRRD, MetaImage, or a DICOM series (a folder, a zip archive, one of its \
                            files); a mask may also be DICOM contours (RTSTRUCT) or segmentation (SEG). The column \
                            label holds a number, or the name of a structure. A folder is one a patient, or BIDS: \
                            sub-001/anat/sub-001_T2w.nii.gz with ..._desc-tumour_mask.nii.gz. Warnings tell how a \
                            series deviates from the protocol's acquisition."
    )]
    Images {
        source: PathBuf,
        /// Print what would be linked, and link nothing
        #[arg(long)]
        dry_run: bool,
        /// Link the other patients when some are refused
        #[arg(long)]
        skip_bad_rows: bool,
    },
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let bad_rows = |skip: bool| if skip { BadRows::Skip } else { BadRows::Refuse };
    match &args.what {
        What::Clinical { file, map, dry_run: true, skip_bad_rows } => {
            let report = opening::read(globals)?.preview_clinical(file, map.as_deref())?;
            clinical(&report, globals, file, bad_rows(*skip_bad_rows))
        }
        What::Clinical { file, map, skip_bad_rows, .. } => {
            let bad_rows = bad_rows(*skip_bad_rows);
            let report = opening::write(globals)?.import_clinical(file, map.as_deref(), bad_rows)?;
            clinical(&report, globals, file, bad_rows)
        }
        What::Images { source, dry_run: true, skip_bad_rows } => {
            let pairs = opening::read(globals)?.pair_images(source)?;
            show(pairs.report(), globals)?;
            linked(pairs.report(), globals, source, bad_rows(*skip_bad_rows))
        }
        What::Images { source, skip_bad_rows, .. } => {
            let (study, bad_rows) = (opening::write(globals)?, bad_rows(*skip_bad_rows));
            let pairs = study.pair_images(source)?;
            show(pairs.report(), globals)?;
            linked(&study.link_images(pairs, bad_rows)?, globals, source, bad_rows)
        }
    }
}

fn clinical(report: &ClinicalReport, globals: &Globals, file: &Path, bad_rows: BadRows) -> Result<Outcome, Error> {
    report.notes.iter().for_each(|note| output::say(globals, &format!("note: {note}")));
    if !report.changed.is_empty() {
        output::print_sheet(&changes(report), globals.format)?;
    }
    let would = if report.applied { "" } else { "would be " };
    let ClinicalReport { added, changed, unchanged, kept, .. } = report;
    let summary = format!("{} patients {would}added, {} values {would}changed", added.len(), changed.len());
    output::say(globals, &format!("{summary}, {unchanged} patients unchanged"));
    if *kept > 0 {
        output::say(globals, &format!("{kept} empty cells leave stored values as they are"));
    }
    refusals(&report.refused, bad_rows, globals, file)
}

/// Shows what is going to be linked, and what found no pair.
fn show(report: &ImagesReport, globals: &Globals) -> Result<(), Error> {
    report.notes.iter().for_each(|note| output::say(globals, &format!("note: {note}")));
    report.warnings.iter().for_each(|warning| output::warn(&format!("warning: {warning}")));
    if !report.links.is_empty() {
        output::print_sheet(&links(&report.links), globals.format)?;
    }
    Ok(())
}

fn linked(report: &ImagesReport, globals: &Globals, source: &Path, bad_rows: BadRows) -> Result<Outcome, Error> {
    let would = if report.applied { "" } else { "would be " };
    let ImagesReport { patients, linked, unchanged, .. } = report;
    let files = if report.applied { format!(": {linked} files new, {unchanged} unchanged") } else { String::new() };
    output::say(globals, &format!("{patients} patients {would}linked{files}"));
    refusals(&report.refused, bad_rows, globals, source)
}

/// Prints every refused cell; refused cells that stop an import are an error, skipped ones a partial success.
fn refusals(refused: &[Refusal], bad_rows: BadRows, globals: &Globals, file: &Path) -> Result<Outcome, Error> {
    if refused.is_empty() {
        return Ok(Outcome::Done);
    }
    let line = |line: u64| if line == 0 { Cell::Empty } else { Cell::Count(usize::try_from(line).unwrap_or(0)) };
    let row = |it: &Refusal| {
        let text = |text: &str| Cell::Text(text.to_owned());
        vec![line(it.line), text(&it.column), text(&it.value), text(&it.expected)]
    };
    let sheet = Sheet {
        title: "Refused".to_owned(),
        headings: ["row", "column", "value", "expected"].map(str::to_owned).to_vec(),
        rows: refused.iter().map(row).collect(),
        ..Sheet::default()
    };
    output::print_sheet(&sheet, globals.format)?;
    if bad_rows == BadRows::Skip {
        return Ok(Outcome::SomeFailed);
    }
    Err(Error::Refused { file: file.display().to_string(), n: refused.len() })
}

fn links(links: &[Link]) -> Sheet {
    let row =
        |it: &Link| [&it.code, &it.image, &it.mask, &it.repeat_mask, &it.voxels].map(|text| Cell::Text(text.clone()));
    Sheet {
        title: "To link".to_owned(),
        headings: ["patient", "image", "mask", "repeat mask", "voxels"].map(str::to_owned).to_vec(),
        rows: links.iter().map(|it| row(it).to_vec()).collect(),
        ..Sheet::default()
    }
}

fn changes(report: &ClinicalReport) -> Sheet {
    let shown = report.changed.iter().filter(|change| !change.hidden);
    Sheet {
        title: if report.applied { "Changed" } else { "Would change" }.to_owned(),
        headings: ["patient", "field", "old", "new"].map(str::to_owned).to_vec(),
        rows: shown
            .map(|it| [&it.code, &it.field, &it.old, &it.new].map(|text| Cell::Text(text.to_owned())).to_vec())
            .collect(),
        ..Sheet::default()
    }
}
