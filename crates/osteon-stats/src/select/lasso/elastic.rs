//! Elastic-net logistic regression, from ridge to LASSO: mixing and lambda by cross-validated deviance.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::select::lasso::{Family, Lasso, LassoError, Params, mixed};

/// The path of the mixing with the smallest cross-validated deviance, and what the others had.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ElasticNet {
    /// α of λ(α‖b‖₁ + (1 − α)‖b‖² / 2): 0 is ridge, 1 LASSO.
    pub mixing: f64,
    pub lasso: Lasso,
    /// One a mixing, in the order given.
    pub tried: Vec<Tried>,
}

/// What one mixing gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    pub mixing: f64,
    /// The lambda that the rule takes, and its cross-validated deviance.
    pub lambda: f64,
    pub deviance: f64,
}

/// Fits each of `mixings` on the same `folds`; of equal deviances the first mixing is taken. The family is binomial
/// whatever `params` say, the rest is theirs.
///
/// # Errors
/// As of `fit`; without a mixing, that nothing varies.
pub fn elastic_net(
    x: ArrayView2<f64>,
    y: &[f64],
    folds: &[usize],
    mixings: &[f64],
    params: &Params,
) -> Result<ElasticNet, LassoError> {
    let params = Params { family: Family::Binomial, ..params.clone() };
    let fits = mixings.iter().map(|&mixing| mixed(x, y, folds, &params, mixing)).collect::<Result<Vec<_>, _>>()?;
    let tried = mixings.iter().zip(&fits).map(|(&mixing, fit)| Tried {
        mixing,
        lambda: fit.lambda(),
        deviance: fit.errors[fit.chosen],
    });
    let tried: Vec<Tried> = tried.collect();
    let best =
        (0..fits.len()).reduce(|best, next| if tried[next].deviance < tried[best].deviance { next } else { best });
    let best = best.ok_or(LassoError::NothingVaries)?;
    let lasso = fits.into_iter().nth(best).expect("one fit a mixing");
    Ok(ElasticNet { mixing: mixings[best], lasso, tried })
}
