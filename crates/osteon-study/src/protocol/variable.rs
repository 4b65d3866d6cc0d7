//! The clinical variables of a study, each listed once: name, unit, levels, range, and the words a file may use.

use osteon_stats::table::{Column, Values};

/// One clinical variable; `name` is its column in files, in the database and in every table.
#[derive(Debug, PartialEq)]
pub struct Variable {
    pub name: &'static str,
    /// As printed in tables, with the unit.
    pub label: &'static str,
    pub kind: Kind,
}

/// What a variable may hold.
#[derive(Debug, PartialEq)]
pub enum Kind {
    /// Anything outside `possible` is refused; anything outside `usual` raises a query.
    Number { possible: [f64; 2], usual: [f64; 2] },
    /// A first level that models compare with is a choice of the protocol, not of this order.
    Levels(&'static [Level]),
}

/// One level, and the other words and codes that mean it.
#[derive(Debug, PartialEq)]
pub struct Level {
    pub name: &'static str,
    pub also: &'static [&'static str],
}

/// One known value of a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Entry {
    Number(f64),
    Level(&'static str),
}

const NO: Level = Level { name: "no", also: &["n", "none", "absent", "false", "0"] };
const YES: Level = Level { name: "yes", also: &["y", "present", "true", "1"] };

/// Necrosis of at least this much (in %) is a good response (pGR).
pub const CUTOFF_PCT: f64 = 90.0;

/// Columns of the cohort that say what is predicted.
pub const OUTCOME: [&str; 3] = [NECROSIS, "response", "event"];

/// Candidates for clinical predictors, in the order of Table 4.
pub const CANDIDATES: [&str; 9] =
    ["sex", "age", "location", "subtype", "lung_metastasis", "diameter_mm", "alp", "ldh", "pathological_fracture"];

/// The variables of Table 1 in its order, and the necrosis percentage that decides the response.
pub const VARIABLES: &[Variable] = &[
    levels("sex", "Sex", &[Level { name: "female", also: &["f", "2"] }, Level { name: "male", also: &["m", "1"] }]),
    number("age", "Age, years", [0.0, 120.0], [3.0, 80.0]),
    levels(
        "location",
        "Location",
        &[
            Level { name: "femur", also: &["1"] },
            Level { name: "tibia", also: &["2"] },
            Level { name: "other", also: &["others", "3"] },
        ],
    ),
    number("diameter_mm", "Diameter, mm", [f64::MIN_POSITIVE, 1000.0], [10.0, 400.0]),
    levels("pathological_fracture", "Pathological fracture", &[NO, YES]),
    levels("lung_metastasis", "Lung metastasis", &[NO, YES]),
    levels(
        "subtype",
        "Pathological subtype",
        &[Level { name: "common", also: &["1"] }, Level { name: "other", also: &["others", "2"] }],
    ),
    number("alp", "ALP, U/L", [f64::MIN_POSITIVE, 100_000.0], [10.0, 10_000.0]),
    number("ldh", "LDH, U/L", [f64::MIN_POSITIVE, 100_000.0], [30.0, 10_000.0]),
    number(NECROSIS, "Necrosis, %", [0.0, 100.0], [0.0, 100.0]),
];

/// The variable that decides the response; not a predictor.
pub const NECROSIS: &str = "necrosis_pct";

/// Words for a cell that is empty.
const EMPTY: &[&str] = &["", "na", "n/a", "nan", "null", ".", "-", "?", "missing", "unknown"];

impl Variable {
    /// The variable of a name.
    pub fn named(name: &str) -> Option<&'static Variable> {
        VARIABLES.iter().find(|variable| variable.name == name)
    }

    /// Reads a cell; `None` is an empty one. The error is what was expected.
    pub fn read(&self, cell: &str) -> Result<Option<Entry>, String> {
        let word = cell.trim().to_lowercase();
        if EMPTY.contains(&word.as_str()) {
            return Ok(None);
        }
        let found = match self.kind {
            Kind::Number { possible: [low, high], .. } => {
                decimal(&word).filter(|value| (low..=high).contains(value)).map(Entry::Number)
            }
            Kind::Levels(levels) => levels
                .iter()
                .find(|level| level.name == word || level.also.contains(&word.as_str()))
                .map(|level| Entry::Level(level.name)),
        };
        found.map(Some).ok_or_else(|| self.expected())
    }

    /// These values of the variable as a column; a level's code is its place in the variable's list.
    pub fn column(&self, entries: impl IntoIterator<Item = Option<Entry>>) -> Column {
        let entries = entries.into_iter();
        let values = match self.kind {
            Kind::Number { .. } => Values::Numbers(entries.map(|entry| entry.and_then(Entry::number)).collect()),
            Kind::Levels(known) => {
                let place = |name| known.iter().position(|level| level.name == name);
                let code = |entry: Option<Entry>| match entry {
                    Some(Entry::Level(name)) => place(name),
                    _ => None,
                };
                let levels = known.iter().map(|level| level.name.to_owned()).collect();
                Values::Levels { levels, codes: entries.map(code).collect() }
            }
        };
        Column { name: self.name.to_owned(), values }
    }

    /// What a cell may hold, in words.
    pub fn expected(&self) -> String {
        match self.kind {
            Kind::Number { possible: [0.0, high], .. } => format!("a number from 0 to {high}"),
            Kind::Number { possible: [_, high], .. } => format!("a number above 0, at most {high}"),
            Kind::Levels(levels) => {
                let names: Vec<String> =
                    levels.iter().map(|level| format!("{} ({})", level.name, level.also.join(", "))).collect();
                names.join(" or ")
            }
        }
    }
}

impl Entry {
    /// The number, where it is one.
    pub fn number(self) -> Option<f64> {
        match self {
            Entry::Number(value) => Some(value),
            Entry::Level(_) => None,
        }
    }

    /// As written in files: the shortest digits that read back to the same number.
    pub fn text(self) -> String {
        match self {
            Entry::Number(value) => value.to_string(),
            Entry::Level(name) => name.to_owned(),
        }
    }
}

const fn number(name: &'static str, label: &'static str, possible: [f64; 2], usual: [f64; 2]) -> Variable {
    Variable { name, label, kind: Kind::Number { possible, usual } }
}

const fn levels(name: &'static str, label: &'static str, levels: &'static [Level]) -> Variable {
    Variable { name, label, kind: Kind::Levels(levels) }
}

/// A finite number with a decimal point or a decimal comma; thousands separators are no part of a number.
fn decimal(word: &str) -> Option<f64> {
    let plain = word.chars().all(|c| c.is_ascii_digit() || "+-.,e".contains(c));
    let single = word.matches(['.', ',']).count() <= 1;
    (plain && single).then(|| word.replace(',', ".").parse::<f64>().ok()).flatten().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_in_words_codes_and_either_decimal_sign_or_refused() {
        let check = |name: &str, cell: &str, expected: Option<Option<Entry>>| {
            assert_eq!(Variable::named(name).unwrap().read(cell).ok(), expected, "{name} {cell:?}");
        };
        check("sex", " Female ", Some(Some(Entry::Level("female"))));
        check("sex", "1", Some(Some(Entry::Level("male"))));
        check("sex", "0", None);
        check("location", "Others", Some(Some(Entry::Level("other"))));
        check("alp", "12,5", Some(Some(Entry::Number(12.5))));
        check("alp", "1.234,5", None);
        check("alp", "0", None);
        check("alp", "1e400", None);
        check("alp", "n/a", Some(None));
        check("age", "121", None);
        check("age", "0", Some(Some(Entry::Number(0.0))));
        check("age", "inf", None);
        check(NECROSIS, "100.1", None);
    }
}
