//! How far features differ between batches, as measured and after harmonization.

use ndarray::{Array2, Axis};

use crate::pipeline::cohort::{Cohort, Features};
use crate::pipeline::harmonise::{self, HarmoniseError};
use crate::pipeline::region::defined;
use crate::protocol::Protocol;
use osteon_stats::select::components::{Components, components};
use osteon_stats::select::scale::{Scaling, varying};
use osteon_stats::stats::adjust::{Adjustment, adjust};
use osteon_stats::stats::kruskal::kruskal_wallis;

/// Features of some rows of one source.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Features that vary among the rows.
    pub n_features: usize,
    /// Of those, how many differ between batches at P < 0.05, and at q < 0.05 after Benjamini and Hochberg.
    pub n_differ: usize,
    pub n_after_adjustment: usize,
    /// Two principal components of z-scores, and the share of each that lies between batches (eta squared).
    pub components: Option<Components>,
    pub between: Vec<f64>,
}

/// One source in one set of patients.
#[derive(Clone, Debug, PartialEq)]
pub struct Effect {
    pub source: String,
    /// `training` or `test`.
    pub set: String,
    /// The batch of each row.
    pub batches: Vec<String>,
    pub measured: State,
    /// `None` where nothing is harmonized, and why where that was asked for.
    pub harmonised: Option<Result<State, HarmoniseError>>,
}

/// A feature differs where P is below this.
pub const ALPHA: f64 = 0.05;

/// The effect in training rows, and in test rows under what training rows taught. Rows without the source or a batch are
/// left out.
pub fn effects(cohort: &Cohort, features: &Features, train: &[usize], protocol: &Protocol) -> Vec<Effect> {
    let is_known = |row: &usize| features.rows[*row].is_some() && features.batch_of(*row).is_some();
    let train: Vec<usize> = train.iter().copied().filter(is_known).collect();
    let test: Vec<usize> = (0..cohort.codes.len()).filter(|row| is_known(row) && !train.contains(row)).collect();
    if train.len() < 3 {
        return Vec::new();
    }
    let candidates = defined(features, &train);
    let x = features.matrix(&train, &candidates);
    let varying = varying(x.view());
    let columns: Vec<usize> = varying.iter().map(|&at| candidates[at]).collect();
    let x = x.select(Axis(1), &varying);
    let learnt = protocol
        .harmonises()
        .then(|| harmonise::learn(cohort, features, &train, &columns, &x, &protocol.learn).map(|it| it.harmonised));
    let of = |set: &str, rows: &[usize]| -> Option<Effect> {
        // Test rows may lack what all training rows have.
        let rows: Vec<usize> =
            rows.iter().copied().filter(|&row| features.values(row, &columns, None).is_some()).collect();
        let batches: Vec<String> = rows.iter().filter_map(|&row| features.batch_of(row).map(str::to_owned)).collect();
        if rows.len() < 3 {
            return None;
        }
        let harmonised = learnt.as_ref().map(|learnt| {
            let learnt = learnt.as_ref().map_err(Clone::clone)?;
            let maps = learnt.maps(&learnt.features).ok_or(HarmoniseError::NothingVaries)?;
            let places = features.places(&learnt.features).ok_or(HarmoniseError::NothingVaries)?;
            let known: Vec<(Vec<f64>, &String)> = rows
                .iter()
                .zip(&batches)
                .filter_map(|(&row, batch)| Some((features.values(row, &places, Some(&maps))?, batch)))
                .collect();
            let x = Array2::from_shape_fn((known.len(), places.len()), |(i, j)| known[i].0[j]);
            Ok(state(&x, &known.iter().map(|(_, batch)| (*batch).clone()).collect::<Vec<_>>()))
        });
        let measured = state(&features.matrix(&rows, &columns), &batches);
        let (source, set) = (features.region.clone(), set.to_owned());
        Some(Effect { source, set, batches, measured, harmonised })
    };
    [of("training", &train), of("test", &test)].into_iter().flatten().collect()
}

fn state(x: &Array2<f64>, batches: &[String]) -> State {
    let mut names: Vec<&String> = batches.iter().collect();
    names.sort();
    names.dedup();
    let group: Vec<usize> = batches.iter().map(|own| names.iter().position(|name| *name == own).unwrap_or(0)).collect();
    let kept = varying(x.view());
    let x = x.select(Axis(1), &kept);
    let p: Vec<Option<f64>> =
        x.columns().into_iter().map(|column| kruskal_wallis(&column.to_vec(), &group).map(|it| it.p)).collect();
    let below = |values: &[Option<f64>]| values.iter().flatten().filter(|p| **p < ALPHA).count();
    let found = components(Scaling::of(x.view()).apply(x.view()).view(), 2);
    let between = found.iter().flat_map(|found| {
        (0..found.shares.len()).map(|k| between(&found.scores.iter().map(|row| row[k]).collect::<Vec<_>>(), &group))
    });
    State {
        n_features: kept.len(),
        n_differ: below(&p),
        n_after_adjustment: below(&adjust(&p, Adjustment::Bh)),
        between: between.collect(),
        components: found,
    }
}

/// Eta squared: sum of squares between groups over all; 0 without variance.
fn between(values: &[f64], group: &[usize]) -> f64 {
    let mean = |rows: &[f64]| rows.iter().sum::<f64>() / rows.len().max(1) as f64;
    let all = mean(values);
    let total: f64 = values.iter().map(|value| (value - all).powi(2)).sum();
    let of = |at: usize| {
        let own: Vec<f64> = values.iter().zip(group).filter(|(_, g)| **g == at).map(|(value, _)| *value).collect();
        own.len() as f64 * (mean(&own) - all).powi(2)
    };
    let n_groups = group.iter().max().map_or(0, |last| last + 1);
    if total > 0.0 { (0..n_groups).map(of).sum::<f64>() / total } else { 0.0 }
}
