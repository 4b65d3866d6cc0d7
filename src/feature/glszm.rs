//! Grey level zones (16 features): connected voxels of one level, by edge, face or corner.

use crate::feature::layout::{DIRECTIONS, Layout};
use crate::feature::levels::Levels;
use crate::feature::links::{Links, bits};
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
    /// A cell's parent; a root is its own.
    parents: Vec<u32>,
    /// Size of the zone of a root.
    sizes: Vec<u32>,
    counted: SizeTable,
    /// Roots whose zones were too large for the rows of a table.
    large: Vec<u32>,
    /// Links that wait for their outer shell.
    waiting: Vec<Vec<(u32, u32)>>,
    /// By direction: the neighbours by way of which a link in this direction goes without saying.
    detours: [u32; 13],
}

/// A step in this direction is two steps by way of such a neighbour, both of them between closer voxels: a shared face
/// is closer than an edge, and an edge than a corner. Where the neighbour has the same level too, its own links join
/// the zone.
fn detours() -> [u32; 13] {
    // 1 for a shared face, 2 for an edge, 3 for a corner.
    let far = |step: [isize; 3]| {
        let is_neighbour = step.iter().all(|along| along.abs() <= 1);
        is_neighbour.then(|| step.iter().filter(|&&along| along != 0).count()).filter(|&far| far > 0)
    };
    let opposite = DIRECTIONS.map(|step| step.map(|along| -along));
    let around: Vec<[isize; 3]> = DIRECTIONS.into_iter().chain(opposite).collect();
    DIRECTIONS.map(|step| {
        let is_closer = |part: [isize; 3]| far(part).is_some_and(|part| Some(part) < far(step));
        let on_the_way = |way: [isize; 3]| is_closer(way) && is_closer([0, 1, 2].map(|k| step[k] - way[k]));
        around.iter().enumerate().map(|(bit, &way)| u32::from(on_the_way(way)) << bit).sum()
    })
}

impl<'a> Zones<'a> {
    fn new(layout: &'a Layout, levels: &'a Levels, first: usize) -> Zones<'a> {
        Zones {
            layout,
            levels,
            first,
            parents: (0..layout.n_cells as u32).collect(),
            sizes: vec![1; layout.n_cells],
            counted: SizeTable::new(levels.span),
            large: Vec::new(),
            waiting: vec![Vec::new(); layout.n_shells],
            detours: detours(),
        }
    }

    /// Joins one more shell to the zones inside it.
    fn grow(&mut self, shell: usize, links: &Links) {
        for (a, b) in std::mem::take(&mut self.waiting[shell]) {
            let root = self.root(a);
            self.join(root, b);
        }
        let layout = self.layout;
        let voxels = layout.starts[shell]..layout.starts[shell + 1];
        for (&cell, &same_shell) in layout.cells[voxels.clone()].iter().zip(&layout.same_shell[voxels]) {
            let own = links.of(cell as usize);
            if own == 0 {
                continue;
            }
            let near = links.around(cell as usize) & same_shell;
            let mut root = self.root(cell);
            for direction in bits(own) {
                if near & self.detours[direction] != 0 {
                    continue;
                }
                let other = cell + layout.steps[direction] as u32;
                match usize::from(layout.shell_of[other as usize]) {
                    outer if outer > shell => self.waiting[outer].push((cell, other)),
                    inner if inner >= self.first => root = self.join(root, other),
                    _ => (),
                }
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
        let (from, to) = (self.sizes[a as usize], self.sizes[b as usize]);
        for size in [from, to].into_iter().filter(|&size| size > 1) {
            self.counted.remove_small(level, size);
        }
        let (root, leaf) = if from >= to { (a, b) } else { (b, a) };
        self.parents[leaf as usize] = root;
        self.sizes[root as usize] = from + to;
        if !self.counted.add_small(level, from + to) {
            self.large.push(root);
        }
        root
    }

    fn root(&mut self, mut cell: u32) -> u32 {
        while self.parents[cell as usize] != cell {
            let above = self.parents[cell as usize];
            self.parents[cell as usize] = self.parents[above as usize];
            cell = above;
        }
        cell
    }

    /// All zones that stand now, those of one voxel from the voxels of each level.
    fn table(&mut self, voxels: &[u32]) -> SizeTable {
        self.large.sort_unstable();
        self.large.dedup();
        self.large.retain(|&root| self.parents[root as usize] == root);
        let mut table = self.counted.clone();
        for &root in &self.large {
            table.add(self.levels.cells[root as usize], self.sizes[root as usize]);
        }
        table.fill_singles(voxels);
        table
    }
}
