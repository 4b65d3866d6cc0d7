//! Neighbourhood grey tone difference: how far voxels are from the mean of their neighbours.

use crate::feature::ibsi::texture::{Counts, Dimension, Levels};

pub const NAMES: [(&str, &str); 5] = [
    ("ngt_coarseness", "QCDE"),
    ("ngt_contrast", "65HE"),
    ("ngt_busyness", "NQ30"),
    ("ngt_complexity", "HDEZ"),
    ("ngt_strength", "1X9X"),
];

/// By level: voxels that have a neighbour, and the sum of their differences from their neighbours' mean.
#[derive(Clone, Debug)]
pub struct Tones(Vec<(f64, f64)>);

impl Counts for Tones {
    fn add(&mut self, other: &Tones) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own = (own.0 + other.0, own.1 + other.1);
        }
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|tone| tone.0 == 0.0)
    }
}

pub fn tones(levels: &Levels, dimension: Dimension) -> Vec<Vec<Tones>> {
    let neighbours = levels.neighbours(dimension);
    let of_slab = |cells: &[usize]| {
        let mut tones = vec![(0.0, 0.0); levels.highest as usize + 1];
        for &cell in cells {
            let around = neighbours.iter().map(|&step| levels.next(cell, step)).filter(|&level| level > 0);
            let (n, sum) = around.fold((0.0, 0.0), |(n, sum), level| (n + 1.0, sum + f64::from(level)));
            if n > 0.0 {
                let level = levels.cells[cell];
                let tone = &mut tones[level as usize];
                *tone = (tone.0 + 1.0, tone.1 + (f64::from(level) - sum / n).abs());
            }
        }
        vec![Tones(tones)]
    };
    levels.slabs(dimension).into_iter().map(of_slab).collect()
}

/// A level that occurs, its share of the voxels, and the sum of its differences.
type Present = (f64, f64, f64);

/// The features of one matrix.
pub fn features(tones: &Tones) -> [Option<f64>; 5] {
    let voxels: f64 = tones.0.iter().map(|tone| tone.0).sum();
    let present: Vec<Present> = tones
        .0
        .iter()
        .enumerate()
        .filter(|(_, tone)| tone.0 > 0.0)
        .map(|(level, tone)| (level as f64, tone.0 / voxels, tone.1))
        .collect();
    let n = present.len() as f64;
    let over_pairs = |of: &dyn Fn(Present, Present) -> f64| {
        present.iter().map(|&a| present.iter().map(|&b| of(a, b)).sum::<f64>()).sum::<f64>()
    };
    let weighted: f64 = present.iter().map(|(_, p, s)| p * s).sum();
    let differences: f64 = present.iter().map(|(_, _, s)| s).sum();
    let spread = over_pairs(&|(i, p, _), (j, q, _)| p * q * (i - j).powi(2));
    let single = present.len() == 1;
    [
        // The IBSI's value for a region without any difference.
        if weighted == 0.0 { 1e6 } else { 1.0 / weighted },
        if single { 0.0 } else { spread / (n * (n - 1.0)) * differences / voxels },
        if single { 0.0 } else { weighted / over_pairs(&|(i, p, _), (j, q, _)| (i * p - j * q).abs()) },
        over_pairs(&|(i, p, s), (j, q, t)| (i - j).abs() * (p * s + q * t) / (p + q)) / voxels,
        if differences == 0.0 {
            0.0
        } else {
            over_pairs(&|(i, p, _), (j, q, _)| (p + q) * (i - j).powi(2)) / differences
        },
    ]
    .map(|value| Some(value).filter(|value: &f64| value.is_finite()))
}
