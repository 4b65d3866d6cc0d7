//! The convex hull of points on a lattice, by adding one point after the other.
//!
//! Which faces a point sees is decided in whole numbers. Points are first moved by a fixed tiny amount each, so that
//! no four lie in one plane and every face is a triangle; the hull is then measured at the points' true places.

use std::collections::HashSet;

/// Volume (mm3) and surface (mm2) of the hull of some points given in half voxels, and the points on it.
pub struct Hull {
    pub volume_mm3: f64,
    pub area_mm2: f64,
    pub corners: Vec<[i64; 3]>,
}

/// Moved places are multiples of this part of half a voxel.
const FINE: i64 = 1 << 26;

/// Largest movement: a hundred-thousandth of half a voxel.
const MOVED: u64 = 1 << 10;

type Face = [usize; 3];

/// `None` when all points lie in one plane.
pub fn hull(mut points: Vec<[i64; 3]>, half_mm: [f64; 3]) -> Option<Hull> {
    points.sort_unstable();
    // Of every straight line the two outer points: no other can be a corner.
    let mut points: Vec<[i64; 3]> =
        points.chunk_by(|a, b| a[..2] == b[..2]).flat_map(|line| [line[0], line[line.len() - 1]]).collect();
    points.dedup();
    let moved: Vec<[i64; 3]> = points.iter().enumerate().map(|(at, point)| moved(at, *point)).collect();
    let faces = faces(&points, &moved)?;
    let mm = |at: usize| -> [f64; 3] {
        // From the first point, so that large coordinates take no digits.
        std::array::from_fn(|k| (points[at][k] - points[0][k]) as f64 * half_mm[k])
    };
    let mut hull = Hull { volume_mm3: 0.0, area_mm2: 0.0, corners: Vec::new() };
    for face in &faces {
        let [a, b, c] = face.map(mm);
        let normal = cross(minus(b, a), minus(c, a));
        hull.area_mm2 += dot(normal, normal).sqrt() / 2.0;
        hull.volume_mm3 += dot(a, normal) / 6.0;
    }
    let mut corners: Vec<usize> = faces.into_iter().flatten().collect();
    corners.sort_unstable();
    corners.dedup();
    hull.corners = corners.into_iter().map(|at| points[at]).collect();
    Some(hull)
}

/// A fixed movement that looks like chance (Steele, Lea and Flood 2014: SplitMix).
fn moved(at: usize, point: [i64; 3]) -> [i64; 3] {
    std::array::from_fn(|k| {
        let mut bits = (3 * at + k + 1) as u64;
        bits = bits.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        point[k] * FINE + ((bits ^ (bits >> 31)) % (2 * MOVED)) as i64 - MOVED as i64
    })
}

/// Triangles whose corners turn left seen from outside.
fn faces(points: &[[i64; 3]], moved: &[[i64; 3]]) -> Option<Vec<Face>> {
    let first = first_four(points)?;
    let sees = |face: &Face, at: usize| volume(face.map(|corner| moved[corner]), moved[at]) > 0;
    let mut faces: Vec<Face> = Vec::new();
    for skipped in 0..4 {
        let corners: Vec<usize> = (0..4).filter(|&k| k != skipped).map(|k| first[k]).collect();
        let face = [corners[0], corners[1], corners[2]];
        faces.push(if sees(&face, first[skipped]) { [face[0], face[2], face[1]] } else { face });
    }
    for at in (0..points.len()).filter(|at| !first.contains(at)) {
        let (seen, kept): (Vec<Face>, Vec<Face>) = faces.iter().partition(|face| sees(face, at));
        if seen.is_empty() {
            continue;
        }
        let edges = |face: &Face| [[face[0], face[1]], [face[1], face[2]], [face[2], face[0]]];
        let inner: HashSet<[usize; 2]> = seen.iter().flat_map(edges).collect();
        let horizon = seen.iter().flat_map(edges).filter(|[a, b]| !inner.contains(&[*b, *a]));
        faces = kept;
        faces.extend(horizon.map(|[a, b]| [a, b, at]));
    }
    Some(faces)
}

/// Four points that are not in one plane, at their true places.
fn first_four(points: &[[i64; 3]]) -> Option<[usize; 4]> {
    let a = *points.first()?;
    let b = points.len() - 1;
    let off_line = |at: &usize| {
        let [u, v] = [points[b], points[*at]].map(|point| [0, 1, 2].map(|k| i128::from(point[k] - a[k])));
        (0..3).any(|k| u[k] * v[(k + 1) % 3] != u[(k + 1) % 3] * v[k])
    };
    let c = (1..points.len()).find(off_line)?;
    let d = (1..points.len()).find(|&at| volume([a, points[b], points[c]], points[at]) != 0)?;
    Some([0, b, c, d])
}

/// Six times the volume of a tetrahedron: above 0 where the point lies on the side from which the face turns left.
fn volume(face: [[i64; 3]; 3], point: [i64; 3]) -> i128 {
    let [b, c, p] = [face[1], face[2], point].map(|end| [0, 1, 2].map(|k| i128::from(end[k] - face[0][k])));
    (0..3).map(|k| p[k] * (b[(k + 1) % 3] * c[(k + 2) % 3] - b[(k + 2) % 3] * c[(k + 1) % 3])).sum()
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|k| a[k] - b[k])
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|k| a[(k + 1) % 3] * b[(k + 2) % 3] - a[(k + 2) % 3] * b[(k + 1) % 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hulls_of_known_bodies_have_their_volume_and_surface() {
        let lattice = |keep: fn(i64, i64, i64) -> bool| {
            let range = || -6..=6i64;
            let all = range().flat_map(|z| range().flat_map(move |y| range().map(move |x| [z, y, x])));
            all.filter(|&[z, y, x]| keep(z, y, x)).collect::<Vec<_>>()
        };
        let cube = hull(lattice(|_, _, _| true), [0.5; 3]).unwrap();
        assert!((cube.volume_mm3 - 216.0).abs() < 1e-9 && (cube.area_mm2 - 216.0).abs() < 1e-9);
        let octahedron = hull(lattice(|z, y, x| z.abs() + y.abs() + x.abs() <= 6), [1.0; 3]).unwrap();
        assert!((octahedron.volume_mm3 - 4.0 / 3.0 * 216.0).abs() < 1e-9);
        assert!((octahedron.area_mm2 - 4.0 * 3.0f64.sqrt() * 36.0).abs() < 1e-9);
        assert!(hull(lattice(|z, _, _| z == 0), [1.0; 3]).is_none());
        assert!(hull(vec![[0; 3]], [1.0; 3]).is_none());
    }
}
