//! Variables as a sheet of one row each, to be edited as CSV: lists between ` | `, words as `level = word, word`.

use toml::{Table, Value as Toml};

use crate::protocol::codebook::declaration::{self, KEYS};
use crate::protocol::codebook::{Codebook, CodebookError};

/// Keys whose cells are lists.
const LISTS: [&str; 3] = ["levels", "missing", "printed"];
const NUMBERS: [&str; 2] = ["table_1", "table_4"];
const FLAGS: [&str; 2] = ["ordered", "identifier"];

/// The variables of a codebook as CSV, one row each.
pub fn write(book: &Codebook) -> String {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(KEYS).expect("written to memory");
    for variable in &book.variables {
        let table = declaration::of_variable(variable);
        writer.write_record(KEYS.map(|key| table.get(key).map(cell).unwrap_or_default())).expect("written to memory");
    }
    let bytes = writer.into_inner().expect("written to memory");
    String::from_utf8(bytes).expect("all cells are text")
}

/// Reads variables from such a sheet over an empty codebook; columns may stand in any order and be left out.
pub fn read(text: &str) -> Result<Codebook, CodebookError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let syntax = |at: usize, cause: String| CodebookError::Syntax(format!("row {at}: {cause}"));
    let headers = reader.headers().map_err(|cause| syntax(1, cause.to_string()))?.clone();
    if let Some(unknown) = headers.iter().find(|header| !KEYS.contains(&header.trim())) {
        return Err(syntax(1, format!("unknown column {unknown:?}; columns are {}", KEYS.join(", "))));
    }
    let mut variables = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|cause| syntax(at + 2, cause.to_string()))?;
        let mut table = Table::new();
        for (key, cell) in headers.iter().zip(&record).filter(|(_, cell)| !cell.trim().is_empty()) {
            let (key, cell) = (key.trim(), cell.trim());
            table.insert(key.to_owned(), value(key, cell).map_err(|cause| syntax(at + 2, format!("{key}: {cause}")))?);
        }
        if !table.is_empty() {
            variables.push(Toml::Table(table));
        }
    }
    let mut document = Table::new();
    document.insert("variable".to_owned(), Toml::Array(variables));
    Codebook::empty().with(document)
}

fn cell(value: &Toml) -> String {
    let texts = |values: &[Toml]| values.iter().filter_map(Toml::as_str).map(str::to_owned).collect::<Vec<_>>();
    match value {
        Toml::String(text) => text.clone(),
        Toml::Array(values) => texts(values).join(" | "),
        Toml::Table(words) => {
            let said = |(level, words): (&String, &Toml)| {
                format!("{level} = {}", texts(words.as_array().map_or(&[][..], Vec::as_slice)).join(", "))
            };
            words.iter().map(said).collect::<Vec<_>>().join(" | ")
        }
        other => other.to_string(),
    }
}

fn value(key: &str, cell: &str) -> Result<Toml, String> {
    let list = |separator: &str, text: &str| -> Toml {
        let texts = text.split(separator).map(str::trim).filter(|text| !text.is_empty());
        Toml::Array(texts.map(|text| Toml::String(text.to_owned())).collect())
    };
    Ok(match key {
        key if LISTS.contains(&key) => list("|", cell),
        key if FLAGS.contains(&key) => match cell.to_lowercase().as_str() {
            "true" | "yes" | "y" | "1" => Toml::Boolean(true),
            "false" | "no" | "n" | "0" => Toml::Boolean(false),
            other => return Err(format!("{other:?}, expected true or false")),
        },
        key if NUMBERS.contains(&key) => {
            Toml::Integer(cell.parse().map_err(|_| format!("{cell:?}, expected a whole number from 1"))?)
        }
        "words" => {
            let mut words = Table::new();
            for said in cell.split('|') {
                let (level, all) = said
                    .rsplit_once(" = ")
                    .ok_or_else(|| format!("{:?}, expected such as \"yes = 1, y | no = 0, n\"", said.trim()))?;
                words.insert(level.trim().to_owned(), list(",", all));
            }
            Toml::Table(words)
        }
        _ => Toml::String(cell.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codebook_comes_back_from_its_sheet() {
        for book in [Codebook::study(), Codebook::osteosarcoma()] {
            let back = read(&write(book)).unwrap();
            assert_eq!(back.variables, book.variables);
        }
    }

    #[test]
    fn what_is_no_sheet_is_refused_with_its_row() {
        let check = |text: &str, part: &str| {
            let message = read(text).expect_err(text).to_string();
            assert!(message.contains(part), "{text}: {message}");
        };
        check("name,colour\nalp,red", "row 1: unknown column \"colour\"");
        check("name,levels,words\nsex,f | m,f 1", "row 2: words: \"f 1\", expected such as");
        check("name,levels,ordered\nsex,f | m,perhaps", "row 2: ordered");
        check("name,possible\nalp,high", "variable.alp.possible");
        check("label\nALP", "variable 1 has no name");
    }
}
