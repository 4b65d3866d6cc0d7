//! One cell as a value of its variable, in the variable's unit.

use crate::protocol::codebook::Value;
use crate::protocol::codebook::unit;
use crate::protocol::codebook::variable::{Kind, Variable};
use crate::study::data::clinical::date;
use crate::study::data::clinical::map::Map;
use crate::study::data::clinical::sign::{self, Signs, Writing};

/// All that a cell of a column is read by.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    pub variable: &'a Variable,
    pub factor: f64,
    pub map: &'a Map,
    pub signs: Signs,
    pub writing: Writing,
    /// Whether check boxes are exported as words.
    pub is_redcap: bool,
}

/// What was read, and what of the cell was not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    pub value: Option<Value>,
    /// The unit that stood behind the number.
    pub unit: Option<String>,
    /// A time of day behind the date.
    pub time: bool,
}

/// Why a cell is no value, and what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub expected: String,
    pub hint: Option<String>,
}

impl Reader<'_> {
    /// Reads a cell; an empty one, and what means a missing value, has no value.
    pub fn read(&self, cell: &str) -> Result<Read, Wrong> {
        let cell = osteon_base::text::clean(cell).replace('\u{a0}', " ");
        let (cell, name) = (cell.trim(), &self.variable.name);
        let known = |value: Option<Value>| Ok(Read { value, ..Read::default() });
        if let Some(level) = self.mapped(cell) {
            return known(Some(level));
        }
        if let Some(reason) = self.map.missing(name, cell) {
            return known((!reason.is_empty()).then(|| Value::Missing(reason.into())));
        }
        match &self.variable.kind {
            Kind::Number(_) => self.number(cell),
            Kind::Date => self.date(cell),
            Kind::Levels { .. } => {
                let word = match cell.to_lowercase().as_str() {
                    "checked" if self.is_redcap && self.is_yes_no() => "yes",
                    "unchecked" if self.is_redcap && self.is_yes_no() => "no",
                    _ => cell,
                };
                self.variable
                    .read(word)
                    .map(|value| Read { value, ..Read::default() })
                    .or_else(|expected| self.wrong(expected, Some(self.level_hint(cell))))
            }
            Kind::Text => self
                .variable
                .read(cell)
                .map(|value| Read { value, ..Read::default() })
                .or_else(|it| self.wrong(it, None)),
        }
    }

    fn wrong(&self, expected: String, hint: Option<String>) -> Result<Read, Wrong> {
        Err(Wrong { expected, hint })
    }

    pub fn is_yes_no(&self) -> bool {
        let levels = self.variable.levels();
        levels.len() == 2 && levels.contains(&"no") && levels.contains(&"yes")
    }

    /// The level that the map gives a word.
    fn mapped(&self, cell: &str) -> Option<Value> {
        let Kind::Levels { levels, .. } = &self.variable.kind else { return None };
        let means = |words: &Vec<String>| words.iter().any(|word| word.trim().eq_ignore_ascii_case(cell));
        let (name, _) = self.map.levels.get(&self.variable.name)?.iter().find(|(_, words)| means(words))?;
        levels.iter().position(|level| level.name == *name).map(Value::Level)
    }

    fn number(&self, cell: &str) -> Result<Read, Wrong> {
        let name = &self.variable.name;
        let as_it_is = self.variable.read(cell);
        // Missing codes and words of the codebook are none of the file's numbers.
        let is_word = !cell.contains(|c: char| c.is_ascii_digit()) || cell.starts_with(char::is_alphabetic);
        if is_word || matches!(as_it_is, Ok(None | Some(Value::Missing(_)))) {
            return as_it_is
                .map(|value| Read { value, ..Read::default() })
                .or_else(|expected| self.wrong(expected, None));
        }
        let (number, unit) = with_unit(cell);
        let factor = match &unit {
            None => self.factor,
            Some(unit) => match unit::factor(unit, &self.variable.unit) {
                Some(factor) => factor,
                None if unit::is_same(unit, &self.variable.unit) => 1.0,
                None => return self.wrong(self.variable.expected(), self.number_hint(cell)),
            },
        };
        let plain = match self.map.decimal(name) {
            Some(decimal) => match sign::plain(number, decimal) {
                Some(plain) => plain,
                None => {
                    return self.wrong(format!("{} with the decimal sign {decimal}", self.variable.expected()), None);
                }
            },
            None if self.signs.is_unclear(number, self.writing) => {
                let expected =
                    format!("{} whose decimal sign is clear, without thousands separator", self.variable.expected());
                let hint = format!(
                    "{number} may be two numbers: [decimal] {name} = \",\" or \".\" in the map says which sign stands before \
                     the decimals"
                );
                return self.wrong(expected, Some(hint));
            }
            None => number.to_owned(),
        };
        let plain = if factor == 1.0 { plain } else { scaled(&plain, factor) };
        match self.variable.read(&plain) {
            Ok(value) => Ok(Read { value, unit, time: false }),
            Err(expected) => self.wrong(expected, self.number_hint(cell)),
        }
    }

    fn date(&self, cell: &str) -> Result<Read, Wrong> {
        let name = &self.variable.name;
        let as_it_is = self.variable.read(cell);
        if let Ok(value) = as_it_is {
            return Ok(Read { value, ..Read::default() });
        }
        if let Some((date, time)) = date::day(cell) {
            return Ok(Read { value: Some(Value::Date(date)), unit: None, time });
        }
        if let Some(date) = self.map.order(name).and_then(|order| order.read(cell)) {
            return Ok(Read { value: Some(Value::Date(date)), ..Read::default() });
        }
        let hint = format!(
            "the map says how the file writes dates: [date] {name} = \"DD.MM.YYYY\", or \"MM/DD/YYYY\" where the month comes \
             first"
        );
        self.wrong(self.variable.expected(), Some(hint))
    }

    fn level_hint(&self, cell: &str) -> String {
        let (name, levels) = (&self.variable.name, self.variable.levels());
        if cell == "+" && self.is_yes_no() {
            return format!("signs are words too: [levels.{name}] yes = [\"+\"] and no = [\"-\"] in the map");
        }
        let first = levels.first().copied().unwrap_or_default();
        format!("the map says what the file's words mean: [levels.{name}] \"{first}\" = [\"...\"]")
    }

    fn number_hint(&self, cell: &str) -> Option<String> {
        let name = &self.variable.name;
        if cell.starts_with(['<', '>', '≤', '≥']) {
            return Some(format!(
                "the codebook says what a value beyond a limit of detection becomes: detection = \"half\", \"limit\" or \
                 \"interval\" of the variable {name}"
            ));
        }
        let digits = cell.trim_start_matches('-');
        let first = digits.chars().next()?;
        let is_code = matches!(first, '7' | '8' | '9') && digits.chars().all(|c| c == first);
        let is_code = is_code && (cell.starts_with('-') || digits.len() > 1);
        is_code.then(|| format!("if {cell} means a missing value, the map says so: [missing] {name} = [\"{cell}\"]"))
    }
}

/// A number and the unit behind it: `120 U/L`, `88mm`, `95%`.
fn with_unit(cell: &str) -> (&str, Option<String>) {
    let end = cell.rfind(|c: char| c.is_ascii_digit()).map_or(0, |at| at + 1);
    let (number, rest) = cell.split_at(end);
    let rest = rest.trim();
    if !rest.is_empty() && unit::is_unit(rest) {
        return (number.trim(), Some(rest.to_owned()));
    }
    // The digit of mm3 is none of the number.
    let cut = number.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',');
    match cell.split_once(|c: char| c.is_alphabetic()).map(|(number, _)| number) {
        Some(number) if !cut.is_empty() && unit::is_unit(&cell[number.len()..]) => {
            (number.trim(), Some(cell[number.len()..].trim().to_owned()))
        }
        _ => (cell, None),
    }
}

/// The numbers of a cell (`8.5`, `< 5`, `50 to 89`) times a factor.
fn scaled(cell: &str, factor: f64) -> String {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | 'e' | 'E');
    let words = cell.split_inclusive(|c: char| !is_part(c)).flat_map(|word| {
        let end = word.find(|c: char| !is_part(c)).unwrap_or(word.len());
        [&word[..end], &word[end..]]
    });
    words
        .map(|word| match word.replace(',', ".").parse::<f64>() {
            Ok(number) => unit::digits(number * factor).to_string(),
            Err(_) => word.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_behind_a_number_is_told_from_it() {
        let check = |cell: &str, number: &str, unit: Option<&str>| {
            assert_eq!(with_unit(cell), (number, unit.map(str::to_owned)), "{cell}");
        };
        check("120 U/L", "120", Some("U/L"));
        check("88mm", "88", Some("mm"));
        check("16y", "16", Some("y"));
        check("95 %", "95", Some("%"));
        check("5 mm3", "5", Some("mm3"));
        check("12 about", "12 about", None);
        check("1e5", "1e5", None);
        check("< 5", "< 5", None);
    }

    #[test]
    fn numbers_are_multiplied_to_the_last_typed_digit() {
        let check = |cell: &str, factor: f64, expected: &str| assert_eq!(scaled(cell, factor), expected, "{cell}");
        check("8,7", 10.0, "87");
        check("0.07", 100.0, "7");
        check("< 5", 10.0, "< 50");
        check("50 to 89", 0.1, "5 to 8.9");
        check("-1.5", 2.0, "-3");
    }
}
