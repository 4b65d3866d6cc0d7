//! What the dashboard shows of learning: the forest of Table 4, runs, chosen features, a patient's predictions,
//! the nomogram's model.

use std::collections::BTreeMap;

use crate::pipeline::clinical::Logistic;
use crate::protocol::keys;
use crate::report::evaluation;
use crate::report::figure::forest::{self, Estimate};
use crate::report::figure::{Figure, Paper, TWO_COLUMNS_MM};
use crate::report::sheet::{Cell, Sheet};
use crate::store::{Patient, PatientId, Role, Side};
use crate::study::learn::fit::agreement;
use crate::study::learn::learnt::variable_label;
use crate::study::learn::prediction::RESEARCH_ONLY;
use crate::study::pages::patient_pages::words;
use crate::study::{ClinicalTable, Error, ModelTable, Study};
use osteon_stats::model::nomogram::{Effect, Nomogram};

/// The combined model, ready to be moved.
#[derive(Clone, Debug, PartialEq)]
pub struct MovableModel {
    pub scales: Nomogram,
    /// The name of each effect's variable, as tables and figures write it.
    pub labels: Vec<String>,
    /// What the event is called.
    pub event: String,
    pub logistic: Logistic,
    pub provenance: Vec<String>,
    /// Why the model does not stand on the present data, where it does not.
    pub doubt: Option<String>,
    /// Mean of each term over the training patients.
    pub means: Vec<f64>,
    /// SHAP values on the log odds: a list of the training patients for each effect.
    pub swarm: Vec<Vec<f64>>,
}

impl MovableModel {
    /// Probability of the event with its 95 % interval; one value an effect, a level by its position.
    pub fn risk(&self, values: &[f64]) -> (f64, [f64; 2]) {
        let terms: Vec<f64> =
            self.scales.effects.iter().zip(values).flat_map(|(effect, &value)| terms_of(effect, value)).collect();
        let (low, high) = self.logistic.interval(&terms);
        (self.logistic.probability(&terms), [low, high])
    }

    /// What each effect adds to the mean log odds of the training patients: the SHAP values of a linear predictor.
    pub fn shares(&self, values: &[f64]) -> Vec<f64> {
        let mut from = 0;
        let share = |(effect, &value): (&Effect, &f64)| {
            let terms = terms_of(effect, value);
            let start = from;
            from += terms.len();
            let added = terms.iter().enumerate().map(|(k, x)| {
                let at = start + k;
                self.logistic.coefficients[at] * (x - self.means[at])
            });
            added.sum()
        };
        self.scales.effects.iter().zip(values).map(share).collect()
    }
}

/// How many terms of the model an effect has.
fn width(effect: &Effect) -> usize {
    match effect {
        Effect::Continuous { .. } => 1,
        Effect::Levels { levels, .. } => levels.len() - 1,
    }
}

/// The terms of an effect at a value: a number, or one dummy for each level but the reference.
fn terms_of(effect: &Effect, value: f64) -> Vec<f64> {
    match effect {
        Effect::Continuous { .. } => vec![value],
        Effect::Levels { levels, .. } => (1..levels.len()).map(|at| f64::from(value as usize == at)).collect(),
    }
}

/// From here on two features are the same to a reader.
const ALIKE: f64 = 0.9;
/// So many of a cluster are named.
const NAMED: usize = 3;

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
            let state = run.finished_at.map_or_else(|| "not finished".to_owned(), |at| self.minute(&at));
            let short = |hash: &str| hash.get(..12).unwrap_or(hash).to_owned();
            let texts = [
                run.id.0.to_string(),
                run.kind,
                self.minute(&run.started_at),
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

    /// The features that each region's model of the newest fit uses, with their weights and how well two masks agree.
    pub fn chosen_sheet(&self) -> Result<Sheet, Error> {
        self.needs_response()?;
        let run = self.store.newest_fit()?.ok_or(Error::NoFit)?;
        let chosen = self.store.selected_features(run)?;
        let mut agreements: BTreeMap<String, BTreeMap<String, f64>> = BTreeMap::new();
        for (region, ..) in &chosen {
            if !agreements.contains_key(region) {
                agreements.insert(region.clone(), self.agreement_of(region, &chosen)?);
            }
        }
        let clusters = self.clusters(&chosen)?;
        let row = |(region, feature, weight): (String, String, f64)| {
            let icc = agreements.get(&region).and_then(|known| known.get(&feature)).copied();
            let stands_for = words(clusters.get(&(region.clone(), feature.clone())).cloned().unwrap_or_default());
            let weight = Cell::Number { value: weight, digits: 4 };
            vec![words(feature), words(region), weight, Cell::number(icc, 3), stands_for]
        };
        let rows = chosen.clone().into_iter().map(row).collect();
        let mut sheet =
            self.sheet("Chosen features".to_owned(), &["feature", "region", "weight", "ICC(2,1)", "stands for"], rows)?;
        sheet.notes.push(format!(
            "stands for: how many features of the region have |r| of at least {ALIKE} with it in the training patients, and \
             the {NAMED} most alike by name"
        ));
        sheet.notes.push("weight: the LASSO's coefficient on z-scores of the training patients".to_owned());
        let second = self.second_rater()?.unwrap_or(crate::store::Role::RepeatMask);
        let masks = self.masks_in_words(&second);
        sheet.notes.push(format!("ICC(2,1): a single measurement, between {masks}"));
        sheet.notes.extend(self.copies()?);
        sheet.provenance.push(format!("run: {}", run.0));
        self.told(sheet)
    }

    /// What each chosen feature stands for, by region and feature: features that are nearly the same in training patients.
    fn clusters(&self, chosen: &[(String, String, f64)]) -> Result<BTreeMap<(String, String), String>, Error> {
        let mut found = BTreeMap::new();
        let Some(split) = self.store.split()? else { return Ok(found) };
        let included: std::collections::BTreeSet<PatientId> =
            self.store.patients()?.into_iter().filter(Patient::included).map(|patient| patient.id).collect();
        let members = split.members.iter().filter(|(id, side)| *side == Side::Train && included.contains(id));
        let ids: Vec<PatientId> = members.map(|(id, _)| *id).collect();
        let regions: std::collections::BTreeSet<&String> = chosen.iter().map(|(region, ..)| region).collect();
        for region in regions {
            let (names, rows) = self.rows_named(region, &self.rater(), &ids)?;
            let rows: Vec<&Vec<Option<f64>>> = rows.iter().flatten().collect();
            let unit: Vec<Option<Vec<f64>>> = (0..names.len()).map(|at| unit_column(&rows, at)).collect();
            for (_, feature, _) in chosen.iter().filter(|(own, ..)| own == region) {
                let Some(at) = names.iter().position(|name| name == feature) else { continue };
                found.insert((region.clone(), feature.clone()), stands_for(&names, &unit, at));
            }
        }
        Ok(found)
    }

    /// Features that were left out before mRMR as exact copies of others, a line a region.
    fn copies(&self) -> Result<Vec<String>, Error> {
        let mut lines = Vec::new();
        for model in self.store.models()? {
            if model.kind != "forest" || model.name == "radiomics" {
                continue;
            }
            let stored = crate::study::learn::performance::recipe(&model)?;
            let alike = stored.region_model().map_or(0, |learnt| learnt.correlated.len());
            if alike > 0 {
                lines.push(format!(
                    "{}: {} left out before mRMR for one with |r| above select.correlation.max, by select.correlation.order",
                    model.name,
                    osteon_base::text::counted(alike, "feature")
                ));
            }
            let pairs = stored.region_model().map_or(&[][..], |learnt| &learnt.copies);
            if !pairs.is_empty() {
                let named: Vec<String> = pairs.iter().map(|(copy, of)| format!("{copy} of {of}")).collect();
                let region = &model.name;
                lines.push(format!(
                    "{region}: {} left out before mRMR as exact copies (|r| = 1 in training patients): {}",
                    osteon_base::text::counted(pairs.len(), "feature"),
                    named.join(", ")
                ));
            }
        }
        Ok(lines)
    }

    /// ICC(2,1) of the chosen features of a region, where there are repeat masks.
    fn agreement_of(&self, region: &str, chosen: &[(String, String, f64)]) -> Result<BTreeMap<String, f64>, Error> {
        let included = self.store.patients()?.into_iter().filter(Patient::included);
        let ids: Vec<PatientId> = included.map(|patient| patient.id).collect();
        let second_rater = self.second_rater()?.unwrap_or(Role::RepeatMask);
        let (names, first) = self.rows_named(region, &self.rater(), &ids)?;
        let (_, again) = self.rows_named(region, &second_rater, &ids)?;
        let both: Vec<usize> = (0..ids.len()).filter(|&at| first[at].is_some() && again[at].is_some()).collect();
        if both.len() < 2 {
            return Ok(BTreeMap::new());
        }
        let wanted = chosen.iter().filter(|(of, ..)| of == region).map(|(_, feature, _)| feature);
        let found = wanted.filter_map(|feature| {
            let at = names.iter().position(|name| name == feature)?;
            Some((feature.clone(), agreement(&first, &again, &both, at)?))
        });
        Ok(found.collect())
    }

    /// DeLong's test, NRI and IDI between the models of Table 5 and between the regions, within each set.
    pub fn pairs_sheet(&self) -> Result<Sheet, Error> {
        let (models, _, run) = self.scored(ModelTable::Five)?;
        let (regions, ..) = self.scored(ModelTable::Three)?;
        let mut sheet = evaluation::pairs(&models);
        let further = evaluation::pairs(&regions);
        sheet.rows.extend(further.rows);
        let new: Vec<String> = further.notes.into_iter().filter(|note| !sheet.notes.contains(note)).collect();
        sheet.notes.extend(new);
        sheet.provenance = self.provenance()?;
        sheet.provenance.extend(run.map(|run| format!("run: {}", run.0)));
        self.told(sheet)
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
        let later = self.store.newest_fit()?.map_or_else(|| Ok(Vec::new()), |fit| self.later_predictions(fit))?;
        for (name, kind, one) in later.into_iter().filter(|(.., one)| one.patient == patient.id) {
            let p = Cell::Number { value: one.probability, digits: 4 };
            let linear = Cell::number(one.linear, 4);
            rows.push(vec![words(name), p, linear, words("fitted, not used in learning"), words(kind)]);
        }
        let event = format!("p({})", self.protocol.codebook.side(true));
        let headings = ["model", event.as_str(), "linear", "origin", "kind"];
        let mut sheet = self.sheet(format!("Predictions for {code}"), &headings, rows)?;
        sheet.notes.push(RESEARCH_ONLY.to_owned());
        self.told(sheet)
    }

    /// The combined model of the newest fit.
    pub fn movable_model(&self) -> Result<MovableModel, Error> {
        self.needs_response()?;
        let combined = self.combined()?;
        let scales = combined.nomogram.ok_or(Error::NoFit)?;
        let terms = self.training_terms()?;
        let mean = |at: usize| terms.iter().map(|row| row[at]).sum::<f64>() / terms.len().max(1) as f64;
        let means: Vec<f64> = (0..combined.logistic.terms.len()).map(mean).collect();
        let coefficients = &combined.logistic.coefficients;
        let mut swarm = Vec::new();
        let mut start = 0;
        for effect in &scales.effects {
            let own = start..start + width(effect);
            start = own.end;
            let share = |row: &Vec<f64>| own.clone().map(|at| coefficients[at] * (row[at] - means[at])).sum();
            swarm.push(terms.iter().map(share).collect());
        }
        let book = &self.protocol.codebook;
        let labels = scales.effects.iter().map(|effect| variable_label(book, effect.name())).collect();
        let event = book.side(true).to_owned();
        Ok(MovableModel {
            scales,
            labels,
            event,
            logistic: combined.logistic,
            provenance: self.provenance()?,
            doubt: self.doubt()?,
            means,
            swarm,
        })
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

    /// The protocol's parameters of learning that have a say: key and value in TOML's notation.
    pub fn learning_parameters(&self) -> Vec<(String, String)> {
        let document = self.protocol.to_table();
        // What is changed most often comes first.
        let parts = ["learn.", "select.", "forest."];
        let of = |part: &'static str| keys::all().filter(move |key| key.name.starts_with(part));
        let known = parts.into_iter().flat_map(of).filter(|key| key.no_say(&self.protocol).is_none());
        known.filter_map(|key| Some((key.name.to_owned(), keys::value(&document, key.name)?.to_string()))).collect()
    }

    /// Puts a fit in the queue, under the protocol with these values changed; those that are as before change nothing.
    pub fn queue_fit(&self, assignments: &[String]) -> Result<crate::store::JobId, Error> {
        let before: BTreeMap<String, String> = self.learning_parameters().into_iter().collect();
        let changed =
            |text: &&str| text.split_once('=').is_none_or(|(key, value)| before.get(key).is_none_or(|it| it != value));
        let protocol = self.protocol.clone().set(assignments.iter().map(String::as_str).filter(changed))?;
        if protocol.hash() != self.protocol.hash() {
            self.use_protocol(protocol, "parameters of a fit, from the dashboard")?;
        }
        Ok(self.store.write("queue", |write| write.queue_job("fit", "{}"))?)
    }
}

/// A feature of all rows, centred and of length 1; `None` where it is undefined in one, or constant.
fn unit_column(rows: &[&Vec<Option<f64>>], at: usize) -> Option<Vec<f64>> {
    let values: Vec<f64> = rows.iter().map(|row| row[at]).collect::<Option<_>>()?;
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let length = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>().sqrt();
    (length > 0.0 && length.is_finite()).then(|| values.iter().map(|value| (value - mean) / length).collect())
}

/// `12: original_firstorder_Mean (0.99), ...`, or `itself alone`.
fn stands_for(names: &[String], unit: &[Option<Vec<f64>>], at: usize) -> String {
    let Some(own) = &unit[at] else { return String::new() };
    let r = |other: &Vec<f64>| own.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
    let mut alike: Vec<(usize, f64)> = (0..names.len())
        .filter(|&other| other != at)
        .filter_map(|other| Some((other, r(unit[other].as_ref()?))))
        .filter(|(_, r)| r.abs() >= ALIKE)
        .collect();
    alike.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
    if alike.is_empty() {
        return "itself alone".to_owned();
    }
    let named: Vec<String> = alike.iter().take(NAMED).map(|(other, r)| format!("{} ({r:.2})", names[*other])).collect();
    let more = if alike.len() > NAMED { ", ..." } else { "" };
    format!("{}: {}{more}", alike.len(), named.join(", "))
}
