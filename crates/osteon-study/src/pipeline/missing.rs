//! Missing clinical values: filled once, or imputed several times and pooled, always learnt from training rows.

use nalgebra::DMatrix;

use crate::pipeline::clinical::{Logistic, Ridge, Term};
use crate::pipeline::cohort::Cohort;
use crate::protocol::learn::{Missing, Params};
use osteon_base::seed::Seed;
use osteon_stats::model::logistic::FitError;
use osteon_stats::stats::rubin;

/// Rounds of chained equations, as mice.
const ROUNDS: usize = 5;
/// Nearest rows of which one lends its value, as mice.
const DONORS: usize = 5;
/// Part of each diagonal element that is added to it: collinear columns still have a solution.
const RIDGE: f64 = 1e-5;

/// Training rows whose holes are filled, once or several times.
pub struct Completed {
    /// The terms; one set an imputation.
    pub sets: Vec<Vec<Term>>,
    /// Under complete cases with those that have a hole: a fit leaves them out.
    pub rows: Vec<usize>,
    /// What stands for a missing value of each term in a new patient.
    pub fill: Vec<Option<f64>>,
    /// What was done, where a row had a hole.
    pub note: Option<String>,
    /// Whether the fits of the sets are pooled.
    pub is_imputed: bool,
}

/// Fits the event on the clinical `variables`, after the terms of `head`, whose holes are never filled.
pub fn fit(
    cohort: &Cohort,
    head: Option<Term>,
    variables: &[String],
    rows: &[usize],
    params: &Params,
    seed: Seed,
) -> Result<Logistic, FitError> {
    let event = cohort.event.iter().map(|&event| f64::from(u8::from(event))).collect();
    let done = completed(cohort, &[event], head, variables, rows, params, seed);
    let one = |terms: &Vec<Term>| Logistic::penalised(cohort, terms, &done.rows, params.penalty);
    let mut fits = done.sets.iter().map(one).collect::<Result<Vec<_>, _>>()?;
    let mut fitted = if done.is_imputed { pool(&fits) } else { fits.swap_remove(0) };
    fitted.notes.extend(done.note);
    fitted.fill = done.fill;
    Ok(fitted)
}

/// The terms of `head` and `variables` as the study treats missing values. `outcome` are columns that tell the outcome, one
/// value a patient of the cohort: imputation must know it.
pub fn completed(
    cohort: &Cohort,
    outcome: &[Vec<f64>],
    head: Option<Term>,
    variables: &[String],
    rows: &[usize],
    params: &Params,
    seed: Seed,
) -> Completed {
    let groups: Vec<Vec<Term>> = variables.iter().map(|variable| cohort.coded(variable)).collect();
    let n_head = usize::from(head.is_some());
    let terms: Vec<Term> = head.iter().cloned().chain(groups.iter().flatten().cloned()).collect();
    if params.missing == Missing::CompleteCase {
        let fill = vec![None; terms.len()];
        return Completed { sets: vec![terms], rows: rows.to_vec(), fill, note: None, is_imputed: false };
    }
    let rows: Vec<usize> =
        rows.iter().copied().filter(|&row| terms[..n_head].iter().all(|(_, values)| values[row].is_some())).collect();
    let fill: Vec<Option<f64>> =
        (0..n_head).map(|_| None).chain(groups.iter().flat_map(|group| usual(group, &rows))).collect();
    let holes = rows.iter().filter(|&&row| terms.iter().any(|(_, values)| values[row].is_none())).count();
    let is_imputed = params.missing == Missing::Multiple && holes > 0;
    let sets = if is_imputed {
        // Auxiliary variables come last: they help to impute and are then left behind.
        let auxiliary = params.auxiliary.iter().filter(|name| !variables.contains(name));
        let imputing: Vec<Vec<Term>> = groups.iter().cloned().chain(auxiliary.map(|name| cohort.coded(name))).collect();
        let chain = Chain { outcome, head: &terms[..n_head], rows: &rows };
        let one = |at: usize| {
            let mut full = chain.imputed(&imputing, seed.nth(at));
            full.truncate(terms.len());
            full
        };
        (0..params.n_imputations).map(one).collect()
    } else {
        vec![filled(&terms, &fill)]
    };
    let note = (holes > 0).then(|| match params.missing {
        Missing::Multiple => format!(
            "{holes} training patients with a missing value: imputed {} times{}, pooled by Rubin's rules with Barnard \
             and Rubin's degrees of freedom",
            params.n_imputations,
            match params.auxiliary.is_empty() {
                true => String::new(),
                false => format!(" with the auxiliary variables {}", params.auxiliary.join(", ")),
            }
        ),
        _ => format!("{holes} training patients with a missing value: filled with the median or usual level"),
    });
    Completed { sets, rows, fill, note, is_imputed }
}

/// What stands for a hole of each term of a variable: the median, or the most frequent level (the first of equal ones).
fn usual(group: &[Term], rows: &[usize]) -> Vec<Option<f64>> {
    let known = |(_, values): &Term| rows.iter().filter_map(|&row| values[row]).collect::<Vec<f64>>();
    if let [term] = group
        && !term.0.contains('=')
    {
        let mut values = known(term);
        values.sort_by(f64::total_cmp);
        let n = values.len();
        return vec![(n > 0).then(|| values[(n - 1) / 2] / 2.0 + values[n / 2] / 2.0)];
    }
    let counts: Vec<f64> = group.iter().map(|term| known(term).iter().sum()).collect();
    let n = group.first().map_or(0, |term| known(term).len());
    let reference = n as f64 - counts.iter().sum::<f64>();
    let most = counts.iter().fold(reference, |most: f64, &count| most.max(count));
    let level = if reference >= most { None } else { counts.iter().position(|&count| count >= most) };
    (0..group.len()).map(|at| (n > 0).then(|| f64::from(u8::from(level == Some(at))))).collect()
}

fn filled(terms: &[Term], fill: &[Option<f64>]) -> Vec<Term> {
    let of = |((name, values), fill): (&Term, &Option<f64>)| {
        (name.clone(), values.iter().map(|value| value.or(*fill)).collect())
    };
    terms.iter().zip(fill).map(of).collect()
}

/// Chained equations with predictive mean matching (van Buuren and Groothuis-Oudshoorn 2011; Little 1988) on training
/// rows: each variable from the others, the outcome and the terms that are always known.
struct Chain<'a> {
    /// Columns that tell the outcome.
    outcome: &'a [Vec<f64>],
    head: &'a [Term],
    rows: &'a [usize],
}

impl Chain<'_> {
    /// The terms of all groups with their holes in the rows filled by values of other rows.
    fn imputed(&self, groups: &[Vec<Term>], seed: Seed) -> Vec<Term> {
        let mut full = groups.to_vec();
        for (at, group) in groups.iter().enumerate() {
            let (known, holes) = self.sides(group);
            for hole in holes {
                let seed = seed.named("start").nth(at).nth(hole);
                if !known.is_empty() {
                    lend(&mut full[at], group, known[below(seed, known.len())], hole);
                }
            }
        }
        for round in 0..ROUNDS {
            for (at, group) in groups.iter().enumerate() {
                self.redraw(&mut full, at, group, seed.nth(round).nth(at));
            }
        }
        self.head.iter().cloned().chain(full.into_iter().flatten()).collect()
    }

    /// Rows with and without the variable.
    fn sides(&self, group: &[Term]) -> (Vec<usize>, Vec<usize>) {
        self.rows.iter().partition(|&&row| group.iter().all(|(_, values)| values[row].is_some()))
    }

    /// Draws the holes of one variable again, given all others.
    fn redraw(&self, full: &mut [Vec<Term>], at: usize, group: &[Term], seed: Seed) {
        let (known, holes) = self.sides(group);
        if known.is_empty() || holes.is_empty() {
            return;
        }
        let others: Vec<&Term> =
            full.iter().enumerate().filter(|(other, _)| *other != at).flat_map(|(_, terms)| terms).collect();
        let known_before = 1 + self.outcome.len();
        let value = |row: usize, k: usize| match k {
            0 => 1.0,
            k if k < known_before => self.outcome[k - 1][row],
            _ => {
                let term = self.head.iter().chain(others.iter().copied()).nth(k - known_before);
                term.and_then(|(_, v)| v[row]).unwrap_or(0.0)
            }
        };
        let width = known_before + self.head.len() + others.len();
        // Learnt on a bootstrap sample: imputations then carry the uncertainty of the regression.
        let sample: Vec<usize> =
            (0..known.len()).map(|draw| known[below(seed.named("rows").nth(draw), known.len())]).collect();
        let x = DMatrix::from_fn(sample.len(), width, |i, k| value(sample[i], k));
        let y = DMatrix::from_fn(sample.len(), group.len(), |i, k| group[k].1[sample[i]].unwrap_or(0.0));
        let mut gram = x.transpose() * &x;
        (0..width).for_each(|k| gram[(k, k)] += RIDGE * gram[(k, k)] + f64::MIN_POSITIVE);
        let Some(factor) = gram.cholesky() else { return };
        let b = factor.solve(&(x.transpose() * y));
        let predicted = |row: usize| -> Vec<f64> {
            (0..group.len()).map(|j| (0..width).map(|k| value(row, k) * b[(k, j)]).sum()).collect()
        };
        let donors: Vec<(usize, Vec<f64>)> = known.iter().map(|&row| (row, predicted(row))).collect();
        let lent: Vec<(usize, usize)> = holes
            .iter()
            .map(|&hole| {
                let own = predicted(hole);
                let far = |other: &[f64]| own.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
                let mut nearest: Vec<(f64, usize)> = donors.iter().map(|(row, p)| (far(p), *row)).collect();
                nearest.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                let n = nearest.len().min(DONORS);
                (nearest[below(seed.named("donor").nth(hole), n)].1, hole)
            })
            .collect();
        lent.into_iter().for_each(|(donor, hole)| lend(&mut full[at], group, donor, hole));
    }
}

fn lend(full: &mut [Term], group: &[Term], donor: usize, hole: usize) {
    full.iter_mut().zip(group).for_each(|(term, own)| term.1[hole] = own.1[donor]);
}

/// Rubin's rules: mean coefficients; mean covariance plus (1 + 1/m) times that between the imputations.
fn pool(fits: &[Logistic]) -> Logistic {
    let m = fits.len() as f64;
    let all = |fit: &Logistic| -> Vec<f64> {
        std::iter::once(fit.intercept).chain(fit.coefficients.iter().copied()).collect()
    };
    let estimates: Vec<Vec<f64>> = fits.iter().map(all).collect();
    let width = estimates[0].len();
    let mean: Vec<f64> = (0..width).map(|k| estimates.iter().map(|one| one[k]).sum::<f64>() / m).collect();
    let cell = |i: usize, k: usize| {
        let within: f64 = fits.iter().map(|fit| fit.covariance[i][k]).sum::<f64>() / m;
        let between: f64 = estimates.iter().map(|one| (one[i] - mean[i]) * (one[k] - mean[k])).sum();
        within + if m > 1.0 { (1.0 + 1.0 / m) * between / (m - 1.0) } else { 0.0 }
    };
    let mut notes: Vec<String> = fits.iter().flat_map(|fit| fit.notes.iter().cloned()).collect();
    notes.sort();
    notes.dedup();
    let df_complete = fits[0].n as f64 - width as f64;
    let pooled = |k: usize| {
        let own: Vec<f64> = estimates.iter().map(|one| one[k]).collect();
        let variances: Vec<f64> = fits.iter().map(|fit| fit.covariance[k][k]).collect();
        rubin::pool(&own, &variances, df_complete)
    };
    let ridges: Vec<Ridge> = fits.iter().filter_map(|fit| fit.ridge).collect();
    let of_ridges = |value: fn(&Ridge) -> f64| ridges.iter().map(value).sum::<f64>() / m;
    let ridge = Ridge { penalty: of_ridges(|it| it.penalty), df: of_ridges(|it| it.df) };
    Logistic {
        ridge: (!ridges.is_empty()).then_some(ridge),
        pooled: (0..width).map(pooled).collect(),
        intercept: mean[0],
        coefficients: mean[1..].to_vec(),
        covariance: (0..width).map(|i| (0..width).map(|k| cell(i, k)).collect()).collect(),
        notes,
        ..fits[0].clone()
    }
}

/// A whole number below `n` from a seed.
fn below(seed: Seed, n: usize) -> usize {
    ((u128::from(seed.0) * n as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use osteon_stats::table::{Column, Table, Values};

    #[test]
    fn a_hole_is_filled_with_the_median_or_the_usual_level() {
        let number = vec![("alp".to_owned(), vec![Some(1.0), None, Some(9.0), Some(3.0)])];
        assert_eq!(usual(&number, &[0, 1, 2, 3]), [Some(3.0)]);
        assert_eq!(usual(&number, &[0, 2]), [Some(5.0)]);
        assert_eq!(usual(&number, &[1]), [None]);
        let level = |name: &str, is: [f64; 4]| (name.to_owned(), is.map(Some).to_vec());
        let levels = [level("site=tibia", [0.0, 1.0, 1.0, 0.0]), level("site=other", [0.0, 0.0, 0.0, 1.0])];
        assert_eq!(usual(&levels, &[0, 1, 2, 3]), [Some(1.0), Some(0.0)]);
        assert_eq!(usual(&levels, &[0]), [Some(0.0), Some(0.0)]);
    }

    #[test]
    fn an_auxiliary_variable_helps_to_impute_and_is_no_predictor() {
        // The auxiliary variable all but repeats the predictor, of which a third is missing.
        let n = 90;
        let noise = |at: usize, k: u64| (Seed(k).nth(at).0 >> 11) as f64 / (1_u64 << 53) as f64 - 0.5;
        let x: Vec<f64> = (0..n).map(|at| 4.0 * noise(at, 1)).collect();
        let event: Vec<bool> = (0..n).map(|at| x[at] + 3.0 * noise(at, 2) > 0.0).collect();
        let holed = (0..n).map(|at| (at % 3 > 0).then_some(x[at])).collect();
        let near = (0..n).map(|at| Some(x[at] + 0.01 * noise(at, 3))).collect();
        let column = |name: &str, values| Column { name: name.to_owned(), values: Values::Numbers(values) };
        let ids: Vec<String> = (0..n).map(|at| format!("P{at:03}")).collect();
        let clinical = Table::new(ids.clone(), vec![column("x", holed), column("near", near)]).unwrap();
        let cohort = Cohort { codes: ids, event, clinical, regions: Vec::new(), strata: Vec::new() };
        let rows: Vec<usize> = (0..n).collect();
        let fitted = |auxiliary: &[&str]| {
            let auxiliary = auxiliary.iter().map(|&name| name.to_owned()).collect();
            let params = Params { missing: Missing::Multiple, auxiliary, ..Params::default() };
            fit(&cohort, None, &["x".to_owned()], &rows, &params, Seed(5)).unwrap()
        };
        let (without, with) = (fitted(&[]), fitted(&["near"]));
        assert_eq!((with.terms.as_slice(), with.pooled.len()), (&["x".to_owned()][..], 2));
        let lost = |fit: &Logistic| fit.pooled[1].unwrap().fmi;
        assert!(lost(&with) < lost(&without) / 2.0, "{} {}", lost(&with), lost(&without));
        assert!(with.notes[0].contains("with the auxiliary variables near"), "{:?}", with.notes);
    }

    #[test]
    fn pooling_adds_the_variance_between_imputations() {
        let fit = |intercept: f64, b: f64| Logistic {
            terms: vec!["x".to_owned()],
            intercept,
            coefficients: vec![b],
            covariance: vec![vec![2.0, 0.0], vec![0.0, 1.0]],
            n: 10,
            n_missing: 0,
            n_events: 5,
            ranges: vec![(0.0, 1.0)],
            fill: Vec::new(),
            pooled: Vec::new(),
            ridge: None,
            notes: Vec::new(),
        };
        let pooled = pool(&[fit(1.0, 0.0), fit(1.0, 2.0)]);
        assert_eq!((pooled.intercept, pooled.coefficients[0]), (1.0, 1.0));
        // Within 1, between 2, and a half of it again.
        assert_eq!(pooled.covariance, [[2.0, 0.0], [0.0, 4.0]]);
        let slope = pooled.pooled[1].unwrap();
        assert_eq!((slope.within, slope.between, slope.total), (1.0, 2.0, 4.0));
    }
}
