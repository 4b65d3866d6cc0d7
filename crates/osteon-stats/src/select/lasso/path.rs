//! LASSO and elastic-net solutions along a falling sequence of lambdas: warm starts, and a KKT check of every column that
//! could fail it.

use ndarray::{Array2, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::select::lasso::quadratic::{Pursuit, solve_positive};
use crate::select::scale::{Scaling, mean_and_sd};
use osteon_base::wide::wide;

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
    /// The same columns at length 1 in single precision.
    directions: Vec<f32>,
    scaling: Scaling,
    /// Length of each column over n: how far a residual that moves by 1 moves the column's slope at most.
    reach: Vec<f64>,
    y: Vec<f64>,
    mean_y: f64,
    mixing: f64,
}

/// Below this mixing the largest lambda no longer grows, as in glmnet: a ridge keeps every feature at any lambda.
const LEAST_MIXING: f64 = 1e-3;

impl Problem {
    /// The problem of `rows`; `x` is columns x rows.
    pub fn new(x: &Array2<f64>, y: &[f64], rows: &[usize], columns: Columns) -> Problem {
        let (n, width) = (rows.len(), rows.len().next_multiple_of(LANES));
        let y: Vec<f64> = rows.iter().map(|&row| y[row]).collect();
        let mut scaling = Scaling { means: Vec::new(), sds: Vec::new() };
        let (mut z, mut reach) = (vec![0.0; width * x.nrows()], Vec::with_capacity(x.nrows()));
        let mut directions = Vec::with_capacity(width * x.nrows());
        for (column, padded) in x.rows().into_iter().zip(z.chunks_exact_mut(width.max(1))) {
            let own = &mut padded[..n];
            let column = column.to_slice().expect("a column is contiguous");
            own.iter_mut().zip(rows).for_each(|(value, &row)| *value = column[row]);
            let (mean, sd) = mean_and_sd(own);
            let sd = if columns == Columns::AsGiven { 1.0 } else { sd };
            let length = centre(own, mean, 1.0 / sd);
            let inverse = 1.0 / length.max(f64::MIN_POSITIVE);
            directions.extend(padded.iter().map(|value| (value * inverse) as f32));
            reach.push(length / n as f64);
            scaling.means.push(mean);
            scaling.sds.push(sd);
        }
        let mean_y = y.iter().sum::<f64>() / n as f64;
        Problem { z, width, directions, scaling, reach, y, mean_y, mixing: 1.0 }
    }

    /// The same with the elastic net's penalty λ(α‖b‖₁ + (1 − α)‖b‖² / 2), α from 0 (ridge) to 1 (LASSO); it is for
    /// `Family::Binomial`.
    pub fn mixed(self, mixing: f64) -> Problem {
        Problem { mixing, ..self }
    }

    /// `n` lambdas from the smallest that gives no feature down to `ratio` times it, evenly in logarithm.
    pub fn lambdas(&self, n: usize, ratio: f64) -> Vec<f64> {
        let largest = self.slopes(&self.centred_y()).into_iter().fold(0.0, |most: f64, slope| most.max(slope.abs()));
        let largest = largest / self.mixing.max(LEAST_MIXING);
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

    /// Column `j`, centred and perhaps scaled.
    pub fn column(&self, j: usize) -> &[f64] {
        &self.padded(j)[..self.y.len()]
    }

    /// What each column was divided by.
    pub fn sds(&self) -> &[f64] {
        &self.scaling.sds
    }

    #[inline(always)]
    fn padded(&self, j: usize) -> &[f64] {
        &self.z[j * self.width..(j + 1) * self.width]
    }

    /// Values of the rows, filled up with zeros as a column is.
    pub fn pad(&self, values: impl Iterator<Item = f64>) -> Vec<f64> {
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

    /// Inner products of all columns with a padded residual, over n.
    pub fn slopes(&self, residual: &[f64]) -> Vec<f64> {
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
    bounds: Bounds,
}

impl<'a> State<'a> {
    fn new(problem: &'a Problem, family: Family) -> State<'a> {
        let intercept = match family {
            Family::Gaussian => problem.mean_y,
            Family::Binomial => (problem.mean_y / (1.0 - problem.mean_y)).ln(),
        };
        let residual = problem.centred_y();
        let edges = problem.slopes(&residual).into_iter().map(f64::abs).collect();
        let bounds = Bounds { shrunk: 1.0, strayed: 0.0, edges };
        let (work, b, gram, q) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        State { problem, family, work, b, intercept, gram, q, pursuit: Pursuit::default(), residual, bounds }
    }

    /// Moves to the solution at `lambda`, from that at the one before.
    fn descend(&mut self, lambda: f64) {
        loop {
            self.refit(lambda);
            let missed = self.bounds.violators(self.problem, &self.residual, self.problem.mixing * lambda);
            if missed.is_empty() {
                return;
            }
            self.enlist(&missed);
        }
    }

    fn enlist(&mut self, columns: &[usize]) {
        for &j in columns {
            self.bounds.edges[j] = f64::NEG_INFINITY;
            self.work.push(j);
            self.b.push(0.0);
            if self.family == Family::Gaussian {
                let row = products(self.problem, j, &self.work);
                self.gram.iter_mut().zip(&row).for_each(|(other, &value)| other.push(value));
                self.gram.push(row);
                self.q.push(self.problem.slope(j, &self.problem.centred_y()));
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
        self.bounds.follow(&self.residual, &residual);
        self.residual = residual;
    }

    /// Linear predictors of the rows.
    fn fitted(&self) -> Vec<f64> {
        let mut fitted = vec![self.intercept; self.problem.y.len()];
        let parts = self.work.iter().zip(&self.b).filter(|(_, b)| **b != 0.0).map(|(&j, &b)| (j, b));
        add_columns(self.problem, &parts.collect::<Vec<_>>(), &mut fitted);
        fitted
    }

    /// Penalised Newton steps on the binomial likelihood, to the residual (Friedman, Hastie and Tibshirani 2010, section 3).
    fn newton(&mut self, lambda: f64) -> Vec<f64> {
        let mut eta = self.fitted();
        for _ in 0..MOST_NEWTON_STEPS {
            let Quadratic { mut gram, q, centres, shift } = self.around(&eta);
            let before = self.b.clone();
            let (mixing, ridge) = (self.problem.mixing, (1.0 - self.problem.mixing) * lambda);
            gram.iter_mut().enumerate().filter(|_| ridge > 0.0).for_each(|(i, row)| row[i] += ridge);
            if mixing > 0.0 || !solve_positive(&gram, &q, &mut self.b) {
                Pursuit::default().minimise(&gram, &q, mixing * lambda, &mut self.b);
            }
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

wide! {
    /// Makes a column centred and scaled; gives its length.
    fn centre(column: &mut [f64], mean: f64, scale: f64) -> f64 {
        column.iter_mut().for_each(|value| *value = (*value - mean) * scale);
        dot(column, column).sqrt()
    }
}

/// What the slopes of all columns cannot exceed: most need not be asked whether they have reached lambda.
///
/// A residual that becomes c times itself and a rest makes of a slope c times itself and at most the column's reach times
/// the length of the rest (Cauchy and Schwarz).
struct Bounds {
    /// Product of all c.
    shrunk: f64,
    /// Sum of the lengths of all rests, each over `shrunk` at its time.
    strayed: f64,
    /// One a column: `shrunk` times the sum of this and of `strayed` times the column's reach is the bound. Minus infinity
    /// in the working set.
    edges: Vec<f64>,
}

impl Bounds {
    fn follow(&mut self, old: &[f64], new: &[f64]) {
        let part = dot(old, new) / dot(old, old);
        let part = if part > 0.0 { part } else { 1.0 };
        let rest = old.iter().zip(new).map(|(old, new)| (new - part * old) * (new - part * old)).sum::<f64>().sqrt();
        self.shrunk *= part;
        self.strayed += rest / self.shrunk;
    }

    /// Columns outside the working set that are needed at `lambda`. Those whose bound has reached it are asked in single
    /// precision, which bounds their slopes anew, and in double precision if that does not settle it.
    fn violators(&mut self, problem: &Problem, residual: &[f64], lambda: f64) -> Vec<usize> {
        let length = dot(residual, residual).sqrt();
        let towards: Vec<f32> = residual.iter().map(|value| (value / length) as f32).collect();
        let asked = beyond(&self.edges, &problem.reach, self.strayed, lambda / self.shrunk);
        let doubt = (problem.y.len() + 4) as f64 * f64::from(f32::EPSILON);
        let mut found = Vec::new();
        for (j, sums) in asked.iter().zip(cosines(&problem.directions, problem.width, &towards, &asked)) {
            let (j, reach) = (*j, problem.reach[*j]);
            let cosine = f64::from(sums.iter().sum::<f32>().abs()) + doubt;
            let mut most = cosine * reach * length;
            if most.is_nan() || most > lambda {
                most = problem.slope(j, residual).abs();
                if most > lambda * (1.0 + SLACK) {
                    found.push(j);
                }
            }
            self.edges[j] = most / self.shrunk - reach * self.strayed;
        }
        found
    }
}

wide! {
    /// Positions whose edge and `strayed` times reach exceed `limit`. No branch: which do is not to be foreseen.
    fn beyond(edges: &[f64], reach: &[f64], strayed: f64, limit: f64) -> Vec<usize> {
        let (mut found, mut n) = (vec![0_u32; edges.len()], 0);
        for (j, (edge, reach)) in edges.iter().zip(reach).enumerate() {
            found[n] = j as u32;
            n += usize::from(edge + reach * strayed > limit);
        }
        found[..n].iter().map(|&j| j as usize).collect()
    }
}

wide! {
    /// Inner products of some of `columns` with `towards`, each as eight sums.
    fn cosines(columns: &[f32], width: usize, towards: &[f32], some: &[usize]) -> Vec<[f32; 8]> {
        let (towards, mut all) = (towards.as_chunks::<8>().0, vec![[0.0; 8]; some.len()]);
        for (sums, j) in all.iter_mut().zip(some) {
            let mut own = [0.0; 8];
            for (a, b) in columns[j * width..(j + 1) * width].as_chunks::<8>().0.iter().zip(towards) {
                (0..8).for_each(|k| own[k] += a[k] * b[k]);
            }
            *sums = own;
        }
        all
    }
}

wide! {
    /// Inner products of column `j` with each of `others`, over n.
    fn products(problem: &Problem, j: usize, others: &[usize]) -> Vec<f64> {
        let (own, n, mut all) = (problem.padded(j), problem.y.len() as f64, vec![0.0; others.len()]);
        for (product, &k) in all.iter_mut().zip(others) {
            *product = dot(own, problem.padded(k)) / n;
        }
        all
    }
}

wide! {
    /// Adds `part` times each of some columns.
    fn add_columns(problem: &Problem, parts: &[(usize, f64)], to: &mut [f64]) {
        for &(j, part) in parts {
            to.iter_mut().zip(problem.padded(j)).for_each(|(to, z)| *to += part * z);
        }
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

/// A column's length is a multiple of this: four registers of four.
const LANES: usize = 16;

/// Inner product with sixteen running sums: the order of additions is fixed and the compiler can vectorise it.
#[inline(always)]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_whole, a_rest) = a.as_chunks::<LANES>();
    let (b_whole, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [[0.0; 4]; 4];
    for (a, b) in a_whole.iter().zip(b_whole) {
        for (sums, (a, b)) in sums.iter_mut().zip(a.as_chunks::<4>().0.iter().zip(b.as_chunks::<4>().0)) {
            (0..4).for_each(|k| sums[k] += a[k] * b[k]);
        }
    }
    let [a, b, c, d] = sums;
    let four: [f64; 4] = std::array::from_fn(|k| (a[k] + b[k]) + (c[k] + d[k]));
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    (four[0] + four[2]) + (four[1] + four[3]) + rest
}
