//! Gabor filters: a wave under a Gaussian, in a plane.

use ndarray::{Array2, Array3, Axis, Zip};
use rayon::prelude::*;

use crate::filter::ibsi::{Angle, Border};
use crate::fourier::{Complex, inverse, transform};
use crate::grid::Volume;

/// Voxels after which the Gaussian has fallen below 1e-10, along its longer axis.
pub fn reach(sigma: f64, gamma: f64) -> usize {
    (7.0 * sigma * (1.0 / gamma).max(1.0)).ceil() as usize
}

/// The modulus of the response, averaged over directions and planes.
pub fn modulus(
    volume: &Volume,
    [sigma_mm, wavelength_mm, gamma]: [f64; 3],
    angle: Angle,
    border: Border,
) -> Array3<f64> {
    use std::f64::consts::TAU;
    // Opposite directions have one modulus.
    let half_turn = |step: f64| (0..(TAU / step / 2.0).round() as usize).map(|k| k as f64 * step).collect::<Vec<_>>();
    let (angles, planes): (Vec<f64>, &[[usize; 2]]) = match angle {
        Angle::One(angle) => (vec![angle], &[[2, 1]]),
        Angle::Turn(step) => (half_turn(step), &[[2, 1]]),
        Angle::TurnInPlanes(step) => (half_turn(step), &[[2, 1], [2, 0], [1, 0]]),
    };
    let mut sum = Array3::zeros(volume.cells().dim());
    for plane in planes {
        let spacing = volume.geometry().spacing_mm[plane[0]];
        let (sigma, wavelength) = (sigma_mm / spacing, wavelength_mm / spacing);
        let reach = reach(sigma, gamma);
        let across = 3 - plane[0] - plane[1];
        let len = [plane[0], plane[1]].map(|axis| volume.cells().len_of(Axis(axis)));
        let size = len.map(|n| (n + 2 * reach).next_power_of_two());
        let kernels: Vec<Vec<Complex>> = angles
            .iter()
            .map(|&angle| spectrum(reach, size, |x, y| wave(x, y, angle, sigma, wavelength, gamma)))
            .collect();
        let slices: Vec<Array2<f64>> = volume
            .cells()
            .axis_iter(Axis(across))
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|slice| {
                // The first axis of the plane comes first.
                let slice = if plane[0] > plane[1] { slice.reversed_axes() } else { slice };
                responses(&slice.to_owned(), &kernels, reach, size, border)
            })
            .collect();
        for (mut to, slice) in sum.axis_iter_mut(Axis(across)).zip(slices) {
            let slice = if plane[0] > plane[1] { slice.reversed_axes() } else { slice };
            to += &slice;
        }
    }
    sum / (angles.len() * planes.len()) as f64
}

/// A Gaussian times a wave along its direction.
fn wave(x: f64, y: f64, angle: f64, sigma: f64, wavelength: f64, gamma: f64) -> Complex {
    let (along, across) = (x * angle.cos() + y * angle.sin(), x * angle.sin() - y * angle.cos());
    let size = (-(along * along + gamma * gamma * across * across) / (2.0 * sigma * sigma)).exp();
    Complex::from_polar(size, std::f64::consts::TAU * along / wavelength)
}

/// The transform of a kernel of so much reach, its middle at the first cell.
fn spectrum(reach: usize, size: [usize; 2], of: impl Fn(f64, f64) -> Complex) -> Vec<Complex> {
    let mut cells = vec![Complex::default(); size[0] * size[1]];
    let reach = reach as isize;
    for x in -reach..=reach {
        for y in -reach..=reach {
            let at = [x.rem_euclid(size[0] as isize), y.rem_euclid(size[1] as isize)].map(|at| at as usize);
            cells[at[0] * size[1] + at[1]] = of(x as f64, y as f64);
        }
    }
    transform(&mut cells, [1, size[0], size[1]]);
    cells
}

/// The sum over all kernels of the modulus of their responses.
fn responses(
    slice: &Array2<f64>,
    kernels: &[Vec<Complex>],
    reach: usize,
    size: [usize; 2],
    border: Border,
) -> Array2<f64> {
    let (rows, columns) = slice.dim();
    let mut padded = vec![Complex::default(); size[0] * size[1]];
    for x in 0..rows + 2 * reach {
        let Some(row) = border.source(x as isize - reach as isize, rows) else { continue };
        for y in 0..columns + 2 * reach {
            if let Some(column) = border.source(y as isize - reach as isize, columns) {
                padded[x * size[1] + y] = Complex::new(slice[[row, column]], 0.0);
            }
        }
    }
    transform(&mut padded, [1, size[0], size[1]]);
    let mut sum = Array2::zeros((rows, columns));
    for kernel in kernels {
        let mut product: Vec<Complex> = padded.iter().zip(kernel).map(|(a, b)| a * b).collect();
        inverse(&mut product, [1, size[0], size[1]]);
        Zip::indexed(&mut sum).for_each(|(x, y), sum| *sum += product[(x + reach) * size[1] + y + reach].norm());
    }
    sum
}
