//! One Cox model from those of several imputations.

use crate::pipeline::timed::hazard::{AtTime, Hazard};
use osteon_stats::stats::rubin;

/// Rubin's rules: mean coefficients; mean covariance plus (1 + 1/m) times that between the imputations. Survival is pooled
/// as the log cumulative hazard, which is nearest to normal (Marshall, Altman, Holder and Royston 2009). Complete degrees
/// of freedom are events less coefficients, as mice takes them.
///
/// # Panics
/// Without fits.
pub fn pool(fits: &[Hazard]) -> Hazard {
    let k = fits[0].coefficients.len();
    let m = fits.len() as f64;
    let mean = |of: &dyn Fn(&Hazard) -> f64| fits.iter().map(of).sum::<f64>() / m;
    let coefficients: Vec<f64> = (0..k).map(|at| mean(&|fit| fit.coefficients[at])).collect();
    let centre = mean(&|fit| fit.centre);
    let estimates: Vec<Vec<f64>> = fits.iter().map(|fit| fit.coefficients.clone()).collect();
    let covariances: Vec<&Vec<Vec<f64>>> = fits.iter().map(|fit| &fit.covariance).collect();
    let df_complete = fits[0].n_events as f64 - k as f64;
    let pooled = |at: usize| {
        let own: Vec<f64> = estimates.iter().map(|one| one[at]).collect();
        let variances: Vec<f64> = covariances.iter().map(|one| one[at][at]).collect();
        rubin::pool(&own, &variances, df_complete)
    };
    // Rows and their times are the same in each imputation, so are the times of events.
    let baseline: Vec<[f64; 2]> = (0..fits[0].baseline.len())
        .map(|step| [fits[0].baseline[step][0], mean(&|fit| fit.baseline[step][1].ln()).exp()])
        .collect();
    let at = |horizon: usize| {
        let own: Option<Vec<&AtTime>> = fits.iter().map(|fit| fit.at.get(horizon)?.as_ref()).collect();
        let own = own?;
        let line = |one: &AtTime, fit: &Hazard| -> Vec<f64> {
            std::iter::once(one.intercept).chain(fit.coefficients.iter().copied()).collect()
        };
        let lines: Vec<Vec<f64>> = own.iter().zip(fits).map(|(one, fit)| line(one, fit)).collect();
        let within: Vec<&Vec<Vec<f64>>> = own.iter().map(|one| &one.covariance).collect();
        let intercept = lines.iter().map(|line| line[0]).sum::<f64>() / m;
        Some(AtTime { time: own[0].time, intercept, covariance: total(&lines, &within) })
    };
    let mut notes: Vec<String> = fits.iter().flat_map(|fit| fit.notes.iter().cloned()).collect();
    notes.sort();
    notes.dedup();
    Hazard {
        covariance: total(&estimates, &covariances),
        pooled: (0..k).map(pooled).collect(),
        at: (0..fits[0].at.len()).map(at).collect(),
        coefficients,
        centre,
        baseline,
        notes,
        ..fits[0].clone()
    }
}

/// Within plus (1 + 1/m) between.
fn total(estimates: &[Vec<f64>], covariances: &[&Vec<Vec<f64>>]) -> Vec<Vec<f64>> {
    let (m, k) = (estimates.len() as f64, estimates[0].len());
    let mean: Vec<f64> = (0..k).map(|at| estimates.iter().map(|one| one[at]).sum::<f64>() / m).collect();
    let cell = |i: usize, j: usize| {
        let within = covariances.iter().map(|one| one[i][j]).sum::<f64>() / m;
        let between: f64 = estimates.iter().map(|one| (one[i] - mean[i]) * (one[j] - mean[j])).sum();
        within + if m > 1.0 { (1.0 + 1.0 / m) * between / (m - 1.0) } else { 0.0 }
    };
    (0..k).map(|i| (0..k).map(|j| cell(i, j)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survival_of_several_imputations_is_pooled_on_the_scale_of_the_log_hazard() {
        let fit = |b: f64, intercept: f64, hazard: f64| Hazard {
            terms: vec!["x".to_owned()],
            coefficients: vec![b],
            covariance: vec![vec![1.0]],
            centre: -b,
            baseline: vec![[3.0, hazard]],
            n: 10,
            n_missing: 0,
            n_events: 8,
            ranges: vec![(0.0, 1.0)],
            notes: Vec::new(),
            lacking: Vec::new(),
            fill: Vec::new(),
            pooled: Vec::new(),
            at: vec![Some(AtTime { time: 3.0, intercept, covariance: vec![vec![2.0, 0.0], vec![0.0, 1.0]] })],
        };
        let pooled = pool(&[fit(0.0, 1.0, 0.1), fit(2.0, 3.0, 0.4)]);
        // Within 1 and 2, between 2, and a half of it again; the covariance between intercept and slope is 2.
        assert_eq!((pooled.coefficients[0], pooled.covariance[0][0], pooled.centre), (1.0, 4.0, -1.0));
        let at = pooled.at[0].as_ref().unwrap();
        assert_eq!((at.intercept, &at.covariance), (2.0, &vec![vec![5.0, 3.0], vec![3.0, 4.0]]));
        assert!((pooled.baseline[0][1] - 0.2).abs() < 1e-15, "the geometric mean of 0.1 and 0.4");
        let slope = pooled.pooled[0].unwrap();
        assert_eq!((slope.within, slope.between, slope.total), (1.0, 2.0, 4.0));
    }
}
