//! Names of sets of patients.

use crate::read::words::plain;
use crate::read::words::sizes::{size, without_size};

/// Takes a heading: a set stands until the next set, any other until the next of either.
pub fn head(label: String, set: &mut String, section: &mut String) {
    let place = if is_set(&label) { set } else { section };
    *place = label;
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
