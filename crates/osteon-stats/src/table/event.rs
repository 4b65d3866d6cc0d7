//! The event that a table is divided by: `COLUMN=VALUE`, `COLUMN<NUMBER` and so on.

use std::str::FromStr;

use crate::table::{Table, TableError, Values};

/// A condition on one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub column: String,
    pub relation: Relation,
    pub value: String,
}

/// How the column's value stands to the given one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Equal,
    NotEqual,
    Below,
    AtMost,
    Above,
    AtLeast,
}

/// Why an event cannot be told.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum EventError {
    #[error("{0} is no event, expected COLUMN=VALUE, COLUMN!=VALUE, COLUMN<NUMBER, <=, > or >=")]
    Syntax(String),
    #[error("the event compares {column} with {value}, which is no number")]
    NotANumber { column: String, value: String },
    #[error("column {column} has no value {value}, it has {levels}")]
    NoLevel { column: String, value: String, levels: String },
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Two-character signs first, so that `<=` is not read as `<`.
const SIGNS: [(&str, Relation); 6] = [
    ("!=", Relation::NotEqual),
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("=", Relation::Equal),
    ("<", Relation::Below),
    (">", Relation::Above),
];

impl FromStr for Event {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Event, EventError> {
        let text = text.trim();
        let (quoted, rest) = quoted_column(text);
        if let Some(column) = quoted.filter(|_| SIGNS.iter().any(|(sign, _)| rest.trim_start().starts_with(sign))) {
            // A stand-in for the name, so that its signs are none.
            return Ok(Event { column, ..format!("x{rest}").parse()? });
        }
        let first = SIGNS.iter().filter_map(|(sign, relation)| Some((text.find(sign)?, sign, relation)));
        // The earliest sign counts; among those at one place the longest, which is listed first.
        let (at, sign, relation) =
            first.min_by_key(|(at, ..)| *at).ok_or_else(|| EventError::Syntax(text.to_owned()))?;
        let (column, value) = (text[..at].trim(), text[at + sign.len()..].trim());
        let value = value.strip_prefix('=').filter(|_| *sign == "=").unwrap_or(value);
        if column.is_empty() || value.is_empty() {
            return Err(EventError::Syntax(text.to_owned()));
        }
        Ok(Event { column: column.to_owned(), relation: *relation, value: value.to_owned() })
    }
}

/// The name in quotes that a text begins with, doubled quotes being one, and what follows it.
fn quoted_column(text: &str) -> (Option<String>, &str) {
    let Some(inside) = text.strip_prefix('"') else { return (None, text) };
    let mut name = String::new();
    let mut letters = inside.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' if letters.next_if(|(_, next)| *next == '"').is_none() => return (Some(name), &inside[at + 1..]),
            letter => name.push(letter),
        }
    }
    (None, text)
}

impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = SIGNS.iter().find(|(_, relation)| *relation == self.relation).map_or("=", |(sign, _)| sign);
        write!(f, "{}{sign}{}", self.column, self.value)
    }
}

impl Event {
    /// One answer a row, `None` where the column has a hole.
    pub fn of(&self, table: &Table) -> Result<Vec<Option<bool>>, EventError> {
        match &table.column(&self.column)?.values {
            Values::Numbers(values) => {
                let limit = self.number()?;
                let holds = |value: f64| match self.relation {
                    Relation::Equal => value == limit,
                    Relation::NotEqual => value != limit,
                    Relation::Below => value < limit,
                    Relation::AtMost => value <= limit,
                    Relation::Above => value > limit,
                    Relation::AtLeast => value >= limit,
                };
                Ok(values.iter().map(|value| value.map(holds)).collect())
            }
            Values::Levels { levels, codes } => {
                let wanted = levels.iter().position(|level| *level == self.value);
                let is = match (self.relation, wanted) {
                    (Relation::Equal, Some(wanted)) => {
                        codes.iter().map(|code| code.map(|code| code == wanted)).collect()
                    }
                    (Relation::NotEqual, Some(wanted)) => {
                        codes.iter().map(|code| code.map(|code| code != wanted)).collect()
                    }
                    (Relation::Equal | Relation::NotEqual, None) => return Err(self.no_level(levels)),
                    _ => return Err(TableError::NotNumbers(self.column.clone()).into()),
                };
                Ok(is)
            }
        }
    }

    fn number(&self) -> Result<f64, EventError> {
        let parsed = self.value.parse().ok().filter(|value: &f64| value.is_finite());
        parsed.ok_or_else(|| EventError::NotANumber { column: self.column.clone(), value: self.value.clone() })
    }

    fn no_level(&self, levels: &[String]) -> EventError {
        let mut shown = levels.iter().take(10).cloned().collect::<Vec<_>>().join(", ");
        if levels.len() > 10 {
            shown.push_str(&format!(" and {} more", levels.len() - 10));
        }
        EventError::NoLevel { column: self.column.clone(), value: self.value.clone(), levels: shown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_with_its_longest_sign() {
        let check = |text: &str, column: &str, relation: Relation, value: &str| {
            let event: Event = text.parse().unwrap();
            assert_eq!((event.column.as_str(), event.relation, event.value.as_str()), (column, relation, value));
        };
        check("necrosis_pct<90", "necrosis_pct", Relation::Below, "90");
        check("a <= 3", "a", Relation::AtMost, "3");
        check("a>=3", "a", Relation::AtLeast, "3");
        check("ftv3=2+", "ftv3", Relation::Equal, "2+");
        check("a==b", "a", Relation::Equal, "b");
        check("a!=b<c", "a", Relation::NotEqual, "b<c");
        check(r#""a<b ""c"""=1"#, r#"a<b "c""#, Relation::Equal, "1");
        check(r#""x>=y" < 3"#, "x>=y", Relation::Below, "3");
        assert!("a".parse::<Event>().is_err());
        assert!("=3".parse::<Event>().is_err());
    }

    #[test]
    fn a_hole_has_no_answer_and_a_wrong_level_is_told_the_right_ones() {
        let table = crate::table::read::csv(b"x,g\n1,a\n,b\n3,\n", &[]).unwrap().table;
        let of = |text: &str| text.parse::<Event>().unwrap().of(&table);
        assert_eq!(of("x>=2").unwrap(), [Some(false), None, Some(true)]);
        assert_eq!(of("g!=a").unwrap(), [Some(false), Some(true), None]);
        assert_eq!(of("g=c").unwrap_err().to_string(), "column g has no value c, it has a, b");
        assert!(of("x=many").is_err() && of("g<3").is_err() && of("y=1").is_err());
    }
}
