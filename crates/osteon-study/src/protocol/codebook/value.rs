//! One value of a variable: read from a cell, written back, and as a column of a table.

use std::sync::Arc;

use jiff::civil::Date;

use crate::protocol::codebook::range::Range;
use crate::protocol::codebook::variable::{Detection, Kind, Variable};
use osteon_stats::table::{Column, Values};

/// What is known of a variable in one patient at one moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Number(f64),
    /// The number lies in there, no more is known.
    Interval(Range),
    /// Position in the variable's levels.
    Level(usize),
    Date(Date),
    Text(Arc<str>),
    /// No value, and why.
    Missing(Arc<str>),
}

/// Cells that are empty for every variable.
///
/// The last are what spreadsheets (in English, German, French and Spanish) and SPSS show for a value that is not there.
pub(in crate::protocol::codebook) const EMPTY: &[&str] =
    &["", "na", "n/a", "nan", "null", ".", "-", "?", "missing", "unknown", "#n/a", "#nv", "#n/d", "#null!"];
/// Longest text that is kept.
const LONGEST: usize = 10_000;

impl Variable {
    /// Reads a cell; `None` is an empty one. The error is what was expected.
    pub fn read(&self, cell: &str) -> Result<Option<Value>, String> {
        let (cell, word) = (cell.trim(), cell.trim().to_lowercase());
        let code = self.missing.iter().find(|(code, _)| code.to_lowercase() == word);
        if let Some((_, reason)) = code {
            return Ok((!reason.is_empty()).then(|| Value::Missing(reason.as_str().into())));
        }
        if let Some(reason) = cell.strip_prefix("missing: ").map(str::trim).filter(|reason| !reason.is_empty()) {
            return Ok(Some(Value::Missing(osteon_base::text::clean(reason).into())));
        }
        // A study may declare a level that others take for an empty cell.
        let known = self.known(cell, &word);
        if known.is_none() && EMPTY.contains(&word.as_str()) {
            return Ok(None);
        }
        known.map(Some).ok_or_else(|| self.expected())
    }

    fn known(&self, cell: &str, word: &str) -> Option<Value> {
        match &self.kind {
            Kind::Number(number) => {
                if let Some((_, range)) = number.words.iter().find(|(known, _)| known.to_lowercase() == word) {
                    return Some(range.only().map_or(Value::Interval(*range), Value::Number));
                }
                if let Some(value) = decimal(word) {
                    return number.possible.contains(value).then_some(Value::Number(value));
                }
                beyond(word, number.detection).filter(|value| match value {
                    Value::Number(value) => number.possible.contains(*value),
                    // What is not possible is no part of the interval, so only its known end is held against it.
                    Value::Interval(range) => {
                        [range.low, range.high].iter().all(|end| end.is_infinite() || number.possible.contains(*end))
                    }
                    _ => false,
                })
            }
            Kind::Levels { levels, .. } => {
                let means = |text: &String| text.to_lowercase() == word;
                levels.iter().position(|level| means(&level.name) || level.also.iter().any(means)).map(Value::Level)
            }
            Kind::Date => cell.parse().ok().filter(|_| cell.len() == 10).map(Value::Date),
            Kind::Text => {
                let fits = cell.chars().count() <= LONGEST && !EMPTY.contains(&word);
                fits.then(|| Value::Text(osteon_base::text::clean(cell).into()))
            }
        }
    }

    /// As written in files and in the trail: reads back to the same value.
    pub fn text(&self, value: &Value) -> String {
        match (value, &self.kind) {
            (Value::Number(number), _) => number.to_string(),
            (Value::Interval(range), _) => range.to_string(),
            (Value::Level(at), Kind::Levels { levels, .. }) => levels[*at].name.clone(),
            (Value::Level(at), _) => at.to_string(),
            (Value::Date(date), _) => date.to_string(),
            (Value::Text(text) | Value::Missing(text), _) => text.to_string(),
        }
    }

    /// These values as a column; a level's code is its place in the variable's list, dates and texts are levels in
    /// their order.
    pub fn column<'a>(&self, values: impl IntoIterator<Item = Option<&'a Value>>) -> Column {
        let values = values.into_iter();
        let values = match &self.kind {
            Kind::Number(_) => Values::Numbers(values.map(|value| value.and_then(Value::number)).collect()),
            Kind::Levels { levels, .. } => Values::Levels {
                levels: levels.iter().map(|level| level.name.clone()).collect(),
                codes: values.map(|value| value.and_then(Value::level)).collect(),
            },
            Kind::Date | Kind::Text => {
                let known = |value: &&Value| !matches!(value, Value::Missing(_));
                let texts: Vec<Option<String>> =
                    values.map(|value| value.filter(known).map(|value| self.text(value))).collect();
                let mut levels: Vec<String> = texts.iter().flatten().cloned().collect();
                levels.sort();
                levels.dedup();
                let code = |text: Option<String>| levels.binary_search(&text?).ok();
                let codes = texts.into_iter().map(code).collect();
                Values::Levels { levels, codes }
            }
        };
        Column { name: self.name.clone(), values }
    }
}

impl Value {
    /// The number, where exactly one is known.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The position of the level.
    pub fn level(&self) -> Option<usize> {
        match self {
            Value::Level(at) => Some(*at),
            _ => None,
        }
    }

    pub fn date(&self) -> Option<Date> {
        match self {
            Value::Date(date) => Some(*date),
            _ => None,
        }
    }

    /// As the database names its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Number(_) => "number",
            Value::Interval(_) => "interval",
            Value::Level(_) => "levels",
            Value::Date(_) => "date",
            Value::Text(_) => "text",
            Value::Missing(_) => "missing",
        }
    }
}

/// A finite number with a decimal point or a decimal comma; thousands separators are no part of a number.
pub(in crate::protocol::codebook) fn decimal(word: &str) -> Option<f64> {
    let plain = word.chars().all(|c| c.is_ascii_digit() || "+-.,e".contains(c));
    let single = word.matches(['.', ',']).count() <= 1;
    (plain && single).then(|| word.replace(',', ".").parse::<f64>().ok()).flatten().filter(|value| value.is_finite())
}

/// `< 5`, `>= 90` or `90 to 99`, as the rule for limits of detection has it.
fn beyond(word: &str, detection: Detection) -> Option<Value> {
    let is_between = word.contains(" to ");
    let text = if is_between { word.to_owned() } else { word.replace(',', ".") };
    let range = Range::parse(&text).ok()?;
    match detection {
        Detection::Refuse => None,
        Detection::Interval => Some(Value::Interval(range)),
        _ if is_between => None,
        Detection::Half if range.high.is_finite() => Some(Value::Number(range.high / 2.0)),
        Detection::Half | Detection::Limit => {
            Some(Value::Number(if range.high.is_finite() { range.high } else { range.low }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::codebook::Codebook;

    fn book() -> Codebook {
        Codebook::study()
            .with(
                "[variable.crp]\nkind = \"number\"\npossible = \">= 0\"\ndetection = \"half\"\nmissing = [\"-9\", \"888: not done\"]\n\
                 [variable.mri]\nkind = \"date\"\nrole = \"note\"\n[variable.note]\nkind = \"text\"\nrole = \"note\"\n\
                 [variable.necrosis_pct]\ndetection = \"interval\"\nwords = { \"< 50\" = [\"I\"], \"100\" = [\"IV\"] }\n\
                 [variable.smoking]\nkind = \"levels\"\nlevels = [\"never\", \"unknown\"]"
                    .parse()
                    .unwrap(),
            )
            .unwrap()
    }

    #[test]
    fn a_cell_is_read_in_words_codes_and_either_decimal_sign_or_refused() {
        let book = book();
        let check = |name: &str, cell: &str, expected: Option<Option<Value>>| {
            assert_eq!(book.named(name).unwrap().read(cell).ok(), expected, "{name} {cell:?}");
        };
        check("sex", " Female ", Some(Some(Value::Level(0))));
        check("sex", "1", Some(Some(Value::Level(1))));
        check("sex", "0", None);
        check("location", "Others", Some(Some(Value::Level(2))));
        check("alp", "12,5", Some(Some(Value::Number(12.5))));
        check("alp", "1.234,5", None);
        check("alp", "0", None);
        check("alp", "1e400", None);
        check("alp", "< 5", None);
        check("alp", "n/a", Some(None));
        check("age", "121", None);
        check("age", "0", Some(Some(Value::Number(0.0))));
        check("age", "inf", None);
        check("necrosis_pct", "100.1", None);
        check("crp", "<5", Some(Some(Value::Number(2.5))));
        check("crp", "> 500", Some(Some(Value::Number(500.0))));
        check("crp", "-9", Some(None));
        check("crp", "888", Some(Some(Value::Missing("not done".into()))));
        check("crp", "-1", None);
        check("necrosis_pct", "> 90", Some(Some(Value::Interval(Range::parse("> 90").unwrap()))));
        check("necrosis_pct", "50 to 89", Some(Some(Value::Interval(Range::closed(50.0, 89.0)))));
        check("necrosis_pct", "i", Some(Some(Value::Interval(Range::parse("< 50").unwrap()))));
        check("necrosis_pct", "IV", Some(Some(Value::Number(100.0))));
        check("necrosis_pct", "> 101", None);
        check("mri", "2024-02-29", Some(Some(Value::Date(jiff::civil::date(2024, 2, 29)))));
        check("mri", "2023-02-29", None);
        check("mri", "29.2.2024", None);
        check("note", " seen twice ", Some(Some(Value::Text("seen twice".into()))));
        check("note", "", Some(None));
        check("smoking", "unknown", Some(Some(Value::Level(1))));
        check("smoking", "?", Some(None));
    }

    #[test]
    fn a_value_is_written_as_it_is_read() {
        let book = book();
        for (name, cell) in
            [("crp", "2.5"), ("necrosis_pct", "> 90"), ("mri", "2024-02-29"), ("sex", "male"), ("note", "a b")]
        {
            let variable = book.named(name).unwrap();
            let value = variable.read(cell).unwrap().unwrap();
            assert_eq!(variable.text(&value), cell);
        }
    }

    #[test]
    fn dates_are_levels_in_their_order() {
        let book = book();
        let [late, early] = ["2024-03-01", "2023-12-31"].map(|cell| book.named("mri").unwrap().read(cell).unwrap());
        let column = book.named("mri").unwrap().column([late.as_ref(), None, early.as_ref()]);
        let Values::Levels { levels, codes } = column.values else { panic!("levels") };
        assert_eq!(levels, ["2023-12-31", "2024-03-01"]);
        assert_eq!(codes, [Some(1), None, Some(0)]);
    }
}
