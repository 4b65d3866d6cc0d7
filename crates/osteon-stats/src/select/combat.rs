//! ComBat (Johnson, Li and Rabinovic 2007) as neuroCombat computes it (Fortin et al. 2018): differences between batches
//! in mean and spread of features, shrunk over the features by empirical Bayes, learnt from training rows and applied to
//! rows of the same batches.
//!
//! Its authors designed it for one data set, not for training and test. Rows that come later are adjusted as neuroCombat's
//! `neuroCombatFromTraining` does: covariates count with their mean effect in training.

use nalgebra::DMatrix;
use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

/// What is assumed of batch effects over the features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prior {
    /// Normal means and inverse gamma variances.
    #[default]
    Parametric,
    /// The other features' own effects.
    NonParametric,
}

/// Batch effects of features as learnt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combat {
    /// Names of the batches.
    pub batches: Vec<String>,
    /// One a feature: mean over the batches, mean effect of covariates, pooled variance.
    pub means: Vec<f64>,
    pub covariates: Vec<f64>,
    pub variances: Vec<f64>,
    /// Batches x features: shrunk shifts and variances of standardized values.
    pub gamma: Vec<Vec<f64>>,
    pub delta: Vec<Vec<f64>>,
}

/// Why batch effects cannot be learnt.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CombatError {
    #[error("{found} batch, expected two and more: there is nothing to harmonize")]
    OneBatch { found: usize },
    #[error("batch {batch} has {rows} rows, expected at least {least}")]
    Small { batch: String, rows: usize, least: usize },
    #[error("{found} features, expected two and more: batch effects are shrunk over features")]
    Features { found: usize },
    #[error("batches and covariates are collinear: a covariate is constant, or is the batch itself")]
    Collinear,
    #[error("batch {found} is known already")]
    Known { found: String },
    #[error("batch {found} was not among those that harmonization was learnt from ({known})")]
    Unseen { found: String, known: String },
}

/// Standardized values, with what they were standardized by.
struct Standard {
    /// Rows x features.
    s: Array2<f64>,
    means: Vec<f64>,
    /// Effect of covariates, rows x features.
    effects: Array2<f64>,
    variances: Vec<f64>,
}

impl Combat {
    /// Learns from `x` (rows x features), whose batches are positions in `batches`, with covariates that are kept (rows x
    /// columns, none for no columns); gives the adjusted rows too.
    ///
    /// # Errors
    /// When there are fewer than two batches or features, a batch has a single row, or covariates are collinear.
    pub fn fit(
        x: ArrayView2<f64>,
        batches: &[String],
        batch: &[usize],
        covariates: ArrayView2<f64>,
        prior: Prior,
    ) -> Result<(Combat, Array2<f64>), CombatError> {
        let members: Vec<Vec<usize>> =
            (0..batches.len()).map(|own| (0..batch.len()).filter(|&row| batch[row] == own).collect()).collect();
        if batches.len() < 2 {
            return Err(CombatError::OneBatch { found: batches.len() });
        }
        if x.ncols() < 2 {
            return Err(CombatError::Features { found: x.ncols() });
        }
        if let Some(at) = (0..batches.len()).find(|&at| members[at].len() < 2) {
            return Err(CombatError::Small { batch: batches[at].clone(), rows: members[at].len(), least: 2 });
        }
        let standard = standardize(x, &members, batch, covariates)?;
        let (mut gamma, mut delta) = (Vec::new(), Vec::new());
        for rows in &members {
            let (shift, spread) = Effects::shrunk(&standard.s, rows, prior);
            gamma.push(shift);
            delta.push(spread);
        }
        let Standard { s, means, effects, variances } = standard;
        let adjusted = Array2::from_shape_fn(x.dim(), |(row, j)| {
            let b = batch[row];
            (s[[row, j]] - gamma[b][j]) / delta[b][j].sqrt() * variances[j].sqrt() + means[j] + effects[[row, j]]
        });
        let n = x.nrows() as f64;
        let covariates = (0..x.ncols()).map(|j| effects.column(j).sum() / n).collect();
        Ok((Combat { batches: batches.to_vec(), means, covariates, variances, gamma, delta }, adjusted))
    }

    /// The position of a batch.
    ///
    /// # Errors
    /// When nothing was learnt of it.
    pub fn batch(&self, name: &str) -> Result<usize, CombatError> {
        self.batches
            .iter()
            .position(|own| own == name)
            .ok_or_else(|| CombatError::Unseen { found: name.to_owned(), known: self.batches.join(", ") })
    }

    /// What a feature of a row that came later becomes in the batch at a position: `intercept + slope * value`.
    pub fn map(&self, batch: usize, feature: usize) -> [f64; 2] {
        let (mean, sd) = (self.means[feature] + self.covariates[feature], self.variances[feature].sqrt());
        let slope = 1.0 / self.delta[batch][feature].sqrt();
        [mean - (mean + self.gamma[batch][feature] * sd) * slope, slope]
    }

    /// Estimates a batch that was not there when the others were learnt from its own rows (rows x features): they are
    /// standardized by the means and variances that were learnt, and its effects are shrunk over the features as those of
    /// the others were. Gives its position.
    ///
    /// # Errors
    /// When the batch is known already, or has fewer than two rows.
    pub fn adopt(&mut self, name: &str, x: ArrayView2<f64>, prior: Prior) -> Result<usize, CombatError> {
        if self.batch(name).is_ok() {
            return Err(CombatError::Known { found: name.to_owned() });
        }
        if x.nrows() < 2 {
            return Err(CombatError::Small { batch: name.to_owned(), rows: x.nrows(), least: 2 });
        }
        let standard =
            |row: usize, j: usize| (x[[row, j]] - self.means[j] - self.covariates[j]) / self.variances[j].sqrt();
        let s = Array2::from_shape_fn(x.dim(), |(row, j)| standard(row, j));
        let (gamma, delta) = Effects::shrunk(&s, &(0..x.nrows()).collect::<Vec<_>>(), prior);
        self.batches.push(name.to_owned());
        self.gamma.push(gamma);
        self.delta.push(delta);
        Ok(self.batches.len() - 1)
    }

    /// A row of features that came later, from the batch at a position.
    pub fn apply(&self, row: &[f64], batch: usize) -> Vec<f64> {
        let one = |(j, value): (usize, &f64)| {
            let (mean, sd) = (self.means[j] + self.covariates[j], self.variances[j].sqrt());
            ((value - mean) / sd - self.gamma[batch][j]) / self.delta[batch][j].sqrt() * sd + mean
        };
        row.iter().enumerate().map(one).collect()
    }
}

/// Least squares on the batches (one column each) and covariates; residual variances divided by n.
fn standardize(
    x: ArrayView2<f64>,
    members: &[Vec<usize>],
    batch: &[usize],
    covariates: ArrayView2<f64>,
) -> Result<Standard, CombatError> {
    let (n, p, k) = (x.nrows(), x.ncols(), members.len());
    let width = k + covariates.ncols();
    let design = DMatrix::from_fn(n, width, |row, j| match j {
        j if j < k => f64::from(u8::from(batch[row] == j)),
        j => covariates[[row, j - k]],
    });
    let gram = design.transpose() * &design;
    let condition = gram.clone().symmetric_eigenvalues();
    if condition.min() <= 1e-12 * condition.max() {
        return Err(CombatError::Collinear);
    }
    let values = DMatrix::from_fn(n, p, |row, j| x[[row, j]]);
    let b = gram.cholesky().ok_or(CombatError::Collinear)?.solve(&(design.transpose() * &values));
    let fitted = &design * &b;
    let share = |at: usize| members[at].len() as f64 / n as f64;
    let means: Vec<f64> = (0..p).map(|j| (0..k).map(|at| share(at) * b[(at, j)]).sum()).collect();
    let residual = |j: usize| (0..n).map(|row| (x[[row, j]] - fitted[(row, j)]).powi(2)).sum::<f64>() / n as f64;
    let mut variances: Vec<f64> = (0..p).map(residual).collect();
    // neuroCombat puts the median of "is not zero" in the place of a zero: 1 where most features vary.
    let varying = variances.iter().filter(|variance| **variance != 0.0).count();
    let stand_in = if 2 * varying == p { 0.5 } else { f64::from(u8::from(2 * varying > p)) };
    variances.iter_mut().filter(|variance| **variance == 0.0).for_each(|variance| *variance = stand_in);
    let effects = Array2::from_shape_fn((n, p), |(row, j)| (k..width).map(|at| design[(row, at)] * b[(at, j)]).sum());
    let s =
        Array2::from_shape_fn((n, p), |(row, j)| (x[[row, j]] - means[j] - effects[[row, j]]) / variances[j].sqrt());
    Ok(Standard { s, means, effects, variances })
}

/// Mean and variance of one batch's standardized values, one a feature.
struct Effects {
    gamma: Vec<f64>,
    delta: Vec<f64>,
}

impl Effects {
    /// Shifts and variances of one batch after empirical Bayes.
    fn shrunk(s: &Array2<f64>, rows: &[usize], prior: Prior) -> (Vec<f64>, Vec<f64>) {
        let own = Effects::of(s, rows);
        match prior {
            Prior::Parametric => own.parametric(s, rows),
            Prior::NonParametric => own.non_parametric(s, rows),
        }
    }

    fn of(s: &Array2<f64>, rows: &[usize]) -> Effects {
        let n = rows.len() as f64;
        let mean = |j: usize| rows.iter().map(|&row| s[[row, j]]).sum::<f64>() / n;
        let gamma: Vec<f64> = (0..s.ncols()).map(mean).collect();
        let variance = |j: usize| rows.iter().map(|&row| (s[[row, j]] - gamma[j]).powi(2)).sum::<f64>() / (n - 1.0);
        // A feature that does not vary within the batch keeps its spread.
        let delta = (0..s.ncols()).map(variance).map(|it| if it == 0.0 { 1.0 } else { it }).collect();
        Effects { gamma, delta }
    }

    /// Posterior means under a normal and an inverse gamma prior, iterated as neuroCombat's `it_sol`: until no relative
    /// change is above 1e-4, where changes of negative shifts count as negative.
    fn parametric(&self, s: &Array2<f64>, rows: &[usize]) -> (Vec<f64>, Vec<f64>) {
        const CONVERGED: f64 = 1e-4;
        let n = rows.len() as f64;
        let (bar, t2) = mean_and_variance(&self.gamma);
        let (m, s2) = mean_and_variance(&self.delta);
        let (a, b) = ((2.0 * s2 + m * m) / s2, (m * s2 + m.powi(3)) / s2);
        let (mut gamma, mut delta) = (self.gamma.clone(), self.delta.clone());
        loop {
            let new_gamma: Vec<f64> =
                (0..gamma.len()).map(|j| (t2 * n * self.gamma[j] + delta[j] * bar) / (t2 * n + delta[j])).collect();
            let new_delta: Vec<f64> = (0..delta.len())
                .map(|j| {
                    let sum2: f64 = rows.iter().map(|&row| (s[[row, j]] - new_gamma[j]).powi(2)).sum();
                    (0.5 * sum2 + b) / (n / 2.0 + a - 1.0)
                })
                .collect();
            // The largest; a change that is no number stands for all, and ends the loop as it does in Python.
            let change = |new: &[f64], old: &[f64]| {
                let changes = new.iter().zip(old).map(|(new, old)| (new - old).abs() / old);
                changes.fold(f64::NEG_INFINITY, |most: f64, it| if it.is_nan() { it } else { most.max(it) })
            };
            let (of_gamma, of_delta) = (change(&new_gamma, &gamma), change(&new_delta, &delta));
            let goes_on = of_gamma > CONVERGED || of_delta > CONVERGED;
            let is_number = !of_gamma.is_nan() && !of_delta.is_nan();
            (gamma, delta) = (new_gamma, new_delta);
            if !goes_on || !is_number {
                return (gamma, delta);
            }
        }
    }

    /// Means over the other features' effects, weighted by how likely they make this feature's values.
    fn non_parametric(&self, s: &Array2<f64>, rows: &[usize]) -> (Vec<f64>, Vec<f64>) {
        let n = rows.len() as f64;
        let one = |j: usize| {
            let log = |other: usize| {
                let (g, d) = (self.gamma[other], self.delta[other]);
                let sum2: f64 = rows.iter().map(|&row| (s[[row, j]] - g).powi(2)).sum();
                -n / 2.0 * (2.0 * std::f64::consts::PI * d).ln() - sum2 / (2.0 * d)
            };
            let others: Vec<usize> = (0..self.gamma.len()).filter(|&other| other != j).collect();
            let logs: Vec<f64> = others.iter().map(|&other| log(other)).collect();
            // Against the largest: likelihoods of many rows would underflow.
            let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let weights: Vec<f64> = logs.iter().map(|log| (log - largest).exp()).collect();
            let total: f64 = weights.iter().sum();
            let mean = |of: &[f64]| others.iter().zip(&weights).map(|(&at, w)| of[at] * w).sum::<f64>() / total;
            (mean(&self.gamma), mean(&self.delta))
        };
        (0..self.gamma.len()).map(one).unzip()
    }
}

/// The variance divided by n - 1.
fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0))
}
