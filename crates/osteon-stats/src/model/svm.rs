//! The linear support vector machine of LIBSVM (hinge loss, intercept without a penalty), solved to the last digits.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

/// min ½‖w‖² + C Σ max(0, 1 − y(w·x + b)), y = ±1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearSvm {
    pub weights: Vec<f64>,
    pub intercept: f64,
    /// C.
    pub cost: f64,
    /// Rows with a multiplier above 0.
    pub n_support: usize,
    /// Whether the optimality conditions hold to `GAP`.
    pub converged: bool,
    /// What the minimum may be below this solution: primal less dual objective.
    pub gap: f64,
}

/// Largest violation of the optimality conditions of a solution, in units of the decision value; LIBSVM's default is
/// 1e-3.
const GAP: f64 = 1e-11;
/// Steps of two multipliers; some thousand suffice for a hundred rows.
const MOST_STEPS: usize = 2_000_000;
/// Curvature that stands for none, as in LIBSVM: two rows with the same values.
const FLAT: f64 = 1e-12;

impl LinearSvm {
    /// Fits `x` (rows x columns). Sequential minimal optimization of the dual with second-order choice of the two
    /// multipliers (Fan, Chen and Lin 2005, WSS 2), the intercept as LIBSVM: the mean over multipliers strictly within
    /// (0, C), else the middle of what the others allow. `None` where only one class is there.
    pub fn fit(x: ArrayView2<f64>, event: &[bool], cost: f64) -> Option<LinearSvm> {
        if !event.contains(&true) || !event.contains(&false) {
            return None;
        }
        let y: Vec<f64> = event.iter().map(|&event| if event { 1.0 } else { -1.0 }).collect();
        let kernel = x.dot(&x.t());
        let mut dual = Dual { kernel: &kernel, y: &y, cost, a: vec![0.0; y.len()], gradient: vec![-1.0; y.len()] };
        let converged = dual.solve();
        // The gradient is built anew: thousands of steps leave their rounding in it.
        dual.refresh();
        let share = |j: usize| (0..y.len()).map(|i| dual.a[i] * y[i] * x[[i, j]]).sum();
        let mut fit = LinearSvm {
            weights: (0..x.ncols()).map(share).collect(),
            intercept: dual.intercept(),
            cost,
            n_support: dual.a.iter().filter(|a| **a > 0.0).count(),
            converged,
            gap: 0.0,
        };
        let hinge = |(row, y): (ArrayView1<f64>, &f64)| (1.0 - y * fit.decision(row)).max(0.0);
        let losses: f64 = x.axis_iter(Axis(0)).zip(&y).map(hinge).sum();
        let squares: f64 = fit.weights.iter().map(|w| w * w).sum();
        fit.gap = squares + cost * losses - dual.a.iter().sum::<f64>();
        Some(fit)
    }

    /// w·x + b: above 0 for the event.
    pub fn decision(&self, x: ArrayView1<f64>) -> f64 {
        self.weights.iter().zip(x).fold(self.intercept, |sum, (w, x)| sum + w * x)
    }
}

/// min ½ a'Qa − Σa with 0 ≤ a ≤ C and Σ y a = 0, Q = y y' K.
struct Dual<'a> {
    kernel: &'a Array2<f64>,
    y: &'a [f64],
    cost: f64,
    a: Vec<f64>,
    gradient: Vec<f64>,
}

impl Dual<'_> {
    fn solve(&mut self) -> bool {
        for step in 0..MOST_STEPS {
            if step % 5000 == 4999 {
                self.refresh();
            }
            let Some((i, j)) = self.pair() else { return true };
            self.step(i, j);
        }
        false
    }

    /// Whether a multiplier may move so that y a grows.
    fn may_rise(&self, t: usize) -> bool {
        if self.y[t] > 0.0 { self.a[t] < self.cost } else { self.a[t] > 0.0 }
    }

    fn may_fall(&self, t: usize) -> bool {
        if self.y[t] > 0.0 { self.a[t] > 0.0 } else { self.a[t] < self.cost }
    }

    /// −y times the gradient.
    fn pull(&self, t: usize) -> f64 {
        -self.y[t] * self.gradient[t]
    }

    fn curvature(&self, i: usize, j: usize) -> f64 {
        let own = self.kernel[[i, i]] + self.kernel[[j, j]] - 2.0 * self.kernel[[i, j]];
        if own > 0.0 { own } else { FLAT }
    }

    /// The two multipliers of the next step; `None` at the optimum.
    fn pair(&self) -> Option<(usize, usize)> {
        let most = |best: usize, next: usize| if self.pull(next) > self.pull(best) { next } else { best };
        let i = (0..self.y.len()).filter(|&t| self.may_rise(t)).reduce(most)?;
        let top = self.pull(i);
        let gain = |t: usize| (top - self.pull(t)).powi(2) / self.curvature(i, t);
        let below = || (0..self.y.len()).filter(|&t| self.may_fall(t) && self.pull(t) < top);
        let bottom = below().map(|t| self.pull(t)).fold(f64::INFINITY, f64::min);
        if top - bottom < GAP || bottom.is_infinite() {
            return None;
        }
        below().reduce(|best, next| if gain(next) > gain(best) { next } else { best }).map(|j| (i, j))
    }

    /// Moves two multipliers along Σ y a = 0 to the minimum, or to their bound.
    fn step(&mut self, i: usize, j: usize) {
        let wanted = (self.pull(i) - self.pull(j)) / self.curvature(i, j);
        let room = |y: f64, a: f64| if y > 0.0 { self.cost - a } else { a };
        let [up, down] = [room(self.y[i], self.a[i]), room(-self.y[j], self.a[j])];
        let way = wanted.min(up).min(down);
        let before = [self.a[i], self.a[j]];
        // A bound that is reached is reached exactly.
        self.a[i] = if way == up { if self.y[i] > 0.0 { self.cost } else { 0.0 } } else { before[0] + self.y[i] * way };
        self.a[j] =
            if way == down { if self.y[j] > 0.0 { 0.0 } else { self.cost } } else { before[1] - self.y[j] * way };
        let moved = [(i, self.a[i] - before[0]), (j, self.a[j] - before[1])];
        for t in 0..self.y.len() {
            for (k, delta) in moved {
                self.gradient[t] += self.y[t] * self.y[k] * self.kernel[[t, k]] * delta;
            }
        }
    }

    fn refresh(&mut self) {
        for t in 0..self.y.len() {
            let sum: f64 = (0..self.y.len()).map(|k| self.y[k] * self.kernel[[t, k]] * self.a[k]).sum();
            self.gradient[t] = self.y[t] * sum - 1.0;
        }
    }

    fn intercept(&self) -> f64 {
        let free: Vec<f64> =
            (0..self.y.len()).filter(|&t| self.a[t] > 0.0 && self.a[t] < self.cost).map(|t| self.pull(t)).collect();
        if !free.is_empty() {
            return free.iter().sum::<f64>() / free.len() as f64;
        }
        let top = (0..self.y.len()).filter(|&t| self.may_rise(t)).map(|t| self.pull(t));
        let bottom = (0..self.y.len()).filter(|&t| self.may_fall(t)).map(|t| self.pull(t));
        (top.fold(f64::NEG_INFINITY, f64::max) + bottom.fold(f64::INFINITY, f64::min)) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_widest_margin_of_two_pairs_is_the_one_by_hand() {
        // The points nearest to each other are (1, 0) and (3, 0): w = (1, 0), b = -2.
        let x = array![[0.0, 1.0], [1.0, 0.0], [3.0, 0.0], [4.0, -1.0]];
        let fit = LinearSvm::fit(x.view(), &[false, false, true, true], 100.0).unwrap();
        assert!(fit.converged && (fit.weights[0] - 1.0).abs() < 1e-10 && fit.weights[1].abs() < 1e-10, "{fit:?}");
        assert!((fit.intercept + 2.0).abs() < 1e-10, "{fit:?}");
        assert_eq!(fit.n_support, 2);
        assert!(LinearSvm::fit(x.view(), &[true; 4], 1.0).is_none());
    }
}
