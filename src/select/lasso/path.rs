//! LASSO solutions along a falling sequence of lambdas: warm starts, and a KKT check of every column that could fail it.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::select::lasso::quadratic::Pursuit;
use crate::select::scale::{Scaling, mean_and_sd};

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// RSS / 2n + λ‖b‖₁.
    Gaussian,
    /// −loglik / n + λ‖b‖₁.
    Binomial,
}

/// Whether the fit divides columns by their 1/n SD, as glmnet does, or takes them as they are, as scikit-learn does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    Standardised,
    AsGiven,
}

/// Solutions, one a lambda, on the scale of the columns given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Path {
    pub lambdas: Vec<f64>,
    pub intercepts: Vec<f64>,
    /// Position and value of the coefficients that are not zero.
    pub coefficients: Vec<Vec<(usize, f64)>>,
}

impl Path {
    /// Linear predictors of `x` (rows x columns) at the lambda of position `at`.
    pub fn linear_predictor(&self, at: usize, x: ArrayView2<f64>) -> Vec<f64> {
        let mut eta = vec![self.intercepts[at]; x.nrows()];
        for &(j, b) in &self.coefficients[at] {
            eta.iter_mut().zip(x.column(j)).for_each(|(eta, value)| *eta += b * value);
        }
        eta
    }
}

/// Columns that violate KKT by less than this part of lambda count as zero: rounding of the residual.
const SLACK: f64 = 1e-9;
/// Newton steps of the binomial fit end when no linear predictor moves more than this.
const STILL: f64 = 1e-11;
const MOST_NEWTON_STEPS: usize = 200;
/// Smallest weight of a row in the quadratic approximation; it slows a step, it does not move the solution.
const LEAST_WEIGHT: f64 = 1e-6;

/// `n` lambdas from the smallest that gives no feature down to `ratio` times it, evenly in logarithm.
pub fn lambdas(x: ArrayView2<f64>, y: &[f64], columns: Columns, n: usize, ratio: f64) -> Vec<f64> {
    let rows: Vec<usize> = (0..y.len()).collect();
    Problem::new(&by_column(x), y, &rows, columns).lambdas(n, ratio)
}

/// Solutions at `lambdas`, which fall. `x` is rows x columns, `y` one value a row (0 and 1 for `Binomial`).
pub fn path(x: ArrayView2<f64>, y: &[f64], family: Family, columns: Columns, lambdas: &[f64]) -> Path {
    let rows: Vec<usize> = (0..y.len()).collect();
    Problem::new(&by_column(x), y, &rows, columns).path(family, lambdas)
}

/// Columns x rows: one column is contiguous.
pub fn by_column(x: ArrayView2<f64>) -> Array2<f64> {
    x.reversed_axes().as_standard_layout().into_owned()
}

/// Rows and outcome as the fit sees them.
pub struct Problem {
    /// Column after column, centred and perhaps scaled, each filled up with zeros to `width`.
    z: Vec<f64>,
    width: usize,
    scaling: Scaling,
    /// Length of each column over n: how far a residual that moves by 1 moves the column's slope at most.
    reach: Vec<f64>,
    y: Vec<f64>,
    mean_y: f64,
}

impl Problem {
    /// The problem of `rows`; `x` is columns x rows.
    pub fn new(x: &Array2<f64>, y: &[f64], rows: &[usize], columns: Columns) -> Problem {
        let (n, width) = (rows.len(), rows.len().next_multiple_of(LANES));
        let y: Vec<f64> = rows.iter().map(|&row| y[row]).collect();
        let mut scaling = Scaling { means: Vec::new(), sds: Vec::new() };
        let (mut z, mut reach) = (vec![0.0; width * x.nrows()], Vec::with_capacity(x.nrows()));
        for (column, padded) in x.rows().into_iter().zip(z.chunks_exact_mut(width.max(1))) {
            let own = &mut padded[..n];
            own.iter_mut().zip(rows).for_each(|(value, &row)| *value = column[row]);
            let (mean, sd) = mean_and_sd(own);
            let sd = if columns == Columns::AsGiven { 1.0 } else { sd };
            own.iter_mut().for_each(|value| *value = (*value - mean) / sd);
            reach.push(dot(padded, padded).sqrt() / n as f64);
            scaling.means.push(mean);
            scaling.sds.push(sd);
        }
        let mean_y = y.iter().sum::<f64>() / n as f64;
        Problem { z, width, scaling, reach, y, mean_y }
    }

    /// `n` lambdas from the smallest that gives no feature down to `ratio` times it, evenly in logarithm.
    pub fn lambdas(&self, n: usize, ratio: f64) -> Vec<f64> {
        let largest = self.slopes(&self.centred_y()).into_iter().fold(0.0, |most: f64, slope| most.max(slope.abs()));
        let step = |k: usize| if n < 2 { 0.0 } else { k as f64 / (n - 1) as f64 };
        (0..n).map(|k| largest * ratio.powf(step(k))).collect()
    }

    /// Solutions at `lambdas`, which fall.
    pub fn path(&self, family: Family, lambdas: &[f64]) -> Path {
        let mut state = State::new(self, family);
        let mut path = Path { lambdas: lambdas.to_vec(), intercepts: Vec::new(), coefficients: Vec::new() };
        for &lambda in lambdas {
            state.descend(lambda);
            let (intercept, coefficients) = state.on_given_scale();
            path.intercepts.push(intercept);
            path.coefficients.push(coefficients);
        }
        path
    }

    fn column(&self, j: usize) -> &[f64] {
        &self.padded(j)[..self.y.len()]
    }

    fn padded(&self, j: usize) -> &[f64] {
        &self.z[j * self.width..(j + 1) * self.width]
    }

    /// Values of the rows, filled up with zeros as a column is.
    fn pad(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
        let mut padded: Vec<f64> = values.collect();
        padded.resize(self.width, 0.0);
        padded
    }

    fn centred_y(&self) -> Vec<f64> {
        self.pad(self.y.iter().map(|y| y - self.mean_y))
    }

    /// Inner product of column `j` with the residual, over n.
    fn slope(&self, j: usize, residual: &[f64]) -> f64 {
        dot(self.padded(j), residual) / self.y.len() as f64
    }

    fn slopes(&self, residual: &[f64]) -> Vec<f64> {
        (0..self.reach.len()).map(|j| self.slope(j, residual)).collect()
    }
}

/// The solution at the current lambda and what carries over to the next.
struct State<'a> {
    problem: &'a Problem,
    family: Family,
    /// Columns that ever were needed, and their coefficients.
    work: Vec<usize>,
    b: Vec<f64>,
    intercept: f64,
    /// Gaussian only: Gram matrix and inner products with y of the working columns.
    gram: Vec<Vec<f64>>,
    q: Vec<f64>,
    pursuit: Pursuit,
    residual: Vec<f64>,
    /// Length of the way that the residual has gone.
    gone: f64,
    /// One a column: the magnitude of its slope when it was last asked for, less the way gone by then times its reach;
    /// minus infinity in the working set.
    edges: Vec<f64>,
}

impl<'a> State<'a> {
    fn new(problem: &'a Problem, family: Family) -> State<'a> {
        let intercept = match family {
            Family::Gaussian => problem.mean_y,
            Family::Binomial => (problem.mean_y / (1.0 - problem.mean_y)).ln(),
        };
        let residual = problem.centred_y();
        let edges = problem.slopes(&residual).into_iter().map(f64::abs).collect();
        let (work, b, gram, q) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        State { problem, family, work, b, intercept, gram, q, pursuit: Pursuit::default(), residual, gone: 0.0, edges }
    }

    /// Moves to the solution at `lambda`, from that at the one before.
    fn descend(&mut self, lambda: f64) {
        loop {
            self.refit(lambda);
            let missed = self.violators(lambda);
            if missed.is_empty() {
                return;
            }
            self.enlist(&missed);
        }
    }

    /// Columns outside the working set that are needed at `lambda`. A slope moves by no more than the column's length
    /// times the way of the residual (Cauchy and Schwarz): most columns cannot have got there, and are not asked.
    fn violators(&mut self, lambda: f64) -> Vec<usize> {
        let (limit, gone) = (lambda * (1.0 + SLACK), self.gone);
        let mut found = Vec::new();
        let chunks = self.edges.chunks_mut(LANES).zip(self.problem.reach.chunks(LANES));
        for (at, (edges, reach)) in chunks.enumerate() {
            let may = |(edge, reach): (&f64, &f64)| edge + reach * gone > lambda;
            if !edges.iter().zip(reach).fold(false, |any, pair| any | may(pair)) {
                continue;
            }
            for (k, (edge, reach)) in edges.iter_mut().zip(reach).enumerate() {
                if may((edge, reach)) {
                    let slope = self.problem.slope(at * LANES + k, &self.residual).abs();
                    *edge = slope - reach * gone;
                    if slope > limit {
                        found.push(at * LANES + k);
                    }
                }
            }
        }
        found
    }

    fn enlist(&mut self, columns: &[usize]) {
        let n = self.problem.y.len() as f64;
        for &j in columns {
            self.edges[j] = f64::NEG_INFINITY;
            self.work.push(j);
            self.b.push(0.0);
            if self.family == Family::Gaussian {
                let own = self.problem.padded(j);
                let row: Vec<f64> = self.work.iter().map(|&k| dot(own, self.problem.padded(k)) / n).collect();
                self.gram.iter_mut().zip(&row).for_each(|(other, &value)| other.push(value));
                self.gram.push(row);
                self.q.push(dot(self.problem.column(j), &self.problem.y) / n);
            }
        }
    }

    fn refit(&mut self, lambda: f64) {
        let residual = match self.family {
            Family::Gaussian => {
                self.pursuit.minimise(&self.gram, &self.q, lambda, &mut self.b);
                let fitted = self.fitted();
                self.problem.pad(self.problem.y.iter().zip(&fitted).map(|(y, fitted)| y - fitted))
            }
            Family::Binomial => self.newton(lambda),
        };
        let way = |(new, old): (&f64, &f64)| (new - old) * (new - old);
        self.gone += residual.iter().zip(&self.residual).map(way).sum::<f64>().sqrt();
        self.residual = residual;
    }

    /// Linear predictors of the rows.
    fn fitted(&self) -> Vec<f64> {
        let mut fitted = vec![self.intercept; self.problem.y.len()];
        for (&j, &b) in self.work.iter().zip(&self.b).filter(|(_, b)| **b != 0.0) {
            fitted.iter_mut().zip(self.problem.column(j)).for_each(|(fitted, z)| *fitted += b * z);
        }
        fitted
    }

    /// Penalised Newton steps on the binomial likelihood, to the residual (Friedman, Hastie and Tibshirani 2010, section 3).
    fn newton(&mut self, lambda: f64) -> Vec<f64> {
        let mut eta = self.fitted();
        for _ in 0..MOST_NEWTON_STEPS {
            let Quadratic { gram, q, centres, shift } = self.around(&eta);
            let before = self.b.clone();
            Pursuit::default().minimise(&gram, &q, lambda, &mut self.b);
            let moved = self.b.iter().zip(&before).zip(&centres).map(|((new, old), centre)| (new - old) * centre);
            self.intercept += shift - moved.sum::<f64>();
            let next = self.fitted();
            let change = next.iter().zip(&eta).fold(0.0, |most: f64, (new, old)| most.max((new - old).abs()));
            eta = next;
            if change <= STILL * (1.0 + eta.iter().fold(0.0, |most: f64, eta| most.max(eta.abs()))) {
                break;
            }
        }
        self.problem.pad(self.problem.y.iter().zip(&eta).map(|(y, &eta)| y - logistic(eta)))
    }

    /// The log-likelihood of the working columns to second order around the linear predictors `eta`.
    fn around(&self, eta: &[f64]) -> Quadratic {
        let n = eta.len() as f64;
        let p: Vec<f64> = eta.iter().map(|&eta| logistic(eta)).collect();
        let w: Vec<f64> = p.iter().map(|p| (p * (1.0 - p)).max(LEAST_WEIGHT)).collect();
        let residual: Vec<f64> = self.problem.y.iter().zip(&p).map(|(y, p)| y - p).collect();
        let columns: Vec<&[f64]> = self.work.iter().map(|&j| self.problem.column(j)).collect();
        let total: f64 = w.iter().sum();
        let centres: Vec<f64> = columns.iter().map(|column| dot(column, &w) / total).collect();
        let weigh = |(column, centre): (&&[f64], &f64)| -> Vec<f64> {
            column.iter().zip(&w).map(|(z, w)| (z - centre) * w).collect()
        };
        let weighted: Vec<Vec<f64>> = columns.iter().zip(&centres).map(weigh).collect();
        let row = |weighted: &Vec<f64>| columns.iter().map(|column| dot(weighted, column) / n).collect();
        let gram: Vec<Vec<f64>> = weighted.iter().map(row).collect();
        let excess: f64 = residual.iter().sum();
        let pull = |i: usize| {
            let score = dot(columns[i], &residual) - centres[i] * excess;
            score / n + dot(&gram[i], &self.b)
        };
        let q = (0..columns.len()).map(pull).collect();
        Quadratic { gram, q, centres, shift: excess / total }
    }

    fn on_given_scale(&self) -> (f64, Vec<(usize, f64)>) {
        let Scaling { means, sds } = &self.problem.scaling;
        let nonzero = self.work.iter().zip(&self.b).filter(|(_, b)| **b != 0.0);
        let mut coefficients: Vec<(usize, f64)> = nonzero.map(|(&j, b)| (j, b / sds[j])).collect();
        coefficients.sort_by_key(|&(j, _)| j);
        let intercept = coefficients.iter().fold(self.intercept, |sum, &(j, b)| sum - b * means[j]);
        (intercept, coefficients)
    }
}

/// ½ b'Gb − q'b with the intercept taken out: it moves by `shift` less what `centres` say of each coefficient.
struct Quadratic {
    gram: Vec<Vec<f64>>,
    q: Vec<f64>,
    centres: Vec<f64>,
    shift: f64,
}

fn logistic(eta: f64) -> f64 {
    1.0 / (1.0 + (-eta).exp())
}

/// Running sums of an inner product.
const LANES: usize = 8;

/// Inner product with eight running sums: the order of additions is fixed and the compiler can vectorise it.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    for (a, b) in a8.iter().zip(b8) {
        for k in 0..8 {
            sums[k] += a[k] * b[k];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (sums[0] + sums[4]) + (sums[1] + sums[5]) + (sums[2] + sums[6]) + (sums[3] + sums[7]) + rest
}
