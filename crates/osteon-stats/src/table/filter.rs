//! Which rows: `alp > 300 and pf = yes`, read once and asked of any row of a table.
//!
//! ```text
//! either     = both { "or" both }
//! both       = one { "and" one }
//! one        = "not" one | "(" either ")" | column test
//! test       = ("=" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "!~") value | "is" ["not"] "missing"
//! ```
//!
//! A column is named in full, by an unambiguous beginning or by its initials (`pf` for `pathological_fracture`);
//! `id` is the row's id. `~` asks whether a text contains another. Case never matters. A missing value passes no
//! test but `is missing` and what `not` turns round.

use std::cmp::Ordering;
use std::ops::Range;

use crate::table::{Table, Values, natural};

/// A condition on the rows of tables with the columns it was read for.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// `None` asks the row's id.
    Test {
        column: Option<usize>,
        test: Test,
    },
}

/// What one value is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Missing,
    Number(Relation, f64),
    Text(Relation, String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    Contains,
    Lacks,
}

/// Why a text is no filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {}: {problem}", at.start + 1)]
pub struct FilterError {
    /// Characters of the text, counted from 0; empty at the end of the text.
    pub at: Range<usize>,
    pub problem: String,
}

impl Filter {
    /// Reads a filter for tables with these columns; errors say at which characters and what was expected.
    pub fn parse(text: &str, table: &Table) -> Result<Filter, FilterError> {
        let words = words(text)?;
        let end = text.chars().count();
        let mut parser = Parser { words: &words, end, table, depth: 0 };
        let filter = parser.either()?;
        match parser.words.first() {
            None => Ok(filter),
            Some(word) => Err(word.wrong("expected and, or, or the end")),
        }
    }

    /// Whether a row passes.
    pub fn passes(&self, table: &Table, row: usize) -> bool {
        match self {
            Filter::All(filters) => filters.iter().all(|filter| filter.passes(table, row)),
            Filter::Any(filters) => filters.iter().any(|filter| filter.passes(table, row)),
            Filter::Not(filter) => !filter.passes(table, row),
            Filter::Test { column: None, test } => test.of_text(Some(&table.rows()[row])),
            Filter::Test { column: Some(at), test } => match &table.columns()[*at].values {
                Values::Numbers(values) => test.of_number(values[row]),
                Values::Levels { levels, codes } => test.of_text(codes[row].map(|code| levels[code].as_str())),
            },
        }
    }

    /// Positions of the rows that pass, in their order.
    pub fn rows(&self, table: &Table) -> Vec<usize> {
        (0..table.rows().len()).filter(|&row| self.passes(table, row)).collect()
    }
}

impl Test {
    fn of_number(&self, value: Option<f64>) -> bool {
        match (self, value) {
            (Test::Missing, value) => value.is_none(),
            (Test::Number(relation, than), Some(value)) => {
                value.partial_cmp(than).is_some_and(|order| relation.holds(order))
            }
            _ => false,
        }
    }

    fn of_text(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Test::Missing, value) => value.is_none(),
            (Test::Text(relation @ (Relation::Contains | Relation::Lacks), part), Some(value)) => {
                value.to_lowercase().contains(&part.to_lowercase()) == (*relation == Relation::Contains)
            }
            (Test::Text(relation, than), Some(value)) => {
                let same = value.to_lowercase() == than.to_lowercase();
                relation.holds(if same { Ordering::Equal } else { natural::compare(value, than) })
            }
            _ => false,
        }
    }
}

impl Relation {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Relation::Equal => order.is_eq(),
            Relation::Unequal => order.is_ne(),
            Relation::Less => order.is_lt(),
            Relation::AtMost => order.is_le(),
            Relation::More => order.is_gt(),
            Relation::AtLeast => order.is_ge(),
            Relation::Contains | Relation::Lacks => false,
        }
    }
}

const RELATIONS: [(&str, Relation); 10] = [
    ("=", Relation::Equal),
    ("==", Relation::Equal),
    ("!=", Relation::Unequal),
    ("<>", Relation::Unequal),
    ("<", Relation::Less),
    ("<=", Relation::AtMost),
    (">", Relation::More),
    (">=", Relation::AtLeast),
    ("~", Relation::Contains),
    ("!~", Relation::Lacks),
];

#[derive(Clone, Debug, PartialEq)]
struct Word {
    text: String,
    at: Range<usize>,
    quoted: bool,
}

impl Word {
    fn is(&self, text: &str) -> bool {
        !self.quoted && self.text.eq_ignore_ascii_case(text)
    }

    fn wrong(&self, problem: impl Into<String>) -> FilterError {
        FilterError { at: self.at.clone(), problem: problem.into() }
    }
}

/// Words, quoted words, signs and brackets, each with its place.
fn words(text: &str) -> Result<Vec<Word>, FilterError> {
    let chars: Vec<char> = text.chars().collect();
    let is_sign = |c: char| "=!<>~".contains(c);
    let is_word = |c: char| !c.is_whitespace() && !is_sign(c) && !"()'\"".contains(c);
    let mut words = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let run = |from: usize, of: &dyn Fn(char) -> bool| from + chars[from..].iter().take_while(|&&c| of(c)).count();
        let (from, to, next, quoted) = match c {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '(' | ')' => (at, at + 1, at + 1, false),
            '\'' | '"' => {
                let to = run(at + 1, &|d| d != c);
                if to == chars.len() {
                    return Err(FilterError { at: at..to, problem: format!("the quote {c} is not closed") });
                }
                (at + 1, to, to + 1, true)
            }
            c if is_sign(c) => (at, run(at, &is_sign), run(at, &is_sign), false),
            _ => (at, run(at, &is_word), run(at, &is_word), false),
        };
        words.push(Word { text: chars[from..to].iter().collect(), at: at..next, quoted });
        at = next;
    }
    Ok(words)
}

struct Parser<'a> {
    words: &'a [Word],
    end: usize,
    table: &'a Table,
    /// How many brackets and `not` are open.
    depth: usize,
}

/// Nobody writes more, and each level takes room on the stack.
const MAX_DEPTH: usize = 64;

impl<'a> Parser<'a> {
    fn either(&mut self) -> Result<Filter, FilterError> {
        let mut filters = vec![self.both()?];
        while self.accept("or") {
            filters.push(self.both()?);
        }
        Ok(one_or(filters, Filter::Any))
    }

    fn both(&mut self) -> Result<Filter, FilterError> {
        let mut filters = vec![self.one()?];
        while self.accept("and") {
            filters.push(self.one()?);
        }
        Ok(one_or(filters, Filter::All))
    }

    fn one(&mut self) -> Result<Filter, FilterError> {
        if self.depth == MAX_DEPTH {
            return Err(self.missing(&format!("at most {MAX_DEPTH} brackets and nots inside each other")));
        }
        if self.accept("not") {
            self.depth += 1;
            let inner = self.one()?;
            self.depth -= 1;
            return Ok(Filter::Not(Box::new(inner)));
        }
        if self.accept("(") {
            self.depth += 1;
            let inner = self.either()?;
            self.depth -= 1;
            return if self.accept(")") { Ok(inner) } else { Err(self.missing("a closing bracket")) };
        }
        let name = self.take("a column")?;
        let column = self.column(name)?;
        if self.accept("is") {
            let turned = self.accept("not");
            let word = self.take("missing")?;
            if !word.is("missing") {
                return Err(word.wrong("expected missing"));
            }
            let test = Filter::Test { column, test: Test::Missing };
            return Ok(if turned { Filter::Not(Box::new(test)) } else { test });
        }
        let sign = self.take("a comparison such as = or >")?;
        let relation = RELATIONS.iter().find(|(text, _)| sign.is(text));
        let (_, relation) = relation.ok_or_else(|| sign.wrong("expected =, !=, <, <=, >, >=, ~, !~ or is"))?;
        let value = self.take("a value")?;
        Ok(Filter::Test { column, test: self.test(column, *relation, sign, value)? })
    }

    fn test(&self, column: Option<usize>, relation: Relation, sign: &Word, value: &Word) -> Result<Test, FilterError> {
        match column.map(|at| &self.table.columns()[at]) {
            Some(column) if matches!(column.values, Values::Numbers(_)) => {
                if matches!(relation, Relation::Contains | Relation::Lacks) {
                    return Err(sign.wrong(format!("{} holds numbers, compare with = or >", column.name)));
                }
                let number = value.text.parse().ok().filter(|number: &f64| number.is_finite());
                let number = number.ok_or_else(|| value.wrong(format!("{} holds numbers", column.name)))?;
                Ok(Test::Number(relation, number))
            }
            Some(column) if matches!(relation, Relation::Equal | Relation::Unequal) => {
                let Values::Levels { levels, .. } = &column.values else { unreachable!("numbers were met above") };
                let known = levels.is_empty() || levels.iter().any(|it| it.to_lowercase() == value.text.to_lowercase());
                if !known && levels.len() <= 12 {
                    return Err(value.wrong(format!("{} is one of {}", column.name, levels.join(", "))));
                }
                Ok(Test::Text(relation, value.text.clone()))
            }
            _ => Ok(Test::Text(relation, value.text.clone())),
        }
    }

    /// Position of the column that a word means; `None` for the id.
    fn column(&self, word: &Word) -> Result<Option<usize>, FilterError> {
        if word.is("id") {
            return Ok(None);
        }
        let wanted = word.text.to_lowercase();
        let names: Vec<&str> = self.table.columns().iter().map(|column| column.name.as_str()).collect();
        if let Some(at) = names.iter().position(|name| name.to_lowercase() == wanted) {
            return Ok(Some(at));
        }
        let meant =
            |is: &dyn Fn(&str) -> bool| -> Vec<usize> { (0..names.len()).filter(|&at| is(names[at])).collect() };
        let mut found = meant(&|name| initials(name) == wanted && wanted.len() > 1);
        if found.is_empty() {
            found = meant(&|name| name.to_lowercase().starts_with(&wanted));
        }
        match found[..] {
            [at] => Ok(Some(at)),
            [] => Err(word.wrong(format!("no column {}; columns are id, {}", word.text, names.join(", ")))),
            _ => {
                let all: Vec<&str> = found.iter().map(|&at| names[at]).collect();
                Err(word.wrong(format!("{} may be {}", word.text, all.join(" or "))))
            }
        }
    }

    fn accept(&mut self, text: &str) -> bool {
        let found = self.words.first().is_some_and(|word| word.is(text));
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn take(&mut self, expected: &str) -> Result<&'a Word, FilterError> {
        let (word, rest) = self.words.split_first().ok_or_else(|| self.missing(expected))?;
        self.words = rest;
        Ok(word)
    }

    fn missing(&self, expected: &str) -> FilterError {
        let at = self.words.first().map_or(self.end..self.end, |word| word.at.clone());
        FilterError { at, problem: format!("expected {expected}") }
    }
}

fn one_or(mut filters: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    if filters.len() == 1 { filters.remove(0) } else { many(filters) }
}

fn initials(name: &str) -> String {
    name.split('_').filter_map(|part| part.chars().next()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Column;

    #[test]
    fn depth_is_bounded() {
        let deep = |n: usize, open: &str, close: &str| format!("{}alp > 1{}", open.repeat(n), close.repeat(n));
        let table = table();
        for (open, close) in [("(", ")"), ("not ", "")] {
            assert!(Filter::parse(&deep(60, open, close), &table).is_ok());
            let problem = Filter::parse(&deep(100_000, open, close), &table).unwrap_err().problem;
            assert!(problem.contains("at most 64"), "{problem}");
        }
    }

    fn table() -> Table {
        let levels = |name: &str, levels: &[&str], codes: &[Option<usize>]| Column {
            name: name.into(),
            values: Values::Levels { levels: levels.iter().map(|&it| it.to_owned()).collect(), codes: codes.to_vec() },
        };
        let alp = Values::Numbers(vec![Some(100.0), Some(300.5), None, Some(412.0)]);
        Table::new(
            ["P1", "P2", "P10", "Q3"].map(str::to_owned).to_vec(),
            vec![
                Column { name: "alp".into(), values: alp },
                levels("pathological_fracture", &["no", "yes"], &[Some(1), Some(1), Some(0), None]),
                levels("lung_metastasis", &["no", "yes"], &[Some(0), Some(1), Some(0), Some(1)]),
                levels("location", &["femur", "tibia"], &[Some(0), Some(1), None, Some(0)]),
            ],
        )
        .unwrap()
    }

    #[test]
    fn a_filter_keeps_the_rows_it_describes() {
        let check = |text: &str, expected: &[usize]| {
            let table = table();
            let filter = Filter::parse(text, &table).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(filter.rows(&table), expected, "{text}");
        };
        check("alp > 300", &[1, 3]);
        check("alp > 300 and pf = yes", &[1]);
        check("ALP>=300.5 or Pathological_Fracture=YES", &[0, 1, 3]);
        check("alp is missing", &[2]);
        check("alp is not missing and lm = yes", &[1, 3]);
        check("not alp > 300", &[0, 2]);
        check("not (alp > 300 or pf = no)", &[0]);
        check("loc != femur", &[1]);
        check("loc ~ ib", &[1]);
        check("loc !~ \"ib\"", &[0, 3]);
        check("id ~ 'p'", &[0, 1, 2]);
        check("id <= P2", &[0, 1]);
        check("pf = yes or pf = no and alp is missing", &[0, 1, 2]);
    }

    #[test]
    fn a_wrong_filter_is_answered_with_its_place() {
        let check = |text: &str, at: Range<usize>, part: &str| {
            let error = Filter::parse(text, &table()).expect_err(text);
            assert_eq!(error.at, at, "{text}: {error}");
            assert!(error.problem.contains(part), "{text}: {error}");
        };
        check("", 0..0, "a column");
        check("alp", 3..3, "comparison");
        check("alp >", 5..5, "a value");
        check("alp >> 3", 4..6, "expected =");
        check("alp > high", 6..10, "numbers");
        check("alp > nan", 6..9, "numbers");
        check("alp ~ 3", 4..5, "numbers");
        check("l = 1", 0..1, "lung_metastasis or location");
        check("weight = 1", 0..6, "columns are id, alp");
        check("(alp > 1", 8..8, "closing bracket");
        check("alp > 1 alp < 3", 8..11, "and, or");
        check("location = 'fem", 11..15, "not closed");
        check("location = hip", 11..14, "femur, tibia");
        check("alp is big", 7..10, "missing");
    }
}
