//! Where a file's header stands, which column is which variable, and by what its numbers are multiplied.

use std::collections::BTreeSet;

use osteon_base::cells::{Grid, Row};

use crate::protocol::codebook::Codebook;
use crate::protocol::codebook::unit;
use crate::protocol::codebook::variable::{Kind, Role, Variable};
use crate::study::data::clinical::events::Frame;
use crate::study::data::clinical::map::Map;
use crate::study::data::clinical::{CODE, Clinical};
use crate::study::{Error, Refusal};

/// Other headers under which patients are named.
const CODE_ALSO: &[&str] = &["patient", "patientid", "id", "code", "subject", "participant_id", "record_id"];
/// So many rows may stand above the header.
const ABOVE: usize = 30;

/// The header of a file.
#[derive(Debug)]
pub struct Header {
    /// Line of the header.
    pub line: u64,
    pub texts: Vec<String>,
    /// Place of the patient's id.
    pub code: usize,
    pub columns: Vec<Column>,
    /// Columns of a longitudinal export; `None` for one row a patient.
    pub frame: Option<Frame>,
}

/// One variable's column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Position in the file.
    pub at: usize,
    /// Position in the codebook.
    pub place: usize,
    /// By what numbers are multiplied to be in the variable's unit.
    pub factor: f64,
    /// Whether the file's own numbers are said to be what they are: shares are not asked about.
    pub is_declared: bool,
}

/// Finds the header and what its columns are. `Err` where no row names the patients.
pub fn find(grid: &Grid, book: &Codebook, map: &Map, told: &mut Clinical) -> Result<Header, Error> {
    let filled = || grid.rows().filter(|row| !row.is_blank()).take(ABOVE);
    let first = filled().next().ok_or_else(|| Error::Header("no header line: the file holds no cells".to_owned()))?;
    let is_header = |row: &Row| {
        let texts = texts(row);
        let names = |variable: &Variable| column(&texts, variable, book, map).is_ok_and(|at| at.is_some());
        id(&texts, map).is_ok_and(|at| at.is_some()) && (row.line == first.line || book.variables.iter().any(names))
    };
    let row = filled().find(is_header).unwrap_or(first);
    let texts = texts(&row);
    let above: Vec<String> = filled()
        .take_while(|it| it.line < row.line)
        .map(|it| osteon_base::text::shown(it.texts().find(|text| !text.is_empty()).unwrap_or_default()))
        .collect();
    if !above.is_empty() {
        let lines = osteon_base::text::counted(above.len(), "line");
        told.notes.push(format!("the header is line {}; {lines} above it not read: {}", row.line, above.join(" | ")));
    }
    let code = id(&texts, map)?;
    let code = code.ok_or_else(|| Error::Header(format!("no column {CODE}; found {}", shown_all(&texts))))?;
    let frame = Frame::find(&texts, code);
    let line = row.line as u64;
    let columns = columns(&texts, (code, line), frame.as_ref(), book, map, told)?;
    Ok(Header { line, texts, code, columns, frame })
}

/// As a header is compared: in lower case, blanks and hyphens as underscores.
pub fn key(text: &str) -> String {
    text.trim().to_lowercase().replace([' ', '-'], "_")
}

fn texts(row: &Row) -> Vec<String> {
    let width = row.texts().rposition(|text| !text.is_empty()).map_or(0, |last| last + 1);
    row.texts().take(width).map(|text| osteon_base::text::clean(text).into_owned()).collect()
}

/// Headers as a message shows them.
fn shown_all(headers: &[String]) -> String {
    headers.iter().map(|header| osteon_base::text::shown(header)).collect::<Vec<_>>().join(", ")
}

fn id(headers: &[String], map: &Map) -> Result<Option<usize>, Error> {
    match map.columns.get(CODE) {
        Some(header) => mapped(headers, CODE, header).map(Some),
        None => {
            // The name itself comes before the others: a REDCap export may have a record_id beside it.
            let own = only(headers, CODE, |text| key(text) == CODE)?;
            if own.is_some() { Ok(own) } else { only(headers, CODE, |text| CODE_ALSO.contains(&key(text).as_str())) }
        }
    }
}

fn mapped(headers: &[String], name: &str, header: &str) -> Result<usize, Error> {
    let found = only(headers, name, |text| key(text) == key(header))?;
    found.ok_or_else(|| Error::Header(format!("no column {header}, which the map names for {name}")))
}

fn only(headers: &[String], name: &str, is: impl Fn(&str) -> bool) -> Result<Option<usize>, Error> {
    let found: Vec<usize> = (0..headers.len()).filter(|&at| is(&headers[at])).collect();
    match found[..] {
        [] => Ok(None),
        [at] => Ok(Some(at)),
        [first, second, ..] => Err(Error::Header(format!(
            "more than one column for {name}: {} and {}; the map names one of two that differ",
            headers[first], headers[second]
        ))),
    }
}

/// The column of a variable: as the map says, by its name, key or heading, or by its name or label and a unit.
fn column(headers: &[String], variable: &Variable, book: &Codebook, map: &Map) -> Result<Option<usize>, Error> {
    if let Some(header) = map.columns.get(&variable.name) {
        return mapped(headers, &variable.name, header).map(Some);
    }
    let exact = |it: &Variable| [key(&it.name), it.key.to_lowercase(), key(&it.heading())];
    let own = exact(variable);
    let found = only(headers, &variable.name, |text| own.contains(&key(text)))?;
    if found.is_some() {
        return Ok(found);
    }
    let bases = [&variable.name, &variable.key, &variable.label].map(|text| key(unit::split(text).0));
    let is = |text: &str| {
        let (base, unit) = unit::split(text);
        let taken = book.variables.iter().any(|it| exact(it).contains(&key(text)));
        !taken && unit.is_some() != variable.unit.is_empty() && bases.contains(&key(base))
    };
    only(headers, &variable.name, is)
}

fn columns(
    headers: &[String],
    (code, line): (usize, u64),
    frame: Option<&Frame>,
    book: &Codebook,
    map: &Map,
    told: &mut Clinical,
) -> Result<Vec<Column>, Error> {
    let (mut columns, mut used) = (Vec::new(), BTreeSet::from([code]));
    used.extend(frame.map(Frame::places).unwrap_or_default());
    for (place, variable) in book.variables.iter().enumerate() {
        let group = frame.and_then(|frame| frame.group).filter(|_| is_only_centre(variable, book));
        match column(headers, variable, book, map)?.or(group) {
            Some(at) if variable.is_computed() => {
                told.notes.push(format!("not read: {}, which a formula computes", headers[at]));
                used.insert(at);
            }
            Some(at) => {
                let (factor, is_declared) = factor(&headers[at], line, variable, map, told);
                columns.push(Column { at, place, factor, is_declared });
                used.insert(at);
            }
            None if variable.is_computed() => (),
            None => told.notes.push(format!("no column for {}", variable.name)),
        }
    }
    let unread: Vec<&str> = (0..headers.len()).filter(|at| !used.contains(at)).map(|at| headers[at].as_str()).collect();
    if !unread.is_empty() {
        told.notes.push(format!("not read: {}", unread.join(", ")));
    }
    Ok(columns)
}

/// The data access group of an export is the centre, where the codebook has one.
fn is_only_centre(variable: &Variable, book: &Codebook) -> bool {
    variable.role == Role::Centre && book.variables.iter().filter(|it| it.role == Role::Centre).count() == 1
}

/// By what a column's numbers are multiplied, and whether the map says so; a unit without a factor is refused.
fn factor(header: &str, line: u64, variable: &Variable, map: &Map, told: &mut Clinical) -> (f64, bool) {
    let (name, own) = (&variable.name, variable.unit.as_str());
    if !matches!(variable.kind, Kind::Number(_)) {
        return (1.0, false);
    }
    if let Some(&factor) = map.scale.get(name) {
        told.notes.push(format!("{header}: numbers times {factor}, as the map says"));
        return (factor, true);
    }
    let stated = map.unit.get(name);
    let Some(found) = stated.cloned().or_else(|| unit::split(header).1) else { return (1.0, false) };
    if own.is_empty() {
        told.notes.push(format!("{header}: taken as it is, for the codebook gives {name} no unit"));
        return (1.0, stated.is_some());
    }
    if unit::is_same(&found, own) {
        return (1.0, stated.is_some());
    }
    let Some(factor) = unit::factor(&found, own) else {
        told.whole.push(Refusal {
            line,
            column: header.to_owned(),
            value: found,
            expected: format!("{own}, or a unit that is converted to it by a known factor"),
        });
        told.hint(format!(
            "the map gives the factor from the file's unit to {own} ([scale] {name} = FACTOR), or says that the header \
             is wrong ([unit] {name} = \"{own}\")"
        ));
        return (1.0, true);
    };
    told.notes.push(format!("{header}: numbers times {factor}, from {found} to {own}"));
    (factor, true)
}
