//! Patients whose ids are written in two ways.

use std::collections::{BTreeMap, BTreeSet};

use crate::study::Refusal;
use crate::study::data::clinical::map::Map;
use crate::study::data::clinical::rows::Line;
use crate::study::data::clinical::{CODE, Clinical, Row};

/// What ids have in common that differ by case, blanks, leading zeros, `sub-`, or a `.0` behind.
pub fn alike(code: &str) -> String {
    let code = code.to_lowercase();
    let code = code.strip_prefix("sub-").or(code.strip_prefix("sub_")).unwrap_or(&code);
    let code = whole(code).unwrap_or(code);
    let mut alike = String::with_capacity(code.len());
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let mut chars = code.chars().peekable();
    while let Some(c) = chars.next() {
        let last = alike.chars().next_back();
        let next = chars.peek().copied();
        match c {
            // Between two numbers a sign tells them apart.
            c if c.is_whitespace() || matches!(c, '-' | '_') => {
                if is_digit(last) && is_digit(next) {
                    alike.push('-');
                }
            }
            '0' if !is_digit(last) && is_digit(next) => (),
            c => alike.push(c),
        }
    }
    alike
}

/// Digits before a fraction of zeros: `7.0` is 7.
fn whole(code: &str) -> Option<&str> {
    let (digits, zeros) = code.split_once('.')?;
    let is = |text: &str, of: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(of);
    (is(digits, u8::is_ascii_digit) && is(zeros, |byte| *byte == b'0')).then_some(digits)
}

/// A column of ids that a program took for numbers is read as it was: `7.0` as 7, when all are so.
pub fn without_fractions(lines: &mut [Line], told: &mut Clinical) {
    if lines.is_empty() || !lines.iter().all(|line| whole(&line.code).is_some()) {
        return;
    }
    let first = lines[0].code.clone();
    for line in lines.iter_mut() {
        line.code = whole(&line.code).unwrap_or_default().to_owned();
    }
    told.notes.push(format!("ids are numbers with a fraction and read without it: {first} is {}", lines[0].code));
}

/// Warns of ids of the file that may be one patient.
pub fn within(rows: &[Row], told: &mut Clinical) {
    let mut groups: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(alike(&row.code)).or_default().push(row);
    }
    for group in groups.values().filter(|group| group.len() > 1) {
        let named: Vec<String> = group.iter().map(|row| format!("{} (line {})", row.code, row.line)).collect();
        told.warnings.push(format!(
            "these ids may be one patient: {}; each is a patient of its own unless the map says otherwise: [patients] \
             \"{}\" = \"{}\"",
            named.join(", "),
            group[1].code,
            group[0].code
        ));
    }
}

/// Takes out rows of new patients whose id is another way to write the id of a patient of the study.
pub fn against(rows: &mut Vec<Row>, known: &[String], map: &Map, refused: &mut Vec<Refusal>) -> Option<String> {
    let exact: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    let similar: BTreeMap<String, &str> = known.iter().map(|code| (alike(code), code.as_str())).collect();
    let mut hint = None;
    rows.retain(|row| {
        let is_declared = map.patients.values().any(|code| *code == row.code);
        let other = similar.get(&alike(&row.code)).filter(|_| !exact.contains(row.code.as_str()) && !is_declared);
        let Some(other) = other else { return true };
        refused.push(Refusal {
            line: row.line,
            column: CODE.to_owned(),
            value: row.code.clone(),
            expected: format!("{other}, as the study writes it, or another patient"),
        });
        hint.get_or_insert_with(|| {
            format!(
                "the map says who it is: [patients] \"{0}\" = \"{other}\", or \"{0}\" = \"{0}\" for another patient",
                row.code
            )
        });
        false
    });
    hint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_people_take_for_one_are_alike() {
        for same in [["P1", "p 01"], ["sub-001", "1"], ["7.0", "007"], ["STS_010", "sts 10"], ["A-01-2", "a1_2"]] {
            assert_eq!(alike(same[0]), alike(same[1]), "{same:?}");
        }
        for other in [["P1", "P10"], ["1-23", "12-3"], ["P0", "P"], ["7.5", "7"], ["subA", "A"]] {
            assert_ne!(alike(other[0]), alike(other[1]), "{other:?}");
        }
    }
}
