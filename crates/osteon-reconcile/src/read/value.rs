//! What one printed cell says, read leniently: every slip that can be mended is mended and told.

use crate::cells::Odd;
use crate::printed::Printed;
use crate::read::mend::mended;
use crate::read::tokens::{self, Token, Tokens};

/// The shape of a cell's text, before its column and row say what the numbers are.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Nothing, a dash, `NA`.
    Absent,
    Reference,
    /// No number that stands for itself.
    Words,
    /// `0.771`, `<0.001`, `75.7%`
    One(Printed),
    /// `24 (25.8)`, `17.1 (9.0)`
    Pair(Printed, Printed),
    /// `17.13 ± 9.01`, with or without a range behind it
    PlusMinus(Printed, Printed),
    /// `1.148 (0.452-2.914)`
    Interval(Printed, Printed, Printed),
    /// `0.452-2.914`, `(15–62)`
    Ends(Printed, Printed),
    /// `Z = 1.189 (p value = 0.264)`
    Test(Printed, Printed),
}

/// A cell's shape with what stood beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    pub shape: Shape,
    /// The leading number has a percent sign.
    pub is_percent: bool,
    /// The second number of a pair has one: `24 (25.8%)`.
    pub is_share: bool,
    pub has_comma: bool,
    pub fraction: Option<(u64, u64)>,
    /// Ends printed behind a mean and its SD.
    pub range: Option<(Printed, Printed)>,
    /// P printed in the same cell.
    pub p: Option<Printed>,
    /// The word `Reference` stands before the numbers: they are of the next level.
    pub after_reference: bool,
    /// The statistic that the number is said to be: `z` of `Z = -2.31`.
    pub letter: Option<String>,
    pub odd: Option<Odd>,
}

/// Reads a cell's text.
pub fn read(text: &str) -> Read {
    read_by(text, false)
}

/// As `read`, of a file that writes decimals with a comma, or does not.
pub fn read_by(text: &str, is_decimal: bool) -> Read {
    let mut reading = Read {
        shape: Shape::Words,
        is_percent: false,
        is_share: false,
        has_comma: false,
        fraction: None,
        range: None,
        p: None,
        after_reference: false,
        letter: None,
        odd: None,
    };
    let plain = normal(text);
    let lower = plain.to_lowercase();
    let bare = lower.trim_matches(|c: char| c.is_whitespace() || "*†‡§¶#.·".contains(c));
    const ABSENT: [&str; 14] =
        ["", "-", "--", "---", "/", "na", "n/a", "n.a", "nan", "nr", "n.r", "…", "not available", "not reported"];
    if ABSENT.contains(&bare) {
        reading.shape = Shape::Absent;
        return reading;
    }
    let mut rest = plain.as_str();
    for word in ["reference", "referent", "ref.", "ref", "1.00 (reference)", "1.0 (reference)", "1 (reference)"] {
        if lower.starts_with(word) && !lower[word.len()..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            let after = rest[word.len()..].trim_start_matches([' ', '.', ':', ';', ')']);
            if after.is_empty() || !after.bytes().any(|byte| byte.is_ascii_digit()) {
                reading.shape = Shape::Reference;
                return reading;
            }
            reading.after_reference = true;
            rest = after;
            break;
        }
    }
    if !reading.after_reference && (lower.contains("reference") || lower.contains("(ref")) {
        reading.shape = Shape::Reference;
        return reading;
    }
    // `χ2 = 5.13`, `Z = -2.31`: the column says what it is.
    const STATISTICS: [&str; 14] = ["t", "z", "f", "u", "h", "w", "q", "χ2", "χ²", "x2", "x²", "wald", "r", "κ"];
    if let Some((head, tail)) = rest.split_once('=')
        && STATISTICS.contains(&head.trim().to_lowercase().as_str())
        && !tail.contains(['=', '('])
    {
        rest = tail.trim_start();
        reading.letter = Some(head.trim().to_lowercase());
    }
    if let Some((shape, odd)) = date(rest, text) {
        (reading.shape, reading.odd) = (shape, Some(odd));
        return reading;
    }
    parse(rest, is_decimal, &mut reading);
    if reading.shape == Shape::Words
        && let Some((mended, why, is_notation)) = mended(rest)
    {
        let mut second = Read { shape: Shape::Words, ..reading.clone() };
        parse(&mended, is_decimal, &mut second);
        if second.shape != Shape::Words {
            second.odd = Some(Odd { mended, why: why.to_owned(), is_notation });
            return second;
        }
    }
    reading
}

/// ASCII signs for what typesetters and keyboards have in their place.
pub fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '−' | '–' | '—' | '‐' | '‑' | '‒' | '―' | '﹣' | '－' => out.push('-'),
            '∼' | '～' | '〜' | '˜' => out.push('~'),
            '（' | '［' => out.push('('),
            '）' | '］' => out.push(')'),
            '，' => out.push(','),
            '；' => out.push(';'),
            '：' => out.push(':'),
            '．' => out.push('.'),
            '％' => out.push('%'),
            '＜' | '﹤' => out.push('<'),
            '＞' | '﹥' => out.push('>'),
            '＝' => out.push('='),
            '≦' | '⩽' | '≤' => out.push('≤'),
            '≧' | '⩾' | '≥' => out.push('≥'),
            '＋' => out.push('+'),
            '０'..='９' => out.push(char::from(b'0' + (c as u32 - '０' as u32) as u8)),
            '∗' | '⁎' => out.push('*'),
            c if c.is_whitespace() => out.push(' '),
            c => out.push(c),
        }
    }
    out.replace("+/-", "±").replace("+-", "±").trim().to_owned()
}

/// Whether a file writes decimals with a comma: a number begins with `0,` and two digits, which no thousands do, in more
/// of its cells than have a decimal point.
pub fn has_decimal_commas<'a>(cells: impl Iterator<Item = &'a str>) -> bool {
    let (mut commas, mut points) = (0, 0);
    for text in cells {
        let chars: Vec<char> = text.chars().collect();
        let digit = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(char::is_ascii_digit);
        let before = |at: usize| at.checked_sub(1).and_then(|at| chars.get(at)).copied().unwrap_or(' ');
        let is_comma = |at: usize| {
            let starts = chars[at] == '0' && !before(at).is_ascii_digit() && !matches!(before(at), '.' | ',');
            starts && chars.get(at + 1) == Some(&',') && digit(Some(at + 2)) && digit(Some(at + 3))
        };
        let is_point = |at: usize| chars[at] == '.' && digit(at.checked_sub(1)) && digit(Some(at + 1));
        commas += usize::from((0..chars.len()).any(is_comma));
        points += usize::from((0..chars.len()).any(is_point));
    }
    commas > points
}

/// `02-May`: a spreadsheet took the cell for a date.
fn date(text: &str, printed: &str) -> Option<(Shape, Odd)> {
    const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let (one, other) = text.split_once(['-', ' '])?;
    let month = |word: &str| MONTHS.iter().position(|it| word.to_lowercase() == *it).map(|at| at as u64 + 1);
    let day = |word: &str| word.parse::<u64>().ok().filter(|day| (1..=99).contains(day));
    let (low, high) = match (day(one), month(other), month(one), day(other)) {
        (Some(day), Some(month), ..) => (day, month),
        (_, _, Some(month), Some(day)) => (month, day),
        _ => return None,
    };
    let number = |n: u64| Printed::parse(&n.to_string()).expect("a whole number");
    let mended = format!("{low}-{high}");
    let why = format!("A date where numbers stand: a spreadsheet has probably turned {mended} into {printed}.");
    Some((Shape::Ends(number(low), number(high)), Odd { mended, why, is_notation: false }))
}

/// Reads what is well written; the shape stays `Words` otherwise.
fn parse(text: &str, is_decimal: bool, reading: &mut Read) {
    let Some(Tokens { tokens, has_comma }) = tokens::tokens(text, is_decimal) else { return };
    reading.has_comma |= has_comma;
    if let Some(shape) = shape(&tokens, reading) {
        reading.shape = shape;
    }
}

fn shape(tokens: &[Token], reading: &mut Read) -> Option<Shape> {
    use Token::{Close, Dash, Equals, Number, Open, PlusMinus, Separator, Slash, Word};
    let number = |token: &Token| match token {
        Number { printed, .. } => Some(*printed),
        _ => None,
    };
    let percent = |token: &Token| matches!(token, Number { is_percent: true, .. });
    let is_p = |word: &str| matches!(word, "p" | "pvalue" | "p-value");
    // A test with its P: two numbers, the second named p.
    if tokens.iter().any(|token| matches!(token, Word(word) if is_p(word))) {
        return with_p(tokens, reading);
    }
    if tokens.iter().any(|token| matches!(token, Word(word) if word != "to" && word != "and" && word != "vs")) {
        return None;
    }
    let sep = |token: &Token| {
        matches!(token, Dash | Separator) || matches!(token, Word(word) if word == "to" || word == "and")
    };
    reading.is_percent = tokens.first().is_some_and(percent);
    let whole =
        |token: &Token| number(token).filter(|it| it.decimals() == 0 && it.value() >= 0.0).map(|it| it.value() as u64);
    match tokens {
        [a @ Number { .. }] => Some(Shape::One(number(a)?)),
        [Open, a @ Number { .. }, Close] => Some(Shape::One(number(a)?)),
        [a @ Number { .. }, Open, b @ Number { .. }, Close] | [a @ Number { .. }, Open, b @ Number { .. }]
            if matches!(tokens.last(), Some(Close)) =>
        {
            reading.is_share = percent(b);
            Some(Shape::Pair(number(a)?, number(b)?))
        }
        [a @ Number { .. }, Open, PlusMinus, b @ Number { .. }, Close] => {
            Some(Shape::PlusMinus(number(a)?, number(b)?))
        }
        [a @ Number { .. }, PlusMinus, b @ Number { .. }, rest @ ..] => match rest {
            [] => Some(Shape::PlusMinus(number(a)?, number(b)?)),
            [Open, l @ Number { .. }, s, h @ Number { .. }, Close] if sep(s) => {
                reading.range = number(l).zip(number(h));
                Some(Shape::PlusMinus(number(a)?, number(b)?))
            }
            [Open, Number { .. }, Close] => Some(Shape::PlusMinus(number(a)?, number(b)?)),
            _ => None,
        },
        [a @ Number { .. }, Open, l @ Number { .. }, s, h @ Number { .. }, Close, rest @ ..] if sep(s) => {
            reading.fraction = fraction(rest);
            Some(Shape::Interval(number(a)?, number(l)?, number(h)?))
        }
        [a @ Number { .. }, Open, l @ Number { .. }, Slash, h @ Number { .. }, Close, rest @ ..] => {
            reading.fraction = Some((whole(l)?, whole(h)?));
            match rest {
                [Open, l @ Number { .. }, s, h @ Number { .. }, Close] if sep(s) => {
                    Some(Shape::Interval(number(a)?, number(l)?, number(h)?))
                }
                [] => Some(Shape::One(number(a)?)),
                _ => None,
            }
        }
        // `50 / 47.6%`, `12, 34.5%`
        [a @ Number { is_percent: false, .. }, Slash | Separator, b @ Number { is_percent: true, .. }]
            if whole(a).is_some() =>
        {
            reading.is_share = true;
            Some(Shape::Pair(number(a)?, number(b)?))
        }
        [a @ Number { .. }, Slash, b @ Number { .. }, rest @ ..] => {
            reading.fraction = Some((whole(a)?, whole(b)?));
            match rest {
                [] => Some(Shape::One(number(a)?)),
                [Open, c @ Number { .. }, Close] | [Separator, c @ Number { .. }] => {
                    reading.is_share = percent(c);
                    Some(Shape::Pair(number(a)?, number(c)?))
                }
                [Open, c @ Number { .. }, Separator | Open, l @ Number { .. }, s, h @ Number { .. }, Close, ..]
                    if sep(s) =>
                {
                    let _ = (l, h);
                    reading.is_share = percent(c);
                    Some(Shape::Pair(number(a)?, number(c)?))
                }
                _ => None,
            }
        }
        // A count with percentage and something more behind it.
        [a @ Number { .. }, Open, b @ Number { .. }, Close, Open, l @ Number { .. }, s, h @ Number { .. }, Close]
            if sep(s) =>
        {
            reading.range = number(l).zip(number(h));
            reading.is_share = percent(b);
            Some(Shape::Pair(number(a)?, number(b)?))
        }
        [a @ Number { .. }, Separator, l @ Number { .. }, Dash, h @ Number { .. }] => {
            Some(Shape::Interval(number(a)?, number(l)?, number(h)?))
        }
        [a @ Number { .. }, Open, l @ Number { .. }, Close, Dash | Separator, Open, h @ Number { .. }, Close] => {
            let _ = (l, h);
            Some(Shape::One(number(a)?))
        }
        [l @ Number { .. }, s, h @ Number { .. }] if sep(s) => Some(Shape::Ends(number(l)?, number(h)?)),
        [Open, l @ Number { .. }, s, h @ Number { .. }, Close] if sep(s) => Some(Shape::Ends(number(l)?, number(h)?)),
        // `n = 24`, `r = 0.53`
        [Equals, a @ Number { .. }] => Some(Shape::One(number(a)?)),
        // `n = 24 (25.8%)`
        [Equals, rest @ ..] => shape(rest, reading),
        _ => None,
    }
}

fn fraction(tokens: &[Token]) -> Option<(u64, u64)> {
    let whole = |token: &Token| match token {
        Token::Number { printed, .. } if printed.decimals() == 0 && printed.value() >= 0.0 => {
            Some(printed.value() as u64)
        }
        _ => None,
    };
    match tokens {
        [Token::Open, a, Token::Slash, b, Token::Close] => Some((whole(a)?, whole(b)?)),
        _ => None,
    }
}

/// `P = 0.645`, `Z = 1.189 (p value = 0.264)`, `-1.5 (95% CI, -6.4, 3.5; P = 0.387)`
fn with_p(tokens: &[Token], reading: &mut Read) -> Option<Shape> {
    let at = tokens.iter().position(|token| matches!(token, Token::Word(word) if word.starts_with('p')))?;
    let p = tokens[at..].iter().find_map(|token| match token {
        Token::Number { printed, .. } => Some(*printed),
        _ => None,
    })?;
    let before: Vec<Printed> = tokens[..at]
        .iter()
        .filter_map(|token| match token {
            Token::Number { printed, .. } => Some(*printed),
            _ => None,
        })
        .collect();
    match before[..] {
        [] => Some(Shape::One(p)),
        [statistic] => Some(Shape::Test(statistic, p)),
        [estimate, low, high] => {
            reading.p = Some(p);
            Some(Shape::Interval(estimate, low, high))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Printed {
        Printed::parse(text).unwrap()
    }

    #[test]
    fn cells_are_read_as_papers_print_them() {
        let interval = |a, b, c| Shape::Interval(number(a), number(b), number(c));
        for (text, shape) in [
            ("0.59 (0.50–0.68)*", interval("0.59", "0.50", "0.68")),
            ("0.60 (0.52–0.75) *", interval("0.60", "0.52", "0.75")),
            ("1.05~1.65", Shape::Ends(number("1.05"), number("1.65"))),
            ("[1.09–1.37]", Shape::Ends(number("1.09"), number("1.37"))),
            ("0.89 [0.81,0.96]", interval("0.89", "0.81", "0.96")),
            ("0.837 (0.753–0.921)", interval("0.837", "0.753", "0.921")),
            ("0.970 (0.939–1)", interval("0.970", "0.939", "1")),
            ("86.0% (79.5%–90.7%)", interval("86.0", "79.5", "90.7")),
            ("68.8 (67.1 – 70.4)", interval("68.8", "67.1", "70.4")),
            ("0.84 (95% CI: 0.71 to 0.93)", interval("0.84", "0.71", "0.93")),
            ("-0.5(-0.6--0.4)", interval("-0.5", "-0.6", "-0.4")),
            ("57.3 ± 14.0", Shape::PlusMinus(number("57.3"), number("14.0"))),
            ("57.3 ± 14.0 (20-81)", Shape::PlusMinus(number("57.3"), number("14.0"))),
            ("−0.35 ± 8.93", Shape::PlusMinus(number("-0.35"), number("8.93"))),
            ("36 (95%)", Shape::Pair(number("36"), number("95"))),
            ("20 ( 7.1)", Shape::Pair(number("20"), number("7.1"))),
            ("1,234 (5.6)", Shape::Pair(number("1234"), number("5.6"))),
            ("122/163 (74.8)", Shape::Pair(number("122"), number("74.8"))),
            ("75.0 (30/40)", Shape::One(number("75.0"))),
            ("< 0.001", Shape::One(number("<0.001"))),
            ("0.554a", Shape::One(number("0.554"))),
            ("P = 0.645", Shape::One(number("0.645"))),
            ("38.8 *", Shape::One(number("38.8"))),
            ("Z = 1.189 (p value = 0.264)", Shape::Test(number("1.189"), number("0.264"))),
            ("−1.5 (95% CI, −6.4, 3.5; P = 0.387)", interval("-1.5", "-6.4", "3.5")),
            ("Reference 0.433 (0.137–1.376)", interval("0.433", "0.137", "1.376")),
            ("Ref.", Shape::Reference),
            ("1 (reference)", Shape::Reference),
            ("-", Shape::Absent),
            ("Fisher", Shape::Words),
            ("see text", Shape::Words),
            ("(15–62)", Shape::Ends(number("15"), number("62"))),
        ] {
            let read = read(text);
            assert_eq!((read.shape, read.odd), (shape, None), "{text}");
        }
        assert_eq!(read("122/163 (74.8)").fraction, Some((122, 163)));
        assert!(read("5 (55,6)").has_comma && read("76.57%").is_percent);
    }

    #[test]
    fn odd_cells_are_mended_and_told() {
        for (text, mended, shape) in [
            ("0. 896", "0.896", Shape::One(number("0.896"))),
            ("0·771", "0.771", Shape::One(number("0.771"))),
            ("5.87 * 10−5", "0.0000587", Shape::One(number("0.0000587"))),
            ("5.87 × 10^-5", "0.0000587", Shape::One(number("0.0000587"))),
            ("1.2E-03", "0.0012", Shape::One(number("0.0012"))),
            ("61.6 (58.3 64.9)", "61.6 (58.3-64.9)", Shape::Interval(number("61.6"), number("58.3"), number("64.9"))),
            (
                "0.7910.636-0.946)",
                "0.791 (0.636-0.946)",
                Shape::Interval(number("0.791"), number("0.636"), number("0.946")),
            ),
            (
                "0.791 (0.636-0.946",
                "0.791 (0.636-0.946)",
                Shape::Interval(number("0.791"), number("0.636"), number("0.946")),
            ),
            ("0.5x", "0.5", Shape::One(number("0.5"))),
            ("02-May", "2-5", Shape::Ends(number("2"), number("5"))),
        ] {
            let read = read(text);
            assert_eq!(read.shape, shape, "{text}");
            assert_eq!(read.odd.map(|odd| odd.mended).as_deref(), Some(mended), "{text}");
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_read() {
        for text in [
            "(((((", "1.2.3.4", "±", "1 ±", "<", "<<<", "-", "(-", "%", "1/", "/1", "·", "e5", "1e", "₁", "1,2,3,4",
            "0,", "x10", "(",
        ] {
            read(text);
        }
        read(&"(".repeat(100_000));
        read(&"1".repeat(100_000));
    }
}
