//! Noise of known distribution: a voxel's draw depends on the image's seed and on its place in the image alone.
//!
//! ITK's noise depends on its number of threads; ours is the same for any crop, region and thread, so it can be
//! compared with ITK by its distribution only.

use ndarray::Array3;

use crate::filter::Input;
use crate::grid::{Grid, Volume};
use osteon_base::seed::Seed;

/// The filters of this module.
pub const KEYS: [&str; 3] = ["additivegaussiannoise", "specklenoise", "shotnoise"];

/// A draw from N(0, 1) added (ITK `AdditiveGaussianNoiseImageFilter`, mean 0, standard deviation 1).
pub fn additive_gaussian(input: &Input) -> Volume {
    each(input, "additivegaussiannoise", |value, voxel| value + normal(voxel))
}

/// Times a draw from a gamma distribution of mean 1 and standard deviation 1, the exponential one
/// (ITK `SpeckleNoiseImageFilter`, standard deviation 1).
pub fn speckle(input: &Input) -> Volume {
    each(input, "specklenoise", |value, voxel| value * -uniform(voxel.nth(0)).ln())
}

/// A Poisson count with the voxel's mean; 0 for a mean below 0, a normal approximation from 50 on
/// (ITK `ShotNoiseImageFilter`, scale 1).
pub fn shot(input: &Input) -> Volume {
    const MANY: f64 = 50.0;
    each(
        input,
        "shotnoise",
        |mean, voxel| if mean < MANY { poisson(mean, voxel) } else { mean + mean.sqrt() * normal(voxel) },
    )
}

fn each(input: &Input, name: &str, of: impl Fn(f64, Seed) -> f64) -> Volume {
    let volume = &input.image.volume;
    let [_, ny, nx] = volume.geometry().shape;
    let seed = input.seed.named(name);
    let place = |axis: usize, index: usize| (input.at[axis] + index as i64) as usize;
    let mut cells = Vec::with_capacity(volume.as_slice().len());
    for (row, values) in volume.as_slice().chunks_exact(nx).enumerate() {
        let seed = seed.nth(place(0, row / ny)).nth(place(1, row % ny));
        cells.extend(values.iter().enumerate().map(|(x, &value)| of(value, seed.nth(place(2, x)))));
    }
    let cells = Array3::from_shape_vec(volume.geometry().shape, cells).expect("one value a voxel");
    Grid::new(volume.geometry().clone(), cells).expect("a filter keeps the shape")
}

/// Above 0 and below 1, from the upper 53 bits.
fn uniform(draw: Seed) -> f64 {
    ((draw.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
}

/// Box and Muller 1958.
fn normal(voxel: Seed) -> f64 {
    let radius = (-2.0 * uniform(voxel.nth(0)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(voxel.nth(1))).cos()
}

/// Uniform draws multiplied until they fall below exp(-mean) (Knuth, TAOCP 2, 3.4.1).
fn poisson(mean: f64, voxel: Seed) -> f64 {
    let limit = (-mean).exp();
    let (mut product, mut count) = (1.0, 0);
    loop {
        product *= uniform(voxel.nth(count));
        if product <= limit {
            return count as f64;
        }
        count += 1;
    }
}
