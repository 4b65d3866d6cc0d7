//! A Cox regression as JSON and as a sheet.

use serde_json::{Value, json};

use crate::report::sheet::{Cell, Sheet};
use osteon_stats::stats::text::{decimals, fixed, p_text};
use osteon_stats::survival::concordance::{Concordance, PairWeight, concordance};
use osteon_stats::survival::cox::{
    self, Fit, FitError, Method, Params, Profile, Proportional, Term, Test, Ties, Transform, Warning,
};
use osteon_stats::survival::follow_up::FollowUp;
use osteon_stats::survival::kaplan_meier::{Interval, kaplan_meier};
use osteon_stats::table::encode::Encoded;

/// A fit with everything that is printed of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Hazards {
    pub fit: Fit,
    /// One a term; none beside a robust variance, whose intervals are not the likelihood's.
    pub profiles: Vec<Option<Profile>>,
    /// Wald's test of each variable.
    pub variables: Vec<(String, Option<Test>)>,
    /// Whether hazards are proportional; `None` where a term is infinite.
    pub proportional: Option<Proportional>,
    pub concordance: Option<Concordance>,
    /// How many clusters the robust variance has.
    pub clusters: Option<usize>,
    /// Of the follow-up, by the curve of the censorings.
    pub median_follow_up: Option<f64>,
    pub warnings: Vec<String>,
}

/// Rows times terms from which on profile intervals take too long.
const MANY: usize = 40_000;

impl Hazards {
    /// Fits the encoded variables; `clusters` are one number a row, and how many there are.
    pub fn new(
        encoded: &Encoded,
        follow_up: &FollowUp,
        strata: Option<&[usize]>,
        clusters: Option<(&[usize], usize)>,
        params: Params,
    ) -> Result<Hazards, FitError> {
        let design = &encoded.design;
        let plain = cox::fit(design, follow_up, strata, params)?;
        let mut warnings: Vec<String> = plain.warnings.iter().map(|warning| words(warning, encoded)).collect();
        let unvaried = encoded.variables.iter().filter(|variable| variable.columns.is_empty());
        warnings.extend(unvaried.map(|variable| format!("{} has one level and was left out", variable.name)));
        if plain.events_per_variable().is_some_and(|epv| epv < 5.0) {
            warnings.push("fewer than 5 events for each estimated term: estimates are unstable".to_owned());
        }
        let residuals = clusters.and_then(|_| cox::residuals(design, follow_up, strata, &plain));
        let fit = match (clusters, &residuals) {
            (Some((of, _)), Some(residuals)) => cox::robust(&plain, residuals, of),
            (Some(_), None) => {
                let why = if params.ties == Ties::Exact { "exact ties" } else { "an infinite estimate" };
                warnings.push(format!("no robust variance beside {why}: standard errors are those of the model"));
                plain.clone()
            }
            (None, _) => plain.clone(),
        };
        let clusters = clusters.filter(|_| residuals.is_some()).map(|(_, n)| n);
        let affordable = fit.n * fit.terms.len() <= MANY && clusters.is_none();
        if !affordable && clusters.is_none() {
            warnings.push("profile intervals were left out: they take too long".to_owned());
        }
        let profile =
            |at: usize| affordable.then(|| cox::profile(design, follow_up, strata, &plain, at, 0.95)).flatten();
        let ranges: Vec<_> = encoded.variables.iter().map(|variable| variable.columns.clone()).collect();
        let tested = |columns: &std::ops::Range<usize>| {
            let known: Vec<usize> = columns.clone().filter(|&at| fit.terms[at].estimate.is_some()).collect();
            fit.wald_of(&known)
        };
        let variables = encoded.variables.iter().map(|variable| (variable.name.clone(), tested(&variable.columns)));
        let reversed = follow_up.with_events(follow_up.events().iter().map(|event| !event).collect());
        Ok(Hazards {
            profiles: (0..fit.terms.len()).map(profile).collect(),
            variables: variables.collect(),
            proportional: cox::proportional(design, follow_up, strata, &plain, &ranges, Transform::KaplanMeier)
                .filter(|_| plain.df() > 0),
            concordance: plain
                .predictor(design)
                .filter(|_| strata.is_none() && plain.df() > 0)
                .and_then(|risk| concordance(follow_up, &risk, PairWeight::Harrell)),
            clusters,
            median_follow_up: kaplan_meier(&reversed).median(Interval::LogLog, 0.95).time,
            warnings,
            fit,
        })
    }

    /// `n`, `events`, `terms` with Wald and profile intervals of the hazard ratio, tests, proportional hazards and
    /// concordance. What is undefined or infinite is null.
    pub fn json(&self) -> Value {
        let fit = &self.fit;
        let finite = |value: Option<f64>| value.filter(|value| value.is_finite());
        let term = |(term, profile): (&Term, &Option<Profile>)| {
            json!({
                "name": term.name,
                "estimate": finite(term.estimate),
                "se": term.se,
                "z": term.z(),
                "p": term.p(),
                "hr": finite(term.hazard_ratio()),
                "hr_ci_wald": term.hazard_ratio_wald(),
                "hr_ci_profile": profile.map(|it| [it.lower.map(f64::exp), it.upper.map(f64::exp)]),
                "lr_p": profile.map(|it| it.p),
            })
        };
        let named = |tests: &[Option<Test>]| -> Vec<Value> {
            let names = self.variables.iter().map(|(name, _)| name);
            names.zip(tests).map(|(name, test)| json!({ "name": name, "test": test_json(*test) })).collect()
        };
        json!({
            "n": fit.n,
            "events": fit.events,
            "method": method(fit),
            "ties": ties(fit),
            "terms": fit.terms.iter().zip(&self.profiles).map(term).collect::<Vec<_>>(),
            "variables": self.variables.iter().map(|(name, test)| json!({ "name": name, "wald": test_json(*test) }))
                .collect::<Vec<_>>(),
            "log_likelihood": fit.log_likelihood,
            "null_log_likelihood": fit.null_log_likelihood,
            "lr": test_json(fit.likelihood_ratio()),
            "score": test_json(fit.score_test()),
            "wald": test_json(fit.wald()),
            "clusters": self.clusters,
            "concordance": self.concordance.map(|c| json!({ "c": c.c, "se": c.se })),
            "proportional": self.proportional.as_ref().map(|test| json!({
                "transform": "km", "variables": named(&test.variables), "global": test_json(test.global),
            })),
            "events_per_variable": fit.events_per_variable(),
            "median_follow_up": self.median_follow_up,
            "converged": fit.converged,
            "warnings": self.warnings,
        })
    }

    /// P of the test of proportional hazards of a variable; `None` where it is not in the model or has no estimate.
    fn proportional_p(&self, name: &str) -> Option<f64> {
        let at = self.variables.iter().position(|(own, _)| own == name)?;
        Some(self.proportional.as_ref()?.variables[at]?.p)
    }

    /// One row a term.
    pub fn sheet(&self, title: String) -> Sheet {
        let headings = ["Term", "Estimate", "SE", "z", "p", "HR (95% CI)", "95% CI, profile", "p (LR)"];
        let row = |(term, profile): (&Term, &Option<Profile>)| {
            let digits = decimals(term.se, 4);
            let end = |end: Option<f64>, none: f64| end.map_or(none, f64::exp);
            vec![
                Cell::Text(term.name.clone()),
                Cell::number(term.estimate, digits),
                Cell::number(term.se, digits),
                Cell::number(term.z(), 3),
                Cell::p(term.p()),
                match (term.hazard_ratio(), term.hazard_ratio_wald()) {
                    (Some(estimate), Some([low, high])) => Cell::Interval { estimate, low, high, digits: 3 },
                    (estimate, _) => Cell::number(estimate, 3),
                },
                profile.map_or(Cell::Empty, |it| Cell::Range {
                    low: end(it.lower, 0.0),
                    high: end(it.upper, f64::INFINITY),
                    digits: 3,
                }),
                Cell::p(profile.map(|it| it.p)),
            ]
        };
        Sheet {
            title,
            headings: headings.map(str::to_owned).to_vec(),
            rows: self.fit.terms.iter().zip(&self.profiles).map(row).collect(),
            notes: self.notes(),
            provenance: Vec::new(),
        }
    }

    /// Numbers, tests and warnings: one line each.
    pub fn notes(&self) -> Vec<String> {
        let fit = &self.fit;
        let mut notes = vec![format!("{} rows, {} events; {}, {} ties", fit.n, fit.events, method(fit), ties(fit))];
        if let Some(n) = self.clusters {
            notes.push(format!("SE, z, p and 95% CI by the robust variance of {n} clusters"));
        }
        if let Some(median) = self.median_follow_up {
            notes.push(format!("median follow-up {} (reverse Kaplan-Meier)", fixed(median, 2)));
        }
        notes.push(format!(
            "-2 log L {}, null {}",
            fixed(-2.0 * fit.log_likelihood, 3),
            fixed(-2.0 * fit.null_log_likelihood, 3)
        ));
        let tests = [("LR", fit.likelihood_ratio()), ("score", fit.score_test()), ("Wald", fit.wald())];
        let tests: Vec<String> =
            tests.iter().filter_map(|(name, test)| test.map(|test| test_text(name, test))).collect();
        if !tests.is_empty() {
            notes.push(format!("all terms together: {}", tests.join("; ")));
        }
        if let Some(c) = self.concordance {
            notes.push(format!("Harrell's C {} (SE {})", fixed(c.c, 3), fixed(c.se, 3)));
        }
        if let Some(epv) = fit.events_per_variable() {
            notes.push(format!("{} events per estimated term", fixed(epv, 1)));
        }
        for (name, test) in self.variables.iter().filter(|(_, test)| test.is_some_and(|test| test.df > 1)) {
            notes.extend(test.map(|test| format!("{name}: {}", test_text("Wald", test))));
        }
        if let Some(test) = &self.proportional {
            let each = self.variables.iter().zip(&test.variables);
            let each = each.filter_map(|((name, _), test)| test.map(|test| format!("{name} p {}", p_text(test.p))));
            let global = test.global.map(|test| format!("global {}", test_text("", test).trim_start()));
            let parts: Vec<String> = each.chain(global).collect();
            notes.push(format!("proportional hazards (score test, Kaplan-Meier time): {}", parts.join("; ")));
        }
        notes.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        notes
    }
}

/// Hazard ratios of each variable alone and of all together, one row a term, as Table 4 has odds ratios.
pub fn side_by_side(title: String, alone: &[(String, Option<Hazards>)], together: &Hazards) -> Sheet {
    let headings = [
        "Term",
        "n",
        "Events",
        "HR (95% CI), univariable",
        "P",
        "HR (95% CI), multivariable",
        "P, multivariable",
        "P, proportional hazards",
    ];
    let ratio = |term: &Term| match (term.hazard_ratio(), term.hazard_ratio_wald()) {
        (Some(estimate), Some([low, high])) => Cell::Interval { estimate, low, high, digits: 2 },
        (estimate, _) => Cell::number(estimate, 2),
    };
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for (name, alone) in alone {
        let Some(alone) = alone else {
            notes.push(format!("{name}: no univariable model"));
            continue;
        };
        let (own, joint) = (alone.proportional_p(name), together.proportional_p(name));
        for (at, term) in alone.fit.terms.iter().enumerate() {
            let other = together.fit.term(&term.name);
            rows.push(vec![
                Cell::Text(term.name.clone()),
                Cell::Count(alone.fit.n),
                Cell::Count(alone.fit.events),
                ratio(term),
                Cell::p(term.p()),
                other.map_or(Cell::Empty, ratio),
                Cell::p(other.and_then(Term::p)),
                Cell::p(joint.or(own).filter(|_| at == 0)),
            ]);
        }
        notes.extend(alone.warnings.iter().map(|warning| format!("{name} alone: {warning}")));
    }
    notes.push(
        "proportional hazards: score test of scaled Schoenfeld residuals over Kaplan-Meier time, of all terms of a \
         variable, in the multivariable model; in the univariable one of variables that are not in it"
            .to_owned(),
    );
    if let Some(global) = together.proportional.as_ref().and_then(|test| test.global) {
        notes.push(format!("proportional hazards, all terms together: {}", test_text("", global).trim_start()));
    }
    notes.push(format!("multivariable: {} patients, {} events", together.fit.n, together.fit.events));
    let headings = headings.map(str::to_owned).to_vec();
    Sheet { title, headings, rows, notes, provenance: Vec::new() }
}

fn method(fit: &Fit) -> &'static str {
    match fit.params.method {
        Method::PartialLikelihood => "partial likelihood",
        Method::Firth => "Firth's penalized likelihood",
    }
}

fn ties(fit: &Fit) -> &'static str {
    match fit.params.ties {
        Ties::Efron => "efron",
        Ties::Breslow => "breslow",
        Ties::Exact => "exact",
    }
}

fn test_json(test: Option<Test>) -> Value {
    test.map_or(Value::Null, |test| json!({ "statistic": test.chi2, "df": test.df, "p": test.p }))
}

fn test_text(name: &str, test: Test) -> String {
    format!("{name} chi2 {}, df {}, p {}", fixed(test.chi2, 3), test.df, p_text(test.p))
}

/// A warning with `variable = level` for indicator columns.
fn words(warning: &Warning, encoded: &Encoded) -> String {
    let Warning::Monotone { terms } = warning else { return warning.to_string() };
    if terms.is_empty() {
        return warning.to_string();
    }
    let one = |infinite: &osteon_stats::model::logistic::Infinite| {
        let sign = if infinite.positive { '+' } else { '-' };
        let indicator = encoded.variables.iter().find_map(|variable| {
            let at = encoded.design.columns.iter().position(|column| *column == infinite.term)?;
            let level = variable.levels.get(at.checked_sub(variable.columns.start)?)?;
            variable.columns.contains(&at).then(|| format!("{} = {level}", variable.name))
        });
        format!("{} goes to {sign}infinity", indicator.unwrap_or_else(|| infinite.term.clone()))
    };
    let terms: Vec<String> = terms.iter().map(one).collect();
    format!("monotone likelihood: {}; Firth's penalized likelihood (--firth) gives finite estimates", terms.join(", "))
}
