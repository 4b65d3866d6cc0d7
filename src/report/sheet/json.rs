//! A sheet as JSON: rows are objects by heading, numbers in full, what is undefined or infinite is null.
//!
//! A cell is a string, a number, null, or an object: `{"of","level"}`, `{"n","percent"}`, `{"mean","sd"}`,
//! `{"median","q1","q3"}`, `{"estimate","low","high"}`.

use serde_json::{Map, Value as Json, json};

use crate::report::sheet::cell::Value;
use crate::report::sheet::{Cell, Sheet};

pub fn render(sheet: &Sheet) -> String {
    let row = |cells: &Vec<Cell>| -> Map<String, Json> {
        sheet.headings.iter().cloned().zip(cells.iter().map(cell)).collect()
    };
    let document = json!({
        "title": sheet.title,
        "headings": sheet.headings,
        "rows": sheet.rows.iter().map(row).collect::<Vec<_>>(),
        "notes": sheet.notes,
        "provenance": sheet.provenance,
    });
    let text = serde_json::to_string_pretty(&document).expect("a sheet is plain data");
    text + "\n"
}

fn cell(cell: &Cell) -> Json {
    let parts = cell.parts();
    match (cell, &parts[..]) {
        (Cell::Level { of, level }, _) => json!({ "of": of, "level": level }),
        (_, []) => Json::Null,
        (_, [("", value)]) => plain(*value),
        _ => parts.iter().map(|(name, value)| ((*name).to_owned(), plain(*value))).collect::<Map<_, _>>().into(),
    }
}

fn plain(value: Value) -> Json {
    match value {
        Value::Text(text) => text.into(),
        Value::Count(n) => n.into(),
        Value::Number(number) => number.into(),
    }
}
