//! Computed variables: formulas in the order in which each finds what it reads.

use std::collections::BTreeMap;

use crate::protocol::codebook::formula::{FormulaError, LIMIT};
use crate::protocol::codebook::value::Value;
use crate::protocol::codebook::variable::Kind;
use crate::protocol::codebook::{Codebook, CodebookError};

impl Codebook {
    /// Fills in the values of computed variables from the others; `values` in the order of the variables. What a formula
    /// gives outside the variable's possible range is kept: it raises a query, not a refusal.
    pub fn compute(&self, values: &mut [Option<Value>]) {
        for at in self.order().expect("a codebook was checked") {
            let formula = self.variables[at].formula.as_ref().expect("the order lists computed variables");
            let computed = formula.value(&|name: &str| values[self.place_of(name)?].as_ref());
            values[at] = computed.map(Value::Number);
        }
    }

    /// Where the variable stands that a formula names: by its key, which never changes, or by its name.
    pub(in crate::protocol::codebook) fn place_of(&self, name: &str) -> Option<usize> {
        let keyed = self.variables.iter().position(|variable| variable.key == name);
        keyed.or_else(|| self.place(name))
    }

    /// Positions of the computed variables, each after those that it reads.
    pub(in crate::protocol::codebook) fn order(&self) -> Result<Vec<usize>, CodebookError> {
        let mut walk = Walk { book: self, done: BTreeMap::new(), path: Vec::new(), order: Vec::new() };
        for at in (0..self.variables.len()).filter(|&at| self.variables[at].is_computed()) {
            walk.visit(at)?;
        }
        Ok(walk.order)
    }
}

struct Walk<'a> {
    book: &'a Codebook,
    /// How many formulas stand one on another, by the position of the last.
    done: BTreeMap<usize, usize>,
    path: Vec<usize>,
    order: Vec<usize>,
}

impl Walk<'_> {
    fn visit(&mut self, at: usize) -> Result<usize, CodebookError> {
        let variable = &self.book.variables[at];
        let Some(formula) = &variable.formula else { return Ok(0) };
        if let Some(depth) = self.done.get(&at) {
            return Ok(*depth);
        }
        let name = || variable.name.clone();
        if let Some(from) = self.path.iter().position(|&it| it == at) {
            let names = self.path[from..].iter().chain([&at]).map(|&at| self.book.variables[at].name.as_str());
            return Err(CodebookError::Cycle { name: name(), path: names.collect::<Vec<_>>().join(", ") });
        }
        if self.path.len() >= LIMIT {
            return Err(CodebookError::Depth { name: name(), limit: LIMIT });
        }
        let wrong = |cause| CodebookError::Formula { name: name(), cause };
        if !matches!(variable.kind, Kind::Number(_)) {
            let (found, expected) = (variable.kind.name(), "number");
            return Err(wrong(FormulaError::Kind { name: name(), found, expected }));
        }
        self.path.push(at);
        let (dates, mut depth) = (formula.dates(), 0);
        for read in formula.names() {
            let place = self.book.place_of(read).ok_or_else(|| wrong(FormulaError::Unknown(read.to_owned())))?;
            let expected = if dates.contains(read) { "date" } else { "number" };
            let found = self.book.variables[place].kind.name();
            if found != expected {
                return Err(wrong(FormulaError::Kind { name: read.to_owned(), found, expected }));
            }
            depth = depth.max(self.visit(place)?);
        }
        self.path.pop();
        if depth + 1 > LIMIT {
            return Err(CodebookError::Depth { name: name(), limit: LIMIT });
        }
        self.done.insert(at, depth + 1);
        self.order.push(at);
        Ok(depth + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_computed_after_what_they_read() {
        let book = Codebook::parse(
            "[variable.total]\nformula = \"half * 2\"\n[variable.half]\nformula = \"(a + b) / 2\"\n\
             [variable.a]\nkind = \"number\"\n[variable.b]\nkind = \"number\"",
        )
        .unwrap();
        let at = |name: &str| book.place(name).unwrap();
        let mut values = vec![None; 4];
        values[at("a")] = Some(Value::Number(3.0));
        values[at("total")] = Some(Value::Number(99.0));
        book.compute(&mut values);
        assert_eq!((&values[at("half")], &values[at("total")]), (&None, &None), "a missing value gives missing");
        values[at("b")] = Some(Value::Number(5.0));
        book.compute(&mut values);
        assert_eq!((&values[at("half")], &values[at("total")]), (&Some(Value::Number(4.0)), &Some(Value::Number(8.0))));
    }

    #[test]
    fn cycles_wrong_kinds_and_long_chains_are_refused() {
        let check = |text: &str, part: &str| {
            let message = Codebook::parse(text).expect_err(text).to_string();
            assert!(message.contains(part), "{text}: {message}");
        };
        check(
            "[variable.a]\nformula = \"b\"\n[variable.b]\nformula = \"c\"\n[variable.c]\nformula = \"a\"",
            "(a, b, c, a)",
        );
        check("[variable.d]\nkind = \"date\"\n[variable.a]\nformula = \"d + 1\"", "d is a date, expected a number");
        check(
            "[variable.d]\nkind = \"number\"\n[variable.a]\nformula = \"years(d, d)\"",
            "d is a number, expected a date",
        );
        check("[variable.d]\nkind = \"text\"\nformula = \"1\"", "d is a text, expected a number");
        let chain = |n: usize| {
            let link = |at: usize| format!("[variable.v{at}]\nkind = \"number\"\nformula = \"v{} + 1\"\n", at + 1);
            let links: String = (0..n).map(link).collect();
            format!("{links}[variable.v{n}]\nkind = \"number\"")
        };
        assert!(Codebook::parse(&chain(64)).is_ok());
        check(&chain(65), "more than 64 formulas in a row");
        check(&chain(5000), "more than 64 formulas in a row");
    }
}
