//! Filters that are windows over an image's frequencies: non-separable wavelets and Riesz transforms.

use ndarray::{Array3, Axis};
use rayon::prelude::*;

use crate::fourier::{Complex, inverse, transform};

/// The image under a window over the radius of its frequencies (1 at the highest), Riesz transformed.
///
/// Frequencies of the highest are those of the grid's outer cells, as the consensus maps have them.
pub fn windowed(
    cells: &Array3<f64>,
    axes: &[usize],
    riesz: [u32; 3],
    window: impl Fn(f64) -> f64 + Sync,
) -> Array3<f64> {
    let (nz, ny, nx) = cells.dim();
    let frequencies = |n: usize| -> Vec<f64> {
        let middle = (n as f64 - 1.0) / 2.0;
        (0..n).map(|at| if n < 2 { 0.0 } else { (((at + n / 2) % n) as f64 - middle) / middle }).collect()
    };
    let along = [nz, ny, nx].map(frequencies);
    let order: u32 = riesz.iter().sum();
    let factorial = |n: u32| (1..=n).map(f64::from).product::<f64>();
    let scale = (factorial(order) / riesz.iter().map(|n| factorial(*n)).product::<f64>()).sqrt();
    // (-i)^order.
    let phase = [Complex::new(1.0, 0.0), Complex::new(0.0, -1.0), Complex::new(-1.0, 0.0), Complex::new(0.0, 1.0)]
        [order as usize % 4];
    let weight = |[z, y, x]: [f64; 3]| {
        let radius = [z, y, x].iter().map(|part| part * part).sum::<f64>().sqrt();
        let turned: f64 = [x, y, z].iter().zip(riesz).map(|(part, n)| part.powi(n as i32)).product();
        let turned = if order == 0 {
            1.0
        } else if radius == 0.0 {
            0.0
        } else {
            scale * turned / radius.powi(order as i32)
        };
        phase * (window(radius) * turned)
    };
    let slabs = if axes.len() == 3 { vec![cells.view()] } else { cells.axis_chunks_iter(Axis(0), 1).collect() };
    let found: Vec<Array3<f64>> = slabs
        .into_par_iter()
        .map(|slab| {
            let shape = [slab.dim().0, slab.dim().1, slab.dim().2];
            let mut spectrum: Vec<Complex> = slab.iter().map(|&value| Complex::new(value, 0.0)).collect();
            transform(&mut spectrum, shape);
            for (at, cell) in spectrum.iter_mut().enumerate() {
                let place = [at / (ny * nx), at / nx % ny, at % nx];
                let z = if axes.len() == 3 { along[0][place[0]] } else { 0.0 };
                *cell *= weight([z, along[1][place[1]], along[2][place[2]]]);
            }
            inverse(&mut spectrum, shape);
            let real = spectrum.into_iter().map(|cell| cell.re).collect();
            Array3::from_shape_vec(shape, real).expect("one value a voxel")
        })
        .collect();
    let views: Vec<_> = found.iter().map(|slab| slab.view()).collect();
    ndarray::concatenate(Axis(0), &views).expect("slabs of one shape").as_standard_layout().into_owned()
}
