//! A sheet of an XLSX workbook as a grid, through calamine, with our bounds around it.

use std::io::{Cursor, Read};

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Style, Xlsx, XlsxError};

use crate::cells::{CellsError, Grid, Line, Note, Params, Place, Span, scan};

const MAX_ROWS: u32 = 1_048_576;
const MAX_COLUMNS: u32 = 16_384;

/// One sheet of a workbook: the one asked for, or the first visible one with cells.
pub fn read(bytes: &[u8], params: &Params) -> Result<Grid, CellsError> {
    check_size(bytes, params.max_inflated)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(wrong)?;
    let sheets: Vec<_> = book.sheets_metadata().iter().filter(|sheet| sheet.typ == SheetType::WorkSheet).collect();
    let visible = |hidden: &SheetVisible| *hidden == SheetVisible::Visible;
    let names: Vec<String> = sheets.iter().map(|sheet| sheet.name.clone()).collect();
    let asked: Vec<String> = match &params.sheet {
        Some(name) if names.contains(name) => vec![name.clone()],
        Some(name) => return Err(CellsError::NoSheet { name: name.clone(), sheets: names }),
        None => sheets.iter().filter(|sheet| visible(&sheet.visible)).map(|sheet| sheet.name.clone()).collect(),
    };
    for name in asked {
        let mut grid = sheet(&mut book, &name, params)?;
        if grid.rows.is_empty() {
            continue;
        }
        let others: Vec<String> = names.iter().filter(|other| **other != name).cloned().collect();
        if !others.is_empty() {
            grid.notes.insert(0, Note::Sheets { read: name.clone(), others });
        }
        return Ok(Grid { sheet: Some(name), ..grid });
    }
    Ok(Grid::default())
}

fn wrong(cause: XlsxError) -> CellsError {
    CellsError::Workbook(cause.to_string())
}

/// Inflates every entry once, which checks its CRC: an archive does not say truly how large its entries are.
fn check_size(bytes: &[u8], limit: usize) -> Result<(), CellsError> {
    let damaged = |cause: &dyn std::fmt::Display| CellsError::Workbook(cause.to_string());
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|cause| damaged(&cause))?;
    if archive.index_for_name("xl/workbook.xml").is_none() {
        return Err(CellsError::Format { found: "an archive that is no Excel workbook" });
    }
    let mut left = limit as u64;
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(|cause| damaged(&cause))?;
        let inflated =
            std::io::copy(&mut entry.take(left + 1), &mut std::io::sink()).map_err(|cause| damaged(&cause))?;
        left = left.checked_sub(inflated).ok_or(CellsError::TooMuchText { limit })?;
    }
    Ok(())
}

/// A cell of the sheet with its row and column from 0, and where its text stands.
struct Found {
    at: (u32, u32),
    start: usize,
    end: usize,
}

fn sheet(book: &mut Xlsx<Cursor<&[u8]>>, name: &str, params: &Params) -> Result<Grid, CellsError> {
    refuse_formulas_without_value(book, name)?;
    let merged = book.merge_cells_by_sheet_name(name).map_err(wrong)?.len();
    let mut reader = book.worksheet_cells_reader(name).map_err(wrong)?;
    let mut grid = Grid::default();
    let mut cells: Vec<Found> = Vec::new();
    let (mut percentages, mut first) = (0, None);
    while let Some((cell, style)) = reader.next_cell_with_style_id().map_err(wrong)? {
        let at @ (row, column) = cell.get_position();
        let place = || Place::Sheet { sheet: name.to_owned(), row: row as usize + 1, column: column as usize + 1 };
        if row >= MAX_ROWS || column >= MAX_COLUMNS {
            return Err(CellsError::Outside { place: place() });
        }
        let shown = Shown::of(reader.styles().get(style));
        let start = grid.text.len();
        write(cell.get_value(), shown, &mut grid.text);
        if shown == Shown::Percent && matches!(cell.get_value(), DataRef::Float(_) | DataRef::Int(_)) {
            percentages += 1;
            first.get_or_insert_with(place);
        }
        if grid.text.len() > params.max_inflated {
            return Err(CellsError::TooMuchText { limit: params.max_inflated });
        }
        if grid.text.len() > start {
            cells.push(Found { at, start, end: grid.text.len() });
        }
        if cells.len() > params.max_cells {
            return Err(CellsError::TooManyCells { limit: params.max_cells });
        }
    }
    cells.sort_by_key(|cell| cell.at);
    place_cells(&cells, &mut grid, params.max_cells)?;
    grid.notes.extend(first.map(|first| Note::Percentages { cells: percentages, first }));
    grid.notes.extend((merged > 0).then_some(Note::Merged { regions: merged }));
    Ok(grid)
}

/// Fills the rows that have a cell, each as wide as the sheet.
fn place_cells(cells: &[Found], grid: &mut Grid, max_cells: usize) -> Result<(), CellsError> {
    let width = cells.iter().map(|cell| cell.at.1 as usize + 1).max().unwrap_or(0);
    for row in cells.chunk_by(|one, next| one.at.0 == next.at.0) {
        let line = row[0].at.0 + 1;
        let first = grid.spans.len();
        if first + width > max_cells {
            return Err(CellsError::TooManyCells { limit: max_cells });
        }
        grid.rows.push(Line { line, first });
        grid.spans.resize(first + width, Span { start: 0, end: 0, line });
        for cell in row {
            let span = &mut grid.spans[first + cell.at.1 as usize];
            (span.start, span.end) = (cell.start as u32, cell.end as u32);
        }
    }
    Ok(())
}

/// Programs that write workbooks leave formulas uncalculated: their cells look empty.
fn refuse_formulas_without_value(book: &mut Xlsx<Cursor<&[u8]>>, name: &str) -> Result<(), CellsError> {
    let mut reader = book.worksheet_cells_reader(name).map_err(wrong)?;
    while let Some(cell) = reader.next_cell_with_formula_metadata().map_err(wrong)? {
        if cell.formula.is_some() && cell.value == DataRef::Empty {
            let (row, column) = cell.pos;
            let place = Place::Sheet { sheet: name.to_owned(), row: row as usize + 1, column: column as usize + 1 };
            return Err(CellsError::NoValue { place });
        }
    }
    Ok(())
}

/// What a number format does to a number beyond its decimals.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    AsStored,
    /// 0.95 is shown as 95%.
    Percent,
    /// `000`: 7 is shown as 007.
    Padded {
        digits: usize,
    },
}

impl Shown {
    fn of(style: Option<&Style>) -> Shown {
        let format = style.and_then(|style| style.number_format.as_ref()).map_or("", |format| &format.format_code);
        if format.split('"').step_by(2).any(|bare| bare.contains('%')) {
            Shown::Percent
        } else if format.len() > 1 && format.bytes().all(|byte| byte == b'0') {
            Shown::Padded { digits: format.len() }
        } else {
            Shown::AsStored
        }
    }
}

/// Writes a value as text: numbers in full, dates as ISO 8601, errors as the sheet shows them.
fn write(value: &DataRef, shown: Shown, out: &mut String) {
    let text = match value {
        DataRef::Int(number) => written(&number.to_string(), shown),
        DataRef::Float(number) => written(&number.to_string(), shown),
        DataRef::Bool(truth) => if *truth { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(moment) => date(moment),
        DataRef::Error(error) => error.to_string(),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) | DataRef::String(text) => return put(text, out),
        DataRef::SharedString(text) => return put(text, out),
        DataRef::Empty => return,
    };
    out.push_str(&text);
}

fn put(text: &str, out: &mut String) {
    out.push_str(text.trim_matches(scan::surrounds));
}

/// A number's digits as the sheet shows them.
fn written(digits: &str, shown: Shown) -> String {
    match shown {
        Shown::Padded { digits: wanted } if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{digits:0>wanted$}")
        }
        Shown::Percent => format!("{}%", hundredfold(digits)),
        _ => digits.to_owned(),
    }
}

/// A decimal number times 100, by its digits: 0.07 gives 7, not 7.000000000000001.
fn hundredfold(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let padded = format!("{fraction:0<2}");
    let (moved, rest) = padded.split_at(2);
    let whole = format!("{whole}{moved}");
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

/// `2020-03-05`, with the time where it is not midnight; a duration or a time alone as `26:30:00`.
fn date(moment: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let seconds = (moment.as_f64() * 86_400.0).round();
    if moment.is_duration() || (0.0..86_400.0).contains(&seconds) {
        let seconds = seconds as i64;
        return format!("{}:{:02}:{:02}", seconds / 3600, seconds % 3600 / 60, seconds % 60);
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) { date } else { format!("{date} {hour:02}:{minute:02}:{second:02}") }
}
