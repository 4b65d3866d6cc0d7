//! Grey level dependence (14 features): how many of a voxel's 26 neighbours have its level, itself included.

use crate::feature::layout::Layout;
use crate::feature::levels::Levels;
use crate::feature::links::Links;
use crate::feature::sizes::{LevelPowers, SizeTable, Sizes};
use crate::feature::{Feature, Wanted, read};
use osteon_base::wide::wide;

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
    let mut tables = vec![SizeTable::new(levels.span); layout.regions.len()];
    let mut sizes = Vec::new();
    for (shell, voxels) in layout.shells() {
        let (links, levels) = (&links.around[voxels.clone()], &levels.of_voxel[voxels]);
        for (region, table) in tables.iter_mut().enumerate().filter(|it| layout.regions[it.0].contains(&shell)) {
            let within = layout.around_within(shell, region).collect::<Vec<_>>();
            sizes_within(links, &within, &mut sizes);
            table.add_all(levels, &sizes);
        }
    }
    tables
}

wide! {
    /// One more than the links that stay within, of every voxel.
    fn sizes_within(links: &[u32], within: &[u32], sizes: &mut Vec<u8>) {
        sizes.clear();
        sizes.extend(links.iter().zip(within).map(|(links, within)| (links & within).count_ones() as u8 + 1));
    }
}
