//! The lines of the forest plot from Table 4: reference levels, and the increase that an odds ratio is for.

use crate::report::figure::forest::{Estimate, Row};
use crate::report::increase::Increase;
use crate::report::regression::Regression;
use crate::report::screening::{Screened, Screening};

/// A numeric variable takes one line; one with levels a heading, its reference and one line a further level.
pub fn rows(screening: &Screening) -> Vec<Row> {
    let together = screening.multivariate.as_ref().and_then(|(_, model)| model.as_ref().ok());
    screening.variables.iter().flat_map(|variable| of_variable(variable, together)).collect()
}

/// `ALP, per 1 U/L`.
pub fn with_increase(variable: &Screened) -> String {
    format!("{}, {}", variable.variable.label, variable.increase.words)
}

fn of_variable(variable: &Screened, together: Option<&Regression>) -> Vec<Row> {
    let (form, encoded) = (&variable.variable, &variable.encoded);
    let alone = variable.model.as_ref().ok();
    let line = |label: String, column: Option<&str>, reference: bool| Row {
        label,
        univariable: column.and_then(|column| estimate(alone?, column, &variable.increase)),
        multivariable: column.and_then(|column| estimate(together?, column, &variable.increase)),
        reference,
    };
    let columns = &encoded.design.columns;
    let (Some(shape), false) = (encoded.variables.first(), columns.is_empty()) else { return Vec::new() };
    let Some(reference) = &shape.reference else {
        return vec![line(with_increase(variable), Some(&columns[0]), false)];
    };
    let level = |level: &str| format!("  {}", form.level_in_tables(level));
    let mut rows = vec![line(form.label.clone(), None, false), line(level(reference), None, true)];
    let others = shape.levels.iter().zip(columns);
    rows.extend(others.map(|(name, column)| line(level(name), Some(column), false)));
    rows
}

/// The estimate of a column; `None` where the model has none, or it is infinite.
fn estimate(model: &Regression, column: &str, increase: &Increase) -> Option<Estimate> {
    let term = model.fit.terms.iter().find(|term| term.name == column)?;
    let [low, high] = term.odds_ratio_wald()?.map(|end| increase.scaled(end));
    Some(Estimate { odds_ratio: increase.scaled(term.odds_ratio()?), low, high, p: term.p()? })
}
