//! The contours of one slice as voxels: DICOM PS3.3, C.8.8.6.3, for either type of closed contour.

use std::collections::BTreeSet;

use ndarray::Array3;

/// The closed contours of one structure on one slice.
pub type Rings = Vec<Ring>;

/// A closed contour in indices y, x.
#[derive(Clone, Debug, PartialEq)]
pub struct Ring {
    pub points: Vec<[f64; 2]>,
    /// CLOSEDPLANAR_XOR: what two of them share is outside.
    pub is_xor: bool,
}

/// What was filled, in voxels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    pub drawn: usize,
    /// Of these, outside the image.
    pub lost: usize,
    /// Voxels on which the rules for overlapping contours disagree.
    pub disputed: usize,
    /// Contours that were stored before.
    pub repeated: usize,
}

impl Filled {
    pub fn add(&mut self, other: &Filled) {
        self.drawn += other.drawn;
        self.lost += other.lost;
        self.disputed += other.disputed;
        self.repeated += other.repeated;
    }
}

/// Contours of one slice; more are no drawing of a person.
const MOST_RINGS: usize = 2000;

/// Points are the same to a thousandth of a voxel.
const SAME: f64 = 1e-3;

/// A voxel of the slice.
type Cell = (i64, i64);

/// Sets the voxels of slice `z` whose centres lie within the contours, and counts those beyond the image.
///
/// Contours of type CLOSEDPLANAR_XOR are filled together by the even-odd rule. Of type CLOSED_PLANAR, those that cross
/// each other are one area; one that lies wholly within another is a hole in it, as planning systems write holes.
///
/// # Errors
///
/// What was found, where contours lie farther from the image than its own size, or are too many.
pub fn fill(rings: &[Ring], z: i64, cells: &mut Array3<bool>) -> Result<Filled, String> {
    let (nz, ny, nx) = cells.dim();
    let far = |value: f64, n: usize| !(value >= -(n as f64) - 1.0 && value <= 2.0 * n as f64 + 1.0);
    if let Some([y, x]) = rings.iter().flat_map(|ring| &ring.points).find(|[y, x]| far(*y, ny) || far(*x, nx)) {
        return Err(format!("a point at column {x:.1}, row {y:.1} of {nx} columns and {ny} rows"));
    }
    if rings.len() > MOST_RINGS {
        return Err(format!("{} contours on one slice", rings.len()));
    }
    let kept = distinct(rings);
    let repeated = rings.len() - kept.len();
    let areas: Vec<BTreeSet<Cell>> = kept.iter().map(|ring| inside(ring)).collect();
    let by_xor = |areas: &[&BTreeSet<Cell>]| {
        areas.iter().fold(BTreeSet::new(), |all, area| all.symmetric_difference(area).copied().collect())
    };
    let all: Vec<&BTreeSet<Cell>> = areas.iter().collect();
    let found = match &all[..] {
        [] => BTreeSet::new(),
        [only] => (*only).clone(),
        _ if kept.iter().all(|ring| ring.is_xor) => by_xor(&all),
        _ => {
            let merged = merged(&areas);
            by_xor(&merged.iter().collect::<Vec<_>>())
        }
    };
    let disputed = if areas.len() < 2 {
        0
    } else {
        let union: BTreeSet<Cell> = areas.iter().flatten().copied().collect();
        let xor = by_xor(&all);
        union.len() - xor.len()
    };
    let mut lost = 0;
    for &(y, x) in &found {
        let at = [z, y, x].map(usize::try_from);
        match at {
            [Ok(z), Ok(y), Ok(x)] if z < nz && y < ny && x < nx => cells[[z, y, x]] = true,
            _ => lost += 1,
        }
    }
    Ok(Filled { drawn: found.len(), lost, disputed, repeated })
}

/// Every contour once, wherever it begins and whichever way it goes.
fn distinct(rings: &[Ring]) -> Vec<&Ring> {
    let mut seen = BTreeSet::new();
    rings.iter().filter(|ring| seen.insert(shape_of(ring))).collect()
}

fn shape_of(ring: &Ring) -> Vec<[i64; 2]> {
    let mut points: Vec<[i64; 2]> = ring.points.iter().map(|p| p.map(|part| (part / SAME).round() as i64)).collect();
    points.dedup();
    while points.len() > 1 && points.first() == points.last() {
        points.pop();
    }
    let turned = |points: &[[i64; 2]]| {
        let first = (0..points.len()).min_by_key(|&at| points[at]).unwrap_or(0);
        [&points[first..], &points[..first]].concat()
    };
    let forth = turned(&points);
    points.reverse();
    forth.min(turned(&points))
}

/// Areas that cross each other become one; those apart, or within another, stay.
fn merged(areas: &[BTreeSet<Cell>]) -> Vec<BTreeSet<Cell>> {
    let mut merged: Vec<BTreeSet<Cell>> = Vec::new();
    for area in areas {
        let mut area = area.clone();
        while let Some(at) = merged.iter().position(|other| crosses(other, &area)) {
            area.extend(merged.swap_remove(at));
        }
        merged.push(area);
    }
    merged
}

fn crosses(a: &BTreeSet<Cell>, b: &BTreeSet<Cell>) -> bool {
    let rows = |area: &BTreeSet<Cell>| Some((area.first()?.0, area.last()?.0));
    let (Some(first), Some(second)) = (rows(a), rows(b)) else { return false };
    if first.1 < second.0 || second.1 < first.0 {
        return false;
    }
    let (small, large) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let shared = small.iter().filter(|cell| large.contains(cell)).count();
    // Two of the same voxels are one contour drawn twice; a smaller one that is wholly inside is a hole.
    shared > 0 && (shared < small.len() || small.len() == large.len())
}

/// Voxels whose centres lie within one contour by the even-odd rule, so that keyhole cuts come out: each row is cut
/// by the edges, and between an odd and the next even crossing lies the inside. An edge owns its lower end, not its
/// upper one, so that a corner counts once.
fn inside(ring: &Ring) -> BTreeSet<Cell> {
    let points = &ring.points;
    let ys = || points.iter().map(|point| point[0]);
    let first = ys().fold(f64::INFINITY, f64::min).ceil() as i64;
    let last = ys().fold(f64::NEG_INFINITY, f64::max).floor() as i64;
    let mut found = BTreeSet::new();
    let mut crossings = Vec::new();
    for y in first..=last {
        let height = y as f64;
        crossings.clear();
        for (a, b) in points.iter().zip(points.iter().cycle().skip(1)) {
            if (a[0] <= height) != (b[0] <= height) {
                crossings.push(a[1] + (height - a[0]) / (b[0] - a[0]) * (b[1] - a[1]));
            }
        }
        crossings.sort_by(f64::total_cmp);
        for pair in crossings.chunks_exact(2) {
            let from = pair[0].ceil() as i64;
            for x in (from..).take_while(|&x| (x as f64) < pair[1]) {
                // A row that is entered twice at one voxel leaves it again.
                if !found.insert((y, x)) {
                    found.remove(&(y, x));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(y: f64, x: f64, size: f64) -> Ring {
        let (to_y, to_x) = (y + size, x + size);
        Ring { points: vec![[y, x], [y, to_x], [to_y, to_x], [to_y, x]], is_xor: false }
    }

    fn filled(rings: &[Ring]) -> Filled {
        fill(rings, 0, &mut Array3::from_elem([1, 10, 10], false)).unwrap()
    }

    #[test]
    fn contours_of_a_slice_follow_the_rule_of_their_type() {
        let (a, b) = (square(0.5, 0.5, 4.0), square(2.5, 2.5, 4.0));
        let hole = square(1.5, 1.5, 2.0);
        assert_eq!(filled(&[a.clone(), b.clone()]), Filled { drawn: 28, disputed: 4, ..Filled::default() });
        assert_eq!(filled(&[a.clone(), hole]), Filled { drawn: 12, disputed: 4, ..Filled::default() });
        let [mut xa, mut xb] = [a.clone(), b];
        (xa.is_xor, xb.is_xor) = (true, true);
        assert_eq!(filled(&[xa, xb]).drawn, 24);
        let mut turned = a.clone();
        turned.points.rotate_left(2);
        turned.points.reverse();
        assert_eq!(filled(&[a, turned]), Filled { drawn: 16, repeated: 1, ..Filled::default() });
    }

    #[test]
    fn what_leaves_the_image_is_counted_and_what_is_far_is_refused() {
        assert_eq!(filled(&[square(7.5, 7.5, 4.0)]), Filled { drawn: 16, lost: 12, ..Filled::default() });
        let mut cells = Array3::from_elem([1, 10, 10], false);
        assert_eq!(fill(&[square(0.5, 0.5, 3.0)], 1, &mut cells).unwrap().lost, 9);
        assert!(fill(&[square(0.5, 1e9, 3.0)], 0, &mut cells).is_err());
    }
}
