//! What headings say of P values and test statistics.

use crate::read::words::plain;

/// Whether a heading names P values.
pub fn is_p(heading: &str) -> bool {
    let text = plain(heading).replace(['’', '\''], "");
    if text.starts_with("pr(>") {
        return true;
    }
    let words: Vec<&str> =
        text.split([' ', '(', ')', ',', ':', '.', '=', '/', '-', '[']).filter(|it| !it.is_empty()).collect();
    let first = words.first().copied().unwrap_or("");
    let second = words.get(1).copied().unwrap_or("");
    let marked = first.len() == 2 && first.starts_with('p') && "abcdefg0123456789".contains(&first[1..]);
    let value = ["value", "values", "val"];
    match first {
        "p" => !["stage", "t", "n"].contains(&second),
        "pvalue" | "pvalues" | "sig" | "significance" | "pval" => true,
        _ if marked => words.len() == 1 || value.contains(&second),
        _ => {
            words.windows(2).any(|pair| pair[0] == "p" && value.iter().any(|it| pair[1].starts_with(it)))
                || words.last() == Some(&"p") && words.len() <= 3
        }
    }
}

/// Whether a heading names a test statistic.
pub fn is_statistic(heading: &str) -> bool {
    let text = plain(heading).replace(['²', '^'], "2").replace(" value", "").replace("chi-squared", "χ2");
    let text = text.replace("chi-square", "χ2").replace("chi square", "χ2").replace(['x', 'ⅹ'], "χ");
    const NAMES: [&str; 8] =
        ["statistic", "statistics", "test statistic", "test statistics", "wald", "wald χ2", "z score", "t statistic"];
    NAMES.contains(&text.as_str())
        || text
            .split(['/', ' ', ','])
            .filter(|it| !it.is_empty())
            .all(|it| matches!(it, "z" | "t" | "u" | "f" | "χ2" | "h" | "q" | "or"))
            && !matches!(text.as_str(), "" | "or")
}

/// What a statistic's heading or letter says that it can be; all of them where it says nothing.
pub fn statistics(name: &str) -> Vec<Statistic> {
    let text =
        plain(name).replace('²', "2").replace("chi-square", "χ2").replace("chi square", "χ2").replace(['x', 'ⅹ'], "χ");
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let of = |word: &&str| match *word {
        "t" => Some(Statistic::T),
        "z" => Some(Statistic::Z),
        "f" => Some(Statistic::F),
        "χ2" | "h" | "wald" => Some(Statistic::ChiSquare),
        "u" | "w" | "q" | "r" | "κ" => Some(Statistic::Other),
        _ => None,
    };
    let found: Vec<Statistic> = words.iter().filter_map(of).collect();
    if found.is_empty() { vec![Statistic::T, Statistic::Z, Statistic::F, Statistic::ChiSquare] } else { found }
}

/// The distribution that a statistic is printed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    T,
    Z,
    F,
    ChiSquare,
    /// U, W, Q: without the data they say no P.
    Other,
}

/// Whether a heading is of standard errors alone.
pub fn is_standard_error(heading: &str) -> bool {
    let text = plain(heading).replace(['.', '(', ')'], "");
    matches!(
        text.as_str(),
        "se" | "std error" | "standard error" | "se of auc" | "auc se" | "std err" | "se β" | "se b" | "se beta"
    )
}

/// Whether a heading is of standardized mean differences.
pub fn is_balance(heading: &str) -> bool {
    let text = plain(heading).replace("standardised", "standardized");
    matches!(text.as_str(), "smd" | "asmd" | "standardized mean difference" | "standardized difference")
        || text.starts_with("smd ")
        || text.starts_with("standardized mean difference (")
}

/// Whether a P is printed as not significant.
pub fn is_not_significant(text: &str) -> bool {
    matches!(plain(text).replace(['.', ' '], "").as_str(), "ns" | "notsignificant" | "nonsignificant" | "n/s")
}
