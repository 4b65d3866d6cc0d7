//! Grey level zones (16 features): connected voxels of one level, by edge, face or corner.

use std::sync::LazyLock;

use crate::feature::layout::{DIRECTIONS, Layout};
use crate::feature::levels::Levels;
use crate::feature::links::Links;
use crate::feature::plane::bits;
use crate::feature::sizes::{LevelPowers, SizeTable, Sizes};
use crate::feature::{Feature, Wanted, read};

/// pyradiomics' size zone features.
pub const FEATURES: &[Feature<Sizes>] = &[
    Feature { name: "GrayLevelNonUniformity", ibsi: Some("JNSA"), of: |s| Some(s.level_non_uniformity) },
    Feature {
        name: "GrayLevelNonUniformityNormalized",
        ibsi: Some("Y1RO"),
        of: |s| Some(s.level_non_uniformity / s.n),
    },
    Feature { name: "GrayLevelVariance", ibsi: Some("BYLV"), of: |s| Some(s.level_variance) },
    Feature { name: "HighGrayLevelZoneEmphasis", ibsi: Some("5GN9"), of: |s| Some(s.high) },
    Feature { name: "LargeAreaEmphasis", ibsi: Some("48P8"), of: |s| Some(s.large) },
    Feature { name: "LargeAreaHighGrayLevelEmphasis", ibsi: Some("J17V"), of: |s| Some(s.large_high) },
    Feature { name: "LargeAreaLowGrayLevelEmphasis", ibsi: Some("YH51"), of: |s| Some(s.large_low) },
    Feature { name: "LowGrayLevelZoneEmphasis", ibsi: Some("XMSY"), of: |s| Some(s.low) },
    Feature { name: "SizeZoneNonUniformity", ibsi: Some("4JP3"), of: |s| Some(s.size_non_uniformity) },
    Feature { name: "SizeZoneNonUniformityNormalized", ibsi: Some("VB3A"), of: |s| Some(s.size_non_uniformity / s.n) },
    Feature { name: "SmallAreaEmphasis", ibsi: Some("5QRC"), of: |s| Some(s.small) },
    Feature { name: "SmallAreaHighGrayLevelEmphasis", ibsi: Some("HW1V"), of: |s| Some(s.small_high) },
    Feature { name: "SmallAreaLowGrayLevelEmphasis", ibsi: Some("5RAI"), of: |s| Some(s.small_low) },
    Feature { name: "ZoneEntropy", ibsi: Some("GU8N"), of: |s| Some(s.entropy) },
    Feature { name: "ZonePercentage", ibsi: Some("P30P"), of: |s| Some(s.n / s.voxels) },
    Feature { name: "ZoneVariance", ibsi: Some("3NSA"), of: |s| Some(s.size_variance) },
];

/// The wanted features of every region of a layout.
pub fn describe(wanted: &Wanted, layout: &Layout, levels: &Levels, links: &Links) -> Vec<Vec<Option<f64>>> {
    let n = layout.regions.len();
    if wanted.glszm.is_empty() {
        return vec![Vec::new(); n];
    }
    let mut tables = zones(layout, levels, links);
    let described = |(region, table): (usize, &mut SizeTable)| {
        Sizes::of(table, &LevelPowers::new(levels.span, levels.lowest[region]))
            .map_or_else(|| vec![None; wanted.glszm.len()], |sizes| read(&wanted.glszm, &sizes))
    };
    tables.iter_mut().enumerate().map(described).collect()
}

/// The zones of every region. Regions that begin at the same shell grow from each other: a shell is joined to the
/// zones inside it, and what stands then is the region that ends there.
pub fn zones(layout: &Layout, levels: &Levels, links: &Links) -> Vec<SizeTable> {
    let mut tables: Vec<Option<SizeTable>> = layout.regions.iter().map(|_| None).collect();
    for first in 0..layout.n_shells {
        let last = layout.regions.iter().filter(|shells| *shells.start() == first).map(|shells| *shells.end()).max();
        let Some(last) = last else { continue };
        let mut zones = Zones::new(layout, levels, first);
        for shell in first..=last {
            zones.grow(shell, links);
            for (region, shells) in layout.regions.iter().enumerate() {
                if *shells == (first..=shell) {
                    tables[region] = Some(zones.table(&levels.counts[region]));
                }
            }
        }
    }
    tables.into_iter().map(|table| table.expect("every region begins and ends at a shell")).collect()
}

/// Zones of two or more voxels as trees of cells (union-find, the smaller zone under the larger one's root).
struct Zones<'a> {
    layout: &'a Layout,
    levels: &'a Levels,
    first: usize,
    /// A cell's parent; of a root, the size of its zone as a negative number.
    parents: Vec<i32>,
    counted: SizeTable,
    /// Roots whose zones were too large for the rows of a table.
    large: Vec<u32>,
}

/// Directions to one side, as bits.
const AHEAD: u32 = (1 << DIRECTIONS.len()) - 1;

/// Of neighbours to one side, as bits: one of each group that touch each other, by way of neighbours of the same side.
/// Voxels of one level that touch are in one zone already, so the others need not be joined.
static LEADERS: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let touch = |a: usize, b: usize| (0..3).all(|k| (DIRECTIONS[a][k] - DIRECTIONS[b][k]).abs() <= 1);
    let touching: [u32; DIRECTIONS.len()] =
        std::array::from_fn(|a| (0..DIRECTIONS.len()).filter(|&b| touch(a, b)).map(|b| 1 << b).sum());
    let leaders = |mut left: u32| {
        let mut leaders = 0;
        while left != 0 {
            let leader = left & left.wrapping_neg();
            leaders |= leader as u16;
            let (mut group, mut grown) = (0, leader);
            while group != grown {
                group = grown;
                grown = bits(group.into()).fold(group, |grown, at| grown | touching[at] & left);
            }
            left &= !group;
        }
        leaders
    };
    (0..=AHEAD).map(leaders).collect()
});

impl<'a> Zones<'a> {
    fn new(layout: &'a Layout, levels: &'a Levels, first: usize) -> Zones<'a> {
        let counted = SizeTable::new(levels.span);
        Zones { layout, levels, first, parents: vec![-1; layout.n_cells], counted, large: Vec::new() }
    }

    /// Joins one more shell to the zones inside it: each voxel to the neighbours of its level that were there before,
    /// those of inner shells and those of its own that come before it in memory.
    fn grow(&mut self, shell: usize, links: &Links) {
        let layout = self.layout;
        let leaders: &[u16] = &LEADERS;
        let voxels = layout.starts[shell]..layout.starts[shell + 1];
        let with_links = layout.cells[voxels.clone()].iter().zip(&links.around[voxels.clone()]);
        for ((&cell, links), around) in with_links.zip(&layout.around[voxels]) {
            let inner = around[self.first..shell].iter().fold(0, |all, inner| all | inner);
            let before = links & (inner | around[shell] & !AHEAD);
            if before == 0 {
                continue;
            }
            let mut root = cell;
            for direction in bits(leaders[(before >> DIRECTIONS.len()) as usize].into()) {
                root = self.join(root, cell - layout.steps[direction] as u32);
            }
            for direction in bits(leaders[(before & AHEAD) as usize].into()) {
                root = self.join(root, cell + layout.steps[direction] as u32);
            }
        }
    }

    /// Joins the zone of root `a` with that of cell `b`, and gives the root of both.
    fn join(&mut self, a: u32, b: u32) -> u32 {
        let b = self.root(b);
        if a == b {
            return a;
        }
        let level = self.levels.cells[a as usize];
        let [from, to] = [a, b].map(|root| -self.parents[root as usize] as u32);
        // Zones of one voxel are not counted: whoever reads the table fills them in.
        self.counted.remove_small(level, from);
        self.counted.remove_small(level, to);
        let (root, leaf) = if from > to { (a, b) } else { (b, a) };
        self.parents[leaf as usize] = root as i32;
        self.parents[root as usize] = -((from + to) as i32);
        if !self.counted.add_small(level, from + to) {
            self.large.push(root);
        }
        root
    }

    fn root(&mut self, mut cell: u32) -> u32 {
        loop {
            let above = self.parents[cell as usize];
            if above < 0 {
                return cell;
            }
            let next = self.parents[above as usize];
            if next < 0 {
                return above as u32;
            }
            self.parents[cell as usize] = next;
            cell = next as u32;
        }
    }

    /// All zones that stand now, those of one voxel from the voxels of each level.
    fn table(&mut self, voxels: &[u32]) -> SizeTable {
        self.large.sort_unstable();
        self.large.dedup();
        self.large.retain(|&root| self.parents[root as usize] < 0);
        let mut table = self.counted.clone();
        for &root in &self.large {
            table.add(self.levels.cells[root as usize], -self.parents[root as usize] as u32);
        }
        table.fill_singles(voxels);
        table
    }
}
