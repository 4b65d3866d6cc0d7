//! LASSO of proportional hazards: −ln L / n + λ‖b‖₁ with Breslow's partial likelihood L, as glmnet's `family = "cox"`.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::select::lasso::path::{self, Columns, Path, Problem};
use crate::select::lasso::quadratic::Pursuit;
use crate::select::lasso::{Convention, Lasso, LassoError, Params, Rule, smallest};
use crate::survival::follow_up::FollowUp;

/// Columns that violate KKT by less than this part of lambda count as zero: rounding of the residual.
const SLACK: f64 = 1e-9;
/// Newton steps end when no linear predictor moves more than this.
const STILL: f64 = 1e-11;
const MOST_STEPS: usize = 200;
/// A step is halved until the objective does not rise; below this part of a step it is rounding.
const LEAST_SHARE: f64 = 1e-9;

/// Lambdas from the smallest that gives no feature down to `ratio` times it, evenly in logarithm. `x` is rows x columns.
pub fn lambdas(x: ArrayView2<f64>, follow_up: &FollowUp, columns: Columns, n: usize, ratio: f64) -> Vec<f64> {
    let rows: Vec<usize> = (0..follow_up.len()).collect();
    Hazards::new(&path::by_column(x), follow_up.clone(), &rows, columns).lambdas(n, ratio)
}

/// Solutions at `lambdas`, which fall; intercepts are 0: the baseline hazard has them. `x` is rows x columns.
pub fn path(x: ArrayView2<f64>, follow_up: &FollowUp, columns: Columns, lambdas: &[f64]) -> Path {
    let rows: Vec<usize> = (0..follow_up.len()).collect();
    Hazards::new(&path::by_column(x), follow_up.clone(), &rows, columns).path(lambdas)
}

/// Twice the saturated log partial likelihood less that of the predictors `eta`: glmnet's `coxnet.deviance`.
pub fn deviance(follow_up: &FollowUp, eta: &[f64]) -> f64 {
    let risk = RiskSets::new(follow_up.clone());
    let saturated: f64 = risk.events.iter().map(|d| -d * d.ln()).sum();
    2.0 * (saturated - risk.at(eta).log_likelihood)
}

/// Cross-validated path. `folds` is the fold (from 0) of each row.
///
/// The error of a fold is the deviance of all rows less that of the rows learnt from, both under the fold's
/// coefficients (Verweij and van Houwelingen 1993), over its events; folds weigh by their events. `params.family` has
/// no say. Columns are standardised inside each fold or taken as given, by `params.convention`.
///
/// # Errors
/// Where nobody or a fold has no event, fewer than two folds, and where no column varies with the hazard.
pub fn fit(x: ArrayView2<f64>, follow_up: &FollowUp, folds: &[usize], params: &Params) -> Result<Lasso, LassoError> {
    let columns = match params.convention {
        Convention::Glmnet => Columns::Standardised,
        Convention::ScikitLearn => Columns::AsGiven,
    };
    if follow_up.n_events() == 0 {
        return Err(LassoError::NoEvent { fold: None });
    }
    let lambdas = lambdas(x, follow_up, columns, params.n_lambdas, params.lambda_ratio);
    if lambdas.first().is_none_or(|&largest| largest.is_nan() || largest <= 0.0) {
        return Err(LassoError::NothingVaries);
    }
    let mut found = fit_at(x, follow_up, folds, columns, &lambdas)?;
    found.chosen = if params.rule == Rule::Min { found.at_min } else { found.at_one_se };
    Ok(found)
}

/// The same at given lambdas, which fall; the smallest mean error is chosen.
pub fn fit_at(
    x: ArrayView2<f64>,
    follow_up: &FollowUp,
    folds: &[usize],
    columns: Columns,
    lambdas: &[f64],
) -> Result<Lasso, LassoError> {
    let n_folds = folds.iter().max().map_or(0, |last| last + 1);
    if n_folds < 2 {
        return Err(LassoError::Folds { folds: n_folds });
    }
    let of_fold = |fold: usize| {
        let held = (0..folds.len()).filter(|&row| folds[row] == fold && follow_up.events()[row]).count();
        (held, follow_up.n_events() - held)
    };
    let events: Vec<(usize, usize)> = (0..n_folds).map(of_fold).collect();
    if let Some(fold) = events.iter().position(|&(held, learnt)| held == 0 || learnt == 0) {
        return Err(LassoError::NoEvent { fold: Some(fold + 1) });
    }
    let (x, all) = (path::by_column(x), (0..follow_up.len()).collect::<Vec<_>>());
    let error = |fold: usize| fold_error(&x, follow_up, folds, fold, columns, lambdas, events[fold].0);
    let (path, errors) = rayon::join(
        || Hazards::new(&x, follow_up.clone(), &all, columns).path(lambdas),
        || (0..n_folds).into_par_iter().map(error).collect::<Vec<_>>(),
    );
    let fold_errors: Vec<Vec<f64>> = (0..lambdas.len()).map(|k| errors.iter().map(|fold| fold[k]).collect()).collect();
    let weights: Vec<f64> = events.iter().map(|&(held, _)| held as f64 / follow_up.n_events() as f64).collect();
    let of = |row: &Vec<f64>| {
        let mean: f64 = row.iter().zip(&weights).map(|(error, weight)| error * weight).sum();
        let spread: f64 = row.iter().zip(&weights).map(|(error, weight)| weight * (error - mean).powi(2)).sum();
        (mean, (spread / (n_folds - 1) as f64).sqrt())
    };
    let (errors, standard_errors): (Vec<f64>, Vec<f64>) = fold_errors.iter().map(of).unzip();
    let at_min = smallest(&errors);
    let limit = errors[at_min] + standard_errors[at_min];
    let at_one_se = errors.iter().position(|&error| error <= limit).expect("the smallest is below the limit");
    Ok(Lasso { path, errors, standard_errors, fold_errors, at_min, at_one_se, chosen: at_min })
}

/// Error of one fold, one a lambda. `x` is columns x rows.
fn fold_error(
    x: &Array2<f64>,
    follow_up: &FollowUp,
    folds: &[usize],
    fold: usize,
    columns: Columns,
    lambdas: &[f64],
    events: usize,
) -> Vec<f64> {
    let learnt: Vec<usize> = (0..folds.len()).filter(|&row| folds[row] != fold).collect();
    let part = follow_up.select(&learnt).expect("a fold leaves rows");
    let path = Hazards::new(x, part.clone(), &learnt, columns).path(lambdas);
    let (all, most) = (RiskSets::new(follow_up.clone()), RiskSets::new(part));
    let saturated = |risk: &RiskSets| risk.events.iter().map(|d| -d * d.ln()).sum::<f64>();
    let constant = saturated(&all) - saturated(&most);
    let one = |at: usize| {
        let mut eta = vec![0.0; follow_up.len()];
        for &(j, b) in &path.coefficients[at] {
            eta.iter_mut().zip(x.row(j)).for_each(|(eta, value)| *eta += b * value);
        }
        let of_learnt: Vec<f64> = learnt.iter().map(|&row| eta[row]).collect();
        let likelihood = all.at(&eta).log_likelihood - most.at(&of_learnt).log_likelihood;
        2.0 * (constant - likelihood) / events as f64
    };
    (0..lambdas.len()).map(one).collect()
}

/// Who is at risk at each time of events.
struct RiskSets {
    follow_up: FollowUp,
    /// Events at each distinct time of events, rising.
    events: Vec<f64>,
    /// A row is at risk at the times of positions `from .. to`.
    span: Vec<(usize, usize)>,
    /// Rows whose span ends, and begins, at each position.
    ends: Vec<Vec<usize>>,
    begins: Vec<Vec<usize>>,
}

/// The likelihood at some linear predictors.
struct Value {
    log_likelihood: f64,
    /// Events less expected ones, one a row (martingale residuals): the slopes of the log-likelihood.
    residual: Vec<f64>,
    /// Hazard of each row, up to a factor, and what it has gathered: expected events.
    weight: Vec<f64>,
    expected: Vec<f64>,
    /// Sum of weights at risk, one a time of events.
    at_risk: Vec<f64>,
}

impl RiskSets {
    fn new(follow_up: FollowUp) -> RiskSets {
        let times = follow_up.event_times();
        let passed = |time: f64| times.partition_point(|event| *event <= time);
        let span: Vec<(usize, usize)> =
            (0..follow_up.len()).map(|row| (passed(follow_up.entry(row)), passed(follow_up.times()[row]))).collect();
        let (mut ends, mut begins) = (vec![Vec::new(); times.len() + 1], vec![Vec::new(); times.len() + 1]);
        let mut events = vec![0.0; times.len()];
        for (row, &(from, to)) in span.iter().enumerate() {
            ends[to].push(row);
            begins[from].push(row);
            if follow_up.events()[row] {
                events[to - 1] += 1.0;
            }
        }
        RiskSets { follow_up, events, span, ends, begins }
    }

    fn at(&self, eta: &[f64]) -> Value {
        // The likelihood does not change when all predictors move together.
        let highest = eta.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weight: Vec<f64> = eta.iter().map(|eta| (eta - highest).exp()).collect();
        let m = self.events.len();
        let (mut at_risk, mut sum) = (vec![0.0; m], 0.0);
        for k in (0..m).rev() {
            self.ends[k + 1].iter().for_each(|&row| sum += weight[row]);
            self.begins[k + 1].iter().for_each(|&row| sum -= weight[row]);
            at_risk[k] = sum;
        }
        let mut hazard = vec![0.0; m + 1];
        let mut log_likelihood = 0.0;
        for k in 0..m {
            hazard[k + 1] = hazard[k] + self.events[k] / at_risk[k];
            log_likelihood -= self.events[k] * at_risk[k].ln();
        }
        let (mut residual, mut expected) = (Vec::with_capacity(eta.len()), Vec::with_capacity(eta.len()));
        for (row, &(from, to)) in self.span.iter().enumerate() {
            let event = self.follow_up.events()[row];
            expected.push(weight[row] * (hazard[to] - hazard[from.min(to)]));
            residual.push(f64::from(event) - expected[row]);
            if event {
                log_likelihood += eta[row] - highest;
            }
        }
        Value { log_likelihood, residual, weight, expected, at_risk }
    }

    /// Means of some columns over those at risk, one list a time of events.
    fn means(&self, columns: &[&[f64]], value: &Value) -> Vec<Vec<f64>> {
        let mut sums = vec![0.0; columns.len()];
        let mut means = vec![Vec::new(); self.events.len()];
        for k in (0..self.events.len()).rev() {
            for (rows, sign) in [(&self.ends[k + 1], 1.0), (&self.begins[k + 1], -1.0)] {
                for &row in rows {
                    let weight = sign * value.weight[row];
                    sums.iter_mut().zip(columns).for_each(|(sum, column)| *sum += weight * column[row]);
                }
            }
            means[k] = sums.iter().map(|sum| sum / value.at_risk[k]).collect();
        }
        means
    }
}

/// Rows, columns and risk sets as the fit sees them.
struct Hazards {
    problem: Problem,
    risk: RiskSets,
    n: f64,
}

impl Hazards {
    /// The problem of `rows`, whose times are `follow_up`; `x` is columns x all rows.
    fn new(x: &Array2<f64>, follow_up: FollowUp, rows: &[usize], columns: Columns) -> Hazards {
        let nothing = vec![0.0; x.ncols()];
        let (problem, n) = (Problem::new(x, &nothing, rows, columns), rows.len() as f64);
        Hazards { problem, risk: RiskSets::new(follow_up), n }
    }

    fn lambdas(&self, n: usize, ratio: f64) -> Vec<f64> {
        let residual = self.risk.at(&vec![0.0; self.risk.span.len()]).residual;
        let slopes = self.problem.slopes(&self.problem.pad(residual.into_iter()));
        let largest = slopes.into_iter().fold(0.0, |most: f64, slope| most.max(slope.abs()));
        let step = |k: usize| if n < 2 { 0.0 } else { k as f64 / (n - 1) as f64 };
        (0..n).map(|k| largest * ratio.powf(step(k))).collect()
    }

    fn path(&self, lambdas: &[f64]) -> Path {
        let (mut work, mut b): (Vec<usize>, Vec<f64>) = (Vec::new(), Vec::new());
        let mut path =
            Path { lambdas: lambdas.to_vec(), intercepts: vec![0.0; lambdas.len()], coefficients: Vec::new() };
        for &lambda in lambdas {
            loop {
                let residual = self.newton(&work, &mut b, lambda);
                let slopes = self.problem.slopes(&self.problem.pad(residual.into_iter()));
                let missed: Vec<usize> = (0..slopes.len())
                    .filter(|j| slopes[*j].abs() > lambda * (1.0 + SLACK) && !work.contains(j))
                    .collect();
                if missed.is_empty() {
                    break;
                }
                b.extend(missed.iter().map(|_| 0.0));
                work.extend(missed);
            }
            let sds = self.problem.sds();
            let nonzero = work.iter().zip(&b).filter(|(_, b)| **b != 0.0);
            let mut coefficients: Vec<(usize, f64)> = nonzero.map(|(&j, b)| (j, b / sds[j])).collect();
            coefficients.sort_by_key(|&(j, _)| j);
            path.coefficients.push(coefficients);
        }
        path
    }

    fn predictor(&self, work: &[usize], b: &[f64]) -> Vec<f64> {
        let mut eta = vec![0.0; self.risk.span.len()];
        for (&j, &b) in work.iter().zip(b).filter(|(_, b)| **b != 0.0) {
            eta.iter_mut().zip(self.problem.column(j)).for_each(|(eta, z)| *eta += b * z);
        }
        eta
    }

    /// Penalised Newton steps over the working columns, to the residual of the solution.
    fn newton(&self, work: &[usize], b: &mut [f64], lambda: f64) -> Vec<f64> {
        let columns: Vec<&[f64]> = work.iter().map(|&j| self.problem.column(j)).collect();
        let objective =
            |value: &Value, b: &[f64]| lambda * b.iter().map(|b| b.abs()).sum::<f64>() - value.log_likelihood / self.n;
        let mut eta = self.predictor(work, b);
        let mut value = self.risk.at(&eta);
        for _ in 0..MOST_STEPS {
            if work.is_empty() {
                break;
            }
            let (gram, q) = self.around(&columns, b, &value);
            let mut target = b.to_vec();
            Pursuit::default().minimise(&gram, &q, lambda, &mut target);
            let (before, height) = (b.to_vec(), objective(&value, b));
            let mut share = 1.0;
            let (mut next, mut found);
            loop {
                for (b, (from, to)) in b.iter_mut().zip(before.iter().zip(&target)) {
                    *b = if share == 1.0 { *to } else { from + share * (to - from) };
                }
                next = self.predictor(work, b);
                found = self.risk.at(&next);
                if objective(&found, b) <= height + 1e-13 * height.abs() || share < LEAST_SHARE {
                    break;
                }
                share /= 2.0;
            }
            let change = next.iter().zip(&eta).fold(0.0, |most: f64, (new, old)| most.max((new - old).abs()));
            let size = next.iter().fold(0.0, |most: f64, eta| most.max(eta.abs()));
            (eta, value) = (next, found);
            if change <= STILL * (1.0 + size) {
                break;
            }
        }
        value.residual
    }

    /// The log-likelihood over n to second order around the current coefficients: ½ b'Gb − q'b.
    fn around(&self, columns: &[&[f64]], b: &[f64], value: &Value) -> (Vec<Vec<f64>>, Vec<f64>) {
        let means = self.risk.means(columns, value);
        let k = columns.len();
        let mut gram = vec![vec![0.0; k]; k];
        for i in 0..k {
            let weighted: Vec<f64> = columns[i].iter().zip(&value.expected).map(|(z, w)| z * w).collect();
            for j in 0..=i {
                let second: f64 = weighted.iter().zip(columns[j]).map(|(a, b)| a * b).sum();
                let first: f64 = means.iter().zip(&self.risk.events).map(|(mean, d)| d * mean[i] * mean[j]).sum();
                gram[i][j] = (second - first) / self.n;
                gram[j][i] = gram[i][j];
            }
        }
        let pull = |i: usize| {
            let score: f64 = columns[i].iter().zip(&value.residual).map(|(z, r)| z * r).sum();
            score / self.n + gram[i].iter().zip(b).map(|(g, b)| g * b).sum::<f64>()
        };
        let q = (0..k).map(pull).collect();
        (gram, q)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_large_lambda_gives_nothing_and_a_fold_without_events_is_refused() {
        let x = array![[1.0], [2.0], [4.0], [3.0]];
        let follow_up = FollowUp::right_censored(vec![4.0, 3.0, 1.0, 2.0], vec![true, true, true, false]).unwrap();
        let all = lambdas(x.view(), &follow_up, Columns::Standardised, 3, 0.1);
        let path = path(x.view(), &follow_up, Columns::Standardised, &all);
        assert!(path.coefficients[0].is_empty() && path.coefficients[2][0].1 > 0.0, "{path:?}");
        let refused = fit(x.view(), &follow_up, &[0, 0, 0, 1], &Params::default());
        assert_eq!(refused, Err(LassoError::NoEvent { fold: Some(1) }));
        let nobody = follow_up.with_events(vec![false; 4]);
        assert_eq!(fit(x.view(), &nobody, &[0, 0, 1, 1], &Params::default()), Err(LassoError::NoEvent { fold: None }));
    }
}
