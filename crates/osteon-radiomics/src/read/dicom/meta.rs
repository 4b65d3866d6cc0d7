//! Where a file's data set begins and how it is written, also without preamble, mark or a right length of the group.

use std::borrow::Cow;

use dicom_dictionary_std::uids;

/// What is known of a file before its data set is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Where the data set begins.
    pub data_set: usize,
    pub transfer_syntax: String,
    pub class: String,
    pub instance: String,
}

/// Bytes that are looked at to tell a data set that stands alone.
const HEAD: usize = 132;

/// Bytes before the mark.
const PREAMBLE: usize = 128;

/// An element of a first group is this short: dates, UIDs and names.
const SHORT: usize = 1024;

/// Where the file meta group, or the data set, begins; `None` where the bytes look like neither.
pub fn start(bytes: &[u8]) -> Option<usize> {
    if bytes.get(128..132) == Some(b"DICM") {
        return Some(132);
    }
    if bytes.starts_with(b"DICM") {
        return Some(4);
    }
    let begins = |bytes: &[u8]| is_group_2(bytes) || bare(bytes).is_some();
    if begins(bytes) {
        return Some(0);
    }
    // A preamble of zeros without the mark behind it.
    let (preamble, rest) = bytes.split_at_checked(PREAMBLE)?;
    (preamble.iter().all(|&byte| byte == 0) && begins(rest)).then_some(PREAMBLE)
}

fn is_group_2(bytes: &[u8]) -> bool {
    matches!(bytes, [2, 0, _, 0, b'U', b'L' | b'I', ..] | [2, 0, _, 0, b'O', b'B', ..])
}

/// The transfer syntax of a data set without any word of it: its first elements are identifying ones of group 8.
fn bare(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(HEAD)];
    if let [
        0,
        8,
        0,
        _,
        b'U' | b'C' | b'D' | b'T' | b'S' | b'L',
        b'I' | b'L' | b'S' | b'A' | b'T' | b'M' | b'H' | b'O',
        0,
        ..,
    ] = *head
    {
        return Some(BIG_ENDIAN);
    }
    let [8, 0, low, 0, a, b, c, d, ..] = *head else { return None };
    let (syntax, length) = match [a, b] {
        [b'U', b'I' | b'L'] | [b'C', b'S'] | [b'D', b'A' | b'T'] | [b'T', b'M'] | [b'S', b'H'] | [b'L', b'O'] => {
            (uids::EXPLICIT_VR_LITTLE_ENDIAN, usize::from(u16::from_le_bytes([c, d])))
        }
        _ => (uids::IMPLICIT_VR_LITTLE_ENDIAN, u32::from_le_bytes([a, b, c, d]) as usize),
    };
    let next = head.get(8 + length..12 + length);
    // The next element stands in the same or the next group, behind this one.
    let follows = |next: &[u8]| match *next {
        [8, 0, after, 0] => after > low,
        _ => false,
    };
    let is_likely = length < SHORT && length % 2 == 0 && next.is_none_or(follows);
    (is_likely && (next.is_some() || head.len() == HEAD)).then_some(syntax)
}

/// Explicit VR, big endian: retired, and still found.
pub const BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";

/// Reads the file meta group element by element and stops where the group stops, whatever length it states.
pub fn read(bytes: &[u8]) -> Result<Meta, String> {
    let mut at = start(bytes).ok_or("no DICM mark after 128 bytes, and no data set without one")?;
    let [mut transfer_syntax, mut class, mut instance] = [const { String::new() }; 3];
    while let Some(&[2, 0, low, high, a, b, c, d]) = bytes.get(at..at + 8) {
        let is_long = matches!(&[a, b], b"OB" | b"OW" | b"UN" | b"SQ" | b"UT");
        let (value, length) = if is_long {
            let word = bytes.get(at + 8..at + 12).and_then(|word| word.try_into().ok()).map_or(0, u32::from_le_bytes);
            (at + 12, word as usize)
        } else {
            (at + 8, usize::from(u16::from_le_bytes([c, d])))
        };
        let left = bytes.len().saturating_sub(value);
        let content = bytes
            .get(value..value.saturating_add(length))
            .ok_or_else(|| format!("a field of {length} bytes in {left} bytes of the file meta group"))?;
        let text = || String::from_utf8_lossy(content).trim_matches(['\0', ' ']).to_owned();
        match u16::from_le_bytes([low, high]) {
            0x0002 => class = text(),
            0x0003 => instance = text(),
            0x0010 => transfer_syntax = text(),
            _ => (),
        }
        at = value + length;
    }
    if transfer_syntax.is_empty() {
        let guessed = bare(&bytes[at..]).ok_or("no transfer syntax, and its data set does not tell one")?;
        guessed.clone_into(&mut transfer_syntax);
    }
    // Some writers state explicit VR and write implicit VR, or the other way round.
    let is_plain = [uids::EXPLICIT_VR_LITTLE_ENDIAN, uids::IMPLICIT_VR_LITTLE_ENDIAN].contains(&&*transfer_syntax);
    if let Some(found) = bare(&bytes[at..]).filter(|_| is_plain) {
        found.clone_into(&mut transfer_syntax);
    }
    Ok(Meta { data_set: at, transfer_syntax, class, instance })
}

/// Explicit VR: sequences of unknown VR and undefined length hold implicit VR (CP-246), which the parser does not know.
/// They become plain bytes of their own length; the data set keeps its size.
pub fn known_lengths(data_set: &[u8]) -> Cow<'_, [u8]> {
    let mut patches = Vec::new();
    let mut walk = Walk { bytes: data_set, patches: &mut patches };
    // What cannot be walked here is left to the parser, which says what it is.
    let _ = walk.elements(0, data_set.len(), Vr::Explicit, 0, false);
    if patches.is_empty() {
        return Cow::Borrowed(data_set);
    }
    let mut owned = data_set.to_vec();
    for (at, length) in patches {
        owned[at..at + 4].copy_from_slice(&length.to_le_bytes());
    }
    Cow::Owned(owned)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Vr {
    Explicit,
    Implicit,
}

struct Walk<'a> {
    bytes: &'a [u8],
    patches: &'a mut Vec<(usize, u32)>,
}

const UNDEFINED: u32 = u32::MAX;
const ITEM: [u8; 4] = [0xfe, 0xff, 0x00, 0xe0];
const ITEM_END: [u8; 4] = [0xfe, 0xff, 0x0d, 0xe0];
const SEQUENCE_END: [u8; 4] = [0xfe, 0xff, 0xdd, 0xe0];

impl Walk<'_> {
    fn word(&self, at: usize) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?))
    }

    /// Elements up to `end`, or to the end of an item; gives where they stop.
    fn elements(&mut self, mut at: usize, end: usize, vr: Vr, depth: usize, in_item: bool) -> Option<usize> {
        if depth > crate::read::dicom::object::MAX_DEPTH {
            return None;
        }
        while at < end {
            let tag = self.bytes.get(at..at + 4)?;
            if tag == ITEM_END {
                return in_item.then_some(at + 8);
            }
            let (kind, length_at, value) = match vr {
                Vr::Implicit => ([0, 0], at + 4, at + 8),
                Vr::Explicit => match self.bytes.get(at + 4..at + 6)? {
                    kind @ (b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SQ" | b"SV" | b"UC" | b"UN" | b"UR"
                    | b"UT" | b"UV") => ([kind[0], kind[1]], at + 8, at + 12),
                    _ => ([0, 0], at + 6, at + 8),
                },
            };
            let length = match (vr, value - length_at) {
                (Vr::Explicit, 2) => u32::from(u16::from_le_bytes(self.bytes.get(length_at..value)?.try_into().ok()?)),
                _ => self.word(length_at)?,
            };
            let is_unknown = &kind == b"UN";
            at = match length {
                UNDEFINED if vr == Vr::Implicit => self.items(value, end, Vr::Implicit, depth)?,
                UNDEFINED if is_unknown => {
                    let stop = self.items(value, end, Vr::Implicit, depth)?;
                    self.patches.push((length_at, u32::try_from(stop - value).ok()?));
                    stop
                }
                UNDEFINED => self.items(value, end, vr, depth)?,
                _ => {
                    let stop = value.checked_add(length as usize).filter(|&stop| stop <= end)?;
                    if &kind == b"SQ" {
                        self.items(value, stop, vr, depth)?;
                    }
                    stop
                }
            };
        }
        (at == end).then_some(at)
    }

    /// Items, or fragments of compressed voxels, up to `end` or the end of the sequence.
    fn items(&mut self, mut at: usize, end: usize, vr: Vr, depth: usize) -> Option<usize> {
        while at < end {
            let (tag, length) = (self.bytes.get(at..at + 4)?, self.word(at + 4)?);
            if tag == SEQUENCE_END {
                return Some(at + 8);
            }
            if tag != ITEM {
                return None;
            }
            at = match length {
                UNDEFINED => self.elements(at + 8, end, vr, depth + 1, true)?,
                _ => {
                    let stop = (at + 8).checked_add(length as usize).filter(|&stop| stop <= end)?;
                    // Fragments hold no elements: what cannot be walked is passed over.
                    let patched = self.patches.len();
                    if self.elements(at + 8, stop, vr, depth + 1, false).is_none() {
                        self.patches.truncate(patched);
                    }
                    stop
                }
            };
        }
        Some(at)
    }
}
