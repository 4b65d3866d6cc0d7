//! A protocol's document as tables of keys: values laid over others, and the valid key that a wrong one is nearest to.

use toml::{Table, Value};

use crate::protocol::ProtocolError;

/// `message, in key` on one line, without TOML's drawing of the place.
pub(in crate::protocol) fn one_line(cause: &toml::de::Error) -> String {
    cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(in crate::protocol) fn value_of(text: &str) -> Value {
    let parsed = format!("value = {text}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

pub(in crate::protocol) fn insert(document: &mut Table, key: &str, value: Value) -> Result<(), ProtocolError> {
    match key.split_once('.') {
        None => {
            document.insert(key.to_owned(), value);
            Ok(())
        }
        Some((head, rest)) => match document.entry(head).or_insert_with(|| Value::Table(Table::new())) {
            Value::Table(inner) => insert(inner, rest, value),
            _ => Err(ProtocolError::Assignment(key.to_owned())),
        },
    }
}

pub(in crate::protocol) fn leaves(table: &Table, prefix: &str, keys: &mut Vec<String>) {
    for (name, value) in table {
        match value {
            Value::Table(inner) => leaves(inner, &format!("{prefix}{name}."), keys),
            _ => keys.push(format!("{prefix}{name}")),
        }
    }
}

pub(in crate::protocol) fn overlay(
    base: &mut Table,
    document: Table,
    prefix: &str,
    keys: &[String],
) -> Result<(), ProtocolError> {
    for (name, value) in document {
        let key = format!("{prefix}{name}");
        match (base.get_mut(&name), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => overlay(inner, value, &format!("{key}."), keys)?,
            (Some(Value::Table(_)), other) => {
                return Err(ProtocolError::Type(format!("{key} is {other}, expected a table of keys")));
            }
            (Some(slot), value) => *slot = value,
            (None, value) => return Err(unknown(&key, &value, keys)),
        }
    }
    Ok(())
}

/// `screen.alpha` and `learn.p_enter` are one threshold: a document that gives one of them gives both.
///
/// # Errors
/// When it gives two thresholds.
pub(in crate::protocol) fn with_one_threshold(mut document: Table) -> Result<Table, ProtocolError> {
    const PLACES: [(&str, &str); 2] = [("screen", "alpha"), ("learn", "p_enter")];
    let value = |(table, key): (&str, &str)| document.get(table)?.as_table()?.get(key).cloned();
    let (given, (table, key)) = match PLACES.map(value) {
        [Some(alpha), None] => (alpha, PLACES[1]),
        [None, Some(p_enter)] => (p_enter, PLACES[0]),
        [Some(alpha), Some(p_enter)] if alpha != p_enter => {
            let why = format!(
                "screen.alpha is {alpha} and learn.p_enter is {p_enter}, expected one threshold: give one of them"
            );
            return Err(ProtocolError::Type(why));
        }
        _ => return Ok(document),
    };
    let entry = document.entry(table).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(inner) = entry {
        inner.insert(key.to_owned(), given);
    }
    Ok(document)
}

/// Names the first leaf below an unknown key, so that the nearest valid key can be told.
fn unknown(key: &str, value: &Value, keys: &[String]) -> ProtocolError {
    if let Value::Table(inner) = value
        && let Some((name, value)) = inner.iter().next()
    {
        return unknown(&format!("{key}.{name}"), value, keys);
    }
    // The right name in the wrong table is as good as one wrong letter.
    let leaf = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let distance = |valid: &&String| edits(key, valid).min(edits(&leaf(key), &leaf(valid)) + 1);
    let nearest = keys.iter().min_by_key(distance).cloned().unwrap_or_default();
    ProtocolError::UnknownKey { key: key.to_owned(), nearest }
}

/// The name with the fewest letters to change.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> &'a str {
    known.iter().copied().min_by_key(|other| edits(name, other)).unwrap_or_default()
}

/// Levenshtein distance.
pub fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, &d) in b.iter().enumerate() {
            let replaced = corner + usize::from(c != d);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
