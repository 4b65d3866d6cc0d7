//! Linear interpolation, the border's value continued beyond it, as the IBSI asks for images and masks.

use ndarray::Array3;

use crate::grid::{Grid, Mask, Volume};
use crate::preprocess::itk::Way;
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

/// The same as ITK computes it, to the last bit, which decides what a cast to whole numbers leaves: at its own places,
/// and one axis after the other from x on.
pub fn interpolate_as_itk(old: &Volume, axes: &[Axis; 3], of: impl Fn(f64) -> f64) -> Array3<f64> {
    let [oz, oy, ox] = old.geometry().shape;
    let [z, y, x] = axes;
    let way = Way::new(old.geometry(), axes);
    let value = |z: usize, y: usize, x: usize| of(old.cells()[[z, y, x]]);
    let between = |low: f64, taps: &Taps, high: &dyn Fn() -> f64| {
        if taps.weight <= 0.0 || taps.low == taps.high { low } else { low + (high() - low) * taps.weight }
    };
    let taps = |place: f64, len: usize| {
        let low = (place.floor().max(0.0) as usize).min(len - 1);
        Taps { low, high: (low + 1).min(len - 1), weight: place - low as f64 }
    };
    let mut cells = Vec::with_capacity(z.len() * y.len() * x.len());
    for k in 0..z.len() as i64 {
        for j in 0..y.len() as i64 {
            let row = way.row(z.first + k, y.first + j, x.first);
            for i in 0..x.len() {
                let [px, py, pz] = row.place(i);
                let [x, y, z] = [taps(px, ox), taps(py, oy), taps(pz, oz)];
                let along_x = |z: usize, y: usize| between(value(z, y, x.low), &x, &|| value(z, y, x.high));
                let along_y = |z: usize| between(along_x(z, y.low), &y, &|| along_x(z, y.high));
                cells.push(between(along_y(z.low), &z, &|| along_y(z.high)));
            }
        }
    }
    Array3::from_shape_vec((z.len(), y.len(), x.len()), cells).expect("one voxel a place of the axes")
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
