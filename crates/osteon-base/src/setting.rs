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
    Err(Unfit { key: key.to_owned(), found: format!("{found:?}"), expected: expected.to_owned() })
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
