//! Where the voxels of a mask lie on its image's grid: voxel by voxel where both share a lattice, else refused or
//! resampled.

use nalgebra::{Matrix3, Vector3};
use ndarray::Array3;
use serde::{Deserialize, Serialize};

use crate::grid::{Geometry, Grid, Mask};
use crate::read::{ReadError, Reading, Region};
use osteon_base::setting::{self, Unfit};

/// How a mask may come to its image's grid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Largest distance, in voxels of the image, between a corner voxel's centre and its place on the image's grid.
    pub tolerance_voxels: f64,
    pub resample: Resample,
    pub cut: Cut,
    pub other_frame: OtherFrame,
    pub uneven: Uneven,
}

/// What happens to a mask of another grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resample {
    /// It is refused.
    Never,
    /// Each voxel of the image takes the value of the nearest voxel of the mask, as pyradiomics' `correctMask` does.
    Nearest,
}

/// What happens to a region of which a part lies outside the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cut {
    Refuse,
    Accept,
}

/// What happens to contours and segmentations that name another frame of reference than their image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OtherFrame {
    Refuse,
    Accept,
}

/// What happens to a series of which the slices lie unevenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Uneven {
    Refuse,
    /// Even slices are interpolated linearly, at the usual distance.
    Resample,
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        let is_part = (0.0..0.5).contains(&self.tolerance_voxels);
        setting::require(
            is_part,
            "tolerance_voxels",
            self.tolerance_voxels,
            "a part of a voxel from 0 to less than 0.5",
        )
    }
}

impl Default for Params {
    /// A hundredth of a voxel: headers written with few digits pass, another grid does not.
    fn default() -> Params {
        Params {
            tolerance_voxels: 0.01,
            resample: Resample::Never,
            cut: Cut::Refuse,
            other_frame: OtherFrame::Refuse,
            uneven: Uneven::Refuse,
        }
    }
}

/// How indices of one grid lead to another's.
#[derive(Clone, Debug, PartialEq)]
pub struct Placing {
    /// Index z, y, x on the image's grid of the mask's first voxel.
    start: [f64; 3],
    /// `steps[k]`: what one step along the mask's axis k adds to the image's index.
    steps: [[f64; 3]; 3],
    /// The same in whole voxels.
    exact: Option<([i64; 3], [[i64; 3]; 3])>,
    /// Largest distance of the mask's corners from the whole voxels, in voxels; infinite where axes do not match.
    pub off_voxels: f64,
}

impl Placing {
    pub fn new(image: &Geometry, mask: &Geometry) -> Placing {
        let back = columns(image).try_inverse().unwrap_or_else(Matrix3::identity);
        let index = |vector: Vector3<f64>| -> [f64; 3] { (back * vector).into() };
        let apart = Vector3::from_fn(|d, _| mask.origin_mm[d] - image.origin_mm[d]);
        let own = columns(mask);
        let start = index(apart);
        let mut steps: [[f64; 3]; 3] = std::array::from_fn(|k| index(own.column(k).into_owned()));
        // An axis of a single voxel has no step of its own: it takes what the others leave.
        let signs = |step: &[f64; 3]| step.map(|part| part.round().clamp(-2.0, 2.0) as i64);
        for k in (0..3).filter(|&k| mask.shape[k] == 1) {
            let taken = |j: usize| (0..3).any(|other| other != k && signs(&steps[other])[j] != 0);
            if let Some(free) = (0..3).find(|&j| !taken(j)) {
                steps[k] = std::array::from_fn(|j| if j == free { 1.0 } else { 0.0 });
            }
        }
        let whole = steps.map(|step| signs(&step));
        let is_axis = |step: &[i64; 3]| step.iter().map(|part| part.abs()).sum::<i64>() == 1;
        let covers = |j: usize| whole.iter().filter(|step| step[j] != 0).count() == 1;
        let is_lattice = whole.iter().all(is_axis) && (0..3).all(covers) && start.iter().all(|at| at.abs() < 1e9);
        let from = start.map(|at| at.round() as i64);
        let mut placing = Placing { start, steps, exact: None, off_voxels: f64::INFINITY };
        if is_lattice {
            placing.exact = Some((from, whole));
            placing.off_voxels = placing.corners_off(mask.shape);
        }
        placing
    }

    /// Whether a voxel has the same index on both grids.
    pub fn keeps_every_index(&self, image: [usize; 3], mask: [usize; 3]) -> bool {
        self.exact.is_some() && self.words(image, mask).is_empty()
    }

    fn corners_off(&self, shape: [usize; 3]) -> f64 {
        let Some((from, whole)) = &self.exact else { return f64::INFINITY };
        let corner = |corner: usize| {
            let index: [f64; 3] =
                std::array::from_fn(|k| if corner >> k & 1 == 1 { shape[k] as f64 - 1.0 } else { 0.0 });
            let off = |j: usize| {
                let along = |k: usize| index[k] * (self.steps[k][j] - whole[k][j] as f64);
                (self.start[j] - from[j] as f64 + (0..3).map(along).sum::<f64>()).abs()
            };
            (0..3).map(off).fold(0.0, f64::max)
        };
        (0..8).map(corner).fold(0.0, f64::max)
    }

    /// In words, how the mask's grid leads to the image's; empty where every voxel keeps its index.
    fn words(&self, image: [usize; 3], mask: [usize; 3]) -> String {
        let Some((from, whole)) = &self.exact else { return String::new() };
        let mut words = Vec::new();
        let names = ["slices", "rows", "columns"];
        if (0..3).any(|k| whole[k][k] == 0) {
            words.push("axes in another order".to_owned());
        }
        let flipped: Vec<&str> = (0..3).filter(|&k| whole[k].contains(&-1)).map(|k| names[k]).collect();
        if !flipped.is_empty() {
            words.push(format!("{} in reverse order", flipped.join(" and ")));
        }
        let low: [i64; 3] = std::array::from_fn(|j| {
            let end = |k: usize| whole[k][j] * (mask[k] as i64 - 1);
            from[j] + (0..3).map(end).filter(|&end| end < 0).sum::<i64>()
        });
        let size: [i64; 3] = std::array::from_fn(|j| (0..3).map(|k| whole[k][j].abs() * mask[k] as i64).sum::<i64>());
        if low != [0; 3] || (0..3).any(|j| size[j] != image[j] as i64) {
            let [(z, nz), (y, ny), (x, nx)] = [0, 1, 2].map(|j| (low[j], size[j]));
            words.push(format!("an extent of {nx} x {ny} x {nz} voxels that begins at voxel {x}, {y}, {z}"));
        }
        words.join(", ")
    }
}

/// Columns are the ways in mm of one step along z, y, x.
fn columns(geometry: &Geometry) -> Matrix3<f64> {
    Matrix3::from_fn(|d, k| geometry.axes[k][d] * geometry.spacing_mm[k])
}

/// Puts a mask on its image's grid; `reading` is what was found out so far.
pub fn place(mask: Mask, reading: Reading, image: &Geometry, params: &Params) -> Result<Region, ReadError> {
    let placing = Placing::new(image, mask.geometry());
    match &placing.exact {
        Some((from, whole)) if placing.off_voxels <= params.tolerance_voxels => {
            let moved = placing.words(image.shape, mask.geometry().shape);
            let reading = Reading { off_grid_voxels: placing.off_voxels, moved, ..reading };
            if reading.moved.is_empty() {
                let mask = Grid::new(image.clone(), mask.into_cells()).expect("no voxel changes its place");
                return Ok(Region { mask, reading });
            }
            exactly(&mask, reading, image, (*from, *whole), params)
        }
        _ if params.resample == Resample::Nearest => nearest(&mask, reading, image, params),
        // No tolerance and no resampling helps a region that lies elsewhere.
        _ => match mask.count() {
            drawn if drawn > 0 && outside(&mask, image) == drawn => Err(ReadError::Outside { drawn }),
            _ => Err(off_grid(image, mask.geometry(), placing.off_voxels)),
        },
    }
}

pub fn off_grid(image: &Geometry, mask: &Geometry, off_voxels: f64) -> ReadError {
    let apart = match off_voxels.is_finite() {
        true => format!("its corners lie up to {off_voxels:.3} voxels off the image's grid"),
        false => "its axes and voxel sizes are not the image's".to_owned(),
    };
    ReadError::Pair { apart, image: Box::new(image.clone()), mask: Box::new(mask.clone()) }
}

fn exactly(
    mask: &Mask,
    reading: Reading,
    image: &Geometry,
    (from, whole): ([i64; 3], [[i64; 3]; 3]),
    params: &Params,
) -> Result<Region, ReadError> {
    let mut cells = Array3::from_elem(image.shape, false);
    let (mut drawn, mut lost) = (0, 0);
    for ((z, y, x), _) in mask.cells().indexed_iter().filter(|(_, inside)| **inside) {
        let own = [z as i64, y as i64, x as i64];
        let at: [i64; 3] = std::array::from_fn(|j| from[j] + (0..3).map(|k| own[k] * whole[k][j]).sum::<i64>());
        drawn += 1;
        if (0..3).all(|j| at[j] >= 0 && at[j] < image.shape[j] as i64) {
            cells[at.map(|n| n as usize)] = true;
        } else {
            lost += 1;
        }
    }
    let mask = Grid::new(image.clone(), cells).expect("the cells have the image's shape");
    cut(mask, reading, (lost, drawn), params)
}

/// Refuses a region that the image cuts, unless that is accepted; `lost` of `drawn` voxels lie outside.
pub fn cut(mask: Mask, reading: Reading, (lost, drawn): (usize, usize), params: &Params) -> Result<Region, ReadError> {
    if drawn > 0 && lost == drawn {
        return Err(ReadError::Outside { drawn });
    }
    if lost > 0 && params.cut == Cut::Refuse {
        return Err(ReadError::CutOff { lost, drawn });
    }
    let cut_share = if lost == 0 { reading.cut_share } else { lost as f64 / drawn as f64 };
    Ok(Region { mask, reading: Reading { cut_share, ..reading } })
}

/// ITK's nearest neighbour: a point belongs to the voxel within half a step, and halves round up.
pub fn nearest(mask: &Mask, reading: Reading, image: &Geometry, params: &Params) -> Result<Region, ReadError> {
    let back = Placing::new(mask.geometry(), image);
    let shape = mask.geometry().shape;
    let own = |index: [usize; 3]| -> Option<[usize; 3]> {
        let mut at = [0; 3];
        for j in 0..3 {
            let place = back.start[j] + (0..3).map(|k| index[k] as f64 * back.steps[k][j]).sum::<f64>();
            let whole = (place + 0.5).floor();
            if !(whole >= 0.0 && whole < shape[j] as f64) {
                return None;
            }
            at[j] = whole as usize;
        }
        Some(at)
    };
    let inside = |(z, y, x): (usize, usize, usize)| own([z, y, x]).is_some_and(|at| mask.cells()[at]);
    let cells = Array3::from_shape_fn(image.shape, inside);
    let drawn = mask.count();
    let lost = outside(mask, image);
    let found = Grid::new(image.clone(), cells).expect("the cells have the image's shape");
    if found.count() == 0 {
        return Err(ReadError::Outside { drawn });
    }
    let before = drawn as f64 * mask.geometry().voxel_mm3();
    let after = found.count() as f64 * image.voxel_mm3();
    let reading = Reading { resampled: Some(after / before - 1.0), ..reading };
    cut(found, reading, (lost, drawn), params)
}

/// Voxels of a mask whose centres lie beyond the image's outermost voxels.
fn outside(mask: &Mask, image: &Geometry) -> usize {
    let placing = Placing::new(image, mask.geometry());
    let is_outside = |index: [usize; 3]| {
        (0..3).any(|j| {
            let place = placing.start[j] + (0..3).map(|k| index[k] as f64 * placing.steps[k][j]).sum::<f64>();
            !(place >= -0.5 && place < image.shape[j] as f64 - 0.5)
        })
    };
    let inside = mask.cells().indexed_iter().filter(|(_, inside)| **inside);
    inside.filter(|((z, y, x), _)| is_outside([*z, *y, *x])).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Geometry {
        Geometry { origin_mm: [-20.5, 13.25, -40.0], ..Geometry::upright([5, 4, 3], [2.5, 0.9, 1.2]) }
    }

    fn drawn(geometry: &Geometry, inside: &[[usize; 3]]) -> Mask {
        let cells = Array3::from_shape_fn(geometry.shape, |(z, y, x)| inside.contains(&[z, y, x]));
        Grid::new(geometry.clone(), cells).unwrap()
    }

    fn placed(mask: Mask, params: &Params) -> Result<(Vec<[usize; 3]>, Reading), String> {
        let found = place(mask, Reading::default(), &image(), params).map_err(|error| error.to_string())?;
        let inside = found.mask.cells().indexed_iter().filter(|(_, inside)| **inside);
        Ok((inside.map(|((z, y, x), _)| [z, y, x]).collect(), found.reading))
    }

    #[test]
    fn flipped_permuted_and_cropped_grids_are_mapped_voxel_by_voxel() {
        let image = image();
        // Rows from the last to the first.
        let [z, y, x] = image.axes;
        let flipped =
            Geometry { origin_mm: image.point_mm([0.0, 3.0, 0.0]), axes: [z, y.map(|part| -part), x], ..image.clone() };
        let (at, reading) = placed(drawn(&flipped, &[[1, 0, 2], [4, 3, 0]]), &Params::default()).unwrap();
        assert_eq!((at, reading.moved.as_str()), (vec![[1, 3, 2], [4, 0, 0]], "rows in reverse order"));
        // Slices and columns change places.
        let turned = Geometry { shape: [3, 4, 5], spacing_mm: [1.2, 0.9, 2.5], axes: [x, y, z], ..image.clone() };
        let (at, reading) = placed(drawn(&turned, &[[2, 1, 4]]), &Params::default()).unwrap();
        assert_eq!((at, reading.moved.as_str()), (vec![[4, 1, 2]], "axes in another order"));
        let cropped = Geometry { shape: [2, 2, 1], origin_mm: image.point_mm([3.0, 1.0, 2.0]), ..image.clone() };
        let (at, reading) = placed(drawn(&cropped, &[[1, 1, 0]]), &Params::default()).unwrap();
        assert_eq!(at, [[4, 2, 2]]);
        assert_eq!(reading.moved, "an extent of 1 x 2 x 2 voxels that begins at voxel 2, 1, 3");
    }

    #[test]
    fn a_part_outside_the_image_is_refused_with_its_count_or_accepted() {
        let image = image();
        let moved = Geometry { origin_mm: image.point_mm([2.0, 0.0, 0.0]), ..image };
        let mask = drawn(&moved, &[[0, 0, 0], [2, 0, 0], [3, 0, 0], [4, 1, 1]]);
        let told = placed(mask.clone(), &Params::default()).unwrap_err();
        assert!(told.contains("2 of 4 voxels of the region lie outside the image"), "{told}");
        let (at, reading) = placed(mask, &Params { cut: Cut::Accept, ..Params::default() }).unwrap();
        assert_eq!((at.len(), reading.cut_share), (2, 0.5));
        assert!(placed(drawn(&moved, &[[4, 1, 1]]), &Params { cut: Cut::Accept, ..Params::default() }).is_err());
    }

    #[test]
    fn a_hundredth_of_a_voxel_is_rounding_and_more_is_another_grid() {
        let image = image();
        let moved = |voxels: f64| Geometry { origin_mm: image.point_mm([0.0, voxels, 0.0]), ..image.clone() };
        let (at, reading) = placed(drawn(&moved(0.008), &[[1, 1, 1]]), &Params::default()).unwrap();
        assert_eq!(at, [[1, 1, 1]]);
        assert!((reading.off_grid_voxels - 0.008).abs() < 1e-9);
        let told = placed(drawn(&moved(0.3), &[[1, 1, 1]]), &Params::default()).unwrap_err();
        assert!(told.contains("0.300 voxels off"), "{told}");
        let nearest = Params { resample: Resample::Nearest, ..Params::default() };
        let (at, reading) = placed(drawn(&moved(0.3), &[[1, 1, 1]]), &nearest).unwrap();
        assert_eq!((at, reading.resampled), (vec![[1, 1, 1]], Some(0.0)));
        // Off the lattice, and 450 mm away: that it lies elsewhere is what matters.
        let told = placed(drawn(&moved(500.3), &[[1, 1, 1]]), &Params::default()).unwrap_err();
        assert!(told.contains("the whole region of 1 voxel lies outside the image"), "{told}");
        let coarse = Geometry { shape: [5, 2, 3], spacing_mm: [2.5, 1.8, 1.2], ..image.clone() };
        assert!(placed(drawn(&coarse, &[[0, 0, 0]]), &Params::default()).is_err());
    }
}
