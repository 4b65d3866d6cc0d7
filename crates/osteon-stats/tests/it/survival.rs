//! Time to event against R: synthetic data of `fixtures/survival` in every run, public data sets of the package survival
//! where R is there and `OSTEON_PEERS=1` asks for it.

use std::ops::Range;
use std::process::Command;

use osteon_stats::survival::accuracy::{auc_at, brier_at};
use osteon_stats::survival::concordance::{PairWeight, concordance};
use osteon_stats::survival::cox::{self, Fit, Method, Params, Ties, Transform};
use osteon_stats::survival::follow_up::FollowUp;
use osteon_stats::survival::incidence::{cumulative_incidence, gray};
use osteon_stats::survival::kaplan_meier::{Interval, kaplan_meier};
use osteon_stats::survival::log_rank::{Weight, log_rank};
use osteon_stats::table::Design;
use osteon_testing::{Comparison, fixture, gunzip, json};
use serde_json::Value;

/// Estimates and p values: relative, and absolute near 0.
const CLOSE: (f64, f64) = (1e-8, 1e-8);
/// coxphf stops where its likelihood gains less than 1e-11, and its intervals where they move by 1e-7 or so.
const FIRTH: (f64, f64) = (2e-6, 2e-6);
const FIRTH_LIMIT: (f64, f64) = (2e-3, 2e-3);

#[test]
fn synthetic_follow_up_gives_what_r_gives() {
    let mut comparison = Comparison::default();
    let sets: Value = serde_json::from_slice(&gunzip(&fixture("survival/reference.json.gz"))).unwrap();
    sets.as_array().unwrap().iter().for_each(|set| compare(set, &mut comparison));
    comparison.finish(5000);
}

/// What R says of public data sets by a script of `fixtures`; `None`, said on stderr, where it is not asked for or absent.
pub fn public_data_sets(script: &str) -> Option<Value> {
    if std::env::var_os("OSTEON_PEERS").is_none() {
        eprintln!("skipped: OSTEON_PEERS=1 compares with R on public data sets");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("package.json");
    match Command::new("Rscript").arg(fixture(script)).arg("package").arg(&out).output() {
        Ok(run) if run.status.success() => Some(json(&out)),
        Ok(run) => panic!("R stopped: {}", String::from_utf8_lossy(&run.stderr)),
        Err(_) => {
            eprintln!("skipped: Rscript is not on this machine");
            None
        }
    }
}

#[test]
fn public_data_sets_give_what_r_gives() {
    let Some(sets) = public_data_sets("survival/reference.R") else { return };
    let mut comparison = Comparison::default();
    sets.as_array().unwrap().iter().for_each(|set| compare(set, &mut comparison));
    assert!(sets.as_array().unwrap().len() >= 6);
    comparison.finish(20_000);
}

/// One data set with everything that R said of it.
struct Set<'a> {
    name: &'a str,
    of: &'a Value,
    follow_up: FollowUp,
    design: Design,
    group: Vec<usize>,
    n_groups: usize,
    variables: Vec<Range<usize>>,
}

fn compare(of: &Value, comparison: &mut Comparison) {
    let data = &of["data"];
    let event: Vec<bool> = integers(&data["event"]).iter().map(|&event| event == 1).collect();
    let follow_up = FollowUp::new(optional(&data["entry"]), numbers(&data["time"]), event).unwrap();
    let rows: Vec<Vec<f64>> = data["x"].as_array().unwrap().iter().map(numbers).collect();
    let names = data["names"].as_array().map_or_else(
        || vec![data["names"].as_str().unwrap().to_owned()],
        |names| names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
    );
    let design = Design {
        rows: (0..rows.len()).map(|row| row.to_string()).collect(),
        x: ndarray::Array2::from_shape_fn((rows.len(), names.len()), |(i, j)| rows[i][j]),
        columns: names,
    };
    let group: Vec<usize> = integers(&data["group"]).iter().map(|group| group - 1).collect();
    let assign = integers(&data["assign"]);
    let last = *assign.iter().max().unwrap();
    let columns = |term: usize| {
        let first = assign.iter().position(|&of| of == term).unwrap();
        first..first + assign.iter().filter(|&&of| of == term).count()
    };
    let set = Set {
        name: of["name"].as_str().unwrap(),
        of,
        follow_up,
        design,
        n_groups: group.iter().max().unwrap() + 1,
        group,
        variables: (1..=last).map(columns).collect(),
    };
    set.curves(comparison);
    set.log_rank(comparison);
    for fit in of["cox"].as_array().unwrap() {
        set.cox(fit, comparison);
    }
    set.firth(comparison);
    set.competing(comparison);
    set.accuracy(comparison);
}

impl Set<'_> {
    fn rows(&self, group: usize) -> Vec<usize> {
        (0..self.group.len()).filter(|&row| self.group[row] == group).collect()
    }

    fn numbers_of(&self, name: &str) -> Option<Vec<usize>> {
        let found = &self.of["data"][name];
        (!found.is_null()).then(|| integers(found).iter().map(|number| number - 1).collect())
    }

    fn curves(&self, comparison: &mut Comparison) {
        let at = numbers(&self.of["at"]);
        for theirs in self.of["km"].as_array().unwrap() {
            let group = theirs["group"].as_u64().unwrap() as usize;
            let name = format!("{} km {group}", self.name);
            let curve = kaplan_meier(&self.follow_up.select(&self.rows(group - 1)).unwrap());
            let of = |field: fn(&osteon_stats::survival::kaplan_meier::Point) -> f64| {
                curve.points.iter().map(field).collect::<Vec<_>>()
            };
            all(comparison, &name, "time", &of(|p| p.time), &theirs["time"]);
            all(comparison, &name, "at risk", &of(|p| p.at_risk as f64), &theirs["at_risk"]);
            all(comparison, &name, "events", &of(|p| p.events as f64), &theirs["events"]);
            all(comparison, &name, "censored", &of(|p| p.censored as f64), &theirs["censored"]);
            all(comparison, &name, "survival", &of(|p| p.survival), &theirs["survival"]);
            let finite = |value: f64| if value.is_finite() { value } else { f64::NAN };
            let se: Vec<f64> = of(|p| p.se_ln).into_iter().map(finite).collect();
            let known: Vec<f64> = numbers(&theirs["se_ln"]).into_iter().map(finite).collect();
            each(comparison, &name, "se", &se, &known);
            all(comparison, &name, "hazard", &of(|p| p.hazard), &theirs["hazard"]);
            for interval in theirs["intervals"].as_array().unwrap() {
                let kind = kind(interval["kind"].as_str().unwrap());
                let name = format!("{name} {kind:?}");
                let limit = |at: usize| -> Vec<f64> {
                    curve.points.iter().map(|p| p.limits(kind, 0.95).map_or(f64::NAN, |pair| pair[at])).collect()
                };
                // At 0 and 1 R gives limits on some scales that are the value itself.
                let inside: Vec<usize> =
                    (0..curve.points.len()).filter(|&p| curve.points[p].limits(kind, 0.95).is_some()).collect();
                let pick = |values: &[f64]| inside.iter().map(|&p| values[p]).collect::<Vec<_>>();
                each(comparison, &name, "lower", &pick(&limit(0)), &pick(&numbers(&interval["lower"])));
                each(comparison, &name, "upper", &pick(&limit(1)), &pick(&numbers(&interval["upper"])));
                let quantiles = [0.25, 0.5, 0.75].map(|p| curve.quantile(p, kind, 0.95));
                let end = |end: Option<f64>| end.unwrap_or(f64::NAN);
                all(comparison, &name, "quantile", &quantiles.map(|q| end(q.time)), &interval["quantile"]);
                // Where few are at risk at first, a limit may rise again. R sorts it then, and takes a later crossing.
                let falls = |values: Vec<f64>| values.windows(2).all(|pair| pair[1] <= pair[0]);
                if falls(pick(&limit(0))) && falls(pick(&limit(1))) {
                    all(comparison, &name, "quantile lower", &quantiles.map(|q| end(q.lower)), &interval["q_lower"]);
                    all(comparison, &name, "quantile upper", &quantiles.map(|q| end(q.upper)), &interval["q_upper"]);
                }
                let landmarks: Vec<_> = at.iter().map(|&time| curve.at(time, kind, 0.95)).collect();
                let survival: Vec<f64> = landmarks.iter().map(|l| l.survival).collect();
                all(comparison, &name, "landmark", &survival, &interval["at"]);
                let theirs = [numbers(&interval["at_lower"]), numbers(&interval["at_upper"])];
                for (place, landmark) in landmarks.iter().enumerate() {
                    if let Some(limits) = landmark.limits {
                        each(comparison, &name, "landmark limits", &limits, &[theirs[0][place], theirs[1][place]]);
                    }
                }
            }
            if self.of["data"]["entry"].is_null() && theirs["rmean"].is_array() {
                let (mean, se) = curve.mean_until(at[1]);
                all(comparison, &name, "restricted mean", &[mean, se], &theirs["rmean"]);
            }
        }
    }

    fn log_rank(&self, comparison: &mut Comparison) {
        let theirs = &self.of["log_rank"];
        if theirs.is_null() || self.n_groups < 2 {
            return;
        }
        let strata = self.numbers_of("stratum");
        let fleming = |rho| Weight::FlemingHarrington { rho, gamma: 0.0 };
        for (key, weight) in [("plain", Weight::LogRank), ("peto", fleming(1.0)), ("stratified", Weight::LogRank)] {
            if theirs[key].is_null() {
                continue;
            }
            let within = (key == "stratified").then(|| strata.clone().unwrap());
            let ours = log_rank(&self.follow_up, &self.group, self.n_groups, within.as_deref(), weight);
            let name = format!("{} log-rank {key}", self.name);
            let of = |field: fn(&osteon_stats::survival::log_rank::Group) -> f64| {
                ours.groups.iter().map(field).collect::<Vec<_>>()
            };
            all(comparison, &name, "observed", &of(|g| g.observed), &theirs[key]["observed"]);
            all(comparison, &name, "expected", &of(|g| g.expected), &theirs[key]["expected"]);
            all(comparison, &name, "chi2", &[ours.chi2], &theirs[key]["chi2"]);
            all(comparison, &name, "p", &[ours.p.unwrap_or(f64::NAN)], &theirs[key]["p"]);
            matrix(comparison, &name, "variance", |i, j| ours.covariance[(i, j)], &theirs[key]["var"]);
        }
    }

    fn cox(&self, theirs: &Value, comparison: &mut Comparison) {
        let ties = match theirs["ties"].as_str().unwrap() {
            "efron" => Ties::Efron,
            "breslow" => Ties::Breslow,
            _ => Ties::Exact,
        };
        let stratified = theirs["stratified"].as_bool().unwrap();
        let strata = stratified.then(|| self.numbers_of("stratum").unwrap());
        let strata = strata.as_deref();
        let name = format!("{} cox {ties:?}{}", self.name, if stratified { " stratified" } else { "" });
        let params = Params { ties, method: Method::PartialLikelihood };
        let fit = cox::fit(&self.design, &self.follow_up, strata, params).unwrap();
        if theirs["monotone"].as_bool() == Some(true) {
            return comparison.same(format!("{name} is monotone"), fit.is_monotone(), true);
        }
        comparison.same(format!("{name} has a maximum"), fit.converged, true);
        let of = |field: fn(&cox::Term) -> Option<f64>| {
            fit.terms.iter().map(|term| field(term).unwrap_or(f64::NAN)).collect::<Vec<_>>()
        };
        all(comparison, &name, "coefficient", &of(|t| t.estimate), &theirs["coef"]);
        all(comparison, &name, "p", &of(cox::Term::p), &theirs["p"]);
        matrix(comparison, &name, "variance", |i, j| fit.covariance[[i, j]], &theirs["var"]);
        all(comparison, &name, "log-likelihood", &[fit.null_log_likelihood, fit.log_likelihood], &theirs["loglik"]);
        all(comparison, &name, "score", &[fit.score.unwrap()], &theirs["score"]);
        all(comparison, &name, "wald", &[fit.wald().unwrap().chi2], &theirs["wald"]);
        all(comparison, &name, "likelihood ratio p", &[fit.likelihood_ratio().unwrap().p], &theirs["lr_p"]);
        all(comparison, &name, "score p", &[fit.score_test().unwrap().p], &theirs["score_p"]);
        if ties == Ties::Exact {
            return;
        }
        let residuals = cox::residuals(&self.design, &self.follow_up, strata, &fit).unwrap();
        all(comparison, &name, "martingale", &residuals.martingale, &theirs["martingale"]);
        matrix(comparison, &name, "score residual", |i, j| residuals.score[(i, j)], &theirs["score_residuals"]);
        if let Some(cluster) = self.numbers_of("cluster") {
            let robust = cox::robust(&fit, &residuals, &cluster);
            matrix(comparison, &name, "robust variance", |i, j| robust.covariance[[i, j]], &theirs["robust"]);
            all(comparison, &name, "robust wald", &[robust.wald().unwrap().chi2], &theirs["robust_wald"]);
        }
        self.proportional(&fit, strata, &name, theirs, comparison);
        if !stratified {
            self.predicted(&fit, &name, theirs, comparison);
        }
    }

    fn proportional(
        &self,
        fit: &Fit,
        strata: Option<&[usize]>,
        name: &str,
        theirs: &Value,
        comparison: &mut Comparison,
    ) {
        let transforms = [Transform::KaplanMeier, Transform::Identity, Transform::Log, Transform::Rank];
        for (transform, theirs) in transforms.into_iter().zip(theirs["zph"].as_array().unwrap()) {
            if theirs.is_null() {
                continue;
            }
            let name = format!("{name} zph {transform:?}");
            let test = cox::proportional(&self.design, &self.follow_up, strata, fit, &self.variables, transform);
            let Some(test) = test else {
                comparison.miss(format!("{name}: no test"));
                continue;
            };
            let tests: Vec<_> = test.variables.iter().chain([&test.global]).map(|test| test.unwrap()).collect();
            all(comparison, &name, "chi2", &tests.iter().map(|t| t.chi2).collect::<Vec<_>>(), &theirs["chi2"]);
            all(comparison, &name, "df", &tests.iter().map(|t| t.df as f64).collect::<Vec<_>>(), &theirs["df"]);
            all(comparison, &name, "p", &tests.iter().map(|t| t.p).collect::<Vec<_>>(), &theirs["p"]);
        }
        if !theirs["scaled"].is_null() {
            let test =
                cox::proportional(&self.design, &self.follow_up, strata, fit, &self.variables, Transform::KaplanMeier);
            // Events at one time come in the order of the file here and in another there: their sums agree.
            let test = test.unwrap();
            let theirs: Vec<Vec<f64>> = theirs["scaled"].as_array().unwrap().iter().map(numbers).collect();
            for column in 0..fit.terms.len() {
                let mut at = 0;
                while at < test.times.len() {
                    let end = at + test.times[at..].iter().take_while(|&&time| time == test.times[at]).count();
                    let ours: f64 = (at..end).map(|event| test.residuals[(event, column)]).sum();
                    let known: f64 = theirs[at..end].iter().map(|row| row[column]).sum();
                    each(comparison, name, "scaled residual", &[ours], &[known]);
                    at = end;
                }
            }
        }
    }

    fn predicted(&self, fit: &Fit, name: &str, theirs: &Value, comparison: &mut Comparison) {
        let base = cox::baseline(&self.design, &self.follow_up, None, fit).unwrap();
        let known = &theirs["base"];
        let offset = base.at_zero().exp();
        for (time, hazard) in numbers(&known["time"]).into_iter().zip(numbers(&known["hazard"])) {
            let passed = base.strata[0].iter().rev().find(|step| step.time <= time);
            each(comparison, name, "baseline", &[passed.map_or(0.0, |step| step.hazard * offset)], &[hazard]);
        }
        let known = &theirs["predicted"];
        let (survival, se): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (
            known["survival"].as_array().unwrap().iter().map(numbers).collect(),
            known["se"].as_array().unwrap().iter().map(numbers).collect(),
        );
        for (at, time) in numbers(&known["time"]).into_iter().enumerate() {
            for person in 0..3 {
                let ours = base.predict(0, &self.design.x.row(person).to_vec(), time);
                let theirs = [survival[at][person], se[at][person]];
                each(comparison, name, "predicted", &[ours.survival, ours.se_ln], &theirs);
                // The same as a line over the columns, whose interval is Wald's on the log-log scale.
                if let Some(line) = base.log_hazard(0, time) {
                    let mut row = vec![1.0];
                    row.extend(self.design.x.row(person).iter());
                    let b = fit.terms.iter().map(|term| term.estimate.unwrap_or(0.0));
                    let log_hazard: f64 = [line.intercept].into_iter().chain(b).zip(&row).map(|(b, x)| b * x).sum();
                    let of_row = |c: &Vec<f64>| c.iter().zip(&row).map(|(c, x)| c * x).sum::<f64>();
                    let variance: f64 = line.covariance.iter().zip(&row).map(|(c, x)| x * of_row(c)).sum();
                    let hazard = -survival[at][person].ln();
                    let theirs = [hazard.ln(), se[at][person] / hazard];
                    each(comparison, name, "log hazard", &[log_hazard, variance.sqrt()], &theirs);
                }
            }
        }
        let risk = fit.predictor(&self.design).unwrap();
        let harrell = concordance(&self.follow_up, &risk, PairWeight::Harrell).unwrap();
        all(comparison, name, "Harrell's C", &[harrell.c], &theirs["harrell"]["c"]);
        all(comparison, name, "Harrell's C se", &[harrell.se], &theirs["harrell"]["se"]);
        if let Some(uno) = concordance(&self.follow_up, &risk, PairWeight::Uno { until: None }) {
            all(comparison, name, "Uno's C", &[uno.c], &theirs["uno"]["c"]);
            all(comparison, name, "Uno's C se", &[uno.se], &theirs["uno"]["se"]);
        }
    }

    fn firth(&self, comparison: &mut Comparison) {
        let theirs = &self.of["firth"];
        if theirs.is_null() {
            return;
        }
        let name = format!("{} firth", self.name);
        let params = Params { ties: Ties::Breslow, method: Method::Firth };
        let fit = cox::fit(&self.design, &self.follow_up, None, params).unwrap();
        comparison.same(format!("{name} has a maximum"), fit.converged, true);
        for (at, term) in fit.terms.iter().enumerate() {
            let name = format!("{name} {}", term.name);
            comparison.close(&name, term.estimate.unwrap(), numbers(&theirs["coef"])[at], FIRTH.0, FIRTH.1);
            comparison.close(format!("{name} se"), term.se.unwrap(), numbers(&theirs["se"])[at], FIRTH.0, FIRTH.1);
            let profile = cox::profile(&self.design, &self.follow_up, None, &fit, at, 0.95).unwrap();
            let (lower, upper) = (numbers(&theirs["profile_lower"])[at], numbers(&theirs["profile_upper"])[at]);
            if lower.is_finite() && upper.is_finite() {
                comparison.close(format!("{name} lower"), profile.lower.unwrap(), lower, FIRTH_LIMIT.0, FIRTH_LIMIT.1);
                comparison.close(format!("{name} upper"), profile.upper.unwrap(), upper, FIRTH_LIMIT.0, FIRTH_LIMIT.1);
                // coxphf gives no p where it did not arrive.
                if let Some(p) = theirs["profile_p"][at].as_f64() {
                    comparison.close(format!("{name} p"), profile.p, p, 1e-4, 1e-6);
                }
            }
        }
        let ratio = fit.likelihood_ratio().unwrap().chi2;
        comparison.close(format!("{name} likelihood ratio"), ratio, numbers(&theirs["lr"])[0], FIRTH.0, FIRTH.1);
    }

    fn competing(&self, comparison: &mut Comparison) {
        let theirs = &self.of["competing"];
        if theirs.is_null() {
            return;
        }
        let cause = integers(&self.of["data"]["cause"]);
        let of_cause = |wanted: usize| {
            let event = cause.iter().map(|&cause| cause == wanted).collect();
            let other: Vec<bool> = cause.iter().map(|&cause| cause != wanted && cause != 0).collect();
            (self.follow_up.with_events(event), other)
        };
        let times = numbers(&theirs["times"]);
        for (at, label) in theirs["names"].as_array().unwrap().iter().enumerate() {
            let words: Vec<usize> = label.as_str().unwrap().split(' ').map(|word| word.parse().unwrap()).collect();
            let (follow_up, other) = of_cause(words[1]);
            let rows = self.rows(words[0] - 1);
            let other: Vec<bool> = rows.iter().map(|&row| other[row]).collect();
            let ours = cumulative_incidence(&follow_up.select(&rows).unwrap(), &other);
            let name = format!("{} incidence {label}", self.name);
            let (estimate, variance) = (numbers(&theirs["estimate"][at]), numbers(&theirs["variance"][at]));
            for (place, &time) in times.iter().enumerate().filter(|(place, _)| estimate[*place].is_finite()) {
                let (f, v) = ours.at(time);
                each(comparison, &name, "at", &[f, v], &[estimate[place], variance[place]]);
            }
        }
        let strata = self.numbers_of("stratum");
        for (key, within) in [("tests", None), ("stratified", strata.as_deref())] {
            if theirs[key].is_null() || self.n_groups < 2 {
                continue;
            }
            for (at, known) in theirs[key].as_array().unwrap().iter().enumerate() {
                let (follow_up, other) = of_cause(at + 1);
                let ours = gray(&follow_up, &other, &self.group, self.n_groups, within).unwrap();
                let name = format!("{} Gray {key} cause {}", self.name, at + 1);
                each(comparison, &name, "test", &[ours.chi2, ours.p, ours.df as f64], &numbers(known));
            }
        }
    }

    fn accuracy(&self, comparison: &mut Comparison) {
        let theirs = &self.of["accuracy"];
        if theirs.is_null() {
            return;
        }
        let (marker, at) = (numbers(&theirs["marker"]), numbers(&theirs["at"]));
        let survival: Vec<Vec<f64>> = theirs["survival"].as_array().unwrap().iter().map(numbers).collect();
        for (place, &time) in at.iter().enumerate() {
            let name = format!("{} at {time}", self.name);
            let auc = auc_at(&self.follow_up, &marker, time).unwrap();
            for key in ["auc", "risk_auc"] {
                if !theirs[key].is_null() {
                    each(comparison, &name, key, &[auc], &[numbers(&theirs[key])[place]]);
                }
            }
            let predicted: Vec<f64> = survival.iter().map(|row| row[place]).collect();
            let brier = brier_at(&self.follow_up, &predicted, time).unwrap();
            if !theirs["brier"].is_null() {
                each(comparison, &name, "Brier", &[brier], &[numbers(&theirs["brier"])[place]]);
            }
        }
    }
}

fn kind(name: &str) -> Interval {
    match name {
        "plain" => Interval::Plain,
        "log" => Interval::Log,
        "log-log" => Interval::LogLog,
        "logit" => Interval::Logit,
        _ => Interval::Arcsine,
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    let one = |value: &Value| match value {
        Value::String(text) if text == "Inf" => f64::INFINITY,
        other => other.as_f64().unwrap_or(f64::NAN),
    };
    value.as_array().map_or_else(|| vec![one(value)], |values| values.iter().map(one).collect())
}

fn optional(value: &Value) -> Option<Vec<f64>> {
    (!value.is_null()).then(|| numbers(value))
}

fn integers(value: &Value) -> Vec<usize> {
    numbers(value).into_iter().map(|number| number as usize).collect()
}

fn each(comparison: &mut Comparison, name: &str, what: &str, ours: &[f64], theirs: &[f64]) {
    if ours.len() != theirs.len() {
        return comparison.miss(format!("{name} {what}: {} values, reference {}", ours.len(), theirs.len()));
    }
    for (at, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        comparison.close(format!("{name} {what} {at}"), *ours, *theirs, CLOSE.0, CLOSE.1);
    }
}

fn all(comparison: &mut Comparison, name: &str, what: &str, ours: &[f64], theirs: &Value) {
    each(comparison, name, what, ours, &numbers(theirs));
}

fn matrix(comparison: &mut Comparison, name: &str, what: &str, ours: impl Fn(usize, usize) -> f64, theirs: &Value) {
    let rows: Vec<Vec<f64>> = theirs.as_array().unwrap().iter().map(numbers).collect();
    for (i, row) in rows.iter().enumerate() {
        for (j, value) in row.iter().enumerate() {
            comparison.close(format!("{name} {what} {i},{j}"), ours(i, j), *value, CLOSE.0, CLOSE.1);
        }
    }
}
