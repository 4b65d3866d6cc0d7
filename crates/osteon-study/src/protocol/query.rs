//! What raises a query on an included patient by itself, at each import and edit.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protocol::codebook::variable::{Kind, Variable};
use crate::protocol::codebook::{Codebook, Value};
use crate::protocol::{ProtocolError, nearest};
use osteon_base::setting::Unfit;
use osteon_stats::table::Table;
use osteon_stats::table::filter::Filter;

/// Rules that raise queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Whether a variable without a value raises one.
    pub missing: bool,
    /// Conditions that a patient should not meet, each `VARIABLE: CONDITION`: the variable that the query stands on, and
    /// values that do not fit together, written like a filter of patients (`alp: alp > 2000 and ldh < 150`).
    pub inconsistent: Vec<String>,
    /// The lowest and the highest value of each number that raises none.
    pub usual: BTreeMap<String, [f64; 2]>,
}

impl Default for Params {
    fn default() -> Self {
        Params { missing: true, inconsistent: Vec::new(), usual: Codebook::study().usual() }
    }
}

impl Params {
    /// Variable and text of each rule that a patient's values break, in the order of the codebook.
    pub fn broken(&self, book: &Codebook, values: &[Option<Value>]) -> Vec<(String, String)> {
        let patient = table(book, values);
        let inconsistent = self.inconsistent.iter().filter_map(|rule| {
            let (variable, condition) = split(book, rule)?;
            let filter = Filter::parse(condition, &patient).ok()?;
            let text = || format!("values do not fit together: {condition}");
            filter.passes(&patient, 0).then(|| (variable.name.clone(), text()))
        });
        let single = book.variables.iter().zip(values).filter_map(|(variable, value)| {
            let text = match (value, self.usual.get(&variable.name)) {
                // A value that has a reason to be missing, or that nobody types, is no question.
                (None, _) if self.missing && !variable.is_computed() => "no value".to_owned(),
                (Some(Value::Number(value)), Some([low, high])) if !(low..=high).contains(&value) => {
                    format!("{value} is outside the usual range {low} to {high}")
                }
                (Some(Value::Number(value)), _) if variable.is_computed() && !possible(variable, *value) => {
                    format!("the formula gives {value}, which is not possible")
                }
                _ => return None,
            };
            Some((variable.name.clone(), text))
        });
        single.chain(inconsistent).collect()
    }

    /// Refuses conditions that are none, and ranges without a value.
    pub(in crate::protocol) fn check(&self, book: &Codebook) -> Result<(), ProtocolError> {
        let wrong = |key: &str, found: String, expected: &str| {
            Err(ProtocolError::Unfit(Unfit { key: key.to_owned(), found, expected: expected.to_owned() }))
        };
        if let Some((name, range)) =
            self.usual.iter().find(|(_, [low, high])| low.partial_cmp(high).is_none_or(Ordering::is_gt))
        {
            return wrong("query.usual", format!("{name} = {range:?}"), "two ascending numbers for each variable");
        }
        if let Some(name) = self.usual.keys().find(|name| book.named(name).is_none()) {
            let names: Vec<&str> = book.variables.iter().map(|variable| variable.name.as_str()).collect();
            let expected = format!("variables of the codebook; the nearest is {}", nearest(name, &names));
            return wrong("query.usual", name.clone(), &expected);
        }
        let patient = table(book, &vec![None; book.variables.len()]);
        let hidden = book.hidden();
        let is_open = |column: &&osteon_stats::table::Column| !hidden.contains(column.name.as_str());
        let columns = patient.columns().iter().filter(is_open).cloned().collect();
        let without_outcome = Table::new(patient.rows().to_vec(), columns).expect("one value a column");
        for rule in &self.inconsistent {
            let Some((variable, condition)) = split(book, rule) else {
                let names: Vec<&str> = book.variables.iter().map(|variable| variable.name.as_str()).collect();
                let found = rule.split(':').next().unwrap_or_default().trim();
                // A variable that was renamed is found by its permanent key.
                let meant = book.keyed(found).map_or_else(|| nearest(found, &names), |variable| variable.name.as_str());
                let expected = format!("VARIABLE: CONDITION; the nearest variable is {meant}");
                return wrong("query.inconsistent", format!("{rule:?}"), &expected);
            };
            if let Err(cause) = Filter::parse(condition, &patient) {
                return Err(ProtocolError::Condition { rule: rule.clone(), cause });
            }
            // A blind reader sees no query on what decides the outcome, and must not learn of it from others.
            if !hidden.contains(variable.name.as_str()) && Filter::parse(condition, &without_outcome).is_err() {
                let all = hidden.iter().copied().collect::<Vec<_>>().join(", ");
                return wrong(
                    "query.inconsistent",
                    format!("{rule:?}"),
                    &format!("conditions on {all} to stand on it"),
                );
            }
        }
        Ok(())
    }
}

fn split<'a>(book: &'a Codebook, rule: &'a str) -> Option<(&'a Variable, &'a str)> {
    let (name, condition) = rule.split_once(':')?;
    Some((book.named(name.trim())?, condition.trim()))
}

fn possible(variable: &Variable, value: f64) -> bool {
    match &variable.kind {
        Kind::Number(number) => number.possible.contains(value),
        _ => true,
    }
}

fn table(book: &Codebook, values: &[Option<Value>]) -> Table {
    let columns =
        book.variables.iter().zip(values).map(|(variable, value)| variable.column([value.as_ref()])).collect();
    Table::new(vec![String::new()], columns).expect("one value a column")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(inconsistent: &[&str]) -> Params {
        Params { inconsistent: inconsistent.iter().map(|&rule| rule.to_owned()).collect(), ..Params::default() }
    }

    #[test]
    fn values_that_do_not_fit_together_are_found_and_missing_ones_meet_no_condition() {
        let rules = params(&["alp: alp > 2000 and ldh < 150", "ldh : age < 5 and sex = male"]);
        let book = Codebook::study();
        rules.check(book).unwrap();
        let mut entries = vec![None; book.variables.len()];
        let place = |name: &str| book.place(name).unwrap();
        entries[place("alp")] = Some(Value::Number(2500.0));
        entries[place("age")] = Some(Value::Number(2.0));
        let fits = |found: &[(String, String)]| !found.iter().any(|(_, text)| text.contains("do not fit"));
        assert!(fits(&rules.broken(book, &entries)));
        entries[place("ldh")] = Some(Value::Number(149.0));
        let found = rules.broken(book, &entries);
        let expected = ("alp".to_owned(), "values do not fit together: alp > 2000 and ldh < 150".to_owned());
        assert_eq!(found.last(), Some(&expected));
        assert!(found.contains(&("age".to_owned(), "2 is outside the usual range 3 to 80".to_owned())));
        assert!(found.contains(&("sex".to_owned(), "no value".to_owned())));
        let lax = Params { missing: false, usual: BTreeMap::from([("age".to_owned(), [0.0, 9.0])]), ..rules };
        assert_eq!(lax.broken(book, &entries), [expected]);
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for wrong in ["alp > 3", "height: alp > 3", "alp: alp >", "alp: weight > 3", "alp: necrosis_pct > 3"] {
            assert!(params(&[wrong]).check(Codebook::study()).is_err(), "{wrong}");
        }
        let usual = BTreeMap::from([("age".to_owned(), [9.0, f64::NAN])]);
        assert!(Params { usual, ..Params::default() }.check(Codebook::study()).is_err());
    }
}
