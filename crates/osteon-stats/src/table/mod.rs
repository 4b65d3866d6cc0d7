//! Data frames: rows with ids, columns of numbers or of levels, holes explicit.

pub mod column;
pub mod encode;
pub mod event;
pub mod expand;
pub mod filter;
pub mod missing;
pub mod natural;
pub mod read;
pub mod spline;

use std::collections::HashMap;

use ndarray::Array2;

/// Rows with ids and columns with names; any cell may be a hole.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Table {
    rows: Vec<String>,
    columns: Vec<Column>,
    /// Position of each column by its name.
    places: HashMap<String, usize>,
}

/// One variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub values: Values,
}

/// What a column holds, one entry a row; `None` is a hole.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    Numbers(Vec<Option<f64>>),
    /// `codes` are positions in `levels`.
    Levels {
        levels: Vec<String>,
        codes: Vec<Option<usize>>,
    },
}

/// Numbers without holes: one row an id, one column a term.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    pub rows: Vec<String>,
    pub columns: Vec<String>,
    /// rows x columns, finite.
    pub x: Array2<f64>,
}

/// Why a table cannot be what was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TableError {
    #[error("column {column}: {found} values for {expected} rows")]
    Length { column: String, found: usize, expected: usize },
    #[error("no column {0}")]
    NoColumn(String),
    #[error("two columns are called {0}")]
    Twice(String),
    #[error("column {column}, row {row}: no value")]
    Hole { column: String, row: String },
    #[error("column {0} holds numbers, not levels")]
    NotLevels(String),
    #[error("column {0} holds levels, not numbers")]
    NotNumbers(String),
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Values::Numbers(values) => values.len(),
            Values::Levels { codes, .. } => codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn is_hole(&self, row: usize) -> bool {
        match self {
            Values::Numbers(values) => values[row].is_none(),
            Values::Levels { codes, .. } => codes[row].is_none(),
        }
    }
}

impl Table {
    /// Errors when a column has not one value a row, or a name comes twice.
    pub fn new(rows: Vec<String>, columns: Vec<Column>) -> Result<Self, TableError> {
        let mut places = HashMap::with_capacity(columns.len());
        for (at, column) in columns.iter().enumerate() {
            if column.values.len() != rows.len() {
                let found = column.values.len();
                return Err(TableError::Length { column: column.name.clone(), found, expected: rows.len() });
            }
            if places.insert(column.name.clone(), at).is_some() {
                return Err(TableError::Twice(column.name.clone()));
            }
        }
        Ok(Table { rows, columns, places })
    }

    pub fn rows(&self) -> &[String] {
        &self.rows
    }

    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub fn column(&self, name: &str) -> Result<&Column, TableError> {
        self.places.get(name).map(|&at| &self.columns[at]).ok_or_else(|| TableError::NoColumn(name.to_owned()))
    }

    /// Numbers of a numeric column.
    pub fn numbers(&self, name: &str) -> Result<&[Option<f64>], TableError> {
        match &self.column(name)?.values {
            Values::Numbers(values) => Ok(values),
            Values::Levels { .. } => Err(TableError::NotNumbers(name.to_owned())),
        }
    }

    /// The rows at the given positions, in their order.
    pub fn select(&self, positions: &[usize]) -> Table {
        let values = |values: &Values| match values {
            Values::Numbers(values) => Values::Numbers(positions.iter().map(|&at| values[at]).collect()),
            Values::Levels { levels, codes } => {
                Values::Levels { levels: levels.clone(), codes: positions.iter().map(|&at| codes[at]).collect() }
            }
        };
        let column = |column: &Column| Column { name: column.name.clone(), values: values(&column.values) };
        Table {
            rows: positions.iter().map(|&at| self.rows[at].clone()).collect(),
            columns: self.columns.iter().map(column).collect(),
            places: self.places.clone(),
        }
    }

    /// The named numeric columns as a matrix; errors at the first hole.
    pub fn design(&self, names: &[&str]) -> Result<Design, TableError> {
        let mut x = Array2::zeros((self.rows.len(), names.len()));
        for (j, name) in names.iter().enumerate() {
            for (i, value) in self.numbers(name)?.iter().enumerate() {
                x[[i, j]] =
                    value.ok_or_else(|| TableError::Hole { column: (*name).to_owned(), row: self.rows[i].clone() })?;
            }
        }
        Ok(Design { rows: self.rows.clone(), columns: names.iter().map(|&name| name.to_owned()).collect(), x })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(name: &str, values: &[Option<f64>]) -> Column {
        Column { name: name.into(), values: Values::Numbers(values.to_vec()) }
    }

    #[test]
    fn a_hole_never_reaches_a_design() {
        let rows = vec!["a".to_owned(), "b".to_owned()];
        let table = Table::new(rows, vec![numbers("alp", &[Some(1.0), None]), numbers("ldh", &[Some(2.0), Some(3.0)])])
            .unwrap();
        assert_eq!(table.design(&["ldh"]).unwrap().x, ndarray::array![[2.0], [3.0]]);
        assert_eq!(table.design(&["alp"]), Err(TableError::Hole { column: "alp".into(), row: "b".into() }));
        assert_eq!(table.design(&["age"]), Err(TableError::NoColumn("age".into())));
    }
}
