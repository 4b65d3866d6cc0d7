//! Spatial autocorrelation: Moran's I and Geary's C over all pairs of voxels, weighted by one over their distance.
//!
//! The weight of a pair hangs on its displacement alone, so that sums over all pairs are convolutions: by Fourier
//! transforms they are as exact as the double sum, at n log n instead of n squared.

use nalgebra::Complex;

use crate::feature::ibsi::region::Region;
use crate::fourier::transform;

/// Moran's I (N365) and Geary's C (NPT7); `None` for a flat region or a single voxel.
pub fn describe(region: &Region) -> [Option<f64>; 2] {
    let n = region.values.len() as f64;
    let mean = region.values.iter().sum::<f64>() / n;
    let centred: Vec<f64> = region.values.iter().map(|value| value - mean).collect();
    let square: f64 = centred.iter().map(|value| value * value).sum();
    if n < 2.0 || square == 0.0 {
        return [None, None];
    }
    let around = around(region, &centred);
    let weights: f64 = around.iter().map(|sum| sum.re).sum();
    let products: f64 = centred.iter().zip(&around).map(|(value, sum)| value * sum.im).sum();
    let squares: f64 = centred.iter().zip(&around).map(|(value, sum)| value * value * sum.re).sum();
    // The sum over pairs of w (x - y)^2 is twice that of w x^2 less that of w x y.
    [Some(n / weights * products / square), Some((n - 1.0) / weights * (squares - products) / square)]
}

/// Of every voxel: the sum of its weights to all others, and of the weighted values of all others (imaginary part).
fn around(region: &Region, centred: &[f64]) -> Vec<Complex<f64>> {
    let inner = region.shape.map(|n| n - 2);
    let shape = inner.map(|n| (2 * n - 1).next_power_of_two());
    let cell = |[z, y, x]: [usize; 3]| (z * shape[1] + y) * shape[2] + x;
    let places: Vec<usize> = region.cells.iter().map(|&at| cell(region.place(at).map(|place| place - 1))).collect();
    let mut data = vec![Complex::default(); shape.iter().product()];
    for (&place, &value) in places.iter().zip(centred) {
        data[place] = Complex::new(1.0, value);
    }
    let mut weights = weights(shape, region.spacing_mm);
    transform(&mut data, shape);
    transform(&mut weights, shape);
    // A transform of the conjugate, conjugated, is the inverse.
    data.iter_mut().zip(&weights).for_each(|(value, weight)| *value = (*value * weight).conj());
    transform(&mut data, shape);
    places.into_iter().map(|place| data[place].conj() / data.len() as f64).collect()
}

/// One over the distance (mm) of each displacement, negative ones counted from the end; 0 for none.
fn weights(shape: [usize; 3], spacing_mm: [f64; 3]) -> Vec<Complex<f64>> {
    let squares: [Vec<f64>; 3] = std::array::from_fn(|k| {
        (0..shape[k]).map(|at| (at.min(shape[k] - at) as f64 * spacing_mm[k]).powi(2)).collect()
    });
    let [zs, ys, xs] = squares;
    let mut weights = Vec::with_capacity(shape.iter().product());
    for z in &zs {
        for y in &ys {
            weights.extend(xs.iter().map(|x| Complex::new((x + y + z).sqrt().recip(), 0.0)));
        }
    }
    weights[0] = Complex::default();
    weights
}
