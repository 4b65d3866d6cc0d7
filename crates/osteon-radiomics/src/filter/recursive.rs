//! ITK's recursive Gaussian and its Laplacian, rounded to single precision after each pass.
//!
//! A fourth-order recursion approximates the Gaussian and its second derivative (Deriche 1993, fitted by Farnebaeck
//! and Westin 2006). The fit is made for a sigma of two voxels and more; below, it is ITK's own filter and no Gaussian.

use crate::filter::{FilterError, Filtered};
use crate::grid::{Geometry, Grid, Volume};
use osteon_base::wide::wide;

/// Lines that are filtered side by side.
const LANES: usize = 8;
type Lanes = [f64; LANES];

/// Weights of one recursion: `n` and `m` for the voxels before and after, `d` for earlier results, `edge_n` and
/// `edge_m` for results beyond the border, where the last voxel repeats for ever.
struct Recursion {
    n: [f64; 4],
    m: [f64; 4],
    d: [f64; 4],
    edge_n: [f64; 4],
    edge_m: [f64; 4],
}

/// Two damped waves: weights of cosine and sine, and for each wave its frequency and damping.
struct Waves {
    cosine: [f64; 2],
    sine: [f64; 2],
}

/// Frequency and damping of the two waves, shared by all orders.
const FREQUENCY: [f64; 2] = [0.6681, 2.0787];
const DAMPING: [f64; 2] = [-1.3932, -1.3732];

const GAUSSIAN: Waves = Waves { cosine: [1.3530, -0.3531], sine: [1.8151, 0.0902] };
const SECOND_DERIVATIVE: Waves = Waves { cosine: [-1.3563, 0.3446], sine: [5.2318, -2.2355] };

/// sigma2 times the Laplacian of the Gaussian (ITK `LaplacianRecursiveGaussianImageFilter`, normalised across scale).
///
/// Errors where ITK and pyradiomics refuse: fewer than 4 voxels, or not more than sigma, along an axis.
pub fn laplacian_of_gaussian(volume: &Volume, sigma_mm: f64) -> Filtered {
    check_length(volume.geometry(), sigma_mm, &[2, 1, 0])?;
    let [nz, ny, nx] = volume.geometry().shape;
    let mut sum = vec![0f32; nz * ny * nx];
    for axis in [2, 1, 0] {
        let spacing = volume.geometry().spacing_mm;
        let second = Recursion::second_derivative(sigma_mm / spacing[axis], sigma_mm * sigma_mm);
        let mut cells = pass(&second, volume.as_slice(), volume.geometry().shape, axis);
        for other in [2, 1, 0].into_iter().filter(|&other| other != axis) {
            cells = pass(&Recursion::gaussian(sigma_mm / spacing[other]), &cells, volume.geometry().shape, other);
        }
        let square = spacing[axis] * spacing[axis];
        for (sum, value) in sum.iter_mut().zip(cells) {
            *sum = (f64::from(*sum) + f64::from(value) / square) as f32;
        }
    }
    Ok(widen(volume, sum))
}

/// Gaussian along x alone (ITK `RecursiveGaussianImageFilter`, order 0).
pub fn gaussian_x(volume: &Volume, sigma_mm: f64) -> Filtered {
    check_length(volume.geometry(), sigma_mm, &[2])?;
    let recursion = Recursion::gaussian(sigma_mm / volume.geometry().spacing_mm[2]);
    Ok(widen(volume, pass(&recursion, volume.as_slice(), volume.geometry().shape, 2)))
}

fn check_length(geometry: &Geometry, sigma_mm: f64, axes: &[usize]) -> Result<(), FilterError> {
    for &axis in axes {
        let found = geometry.shape[axis];
        let expected = 4.max((sigma_mm / geometry.spacing_mm[axis]).ceil() as usize + 1);
        if found < expected {
            return Err(FilterError::TooThin { axis: ['z', 'y', 'x'][axis], found, sigma_mm, expected });
        }
    }
    Ok(())
}

fn widen(volume: &Volume, cells: Vec<f32>) -> Volume {
    let cells = cells.into_iter().map(f64::from).collect();
    let cells = ndarray::Array3::from_shape_vec(volume.geometry().shape, cells).expect("one value a voxel");
    Grid::new(volume.geometry().clone(), cells).expect("a filter keeps the shape")
}

/// Numerator of one recursion, and its moments of order 0, 1 and 2.
struct Numerator {
    n: [f64; 4],
    moments: [f64; 3],
}

impl Waves {
    fn numerator(&self, sigma: f64) -> Numerator {
        let ([a1, a2], [b1, b2]) = (self.cosine, self.sine);
        let [sin1, sin2] = FREQUENCY.map(|frequency| (frequency / sigma).sin());
        let [cos1, cos2] = FREQUENCY.map(|frequency| (frequency / sigma).cos());
        let [exp1, exp2] = DAMPING.map(|damping| (damping / sigma).exp());
        let n0 = a1 + a2;
        let n1 = exp2 * (b2 * sin2 - (a2 + 2.0 * a1) * cos2) + exp1 * (b1 * sin1 - (a1 + 2.0 * a2) * cos1);
        let cross = (a1 + a2) * cos2 * cos1 - (b1 * cos2 * sin1 + b2 * cos1 * sin2);
        let n2 = cross * (2.0 * exp1 * exp2) + (a2 * exp1 * exp1 + a1 * exp2 * exp2);
        let n3 = exp2 * exp1 * exp1 * (b2 * sin2 - a2 * cos2) + exp1 * exp2 * exp2 * (b1 * sin1 - a1 * cos1);
        let moments = [n0 + n1 + n2 + n3, n1 + 2.0 * n2 + 3.0 * n3, n1 + 4.0 * n2 + 9.0 * n3];
        Numerator { n: [n0, n1, n2, n3], moments }
    }
}

/// Weights of earlier results, and their moments of order 0, 1 and 2 (with the leading 1).
fn denominator(sigma: f64) -> ([f64; 4], [f64; 3]) {
    let [cos1, cos2] = FREQUENCY.map(|frequency| (frequency / sigma).cos());
    let [exp1, exp2] = DAMPING.map(|damping| (damping / sigma).exp());
    let d4 = exp1 * exp1 * exp2 * exp2;
    let d3 = -2.0 * cos1 * exp1 * exp2 * exp2 + -2.0 * cos2 * exp2 * exp1 * exp1;
    let d2 = 4.0 * cos2 * cos1 * exp1 * exp2 + (exp1 * exp1 + exp2 * exp2);
    let d1 = -2.0 * (exp2 * cos2 + exp1 * cos1);
    let moments = [1.0 + d1 + d2 + d3 + d4, d1 + 2.0 * d2 + 3.0 * d3 + 4.0 * d4, d1 + 4.0 * d2 + 9.0 * d3 + 16.0 * d4];
    ([d1, d2, d3, d4], moments)
}

impl Recursion {
    /// Sum of weights 1; sigma in voxels.
    fn gaussian(sigma: f64) -> Recursion {
        let numerator = GAUSSIAN.numerator(sigma);
        let (d, [sd, ..]) = denominator(sigma);
        let alpha = 2.0 * numerator.moments[0] / sd - numerator.n[0];
        Recursion::symmetric(numerator.n.map(|n| n * (1.0 / alpha)), d)
    }

    /// Sum of weights 0, answer `gain` times 2 to the square of the position; sigma in voxels.
    fn second_derivative(sigma: f64, gain: f64) -> Recursion {
        let (zero, two) = (GAUSSIAN.numerator(sigma), SECOND_DERIVATIVE.numerator(sigma));
        let (d, [sd, dd, ed]) = denominator(sigma);
        let beta = -(2.0 * two.moments[0] - sd * two.n[0]) / (2.0 * zero.moments[0] - sd * zero.n[0]);
        let n: [f64; 4] = std::array::from_fn(|k| two.n[k] + beta * zero.n[k]);
        let [sn, dn, en]: [f64; 3] = std::array::from_fn(|k| two.moments[k] + beta * zero.moments[k]);
        let alpha = (en * sd * sd - ed * sn * sd - 2.0 * dn * dd * sd + 2.0 * dd * dd * sn) / (sd * sd * sd);
        Recursion::symmetric(n.map(|n| n * (gain / alpha)), d)
    }

    fn symmetric(n: [f64; 4], d: [f64; 4]) -> Recursion {
        let m = [n[1] - d[0] * n[0], n[2] - d[1] * n[0], n[3] - d[2] * n[0], -d[3] * n[0]];
        let sum = |w: [f64; 4]| w[0] + w[1] + w[2] + w[3];
        let sd = 1.0 + d[0] + d[1] + d[2] + d[3];
        Recursion { n, m, d, edge_n: d.map(|d| d * sum(n) / sd), edge_m: d.map(|d| d * sum(m) / sd) }
    }
}

/// A number that a pass reads.
trait Sample: Copy + Into<f64> {}
impl Sample for f32 {}
impl Sample for f64 {}

wide! {
    /// Filters every line along `axis` (0 z, 1 y, 2 x) and rounds to single precision.
    fn pass<T: Sample>(recursion: &Recursion, cells: &[T], shape: [usize; 3], axis: usize) -> Vec<f32> {
        let [nz, ny, nx] = shape;
        // Lines, distance between lines, voxels of a line, distance between voxels, and where blocks of lines begin.
        let (lines, apart, len, step, blocks) = match axis {
            0 => (ny * nx, 1, nz, ny * nx, 1),
            1 => (nx, 1, ny, nx, nz),
            _ => (nz * ny, nx, nx, 1, 1),
        };
        let mut filtered = vec![0f32; cells.len()];
        let (mut line, mut results) = (vec![[0.0; LANES]; len], [vec![[0.0; LANES]; len], vec![[0.0; LANES]; len]]);
        for block in 0..blocks {
            for first in (0..lines).step_by(LANES) {
                let used = LANES.min(lines - first);
                let start = block * ny * nx + first * apart;
                for (at, lanes) in line.iter_mut().enumerate() {
                    let from = &cells[start + at * step..];
                    *lanes = std::array::from_fn(|lane| from[lane.min(used - 1) * apart].into());
                }
                run(recursion, &line, &mut results);
                for (at, (causal, anticausal)) in results[0].iter().zip(&results[1]).enumerate() {
                    let to = &mut filtered[start + at * step..];
                    for lane in 0..used {
                        to[lane * apart] = (causal[lane] + anticausal[lane]) as f32;
                    }
                }
            }
        }
        filtered
    }
}

/// The recursion forwards and backwards, term by term in ITK's order.
#[inline(always)]
fn run(recursion: &Recursion, line: &[Lanes], [causal, anticausal]: &mut [Vec<Lanes>; 2]) {
    let len = line.len();
    let (first, last) = (&line[0], &line[len - 1]);
    for at in 0..len {
        let input = if at < 4 {
            weigh(recursion.n, std::array::from_fn(|k| if at >= k { &line[at - k] } else { first }))
        } else {
            weigh(recursion.n, [&line[at], &line[at - 1], &line[at - 2], &line[at - 3]])
        };
        let earlier = if at < 4 {
            let weights = std::array::from_fn(|k| if at > k { recursion.d[k] } else { recursion.edge_n[k] });
            weigh(weights, std::array::from_fn(|k| if at > k { &causal[at - k - 1] } else { first }))
        } else {
            weigh(recursion.d, [&causal[at - 1], &causal[at - 2], &causal[at - 3], &causal[at - 4]])
        };
        causal[at] = std::array::from_fn(|lane| input[lane] - earlier[lane]);
    }
    for at in (0..len).rev() {
        let beyond = len - 1 - at;
        let input = if beyond < 4 {
            weigh(recursion.m, std::array::from_fn(|k| if beyond > k { &line[at + k + 1] } else { last }))
        } else {
            weigh(recursion.m, [&line[at + 1], &line[at + 2], &line[at + 3], &line[at + 4]])
        };
        let later = if beyond < 4 {
            let weights = std::array::from_fn(|k| if beyond > k { recursion.d[k] } else { recursion.edge_m[k] });
            weigh(weights, std::array::from_fn(|k| if beyond > k { &anticausal[at + k + 1] } else { last }))
        } else {
            weigh(recursion.d, [&anticausal[at + 1], &anticausal[at + 2], &anticausal[at + 3], &anticausal[at + 4]])
        };
        anticausal[at] = std::array::from_fn(|lane| input[lane] - later[lane]);
    }
}

#[inline(always)]
fn weigh(weights: [f64; 4], [a, b, c, d]: [&Lanes; 4]) -> Lanes {
    std::array::from_fn(|lane| {
        a[lane] * weights[0] + b[lane] * weights[1] + c[lane] * weights[2] + d[lane] * weights[3]
    })
}
