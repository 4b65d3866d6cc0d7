//! A region as its file draws it, with everything that had to be decided to put it on the image's grid.

use serde::{Deserialize, Serialize};

use crate::grid::Mask;
use osteon_base::text::counted;

/// Labels, segments or structures that a sentence names.
const SHOWN: usize = 8;

/// A region on its image's grid, and how it got there.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    pub mask: Mask,
    pub reading: Reading,
}

/// What was found and decided while a region was read. All that is at its default was as plain as can be: one region,
/// whole voxels, on the image's own grid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reading {
    /// Labels, segments or structures of the file, the first few, the picked one among them.
    pub present: Vec<Present>,
    /// The label, segment or structure that was picked; empty when the file has but one.
    pub picked: String,
    /// Voxels inside at one half, where the file holds parts of voxels.
    pub fractional: Option<Fractional>,
    /// Largest distance between a corner voxel's centre and its place on the image's grid, in voxels.
    pub off_grid_voxels: f64,
    /// How the file's axes and extent lead to the image's; empty when they are the same.
    pub moved: String,
    /// Share of the drawn region that lies outside the image, from 0 to 1.
    pub cut_share: f64,
    /// Relative change of the region's volume where the mask was resampled: 0.01 is one percent more.
    pub resampled: Option<f64>,
    /// Slices that the image's series lacks: by its positions and instance numbers between its first and its last, or by
    /// the slices that the drawing names. `None` where the image is no series.
    pub missing_slices: Option<usize>,
    /// What else a person should know, one sentence each.
    pub notes: Vec<String>,
}

/// A label, segment or structure of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    pub name: String,
    /// Voxels in the file; `None` where the file draws contours.
    pub voxels: Option<usize>,
}

/// Voxels of a mask whose values are parts of one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fractional {
    /// Of half and more: the region.
    pub half: usize,
    /// Of anything above 0.
    pub above_zero: usize,
}

impl Reading {
    /// Sentences for a person; none when all was plain.
    pub fn sentences(&self) -> Vec<String> {
        let mut said = Vec::new();
        if !self.picked.is_empty() && self.present.len() > 1 {
            let shown: Vec<String> = self.present.iter().take(SHOWN).map(Present::to_string).collect();
            let others = if self.present.len() > SHOWN { " and others" } else { "" };
            let all = format!("{}{others}", shown.join(", "));
            said.push(match self.picked.as_str() {
                "all" => format!("the union of several was measured: {all}"),
                one => format!("{one} of several was measured: {all}"),
            });
        }
        if let Some(Fractional { half, above_zero }) = self.fractional {
            said.push(format!(
                "the mask holds parts of voxels: {half} voxels of half and more are inside, {above_zero} are above 0"
            ));
        }
        if self.off_grid_voxels > 1e-4 {
            said.push(format!("the mask lies {:.4} voxels off the image's grid", self.off_grid_voxels));
        }
        if !self.moved.is_empty() {
            said.push(format!("the mask was put on the image's grid voxel by voxel: {}", self.moved));
        }
        if self.cut_share > 0.0 {
            said.push(format!("{:.1}% of the region lies outside the image", 100.0 * self.cut_share));
        }
        if let Some(change) = self.resampled {
            said.push(format!(
                "the mask was resampled to the image's grid, its volume changed by {:+.2}%",
                100.0 * change
            ));
        }
        if let Some(missing) = self.missing_slices.filter(|n| *n > 0) {
            said.push(format!("the image's series lacks {}", counted(missing, "slice")));
        }
        said.extend(self.notes.iter().cloned());
        said
    }
}

impl std::fmt::Display for Present {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.voxels {
            Some(voxels) => write!(f, "{} ({})", self.name, counted(voxels, "voxel")),
            None => write!(f, "{}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_mask_needs_no_word() {
        assert!(Reading::default().sentences().is_empty());
        let resampled = Reading { resampled: Some(-0.0123), cut_share: 0.25, ..Reading::default() };
        assert_eq!(
            resampled.sentences(),
            [
                "25.0% of the region lies outside the image",
                "the mask was resampled to the image's grid, its volume changed by -1.23%"
            ]
        );
    }
}
