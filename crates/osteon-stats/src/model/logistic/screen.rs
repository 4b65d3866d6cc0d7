//! Which variables enter a multivariate model, and which of those are kept: one function for tables and fits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::logistic::{self, Fit, FitError, likelihood_ratio, wald};
use crate::table::Table;
use crate::table::encode::{EncodeError, Encoded, encode_rows};
use osteon_base::setting::{self, Unfit};

/// The rule of Table 4.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// A variable enters when its univariate p value is below this.
    pub alpha: f64,
    pub statistic: Statistic,
    pub rows: Rows,
    /// The level that the others are compared with, a categorical variable each.
    pub references: BTreeMap<String, String>,
}

/// Which p value decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// Wald's, over all levels of the variable.
    Wald,
    LikelihoodRatio,
}

/// Which patients decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// Everybody: the test set then takes part in the choice of the model.
    All,
    Train,
}

/// The thresholds of a choice, and what is compared with them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule<'a> {
    /// A variable enters the multivariate model when its univariate p is below this.
    pub enter: f64,
    /// Of those, one is kept when its p among them is below this.
    pub keep: f64,
    pub statistic: Statistic,
    pub references: &'a BTreeMap<String, String>,
}

/// The p that decides on a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deciding {
    pub p: f64,
    /// The likelihood ratio where Wald's statistic was asked for and does not exist, as under separation.
    pub statistic: Statistic,
}

/// A model of one variable or more, over the rows that have them all.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub encoded: Encoded,
    /// The event of its rows.
    pub event: Vec<bool>,
    pub fit: Result<Fit, FitError>,
    /// One a variable; `None` where there is no model or no test.
    pub deciding: Vec<Option<Deciding>>,
}

/// What was chosen, and every step to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// One a candidate, in their order.
    pub alone: Vec<Model>,
    /// Positions of the candidates that entered.
    pub entered: Vec<usize>,
    /// The model of those; `None` when none entered.
    pub together: Option<Model>,
    /// Names of the variables that were kept, by rising univariate p.
    pub chosen: Vec<String>,
    pub by: Chosen,
}

/// Which step of the rule gave the variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// They have a p below the threshold in the multivariate model.
    Kept,
    /// None has: the one with the smallest p there.
    SmallestTogether,
    /// None entered, or their model has no p: the one with the smallest univariate p.
    SmallestAlone,
    /// No candidate has a p.
    Nothing,
}

/// Chooses among `candidates` from `rows` of the table alone; a row may come more than once.
///
/// # Errors
/// When a candidate or its reference level does not exist.
pub fn choose(
    table: &Table,
    candidates: &[&str],
    rows: &[usize],
    event: impl Fn(usize) -> bool,
    rule: &Rule,
    params: &logistic::Params,
) -> Result<Choice, EncodeError> {
    let model = |names: &[&str]| model(table, names, rows, &event, rule, params);
    let alone = candidates.iter().map(|name| model(&[name])).collect::<Result<Vec<_>, _>>()?;
    let p = |at: usize| alone[at].deciding[0].map(|deciding| deciding.p);
    let mut order: Vec<usize> = (0..candidates.len()).filter(|&at| p(at).is_some()).collect();
    order.sort_by(|&a, &b| p(a).partial_cmp(&p(b)).expect("a p value is a number"));
    let entered: Vec<usize> = (0..candidates.len()).filter(|&at| p(at).is_some_and(|p| p < rule.enter)).collect();
    let names: Vec<&str> = entered.iter().map(|&at| candidates[at]).collect();
    let together = if names.is_empty() { None } else { Some(model(&names)?) };
    let joint = |at: usize| {
        let place = entered.iter().position(|&entered| entered == at)?;
        together.as_ref()?.deciding[place].map(|deciding| deciding.p)
    };
    let kept: Vec<usize> = order.iter().copied().filter(|&at| joint(at).is_some_and(|p| p < rule.keep)).collect();
    let smallest = order.iter().copied().filter_map(|at| Some((at, joint(at)?))).min_by(|a, b| a.1.total_cmp(&b.1));
    let (by, chosen) = match (smallest, order.first()) {
        _ if !kept.is_empty() => (Chosen::Kept, kept),
        (Some((at, _)), _) => (Chosen::SmallestTogether, vec![at]),
        (None, Some(&at)) => (Chosen::SmallestAlone, vec![at]),
        (None, None) => (Chosen::Nothing, Vec::new()),
    };
    let chosen = chosen.into_iter().map(|at| candidates[at].to_owned()).collect();
    Ok(Choice { alone, entered, together, chosen, by })
}

fn model(
    table: &Table,
    names: &[&str],
    rows: &[usize],
    event: impl Fn(usize) -> bool,
    rule: &Rule,
    params: &logistic::Params,
) -> Result<Model, EncodeError> {
    let references: Vec<(&str, &str)> = rule
        .references
        .iter()
        .filter(|(name, _)| names.contains(&name.as_str()))
        .map(|(name, level)| (name.as_str(), level.as_str()))
        .collect();
    let encoded = encode_rows(table, names, &references, rows)?;
    let event: Vec<bool> = encoded.kept.iter().map(|&row| event(row)).collect();
    let fit = logistic::fit(&encoded.design, &event, params);
    let one = |variable: &crate::table::encode::Variable| {
        let fit = fit.as_ref().ok()?;
        let columns = || variable.columns.clone();
        let ratio = || likelihood_ratio(fit, &encoded.design, &event, columns());
        let known = match rule.statistic {
            // A variable without columns has no test.
            Statistic::Wald if variable.columns.is_empty() => None,
            Statistic::Wald => wald(fit, columns()).map(|test| (test, Statistic::Wald)),
            Statistic::LikelihoodRatio => None,
        };
        let (test, statistic) = known.or_else(|| Some((ratio()?, Statistic::LikelihoodRatio)))?;
        (!test.p.is_nan()).then_some(Deciding { p: test.p, statistic })
    };
    let deciding = encoded.variables.iter().map(one).collect();
    Ok(Model { event, fit, deciding, encoded })
}

impl Params {
    /// Names a setting that no run could use. Whether references exist depends on the variables.
    pub fn check(&self) -> Result<(), Unfit> {
        setting::share("alpha", self.alpha)
    }
}

impl Default for Params {
    fn default() -> Self {
        let references = [
            ("sex", "female"),
            ("location", "other"),
            ("pathological_fracture", "no"),
            ("lung_metastasis", "yes"),
            ("subtype", "other"),
        ];
        Params {
            alpha: 0.1,
            statistic: Statistic::Wald,
            rows: Rows::Train,
            references: references.map(|(name, level)| (name.to_owned(), level.to_owned())).into(),
        }
    }
}
