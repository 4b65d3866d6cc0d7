//! Features of many cases as one table: a row a case, or a row a value; CSV, JSON, Parquet or a workbook.

use crate::report::parquet::{self, Column};
use crate::report::sheet::{self, Cell, Sheet};
use crate::report::values::{Value, quoted, significant};

/// One row a case: what tells it, then what was measured. A row may be shorter than the headings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cases {
    pub headings: Vec<String>,
    /// How many of the headings tell a case.
    pub n_own: usize,
    pub rows: Vec<Vec<Value>>,
}

/// How the table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One row a case.
    Wide,
    /// One row a value: the case, `feature`, `value`.
    Long,
}

impl Cases {
    /// CSV: numbers with 17 digits, an undefined value is an empty field.
    pub fn csv(&self, layout: Layout) -> String {
        let line = |cells: &mut dyn Iterator<Item = String>| {
            cells.map(|cell| quoted(&cell)).collect::<Vec<_>>().join(",") + "\n"
        };
        let table = self.laid_out(layout);
        let mut text = line(&mut table.headings.iter().cloned());
        let width = table.headings.len();
        for row in &table.rows {
            text.push_str(&line(&mut (0..width).map(|at| row.get(at).map(words).unwrap_or_default())));
        }
        text
    }

    /// An array of objects; an undefined value is `null`, one that a case has no word about is left out.
    pub fn json(&self, layout: Layout) -> String {
        let table = self.laid_out(layout);
        let object = |row: &Vec<Value>| {
            let pair = |(name, value): (&String, &Value)| {
                let value = match value {
                    Value::Number(number) => significant(*number),
                    Value::Undefined => "null".to_owned(),
                    Value::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
                };
                format!("{}:{value}", serde_json::Value::from(name.as_str()))
            };
            format!("{{{}}}", table.headings.iter().zip(row).map(pair).collect::<Vec<_>>().join(","))
        };
        format!("[\n{}\n]\n", table.rows.iter().map(object).collect::<Vec<_>>().join(",\n"))
    }

    /// A workbook of one sheet; the error tells what Excel cannot hold.
    pub fn workbook(&self, layout: Layout) -> Result<Vec<u8>, String> {
        let Cases { headings, rows, .. } = self.laid_out(layout);
        let cell = |value: Option<&Value>| match value {
            Some(Value::Number(value)) => Cell::Number { value: *value, digits: 10 },
            Some(Value::Text(text)) if !text.is_empty() => Cell::Text(text.clone()),
            _ => Cell::Empty,
        };
        let row = |row: &Vec<Value>| (0..headings.len()).map(|at| cell(row.get(at))).collect();
        let rows = rows.iter().map(row).collect();
        sheet::workbook(&[Sheet { title: "features".to_owned(), headings, rows, ..Sheet::default() }])
    }

    /// A Parquet file: a column of numbers alone is of double precision, any other of text; an undefined value and a cell
    /// that a case has no word about are null.
    pub fn parquet(&self, layout: Layout) -> Vec<u8> {
        let Cases { headings, rows, .. } = self.laid_out(layout);
        let is_told = |value: &&Value| !matches!(value, Value::Text(text) if text.is_empty());
        let column = |(at, name): (usize, String)| {
            let cells = || rows.iter().map(|row| row.get(at).filter(is_told));
            let column = if cells().flatten().all(|value| !matches!(value, Value::Text(_))) {
                Column::Numbers(cells().map(|cell| number(cell?)).collect())
            } else {
                let text = |value: &Value| Some(words(value)).filter(|words| !words.is_empty());
                Column::Texts(cells().map(|cell| text(cell?)).collect())
            };
            (name, column)
        };
        let columns: Vec<(String, Column)> = headings.into_iter().enumerate().map(column).collect();
        parquet::file(&columns)
    }

    fn laid_out(&self, layout: Layout) -> Cases {
        if layout == Layout::Wide {
            return self.clone();
        }
        let (own, measured) = self.headings.split_at(self.n_own);
        let headings = own.iter().cloned().chain(["feature", "value"].map(str::to_owned)).collect();
        let long = |row: &Vec<Value>| {
            let own: Vec<Value> = (0..self.n_own).map(|at| row.get(at).cloned().unwrap_or(Value::Undefined)).collect();
            let values = measured.iter().zip(row.iter().skip(self.n_own));
            let is_told = |value: &Value| !matches!(value, Value::Text(text) if text.is_empty());
            let line = move |(name, value): (&String, &Value)| {
                own.iter().cloned().chain([Value::Text(name.clone()), value.clone()]).collect::<Vec<_>>()
            };
            values.filter(|(_, value)| is_told(value)).map(line).collect::<Vec<_>>()
        };
        Cases { headings, n_own: self.n_own, rows: self.rows.iter().flat_map(long).collect() }
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Undefined | Value::Text(_) => None,
    }
}

/// A value as a field of CSV.
pub fn words(value: &Value) -> String {
    match value {
        Value::Number(number) => significant(*number),
        Value::Undefined => String::new(),
        Value::Text(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_cases_is_wide_or_long_and_loses_no_digit() {
        let text = |text: &str| Value::Text(text.to_owned());
        let cases = Cases {
            headings: ["Image", "a", "b"].map(str::to_owned).to_vec(),
            n_own: 1,
            rows: vec![
                vec![text("x, y"), Value::Number(0.1), Value::Undefined],
                vec![text("z"), text(""), Value::Number(2.0)],
            ],
        };
        assert_eq!(cases.csv(Layout::Wide), "Image,a,b\n\"x, y\",0.10000000000000001,\nz,,2\n");
        assert_eq!(
            cases.csv(Layout::Long),
            "Image,feature,value\n\"x, y\",a,0.10000000000000001\n\"x, y\",b,\nz,b,2\n"
        );
        let json: serde_json::Value = serde_json::from_str(&cases.json(Layout::Wide)).unwrap();
        assert_eq!(json[0]["a"].as_f64(), Some(0.1));
        assert!(json[0]["b"].is_null() && cases.workbook(Layout::Wide).is_ok());
    }
}
