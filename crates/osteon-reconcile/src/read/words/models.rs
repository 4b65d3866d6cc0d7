//! What labels say of models: means over folds or readers, agreement.

use crate::read::words::plain;
use crate::read::words::sets::is_set;

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
