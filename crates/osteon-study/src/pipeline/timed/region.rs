//! One region of a time to event: features are chosen by mRMR and the LASSO of proportional hazards, whose linear
//! predictor is the Rad-score.

use std::collections::BTreeMap;

use ndarray::Axis;
use serde::{Deserialize, Serialize};

use crate::pipeline::cohort::Features;
use crate::pipeline::region::defined;
use crate::pipeline::timed::{Timed, TooFewEvents, cumulative_hazards};
use crate::protocol::Protocol;
use osteon_base::job::{Cancelled, Job};
use osteon_base::seed::Seed;
use osteon_stats::select::copies::copies;
use osteon_stats::select::lasso::{Lasso, LassoError, cox as lasso};
use osteon_stats::select::mrmr;
use osteon_stats::select::scale::{Scaling, varying};
use osteon_stats::survival::cox::{self, Method, Params};
use osteon_stats::survival::follow_up::FollowUp;
use osteon_stats::table::Design;

/// Everything that was learnt about one region from training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionHazard {
    pub region: String,
    /// Training rows that have the region.
    pub n_rows: usize,
    pub n_events: usize,
    /// Features that were defined in all of them and allowed, and of those, the ones that vary.
    pub n_candidates: usize,
    pub n_varying: usize,
    /// Features that are exact copies of others in these rows, with those others: left out before mRMR.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<(String, String)>,
    /// mRMR's choice, best first: the columns of the LASSO path.
    pub shortlist: Vec<String>,
    pub lasso: Lasso,
    /// LASSO kept nothing: the first of mRMR stands alone, with its own coefficient.
    pub fell_back: bool,
    /// The chosen features, largest weight first, with means, SDs and weights of their z-scores.
    pub features: Vec<String>,
    pub scaling: Scaling,
    pub weights: Vec<f64>,
}

/// Why a region has no model: data, kept and shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    TooFew(#[from] TooFewEvents),
    #[error("no feature is defined in all training patients and varies")]
    NothingVaries,
    #[error(transparent)]
    Lasso(#[from] LassoError),
    #[error("the Rad-score cannot be fitted: {0}")]
    Hazard(String),
    /// The work was stopped: no word on the region.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Learns from `rows` alone. Rows may repeat; rows without the region are left out.
pub fn learn(
    timed: &Timed,
    features: &Features,
    rows: &[usize],
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<RegionHazard, Trouble> {
    job.check()?;
    let seed = seed.named(&features.region);
    let rows: Vec<usize> = rows.iter().copied().filter(|&row| features.rows[row].is_some()).collect();
    let folds = timed.folds_at_most(&rows, protocol.select.lasso.n_folds, seed.named("lasso folds"))?;
    let follow_up = timed.times_of(&rows);
    let candidates = defined(features, &rows);
    let x = features.matrix(&rows, &candidates);
    let all_varying = varying(x.view());
    if all_varying.is_empty() {
        return Err(Trouble::NothingVaries);
    }
    let x = x.select(Axis(1), &all_varying);
    let scaling = Scaling::of(x.view());
    let z = scaling.apply(x.view());
    let name = |at: usize| features.names[candidates[all_varying[at]]].clone();
    let copy_of = copies(z.view());
    let copies = (0..all_varying.len()).filter_map(|at| Some((name(at), name(copy_of[at]?)))).collect();
    let single: Vec<usize> = (0..all_varying.len()).filter(|&at| copy_of[at].is_none()).collect();
    let z = z.select(Axis(1), &single);
    let residuals = null_residuals(&follow_up);
    let shortlist: Vec<usize> =
        mrmr::order_of(z.view(), &residuals, &protocol.select.mrmr).into_iter().map(|(column, _)| column).collect();
    job.check()?;
    let z = z.select(Axis(1), &shortlist);
    let lasso = lasso::fit(z.view(), &follow_up, &folds, &protocol.select.lasso)?;
    let mut chosen: Vec<(usize, f64)> = lasso.weights().to_vec();
    let fell_back = chosen.is_empty();
    if fell_back {
        chosen.push((0, alone(z.column(0), &follow_up)?));
    }
    chosen.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    let place = |at: usize| single[shortlist[at]];
    let of = |values: &[f64]| chosen.iter().map(|&(at, _)| values[place(at)]).collect();
    Ok(RegionHazard {
        region: features.region.clone(),
        n_rows: rows.len(),
        n_events: follow_up.n_events(),
        n_candidates: candidates.len(),
        n_varying: all_varying.len(),
        copies,
        shortlist: (0..shortlist.len()).map(|at| name(place(at))).collect(),
        lasso,
        fell_back,
        features: chosen.iter().map(|&(at, _)| name(place(at))).collect(),
        scaling: Scaling { means: of(&scaling.means), sds: of(&scaling.sds) },
        weights: chosen.iter().map(|&(_, weight)| weight).collect(),
    })
}

/// Events less expected ones without any predictor (Therneau, Grambsch and Fleming 1990): what features are ranked by.
fn null_residuals(follow_up: &FollowUp) -> Vec<f64> {
    let hazards = cumulative_hazards(follow_up, follow_up.times());
    follow_up.events().iter().zip(hazards).map(|(&event, hazard)| f64::from(event) - hazard).collect()
}

/// The log hazard ratio of one column, by Firth's penalized likelihood: it is finite.
fn alone(z: ndarray::ArrayView1<f64>, follow_up: &FollowUp) -> Result<f64, Trouble> {
    let design = Design {
        rows: (0..z.len()).map(|row| row.to_string()).collect(),
        columns: vec!["z".to_owned()],
        x: z.to_owned().insert_axis(Axis(1)),
    };
    let params = Params { method: Method::Firth, ..Params::default() };
    let fit = cox::fit(&design, follow_up, None, params).map_err(|cause| Trouble::Hazard(cause.to_string()))?;
    Ok(fit.terms[0].estimate.unwrap_or(0.0))
}

impl RegionHazard {
    /// z-scores of the chosen features of patients; `None` where the region failed or a feature is undefined.
    pub fn z(&self, features: &Features, rows: &[usize]) -> Vec<Option<Vec<f64>>> {
        let place: BTreeMap<&str, usize> =
            features.names.iter().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
        let columns: Option<Vec<usize>> = self.features.iter().map(|name| place.get(name.as_str()).copied()).collect();
        let Some(columns) = columns else { return vec![None; rows.len()] };
        let one = |&row: &usize| {
            let values = features.rows[row].as_ref()?;
            columns.iter().enumerate().map(|(k, &at)| Some(self.scaling.z(k, values[at]?))).collect()
        };
        rows.iter().map(one).collect()
    }

    /// The Rad-score: the LASSO's linear predictor, a log hazard ratio.
    pub fn scores(&self, features: &Features, rows: &[usize]) -> Vec<Option<f64>> {
        let score = |z: Option<Vec<f64>>| z.map(|z| z.iter().zip(&self.weights).map(|(z, weight)| z * weight).sum());
        self.z(features, rows).into_iter().map(score).collect()
    }
}
