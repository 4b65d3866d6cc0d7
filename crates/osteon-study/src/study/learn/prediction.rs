//! The nomogram as a question: one patient's points, total and probability under the combined model.

use std::collections::BTreeMap;

use crate::model::terms::{self, NoValue};
use crate::pipeline::clinical::Logistic;
use crate::pipeline::learn::RAD_SCORE;
use crate::pipeline::recipe::COMBINED;
use crate::report::sheet::{Cell, Sheet};
use crate::store::{Origin, Prediction};
use crate::study::learn::performance::recipe;
use crate::study::{Error, Study};
use osteon_stats::model::nomogram::{Nomogram, nomogram};

/// What every prediction says.
pub const RESEARCH_ONLY: &str = "research use only: not a medical device, not for the care of patients";
/// The same as a row of a table.
pub const USE: [&str; 2] = ["research use only", "not a medical device, not for the care of patients"];

/// The same as a sentence of its own.
pub(in crate::study) fn in_a_sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

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
        let model = models.iter().find(|model| model.name == COMBINED).ok_or(Error::NoFit)?;
        let logistic = recipe(model)?.logistic().ok_or(Error::NoFit)?.clone();
        let logit = |p: f64| (p / (1.0 - p)).ln();
        let finite = model.predictions.iter().map(|one| logit(one.probability)).filter(|lp| lp.is_finite());
        let range = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), lp| (low.min(lp), high.max(lp)));
        let nomogram = nomogram(logistic.intercept, &terms::effects(&self.protocol.codebook, &logistic), range);
        Ok(Combined { logistic, nomogram })
    }

    /// Probability and points of a patient of the study, or of values given as NAME=VALUE (which replace theirs).
    pub fn predict(&self, code: Option<&str>, given: &[String]) -> Result<Sheet, Error> {
        let combined = self.combined()?;
        let values = self.values(&combined.logistic, code, given)?;
        let (low, high) = combined.logistic.interval(&values);
        let estimate = combined.logistic.probability(&values);
        let points = combined.nomogram.as_ref().and_then(|scales| terms::points(scales, &values));
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
        // A row of its own: what is printed as CSV has no notes.
        rows.push([USE[0], USE[1], ""].map(|text| Cell::Text(text.to_owned())).to_vec());
        self.told(Sheet {
            title: code.map_or("Prediction".to_owned(), |code| format!("Prediction for {code}")),
            headings: ["Term", "Value", "Points"].map(str::to_owned).to_vec(),
            rows,
            notes: outside(&combined.logistic, &values).chain([combined.logistic.interval_in_words()]).collect(),
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
            let score = own(Origin::OutOfFold).or_else(|| own(Origin::Fitted)).map(rad_score_of);
            if let Some(score) = score.map_or_else(|| self.later_rad_score(patient.id), |score| Ok(Some(score)))? {
                known.insert(RAD_SCORE.to_owned(), score.to_string());
            } else if !given.iter().any(|it| it.trim_start().starts_with(RAD_SCORE)) {
                self.refuse_unseen(&models, &patient)?;
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
        let value = |term: &String| terms::value(&self.protocol.codebook, term, &known);
        let cell = |NoValue { name: place, found, expected }| Error::Cell { place, found, expected };
        logistic.terms.iter().map(|term| value(term).map_err(cell)).collect()
    }
}

/// The Rad-score in a prediction of the radiomics model: its linear score where it has one, which it has only where that
/// is the Rad-score, else the probability.
pub(in crate::study) fn rad_score_of(one: &Prediction) -> f64 {
    one.linear.unwrap_or(one.probability)
}

/// Values that no training patient comes near: the model was not learnt for them.
fn outside<'a>(logistic: &'a Logistic, values: &'a [f64]) -> impl Iterator<Item = String> + 'a {
    let beyond = logistic.terms.iter().zip(values).zip(&logistic.ranges);
    let beyond = beyond.filter(|((_, value), (low, high))| *value < low || *value > high);
    beyond.map(|((term, value), (low, high))| {
        format!("{term}: {value} is outside the training patients' range, {low} to {high}")
    })
}
