//! Texture under rules that the usual layouts do not know: other distances, planes instead of volumes, weighted or
//! asymmetrical matrices, dependence within so many levels. Definitions and order are pyradiomics' 3.0.1.

mod cooccurrence;
mod offsets;
mod sizes;
mod tones;

use crate::feature::layout::Layout;
use crate::feature::levels::Levels;
use crate::feature::{Feature, Wanted, glcm};

/// How texture matrices are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Chebyshev distances of neighbours in voxels, each once (co-occurrence, dependence, tone difference).
    pub distances: Vec<usize>,
    /// The axis (0 z, 1 y, 2 x) along which no neighbour lies; `None` for three dimensions.
    pub across: Option<usize>,
    /// One matrix, its directions weighted by their length; `None` averages features over directions.
    pub weighting: Option<Norm>,
    /// Whether a pair is counted in both orders.
    pub symmetric: bool,
    /// Largest difference of levels at which a neighbour is dependent.
    pub alpha: u32,
}

/// How long a direction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    Manhattan,
    Euclidean,
    Infinity,
    /// Every direction counts as much.
    Equal,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { distances: vec![1], across: None, weighting: None, symmetric: true, alpha: 0 }
    }
}

impl Norm {
    /// Length (mm) of a direction z, y, x.
    fn length_mm(self, offset: [isize; 3], spacing_mm: [f64; 3]) -> f64 {
        let parts: [f64; 3] = std::array::from_fn(|k| offset[k].unsigned_abs() as f64 * spacing_mm[k]);
        match self {
            Norm::Manhattan => parts.iter().sum(),
            Norm::Euclidean => parts.iter().map(|part| part * part).sum::<f64>().sqrt(),
            Norm::Infinity => parts.iter().copied().fold(0.0, f64::max),
            Norm::Equal => 1.0,
        }
    }
}

/// The levels of one region, or of a kernel in it, in the box around it.
pub struct Cells {
    pub shape: [usize; 3],
    /// From 1 on; 0 outside the region.
    pub levels: Vec<u32>,
    /// Highest level of the region.
    pub highest: usize,
    /// Whether the region has one level only.
    pub is_flat: bool,
}

impl Cells {
    fn new(layout: &Layout, levels: &Levels) -> Cells {
        let [dz, dy, _] = layout.strides;
        let shape = [layout.n_cells / dz - 2, dz / dy - 2, dy - 2];
        let below = levels.lowest[0] as u32 - 1;
        let mut cells = vec![0; shape.iter().product()];
        for (&cell, &level) in layout.cells.iter().zip(&levels.of_voxel) {
            let [z, y, x] = layout.place(cell);
            cells[((z - 1) * shape[1] + y - 1) * shape[2] + x - 1] = u32::from(level) - below;
        }
        let is_flat = levels.of_voxel.iter().all(|level| *level == levels.of_voxel[0]);
        Cells { shape, levels: cells, highest: levels.highest[0] + 1 - levels.lowest[0], is_flat }
    }

    /// Position and place z, y, x of every voxel of the region.
    fn voxels(&self) -> impl Iterator<Item = (usize, [usize; 3])> + '_ {
        let [_, ny, nx] = self.shape;
        let inside = (0..self.levels.len()).filter(|&at| self.levels[at] > 0);
        inside.map(move |at| (at, [at / (ny * nx), at / nx % ny, at % nx]))
    }

    /// Position of the cell at an offset, where the box has one.
    fn at(&self, [z, y, x]: [usize; 3], [dz, dy, dx]: [isize; 3]) -> Option<usize> {
        let [nz, ny, nx] = self.shape;
        let along = |at: usize, by: isize, n: usize| at.checked_add_signed(by).filter(|at| *at < n);
        Some((along(z, dz, nz)? * ny + along(y, dy, ny)?) * nx + along(x, dx, nx)?)
    }

    /// Level of the voxel at an offset; `None` outside the region.
    fn level_at(&self, place: [usize; 3], offset: [isize; 3]) -> Option<u32> {
        self.at(place, offset).map(|at| self.levels[at]).filter(|level| *level > 0)
    }
}

/// The wanted co-occurrence, run, zone, dependence and tone difference features of a layout's only region, in this
/// order.
///
/// # Panics
/// When the layout has several regions.
pub fn describe(
    wanted: &Wanted,
    layout: &Layout,
    levels: &Levels,
    rules: &Rules,
    spacing_mm: [f64; 3],
) -> [Vec<Option<f64>>; 5] {
    assert_eq!(layout.regions.len(), 1, "one region at a time");
    of_cells(wanted, &Cells::new(layout, levels), rules, spacing_mm)
}

/// The same of levels in a box.
pub fn of_cells(wanted: &Wanted, cells: &Cells, rules: &Rules, spacing_mm: [f64; 3]) -> [Vec<Option<f64>>; 5] {
    let either = |is_wanted: bool, make: &dyn Fn() -> Vec<Option<f64>>| if is_wanted { make() } else { Vec::new() };
    [
        either(!wanted.glcm.is_empty(), &|| {
            let has_mcc = wanted.glcm.iter().any(|feature| feature.name == "MCC");
            let all = cooccurrence::describe(cells, rules, spacing_mm, has_mcc);
            let at = |feature: &&'static Feature<glcm::Glcm>| {
                glcm::FEATURES.iter().position(|own| own.name == feature.name).expect("a feature is listed")
            };
            wanted.glcm.iter().map(|feature| all[at(feature)]).collect()
        }),
        either(!wanted.glrlm.is_empty(), &|| sizes::runs(&wanted.glrlm, cells, rules, spacing_mm)),
        either(!wanted.glszm.is_empty(), &|| sizes::zones(&wanted.glszm, cells, rules)),
        either(!wanted.gldm.is_empty(), &|| sizes::dependences(&wanted.gldm, cells, rules)),
        either(!wanted.ngtdm.is_empty(), &|| tones::describe(&wanted.ngtdm, cells, rules)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::levels::{Bins, Edges};
    use crate::feature::links::Links;
    use crate::feature::{self, glrlm, glszm, ngtdm};
    use crate::grid::{Bounds, Geometry, Grid};

    #[test]
    fn under_the_usual_rules_texture_is_that_of_the_usual_layouts() {
        let shape = [4, 6, 7];
        let value = |(z, y, x): (usize, usize, usize)| ((z * 31 + y * 17 + x * 7 + z * y * x) % 11) as f64;
        let inside = |(z, y, x): (usize, usize, usize)| if (z + 2 * y + x) % 5 == 0 { 255u8 } else { 0 };
        let geometry = Geometry::upright(shape, [3.0, 1.0, 1.0]);
        let shells = Grid::new(geometry, ndarray::Array3::from_shape_fn(shape, inside)).unwrap();
        let layout = Layout::new(&shells, &[(0, 0)]);
        let image = ndarray::Array3::from_shape_fn(shape, value);
        let values = layout.gather(image.as_slice().unwrap(), Bounds { low: [0; 3], shape });
        let bins = Bins { width: 2.0, edges: Edges::Multiples };
        let levels = Levels::new(&layout, &values, bins).unwrap();
        let families = ["glcm", "glrlm", "glszm", "gldm", "ngtdm"].map(str::to_owned).to_vec();
        let params = feature::Params { families, exclude: Vec::new(), ibsi: Default::default() };
        let wanted = params.wanted();
        let links = Links::new(&layout, &levels);
        let usual = [
            glcm::describe(&wanted, &layout, &levels),
            glrlm::describe(&wanted, &layout, &levels),
            glszm::describe(&wanted, &layout, &levels, &links),
            feature::gldm::describe(&wanted, &layout, &levels, &links),
            ngtdm::describe(&wanted, &layout, &levels),
        ];
        let general = describe(&wanted, &layout, &levels, &Rules::default(), [3.0, 1.0, 1.0]);
        for (usual, general) in usual.iter().zip(&general) {
            for (a, b) in usual[0].iter().zip(general) {
                let (a, b) = (a.unwrap(), b.unwrap());
                assert!((a - b).abs() <= 1e-12 * a.abs().max(1e-3), "{a} {b}");
            }
        }
    }
}
