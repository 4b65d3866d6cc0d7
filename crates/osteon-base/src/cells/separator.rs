//! Which character separates the cells of a text.

use crate::cells::{Note, scan};

/// What stands between two cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    Comma,
    Tab,
    Semicolon,
    Pipe,
}

impl Separator {
    /// All separators; of equally good ones the first is taken, for tabs are rare in prose.
    pub const ALL: [Separator; 4] = [Separator::Tab, Separator::Comma, Separator::Semicolon, Separator::Pipe];

    /// The character, which is ASCII.
    pub fn byte(self) -> u8 {
        match self {
            Separator::Comma => b',',
            Separator::Tab => b'\t',
            Separator::Semicolon => b';',
            Separator::Pipe => b'|',
        }
    }

    /// As a message names it.
    pub fn name(self) -> &'static str {
        match self {
            Separator::Comma => "commas",
            Separator::Tab => "tabs",
            Separator::Semicolon => "semicolons",
            Separator::Pipe => "pipes",
        }
    }
}

/// Records that are looked at.
const SAMPLE: usize = 100;

/// The separator, the text that it separates, and the line on which this begins.
pub fn find<'a>(text: &'a str, given: Option<Separator>, notes: &mut Vec<Note>) -> (Separator, &'a str, usize) {
    let (named, body, line) = named(text);
    if named.is_some() {
        notes.push(Note::SeparatorLine);
    }
    let separator = given.or(named).unwrap_or_else(|| guess(body));
    if separator != Separator::Comma {
        notes.push(Note::Separator(separator));
    }
    (separator, body, line)
}

/// The separator that a first line `sep=;` names.
fn named(text: &str) -> (Option<Separator>, &str, usize) {
    let (first, rest) = text.split_at(text.find(['\n', '\r']).unwrap_or(text.len()));
    // Not trimmed of white space: the separator may be a tab.
    let word = first.trim_matches('"');
    let sign = word.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| &word.as_bytes()[4..]);
    let separator = sign.and_then(|sign| Separator::ALL.into_iter().find(|known| sign == [known.byte()]));
    match separator {
        Some(_) => (separator, rest.strip_prefix("\r\n").or(rest.get(1..)).unwrap_or_default(), 2),
        None => (None, text, 1),
    }
}

/// The separator by which most of the first records have one number of cells; then the one with more cells; then the one
/// that a space follows less often, as it does in prose. A comma where there is none.
fn guess(text: &str) -> Separator {
    let sample = SAMPLE_BYTES.min(text.len());
    let spaced = |separator: Separator| {
        let bytes = &text.as_bytes()[..sample];
        bytes.windows(2).filter(|pair| *pair == [separator.byte(), b' ']).count()
    };
    let score = |separator: Separator| {
        let mut widths = scan::widths(text, separator, SAMPLE);
        widths.retain(|&width| width > 1);
        widths.sort_unstable();
        let agree = widths.chunk_by(|a, b| a == b).map(|same| (same.len(), same[0])).max();
        agree.map(|(records, width)| (records, width, std::cmp::Reverse(spaced(separator))))
    };
    let scored = Separator::ALL.into_iter().rev().filter_map(|it| score(it).map(|score| (score, it)));
    scored.max_by_key(|(score, _)| *score).map_or(Separator::Comma, |(_, separator)| separator)
}

/// Part of the text in which spaces behind separators are counted.
const SAMPLE_BYTES: usize = 64 << 10;
