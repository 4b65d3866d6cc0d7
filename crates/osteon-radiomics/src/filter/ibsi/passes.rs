//! Filters that are one pass along an axis after the other.

use ndarray::{Array3, Axis};

use crate::filter::ibsi::turn::Turn;
use crate::filter::ibsi::{Border, Laws};
use crate::filter::undecimated::Wavelet;

/// Offsets along an axis and their weights: what a voxel's response sums.
pub type Taps = Vec<(isize, f64)>;

impl Laws {
    pub fn taps(self) -> Taps {
        let (weights, square): (&[f64], f64) = match self {
            Laws::L3 => (&[1.0, 2.0, 1.0], 6.0),
            Laws::E3 => (&[-1.0, 0.0, 1.0], 2.0),
            Laws::S3 => (&[-1.0, 2.0, -1.0], 6.0),
            Laws::L5 => (&[1.0, 4.0, 6.0, 4.0, 1.0], 70.0),
            Laws::E5 => (&[-1.0, -2.0, 0.0, 2.0, 1.0], 10.0),
            Laws::S5 => (&[-1.0, 0.0, 2.0, 0.0, -1.0], 6.0),
            Laws::W5 => (&[-1.0, 2.0, 0.0, -2.0, 1.0], 10.0),
            Laws::R5 => (&[1.0, -4.0, 6.0, -4.0, 1.0], 70.0),
        };
        convolution(weights.iter().map(|weight| weight / square.sqrt()), weights.len() / 2, 1)
    }
}

/// `y[n]` sums `f[k] x[n + centre - k]`, voxels `apart`.
fn convolution(weights: impl Iterator<Item = f64>, centre: usize, apart: usize) -> Taps {
    weights.enumerate().map(|(k, weight)| ((centre as isize - k as isize) * apart as isize, weight)).collect()
}

/// One pass after the other; `taps[k]` along `axes[k]`.
pub fn chain(cells: &Array3<f64>, taps: &[Taps], axes: &[usize], border: Border) -> Array3<f64> {
    let passes = taps.iter().zip(axes);
    passes.fold(cells.clone(), |cells, (taps, &axis)| pass(&cells, axis, taps, border))
}

fn pass(cells: &Array3<f64>, axis: usize, taps: &Taps, border: Border) -> Array3<f64> {
    let len = cells.len_of(Axis(axis));
    let mut sums = Array3::zeros(cells.dim());
    for (at, mut slice) in sums.axis_iter_mut(Axis(axis)).enumerate() {
        for &(by, weight) in taps {
            if let Some(source) = border.source(at as isize + by, len) {
                slice.scaled_add(weight, &cells.index_axis(Axis(axis), source));
            }
        }
    }
    sums
}

pub fn mean(cells: &Array3<f64>, support: usize, axes: &[usize], border: Border) -> Array3<f64> {
    let taps = convolution((0..support).map(|_| 1.0 / support as f64), support / 2, 1);
    chain(cells, &vec![taps; axes.len()], axes, border)
}

/// Where a Gaussian of so many voxels is cut: the IBSI's four sigma.
pub fn cut_off(sigma: f64) -> usize {
    (4.0 * sigma + 0.5).floor() as usize
}

/// Sigma in voxels along z, y, x; the sampled kernel is a sum of products of one axis each.
pub fn laplacian(cells: &Array3<f64>, sigma: [f64; 3], axes: &[usize], border: Border) -> Array3<f64> {
    let kernel = |axis: usize, is_curved: bool| {
        let s = sigma[axis];
        let reach = cut_off(s) as isize;
        let scale = 1.0 / ((2.0 * std::f64::consts::PI).sqrt() * s);
        let weight = |at: isize| {
            let square = (at as f64 / s).powi(2);
            let curve = if is_curved { -(1.0 - square) / (s * s) } else { 1.0 };
            (at, scale * curve * (-square / 2.0).exp())
        };
        (-reach..=reach).map(weight).collect::<Taps>()
    };
    let mut sum = Array3::zeros(cells.dim());
    for curved in axes {
        let taps: Vec<Taps> = axes.iter().map(|axis| kernel(*axis, axis == curved)).collect();
        sum += &chain(cells, &taps, axes, border);
    }
    sum
}

/// The band of an undecimated wavelet: low passes up to the level before, the filters spread by 2 each level.
pub fn decomposed(
    cells: &Array3<f64>,
    wavelet: &Wavelet,
    bands: &str,
    level: u32,
    turn: &Turn,
    axes: &[usize],
    border: Border,
) -> Array3<f64> {
    let mut cells = cells.clone();
    for at in 0..level {
        let apart = 1 << at;
        let is_last = at + 1 == level;
        let taps: Vec<Taps> = bands
            .chars()
            .map(|band| {
                let weights = if is_last && band == 'H' { wavelet.high() } else { wavelet.low() };
                convolution(weights.iter().copied(), weights.len() / 2, apart)
            })
            .collect();
        cells = chain(&cells, &turn.of(&taps), axes, border);
    }
    cells
}
