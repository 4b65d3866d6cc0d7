//! What headings say of estimates, intervals and comparisons.

use crate::read::value::normal;
use crate::read::words::plain;
use crate::read::words::statistics::is_p;
use crate::role::Measure;

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

/// The confidence level that a heading prints: 90 of `HR (90% CI)`; 95 where it prints none.
pub fn confidence_level(heading: &str) -> u32 {
    let text = plain(heading).replace(' ', "");
    let level = [("90%", 90), ("99%", 99), ("80%", 80)].into_iter().find(|(word, _)| text.contains(word));
    level
        .filter(|_| text.contains("ci") || text.contains("confidence") || text.contains("interval"))
        .map_or(95, |it| it.1)
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
