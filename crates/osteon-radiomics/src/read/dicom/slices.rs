//! Whether the slices of a segmentation are as far apart as those of the image that it is put on.

use std::collections::BTreeSet;

use crate::grid::Geometry;
use crate::read::dicom::contour;

/// Distances are the same to this part: writers round.
const SAME: f64 = 0.02;

/// A single slice this many times as thick as the image's slices are apart is another grid's; less is an overlap.
const THICKER: f64 = 1.5;

/// The slices of a segmentation, as its frames tell them.
#[derive(Clone, Debug)]
pub struct Slices {
    /// The image's axis across the frames, and the distance between its voxels.
    axis: usize,
    image_gap_mm: f64,
    /// Places of all frames, and of those of the region, along that axis in mm.
    all_mm: Vec<f64>,
    own_mm: Vec<f64>,
    /// Places of the region's frames with voxels.
    drawn_mm: Vec<f64>,
    /// SpacingBetweenSlices and SliceThickness.
    stated_mm: [Option<f64>; 2],
}

impl Slices {
    /// `axis` is the image's across the frames.
    pub fn new(image: &Geometry, axis: usize, stated_mm: [Option<f64>; 2]) -> Slices {
        let [all_mm, own_mm, drawn_mm] = [const { Vec::new() }; 3];
        Slices { axis, image_gap_mm: image.spacing_mm[axis], all_mm, own_mm, drawn_mm, stated_mm }
    }

    /// Notes a frame by the place of its first voxel.
    pub fn add(&mut self, image: &Geometry, position_mm: [f64; 3], is_own: bool, is_drawn: bool) {
        let at_mm = contour::index_of(image, position_mm)[self.axis] * self.image_gap_mm;
        self.all_mm.push(at_mm);
        if is_own {
            self.own_mm.push(at_mm);
        }
        if is_drawn {
            self.drawn_mm.push(at_mm);
        }
    }

    /// Distance in mm between the segmentation's slices where it is not that of the image's.
    ///
    /// Frames that are neighbours on the image are of its slices, whatever the header says. Else the stated distance
    /// counts, if all frames are multiples of it apart; else the thickness, unless it is that of the image's slices, which
    /// may overlap.
    pub fn other_gap_mm(&self, image_thickness_mm: Option<f64>) -> Option<f64> {
        let gap = self.image_gap_mm;
        let same = |a: f64, b: f64| (a - b).abs() <= SAME * b;
        let mut sorted = self.all_mm.clone();
        sorted.sort_by(f64::total_cmp);
        let low = *sorted.first()?;
        let apart = sorted.windows(2).map(|pair| pair[1] - pair[0]).filter(|&mm| mm > SAME * gap).reduce(f64::min);
        if apart.is_some_and(|mm| same(mm, gap)) {
            return None;
        }
        let fits = |mm: &f64| sorted.iter().all(|at| ((at - low) / mm - ((at - low) / mm).round()).abs() <= SAME);
        let [distance, thickness] = self.stated_mm;
        if let Some(mm) = distance.filter(fits) {
            return (!same(mm, gap)).then_some(mm);
        }
        let thickness = thickness.filter(|&mm| !image_thickness_mm.is_some_and(|own| same(mm, own)))?;
        match apart {
            Some(mm) => ((thickness - mm).abs() < (thickness - gap).abs()).then_some(mm),
            None => (thickness > THICKER * gap).then_some(thickness),
        }
    }

    /// Slices from the first to the last with voxels, and for how many of them the region has a frame.
    pub fn filled(&self) -> (usize, usize) {
        let at = |mm: &f64| (mm / self.image_gap_mm).round() as i64;
        let drawn: BTreeSet<i64> = self.drawn_mm.iter().map(at).collect();
        let (Some(&first), Some(&last)) = (drawn.first(), drawn.last()) else { return (0, 0) };
        let own: BTreeSet<i64> = self.own_mm.iter().map(at).filter(|at| (first..=last).contains(at)).collect();
        ((last - first + 1) as usize, own.len())
    }

    pub fn image_gap_mm(&self) -> f64 {
        self.image_gap_mm
    }
}
