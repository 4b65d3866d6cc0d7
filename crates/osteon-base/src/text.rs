//! Text that terminals, files and people can be given: no control, bidirectional, invisible or tag characters.

use std::borrow::Cow;

/// The text without characters that act instead of showing; line breaks and tabs become spaces.
///
/// Removed: C0 and C1 controls, DEL, soft hyphen, zero-width and bidirectional controls, interlinear marks,
/// tag characters, noncharacters and private use. What terminals obey cannot get through.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(shows) {
        return Cow::Borrowed(text);
    }
    let spaced = text.chars().map(|c| if breaks(c) { ' ' } else { c });
    Cow::Owned(spaced.filter(|&c| shows(c)).collect())
}

/// Like `clean`, keeping the line breaks: for text of several lines that this program wrote around foreign words.
pub fn clean_lines(text: &str) -> String {
    text.split('\n').map(clean).collect::<Vec<_>>().join("\n")
}

/// `1 patient`, `2 patients`: for words that take an s.
pub fn counted(n: usize, one: &str) -> String {
    format!("{n} {one}{}", if n == 1 { "" } else { "s" })
}

/// As much of a cell as a message can show: 60 characters, and an ellipsis where it goes on.
pub fn shown(text: &str) -> String {
    const SHOWN: usize = 60;
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn breaks(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn shows(c: char) -> bool {
    !matches!(
        c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
            | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{10ffff}'
    )
}

/// Bytes as lower case hexadecimal digits, two a byte.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_instead_of_showing_is_removed() {
        let check = |input: &str, expected: &str| assert_eq!(clean(input), expected, "{input:?}");
        check("Müller, 骨肉腫 ≥ 90 %", "Müller, 骨肉腫 ≥ 90 %");
        check("a\x1b[2Jb", "a[2Jb");
        check("a\u{9b}31mb", "a31mb");
        check("left\u{202e}thgir", "leftthgir");
        check("ze\u{200b}ro\u{feff}", "zero");
        check("tag\u{e0041}", "tag");
        check("two\r\nlines\u{2028}more", "two  lines more");
        assert_eq!(clean_lines("a\x07\nb"), "a\nb");
        assert_eq!((shown("<0.5"), shown(&"ü".repeat(1_000_000))), ("<0.5".to_owned(), format!("{}…", "ü".repeat(60))));
    }
}
