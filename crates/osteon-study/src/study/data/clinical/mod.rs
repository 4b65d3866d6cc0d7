//! A clinical file as rows of entries: headers matched, units converted, levels and numbers read, every refused cell
//! named.
//!
//! Nothing is guessed in silence: what was understood is a note, what may mislead a warning, and what cannot be decided
//! is refused with what to do.

mod cell;
mod date;
mod events;
mod header;
pub(in crate::study) mod ids;
mod map;
mod rows;
mod sign;

use std::collections::{BTreeMap, BTreeSet};

use osteon_base::cells::{self, Grid, Note};

use crate::protocol::codebook::variable::Kind;
use crate::protocol::codebook::{Codebook, Value};
use crate::study::data::clinical::cell::{Read, Reader};
use crate::study::data::clinical::header::{Column, Header};
use crate::study::data::clinical::rows::Line;
use crate::study::data::clinical::sign::{Signs, Writing};
use crate::study::{Error, Refusal};

pub use map::Map;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clinical {
    pub rows: Vec<Row>,
    /// Cells that are not what they must be; the rows of these patients are left out.
    pub refused: Vec<Refusal>,
    /// Columns or events that cannot be understood: nothing of the file is, until they are.
    pub whole: Vec<Refusal>,
    /// What was read differently than it stands in the file: byte order mark, separator, decimal commas, codes.
    pub notes: Vec<String>,
    /// What was read and may be something else.
    pub warnings: Vec<String>,
    /// What to do about what was refused.
    pub hints: Vec<String>,
}

/// One patient of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// First line in the file, the header being 1 where nothing stands above it.
    pub line: u64,
    pub code: String,
    /// In the order of the codebook; `None` for an empty cell or a column that the file has not.
    pub values: Vec<Option<Value>>,
}

/// The header under which patients are named.
const CODE: &str = "patient_id";

/// One patient's cells, one a column.
struct Record<'a> {
    line: u64,
    code: String,
    entries: Vec<Entry<'a>>,
}

/// A cell and its line.
struct Entry<'a> {
    line: u64,
    cell: &'a str,
}

impl Clinical {
    /// Says once what to do.
    fn hint(&mut self, hint: String) {
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
    }
}

/// Reads a file's bytes. Errors when the file as a whole cannot be read; single cells are `refused`.
pub fn read(bytes: &[u8], book: &Codebook, map: &Map) -> Result<Clinical, Error> {
    let params = cells::Params { sheet: map.sheet.clone(), ..cells::Params::default() };
    let grid = cells::read(bytes, &params)?;
    let mut told = Clinical { notes: grid.notes.iter().map(Note::to_string).collect(), ..Clinical::default() };
    let header = header::find(&grid, book, map, &mut told)?;
    let lines = rows::patients(&grid, &header, map, &mut told);
    let records = match &header.frame {
        Some(frame) => events::merge(&lines, &header, frame, book, map, &mut told),
        None => records(&lines, &header, &mut told),
    };
    // Of two rows that contradict each other nobody knows which is right: the patient is left out.
    let lines_refused: BTreeSet<u64> = told.refused.iter().map(|it| it.line).collect();
    let doubtful: BTreeSet<&str> =
        lines.iter().filter(|it| lines_refused.contains(&it.line)).map(|it| it.code.as_str()).collect();
    let mut rows = values(&grid, &header, &records, book, map, &mut told);
    rows.retain(|row| !doubtful.contains(row.code.as_str()));
    ids::within(&rows, &mut told);
    Ok(Clinical { rows, ..told })
}

/// One row a patient.
fn records<'a>(lines: &'a [Line<'a>], header: &Header, told: &mut Clinical) -> Vec<Record<'a>> {
    let mut seen = BTreeMap::new();
    let mut records = Vec::new();
    for line in lines {
        if let Some(first) = seen.insert(&line.code, line.line) {
            told.refused.push(Refusal {
                line: line.line,
                column: header.texts[header.code].clone(),
                value: line.code.clone(),
                expected: format!("each patient once; it is on line {first} too"),
            });
        }
        let entry = |column: &Column| Entry { line: line.line, cell: line.cells.text(column.at) };
        let entries = header.columns.iter().map(entry).collect();
        records.push(Record { line: line.line, code: line.code.clone(), entries });
    }
    records
}

/// Reads the cells of every patient; patients with a refused cell are left out.
fn values(
    grid: &Grid,
    header: &Header,
    records: &[Record],
    book: &Codebook,
    map: &Map,
    told: &mut Clinical,
) -> Vec<Row> {
    let mut rows: Vec<Row> = records
        .iter()
        .map(|it| Row { line: it.line, code: it.code.clone(), values: vec![None; book.variables.len()] })
        .collect();
    let mut bad = BTreeSet::new();
    let readers = readers(grid, header, records, book, map);
    for (at, (column, reader)) in header.columns.iter().zip(&readers).enumerate() {
        let mut said = Said::default();
        for (number, record) in records.iter().enumerate() {
            let Entry { line, cell } = record.entries[at];
            match reader.read(cell) {
                Ok(read) => {
                    said.hear(reader, cell, &read);
                    rows[number].values[column.place] = read.value;
                }
                Err(wrong) => {
                    bad.insert(number);
                    let value = osteon_base::text::shown(&osteon_base::text::clean(cell));
                    let column = header.texts[column.at].clone();
                    told.refused.push(Refusal { line, column, value, expected: wrong.expected });
                    wrong.hint.into_iter().for_each(|hint| told.hint(hint));
                }
            }
        }
        said.tell(reader, &header.texts[column.at], header.line, column.is_declared, told);
    }
    told.refused.sort_by_key(|it| it.line);
    join(told);
    rows.into_iter().enumerate().filter(|(number, _)| !bad.contains(number)).map(|(_, row)| row).collect()
}

/// What each column is read by.
fn readers<'a>(grid: &Grid, header: &Header, records: &[Record], book: &'a Codebook, map: &'a Map) -> Vec<Reader<'a>> {
    let writing = Writing::of(grid);
    let signs = |at: usize, mut signs: Signs| {
        records.iter().for_each(|record| signs.see(record.entries[at].cell));
        signs
    };
    let is_number = |column: &Column| matches!(book.variables[column.place].kind, Kind::Number(_));
    let numbers = || header.columns.iter().enumerate().filter(|(_, column)| is_number(column));
    let all = numbers().fold(Signs::default(), |all, (at, _)| signs(at, all));
    let of = |(at, column): (usize, &Column)| Reader {
        variable: &book.variables[column.place],
        factor: column.factor,
        map,
        signs: if writing.is_workbook { signs(at, Signs::default()) } else { all },
        writing,
        is_redcap: header.frame.is_some(),
    };
    header.columns.iter().enumerate().map(of).collect()
}

/// What has to be said of a column.
#[derive(Default)]
struct Said {
    commas: bool,
    times: usize,
    /// Codes and the levels that they were read as.
    codes: BTreeSet<(String, String)>,
    /// Words for no value.
    missing: BTreeMap<String, usize>,
    units: BTreeMap<String, usize>,
    /// Numbers as the file has them.
    numbers: Vec<f64>,
    first: Option<String>,
}

impl Said {
    fn hear(&mut self, reader: &Reader, cell: &str, read: &Read) {
        self.times += usize::from(read.time);
        if let Some(unit) = &read.unit {
            *self.units.entry(unit.clone()).or_default() += 1;
        }
        match &read.value {
            None if !cell.is_empty() => {
                *self.missing.entry(osteon_base::text::clean(cell).to_lowercase()).or_default() += 1;
            }
            Some(Value::Number(number)) => {
                self.commas |= cell.contains(',') && reader.map.decimal(&reader.variable.name) != Some('.');
                if read.unit.is_none() {
                    self.numbers.push(number / reader.factor);
                    self.first.get_or_insert_with(|| cell.to_owned());
                }
            }
            Some(level @ Value::Level(_)) if cell.parse::<f64>().is_ok() => {
                self.codes.insert((cell.to_owned(), reader.variable.text(level)));
            }
            _ => (),
        }
    }

    fn tell(self, reader: &Reader, header: &str, line: u64, is_declared: bool, told: &mut Clinical) {
        let (variable, name) = (reader.variable, reader.variable.name.as_str());
        self.tell_shares(reader, header, line, is_declared, told);
        if self.commas {
            told.notes.push(format!("{COMMAS}{name}"));
        }
        if self.times > 0 {
            told.notes.push(format!(
                "{name}: the time of day of {} is not kept",
                osteon_base::text::counted(self.times, "date")
            ));
        }
        if !self.units.is_empty() {
            let units: Vec<String> = self.units.iter().map(|(unit, n)| format!("{unit} ({n})")).collect();
            told.notes.push(format!("{name}: units behind numbers were read: {}", units.join(", ")));
        }
        let codes: Vec<String> = self.codes.iter().map(|(code, level)| format!("{name} {code} is {level}")).collect();
        if !codes.is_empty() {
            told.notes.push(format!("{CODES}{}", codes.join(", ")));
        }
        let is_guessed = |(code, level): &&(String, String)| {
            let is_usual = reader.is_yes_no() && matches!((code.as_str(), level.as_str()), ("0", "no") | ("1", "yes"));
            let words = reader.map.levels.get(name).into_iter().flat_map(BTreeMap::values).flatten();
            !is_usual && !words.into_iter().any(|word| word == code)
        };
        let guessed: Vec<String> =
            self.codes.iter().filter(is_guessed).map(|(code, level)| format!("{code} as {level}")).collect();
        if !guessed.is_empty() && Codebook::study().named(name).is_some_and(|own| own.kind == variable.kind) {
            let first = self.codes.iter().find(is_guessed).expect("one was guessed");
            told.warnings.push(format!(
                "{name}: codes were read as the preset codebook has them, which the file does not say: {}; if that is meant, \
                 the map says so: [levels.{name}] \"{}\" = [\"{}\"]",
                guessed.join(", "),
                first.1,
                first.0
            ));
        }
        if let (Some(n), true) = (self.missing.get("-"), matches!(variable.kind, Kind::Levels { .. })) {
            let level = if reader.is_yes_no() { "no" } else { variable.levels().first().copied().unwrap_or_default() };
            told.warnings.push(format!(
                "{name}: - was read as no value in {}; if it means {level}, the map says so: [levels.{name}] \"{level}\" = \
                 [\"-\"]",
                osteon_base::text::counted(*n, "cell")
            ));
        }
        if !self.missing.is_empty() {
            let words: Vec<String> = self.missing.iter().map(|(word, n)| format!("{name} {word} ({n})")).collect();
            told.notes.push(format!("{MISSING}{}", words.join(", ")));
        }
    }

    /// Percentages of which all lie between 0 and 1 are shares, or very small: nobody should guess.
    fn tell_shares(&self, reader: &Reader, header: &str, line: u64, is_declared: bool, told: &mut Clinical) {
        let (name, n) = (&reader.variable.name, self.numbers.len());
        let is_share = |value: &&f64| (0.0..=1.0).contains(*value);
        let small = self.numbers.iter().filter(is_share).filter(|value| **value > 0.0).count();
        if is_declared || !crate::protocol::codebook::unit::is_same(&reader.variable.unit, "%") || small == 0 {
            return;
        }
        if self.numbers.iter().filter(is_share).count() == n {
            told.whole.push(Refusal {
                line,
                column: header.to_owned(),
                value: self.first.clone().unwrap_or_default(),
                expected: "percentages from 0 to 100, of which some are above 1".to_owned(),
            });
            told.hint(format!(
                "all {n} numbers lie between 0 and 1: in the map [scale] {name} = 100 says that they are fractions, [scale] {name} \
                 = 1 that they are percentages"
            ));
        } else if self.numbers.iter().filter(|value| value.fract() != 0.0).filter(is_share).count() > 0 {
            told.warnings.push(format!("{name}: {small} of {n} percentages lie between 0 and 1; are these fractions?"));
        }
    }
}

const COMMAS: &str = "decimal commas in ";
const CODES: &str = "codes: ";
const MISSING: &str = "read as no value: ";

/// Notes that begin alike become one.
fn join(told: &mut Clinical) {
    for start in [COMMAS, CODES, MISSING] {
        let mut parts: Vec<String> =
            told.notes.iter().filter_map(|note| note.strip_prefix(start)).map(str::to_owned).collect();
        if !parts.is_empty() {
            parts.sort();
            told.notes.retain(|note| !note.starts_with(start));
            told.notes.push(format!("{start}{}", parts.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osteon_base::cells::CellsError;

    fn names(clinical: &Clinical) -> Vec<String> {
        clinical.refused.iter().map(|it| format!("{}:{}:{}", it.line, it.column, it.value)).collect()
    }

    #[test]
    fn words_codes_commas_and_marks_are_read_and_said() {
        let text = "\u{feff}Patient ID;Sex;ALP;necrosis_pct\nA;Male;12,5;90\nB;2;7;\nC;Unknown;n/a;?\nD;unknown;1;2\n";
        let clinical = read(text.as_bytes(), Codebook::study(), &Map::default()).unwrap();
        assert_eq!(clinical.refused, []);
        assert_eq!(clinical.rows[0].values[0], Some(Value::Level(1)));
        assert_eq!(clinical.rows[0].values[7], Some(Value::Number(12.5)));
        assert_eq!(clinical.rows[1].values[0], Some(Value::Level(0)));
        assert_eq!(clinical.rows[1].values[9], None);
        let unread = "read as no value: alp n/a (1), necrosis_pct ? (1), sex unknown (2)";
        for said in
            [unread, "byte order mark", "semicolons", "decimal commas in alp", "sex 2 is female", "no column for ldh"]
        {
            assert!(clinical.notes.iter().any(|note| note.contains(said)), "{said}: {:?}", clinical.notes);
        }
    }

    #[test]
    fn every_refused_cell_is_named_and_its_row_left_out() {
        let text = "patient_id,sex,alp\nA,x,1\nB,f,-1\nA,f,\"1,234\"\n,f,2\nC,f\nD,f,3\n";
        let clinical = read(text.as_bytes(), Codebook::study(), &Map::default()).unwrap();
        let expected =
            ["2:sex:x", "3:alp:-1", "4:patient_id:A", "4:alp:1,234", "5:patient_id:", "6::2 cells"].map(str::to_owned);
        assert_eq!(names(&clinical), expected);
        assert_eq!(clinical.rows.len(), 1);
    }

    #[test]
    fn cells_as_spreadsheets_write_them_are_read() {
        let check = |bytes: &[u8]| {
            let clinical = read(bytes, Codebook::study(), &Map::default()).unwrap();
            assert_eq!(clinical.refused, [], "{bytes:?}");
            let codes: Vec<&str> = clinical.rows.iter().map(|row| row.code.as_str()).collect();
            assert_eq!(codes, ["007", "P2"], "{bytes:?}");
            let alp = Codebook::study().variables.iter().position(|variable| variable.name == "alp").unwrap();
            assert_eq!(clinical.rows[1].values[alp], Some(Value::Number(3.0)));
        };
        check(b"patient_id|alp\n007|1\nP2|3\n");
        check(b"sep=;\r\npatient_id;alp\r\n=\"007\";1\r\nP2;3\r\n");
        // Columns once used, rows once used, longer rows, spaces that nobody sees.
        check("patient_id,alp,,\n007\u{a0},1\nP2,\u{200b}3,,,,\n,,,\n".as_bytes());
    }

    #[test]
    fn a_workbook_is_read_from_the_sheet_that_the_map_names() {
        let bytes = std::fs::read(osteon_testing::fixture("cells/clinical.xlsx")).unwrap();
        let found = read(&bytes, Codebook::study(), &Map::default()).unwrap();
        assert!(
            found.notes.iter().any(|note| note == "sheet Data was read; not read: Empty, Key"),
            "{:?}",
            found.notes
        );
        assert_eq!(found.rows[0].code, "007");
        let map = Map::parse("sheet = \"Key\"\n[columns]\npatient_id = \"code\"", Codebook::study()).unwrap();
        assert_eq!(read(&bytes, Codebook::study(), &map).unwrap().rows, []);
    }

    #[test]
    fn a_map_names_columns_and_levels() {
        let map = Map::parse(
            "[columns]\npatient_id = \"Nr\"\nalp = \"AP (U/l)\"\n[levels.sex]\nmale = [\"homme\"]",
            Codebook::study(),
        );
        let clinical = read("Nr,AP (U/l),sex\n1,5,Homme".as_bytes(), Codebook::study(), &map.unwrap()).unwrap();
        assert_eq!(clinical.refused, []);
        assert_eq!(clinical.rows[0].values[0], Some(Value::Level(1)));
        for wrong in ["[columns]\nheight = \"x\"", "[levels.sex]\nboth = []", "[levels.alp]\nx = []", "colums = 1"] {
            assert!(matches!(Map::parse(wrong, Codebook::study()), Err(Error::Map(_))), "{wrong}");
        }
    }

    #[test]
    fn no_bytes_make_the_reader_panic() {
        use rand::Rng;
        let seed = osteon_base::seed::Seed(8).named("clinical");
        let whole = "\u{feff}patient_id;sex;alp\nA;male;1,5\n\"B\";\"f\";\"\"\"2\"\n".as_bytes();
        for round in 0..2000 {
            let mut rng = seed.nth(round).rng();
            let mut bytes = whole[..rng.random_range(0..=whole.len())].to_vec();
            for _ in 0..rng.random_range(0..4) {
                let at = rng.random_range(0..=bytes.len());
                bytes.insert(at, *[0, 9, 10, 13, 34, 44, 59, 0x80, 0xC3, 0xEF, 0xFE, 0xFF].get(round % 12).unwrap());
            }
            let _ = read(&bytes, Codebook::study(), &Map::default());
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_as_a_whole_is_an_error() {
        let encoding = read(b"patient_id\nM\xfcller", Codebook::study(), &Map::default());
        assert!(matches!(encoding, Err(Error::Cells(CellsError::Encoding { line: 2, column: 1, .. }))));
        assert!(matches!(read(b"", Codebook::study(), &Map::default()), Err(Error::Header(_))));
        assert!(matches!(read(b"patient_id,alp,ALP\n", Codebook::study(), &Map::default()), Err(Error::Header(_))));
    }
}
