//! Curvature flow: level sets move by their mean curvature (Sethian 1999; ITK `CurvatureFlowImageFilter`).

use ndarray::Array3;

use crate::grid::{Grid, Volume};
use osteon_base::wide::wide;

/// Iterations; each looks one voxel further.
pub const STEPS: usize = 5;
const TIME_STEP: f64 = 0.05;

/// Below this squared slope a level set has no direction (ITK).
const FLAT: f64 = 1e-9;

/// Rows of an image with one repeated voxel at either end.
struct Rows {
    cells: Vec<f64>,
    shape: [usize; 3],
}

/// Five steps of 0.05, derivatives per mm, the border repeated.
pub fn curvature_flow(volume: &Volume) -> Volume {
    let mut now = Rows::new(volume);
    let mut next = Rows { cells: now.cells.clone(), shape: now.shape };
    for _ in 0..STEPS {
        step(&now, &mut next, volume.geometry().spacing_mm);
        std::mem::swap(&mut now, &mut next);
    }
    let [nz, ny, nx] = now.shape;
    let cells = now.cells.chunks_exact(nx + 2).flat_map(|row| &row[1..=nx]).copied().collect();
    let cells = Array3::from_shape_vec((nz, ny, nx), cells).expect("every row lost its ends");
    Grid::new(volume.geometry().clone(), cells).expect("a filter keeps the shape")
}

impl Rows {
    fn new(volume: &Volume) -> Rows {
        let shape = volume.geometry().shape;
        let longer = |row: &[f64]| -> Vec<f64> { [&row[..1], row, &row[row.len() - 1..]].concat() };
        Rows { cells: volume.as_slice().chunks_exact(shape[2]).flat_map(longer).collect(), shape }
    }

    /// Voxel by voxel a row and its neighbours before and after.
    #[inline(always)]
    fn row(&self, z: usize, y: usize) -> [&[f64]; 3] {
        let [_, ny, nx] = self.shape;
        let row = &self.cells[(z * ny + y) * (nx + 2)..][..nx + 2];
        [&row[..nx], &row[1..=nx], &row[2..]]
    }
}

wide! {
    fn step(now: &Rows, next: &mut Rows, spacing_mm: [f64; 3]) {
        // ITK multiplies by the reciprocals too.
        let [dz, dy, dx] = spacing_mm.map(f64::recip);
        let [nz, ny, nx] = now.shape;
        for (row, target) in next.cells.chunks_exact_mut(nx + 2).enumerate() {
            let (z, y) = (row / ny, row % ny);
            let (above, below) = (z.saturating_sub(1), (z + 1).min(nz - 1));
            let (before, after) = (y.saturating_sub(1), (y + 1).min(ny - 1));
            let [west, here, east] = now.row(z, y);
            let [north_west, north, north_east] = now.row(z, before);
            let [south_west, south, south_east] = now.row(z, after);
            let [up_west, up, up_east] = now.row(above, y);
            let [down_west, down, down_east] = now.row(below, y);
            let (up_north, up_south) = (now.row(above, before)[1], now.row(above, after)[1]);
            let (down_north, down_south) = (now.row(below, before)[1], now.row(below, after)[1]);
            for (i, value) in target[1..=nx].iter_mut().enumerate() {
                let twice = 2.0 * here[i];
                let (x, xx) = (0.5 * (east[i] - west[i]) * dx, (east[i] - twice + west[i]) * (dx * dx));
                let (y, yy) = (0.5 * (south[i] - north[i]) * dy, (south[i] - twice + north[i]) * (dy * dy));
                let (z, zz) = (0.5 * (down[i] - up[i]) * dz, (down[i] - twice + up[i]) * (dz * dz));
                let xy = 0.25 * (north_west[i] - south_west[i] - north_east[i] + south_east[i]) * (dx * dy);
                let xz = 0.25 * (up_west[i] - down_west[i] - up_east[i] + down_east[i]) * (dx * dz);
                let yz = 0.25 * (up_north[i] - down_north[i] - up_south[i] + down_south[i]) * (dy * dz);
                let slope = x * x + y * y + z * z;
                let bend = (yy + zz) * (x * x) + (xx + zz) * (y * y) + (xx + yy) * (z * z)
                    - 2.0 * (x * y * xy + x * z * xz + y * z * yz);
                *value = here[i] + if slope < FLAT { 0.0 } else { TIME_STEP * (bend / slope) };
            }
            target[0] = target[1];
            target[nx + 1] = target[nx];
        }
    }
}
