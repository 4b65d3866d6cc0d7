//! Probabilities from decision values: Platt's sigmoid (1999) with Newton's method of Lin, Lin and Weng (2007).

use serde::{Deserialize, Serialize};

/// p = 1 / (1 + exp(a f + b)) of a decision value f; a is below 0 where large values go with the event.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Platt {
    pub a: f64,
    pub b: f64,
}

const MOST_STEPS: usize = 200;
/// Steps end where the slope of the likelihood is below this, per row.
const STILL: f64 = 1e-13;

impl Platt {
    /// Fits the sigmoid to decision values, which should come from models that did not see their rows. Targets are Platt's
    /// (n₁ + 1) / (n₁ + 2) and 1 / (n₀ + 2), so that a perfect separation has a finite sigmoid.
    pub fn fit(decisions: &[f64], event: &[bool]) -> Platt {
        let n = decisions.len() as f64;
        let n_events = event.iter().filter(|&&event| event).count() as f64;
        let [high, low] = [(n_events + 1.0) / (n_events + 2.0), 1.0 / (n - n_events + 2.0)];
        let targets: Vec<f64> = event.iter().map(|&event| if event { high } else { low }).collect();
        let loss = |it: Platt| -> f64 {
            // t (a f + b) + ln(1 + exp(-(a f + b))), without overflow.
            let one = |(f, t): (&f64, &f64)| {
                let eta = it.a * f + it.b;
                if eta >= 0.0 { t * eta + (-eta).exp().ln_1p() } else { (t - 1.0) * eta + eta.exp().ln_1p() }
            };
            decisions.iter().zip(&targets).map(one).sum()
        };
        let mut at = Platt { a: 0.0, b: ((n - n_events + 1.0) / (n_events + 1.0)).ln() };
        let mut best = loss(at);
        for _ in 0..MOST_STEPS {
            let (mut g, mut h) = ([0.0; 2], [1e-12, 0.0, 1e-12]);
            for (f, t) in decisions.iter().zip(&targets) {
                let p = at.probability(*f);
                let [rest, weight] = [t - p, p * (1.0 - p)];
                g = [g[0] + f * rest, g[1] + rest];
                h = [h[0] + f * f * weight, h[1] + f * weight, h[2] + weight];
            }
            if g[0].abs().max(g[1].abs()) < STILL * n {
                break;
            }
            let determinant = h[0] * h[2] - h[1] * h[1];
            let step = [-(h[2] * g[0] - h[1] * g[1]) / determinant, -(h[0] * g[1] - h[1] * g[0]) / determinant];
            let slope = g[0] * step[0] + g[1] * step[1];
            let moved = |share: f64| Platt { a: at.a + share * step[0], b: at.b + share * step[1] };
            let mut share = 1.0;
            // Near the minimum the loss no longer tells a step: rounding is allowed for.
            while loss(moved(share)) > best + 1e-4 * share * slope + 1e-14 * best.abs() && share > 1e-10 {
                share /= 2.0;
            }
            at = moved(share);
            best = loss(at);
        }
        at
    }

    pub fn probability(&self, decision: f64) -> f64 {
        1.0 / (1.0 + (self.a * decision + self.b).exp())
    }
}
