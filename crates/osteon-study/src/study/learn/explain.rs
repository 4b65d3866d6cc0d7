//! SHAP values of a study's models: of the combined model on the log odds, of a region's forest on the probability.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView1, Axis};
use rayon::prelude::*;

use crate::pipeline::clinical::Logistic;
use crate::pipeline::learn::RAD_SCORE;
use crate::pipeline::region::RegionModel;
use crate::protocol::codebook::{Codebook, Value};
use crate::report::figure::{Figure, Paper, shap};
use crate::store::{Model, Origin, Patient, PatientId, Side, sha256};
use crate::study::learn::learnt::{region_recipe, variable_label};
use crate::study::learn::prediction::rad_score_of;
use crate::study::report::figure::title_of;
use crate::study::{Error, FigureRequest, ForestShap, Study, View};
use osteon_stats::model::forest::Forest;
use osteon_stats::model::shap::{Explanation, interventional, linear, path_dependent};
use osteon_stats::select::scale::Scaling;

/// A model and the patients that have all its terms.
struct Explained {
    model: Explainer,
    terms: Vec<String>,
    codes: Vec<String>,
    /// One row a patient, as they are shown.
    values: Vec<Vec<f64>>,
    /// Rows as the model takes them: z-scores for a forest.
    x: Array2<f64>,
    /// Positions of the training patients.
    train: Vec<usize>,
}

enum Explainer {
    Logistic(Logistic),
    Forest {
        region: String,
        forest: Forest,
        how: ForestShap,
    },
    /// The LASSO's score of a region, where that is the Rad-score.
    Linear {
        region: String,
        intercept: f64,
        weights: Vec<f64>,
    },
}

impl Study {
    /// SHAP values of the training patients, against themselves.
    pub(in crate::study) fn shap_figure(&self, request: &FigureRequest, paper: &Paper) -> Result<Figure, Error> {
        let explained = self.explained(request.region.as_deref(), request.forest_shap)?;
        let background = explained.background();
        let explanations: Vec<Explanation> =
            explained.train.par_iter().map(|&at| explained.of(at, &background)).collect();
        let variable = |j: usize| shap::Variable {
            name: term_label(&self.protocol.codebook, &explained.terms[j]),
            shap: explanations.iter().map(|it| it.values[j]).collect(),
            values: explained.train.iter().map(|&at| explained.values[at][j]).collect(),
        };
        let variables: Vec<shap::Variable> = (0..explained.terms.len()).map(variable).collect();
        let names = self.names_in_numbers(request.deidentify)?;
        let patients: Vec<String> = explained.train.iter().map(|&at| names[&explained.codes[at]].clone()).collect();
        let model = self.model_in_words(&explained.model);
        Ok(told(shap::summary(&variables, &patients, explained.unit(), paper), &model))
    }

    /// One patient's SHAP values; the first training patient's when none is named.
    pub(in crate::study) fn waterfall_figure(&self, request: &FigureRequest, paper: &Paper) -> Result<Figure, Error> {
        let code = request.patient.as_deref();
        let explained = self.explained(request.region.as_deref(), request.forest_shap)?;
        let at = match code {
            Some(code) => {
                self.store.patient(code)?;
                explained.codes.iter().position(|own| own == code)
            }
            None => explained.train.first().copied(),
        };
        let at = at.ok_or_else(|| {
            let who = code.unwrap_or("any patient");
            Error::Request(format!(
                "the model cannot be asked about {who}: excluded, not in the split, or a value missing"
            ))
        })?;
        let explanation = explained.of(at, &explained.background());
        let step = |(j, shap): (usize, &f64)| {
            (written(&self.protocol.codebook, &explained.terms[j], explained.values[at][j]), *shap)
        };
        let patient = shap::Patient {
            name: self.names_in_numbers(request.deidentify)?[&explained.codes[at]].clone(),
            base: explanation.base,
            steps: explanation.values.iter().enumerate().map(step).collect(),
            unit: explained.unit().to_owned(),
        };
        let model = self.model_in_words(&explained.model);
        Ok(told(shap::waterfall(&patient, paper), &model))
    }

    /// What numbers call each patient: the id, or a code that does not tell it. Codes are the same every time for the same
    /// data; who does not have all of them cannot compute them.
    fn names_in_numbers(&self, deidentify: bool) -> Result<BTreeMap<String, String>, Error> {
        let patients = self.store.patients()?;
        if !deidentify && self.view == View::Full {
            return Ok(patients.into_iter().map(|patient| (patient.code.clone(), patient.code)).collect());
        }
        let entries = |patient: &Patient| {
            let values: Vec<String> =
                patient.book.variables.iter().map(|it| format!("{:?}", patient.entry(&it.name))).collect();
            format!("{}\n{}\n", patient.code, values.join("\n"))
        };
        let key = sha256(patients.iter().map(entries).collect::<String>().as_bytes());
        let code = |patient: &Patient| format!("C{}", &sha256(format!("{key}{}", patient.code).as_bytes())[..8]);
        Ok(patients.iter().map(|patient| (patient.code.clone(), code(patient))).collect())
    }

    fn model_in_words(&self, model: &Explainer) -> String {
        let named = |region: &str| {
            let sources = self.protocol.all_sources();
            sources.iter().find(|source| source.name == region).map_or_else(|| region.to_owned(), title_of)
        };
        match model {
            Explainer::Logistic(_) => {
                "Combined model: exact values of the linear predictor, with the training patients as background."
                    .to_owned()
            }
            Explainer::Linear { region, .. } => format!(
                "LASSO score of the region {}: exact values of the linear score, with the training patients as background.",
                named(region)
            ),
            Explainer::Forest { region, how: ForestShap::PathDependent, .. } => {
                format!("Random forest of the region {}: exact path-dependent TreeSHAP.", named(region))
            }
            Explainer::Forest { region, how: ForestShap::Interventional, .. } => format!(
                "Random forest of the region {}: exact interventional TreeSHAP, with the training patients as background.",
                named(region)
            ),
        }
    }

    /// One value a term of the combined model for each training patient that has them all.
    pub(in crate::study) fn training_terms(&self) -> Result<Vec<Vec<f64>>, Error> {
        let explained = self.explained(None, ForestShap::PathDependent)?;
        Ok(explained.train.iter().map(|&at| explained.values[at].clone()).collect())
    }

    fn explained(&self, region: Option<&str>, how: ForestShap) -> Result<Explained, Error> {
        self.needs_response()?;
        let split = self.store.split()?.ok_or(Error::NoSplit)?;
        let sides: BTreeMap<PatientId, Side> = split.members.into_iter().collect();
        let patients: Vec<Patient> = self.store.patients()?.into_iter().filter(Patient::included).collect();
        let models = self.store.models()?;
        if models.is_empty() {
            return Err(Error::NoFit);
        }
        let (model, terms, rows) = match region {
            None => self.explained_logistic(&models, &patients)?,
            Some(region) => self.explained_forest(&models, region, how, &patients)?,
        };
        let (mut codes, mut values, mut train, mut x) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (patient, row) in patients.into_iter().zip(rows) {
            if let Some((shown, taken)) = row {
                if sides.get(&patient.id) == Some(&Side::Train) {
                    train.push(codes.len());
                }
                codes.push(patient.code);
                values.push(shown);
                x.extend(taken);
            }
        }
        let x = Array2::from_shape_vec((codes.len(), terms.len()), x).expect("one value a term and patient");
        Ok(Explained { model, terms, codes, values, x, train })
    }

    fn explained_logistic(&self, models: &[Model], patients: &[Patient]) -> Result<Parts, Error> {
        let logistic = self.combined()?.logistic;
        let radiomics = models.iter().find(|model| model.name == "radiomics").ok_or(Error::NoFit)?;
        let scores = rad_scores(radiomics);
        let row = |patient: &Patient| {
            let own = logistic.terms.iter().map(|term| value(patient, term, &scores)).collect::<Option<Vec<f64>>>()?;
            Some((own.clone(), own))
        };
        let rows = patients.iter().map(row).collect();
        Ok((Explainer::Logistic(logistic.clone()), logistic.terms.clone(), rows))
    }

    fn explained_forest(
        &self,
        models: &[Model],
        region: &str,
        how: ForestShap,
        patients: &[Patient],
    ) -> Result<Parts, Error> {
        let learnt = region_recipe(models, region)?;
        let intercept = learnt.linear_intercept();
        let ids: Vec<PatientId> = patients.iter().map(|patient| patient.id).collect();
        let features = self.features_of(&learnt, &ids)?;
        let places = features.places(&learnt.features).ok_or(Error::NoFeatures)?;
        let maps = learnt.maps(&learnt.features);
        let RegionModel { features: names, scaling, forest, weights, link, .. } = learnt;
        let Scaling { means, sds } = scaling;
        let row = |row: usize| {
            let shown = features.values(row, &places, None)?;
            let taken = features.values(row, &places, maps.as_ref())?;
            let z = taken.iter().zip(means.iter().zip(&sds)).map(|(value, (mean, sd))| (value - mean) / sd).collect();
            Some((shown, z))
        };
        let rows = (0..ids.len()).map(row).collect();
        let region = region.to_owned();
        let explainer = match link {
            Some(_) => Explainer::Linear { region, intercept, weights },
            None => Explainer::Forest { region, forest, how },
        };
        Ok((explainer, names, rows))
    }
}

/// The model, its terms, and each patient's values as shown and as the model takes them.
type Parts = (Explainer, Vec<String>, Vec<Option<(Vec<f64>, Vec<f64>)>>);

impl Explained {
    fn background(&self) -> Array2<f64> {
        self.x.select(Axis(0), &self.train)
    }

    /// The patient at a position, against the training patients.
    fn of(&self, at: usize, background: &Array2<f64>) -> Explanation {
        let row: ArrayView1<f64> = self.x.row(at);
        match &self.model {
            Explainer::Logistic(it) => linear(it.intercept, &it.coefficients, row, background.view()),
            Explainer::Linear { intercept, weights, .. } => linear(*intercept, weights, row, background.view()),
            Explainer::Forest { forest, how: ForestShap::PathDependent, .. } => path_dependent(forest, row),
            Explainer::Forest { forest, how: ForestShap::Interventional, .. } => {
                interventional(forest, row, background.view())
            }
        }
    }

    fn unit(&self) -> &'static str {
        match self.model {
            Explainer::Logistic(_) => "log odds",
            Explainer::Forest { .. } => "probability",
            Explainer::Linear { .. } => "Rad-score",
        }
    }
}

/// The figure with a caption that names the model and the method.
fn told(figure: Figure, model: &str) -> Figure {
    Figure { caption: format!("{} {model}", figure.caption), ..figure }
}

/// Out of fold where there is one, as models learnt from it see it.
fn rad_scores(radiomics: &Model) -> BTreeMap<PatientId, f64> {
    let of = |origin: Origin| radiomics.predictions.iter().filter(move |one| one.origin == origin);
    let held = of(Origin::OutOfFold).map(|one| (one.patient, rad_score_of(one)));
    of(Origin::Fitted).map(|one| (one.patient, rad_score_of(one))).chain(held).collect()
}

/// A patient's value of a term: the Rad-score, a number, or whether a level is the patient's.
pub(in crate::study) fn value(patient: &Patient, term: &str, scores: &BTreeMap<PatientId, f64>) -> Option<f64> {
    if term == RAD_SCORE {
        return scores.get(&patient.id).copied();
    }
    let (name, level) = term.split_once('=').map_or((term, None), |(name, level)| (name, Some(level)));
    match (patient.entry(name)?, level) {
        (Value::Number(value), None) => Some(*value),
        (own @ Value::Level(_), Some(level)) => Some(f64::from(patient.book.named(name)?.text(own) == level)),
        _ => None,
    }
}

/// `ALP = 96 U/L`, `Pathological fracture = yes`.
fn written(book: &Codebook, term: &str, value: f64) -> String {
    let value = match term.split_once('=') {
        Some((_, level)) if value == 1.0 => level.to_owned(),
        Some((name, level)) => other(book, name, level),
        None if value.fract() == 0.0 && value.abs() < 1e6 => osteon_plot::number(value, 0),
        None if (0.01..1e6).contains(&value.abs()) => osteon_plot::number(value, 2),
        None => format!("{value:.2e}"),
    };
    let label = variable_label(book, term);
    match label.split_once(", ") {
        Some((name, unit)) => format!("{name} = {value} {unit}"),
        None => format!("{label} = {value}"),
    }
}

/// What a patient is who has not this level.
fn other(book: &Codebook, name: &str, level: &str) -> String {
    match book.named(name).map(|variable| variable.levels()).as_deref() {
        Some([one, two]) => if *one == level { *two } else { *one }.to_owned(),
        _ => format!("not {level}"),
    }
}

/// `Pathological fracture: yes` for a level, the variable's label else.
fn term_label(book: &Codebook, term: &str) -> String {
    match term.split_once('=') {
        Some((_, level)) => format!("{}: {level}", variable_label(book, term)),
        None => variable_label(book, term),
    }
}
