//! `osteon features`: one image and one mask, no study file.

use std::path::{Path, PathBuf};

use crate::cli::watch::watched;
use crate::cli::{Format, Globals, Outcome, output};
use osteon_radiomics::read::Label;
use osteon_radiomics::roi::Roi;
use osteon_study::protocol::{Preset, Protocol};
use osteon_study::report::values;
use osteon_study::study::{self, BatchRequest, Error, FeaturesRequest};

/// Measure one image and mask, without a study file: roi, feature and value with 17 digits
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Intensities: NIfTI, NRRD, MetaImage, or a DICOM series (a folder, a zip archive, or one of its files)
    #[arg(required_unless_present = "batch")]
    image: Option<PathBuf>,
    /// A label image on the same grid, or DICOM contours (RTSTRUCT) or segmentation (SEG)
    #[arg(required_unless_present = "batch")]
    mask: Option<PathBuf>,
    /// Measure the cases of pyradiomics' batch file (columns Image, Mask and, where wanted, Label): one line a case. No
    /// label means 1, as in pyradiomics, and the other labels are told
    #[arg(long, value_name = "FILE", conflicts_with_all = ["image", "mask", "label", "series", "structure"])]
    batch: Option<PathBuf>,
    /// The protocol to start from: study, published, recommended, pyradiomics or ibsi [default: study; with --batch
    /// pyradiomics]
    #[arg(long, conflicts_with = "protocol")]
    preset: Option<Preset>,
    /// A protocol file instead of a preset
    #[arg(long, value_name = "FILE")]
    protocol: Option<PathBuf>,
    /// Change one value of the protocol, as in preprocess.bin_width=0.25; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Families to measure, separated by commas, instead of the protocol's: shape, firstorder, glcm, glrlm, glszm, gldm,
    /// ngtdm, ibsi
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    families: Vec<String>,
    /// A region: intra, peri_2mm, intra_peri_2mm, with any margin; all of the protocol when not given
    #[arg(long, value_name = "ROI")]
    roi: Vec<Roi>,
    /// Label of the mask, where it has several; all is their union
    #[arg(long, value_name = "N|all", allow_negative_numbers = true)]
    label: Option<Label>,
    /// Put a mask of another grid on the image's: nearest (the nearest voxel, as pyradiomics' correctMask)
    #[arg(long, value_name = "HOW")]
    resample_mask: Option<String>,
    /// Measure a region of which a part lies outside the image: accept
    #[arg(long, value_name = "HOW")]
    cut: Option<String>,
    /// Interpolate even slices where those of a series lie unevenly: resample
    #[arg(long, value_name = "HOW")]
    uneven: Option<String>,
    /// Which series, where the folder or archive holds several: number in the list, description or UID
    #[arg(long, value_name = "SERIES")]
    series: Option<String>,
    /// Which structure of the contours or the segmentation (RTSTRUCT, SEG, .seg.nrrd), by name
    #[arg(long, value_name = "NAME")]
    structure: Option<String>,
    /// Take contours or a segmentation drawn in another frame of reference than the image's
    #[arg(long)]
    other_frame: bool,
    /// Print geometry, voxel counts and settings too
    #[arg(long)]
    diagnostics: bool,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let render = match globals.format {
        Format::Text | Format::Csv => values::csv,
        Format::Json => values::json,
        _ => return Err(Error::OnlyCsvOrJson),
    };
    let base: Protocol = match &args.protocol {
        Some(file) => study::read_protocol(file)?,
        None => {
            args.preset.unwrap_or(if args.batch.is_some() { Preset::Pyradiomics } else { Preset::Study }).protocol()
        }
    };
    let mut protocol = base.set(args.set.iter().map(String::as_str))?;
    if !args.families.is_empty() {
        protocol = protocol.set([format!("feature.families={:?}", args.families).as_str()])?;
    }
    let other_frame = args.other_frame.then(|| "accept".to_owned());
    let mask = [
        ("mask.resample", &args.resample_mask),
        ("mask.cut", &args.cut),
        ("mask.other_frame", &other_frame),
        ("mask.uneven", &args.uneven),
    ];
    let mask = mask.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_ref()?)));
    protocol = protocol.set(mask.collect::<Vec<_>>().iter().map(String::as_str))?;
    if let Some(cases) = &args.batch {
        return batch(cases, protocol, args, globals);
    }
    let (Some(image), Some(mask)) = (&args.image, &args.mask) else {
        unreachable!("without --batch clap wants both");
    };
    let request = FeaturesRequest {
        image: image.clone(),
        mask: mask.clone(),
        label: args.label.unwrap_or(Label::Only),
        series: args.series.clone(),
        structure: args.structure.clone(),
        rois: args.roi.clone(),
        protocol,
        diagnostics: args.diagnostics,
    };
    let report = watched(globals, |job| study::features(&request, job))?;
    output::print(&render(&report.rows))?;
    for note in &report.notes {
        output::warn(&format!("note: {note}"));
    }
    for (roi, error) in &report.failures {
        output::warn(&format!("{roi}: {error}"));
    }
    Ok(if report.failures.is_empty() { Outcome::Done } else { Outcome::SomeFailed })
}

fn batch(cases: &Path, protocol: Protocol, args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    if globals.format == Format::Json {
        return Err(Error::Request("a batch is printed as csv".to_owned()));
    }
    let request =
        BatchRequest { cases: cases.to_owned(), rois: args.roi.clone(), protocol, diagnostics: args.diagnostics };
    let report = watched(globals, |job| study::batch(&request, job))?;
    output::print(&values::wide_csv(&report.headings, &report.rows))?;
    report.notes.iter().for_each(|note| output::warn(&format!("note: {note}")));
    report.failures.iter().for_each(|why| output::warn(why));
    Ok(if report.failures.is_empty() { Outcome::Done } else { Outcome::SomeFailed })
}
