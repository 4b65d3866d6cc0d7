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
}

impl<'a> Runs<'a> {
    pub fn new(layout: &'a Layout, levels: &'a Levels) -> Runs<'a> {
        let tables = |n: usize| vec![SizeTable::new(levels.span); n];
        Runs { layout, levels, of_shell: tables(layout.n_shells), of_region: tables(layout.regions.len()) }
    }

    fn count(&mut self, direction: usize, starts: &[u32], links: &Links) {
        self.of_shell.iter_mut().chain(&mut self.of_region).for_each(SizeTable::clear);
        let step = self.layout.steps[direction];
        for &start in starts {
            let (start, mut end) = (start as usize, start as usize);
            let shell = self.layout.shell_of[start];
            let mut crosses = false;
            let mut length = 1;
            while links.of(end) >> direction & 1 == 1 {
                end += step;
                length += 1;
                crosses |= self.layout.shell_of[end] != shell;
            }
            let level = self.levels.cells[start];
            if crosses {
                self.cut(level, (start..=end).step_by(step));
            } else {
                self.of_shell[usize::from(shell)].add(level, length);
            }
        }
    }

    /// Counts what each region sees of a run.
    fn cut(&mut self, level: u16, cells: impl Iterator<Item = usize> + Clone) {
        for (shells, table) in self.layout.regions.iter().zip(&mut self.of_region) {
            let mut length = 0;
            let mut close = |length: &mut u32| {
                if *length > 1 {
                    table.add(level, *length);
                }
                *length = 0;
            };
            for cell in cells.clone() {
                if shells.contains(&usize::from(self.layout.shell_of[cell])) {
                    length += 1;
                } else {
                    close(&mut length);
                }
            }
            close(&mut length);
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
