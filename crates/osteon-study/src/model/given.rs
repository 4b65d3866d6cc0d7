//! What is given of one patient, by name: clinical values, each with its unit where one is written.

use std::collections::BTreeMap;

use crate::model::read::{Model, ModelError};
use crate::model::terms::parts;
use crate::pipeline::learn::RAD_SCORE;
use crate::protocol::codebook::variable::{Kind, Variable};

impl Model {
    /// Names of the clinical inputs and of the Rad-score, in the order of the combined model, and of what says the batch of a
    /// harmonized model.
    pub fn inputs(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for term in self.combined.terms.iter().chain(&self.clinical.terms) {
            let (name, _) = parts(term);
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        names.extend(self.batch_inputs());
        names
    }

    /// Clinical values from `NAME=VALUE` words.
    ///
    /// # Errors
    /// When a name is no input of the model, or a value is in another unit or none of the variable's.
    pub fn given(&self, assignments: &[String]) -> Result<BTreeMap<String, String>, ModelError> {
        let mut known = BTreeMap::new();
        for assignment in assignments {
            let (name, value) = assignment.split_once('=').ok_or_else(|| ModelError::Value {
                name: "--set".to_owned(),
                found: assignment.clone(),
                expected: "NAME=VALUE".to_owned(),
            })?;
            let (name, unit) = named_unit(name.trim());
            let value = self.checked(name, unit, value.trim())?;
            known.insert(name.to_owned(), value);
        }
        Ok(known)
    }

    /// A value of an input as the codebook writes it, its unit held against the model's and taken off.
    ///
    /// # Errors
    /// As `given`.
    pub fn checked(&self, name: &str, unit: Option<&str>, value: &str) -> Result<String, ModelError> {
        let inputs = self.inputs();
        if !inputs.iter().any(|known| known == name) {
            return Err(ModelError::Input { found: name.to_owned(), valid: inputs.join(", ") });
        }
        let Some(variable) = self.codebook.named(name).filter(|_| name != RAD_SCORE) else {
            return Ok(value.to_owned());
        };
        if let Some(unit) = unit {
            same_unit(variable, unit)?;
        }
        let value = match with_unit(variable, value) {
            Some((number, unit)) => {
                same_unit(variable, unit)?;
                number
            }
            None => value,
        };
        match variable.read(value) {
            Ok(_) => Ok(value.to_owned()),
            Err(expected) => {
                let unit = if variable.unit.is_empty() { String::new() } else { format!(" in {}", variable.unit) };
                let expected = format!("{expected}{unit}");
                Err(ModelError::Value { name: name.to_owned(), found: value.to_owned(), expected })
            }
        }
    }
}

/// `alp [µkat/L]`, `alp (µkat/L)` or `alp, µkat/L` as a name and its unit.
pub fn named_unit(text: &str) -> (&str, Option<&str>) {
    for (open, close) in [('[', ']'), ('(', ')')] {
        if let Some((name, rest)) = text.split_once(open)
            && let Some(unit) = rest.trim_end().strip_suffix(close)
        {
            return (name.trim(), Some(unit.trim()));
        }
    }
    match text.split_once(", ") {
        Some((name, unit)) => (name.trim(), Some(unit.trim())),
        None => (text, None),
    }
}

/// A number with a unit behind it: `5.1 ukat/L`; `None` for anything else, levels and bare numbers too.
fn with_unit<'a>(variable: &Variable, value: &'a str) -> Option<(&'a str, &'a str)> {
    let Kind::Number(_) = variable.kind else { return None };
    if variable.read(value).is_ok() {
        return None;
    }
    let is_number = |c: char| c.is_ascii_digit() || "+-.,".contains(c);
    let end = value.find(|c: char| !is_number(c))?;
    let (number, unit) = (value[..end].trim(), value[end..].trim());
    (number.chars().any(|c| c.is_ascii_digit()) && !unit.is_empty()).then_some((number, unit))
}

fn same_unit(variable: &Variable, unit: &str) -> Result<(), ModelError> {
    if plain(unit) == plain(&variable.unit) {
        return Ok(());
    }
    let expected = if variable.unit.is_empty() { "no unit" } else { &variable.unit };
    let (name, found, expected) = (variable.name.clone(), unit.to_owned(), expected.to_owned());
    Err(ModelError::Unit { name, found, expected })
}

/// A unit without the ways in which the same one is written: capitals of L, spaces, the two micro signs.
pub fn plain(unit: &str) -> String {
    let letters = unit.chars().filter(|c| !c.is_whitespace()).map(|c| match c {
        'μ' | 'µ' => 'u',
        '·' | '×' | '*' => '.',
        '²' => '2',
        '³' => '3',
        other => other,
    });
    let plain: String = letters.collect();
    match plain.rsplit_once('/') {
        Some((above, below @ ("l" | "dl" | "ml" | "ul"))) => format!("{above}/{}L", &below[..below.len() - 1]),
        _ => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_the_same_however_it_is_written() {
        for (one, other, same) in [
            ("U/L", "U/l", true),
            ("μg/L", "µg / L", true),
            ("U/L", "ukat/L", false),
            ("mm³", "mm3", true),
            ("mg/dl", "mg/dL", true),
        ] {
            assert_eq!(plain(one) == plain(other), same, "{one} {other}");
        }
    }

    #[test]
    fn a_name_may_carry_its_unit() {
        assert_eq!(named_unit("alp [ukat/L]"), ("alp", Some("ukat/L")));
        assert_eq!(named_unit("ALP (U/L)"), ("ALP", Some("U/L")));
        assert_eq!(named_unit("alp, U/L"), ("alp", Some("U/L")));
        assert_eq!(named_unit("alp"), ("alp", None));
    }
}
