//! The Laplacian of a true Gaussian, by sampled weights.

use ndarray::Array3;

use crate::filter::line::{Border, convolve};
use crate::grid::{Grid, Volume};

/// sigma2 times the Laplacian of the Gaussian, weights sampled up to four sigma, the border mirrored (IBSI 2, LoG).
///
/// Weights are scaled to the moments of what they sample, so a sigma below the spacing ends in the plain difference
/// of neighbours instead of nothing.
pub fn laplacian_of_gaussian(volume: &Volume, sigma_mm: f64) -> Volume {
    let sigma = volume.geometry().spacing_mm.map(|spacing| sigma_mm / spacing);
    let smooth = sigma.map(gaussian);
    let curve = sigma.map(second_derivative);
    let mut sum = Array3::zeros(volume.cells().dim());
    for axis in [2, 1, 0] {
        let mut cells = convolve(volume.cells(), axis, &curve[axis], Border::Mirror);
        for other in [2, 1, 0].into_iter().filter(|&other| other != axis) {
            cells = convolve(&cells, other, &smooth[other], Border::Mirror);
        }
        sum += &cells;
    }
    Grid::new(volume.geometry().clone(), sum).expect("a filter keeps the shape")
}

fn positions(sigma: f64) -> impl Iterator<Item = f64> {
    let reach = (4.0 * sigma + 0.5).floor().max(1.0) as i64;
    (-reach..=reach).map(|at| at as f64)
}

/// exp(-k2 / 2 sigma2) with sum 1; sigma in voxels.
fn gaussian(sigma: f64) -> Vec<f64> {
    let weights: Vec<f64> = positions(sigma).map(|at| (-at * at / (2.0 * sigma * sigma)).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// (k2 / sigma2 - 1) exp(-k2 / 2 sigma2), scaled to answer 2 sigma2 to the square of the position and 0 to a constant.
fn second_derivative(sigma: f64) -> Vec<f64> {
    let square = |at: f64| at * at / (sigma * sigma);
    // Relative to the first neighbour, so that a tiny sigma does not underflow.
    let sample = |at: f64| (square(at) - 1.0) * ((square(1.0) - square(at)) / 2.0).exp();
    let mut weights: Vec<f64> = positions(sigma).map(|at| if at == 0.0 { 0.0 } else { sample(at) }).collect();
    let moment: f64 = positions(sigma).zip(&weights).map(|(at, weight)| at * at * weight).sum();
    weights.iter_mut().for_each(|weight| *weight *= 2.0 * sigma * sigma / moment);
    let centre = weights.len() / 2;
    weights[centre] = -weights.iter().sum::<f64>();
    weights
}
