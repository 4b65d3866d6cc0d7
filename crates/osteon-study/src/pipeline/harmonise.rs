//! Differences between scanners or centres, taken out of features by ComBat: learnt from the training rows of whatever is
//! learnt from them, and applied to anybody of the same batches.
//!
//! A training row is adjusted as a row that comes later: with covariates by their mean effect (neuroCombat's
//! `fromTraining`), so that a model is one function of a patient's features. Without covariates both are the same.

use std::collections::{BTreeMap, BTreeSet};

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::pipeline::cohort::{Cohort, Features};
use crate::pipeline::learn::Recipe;
use crate::protocol::learn::Params;
use osteon_base::text::counted;
use osteon_stats::select::combat::{Combat, CombatError, Prior};
use osteon_stats::select::scale::varying;

/// Where each patient was scanned.
#[derive(Clone, Debug, PartialEq)]
pub struct Batches {
    /// The variable that tells it, or `scanner`.
    pub by: String,
    /// One a patient; `None` where it is not known.
    pub of: Vec<Option<String>>,
}

/// What a feature becomes in a batch: `intercept + slope * value`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    pub intercept: f64,
    pub slope: f64,
}

impl Map {
    pub fn of(&self, value: f64) -> f64 {
        self.intercept + self.slope * value
    }
}

/// The maps of some features, batches x features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maps {
    pub batches: Vec<String>,
    pub maps: Vec<Vec<Map>>,
}

impl Maps {
    /// Harmonized values of a patient of a batch; `None` where nothing was learnt of it.
    pub fn apply(&self, batch: &str, mut values: Vec<f64>) -> Option<Vec<f64>> {
        let own = &self.maps[self.batches.iter().position(|known| known == batch)?];
        values.iter_mut().zip(own).for_each(|(value, map)| *value = map.of(*value));
        Some(values)
    }
}

/// What was learnt of batches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Harmonised {
    pub by: String,
    pub prior: Prior,
    pub covariates: Vec<String>,
    /// Training patients of each batch, and how many had the event.
    pub counts: Vec<[usize; 2]>,
    /// Features that were left out because they do not vary within some batch.
    pub n_constant: usize,
    /// Those that were harmonized, in the order of ComBat's columns.
    pub features: Vec<String>,
    pub combat: Combat,
}

impl Harmonised {
    /// The maps of some of the features; `None` where one was not harmonized.
    pub fn maps(&self, names: &[String]) -> Option<Maps> {
        let place: BTreeMap<&str, usize> =
            self.features.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let columns: Vec<usize> = names.iter().map(|name| place.get(name.as_str()).copied()).collect::<Option<_>>()?;
        let map = |batch: usize, feature: usize| {
            let [intercept, slope] = self.combat.map(batch, feature);
            Map { intercept, slope }
        };
        let of_batch = |batch: usize| columns.iter().map(|&feature| map(batch, feature)).collect();
        let batches = self.combat.batches.clone();
        Some(Maps { maps: (0..batches.len()).map(of_batch).collect(), batches })
    }
}

/// Why features are not harmonized.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HarmoniseError {
    #[error("no batch of the patients is known")]
    NoBatches,
    #[error("{who} without a known {by}: {named}")]
    Unknown { who: String, by: String, named: String },
    #[error("{by}: {list}; at least {least} training patients, and both outcome groups, are expected in each batch")]
    Batches { by: String, list: String, least: usize },
    #[error("{who} without {name}, which is a covariate of harmonization")]
    Covariate { name: String, who: String },
    #[error("fewer than two features vary within every batch")]
    NothingVaries,
    #[error("the effects of {0} are no finite numbers")]
    NotFinite(String),
    #[error(transparent)]
    Combat(#[from] CombatError),
}

/// With fewer training patients too little is known of a batch.
pub const LEAST: usize = 10;
/// Patients that a refusal names.
const NAMED: usize = 5;

/// Refuses training rows with a batch that is too small, of one class or unknown, each by name and counts.
///
/// # Errors
/// When there is such a batch, or only one.
pub fn check(cohort: &Cohort, features: &Features, train: &[usize]) -> Result<(), HarmoniseError> {
    let (by, known) = of_rows(cohort, features, train)?;
    let is_bad = |[n, events]: [usize; 2]| n < LEAST || events == 0 || events == n;
    let bad = known.iter().filter(|(_, counts)| is_bad(**counts));
    let list: Vec<String> = bad
        .map(|(name, [n, events])| format!("{name} has {}, {events} with the event", counted(*n, "training patient")))
        .collect();
    if !list.is_empty() {
        return Err(HarmoniseError::Batches { by, list: list.join("; "), least: LEAST });
    }
    if known.len() < 2 {
        return Err(CombatError::OneBatch { found: known.len() }.into());
    }
    Ok(())
}

/// What tells the batches, and of each the different patients among some rows with those who have the event.
fn of_rows(
    cohort: &Cohort,
    features: &Features,
    rows: &[usize],
) -> Result<(String, BTreeMap<String, [usize; 2]>), HarmoniseError> {
    let batches = features.batch.as_ref().ok_or(HarmoniseError::NoBatches)?;
    let different: BTreeSet<usize> = rows.iter().copied().collect();
    let unknown: Vec<&str> =
        different.iter().filter(|&&row| batches.of[row].is_none()).map(|&row| cohort.codes[row].as_str()).collect();
    if !unknown.is_empty() {
        let more = if unknown.len() > NAMED { ", ..." } else { "" };
        let named = format!("{}{more}", unknown[..unknown.len().min(NAMED)].join(", "));
        let who = counted(unknown.len(), "training patient");
        return Err(HarmoniseError::Unknown { who, by: batches.by.clone(), named });
    }
    let mut known: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    for row in different {
        let counts = known.entry(batches.of[row].clone().unwrap_or_default()).or_default();
        counts[0] += 1;
        counts[1] += usize::from(cohort.event[row]);
    }
    Ok((batches.by.clone(), known))
}

/// What was learnt from some rows, and their harmonized values.
pub struct Learnt {
    pub harmonised: Harmonised,
    /// Positions of the given columns that were harmonized and still vary.
    pub kept: Vec<usize>,
    /// Rows x kept columns.
    pub x: Array2<f64>,
}

/// Learns from `rows`, which may repeat and whose values in `columns` are `x`.
///
/// # Errors
/// When a batch or covariate of a row is not known, a batch has a single row, or covariates are collinear with batches.
pub fn learn(
    cohort: &Cohort,
    features: &Features,
    rows: &[usize],
    columns: &[usize],
    x: &Array2<f64>,
    params: &Params,
) -> Result<Learnt, HarmoniseError> {
    let (by, known) = of_rows(cohort, features, rows)?;
    let names: Vec<String> = known.keys().cloned().collect();
    let place = |row: usize| names.iter().position(|name| features.batch_of(row) == Some(name.as_str())).unwrap_or(0);
    let batch: Vec<usize> = rows.iter().map(|&row| place(row)).collect();
    let own = |at: usize| (0..rows.len()).filter(|&i| batch[i] == at).collect::<Vec<usize>>();
    let varies: Vec<BTreeSet<usize>> =
        (0..names.len()).map(|at| varying(x.select(Axis(0), &own(at)).view()).into_iter().collect()).collect();
    let inside: Vec<usize> = (0..columns.len()).filter(|column| varies.iter().all(|it| it.contains(column))).collect();
    if inside.len() < 2 {
        return Err(HarmoniseError::NothingVaries);
    }
    let covariates = covariates(cohort, rows, &params.batch_covariates)?;
    let inner = x.select(Axis(1), &inside);
    let (combat, _) = Combat::fit(inner.view(), &names, &batch, covariates.view(), params.batch_prior)?;
    let is_finite = |values: &Vec<Vec<f64>>| values.iter().flatten().all(|value| value.is_finite());
    if !is_finite(&combat.gamma) || !is_finite(&combat.delta) || combat.delta.iter().flatten().any(|it| *it <= 0.0) {
        return Err(HarmoniseError::NotFinite(by));
    }
    let harmonised = Harmonised {
        by,
        prior: params.batch_prior,
        covariates: params.batch_covariates.clone(),
        counts: known.into_values().collect(),
        n_constant: columns.len() - inside.len(),
        features: inside.iter().map(|&at| features.names[columns[at]].clone()).collect(),
        combat,
    };
    let maps = harmonised.maps(&harmonised.features).expect("its own features");
    let adjusted = Array2::from_shape_fn(inner.dim(), |(i, j)| maps.maps[batch[i]][j].of(inner[[i, j]]));
    let still = varying(adjusted.view());
    if still.is_empty() {
        return Err(HarmoniseError::NothingVaries);
    }
    let kept = still.iter().map(|&at| inside[at]).collect();
    Ok(Learnt { harmonised, kept, x: adjusted.select(Axis(1), &still) })
}

/// Columns of the covariates; those that do not vary among the rows have no effect to be kept.
fn covariates(cohort: &Cohort, rows: &[usize], names: &[String]) -> Result<Array2<f64>, HarmoniseError> {
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for name in names {
        for (_, values) in cohort.coded(name) {
            let known: Vec<f64> = rows.iter().filter_map(|&row| values[row]).collect();
            if known.len() < rows.len() {
                let who = counted(rows.len() - known.len(), "training patient");
                return Err(HarmoniseError::Covariate { name: name.clone(), who });
            }
            if known.iter().any(|value| *value != known[0]) {
                columns.push(known);
            }
        }
    }
    Ok(Array2::from_shape_fn((rows.len(), columns.len()), |(i, j)| columns[j][i]))
}

/// What is to be said of patients whose batch no training patient had: they have no Rad-score.
pub fn unseen(cohort: &Cohort, recipe: &Recipe) -> Vec<String> {
    let mut found: BTreeMap<(Option<&str>, &str), BTreeSet<&str>> = BTreeMap::new();
    let learnt = recipe.regions.iter().filter_map(|region| region.model.as_ref().ok());
    for model in learnt {
        let features = cohort.regions.iter().find(|features| features.region == model.region);
        let (Some(harmonised), Some(features)) = (&model.harmonised, features) else { continue };
        for (row, code) in cohort.codes.iter().enumerate() {
            let own = features.batch_of(row);
            if own.is_none_or(|own| harmonised.combat.batch(own).is_err()) {
                found.entry((own, &harmonised.by)).or_default().insert(code);
            }
        }
    }
    let say = |((own, by), codes): ((Option<&str>, &str), BTreeSet<&str>)| {
        let who = counted(codes.len(), "patient");
        match own {
            Some(own) => format!("{who} without a Rad-score: no training patient is of the batch {own}"),
            None => format!("{who} without a Rad-score: {by} is not known, by which features are harmonized"),
        }
    };
    found.into_iter().map(say).collect()
}

/// Estimates batches that a recipe does not know from the features of `rows` who are of them, without their outcomes; what
/// is to be said of it.
pub fn adopt(recipe: &mut Recipe, cohort: &Cohort, rows: &[usize]) -> BTreeSet<String> {
    let mut said = BTreeSet::new();
    for model in recipe.regions.iter_mut().filter_map(|region| region.model.as_mut().ok()) {
        let features = cohort.regions.iter().find(|features| features.region == model.region);
        let (Some(harmonised), Some(features)) = (&mut model.harmonised, features) else { continue };
        let Some(places) = features.places(&harmonised.features) else { continue };
        let mut unseen: BTreeMap<&str, Vec<Vec<f64>>> = BTreeMap::new();
        for &row in rows {
            if let Some(own) = features.batch_of(row).filter(|own| harmonised.combat.batch(own).is_err()) {
                unseen.entry(own).or_default().extend(features.values(row, &places, None));
            }
        }
        for (name, values) in unseen {
            let n = counted(values.len(), "patient");
            if values.len() < LEAST {
                said.insert(format!("{name}: {n} with all features, too few to estimate the batch from: no Rad-score"));
                continue;
            }
            let x = Array2::from_shape_fn((values.len(), places.len()), |(i, j)| values[i][j]);
            said.insert(match harmonised.combat.adopt(name, x.view(), harmonised.prior) {
                Ok(_) => format!("{name}: batch estimated from the features of its own {n}, without their outcomes"),
                Err(why) => format!("{name}: {why}"),
            });
        }
    }
    said
}

/// Strata of patients for folds and resamples: one for each combination of batches over the sources; empty where nothing
/// is harmonized.
pub fn strata(regions: &[Features], n_patients: usize) -> Vec<usize> {
    if regions.iter().all(|features| features.batch.is_none()) {
        return Vec::new();
    }
    let of = |row: usize| regions.iter().map(|features| features.batch_of(row)).collect::<Vec<_>>();
    let known: BTreeSet<Vec<Option<&str>>> = (0..n_patients).map(of).collect();
    let place: BTreeMap<Vec<Option<&str>>, usize> = known.into_iter().enumerate().map(|(at, it)| (it, at)).collect();
    (0..n_patients).map(|row| place[&of(row)]).collect()
}
