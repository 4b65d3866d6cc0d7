//! Intensities put through a function and scaled back to the image's range, and the length of the gradient: pyradiomics'
//! filters of these names.

use crate::filter::{FilterError, Filtered};
use crate::grid::{Grid, Volume};

/// What becomes of an intensity `x`, where `m` is the largest absolute intensity of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `x^2 / m`
    Square,
    /// `sqrt(|x| m)` with the sign of `x`
    SquareRoot,
    /// `log(|x| + 1) m / log(m + 1)` with the sign of `x`
    Logarithm,
    /// `exp(x log(m) / m)`
    Exponential,
}

impl Function {
    /// `most` is the largest absolute intensity of the image that the volume is a part of. Errors for an image that is 0
    /// everywhere: its values would be no numbers.
    pub fn apply(self, volume: &Volume, most: f64) -> Filtered {
        if most == 0.0 {
            return Err(FilterError::Flat(0.0));
        }
        Ok(match self {
            Function::Square => {
                let scale = 1.0 / most.sqrt();
                volume.map(|value| (scale * value).powi(2))
            }
            Function::SquareRoot => volume.map(|value| signed(*value, |size| (size * most).sqrt())),
            Function::Logarithm => {
                let scale = most / (most + 1.0).ln();
                volume.map(|value| signed(*value, |size| (size + 1.0).ln()) * scale)
            }
            Function::Exponential => {
                let scale = most.ln() / most;
                volume.map(|value| (scale * value).exp())
            }
        })
    }
}

fn signed(value: f64, of: impl Fn(f64) -> f64) -> f64 {
    if value == 0.0 { 0.0 } else { of(value.abs()).copysign(value) }
}

/// The largest absolute intensity.
pub fn largest(volume: &Volume) -> f64 {
    volume.as_slice().iter().fold(0.0, |most, value| value.abs().max(most))
}

/// Length of the gradient by central differences, the border repeated, in single precision (ITK
/// `GradientMagnitudeImageFilter`); with or without the spacing.
pub fn gradient_magnitude(volume: &Volume, use_spacing: bool) -> Volume {
    let [nz, ny, nx] = volume.geometry().shape;
    let spacing = if use_spacing { volume.geometry().spacing_mm } else { [1.0; 3] };
    let cells = volume.cells();
    let around = |at: usize, n: usize| (at.saturating_sub(1), (at + 1).min(n - 1));
    let found = ndarray::Array3::from_shape_fn((nz, ny, nx), |(z, y, x)| {
        let (z0, z1) = around(z, nz);
        let (y0, y1) = around(y, ny);
        let (x0, x1) = around(x, nx);
        let slopes = [
            (cells[[z1, y, x]] - cells[[z0, y, x]]) / (2.0 * spacing[0]),
            (cells[[z, y1, x]] - cells[[z, y0, x]]) / (2.0 * spacing[1]),
            (cells[[z, y, x1]] - cells[[z, y, x0]]) / (2.0 * spacing[2]),
        ];
        let squares = slopes[2] * slopes[2] + slopes[1] * slopes[1] + slopes[0] * slopes[0];
        f64::from(squares.sqrt() as f32)
    });
    Grid::new(volume.geometry().clone(), found).expect("a filter keeps the shape")
}
