//! What a column of texts holds: numbers, or levels; and the cell that leaves it undecided.

use std::collections::{BTreeSet, HashMap};

use crate::table::Values;
use osteon_base::text::shown;

/// What stands for a value beyond a limit of detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BelowDetection {
    /// Half of a lower limit; an upper limit is not read.
    Half,
    /// The limit itself, a lower or an upper one.
    Limit,
}

/// Why a column is neither numbers nor levels.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ColumnError {
    #[error("line {line}, column {column}: {found} is too large for a number")]
    TooLarge { line: usize, column: String, found: String },
    #[error("line {line}, column {column}: {found} may be a decimal comma or a thousands separator")]
    Ambiguous { line: usize, column: String, found: String },
    #[error(
        "line {line}, column {column}: {found}, but {commas} cells have a decimal comma and {points} a decimal point"
    )]
    TwoSigns { line: usize, column: String, found: String, commas: usize, points: usize },
    #[error("line {line}, column {number} ({column}): {found} is no number, but {numbers} of {known} cells of the column are{}", more(*others))]
    Mixed { line: usize, number: usize, column: String, found: String, numbers: usize, known: usize, others: usize },
}

fn more(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (1 more is none)".to_owned(),
        others => format!(" ({others} more are none)"),
    }
}

impl ColumnError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        if let ColumnError::TwoSigns { found, .. } = self {
            return Some(format!("write one of the two throughout, or --missing '\"{found}\"' to read it as no value"));
        }
        let ColumnError::Mixed { column, found, .. } = self else { return None };
        let detection = match beyond(found) {
            Some((Side::Below, _)) => "--below-detection half or limit reads it as half its limit or as the limit, ",
            Some((Side::Above, _)) => "--below-detection limit reads it as the limit, ",
            None => "",
        };
        // A text that was cut is no code that could be given.
        let code = if found.ends_with('…') { "TEXT" } else { found };
        Some(format!("{detection}--missing '{code}' as no value, --categorical {column} takes all values as levels"))
    }
}

/// Where a column stands in its file.
pub struct Place<'a> {
    pub name: &'a str,
    /// From 1.
    pub number: usize,
    /// Of each field.
    pub lines: &'a [usize],
}

/// How a column is read.
#[derive(Clone, Copy)]
pub struct How {
    pub categorical: bool,
    pub below_detection: Option<BelowDetection>,
    /// The column has to hold numbers.
    pub numeric: bool,
    /// Otherwise what is neither numbers nor levels becomes levels without a word.
    pub used: bool,
}

/// One cell that has a text.
enum Reading {
    Number {
        value: f64,
        comma: bool,
    },
    /// `<0.5`, `>= 100`.
    Beyond {
        side: Side,
        limit: f64,
    },
    Word,
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Below,
    Above,
}

/// More distinct numbers than grades and counts have: such a column is measured.
const GRADES: usize = 5;

/// The values of a column; `None` is a hole.
pub fn values(
    fields: &[Option<&str>],
    place: &Place,
    how: How,
    notes: &mut Vec<String>,
) -> Result<Values, ColumnError> {
    if how.categorical {
        return Ok(levels(fields));
    }
    let readings: Vec<Option<Reading>> = fields.iter().map(|field| field.map(reading)).collect();
    let known = readings.iter().flatten().count();
    let plain = readings.iter().flatten().filter(|it| matches!(it, Reading::Number { .. })).count();
    if plain < known && (plain == 0 || !how.numeric && !is_measured(&readings, known)) {
        let odd = (0..fields.len()).find(|&row| !matches!(readings[row], None | Some(Reading::Number { .. })));
        if let (Some(row), true) = (odd.filter(|_| plain > 0), how.used) {
            let (line, found) = (place.lines[row], shown(fields[row].unwrap_or_default()));
            let name = place.name;
            notes.push(format!(
                "column {name}: levels, since line {line} ({found}) is no number; {plain} of {known} cells are"
            ));
        }
        return Ok(levels(fields));
    }
    let read = |reading: &Reading| match (reading, how.below_detection) {
        (Reading::Number { value, .. }, _) => Some(*value),
        (Reading::Beyond { limit, .. }, Some(BelowDetection::Limit)) => Some(*limit),
        (Reading::Beyond { side: Side::Below, limit }, Some(BelowDetection::Half)) => Some(limit / 2.0),
        _ => None,
    };
    let odd: Vec<usize> =
        (0..fields.len()).filter(|&row| readings[row].as_ref().is_some_and(|it| read(it).is_none())).collect();
    if let Some(&row) = odd.first() {
        if !how.used {
            return Ok(levels(fields));
        }
        return Err(ColumnError::Mixed {
            line: place.lines[row],
            number: place.number,
            column: place.name.to_owned(),
            found: shown(fields[row].unwrap_or_default()),
            numbers: plain,
            known,
            others: odd.len() - 1,
        });
    }
    say(fields, &readings, place, how, notes)?;
    Ok(Values::Numbers(readings.iter().map(|it| it.as_ref().and_then(read)).collect()))
}

/// Whether most cells are numbers, or limits, of more different values than grades have.
fn is_measured(readings: &[Option<Reading>], known: usize) -> bool {
    let value = |reading: &Reading| match reading {
        Reading::Number { value, .. } | Reading::Beyond { limit: value, .. } => Some(value.to_bits()),
        Reading::Word => None,
    };
    let numbers: Vec<u64> = readings.iter().flatten().filter_map(value).collect();
    let distinct = numbers.iter().collect::<BTreeSet<_>>().len();
    2 * numbers.len() > known && (distinct > GRADES || numbers.len() >= 3 && 2 * distinct > numbers.len())
}

/// Decimal commas and limits are counted; what cannot be told apart is refused.
fn say(
    fields: &[Option<&str>],
    readings: &[Option<Reading>],
    place: &Place,
    how: How,
    notes: &mut Vec<String>,
) -> Result<(), ColumnError> {
    let (mut commas, mut limits, mut first) = (0, 0, "");
    let has =
        |row: &usize, sign: char| readings[*row].is_some() && fields[*row].is_some_and(|field| field.contains(sign));
    let [with_comma, with_point] =
        [',', '.'].map(|sign| (0..fields.len()).filter(|row| has(row, sign)).collect::<Vec<_>>());
    for (row, (field, reading)) in fields.iter().zip(readings).enumerate() {
        let (Some(field), Some(reading)) = (field, reading) else { continue };
        let (line, column) = (place.lines[row], place.name.to_owned());
        match reading {
            Reading::Number { value, .. } if !value.is_finite() => {
                return Err(ColumnError::TooLarge { line, column, found: shown(field) });
            }
            Reading::Number { comma: true, .. } => {
                if field.split_once(',').is_some_and(|(_, after)| after.len() == 3) {
                    return Err(ColumnError::Ambiguous { line, column, found: shown(field) });
                }
                commas += 1;
            }
            Reading::Beyond { .. } => {
                first = if limits == 0 { field } else { first };
                limits += 1;
            }
            _ => {}
        }
    }
    if how.used && !with_comma.is_empty() && !with_point.is_empty() {
        let rarer = if with_comma.len() <= with_point.len() { &with_comma } else { &with_point };
        let (line, found) = (place.lines[rarer[0]], shown(fields[rarer[0]].unwrap_or_default()));
        let (column, commas, points) = (place.name.to_owned(), with_comma.len(), with_point.len());
        return Err(ColumnError::TwoSigns { line, column, found, commas, points });
    }
    if commas > 0 {
        notes.push(format!("column {}: {commas} decimal commas read as decimal points", place.name));
    }
    if limits > 0 {
        let of = if how.below_detection == Some(BelowDetection::Half) { "half the limit" } else { "the limit" };
        let name = place.name;
        notes.push(format!(
            "column {name}: {limits} values beyond a limit of detection, the first {first}, read as {of}"
        ));
    }
    Ok(())
}

fn reading(field: &str) -> Reading {
    match (number(field), beyond(field)) {
        (Some((value, comma)), _) => Reading::Number { value, comma },
        (None, Some((side, limit))) => Reading::Beyond { side, limit },
        (None, None) => Reading::Word,
    }
}

/// The number, infinite when it is too large, and whether it has a decimal comma.
fn number(field: &str) -> Option<(f64, bool)> {
    // Longer than any number that a person or a program writes: not looked at letter by letter.
    if field.len() > 400 {
        return None;
    }
    // Rust reads `inf` and `infinity` as numbers; here they are words.
    let spelled = field.starts_with(|c: char| c.is_ascii_digit() || "+-.,".contains(c));
    if !spelled || !field.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match field.contains(',') {
        true => field.replacen(',', ".", 1).parse().ok().map(|value| (value, true)),
        false => field.parse().ok().map(|value| (value, false)),
    }
}

/// The side and the limit of a value beyond one.
fn beyond(field: &str) -> Option<(Side, f64)> {
    const SIGNS: [(&str, Side); 6] = [
        ("<=", Side::Below),
        ("≤", Side::Below),
        ("<", Side::Below),
        (">=", Side::Above),
        ("≥", Side::Above),
        (">", Side::Above),
    ];
    let (rest, side) = SIGNS.iter().find_map(|(sign, side)| Some((field.strip_prefix(sign)?, *side)))?;
    number(rest.trim_start()).map(|(limit, _)| (side, limit)).filter(|(_, limit)| limit.is_finite())
}

/// Levels in the order of their names; names that are all numbers in the order of these.
fn levels(fields: &[Option<&str>]) -> Values {
    let mut names: Vec<&str> = fields.iter().flatten().copied().collect();
    names.sort_unstable();
    names.dedup();
    if names.iter().all(|name| name.parse::<f64>().is_ok_and(f64::is_finite)) {
        names.sort_by(|a, b| a.parse::<f64>().unwrap_or(0.0).total_cmp(&b.parse::<f64>().unwrap_or(0.0)));
    }
    let position: HashMap<&str, usize> = names.iter().enumerate().map(|(at, &name)| (name, at)).collect();
    let codes = fields.iter().map(|field| field.map(|name| position[name])).collect();
    Values::Levels { levels: names.into_iter().map(str::to_owned).collect(), codes }
}
