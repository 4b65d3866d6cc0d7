//! The text of a page in whatever encoding it says, or seems, to have; what was assumed is said.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

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
        None => {
            let why = "the page names no encoding and is not UTF-8; it was read as Windows-1252".to_owned();
            decoded(WINDOWS_1252, bytes, Some(why))
        }
    }
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
