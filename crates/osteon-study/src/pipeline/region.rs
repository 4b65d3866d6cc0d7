//! One region: features are chosen, a forest is tuned and grown, and any patient gets a Rad-score.

use std::collections::BTreeMap;

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use crate::pipeline::cohort::{Cohort, Features, TooFew};
use crate::pipeline::harmonise::{self, Harmonised, Maps};
use crate::protocol::Protocol;
use crate::protocol::learn::Harmonise;
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;
use osteon_stats::evaluate::roc;
use osteon_stats::model::forest::{Forest, Ranked, Setting, probabilities_of_settings};
use osteon_stats::select::copies::copies;
use osteon_stats::select::correlated::correlated;
use osteon_stats::select::lasso::{self, Lasso, LassoError};
use osteon_stats::select::mrmr;
use osteon_stats::select::scale::{Scaling, varying};

/// Everything that was learnt about one region from training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionModel {
    pub region: String,
    /// Training rows that have the region.
    pub n_rows: usize,
    pub n_events: usize,
    /// Features that were defined in all of them and allowed, and of those, the ones that vary.
    pub n_candidates: usize,
    pub n_varying: usize,
    /// Features that are exact copies of others in these rows (|r| = 1), with those others: they were left out before
    /// mRMR.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<(String, String)>,
    /// Features that were left out before mRMR for one that is more alike than the protocol allows, with those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub correlated: Vec<(String, String)>,
    /// mRMR's choice, best first: the columns of the LASSO path.
    pub shortlist: Vec<String>,
    pub lasso: Lasso,
    /// LASSO kept nothing: the first of mRMR stands alone.
    pub fell_back: bool,
    /// The chosen features, largest weight first, with means, SDs and LASSO weights of their z-scores.
    pub features: Vec<String>,
    pub scaling: Scaling,
    pub weights: Vec<f64>,
    pub setting: Setting,
    /// Mean AUC of the setting over the folds of the grid search.
    pub tuning_auc: f64,
    pub forest: Forest,
    /// Makes a probability of the linear score where that is the Rad-score; `None` where the forest gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// Differences between batches that were taken out before anything was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harmonised: Option<Harmonised>,
}

/// Logistic regression of the event on out-of-fold linear scores of training patients. A slope below 0 says that the
/// score tells nothing of others, and is 0.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub intercept: f64,
    pub slope: f64,
}

impl Link {
    pub fn probability(&self, linear: f64) -> f64 {
        1.0 / (1.0 + (-(self.intercept + self.slope * linear)).exp())
    }
}

/// Why a region has no model: data, kept and shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum RegionTrouble {
    #[error(transparent)]
    TooFew(#[from] TooFew),
    #[error("no feature is defined in all training patients and varies")]
    NothingVaries,
    #[error(transparent)]
    Lasso(#[from] LassoError),
    #[error("no setting of the forest is in the protocol's grid")]
    NoSetting,
    #[error("the logistic regression on the LASSO score: {0}")]
    Link(String),
    #[error("harmonization: {0}")]
    Harmonise(String),
    /// The work was stopped: no word on the region.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Learns from `rows` alone. Rows may repeat; rows without the region are left out. Cross-validation inside has as many
/// folds as the protocol says, or as the smaller class has patients where these are fewer.
pub fn learn(
    cohort: &Cohort,
    features: &Features,
    rows: &[usize],
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<RegionModel, RegionTrouble> {
    job.check()?;
    let seed = seed.named(&features.region);
    let rows: Vec<usize> = rows.iter().copied().filter(|&row| features.rows[row].is_some()).collect();
    let event = cohort.events(&rows);
    let tuning = cohort.folds_at_most(&rows, protocol.forest.n_folds, seed.named("tuning folds"))?;
    let candidates = defined(features, &rows);
    let x = features.matrix(&rows, &candidates);
    let varying = varying(x.view());
    if varying.is_empty() {
        return Err(RegionTrouble::NothingVaries);
    }
    let x = x.select(Axis(1), &varying);
    let (harmonised, x, varying) = match protocol.learn.harmonise {
        Harmonise::None => (None, x, varying),
        Harmonise::Combat => {
            let columns: Vec<usize> = varying.iter().map(|&at| candidates[at]).collect();
            let learnt = harmonise::learn(cohort, features, &rows, &columns, &x, &protocol.learn);
            let learnt = learnt.map_err(|cause| RegionTrouble::Harmonise(cause.to_string()))?;
            let kept = learnt.kept.iter().map(|&at| varying[at]).collect();
            (Some(learnt.harmonised), learnt.x, kept)
        }
    };
    let scaling = Scaling::of(x.view());
    let z = scaling.apply(x.view());
    let feature = |&column: &usize| features.names[candidates[column]].clone();
    let copy_of = copies(z.view());
    let copies =
        (0..varying.len()).filter_map(|at| Some((feature(&varying[at]), feature(&varying[copy_of[at]?])))).collect();
    let single: Vec<usize> = (0..varying.len()).filter(|&at| copy_of[at].is_none()).collect();
    let n_varying = varying.len();
    let of_single = |values: &[f64]| single.iter().map(|&at| values[at]).collect::<Vec<f64>>();
    let scaling = Scaling { means: of_single(&scaling.means), sds: of_single(&scaling.sds) };
    let z = z.select(Axis(1), &single);
    let varying: Vec<usize> = single.iter().map(|&at| varying[at]).collect();
    let stands = correlated(z.view(), &event, &protocol.select.correlation);
    let alike: Vec<(String, String)> =
        (0..varying.len()).filter_map(|at| Some((feature(&varying[at]), feature(&varying[stands[at]?])))).collect();
    let apart: Vec<usize> = (0..varying.len()).filter(|&at| stands[at].is_none()).collect();
    let of_apart = |values: &[f64]| apart.iter().map(|&at| values[at]).collect::<Vec<f64>>();
    let (scaling, z, varying) = match alike.is_empty() {
        true => (scaling, z, varying),
        false => (
            Scaling { means: of_apart(&scaling.means), sds: of_apart(&scaling.sds) },
            z.select(Axis(1), &apart),
            apart.iter().map(|&at| varying[at]).collect(),
        ),
    };
    let shortlist: Vec<usize> =
        mrmr::order(z.view(), &event, &protocol.select.mrmr).into_iter().map(|(column, _)| column).collect();
    job.check()?;
    let folds = cohort.folds_at_most(&rows, protocol.select.lasso.n_folds, seed.named("lasso folds"))?;
    let y: Vec<f64> = event.iter().map(|&event| f64::from(event)).collect();
    let lasso = lasso::fit(z.select(Axis(1), &shortlist).view(), &y, &folds, &protocol.select.lasso)?;
    let mut chosen: Vec<(usize, f64)> = lasso.weights().iter().map(|&(at, weight)| (shortlist[at], weight)).collect();
    let fell_back = chosen.is_empty();
    if fell_back {
        chosen.push((shortlist[0], 0.0));
    }
    chosen.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let columns: Vec<usize> = chosen.iter().map(|(column, _)| *column).collect();
    let z = z.select(Axis(1), &columns);
    let (setting, tuning_auc) = tune(&z, &event, &tuning, protocol, seed, job)?;
    job.check()?;
    let name = |&column: &usize| features.names[candidates[varying[column]]].clone();
    let names: Vec<String> = columns.iter().map(name).collect();
    let ranked = Ranked::new(z.view(), &event);
    let forest = Forest::fit(&names, &ranked, setting, protocol.forest.class_weight, seed.named("forest"));
    let of = |values: &[f64]| columns.iter().map(|&column| values[column]).collect();
    Ok(RegionModel {
        region: features.region.clone(),
        n_rows: rows.len(),
        n_events: event.iter().filter(|&&event| event).count(),
        n_candidates: candidates.len(),
        n_varying,
        copies,
        correlated: alike,
        shortlist: shortlist.iter().map(name).collect(),
        lasso,
        fell_back,
        features: names,
        scaling: Scaling { means: of(&scaling.means), sds: of(&scaling.sds) },
        weights: chosen.into_iter().map(|(_, weight)| weight).collect(),
        setting,
        tuning_auc,
        forest,
        link: None,
        harmonised,
    })
}

/// Features that are allowed and have a value in every row.
pub(in crate::pipeline) fn defined(features: &Features, rows: &[usize]) -> Vec<usize> {
    let mut kept = features.eligible.clone();
    for row in rows.iter().filter_map(|&row| features.rows[row].as_ref()) {
        kept.iter_mut().zip(row).for_each(|(kept, value)| *kept &= value.is_some_and(f64::is_finite));
    }
    (0..kept.len()).filter(|&column| kept[column]).collect()
}

/// The setting with the largest mean AUC over the folds (the first of equal ones), and that AUC.
fn tune(
    z: &Array2<f64>,
    event: &[bool],
    folds: &[usize],
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<(Setting, f64), RegionTrouble> {
    let settings = protocol.forest.settings();
    let n_folds = folds.iter().max().ok_or(RegionTrouble::NoSetting)? + 1;
    let mut sums = vec![0.0; settings.len()];
    for fold in 0..n_folds {
        job.check()?;
        let (held, learnt): (Vec<usize>, Vec<usize>) = (0..event.len()).partition(|&row| folds[row] == fold);
        let of = |rows: &[usize]| rows.iter().map(|&row| event[row]).collect::<Vec<bool>>();
        let (x, y) = (z.select(Axis(0), &learnt), of(&learnt));
        let ranked = Ranked::new(x.view(), &y);
        let seed = seed.named("tuning").nth(fold);
        let held_x = z.select(Axis(0), &held);
        let answers = probabilities_of_settings(&ranked, held_x.view(), &settings, protocol.forest.class_weight, seed);
        for (sum, p) in sums.iter_mut().zip(&answers) {
            *sum += roc::auc(p, &of(&held)).map_or(0.5, |auc| auc.auc) / n_folds as f64;
        }
    }
    let best = (0..settings.len()).reduce(|best, next| if sums[next] > sums[best] { next } else { best });
    best.map(|best| (settings[best], sums[best])).ok_or(RegionTrouble::NoSetting)
}

impl RegionModel {
    /// Probability (the forest's, or by `link`) and linear LASSO score of patients; `None` where the region failed or a
    /// chosen feature is undefined.
    pub fn scores(&self, features: &Features, rows: &[usize]) -> Vec<Option<(f64, f64)>> {
        let place: BTreeMap<&str, usize> =
            features.names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let columns: Option<Vec<usize>> = self.features.iter().map(|name| place.get(name.as_str()).copied()).collect();
        let Some(columns) = columns else { return vec![None; rows.len()] };
        let maps = self.maps(&self.features);
        let score = |&row: &usize| {
            let values = features.values(row, &columns, maps.as_ref())?;
            let z: Vec<f64> = values.iter().enumerate().map(|(k, &value)| self.z(k, value)).collect();
            let linear =
                self.linear_intercept() + z.iter().zip(&self.weights).map(|(z, weight)| z * weight).sum::<f64>();
            let of_forest = || self.forest.probability(ndarray::aview1(&z));
            Some((self.link.map_or_else(of_forest, |link| link.probability(linear)), linear))
        };
        rows.iter().map(score).collect()
    }

    /// How features of this region are harmonized; `None` where they are taken as measured.
    pub fn maps(&self, names: &[String]) -> Option<Maps> {
        let harmonised = self.harmonised.as_ref()?;
        Some(harmonised.maps(names).expect("what was chosen was harmonized before"))
    }

    fn z(&self, k: usize, value: f64) -> f64 {
        self.scaling.z(k, value)
    }

    pub fn linear_intercept(&self) -> f64 {
        self.lasso.path.intercepts[self.lasso.chosen]
    }
}
