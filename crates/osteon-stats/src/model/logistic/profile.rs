//! Profile likelihood: intervals and tests that do not trust the curvature at the maximum.

use std::cell::RefCell;

use nalgebra::{DMatrix, DVector};
use rayon::prelude::*;

use crate::model::logistic::design::{Standardised, predictor};
use crate::model::logistic::{self, Fit, FitError, Method, Params, firth, newton};
use crate::stats::distribution::{Z_975, chi2_sf, normal_two_sided};
use crate::stats::root;
use crate::stats::two_groups::Test;
use crate::table::Design;

/// What the profile likelihood says of one term.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// Limits of the 95 % interval of the coefficient; infinite where the likelihood never falls far enough.
    pub low: f64,
    pub high: f64,
    /// Likelihood-ratio test of the coefficient being 0.
    pub test: Test,
}

/// Rows times squared terms times fits that take a few seconds; Firth's steps are more and dearer.
const MAX_WORK: usize = 2_500_000_000;
const FIRTH_COSTS: usize = 24;
/// Fits that both limits of a term take, about.
const FITS_OF_A_PROFILE: usize = 16;

/// Whether `fits` models like this one are done in a few seconds.
pub fn affordable(fit: &Fit, fits: usize) -> bool {
    let cost = if fit.method == Method::Firth { FIRTH_COSTS } else { 1 };
    let work =
        [fit.n, fit.terms.len(), fit.terms.len(), cost].iter().fold(fits, |work, &factor| work.saturating_mul(factor));
    work <= MAX_WORK
}

/// One profile a term of `fit`, intercept first; `None` for aliased terms, where nothing was estimated, and
/// everywhere when they are not `affordable`.
pub fn profile(fit: &Fit, design: &Design, event: &[bool]) -> Vec<Option<Profile>> {
    profiles(fit, design, event).0
}

/// The profiles, and the highest place above the maximum of the fit that they passed, if there was one.
fn profiles(fit: &Fit, design: &Design, event: &[bool]) -> (Vec<Option<Profile>>, Option<Higher>) {
    if !affordable(fit, FITS_OF_A_PROFILE * fit.terms.len()) {
        return (vec![None; fit.terms.len()], None);
    }
    let (standardised, _) = Standardised::new(design);
    let one_maximum = fit.method == Method::Firth
        && standardised
            .coordinates(fit, true)
            .is_some_and(|there| firth::has_one_maximum(&standardised.with_intercept(), &there));
    let one = |(at, term): (usize, &crate::model::logistic::Term)| {
        if fit.is_undetermined(&term.name) {
            // The rows are told by the other terms, whatever this one is: the likelihood is flat in it.
            let test = Test { statistic: 0.0, df: 1.0, p: 1.0 };
            return Some((Profile { low: f64::NEG_INFINITY, high: f64::INFINITY, test }, None));
        }
        let estimate = term.estimate?;
        let column = match at {
            0 => 0,
            at => standardised.kept.iter().position(|&kept| kept == at - 1)? + 1,
        };
        let curve = Curve { one_maximum, ..Curve::new(&standardised, event, fit, column) };
        let profile = curve.profile(estimate, term.se);
        Some((profile, curve.higher.into_inner()))
    };
    let found: Vec<Option<(Profile, Option<Higher>)>> = fit.terms.par_iter().enumerate().map(one).collect();
    let highest = found.iter().flatten().filter_map(|(_, higher)| higher.clone());
    let highest = highest.max_by(|a, b| a.log_likelihood.total_cmp(&b.log_likelihood));
    (found.into_iter().map(|found| found.map(|(profile, _)| profile)).collect(), highest)
}

/// The fit and its profiles. Where Firth's likelihood with a coefficient held, or with the columns of a group left out,
/// is higher than the fit itself, that was no maximum: the fit begins again from there.
///
/// # Errors
/// Those of `fit`.
pub fn fit_with_profiles(
    design: &Design,
    event: &[bool],
    params: &Params,
    groups: &[std::ops::Range<usize>],
) -> Result<(Fit, Vec<Option<Profile>>), FitError> {
    /// Each round is higher than the last; maxima are few.
    const ROUNDS: usize = 10;
    let mut fit = logistic::fit(design, event, params)?;
    let (standardised, aliased) = Standardised::new(design);
    for _ in 0..ROUNDS {
        let (profiles, mut higher) = profiles(&fit, design, event);
        if params.method == Method::Firth && higher.is_none() && affordable(&fit, groups.len()) {
            let restricted = |group: &std::ops::Range<usize>| {
                let (maximum, without, _) = restricted(&fit, &standardised, event, group);
                (without.log_likelihood > maximum + firth::SAME)
                    .then_some(Higher { log_likelihood: without.log_likelihood, coefficients: without.coefficients })
            };
            higher = groups.iter().find_map(restricted);
        }
        let Some(higher) = higher else { return Ok((fit, profiles)) };
        let mut next = firth::fit_from(design, &standardised, event, higher.coefficients);
        next.warnings.extend(aliased.clone());
        if next.log_likelihood <= fit.log_likelihood {
            return Ok((fit, profiles));
        }
        fit = next;
    }
    let profiles = profile(&fit, design, event);
    Ok((fit, profiles))
}

/// A place above what a fit took for the maximum, in coefficients of the standardised columns.
#[derive(Clone)]
struct Higher {
    log_likelihood: f64,
    coefficients: DVector<f64>,
}

/// The log-likelihood as a function of one coefficient.
struct Curve<'a> {
    /// All columns, that of the coefficient among them, in a form where it is a coordinate.
    x: DMatrix<f64>,
    /// The same space in centred columns.
    centred: DMatrix<f64>,
    column: usize,
    event: &'a [bool],
    method: Method,
    /// One unit of the coordinate in units of the coefficient.
    unit: f64,
    maximum: f64,
    tangent: Option<Tangent>,
    /// Means over SDs of the columns, which lead from an uncentred intercept to that at the means.
    offsets: DVector<f64>,
    /// The last places of Firth's searches, from which the next begin.
    last: RefCell<Vec<DVector<f64>>>,
    /// One search is enough for Firth's likelihood.
    one_maximum: bool,
    higher: RefCell<Option<Higher>>,
}

/// Where the other coefficients go to first order when one is moved off the maximum: the start of each search.
struct Tangent {
    maximum: DVector<f64>,
    slope: DVector<f64>,
}

impl Tangent {
    /// Of the columns `x` at their maximum.
    fn new(x: &DMatrix<f64>, maximum: DVector<f64>, column: usize) -> Option<Tangent> {
        let covariance = newton::information(x, &(x * &maximum)).cholesky()?.inverse();
        let slope = covariance.column(column) / covariance[(column, column)];
        Some(Tangent { maximum, slope })
    }

    fn at(&self, column: usize, held: f64) -> DVector<f64> {
        let mut start = &self.maximum + (held - self.maximum[column]) * &self.slope;
        start[column] = held;
        start
    }
}

impl<'a> Curve<'a> {
    fn new(standardised: &Standardised, event: &'a [bool], fit: &Fit, column: usize) -> Curve<'a> {
        let x = if column == 0 { standardised.uncentred() } else { standardised.with_intercept() };
        let unit = if column == 0 { 1.0 } else { 1.0 / standardised.sds[column - 1] };
        let scale: f64 = standardised.sds.iter().map(|sd| sd.ln()).sum();
        let maximum = match fit.method {
            Method::MaximumLikelihood => fit.log_likelihood,
            Method::Firth => fit.log_likelihood - scale,
        };
        let tangent = standardised.coordinates(fit, column > 0).and_then(|maximum| Tangent::new(&x, maximum, column));
        let offsets = standardised.means.iter().zip(&standardised.sds).map(|(mean, sd)| mean / sd);
        Curve {
            x,
            centred: standardised.with_intercept(),
            column,
            event,
            method: fit.method,
            unit,
            maximum,
            tangent,
            offsets: DVector::from_iterator(standardised.sds.len(), offsets),
            last: RefCell::default(),
            one_maximum: false,
            higher: RefCell::default(),
        }
    }

    /// Firth's loss by one search, from where the nearest place before leads; `None` where it did not settle.
    fn firth_loss_near(&self, held: f64) -> Option<f64> {
        let tangent = self.tangent.as_ref().filter(|_| self.one_maximum)?;
        let away = |place: &&DVector<f64>| (place[self.column] - held).abs();
        let start = {
            let last = self.last.borrow();
            let near = last.iter().chain([&tangent.maximum]).min_by(|a, b| away(a).total_cmp(&away(b)))?;
            let mut start = near + (held - near[self.column]) * &tangent.slope;
            start[self.column] = held;
            start
        };
        let found = firth::maximise(&self.x, &self.centred, self.event, &[self.column], start);
        let usual = found.converged && found.log_likelihood <= self.maximum + firth::SAME;
        usual.then(|| {
            self.last.borrow_mut().push(found.coefficients);
            2.0 * (self.maximum - found.log_likelihood)
        })
    }

    /// Firth's loss: the least of several searches, since the penalised likelihood may have several maxima.
    fn firth_loss(&self, held: f64) -> f64 {
        let mut zeros = DVector::zeros(self.x.ncols());
        zeros[self.column] = held;
        let mut starts = vec![zeros];
        if let Some(tangent) = &self.tangent {
            let mut beside = tangent.maximum.clone();
            beside[self.column] = held;
            starts.extend([tangent.at(self.column, held), beside]);
        }
        starts.extend(self.last.borrow().iter().cloned().map(|mut last| {
            last[self.column] = held;
            last
        }));
        let best = firth::highest(&self.x, &self.centred, self.event, &[self.column], &starts);
        let known = self.higher.borrow().as_ref().map_or(self.maximum, |higher| higher.log_likelihood);
        if best.log_likelihood > known + firth::SAME {
            let mut coefficients = best.coefficients.clone();
            if self.column == 0 {
                coefficients[0] += coefficients.rows(1, self.offsets.len()).dot(&self.offsets);
            }
            *self.higher.borrow_mut() = Some(Higher { log_likelihood: best.log_likelihood, coefficients });
        }
        let mut last = self.last.borrow_mut();
        last.push(best.coefficients);
        if last.len() > 2 {
            last.remove(0);
        }
        2.0 * (self.maximum - best.log_likelihood)
    }

    /// Twice the loss of log-likelihood when the coefficient is held at `value`.
    fn loss(&self, value: f64) -> f64 {
        let held = value / self.unit;
        if self.method == Method::Firth {
            return self.firth_loss_near(held).unwrap_or_else(|| self.firth_loss(held));
        }
        let mut zeros = DVector::zeros(self.x.ncols());
        zeros[self.column] = held;
        let tangent = self.tangent.as_ref().map(|tangent| tangent.at(self.column, held));
        let near = tangent.map(|start| self.reached(held, start)).filter(|near| near.log_likelihood.is_finite());
        if let Some(near) = near.as_ref().filter(|near| near.converged) {
            return 2.0 * (self.maximum - near.log_likelihood);
        }
        let far = self.reached(held, zeros);
        let best = near.filter(|near| near.log_likelihood > far.log_likelihood || far.log_likelihood.is_nan());
        let best = best.unwrap_or(far);
        2.0 * (self.maximum - self.climbed(held, best).log_likelihood)
    }

    /// The rest of the way, where Newton's steps were stuck below the maximum.
    fn climbed(&self, held: f64, from: newton::Solution) -> newton::Solution {
        if from.converged {
            return from;
        }
        let offset: Vec<f64> = self.x.column(self.column).iter().map(|x| x * held).collect();
        let rest = self.x.clone().remove_column(self.column);
        newton::climb(&rest, &offset, self.event, from.coefficients)
    }

    /// The maximum over the other coefficients, searched from `start`.
    fn reached(&self, held: f64, start: DVector<f64>) -> newton::Solution {
        let offset: Vec<f64> = self.x.column(self.column).iter().map(|x| x * held).collect();
        let rest = self.x.clone().remove_column(self.column);
        newton::maximise(&rest, &offset, self.event, start.remove_row(self.column))
    }

    fn profile(&self, estimate: f64, se: Option<f64>) -> Profile {
        // Below 0 by rounding, or where the fit is no maximum and is begun again.
        let statistic = self.loss(0.0).max(0.0);
        let test = Test { statistic, df: 1.0, p: chi2_sf(statistic, 1.0) };
        // Under separation the estimate is infinite: look from 0, with the unit of the column as the step.
        let (from, step) = match se {
            Some(se) if estimate.is_finite() && se > 0.0 && se.is_finite() => (estimate, se),
            _ => (0.0, self.unit),
        };
        let low = if estimate == f64::NEG_INFINITY { estimate } else { self.limit(from, -step, estimate) };
        let high = if estimate == f64::INFINITY { estimate } else { self.limit(from, step, estimate) };
        Profile { low, high, test }
    }

    /// Where the loss reaches the 95 % point of chi-square, going out from `from`.
    fn limit(&self, from: f64, step: f64, estimate: f64) -> f64 {
        if self.event.len() > newton::BLOCK
            && let Some(limit) = self.limit_of_many_rows(estimate, step)
        {
            return limit;
        }
        let limit = Z_975 * Z_975;
        let signed = |value: f64| self.loss(value).max(0.0).sqrt() - limit.sqrt();
        let beyond = if step > 0.0 { f64::INFINITY } else { f64::NEG_INFINITY };
        let mut inner = from;
        // From 0 under separation the start may itself lie outside: walk towards the estimate first.
        if !estimate.is_finite() {
            let mut towards = -step;
            while signed(inner) > 0.0 {
                inner += towards;
                towards *= 1.5;
                if (inner / self.unit).abs() > 1e4 {
                    return beyond;
                }
            }
        }
        let mut reach = step;
        let mut outer = inner + reach;
        while signed(outer) < 0.0 {
            inner = outer;
            reach *= 1.5;
            outer += reach;
            if (outer / self.unit).abs() > 1e6 {
                return beyond;
            }
        }
        if self.one_maximum {
            return root::within(signed, inner, outer, 1e-11).unwrap_or(beyond);
        }
        if self.method == Method::Firth {
            (inner, outer) = self.outermost((inner, outer), from, &signed);
        }
        root::bracketed(signed, inner, outer).unwrap_or(beyond)
    }

    /// The last place, going out, where the loss rises through the limit: Firth's may fall below it again.
    fn outermost(&self, first: (f64, f64), from: f64, signed: &dyn Fn(f64) -> f64) -> (f64, f64) {
        /// How much farther is looked, and in what steps; and a loss from which none has been seen to return.
        const FARTHER: f64 = 60.0;
        const STEPS: [f64; 2] = [0.03, 1.2];
        /// Rows up to which small steps are taken: several maxima are of small samples, and each step is a fit.
        const FEW: usize = 250;
        const LOST: f64 = 8.0;
        // The first bracket is wide: it may hold three crossings.
        let (side, width) = ((first.1 - from).signum(), (first.1 - from).abs());
        let is_small = self.event.len() <= FEW;
        let (mut bracket, mut inner) = (first, if is_small { first.0 } else { first.1 });
        let mut before = signed(inner);
        while (inner - from).abs() < FARTHER * width {
            let distance = (inner - from).abs();
            let next =
                if is_small && distance < 3.0 * width { distance + STEPS[0] * width } else { distance * STEPS[1] };
            let outer = from + side * next;
            let here = signed(outer);
            if before < 0.0 && here >= 0.0 {
                bracket = (inner, outer);
            }
            if here > LOST && next > width {
                break;
            }
            (inner, before) = (outer, here);
        }
        bracket
    }

    /// The limit by Newton's steps on all coefficients at once (Venzon and Moolgavkar 1988), a tenth of the passes over
    /// the rows; `None` where they do not settle, or without a quadratic maximum to begin from.
    fn limit_of_many_rows(&self, estimate: f64, step: f64) -> Option<f64> {
        /// Steps square the error; the last digits are rounding.
        const MAX_STEPS: usize = 20;
        const SMALL: f64 = 1e-10;
        let tangent = self.tangent.as_ref().filter(|_| self.method == Method::MaximumLikelihood)?;
        let k = self.x.ncols();
        let target = self.maximum - Z_975 * Z_975 / 2.0;
        let none = vec![0.0; self.event.len()];
        let mut here = tangent.at(self.column, (estimate + Z_975 * step) / self.unit);
        for _ in 0..MAX_STEPS {
            let eta = predictor(&self.x, &here, &none);
            let log_likelihood = newton::log_likelihood_of(&eta, self.event);
            let residuals = DVector::from_iterator(self.event.len(), newton::residuals(&eta, self.event));
            let score = self.x.tr_mul(&residuals);
            let mut system = newton::information(&self.x, &eta);
            let mut right = score.clone();
            system.set_row(self.column, &score.transpose());
            right[self.column] = target - log_likelihood;
            let change = system.lu().solve(&right)?;
            here += &change;
            let value = here[self.column] * self.unit;
            if !value.is_finite() || (value - estimate) * step <= 0.0 {
                return None;
            }
            if (0..k).all(|at| change[at].abs() <= SMALL * (1.0 + here[at].abs())) {
                return Some(value);
            }
        }
        None
    }
}

/// Likelihood-ratio test of the columns at `positions` all being 0; `None` when that changes no estimated term, or when
/// the fit is no maximum.
pub fn likelihood_ratio(
    full: &Fit,
    design: &Design,
    event: &[bool],
    positions: std::ops::Range<usize>,
) -> Option<Test> {
    /// Twice the rounding of two likelihoods.
    const ROUNDING: f64 = 1e-6;
    let (standardised, _) = Standardised::new(design);
    let (maximum, without, tested) = restricted(full, &standardised, event, &positions);
    let (statistic, df) = (2.0 * (maximum - without.log_likelihood), tested as f64);
    let statistic = if statistic < 0.0 && statistic > -ROUNDING { 0.0 } else { statistic };
    (df > 0.0 && statistic >= 0.0).then(|| Test { statistic, df, p: chi2_sf(statistic, df) })
}

/// The maximum of the full fit in the units of the standardised columns, that with the columns at `positions` held at
/// 0, and how many these are.
fn restricted(
    full: &Fit,
    standardised: &Standardised,
    event: &[bool],
    positions: &std::ops::Range<usize>,
) -> (f64, newton::Solution, usize) {
    let of = |at: usize| positions.contains(&standardised.kept[at]);
    let tested: Vec<usize> = (0..standardised.kept.len()).filter(|&at| of(at)).map(|at| at + 1).collect();
    let x = standardised.with_intercept();
    let (maximum, without) = match full.method {
        Method::MaximumLikelihood => {
            let rest = x.remove_columns_at(&tested);
            let zeros = DVector::zeros(rest.ncols());
            (full.log_likelihood, newton::maximise(&rest, &vec![0.0; event.len()], event, zeros))
        }
        Method::Firth => {
            let scale: f64 = standardised.sds.iter().map(|sd| sd.ln()).sum();
            let mut starts = vec![DVector::zeros(x.ncols())];
            // The full maximum without the tested columns is as good a place to begin.
            starts.extend(standardised.coordinates(full, true).map(|mut there| {
                tested.iter().for_each(|&at| there[at] = 0.0);
                there
            }));
            (full.log_likelihood - scale, firth::highest(&x, &x, event, &tested, &starts))
        }
    };
    (maximum, without, tested.len())
}

/// Wald's test of all columns at `positions` together; `None` when one of them has no standard error.
pub fn wald(fit: &Fit, positions: std::ops::Range<usize>) -> Option<Test> {
    let terms: Vec<usize> = positions.map(|at| at + 1).collect();
    if let [at] = terms[..] {
        let z = fit.terms[at].z()?;
        return Some(Test { statistic: z * z, df: 1.0, p: normal_two_sided(z) });
    }
    let estimates = terms.iter().map(|&at| fit.terms[at].se.and(fit.terms[at].estimate)).collect::<Option<Vec<_>>>()?;
    let estimates = DVector::from_vec(estimates);
    let covariance = DMatrix::from_fn(terms.len(), terms.len(), |i, j| fit.covariance[[terms[i], terms[j]]]);
    let statistic = estimates.dot(&covariance.cholesky()?.solve(&estimates));
    Some(Test { statistic, df: terms.len() as f64, p: chi2_sf(statistic, terms.len() as f64) })
}
