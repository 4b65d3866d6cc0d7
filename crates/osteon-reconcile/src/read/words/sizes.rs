//! Sizes of groups in headings.

use crate::read::value::normal;
use crate::read::words::plain;

/// Whether a label stands for the sizes of the groups.
pub fn is_size(label: &str) -> bool {
    let text = plain(label);
    let text = text.trim_end_matches(['.', ':']);
    const NAMES: [&str; 18] = [
        "n",
        "number",
        "total",
        "total n",
        "n (%)",
        "patients",
        "number of patients",
        "no. of patients",
        "no of patients",
        "patients, n",
        "total patients",
        "patient number",
        "number of cases",
        "no. of cases",
        "cases",
        "patients (n)",
        "total number",
        "sample size",
    ];
    NAMES.contains(&text) || text == "number of patients (%)" || text == "patients, n (%)" || text == "total, n (%)"
}

/// The size that a heading prints: `Training cohort (n = 242)`, `N=76`, `(93 patients)`.
pub fn size(heading: &str) -> Option<u64> {
    let text = normal(heading).to_lowercase();
    let chars: Vec<char> = text.chars().collect();
    let digits = |from: usize| -> Option<u64> {
        let number: String =
            chars[from..].iter().take_while(|c| c.is_ascii_digit() || **c == ',').filter(|c| **c != ',').collect();
        // `n = 1 204`: spaces between thousands, with nothing else behind them.
        let rest = chars[from..].split(|c| matches!(c, ')' | ']' | ',' | ';')).next().unwrap_or(&[]);
        let rest: String = rest.iter().collect();
        let parts: Vec<&str> = rest.trim().split(' ').collect();
        let is_whole = parts.iter().all(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()));
        if parts.len() > 1 && is_whole && parts[0].len() < 4 && parts[1..].iter().all(|it| it.len() == 3) {
            return parts.concat().parse().ok();
        }
        number.parse().ok()
    };
    let mut found = None;
    for at in 0..chars.len() {
        let begins = at == 0 || !chars[at - 1].is_alphanumeric();
        if chars[at] == 'n' && begins {
            let mut next = at + 1;
            let mut signs = 0;
            while chars.get(next).is_some_and(|c| matches!(c, ' ' | '=' | ':' | '.' | 'o')) {
                signs += usize::from(matches!(chars[next], '=' | ':'));
                next += 1;
            }
            if signs > 0 && chars.get(next).is_some_and(char::is_ascii_digit) {
                found = digits(next).or(found);
            }
        }
    }
    if found.is_none()
        && let Some(at) = text.find(" patients)").or_else(|| text.find(" cases)"))
    {
        let before = text[..at].rsplit('(').next().unwrap_or("");
        found = before.trim().parse().ok();
    }
    found
}

/// The size that a text prints, where it prints one alone.
pub fn only_size(text: &str) -> Option<u64> {
    let n = size(text)?;
    let signs = normal(text).to_lowercase().split("n =").count() + normal(text).to_lowercase().split("n=").count();
    (signs <= 3).then_some(n)
}

/// A heading without its size, brackets left empty and signs at its ends.
pub fn without_size(heading: &str) -> String {
    let mut text = heading.trim().to_owned();
    while let Some((open, close)) =
        brackets(&text).into_iter().find(|&(open, close)| size(&text[open..close]).is_some())
    {
        text.replace_range(open..close, "");
    }
    if size(&text).is_some()
        && let Some(at) = text.rfind(['n', 'N']).filter(|&at| size(&text[at..]).is_some())
    {
        text.truncate(at);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_matches([',', ';', ':', ' ', '-', '–']).to_owned()
}

/// Where brackets open and close behind it, outermost.
fn brackets(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(open) = text[from..].find(['(', '[', '（']).map(|at| from + at) {
        let Some(close) = text[open..].find([')', ']', '）']).map(|at| open + at) else { break };
        let end = close + text[close..].chars().next().map_or(1, char::len_utf8);
        found.push((open, end));
        from = end;
    }
    found
}
