//! Shape of a region: volume, surface, axes and diameters (14 features).

use nalgebra::Matrix3;

use crate::feature::layout::Layout;
use crate::feature::mesh::mesh;
use crate::feature::{Feature, Wanted, read};

/// What the shape features are read from.
pub struct Shape {
    mesh_mm3: f64,
    area_mm2: f64,
    voxels_mm3: f64,
    /// Eigenvalues of the covariance of the voxels' centres (mm2), divided by n, ascending.
    spread_mm2: [f64; 3],
    /// Largest distance between two vertices of the surface.
    diameter_mm: f64,
    /// The same among vertices of equal z, y, x.
    planar_mm: [f64; 3],
}

/// pyradiomics' shape features. Axis lengths divide by n where the IBSI divides by n - 1.
pub const FEATURES: &[Feature<Shape>] = &[
    Feature { name: "Elongation", ibsi: Some("Q3CK"), of: |s| root(s.spread_mm2[1] / s.spread_mm2[2]) },
    Feature { name: "Flatness", ibsi: Some("N17B"), of: |s| root(s.spread_mm2[0] / s.spread_mm2[2]) },
    Feature { name: "LeastAxisLength", ibsi: Some("7J51"), of: |s| root(16.0 * s.spread_mm2[0]) },
    Feature { name: "MajorAxisLength", ibsi: Some("TDIC"), of: |s| root(16.0 * s.spread_mm2[2]) },
    Feature { name: "Maximum2DDiameterColumn", ibsi: None, of: |s| Some(s.planar_mm[1]) },
    Feature { name: "Maximum2DDiameterRow", ibsi: None, of: |s| Some(s.planar_mm[2]) },
    Feature { name: "Maximum2DDiameterSlice", ibsi: None, of: |s| Some(s.planar_mm[0]) },
    Feature { name: "Maximum3DDiameter", ibsi: Some("L0JK"), of: |s| Some(s.diameter_mm) },
    Feature { name: "MeshVolume", ibsi: Some("RNU0"), of: |s| Some(s.mesh_mm3) },
    Feature { name: "MinorAxisLength", ibsi: Some("P9VJ"), of: |s| root(16.0 * s.spread_mm2[1]) },
    Feature { name: "Sphericity", ibsi: Some("QCFX"), of: sphericity },
    Feature { name: "SurfaceArea", ibsi: Some("C0JK"), of: |s| Some(s.area_mm2) },
    Feature { name: "SurfaceVolumeRatio", ibsi: Some("2PR5"), of: |s| Some(s.area_mm2 / s.mesh_mm3) },
    Feature { name: "VoxelVolume", ibsi: Some("YEKZ"), of: |s| Some(s.voxels_mm3) },
];

/// The wanted features of one region.
pub fn describe(wanted: &Wanted, layout: &Layout, region: usize, spacing_mm: [f64; 3]) -> Vec<Option<f64>> {
    if wanted.shape.is_empty() {
        return Vec::new();
    }
    read(&wanted.shape, &Shape::of(layout, region, spacing_mm))
}

impl Shape {
    pub fn of(layout: &Layout, region: usize, spacing_mm: [f64; 3]) -> Shape {
        let mesh = mesh(layout, region, spacing_mm);
        let voxel_mm3: f64 = spacing_mm.iter().product();
        let vertices = vertices(layout, region);
        Shape {
            mesh_mm3: mesh.volume_mm3,
            area_mm2: mesh.area_mm2,
            voxels_mm3: layout.voxels_of(region).len() as f64 * voxel_mm3,
            spread_mm2: spread(layout, region, spacing_mm),
            diameter_mm: diameter(outer(&vertices, 0, spacing_mm).concat()).sqrt(),
            planar_mm: std::array::from_fn(|axis| planar_diameter(&vertices, axis, spacing_mm)),
        }
    }
}

fn root(square: f64) -> Option<f64> {
    (square >= 0.0).then(|| square.sqrt())
}

fn sphericity(shape: &Shape) -> Option<f64> {
    Some((36.0 * std::f64::consts::PI * shape.mesh_mm3.powi(2)).cbrt() / shape.area_mm2)
}

/// Eigenvalues of the covariance; those that rounding made negative are 0.
fn spread(layout: &Layout, region: usize, spacing_mm: [f64; 3]) -> [f64; 3] {
    let voxels = &layout.cells[layout.voxels_of(region)];
    let n = voxels.len() as f64;
    // Sums of integer places are exact, so the order of voxels does not matter.
    let (mut sums, mut products) = ([0i64; 3], [[0i64; 3]; 3]);
    for &cell in voxels {
        let at = layout.place(cell).map(|place| place as i64);
        for a in 0..3 {
            sums[a] += at[a];
            for b in 0..=a {
                products[a][b] += at[a] * at[b];
            }
        }
    }
    let covariance = Matrix3::from_fn(|a, b| {
        let (a, b) = (a.max(b), a.min(b));
        let centred = i128::from(products[a][b]) * voxels.len() as i128 - i128::from(sums[a]) * i128::from(sums[b]);
        centred as f64 / (n * n) * spacing_mm[a] * spacing_mm[b]
    });
    let mut values: Vec<f64> = covariance.symmetric_eigenvalues().iter().copied().collect();
    values.sort_by(f64::total_cmp);
    std::array::from_fn(|k| if values[k] < 0.0 && values[k] > -1e-10 { 0.0 } else { values[k] })
}

/// The surface's vertices, half way between each voxel and its neighbours outside the region: z, y, x in half voxels.
fn vertices(layout: &Layout, region: usize) -> Vec<[u32; 3]> {
    let shells = &layout.regions[region];
    let inside = |cell: usize| shells.contains(&usize::from(layout.shell_of[cell]));
    let mut found = Vec::new();
    for &cell in &layout.cells[layout.voxels_of(region)] {
        let half = layout.place(cell).map(|place| 2 * place as u32);
        for axis in 0..3 {
            let moved = |by: u32| std::array::from_fn(|k| if k == axis { half[k] + by - 1 } else { half[k] });
            if !inside(cell as usize + layout.strides[axis]) {
                found.push(moved(2));
            }
            if !inside(cell as usize - layout.strides[axis]) {
                found.push(moved(0));
            }
        }
    }
    found
}

/// Places (mm) of the two outer vertices of every straight line, by plane across `axis`: a farthest point never lies
/// between two others.
fn outer(vertices: &[[u32; 3]], axis: usize, spacing_mm: [f64; 3]) -> Vec<Vec<[f64; 3]>> {
    let along = if axis == 2 { 1 } else { 2 };
    let across = 3 - axis - along;
    let size = |axis: usize| vertices.iter().map(|half| half[axis] as usize + 1).max().unwrap_or(0);
    let mut planes = vec![vec![(u32::MAX, 0); size(across)]; size(axis)];
    for half in vertices {
        let (first, last) = &mut planes[half[axis] as usize][half[across] as usize];
        (*first, *last) = ((*first).min(half[along]), (*last).max(half[along]));
    }
    let mm = |half: usize, axis: usize| half as f64 / 2.0 * spacing_mm[axis];
    let points = |(plane, lines): (usize, Vec<(u32, u32)>)| {
        let used = lines.into_iter().enumerate().filter(|(_, (first, last))| first <= last);
        let ends = used.flat_map(|(line, (first, last))| [(line, first as usize), (line, last as usize)]);
        ends.map(|(line, end)| {
            let mut point = [mm(plane, axis); 3];
            (point[across], point[along]) = (mm(line, across), mm(end, along));
            point
        })
        .collect()
    };
    planes.into_iter().enumerate().map(points).collect()
}

/// Largest distance (mm) between two vertices of one plane, over all planes across `axis`.
fn planar_diameter(vertices: &[[u32; 3]], axis: usize, spacing_mm: [f64; 3]) -> f64 {
    outer(vertices, axis, spacing_mm).into_iter().map(diameter).fold(0.0, f64::max).sqrt()
}

/// Largest squared distance between two points.
///
/// Sorted by distance from the middle of their box, the outermost first: two points are no farther apart than their
/// distances to the middle together, so the search ends early.
fn diameter(mut points: Vec<[f64; 3]>) -> f64 {
    let middle: [f64; 3] = std::array::from_fn(|k| {
        let (low, high) = points
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), point| (low.min(point[k]), high.max(point[k])));
        (low + high) / 2.0
    });
    let square = |a: &[f64; 3], b: &[f64; 3]| (0..3).map(|k| (a[k] - b[k]).powi(2)).sum::<f64>();
    points.sort_unstable_by(|a, b| square(b, &middle).total_cmp(&square(a, &middle)));
    let radii: Vec<f64> = points.iter().map(|point| square(point, &middle).sqrt()).collect();
    let mut best = 0.0f64;
    for (at, point) in points.iter().enumerate() {
        if 2.0 * radii[at] < best.sqrt() {
            break;
        }
        // A little wider than the bound, so that its rounding cannot hide the best pair.
        let reach = best.sqrt() * (1.0 - 1e-12) - radii[at];
        let near = radii[at..].partition_point(|&radius| radius >= reach);
        best = points[at..at + near].iter().fold(best, |best, other| best.max(square(point, other)));
    }
    best
}
