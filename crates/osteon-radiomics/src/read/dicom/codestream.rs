//! What a compressed plane says its size is, looked at before a decoder takes memory for it.

use crate::read::dicom::object::MOST_RATIO;

/// Pixels that a plane may always have, four thousand a side as mammograms; a larger one has to be backed by data.
const ALWAYS: usize = 4096 * 4096;

/// Whether every fragment (one a frame) holds one channel of `rows` x `columns` pixels, and no more pixels than its
/// length makes likely. JPEG (ITU-T T.81, B.2.2), JPEG-LS (ITU-T T.87, C.2.2) and JPEG 2000 (ITU-T T.800, A.5.1).
pub fn is_likely<'a>(fragments: impl IntoIterator<Item = &'a [u8]>, rows: usize, columns: usize) -> bool {
    let pixels = rows * columns;
    fragments.into_iter().all(|fragment| {
        size(fragment) == Some((rows, columns))
            && (pixels <= ALWAYS || pixels as u64 <= (fragment.len() as u64).saturating_mul(MOST_RATIO))
    })
}

/// Rows and columns as the stream states them.
fn size(stream: &[u8]) -> Option<(usize, usize)> {
    match stream {
        [0xff, 0x4f, 0xff, 0x51, rest @ ..] => jpeg_2000(rest),
        [0xff, 0xd8, rest @ ..] => jpeg(rest),
        _ => None,
    }
}

/// Behind the mark SIZ: length, capabilities, width, height, their offsets, tiles, number of components.
fn jpeg_2000(siz: &[u8]) -> Option<(usize, usize)> {
    let word = |at: usize| Some(u32::from_be_bytes(siz.get(at..at + 4)?.try_into().ok()?) as usize);
    let (width, height, left, top) = (word(4)?, word(8)?, word(12)?, word(16)?);
    let components = u16::from_be_bytes(siz.get(36..38)?.try_into().ok()?);
    (components == 1).then_some((height.checked_sub(top)?, width.checked_sub(left)?))
}

/// Segments up to the frame's header: length, precision, height, width, number of components.
fn jpeg(mut segments: &[u8]) -> Option<(usize, usize)> {
    let short =
        |bytes: &[u8], at: usize| Some(usize::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    loop {
        match *segments {
            [0xff, 0xff, ..] => segments = &segments[1..],
            [0xff, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7, ref header @ ..] => {
                return (*header.get(7)? == 1).then_some((short(header, 3)?, short(header, 5)?));
            }
            [0xff, _, ref rest @ ..] => segments = rest.get(short(rest, 0)?.max(2)..)?,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn siz(width: u32, height: u32) -> Vec<u8> {
        let words = [width, height, 0, 0, width, height, 0, 0].into_iter().flat_map(u32::to_be_bytes);
        [0xff, 0x4f, 0xff, 0x51, 0, 41, 0, 0].into_iter().chain(words).chain([0, 1, 15, 1, 1]).collect()
    }

    /// A table before the frame's header, and a byte of fill.
    fn frame(width: u16, height: u16, components: u8) -> Vec<u8> {
        let [[a, b], [c, d]] = [height, width].map(u16::to_be_bytes);
        let table = [0xff, 0xd8, 0xff, 0xc4, 0, 4, 7, 7];
        table.into_iter().chain([0xff, 0xff, 0xc3, 0, 11, 16, a, b, c, d, components, 1, 0x11, 0]).collect()
    }

    #[test]
    fn a_stream_states_its_size() {
        for stream in [siz(30, 20), frame(30, 20, 1)] {
            assert!(is_likely([&stream[..]], 20, 30));
            assert!(!is_likely([&stream[..]], 30, 20), "transposed");
            assert!((0..stream.len() - 4).all(|end| !is_likely([&stream[..end]], 20, 30)), "cut");
        }
        assert!(!is_likely([&frame(30, 20, 3)[..]], 20, 30), "colours");
    }

    #[test]
    fn a_few_bytes_are_no_plane_of_four_thousand_million_pixels() {
        for stream in [siz(65_535, 65_535), frame(65_535, 65_535, 1)] {
            assert!(!is_likely([&stream[..]], 65_535, 65_535));
        }
    }
}
