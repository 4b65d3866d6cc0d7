//! A synthetic thigh with a tumour: an image, its mask, and the mask as a second rater would draw it.
//! Nothing here is a real patient.

use ndarray::Array3;
use rand::Rng;

use osteon_base::seed::Seed;
use osteon_radiomics::grid::{Geometry, Grid};

/// What the tumour is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tumour {
    /// Mean diameter in mm, at most 32 to lie within the image.
    pub diameter_mm: f64,
    /// Standard deviation of the tumour's texture, in grey levels.
    pub roughness: f64,
    /// How far the brightness around the tumour reaches, in mm.
    pub oedema_mm: f64,
}

/// The three files of a synthetic patient.
pub struct Phantom {
    pub image: Grid<i16>,
    pub mask: Grid<i16>,
    pub repeat_mask: Grid<i16>,
}

/// z, y, x: 72 x 72 x 56 mm.
const SHAPE: [usize; 3] = [14, 48, 48];
const SPACING_MM: [f64; 3] = [4.0, 1.5, 1.5];

/// Grey levels of air, muscle, marrow, cortical bone and tumour.
const AIR: f64 = 8.0;
const MUSCLE: f64 = 180.0;
const MARROW: f64 = 330.0;
const CORTEX: f64 = 50.0;
const TUMOUR: f64 = 420.0;

/// Draws a phantom; the same tumour and seed give the same phantom.
pub fn draw(tumour: Tumour, seed: Seed) -> Phantom {
    let geometry = Geometry::upright(SHAPE, SPACING_MM);
    let mut rng = seed.named("place").rng();
    let centre: [f64; 3] = std::array::from_fn(|k| half(k) + rng.random_range(-3.0..3.0));
    let stretch: [f64; 3] = std::array::from_fn(|_| rng.random_range(0.85..1.15));
    let edge = smooth(seed.named("edge"), 3);
    let fine = smooth(seed.named("fine"), 1);
    let grain = smooth(seed.named("grain"), 0);
    // Distance from the tumour's surface in mm, negative inside.
    let depth = Array3::from_shape_fn(SHAPE, |at| {
        let place = [at.0, at.1, at.2];
        let part = |k: usize| ((place[k] as f64 * SPACING_MM[k] - centre[k]) / stretch[k]).powi(2);
        let radius = tumour.diameter_mm / 2.0 * (1.0 + 0.08 * edge[at]);
        (0..3).map(part).sum::<f64>().sqrt() - radius
    });
    let image = Array3::from_shape_fn(SHAPE, |at| {
        let glow = (-depth[at].max(0.0) / tumour.oedema_mm).exp();
        let inside = TUMOUR + tumour.roughness * (0.7 * fine[at] + 0.7 * grain[at]);
        let outside = limb(at) + 90.0 * glow * f64::from(u8::from(limb(at) > 2.0 * AIR));
        let level = if depth[at] <= 0.0 { inside } else { outside };
        (level + 9.0 * grain[at]).clamp(0.0, 4000.0).round() as i16
    });
    let second = smooth(seed.named("second rater"), 2);
    let drawn = |cells: Array3<bool>| {
        Grid::new(geometry.clone(), cells.map(|&inside| i16::from(inside))).expect("the cells have the shape")
    };
    Phantom {
        mask: drawn(depth.map(|&depth| depth <= 0.0)),
        repeat_mask: drawn(Array3::from_shape_fn(SHAPE, |at| depth[at] + 0.5 * second[at] <= 0.1)),
        image: Grid::new(geometry.clone(), image).expect("the cells have the shape"),
    }
}

/// The limb without tumour: skin-less muscle around a femur along z.
fn limb((_, y, x): (usize, usize, usize)) -> f64 {
    let from = |y_mm: f64, x_mm: f64| (y as f64 * SPACING_MM[1] - y_mm).hypot(x as f64 * SPACING_MM[2] - x_mm);
    let femur = from(half(1) + 4.0, half(2) - 3.0);
    match (femur, from(half(1), half(2))) {
        (femur, _) if femur < 6.0 => MARROW,
        (femur, _) if femur < 9.0 => CORTEX,
        (_, axis) if axis < 33.0 => MUSCLE,
        _ => AIR,
    }
}

/// The middle of the image along axis k, in mm.
fn half(k: usize) -> f64 {
    (SHAPE[k] - 1) as f64 * SPACING_MM[k] / 2.0
}

/// Noise of mean 0 and standard deviation 1, smoothed by `passes` of the kernel 1 2 1 along each axis.
fn smooth(seed: Seed, passes: usize) -> Array3<f64> {
    let mut rng = seed.rng();
    let mut noise = Array3::from_shape_simple_fn(SHAPE, || rng.random_range(-1.0..1.0));
    for _ in 0..passes {
        for axis in 0..3 {
            let before = noise.clone();
            let last = SHAPE[axis] - 1;
            noise.indexed_iter_mut().for_each(|(at, cell)| {
                let beside = |step: isize| {
                    let mut place = [at.0, at.1, at.2];
                    place[axis] = place[axis].saturating_add_signed(step).min(last);
                    before[place]
                };
                *cell = (beside(-1) + 2.0 * beside(0) + beside(1)) / 4.0;
            });
        }
    }
    let mean = noise.mean().expect("the image has voxels");
    let sd = noise.std(0.0);
    noise.map(|value| (value - mean) / sd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phantom_is_the_same_each_time_and_its_raters_differ_a_little() {
        let tumour = Tumour { diameter_mm: 24.0, roughness: 30.0, oedema_mm: 5.0 };
        let (one, two) = (draw(tumour, Seed(1)), draw(tumour, Seed(1)));
        assert_eq!(one.image, two.image);
        let count = |mask: &Grid<i16>| mask.as_slice().iter().filter(|&&cell| cell != 0).count() as f64;
        let ball = std::f64::consts::PI / 6.0 * 24.0_f64.powi(3) / 9.0;
        assert!((count(&one.mask) / ball - 1.0).abs() < 0.5, "{}", count(&one.mask) / ball);
        let both = one.mask.as_slice().iter().zip(one.repeat_mask.as_slice()).filter(|(a, b)| **a + **b == 2).count();
        let dice = 2.0 * both as f64 / (count(&one.mask) + count(&one.repeat_mask));
        assert!((0.85..0.995).contains(&dice), "{dice}");
    }
}
