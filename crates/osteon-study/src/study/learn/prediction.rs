//! The nomogram as a question: one patient's points, total and probability under the combined model.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::pipeline::clinical::Logistic;
use crate::pipeline::learn::RAD_SCORE;
use crate::protocol::codebook::{Codebook, Value as Known};
use crate::report::sheet::{Cell, Sheet};
use crate::store::Origin;
use crate::study::{Error, Study};
use osteon_stats::model::nomogram::{Effect, Nomogram, nomogram};

/// What every prediction says.
pub const RESEARCH_ONLY: &str = "research use only: not a medical device, not for the care of patients";

/// The combined model of the newest fit.
pub struct Combined {
    pub logistic: Logistic,
    pub nomogram: Option<Nomogram>,
}

impl Study {
    /// The combined model with its nomogram.
    pub fn combined(&self) -> Result<Combined, Error> {
        self.needs_response()?;
        let models = self.store.models()?;
        let model = models.iter().find(|model| model.name == "combined").ok_or(Error::NoFit)?;
        let wrong = |source| Error::Recipe { model: model.name.clone(), source };
        let recipe: Value = serde_json::from_str(&model.recipe).map_err(wrong)?;
        let logistic: Logistic = serde_json::from_value(recipe["logistic"].clone()).map_err(wrong)?;
        let logit = |p: f64| (p / (1.0 - p)).ln();
        let finite = model.predictions.iter().map(|one| logit(one.probability)).filter(|lp| lp.is_finite());
        let range = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), lp| (low.min(lp), high.max(lp)));
        let nomogram = nomogram(logistic.intercept, &effects(&self.protocol.codebook, &logistic), range);
        Ok(Combined { logistic, nomogram })
    }

    /// Probability and points of a patient of the study, or of values given as NAME=VALUE (which replace theirs).
    pub fn predict(&self, code: Option<&str>, given: &[String]) -> Result<Sheet, Error> {
        let combined = self.combined()?;
        let values = self.values(&combined.logistic, code, given)?;
        let (low, high) = combined.logistic.interval(&values);
        let estimate = combined.logistic.probability(&values);
        let points = points(&combined, &values);
        let mut rows: Vec<Vec<Cell>> = combined
            .logistic
            .terms
            .iter()
            .zip(&values)
            .enumerate()
            .map(|(at, (term, &value))| {
                let points = points.as_ref().map(|points| points[at]);
                vec![Cell::Text(term.clone()), Cell::Number { value, digits: 3 }, Cell::number(points, 1)]
            })
            .collect();
        let total = points.map(|points| points.iter().sum());
        rows.push(vec![Cell::Text("total".to_owned()), Cell::Empty, Cell::number(total, 1)]);
        let risk = Cell::Interval { estimate, low, high, digits: 3 };
        rows.push(vec![
            Cell::Text(format!("probability of {} (95 % CI)", self.protocol.codebook.side(true))),
            risk,
            Cell::Empty,
        ]);
        self.told(Sheet {
            title: code.map_or("Prediction".to_owned(), |code| format!("Prediction for {code}")),
            headings: ["Term", "Value", "Points"].map(str::to_owned).to_vec(),
            rows,
            notes: std::iter::once(RESEARCH_ONLY.to_owned())
                .chain(outside(&combined.logistic, &values))
                .chain(["interval: Wald's on the linear predictor, the Rad-score taken as known".to_owned()])
                .collect(),
            provenance: self.provenance_of("fit")?,
        })
    }

    /// One value a term of the model.
    pub(in crate::study) fn values(
        &self,
        logistic: &Logistic,
        code: Option<&str>,
        given: &[String],
    ) -> Result<Vec<f64>, Error> {
        let mut known: BTreeMap<String, String> = BTreeMap::new();
        if let Some(code) = code {
            let patient = self.store.patient(code)?;
            for (at, variable) in self.variables().filter(|(at, _)| !patient.lacks(*at)) {
                known.insert(variable.name.clone(), patient.text(at));
            }
            let models = self.store.models()?;
            let radiomics = models.iter().find(|model| model.name == "radiomics").ok_or(Error::NoFit)?;
            let own =
                |origin| radiomics.predictions.iter().find(|one| one.patient == patient.id && one.origin == origin);
            if let Some(score) = own(Origin::OutOfFold).or_else(|| own(Origin::Fitted)) {
                known.insert(RAD_SCORE.to_owned(), score.probability.to_string());
            }
        }
        for assignment in given {
            let wrong = || Error::Cell {
                place: "--set".to_owned(),
                found: assignment.clone(),
                expected: "NAME=VALUE".to_owned(),
            };
            let (name, value) = assignment.split_once('=').ok_or_else(wrong)?;
            known.insert(name.trim().to_owned(), value.trim().to_owned());
        }
        let variables = || logistic.terms.iter().map(|term| term.split('=').next().unwrap_or(term));
        if let Some(foreign) = known.keys().find(|name| !variables().any(|v| v == *name)).filter(|_| code.is_none()) {
            let valid = variables().collect::<Vec<_>>().join(", ");
            return Err(Error::Field { found: foreign.clone(), valid });
        }
        logistic.terms.iter().map(|term| value_of(&self.protocol.codebook, term, &known)).collect()
    }
}

/// Values that no training patient comes near: the model was not learnt for them.
fn outside<'a>(logistic: &'a Logistic, values: &'a [f64]) -> impl Iterator<Item = String> + 'a {
    let beyond = logistic.terms.iter().zip(values).zip(&logistic.ranges);
    let beyond = beyond.filter(|((_, value), (low, high))| *value < low || *value > high);
    beyond.map(|((term, value), (low, high))| {
        format!("{term}: {value} is outside the training patients' range, {low} to {high}")
    })
}

/// A number, or whether a variable has the level that the term stands for.
fn value_of(book: &Codebook, term: &str, known: &BTreeMap<String, String>) -> Result<f64, Error> {
    let (name, level) = term.split_once('=').map_or((term, None), |(name, level)| (name, Some(level)));
    let missing =
        |found: &str, expected: String| Error::Cell { place: name.to_owned(), found: found.to_owned(), expected };
    let text = known.get(name).ok_or_else(|| missing("", format!("a value; --set {name}=VALUE gives one")))?;
    let Some(variable) = book.named(name) else {
        let score = text.parse().ok().filter(|p: &f64| (0.0..=1.0).contains(p));
        return score.ok_or_else(|| missing(text, "a number from 0 to 1".to_owned()));
    };
    match (variable.read(text).map_err(|expected| missing(text, expected))?, level) {
        (Some(Known::Number(value)), None) => Ok(value),
        (Some(found @ Known::Level(_)), Some(level)) => Ok(f64::from(variable.text(&found) == level)),
        _ => Err(missing(text, variable.expected())),
    }
}

/// The terms as variables: the levels of one variable stand together.
fn effects(book: &Codebook, logistic: &Logistic) -> Vec<Effect> {
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

/// Points of each term: a level's are those above the reference.
fn points(combined: &Combined, values: &[f64]) -> Option<Vec<f64>> {
    let nomogram = combined.nomogram.as_ref()?;
    let mut points = Vec::new();
    for (at, effect) in nomogram.effects.iter().enumerate() {
        match effect {
            Effect::Continuous { .. } => points.push(nomogram.points(at, values[points.len()])?),
            Effect::Levels { levels, .. } => {
                // The reference's points count once, with the first term of the variable.
                let start = points.len();
                let reference = nomogram.points(at, 0.0)?;
                for level in 1..levels.len() {
                    let own = nomogram.points(at, level as f64)? - reference;
                    points.push(values[start + level - 1] * own + if level == 1 { reference } else { 0.0 });
                }
            }
        }
    }
    Some(points)
}
