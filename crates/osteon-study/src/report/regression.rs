//! A logistic regression as JSON and as a sheet.

use serde_json::{Value, json};

use crate::report::sheet::{Cell, Sheet};
use osteon_base::text::counted;
use osteon_stats::model::logistic::{self, Fit, FitError, HosmerLemeshow, Method, Params, Profile, Warning};
use osteon_stats::stats::two_groups::Test;
use osteon_stats::table::encode::{Encoded, Variable};
use osteon_stats::table::expand::Expanded;

/// A fit with everything that is printed of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    pub fit: Fit,
    /// One a term.
    pub profiles: Vec<Option<Profile>>,
    /// Likelihood-ratio test of all variables together.
    pub model: Option<Test>,
    /// Likelihood-ratio test and generalised variance inflation of each variable.
    pub variables: Vec<(String, Option<Test>, Option<f64>)>,
    pub hosmer_lemeshow: Option<HosmerLemeshow>,
    /// Variables that entered as restricted cubic splines.
    pub splines: Vec<Spline>,
    /// What the reader must know, in words of the variables and levels.
    pub warnings: Vec<String>,
}

/// A restricted cubic spline, and the tests of its cubic terms.
#[derive(Clone, Debug, PartialEq)]
pub struct Spline {
    pub name: String,
    pub knots: Vec<f64>,
    pub likelihood_ratio: Option<Test>,
    pub wald: Option<Test>,
}

/// Rows from which on nothing is fitted twice.
const MANY_ROWS: usize = 4096;

impl Regression {
    /// Fits the event on the encoded variables.
    pub fn new(encoded: &Encoded, event: &[bool], params: &Params) -> Result<Regression, FitError> {
        let design = &encoded.design;
        let groups: Vec<_> = encoded.variables.iter().map(|variable| variable.columns.clone()).collect();
        let (fit, profiles) = logistic::fit_with_profiles(design, event, params, &groups)?;
        let inflation = logistic::variance_inflation(design, &groups);
        let quick = logistic::affordable(&fit, groups.len() + 1);
        // A variable of one column was tested with its profile.
        let of_profile = |columns: &std::ops::Range<usize>| profiles[columns.start + 1].map(|profile| profile.test);
        let test = |columns: &std::ops::Range<usize>| {
            if fit.n > MANY_ROWS
                && columns.len() == 1
                && let Some(test) = of_profile(columns)
            {
                return Some(test);
            }
            quick.then(|| logistic::likelihood_ratio(&fit, design, event, columns.clone())).flatten()
        };
        let model = test(&(0..design.columns.len()));
        let variables = encoded.variables.iter().zip(inflation);
        let variables: Vec<(String, Option<Test>, Option<f64>)> = variables
            .map(|(variable, inflation)| (variable.name.clone(), test(&variable.columns), inflation))
            .collect();
        let mut warnings: Vec<String> = fit.warnings.iter().map(|warning| words(warning, encoded, event)).collect();
        if profiles.iter().all(Option::is_none) {
            warnings.push(format!(
                "profile intervals of {} terms on {} rows were left out: they take too long",
                fit.terms.len(),
                fit.n
            ));
        }
        let scale = |(term, column): (&logistic::Term, ndarray::ArrayView1<f64>)| out_of_scale(term, &column.to_vec());
        warnings.extend(fit.terms[1..].iter().zip(design.x.columns()).filter_map(scale));
        warnings.extend(repeated(&variables));
        let unvaried = encoded.variables.iter().filter(|variable| variable.columns.is_empty());
        warnings.extend(unvaried.map(|variable| format!("{} has one level and was left out", variable.name)));
        let hosmer_lemeshow = logistic::hosmer_lemeshow(event, &fit.probabilities, params.grouping, params.groups);
        let hosmer_lemeshow = hosmer_lemeshow.filter(|_| !fit.is_separated());
        if hosmer_lemeshow.is_none() {
            let why = if fit.is_separated() {
                "under separation the probabilities are limits, which no group can contradict"
            } else {
                "a group of rows is expected to have no event, or nothing but events, and has another"
            };
            warnings.push(format!("no Hosmer-Lemeshow test: {why}"));
        }
        Ok(Regression { profiles, model, variables, hosmer_lemeshow, splines: Vec::new(), warnings, fit })
    }

    /// The same with splines and products, and the tests of non-linearity.
    pub fn expanded(expanded: &Expanded, event: &[bool], params: &Params) -> Result<Regression, FitError> {
        let mut regression = Regression::new(&expanded.encoded, event, params)?;
        let (fit, design) = (&regression.fit, &expanded.encoded.design);
        let spline = |(name, knots, columns): &(String, Vec<f64>, std::ops::Range<usize>)| Spline {
            name: name.clone(),
            knots: knots.clone(),
            likelihood_ratio: logistic::likelihood_ratio(fit, design, event, columns.clone()),
            wald: logistic::wald(fit, columns.clone()),
        };
        regression.splines = expanded.splines.iter().map(spline).collect();
        Ok(regression)
    }

    /// What the fit is tested against: the likelihood of the intercept alone; with Firth's penalty that of all terms held
    /// at 0 under the penalty of the whole model, `None` where that was not tested.
    pub fn null_log_likelihood(&self) -> Option<f64> {
        match self.fit.method {
            Method::MaximumLikelihood => Some(self.fit.null_log_likelihood),
            Method::Firth => self.model.map(|test| self.fit.log_likelihood - test.statistic / 2.0),
        }
    }

    /// `n`, `events`, `terms` with Wald and profile intervals of the odds ratio, likelihoods, fit and warnings.
    ///
    /// What is undefined or infinite is null.
    pub fn json(&self) -> Value {
        let fit = &self.fit;
        let term = |(term, profile): (&logistic::Term, &Option<Profile>)| {
            json!({
                "name": term.name,
                "estimate": term.estimate,
                "se": term.se,
                "z": term.z(),
                "p": term.p(),
                "or": term.odds_ratio(),
                "or_ci_wald": term.odds_ratio_wald(),
                "or_ci_profile": profile.map(|profile| [profile.low.exp(), profile.high.exp()]),
                "lr_p": profile.map(|profile| profile.test.p),
            })
        };
        json!({
            "n": fit.n,
            "events": fit.events,
            "terms": fit.terms.iter().zip(&self.profiles).map(term).collect::<Vec<_>>(),
            "log_likelihood": fit.log_likelihood,
            "null_log_likelihood": self.null_log_likelihood(),
            "cox_snell_r2": fit.cox_snell_r2(),
            "nagelkerke_r2": fit.nagelkerke_r2(),
            "hosmer_lemeshow": self.hosmer_lemeshow.map(|test| json!({
                "statistic": test.statistic, "df": test.df, "p": test.p,
            })),
            "lr": test_json(self.model),
            "events_per_variable": fit.events_per_variable(),
            "variables": self.variables.iter().map(|(name, test, inflation)| json!({
                "name": name,
                "lr": test_json(*test),
                "vif": inflation,
            })).collect::<Vec<_>>(),
            "splines": self.splines.iter().map(|spline| json!({
                "name": spline.name,
                "knots": spline.knots,
                "nonlinearity_lr": test_json(spline.likelihood_ratio),
                "nonlinearity_wald": test_json(spline.wald),
            })).collect::<Vec<_>>(),
            "converged": fit.converged,
            "warnings": self.warnings,
        })
    }

    /// One row a term.
    pub fn sheet(&self, title: String) -> Sheet {
        let headings =
            ["Term", "Estimate", "SE", "z", "Wald chi2", "p", "OR (95% CI, Wald)", "95% CI, profile", "p (LR)"];
        let row = |(term, profile): (&logistic::Term, &Option<Profile>)| {
            let (wald, digits) = (term.odds_ratio_wald(), osteon_stats::stats::text::decimals(term.se, 4));
            vec![
                Cell::Text(term.name.clone()),
                Cell::number(term.estimate, digits),
                Cell::number(term.se, digits),
                Cell::number(term.z(), 3),
                Cell::number(term.z().map(|z| z * z), 3),
                Cell::p(term.p()),
                match (term.odds_ratio(), wald) {
                    (Some(estimate), Some([low, high])) => Cell::Interval { estimate, low, high, digits: 3 },
                    (estimate, _) => Cell::number(estimate, 3),
                },
                profile.map_or(Cell::Empty, |profile| Cell::Range {
                    low: profile.low.exp(),
                    high: profile.high.exp(),
                    digits: 3,
                }),
                Cell::p(profile.map(|profile| profile.test.p)),
            ]
        };
        Sheet {
            title,
            headings: headings.map(str::to_owned).to_vec(),
            rows: self.fit.terms.iter().zip(&self.profiles).map(row).collect(),
            notes: self.notes(str::to_owned),
            provenance: Vec::new(),
        }
    }

    /// Fit of the model, tests of the variables by their labels, warnings: one line each.
    pub fn notes(&self, label: impl Fn(&str) -> String) -> Vec<String> {
        let fit = &self.fit;
        let method = match fit.method {
            Method::MaximumLikelihood => "maximum likelihood",
            Method::Firth => "Firth's penalized likelihood",
        };
        let text = |value: Option<f64>| {
            value.map_or("undefined".to_owned(), |value| osteon_stats::stats::text::fixed(value, 3))
        };
        let mut notes = vec![
            format!("{} rows, {} events; {method}", fit.n, fit.events),
            match fit.method {
                Method::MaximumLikelihood => format!(
                    "-2 log L {}, null {}; Cox-Snell R2 {}, Nagelkerke R2 {}",
                    text(Some(-2.0 * fit.log_likelihood)),
                    text(Some(-2.0 * fit.null_log_likelihood)),
                    text(fit.cox_snell_r2()),
                    text(fit.nagelkerke_r2())
                ),
                Method::Firth => format!(
                    "penalized -2 log L {}, with all terms held at 0 {}",
                    text(Some(-2.0 * fit.log_likelihood)),
                    text(self.null_log_likelihood().map(|null| -2.0 * null)),
                ),
            },
        ];
        if let Some(test) = self.hosmer_lemeshow {
            let p = test.p.map_or("undefined".to_owned(), osteon_stats::stats::text::p_text);
            notes.push(format!("Hosmer-Lemeshow chi2 {}, df {}, p {p}", text(Some(test.statistic)), test.df));
        }
        if let Some(epv) = fit.events_per_variable() {
            let rarer = fit.events.min(fit.n - fit.events);
            let which = if rarer == fit.events { "events" } else { "rows without the event, the rarer outcome," };
            let each = osteon_stats::stats::text::fixed(epv, 1);
            notes.push(format!("{rarer} {which} for {}: {each} each", counted(fit.df(), "estimated term")));
        }
        let likelihood_ratio = |test: Test| {
            let (statistic, p) = (text(Some(test.statistic)), osteon_stats::stats::text::p_text(test.p));
            format!("LR chi2 {statistic}, df {}, p {p}", test.df)
        };
        notes.extend(self.model.map(|test| format!("all terms together: {}", likelihood_ratio(test))));
        for (name, test, inflation) in &self.variables {
            let test = test.map(likelihood_ratio);
            let inflation = inflation.map(|vif| format!("variance inflation {}", text(Some(vif))));
            let parts: Vec<String> = [test, inflation].into_iter().flatten().collect();
            if !parts.is_empty() {
                notes.push(format!("{}: {}", label(name), parts.join("; ")));
            }
        }
        for spline in &self.splines {
            let knots: Vec<String> =
                spline.knots.iter().map(|knot| osteon_stats::stats::text::fixed(*knot, 3)).collect();
            let test = spline.likelihood_ratio.map_or("undefined".to_owned(), likelihood_ratio);
            notes.push(format!(
                "{}: restricted cubic spline with knots at {}; non-linearity: {test}",
                label(&spline.name),
                knots.join(", ")
            ));
        }
        notes.extend(self.warnings.iter().map(|warning| format!("warning: {warning}")));
        notes
    }
}

/// An odds ratio of one unit that no number can hold, and the unit that would do.
fn out_of_scale(term: &logistic::Term, values: &[f64]) -> Option<String> {
    /// Odds ratios beyond this tell of the unit, not of the variable.
    const FAR: f64 = 1e6;
    let [low, high] = term.odds_ratio_wald()?;
    let beyond = high > FAR || low < 1.0 / FAR;
    let sd = osteon_stats::stats::describe::sd(values).filter(|sd| *sd > 0.0)?;
    let name = &term.name;
    // A large effect of a well-scaled variable is one: its standard deviation is no tiny part of a unit.
    (beyond && sd < 0.1).then(|| {
        format!(
            "{name}: one unit is {:.1e} standard deviations and its odds ratio beyond any meaning; rescale {name}, for \
             example by {:e}",
            1.0 / sd,
            10_f64.powf(-sd.log10().floor())
        )
    })
}

fn test_json(test: Option<Test>) -> Value {
    test.map_or(Value::Null, |test| json!({ "statistic": test.statistic, "df": test.df, "p": test.p }))
}

/// Variables that the others say almost exactly.
fn repeated(variables: &[(String, Option<Test>, Option<f64>)]) -> Option<String> {
    /// Of its SD less than one part in a hundred is then its own, and the last digits of the data decide the estimates.
    const FAR: f64 = 1e4;
    let far = variables.iter().filter(|(.., inflation)| inflation.is_some_and(|it| it > FAR));
    let names: Vec<&str> = far.map(|(name, ..)| name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{}: almost a linear combination of the other terms (variance inflation above {FAR}): estimates, odds ratios and \
             intervals rest on the last digits of the data; leave one out",
            names.join(", ")
        )
    })
}

/// A warning with `variable = level` for indicator columns, and of a separation which rows show it.
fn words(warning: &Warning, encoded: &Encoded, event: &[bool]) -> String {
    let Warning::Separation { complete, terms } = warning else { return warning.to_string() };
    if terms.is_empty() {
        return warning.to_string();
    }
    let kind = if *complete { "complete" } else { "quasi-complete" };
    let mut facts: Vec<String> = Vec::new();
    let mut named = Vec::new();
    for infinite in terms {
        let sign = if infinite.positive { '+' } else { '-' };
        let indicator = encoded.variables.iter().find_map(|variable| {
            let at = encoded.design.columns.iter().position(|column| *column == infinite.term)?;
            let level = variable.levels.get(at.checked_sub(variable.columns.start)?)?;
            variable.columns.contains(&at).then_some((variable, at, level))
        });
        let (name, fact) = match indicator {
            Some((variable, at, level)) => {
                let fact = of_level(encoded, event, variable, at, level);
                (format!("{} = {level}", variable.name), fact)
            }
            None => (infinite.term.clone(), of_numbers(encoded, event, &infinite.term)),
        };
        named.push(format!("{name} goes to {sign}infinity"));
        facts.extend(fact.filter(|fact| !facts.contains(fact)));
    }
    if facts.is_empty() {
        let rows = if *complete { "of every row" } else { "of some rows without error" };
        facts.push(format!("together these terms tell the event {rows}"));
    }
    format!(
        "{kind} separation: {}: {}; Firth's penalized likelihood (--firth) gives finite estimates",
        named.join(", "),
        facts.join(", ")
    )
}

/// What is true of all rows with a level, or of all with the reference.
fn of_level(encoded: &Encoded, event: &[bool], variable: &Variable, at: usize, level: &str) -> Option<String> {
    let x = &encoded.design.x;
    let told = |level: &str, rows: Vec<usize>| {
        let events = rows.iter().filter(|&&row| event[row]).count();
        match (events, rows.len()) {
            (_, 0) => None,
            (0, n) => Some(format!("none of {} with {} = {level} has the event", counted(n, "row"), variable.name)),
            (events, n) if events == n => {
                Some(format!("all {} with {} = {level} have the event", counted(n, "row"), variable.name))
            }
            _ => None,
        }
    };
    let own = (0..event.len()).filter(|&row| x[[row, at]] == 1.0).collect();
    let of_reference = || {
        let rest = (0..event.len()).filter(|&row| variable.columns.clone().all(|column| x[[row, column]] == 0.0));
        told(variable.reference.as_deref()?, rest.collect())
    };
    told(level, own).or_else(of_reference)
}

/// The border in a column that divides the event alone.
fn of_numbers(encoded: &Encoded, event: &[bool], term: &str) -> Option<String> {
    let at = encoded.design.columns.iter().position(|column| column == term)?;
    let column = encoded.design.x.column(at);
    let range = |wanted: bool| {
        let values = column.iter().zip(event).filter(|(_, event)| **event == wanted).map(|(value, _)| *value);
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let ((least, most), (other_least, other_most)) = (range(true), range(false));
    let sentence = |side: &str, edge: f64, other_side: &str, other_edge: f64| match edge == other_edge {
        true => format!("all rows with {term} {side} {edge} have the event, none {other_side} it has"),
        false => {
            format!("rows with the event have {term} of {edge} or {side}, the others of {other_edge} or {other_side}")
        }
    };
    if least >= other_most {
        Some(sentence("above", least, "below", other_most))
    } else if most <= other_least {
        Some(sentence("below", most, "above", other_least))
    } else {
        None
    }
}
