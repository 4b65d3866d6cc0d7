//! The text of a page in whatever encoding it says, or seems, to have; what was assumed is said.

use encoding_rs::{Encoding, GB18030, UTF_8, WINDOWS_1252};

/// Bytes at the start in which a page names its encoding.
const HEAD: usize = 2048;

/// The text, and what a reader must know of how it was decoded; `None` when nothing was assumed and nothing lost.
pub fn text(bytes: &[u8]) -> (String, Option<String>) {
    if let Some((encoding, skip)) = Encoding::for_bom(bytes) {
        return decoded(encoding, &bytes[skip..], None);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), None);
    }
    match declared(&bytes[..bytes.len().min(HEAD)]) {
        Some(label) => match Encoding::for_label(label.as_bytes()) {
            // What says UTF-8 and is not is seldom anything but Windows-1252 pasted into it.
            Some(encoding) => decoded(encoding, bytes, None),
            None => {
                let why = format!("the page names the unknown encoding {label:?} and was read as Windows-1252");
                decoded(WINDOWS_1252, bytes, Some(why))
            }
        },
        None if is_chinese(bytes) => {
            let why = "the page names no encoding and is not UTF-8; it was read as GB18030".to_owned();
            decoded(GB18030, bytes, Some(why))
        }
        None => {
            let why = "the page names no encoding and is not UTF-8; it was read as Windows-1252".to_owned();
            decoded(WINDOWS_1252, bytes, Some(why))
        }
    }
}

/// Chinese characters that a file must have before its bytes are taken for GB18030.
const CHARACTERS: usize = 4;

/// Whether bytes that are no UTF-8 are Chinese in GB18030: nothing but pairs, and nearly all of them common characters or
/// full-width signs. Accented letters of Western encodings seldom come in pairs.
fn is_chinese(bytes: &[u8]) -> bool {
    let (mut at, mut common, mut all) = (0, 0, 0);
    while at < bytes.len() {
        if bytes[at] < 0x80 {
            at += 1;
            continue;
        }
        let Some(&second) = bytes.get(at + 1) else { return false };
        if !(0x81..=0xfe).contains(&bytes[at]) || !(0x40..=0xfe).contains(&second) || second == 0x7f {
            return false;
        }
        all += 1;
        // Level 1 of GB 2312, and its signs, full-width digits and Greek letters.
        common += usize::from(second >= 0xa1 && matches!(bytes[at], 0xb0..=0xd7 | 0xa1..=0xa6));
        at += 2;
    }
    common >= CHARACTERS && 10 * common >= 9 * all
}

/// The text of a file that is Chinese in GB18030 and says so nowhere, with what was assumed; `None` for any other.
pub fn chinese(bytes: &[u8]) -> Option<(String, String)> {
    if Encoding::for_bom(bytes).is_some() || std::str::from_utf8(bytes).is_ok() || !is_chinese(bytes) {
        return None;
    }
    let why = "the file is not UTF-8; it was read as GB18030".to_owned();
    let (text, note) = decoded(GB18030, bytes, Some(why));
    Some((text, note.unwrap_or_default()))
}

fn decoded(encoding: &'static Encoding, bytes: &[u8], why: Option<String>) -> (String, Option<String>) {
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let lost = text.matches('\u{fffd}').count();
    let lost = (lost > 0).then(|| format!("{lost} characters are none in {}", encoding.name()));
    let said: Vec<String> = why.into_iter().chain(lost).collect();
    let remedy =
        if encoding == UTF_8 { "save the page again" } else { "save the page as UTF-8 where letters are wrong" };
    (text.into_owned(), (!said.is_empty()).then(|| format!("{}; {remedy}", said.join("; "))))
}

/// The encoding that an XML declaration or a meta element names.
fn declared(head: &[u8]) -> Option<String> {
    let head: String = head.iter().map(|&byte| char::from(byte.to_ascii_lowercase())).collect();
    let at = head.find("charset").map(|at| at + 7).or_else(|| head.find("encoding").map(|at| at + 8))?;
    let rest = head[at..].trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
    let label: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-_:".contains(*c)).collect();
    (!label.is_empty()).then_some(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_does_not_say_of_its_letters_is_said() {
        let page = |head: &str, letters: &[u8]| [head.as_bytes(), b"<table><td>", letters, b"</table>"].concat();
        for (bytes, letters, said) in [
            (page("<meta charset=utf-8>", "Größe ±".as_bytes()), "Größe ±", None),
            (page("<meta charset='iso-8859-1'>", b"Gr\xf6\xdfe \xb1"), "Größe ±", None),
            (page("<?xml version='1.0' encoding=\"gb2312\"?>", b"\xc4\xea\xc1\xe4"), "年龄", None),
            (page("<html>", b"Gr\xf6\xdfe \xb1"), "Größe ±", Some("names no encoding")),
            (page("<html>", b"\xc4\xea\xc1\xe4 \xd0\xd4\xb1\xf0 1 \xa1\xc0 2"), "年龄 性别", Some("GB18030")),
            (page("<meta charset=klingon>", b"1 \xb1 2"), "1 ± 2", Some("unknown encoding \"klingon\"")),
            (page("<meta charset=utf-8>", b"1 \xb1 2"), "1 \u{fffd} 2", Some("1 characters are none in UTF-8")),
        ] {
            let (text, note) = text(&bytes);
            assert!(text.contains(letters), "{text}");
            assert_eq!(note.is_some(), said.is_some(), "{note:?}");
            assert!(note.is_none_or(|note| note.contains(said.unwrap_or(""))));
        }
    }
}
