//! Grey level dependence (14 features): how many of a voxel's 26 neighbours have its level, itself included.

use crate::feature::layout::Layout;
use crate::feature::levels::Levels;
use crate::feature::links::{Links, bits};
use crate::feature::sizes::{LevelPowers, SizeTable, Sizes};
use crate::feature::{Feature, Wanted, read};

/// pyradiomics' dependence features; the codes are those of the IBSI's neighbouring grey level dependence.
pub const FEATURES: &[Feature<Sizes>] = &[
    Feature { name: "DependenceEntropy", ibsi: Some("FCBV"), of: |s| Some(s.entropy) },
    Feature { name: "DependenceNonUniformity", ibsi: Some("Z87G"), of: |s| Some(s.size_non_uniformity) },
    Feature {
        name: "DependenceNonUniformityNormalized",
        ibsi: Some("OKJI"),
        of: |s| Some(s.size_non_uniformity / s.n),
    },
    Feature { name: "DependenceVariance", ibsi: Some("DNX2"), of: |s| Some(s.size_variance) },
    Feature { name: "GrayLevelNonUniformity", ibsi: Some("FP8K"), of: |s| Some(s.level_non_uniformity) },
    Feature { name: "GrayLevelVariance", ibsi: Some("1PFV"), of: |s| Some(s.level_variance) },
    Feature { name: "HighGrayLevelEmphasis", ibsi: Some("OAE7"), of: |s| Some(s.high) },
    Feature { name: "LargeDependenceEmphasis", ibsi: Some("IMOQ"), of: |s| Some(s.large) },
    Feature { name: "LargeDependenceHighGrayLevelEmphasis", ibsi: Some("9QMG"), of: |s| Some(s.large_high) },
    Feature { name: "LargeDependenceLowGrayLevelEmphasis", ibsi: Some("NBZI"), of: |s| Some(s.large_low) },
    Feature { name: "LowGrayLevelEmphasis", ibsi: Some("TL9H"), of: |s| Some(s.low) },
    Feature { name: "SmallDependenceEmphasis", ibsi: Some("SODN"), of: |s| Some(s.small) },
    Feature { name: "SmallDependenceHighGrayLevelEmphasis", ibsi: Some("JA6D"), of: |s| Some(s.small_high) },
    Feature { name: "SmallDependenceLowGrayLevelEmphasis", ibsi: Some("EQ3F"), of: |s| Some(s.small_low) },
];

/// The wanted features of every region of a layout.
pub fn describe(wanted: &Wanted, layout: &Layout, levels: &Levels, links: &Links) -> Vec<Vec<Option<f64>>> {
    let n = layout.regions.len();
    if wanted.gldm.is_empty() {
        return vec![Vec::new(); n];
    }
    let mut tables = dependences(layout, levels, links);
    let described = |(region, table): (usize, &mut SizeTable)| {
        Sizes::of(table, &LevelPowers::new(levels.span, levels.lowest[region]))
            .map_or_else(|| vec![None; wanted.gldm.len()], |sizes| read(&wanted.gldm, &sizes))
    };
    tables.iter_mut().enumerate().map(described).collect()
}

/// The dependences of every region.
pub fn dependences(layout: &Layout, levels: &Levels, links: &Links) -> Vec<SizeTable> {
    let alike = alike(layout, links);
    let mut tables = vec![SizeTable::new(levels.span); layout.regions.len()];
    for (shell, voxels) in layout.shells() {
        let inside = |region: &usize| layout.regions[*region].contains(&shell);
        let regions: Vec<(usize, u32)> =
            (0..tables.len()).filter(inside).map(|region| (region, layout.byte_mask(region))).collect();
        for &cell in &layout.cells[voxels] {
            let alike = alike[cell as usize];
            if alike == 0 {
                continue;
            }
            let level = levels.cells[cell as usize];
            for &(region, mask) in &regions {
                // The highest byte of the product is the sum of all four.
                let n = (alike & mask).wrapping_mul(0x0101_0101) >> 24;
                if n > 0 {
                    tables[region].add(level, n + 1);
                }
            }
        }
    }
    for (table, counts) in tables.iter_mut().zip(&levels.counts) {
        table.fill_rest(counts);
    }
    tables
}

/// Of every cell: how many neighbours of its level lie in each shell, one byte a shell.
fn alike(layout: &Layout, links: &Links) -> Vec<u32> {
    let mut alike = vec![0u32; layout.n_cells];
    for (shell, voxels) in layout.shells() {
        for &cell in &layout.cells[voxels] {
            let cell = cell as usize;
            for direction in bits(links.of(cell)) {
                let other = cell + layout.steps[direction];
                alike[cell] += 1 << (8 * layout.shell_of[other]);
                alike[other] += 1 << (8 * shell);
            }
        }
    }
    alike
}
