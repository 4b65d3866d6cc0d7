//! Slips of typing and typesetting in a printed cell, and what was meant.

use crate::printed::Printed;

/// A mended text, what was wrong, and whether it is a notation rather than a slip.
pub(in crate::read) fn mended(text: &str) -> Option<(String, &'static str, bool)> {
    let chars: Vec<char> = text.chars().collect();
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    // 0·771
    if let Some(at) =
        (1..chars.len()).find(|&at| matches!(chars[at], '·' | '∙' | '・' | '‧' | '•') && digit(at - 1) && digit(at + 1))
    {
        let _ = at;
        let mended: String =
            chars.iter().map(|c| if matches!(c, '·' | '∙' | '・' | '‧' | '•') { '.' } else { *c }).collect();
        return Some((mended, "A raised point stands for the decimal point.", true));
    }
    // 5.87 * 10-5, 5.87 x 10^-5, 5.87E-05
    if let Some(mended) = scientific(text) {
        return Some((mended, "A power of ten was written out.", true));
    }
    // 0. 896, 0 .896
    let spaced: String = {
        let mut out = String::new();
        let mut at = 0;
        while at < chars.len() {
            let inner = chars[at] == ' '
                && (at > 1 && chars[at - 1] == '.' && digit(at.wrapping_sub(2)) && digit(at + 1)
                    || chars.get(at + 1) == Some(&'.') && at > 0 && digit(at - 1) && digit(at + 2));
            if !inner {
                out.push(chars[at]);
            }
            at += 1;
        }
        out
    };
    if spaced != text {
        return Some((spaced, "A space stands inside a number.", false));
    }
    // 0..896, 0.,896
    for (double, single) in [("..", "."), (".,", "."), (",.", "."), ("--", "-"), ("- -", "-")] {
        if text.contains(double) {
            return Some((text.replace(double, single), "A sign stands twice.", false));
        }
    }
    // 0.7910.636-0.946): two numbers glued, or a bracket missing.
    if let Some(mended) = unglued(text) {
        return Some((mended, "An opening bracket is missing.", false));
    }
    if let Some(mended) = closed(text) {
        return Some((mended, "A closing bracket is missing.", false));
    }
    // 61.6 (58.3 64.9): a dash is missing.
    if let Some((before, inner)) = text.split_once('(') {
        let ends: Vec<&str> = inner.trim_end_matches(')').split_whitespace().collect();
        if ends.len() == 2 && !before.trim().is_empty() {
            return Some((
                format!("{}({}-{})", before, ends[0], ends[1]),
                "A dash between the ends of the interval is missing.",
                false,
            ));
        }
    }
    // O for 0, l for 1
    let letters: String = chars
        .iter()
        .enumerate()
        .map(|(at, &c)| {
            let beside = at > 0 && (digit(at - 1) || matches!(chars[at - 1], '.' | '(' | '-'))
                || digit(at + 1)
                || chars.get(at + 1) == Some(&'.');
            match c {
                'O' | 'o' if beside => '0',
                'l' | 'I' if beside => '1',
                c => c,
            }
        })
        .collect();
    if letters != text && !letters.chars().any(|c| c.is_ascii_alphabetic()) {
        return Some((letters, "A letter stands in the place of a digit.", false));
    }
    // 0.5x: anything that follows a number.
    let end = chars.iter().position(|c| !(c.is_ascii_digit() || *c == '.' || *c == '-')).unwrap_or(chars.len());
    let tail: String = chars[end..].iter().collect();
    let head: String = chars[..end].iter().collect();
    let short = tail.trim().chars().count() <= 2 && !tail.contains(' ');
    (digit(0) && short && !tail.is_empty() && head.contains('.')).then_some((
        head,
        "A sign that belongs to no number follows it.",
        false,
    ))
}

/// Decimals of `5.87 * 10-5`; `None` when a text has no power of ten.
fn scientific(text: &str) -> Option<String> {
    let compact = text.replace(' ', "");
    let side: String = compact.chars().take_while(|c| matches!(c, '<' | '>' | '=')).collect();
    let body = &compact[side.len()..];
    let lower = body.to_lowercase();
    let (mantissa, exponent) = ["×10", "*10", "x10", "·10", "e"].iter().find_map(|mark| lower.split_once(mark))?;
    let exponent = exponent.trim_start_matches('^').trim_matches(['(', ')', '{', '}']);
    let exponent = exponent.replace('⁻', "-").chars().map(raised).collect::<String>();
    let exponent: i32 = exponent.parse().ok().filter(|it: &i32| (-15..=15).contains(it))?;
    let number = Printed::parse(mantissa)?;
    let decimals = (number.decimals() as i32 - exponent).max(0) as usize;
    Some(format!("{side}{:.decimals$}", number.value() * 10f64.powi(exponent)))
}

fn raised(c: char) -> char {
    match "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|it| it == c) {
        Some(digit) => char::from(b'0' + digit as u8),
        None => c,
    }
}

/// `0.7910.636-0.946)` as `0.791(0.636-0.946)`: the first number keeps as many decimals as the ends of the interval.
fn unglued(text: &str) -> Option<String> {
    let dash = text
        .char_indices()
        .skip(1)
        .find(|(at, c)| *c == '-' && text[..*at].trim_end().ends_with(|c: char| c.is_ascii_digit()))?
        .0;
    let (head, high) = (&text[..dash], text[dash + 1..].trim_end_matches([')', ']', ' ']).trim());
    if head.contains(['(', '[']) || !text.ends_with([')', ']']) {
        return None;
    }
    let decimals = high.split_once('.')?.1.len();
    if let Some((estimate, low)) = head.trim().split_once(' ') {
        return Some(format!("{} ({}-{high})", estimate.trim(), low.trim()));
    }
    let first = head.find('.')?;
    let cut = first + 1 + decimals;
    let (estimate, low) = (head.get(..cut)?, head.get(cut..)?);
    (low.contains('.') && low.parse::<f64>().is_ok()).then(|| format!("{estimate} ({low}-{high})"))
}

/// `0.791 (0.636-0.946` with its bracket.
fn closed(text: &str) -> Option<String> {
    let open = text.matches(['(', '[']).count();
    let close = text.matches([')', ']']).count();
    (open == close + 1).then(|| format!("{text})"))
}
