//! Figures of what was learnt, from the newest fit.

use std::collections::BTreeMap;

use ndarray::{Array2, ArrayView1};
use serde_json::Value;

use crate::model::nomogram::Effect;
use crate::model::shap::{Explanation, linear};
use crate::pipeline::clinical::Logistic;
use crate::pipeline::learn::RAD_SCORE;
use crate::protocol::variable::{Entry, Variable};
use crate::report::calculator::{self, Calculator};
use crate::report::figure::lasso::{self, Lasso};
use crate::report::figure::{Figure, Paper, icc, learnt, nomogram, scored, shap};
use crate::roi::Roi;
use crate::store::{Model, Origin, Patient, PatientId, Response, Role, Side};
use crate::study::figure::title;
use crate::study::learning::agreement;
use crate::study::performance::recipe;
use crate::study::{Error, FigureName, ModelTable, Study};

/// The explained patients of the combined model.
struct Explained {
    logistic: Logistic,
    codes: Vec<String>,
    values: Vec<Vec<f64>>,
    /// Positions of the training patients.
    train: Vec<usize>,
}

impl Study {
    /// ROC, decision or calibration curves of the models of Table 5.
    pub(in crate::study) fn curves(&self, name: FigureName, paper: &Paper) -> Result<Figure, Error> {
        let (rows, _, run) = self.scored(ModelTable::Five)?;
        let mut paper = paper.clone();
        paper.provenance.push(format!("run: {}", run.0));
        Ok(match name {
            FigureName::Dca => scored::decision(&rows, &paper),
            FigureName::Calibration => scored::calibration(&rows, self.protocol.learn.seed, &paper),
            _ => scored::roc(&rows, &paper),
        })
    }

    /// The LASSO of a region; of the one that gives the Rad-score when none is named.
    pub(in crate::study) fn lasso_figure(&self, region: Option<&str>, paper: &Paper) -> Result<Figure, Error> {
        self.needs_response()?;
        let models = self.store.models()?;
        let radiomics = models.iter().find(|model| model.name == "radiomics").ok_or(Error::NoFit)?;
        let best = recipe(radiomics)?["region"].as_str().unwrap_or_default().to_owned();
        let region = region.unwrap_or(&best);
        let valid = || models.iter().map(|model| model.name.as_str()).collect::<Vec<_>>().join(", ");
        let found = models.iter().find(|model| model.name == region);
        let model = found.ok_or_else(|| Error::Field { found: region.to_owned(), valid: valid() })?;
        let wrong = |source| Error::Recipe { model: model.name.clone(), source };
        let body: Value = recipe(model)?;
        let names: Vec<String> = serde_json::from_value(body["shortlist"].clone()).map_err(wrong)?;
        let fitted = serde_json::from_value(body["lasso"].clone()).map_err(wrong)?;
        let drawn: Lasso = learnt::lasso(region, &names, &fitted, self.protocol.select.lasso.family);
        Ok(lasso::figure(&drawn, paper))
    }

    pub(in crate::study) fn nomogram_figure(&self, paper: &Paper) -> Result<Figure, Error> {
        self.needs_response()?;
        let combined = self.combined()?;
        let from = combined.nomogram.ok_or(Error::NoFit)?;
        let labels: Vec<String> = from.effects.iter().map(label).collect();
        Ok(nomogram::figure(&learnt::nomogram(&from, &labels, Response::Poor.name()), paper))
    }

    /// The nomogram as a page that calculates.
    pub fn calculator(&self) -> Result<String, Error> {
        self.needs_response()?;
        let combined = self.combined()?;
        let from = combined.nomogram.as_ref().ok_or(Error::NoFit)?;
        let paper = Paper { width_mm: crate::report::figure::TWO_COLUMNS_MM, provenance: self.provenance()? };
        let fit = &combined.logistic;
        let warnings = vec![
            format!(
                "For research only. The model was learnt from {} patients, {} of them with the event, and needs \
                 confirmation in others before anybody relies on it.",
                fit.n, fit.n_events
            ),
            "The interval covers the coefficients alone: the Rad-score is taken as known.".to_owned(),
        ];
        Ok(calculator::html(&Calculator {
            title: format!("Probability of {}: {}", Response::Poor.name(), self.store.study()?.title),
            event: Response::Poor.name().to_owned(),
            nomogram: from,
            labels: from.effects.iter().map(label).collect(),
            covariance: fit.covariance.clone(),
            svg: self.nomogram_figure(&paper)?.svg(),
            warnings,
            provenance: paper.provenance,
        }))
    }

    /// SHAP values of the training patients under the combined model, against their mean.
    pub(in crate::study) fn shap_figure(&self, paper: &Paper) -> Result<Figure, Error> {
        let explained = self.explained()?;
        let explanations: Vec<Explanation> = explained.train.iter().map(|&at| explained.of(at)).collect();
        let variable = |j: usize| shap::Variable {
            name: term_label(&explained.logistic.terms[j]),
            shap: explanations.iter().map(|it| it.values[j]).collect(),
            values: explained.train.iter().map(|&at| explained.values[at][j]).collect(),
        };
        let variables: Vec<shap::Variable> = (0..explained.logistic.terms.len()).map(variable).collect();
        Ok(shap::summary(&variables, "log odds", paper))
    }

    /// One patient's SHAP values; the first training patient's when none is named.
    pub(in crate::study) fn waterfall_figure(&self, code: Option<&str>, paper: &Paper) -> Result<Figure, Error> {
        let explained = self.explained()?;
        let at = match code {
            Some(code) => explained.codes.iter().position(|own| own == code),
            None => explained.train.first().copied(),
        };
        let at = at.ok_or(Error::NoResult { what: "values of this patient for the model", command: "osteon fit" })?;
        let explanation = explained.of(at);
        let step = |(j, shap): (usize, &f64)| {
            let (term, value) = (&explained.logistic.terms[j], explained.values[at][j]);
            let value = match term.split_once('=') {
                Some((_, level)) => if value == 1.0 { level } else { "another level" }.to_owned(),
                None => crate::plot::number(value, if value.fract() == 0.0 { 0 } else { 2 }),
            };
            (format!("{} = {value}", variable_label(term)), *shap)
        };
        let patient = shap::Patient {
            name: explained.codes[at].clone(),
            base: explanation.base,
            steps: explanation.values.iter().enumerate().map(step).collect(),
            unit: "log odds".to_owned(),
        };
        Ok(shap::waterfall(&patient, paper))
    }

    fn explained(&self) -> Result<Explained, Error> {
        self.needs_response()?;
        let logistic = self.combined()?.logistic;
        let models = self.store.models()?;
        let radiomics = models.iter().find(|model| model.name == "radiomics").ok_or(Error::NoFit)?;
        let scores = rad_scores(radiomics);
        let split = self.store.split()?.ok_or(Error::NoSplit)?;
        let sides: BTreeMap<PatientId, Side> = split.members.into_iter().collect();
        let (mut codes, mut values, mut train) = (Vec::new(), Vec::new(), Vec::new());
        for patient in self.store.patients()?.into_iter().filter(Patient::included) {
            let own = logistic.terms.iter().map(|term| value(&patient, term, &scores)).collect::<Option<Vec<f64>>>();
            if let Some(own) = own {
                if sides.get(&patient.id) == Some(&Side::Train) {
                    train.push(codes.len());
                }
                codes.push(patient.code);
                values.push(own);
            }
        }
        Ok(Explained { logistic, codes, values, train })
    }

    /// Agreement of each feature between the mask and the repeat mask, by region.
    pub(in crate::study) fn icc_figure(&self, paper: &Paper) -> Result<Figure, Error> {
        let included = self.store.patients()?.into_iter().filter(Patient::included);
        let ids: Vec<PatientId> = included.map(|patient| patient.id).collect();
        let mut regions = Vec::new();
        for roi in Roi::all(&self.protocol.roi) {
            let (names, first) = self.rows_of(&roi.to_string(), Role::Mask, &ids)?;
            let (_, second) = self.rows_of(&roi.to_string(), Role::RepeatMask, &ids)?;
            let both: Vec<usize> = (0..ids.len()).filter(|&i| first[i].is_some() && second[i].is_some()).collect();
            if both.len() > 1 {
                let icc = (0..names.len()).map(|j| agreement(&first, &second, &both, j)).collect();
                regions.push(icc::Region { name: title(roi), icc });
            }
        }
        if regions.is_empty() {
            return Err(Error::NoResult { what: "features of repeat masks", command: "osteon extract" });
        }
        Ok(icc::figure(&regions, self.protocol.select.icc_min, paper))
    }
}

impl Explained {
    /// The patient at a position, against the training patients.
    fn of(&self, at: usize) -> Explanation {
        let width = self.logistic.terms.len();
        let background = Array2::from_shape_fn((self.train.len(), width), |(i, j)| self.values[self.train[i]][j]);
        linear(
            self.logistic.intercept,
            &self.logistic.coefficients,
            ArrayView1::from(self.values[at].as_slice()),
            background.view(),
        )
    }
}

/// Out of fold where there is one, as models learnt from it see it.
fn rad_scores(radiomics: &Model) -> BTreeMap<PatientId, f64> {
    let of = |origin: Origin| radiomics.predictions.iter().filter(move |one| one.origin == origin);
    let held = of(Origin::OutOfFold).map(|one| (one.patient, one.probability));
    of(Origin::Fitted).map(|one| (one.patient, one.probability)).chain(held).collect()
}

/// A patient's value of a term: the Rad-score, a number, or whether a level is the patient's.
fn value(patient: &Patient, term: &str, scores: &BTreeMap<PatientId, f64>) -> Option<f64> {
    if term == RAD_SCORE {
        return scores.get(&patient.id).copied();
    }
    let (name, level) = term.split_once('=').map_or((term, None), |(name, level)| (name, Some(level)));
    match (patient.entry(name)?, level) {
        (Entry::Number(value), None) => Some(value),
        (Entry::Level(own), Some(level)) => Some(f64::from(own == level)),
        _ => None,
    }
}

fn label(effect: &Effect) -> String {
    variable_label(effect.name())
}

/// `Pathological fracture: yes` for a level, the variable's label else.
fn term_label(term: &str) -> String {
    match term.split_once('=') {
        Some((_, level)) => format!("{}: {level}", variable_label(term)),
        None => variable_label(term),
    }
}

fn variable_label(term: &str) -> String {
    let name = term.split('=').next().unwrap_or(term);
    match name {
        RAD_SCORE => "Rad-score".to_owned(),
        name => Variable::named(name).map_or(name, |variable| variable.label).to_owned(),
    }
}
