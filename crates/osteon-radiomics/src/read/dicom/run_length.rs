//! Run-length coded planes are walked through before they are decoded: the decoder trusts their lengths.

/// Whether every fragment (one a frame) has a header and, for each byte of a sample, a segment that unpacks to at least
/// `pixels` bytes. DICOM PS3.5, annex G.
pub fn is_whole<'a>(fragments: impl IntoIterator<Item = &'a [u8]>, pixels: usize, bytes_per_sample: usize) -> bool {
    fragments.into_iter().all(|fragment| {
        segments(fragment).is_some_and(|found| {
            found.len() == bytes_per_sample
                && found.into_iter().all(|segment| unpacked(segment).is_some_and(|length| length >= pixels))
        })
    })
}

/// The segments of a fragment, which begins with their number and 15 offsets.
fn segments(fragment: &[u8]) -> Option<Vec<&[u8]>> {
    let word = |at: usize| Some(u32::from_le_bytes(fragment.get(4 * at..4 * at + 4)?.try_into().ok()?) as usize);
    let n = word(0).filter(|n| *n <= 15 && fragment.len() >= 64)?;
    let offset = |at: usize| if at < n { word(at + 1) } else { Some(fragment.len()) };
    (0..n).map(|at| fragment.get(offset(at)?..offset(at + 1)?)).collect()
}

/// The number of bytes that a segment unpacks to (PackBits); `None` when it ends within a run.
fn unpacked(segment: &[u8]) -> Option<usize> {
    let (mut at, mut length) = (0, 0);
    while at < segment.len() {
        let (taken, given) = match segment[at] {
            n @ 0..=127 => (usize::from(n) + 2, usize::from(n) + 1),
            // The byte of padding to an even length is the last one and may be anything that begins a run.
            128 => (1, 0),
            n => (2, 257 - usize::from(n)),
        };
        if at + taken > segment.len() {
            return (at + 1 == segment.len()).then_some(length);
        }
        (at, length) = (at + taken, length + given);
    }
    Some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(n: u32, segment: &[u8]) -> Vec<u8> {
        let words = [n, 64].into_iter().chain([0; 14]);
        words.flat_map(u32::to_le_bytes).chain(segment.iter().copied()).collect()
    }

    #[test]
    fn a_fragment_is_whole_when_its_segments_fill_the_plane() {
        let check = |fragment: Vec<u8>| is_whole([&fragment[..]], 5, 1);
        assert!(check(fragment(1, &[1, 7, 8, 254, 9])));
        assert!(check(fragment(1, &[4, 1, 2, 3, 4, 5, 0])), "a byte of padding");
        assert!(!check(fragment(1, &[1, 7, 8])), "too few pixels");
        assert!(!check(fragment(1, &[9, 7, 8])), "cut within a run");
        assert!(!check(fragment(2, &[4, 1, 2, 3, 4, 5])), "offsets that run backwards");
        assert!(!check(fragment(16, &[4, 1, 2, 3, 4, 5])), "more segments than offsets");
        assert!(!check(vec![1, 0, 0]), "no header");
    }
}
