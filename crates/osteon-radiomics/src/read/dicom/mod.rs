//! What comes from a PACS or a planning system: image series, contours (RTSTRUCT), segmentations (SEG).
//!
//! Names, ids, dates and free text of patients never leave this module: it gives geometry, voxels, the numbers of
//! the acquisition, and the names of series and of contoured structures, so that one can be picked.

mod acquisition;
mod codestream;
mod contour;
mod frame;
mod object;
mod run_length;
mod segmentation;
mod series;

use crate::grid::{Geometry, Image};
use crate::read::Limits;

pub use acquisition::{Acquisition, Params, deviations};
pub use contour::{contours, structures};
pub use segmentation::{segmentation, segments};
pub use series::{Series, list, scan};

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
    /// Positions of the series in the list of files.
    pub files: Vec<usize>,
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
    #[error("two slices lie at {position_mm} mm: {first} and {other}")]
    Duplicate { position_mm: f64, first: String, other: String },
    #[error(
        "uneven slices: {gap_mm} mm between {first} at {first_mm} mm and {other} at {other_mm} mm, \
         {usual_mm} mm between most"
    )]
    Uneven { gap_mm: f64, usual_mm: f64, first: String, first_mm: f64, other: String, other_mm: f64 },
    #[error("{name} lies {apart_mm} mm beside the line of the other slices: the stack is sheared")]
    Sheared { name: String, apart_mm: f64 },
    #[error("no structure {wanted}; there are: {present}")]
    NoStructure { wanted: String, present: String },
    #[error("several structures, one has to be named: {0}")]
    SeveralStructures(String),
    #[error("a contour of {structure} lies {apart_mm} mm off the image's slices")]
    OffSlice { structure: String, apart_mm: f64 },
    #[error("{structure} lies outside the image or holds no voxel centre")]
    EmptyStructure { structure: String },
    #[error("the segmentation does not lie on the image's grid\n  image:        {image}\n  segmentation: {found}")]
    Grid { image: Box<Geometry>, found: Box<Geometry> },
}

/// Whether bytes carry the mark of a DICOM file: `DICM` after a preamble of 128 bytes.
pub fn is_dicom(bytes: &[u8]) -> bool {
    bytes.get(128..132) == Some(b"DICM")
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
