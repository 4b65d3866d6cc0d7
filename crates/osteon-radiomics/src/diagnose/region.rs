//! What a region is: size, slices, pieces, holes, what the image cuts off, what lies in air.

use serde::{Deserialize, Serialize};

use crate::diagnose::air::air;
use crate::diagnose::components;
use crate::grid::{Bounds, Geometry, Grid, Image, Mask};
use crate::read::Reading;
use crate::roi::{Roi, Shells};
use osteon_base::text::counted;

/// One region on its image's own grid, before any resampling.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegionCheck {
    pub roi: String,
    pub voxels: usize,
    pub volume_mm3: f64,
    /// Slices (planes of the slowest axis) with a voxel of the region.
    pub slices: usize,
    /// Slices without a voxel between the first and the last: contours on every second slice leave them.
    pub empty_slices: usize,
    /// Parts that touch by face, edge or corner.
    pub pieces: usize,
    /// Cavities and parts of the outside that the region encloses: background, joined by faces, that nothing leads to.
    pub holes: usize,
    /// Share of the region outside the image, from 0 to 1; `None` where a margin spans more voxels than can be counted.
    pub cut_share: Option<f64>,
    /// Share of the region in air, from 0 to 1; `None` for a flat image.
    pub air_share: Option<f64>,
    /// How the tumour's mask was read.
    pub reading: Reading,
}

impl std::fmt::Display for RegionCheck {
    /// Size, slices, pieces, holes, what the image cuts off and what lies in air; not how the mask was read.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [voxels, slices] = [(self.voxels, "voxel"), (self.slices, "slice")].map(|(n, one)| counted(n, one));
        write!(f, "{voxels}, {:.1} mm³, {slices}", self.volume_mm3)?;
        if self.empty_slices > 0 {
            write!(f, " and {} without the region between them", self.empty_slices)?;
        }
        write!(f, ", {}, {}", counted(self.pieces, "piece"), counted(self.holes, "hole"))?;
        let shares = [(self.cut_share, "cut off by the image"), (self.air_share, "in air")];
        for (share, what) in shares.into_iter().filter_map(|(share, what)| Some((share?, what))) {
            write!(f, ", {:.1}% {what}", 100.0 * share)?;
        }
        Ok(())
    }
}

/// A box of more voxels is not looked at for what the image cuts off.
const MOST_VOXELS: usize = 1 << 27;

/// Checks every region of a tumour that lies on its image's grid.
pub fn regions(image: &Image, mask: &Mask, rois: &[Roi], reading: &Reading) -> Vec<RegionCheck> {
    let Some(bounds) = mask.bounds() else {
        return rois.iter().map(|roi| RegionCheck { roi: roi.to_string(), ..RegionCheck::default() }).collect();
    };
    let margins: Vec<f64> = rois.iter().filter_map(|roi| roi.margin_mm()).collect();
    let wide = Wide::around(mask, bounds, margins.iter().copied().fold(0.0, f64::max));
    let shells = Shells::around(&wide.mask, &margins);
    let air = air(&image.volume);
    let check = |&roi: &Roi| {
        let all = shells.region(roi).expect("the shells were made for this region");
        let found = wide.in_image(&all);
        let own_cut = if reading.cut_share > 0.0 && roi.margin_mm().is_none() { Some(reading.cut_share) } else { None };
        let drawn = all.count();
        let lost = wide.is_whole.then(|| if drawn == 0 { 0.0 } else { 1.0 - found.len() as f64 / drawn as f64 });
        let inside = wide.kept(&all);
        let slices = slices(&inside);
        let voxels = found.len();
        let in_air = |air: &Grid<bool>| found.iter().filter(|&&at| air.as_slice()[at]).count() as f64;
        RegionCheck {
            roi: roi.to_string(),
            voxels,
            volume_mm3: voxels as f64 * mask.geometry().voxel_mm3(),
            slices: slices.0,
            empty_slices: slices.1,
            pieces: components(&inside),
            holes: holes(&inside),
            cut_share: own_cut.or(lost),
            air_share: air.as_ref().filter(|_| voxels > 0).map(|air| in_air(air) / voxels as f64),
            reading: reading.clone(),
        }
    };
    rois.iter().map(check).collect()
}

/// The tumour in a box that reaches as far as the widest margin, beyond the image too.
struct Wide {
    mask: Mask,
    /// Where the box begins in the image, z, y, x.
    at: [i64; 3],
    image: Geometry,
    /// Whether the box holds every voxel that a margin can reach.
    is_whole: bool,
}

impl Wide {
    fn around(mask: &Mask, bounds: Bounds, reach_mm: f64) -> Wide {
        let image = mask.geometry().clone();
        let reach = image.spacing_mm.map(|mm| (reach_mm / mm * (1.0 + 1e-9)).floor().min(1e6) as usize);
        let shape: [usize; 3] = std::array::from_fn(|k| bounds.shape[k] + 2 * reach[k]);
        let is_whole = shape.iter().try_fold(1usize, |n, &size| n.checked_mul(size)).is_some_and(|n| n <= MOST_VOXELS);
        let (at, shape) = if is_whole {
            (std::array::from_fn(|k| bounds.low[k] as i64 - reach[k] as i64), shape)
        } else {
            let grown = bounds.grown(reach, image.shape);
            (grown.low.map(|low| low as i64), grown.shape)
        };
        let geometry = Geometry { shape, origin_mm: image.point_mm(at.map(|n| n as f64)), ..image.clone() };
        let mut cells = ndarray::Array3::from_elem(shape, false);
        let from: [usize; 3] = std::array::from_fn(|k| (bounds.low[k] as i64 - at[k]) as usize);
        let own = mask.cut(bounds);
        for ((z, y, x), &inside) in own.cells().indexed_iter() {
            cells[[z + from[0], y + from[1], x + from[2]]] = inside;
        }
        let mask = Grid::new(geometry, cells).expect("the cells were made for this shape");
        Wide { mask, at, image, is_whole }
    }

    /// Place in the image of a voxel of the box; `None` outside.
    fn place(&self, index: [usize; 3]) -> Option<[usize; 3]> {
        let at: [i64; 3] = std::array::from_fn(|k| index[k] as i64 + self.at[k]);
        (0..3).all(|k| at[k] >= 0 && at[k] < self.image.shape[k] as i64).then(|| at.map(|n| n as usize))
    }

    /// Positions in the image's list of voxels of what the image keeps of a region.
    fn in_image(&self, region: &Mask) -> Vec<usize> {
        let [_, ny, nx] = self.image.shape;
        let inside = region.cells().indexed_iter().filter(|(_, inside)| **inside);
        inside.filter_map(|((z, y, x), _)| self.place([z, y, x]).map(|[z, y, x]| (z * ny + y) * nx + x)).collect()
    }

    /// The region without what lies outside the image.
    fn kept(&self, region: &Mask) -> Mask {
        let mut cells = region.cells().clone();
        for ((z, y, x), inside) in cells.indexed_iter_mut() {
            *inside &= self.place([z, y, x]).is_some();
        }
        Grid::new(region.geometry().clone(), cells).expect("the cells have the region's shape")
    }
}

/// Slices with a voxel, and slices without between them.
fn slices(mask: &Mask) -> (usize, usize) {
    let filled: Vec<bool> = mask.cells().outer_iter().map(|slice| slice.iter().any(|&inside| inside)).collect();
    let n = filled.iter().filter(|&&filled| filled).count();
    let first = filled.iter().position(|&filled| filled);
    let last = filled.iter().rposition(|&filled| filled);
    (n, first.zip(last).map_or(0, |(first, last)| last + 1 - first - n))
}

/// Parts of the background, joined by faces, that do not reach the outside.
fn holes(mask: &Mask) -> usize {
    let Some(bounds) = mask.bounds() else { return 0 };
    let own = mask.cut(bounds);
    let shape = bounds.shape;
    let mut open = own.cells().mapv(|inside| !inside);
    let mut count = 0;
    let mut stack = Vec::new();
    for z in 0..shape[0] {
        for y in 0..shape[1] {
            for x in 0..shape[2] {
                if !std::mem::take(&mut open[[z, y, x]]) {
                    continue;
                }
                let mut reaches_outside = false;
                stack.push([z, y, x]);
                while let Some(at) = stack.pop() {
                    reaches_outside |= (0..3).any(|k| at[k] == 0 || at[k] + 1 == shape[k]);
                    for next in neighbours(at, shape) {
                        if std::mem::take(&mut open[next]) {
                            stack.push(next);
                        }
                    }
                }
                count += usize::from(!reaches_outside);
            }
        }
    }
    count
}

/// The up to six voxels that share a face.
fn neighbours(at: [usize; 3], shape: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..3).flat_map(move |k| {
        let below = at[k].checked_sub(1).map(|n| (k, n));
        let above = Some((k, at[k] + 1)).filter(|&(k, n)| n < shape[k]);
        [below, above].into_iter().flatten().map(move |(k, n)| {
            let mut next = at;
            next[k] = n;
            next
        })
    })
}

#[cfg(test)]
mod tests {
    use ndarray::Array3;

    use super::*;
    use crate::grid::Element;

    fn mask(inside: impl Fn([usize; 3]) -> bool) -> Mask {
        let cells = Array3::from_shape_fn((6, 8, 8), |(z, y, x)| inside([z, y, x]));
        Grid::new(Geometry::upright([6, 8, 8], [2.0, 1.0, 1.0]), cells).unwrap()
    }

    fn check(mask: &Mask, rois: &[Roi]) -> Vec<RegionCheck> {
        let image = Image { volume: mask.map(|&inside| if inside { 100.0 } else { 90.0 }), element: Element::I16 };
        regions(&image, mask, rois, &Reading::default())
    }

    #[test]
    fn pieces_holes_and_empty_slices_are_counted() {
        let block = mask(|at| at.iter().all(|&n| (1..6).contains(&n)) && at != [3, 3, 3]);
        let found = &check(&block, &[Roi::Intra])[0];
        assert_eq!((found.voxels, found.volume_mm3, found.slices), (124, 248.0, 5));
        assert_eq!((found.pieces, found.holes, found.empty_slices), (1, 1, 0));
        let stripes = mask(|at| at[0] % 2 == 0 && at[1] == 4);
        let found = &check(&stripes, &[Roi::Intra])[0];
        assert_eq!((found.pieces, found.holes, found.slices, found.empty_slices), (3, 0, 3, 2));
        let told = "24 voxels, 48.0 mm³, 3 slices and 2 without the region between them, 3 pieces, 0 holes, \
                    0.0% cut off by the image, 0.0% in air";
        assert_eq!(found.to_string(), told);
    }

    #[test]
    fn a_ring_that_leaves_the_image_says_how_much_of_it_is_lost() {
        let corner = mask(|at| at == [0, 0, 0] || at == [0, 0, 1]);
        let found = check(&corner, &[Roi::Intra, Roi::Peri(1.0), Roi::IntraPeri(2.0)]);
        assert_eq!(found[0].cut_share, Some(0.0));
        // Around two voxels in a row lie six in the plane; one is left of the image, two are above.
        assert_eq!((found[1].voxels, found[1].cut_share), (3, Some(0.5)));
        // 22 voxels within 2 mm, 11 of them in the image.
        assert_eq!((found[2].voxels, found[2].cut_share), (11, Some(0.5)));
    }
}
