//! Formulas over variables: `0.000524 * size_1 * size_2 * size_3`, `years(birth, mri)`, `ln(alp / alp_uln)`.
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = signed { ("*" | "/") signed }
//! signed  = "-" signed | power
//! power   = one [ "^" signed ]
//! one     = number | variable | function "(" sum { "," sum } ")" | "(" sum ")"
//! ```
//!
//! Functions: `ln`, `sqrt` (one argument), `min`, `max` (one and more), `years`, `days` (two dates, from the first to
//! the second; a year is 365.25 days). A missing value gives a missing result, and so does one that is no number, such
//! as the logarithm of 0.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::protocol::codebook::value::Value;

/// A formula that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Formula {
    text: String,
    root: Node,
}

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Number(f64),
    Name(String),
    Minus(Box<Node>),
    Pair(Sign, Box<Node>, Box<Node>),
    Call(Function, Vec<Node>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Plus,
    Minus,
    Times,
    Over,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Ln,
    Sqrt,
    Min,
    Max,
    Years,
    Days,
}

/// Why a text is no formula, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormulaError {
    #[error("character {at}: {problem}")]
    Syntax { at: usize, problem: String },
    #[error("nested more than {LIMIT} deep; split it over several variables")]
    Deep,
    #[error("no variable {0}")]
    Unknown(String),
    #[error("{name} is a {found}, expected a {expected}")]
    Kind { name: String, found: &'static str, expected: &'static str },
}

/// Deepest nesting of one formula, and longest chain of formulas.
pub const LIMIT: usize = 64;
const FUNCTIONS: [(&str, Function, usize, usize); 6] = [
    ("ln", Function::Ln, 1, 1),
    ("sqrt", Function::Sqrt, 1, 1),
    ("min", Function::Min, 1, usize::MAX),
    ("max", Function::Max, 1, usize::MAX),
    ("years", Function::Years, 2, 2),
    ("days", Function::Days, 2, 2),
];
/// Days of a Julian year.
const YEAR_DAYS: f64 = 365.25;

impl Formula {
    pub fn parse(text: &str) -> Result<Formula, FormulaError> {
        let chars: Vec<char> = text.chars().collect();
        let mut parser = Parser { chars: &chars, at: 0, depth: 0 };
        let root = parser.sum()?;
        parser.blanks();
        if parser.at < chars.len() {
            return Err(parser.wrong("expected an operator or the end"));
        }
        Ok(Formula { text: text.trim().to_owned(), root })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The variables that it reads.
    pub fn names(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.root.names(&mut names);
        names
    }

    /// The variables that it reads as dates.
    pub fn dates(&self) -> BTreeSet<&str> {
        let mut dates = BTreeSet::new();
        self.root.dates(&mut dates);
        dates
    }

    /// The result; `None` where a value is missing or the result no number.
    pub fn value<'a>(&self, of: &impl Fn(&str) -> Option<&'a Value>) -> Option<f64> {
        self.root.value(of).filter(|value| value.is_finite())
    }
}

impl Node {
    fn names<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Node::Number(_) => (),
            Node::Name(name) => drop(names.insert(name)),
            Node::Minus(inner) => inner.names(names),
            Node::Pair(_, left, right) => [left, right].into_iter().for_each(|node| node.names(names)),
            Node::Call(_, arguments) => arguments.iter().for_each(|node| node.names(names)),
        }
    }

    fn dates<'a>(&'a self, dates: &mut BTreeSet<&'a str>) {
        match self {
            Node::Number(_) | Node::Name(_) => (),
            Node::Minus(inner) => inner.dates(dates),
            Node::Pair(_, left, right) => [left, right].into_iter().for_each(|node| node.dates(dates)),
            Node::Call(Function::Years | Function::Days, arguments) => {
                arguments.iter().for_each(|node| node.names(dates));
            }
            Node::Call(_, arguments) => arguments.iter().for_each(|node| node.dates(dates)),
        }
    }

    fn value<'a>(&self, of: &impl Fn(&str) -> Option<&'a Value>) -> Option<f64> {
        match self {
            Node::Number(value) => Some(*value),
            Node::Name(name) => of(name)?.number(),
            Node::Minus(inner) => Some(-inner.value(of)?),
            Node::Pair(sign, left, right) => {
                let (left, right) = (left.value(of)?, right.value(of)?);
                Some(match sign {
                    Sign::Plus => left + right,
                    Sign::Minus => left - right,
                    Sign::Times => left * right,
                    Sign::Over => left / right,
                    Sign::Power => left.powf(right),
                })
            }
            Node::Call(function @ (Function::Years | Function::Days), arguments) => {
                let date = |node: &Node| match node {
                    Node::Name(name) => of(name)?.date(),
                    _ => None,
                };
                let days = days(date(&arguments[0])?, date(&arguments[1])?);
                Some(if *function == Function::Years { days / YEAR_DAYS } else { days })
            }
            Node::Call(function, arguments) => {
                let values = arguments.iter().map(|node| node.value(of)).collect::<Option<Vec<f64>>>()?;
                match function {
                    Function::Ln => Some(values[0].ln()),
                    Function::Sqrt => Some(values[0].sqrt()),
                    Function::Min => values.into_iter().reduce(f64::min),
                    _ => values.into_iter().reduce(f64::max),
                }
            }
        }
    }
}

/// Days from one date to another.
pub fn days(from: Date, to: Date) -> f64 {
    f64::from((to - from).get_days())
}

struct Parser<'a> {
    chars: &'a [char],
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn sum(&mut self) -> Result<Node, FormulaError> {
        let mut left = self.product()?;
        while let Some(sign) = self.sign(&[('+', Sign::Plus), ('-', Sign::Minus)]) {
            left = Node::Pair(sign, Box::new(left), Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Node, FormulaError> {
        let mut left = self.signed()?;
        while let Some(sign) = self.sign(&[('*', Sign::Times), ('/', Sign::Over)]) {
            left = Node::Pair(sign, Box::new(left), Box::new(self.signed()?));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Node, FormulaError> {
        self.depth += 1;
        if self.depth > LIMIT {
            return Err(FormulaError::Deep);
        }
        let node = if self.accept('-') {
            Node::Minus(Box::new(self.signed()?))
        } else {
            let base = self.one()?;
            match self.accept('^') {
                true => Node::Pair(Sign::Power, Box::new(base), Box::new(self.signed()?)),
                false => base,
            }
        };
        self.depth -= 1;
        Ok(node)
    }

    fn one(&mut self) -> Result<Node, FormulaError> {
        self.blanks();
        let start = self.at;
        match self.chars.get(self.at) {
            Some('(') => {
                self.at += 1;
                let inner = self.sum()?;
                self.close(start)?;
                Ok(inner)
            }
            Some(c) if c.is_ascii_digit() || *c == '.' => self.number(),
            Some(c) if c.is_alphabetic() || *c == '_' => {
                let name = self.run(|c| c.is_alphanumeric() || c == '_');
                if self.accept('(') { self.call(&name, start) } else { Ok(Node::Name(name)) }
            }
            _ => Err(self.wrong("expected a number, a variable or an opening bracket")),
        }
    }

    fn number(&mut self) -> Result<Node, FormulaError> {
        let start = self.at;
        let mut text = self.run(|c| c.is_ascii_digit() || c == '.');
        if self.chars.get(self.at).is_some_and(|c| "eE".contains(*c)) {
            let digits = self.chars.get(self.at + 1).is_some_and(|c| c.is_ascii_digit() || "+-".contains(*c));
            if digits {
                text.extend(&self.chars[self.at..self.at + 2]);
                self.at += 2;
                text.push_str(&self.run(|c| c.is_ascii_digit()));
            }
        }
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.map(Node::Number).ok_or(FormulaError::Syntax { at: start + 1, problem: format!("{text} is no number") })
    }

    fn call(&mut self, name: &str, start: usize) -> Result<Node, FormulaError> {
        let wrong = |problem| FormulaError::Syntax { at: start + 1, problem };
        let known = FUNCTIONS.iter().find(|(known, ..)| *known == name).ok_or_else(|| {
            let names: Vec<&str> = FUNCTIONS.iter().map(|(name, ..)| *name).collect();
            wrong(format!("no function {name}; functions are {}", names.join(", ")))
        })?;
        let (_, function, least, most) = *known;
        let mut arguments = vec![self.sum()?];
        while self.accept(',') {
            arguments.push(self.sum()?);
        }
        self.close(start)?;
        if !(least..=most).contains(&arguments.len()) {
            return Err(wrong(format!("{name} takes {least} values, found {}", arguments.len())));
        }
        let is_date = matches!(function, Function::Years | Function::Days);
        if is_date && !arguments.iter().all(|node| matches!(node, Node::Name(_))) {
            return Err(wrong(format!("{name} takes two variables that are dates")));
        }
        Ok(Node::Call(function, arguments))
    }

    fn close(&mut self, opened: usize) -> Result<(), FormulaError> {
        if self.accept(')') {
            return Ok(());
        }
        Err(self.wrong(format!("expected the bracket of character {} to be closed", opened + 1)))
    }

    fn blanks(&mut self) {
        while self.chars.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
    }

    fn run(&mut self, of: impl Fn(char) -> bool) -> String {
        let text: String = self.chars[self.at..].iter().take_while(|c| of(**c)).collect();
        self.at += text.chars().count();
        text
    }

    fn accept(&mut self, sign: char) -> bool {
        self.blanks();
        let found = self.chars.get(self.at) == Some(&sign);
        self.at += usize::from(found);
        found
    }

    fn sign(&mut self, signs: &[(char, Sign)]) -> Option<Sign> {
        signs.iter().find(|(sign, _)| self.accept(*sign)).map(|(_, sign)| *sign)
    }

    fn wrong(&self, problem: impl Into<String>) -> FormulaError {
        FormulaError::Syntax { at: self.at + 1, problem: problem.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn value(text: &str) -> Option<f64> {
        let values = [
            ("a", Value::Number(2.0)),
            ("b", Value::Number(3.0)),
            ("zero", Value::Number(0.0)),
            ("birth", Value::Date(date(2000, 2, 29))),
            ("mri", Value::Date(date(2016, 2, 29))),
            ("level", Value::Level(1)),
        ];
        let of = |name: &str| values.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        Formula::parse(text).unwrap_or_else(|cause| panic!("{text}: {cause}")).value(&of)
    }

    #[test]
    fn signs_bind_as_in_mathematics() {
        let check = |text: &str, expected: f64| assert_eq!(value(text), Some(expected), "{text}");
        check("a + b * a", 8.0);
        check("(a + b) * a", 10.0);
        check("a - b - a", -3.0);
        check("12 / b / a", 2.0);
        check("-a ^ 2", -4.0);
        check("a ^ b ^ a", 512.0);
        check("2 ^ -1", 0.5);
        check("1.5e1 - .5", 14.5);
        check("ln(a) / ln(2)", 1.0);
        check("sqrt(b * b)", 3.0);
        check("min(a, b, 1) + max(a, b)", 4.0);
        check("days(birth, mri)", 5844.0);
        check("years(birth, mri)", 16.0);
        check("years(mri, birth)", -16.0);
    }

    #[test]
    fn missing_gives_missing_and_so_does_what_is_no_number() {
        for text in ["a + c", "ln(zero)", "a / zero", "sqrt(-a)", "years(birth, c)", "level + 1", "min(a, c)"] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn a_wrong_formula_is_answered_with_its_place() {
        let check = |text: &str, at: usize, part: &str| match Formula::parse(text) {
            Err(FormulaError::Syntax { at: found, problem }) => {
                assert!(found == at && problem.contains(part), "{text}: {found} {problem}");
            }
            other => panic!("{text}: {other:?}"),
        };
        check("", 1, "expected a number");
        check("a +", 4, "expected a number");
        check("a b", 3, "operator");
        check("(a + b", 7, "bracket of character 1");
        check("exp(a)", 1, "functions are ln");
        check("ln(a, b)", 1, "takes 1 values, found 2");
        check("years(a + 1, b)", 1, "two variables that are dates");
        check("1.2.3", 1, "1.2.3 is no number");
        assert_eq!(Formula::parse(&"(".repeat(20_000)), Err(FormulaError::Deep));
        assert_eq!(Formula::parse(&"-".repeat(20_000)), Err(FormulaError::Deep));
        assert!(Formula::parse(&format!("a{}", " + a".repeat(1000))).is_ok(), "long is not deep");
    }
}
