//! What comes from a PACS or a planning system: image series, contours (RTSTRUCT), segmentations (SEG).
//!
//! Names, ids, dates and free text of patients never leave this module: it gives geometry, voxels, the numbers of
//! the acquisition, and the names of series and of contoured structures, so that one can be picked.

mod acquisition;
mod codestream;
mod contour;
mod drawing;
mod fact;
mod fill;
mod frame;
mod jpeg_ls;
mod meta;
mod object;
mod own_grid;
mod resample;
mod run_length;
mod segmentation;
mod series;
mod slices;
mod split;

use std::collections::BTreeSet;

use crate::grid::{Geometry, Image};
use crate::read::Limits;

pub use acquisition::{Acquisition, Contrast, Params, deviations, diffusivity, unlikely_unit};
pub use contour::{contours, structures};
pub use drawing::{Draw, On, Which, referenced_series, region};
pub(in crate::read) use drawing::{is_alike, renamed};
pub use segmentation::{segmentation, segments};
pub use series::{Series, Wanted, list, scan, scan_of};

/// One file of a series as its folder or archive holds it.
#[derive(Clone, Debug)]
pub struct Instance<'a> {
    /// For messages only.
    pub name: String,
    pub bytes: &'a [u8],
}

/// An image series as a volume, and how it was acquired.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    pub image: Image,
    pub acquisition: Acquisition,
    pub identity: Identity,
    /// Positions of the series in the list of files.
    pub files: Vec<usize>,
    /// Slices between the first and the last that no file holds, by positions and instance numbers.
    pub missing_slices: usize,
    /// What a person should know of how the slices were put together.
    pub notes: Vec<String>,
}

/// What drawings call a series by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Identity {
    pub series_uid: String,
    /// Empty where the series has none.
    pub frame_of_reference: String,
    /// UIDs of the instances of that series which were given; empty where they are not known.
    pub instances: BTreeSet<String>,
    /// How thick its slices are, as the first of them says.
    pub slice_thickness_mm: Option<f64>,
}

/// Why DICOM files are no image or no mask.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DicomError {
    #[error("{name}: not readable as DICOM: {cause}")]
    Syntax { name: String, cause: String },
    #[error("{name}: {field} is {found}, expected {expected}")]
    Field { name: String, field: &'static str, found: String, expected: &'static str },
    #[error("{name}: sequences are nested deeper than {0} levels", object::MAX_DEPTH)]
    Nested { name: String },
    #[error("{name}: the transfer syntax {uid} cannot be decoded")]
    TransferSyntax { name: String, uid: String },
    #[error("{name}: no Pixel Data, which an image has: {found}")]
    NoPixels { name: String, found: &'static str },
    #[error("{name}: the compressed voxels are not those of planes of this size")]
    Compressed { name: String },
    #[error("{name}: the voxels take {found} bytes, expected {expected}")]
    Pixels { name: String, found: usize, expected: usize },
    #[error("the voxels take {bytes} bytes, the limit is {limit}")]
    TooLarge { bytes: u128, limit: u64 },
    #[error("no image series among the {files} files")]
    NoSeries { files: usize },
    #[error("{} series, one has to be picked:\n  {}", .0.len(), .0.join("\n  "))]
    SeveralSeries(Vec<String>),
    #[error("no series {wanted}; there are:\n  {}", .present.join("\n  "))]
    UnknownSeries { wanted: String, present: Vec<String> },
    #[error("the series mixes {what}: {first} in {first_name}, {other} in {other_name}")]
    Mixed { what: &'static str, first: String, first_name: String, other: String, other_name: String },
    #[error(
        "{name}: a mosaic, all slices of a volume side by side in one plane: convert it with dcm2niix and give the NIfTI file"
    )]
    Mosaic { name: String },
    #[error(
        "two slices lie at {position_mm:.3} mm and nothing tells them apart: {first} and {other}; \
         keep one of them in the folder"
    )]
    Duplicate { position_mm: f64, first: String, other: String },
    #[error(
        "uneven slices: {gap_mm:.4} mm between {first} at {first_mm:.4} mm and {other} at {other_mm:.4} mm, \
         {usual_mm:.4} mm between most; a slice may be missing"
    )]
    Uneven { gap_mm: f64, usual_mm: f64, first: String, first_mm: f64, other: String, other_mm: f64 },
    #[error(
        "slices drift from an even grid: distances go from {least_mm:.4} to {most_mm:.4} mm, {name} at {at_mm:.4} mm is \
         expected at {expected_mm:.4} mm, {:.2} slices off; --uneven resample, or mask.uneven=\"resample\" in the protocol, \
         interpolates even slices, on which a segmentation of the series needs --resample-mask nearest",
        (.at_mm - .expected_mm).abs() / .gap_mm
    )]
    Drift { name: String, at_mm: f64, expected_mm: f64, gap_mm: f64, least_mm: f64, most_mm: f64 },
    #[error(
        "{name} lies {apart_mm:.4} mm beside the line of the other slices: the stack is sheared; resample it to an upright \
         grid (dcm2niix does that for a tilted gantry) and give that file"
    )]
    Sheared { name: String, apart_mm: f64 },
    #[error("no structure {wanted}; there are: {present}")]
    NoStructure { wanted: String, present: String },
    #[error("{n} structures are named {wanted}: pick one by its number as label; there are: {present}")]
    StructureTwice { wanted: String, n: usize, present: String },
    /// What is there instead, after a semicolon; empty where there is nothing.
    #[error("no structure with a closed contour, and no segment{0}")]
    NoStructures(String),
    #[error(
        "{name}: frames {first} and {other} are of one segment at one place and differ; export the segmentation again with \
         one of them"
    )]
    FramesDiffer { name: String, first: usize, other: usize },
    #[error("{name}: drawn in another frame of reference than the image's: {found}, expected {expected}")]
    OtherFrame { name: String, found: String, expected: String },
    #[error("{lost} of {drawn} voxels of {structure} lie outside the image")]
    CutOff { structure: String, lost: usize, drawn: usize },
    #[error("several structures, one has to be named: {0}")]
    SeveralStructures(String),
    #[error("a contour of {structure} lies {apart_mm} mm off the image's slices")]
    OffSlice { structure: String, apart_mm: f64 },
    #[error("{structure} lies outside the image or holds no voxel centre")]
    EmptyStructure { structure: String },
    #[error("{structure} has no voxel in any frame of the segmentation")]
    NoVoxel { structure: String },
    #[error(
        "no voxel of {structure} reaches a half of MaximumFractionalValue {largest}: {} above 0, the highest {most}",
        osteon_base::text::counted(*.above_zero, "voxel")
    )]
    NoHalf { structure: String, largest: f64, most: f64, above_zero: usize },
    #[error("the segmentation on its own grid: {0}")]
    OwnGrid(crate::read::ReadError),
    #[error(
        "the segmentation does not lie on the image's grid: {off}\n  image:        {image}\n  segmentation: {found}"
    )]
    Grid { off: String, image: Box<Geometry>, found: Box<Geometry> },
}

/// Bytes from a file's start that tell whether it is DICOM.
pub const HEAD: u64 = 264;

/// Whether bytes begin as a DICOM file does: `DICM` after a preamble of 128 bytes, or a file meta group or a data set
/// without either, or behind a preamble of zeros. The first `HEAD` bytes tell.
pub fn is_dicom(bytes: &[u8]) -> bool {
    meta::start(bytes).is_some()
}

/// What a DICOM file is to a study, told by its modality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Image,
    Structures,
    Segmentation,
}

/// What kind of file this is; everything with rows and columns but a segmentation counts as an image.
pub fn kind(instance: &Instance, limits: &Limits) -> Result<Kind, DicomError> {
    let file = object::open(instance, limits)?;
    Ok(match file.text(dicom_dictionary_std::tags::MODALITY).as_deref() {
        Some("RTSTRUCT") => Kind::Structures,
        Some("SEG") => Kind::Segmentation,
        _ => Kind::Image,
    })
}

/// The UID of a file's instance.
pub fn instance_uid(instance: &Instance, limits: &Limits) -> Option<String> {
    object::open(instance, limits).ok()?.text(dicom_dictionary_std::tags::SOP_INSTANCE_UID)
}

/// Whether a file is a DICOMDIR, which lists others.
pub fn is_directory(instance: &Instance, limits: &Limits) -> bool {
    const MEDIA_STORAGE_DIRECTORY: &str = "1.2.840.10008.1.3.10";
    object::open(instance, limits).is_ok_and(|file| {
        file.object.meta().media_storage_sop_class_uid().trim_end_matches('\0') == MEDIA_STORAGE_DIRECTORY
    })
}

/// Names of the files that a DICOMDIR lists, relative to its folder; none where it cannot be read.
pub fn directory_files(instance: &Instance, limits: &Limits) -> Vec<String> {
    let Ok(file) = object::open(instance, limits) else { return Vec::new() };
    let records = file.fields().items(dicom_dictionary_std::tags::DIRECTORY_RECORD_SEQUENCE);
    let named = records.filter_map(|record| record.text(dicom_dictionary_std::tags::REFERENCED_FILE_ID));
    let parts =
        |id: String| id.split('\\').map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    // What leads out of the folder is none of its files.
    named.map(parts).filter(|name| !name.split('/').any(|part| part == "..")).collect()
}
