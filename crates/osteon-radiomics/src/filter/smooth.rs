//! Means, blurs and the local standard deviation of a small window.

use ndarray::{Array3, Zip};

use crate::filter::line::{Border, convolve};
use crate::grid::{Grid, Volume};

/// Mean of 3 x 3 x 3 voxels; at the border of those that exist (ITK `BoxMeanImageFilter`, radius 1).
pub fn box_mean(volume: &Volume) -> Volume {
    let mut sums = box_sums(volume.cells());
    Zip::indexed(&mut sums).for_each(|at, sum| *sum /= window(at, volume.geometry().shape));
    with_cells(volume, sums)
}

/// Standard deviation, divisor n - 1, of 3 x 3 x 3 voxels; at the border of those that exist
/// (ITK `BoxSigmaImageFilter`, radius 1).
pub fn box_sigma(volume: &Volume) -> Volume {
    // About its own mean, so that squares of large intensities do not cancel.
    let values = volume.as_slice();
    let centre = values.iter().sum::<f64>() / values.len() as f64;
    let centred = volume.cells().mapv(|value| value - centre);
    let mut squares = box_sums(&centred.mapv(|value| value * value));
    let sums = box_sums(&centred);
    Zip::indexed(&mut squares).and(&sums).for_each(|at, square, sum| {
        let n = window(at, volume.geometry().shape);
        *square = ((*square - sum * sum / n) / (n - 1.0).max(1.0)).max(0.0).sqrt();
    });
    with_cells(volume, squares)
}

/// Mean of a cube of voxels, the border repeated (ITK `MeanImageFilter`).
pub fn mean(volume: &Volume, radius: usize) -> Volume {
    let ones = vec![1.0; 2 * radius + 1];
    let sums = separable(volume.cells(), [&ones, &ones, &ones], Border::Repeat);
    let n = ones.len().pow(3) as f64;
    with_cells(volume, sums.mapv_into(|sum| sum / n))
}

/// Half and half with the voxel after, then with the voxel before, along each axis: 1-2-1 inside
/// (ITK `BinomialBlurImageFilter`, once). The last voxel takes no voxel after it, the first none before it.
pub fn binomial_blur(volume: &Volume) -> Volume {
    let (_, ny, nx) = volume.cells().dim();
    let mut cells = volume.cells().clone();
    let all = cells.as_slice_mut().expect("grids are contiguous");
    all.chunks_exact_mut(nx).for_each(|row| halve(row, 1));
    all.chunks_exact_mut(ny * nx).for_each(|slice| halve(slice, nx));
    halve(all, ny * nx);
    with_cells(volume, cells)
}

fn halve(line: &mut [f64], width: usize) {
    let n = line.len();
    for at in 0..n - width {
        line[at] = (line[at] + line[at + width]) / 2.0;
    }
    for at in (width..n).rev() {
        line[at] = (line[at] + line[at - width]) / 2.0;
    }
}

/// Discrete Gaussian of variance 1 mm2, the border repeated (ITK `DiscreteGaussianImageFilter`).
pub fn discrete_gaussian(volume: &Volume) -> Volume {
    let weights = volume.geometry().spacing_mm.map(gaussian_weights);
    with_cells(volume, separable(volume.cells(), weights.each_ref().map(Vec::as_slice), Border::Repeat))
}

/// Weights exp(-t) I_n(t), t the variance 1 mm2 in voxels (Lindeberg 1990), until 0.99 of the whole is reached or the
/// kernel is wider than 32, then scaled to sum 1.
pub fn gaussian_weights(spacing_mm: f64) -> Vec<f64> {
    const MAXIMUM_ERROR: f64 = 0.01;
    const MAXIMUM_WIDTH: usize = 32;
    let variance = 1.0 / (spacing_mm * spacing_mm);
    let scale = (-variance).exp();
    let mut half = vec![scale * bessel_0(variance), scale * bessel_1(variance)];
    let mut sum = half[0] + 2.0 * half[1];
    while sum < 1.0 - MAXIMUM_ERROR && half.len() <= MAXIMUM_WIDTH {
        let next = scale * bessel_n(half.len(), variance);
        half.push(next);
        sum += 2.0 * next;
        if next < sum * f64::EPSILON {
            break;
        }
    }
    half.iter().skip(1).rev().chain(&half).map(|weight| weight / sum).collect()
}

/// Modified Bessel function of order 0 (Abramowitz and Stegun 9.8.1 and 9.8.2, which ITK uses: good to 2e-7).
fn bessel_0(x: f64) -> f64 {
    if x < 3.75 {
        let low = [1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813];
        return polynomial(&low, (x / 3.75).powi(2));
    }
    let high =
        [0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537, -0.01647633, 0.00392377];
    x.exp() / x.sqrt() * polynomial(&high, 3.75 / x)
}

/// Modified Bessel function of order 1 (Abramowitz and Stegun 9.8.3 and 9.8.4).
fn bessel_1(x: f64) -> f64 {
    if x < 3.75 {
        let low = [0.5, 0.87890594, 0.51498869, 0.15084934, 0.02658733, 0.00301532, 0.00032411];
        return x * polynomial(&low, (x / 3.75).powi(2));
    }
    let high = [
        0.39894228,
        -0.03988024,
        -0.00362018,
        0.00163801,
        -0.01031555,
        0.02282967,
        -0.02895312,
        0.01787654,
        -0.00420059,
    ];
    x.exp() / x.sqrt() * polynomial(&high, 3.75 / x)
}

/// Order 2 and more by Miller's downward recurrence, scaled to order 0 (Abramowitz and Stegun 9.12).
fn bessel_n(order: usize, x: f64) -> f64 {
    let start = 2 * (order + (10.0 * (order as f64).sqrt()) as usize);
    let (mut above, mut here, mut found) = (0.0, 1.0, 0.0);
    for k in (1..=start).rev() {
        (above, here) = (here, above + k as f64 * 2.0 / x * here);
        if f64::abs(here) > 1e10 {
            (above, here, found) = (above * 1e-10, here * 1e-10, found * 1e-10);
        }
        if k == order {
            found = above;
        }
    }
    found * bessel_0(x) / here
}

fn polynomial(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

fn separable(cells: &Array3<f64>, [z, y, x]: [&[f64]; 3], border: Border) -> Array3<f64> {
    convolve(&convolve(&convolve(cells, 2, x, border), 1, y, border), 0, z, border)
}

fn box_sums(cells: &Array3<f64>) -> Array3<f64> {
    separable(cells, [&[1.0; 3]; 3], Border::Nothing)
}

/// Voxels that exist in the 3 x 3 x 3 window.
fn window((z, y, x): (usize, usize, usize), [nz, ny, nx]: [usize; 3]) -> f64 {
    let existing = |at: usize, len: usize| (at + 2).min(len) - at.saturating_sub(1);
    (existing(z, nz) * existing(y, ny) * existing(x, nx)) as f64
}

fn with_cells(volume: &Volume, cells: Array3<f64>) -> Volume {
    Grid::new(volume.geometry().clone(), cells).expect("a filter keeps the shape")
}
