//! A segmentation as a volume of its own, where it lies on another grid than its image.

use ndarray::Array3;

use crate::grid::{Geometry, Grid, Mask};
use crate::read::Limits;

/// Frames lie on a common stack to this part of their distance.
const EVEN: f64 = 0.02;

/// Frames of one orientation and size, one after the other.
#[derive(Debug, Default)]
pub struct OwnGrid {
    frames: Vec<(Geometry, Vec<bool>)>,
}

impl OwnGrid {
    /// Adds a frame: a plane's geometry, and which of its pixels are inside.
    pub fn add(&mut self, geometry: &Geometry, inside: Vec<bool>) {
        self.frames.push((geometry.clone(), inside));
    }

    /// All frames as one volume. Its slices have the distance that the file states, where all frames lie at multiples of
    /// it, else the smallest between two frames; frames of one plane have their thickness. `None` where they are no
    /// stack, or one too large.
    pub fn mask(self, [distance_mm, thickness_mm]: [Option<f64>; 2], limits: &Limits) -> Option<Mask> {
        let (first, _) = self.frames.first()?;
        let [_, along_y, along_x] = first.axes;
        let normal = cross(along_x, along_y);
        let [_, rows, columns] = first.shape;
        let heights: Vec<f64> = self.frames.iter().map(|(own, _)| dot(own.origin_mm, normal)).collect();
        let mut sorted = heights.clone();
        sorted.sort_by(f64::total_cmp);
        let low = sorted[0];
        let gap = sorted.windows(2).map(|pair| pair[1] - pair[0]).filter(|&gap| gap > 1e-3).reduce(f64::min);
        let is_off = |gap: f64, height: &f64| ((height - low) / gap - ((height - low) / gap).round()).abs() > EVEN;
        let stated = distance_mm.filter(|&gap| !sorted.iter().any(|height| is_off(gap, height)));
        let gap = stated.or(gap).or(thickness_mm)?;
        let slices = ((sorted[sorted.len() - 1] - low) / gap).round();
        if slices * (rows * columns) as f64 > limits.max_bytes as f64 {
            return None;
        }
        let at = heights.iter().position(|&height| height == low)?;
        let origin_mm = self.frames[at].0.origin_mm;
        let mut cells = Array3::from_elem([slices as usize + 1, rows, columns], false);
        for ((own, inside), height) in self.frames.iter().zip(&heights) {
            let slice = (height - low) / gap;
            let apart: [f64; 3] = std::array::from_fn(|k| own.origin_mm[k] - origin_mm[k]);
            let beside = dot(apart, along_x).hypot(dot(apart, along_y));
            let is_turned = |k: usize| (0..3).any(|d| (own.axes[k][d] - first.axes[k][d]).abs() > 1e-3);
            let is_other = own.shape != first.shape || own.spacing_mm[1..] != first.spacing_mm[1..];
            if is_off(gap, height) || beside > EVEN * gap || is_turned(1) || is_turned(2) || is_other {
                return None;
            }
            for (at, _) in inside.iter().enumerate().filter(|(_, inside)| **inside) {
                cells[[slice.round() as usize, at / columns, at % columns]] = true;
            }
        }
        let geometry = Geometry {
            shape: [slices as usize + 1, rows, columns],
            origin_mm,
            spacing_mm: [gap, first.spacing_mm[1], first.spacing_mm[2]],
            axes: [normal, along_y, along_x],
        };
        Some(Grid::new(geometry, cells).expect("the cells were made for this shape"))
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}
