//! A table from the text of a CSV file, strict about shape and open about notation.

use crate::table::{Column, Table, TableError, Values};

/// What a file held, and what its reader should know about how it was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// Rows are named by their line in the file, the heading being line 1.
    pub table: Table,
    pub notes: Vec<String>,
}

/// Why a text is no table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReadError {
    #[error("the file is empty")]
    Empty,
    #[error("line {line} is not UTF-8")]
    Encoding { line: usize },
    #[error("line {line} has {found} fields, the heading {expected}")]
    Ragged { line: usize, found: usize, expected: usize },
    #[error("column {0} has no name")]
    Nameless(usize),
    #[error("line {line}, column {column}: {found} is too large for a number")]
    TooLarge { line: usize, column: String, found: String },
    #[error("line {line}, column {column}: {found} may be a decimal comma or a thousands separator")]
    Ambiguous { line: usize, column: String, found: String },
    #[error(transparent)]
    Table(#[from] TableError),
}

/// Fields that stand for no value, whatever their case.
const MISSING: [&str; 6] = ["", "na", "n/a", "nan", "null", "."];

/// Reads comma, semicolon or tab separated text with a heading, with or without a byte order mark.
///
/// A column of numbers alone becomes numbers unless `categorical` names it; any other becomes levels in the order of
/// their names. A decimal comma is understood where the fields are not separated by commas, or are quoted.
pub fn csv(bytes: &[u8], categorical: &[String]) -> Result<Read, ReadError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|cause| ReadError::Encoding {
        line: 1 + bytes[..cause.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count(),
    })?;
    // The reader counts lines by their line feeds, which it meets one record late after a carriage return.
    let (heading, lines, records) = records(&text.replace("\r\n", "\n"))?;
    for name in categorical {
        if !heading.contains(name) {
            return Err(TableError::NoColumn(name.clone()).into());
        }
    }
    let mut notes = Vec::new();
    let mut columns = Vec::new();
    for (at, name) in heading.iter().enumerate() {
        let fields: Vec<Option<&str>> = records.iter().map(|record| value(&record[at])).collect();
        let numbers = if categorical.contains(name) { None } else { numbers(name, &fields, &lines, &mut notes)? };
        let values = numbers.map_or_else(|| levels(&fields), Values::Numbers);
        columns.push(Column { name: name.clone(), values });
    }
    Ok(Read { table: Table::new(lines.iter().map(usize::to_string).collect(), columns)?, notes })
}

type Records = (Vec<String>, Vec<usize>, Vec<Vec<String>>);

/// The heading, and each record with its line.
fn records(text: &str) -> Result<Records, ReadError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(text))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut all = reader.records().map(|record| {
        let record = record.expect("UTF-8 in memory has no read errors");
        let line = record.position().map_or(0, |position| position.line() as usize);
        (line, record.iter().map(|field| field.trim().to_owned()).collect::<Vec<String>>())
    });
    let (_, heading) = all.next().ok_or(ReadError::Empty)?;
    if let Some(at) = heading.iter().position(String::is_empty) {
        return Err(ReadError::Nameless(at + 1));
    }
    let (mut lines, mut records) = (Vec::new(), Vec::new());
    for (line, record) in all {
        if record.len() != heading.len() {
            return Err(ReadError::Ragged { line, found: record.len(), expected: heading.len() });
        }
        lines.push(line);
        records.push(record);
    }
    Ok((heading, lines, records))
}

/// The separator that occurs most in the heading outside quotes.
fn delimiter(text: &str) -> u8 {
    let heading = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let bare: String = heading.split('"').step_by(2).collect();
    let count = |delimiter: &u8| bare.bytes().filter(|byte| byte == delimiter).count();
    // The last of equals wins: the comma.
    *b"\t;,".iter().max_by_key(|delimiter| count(delimiter)).expect("three are listed")
}

fn value(field: &str) -> Option<&str> {
    (!MISSING.iter().any(|missing| field.eq_ignore_ascii_case(missing))).then_some(field)
}

/// The fields as numbers, `None` when any is something else.
fn numbers(
    column: &str,
    fields: &[Option<&str>],
    lines: &[usize],
    notes: &mut Vec<String>,
) -> Result<Option<Vec<Option<f64>>>, ReadError> {
    let mut commas = 0;
    let mut numbers = Vec::with_capacity(fields.len());
    for (field, &line) in fields.iter().zip(lines) {
        let Some(field) = field else {
            numbers.push(None);
            continue;
        };
        // Rust reads `inf` and `infinity` as numbers; here they are words.
        let spelled = |text: &str| text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
        let found = if field.contains(',') { field.replacen(',', ".", 1) } else { (*field).to_owned() };
        let parsed = found.parse::<f64>().ok().filter(|_| spelled(&found) && found.bytes().any(|b| b.is_ascii_digit()));
        let Some(number) = parsed else { return Ok(None) };
        let place = || (column.to_owned(), (*field).to_owned());
        if !number.is_finite() {
            let (column, found) = place();
            return Err(ReadError::TooLarge { line, column, found });
        }
        if let Some((_, after)) = field.split_once(',') {
            if after.len() == 3 {
                let (column, found) = place();
                return Err(ReadError::Ambiguous { line, column, found });
            }
            commas += 1;
        }
        numbers.push(Some(number));
    }
    if commas > 0 {
        notes.push(format!("column {column}: {commas} decimal commas read as decimal points"));
    }
    Ok(Some(numbers))
}

/// Levels in the order of their names; names that are all numbers in the order of these.
fn levels(fields: &[Option<&str>]) -> Values {
    let mut names: Vec<&str> = fields.iter().flatten().copied().collect();
    names.sort_unstable();
    names.dedup();
    if names.iter().all(|name| name.parse::<f64>().is_ok_and(f64::is_finite)) {
        names.sort_by(|a, b| a.parse::<f64>().unwrap_or(0.0).total_cmp(&b.parse::<f64>().unwrap_or(0.0)));
    }
    let position: std::collections::HashMap<&str, usize> =
        names.iter().enumerate().map(|(at, &name)| (name, at)).collect();
    let codes = fields.iter().map(|field| field.map(|name| position[name])).collect();
    Values::Levels { levels: names.into_iter().map(str::to_owned).collect(), codes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Read, ReadError> {
        csv(text.as_bytes(), &[])
    }

    #[test]
    fn marks_separators_and_missing_codes_are_understood() {
        let read = read("\u{feff}id;alp;site\r\n1;12,5;femur\r\n2;NA;\r\n3;7;tibia\r\n").unwrap();
        assert_eq!(read.table.numbers("alp").unwrap(), [Some(12.5), None, Some(7.0)]);
        assert_eq!(read.table.rows(), ["2", "3", "4"]);
        assert_eq!(read.notes, ["column alp: 1 decimal commas read as decimal points"]);
        let Values::Levels { levels, codes } = &read.table.column("site").unwrap().values else { panic!("numbers") };
        assert_eq!((levels.join(" "), codes.as_slice()), ("femur tibia".to_owned(), &[Some(0), None, Some(1)][..]));
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column() {
        let message = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(message(""), "the file is empty");
        assert_eq!(message("a,b\n1,2\n3\n"), "line 3 has 1 fields, the heading 2");
        assert_eq!(message("a,\n1,2\n"), "column 2 has no name");
        assert_eq!(message("a,a\n1,2\n"), "two columns are called a");
        assert_eq!(message("a\n1\n1e999\n"), "line 3, column a: 1e999 is too large for a number");
        assert!(message("a,b\n\"1,234\",2\n").contains("thousands separator"));
        assert_eq!(csv(b"a\n1\n\xff\n", &[]).unwrap_err(), ReadError::Encoding { line: 3 });
    }

    #[test]
    fn words_are_levels_even_when_rust_reads_them_as_numbers() {
        let table = read("a\ninf\n1\n").unwrap().table;
        assert!(table.numbers("a").is_err());
        let empty = read("a,b\n,1\nNA,2\n").unwrap().table;
        assert_eq!(empty.numbers("a").unwrap(), [None, None]);
    }
}
