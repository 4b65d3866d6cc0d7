//! Settings that check themselves: each `Params` says which of its own keys no run could use.

use std::fmt::Debug;

/// A setting that no run could use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} is {found}, expected {expected}")]
pub struct Unfit {
    /// Dotted, relative to the `Params` that found it, or whole after `below`.
    pub key: String,
    pub found: String,
    pub expected: String,
}

impl Unfit {
    /// The same, seen from the table that holds these settings.
    pub fn below(mut self, table: &str) -> Unfit {
        self.key = format!("{table}.{}", self.key);
        self
    }
}

/// Refuses a value under its key unless it is fit.
pub fn require(fit: bool, key: &str, found: impl Debug, expected: &str) -> Result<(), Unfit> {
    if fit {
        return Ok(());
    }
    Err(Unfit { key: key.to_owned(), found: as_written(&format!("{found:?}")), expected: expected.to_owned() })
}

/// A value of the program as a document writes it: `[Svm, OutOfFold]` is `["svm", "out_of_fold"]`.
fn as_written(debug: &str) -> String {
    let inner = debug.strip_prefix("Some(").and_then(|it| it.strip_suffix(')')).unwrap_or(debug);
    let mut text = String::new();
    let mut quoted = false;
    let mut word = String::new();
    for it in inner.chars().chain(['\0']) {
        if !quoted && (it.is_ascii_alphabetic() || it.is_ascii_digit() && !word.is_empty()) {
            word.push(it);
            continue;
        }
        // A name that begins with a capital is one of the program's own.
        if word.starts_with(|it: char| it.is_ascii_uppercase()) && word != "NaN" {
            text.push('"');
            for (at, it) in word.chars().enumerate() {
                if at > 0 && it.is_ascii_uppercase() {
                    text.push('_');
                }
                text.push(it.to_ascii_lowercase());
            }
            text.push('"');
        } else {
            text.push_str(&word);
        }
        word.clear();
        quoted ^= it == '"';
        if it != '\0' {
            text.push(it);
        }
    }
    text
}

/// A finite number above 0.
pub fn above_zero(key: &str, value: f64) -> Result<(), Unfit> {
    require(value.is_finite() && value > 0.0, key, value, "a number above 0")
}

/// A finite number of at least 0.
pub fn not_negative(key: &str, value: f64) -> Result<(), Unfit> {
    require(value.is_finite() && value >= 0.0, key, value, "a number of at least 0")
}

/// A number above 0 and below 1.
pub fn share(key: &str, value: f64) -> Result<(), Unfit> {
    require(value > 0.0 && value < 1.0, key, value, "a number between 0 and 1")
}

/// A whole number of at least `least`.
pub fn at_least(key: &str, value: usize, least: usize) -> Result<(), Unfit> {
    require(value >= least, key, value, &format!("a whole number of at least {least}"))
}

/// A list without an item that comes twice.
pub fn without_copies<T: PartialEq + Debug>(key: &str, list: &[T]) -> Result<(), Unfit> {
    let copy = (1..list.len()).any(|at| list[..at].contains(&list[at]));
    require(!copy, key, list, "each item once")
}

/// A list with something in it, each item once.
pub fn some<T: PartialEq + Debug>(key: &str, list: &[T]) -> Result<(), Unfit> {
    require(!list.is_empty(), key, list, "at least one value")?;
    without_copies(key, list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_in_a_document() {
        for (debug, written) in [
            ("Early", "\"early\""),
            ("[Svm, OutOfFold]", "[\"svm\", \"out_of_fold\"]"),
            ("\"Early Bird\"", "\"Early Bird\""),
            ("Some(2.5)", "2.5"),
            ("[1e-300, NaN, inf]", "[1e-300, NaN, inf]"),
            ("-3", "-3"),
        ] {
            assert_eq!(as_written(debug), written);
        }
    }
}
