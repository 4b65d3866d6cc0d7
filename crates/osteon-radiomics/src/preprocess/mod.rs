//! z-score and resampling of images before anything is measured.

mod finite;
mod inverse;
mod itk;
mod kernel;
mod lattice;
mod linear;
mod spline;

use ndarray::Array3;
use serde::{Deserialize, Serialize};

use crate::grid::{Bounds, Element, Grid, Image, Mask};
use lattice::{Axis, Lattice};
use osteon_base::setting::{self, Unfit};
use osteon_base::text::counted;

pub use finite::finite;
pub use kernel::Window;

/// How an image is prepared and its grey levels are made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// z-score over all voxels of the file, with the n - 1 standard deviation.
    pub normalise: bool,
    /// Voxel size x, y, z in mm to resample to, 0 keeps the file's; empty keeps the image's own grid.
    pub spacing_mm: Vec<f64>,
    /// Where the new grid lies on the old one.
    pub grid: Alignment,
    pub interpolation: Interpolation,
    pub mask_interpolation: MaskInterpolation,
    /// Whether resampled intensities are rounded to whole numbers, as the IBSI asks for CT.
    pub round: bool,
    /// Width of the grey level bins, anchored at 0.
    pub bin_width: f64,
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        setting::above_zero("bin_width", self.bin_width)?;
        let is_size = |size: &f64| size.is_finite() && *size >= 0.0;
        let sizes = self.spacing_mm.is_empty() || self.spacing_mm.len() == 3 && self.spacing_mm.iter().all(is_size);
        setting::require(sizes, "spacing_mm", &self.spacing_mm, "[] or three numbers of at least 0")
    }
}

/// Where a resampled grid lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alignment {
    /// The outer corners of the first voxels fall together: pyradiomics.
    Corner,
    /// The centres of the grids fall together: the IBSI. The image is resampled whole, and not rounded to the number
    /// type of its file.
    Centre,
}

/// How intensities between voxels are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    Linear,
    /// Cubic B-splines.
    Bspline,
}

/// How a mask is resampled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MaskInterpolation {
    Nearest,
    /// Linear; voxels at least half inside are in.
    Linear,
}

/// How an image is prepared where a protocol has no words for it: pyradiomics' own settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Steps {
    /// z-score over all voxels of the file, cut and scaled.
    pub scaling: Option<Scaling>,
    /// As in `Params`.
    pub spacing_mm: Vec<f64>,
    pub interpolator: Interpolator,
}

/// What is done with a z-score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scaling {
    /// Scores beyond so many standard deviations become that many.
    pub outliers_sd: Option<f64>,
    pub factor: f64,
}

/// ITK's interpolators by SimpleITK's settings; outside of the image they give 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolator {
    Nearest,
    Linear,
    Bspline,
    Sinc(Window),
    Gaussian,
    LabelGaussian,
}

/// How much of the image is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    Whole,
    /// So many voxels z, y, x of the prepared grid to each side of the tumour's box. The grid is that of a pyradiomics
    /// run with padding `counted_from`, to the last bit, which decides ties of the mask.
    Around {
        voxels: [usize; 3],
        counted_from: usize,
    },
}

impl Extent {
    /// pyradiomics' own crop: 5 voxels around the tumour's box.
    pub const PYRADIOMICS: Extent = Extent::Around { voxels: [5; 3], counted_from: 5 };
}

/// An image ready to be filtered and measured, and the tumour on its grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    pub image: Image,
    pub mask: Mask,
    /// Where the grid's first voxel lies in the whole prepared image, z, y, x.
    pub at: [i64; 3],
}

/// Why an image cannot be prepared.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PreprocessError {
    #[error("the mask is empty: every voxel is 0")]
    EmptyMask,
    #[error("the image is flat: every voxel is {value}, so it has no z-score")]
    Flat { value: f64 },
    #[error("{n} margins, at most {most} can be measured around one tumor")]
    TooManyMargins { n: usize, most: usize },
    #[error("no finite number in {} of the measured regions, of {n} in the image", counted(*.voxels, "voxel"))]
    NotFinite { voxels: usize, n: usize },
    #[error("no finite number in {} outside the measured regions, where {reader} reads", counted(*.voxels, "voxel"))]
    NotFiniteAround { voxels: usize, reader: &'static str },
    #[error("no voxel of the mask is left on the grid of {0:?} mm")]
    LostMask([f64; 3]),
    #[error("the resampled image would take {bytes} bytes, the limit is {limit}")]
    TooLarge { bytes: u128, limit: u128 },
}

/// Largest resampled volume in memory: a spacing of a thousandth of a mm is a slip, not a wish.
const MAX_BYTES: u128 = 2 << 30;

/// z-score, resampling and crop, in pyradiomics' order and on its lattice unless the grid is aligned by its centre.
///
/// Image and mask lie on the same grid. An image that keeps its grid and is not normalised keeps its values; one that
/// is resampled without z-score is rounded to the number type of its file, as ITK does.
pub fn prepare(image: &Image, mask: &Mask, extent: Extent, params: &Params) -> Result<Prepared, PreprocessError> {
    let tumour = mask.bounds().ok_or(PreprocessError::EmptyMask)?;
    let scale = if params.normalise { ZScore::of(image)? } else { ZScore::IDENTITY };
    let element = if params.normalise { Element::F64 } else { image.element };
    let how = How { interpolation: params.interpolation.into(), mask: params.mask_interpolation, round: params.round };
    match Lattice::new(image.volume.geometry(), tumour, &params.spacing_mm) {
        Some(lattice) if params.grid == Alignment::Centre => {
            resample(image, mask, &lattice.centred(), |value| scale.of_value(value), Element::F64, how)
        }
        Some(lattice) => {
            resample(image, mask, &lattice.axes(tumour, extent), |value| scale.of_value(value), element, how)
        }
        None => Ok(cut(image, mask, tumour, extent, |value| scale.of_value(value), element)),
    }
}

/// The same by pyradiomics' own settings, on its lattice.
pub fn prepare_by(image: &Image, mask: &Mask, extent: Extent, steps: &Steps) -> Result<Prepared, PreprocessError> {
    let tumour = mask.bounds().ok_or(PreprocessError::EmptyMask)?;
    let scale = steps.scaling.map(|scaling| Ok((ZScore::of(image)?, scaling))).transpose()?;
    let of = |value: f64| match scale {
        None => value,
        Some((score, Scaling { outliers_sd, factor })) => {
            let score = score.of_value(value);
            outliers_sd.map_or(score, |sd| score.clamp(-sd, sd)) * factor
        }
    };
    let element = if scale.is_some() { Element::F64 } else { image.element };
    let how = How { interpolation: steps.interpolator.into(), mask: MaskInterpolation::Nearest, round: false };
    match Lattice::new(image.volume.geometry(), tumour, &steps.spacing_mm) {
        Some(lattice) => resample(image, mask, &lattice.axes(tumour, extent), of, element, how),
        None => Ok(cut(image, mask, tumour, extent, of, element)),
    }
}

/// An image that keeps its own grid.
fn cut(
    image: &Image,
    mask: &Mask,
    tumour: Bounds,
    extent: Extent,
    of: impl Fn(f64) -> f64,
    element: Element,
) -> Prepared {
    let bounds = match extent {
        Extent::Whole => Bounds { low: [0; 3], shape: mask.geometry().shape },
        Extent::Around { voxels, .. } => tumour.grown(voxels, mask.geometry().shape),
    };
    let volume = image.volume.cut(bounds).map(|&value| of(value));
    Prepared { image: Image { volume, element }, mask: mask.cut(bounds), at: bounds.low.map(|low| low as i64) }
}

/// The whole image as z-scores: mean 0 and n - 1 standard deviation 1 over all voxels of the file.
pub fn normalise(image: &Image) -> Result<Image, PreprocessError> {
    let scale = ZScore::of(image)?;
    Ok(Image { volume: image.volume.map(|&value| scale.of_value(value)), element: Element::F64 })
}

#[derive(Clone, Copy)]
struct ZScore {
    mean: f64,
    sd: f64,
}

impl ZScore {
    const IDENTITY: ZScore = ZScore { mean: 0.0, sd: 1.0 };

    fn of(image: &Image) -> Result<ZScore, PreprocessError> {
        let values = image.volume.as_slice();
        let n = values.len() as f64;
        let mean = sum(values.iter().copied()) / n;
        let square = sum(values.iter().map(|value| (value - mean).powi(2)));
        let sd = (square / (n - 1.0)).sqrt();
        // A flat image of decimal fractions leaves the rounding of its mean.
        if sd > 1e-12 * mean.abs() { Ok(ZScore { mean, sd }) } else { Err(PreprocessError::Flat { value: values[0] }) }
    }

    fn of_value(self, value: f64) -> f64 {
        (value - self.mean) / self.sd
    }
}

/// A sum in eight interleaved parts: as fast as memory, and closer than one running sum.
fn sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut parts = [0.0; 8];
    for (at, value) in values.enumerate() {
        parts[at % 8] += value;
    }
    parts.iter().sum()
}

/// How voxels of a new grid are found.
#[derive(Clone, Copy)]
struct How {
    interpolation: Between,
    mask: MaskInterpolation,
    round: bool,
}

/// Every way to find intensities between voxels.
#[derive(Clone, Copy, PartialEq)]
enum Between {
    /// Linear, the border's value continued beyond it.
    Continued,
    Itk(Interpolator),
}

impl From<Interpolation> for Between {
    fn from(interpolation: Interpolation) -> Between {
        match interpolation {
            Interpolation::Linear => Between::Continued,
            Interpolation::Bspline => Between::Itk(Interpolator::Bspline),
        }
    }
}

impl From<Interpolator> for Between {
    fn from(interpolator: Interpolator) -> Between {
        Between::Itk(interpolator)
    }
}

fn resample(
    image: &Image,
    mask: &Mask,
    axes: &[Axis; 3],
    of: impl Fn(f64) -> f64,
    element: Element,
    how: How,
) -> Result<Prepared, PreprocessError> {
    let shape = axes.each_ref().map(Axis::len);
    let bytes = shape.iter().map(|&n| n as u128).product::<u128>() * size_of::<f64>() as u128;
    if bytes > MAX_BYTES {
        return Err(PreprocessError::TooLarge { bytes, limit: MAX_BYTES });
    }
    let geometry = lattice::geometry(image.volume.geometry(), axes);
    let found = nearest(mask.geometry(), axes);
    let cells = match how.mask {
        MaskInterpolation::Nearest => found.mapv(|at| at.is_some_and(|at| mask.as_slice()[at as usize])),
        MaskInterpolation::Linear => linear::mask(mask, axes),
    };
    let mask = Grid::new(geometry.clone(), cells).expect("one voxel a place of the axes");
    if mask.count() == 0 {
        return Err(PreprocessError::LostMask(geometry.spacing_mm));
    }
    let mut cells = match how.interpolation {
        Between::Itk(Interpolator::Bspline) => spline::interpolate(&image.volume, axes, of),
        Between::Continued => linear::interpolate(&image.volume, axes, of),
        Between::Itk(Interpolator::Linear) => linear::interpolate_as_itk(&image.volume, axes, of),
        Between::Itk(Interpolator::Nearest) => {
            found.mapv(|at| at.map_or(0.0, |at| of(image.volume.as_slice()[at as usize])))
        }
        Between::Itk(Interpolator::Sinc(window)) => kernel::windowed_sinc(&image.volume, axes, window, of),
        Between::Itk(Interpolator::Gaussian) => kernel::gaussian(&image.volume, axes, of),
        Between::Itk(Interpolator::LabelGaussian) => kernel::label_gaussian(&image.volume, axes, of),
    };
    if how.interpolation != Between::Continued {
        cells.zip_mut_with(&found, |value, inside| *value = if inside.is_some() { *value } else { 0.0 });
    }
    if how.round {
        cells.mapv_inplace(f64::round);
    }
    if element != Element::F64 {
        cells.mapv_inplace(|value| element.cast(value));
    }
    let volume = Grid::new(geometry, cells).expect("one voxel a place of the axes");
    Ok(Prepared { image: Image { volume, element }, mask, at: axes.each_ref().map(|axis| axis.first) })
}

/// Position of the nearest old voxel as ITK finds it; `None` where ITK is outside of the old image.
fn nearest(old: &crate::grid::Geometry, axes: &[Axis; 3]) -> Array3<Option<u32>> {
    let [oz, oy, ox] = old.shape;
    let [z, y, x] = axes;
    let way = itk::Way::new(old, axes);
    let position = |[x, y, z]: [usize; 3]| ((z * oy + y) * ox + x) as u32;
    let mut cells = Vec::with_capacity(z.len() * y.len() * x.len());
    for k in 0..z.len() as i64 {
        for j in 0..y.len() as i64 {
            let row = way.row(z.first + k, y.first + j, x.first);
            cells.extend((0..x.len()).map(|i| row.nearest(i, [ox, oy, oz]).map(position)));
        }
    }
    Array3::from_shape_vec((z.len(), y.len(), x.len()), cells).expect("one voxel a place of the axes")
}
