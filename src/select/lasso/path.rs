//! LASSO solutions along a falling sequence of lambdas: warm starts, sequential strong rules, a full KKT check.

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::select::lasso::quadratic;
use crate::select::scale::Scaling;

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
        let of = |row: ndarray::ArrayView1<f64>| {
            self.coefficients[at].iter().fold(self.intercepts[at], |sum, &(j, b)| sum + b * row[j])
        };
        x.rows().into_iter().map(of).collect()
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
    let problem = Problem::new(x, y, columns);
    let largest = problem.slopes(&problem.centred_y()).into_iter().fold(0.0, |most: f64, slope| most.max(slope.abs()));
    let step = |k: usize| if n < 2 { 0.0 } else { k as f64 / (n - 1) as f64 };
    (0..n).map(|k| largest * ratio.powf(step(k))).collect()
}

/// Solutions at `lambdas`, which fall. `x` is rows x columns, `y` one value a row (0 and 1 for `Binomial`).
pub fn path(x: ArrayView2<f64>, y: &[f64], family: Family, columns: Columns, lambdas: &[f64]) -> Path {
    let problem = Problem::new(x, y, columns);
    let mut state = State::new(&problem, family);
    let mut path = Path { lambdas: lambdas.to_vec(), intercepts: Vec::new(), coefficients: Vec::new() };
    let mut before = lambdas.first().copied().unwrap_or(0.0);
    for &lambda in lambdas {
        state.descend(lambda, before);
        let (intercept, coefficients) = state.on_given_scale();
        path.intercepts.push(intercept);
        path.coefficients.push(coefficients);
        before = lambda;
    }
    path
}

struct Problem<'a> {
    /// Columns x rows, centred and perhaps scaled: one column is contiguous.
    z: Array2<f64>,
    scaling: Scaling,
    y: &'a [f64],
    mean_y: f64,
}

impl Problem<'_> {
    fn new<'a>(x: ArrayView2<f64>, y: &'a [f64], columns: Columns) -> Problem<'a> {
        let mut scaling = Scaling::of(x);
        if columns == Columns::AsGiven {
            scaling.sds.fill(1.0);
        }
        let mut z = x.t().as_standard_layout().into_owned();
        for (j, mut column) in z.axis_iter_mut(Axis(0)).enumerate() {
            column.mapv_inplace(|value| (value - scaling.means[j]) / scaling.sds[j]);
        }
        Problem { z, scaling, y, mean_y: y.iter().sum::<f64>() / y.len() as f64 }
    }

    fn column(&self, j: usize) -> &[f64] {
        let n = self.y.len();
        &self.z.as_slice().expect("standard layout")[j * n..(j + 1) * n]
    }

    fn centred_y(&self) -> Vec<f64> {
        self.y.iter().map(|y| y - self.mean_y).collect()
    }

    /// Inner product of column `j` with the residual, over n.
    fn slope(&self, j: usize, residual: &[f64]) -> f64 {
        dot(self.column(j), residual) / self.y.len() as f64
    }

    fn slopes(&self, residual: &[f64]) -> Vec<f64> {
        (0..self.z.nrows()).map(|j| self.slope(j, residual)).collect()
    }
}

/// The solution at the current lambda and what carries over to the next.
struct State<'a> {
    problem: &'a Problem<'a>,
    family: Family,
    /// Columns that ever were needed, and their coefficients.
    work: Vec<usize>,
    b: Vec<f64>,
    intercept: f64,
    needed: Vec<bool>,
    /// Gaussian only: Gram matrix and inner products with y of the working columns.
    gram: Vec<Vec<f64>>,
    q: Vec<f64>,
    residual: Vec<f64>,
    slopes: Vec<f64>,
}

impl<'a> State<'a> {
    fn new(problem: &'a Problem<'a>, family: Family) -> State<'a> {
        let intercept = match family {
            Family::Gaussian => problem.mean_y,
            Family::Binomial => (problem.mean_y / (1.0 - problem.mean_y)).ln(),
        };
        let residual = problem.centred_y();
        let slopes = problem.slopes(&residual);
        let needed = vec![false; problem.z.nrows()];
        let (work, b, gram, q) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        State { problem, family, work, b, intercept, needed, gram, q, residual, slopes }
    }

    /// Moves to the solution at `lambda`, from that at `before`.
    fn descend(&mut self, lambda: f64, before: f64) {
        // Sequential strong rule (Tibshirani et al. 2012): look first where a column can have become active.
        let threshold = 2.0 * lambda - before;
        let strong: Vec<usize> = (0..self.needed.len()).filter(|&j| self.slopes[j].abs() >= threshold).collect();
        loop {
            self.refit(lambda);
            let found = self.violators(lambda, &strong);
            if !found.is_empty() {
                self.enlist(&found);
                continue;
            }
            self.slopes = self.problem.slopes(&self.residual);
            let missed: Vec<usize> = (0..self.needed.len())
                .filter(|&j| !self.needed[j] && self.slopes[j].abs() > lambda * (1.0 + SLACK))
                .collect();
            if missed.is_empty() {
                return;
            }
            self.enlist(&missed);
        }
    }

    fn violators(&self, lambda: f64, among: &[usize]) -> Vec<usize> {
        let violates = |j: usize| self.problem.slope(j, &self.residual).abs() > lambda * (1.0 + SLACK);
        among.iter().copied().filter(|&j| !self.needed[j] && violates(j)).collect()
    }

    fn enlist(&mut self, columns: &[usize]) {
        let n = self.problem.y.len() as f64;
        for &j in columns {
            self.needed[j] = true;
            self.work.push(j);
            self.b.push(0.0);
            if self.family == Family::Gaussian {
                let own = self.problem.column(j);
                let row: Vec<f64> = self.work.iter().map(|&k| dot(own, self.problem.column(k)) / n).collect();
                self.gram.iter_mut().zip(&row).for_each(|(other, &value)| other.push(value));
                self.gram.push(row);
                self.q.push(dot(own, self.problem.y) / n);
            }
        }
    }

    fn refit(&mut self, lambda: f64) {
        match self.family {
            Family::Gaussian => {
                quadratic::minimise(&self.gram, &self.q, lambda, &mut self.b);
                let fitted = self.fitted();
                let y = self.problem.y;
                self.residual = y.iter().zip(&fitted).map(|(y, fitted)| y - fitted).collect();
            }
            Family::Binomial => self.newton(lambda),
        }
    }

    /// Linear predictors of the rows.
    fn fitted(&self) -> Vec<f64> {
        let mut fitted = vec![self.intercept; self.problem.y.len()];
        for (&j, &b) in self.work.iter().zip(&self.b).filter(|(_, b)| **b != 0.0) {
            fitted.iter_mut().zip(self.problem.column(j)).for_each(|(fitted, z)| *fitted += b * z);
        }
        fitted
    }

    /// Penalised Newton steps on the binomial likelihood (Friedman, Hastie and Tibshirani 2010, section 3).
    fn newton(&mut self, lambda: f64) {
        let mut eta = self.fitted();
        for _ in 0..MOST_NEWTON_STEPS {
            let Quadratic { gram, q, centres, shift } = self.around(&eta);
            let before = self.b.clone();
            quadratic::minimise(&gram, &q, lambda, &mut self.b);
            let moved = self.b.iter().zip(&before).zip(&centres).map(|((new, old), centre)| (new - old) * centre);
            self.intercept += shift - moved.sum::<f64>();
            let next = self.fitted();
            let change = next.iter().zip(&eta).fold(0.0, |most: f64, (new, old)| most.max((new - old).abs()));
            eta = next;
            if change <= STILL * (1.0 + eta.iter().fold(0.0, |most: f64, eta| most.max(eta.abs()))) {
                break;
            }
        }
        self.residual = self.problem.y.iter().zip(&eta).map(|(y, &eta)| y - logistic(eta)).collect();
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
