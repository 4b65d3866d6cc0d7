//! One bit a cell: what is asked of sixty-four cells at once.

use crate::feature::layout::DIRECTIONS;
use osteon_base::wide::wide;

/// A bit for each cell of a padded box.
pub type Plane = Vec<u64>;

/// One plane for each direction.
pub type Planes = [Plane; DIRECTIONS.len()];

const BITS: usize = u64::BITS as usize;

/// Where `of` is true.
pub fn plane(n_cells: usize, of: impl Fn(usize) -> bool) -> Plane {
    let word = |first: usize| (first..n_cells.min(first + BITS)).map(|at| u64::from(of(at)) << (at - first)).sum();
    (0..n_cells).step_by(BITS).map(word).collect()
}

wide! {
    /// Sets the bit of every cell of `among` whose next cell, `step` further on, has the same level.
    pub fn set_alike(plane: &mut Plane, levels: &[u16], step: usize, among: &Plane) {
        let ahead = &levels[step..];
        plane.clear();
        let blocks = levels.chunks_exact(BITS).zip(ahead.chunks_exact(BITS));
        plane.extend(blocks.zip(among).map(|((here, there), among)| alike(here, there) & among));
        // The last cells belong to no region, for the box is padded.
        plane.resize(among.len(), 0);
        let done = ahead.len() / BITS * BITS;
        for (at, there) in ahead.iter().enumerate().skip(done) {
            plane[at / BITS] |= (u64::from(levels[at] == *there) << (at % BITS)) & among[at / BITS];
        }
    }
}

#[inline(always)]
fn alike(here: &[u16], there: &[u16]) -> u64 {
    let mut bytes = [0u8; BITS];
    bytes.iter_mut().zip(here.iter().zip(there)).for_each(|(byte, (a, b))| *byte = u8::from(a == b));
    let eight = |bytes: &[u8]| {
        // The product's highest byte holds the lowest bits of all eight.
        let bytes = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        bytes.wrapping_mul(0x0102_0408_1020_4080) >> 56
    };
    bytes.chunks_exact(8).enumerate().map(|(at, bytes)| eight(bytes) << (8 * at)).sum()
}

/// The bits of sixty-four cells from `at` on; beyond the last cell they are 0.
#[inline(always)]
pub fn window(plane: &Plane, at: usize) -> u64 {
    let (word, shift) = (at / BITS, at % BITS);
    let of = |word: usize| plane.get(word).copied().unwrap_or(0);
    of(word) >> shift | of(word + 1) << 1 << (BITS - 1 - shift)
}

/// The bits of the cells that lie `step` before the sixty-four from `at` on.
#[inline(always)]
pub fn window_before(plane: &Plane, at: usize, step: usize) -> u64 {
    match at.checked_sub(step) {
        Some(before) => window(plane, before),
        None => window(plane, 0).checked_shl((step - at) as u32).unwrap_or(0),
    }
}

/// Positions of the set bits, ascending.
#[inline(always)]
pub fn bits(mut set: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = set.trailing_zeros() as usize;
        set &= set.wrapping_sub(1);
        (bit < BITS).then_some(bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_tell_which_cells_have_the_level_of_the_next() {
        let levels: Vec<u16> = (0..300).map(|at| (at * at % 7 % 3) as u16).collect();
        let among = plane(300, |at| at % 5 != 0 && at < 290);
        for step in [1, 7, 64, 100] {
            let mut found = Plane::new();
            set_alike(&mut found, &levels, step, &among);
            let expected = plane(300, |at| at % 5 != 0 && at < 290 && levels.get(at + step) == Some(&levels[at]));
            assert_eq!(found, expected, "step {step}");
            let cells: Vec<usize> = (0..5).flat_map(|word| bits(found[word]).map(move |bit| 64 * word + bit)).collect();
            for at in [0, 3, 64, 130] {
                let holds = |bits: u64, from: i64| {
                    (0..64).all(|k| (bits >> k & 1 == 1) == cells.contains(&usize::try_from(from + k).unwrap_or(999)))
                };
                assert!(holds(window(&found, at), at as i64));
                assert!(holds(window_before(&found, at, step), at as i64 - step as i64));
            }
        }
    }
}
