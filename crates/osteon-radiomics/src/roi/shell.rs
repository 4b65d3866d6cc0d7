//! Shells around the tumour, of which every region is a union.

use crate::grid::{Grid, Mask};
use crate::roi::Roi;

/// Every voxel's shell: 0 the tumour, k the voxels beyond the (k - 1)th and up to the kth margin.
#[derive(Clone, Debug, PartialEq)]
pub struct Shells {
    grid: Grid<u8>,
    /// Ascending, in mm.
    margins_mm: Vec<f64>,
}

impl Shells {
    /// The shell of voxels beyond every margin.
    pub const BEYOND: u8 = u8::MAX;

    /// Shells by exact Euclidean distance in mm between voxel centres; a voxel at the margin is inside.
    ///
    /// # Panics
    /// With 255 margins or more: `roi::MAX_MARGINS` bounds them where they come in.
    pub fn around(tumour: &Mask, margins_mm: &[f64]) -> Shells {
        let mut margins_mm = margins_mm.to_vec();
        margins_mm.sort_by(f64::total_cmp);
        margins_mm.dedup();
        assert!(margins_mm.len() < usize::from(Shells::BEYOND), "a shell is told by a byte");
        // The rounding of a spacing must not decide: a billionth of the margin is still at the margin.
        let squares: Vec<f64> = margins_mm.iter().map(|margin| margin * margin * (1.0 + 1e-9)).collect();
        let reach = margins_mm.last().copied().unwrap_or(0.0);
        let grid = distance_squared(tumour, reach).map(|&square| match square {
            0.0 => 0,
            _ => squares.iter().position(|&limit| square <= limit).map_or(Shells::BEYOND, |k| k as u8 + 1),
        });
        Shells { grid, margins_mm }
    }

    pub fn grid(&self) -> &Grid<u8> {
        &self.grid
    }

    /// First and last shell of a region; `None` for a margin that these shells were not made with.
    pub fn of(&self, roi: Roi) -> Option<(u8, u8)> {
        let shell = |margin: f64| self.margins_mm.iter().position(|&own| own == margin).map(|k| k as u8 + 1);
        match roi {
            Roi::Intra => Some((0, 0)),
            Roi::Peri(margin) => Some((1, shell(margin)?)),
            Roi::IntraPeri(margin) => Some((0, shell(margin)?)),
        }
    }

    /// The voxels of a region; `None` for a margin that these shells were not made with.
    pub fn region(&self, roi: Roi) -> Option<Mask> {
        let (first, last) = self.of(roi)?;
        Some(self.grid.map(|shell| (first..=last).contains(shell)))
    }
}

/// Squared distance (mm2) of each voxel's centre to the nearest one of the mask, exact up to `reach_mm` on each axis
/// and infinite beyond.
///
/// The squared distance is a minimum over x of a minimum over y of a minimum over z (Felzenszwalb and Huttenlocher
/// 2012, equation 2); margins span few voxels, so each minimum is taken over a window.
fn distance_squared(mask: &Mask, reach_mm: f64) -> Grid<f64> {
    let [_, ny, nx] = mask.geometry().shape;
    let [dz, dy, dx] = mask.geometry().spacing_mm;
    let window = |spacing: f64| (reach_mm / spacing * (1.0 + 1e-9)).floor() as usize;
    let start: Vec<f64> = mask.as_slice().iter().map(|&inside| if inside { 0.0 } else { f64::INFINITY }).collect();
    let by_x = nearest(&start, nx, 1, window(dx), dx);
    let by_y = nearest(&by_x, ny * nx, nx, window(dy), dy);
    let by_z = nearest(&by_y, start.len(), ny * nx, window(dz), dz);
    let cells = ndarray::Array3::from_shape_vec(mask.geometry().shape, by_z).expect("one distance a voxel");
    Grid::new(mask.geometry().clone(), cells).expect("the mask's own shape")
}

/// Along lines of `line` cells whose neighbours are `width` apart: the least of what a neighbour up to `window` away
/// knows plus the way to it.
fn nearest(known: &[f64], line: usize, width: usize, window: usize, spacing_mm: f64) -> Vec<f64> {
    let mut found = known.to_vec();
    for (from, to) in known.chunks_exact(line).zip(found.chunks_exact_mut(line)) {
        for step in 1..=window.min(line / width - 1) {
            let way = (step as f64 * spacing_mm).powi(2);
            let apart = step * width;
            to[apart..].iter_mut().zip(from).for_each(|(best, known)| *best = best.min(known + way));
            to.iter_mut().zip(&from[apart..]).for_each(|(best, known)| *best = best.min(known + way));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::grid::Geometry;

    fn brute_force(mask: &Mask, at: [usize; 3]) -> f64 {
        let spacing = mask.geometry().spacing_mm;
        let inside = mask.cells().indexed_iter().filter(|(_, inside)| **inside);
        let square = |(z, y, x): (usize, usize, usize)| {
            let apart = [z, y, x].into_iter().zip(at).zip(spacing);
            apart.map(|((a, b), mm)| ((a as f64 - b as f64) * mm).powi(2)).sum::<f64>()
        };
        inside.map(|(index, _)| square(index)).fold(f64::INFINITY, f64::min)
    }

    proptest! {
        #[test]
        fn the_distance_is_the_least_over_all_voxels(
            cells in proptest::collection::vec(proptest::bool::weighted(0.05), 4 * 7 * 8),
            spacing_mm in [0.5..4.0f64, 0.3..2.0f64, 0.3..2.0f64],
            reach in 1.0..6.0f64,
        ) {
            let cells = ndarray::Array3::from_shape_vec((4, 7, 8), cells).unwrap();
            let mask = Grid::new(Geometry::upright([4, 7, 8], spacing_mm), cells).unwrap();
            for ((z, y, x), &square) in distance_squared(&mask, reach).cells().indexed_iter() {
                let exact = brute_force(&mask, [z, y, x]);
                if exact <= reach * reach {
                    prop_assert!((square - exact).abs() <= 1e-12 * exact);
                } else {
                    prop_assert!(square > reach * reach);
                }
            }
        }
    }
}
