//! The one font: outlines and widths of Inter in two weights, so that text needs no font where it is read.
//!
//! `font/*.tsv` hold one character a line: code point, advance, outline in thousandths of an em with y upwards.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Height of capitals and depth under the baseline, in ems.
pub const CAP: f64 = 0.727;
pub const DESCENT: f64 = 0.22;
/// Baseline to baseline, in ems.
pub const LEADING: f64 = 1.25;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Weight {
    Regular,
    SemiBold,
}

/// One character: its advance in ems and its outline.
#[derive(Clone, Copy, Debug)]
pub struct Glyph {
    pub advance: f64,
    pub outline: &'static str,
}

type Glyphs = HashMap<char, Glyph>;

static REGULAR: LazyLock<Glyphs> = LazyLock::new(|| read(include_str!("font/regular.tsv")));
static SEMIBOLD: LazyLock<Glyphs> = LazyLock::new(|| read(include_str!("font/semibold.tsv")));

/// An empty box, for a character that the font lacks.
const MISSING: Glyph = Glyph { advance: 0.6, outline: "M60 0l480 0l0 700l-480 0zM110 50l0 600l380 0l0-600z" };

/// The character's glyph; a box where the font has none.
pub fn glyph(c: char, weight: Weight) -> Glyph {
    let glyphs = match weight {
        Weight::Regular => &*REGULAR,
        Weight::SemiBold => &*SEMIBOLD,
    };
    let plain = if c == '\u{a0}' || c == '\u{202f}' { ' ' } else { c };
    glyphs.get(&plain).copied().unwrap_or(MISSING)
}

/// Width of one line at `size`, in the unit of `size`.
pub fn width(text: &str, size: f64, weight: Weight) -> f64 {
    text.chars().map(|c| glyph(c, weight).advance).sum::<f64>() * size
}

/// Lines no wider than `room`, broken at spaces; a word that is wider alone keeps its line.
pub fn wrap(text: &str, size: f64, weight: Weight, room: f64) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is a first line");
        let longer = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
        if last.is_empty() || width(&longer, size, weight) <= room {
            *last = longer;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// The commands of an outline, each with its numbers.
pub fn commands(path: &str) -> impl Iterator<Item = (char, Vec<f64>)> {
    let starts: Vec<usize> = path.char_indices().filter(|(_, c)| c.is_ascii_alphabetic()).map(|(at, _)| at).collect();
    let parts = (0..starts.len()).map(move |n| (starts[n], starts.get(n + 1).copied()));
    parts.map(move |(from, to)| {
        let part = &path[from..to.unwrap_or(path.len())];
        let spaced = part[1..].replace('-', " -");
        let command = part.chars().next().expect("a part begins with its command");
        (command, spaced.split_whitespace().filter_map(|number| number.parse().ok()).collect())
    })
}

/// Every character that the font has.
#[cfg(test)]
pub fn characters(weight: Weight) -> impl Iterator<Item = char> {
    let glyphs = if weight == Weight::Regular { &*REGULAR } else { &*SEMIBOLD };
    glyphs.keys().copied()
}

fn read(table: &'static str) -> Glyphs {
    let glyph = |line: &'static str| {
        let mut parts = line.split('\t');
        let code = u32::from_str_radix(parts.next()?, 16).ok().and_then(char::from_u32)?;
        let advance = parts.next()?.parse::<f64>().ok()? / 1000.0;
        Some((code, Glyph { advance, outline: parts.next()? }))
    };
    table.lines().filter_map(glyph).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_glyph_tables_is_read() {
        for (glyphs, text) in
            [(&*REGULAR, include_str!("font/regular.tsv")), (&*SEMIBOLD, include_str!("font/semibold.tsv"))]
        {
            assert_eq!(glyphs.len(), text.lines().count());
            assert!((' '..='~').all(|c| glyphs.contains_key(&c)));
        }
    }

    #[test]
    fn lines_are_broken_at_spaces_and_keep_every_word() {
        let lines = wrap("alkaline phosphatase, U/L", 7.0, Weight::Regular, 50.0);
        assert_eq!(lines.join(" "), "alkaline phosphatase, U/L");
        assert!(lines.len() > 1);
        assert_eq!(wrap("", 7.0, Weight::Regular, 0.0), [""]);
    }
}
