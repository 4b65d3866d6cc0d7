//! Simpler models in the same nested loop: what the forest and the nomogram have to be better than.

use crate::pipeline::clinical::Logistic;
use crate::pipeline::cohort::{Cohort, Features};
use crate::pipeline::learn::Recipe;
use crate::pipeline::region::RegionModel;
use crate::protocol::Protocol;
use osteon_stats::model::logistic::ridge::{WIDE_PENALTIES, ridge_by_aicc_of};
use osteon_stats::select::lasso::Family;
use osteon_stats::select::scale::Scaling;
use osteon_stats::table::Design;

/// Learnt anew on the training part of each fold, from the region that gives the Rad-score there.
pub const RIVALS: [&str; 4] = ["LASSO score", "ridge logistic", "volume alone", "no model"];

/// The combined model of the whole chain without harmonization, where the protocol harmonizes.
pub const UNHARMONISED: &str = "combined without harmonization";

/// Probabilities of `held` patients under each of `RIVALS`, learnt from the recipe's training rows alone.
pub fn rivals(cohort: &Cohort, recipe: &Recipe, held: &[usize], protocol: &Protocol) -> Vec<Vec<Option<f64>>> {
    let best = &recipe.regions[recipe.best];
    let features = cohort.regions.iter().find(|features| features.region == best.region);
    let none = || vec![None; held.len()];
    let (lasso, ridge) = match (features, &best.model) {
        (Some(features), Ok(model)) => {
            let probability = |linear: f64| match protocol.select.lasso.family {
                Family::Gaussian => linear.clamp(0.0, 1.0),
                Family::Binomial => 1.0 / (1.0 + (-linear).exp()),
            };
            let scores = model.scores(features, held).into_iter().map(|it| it.map(|(_, linear)| probability(linear)));
            (scores.collect(), ridge(cohort, recipe, features, model, held).unwrap_or_else(none))
        }
        _ => (none(), none()),
    };
    let events = cohort.events(&recipe.train).into_iter().filter(|&event| event).count();
    let share = events as f64 / recipe.train.len() as f64;
    vec![lasso, ridge, volume(cohort, recipe, held).unwrap_or_else(none), vec![Some(share); held.len()]]
}

/// Ridge logistic regression on the features that entered LASSO, its penalty by the corrected AIC.
fn ridge(
    cohort: &Cohort,
    recipe: &Recipe,
    features: &Features,
    model: &RegionModel,
    held: &[usize],
) -> Option<Vec<Option<f64>>> {
    let (shortlist, maps) = (&model.shortlist, model.maps(&model.shortlist));
    let place = |name: &String| features.names.iter().position(|other| other == name);
    let columns: Vec<usize> = shortlist.iter().map(place).collect::<Option<_>>()?;
    let rows: Vec<usize> = recipe.train.iter().copied().filter(|&row| features.rows[row].is_some()).collect();
    let x = features.matrix_under(&rows, &columns, maps.as_ref());
    let scaling = Scaling::of(x.view());
    let design = Design {
        rows: rows.iter().map(usize::to_string).collect(),
        columns: shortlist.clone(),
        x: scaling.apply(x.view()),
    };
    let fit = ridge_by_aicc_of(&design, &cohort.events(&rows), &[], &WIDE_PENALTIES).ok()?.fit;
    let score = |&row: &usize| {
        let values = features.values(row, &columns, maps.as_ref())?;
        let mut eta = fit.terms[0].estimate?;
        for (k, &value) in values.iter().enumerate() {
            // A column that others repeat has no estimate of its own.
            eta += fit.terms[k + 1].estimate.unwrap_or(0.0) * scaling.z(k, value);
        }
        Some(1.0 / (1.0 + (-eta).exp()))
    };
    Some(held.iter().map(score).collect())
}

/// Logistic regression on the logarithm of the volume of the first region that measures it.
fn volume(cohort: &Cohort, recipe: &Recipe, held: &[usize]) -> Option<Vec<Option<f64>>> {
    let named = |features: &Features| {
        ["shape_MeshVolume", "shape_VoxelVolume", "morph_volume"]
            .iter()
            .find_map(|ending| features.names.iter().position(|name| name.ends_with(ending)))
    };
    let (features, at) = cohort.regions.iter().find_map(|features| Some((features, named(features)?)))?;
    let of = |row: &Option<Vec<Option<f64>>>| row.as_ref()?[at].filter(|volume| *volume > 0.0).map(f64::ln);
    let values: Vec<Option<f64>> = features.rows.iter().map(of).collect();
    let fit = Logistic::fit(cohort, &[("volume".to_owned(), values.clone())], &recipe.train).ok()?;
    Some(held.iter().map(|&row| fit.score(std::iter::once(values[row]))).collect())
}
