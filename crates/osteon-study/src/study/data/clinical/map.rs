//! The map of a file: how its headers, words, units and signs become the study's.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::protocol::codebook::Codebook;
use crate::protocol::codebook::unit;
use crate::protocol::codebook::variable::{Kind, Moment, Variable};
use crate::study::Error;
use crate::study::data::clinical::CODE;
use crate::study::data::clinical::date::Order;

/// The name under which an entry is for all variables.
const ALL: &str = "*";

/// How a file's own headers and words map to the study's.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// Sheet of a workbook; without it, the first visible one with cells.
    pub sheet: Option<String>,
    /// Our name (`patient_id` or a variable) = the file's header.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// Variable, then our level = the file's words for it.
    #[serde(default)]
    pub levels: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// Variable = the factor by which the file's numbers are multiplied.
    #[serde(default)]
    pub scale: BTreeMap<String, f64>,
    /// Variable = the unit of the file's numbers, whatever the header says.
    #[serde(default)]
    pub unit: BTreeMap<String, String>,
    /// Variable, or `*` = cells that mean a missing value, each alone or as `code: reason`.
    #[serde(default)]
    pub missing: BTreeMap<String, Vec<String>>,
    /// Variable, or `*` = the decimal sign, `,` or `.`; the other one, blanks and apostrophes group thousands.
    #[serde(default)]
    pub decimal: BTreeMap<String, String>,
    /// Variable, or `*` = how the file writes dates, such as `DD.MM.YYYY`.
    #[serde(default)]
    pub date: BTreeMap<String, String>,
    /// The file's patient id = the study's; an id that stands for itself is a patient of its own.
    #[serde(default)]
    pub patients: BTreeMap<String, String>,
    #[serde(default)]
    pub redcap: Redcap,
}

/// How the rows of a longitudinal export become one patient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redcap {
    /// Event = a moment, or `not read`.
    #[serde(default)]
    pub events: BTreeMap<String, String>,
    /// Variable = the event that it is taken from, whatever its moment.
    #[serde(default)]
    pub from: BTreeMap<String, String>,
    /// Variable, or `*` = which of several values is taken.
    #[serde(default)]
    pub take: BTreeMap<String, Take>,
}

/// Which of several values of one moment is taken, in the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Take {
    First,
    Last,
}

/// The word for an event whose rows are left out.
pub const NOT_READ: &str = "not read";

impl Map {
    /// Reads a map file.
    pub fn parse(text: &str, book: &Codebook) -> Result<Map, Error> {
        let map: Map = toml::from_str(text)
            .map_err(|cause| Error::Map(cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ")))?;
        map.check(book).map_err(Error::Map)?;
        Ok(map)
    }

    fn check(&self, book: &Codebook) -> Result<(), String> {
        for (name, levels) in &self.levels {
            let known = book.named(name).map(Variable::levels).unwrap_or_default();
            if known.is_empty() {
                return Err(format!("levels.{name}: no variable with levels has this name"));
            }
            if let Some(level) = levels.keys().find(|level| !known.contains(&level.as_str())) {
                return Err(format!("levels.{name}.{level}: the levels are {}", known.join(", ")));
            }
        }
        if let Some(name) = self.columns.keys().find(|name| *name != CODE && book.named(name).is_none()) {
            return Err(format!("columns.{name}: no variable has this name"));
        }
        let is = |kind: fn(&Kind) -> bool, name: &str| book.named(name).is_some_and(|it| kind(&it.kind));
        let number: fn(&Kind) -> bool = |kind| matches!(kind, Kind::Number(_));
        let numbers = self.scale.keys().map(|name| ("scale", name)).chain(self.unit.keys().map(|name| ("unit", name)));
        let signs = self.decimal.keys().filter(|name| *name != ALL).map(|name| ("decimal", name));
        if let Some((key, name)) = numbers.chain(signs).find(|(_, name)| !is(number, name)) {
            return Err(format!("{key}.{name}: no variable of numbers has this name"));
        }
        if let Some(name) = self.date.keys().find(|name| *name != ALL && !is(|kind| *kind == Kind::Date, name)) {
            return Err(format!("date.{name}: no variable of dates has this name"));
        }
        let named = self.missing.keys().map(|name| ("missing", name));
        let named = named.chain(self.redcap.from.keys().map(|name| ("redcap.from", name)));
        let mut named = named.chain(self.redcap.take.keys().map(|name| ("redcap.take", name)));
        if let Some((key, name)) = named.find(|(_, name)| *name != ALL && book.named(name).is_none()) {
            return Err(format!("{key}.{name}: no variable has this name"));
        }
        if let Some((name, factor)) = self.scale.iter().find(|(_, factor)| !factor.is_finite() || **factor == 0.0) {
            return Err(format!("scale.{name} is {factor}, expected a factor such as 10"));
        }
        if let Some(name) = self.scale.keys().find(|name| self.unit.contains_key(*name)) {
            return Err(format!("scale.{name} and unit.{name} both say how its numbers are converted; expected one"));
        }
        for (name, unit) in &self.unit {
            let own = book.named(name).map_or("", |variable| variable.unit.as_str());
            if !unit::is_same(unit, own) && unit::factor(unit, own).is_none() {
                return Err(format!(
                    "unit.{name} is {unit:?}, which is not converted to {own:?}; scale.{name} gives the factor"
                ));
            }
        }
        if let Some((name, sign)) = self.decimal.iter().find(|(_, sign)| !matches!(sign.as_str(), "," | ".")) {
            return Err(format!("decimal.{name} is {sign:?}, expected \",\" or \".\""));
        }
        for (name, text) in &self.date {
            Order::parse(text).map_err(|expected| format!("date.{name} is {text:?}, expected {expected}"))?;
        }
        for (event, moment) in &self.redcap.events {
            if moment != NOT_READ && Moment::named(moment).is_none() {
                let known = Moment::ALL.map(Moment::name).join(", ");
                return Err(format!("redcap.events.{event} is {moment:?}, expected {known} or {NOT_READ}"));
            }
        }
        Ok(())
    }

    /// Whether a cell means a missing value of a variable, and why it is missing; empty for no reason.
    pub fn missing(&self, name: &str, cell: &str) -> Option<&str> {
        let codes = [name, ALL].into_iter().filter_map(|name| self.missing.get(name)).flatten();
        let mut split = codes.map(|code| code.split_once(": ").unwrap_or((code, "")));
        let is = |code: &str| {
            let number = |text: &str| text.parse::<f64>().ok();
            code.trim().eq_ignore_ascii_case(cell) || number(code).is_some_and(|code| number(cell) == Some(code))
        };
        split.find(|(code, _)| is(code)).map(|(_, reason)| reason.trim())
    }

    /// The decimal sign that the map gives for a variable.
    pub fn decimal(&self, name: &str) -> Option<char> {
        self.decimal.get(name).or(self.decimal.get(ALL)).and_then(|sign| sign.chars().next())
    }

    /// How the dates of a variable are written.
    pub fn order(&self, name: &str) -> Option<Order> {
        let text = self.date.get(name).or(self.date.get(ALL))?;
        Order::parse(text).ok()
    }

    /// Which of several values of a variable is taken.
    pub fn take(&self, name: &str) -> Option<Take> {
        self.redcap.take.get(name).or(self.redcap.take.get(ALL)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Map, String> {
        Map::parse(text, Codebook::study()).map_err(|why| why.to_string())
    }

    #[test]
    fn what_is_no_map_is_refused_with_its_key() {
        let check = |text: &str, part: &str| {
            let message = parse(text).expect_err(text);
            assert!(message.contains(part), "{text}: {message}");
        };
        check("[columns]\nheight = \"x\"", "columns.height");
        check("[levels.sex]\nboth = []", "levels.sex.both: the levels are female, male");
        check("[levels.alp]\nx = []", "levels.alp");
        check("colums = 1", "unknown field `colums`");
        check("[scale]\nsex = 2", "scale.sex: no variable of numbers");
        check("[scale]\nalp = 0", "scale.alp is 0");
        check("[scale]\nalp = 2\n[unit]\nalp = \"U/L\"", "expected one");
        check("[unit]\nalp = \"ukat/L\"", "scale.alp gives the factor");
        check("[missing]\nheight = [\"-9\"]", "missing.height");
        check("[decimal]\nalp = \";\"", "expected \",\" or \".\"");
        check("[date]\nalp = \"DD.MM.YYYY\"", "date.alp: no variable of dates");
        check("[date]\n\"*\" = \"DD.MM.YY\"", "four digits");
        check("[redcap.events]\nvisit = \"later\"", "redcap.events.visit");
        check("[redcap.take]\nalp = \"middle\"", "middle");
    }

    #[test]
    fn a_missing_code_is_known_by_its_number_too() {
        let map = parse("[missing]\nage = [\"-9\"]\n\"*\" = [\"UNK: not known\"]").unwrap();
        assert_eq!(map.missing("age", "-9.0"), Some(""));
        assert_eq!(map.missing("alp", "unk"), Some("not known"));
        assert_eq!(map.missing("alp", "-9"), None);
    }
}
