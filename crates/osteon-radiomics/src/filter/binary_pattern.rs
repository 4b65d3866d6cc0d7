//! Local binary patterns, plane by plane: which of the neighbours on a circle are at least as bright (Ojala et al. 1996;
//! scikit-image's `local_binary_pattern`).

use ndarray::{Array2, ArrayView2, Axis};

use crate::grid::{Grid, Image, Volume};

/// How a pattern becomes a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The pattern's bits.
    Default,
    /// The least number among its rotations.
    Ror,
    /// The number of set bits where the pattern changes at most twice, else one more than the samples.
    Uniform,
    /// The variance of the neighbours, not compared with the centre; not a number where they are alike.
    Var,
}

/// Neighbours on a circle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    pub radius: f64,
    pub samples: usize,
    pub method: Method,
}

/// Samples that fit into a pattern.
pub const MOST_SAMPLES: usize = 52;

/// The patterns in the planes across an axis (0 z, 1 y, 2 x), cut to the number type of the image. As in pyradiomics,
/// the planes across x are taken with z and y exchanged.
pub fn patterns(image: &Image, across: usize, circle: Circle) -> Volume {
    let cells = image.volume.cells();
    let mut found = cells.clone();
    let offsets = circle.offsets();
    for (from, mut to) in cells.axis_iter(Axis(across)).zip(found.axis_iter_mut(Axis(across))) {
        // The first axis takes the place of the one across: planes across y are z by x as they are, those across x
        // are y by z.
        let plane = if across == 2 { from.reversed_axes() } else { from };
        let patterns = Array2::from_shape_fn(plane.dim(), |at| image.element.cast(circle.pattern(plane, at, &offsets)));
        to.assign(&if across == 2 { patterns.reversed_axes() } else { patterns });
    }
    Grid::new(image.volume.geometry().clone(), found).expect("a filter keeps the shape")
}

impl Circle {
    /// Rows and columns of the neighbours, to five decimals.
    fn offsets(&self) -> Vec<[f64; 2]> {
        let five = |number: f64| (number * 1e5).round_ties_even() / 1e5;
        let angle = |at: usize| 2.0 * std::f64::consts::PI * at as f64 / self.samples as f64;
        (0..self.samples)
            .map(|at| [five(-self.radius * angle(at).sin()), five(self.radius * angle(at).cos())])
            .collect()
    }

    fn pattern(&self, plane: ArrayView2<f64>, (row, column): (usize, usize), offsets: &[[f64; 2]]) -> f64 {
        let sample = |offset: &[f64; 2]| between(plane, row as f64 + offset[0], column as f64 + offset[1]);
        let samples: Vec<f64> = offsets.iter().map(sample).collect();
        let n = samples.len() as f64;
        if self.method == Method::Var {
            let (sum, squares) =
                samples.iter().fold((0.0, 0.0), |(sum, squares), value| (sum + value, squares + value * value));
            let variance = (squares - sum * sum / n) / n;
            return if variance == 0.0 { f64::NAN } else { variance };
        }
        let signs: Vec<u64> = samples.iter().map(|value| u64::from(value - plane[[row, column]] >= 0.0)).collect();
        let bits: u64 = signs.iter().enumerate().map(|(at, sign)| sign << at).sum();
        match self.method {
            Method::Uniform => {
                let changes = signs.windows(2).filter(|pair| pair[0] != pair[1]).count();
                if changes <= 2 { bits.count_ones().into() } else { n + 1.0 }
            }
            Method::Ror => {
                let n = self.samples;
                let turned = |by: usize| (bits >> by | bits << (n - by)) & ((1 << n) - 1);
                (0..n).map(turned).min().unwrap_or(0) as f64
            }
            _ => bits as f64,
        }
    }
}

/// Bilinear interpolation; 0 beyond the plane.
fn between(plane: ArrayView2<f64>, row: f64, column: f64) -> f64 {
    let at = |row: f64, column: f64| {
        let inside = row >= 0.0 && column >= 0.0;
        if inside { plane.get([row as usize, column as usize]).copied().unwrap_or(0.0) } else { 0.0 }
    };
    let (top, left) = (row.floor(), column.floor());
    let (bottom, right) = (row.ceil(), column.ceil());
    let (down, along) = (row - top, column - left);
    let upper = (1.0 - along) * at(top, left) + along * at(top, right);
    let lower = (1.0 - along) * at(bottom, left) + along * at(bottom, right);
    (1.0 - down) * upper + down * lower
}
