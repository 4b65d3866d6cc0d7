//! `osteon features`: images and masks, no study file.

use std::path::{Path, PathBuf};

use crate::cli::watch::watched;
use crate::cli::{Format, Globals, Outcome, output};
use osteon_radiomics::pyradiomics::{Parameters, Strictness};
use osteon_radiomics::read::Label;
use osteon_radiomics::roi::Roi;
use osteon_study::protocol::{Preset, Protocol};
use osteon_study::report::cases::{Cases, Layout};
use osteon_study::report::values;
use osteon_study::study::{self, BatchRequest, Error, FeaturesRequest, How, Resume, Which};

/// Measure images and masks, without a study file
///
/// Without a preset, a protocol or a parameter file the features are pyradiomics' 107 of the original image. Numbers
/// have 17 digits.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Intensities: NIfTI, NRRD, MetaImage, or a DICOM series (a folder, a zip archive, or one of its files)
    #[arg(required_unless_present = "batch")]
    image: Option<PathBuf>,
    /// A label image on the same grid, or DICOM contours (RTSTRUCT) or segmentation (SEG)
    #[arg(required_unless_present = "batch")]
    mask: Option<PathBuf>,
    /// Measure the cases of pyradiomics' batch file (columns Image, Mask and, where wanted, Label and Label_channel): one
    /// row a case. No label means 1, as in pyradiomics, and the other labels are told. A case that fails is a row with
    /// its reason
    #[arg(long, value_name = "FILE", conflicts_with_all = ["image", "mask", "label", "series", "structure"])]
    batch: Option<PathBuf>,
    /// Measure by pyradiomics' parameter file (YAML or JSON) with its names, order and values, diagnostics_ columns too.
    /// No label means 1. In a batch, a column called as a setting sets it for its case
    #[arg(long, value_name = "FILE", conflicts_with_all = ["preset", "protocol", "set", "families", "roi", "series", "structure", "diagnostics"])]
    params: Option<PathBuf>,
    /// Change one setting of pyradiomics over its parameter file or defaults, as its own --setting does; may be repeated
    #[arg(long, value_name = "NAME:VALUE", conflicts_with_all = ["preset", "protocol", "set", "families", "roi", "series", "structure", "diagnostics"])]
    setting: Vec<String>,
    /// Leave out and list what of a parameter file cannot be honoured, instead of refusing it
    #[arg(long, requires = "params")]
    lenient: bool,
    /// Write maps of these features into the folder --out, one NIfTI file a feature and image: the features of the
    /// kernel around each voxel, as pyradiomics' voxel-based extraction. Names as in glcm_JointEntropy, or a class;
    /// kernelRadius, maskedKernel and initValue are the parameter file's voxelSetting, or --setting
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "out", conflicts_with_all = ["batch", "layout", "preset", "protocol", "set", "families", "roi", "series", "structure", "diagnostics"])]
    maps: Vec<String>,
    /// Write the table here; the ending says how: .csv, .json, .parquet or .xlsx
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// One row a case, or one row a value [default: wide in a batch, else long]
    #[arg(long, value_enum, value_name = "LAYOUT")]
    layout: Option<Shape>,
    /// Take cases that stand in the CSV file of --out, or in its journal FILE.part, from there; failed ones are tried
    /// again
    #[arg(long, requires = "out", requires = "batch")]
    resume: bool,
    /// The protocol to start from: study, published, recommended, pyradiomics or ibsi [default: pyradiomics]
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

/// How a table of cases is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    Wide,
    Long,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Csv,
    Json,
    Parquet,
    Xlsx,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    if !args.maps.is_empty() {
        return maps(args, globals);
    }
    if let Some(out) = &args.out {
        refuse_foreign(args, out)?;
    }
    let form = form(args, globals)?;
    let by_parameters = args.params.is_some() || !args.setting.is_empty();
    let is_plain = !by_parameters
        && args.batch.is_none()
        && args.layout != Some(Shape::Wide)
        && [Form::Csv, Form::Json].contains(&form);
    if is_plain {
        return one(args, form, globals);
    }
    let how = if by_parameters { parameters(args)? } else { protocol(args)? };
    if let How::Parameters { parameters, .. } = &how {
        parameters.left_out.iter().for_each(|what| output::warn(&format!("left out: {what}")));
        parameters.notes_of_regions().iter().for_each(|note| output::warn(&format!("note: {note}")));
    }
    let cases = match (&args.batch, &args.image, &args.mask) {
        (Some(file), ..) => Which::Table(file.clone()),
        (None, Some(image), Some(mask)) => Which::One { image: image.clone(), mask: mask.clone() },
        _ => unreachable!("without --batch clap wants both"),
    };
    if args.resume && (form != Form::Csv || args.layout == Some(Shape::Long)) {
        return Err(Error::Request("--resume goes on with a wide CSV file".to_owned()));
    }
    let journal = |out: &PathBuf| Resume { out: out.clone(), skips_done: args.resume };
    let journal = args.out.as_ref().filter(|_| args.batch.is_some()).map(journal);
    let request = BatchRequest { cases, how, journal };
    let report = watched(globals, |job| study::batch(&request, job))?;
    let usual = if args.batch.is_some() { Shape::Wide } else { Shape::Long };
    let layout = match args.layout.unwrap_or(usual) {
        Shape::Wide => Layout::Wide,
        Shape::Long => Layout::Long,
    };
    let rendered = rendered(&report.cases, form, layout)?;
    write(args, &rendered)?;
    if let Some(resume) = &request.journal {
        // The table holds what it held.
        let _ = std::fs::remove_file(study::journal_of(&resume.out));
    }
    report.notes.iter().for_each(|note| output::warn(&format!("note: {note}")));
    report.failures.iter().for_each(|why| output::warn(why));
    Ok(if report.failures.is_empty() { Outcome::Done } else { Outcome::SomeFailed })
}

/// Feature maps of one image and mask.
fn maps(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let How::Parameters { parameters, mask: reading } = parameters(args)? else {
        unreachable!("parameters were asked for");
    };
    let (Some(image), Some(mask), Some(folder)) = (args.image.clone(), args.mask.clone(), args.out.clone()) else {
        unreachable!("clap wants an image, a mask and a folder");
    };
    parameters.left_out.iter().for_each(|what| output::warn(&format!("left out: {what}")));
    parameters.notes.iter().for_each(|note| output::warn(&format!("note: {note}")));
    let request =
        study::MapsRequest { image, mask, parameters: *parameters, reading, names: args.maps.clone(), folder };
    let (written, notes) = watched(globals, |job| study::feature_maps(&request, job))?;
    notes.iter().for_each(|note| output::warn(&format!("note: {note}")));
    let lines: String = written.iter().map(|path| format!("{}\n", path.display())).collect();
    output::print_bytes(lines.as_bytes())?;
    Ok(Outcome::Done)
}

/// Only a table of features is replaced, never what is read, by whatever name.
fn refuse_foreign(args: &Args, out: &Path) -> Result<(), Error> {
    if !out.is_file() {
        return Ok(());
    }
    let place = |path: &Path| path.canonicalize().ok();
    let read = [&args.image, &args.mask, &args.batch, &args.params, &args.protocol];
    if read.into_iter().flatten().any(|path| place(path).is_some() && place(path) == place(out)) {
        return Err(Error::Request(format!(
            "{}: is read here, and would be replaced: give another --out",
            out.display()
        )));
    }
    let bytes = study::read_bytes(out)?;
    let is_name = |name: &str| {
        let families = ["shape", "shape2D", "firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm", "ibsi"];
        name == "feature"
            || name.starts_with("diagnostics_")
            || families.iter().any(|it| name.contains(&format!("{it}_")))
    };
    let is_own = match bytes.first() {
        Some(b'[') => serde_json::from_slice::<Vec<serde_json::Map<String, serde_json::Value>>>(&bytes)
            .is_ok_and(|rows| rows.first().is_none_or(|row| row.keys().any(|key| is_name(key)))),
        Some(b'P') if bytes.starts_with(b"PAR1") => bytes.windows(6).any(|part| part == b"osteon"),
        _ => osteon_base::cells::read(&bytes, &osteon_base::cells::Params::default())
            .is_ok_and(|grid| grid.headed().is_none_or(|(header, _)| header.texts().any(is_name))),
    };
    if is_own { Ok(()) } else { Err(Error::Store(study::StoreError::Foreign(out.to_owned()))) }
}

/// The form that the ending of --out or --format asks for.
fn form(args: &Args, globals: &Globals) -> Result<Form, Error> {
    match &args.out {
        Some(out) => match out.extension().and_then(|it| it.to_str()).map(str::to_lowercase).as_deref() {
            Some("csv") => Ok(Form::Csv),
            Some("json") => Ok(Form::Json),
            Some("parquet") => Ok(Form::Parquet),
            Some("xlsx") => Ok(Form::Xlsx),
            _ => Err(Error::Ending { path: out.clone(), expected: ".csv, .json, .parquet or .xlsx" }),
        },
        None => match globals.format {
            Format::Text | Format::Csv => Ok(Form::Csv),
            Format::Json => Ok(Form::Json),
            _ => Err(Error::OnlyCsvOrJson),
        },
    }
}

fn rendered(cases: &Cases, form: Form, layout: Layout) -> Result<Vec<u8>, Error> {
    match form {
        Form::Csv => Ok(cases.csv(layout).into_bytes()),
        Form::Json => Ok(cases.json(layout).into_bytes()),
        Form::Parquet => Ok(cases.parquet(layout)),
        Form::Xlsx => cases.workbook(layout).map_err(Error::Request),
    }
}

fn write(args: &Args, bytes: &[u8]) -> Result<(), Error> {
    match &args.out {
        None => output::print_bytes(bytes),
        Some(out) => study::write_whole(out, bytes).map_err(|source| Error::File { path: out.clone(), source }),
    }
}

/// pyradiomics' parameters, with what the mask may be.
fn parameters(args: &Args) -> Result<How, Error> {
    let strictness = if args.lenient { Strictness::Lenient } else { Strictness::Refuse };
    let mut parameters = match &args.params {
        Some(file) => study::read_parameters(file, strictness)?,
        None => Parameters::default(),
    };
    study::apply_settings(&mut parameters, &args.setting)?;
    match args.label {
        None => (),
        Some(Label::Value(label)) => study::apply_settings(&mut parameters, &[format!("label:{label}")])?,
        Some(_) => return Err(Error::Request("--label all: pyradiomics measures one label".to_owned())),
    }
    let mask = reading(args, Preset::Pyradiomics.protocol())?.mask;
    Ok(How::Parameters { parameters: Box::new(parameters), mask })
}

/// The protocol with what the arguments change of it.
fn protocol(args: &Args) -> Result<How, Error> {
    let base: Protocol = match &args.protocol {
        Some(file) => study::read_protocol(file)?,
        None => args.preset.unwrap_or(Preset::Pyradiomics).protocol(),
    };
    let mut protocol = base.set(args.set.iter().map(String::as_str))?;
    if !args.families.is_empty() {
        protocol = protocol.set([format!("feature.families={:?}", args.families).as_str()])?;
    }
    let usual = if args.batch.is_some() { Label::Value(1) } else { Label::Only };
    Ok(How::Protocol {
        protocol: Box::new(reading(args, protocol)?),
        rois: args.roi.clone(),
        diagnostics: args.diagnostics,
        label: args.label.unwrap_or(usual),
        series: args.series.clone(),
        structure: args.structure.clone(),
    })
}

/// The settings of masks that have an argument of their own.
fn reading(args: &Args, protocol: Protocol) -> Result<Protocol, Error> {
    let other_frame = args.other_frame.then(|| "accept".to_owned());
    let mask = [
        ("mask.resample", &args.resample_mask),
        ("mask.cut", &args.cut),
        ("mask.other_frame", &other_frame),
        ("mask.uneven", &args.uneven),
    ];
    let mask = mask.iter().filter_map(|(key, value)| Some(format!("{key}={}", value.as_ref()?)));
    Ok(protocol.set(mask.collect::<Vec<_>>().iter().map(String::as_str))?)
}

/// One image and mask by a protocol, one row a value with its region.
fn one(args: &Args, form: Form, globals: &Globals) -> Result<Outcome, Error> {
    let How::Protocol { protocol, rois, diagnostics, label, series, structure } = protocol(args)? else {
        unreachable!("a protocol was asked for");
    };
    let (Some(image), Some(mask)) = (args.image.clone(), args.mask.clone()) else {
        unreachable!("without --batch clap wants both");
    };
    let protocol = *protocol;
    let request = FeaturesRequest { image, mask, label, channel: None, series, structure, rois, protocol, diagnostics };
    let report = watched(globals, |job| study::features(&request, job))?;
    let text = if form == Form::Json { values::json(&report.rows) } else { values::csv(&report.rows) };
    write(args, text.as_bytes())?;
    for note in &report.notes {
        output::warn(&format!("note: {note}"));
    }
    for (roi, error) in &report.failures {
        output::warn(&format!("{roi}: {error}"));
    }
    Ok(if report.failures.is_empty() { Outcome::Done } else { Outcome::SomeFailed })
}
