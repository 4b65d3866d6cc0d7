//! A cell's text cut into numbers, brackets, marks and words, as typesetters and keyboards write them.

use crate::printed::Printed;

/// One piece of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Number { printed: Printed, is_percent: bool },
    Open,
    Close,
    Dash,
    Separator,
    Slash,
    PlusMinus,
    Equals,
    Word(String),
}

/// The pieces of a cell, and whether a number has a decimal comma.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    pub tokens: Vec<Token>,
    pub has_comma: bool,
}

/// The tokens of a normal text; `None` when a character has no place in a cell of numbers. Where the file writes
/// decimals with a comma, `1,000` is one.
pub fn tokens(text: &str, is_decimal: bool) -> Option<Tokens> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut has_comma = false;
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        let after_number = matches!(tokens.last(), Some(Token::Number { .. } | Token::Close));
        let starts_number = |c: char, next: char| c.is_ascii_digit() || c == '.' && next.is_ascii_digit();
        let sign_starts =
            matches!(c, '-' | '+') && !after_number && starts_number(next, chars.get(at + 2).copied().unwrap_or(' '));
        let side = matches!(c, '<' | '>' | '≤' | '≥');
        if starts_number(c, next) || sign_starts || side {
            let (number, end) = number(&chars, at)?;
            at = end;
            let spaced = chars[at..].iter().position(|c| *c != ' ').map_or(at, |more| at + more);
            let is_percent = chars.get(spaced) == Some(&'%');
            if is_percent {
                at = spaced + 1;
            }
            let is_decimal = is_decimal && number.matches(',').count() == 1 && !number.contains('.');
            let text = if is_decimal { number } else { without_thousands(&number) };
            has_comma |= text.contains(',');
            tokens.push(Token::Number { printed: Printed::parse(&text)?, is_percent });
            continue;
        }
        at += 1;
        if is_mark(c, &tokens, &chars[at..]) {
            // Digits behind it are the mark's.
            at = if c == '^' { chars.len() } else { at };
            continue;
        }
        match c {
            ' ' | '*' | '†' | '‡' | '§' | '¶' | '#' | '"' | '\'' | '$' => (),
            '(' | '[' | '{' => tokens.push(Token::Open),
            ')' | ']' | '}' => tokens.push(Token::Close),
            '-' | '~' | '÷' => tokens.push(Token::Dash),
            ',' | ';' | ':' | '|' => tokens.push(Token::Separator),
            '/' => tokens.push(Token::Slash),
            '±' => tokens.push(Token::PlusMinus),
            '=' => tokens.push(Token::Equals),
            '%' => tokens.push(Token::Word("%".to_owned())),
            c => {
                let mut word = String::from(c);
                while let Some(more) = chars.get(at).filter(|c| c.is_alphanumeric() || "²2.'’".contains(**c)) {
                    // `P.05` ends before its number; `p` of `p0.05` too.
                    if *more == '.' && chars.get(at + 1).is_some_and(char::is_ascii_digit) {
                        break;
                    }
                    word.push(*more);
                    at += 1;
                }
                tokens.push(Token::Word(word.to_lowercase()));
            }
        }
        if tokens.len() > 60 {
            return None;
        }
    }
    Some(Tokens { tokens: without_marks(tokens), has_comma })
}

/// Whether a character is a footnote mark: a raised letter or sign, a geometric shape, a raised digit behind a number
/// with decimals (behind a whole number it may be a power), and what LaTeX and Markdown put around such marks.
fn is_mark(c: char, before: &[Token], rest: &[char]) -> bool {
    let after = matches!(before.last(), Some(Token::Close))
        || matches!(before.last(), Some(Token::Number { printed, .. }) if printed.decimals() > 0);
    match c {
        '\u{1d2c}'..='\u{1d6a}'
        | '\u{1d9b}'..='\u{1dbf}'
        | '\u{2071}'
        | '\u{207f}'
        | '\u{2b0}'..='\u{2ff}'
        | 'ª'
        | 'º' => true,
        '¹' | '²' | '³' | '⁰'..='ⁿ' => after && !rest.iter().any(char::is_ascii_digit),
        '\u{25a0}'..='\u{27bf}' | '\u{2190}'..='\u{21ff}' | '\u{2b00}'..='\u{2bff}' | '※' | '‖' | '∥' | '⁑' | '⁂' => {
            true
        }
        'Δ' | '∆' | '′' | '″' | '`' | '¤' | '°' | '@' | '&' => {
            matches!(before.last(), Some(Token::Number { .. } | Token::Close))
        }
        '^' => {
            let text: String = rest.iter().collect();
            let mark = text.trim().trim_end_matches('^');
            let is_letter = mark.chars().count() < 4 && mark.chars().all(|c| c.is_ascii_lowercase() || c == ',');
            let is_digit = after && mark.len() < 3 && mark.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
            is_letter || is_digit
        }
        _ => false,
    }
}

/// The number that begins here, with its sign and side, and where it ends.
fn number(chars: &[char], from: usize) -> Option<(String, usize)> {
    let mut at = from;
    let mut out = String::new();
    while let Some(c) =
        chars.get(at).filter(|c| matches!(c, '<' | '>' | '≤' | '≥' | '=' | ' ') && (at == from || !out.is_empty()))
    {
        if *c != ' ' {
            out.push(*c);
        }
        at += 1;
    }
    if let Some(sign) = chars.get(at).filter(|c| matches!(c, '-' | '+')) {
        out.push(*sign);
        at += 1;
    }
    let begin = at;
    let mut points = 0;
    while let Some(c) = chars.get(at) {
        let digit_follows = chars.get(at + 1).is_some_and(char::is_ascii_digit);
        match c {
            '0'..='9' => out.push(*c),
            '.' if digit_follows && points == 0 => {
                points += 1;
                out.push('.');
            }
            // `2 011`: a space between thousands.
            ' ' if points == 0 && is_inner_space(chars, begin, at) => (),
            // A comma before digits is of the number unless a point says that it separates two.
            ',' if digit_follows && points == 0 && is_inner_comma(chars, begin, at) => out.push(','),
            _ => break,
        }
        at += 1;
    }
    let glued = chars.get(at) == Some(&'.') && chars.get(at + 1).is_some_and(char::is_ascii_digit);
    (at > begin && !glued).then_some((out, at))
}

/// Whether the space at `at` stands between the thousands of the number that begins at `begin`.
fn is_inner_space(chars: &[char], begin: usize, at: usize) -> bool {
    let digits = |from: usize| chars[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let first = digits(begin);
    let ends = chars.get(at + 4).copied().unwrap_or(' ');
    let is_group = (1..4).contains(&first) && chars[begin] != '0' && digits(at + 1) == 3;
    // `12 345.6` may be two numbers.
    is_group && (chars[begin..at].contains(&' ') || begin + first == at) && !matches!(ends, '.' | ',' | '%')
}

/// Whether the comma at `at` belongs to the number that begins at `begin`: thousands (`1,234`) or decimals (`0,84`).
fn is_inner_comma(chars: &[char], begin: usize, at: usize) -> bool {
    let digits = chars[at + 1..].iter().take_while(|c| c.is_ascii_digit()).count();
    let ends = chars.get(at + 1 + digits).copied().unwrap_or(' ');
    let thousands = digits == 3 && at - begin <= 3 && chars[begin] != '0';
    let followed_by_point = ends == '.';
    if followed_by_point {
        return thousands;
    }
    let before = chars[begin..at].iter().filter(|c| **c == ',').count();
    thousands || before == 0 && ends != ','
}

/// `1,234` without its comma; `0,84` keeps it.
fn without_thousands(text: &str) -> String {
    let unsigned = text.trim_start_matches(['<', '>', '≤', '≥', '=', '-', '+']);
    let whole = unsigned.split('.').next().unwrap_or("");
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or("");
    let leads = (1..=3).contains(&first.len()) && !first.starts_with('0');
    let follow = groups.clone().count() > 0 && groups.all(|it| it.len() == 3);
    if leads && follow { text.replace(',', "") } else { text.to_owned() }
}

/// One letter, or up to three of the first of the alphabet: `a`, `bc`.
fn is_letters(word: &str) -> bool {
    let of_footnotes = (2..4).contains(&word.len()) && word.bytes().all(|byte| (b'a'..=b'h').contains(&byte));
    word.len() == 1 && !matches!(word, "x" | "p" | "%") || of_footnotes
}

/// Whether the last token ends a number or what stands in brackets behind one.
fn is_behind(tokens: &[Token]) -> bool {
    matches!(tokens.last(), Some(Token::Number { .. } | Token::Close))
}

/// Without footnote letters behind numbers, units, and the words that only say what the numbers are.
fn without_marks(tokens: Vec<Token>) -> Vec<Token> {
    const SAID: [&str; 33] = [
        "ci", "iqr", "sd", "se", "range", "median", "mean", "n", "years", "year", "yrs", "mm", "cm", "ml", "months",
        "month", "days", "day", "cm3", "mm3", "kg", "u", "l", "ng", "hu", "cases", "patients", "auc", "or", "hr", "rr",
        "cis", "about",
    ];
    let mut kept: Vec<Token> = Vec::new();
    let mut iter = tokens.into_iter().peekable();
    while let Some(token) = iter.next() {
        match token {
            // The 95% of 95% CI.
            Token::Number { printed, is_percent: true }
                if [90.0, 95.0, 99.0].contains(&printed.value())
                    && matches!(iter.peek(), Some(Token::Word(word)) if word.starts_with("ci")) => {}
            Token::Word(word) if SAID.contains(&word.as_str()) => {}
            Token::Word(word) if is_letters(&word) && is_behind(&kept) => {}
            // `0.018a,b` and `0.018 (a)`
            Token::Separator
                if is_behind(&kept) && matches!(iter.peek(), Some(Token::Word(word)) if is_letters(word)) =>
            {
                iter.next();
            }
            Token::Open if is_behind(&kept) && matches!(iter.peek(), Some(Token::Word(word)) if is_letters(word)) => {
                let letters = iter.next();
                match iter.peek() {
                    Some(Token::Close) => drop(iter.next()),
                    _ => kept.extend([Token::Open].into_iter().chain(letters)),
                }
            }
            Token::Separator if matches!(kept.last(), None | Some(Token::Open | Token::Separator)) => {}
            token => kept.push(token),
        }
    }
    while matches!(kept.last(), Some(Token::Separator)) {
        kept.pop();
    }
    kept
}
