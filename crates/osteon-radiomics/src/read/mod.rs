//! Files to grids: the bytes of an image become a volume or a mask.
//!
//! The format is told by the first bytes, never by a file's name. A header is believed only after it was checked,
//! nothing is allocated before, and voxels are decoded as they are inflated: a file never costs more memory than
//! its grid.

mod data;
pub mod dicom;
mod label;
mod list;
mod metaimage;
mod nifti;
mod nrrd;
mod pair;
mod place;
mod reading;
mod region;
pub mod zip;

use std::io::Read;

use crate::grid::{Element, Geometry, Grid, Image, Mask};
use data::{Layout, Members};
use osteon_base::text::counted;
pub use pair::check_pair;
pub use place::{Cut, OtherFrame, Params, Placing, Resample, Uneven, cut, off_grid, place};
pub use reading::{Fractional, Present, Reading, Region};
pub use region::{Pick, TRAILING, region, region_of};

/// The bytes of one image.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The file.
    pub bytes: &'a [u8],
    /// The file that `Header::data_file` names, when the header stands alone; `Header::joined` of several.
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
    ///
    /// A name that begins with a dot is an ending that takes the place of this file's.
    pub data_file: Option<String>,
    /// Files that go on where `data_file` ends, in order.
    pub further_files: Vec<String>,
    /// The name of `data_file` as the header says it, where that leads out of the header's folder.
    pub elsewhere: Option<String>,
    /// Segments that the header names.
    pub segments: Vec<Segment>,
    /// What the header says twice and differently, one sentence each.
    pub notes: Vec<String>,
    layers: Layers,
    layout: Layout,
    /// How each of several files holds its part of the voxels; `layout` is then that of all together.
    each: Option<Layout>,
}

/// A segment of a `.seg.nrrd` file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    pub name: String,
    /// What 3D Slicer calls it inside; unlike a name it occurs once.
    pub id: String,
    /// Which of the file's volumes holds it.
    pub layer: usize,
    /// The label of its voxels.
    pub value: i64,
}

/// Several volumes in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layers {
    count: usize,
    /// Whether the numbers of a voxel follow each other, or volumes do.
    interleaved: bool,
}

impl Header {
    /// One volume without segments.
    fn plain(format: Format, geometry: Geometry, data_file: Option<String>, layout: Layout) -> Header {
        Header {
            format,
            geometry,
            element: layout.element,
            data_file,
            further_files: Vec::new(),
            elsewhere: None,
            segments: Vec::new(),
            notes: Vec::new(),
            layers: Layers { count: 1, interleaved: false },
            layout,
            each: None,
        }
    }
}

/// Which voxels of a label image are the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// The only one: several are refused.
    Only,
    /// All of them.
    AnyNonZero,
    Value(i64),
}

/// A word that is no label.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no label: expected a whole number, or all")]
pub struct UnknownLabel(String);

impl std::str::FromStr for Label {
    type Err = UnknownLabel;

    fn from_str(word: &str) -> Result<Label, UnknownLabel> {
        match word {
            "all" => Ok(Label::AnyNonZero),
            number => number.parse().map(Label::Value).map_err(|_| UnknownLabel(word.to_owned())),
        }
    }
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
    #[error("{name}: {cause}")]
    InFile { name: String, cause: Box<ReadError> },
    #[error("damaged compressed data: {0}")]
    Gzip(String),
    #[error("voxel x {x}, y {y}, z {z} is {value}, expected a finite number")]
    NotFinite { x: usize, y: usize, z: usize, value: f64 },
    #[error("the header keeps its voxels in {0}, which was not given")]
    DataFile(String),
    #[error("the mask is empty: every voxel is 0")]
    Empty,
    #[error("the mask has no voxel of label {label}; its labels are {present}")]
    NoLabel { label: i64, present: String },
    #[error("the mask has {n} labels, one has to be picked: {present}")]
    SeveralLabels { n: usize, present: String },
    #[error("the mask has {n} segments with voxels, one has to be picked: {present}")]
    SeveralSegments { n: usize, present: String },
    #[error("no segment is called {wanted}; there are {present}")]
    NoSegment { wanted: String, present: String },
    #[error("no segment is called {wanted}: the file names none, its labels are {labels}")]
    NoSegments { wanted: String, labels: String },
    #[error("{n} segments are called {wanted}, known by their ids: {ids}")]
    SegmentTwice { wanted: String, n: usize, ids: String },
    #[error("segment {name} has no voxel; there are {present}")]
    EmptySegment { name: String, present: String },
    #[error("the mask has no layer {channel}: it holds {n}, counted from 0")]
    NoChannel { channel: usize, n: usize },
    #[error("the file holds {n} layers, one segment has to be picked: {present}")]
    Layers { n: usize, present: String },
    #[error(
        "the mask's values from {low} to {high} are not whole, so they are no labels, and not parts of a voxel from 0 to 1"
    )]
    Values { low: f64, high: f64 },
    #[error("no voxel of the mask reaches a half: {} above 0, the highest {high}", counted(*.above_zero, "voxel"))]
    NoHalf { above_zero: usize, high: f64 },
    #[error(
        "the mask's only value but 0 is below 0, {value} in {}: an intercept or offset may have moved background and region",
        counted(*.voxels, "voxel")
    )]
    Negative { value: f64, voxels: usize },
    #[error("the mask is empty: every voxel is 0 or no finite number")]
    MaskNotFinite,
    #[error("{lost} of {} of the region lie outside the image", counted(*.drawn, "voxel"))]
    CutOff { lost: usize, drawn: usize },
    #[error("the whole region of {} lies outside the image", counted(*.drawn, "voxel"))]
    Outside { drawn: usize },
    #[error("image and mask do not lie on the same grid: {apart}\n  image: {image}\n  mask:  {mask}")]
    Pair { apart: String, image: Box<Geometry>, mask: Box<Geometry> },
}

/// Reads and checks a header; inflates no more than it.
pub fn header(bytes: &[u8], limits: &Limits) -> Result<Header, ReadError> {
    let mut header = if bytes.starts_with(b"NRRD") {
        nrrd::header(bytes)?
    } else if metaimage::is_metaimage(bytes) {
        metaimage::header(bytes)?
    } else if bytes.starts_with(&GZIP) {
        nifti::header(Members::new(bytes), true)?
    } else {
        nifti::header(bytes, false)?
    };
    let voxels = header.geometry.shape.iter().map(|&n| n as u128).product::<u128>();
    let bytes = voxels * header.element.bytes().max(size_of::<f64>()) as u128 * header.layers.count as u128;
    if bytes > u128::from(limits.max_bytes) {
        return Err(ReadError::TooLarge { bytes, limit: limits.max_bytes });
    }
    is_of_this_world(&header.geometry)?;
    let beside = |name: &String| format!("the header names {name}: the file of that name beside it was read");
    header.notes.extend(header.elsewhere.as_ref().map(beside));
    Ok(header)
}

/// A voxel's size from a nanometre to ten meters, and places within a thousand kilometres: beyond, squares and volumes
/// leave the range of numbers, and no scanner made the image.
fn is_of_this_world(geometry: &Geometry) -> Result<(), ReadError> {
    let wrong = |field, found: String, expected| Err(ReadError::Field { field, found, expected });
    if geometry.spacing_mm.iter().any(|mm| !(1e-6..=1e4).contains(mm)) {
        let [z, y, x] = geometry.spacing_mm;
        return wrong("the voxel size", format!("{x} x {y} x {z} mm"), "sizes from 0.000001 to 10000 mm");
    }
    if geometry.corners_mm().iter().flatten().any(|mm| mm.is_nan() || mm.abs() > 1e9) {
        return wrong("the origin", format!("{:?}", geometry.origin_mm), "a place within 1000000000 mm");
    }
    Ok(())
}

/// Intensities; a voxel that is no finite number is an error.
pub fn image(source: Source, limits: &Limits) -> Result<Image, ReadError> {
    let (image, _) = image_as_stored(source, limits)?;
    match image.volume.as_slice().iter().position(|value| !value.is_finite()) {
        None => Ok(image),
        Some(at) => {
            let [_, ny, nx] = image.volume.geometry().shape;
            let value = image.volume.as_slice()[at];
            Err(ReadError::NotFinite { x: at % nx, y: at / nx % ny, z: at / nx / ny, value })
        }
    }
}

/// Intensities, with voxels that are no finite numbers as they are, and what should be said of the file.
pub fn image_as_stored(source: Source, limits: &Limits) -> Result<(Image, Vec<String>), ReadError> {
    let header = header(source.bytes, limits)?;
    if header.layers.count > 1 {
        return Err(ReadError::Layers {
            n: header.layers.count,
            present: "an image has one number a voxel".to_owned(),
        });
    }
    let mut cells = Vec::new();
    cells.reserve_exact(header.geometry.len().min(most(&header, source)?));
    let mut trailing = false;
    header.decode(source, |_, value| cells.push(value), &mut trailing)?;
    let mut notes = header.notes.clone();
    notes.extend(trailing.then(|| "the image's file goes on after its voxels: the rest was not read".to_owned()));
    let n = cells.iter().filter(|value| !value.is_finite()).count();
    notes.extend((n > 0).then(|| format!("no finite number in {} of the image", counted(n, "voxel"))));
    Ok((Image { element: header.layout.intensity(), volume: fill(header.geometry, cells) }, notes))
}

/// The voxels of a label; a label that no voxel has is an error.
pub fn mask(source: Source, label: Label, limits: &Limits) -> Result<Mask, ReadError> {
    let geometry = header(source.bytes, limits)?.geometry;
    Ok(region(source, Pick { label, name: None, channel: None }, &geometry, &Params::default(), limits)?.mask)
}

pub(in crate::read) const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Numbers that the file's bytes can hold at most.
fn most(header: &Header, source: Source) -> Result<usize, ReadError> {
    Ok(voxels(header, source)?.1 / header.element.bytes())
}

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
