//! Sums over the rows at risk, weighted by their hazards, and the moments that they give.

use nalgebra::{DMatrix, DVector, DVectorView};

/// Σ w, Σ w z, Σ w z z', and Σ w z z z where asked for.
#[derive(Clone)]
pub struct Sums {
    pub zero: f64,
    pub one: DVector<f64>,
    pub two: DMatrix<f64>,
    /// Entry (i, j, l) at (i k + j) k + l; empty where nobody asks.
    pub three: Vec<f64>,
}

impl Sums {
    pub fn new(k: usize, third: bool) -> Sums {
        let three = if third { vec![0.0; k * k * k] } else { Vec::new() };
        Sums { zero: 0.0, one: DVector::zeros(k), two: DMatrix::zeros(k, k), three }
    }

    pub fn add(&mut self, weight: f64, z: DVectorView<f64, impl nalgebra::Dim, impl nalgebra::Dim>) {
        let k = self.one.len();
        self.zero += weight;
        for i in 0..k {
            let first = weight * z[i];
            self.one[i] += first;
            for j in 0..k {
                let second = first * z[j];
                self.two[(i, j)] += second;
                if !self.three.is_empty() {
                    for l in 0..k {
                        self.three[(i * k + j) * k + l] += second * z[l];
                    }
                }
            }
        }
    }

    /// These less a share of others: what is at risk after part of the tied events is over.
    pub fn less(&self, share: f64, other: &Sums) -> Sums {
        if share == 0.0 {
            return self.clone();
        }
        Sums {
            zero: self.zero - share * other.zero,
            one: &self.one - share * &other.one,
            two: &self.two - share * &other.two,
            three: self.three.iter().zip(&other.three).map(|(all, part)| all - share * part).collect(),
        }
    }

    pub fn mean(&self) -> DVector<f64> {
        &self.one / self.zero
    }

    pub fn covariance(&self) -> DMatrix<f64> {
        let mean = self.mean();
        &self.two / self.zero - &mean * mean.transpose()
    }

    /// The third central moment, as `three` is laid out.
    pub fn third(&self) -> Vec<f64> {
        let (k, m) = (self.one.len(), self.mean());
        let second = |i: usize, j: usize| self.two[(i, j)] / self.zero;
        let mut found = Vec::with_capacity(k * k * k);
        for i in 0..k {
            for j in 0..k {
                for l in 0..k {
                    let raw = self.three[(i * k + j) * k + l] / self.zero;
                    let mixed = m[i] * second(j, l) + m[j] * second(i, l) + m[l] * second(i, j);
                    found.push(raw - mixed + 2.0 * m[i] * m[j] * m[l]);
                }
            }
        }
        found
    }
}
