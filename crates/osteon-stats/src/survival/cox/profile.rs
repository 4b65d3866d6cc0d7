//! Profile-likelihood intervals of one coefficient, and the likelihood-ratio test of it.

use nalgebra::DVector;

use crate::stats::distribution::{chi2_quantile, chi2_sf};
use crate::stats::root;
use crate::survival::cox::likelihood::Prepared;
use crate::survival::cox::newton::Solution;
use crate::survival::cox::{Fit, Method, Standardised, coordinates, firth, newton};
use crate::survival::follow_up::FollowUp;
use crate::table::Design;

/// What the likelihood says of one coefficient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// Of the log hazard ratio; `None` where the likelihood never falls so far.
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    /// Of the likelihood-ratio test against 0.
    pub p: f64,
}

/// Doublings of a step from the estimate before an end is called infinite.
const MAX_DOUBLINGS: u32 = 12;

/// The interval of the term at a place at confidence `level`; `None` where it has no finite estimate.
pub fn profile(
    design: &Design,
    follow_up: &FollowUp,
    strata: Option<&[usize]>,
    fit: &Fit,
    term: usize,
    level: f64,
) -> Option<Profile> {
    let (standardised, _) = Standardised::new(design);
    let prepared = Prepared::new(&standardised.z, follow_up, strata, fit.params.ties);
    let best = coordinates(&standardised, fit)?;
    let at = standardised.kept.iter().position(|&kept| kept == term)?;
    let se = fit.terms[term].se? * standardised.sds[at];
    let maximise = |start: DVector<f64>, fixed: &[usize]| -> Solution {
        match fit.params.method {
            Method::PartialLikelihood => newton::maximise(&prepared, start, fixed),
            Method::Firth => firth::maximise(&prepared, start, fixed),
        }
    };
    let highest = maximise(best.clone(), &(0..best.len()).collect::<Vec<_>>()).log_likelihood;
    let fallen = |b: f64| {
        let mut start = best.clone();
        start[at] = b;
        2.0 * (highest - maximise(start, &[at]).log_likelihood)
    };
    let limit = chi2_quantile(level, 1.0)?;
    let end = |side: f64| {
        let reach = (0..MAX_DOUBLINGS).map(|n| f64::from(2_u32.pow(n)) * se * side);
        let mut inside = best[at];
        for step in reach {
            let outside = best[at] + step;
            if fallen(outside) > limit {
                let off = |b: f64| fallen(b) - limit;
                let found = root::bracketed(off, inside.min(outside), inside.max(outside));
                return found.map(|b| b / standardised.sds[at]);
            }
            inside = outside;
        }
        None
    };
    Some(Profile { lower: end(-1.0), upper: end(1.0), p: chi2_sf(fallen(0.0).max(0.0), 1.0) })
}
