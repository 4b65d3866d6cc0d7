//! What labels say of the numbers of a variable: counts, means, medians, survival.

use crate::read::words::plain;
use crate::role::Summary;

/// Whether a heading is of events or survival of the row's patients: no group of patients.
pub fn is_survival(heading: &str) -> bool {
    let text = plain(heading);
    let any = |wanted: &[&str]| text.split(|c: char| !c.is_alphanumeric()).any(|word| wanted.contains(&word));
    matches!(text.as_str(), "events" | "no. of events" | "deaths" | "events (n)" | "number of events")
        || (text.contains('%') || text.contains("year") || text.contains("rate") || text.contains("median"))
            && (text.contains("survival") || any(&["os", "pfs", "dfs", "efs", "mfs", "lfs", "rfs"]))
}

/// Whether a level is of patients of whom the value is not known: `Missing, n (%)`, `Not available`, `NA`.
pub fn is_missing(level: &str) -> bool {
    const KNOWN: [&str; 9] =
        ["missing", "unknown", "unavailable", "undetermined", "unspecified", "na", "unk", "nd", "nr"];
    const BESIDE: [&str; 12] =
        ["data", "value", "values", "or", "and", "n", "no", "patients", "information", "cases", "not", "reported"];
    const NOT: [&str; 20] = [
        "available",
        "evaluated",
        "evaluable",
        "assessed",
        "assessable",
        "recorded",
        "reported",
        "tested",
        "done",
        "determined",
        "known",
        "specified",
        "applicable",
        "examined",
        "measured",
        "performed",
        "documented",
        "stated",
        "obtained",
        "ascertained",
    ];
    let text = plain(level).replace("n/a", "na").replace("n.a.", "na").replace("n.a", "na");
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let first = |n: usize| words.get(n).copied().unwrap_or("");
    let is_not = first(0) == "not" && NOT.contains(&first(1));
    let is_none = first(0) == "no" && ["data", "information"].contains(&first(1));
    let all = |known: &dyn Fn(&&str) -> bool| words.iter().all(known);
    is_not && words[2..].iter().all(|it| BESIDE.contains(it) || KNOWN.contains(it) || NOT.contains(it))
        || is_none && words.len() == 2
        || ["未知", "不详", "缺失"].contains(&text.as_str())
        || words.iter().any(|it| KNOWN.contains(it))
            && all(&|it| KNOWN.contains(it) || BESIDE.contains(it) || NOT.contains(it))
}

/// The number and the rest of a heading of survival at a time: 3 of `3-year OS (%)`.
pub fn survival_at(heading: &str) -> Option<(u32, String)> {
    let text = plain(heading);
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let rest = text[digits..].trim_start_matches(['-', ' ']);
    let is_time = ["year", "yr", "month", "mo "].iter().any(|it| rest.starts_with(it));
    (is_time && is_survival(heading)).then(|| Some((text[..digits].parse().ok()?, rest.to_owned())))?
}

/// Whether a label names things that are counted: `Number of cycles`.
pub fn is_number_of(label: &str) -> bool {
    let text = plain(label);
    ["number of ", "no. of ", "no of ", "count of ", "# of "].iter().any(|it| text.starts_with(it))
}

/// Whether a title or footnote says that means stand with their standard errors: `Data are mean ± SEM`.
pub fn notes_errors_of_means(text: &str) -> bool {
    let text = plain(text).replace("s.e.m", "sem").replace("s.e.", "se");
    let mut behind = text.split('±').skip(1).map(str::trim_start);
    behind.any(|it| {
        let first = it.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
        matches!(first, "se" | "sem") || it.starts_with("standard error")
    })
}

/// Whether a label says that standard errors of the mean stand with its means, and no SDs.
fn says_error_of_mean(text: &str) -> bool {
    let any = |wanted: &[&str]| text.split(|c: char| !c.is_alphanumeric()).any(|word| wanted.contains(&word));
    (any(&["sem", "s.e.m"])
        || text.contains("standard error")
        || (text.contains('±') || any(&["mean"])) && any(&["se"]))
        && !any(&["sd"])
        && !text.contains("standard deviation")
}

/// How a label says that its quantity is summarized.
pub fn summary(label: &str) -> Summary {
    let text = plain(label);
    if says_error_of_mean(&text) && !text.contains("median") {
        return Summary::MeanSe;
    }
    let has = |word: &str| text.contains(word);
    let median =
        has("median") || has("iqr") || has("interquartile") || has("quartile") || has("q1") && has("q3") || has("p25");
    let mean = has("mean")
        || has("± sd")
        || has("±sd")
        || has("(sd)")
        || has("s.d.")
        || has("standard deviation")
        || has("±")
        || has("average");
    match (median, mean) {
        (true, false) if has("range") && !has("interquartile") || has("min") && has("max") => Summary::Range,
        (true, _) => Summary::MedianIqr,
        (false, true) => Summary::MeanSd,
        (false, false) if has("(range)") || has("min, max") || has("min-max") => Summary::Range,
        _ => Summary::Unsaid,
    }
}

/// Whether a label or heading says that its numbers are counts with percentages.
pub fn says_counts(label: &str) -> bool {
    let text = plain(label).replace(' ', "");
    [
        "n(%)",
        "no(%)",
        "no.(%)",
        "(n,%)",
        "n,%",
        "number(%)",
        "count(%)",
        "(%)",
        ",%",
        "(no.%)",
        "cases(%)",
        "patients(%)",
        "n%",
    ]
    .iter()
    .any(|words| text.contains(words))
        || text == "%"
}

/// Whether a label or heading says that percentages stand before their counts: `Sex, % (n)`.
pub fn says_percent_first(label: &str) -> bool {
    let text = plain(label).replace(' ', "");
    ["%(n", "%(no", "(%,n)", "%,n"].iter().any(|words| text.contains(words)) && !says_count_first(&text)
}

fn says_count_first(text: &str) -> bool {
    ["n(%", "no.(%", "n,%", "(n,%"].iter().any(|words| text.contains(words))
}

/// Whether a heading has a percent sign or word.
pub fn says_percent(heading: &str) -> bool {
    let text =
        plain(heading).replace("95% ci", "").replace("95%ci", "").replace("95 % ci", "").replace("95% confidence", "");
    text.contains('%') || text.contains("percent")
}
