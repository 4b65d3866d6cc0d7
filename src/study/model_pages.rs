//! What the dashboard shows of learning: the forest of Table 4, runs, chosen features, a patient's predictions,
//! the nomogram's model.

use std::collections::BTreeMap;

use crate::model::nomogram::{Effect, Nomogram};
use crate::pipeline::clinical::Logistic;
use crate::report::figure::forest::{self, Estimate};
use crate::report::figure::{Figure, Paper, TWO_COLUMNS_MM};
use crate::report::sheet::{Cell, Sheet};
use crate::study::patient_pages::{minute, words};
use crate::study::{ClinicalTable, Error, Study};

/// The combined model, ready to be moved.
#[derive(Clone, Debug, PartialEq)]
pub struct MovableModel {
    pub scales: Nomogram,
    pub logistic: Logistic,
    pub provenance: Vec<String>,
}

impl MovableModel {
    /// Probability of the event with its 95 % interval; one value an effect, a level by its position.
    pub fn risk(&self, values: &[f64]) -> (f64, [f64; 2]) {
        let terms: Vec<f64> = self
            .scales
            .effects
            .iter()
            .zip(values)
            .flat_map(|(effect, &value)| match effect {
                Effect::Continuous { .. } => vec![value],
                Effect::Levels { levels, .. } => (1..levels.len()).map(|at| f64::from(value as usize == at)).collect(),
            })
            .collect();
        let (low, high) = self.logistic.interval(&terms);
        (self.logistic.probability(&terms), [low, high])
    }
}

impl Study {
    /// Table 4 as odds ratios on a logarithmic axis.
    pub fn forest_figure(&self) -> Result<Figure, Error> {
        let (sheet, _) = self.clinical_table(ClinicalTable::Four, &self.protocol)?;
        let estimate = |row: &[Cell], at: usize| match (row.get(at), row.get(at + 1)) {
            (Some(Cell::Interval { estimate, low, high, .. }), Some(Cell::P(p))) => {
                Some(Estimate { odds_ratio: *estimate, low: *low, high: *high, p: *p })
            }
            _ => None,
        };
        let line =
            |label: String, univariable| forest::Row { label, univariable, multivariable: None, reference: false };
        // One panel, so that a low screen has a line for each: the multivariate odds ratio stands below the univariate.
        let rows: Vec<forest::Row> = sheet
            .rows
            .iter()
            .flat_map(|row| {
                let together = estimate(row, 3).map(|it| line("  multivariate".to_owned(), Some(it)));
                std::iter::once(line(row[0].text(), estimate(row, 1))).chain(together)
            })
            .collect();
        Ok(forest::figure(&rows, &Paper { width_mm: TWO_COLUMNS_MM, provenance: sheet.provenance }))
    }

    /// Every run, newest first.
    pub fn runs_sheet(&self) -> Result<Sheet, Error> {
        let rows = self.store.runs()?.into_iter().map(|run| {
            let state = run.finished_at.map_or_else(|| "not finished".to_owned(), |at| minute(&at));
            let short = |hash: &str| hash.get(..12).unwrap_or(hash).to_owned();
            let texts = [
                run.id.0.to_string(),
                run.kind,
                minute(&run.started_at),
                state,
                run.actor,
                run.seed.0.to_string(),
                short(&run.protocol_hash),
                short(&run.inputs),
                short(&run.trail_head),
                if run.locked { "yes" } else { "no" }.to_owned(),
                run.program_version,
            ];
            texts.map(words).to_vec()
        });
        let headings =
            ["run", "kind", "began", "ended", "who", "seed", "protocol", "inputs", "trail head", "locked", "osteon"];
        self.sheet("Runs".to_owned(), &headings, rows.collect())
    }

    /// The features that each model of the newest fit uses, with their weights.
    pub fn chosen_sheet(&self) -> Result<Sheet, Error> {
        self.needs_response()?;
        let row = |(model, feature, weight): (String, String, f64)| {
            vec![words(feature), words(model), Cell::Number { value: weight, digits: 4 }]
        };
        let rows = self.store.selected_features()?.into_iter().map(row).collect();
        self.sheet("Chosen features".to_owned(), &["feature", "model", "weight"], rows)
    }

    /// The probability of the event by each model of the newest fit.
    pub fn predictions_sheet(&self, code: &str) -> Result<Sheet, Error> {
        self.needs_response()?;
        let patient = self.store.patient(code)?;
        let mut rows = Vec::new();
        for model in self.store.models()? {
            for one in model.predictions.iter().filter(|one| one.patient == patient.id) {
                let p = Cell::Number { value: one.probability, digits: 4 };
                let linear = Cell::number(one.linear, 4);
                rows.push(vec![words(&model.name), p, linear, words(one.origin.name()), words(&model.kind)]);
            }
        }
        let headings = ["model", "p(non-pGR)", "linear", "origin", "kind"];
        self.sheet(format!("Predictions for {code}"), &headings, rows)
    }

    /// The combined model of the newest fit.
    pub fn movable_model(&self) -> Result<MovableModel, Error> {
        self.needs_response()?;
        let combined = self.combined()?;
        let scales = combined.nomogram.ok_or(Error::NoFit)?;
        Ok(MovableModel { scales, logistic: combined.logistic, provenance: self.provenance()? })
    }

    /// A patient's values for the nomogram, one an effect.
    pub fn values_to_move(&self, code: &str) -> Result<Vec<f64>, Error> {
        let model = self.movable_model()?;
        let terms = self.values(&model.logistic, Some(code), &[])?;
        let mut terms = terms.into_iter();
        let value = |effect: &Effect| match effect {
            Effect::Continuous { .. } => terms.next().unwrap_or(0.0),
            Effect::Levels { levels, .. } => {
                let set: Vec<f64> = terms.by_ref().take(levels.len() - 1).collect();
                set.iter().position(|&dummy| dummy == 1.0).map_or(0.0, |at| (at + 1) as f64)
            }
        };
        Ok(model.scales.effects.iter().map(value).collect())
    }

    /// The protocol's parameters of learning: key and value in TOML's notation.
    pub fn learning_parameters(&self) -> Vec<(String, String)> {
        let document: toml::Table = self.protocol.to_toml().parse().expect("a protocol is TOML");
        let values: BTreeMap<String, String> = match document.get("learn") {
            Some(toml::Value::Table(learn)) => learn
                .iter()
                .filter(|(_, value)| !value.is_table())
                .map(|(key, value)| (format!("learn.{key}"), value.to_string()))
                .collect(),
            _ => BTreeMap::new(),
        };
        values.into_iter().collect()
    }

    /// Puts a fit in the queue, under the protocol with these values changed.
    pub fn queue_fit(&self, assignments: &[String]) -> Result<crate::store::JobId, Error> {
        let protocol = self.protocol.clone().set(assignments.iter().map(String::as_str))?;
        if protocol.hash() != self.protocol.hash() {
            self.use_protocol(protocol, "parameters of a fit, from the dashboard")?;
        }
        Ok(self.store.write("queue", |write| write.queue_job("fit", "{}"))?)
    }
}
