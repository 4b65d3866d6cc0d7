//! Interpolation by weights along each axis: windowed sinc and Gaussian, as SimpleITK sets ITK's up.

use std::collections::BTreeMap;

use ndarray::{Array3, Axis as Along};

use crate::grid::Volume;
use crate::preprocess::lattice::Axis;

/// Where the sinc is brought to 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    Hamming,
    Cosine,
    Welch,
    Lanczos,
    Blackman,
}

/// Old voxels to either side of a place (SimpleITK's `WindowingRadius`).
const RADIUS: i64 = 5;

/// Old voxels and their weights.
type Taps = Vec<(usize, f64)>;

impl Window {
    /// At a distance of `x` voxels (ITK's `WindowedSincInterpolateImageFunction`).
    fn at(self, x: f64) -> f64 {
        use std::f64::consts::PI;
        let part = x / RADIUS as f64;
        match self {
            Window::Hamming => 0.54 + 0.46 * (PI * part).cos(),
            Window::Cosine => (PI * part / 2.0).cos(),
            Window::Welch => 1.0 - part * part,
            Window::Lanczos => sinc(part),
            Window::Blackman => 0.42 + 0.5 * (PI * part).cos() + 0.08 * (2.0 * PI * part).cos(),
        }
    }

    /// The border's value is continued beyond it.
    fn taps(self, place: f64, len: usize) -> Taps {
        let base = place.floor();
        let apart = place - base;
        let tap = |step: i64| {
            let at = (base as i64 + step).clamp(0, len as i64 - 1) as usize;
            let x = apart - step as f64;
            (at, if apart == 0.0 { f64::from(u8::from(step == 0)) } else { sinc(x) * self.at(x) })
        };
        (1 - RADIUS..=RADIUS).map(tap).collect()
    }
}

fn sinc(x: f64) -> f64 {
    let x = std::f64::consts::PI * x;
    if x == 0.0 { 1.0 } else { x.sin() / x }
}

/// Values of `of(old voxel)` at the places of `axes` (z, y, x).
pub fn windowed_sinc(old: &Volume, axes: &[Axis; 3], window: Window, of: impl Fn(f64) -> f64) -> Array3<f64> {
    mix(old, axes, of, |place, len| window.taps(place, len))
}

/// The mean under a Gaussian of 0.8 voxels, cut at 4 of them.
pub fn gaussian(old: &Volume, axes: &[Axis; 3], of: impl Fn(f64) -> f64) -> Array3<f64> {
    mix(old, axes, of, |place, len| gaussian_taps(place, len, 0.8, 4.0))
}

/// The value of the most weight under a Gaussian of 1 voxel, cut there.
pub fn label_gaussian(old: &Volume, axes: &[Axis; 3], of: impl Fn(f64) -> f64) -> Array3<f64> {
    let shape = old.geometry().shape;
    let taps: [Vec<Taps>; 3] =
        std::array::from_fn(|k| axes[k].places.iter().map(|&place| gaussian_taps(place, shape[k], 1.0, 1.0)).collect());
    Array3::from_shape_fn(axes.each_ref().map(Axis::len), |(k, j, i)| {
        let mut votes = BTreeMap::<u64, f64>::new();
        for &(z, wz) in &taps[0][k] {
            for &(y, wy) in &taps[1][j] {
                for &(x, wx) in &taps[2][i] {
                    *votes.entry(old.cells()[[z, y, x]].to_bits()).or_default() += wz * wy * wx;
                }
            }
        }
        let most = votes.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        of(most.map_or(0.0, |(bits, _)| f64::from_bits(bits)))
    })
}

/// Areas under the Gaussian over each voxel, with sum 1; empty well outside.
fn gaussian_taps(place: f64, len: usize, sigma: f64, alpha: f64) -> Taps {
    let cut = sigma * alpha;
    let low = (place + 0.5 - cut).floor().max(0.0) as usize;
    let high = ((place + 0.5 + cut).ceil().max(0.0) as usize).min(len);
    let below = |edge: f64| erf((edge - place) / (sigma * std::f64::consts::SQRT_2));
    let area = |at: usize| below(at as f64 + 0.5) - below(at as f64 - 0.5);
    let taps: Taps = (low..high).map(|at| (at, area(at))).collect();
    let sum: f64 = taps.iter().map(|tap| tap.1).sum();
    taps.into_iter().map(|(at, weight)| (at, weight / sum)).collect()
}

/// The error function: its series near 0, the continued fraction of its complement farther out (Abramowitz and Stegun
/// 1964, 7.1.6 and 7.1.14).
fn erf(x: f64) -> f64 {
    let size = x.abs();
    let value = if size < 3.0 {
        let (mut term, mut sum, mut n) = (size, size, 0.0);
        while term > 1e-17 * sum {
            n += 1.0;
            term *= 2.0 * size * size / (2.0 * n + 1.0);
            sum += term;
        }
        sum * (-size * size).exp() * std::f64::consts::FRAC_2_SQRT_PI
    } else {
        let fraction = (1..60).rev().fold(size, |below, k| size + f64::from(k) / 2.0 / below);
        1.0 - (-size * size).exp() / (fraction * std::f64::consts::PI.sqrt())
    };
    value.copysign(x)
}

fn mix(old: &Volume, axes: &[Axis; 3], of: impl Fn(f64) -> f64, taps: impl Fn(f64, usize) -> Taps) -> Array3<f64> {
    let shape = old.geometry().shape;
    let taps: [Vec<Taps>; 3] =
        std::array::from_fn(|k| axes[k].places.iter().map(|&place| taps(place, shape[k])).collect());
    // Only the old voxels that some place needs are brought along.
    let needed = |k: usize| {
        let used = || taps[k].iter().flatten().map(|tap| tap.0);
        used().min().unwrap_or(0)..used().max().map_or(1, |last| last + 1)
    };
    let [z, y, x] = [needed(0), needed(1), needed(2)];
    let starts = [z.start, y.start, x.start];
    let mut cells = old.cells().slice(ndarray::s![z, y, x]).mapv(of);
    for (axis, taps) in taps.iter().enumerate() {
        let mut shape = [cells.dim().0, cells.dim().1, cells.dim().2];
        shape[axis] = taps.len();
        let mut mixed = Array3::zeros(shape);
        for (mut slice, taps) in mixed.axis_iter_mut(Along(axis)).zip(taps) {
            for &(at, weight) in taps {
                slice.scaled_add(weight, &cells.index_axis(Along(axis), at - starts[axis]));
            }
        }
        cells = mixed;
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_is_that_of_the_tables() {
        // C's erf, by Python 3.11.
        let cases = [
            (0.0, 0.0),
            (0.1, 0.112_462_916_018_284_9),
            (1.0, 0.842_700_792_949_714_9),
            (-2.5, -0.999_593_047_982_555),
            (2.999, 0.999_977_769_831_400_2),
            (4.0, 0.999_999_984_582_742_1),
        ];
        for (x, value) in cases {
            assert!((erf(x) - value).abs() < 3e-15, "{x}: {}", erf(x));
        }
    }
}
