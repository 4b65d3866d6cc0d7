//! Grey level runs (16 features): one table a direction, features averaged over directions.

use crate::feature::layout::Layout;
use crate::feature::levels::Levels;
use crate::feature::links::{Links, bits};
use crate::feature::sizes::{LevelPowers, SizeTable, Sizes};
use crate::feature::{Feature, Wanted, read_mean};

/// pyradiomics' run length features.
pub const FEATURES: &[Feature<Sizes>] = &[
    Feature { name: "GrayLevelNonUniformity", ibsi: Some("R5YN"), of: |s| Some(s.level_non_uniformity) },
    Feature {
        name: "GrayLevelNonUniformityNormalized",
        ibsi: Some("OVBL"),
        of: |s| Some(s.level_non_uniformity / s.n),
    },
    Feature { name: "GrayLevelVariance", ibsi: Some("8CE5"), of: |s| Some(s.level_variance) },
    Feature { name: "HighGrayLevelRunEmphasis", ibsi: Some("G3QZ"), of: |s| Some(s.high) },
    Feature { name: "LongRunEmphasis", ibsi: Some("W4KF"), of: |s| Some(s.large) },
    Feature { name: "LongRunHighGrayLevelEmphasis", ibsi: Some("3KUM"), of: |s| Some(s.large_high) },
    Feature { name: "LongRunLowGrayLevelEmphasis", ibsi: Some("IVPO"), of: |s| Some(s.large_low) },
    Feature { name: "LowGrayLevelRunEmphasis", ibsi: Some("V3SW"), of: |s| Some(s.low) },
    Feature { name: "RunEntropy", ibsi: Some("HJ9O"), of: |s| Some(s.entropy) },
    Feature { name: "RunLengthNonUniformity", ibsi: Some("W92Y"), of: |s| Some(s.size_non_uniformity) },
    Feature { name: "RunLengthNonUniformityNormalized", ibsi: Some("IC23"), of: |s| Some(s.size_non_uniformity / s.n) },
    Feature { name: "RunPercentage", ibsi: Some("9ZK5"), of: |s| Some(s.n / s.voxels) },
    Feature { name: "RunVariance", ibsi: Some("SXLW"), of: |s| Some(s.size_variance) },
    Feature { name: "ShortRunEmphasis", ibsi: Some("22OV"), of: |s| Some(s.small) },
    Feature { name: "ShortRunHighGrayLevelEmphasis", ibsi: Some("GD3A"), of: |s| Some(s.small_high) },
    Feature { name: "ShortRunLowGrayLevelEmphasis", ibsi: Some("HTZT"), of: |s| Some(s.small_low) },
];

/// The wanted features of every region of a layout.
pub fn describe(wanted: &Wanted, layout: &Layout, levels: &Levels, links: &Links) -> Vec<Vec<Option<f64>>> {
    let regions = 0..layout.regions.len();
    if wanted.glrlm.is_empty() {
        return vec![Vec::new(); regions.len()];
    }
    let powers: Vec<LevelPowers> =
        regions.clone().map(|region| LevelPowers::new(levels.span, levels.lowest[region])).collect();
    let mut summaries: Vec<Vec<Sizes>> = regions.clone().map(|_| Vec::with_capacity(13)).collect();
    let mut runs = Runs::new(layout, levels);
    for (direction, starts) in starts(layout, links).iter().enumerate() {
        runs.count(direction, starts, links);
        for region in regions.clone().filter(|&region| layout.lines[region][direction]) {
            summaries[region].extend(Sizes::of(runs.of(region), &powers[region]));
        }
    }
    summaries.iter().map(|directions| read_mean(&wanted.glrlm, directions)).collect()
}

/// By direction: the voxels from which a run of two or more goes on, but none came.
fn starts(layout: &Layout, links: &Links) -> [Vec<u32>; 13] {
    let mut starts: [Vec<u32>; 13] = Default::default();
    for &cell in &layout.cells {
        for direction in bits(links.starts(cell as usize)) {
            starts[direction].push(cell);
        }
    }
    starts
}

/// Runs of one direction. A run inside one shell is counted for the shell; one that crosses shells is cut for each
/// region; runs of one voxel are what is left.
pub struct Runs<'a> {
    layout: &'a Layout,
    levels: &'a Levels,
    of_shell: Vec<SizeTable>,
    of_region: Vec<SizeTable>,
    /// First and last shell of each region.
    ranges: Vec<(u8, u8)>,
    /// Shell and length of each part of the run at hand that lies in one shell; empty for a run inside one.
    parts: Vec<(u8, u32)>,
}

impl<'a> Runs<'a> {
    pub fn new(layout: &'a Layout, levels: &'a Levels) -> Runs<'a> {
        let tables = |n: usize| vec![SizeTable::new(levels.span); n];
        let ranges = layout.regions.iter().map(|shells| (*shells.start() as u8, *shells.end() as u8)).collect();
        let (of_shell, of_region) = (tables(layout.n_shells), tables(layout.regions.len()));
        Runs { layout, levels, of_shell, of_region, ranges, parts: Vec::new() }
    }

    fn count(&mut self, direction: usize, starts: &[u32], links: &Links) {
        self.of_shell.iter_mut().chain(&mut self.of_region).for_each(SizeTable::clear);
        let step = self.layout.steps[direction];
        for &start in starts {
            let mut cell = start as usize;
            let level = self.levels.cells[cell];
            let (mut shell, mut length) = (self.layout.shell_of[cell], 1);
            self.parts.clear();
            while links.of(cell) >> direction & 1 == 1 {
                cell += step;
                let next = self.layout.shell_of[cell];
                if next != shell {
                    self.parts.push((shell, length));
                    (shell, length) = (next, 0);
                }
                length += 1;
            }
            if self.parts.is_empty() {
                self.of_shell[usize::from(shell)].add(level, length);
            } else {
                self.parts.push((shell, length));
                self.cut(level);
            }
        }
    }

    /// Counts what each region sees of a run.
    fn cut(&mut self, level: u16) {
        for (&(first, last), table) in self.ranges.iter().zip(&mut self.of_region) {
            let mut length = 0;
            for &(shell, part) in &self.parts {
                if first <= shell && shell <= last {
                    length += part;
                } else {
                    if length > 1 {
                        table.add(level, length);
                    }
                    length = 0;
                }
            }
            if length > 1 {
                table.add(level, length);
            }
        }
    }

    /// All runs of a region.
    fn of(&mut self, region: usize) -> &mut SizeTable {
        let table = &mut self.of_region[region];
        for shell in self.layout.regions[region].clone() {
            table.merge(&self.of_shell[shell]);
        }
        table.fill_singles(&self.levels.counts[region]);
        table
    }
}
