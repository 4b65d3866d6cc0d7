//! Batches of a harmonized model: who is of which, and what becomes of a patient's features.
//!
//! A variable's levels may be names of centres, which do not travel: the file has a code for each, a hash salted with the
//! fit's own, by which somebody who knows the name finds the batch and nobody reads it. Scanners are told by name.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::Array2;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::apply::Raw;
use crate::model::build::finished;
use crate::model::file::{Change, FeaturePart, ModelFile, Parent, Source, Update};
use crate::model::read::{Model, ModelError};
use crate::pipeline::harmonise::{LEAST, Map};
use crate::protocol::learn::SCANNER;
use osteon_base::text::counted;
use osteon_stats::select::combat::{Combat, Prior};

/// The input that says a patient's batch.
pub const BATCH: &str = "batch";

/// How features are harmonized.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CombatPart {
    /// The variable whose levels are the batches, or `scanner`.
    pub by: String,
    pub prior: Prior,
    /// Variables whose effects were kept.
    pub covariates: Vec<String>,
}

/// The batches of one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceCombat {
    /// The slots whose scanners make the batch.
    pub slots: Vec<String>,
    /// In the order of each feature's maps.
    pub batches: Vec<BatchPart>,
    /// Everything that was harmonized: what a batch that was not there is estimated by.
    pub reference: Vec<Reference>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchPart {
    /// `None` where it may be the name of a centre.
    pub name: Option<String>,
    pub code: String,
    /// Patients that it was estimated from, and how many had the event; `None` where their outcomes had no part.
    pub n: usize,
    pub n_events: Option<usize>,
}

/// Features of one place, with their means over the batches and pooled variances in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    pub slot: String,
    pub region: String,
    pub earlier: Option<String>,
    pub change: Option<Change>,
    pub features: Vec<String>,
    pub means: Vec<f64>,
    pub variances: Vec<f64>,
}

/// What stands for a batch: 16 hexadecimal digits of a salted SHA-256; capitals and blanks do not matter.
pub fn code(salt: &str, name: &str) -> String {
    let plain = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut code = osteon_base::text::hex(Sha256::digest(format!("osteon batch\n{salt}\n{plain}")));
    code.truncate(16);
    code
}

impl BatchPart {
    /// As a person reads it.
    pub fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.code)
    }
}

impl SourceCombat {
    /// The batch of a name or a code.
    pub fn find(&self, salt: &str, text: &str) -> Option<usize> {
        let own = code(salt, text);
        self.batches.iter().position(|batch| batch.code == own || batch.code == text.trim())
    }
}

impl Source {
    /// The patient's batch: `None` where features are taken as measured.
    ///
    /// # Errors
    /// When it is not given, or is not one that the model knows.
    pub fn batch(&self, file: &ModelFile, known: &BTreeMap<String, String>) -> Result<Option<usize>, ModelError> {
        let Some(combat) = &self.combat else { return Ok(None) };
        let by = file.combat.as_ref().map_or(BATCH, |part| part.by.as_str()).to_owned();
        let lacking = || ModelError::NoBatch { by: by.clone() };
        let found = named(&self.name, combat, known).ok_or_else(lacking)?;
        let unknown = || ModelError::Batch {
            found: found.clone(),
            known: combat.batches.iter().map(BatchPart::shown).collect::<Vec<_>>().join(", "),
        };
        combat.find(&file.origin.inputs, &found).map(Some).ok_or_else(unknown)
    }

    /// A patient's features as the forest takes them before scaling, in the order of the file.
    pub fn harmonised(&self, values: &[f64], batch: Option<usize>) -> Vec<f64> {
        let one = |(feature, &value): (&FeaturePart, &f64)| batch.map_or(value, |at| feature.maps[at].of(value));
        self.features.iter().zip(values).map(one).collect()
    }
}

/// What is given of a source's batch: of the source itself, of all, or of each of its slots.
fn named(source: &str, combat: &SourceCombat, known: &BTreeMap<String, String>) -> Option<String> {
    let given = |name: &str| known.get(name).filter(|text| !text.trim().is_empty()).cloned();
    let whole = given(&format!("{BATCH}.{source}")).or_else(|| given(BATCH));
    whole.or_else(|| {
        let mut names: Vec<String> = Vec::new();
        for slot in &combat.slots {
            let name = given(&format!("{BATCH}.{slot}"))?;
            if !names.contains(&name) {
                names.push(name);
            }
        }
        (!names.is_empty()).then(|| names.join(" + "))
    })
}

impl Model {
    /// The inputs that say a patient's batch; none where features are taken as measured.
    pub fn batch_inputs(&self) -> Vec<String> {
        let combats: Vec<&SourceCombat> = self.file.sources.iter().filter_map(|it| it.combat.as_ref()).collect();
        if combats.is_empty() {
            return Vec::new();
        }
        let slots: BTreeSet<&String> = combats.iter().flat_map(|it| &it.slots).collect();
        let several = self.is_by_scanner() && slots.len() > 1;
        let of_slots = slots.into_iter().map(|slot| format!("{BATCH}.{slot}")).filter(|_| several);
        std::iter::once(BATCH.to_owned()).chain(of_slots).collect()
    }

    /// Whether the images themselves tell the batch.
    pub fn is_by_scanner(&self) -> bool {
        self.file.combat.as_ref().is_some_and(|part| part.by == SCANNER)
    }

    /// The model with batches that it did not know, estimated from the features of patients (`raw`, with what says their
    /// batch), as a file of its own that names its parent. Outcomes have no part in it: they are counted.
    ///
    /// # Errors
    /// When no batch is unknown, one has too few patients, or a feature of the model does not vary among them.
    pub fn with_batches(
        &self,
        raw: &[Raw],
        known: &[BTreeMap<String, String>],
        event: &[bool],
    ) -> Result<ModelFile, ModelError> {
        let mut file = self.file.clone();
        let prior = file.combat.as_ref().map(|part| part.prior).ok_or_else(|| {
            ModelError::Measured("the model harmonizes no features: it has no batches to be estimated".to_owned())
        })?;
        let by_name = self.is_by_scanner();
        let salt = file.origin.inputs.clone();
        let mut codes: BTreeSet<String> = BTreeSet::new();
        let mut members: BTreeSet<usize> = BTreeSet::new();
        for source in &mut file.sources {
            let Some(combat) = &source.combat else { continue };
            let mut unseen: BTreeMap<String, Vec<&Raw>> = BTreeMap::new();
            for (at, (raw, known)) in raw.iter().zip(known).enumerate() {
                let name = named(&source.name, combat, known).filter(|name| combat.find(&salt, name).is_none());
                if let Some(name) = name {
                    members.insert(at);
                    unseen.entry(name).or_default().push(raw);
                }
            }
            for (name, rows) in unseen {
                adopt(source, &name, &rows, prior, by_name.then(|| name.clone()), &salt)?;
                codes.insert(code(&salt, &name));
            }
        }
        if codes.is_empty() {
            let said = "every batch of these patients is known to the model: there is none to be estimated";
            return Err(ModelError::Measured(said.to_owned()));
        }
        file.parent = Some(Parent {
            sha256: self.file.sha256.clone(),
            n: members.len(),
            n_events: members.iter().filter(|&&at| event[at]).count(),
            update: Update {
                name: "batches estimated".to_owned(),
                intercept: 0.0,
                slope: 1.0,
                batches: codes.into_iter().collect(),
            },
        });
        finished(file)
    }
}

/// Estimates one batch of a source and adds its maps.
fn adopt(
    source: &mut Source,
    name: &str,
    rows: &[&Raw],
    prior: Prior,
    shown: Option<String>,
    salt: &str,
) -> Result<(), ModelError> {
    let combat = source.combat.as_ref().expect("the source is harmonized");
    let parts: Vec<(FeaturePart, f64, f64)> = combat.reference.iter().flat_map(Reference::parts).collect();
    let value = |raw: &Raw, part: &FeaturePart| part.value(|name| raw.get(name).copied());
    // Who lacks a feature of the model lacks the region.
    let has_all = |raw: &&&Raw| source.features.iter().all(|it| value(raw, it).is_some());
    let rows: Vec<&&Raw> = rows.iter().filter(has_all).collect();
    let wrong = |what: String| ModelError::Measured(format!("{}, batch {name}: {what}", source.name));
    if rows.len() < LEAST {
        let n = counted(rows.len(), "patient");
        return Err(wrong(format!(
            "{n} with the model's features, expected at least {LEAST} to estimate a batch from"
        )));
    }
    let mut columns: Vec<(usize, Vec<f64>)> = Vec::new();
    for (at, (part, ..)) in parts.iter().enumerate() {
        let known: Vec<f64> = rows.iter().filter_map(|raw| value(raw, part)).collect();
        if known.len() == rows.len() && known.iter().any(|it| *it != known[0]) {
            columns.push((at, known));
        }
    }
    let of = |which: fn(&(FeaturePart, f64, f64)) -> f64| columns.iter().map(|(at, _)| which(&parts[*at])).collect();
    let mut learnt = Combat {
        batches: Vec::new(),
        means: of(|part| part.1),
        covariates: vec![0.0; columns.len()],
        variances: of(|part| part.2),
        gamma: Vec::new(),
        delta: Vec::new(),
    };
    let x = Array2::from_shape_fn((rows.len(), columns.len()), |(i, j)| columns[j].1[i]);
    learnt.adopt(name, x.view(), prior).map_err(|cause| wrong(cause.to_string()))?;
    let mut maps = Vec::new();
    for feature in &source.features {
        let column = columns
            .iter()
            .position(|(at, _)| parts[*at].0.inputs() == feature.inputs() && parts[*at].0.change == feature.change);
        let column = column.ok_or_else(|| wrong(format!("{} does not vary among its patients", feature.name)))?;
        let [intercept, slope] = learnt.map(0, column);
        if !intercept.is_finite() || !slope.is_finite() || slope <= 0.0 {
            return Err(wrong(format!("the effects of the batch on {} are no finite numbers", feature.name)));
        }
        maps.push(Map { intercept, slope });
    }
    let n = rows.len();
    source.features.iter_mut().zip(maps).for_each(|(feature, map)| feature.maps.push(map));
    let combat = source.combat.as_mut().expect("the source is harmonized");
    combat.batches.push(BatchPart { name: shown, code: code(salt, name), n, n_events: None });
    Ok(())
}

impl Reference {
    /// Each feature where it is measured, with its mean and variance.
    fn parts(&self) -> impl Iterator<Item = (FeaturePart, f64, f64)> + '_ {
        let part = |at: usize| FeaturePart {
            name: String::new(),
            slot: self.slot.clone(),
            region: self.region.clone(),
            feature: self.features[at].clone(),
            earlier: self.earlier.clone(),
            change: self.change,
            mean: 0.0,
            sd: 1.0,
            weight: 0.0,
            p2_5: None,
            p97_5: None,
            maps: Vec::new(),
        };
        (0..self.features.len()).map(move |at| (part(at), self.means[at], self.variances[at]))
    }
}
