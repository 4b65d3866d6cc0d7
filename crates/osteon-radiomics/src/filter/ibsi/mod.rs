//! The convolutional filters that the IBSI standardized (Depeursinge et al. 2020, arXiv 2006.05470): mean, Laplacian of
//! Gaussian, Laws, Gabor, separable and non-separable wavelets, in two or three dimensions, with rotation invariance.

mod gabor;
mod passes;
mod plan;
mod spectral;
mod turn;

use crate::filter::undecimated::Wavelet;
use crate::grid::{Bounds, Geometry, Grid, Volume};
use passes::{Taps, chain, decomposed, laplacian, mean};
pub use plan::{Configuration, Map, configurations, maps};
use turn::{Turn, pooled};

/// A filter and where it is applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub kind: Kind,
    pub border: Border,
    pub space: Space,
}

/// Whether slices are filtered one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    Slices,
    Volume,
}

/// What lies beyond the last voxel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Border {
    Zero,
    Nearest,
    Periodic,
    /// a b c | c b a
    Mirror,
}

/// The filter itself; sizes in mm are divided by the spacing.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Over so many voxels, an odd number.
    Mean {
        support: usize,
    },
    /// Cut at four sigma.
    LaplacianOfGaussian {
        sigma_mm: f64,
    },
    Laws {
        kernels: Vec<Laws>,
        rotation: Rotation,
        energy: Option<usize>,
    },
    Gabor {
        sigma_mm: f64,
        wavelength_mm: f64,
        gamma: f64,
        angle: Angle,
    },
    /// Low (L) or high (H) pass along x, y and z, at a level from 1 on.
    Separable {
        wavelet: &'static str,
        bands: &'static str,
        level: u32,
        rotation: Rotation,
    },
    /// Of a level from 1 on; Riesz transformed by an order along x, y, z, all 0 for none. The border is periodic.
    Simoncelli {
        level: i32,
        riesz: [u32; 3],
    },
    /// The Laplacian of Gaussian, Riesz transformed.
    RieszLaplacianOfGaussian {
        sigma_mm: f64,
        riesz: [u32; 3],
    },
}

/// One of Laws' kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Laws {
    L3,
    E3,
    S3,
    L5,
    E5,
    S5,
    W5,
    R5,
}

/// Whether the responses in all right-angled directions are put together: their maximum for Laws, their mean for
/// wavelets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rotation {
    One,
    All,
}

/// Directions of a Gabor filter in its plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Angle {
    One(f64),
    /// The mean over a full turn in steps of so much, in the plane of slices.
    Turn(f64),
    /// The same in the three orthogonal planes together.
    TurnInPlanes(f64),
}

/// The response map.
pub fn apply(volume: &Volume, filter: &Filter) -> Volume {
    let Filter { kind, border, space } = filter;
    let cells = volume.cells();
    let axes: &[usize] = if *space == Space::Slices { &[2, 1] } else { &[2, 1, 0] };
    let spacing = volume.geometry().spacing_mm;
    let found = match kind {
        Kind::Mean { support } => mean(cells, *support, axes, *border),
        Kind::LaplacianOfGaussian { sigma_mm } => laplacian(cells, spacing.map(|mm| sigma_mm / mm), axes, *border),
        Kind::Laws { kernels, rotation, energy } => {
            let taps: Vec<Taps> = kernels.iter().map(|kernel| kernel.taps()).collect();
            let response = |turn: &Turn| chain(cells, &turn.of(&taps), axes, *border);
            let maximum = pooled(*rotation, axes.len(), response, f64::max).0;
            match energy {
                None => maximum,
                Some(reach) => mean(&maximum.mapv(f64::abs), 2 * reach + 1, axes, *border),
            }
        }
        Kind::Gabor { sigma_mm, wavelength_mm, gamma, angle } => {
            gabor::modulus(volume, [*sigma_mm, *wavelength_mm, *gamma], *angle, *border)
        }
        Kind::Separable { wavelet, bands, level, rotation } => {
            let wavelet = Wavelet::new(wavelet).expect("the filter names a wavelet of the table");
            let response = |turn: &Turn| decomposed(cells, &wavelet, bands, *level, turn, axes, *border);
            let (sum, n) = pooled(*rotation, axes.len(), response, |a, b| a + b);
            sum / n as f64
        }
        Kind::Simoncelli { level, riesz } => {
            let dilation = 2f64.powi(level - 1);
            let window = |radius: f64| {
                let radius = radius * dilation;
                let inside = (0.25..=1.0).contains(&radius);
                if inside { (std::f64::consts::FRAC_PI_2 * (2.0 * radius).log2()).cos() } else { 0.0 }
            };
            spectral::windowed(cells, axes, *riesz, window)
        }
        Kind::RieszLaplacianOfGaussian { sigma_mm, riesz } => {
            let smooth = laplacian(cells, spacing.map(|mm| sigma_mm / mm), axes, *border);
            spectral::windowed(&smooth, axes, *riesz, |_| 1.0)
        }
    };
    Grid::new(volume.geometry().clone(), found).expect("a filter keeps the shape")
}

/// The response map within a box alone: what lies further away than the filter reaches is not looked at.
pub fn apply_within(volume: &Volume, filter: &Filter, bounds: Bounds) -> Volume {
    let geometry = volume.geometry();
    let Some(reach) = filter.reach(geometry) else { return apply(volume, filter).cut(bounds) };
    let seen = bounds.grown(reach, geometry.shape);
    let own = Bounds { low: std::array::from_fn(|k| bounds.low[k] - seen.low[k]), ..bounds };
    apply(&volume.cut(seen), filter).cut(own)
}

impl Filter {
    /// Voxels z, y, x that a response depends on; `None` where it depends on the whole image.
    fn reach(&self, geometry: &Geometry) -> Option<[usize; 3]> {
        let along = |voxels: usize| Some([voxels; 3]);
        let reach = match &self.kind {
            Kind::Mean { support } => along(support / 2),
            Kind::LaplacianOfGaussian { sigma_mm } => {
                Some(geometry.spacing_mm.map(|spacing| passes::cut_off(sigma_mm / spacing)))
            }
            Kind::Laws { energy, .. } => along(2 + energy.unwrap_or(0)),
            Kind::Gabor { sigma_mm, gamma, .. } => {
                Some(geometry.spacing_mm.map(|spacing| gabor::reach(sigma_mm / spacing, *gamma)))
            }
            Kind::Separable { wavelet, level, .. } => {
                let taps = Wavelet::new(wavelet).expect("the filter names a wavelet of the table").low().len();
                along(taps << level)
            }
            Kind::Simoncelli { .. } | Kind::RieszLaplacianOfGaussian { .. } => None,
        };
        reach.filter(|_| self.border != Border::Periodic)
    }
}

impl Border {
    fn source(self, at: isize, len: usize) -> Option<usize> {
        let n = len as isize;
        match self {
            Border::Zero => (0..n).contains(&at).then_some(at as usize),
            Border::Nearest => Some(at.clamp(0, n - 1) as usize),
            Border::Periodic => Some(at.rem_euclid(n) as usize),
            Border::Mirror => {
                let at = at.rem_euclid(2 * n);
                Some(at.min(2 * n - 1 - at) as usize)
            }
        }
    }
}
