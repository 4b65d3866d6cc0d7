//! Linear interpolation, the border's value continued beyond it, as the IBSI asks for images and masks.

use ndarray::Array3;

use crate::grid::{Grid, Mask, Volume};
use crate::preprocess::lattice::Axis;

/// Half a voxel is inside; sums of weights reach the half only up to rounding.
const HALF: f64 = 0.5 - 1e-9;

/// A neighbour on either side of a place, and the weight of the upper one.
struct Taps {
    low: usize,
    high: usize,
    weight: f64,
}

/// Values of `of(old voxel)` at the places of `axes` (z, y, x).
pub fn interpolate(old: &Volume, axes: &[Axis; 3], of: impl Fn(f64) -> f64) -> Array3<f64> {
    mix(old, axes, |&value| of(value))
}

/// Voxels of which at least half lies in the mask.
pub fn mask(old: &Mask, axes: &[Axis; 3]) -> Array3<bool> {
    mix(old, axes, |&inside| f64::from(u8::from(inside))).mapv(|part| part >= HALF)
}

fn mix<T>(old: &Grid<T>, axes: &[Axis; 3], of: impl Fn(&T) -> f64) -> Array3<f64> {
    let shape = old.geometry().shape;
    let taps: [Vec<Taps>; 3] =
        std::array::from_fn(|k| axes[k].places.iter().map(|&place| taps(place, shape[k])).collect());
    let between = |taps: &Taps, value: &dyn Fn(usize) -> f64| match (value(taps.low), taps.weight) {
        (low, 0.0) => low,
        (low, weight) => (1.0 - weight) * low + weight * value(taps.high),
    };
    Array3::from_shape_fn([0, 1, 2].map(|k| taps[k].len()), |(k, j, i)| {
        let [z, y, x] = [&taps[0][k], &taps[1][j], &taps[2][i]];
        between(z, &|z| between(y, &|y| between(x, &|x| of(&old.cells()[[z, y, x]]))))
    })
}

fn taps(place: f64, len: usize) -> Taps {
    let place = place.clamp(0.0, (len - 1) as f64);
    let low = place.floor() as usize;
    Taps { low, high: (low + 1).min(len - 1), weight: place - low as f64 }
}
