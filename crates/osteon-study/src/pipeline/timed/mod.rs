//! The chain of a time to event: Rad-scores from the LASSO of proportional hazards, Cox models on clinical variables and
//! Rad-score, and a survival forest, learnt from training rows alone and again in every resample.

pub mod hazard;
pub mod learn;
pub mod pooling;
pub mod recipe;
pub mod region;
pub mod validate;

use std::collections::BTreeMap;

use crate::pipeline::cohort::Cohort;
use osteon_base::seed::Seed;
use osteon_stats::survival::follow_up::FollowUp;
use osteon_stats::survival::kaplan_meier::kaplan_meier;

/// Patients whose time is known, one position each; `cohort.event` is the event of `follow_up`.
#[derive(Clone, Debug, PartialEq)]
pub struct Timed {
    pub cohort: Cohort,
    pub follow_up: FollowUp,
}

/// Some fold would hold no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("{events} patients with the event cannot fill {folds} folds")]
pub struct TooFewEvents {
    pub events: usize,
    pub folds: usize,
}

impl Timed {
    /// The fold (from 0) of each of `rows`: events spread evenly, then the others. A patient drawn twice is in one fold.
    pub fn folds(&self, rows: &[usize], n_folds: usize, seed: Seed) -> Result<Vec<usize>, TooFewEvents> {
        let (mut fold_of, mut next) = (BTreeMap::new(), 0);
        for class in [true, false] {
            let mut members: Vec<usize> = rows.iter().copied().filter(|&row| self.cohort.event[row] == class).collect();
            members.sort_unstable();
            members.dedup();
            if class && (members.len() < n_folds || n_folds < 2) {
                return Err(TooFewEvents { events: members.len(), folds: n_folds });
            }
            members.sort_by_key(|&row| seed.named(&self.cohort.codes[row]).0);
            for row in members {
                fold_of.insert(row, next % n_folds);
                next += 1;
            }
        }
        Ok(rows.iter().map(|row| fold_of[row]).collect())
    }

    /// The same, with fewer folds where fewer patients have the event; errors where fewer than two have it.
    pub fn folds_at_most(&self, rows: &[usize], n_folds: usize, seed: Seed) -> Result<Vec<usize>, TooFewEvents> {
        self.folds(rows, n_folds.min(self.n_events(rows)), seed)
    }

    /// Different patients with the event among some rows.
    pub fn n_events(&self, rows: &[usize]) -> usize {
        let mut members: Vec<usize> = rows.iter().copied().filter(|&row| self.cohort.event[row]).collect();
        members.sort_unstable();
        members.dedup();
        members.len()
    }

    /// The times of some rows, which may repeat.
    pub fn times_of(&self, rows: &[usize]) -> FollowUp {
        self.follow_up.select(rows).expect("there are rows")
    }
}

/// Nelson and Aalen's cumulative hazard of `learnt` at some times.
pub(in crate::pipeline) fn cumulative_hazards(learnt: &FollowUp, times: &[f64]) -> Vec<f64> {
    let curve = kaplan_meier(learnt);
    let hazard = |time: &f64| {
        let passed = curve.points.partition_point(|point| point.time <= *time);
        passed.checked_sub(1).map_or(0.0, |last| curve.points[last].hazard)
    };
    times.iter().map(hazard).collect()
}
