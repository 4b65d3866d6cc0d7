//! The terms of a logistic model as variables with scales: effects, points, and the value that a word means.

use std::collections::BTreeMap;

use crate::pipeline::clinical::Logistic;
use crate::protocol::codebook::{Codebook, Value as Known};
use osteon_stats::model::nomogram::{Effect, Nomogram};

/// Why a word is no value of a term.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {found:?}, expected {expected}")]
pub struct NoValue {
    pub name: String,
    pub found: String,
    pub expected: String,
}

/// The variable of a term, and the level that it stands for.
pub fn parts(term: &str) -> (&str, Option<&str>) {
    term.split_once('=').map_or((term, None), |(name, level)| (name, Some(level)))
}

/// The terms as variables: the levels of one variable stand together.
pub fn effects(book: &Codebook, logistic: &Logistic) -> Vec<Effect> {
    let mut effects: Vec<Effect> = Vec::new();
    for ((term, &coefficient), &(low, high)) in logistic.terms.iter().zip(&logistic.coefficients).zip(&logistic.ranges)
    {
        let Some((name, level)) = term.split_once('=') else {
            effects.push(Effect::Continuous { name: term.clone(), coefficient, low, high });
            continue;
        };
        match effects.last_mut() {
            Some(Effect::Levels { name: last, levels }) if last == name => levels.push((level.to_owned(), coefficient)),
            _ => {
                // The level without a term of its own.
                let has_term = |level: &str| logistic.terms.iter().any(|it| *it == format!("{name}={level}"));
                let levels = book.named(name).map(|variable| variable.levels()).unwrap_or_default();
                let reference = levels.into_iter().find(|level| !has_term(level));
                let levels = vec![(reference.unwrap_or("reference").to_owned(), 0.0), (level.to_owned(), coefficient)];
                effects.push(Effect::Levels { name: name.to_owned(), levels });
            }
        }
    }
    effects
}

/// Points of each term: a level's are those above the reference. `None` where the nomogram has no scale for them.
pub fn points(nomogram: &Nomogram, values: &[f64]) -> Option<Vec<f64>> {
    let mut points = Vec::new();
    for (at, effect) in nomogram.effects.iter().enumerate() {
        match effect {
            Effect::Continuous { .. } => points.push(nomogram.points(at, *values.get(points.len())?)?),
            Effect::Levels { levels, .. } => {
                // The reference's points count once, with the first term of the variable.
                let start = points.len();
                let reference = nomogram.points(at, 0.0)?;
                for level in 1..levels.len() {
                    let own = nomogram.points(at, level as f64)? - reference;
                    let value = *values.get(start + level - 1)?;
                    points.push(value * own + if level == 1 { reference } else { 0.0 });
                }
            }
        }
    }
    Some(points)
}

/// A number, or whether a variable has the level that the term stands for.
///
/// # Errors
/// When nothing is known of the variable, or a word is none of its values.
pub fn value(book: &Codebook, term: &str, known: &BTreeMap<String, String>) -> Result<f64, NoValue> {
    let (name, level) = parts(term);
    let wrong = |found: &str, expected: String| NoValue { name: name.to_owned(), found: found.to_owned(), expected };
    let text = known.get(name).ok_or_else(|| wrong("", format!("a value; --set {name}=VALUE gives one")))?;
    let Some(variable) = book.named(name) else {
        let score = text.parse().ok().filter(|p: &f64| (0.0..=1.0).contains(p));
        return score.ok_or_else(|| wrong(text, "a number from 0 to 1".to_owned()));
    };
    match (variable.read(text).map_err(|expected| wrong(text, expected))?, level) {
        (Some(Known::Number(value)), None) => Ok(value),
        (Some(found @ Known::Level(_)), Some(level)) => Ok(f64::from(variable.text(&found) == level)),
        _ => Err(wrong(text, variable.expected())),
    }
}
