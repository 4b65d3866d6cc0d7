//! Which neighbours have the same grey level: zones and dependences are made of these links alone.

use crate::feature::layout::{DIRECTIONS, Layout};
use crate::feature::levels::Levels;
use osteon_base::wide::wide;

/// The links of every voxel of a layout.
pub struct Links {
    /// Of every voxel: which of its 26 neighbours have its level, one bit a direction and, from bit 13, its opposite.
    pub around: Vec<u32>,
}

impl Links {
    pub fn new(layout: &Layout, levels: &Levels) -> Links {
        let (mut ahead, mut behind) = (vec![0u16; layout.n_cells], vec![0u16; layout.n_cells]);
        for (direction, &step) in layout.steps.iter().enumerate() {
            link(&levels.cells, step, 1 << direction, &mut ahead, &mut behind);
        }
        // Cells outside all regions are linked among themselves, but no voxel to them.
        let both = |&cell: &u32| u32::from(ahead[cell as usize]) | u32::from(behind[cell as usize]) << DIRECTIONS.len();
        Links { around: layout.cells.iter().map(both).collect() }
    }
}

wide! {
    /// Sets a bit of every cell whose next cell has its level, and another of the next cell.
    fn link(cells: &[u16], step: usize, bit: u16, ahead: &mut [u16], behind: &mut [u16]) {
        let pairs = cells.iter().zip(&cells[step..]);
        for (((here, there), from), to) in pairs.zip(ahead).zip(&mut behind[step..]) {
            let link = if here == there { bit } else { 0 };
            *from |= link;
            *to |= link;
        }
    }
}
