//! Morphology: what the outline measures, and how intensities lie in it.

use nalgebra::{Matrix3, SymmetricEigen};

use crate::feature::ibsi::hull::{Hull, hull};
use crate::feature::ibsi::region::Region;
use crate::feature::ibsi::spatial;
use crate::feature::layout::{Layout, OUTSIDE};
use crate::feature::mesh::{Mesh, mesh};
use crate::grid::Mask;

/// Features that need the outline only, in the order of `outline`.
pub const OUTLINE: [(&str, &str); 21] = [
    ("morph_volume", "RNU0"),
    ("morph_vol_approx", "YEKZ"),
    ("morph_area_mesh", "C0JK"),
    ("morph_av", "2PR5"),
    ("morph_comp_1", "SKGS"),
    ("morph_comp_2", "BQWJ"),
    ("morph_sph_dispr", "KRCK"),
    ("morph_sphericity", "QCFX"),
    ("morph_asphericity", "25C7"),
    ("morph_diam", "L0JK"),
    ("morph_pca_maj_axis", "TDIC"),
    ("morph_pca_min_axis", "P9VJ"),
    ("morph_pca_least_axis", "7J51"),
    ("morph_pca_elongation", "Q3CK"),
    ("morph_pca_flatness", "N17B"),
    ("morph_vol_dens_aabb", "PBX1"),
    ("morph_area_dens_aabb", "R59B"),
    ("morph_vol_dens_aee", "6BDE"),
    ("morph_area_dens_aee", "RDD2"),
    ("morph_vol_dens_conv_hull", "R3ER"),
    ("morph_area_dens_conv_hull", "7T7F"),
];

/// Features of the outline and the intensities in it, in the order of `inhomogeneity`.
pub const INHOMOGENEITY: [(&str, &str); 4] =
    [("morph_com", "KLMA"), ("morph_integ_int", "99N0"), ("morph_moran_i", "N365"), ("morph_geary_c", "NPT7")];

/// Area and volume of the outline's surface.
fn surface(outline: &Mask) -> Mesh {
    let shells = outline.map(|&inside| if inside { 0 } else { OUTSIDE });
    mesh(&Layout::new(&shells, &[(0, 0)]), 0, outline.geometry().spacing_mm)
}

/// The features of a region's outline; none of an empty one.
pub fn outline(mask: &Mask) -> [Option<f64>; 21] {
    let Some(bounds) = mask.bounds() else { return [None; 21] };
    let spacing_mm = mask.geometry().spacing_mm;
    let Mesh { area_mm2: area, volume_mm3: volume } = surface(mask);
    let half_mm = spacing_mm.map(|mm| mm / 2.0);
    let hull = hull(vertices(mask), half_mm).expect("a voxel's six faces do not lie in one plane");
    let box_mm: [f64; 3] = std::array::from_fn(|k| bounds.shape[k] as f64 * spacing_mm[k]);
    let box_volume: f64 = box_mm.iter().product();
    let box_area = 2.0 * (box_mm[0] * box_mm[1] + box_mm[1] * box_mm[2] + box_mm[0] * box_mm[2]);
    // Least, minor and major; a flat region has a least axis of 0.
    let axes_mm = spread(mask).map(|square| 4.0 * square.sqrt());
    let [least, minor, major] = axes_mm;
    let pi = std::f64::consts::PI;
    let sphericity = (36.0 * pi * volume * volume).cbrt() / area;
    let ellipsoid_volume = pi / 6.0 * least * minor * major;
    [
        volume,
        mask.count() as f64 * mask.geometry().voxel_mm3(),
        area,
        area / volume,
        volume / (pi.sqrt() * area.powf(1.5)),
        36.0 * pi * volume * volume / area.powi(3),
        1.0 / sphericity,
        sphericity,
        1.0 / sphericity - 1.0,
        diameter(&hull, half_mm),
        major,
        minor,
        least,
        minor / major,
        least / major,
        volume / box_volume,
        area / box_area,
        volume / ellipsoid_volume,
        area / ellipsoid_area(axes_mm),
        volume / hull.volume_mm3,
        area / hull.area_mm2,
    ]
    .map(Some)
}

/// The features of a region's outline and intensities.
pub fn inhomogeneity(region: &Region, volume_mm3: Option<f64>) -> [Option<f64>; 4] {
    let n = region.values.len() as f64;
    let mean = region.values.iter().sum::<f64>() / n;
    let place = |cell: usize, k: usize| region.place(cell)[k] as f64 * region.spacing_mm[k];
    let weighted = |k: usize| {
        let moment: f64 = region.cells.iter().zip(&region.values).map(|(&cell, value)| value * place(cell, k)).sum();
        moment / region.values.iter().sum::<f64>()
    };
    let centre =
        |k: usize| region.outline.iter().map(|&cell| place(cell, k)).sum::<f64>() / region.outline.len() as f64;
    let shift = (0..3).map(|k| (weighted(k) - centre(k)).powi(2)).sum::<f64>().sqrt();
    let [moran, geary] = spatial::describe(region);
    [Some(shift), volume_mm3.map(|volume| volume * mean), moran, geary]
}

/// Vertices of the surface, in half voxels: half way between a voxel and its neighbour outside the region.
fn vertices(mask: &Mask) -> Vec<[i64; 3]> {
    let inside = |at: [i64; 3]| {
        let place = at.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        mask.cells().get(place).is_some_and(|&inside| inside)
    };
    let mut vertices = Vec::new();
    for ((z, y, x), _) in mask.cells().indexed_iter().filter(|(_, inside)| **inside) {
        let at = [z, y, x].map(|n| n as i64);
        for k in 0..3 {
            for side in [-1, 1] {
                let mut next = at;
                next[k] += side;
                if !inside(next) {
                    vertices.push(std::array::from_fn(|d| at[d] + next[d]));
                }
            }
        }
    }
    vertices
}

/// Largest distance between two corners of the hull: no two points of the surface are farther apart.
fn diameter(hull: &Hull, half_mm: [f64; 3]) -> f64 {
    let square = |a: &[i64; 3], b: &[i64; 3]| (0..3).map(|k| ((a[k] - b[k]) as f64 * half_mm[k]).powi(2)).sum::<f64>();
    let farthest = |(at, a): (usize, &[i64; 3])| hull.corners[at..].iter().map(|b| square(a, b)).fold(0.0, f64::max);
    hull.corners.iter().enumerate().map(farthest).fold(0.0, f64::max).sqrt()
}

/// Eigenvalues of the covariance (n - 1) of the voxels' centres, ascending.
fn spread(mask: &Mask) -> [f64; 3] {
    let spacing_mm = mask.geometry().spacing_mm;
    let places: Vec<[f64; 3]> = mask
        .cells()
        .indexed_iter()
        .filter(|(_, inside)| **inside)
        .map(|((z, y, x), _)| [z as f64 * spacing_mm[0], y as f64 * spacing_mm[1], x as f64 * spacing_mm[2]])
        .collect();
    let n = places.len() as f64;
    let mean: [f64; 3] = std::array::from_fn(|k| places.iter().map(|place| place[k]).sum::<f64>() / n);
    let covariance = Matrix3::from_fn(|a, b| {
        places.iter().map(|place| (place[a] - mean[a]) * (place[b] - mean[b])).sum::<f64>() / (n - 1.0)
    });
    let mut values: Vec<f64> = SymmetricEigen::new(covariance).eigenvalues.iter().map(|value| value.max(0.0)).collect();
    values.sort_by(f64::total_cmp);
    [values[0], values[1], values[2]]
}

/// Surface of an ellipsoid of these axes (least, minor, major) by the IBSI's series, with 20 Legendre polynomials.
fn ellipsoid_area([least, minor, major]: [f64; 3]) -> f64 {
    let [a, b, c] = [major, minor, least].map(|axis| axis / 2.0);
    let alpha = (1.0 - (b / a).powi(2)).max(0.0).sqrt();
    let beta = (1.0 - (c / a).powi(2)).max(0.0).sqrt();
    // The argument is 1 or more; where alpha or beta is 0 only the first term of the series stays.
    let product = alpha * beta;
    let argument = if product > 0.0 { (alpha * alpha + beta * beta) / (2.0 * product) } else { 1.0 };
    let (mut before, mut legendre) = (0.0, 1.0);
    let (mut sum, mut power) = (0.0, 1.0);
    for n in 0..=20 {
        let order = f64::from(n);
        sum += power / (1.0 - 4.0 * order * order) * legendre;
        power *= product;
        let next = ((2.0 * order + 1.0) * argument * legendre - order * before) / (order + 1.0);
        (before, legendre) = (legendre, next);
    }
    4.0 * std::f64::consts::PI * a * b * sum
}
