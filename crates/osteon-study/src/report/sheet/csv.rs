//! A sheet as tidy CSV: one value a field, numbers in full.

use crate::report::sheet::Sheet;
use crate::report::sheet::cell::Value;
use osteon_base::text::clean;

pub fn render(sheet: &Sheet) -> String {
    let parts: Vec<Vec<&'static str>> = (0..sheet.headings.len()).map(|at| parts(sheet, at)).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let names = sheet.headings.iter().zip(&parts).flat_map(|(heading, parts)| {
        parts.iter().map(move |part| clean(format!("{heading} {part}").trim_end()).into_owned())
    });
    writer.write_record(names).expect("a Vec takes every write");
    for row in &sheet.rows {
        let fields = parts.iter().enumerate().flat_map(|(at, parts)| {
            let values = row.get(at).map(|cell| cell.parts()).unwrap_or_default();
            let value =
                move |part: &&'static str| values.iter().find(|(name, _)| name == part).map(|(_, value)| *value);
            parts.iter().map(move |part| value(part).map_or(String::new(), field))
        });
        writer.write_record(fields).expect("every row has the fields of the heading");
    }
    String::from_utf8(writer.into_inner().expect("a Vec takes every write")).expect("fields are UTF-8")
}

/// The parts that occur in a column, in order of first use, never none.
fn parts(sheet: &Sheet, at: usize) -> Vec<&'static str> {
    let mut found = Vec::new();
    for (part, _) in sheet.rows.iter().filter_map(|row| row.get(at)).flat_map(|cell| cell.parts()) {
        if !found.contains(&part) {
            found.push(part);
        }
    }
    if found.is_empty() { vec![""] } else { found }
}

/// Numbers as short as they can be read back exactly; what is not finite is `inf` or `-inf`.
fn field(value: Value) -> String {
    match value {
        Value::Text(text) => clean(text).into_owned(),
        Value::Count(n) => n.to_string(),
        Value::Number(number) if number != 0.0 && (number.abs() < 1e-5 || number.abs() >= 1e16) => {
            format!("{number:e}")
        }
        Value::Number(number) => number.to_string(),
    }
}
