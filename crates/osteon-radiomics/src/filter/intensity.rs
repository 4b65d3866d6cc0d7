//! Filters that look at the intensities of the whole crop: z-score and Laplacian sharpening.

use ndarray::Array3;

use crate::filter::line::{Border, convolve};
use crate::filter::{FilterError, Filtered};
use crate::grid::{Grid, Volume};

/// z-score over the crop, standard deviation with n - 1 (ITK `NormalizeImageFilter`).
pub fn normalize(volume: &Volume) -> Filtered {
    let values = volume.as_slice();
    let mean = mean(values);
    let square: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let sd = (square / (values.len() as f64 - 1.0)).sqrt();
    // A flat crop of decimal fractions leaves the rounding of its mean.
    if sd > 1e-12 * mean.abs() { Ok(volume.map(|value| (value - mean) / sd)) } else { Err(FilterError::Flat(mean)) }
}

/// The Laplacian (1/mm2, border repeated) stretched to the image's range and subtracted; then the image's mean is
/// restored and its range kept (ITK `LaplacianSharpeningImageFilter`).
pub fn laplacian_sharpening(volume: &Volume) -> Filtered {
    let values = volume.as_slice();
    let (least, most) = range(values);
    let laplacian = laplacian(volume);
    let edges = laplacian.as_slice().expect("a fresh array is contiguous");
    let (least_edge, most_edge) = range(edges);
    if most_edge == least_edge {
        return Err(FilterError::Flat(least));
    }
    let stretch = |edge: f64| (edge - least_edge) * ((most - least) / (most_edge - least_edge)) + least;
    let sharp: Vec<f64> = values.iter().zip(edges).map(|(value, &edge)| value - stretch(edge)).collect();
    let shift = mean(values) - mean(&sharp);
    let kept = sharp.into_iter().map(|value| (value + shift).clamp(least, most)).collect();
    let cells = Array3::from_shape_vec(volume.geometry().shape, kept).expect("one value a voxel");
    Ok(Grid::new(volume.geometry().clone(), cells).expect("a filter keeps the shape"))
}

fn laplacian(volume: &Volume) -> Array3<f64> {
    let mut sum = Array3::zeros(volume.cells().dim());
    for (axis, spacing) in volume.geometry().spacing_mm.into_iter().enumerate() {
        let weight = 1.0 / (spacing * spacing);
        sum += &convolve(volume.cells(), axis, &[weight, -2.0 * weight, weight], Border::Repeat);
    }
    sum
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn range(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &value| (least.min(value), most.max(value)))
}
