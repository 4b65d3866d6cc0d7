//! Which variables of a univariate screen enter the multivariate model.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
