//! One typed cell, and the one rule by which each kind of number becomes text.

use osteon_stats::stats::text::{fixed, p_text};

/// One cell of a sheet. What is undefined is `Empty`; infinite numbers are allowed and print as `inf`.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    Empty,
    Text(String),
    /// A level below the heading of its variable.
    Level {
        of: String,
        level: String,
    },
    Count(usize),
    CountPercent {
        n: usize,
        of: usize,
    },
    Number {
        value: f64,
        digits: usize,
    },
    MeanSd {
        mean: f64,
        sd: f64,
        digits: usize,
    },
    MedianIqr {
        median: f64,
        q1: f64,
        q3: f64,
        digits: usize,
    },
    Interval {
        estimate: f64,
        low: f64,
        high: f64,
        digits: usize,
    },
    /// Two limits without an estimate.
    Range {
        low: f64,
        high: f64,
        digits: usize,
    },
    P(f64),
    /// A number in the typography of an outlet, with its footnote.
    Printed(String),
}

/// One value of a cell: what it is (empty for the cell itself) and its value.
pub(crate) type Part<'a> = (&'static str, Value<'a>);

/// A value without its presentation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Count(usize),
    Number(f64),
}

impl Cell {
    /// A number, or an empty cell where it is undefined.
    pub fn number(value: Option<f64>, digits: usize) -> Cell {
        value.map_or(Cell::Empty, |value| Cell::Number { value, digits })
    }

    /// A p value, or an empty cell where it is undefined.
    pub fn p(value: Option<f64>) -> Cell {
        value.map_or(Cell::Empty, Cell::P)
    }

    /// What a person reads.
    pub fn text(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Text(text) => osteon_base::text::clean(text).into_owned(),
            Cell::Level { level, .. } => format!("  {}", osteon_base::text::clean(level)),
            Cell::Count(n) => n.to_string(),
            Cell::CountPercent { n, of } => format!("{n} ({})", fixed(percent(*n, *of), 1)),
            Cell::Number { value, digits } => fixed(*value, *digits),
            Cell::MeanSd { mean, sd, digits } => format!("{} ± {}", fixed(*mean, *digits), fixed(*sd, *digits)),
            Cell::MedianIqr { median, q1, q3, digits } => {
                format!("{} [{}]", fixed(*median, *digits), range(*q1, *q3, *digits))
            }
            Cell::Interval { estimate, low, high, digits } => {
                format!("{} ({})", fixed(*estimate, *digits), range(*low, *high, *digits))
            }
            Cell::Range { low, high, digits } => range(*low, *high, *digits),
            Cell::P(p) => p_text(*p),
            Cell::Printed(text) => osteon_base::text::clean(text).into_owned(),
        }
    }

    /// The values of the cell by name, each with every digit it has.
    pub fn precise(&self) -> Vec<(&'static str, String)> {
        let text = |value| match value {
            Value::Text(text) => osteon_base::text::clean(text).into_owned(),
            Value::Count(n) => n.to_string(),
            Value::Number(number) => number.to_string(),
        };
        self.parts().into_iter().map(|(name, value)| (name, text(value))).collect()
    }

    pub fn is_number(&self) -> bool {
        !matches!(self, Cell::Empty | Cell::Text(_) | Cell::Level { .. })
    }

    /// The numbers of the cell in the order of its text.
    pub fn numbers(&self) -> Vec<f64> {
        let number = |(_, value): Part| match value {
            Value::Text(_) => None,
            Value::Count(n) => Some(n as f64),
            Value::Number(number) => Some(number),
        };
        self.parts().into_iter().filter_map(number).collect()
    }

    /// The values of the cell by name, none for an empty one.
    pub(crate) fn parts(&self) -> Vec<Part<'_>> {
        use Value::{Count, Number, Text};
        match self {
            Cell::Empty => Vec::new(),
            Cell::Text(text) => vec![("", Text(text))],
            Cell::Level { of, level } => vec![("", Text(of)), ("level", Text(level))],
            Cell::Count(n) => vec![("", Count(*n))],
            Cell::CountPercent { n, of } => vec![("n", Count(*n)), ("percent", Number(percent(*n, *of)))],
            Cell::Number { value, .. } => vec![("", Number(*value))],
            Cell::MeanSd { mean, sd, .. } => vec![("mean", Number(*mean)), ("sd", Number(*sd))],
            Cell::MedianIqr { median, q1, q3, .. } => {
                vec![("median", Number(*median)), ("q1", Number(*q1)), ("q3", Number(*q3))]
            }
            Cell::Interval { estimate, low, high, .. } => {
                vec![("estimate", Number(*estimate)), ("low", Number(*low)), ("high", Number(*high))]
            }
            Cell::Range { low, high, .. } => vec![("low", Number(*low)), ("high", Number(*high))],
            Cell::P(p) => vec![("", Number(*p))],
            Cell::Printed(text) => vec![("", Text(text))],
        }
    }
}

/// `low-high`, or `low to high` where a sign would be mistaken for the dash.
fn range(low: f64, high: f64, digits: usize) -> String {
    let (low, high) = (fixed(low, digits), fixed(high, digits));
    let dash = if low.starts_with('-') || high.starts_with('-') { " to " } else { "-" };
    format!("{low}{dash}{high}")
}

/// Percent of the whole; an empty whole has none of anything.
fn percent(n: usize, of: usize) -> f64 {
    if of == 0 { 0.0 } else { 100.0 * n as f64 / of as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_number_has_one_text() {
        let check = |cell: Cell, expected: &str| assert_eq!(cell.text(), expected);
        check(Cell::CountPercent { n: 7, of: 45 }, "7 (15.6)");
        check(Cell::CountPercent { n: 0, of: 0 }, "0 (0.0)");
        check(Cell::Number { value: -0.0004, digits: 3 }, "0.000");
        check(Cell::Number { value: 1e300, digits: 2 }, "1.00e300");
        check(Cell::Number { value: f64::NEG_INFINITY, digits: 2 }, "-inf");
        check(Cell::MeanSd { mean: 100.236, sd: 39.518, digits: 2 }, "100.24 ± 39.52");
        check(Cell::MedianIqr { median: 15.0, q1: 12.0, q3: 20.0, digits: 1 }, "15.0 [12.0-20.0]");
        check(Cell::Interval { estimate: 1.148, low: 0.4523, high: 2.9138, digits: 3 }, "1.148 (0.452-2.914)");
        check(Cell::Interval { estimate: 0.1, low: -0.2, high: 0.4, digits: 1 }, "0.1 (-0.2 to 0.4)");
        check(Cell::P(0.0004), "<0.001");
        check(Cell::P(0.0005001), "<0.001");
        check(Cell::P(0.0561), "0.056");
        check(Cell::P(1.0), "1.000");
    }
}
