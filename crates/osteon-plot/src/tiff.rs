//! A plot as baseline TIFF 6.0: 24-bit colour in strips, packed by PackBits, with its resolution.
//!
//! Every reader of TIFF takes this form (TIFF 6.0, sections 6 to 9), and it takes no more than a page to write.

use crate::Plot;
use crate::png::{PngError, pixels};
use osteon_base::text::clean;

/// Rows of one strip.
const STRIP: usize = 64;
/// Tags of the one directory.
const N_TAGS: u16 = 14;

/// The picture at so many dots to the inch, on white; the same bytes every time.
pub fn render(plot: &Plot, dpi: f64) -> Result<Vec<u8>, PngError> {
    let picture = pixels(plot, dpi)?;
    let row = picture.width as usize * 3;
    let mut file = b"II*\0\0\0\0\0".to_vec();
    let (mut offsets, mut lengths) = (Vec::new(), Vec::new());
    for strip in picture.rgb.chunks(row * STRIP) {
        let packed: Vec<u8> = strip.chunks(row).flat_map(packed).collect();
        offsets.push(file.len() as u32);
        lengths.push(packed.len() as u32);
        file.extend(packed);
        even(&mut file);
    }
    let resolution = append(&mut file, &[words(&[(dpi * 1000.0).round() as u32, 1000])]);
    let bits = append(&mut file, &[[8u16, 8, 8].iter().flat_map(|v| v.to_le_bytes()).collect()]);
    let text = |text: &str| -> Vec<u8> { text.bytes().filter(u8::is_ascii).chain([0]).collect() };
    let about = text(&clean(&[vec![plot.title.clone()], plot.provenance.clone()].concat().join("; ")));
    let software = text("osteon");
    let (about_at, software_at) =
        (append(&mut file, std::slice::from_ref(&about)), append(&mut file, std::slice::from_ref(&software)));
    let n = offsets.len() as u32;
    let (offsets_at, lengths_at) = match n {
        1 => (offsets[0], lengths[0]),
        _ => (append(&mut file, &[words(&offsets)]), append(&mut file, &[words(&lengths)])),
    };
    let directory = file.len() as u32;
    file[4..8].copy_from_slice(&directory.to_le_bytes());
    file.extend(N_TAGS.to_le_bytes());
    let (ascii, short, long, rational) = (2u16, 3u16, 4u16, 5u16);
    let tags: [(u16, u16, u32, u32); N_TAGS as usize] = [
        (256, long, 1, picture.width),
        (257, long, 1, picture.height),
        (258, short, 3, bits),
        // PackBits.
        (259, short, 1, 32_773),
        // Red, green and blue.
        (262, short, 1, 2),
        (270, ascii, about.len() as u32, about_at),
        (273, long, n, offsets_at),
        (277, short, 1, 3),
        (278, long, 1, STRIP as u32),
        (279, long, n, lengths_at),
        (282, rational, 1, resolution),
        (283, rational, 1, resolution),
        // To the inch.
        (296, short, 1, 2),
        (305, ascii, software.len() as u32, software_at),
    ];
    for (tag, kind, count, value) in tags {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(count.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    Ok(file)
}

fn words(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Where the bytes went; places in a TIFF are even.
fn append(file: &mut Vec<u8>, parts: &[Vec<u8>]) -> u32 {
    even(file);
    let at = file.len() as u32;
    parts.iter().for_each(|part| file.extend(part));
    even(file);
    at
}

fn even(file: &mut Vec<u8>) {
    if file.len() % 2 == 1 {
        file.push(0);
    }
}

/// One row by PackBits: `n` and a byte that is repeated 1 - n times, or n and n + 1 bytes as they are.
fn packed(row: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let run = |at: usize| row[at..].iter().take(128).take_while(|byte| **byte == row[at]).count();
    let mut at = 0;
    while at < row.len() {
        let length = run(at);
        if length > 1 {
            out.extend([(1 - length as i32) as i8 as u8, row[at]]);
            at += length;
            continue;
        }
        let from = at;
        while at < row.len() && at - from < 128 && run(at) < 3 {
            at += 1;
        }
        out.push((at - from - 1) as u8);
        out.extend(&row[from..at]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(mut packed: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        while let [n, rest @ ..] = packed {
            let n = *n as i8;
            match n {
                0.. => {
                    let n = n as usize + 1;
                    out.extend(&rest[..n]);
                    packed = &rest[n..];
                }
                _ => {
                    out.extend(std::iter::repeat_n(rest[0], (1 - isize::from(n)) as usize));
                    packed = &rest[1..];
                }
            }
        }
        out
    }

    #[test]
    fn packed_rows_unpack_to_themselves() {
        let mut rows: Vec<Vec<u8>> = vec![vec![], vec![7], vec![1, 1], vec![255; 1000], (0..=255).collect()];
        rows.push((0..999).map(|n| if n % 7 < 4 { 9 } else { n as u8 }).collect());
        rows.push([vec![1; 128], vec![2], vec![3; 129], (0..130).collect()].concat());
        for row in rows {
            assert_eq!(unpacked(&packed(&row)), row);
        }
        // Apple's example in TIFF 6.0's reference, in its shortest form.
        assert_eq!(packed(&[0xaa, 0xaa, 0xaa, 0x80, 0x00, 0x2a]), [0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a]);
    }
}
