//! Which neighbours have the same grey level: runs, zones and dependences are made of these links alone.

use crate::feature::layout::Layout;
use crate::feature::levels::Levels;

/// Of every cell of the padded box: bit `d` is set when the next cell in direction `d` has the same level.
///
/// Cells outside all regions are linked among themselves; no link leads from a voxel to them.
pub struct Links {
    ahead: Vec<u16>,
    /// The same, looking back: bit `d` when this cell is the next one of an equal cell.
    behind: Vec<u16>,
}

impl Links {
    pub fn new(layout: &Layout, levels: &Levels) -> Links {
        let (mut ahead, mut behind) = (vec![0u16; layout.n_cells], vec![0u16; layout.n_cells]);
        for (direction, &step) in layout.steps.iter().enumerate() {
            let pairs = levels.cells.iter().zip(&levels.cells[step..]);
            for (((here, there), from), to) in pairs.zip(&mut ahead).zip(&mut behind[step..]) {
                let link = u16::from(here == there) << direction;
                *from |= link;
                *to |= link;
            }
        }
        Links { ahead, behind }
    }

    /// Directions in which a voxel's next cell has its level, as bits.
    pub fn of(&self, cell: usize) -> u16 {
        self.ahead[cell]
    }

    /// All 26 neighbours that have a voxel's level: `of` in the low bits, and from bit 13 those that lie behind.
    pub fn around(&self, cell: usize) -> u32 {
        u32::from(self.ahead[cell]) | u32::from(self.behind[cell]) << 13
    }

    /// Directions in which a run of equal levels starts at a voxel and goes on, as bits.
    pub fn starts(&self, cell: usize) -> u16 {
        self.ahead[cell] & !self.behind[cell]
    }
}

/// Positions of the set bits, ascending.
pub fn bits(mut set: u16) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (bit < 16).then_some(bit)
    })
}
