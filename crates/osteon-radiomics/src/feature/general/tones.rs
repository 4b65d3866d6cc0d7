//! Differences of tone among neighbours of any distance.

use crate::feature::general::offsets::both_ways;
use crate::feature::general::{Cells, Rules};
use crate::feature::ngtdm::Ngtdm;
use crate::feature::{Feature, read};

/// The kept features of the region.
pub fn describe(kept: &[&'static Feature<Ngtdm>], cells: &Cells, rules: &Rules) -> Vec<Option<f64>> {
    let offsets = both_ways(cells.shape, &rules.distances, rules.across);
    let mut rows = vec![(0.0, 0.0); cells.highest + 1];
    for (at, place) in cells.voxels() {
        let level = cells.levels[at];
        let (mut n, mut sum) = (0.0, 0.0);
        for other in offsets.iter().filter_map(|&offset| cells.level_at(place, offset)) {
            n += 1.0;
            sum += f64::from(other);
        }
        let row = &mut rows[level as usize];
        row.0 += 1.0;
        row.1 += if n > 0.0 { (f64::from(level) - sum / n).abs() } else { 0.0 };
    }
    read(kept, &Ngtdm::of_rows(&rows))
}
