//! What headings and labels say by their words.

use crate::read::value::normal;
use crate::role::{Measure, Summary};

/// Lower case, single spaces, ASCII signs, without footnote marks.
pub fn plain(text: &str) -> String {
    let mut text: String = normal(text).to_lowercase().replace('_', " ");
    // `P值`: a value of what stands before it.
    if let Some(at) = text.find('值').filter(|&at| text[..at].ends_with(|c: char| c.is_alphanumeric() && !is_han(c))) {
        text.replace_range(at..at + '值'.len_utf8(), " value");
    }
    let text: String = text.chars().filter(|c| !"*†‡§¶#^".contains(*c)).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A Chinese character.
fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

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

/// Whether a heading is of an interval alone, and of which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    Both,
    Lower,
    Upper,
}

pub fn interval(heading: &str) -> Option<Ends> {
    let text = plain(heading);
    // `AUC (95 % CI) estimate` stands beside `… low` and `… high`.
    if text.ends_with("estimate") {
        return None;
    }
    if let Some(end) = one_end(&text) {
        return Some(end);
    }
    let bare = text.replace("confidence interval", "ci").replace("confidence limits", "ci");
    let is_ci = bare.split(|c: char| !c.is_alphanumeric()).any(|word| matches!(word, "ci" | "cl" | "cis"));
    // `95% Cl` with an l, as scanned pages have it.
    let metric = crate::metric::Metric::named(heading).or_else(|| crate::metric::Metric::at_end(heading));
    (is_ci && measure(heading).is_none() && metric.is_none()).then_some(Ends::Both)
}

/// The end of an interval that a heading names with nothing else: `Lower`, `AUC_CI_high`, `95% CI upper limit`; never
/// `Low-risk group` or `Lower limb`.
fn one_end(text: &str) -> Option<Ends> {
    const LOWER: [&str; 4] = ["lower", "lcl", "low", "ll"];
    const UPPER: [&str; 5] = ["upper", "ucl", "high", "ul", "up"];
    const OF_INTERVAL: [&str; 11] =
        ["ci", "cl", "limit", "limits", "bound", "bounds", "confidence", "95", "90", "99", "interval"];
    const BESIDE: [&str; 14] =
        ["of", "the", "end", "value", "auc", "or", "hr", "rr", "exp", "b", "odds", "hazard", "ratio", "for"];
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let any = |known: &[&str]| words.iter().any(|word| known.contains(word));
    let all = words.iter().all(|word| [&LOWER[..], &UPPER, &OF_INTERVAL, &BESIDE].iter().any(|it| it.contains(word)));
    let said = any(&OF_INTERVAL) || any(&["lower", "upper", "lcl", "ucl"]);
    match (any(&LOWER), any(&UPPER)) {
        (true, false) if all && said => Some(Ends::Lower),
        (false, true) if all && said => Some(Ends::Upper),
        _ => None,
    }
}

/// The kind of estimate that a heading names.
pub fn measure(heading: &str) -> Option<Measure> {
    let text = plain(heading);
    let has = |word: &str| text.contains(word);
    let first = text.split(|c: char| !c.is_alphanumeric()).find(|it| !it.is_empty()).unwrap_or("");
    let any = |wanted: &str| text.split(|c: char| !c.is_alphanumeric()).any(|word| word == wanted);
    let short = text.chars().count() < 32;
    if has("hazard ratio") || matches!(first, "hr" | "ahr" | "shr" | "chr" | "hrs") || short && any("hr") {
        Some(Measure::HazardRatio)
    } else if has("odds ratio")
        || has("odds-ratio")
        || matches!(first, "or" | "aor" | "cor" | "ors")
        || short && any("or") && (any("adjusted") || any("crude") || any("univariate") || any("multivariate"))
        || ["exp(b)", "exp (b)", "exp(β)", "exp (β)"].into_iter().any(has)
    {
        Some(Measure::OddsRatio)
    } else if has("relative risk") || has("risk ratio") || has("rate ratio") || matches!(first, "rr" | "irr" | "arr") {
        Some(Measure::RiskRatio)
    } else if matches!(
        text.as_str(),
        "β" | "b"
            | "beta"
            | "coefficient"
            | "coef"
            | "coef."
            | "estimate"
            | "regression coefficient"
            | "β coefficient"
            | "β (95% ci)"
            | "coefficients"
            | "β value"
    ) {
        Some(Measure::Coefficient)
    } else if has("difference") && !has("p ")
        || matches!(first, "nri" | "idi")
        || has("reclassification")
        || has("integrated discrimination")
    {
        Some(Measure::Difference)
    } else {
        None
    }
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
    let median = has("median") || has("iqr") || has("interquartile") || has("quartile") || has("q1") || has("p25");
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

/// The confidence level that a heading prints: 90 of `HR (90% CI)`; 95 where it prints none.
pub fn confidence_level(heading: &str) -> u32 {
    let text = plain(heading).replace(' ', "");
    let level = [("90%", 90), ("99%", 99), ("80%", 80)].into_iter().find(|(word, _)| text.contains(word));
    level
        .filter(|_| text.contains("ci") || text.contains("confidence") || text.contains("interval"))
        .map_or(95, |it| it.1)
}

/// Whether a P is printed as not significant.
pub fn is_not_significant(text: &str) -> bool {
    matches!(plain(text).replace(['.', ' '], "").as_str(), "ns" | "notsignificant" | "nonsignificant" | "n/s")
}

/// Whether a heading has a percent sign or word.
pub fn says_percent(heading: &str) -> bool {
    let text =
        plain(heading).replace("95% ci", "").replace("95%ci", "").replace("95 % ci", "").replace("95% confidence", "");
    text.contains('%') || text.contains("percent")
}

/// Whether a label calls its number a mean over resamples or folds.
pub fn is_average(label: &str) -> bool {
    let text = plain(label);
    ["bootstrap", "mean", "average", "cross-validated", "fold", "averaged", "median", "pooled"]
        .iter()
        .any(|word| text.contains(word))
}

/// Whether a row's label says that its scores are means of other rows or over folds: `Mean ± SD`, `Pooled`; a marker
/// may be called `Mean ADC`.
pub fn is_average_row(label: &str) -> bool {
    const BESIDE: [&str; 20] = [
        "mean", "average", "averaged", "median", "sd", "std", "±", "of", "over", "the", "all", "folds", "fold", "cv",
        "models", "readers", "value", "values", "pooled", "se",
    ];
    let text = plain(label);
    let words: Vec<&str> = text.split([' ', '(', ')', ',', '/', '-']).filter(|it| !it.is_empty()).collect();
    let first = words.first().copied().unwrap_or("");
    let is_mean =
        matches!(
            first,
            "mean" | "average" | "averaged" | "median" | "pooled" | "mean±sd" | "±sd" | "sd" | "std" | "s.d." | "s.d"
        ) || matches!(text.as_str(), "standard deviation" | "standard error" | "std. dev." | "std dev" | "std.");
    let is_of_classes = text.starts_with("macro") || text.starts_with("micro-") || text.starts_with("micro av");
    is_of_classes
        || text.contains("weighted av")
        || is_mean
            && words[1..].iter().all(|word| BESIDE.contains(word) || word.bytes().all(|byte| byte.is_ascii_digit()))
        || ["bootstrap", "cross-validat", "cross validat", "-fold", " folds"].iter().any(|it| text.contains(it))
            && !is_set(label)
}

/// Whether a title, a set or the heading of the labels says that scores are of cross-validation: means over folds.
pub fn is_resampled(text: &str) -> bool {
    let text = plain(text);
    ["cross-validat", "cross validat", "-fold", " fold "].iter().any(|it| text.contains(it))
}

/// Whether a footnote says that the table's values are means over folds: `Values are means over five-fold
/// cross-validation`.
pub fn says_means_over_folds(note: &str) -> bool {
    let text = plain(note);
    text.split(['.', ';']).any(|sentence| {
        let any = |wanted: &[&str]| wanted.iter().any(|it| sentence.contains(it));
        any(&["mean", "average"]) && (is_resampled(sentence) || any(&["folds", "five fold", "resampl"]))
    })
}

/// Whether a row among scores holds P values or differences of comparisons between other rows.
pub fn is_comparison(label: &str) -> bool {
    let text = plain(label);
    is_p(label) || text.contains("delong") || text.starts_with("compar") || text.starts_with("statistical ")
}

/// Whether a label says that its numbers are differences between other rows.
pub fn is_difference(label: &str) -> bool {
    let text = plain(label);
    text.starts_with("difference")
        || text.starts_with(['δ', '∆', '△'])
        || text.starts_with("delta ")
        || text.starts_with("change in")
}

/// The two names of `A vs. B`.
pub fn pair(label: &str) -> Option<(String, String)> {
    let text = normal(label);
    let lower = text.to_lowercase();
    if lower.len() != text.len() {
        return None;
    }
    let at = [" versus ", " vs. ", " vs ", " v.s. "].iter().find_map(|word| Some((lower.find(word)?, word.len())))?;
    let clean = |text: &str| text.trim_matches([' ', ':', ',', '(', ')', '*']).to_owned();
    let (one, other) = (clean(&text[..at.0]), clean(&text[at.0 + at.1..]));
    let one = ["DeLong:", "DeLong test:", "p-value:", "P value:"]
        .iter()
        .find_map(|head| one.strip_prefix(head))
        .map_or(one.clone(), |rest| rest.trim().to_owned());
    (!one.is_empty() && !other.is_empty()).then_some((one, other))
}

/// Takes a heading: a set stands until the next set, any other until the next of either.
pub fn head(label: String, set: &mut String, section: &mut String) {
    let place = if is_set(&label) { set } else { section };
    *place = label;
}

/// Whether a label names a person who reads images.
pub fn is_reader(label: &str) -> bool {
    let text = plain(label);
    ["reader", "observer", "rater", "radiologist", "physician", "clinician", "surgeon"]
        .iter()
        .any(|it| text.contains(it))
}

/// Whether a heading is of the agreement between or within readers.
pub fn says_agreement(heading: &str) -> bool {
    let text = plain(heading);
    let words = ["inter-", "interobs", "interread", "interrat", "intra", "agreement"];
    is_reader(heading) || words.iter().any(|it| text.contains(it))
}

/// Whether a label names a set of patients.
pub fn is_set(label: &str) -> bool {
    let text = plain(label);
    const PARTS: [&str; 25] = [
        "训练",
        "验证",
        "测试",
        "内部",
        "外部",
        "中心",
        "train",
        "valid",
        "cohort",
        "internal",
        "external",
        "derivation",
        "development",
        "dataset",
        "data set",
        "hold-out",
        "holdout",
        "discovery",
        "centre",
        "center",
        "hospital",
        "cross-validation",
        "testing",
        "tuning",
        "independent",
    ];
    const WHOLE: [&str; 5] = ["test", "set", "sets", "tests", "primary"];
    PARTS.iter().any(|part| text.contains(part))
        || text.split(|c: char| !c.is_alphanumeric()).any(|word| WHOLE.contains(&word))
}

/// The name and the set of a heading that says both: `Nomogram (Validation)`, `Training: Nomogram`; `None` for any other.
pub fn name_and_set(heading: &str) -> Option<(String, String)> {
    let text = heading.trim();
    let bracketed = || {
        let inner = text.strip_suffix([')', '）'])?;
        let (name, set) = inner.rsplit_once(['(', '（'])?;
        Some((name.trim().to_owned(), set.trim().to_owned()))
    };
    let parted = || {
        let (one, other) = [": ", " - ", " – "].iter().find_map(|it| text.split_once(it))?;
        Some((one.trim().to_owned(), other.trim().to_owned()))
    };
    let both = |(one, other): (String, String)| {
        let is_name = |it: &str| !is_set(it) && it.chars().any(char::is_alphabetic) && size(it).is_none();
        match (is_set(&one), is_set(&other)) {
            (false, true) if is_name(&one) => Some((one, other)),
            (true, false) if is_name(&other) => Some((other, one)),
            _ => None,
        }
    };
    bracketed().and_then(both).or_else(|| parted().and_then(both))
}

/// Whether two names are of the same set of patients: `Training cohort (n = 108)` and `training set`.
pub fn same_set(one: &str, other: &str) -> bool {
    let key = set_key(one);
    !key.is_empty() && key == set_key(other)
}

/// A set's name by the words that tell it from others.
fn set_key(name: &str) -> Vec<String> {
    const SAID: [&str; 14] = [
        "cohort",
        "set",
        "group",
        "dataset",
        "data",
        "sample",
        "patients",
        "the",
        "cohorts",
        "sets",
        "population",
        "series",
        "of",
        "subset",
    ];
    let text = plain(&without_size(name));
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty() && !SAID.contains(it));
    let mut key: Vec<String> = words
        .map(|word| match word {
            word if word.starts_with("train") => "training",
            word if word.starts_with("valid") => "validation",
            "test" | "tests" | "testing" => "test",
            word if word.starts_with("develop") => "development",
            word if word.starts_with("deriv") => "derivation",
            word => word,
        })
        .map(str::to_owned)
        .collect();
    key.sort();
    key
}

/// Whether a column is of all patients.
pub fn is_total(name: &str) -> bool {
    let text = plain(name);
    let first = text.split(|c: char| !c.is_alphanumeric()).find(|it| !it.is_empty()).unwrap_or("");
    matches!(first, "total" | "all" | "overall" | "entire" | "whole" | "totals" | "合计" | "总计" | "总体" | "全部")
        && !text.contains("positive")
        && !text.contains("negative")
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_say_what_their_columns_are() {
        for text in [
            "P",
            "P value",
            "p-Value",
            "p†",
            "P Value",
            "P (Cox univariate analysis for PFS)",
            "Pa",
            "Sig.",
            "Adjusted P value",
            "P for trend",
        ] {
            assert!(is_p(text), "{text}");
        }
        for text in ["Precision", "PPV", "PD-L1", "Patients", "Position", "pT stage", "PSA"] {
            assert!(!is_p(text), "{text}");
        }
        for text in ["Statistic", "χ2", "t/χ2", "Z", "χ² value", "Chi-square"] {
            assert!(is_statistic(text), "{text}");
        }
        assert_eq!(interval("95%CI"), Some(Ends::Both));
        assert_eq!(interval("Asym 95% CI"), Some(Ends::Both));
        assert_eq!(interval("OR (95% CI)"), None);
        assert_eq!(interval("3-year AUC (95% CI)"), None);
        assert_eq!(measure("OR (95% CI)"), Some(Measure::OddsRatio));
        assert_eq!(measure("HR (95% Cl)"), Some(Measure::HazardRatio));
        assert_eq!(measure("Odds ratio"), Some(Measure::OddsRatio));
        for (text, n, name) in [
            ("Training cohort (n = 242)", Some(242), "Training cohort"),
            ("Train (n=76)", Some(76), "Train"),
            ("All Reference Standard Positive, n = 50", Some(50), "All Reference Standard Positive"),
            ("(n = 1,289)", Some(1289), ""),
            ("Validation", None, "Validation"),
        ] {
            assert_eq!((size(text), without_size(text).as_str()), (n, name), "{text}");
        }
        assert_eq!(summary("Tumor diameter, median (IQR), cm"), Summary::MedianIqr);
        assert_eq!(summary("Age* (years) median (min, max)"), Summary::Range);
        assert_eq!(summary("Age, mean ± SD, years"), Summary::MeanSd);
        assert!(same_set("Training cohort (n = 108)", "training set") && same_set("Test", "Testing cohort"));
        assert!(!same_set("Internal validation", "External validation") && !same_set("", "cohort"));
        assert_eq!(interval("AUC_CI_low"), Some(Ends::Lower));
        assert_eq!(interval("Upper limit of 95% CI"), Some(Ends::Upper));
        for text in ["Low Rad-score group", "High risk", "Low", "Lower limb", "Upper lobe"] {
            assert_eq!(interval(text), None, "{text}");
        }
        assert_eq!(pair("P value: A vs. B"), Some(("A".to_owned(), "B".to_owned())));
        assert!(
            is_average_row("Mean ± SD")
                && is_average_row("Pooled")
                && is_average_row("Macro average")
                && !is_average_row("Mean ADC")
        );
        assert!(is_set("Testing") && is_set("External test cohort1") && !is_set("Radiomics") && is_total("Overall"));
    }
}
