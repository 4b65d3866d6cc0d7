//! What raises a query on an included patient by itself, at each import and edit.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::protocol::ProtocolError;
use crate::protocol::variable::{Entry, Kind, NECROSIS, VARIABLES, Variable};
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
        let usual = |variable: &Variable| match variable.kind {
            Kind::Number { usual, .. } => Some((variable.name.to_owned(), usual)),
            Kind::Levels(_) => None,
        };
        Params { missing: true, inconsistent: Vec::new(), usual: VARIABLES.iter().filter_map(usual).collect() }
    }
}

impl Params {
    /// Variable and text of each rule that a patient's values break, in the order of `VARIABLES`.
    pub fn broken(&self, entries: &[Option<Entry>]) -> Vec<(&'static str, String)> {
        let patient = table(entries);
        let inconsistent = self.inconsistent.iter().filter_map(|rule| {
            let (variable, condition) = split(rule)?;
            let filter = Filter::parse(condition, &patient).ok()?;
            filter.passes(&patient, 0).then(|| (variable.name, format!("values do not fit together: {condition}")))
        });
        let single = VARIABLES.iter().zip(entries).filter_map(|(variable, entry)| {
            let text = match (entry, self.usual.get(variable.name)) {
                (None, _) if self.missing => "no value".to_owned(),
                (Some(Entry::Number(value)), Some([low, high])) if !(low..=high).contains(&value) => {
                    format!("{value} is outside the usual range {low} to {high}")
                }
                _ => return None,
            };
            Some((variable.name, text))
        });
        single.chain(inconsistent).collect()
    }

    /// Refuses conditions that are none, and ranges without a value.
    pub(in crate::protocol) fn check(&self) -> Result<(), ProtocolError> {
        let wrong = |key: &str, found: String, expected: &str| {
            Err(ProtocolError::Unfit(Unfit { key: key.to_owned(), found, expected: expected.to_owned() }))
        };
        if let Some((name, range)) =
            self.usual.iter().find(|(_, [low, high])| low.partial_cmp(high).is_none_or(Ordering::is_gt))
        {
            return wrong("query.usual", format!("{name} = {range:?}"), "two ascending numbers for each variable");
        }
        let patient = table(&vec![None; VARIABLES.len()]);
        let columns = patient.columns().iter().filter(|column| column.name != NECROSIS).cloned().collect();
        let without_necrosis = Table::new(patient.rows().to_vec(), columns).expect("one value a column");
        for rule in &self.inconsistent {
            let Some((variable, condition)) = split(rule) else {
                return wrong("query.inconsistent", format!("{rule:?}"), "VARIABLE: CONDITION, the variable in full");
            };
            if let Err(cause) = Filter::parse(condition, &patient) {
                return Err(ProtocolError::Condition { rule: rule.clone(), cause });
            }
            // A blind reader sees no query on the necrosis, and must not learn of it from others.
            if variable.name != NECROSIS && Filter::parse(condition, &without_necrosis).is_err() {
                return wrong("query.inconsistent", format!("{rule:?}"), "conditions on necrosis_pct to stand on it");
            }
        }
        Ok(())
    }
}

fn split(rule: &str) -> Option<(&'static Variable, &str)> {
    let (name, condition) = rule.split_once(':')?;
    Some((Variable::named(name.trim())?, condition.trim()))
}

fn table(entries: &[Option<Entry>]) -> Table {
    let columns = VARIABLES.iter().zip(entries).map(|(variable, entry)| variable.column([*entry])).collect();
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
        rules.check().unwrap();
        let mut entries = vec![None; VARIABLES.len()];
        let place = |name: &str| VARIABLES.iter().position(|it| it.name == name).unwrap();
        entries[place("alp")] = Some(Entry::Number(2500.0));
        entries[place("age")] = Some(Entry::Number(2.0));
        let fits = |found: &[(&str, String)]| !found.iter().any(|(_, text)| text.contains("do not fit"));
        assert!(fits(&rules.broken(&entries)));
        entries[place("ldh")] = Some(Entry::Number(149.0));
        let found = rules.broken(&entries);
        let expected = ("alp", "values do not fit together: alp > 2000 and ldh < 150".to_owned());
        assert_eq!(found.last(), Some(&expected));
        assert!(found.contains(&("age", "2 is outside the usual range 3 to 80".to_owned())));
        assert!(found.contains(&("sex", "no value".to_owned())));
        let lax = Params { missing: false, usual: BTreeMap::from([("age".to_owned(), [0.0, 9.0])]), ..rules };
        assert_eq!(lax.broken(&entries), [expected]);
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for wrong in ["alp > 3", "height: alp > 3", "alp: alp >", "alp: weight > 3", "alp: necrosis_pct > 3"] {
            assert!(params(&[wrong]).check().is_err(), "{wrong}");
        }
        let usual = BTreeMap::from([("age".to_owned(), [9.0, f64::NAN])]);
        assert!(Params { usual, ..Params::default() }.check().is_err());
    }
}
