//! The test of proportional hazards (Grambsch and Therneau 1994) as the score test of survival 3: whether coefficients
//! change with a function of time.

use std::ops::Range;

use nalgebra::{DMatrix, DVector};

use crate::survival::cox::likelihood::Prepared;
use crate::survival::cox::{Fit, Standardised, Test, coordinates};
use crate::survival::follow_up::FollowUp;
use crate::survival::kaplan_meier::kaplan_meier;
use crate::table::Design;

/// The function of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    /// 1 - S(t-) of all rows: late times, where few are at risk, count no more than early ones.
    KaplanMeier,
    Identity,
    Rank,
    Log,
}

/// One test a variable, and one of all.
#[derive(Clone, Debug, PartialEq)]
pub struct Proportional {
    /// `None` for a variable without an estimate.
    pub variables: Vec<Option<Test>>,
    pub global: Option<Test>,
    /// The times of events, rising, one an event.
    pub times: Vec<f64>,
    /// The function of these times.
    pub transformed: Vec<f64>,
    /// Events x terms: scaled Schoenfeld residuals and the coefficient, what it seems to be at that time.
    pub residuals: DMatrix<f64>,
}

/// Tests variables, each the columns of a range; `None` where a term is infinite or a time has no logarithm.
pub fn proportional(
    design: &Design,
    follow_up: &FollowUp,
    strata: Option<&[usize]>,
    fit: &Fit,
    variables: &[Range<usize>],
    transform: Transform,
) -> Option<Proportional> {
    let (standardised, _) = Standardised::new(design);
    let prepared = Prepared::new(&standardised.z, follow_up, strata, fit.params.ties);
    let coefficients = coordinates(&standardised, fit)?;
    let eta = prepared.predictor(&coefficients);
    let k = coefficients.len();
    let time = clock(follow_up, transform)?;
    let n_events = follow_up.n_events() as f64;
    let at_events = follow_up.times().iter().zip(follow_up.events()).filter(|(_, event)| **event);
    let middle = at_events.map(|(&t, _)| time(t)).sum::<f64>() / n_events;
    let mut score = DVector::<f64>::zeros(k);
    let (mut plain, mut once, mut twice) =
        (DMatrix::<f64>::zeros(k, k), DMatrix::<f64>::zeros(k, k), DMatrix::<f64>::zeros(k, k));
    let mut seen: Vec<(f64, DVector<f64>)> = Vec::new();
    for stratum in &prepared.strata {
        prepared.walk(stratum, &eta, false, |moment, steps| {
            let g = time(moment.time) - middle;
            let d = moment.dead.len() as f64;
            let mut mean = DVector::<f64>::zeros(k);
            for (times, sums) in steps {
                mean.axpy(times / d, &sums.mean(), 1.0);
                let covariance = *times * sums.covariance();
                once += g * &covariance;
                twice += g * g * &covariance;
                plain += covariance;
            }
            for &row in &moment.dead {
                let residual = prepared.z.column(row) - &mean;
                score.axpy(g, &residual, 1.0);
                seen.push((moment.time, residual));
            }
        });
    }
    let places = |columns: &Range<usize>| -> Vec<usize> {
        (0..k).filter(|&at| columns.contains(&standardised.kept[at])).collect()
    };
    let test = |places: &[usize]| {
        // The score of the coefficients themselves is 0 at the fit, so only a corner of the inverse is needed.
        let left = plain.clone().cholesky()?;
        let across = once.select_columns(places);
        let corner = twice.select_rows(places).select_columns(places) - across.tr_mul(&left.solve(&across));
        let part = score.select_rows(places);
        Test::new(corner.lu().solve(&part)?.dot(&part), places.len())
    };
    let scaled = scaled(&standardised, fit, &plain, &mut seen);
    Some(Proportional {
        variables: variables.iter().map(|columns| test(&places(columns))).collect(),
        global: test(&(0..k).collect::<Vec<_>>()),
        times: seen.iter().map(|(time, _)| *time).collect(),
        transformed: seen.iter().map(|(at, _)| time(*at)).collect(),
        residuals: scaled,
    })
}

/// Residuals by time, in units of coefficients: each times the information of one event, and the coefficient added.
fn scaled(
    standardised: &Standardised,
    fit: &Fit,
    information: &DMatrix<f64>,
    seen: &mut [(f64, DVector<f64>)],
) -> DMatrix<f64> {
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut scaled = DMatrix::from_element(seen.len(), fit.terms.len(), f64::NAN);
    let Some(factor) = (information / seen.len() as f64).cholesky() else { return scaled };
    for (event, (_, residual)) in seen.iter().enumerate() {
        let solved = factor.solve(residual);
        for (at, &column) in standardised.kept.iter().enumerate() {
            let estimate = fit.terms[column].estimate.unwrap_or(0.0);
            scaled[(event, column)] = solved[at] / standardised.sds[at] + estimate;
        }
    }
    scaled
}

/// The function of time; `None` for the logarithm of a time of 0.
fn clock(follow_up: &FollowUp, transform: Transform) -> Option<Box<dyn Fn(f64) -> f64>> {
    let mut sorted = follow_up.times().to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(match transform {
        Transform::Identity => Box::new(|time| time),
        Transform::Log if sorted[0] <= 0.0 => return None,
        Transform::Log => Box::new(f64::ln),
        Transform::Rank => Box::new(move |time| {
            let below = sorted.partition_point(|&other| other < time);
            let up_to = sorted.partition_point(|&other| other <= time);
            (below + up_to + 1) as f64 / 2.0
        }),
        Transform::KaplanMeier => {
            let curve = kaplan_meier(follow_up);
            Box::new(move |time| 1.0 - curve.survival_before(time))
        }
    })
}
