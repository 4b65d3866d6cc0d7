//! The undecimated coif1 wavelet, level 1, in three dimensions (PyWavelets `swtn`).

use std::ops::{Add, Mul};

use ndarray::Array3;

use crate::grid::{Element, Grid, Image, Volume};
use osteon_base::wide::wide;

/// Low (L) or high (H) pass along x, y and z, in pyradiomics' order.
pub const BANDS: [&str; 8] = ["LLH", "LHL", "LHH", "HLL", "HLH", "HHL", "HHH", "LLL"];

/// Voxels on either side that a band depends on; one more where an odd axis wraps.
pub const SUPPORT: usize = 4;

/// Coif1's decomposition filters (Daubechies 1992, table 8.1): (-3 + r, 1 - r, 14 - 2 r, 14 + 2 r, 5 + r, 1 - r) over
/// 16 times the root of 2, where r is the root of 7.
const LOW: [f64; 6] = [
    -0.015_655_728_135_791_993,
    -0.072_732_619_512_526_45,
    0.384_864_846_864_857_7,
    0.852_572_020_211_600_4,
    0.337_897_662_457_481_76,
    -0.072_732_619_512_526_45,
];
const HIGH: [f64; 6] = [-LOW[5], LOW[4], -LOW[3], LOW[2], -LOW[1], LOW[0]];

/// The same in single precision, the largest tap one unit in the last place low as in PyWavelets' own table.
const LOW_SINGLE: [f32; 6] = {
    let nearest = [LOW[0] as f32, LOW[1] as f32, LOW[2] as f32, LOW[3] as f32, LOW[4] as f32, LOW[5] as f32];
    [nearest[0], nearest[1], nearest[2], nearest[3].next_down(), nearest[4], nearest[5]]
};
const HIGH_SINGLE: [f32; 6] =
    [-LOW_SINGLE[5], LOW_SINGLE[4], -LOW_SINGLE[3], LOW_SINGLE[2], -LOW_SINGLE[1], LOW_SINGLE[0]];

/// A pass at voxel n sums filter\[k\] times voxel n + 3 - k.
const AHEAD: usize = 3;

/// The eight bands in the order of `BANDS`, periodic; an axis of odd length is lengthened by its first voxel.
///
/// An image stored in single precision is filtered in single precision, as PyWavelets does.
pub fn bands(image: &Image) -> Vec<Volume> {
    let volume = &image.volume;
    let cells: [Array3<f64>; 8] = if image.element == Element::F32 {
        octants(volume.cells().mapv(|value| value as f32), LOW_SINGLE, HIGH_SINGLE).map(|band| band.mapv(f64::from))
    } else {
        octants(volume.cells().clone(), LOW, HIGH)
    };
    cells.map(|cells| Grid::new(volume.geometry().clone(), cells).expect("a filter keeps the shape")).into()
}

/// The two kinds of numbers that PyWavelets knows.
trait Real: Copy + Default + Add<Output = Self> + Mul<Output = Self> {}
impl Real for f32 {}
impl Real for f64 {}

fn octants<T: Real>(cells: Array3<T>, low: [T; 6], high: [T; 6]) -> [Array3<T>; 8] {
    let split = |cells: &Array3<T>, axis| split(cells, axis, low, high);
    let [l, h] = split(&cells, 2);
    drop(cells);
    let ([ll, lh], [hl, hh]) = (split(&l, 1), split(&h, 1));
    let ([lll, llh], [lhl, lhh]) = (split(&ll, 0), split(&lh, 0));
    let ([hll, hlh], [hhl, hhh]) = (split(&hl, 0), split(&hh, 0));
    [llh, lhl, lhh, hll, hlh, hhl, hhh, lll]
}

/// Low and high pass along one axis (0 z, 1 y, 2 x).
fn split<T: Real>(cells: &Array3<T>, axis: usize, low: [T; 6], high: [T; 6]) -> [Array3<T>; 2] {
    let (_, ny, nx) = cells.dim();
    let mut passes = [Array3::from_elem(cells.dim(), T::default()), Array3::from_elem(cells.dim(), T::default())];
    let [to_low, to_high] = passes.each_mut().map(|pass| pass.as_slice_mut().expect("a fresh array is contiguous"));
    let from = cells.as_slice().expect("grids are contiguous");
    let rows = to_low.chunks_exact_mut(nx).zip(to_high.chunks_exact_mut(nx)).enumerate();
    let mut long = vec![T::default(); nx + low.len() - 1];
    let (len, stride) = [(cells.dim().0, ny * nx), (ny, nx), (nx, 1)][axis];
    for (row, (low_row, high_row)) in rows {
        let start = row * nx;
        let taps: [&[T]; 6] = if axis == 2 {
            for (at, value) in long.iter_mut().enumerate() {
                *value = from[start + wrap(at as isize - (low.len() - 1 - AHEAD) as isize, len)];
            }
            std::array::from_fn(|tap| &long[low.len() - 1 - tap..][..nx])
        } else {
            let at = start / stride % len;
            std::array::from_fn(|tap| {
                let source = wrap((at + AHEAD) as isize - tap as isize, len);
                &from[start + source * stride - at * stride..][..nx]
            })
        };
        weigh(taps, low, low_row);
        weigh(taps, high, high_row);
    }
    passes
}

wide! {
    /// Sums from the first tap to the last, as PyWavelets adds them.
    fn weigh<T: Real>(taps: [&[T]; 6], w: [T; 6], sums: &mut [T]) {
        let [a, b, c, d, e, f] = taps.map(|tap| &tap[..sums.len()]);
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum = w[0] * a[i] + w[1] * b[i] + w[2] * c[i] + w[3] * d[i] + w[4] * e[i] + w[5] * f[i];
        }
    }
}

fn wrap(at: isize, len: usize) -> usize {
    let at = at.rem_euclid((len + len % 2) as isize) as usize;
    if at == len { 0 } else { at }
}
