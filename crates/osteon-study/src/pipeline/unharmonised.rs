//! What the same chain gives without harmonization: ComBat's author did not design it for training and test, so both stand
//! side by side.

use serde::{Deserialize, Serialize};

use crate::pipeline::cohort::Cohort;
use crate::pipeline::learn::{LearnError, Recipe, Scores, learn};
use crate::pipeline::recipe::{COMBINED, RADIOMICS};
use crate::protocol::Protocol;
use crate::protocol::learn::{Harmonise, Learner};
use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_stats::evaluate::calibration::calibration;
use osteon_stats::evaluate::roc;

/// One model in one set, with and without harmonization, on the patients who have a probability under both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Beside {
    pub model: String,
    /// `training` or `test`.
    pub set: String,
    pub n: usize,
    pub n_events: usize,
    pub harmonised: Judged,
    pub as_measured: Judged,
    /// Of DeLong's test between the two AUCs.
    pub p: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Estimate, lower and upper end of DeLong's 95 % interval.
    pub auc: Option<[f64; 3]>,
    pub brier: Option<f64>,
    pub slope: Option<f64>,
}

/// The protocol that takes features as measured, and learns the forest alone.
pub fn as_measured(protocol: &Protocol) -> Protocol {
    let mut other = protocol.clone();
    other.learn.harmonise = Harmonise::None;
    other.learn.learners = vec![Learner::Forest];
    other
}

/// Radiomics and combined model in training (as reported) and test, beside the chain learnt again as measured, from the
/// same seed and folds.
///
/// # Errors
/// When nothing can be learnt as measured.
pub fn beside(
    cohort: &Cohort,
    recipe: &Recipe,
    protocol: &Protocol,
    seed: Seed,
    job: &Job,
) -> Result<Vec<Beside>, LearnError> {
    let train = &recipe.train;
    let again = learn(cohort, train, &as_measured(protocol), seed, &job.silent())?;
    let test: Vec<usize> = (0..cohort.codes.len()).filter(|row| !train.contains(row)).collect();
    let kind = protocol.learn.rad_score;
    let of = |recipe: &Recipe| [recipe.training_scores(cohort, kind), recipe.scores(cohort, &test)];
    let (own, other) = (of(recipe), of(&again));
    let mut found = Vec::new();
    for (at, (set, rows)) in [("training", train), ("test", &test)].into_iter().enumerate() {
        let event = cohort.events(rows);
        type Part = fn(&Scores) -> &Vec<Option<f64>>;
        let models: [(&str, Part); 2] = [(RADIOMICS, |it| &it.radiomics), (COMBINED, |it| &it.combined)];
        for (model, of) in models {
            found.push(pair(model, set, &event, of(&own[at]), of(&other[at])));
        }
    }
    Ok(found)
}

fn pair(model: &str, set: &str, event: &[bool], own: &[Option<f64>], other: &[Option<f64>]) -> Beside {
    let both = (0..event.len()).filter_map(|row| Some((event[row], own[row]?, other[row]?)));
    let mut kept: (Vec<bool>, Vec<f64>, Vec<f64>) = Default::default();
    for (event, own, other) in both {
        kept.0.push(event);
        kept.1.push(own);
        kept.2.push(other);
    }
    let (event, own, other) = kept;
    let aucs = [&own, &other].map(|scores| roc::auc(scores, &event));
    let p = match &aucs {
        [Some(own), Some(other)] => roc::paired(own, other).and_then(|it| it.p),
        _ => None,
    };
    let judged = |scores: &[f64], auc: &Option<roc::Auc>| {
        let found = calibration(&event, scores);
        Judged {
            auc: auc.as_ref().map(|auc| [auc.auc, auc.interval().0[0], auc.interval().0[1]]),
            brier: found.as_ref().map(|it| it.brier),
            slope: found.and_then(|it| it.recalibration).map(|it| it.slope),
        }
    };
    Beside {
        model: model.to_owned(),
        set: set.to_owned(),
        n: event.len(),
        n_events: event.iter().filter(|&&event| event).count(),
        harmonised: judged(&own, &aucs[0]),
        as_measured: judged(&other, &aucs[1]),
        p,
    }
}
