//! Rotation by right angles.

use ndarray::Array3;
use rayon::prelude::*;

use crate::filter::ibsi::Rotation;
use crate::filter::ibsi::passes::Taps;

/// Which axis each kernel is turned to, and where it runs backwards.
pub struct Turn {
    from: Vec<usize>,
    backwards: Vec<bool>,
}

impl Turn {
    pub fn of(&self, taps: &[Taps]) -> Vec<Taps> {
        let turned = |(&from, &back): (&usize, &bool)| {
            taps[from].iter().map(|&(by, weight)| (if back { -by } else { by }, weight)).collect()
        };
        self.from.iter().zip(&self.backwards).map(turned).collect()
    }

    /// All rotations by right angles: permutations and reversals of determinant 1.
    fn all(n: usize) -> Vec<Turn> {
        let orders: &[&[usize]] = match n {
            2 => &[&[0, 1], &[1, 0]],
            _ => &[&[0, 1, 2], &[1, 2, 0], &[2, 0, 1], &[0, 2, 1], &[2, 1, 0], &[1, 0, 2]],
        };
        let mut turns = Vec::new();
        for (at, order) in orders.iter().enumerate() {
            // The first half of the orders are even permutations.
            let is_odd = at >= orders.len() / 2;
            for bits in 0..1usize << n {
                if (bits.count_ones() % 2 == 1) == is_odd {
                    let backwards = (0..n).map(|k| bits >> k & 1 == 1).collect();
                    turns.push(Turn { from: order.to_vec(), backwards });
                }
            }
        }
        turns
    }
}

/// Responses put together, and how many there were.
pub fn pooled(
    rotation: Rotation,
    n: usize,
    response: impl Fn(&Turn) -> Array3<f64> + Sync,
    with: impl Fn(f64, f64) -> f64,
) -> (Array3<f64>, usize) {
    let turns = match rotation {
        Rotation::One => vec![Turn { from: (0..n).collect(), backwards: vec![false; n] }],
        Rotation::All => Turn::all(n),
    };
    let mut together: Option<Array3<f64>> = None;
    // A few at a time, for a map is as large as the image; put together in order.
    for some in turns.chunks(4) {
        let found: Vec<Array3<f64>> = some.par_iter().map(&response).collect();
        for map in found {
            match &mut together {
                None => together = Some(map),
                Some(all) => all.zip_mut_with(&map, |a, &b| *a = with(*a, b)),
            }
        }
    }
    (together.expect("there is a direction"), turns.len())
}
