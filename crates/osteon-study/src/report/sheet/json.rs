//! A sheet as JSON: rows are objects by heading, numbers in full, what is undefined or infinite is null.
//!
//! A cell is a string, a number, null, or an object: `{"of","level"}`, `{"n","percent"}`, `{"mean","sd"}`,
//! `{"median","q1","q3"}`, `{"estimate","low","high"}`.

use serde_json::{Map, Value as Json, json};

use crate::report::sheet::cell::Value;
use crate::report::sheet::{Cell, Sheet};
use osteon_base::text::clean;

pub fn render(sheet: &Sheet) -> String {
    let row = |cells: &Vec<Cell>| -> Map<String, Json> {
        clean_all(&sheet.headings).into_iter().zip(cells.iter().map(cell)).collect()
    };
    let document = json!({
        "title": clean(&sheet.title),
        "headings": clean_all(&sheet.headings),
        "rows": sheet.rows.iter().map(row).collect::<Vec<_>>(),
        "notes": clean_all(&sheet.notes),
        "provenance": clean_all(&sheet.provenance),
    });
    let text = serde_json::to_string_pretty(&document).expect("a sheet is plain data");
    text + "\n"
}

fn clean_all(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| clean(text).into_owned()).collect()
}

fn cell(cell: &Cell) -> Json {
    let parts = cell.parts();
    match (cell, &parts[..]) {
        (Cell::Level { of, level }, _) => json!({ "of": clean(of), "level": clean(level) }),
        (_, []) => Json::Null,
        (_, [("", value)]) => plain(*value),
        _ => parts.iter().map(|(name, value)| ((*name).to_owned(), plain(*value))).collect::<Map<_, _>>().into(),
    }
}

fn plain(value: Value) -> Json {
    match value {
        Value::Text(text) => clean(text).into(),
        Value::Count(n) => n.into(),
        Value::Number(number) => number.into(),
    }
}
