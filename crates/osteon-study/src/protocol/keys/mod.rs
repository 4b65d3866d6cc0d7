//! Every setting, listed once: what it means, its unit, what it takes, when it has a say, and its sentence in the
//! methods. Checks, `--set`, `protocol keys`, the dashboard's forms and the methods are made from this list.

mod images;
mod learning;
mod tables;
mod takes;

use toml::{Table, Value};

use crate::protocol::Protocol;
use osteon_base::setting::Unfit;
pub use takes::Takes;

/// One setting.
pub struct Key {
    /// Dotted, as in the document; a table of variables stands for all its keys.
    pub name: &'static str,
    pub meaning: &'static str,
    /// Empty for none.
    pub unit: &'static str,
    pub takes: Takes,
    /// When it has a say, and why it has none otherwise; `None` where it always has one.
    needs: Option<Need>,
    /// Its sentence, or part of one; `None` where there is nothing to tell.
    tell: fn(&Value) -> Option<String>,
}

/// Whether a setting has a say, and why it has none otherwise.
type Need = (fn(&Protocol) -> bool, &'static str);

impl Key {
    const fn new(name: &'static str, meaning: &'static str, takes: Takes, tell: fn(&Value) -> Option<String>) -> Key {
        Key { name, meaning, unit: "", takes, needs: None, tell }
    }

    const fn unit(self, unit: &'static str) -> Key {
        Key { unit, ..self }
    }

    const fn needs(self, has_say: fn(&Protocol) -> bool, because: &'static str) -> Key {
        Key { needs: Some((has_say, because)), ..self }
    }

    /// The sentence of a value; empty values and defaults that change nothing have none.
    pub fn sentence(&self, value: &Value) -> Option<String> {
        (self.tell)(value)
    }

    /// Why it has no say under the others; `None` where it has one.
    pub fn no_say(&self, protocol: &Protocol) -> Option<&'static str> {
        self.needs.filter(|(has_say, _)| !has_say(protocol)).map(|(_, because)| because)
    }

    /// `unless preprocess.spacing_mm is empty`, or nothing where it always has a say.
    pub fn in_force(&self) -> String {
        self.needs.map_or_else(|| "always".to_owned(), |(_, because)| format!("unless {because}"))
    }

    fn is(&self, key: &str) -> bool {
        key == self.name || key.strip_prefix(self.name).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// Every setting, in the order of the methods.
pub fn all() -> impl Iterator<Item = &'static Key> {
    images::KEYS.iter().chain(learning::KEYS).chain(tables::KEYS)
}

/// The setting of a dotted key.
pub fn of(key: &str) -> Option<&'static Key> {
    all().find(|known| known.is(key))
}

/// Why a key or a table of keys has no say under the other settings; `None` where it has one.
pub fn no_say(protocol: &Protocol, key: &str) -> Option<&'static str> {
    of(key)?.no_say(protocol)
}

/// The value of a dotted key in a document.
pub fn value<'a>(document: &'a Table, key: &str) -> Option<&'a Value> {
    let mut parts = key.split('.');
    let first = document.get(parts.next()?)?;
    parts.try_fold(first, |at, part| at.as_table()?.get(part))
}

/// The first setting of a document, in the order of the list, that its own bounds refuse, under its key.
pub fn unfit(document: &Table) -> Option<Unfit> {
    all().find_map(|key| {
        let value = value(document, key.name)?;
        let found = key.takes.refuses(value)?;
        Some(Unfit { key: key.name.to_owned(), found, expected: key.takes.in_words() })
    })
}

/// A value as it reads in a sentence.
pub(in crate::protocol) fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.replace('_', " "),
        Value::Float(number) => number.to_string(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => listed(&items.iter().map(words).collect::<Vec<_>>(), "and"),
        other => other.to_string(),
    }
}

/// Names as they are written, one after the other.
fn names(value: &Value) -> String {
    let items = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    items.collect::<Vec<_>>().join(", ")
}

/// `2, 4 and 6`.
fn listed(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// `50, 100 or 200`.
fn either(value: &Value) -> String {
    let items: Vec<String> = value.as_array().into_iter().flatten().map(words).collect();
    listed(&items, "or")
}

fn on(value: &Value, yes: &str, no: &str) -> Option<String> {
    let text = if value.as_bool() == Some(true) { yes } else { no };
    (!text.is_empty()).then(|| text.to_owned())
}

fn empty(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

/// The sentence of the word that a value is.
fn one_of(value: &Value, sentences: &[(&str, &str)]) -> Option<String> {
    let found = sentences.iter().find(|(word, _)| value.as_str() == Some(word))?.1;
    (!found.is_empty()).then(|| found.to_owned())
}

/// Told from what was done, not from the setting.
fn untold(_: &Value) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Preset;

    #[test]
    fn every_key_of_a_protocol_is_in_the_list_once_and_every_entry_is_a_key() {
        let keys = Preset::Study.protocol().keys();
        for key in &keys {
            assert_eq!(all().filter(|known| known.is(key)).count(), 1, "{key}");
        }
        let lost: Vec<&str> = all()
            .map(|known| known.name)
            .filter(|name| !keys.iter().any(|key| of(key).is_some_and(|it| it.name == *name)))
            .collect();
        assert_eq!(lost, [""; 0]);
        for key in all() {
            assert!(!key.meaning.is_empty() && !key.meaning.ends_with('.'), "{}", key.name);
        }
    }

    #[test]
    fn bounds_and_choices_of_the_list_are_those_of_the_settings_themselves() {
        let study = Preset::Study.protocol();
        for key in all() {
            for (text, fits) in key.takes.samples() {
                // Set as a document, so that a setting without a say is tried too.
                let document = format!("{} = {text}", key.name);
                let parsed: Table = document.parse().unwrap();
                assert_eq!(unfit(&parsed).is_none(), fits, "{document}");
                let base = study.to_table();
                let mut table = base.clone();
                merge(&mut table, parsed);
                let own = table.try_into::<Protocol>().map_err(|cause| cause.to_string()).and_then(|read| {
                    Protocol { codebook: study.codebook.clone(), ..read }
                        .check_each()
                        .map_err(|cause| cause.to_string())
                });
                match own {
                    Ok(()) => assert!(fits, "{document} is taken"),
                    // Relations to other settings are theirs to refuse.
                    Err(why) => assert!(!fits || relation(&why), "{document}: {why}"),
                }
            }
        }
    }

    /// What a setting asks of others, or of the number of its values.
    fn relation(why: &str) -> bool {
        why.contains("three numbers") || why.contains("no two slots") || why.contains("learn.harmonise is combat")
    }

    fn merge(base: &mut Table, over: Table) {
        for (name, value) in over {
            match (base.get_mut(&name), value) {
                (Some(Value::Table(inner)), Value::Table(value)) => merge(inner, value),
                (_, value) => drop(base.insert(name, value)),
            }
        }
    }

    #[test]
    fn choices_are_all_that_the_setting_reads() {
        for key in all() {
            let (Takes::Word(own) | Takes::Words(own)) = &key.takes else { continue };
            let wrong = match &key.takes {
                Takes::Word(_) => Value::String("nonsense".to_owned()),
                _ => Value::Array(vec![Value::String("nonsense".to_owned())]),
            };
            let mut table = Preset::Study.protocol().to_table();
            let mut parts: Vec<&str> = key.name.split('.').collect();
            let leaf = parts.pop().unwrap();
            let mut at = &mut table;
            for part in parts {
                at = at.get_mut(part).unwrap().as_table_mut().unwrap();
            }
            at.insert(leaf.to_owned(), wrong);
            let said = table.try_into::<Protocol>().unwrap_err().to_string();
            for word in *own {
                assert!(said.contains(&format!("`{word}`")), "{}: {said}", key.name);
            }
            let n = said.split(", expected").nth(1).unwrap().split('\n').next().unwrap().matches('`').count() / 2;
            assert_eq!(n, own.len(), "{}: {said}", key.name);
        }
    }

    #[test]
    fn what_has_no_say_is_refused_as_an_assignment_and_listed_in_a_document() {
        let refused = |set: &[&str]| Preset::Study.protocol().set(set.iter().copied()).unwrap_err().to_string();
        assert_eq!(
            refused(&["feature.ibsi.n_bins=16"]),
            "feature.ibsi.n_bins has no say: feature.families has no ibsi"
        );
        assert_eq!(
            refused(&["learn.n_imputations=9"]),
            "learn.n_imputations has no say: learn.missing is not multiple"
        );
        assert!(refused(&["select.mrmr.n_quantiles=4"]).contains("no bins of quantiles"));
        assert!(refused(&["learn.clinical=[\"alp\"]", "learn.p_keep=0.2"]).contains("names the predictors"));
        assert!(refused(&["preprocess.spacing_mm=[]", "preprocess.round=true"]).contains("spacing_mm is empty"));
        assert!(refused(&["filter.images=[\"original\"]", "filter.crop=roi"]).contains("original image alone"));
        assert!(Preset::Study.protocol().set(["learn.missing=multiple", "learn.n_imputations=9"]).is_ok());
        let listed =
            Protocol::without_say("learn.n_imputations = 9\nlearn.p_enter = 0.2\n[feature.ibsi]\nn_bins = 16\n");
        let keys: Vec<String> = listed.unwrap().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["feature.ibsi.n_bins", "learn.n_imputations"]);
    }
}
