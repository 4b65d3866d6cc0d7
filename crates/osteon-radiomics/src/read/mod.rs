//! Files to grids: the bytes of an image become a volume or a mask.
//!
//! The format is told by the first bytes, never by a file's name. A header is believed only after it was checked,
//! nothing is allocated before, and voxels are decoded as they are inflated: a file never costs more memory than
//! its grid.

mod data;
pub mod dicom;
mod metaimage;
mod nifti;
mod nrrd;
mod pair;
mod reading;
pub mod zip;

use std::io::Read;

use flate2::read::MultiGzDecoder;

use crate::grid::{Element, Geometry, Grid, Image, Mask};
use data::Layout;
pub use pair::check_pair;
pub use reading::{Fractional, Present, Reading, Region};

/// The bytes of one image.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file.
    pub bytes: &'a [u8],
    /// The file that `Header::data_file` names, when the header stands alone.
    pub data: Option<&'a [u8]>,
}

/// What a file may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest size of the voxels, in the file and in memory.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 2 GiB: 268 million voxels, several times the largest clinical volume.
    fn default() -> Self {
        Limits { max_bytes: 2 << 30 }
    }
}

/// File formats, told apart by their first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Nifti,
    Nrrd,
    MetaImage,
}

/// What a file says of itself before its voxels.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub format: Format,
    pub geometry: Geometry,
    pub element: Element,
    /// The file beside this one that holds the voxels; `None` when they follow the header.
    pub data_file: Option<String>,
    layout: Layout,
}

/// Which voxels of a label image are the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    AnyNonZero,
    Value(i64),
}

/// Why bytes are no image.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ReadError {
    #[error(
        "not an image: the file begins with {found}, expected NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd) or DICOM"
    )]
    Unknown { found: String },
    #[error("{field} is {found}, expected {expected}")]
    Field { field: &'static str, found: String, expected: &'static str },
    #[error("the header has no {0}")]
    Missing(&'static str),
    #[error("the header ends after {found} bytes, expected {expected}")]
    ShortHeader { found: usize, expected: usize },
    #[error("the voxels take {bytes} bytes, the limit is {limit}")]
    TooLarge { bytes: u128, limit: u64 },
    #[error("the voxels end after {found} bytes, the header promises {expected}")]
    Truncated { found: u64, expected: u64 },
    #[error("the file goes on after the {expected} bytes of voxels that the header promises")]
    Trailing { expected: u64 },
    #[error("damaged gzip data: {0}")]
    Gzip(String),
    #[error("voxel x {x}, y {y}, z {z} is {value}, expected a finite number")]
    NotFinite { x: usize, y: usize, z: usize, value: f64 },
    #[error("the header keeps its voxels in {0}, which was not given")]
    DataFile(String),
    #[error("the mask is empty: every voxel is 0")]
    Empty,
    #[error("the mask has no voxel of label {label}; its labels are {present}")]
    NoLabel { label: i64, present: String },
    #[error("image and mask do not lie on the same grid\n  image: {image}\n  mask:  {mask}")]
    Pair { image: Box<Geometry>, mask: Box<Geometry> },
}

/// Reads and checks a header; inflates no more than it.
pub fn header(bytes: &[u8], limits: &Limits) -> Result<Header, ReadError> {
    let header = if bytes.starts_with(b"NRRD") {
        nrrd::header(bytes)?
    } else if metaimage::is_metaimage(bytes) {
        metaimage::header(bytes)?
    } else if bytes.starts_with(&GZIP) {
        nifti::header(MultiGzDecoder::new(bytes), true)?
    } else {
        nifti::header(bytes, false)?
    };
    let voxels = header.geometry.shape.iter().map(|&n| n as u128).product::<u128>();
    let bytes = voxels * header.element.bytes().max(size_of::<f64>()) as u128;
    if bytes > u128::from(limits.max_bytes) {
        return Err(ReadError::TooLarge { bytes, limit: limits.max_bytes });
    }
    Ok(header)
}

/// Intensities; a voxel that is no finite number is an error.
pub fn image(source: Source, limits: &Limits) -> Result<Image, ReadError> {
    let header = header(source.bytes, limits)?;
    let mut cells = Vec::new();
    header.layout.decode(voxels(&header, source)?, header.geometry.shape, &mut cells, |value| value)?;
    Ok(Image { element: header.layout.intensity(), volume: fill(header.geometry, cells) })
}

/// The voxels of a label; a label that no voxel has is an error.
pub fn mask(source: Source, label: Label, limits: &Limits) -> Result<Mask, ReadError> {
    let header = header(source.bytes, limits)?;
    let mut labels = Labels::default();
    let mut cells = Vec::new();
    header.layout.decode(voxels(&header, source)?, header.geometry.shape, &mut cells, |value| {
        labels.note(value);
        match label {
            Label::AnyNonZero => value != 0.0,
            Label::Value(wanted) => value == wanted as f64,
        }
    })?;
    if cells.contains(&true) {
        return Ok(fill(header.geometry, cells));
    }
    Err(match label {
        Label::Value(label) if !labels.0.is_empty() => ReadError::NoLabel { label, present: labels.to_string() },
        _ => ReadError::Empty,
    })
}

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The bytes of the voxels, inflated as they are read, and how many there can be.
fn voxels<'a>(header: &Header, source: Source<'a>) -> Result<(Box<dyn Read + 'a>, usize), ReadError> {
    let stored = match (&header.data_file, source.data) {
        (None, _) => source.bytes,
        (Some(_), Some(data)) => data,
        (Some(name), None) => return Err(ReadError::DataFile(name.clone())),
    };
    header.layout.open(stored)
}

fn fill<T>(geometry: Geometry, cells: Vec<T>) -> Grid<T> {
    let cells = ndarray::Array3::from_shape_vec(geometry.shape, cells).expect("the decoder counted the voxels");
    Grid::new(geometry, cells).expect("the cells have the shape of the geometry")
}

/// The first few values above or below 0 that a label image holds.
#[derive(Default)]
struct Labels(Vec<f64>);

impl Labels {
    const SHOWN: usize = 8;

    fn note(&mut self, value: f64) {
        if value != 0.0 && self.0.len() <= Labels::SHOWN && !self.0.contains(&value) {
            self.0.push(value);
            self.0.sort_by(f64::total_cmp);
        }
    }
}

impl std::fmt::Display for Labels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: Vec<String> = self.0.iter().take(Labels::SHOWN).map(f64::to_string).collect();
        write!(f, "{}{}", shown.join(", "), if self.0.len() > Labels::SHOWN { ", ..." } else { "" })
    }
}
