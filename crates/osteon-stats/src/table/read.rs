//! A table from a file of cells, strict about shape and open about notation.

use osteon_base::cells::{self, CellsError, Note, Params, Row};

use crate::table::column::{self, ColumnError};
use crate::table::{Column, Table, TableError};

pub use crate::table::column::BelowDetection;

/// What a file held, and what its reader should know about how it was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// Rows are named by their line in the file, the heading being line 1.
    pub table: Table,
    pub notes: Vec<String>,
}

/// What the reader is told beforehand.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// Columns of numbers that are codes: they become levels.
    pub categorical: Vec<String>,
    /// Texts that stand for no value, beside the usual ones.
    pub missing: Vec<String>,
    /// What stands for a value beyond a limit of detection, `<0.5`; without it such a cell is no number.
    pub below_detection: Option<BelowDetection>,
    /// Columns that have to hold numbers: a word among them is refused however few there are.
    pub numeric: Vec<String>,
    /// Columns that will be used, `None` for all: the others are read as they come and refuse nothing.
    pub used: Option<Vec<String>>,
}

/// Why a text is no table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReadError {
    #[error("the file is empty")]
    Empty,
    #[error(transparent)]
    Cells(#[from] CellsError),
    #[error("line {line} has {found} fields, the heading {expected}")]
    Ragged { line: usize, found: usize, expected: usize },
    #[error("column {0} has no name")]
    Nameless(usize),
    #[error(transparent)]
    Column(#[from] ColumnError),
    #[error(transparent)]
    Table(#[from] TableError),
}

impl ReadError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            ReadError::Column(error) => error.hint(),
            ReadError::Cells(error) => error.hint().map(str::to_owned),
            _ => None,
        }
    }
}

/// Fields that stand for no value, whatever their case.
const MISSING: [&str; 6] = ["", "na", "n/a", "nan", "null", "."];

/// Reads a table of which `categorical` columns hold levels even where they look like numbers.
pub fn csv(bytes: &[u8], categorical: &[String]) -> Result<Read, ReadError> {
    table(bytes, &Options { categorical: categorical.to_vec(), ..Options::default() })
}

/// Reads comma, semicolon, tab or pipe separated text, or the first sheet of a workbook, with a heading.
///
/// A column of numbers alone becomes numbers unless it is called categorical; words become levels in the order of their
/// names. A decimal comma is understood where the fields are not separated by commas, or are quoted.
///
/// # Errors
/// When the file is no table, and at a cell that is no number in a column that holds numbers otherwise.
pub fn table(bytes: &[u8], options: &Options) -> Result<Read, ReadError> {
    let grid = cells::read(bytes, &Params::default())?;
    let (header, body) = grid.headed().ok_or(ReadError::Empty)?;
    let width = grid.rows().find(|row| !row.is_blank()).map_or(0, |row| row.len());
    let heading: Vec<String> = header.texts().map(str::to_owned).collect();
    if let Some(at) = heading.iter().position(String::is_empty) {
        return Err(ReadError::Nameless(at + 1));
    }
    let named = options.categorical.iter().chain(&options.numeric).chain(options.used.iter().flatten());
    let known: std::collections::HashSet<&String> = heading.iter().collect();
    for name in named {
        if !known.contains(name) {
            return Err(TableError::NoColumn(name.clone()).into());
        }
    }
    let (mut lines, mut records): (Vec<usize>, Vec<Row>) = (Vec::new(), Vec::new());
    for row in body {
        let (line, found, expected) = (row.line, row.len(), heading.len());
        // A heading that ends in empty cells lacks names where a row goes on.
        let surplus = (expected..found).find(|&at| !row.text(at).is_empty());
        let refusal = || match surplus {
            Some(at) if at < width => ReadError::Nameless(at + 1),
            _ => ReadError::Ragged { line, found, expected },
        };
        records.push(row.fitted(expected).ok_or_else(refusal)?);
        lines.push(line);
    }
    // Separators and marks change nothing that a person has to know here.
    let said = |note: &&Note| !matches!(note, Note::ByteOrderMark | Note::Utf16 | Note::Separator(_));
    let mut notes: Vec<String> = grid.notes.iter().filter(said).map(Note::to_string).collect();
    let mut columns = Vec::new();
    for (at, name) in heading.iter().enumerate() {
        let mut coded = 0;
        let fields: Vec<Option<&str>> = records
            .iter()
            .map(|record| {
                let field = record.text(at);
                let asked = options.missing.iter().any(|missing| is_same(missing, field));
                coded += usize::from(asked);
                (!asked && !MISSING.iter().any(|missing| field.eq_ignore_ascii_case(missing))).then_some(field)
            })
            .collect();
        let used = options.used.as_ref().is_none_or(|used| used.contains(name));
        if coded > 0 && used {
            notes.push(format!("column {name}: {coded} cells of --missing read as no value"));
        }
        let place = column::Place { name, number: at + 1, lines: &lines };
        let how = column::How {
            categorical: options.categorical.contains(name),
            below_detection: options.below_detection,
            numeric: options.numeric.contains(name),
            used,
        };
        columns.push(Column { name: name.clone(), values: column::values(&fields, &place, how, &mut notes)? });
    }
    Ok(Read { table: Table::new(lines.iter().map(usize::to_string).collect(), columns)?, notes })
}

/// The same text, or the same number: `999` and `999.0`.
fn is_same(missing: &str, field: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite());
    field.eq_ignore_ascii_case(missing) || number(missing).is_some_and(|wanted| number(field) == Some(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Values;

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
        let told = csv(b"a,b\n1,2\n3,M\xfcller\n", &[]).unwrap_err().to_string();
        assert!(told.starts_with("line 3, column 2: byte 0xFC is not UTF-8"), "{told}");
        assert!(message("a,b\n1,\"2\n").starts_with("line 2, column 2: the quote that opens here"));
    }

    #[test]
    fn decimal_commas_among_decimal_points_are_refused_at_the_rarer_one() {
        let told = read("x;y\n1.5;1\n12,5;0\n3.25;1\n").unwrap_err();
        assert_eq!(told.to_string(), "line 3, column x: 12,5, but 1 cells have a decimal comma and 2 a decimal point");
        assert!(told.hint().unwrap().contains("--missing"));
        // One notation throughout, and whole numbers beside either.
        assert!(read("x;y\n1,5;1\n12,5;0\n3;1\n").is_ok());
        let missing = Options { missing: vec!["12,5".to_owned()], ..Options::default() };
        assert!(table(b"x;y\n1.5;1\n12,5;0\n3.25;1\n", &missing).is_ok());
    }

    const LAB: &str = "id,crp,y\n0,9.8,1\n1,15.9,0\n2,<0.5,0\n3,10.5,0\n4,1.2,1\n5,>200,0\n6,n/a,1\n7,3.1,0\n";

    #[test]
    fn a_cell_that_is_no_number_among_numbers_is_refused_with_its_place_and_the_choices() {
        let error = read(LAB).unwrap_err();
        let told = "line 4, column 2 (crp): <0.5 is no number, but 5 of 7 cells of the column are (1 more is none)";
        assert_eq!(error.to_string(), told);
        let hint = error.hint().unwrap();
        for choice in ["--below-detection half", "limit", "--missing", "--categorical crp"] {
            assert!(hint.contains(choice), "{hint}");
        }
        let words = read("x,y\n1,1\n2,1\n3,0\nnot done,0\n").unwrap_err();
        assert!(words.to_string().starts_with("line 5, column 1 (x): not done is no number"), "{words}");
        assert!(!words.hint().unwrap().contains("detection"));
        let long = read(&format!("x\n1\n2\n3\n{}\n", "z".repeat(1_000_000))).unwrap_err().to_string();
        assert!(long.len() < 200, "{}", long.len());
    }

    #[test]
    fn limits_of_detection_and_codes_of_no_value_are_read_as_asked_and_counted() {
        let with = |missing: &[&str], below_detection, used: Option<Vec<String>>| {
            let missing = missing.iter().map(|&code| code.to_owned()).collect();
            table(LAB.as_bytes(), &Options { missing, below_detection, used, ..Options::default() })
        };
        let limit = with(&[], Some(BelowDetection::Limit), None).unwrap();
        assert_eq!(limit.table.numbers("crp").unwrap()[2..6], [Some(0.5), Some(10.5), Some(1.2), Some(200.0)]);
        assert_eq!(
            limit.notes,
            ["column crp: 2 values beyond a limit of detection, the first <0.5, read as the limit"]
        );
        // Half of an upper limit means nothing.
        let half = with(&[], Some(BelowDetection::Half), None).unwrap_err().to_string();
        assert!(half.starts_with("line 7, column 2 (crp): >200 is no number"), "{half}");
        let half = with(&[">200"], Some(BelowDetection::Half), None).unwrap();
        assert_eq!(half.table.numbers("crp").unwrap()[2..6], [Some(0.25), Some(10.5), Some(1.2), None]);
        assert_eq!(half.notes[0], "column crp: 1 cells of --missing read as no value");
        let codes = with(&["<0.5", ">200", "1.20"], None, None).unwrap();
        assert_eq!(codes.table.numbers("crp").unwrap()[2..6], [None, Some(10.5), None, None]);
        // What is not used refuses nothing.
        assert!(with(&[], None, Some(vec!["y".to_owned()])).unwrap().table.numbers("crp").is_err());
    }

    #[test]
    fn grades_with_a_sign_stay_levels_and_the_note_says_so() {
        let read = read("ftv,age\n1,<50\n2,50-60\n2+,>60\n1,<50\n2,>60\n2,<50\n").unwrap();
        assert!(read.table.numbers("ftv").is_err() && read.table.numbers("age").is_err());
        assert_eq!(read.notes, ["column ftv: levels, since line 4 (2+) is no number; 5 of 6 cells are"]);
    }

    #[test]
    fn words_are_levels_even_when_rust_reads_them_as_numbers() {
        let table = read("a\ninf\n1\n").unwrap().table;
        assert!(table.numbers("a").is_err());
        let empty = read("a,b,,\n,1,,\n\n,,,\nNA,2\n").unwrap().table;
        assert_eq!(empty.numbers("a").unwrap(), [None, None]);
    }
}
