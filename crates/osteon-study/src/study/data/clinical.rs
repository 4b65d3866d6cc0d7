//! A clinical file as rows of entries: headers matched, levels and numbers read, every refused cell named.

use std::collections::{BTreeMap, BTreeSet};

use osteon_base::cells::{self, Note};
use serde::Deserialize;

use crate::protocol::codebook::variable::{Kind, Variable};
use crate::protocol::codebook::{Codebook, Value};
use crate::study::{Error, Refusal};

/// How a file's own headers and words map to the study's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// Our name (`patient_id` or a variable) = the file's header.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// Sheet of a workbook; without it, the first visible one with cells.
    pub sheet: Option<String>,
    /// Variable, then our level = the file's words for it.
    #[serde(default)]
    pub levels: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clinical {
    pub rows: Vec<Row>,
    /// Cells that are not what they must be.
    pub refused: Vec<Refusal>,
    /// What was read differently than it stands in the file: byte order mark, separator, decimal commas, codes.
    pub notes: Vec<String>,
}

/// One patient of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Line in the file, the header being 1.
    pub line: u64,
    pub code: String,
    /// In the order of the codebook; `None` for an empty cell or a column that the file has not.
    pub values: Vec<Option<Value>>,
}

/// The header under which patients are named.
const CODE: &str = "patient_id";
const CODE_ALSO: &[&str] = &["patient", "patientid", "id", "code", "subject", "participant_id"];

impl Map {
    /// Reads a map file.
    pub fn parse(text: &str, book: &Codebook) -> Result<Map, Error> {
        let map: Map = toml::from_str(text)
            .map_err(|cause| Error::Map(cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ")))?;
        for (name, levels) in &map.levels {
            let known = book.named(name).map(Variable::levels).unwrap_or_default();
            if known.is_empty() {
                return Err(Error::Map(format!("levels.{name}: no variable with levels has this name")));
            }
            if let Some(level) = levels.keys().find(|level| !known.contains(&level.as_str())) {
                return Err(Error::Map(format!("levels.{name}.{level}: the levels are {}", known.join(", "))));
            }
        }
        match map.columns.keys().find(|name| *name != CODE && book.named(name).is_none()) {
            Some(name) => Err(Error::Map(format!("columns.{name}: no variable has this name"))),
            None => Ok(map),
        }
    }
}

/// Reads a file's bytes. Errors when the file as a whole cannot be read; single cells are `refused`.
pub fn read(bytes: &[u8], book: &Codebook, map: &Map) -> Result<Clinical, Error> {
    let params = cells::Params { sheet: map.sheet.clone(), ..cells::Params::default() };
    let grid = cells::read(bytes, &params)?;
    let mut notes: Vec<String> = grid.notes.iter().map(Note::to_string).collect();
    // A decimal comma is one where something else separates the cells.
    let decimal_comma = grid.notes.iter().any(|note| matches!(note, Note::Separator(_)));
    let (header, body) =
        grid.headed().ok_or_else(|| Error::Header(format!("no column {CODE}; found no header line")))?;
    let headers: Vec<String> = header.texts().map(|text| osteon_base::text::clean(text).into_owned()).collect();
    let columns = columns(&headers, book, map, &mut notes)?;
    let mut clinical = Clinical::default();
    let (mut commas, mut codes, mut seen) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    let mut remarks = 0;
    let mut missing: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for row in body {
        let line = row.line as u64;
        if row.text(columns.code).starts_with('#') {
            remarks += 1;
            continue;
        }
        let refusals = clinical.refused.len();
        let mut refuse = |column: &str, value: &str, expected: String| {
            let value = osteon_base::text::shown(&osteon_base::text::clean(value));
            clinical.refused.push(Refusal { line, column: column.to_owned(), value, expected });
        };
        let Some(row) = row.fitted(headers.len()) else {
            refuse("", &format!("{} cells", row.len()), format!("{} cells as in the header", headers.len()));
            continue;
        };
        let code = osteon_base::text::clean(row.text(columns.code)).trim().to_owned();
        if code.is_empty() || code.chars().count() > 64 {
            refuse(&headers[columns.code], &code, "a patient's name of 1 to 64 characters".to_owned());
        } else if let Some(first) = seen.insert(code.clone(), line) {
            refuse(&headers[columns.code], &code, format!("each patient once; it is on line {first} too"));
        }
        let mut values = vec![None; book.variables.len()];
        for &(at, place) in &columns.variables {
            let cell = row.text(at);
            let variable = &book.variables[place];
            let name = variable.name.as_str();
            match value(variable, cell, decimal_comma, map) {
                Ok(None) if !cell.is_empty() => {
                    *missing.entry((name, osteon_base::text::clean(cell).to_lowercase())).or_default() += 1;
                }
                Ok(value) => values[place] = value,
                Err(expected) => refuse(&headers[at], cell, expected),
            }
            match &values[place] {
                Some(Value::Number(_)) if cell.contains(',') => drop(commas.insert(name)),
                Some(level @ Value::Level(_)) if cell.parse::<f64>().is_ok() => {
                    codes.insert(format!("{name} {cell} is {}", variable.text(level)));
                }
                _ => (),
            }
        }
        if clinical.refused.len() == refusals {
            clinical.rows.push(Row { line, code, values });
        }
    }
    if remarks > 0 {
        notes.push(format!("lines that begin with # are remarks: {remarks} not read"));
    }
    if !commas.is_empty() {
        notes.push(format!("decimal commas in {}", commas.into_iter().collect::<Vec<_>>().join(", ")));
    }
    if !codes.is_empty() {
        notes.push(format!("codes: {}", codes.into_iter().collect::<Vec<_>>().join(", ")));
    }
    if !missing.is_empty() {
        let told = missing.into_iter().map(|((name, word), n)| format!("{name} {word} ({n})"));
        notes.push(format!("read as no value: {}", told.collect::<Vec<_>>().join(", ")));
    }
    Ok(Clinical { notes, ..clinical })
}

/// Headers as a message shows them.
fn shown_all(headers: &[String]) -> String {
    headers.iter().map(|header| osteon_base::text::shown(header)).collect::<Vec<_>>().join(", ")
}

struct Columns {
    code: usize,
    /// Position in the file, position in the codebook.
    variables: Vec<(usize, usize)>,
}

fn columns(headers: &[String], book: &Codebook, map: &Map, notes: &mut Vec<String>) -> Result<Columns, Error> {
    let find = |name: &str, also: &[&str]| -> Result<Option<usize>, Error> {
        let wanted = map.columns.get(name).map(|header| key(header));
        let is = |header: &String| match &wanted {
            Some(wanted) => key(header) == *wanted,
            None => key(header) == name || also.contains(&key(header).as_str()),
        };
        let found: Vec<usize> = (0..headers.len()).filter(|&at| is(&headers[at])).collect();
        match (found.as_slice(), &map.columns.get(name)) {
            ([], Some(header)) => Err(Error::Header(format!("no column {header}, which the map names for {name}"))),
            ([], None) => Ok(None),
            ([at], _) => Ok(Some(*at)),
            _ => Err(Error::Header(format!("more than one column for {name}"))),
        }
    };
    let code = find(CODE, CODE_ALSO)?;
    let code = code.ok_or_else(|| Error::Header(format!("no column {CODE}; found {}", shown_all(headers))))?;
    let (mut variables, mut computed) = (Vec::new(), BTreeSet::new());
    for (place, variable) in book.variables.iter().enumerate() {
        let (key, heading) = (variable.key.to_lowercase(), self::key(&variable.heading()));
        match find(&variable.name, &[&key, &heading])? {
            Some(at) if variable.is_computed() => {
                notes.push(format!("not read: {}, which a formula computes", headers[at]));
                computed.insert(at);
            }
            Some(at) => variables.push((at, place)),
            None if variable.is_computed() => (),
            None => notes.push(format!("no column for {}", variable.name)),
        }
    }
    let used: BTreeSet<usize> = variables.iter().map(|(at, _)| *at).chain([code]).chain(computed).collect();
    let unread: Vec<&str> = (0..headers.len()).filter(|at| !used.contains(at)).map(|at| headers[at].as_str()).collect();
    if !unread.is_empty() {
        notes.push(format!("not read: {}", unread.join(", ")));
    }
    Ok(Columns { code, variables })
}

fn key(text: &str) -> String {
    text.trim().to_lowercase().replace([' ', '-'], "_")
}

fn value(variable: &Variable, cell: &str, decimal_comma: bool, map: &Map) -> Result<Option<Value>, String> {
    if let (Kind::Levels { levels, .. }, Some(words)) = (&variable.kind, map.levels.get(&variable.name)) {
        let means = |words: &Vec<String>| words.iter().any(|word| word.trim().eq_ignore_ascii_case(cell));
        if let Some((name, _)) = words.iter().find(|(_, words)| means(words)) {
            return Ok(levels.iter().position(|level| level.name == *name).map(Value::Level));
        }
    }
    if matches!(variable.kind, Kind::Number(_)) && !decimal_comma && thousands(cell) {
        return Err(format!("{} without thousands separator", variable.expected()));
    }
    variable.read(cell)
}

/// `1,234` in a file whose cells are separated by commas may be a thousand or a decimal: nobody should guess.
fn thousands(cell: &str) -> bool {
    cell.split_once(',').is_some_and(|(_, after)| after.len() == 3)
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
