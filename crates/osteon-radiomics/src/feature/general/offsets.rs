//! Neighbours by distance, in pyradiomics' order: from the largest offset down, x changing fastest.

/// Offsets z, y, x of all neighbours at these Chebyshev distances that fit into a box of `shape`.
pub fn both_ways(shape: [usize; 3], distances: &[usize], across: Option<usize>) -> Vec<[isize; 3]> {
    let most = distances.iter().copied().max().unwrap_or(0) as isize;
    let range = || (-most..=most).rev();
    let all = range().flat_map(|z| range().flat_map(move |y| range().map(move |x| [z, y, x])));
    let fits = |offset: &[isize; 3]| {
        let within = |k: usize| offset[k].unsigned_abs() < shape[k] && (across != Some(k) || offset[k] == 0);
        let distance = offset.iter().map(|by| by.unsigned_abs()).max().unwrap_or(0);
        (0..3).all(within) && distances.contains(&distance)
    };
    all.filter(fits).collect()
}

/// One of each two opposite offsets.
pub fn one_way(shape: [usize; 3], distances: &[usize], across: Option<usize>) -> Vec<[isize; 3]> {
    let mut offsets = both_ways(shape, distances, across);
    offsets.truncate(offsets.len() / 2);
    offsets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_has_13_directions_a_plane_4_and_a_distance_of_2_another_49() {
        let n = |distances: &[usize], across, shape| one_way(shape, distances, across).len();
        assert_eq!(n(&[1], None, [9; 3]), 13);
        assert_eq!(n(&[1], Some(0), [9; 3]), 4);
        assert_eq!(n(&[1], None, [1, 9, 9]), 4);
        assert_eq!(n(&[1, 2], None, [9; 3]), 13 + 49);
        assert_eq!(n(&[2], None, [2, 9, 9]), (3 * 25 - 3 * 9) / 2);
        assert_eq!(one_way([9; 3], &[1], None)[0], [1, 1, 1]);
    }
}
