//! Undecimated wavelets of any family and level along any axes, as pyradiomics takes them from PyWavelets.

use std::ops::{Add, Mul};

use ndarray::{Array3, Axis, concatenate, s};

use crate::grid::{Element, Grid, Image, Volume};

/// Decomposition filters by name.
const TABLE: &str = include_str!("wavelets.csv");

/// Low and high pass of a family, and the low pass in single precision.
#[derive(Clone, Debug, PartialEq)]
pub struct Wavelet {
    low: Vec<f64>,
    high: Vec<f64>,
    low_single: Vec<f32>,
    high_single: Vec<f32>,
}

/// Which bands are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    /// Approximations that are taken before the first level.
    pub skipped: usize,
    pub levels: usize,
    /// The axes (0 z, 1 y, 2 x), in the order of the letters of a band's name.
    pub axes: Vec<usize>,
}

/// The names of all families, for messages.
pub fn names() -> Vec<&'static str> {
    rows().filter(|row| row.1 == "low").map(|row| row.0).collect()
}

fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let row = |line: &'static str| {
        let mut cells = line.splitn(3, ',');
        Some((cells.next()?, cells.next()?, cells.next()?))
    };
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(row)
}

impl Wavelet {
    /// `None` where no family has the name.
    pub fn new(name: &str) -> Option<Wavelet> {
        let of = |kind: &str| rows().find(|row| row.0 == name && row.1 == kind).map(|row| row.2);
        let numbers = |text: &str| -> Vec<f64> {
            text.split(' ').map(|word| word.parse().expect("the table holds numbers")).collect()
        };
        let low = numbers(of("low")?);
        let low_single: Vec<f32> = match of("single") {
            Some(text) => text.split(' ').map(|word| word.parse().expect("the table holds numbers")).collect(),
            None => low.iter().map(|&tap| tap as f32).collect(),
        };
        let (high, high_single) = match of("high").map(numbers) {
            Some(high) => (high.clone(), high.iter().map(|&tap| tap as f32).collect()),
            None => (mirrored(&low, |tap| -tap), mirrored(&low_single, |tap| -tap)),
        };
        Some(Wavelet { low, high, low_single, high_single })
    }

    /// The low pass of the decomposition.
    pub fn low(&self) -> &[f64] {
        &self.low
    }

    /// Its high pass.
    pub fn high(&self) -> &[f64] {
        &self.high
    }

    /// Voxels to either side that one level depends on.
    pub fn support(&self) -> usize {
        self.low.len()
    }

    /// Names and images: the bands of each level, and the last approximation. Levels beyond the first have their number
    /// in the name. Periodic; an axis of odd length is lengthened by its first voxel.
    pub fn bands(&self, image: &Image, which: &Levels) -> Vec<(String, Volume)> {
        let volume = &image.volume;
        let named = if image.element == Element::F32 {
            let cells = volume.cells().mapv(|value| value as f32);
            let found = bands(cells, &self.low_single, &self.high_single, which);
            found.into_iter().map(|(name, cells)| (name, cells.mapv(f64::from))).collect()
        } else {
            bands(volume.cells().clone(), &self.low, &self.high, which)
        };
        let grid = |cells| Grid::new(volume.geometry().clone(), cells).expect("a filter keeps the shape");
        named.into_iter().map(|(name, cells)| (name, grid(cells))).collect()
    }
}

impl Levels {
    /// Names of the images of `bands`.
    pub fn names(&self) -> Vec<String> {
        let n = self.axes.len();
        let band = |bits: usize| -> String {
            (0..n).map(|at| if bits >> (n - 1 - at) & 1 == 1 { 'H' } else { 'L' }).collect()
        };
        let prefix = |level: usize| if level == 1 { "wavelet".to_owned() } else { format!("wavelet{level}") };
        let of_level = |level: usize| (1..1 << n).map(move |bits| format!("{}-{}", prefix(level), band(bits)));
        let mut names: Vec<String> = (1..=self.levels).flat_map(of_level).collect();
        names.push(format!("{}-{}", prefix(self.levels), band(0)));
        names
    }
}

/// `(-1)^(k + 1)` times the filter from its end.
fn mirrored<T: Copy>(low: &[T], negative: impl Fn(T) -> T) -> Vec<T> {
    low.iter().rev().enumerate().map(|(k, &tap)| if k % 2 == 0 { negative(tap) } else { tap }).collect()
}

/// The two kinds of numbers that PyWavelets knows.
trait Real: Copy + Default + Add<Output = Self> + Mul<Output = Self> {}
impl Real for f32 {}
impl Real for f64 {}

fn bands<T: Real>(cells: Array3<T>, low: &[T], high: &[T], which: &Levels) -> Vec<(String, Array3<T>)> {
    let (nz, ny, nx) = cells.dim();
    let mut data = cells;
    for axis in 0..3 {
        if data.len_of(Axis(axis)) % 2 == 1 {
            let first = data.slice_axis(Axis(axis), (0..1).into()).to_owned();
            data = concatenate(Axis(axis), &[data.view(), first.view()]).expect("one more slice of the same shape");
            data = data.as_standard_layout().into_owned();
        }
    }
    let data_of = |data: &Array3<T>| data.slice(s![..nz, ..ny, ..nx]).as_standard_layout().into_owned();
    for _ in 0..which.skipped {
        data = which.axes.iter().fold(data, |data, &axis| pass(&data, axis, low));
    }
    let mut made = Vec::new();
    for _ in 0..which.levels {
        let mut parts = vec![data];
        for &axis in &which.axes {
            parts = parts.iter().flat_map(|part| [pass(part, axis, low), pass(part, axis, high)]).collect();
        }
        data = parts.remove(0);
        made.extend(parts.iter().map(data_of));
    }
    made.push(data_of(&data));
    which.names().into_iter().zip(made).collect()
}

/// Voxel n sums filter\[k\] times voxel n + len/2 - k along an axis, in the order of PyWavelets: from the first tap to
/// the last, but near the end those first that wrap, backwards. In single precision the order shows.
fn pass<T: Real>(cells: &Array3<T>, axis: usize, taps: &[T]) -> Array3<T> {
    let (nz, ny, nx) = cells.dim();
    let (len, stride) = [(nz, ny * nx), (ny, nx), (nx, 1)][axis];
    let mut sums = Array3::from_elem(cells.dim(), T::default());
    let from = cells.as_slice().expect("passes make contiguous arrays");
    let to = sums.as_slice_mut().expect("a fresh array is contiguous");
    let half = taps.len() / 2;
    let source = |at: usize, tap: usize| (at as isize + half as isize - tap as isize).rem_euclid(len as isize) as usize;
    let order = |at: usize| {
        let wrapped = (at + half + 1).saturating_sub(len).min(taps.len());
        (0..wrapped).rev().chain(wrapped..taps.len())
    };
    for (row, sums) in to.chunks_exact_mut(nx).enumerate() {
        let start = row * nx;
        if axis == 2 {
            let values = &from[start..start + nx];
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum = order(at).fold(T::default(), |sum, tap| sum + taps[tap] * values[source(at, tap)]);
            }
            continue;
        }
        let at = start / stride % len;
        for tap in order(at) {
            let values = &from[start + source(at, tap) * stride - at * stride..][..nx];
            sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum = *sum + taps[tap] * value);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::wavelet;
    use crate::grid::Geometry;

    #[test]
    fn coif1_of_the_table_is_the_one_of_the_protocols() {
        let shape = [5, 6, 7];
        let cells = Array3::from_shape_fn(shape, |(z, y, x)| ((z * 31 + y * 17 + x * 7 + z * y * x) % 11) as f64);
        let volume = Grid::new(Geometry::upright(shape, [1.0; 3]), cells).unwrap();
        let which = Levels { skipped: 0, levels: 1, axes: vec![2, 1, 0] };
        for element in [Element::F64, Element::F32] {
            let image = Image { volume: volume.clone(), element };
            let all = Wavelet::new("coif1").unwrap().bands(&image, &which);
            let usual = wavelet::bands(&image);
            for ((name, band), (own, other)) in all.iter().zip(wavelet::BANDS.iter().zip(&usual)) {
                assert_eq!(*name, format!("wavelet-{own}"));
                // Sums at the border are in another order.
                let rounding = if element == Element::F32 { 1e-5 } else { 1e-13 };
                let apart = band.as_slice().iter().zip(other.as_slice()).map(|(a, b)| (a - b).abs());
                assert!(apart.fold(0.0, f64::max) < rounding, "{name}");
            }
        }
    }

    #[test]
    fn every_family_keeps_a_constant_in_its_low_pass() {
        assert_eq!(names().len(), 106);
        for name in names() {
            let Wavelet { low, high, .. } = Wavelet::new(name).unwrap();
            let (low, high): (f64, f64) = (low.iter().sum(), high.iter().sum());
            // The discrete Meyer wavelet is cut, and PyWavelets' high pass keeps what that leaves.
            let left = if name == "dmey" { 2e-3 } else { 1e-5 };
            assert!((low - 2f64.sqrt()).abs() < 1e-5 && high.abs() < left, "{name}: {low} {high}");
        }
        assert_eq!(Wavelet::new("morl"), None);
    }
}
