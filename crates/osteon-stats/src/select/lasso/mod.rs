//! LASSO with lambda chosen by cross-validation, in glmnet's and in scikit-learn's conventions.

pub mod cox;
mod elastic;
mod path;
mod quadratic;

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use elastic::{ElasticNet, Tried, elastic_net};
pub use path::{Columns, Family, Path, lambdas, path};

use osteon_base::setting::{self, Unfit};
use path::Problem;

/// How the LASSO is fitted and its lambda chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Gaussian is judged by mean squared error, binomial by deviance.
    pub family: Family,
    pub rule: Rule,
    pub convention: Convention,
    pub n_lambdas: usize,
    /// Smallest lambda over the largest: glmnet takes 1e-4, 0.01 with fewer rows than columns; scikit-learn 1e-3.
    pub lambda_ratio: f64,
    pub n_folds: usize,
}

/// Which lambda is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The smallest mean error.
    Min,
    /// The largest lambda whose mean error is within one standard error of the smallest.
    OneSe,
}

/// Whose cross-validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Convention {
    /// Columns standardised inside each fold; folds weigh by their size.
    Glmnet,
    /// Columns taken as given (z-scored once before); folds weigh alike.
    ScikitLearn,
}

impl Params {
    /// Names a setting that no run could use.
    pub fn check(&self) -> Result<(), Unfit> {
        setting::at_least("n_lambdas", self.n_lambdas, 2)?;
        setting::share("lambda_ratio", self.lambda_ratio)?;
        setting::at_least("n_folds", self.n_folds, 2)
    }
}

impl Default for Params {
    fn default() -> Self {
        Params {
            family: Family::Gaussian,
            rule: Rule::Min,
            convention: Convention::Glmnet,
            n_lambdas: 100,
            lambda_ratio: 1e-3,
            n_folds: 5,
        }
    }
}

/// The path on all rows with its cross-validated errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lasso {
    pub path: Path,
    /// Mean error, one a lambda.
    pub errors: Vec<f64>,
    /// Its standard error.
    pub standard_errors: Vec<f64>,
    /// Error in each fold, one list a lambda.
    pub fold_errors: Vec<Vec<f64>>,
    pub at_min: usize,
    pub at_one_se: usize,
    /// Position of the lambda that the rule takes.
    pub chosen: usize,
}

impl Lasso {
    pub fn lambda(&self) -> f64 {
        self.path.lambdas[self.chosen]
    }

    /// Position and weight of the chosen features.
    pub fn weights(&self) -> &[(usize, f64)] {
        &self.path.coefficients[self.chosen]
    }
}

/// Why no LASSO could be fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
pub enum LassoError {
    #[error("the outcome has the same value in all {0} rows")]
    OneClass(usize),
    #[error("no feature varies with the outcome")]
    NothingVaries,
    #[error("fold {fold} leaves {n} rows of one class to learn from")]
    OneClassFold { fold: usize, n: usize },
    #[error("{}", without_events(.fold))]
    NoEvent { fold: Option<usize> },
    #[error("{folds} folds were asked for, at least 2 are needed")]
    Folds { folds: usize },
}

fn without_events(fold: &Option<usize>) -> String {
    match fold {
        None => "nobody has the event".to_owned(),
        Some(fold) => format!("fold {fold} holds none of the events, or all of them"),
    }
}

/// Cross-validated path. `x` is rows x columns, `folds` the fold (from 0) of each row.
pub fn fit(x: ArrayView2<f64>, y: &[f64], folds: &[usize], params: &Params) -> Result<Lasso, LassoError> {
    mixed(x, y, folds, params, 1.0)
}

/// The same with the elastic net's penalty of some mixing.
fn mixed(x: ArrayView2<f64>, y: &[f64], folds: &[usize], params: &Params, mixing: f64) -> Result<Lasso, LassoError> {
    let columns = match params.convention {
        Convention::Glmnet => Columns::Standardised,
        Convention::ScikitLearn => Columns::AsGiven,
    };
    let n_folds = folds.iter().max().map_or(0, |last| last + 1);
    check(y, folds, n_folds, params.family)?;
    let (x, all) = (path::by_column(x), (0..y.len()).collect::<Vec<_>>());
    let problem = Problem::new(&x, y, &all, columns).mixed(mixing);
    let lambdas = problem.lambdas(params.n_lambdas, params.lambda_ratio);
    if lambdas.first().is_none_or(|&largest| largest <= 0.0) {
        return Err(LassoError::NothingVaries);
    }
    let fitted = |rows: &[usize]| Problem::new(&x, y, rows, columns).mixed(mixing).path(params.family, &lambdas);
    let error = |fold: usize| fold_error(&x, y, folds, fold, params.family, &fitted);
    let (path, errors) = rayon::join(
        || problem.path(params.family, &lambdas),
        || (0..n_folds).into_par_iter().map(error).collect::<Vec<_>>(),
    );
    let fold_errors: Vec<Vec<f64>> = (0..lambdas.len()).map(|k| errors.iter().map(|fold| fold[k]).collect()).collect();
    let sizes: Vec<usize> = (0..n_folds).map(|fold| folds.iter().filter(|&&of| of == fold).count()).collect();
    let (errors, standard_errors) = summary(&fold_errors, &sizes, params.convention);
    let at_min = smallest(&errors);
    let limit = errors[at_min] + standard_errors[at_min];
    let at_one_se = errors.iter().position(|&error| error <= limit).expect("the smallest is below the limit");
    let chosen = if params.rule == Rule::Min { at_min } else { at_one_se };
    Ok(Lasso { path, errors, standard_errors, fold_errors, at_min, at_one_se, chosen })
}

fn check(y: &[f64], folds: &[usize], n_folds: usize, family: Family) -> Result<(), LassoError> {
    let one_class = |mut values: Box<dyn Iterator<Item = f64> + '_>| {
        let first = values.next();
        values.all(|value| Some(value) == first)
    };
    if one_class(Box::new(y.iter().copied())) {
        return Err(LassoError::OneClass(y.len()));
    }
    if n_folds < 2 {
        return Err(LassoError::Folds { folds: n_folds });
    }
    for fold in 0..n_folds {
        let learnt = || y.iter().zip(folds).filter(move |(_, of)| **of != fold).map(|(y, _)| *y);
        if family == Family::Binomial && one_class(Box::new(learnt())) {
            return Err(LassoError::OneClassFold { fold: fold + 1, n: learnt().count() });
        }
    }
    Ok(())
}

/// Mean error in one fold of the path learnt on the others, one a lambda. `x` is columns x rows.
fn fold_error(
    x: &Array2<f64>,
    y: &[f64],
    folds: &[usize],
    fold: usize,
    family: Family,
    fitted: &dyn Fn(&[usize]) -> Path,
) -> Vec<f64> {
    let (held, learnt): (Vec<usize>, Vec<usize>) = (0..y.len()).partition(|&i| folds[i] == fold);
    let path = fitted(&learnt);
    let mean = |at: usize| {
        let mut predicted = vec![path.intercepts[at]; held.len()];
        for &(j, b) in &path.coefficients[at] {
            let column = x.row(j);
            predicted.iter_mut().zip(&held).for_each(|(eta, &row)| *eta += b * column[row]);
        }
        held.iter().zip(predicted).map(|(&row, eta)| loss(family, y[row], eta)).sum::<f64>() / held.len() as f64
    };
    (0..path.lambdas.len()).map(mean).collect()
}

/// Squared error, or deviance with probabilities kept 1e-5 from 0 and 1 as glmnet does.
fn loss(family: Family, y: f64, eta: f64) -> f64 {
    match family {
        Family::Gaussian => (y - eta).powi(2),
        Family::Binomial => {
            let p = (1.0 / (1.0 + (-eta).exp())).clamp(1e-5, 1.0 - 1e-5);
            -2.0 * (y * p.ln() + (1.0 - y) * (1.0 - p).ln())
        }
    }
}

fn summary(errors: &[Vec<f64>], sizes: &[usize], convention: Convention) -> (Vec<f64>, Vec<f64>) {
    let k = sizes.len() as f64;
    let total: usize = sizes.iter().sum();
    let weights: Vec<f64> = match convention {
        Convention::Glmnet => sizes.iter().map(|&size| size as f64 / total as f64).collect(),
        Convention::ScikitLearn => vec![1.0 / k; sizes.len()],
    };
    let of = |row: &Vec<f64>| {
        let mean: f64 = row.iter().zip(&weights).map(|(error, weight)| error * weight).sum();
        let spread: f64 = row.iter().zip(&weights).map(|(error, weight)| weight * (error - mean).powi(2)).sum();
        (mean, (spread / (k - 1.0)).sqrt())
    };
    errors.iter().map(of).unzip()
}

fn smallest(errors: &[f64]) -> usize {
    (0..errors.len()).fold(0, |best, at| if errors[at] < errors[best] { at } else { best })
}
