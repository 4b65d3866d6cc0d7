//! `osteon compare`: learners side by side.

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::Error;

/// Compare the models with simpler ones by nested cross-validation in the training set
///
/// The learners of learn.learners (elastic net, support vector machine), LASSO score, ridge logistic regression, volume
/// alone and no model go through the same folds as the clinical, the radiomics and the combined model, when a fit has at
/// least 5 repeats (learn.n_repeats, preset recommended). Beside AUC with interval, Brier score and calibration stand the
/// stability of what was chosen and the seconds of one fit. Where features are harmonized (learn.harmonise), what the same
/// chain gives without stands beside, also under fewer repeats.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_: &Args, globals: &Globals) -> Result<Outcome, Error> {
    output::print_sheets(&opening::read(globals)?.comparisons()?, globals.format)?;
    Ok(Outcome::Done)
}
