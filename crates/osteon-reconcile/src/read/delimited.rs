//! Tables of CSV and TSV texts and of XLSX workbooks.

use osteon_base::cells::{self, CellsError, Note, Separator};

use crate::read::encoding;
use crate::read::grid::{Grid, GridCell, GridRow, MOST_CELLS, MOST_COLUMNS, tidy};

/// The tables of a file of separated cells, or of each sheet of a workbook.
pub fn tables(bytes: &[u8], params: &cells::Params) -> Result<Vec<Grid>, CellsError> {
    let first = match cells::read(bytes, params) {
        // Text pasted from Word or Excel has quotes that open nothing.
        Err(CellsError::OpenQuote { .. } | CellsError::AfterQuote { .. }) => return Ok(split(plain(bytes))),
        // Excel's CSV is in the encoding of its machine.
        Err(CellsError::Encoding { .. }) => {
            let (text, _) = encoding::text(bytes);
            let mut found = tables(text.as_bytes(), params)?;
            let note = "the file is not UTF-8 and was read as Windows-1252; save it as UTF-8 where letters are wrong";
            found.iter_mut().for_each(|grid| grid.notes.push(note.to_owned()));
            return Ok(found);
        }
        other => other?,
    };
    let others: Vec<String> = first
        .notes
        .iter()
        .flat_map(|note| match note {
            Note::Sheets { others, .. } => others.clone(),
            _ => Vec::new(),
        })
        .collect();
    let mut tables = split(grid(&first));
    for sheet in others {
        let one = cells::Params { sheet: Some(sheet), ..params.clone() };
        tables.extend(split(grid(&cells::read(bytes, &one)?)));
    }
    Ok(tables)
}

fn grid(cells: &cells::Grid) -> Grid {
    let rows = cells.rows().map(|row| GridRow {
        line: row.line,
        cells: row.cells().take(MOST_COLUMNS).map(|cell| GridCell::new(cell.text, cell.line)).collect(),
    });
    let mut grid = Grid { title: cells.sheet.clone().unwrap_or_default(), rows: rows.collect(), ..Grid::default() };
    let beyond = |row: cells::Row| row.cells().skip(MOST_COLUMNS).filter(|cell| !cell.text.trim().is_empty()).count();
    grid.leave_out(cells.rows().map(beyond).sum());
    grid
}

/// Lines split at tabs, or at commas where there are none.
fn plain(bytes: &[u8]) -> Grid {
    let (text, note) = encoding::text(bytes);
    let separator = if text.contains('\t') { Separator::Tab } else { Separator::Comma };
    let row = |(at, line): (usize, &str)| GridRow {
        line: at + 1,
        cells: line
            .split(char::from(separator.byte()))
            .take(MOST_COLUMNS)
            .map(|it| GridCell::new(it.trim_matches('"'), at + 1))
            .collect(),
    };
    let lines = text.split('\n').map(|line| line.trim_end_matches('\r'));
    let filled = || lines.clone().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let beyond = |line: &str| line.split(char::from(separator.byte())).skip(MOST_COLUMNS).count();
    let left_out = filled().map(|(_, line)| beyond(line)).sum::<usize>() + filled().skip(MOST_CELLS).count();
    let mut grid = Grid { rows: filled().map(row).take(MOST_CELLS).collect(), ..Grid::default() };
    grid.notes.extend(note);
    grid.leave_out(left_out);
    grid
}

/// One grid for each table of a sheet: lines of one cell above are its title, lines of one long cell below its legend.
fn split(grid: Grid) -> Vec<Grid> {
    let mut tables: Vec<Grid> = Vec::new();
    let mut current = Grid { title: grid.title.clone(), notes: grid.notes.clone(), ..Grid::default() };
    let filled = |row: &GridRow| row.cells.iter().filter(|cell| !cell.text.is_empty()).count();
    let starts = |row: &GridRow| {
        let first = row.cells.first().map_or("", |cell| cell.text.as_str());
        let word = first.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("table"));
        filled(row) == 1 && word && first[5..].trim_start().starts_with(|c: char| c.is_ascii_alphanumeric())
    };
    let rows = grid.rows;
    for (at, row) in rows.iter().enumerate() {
        if filled(row) == 0 {
            continue;
        }
        if starts(row) {
            tables.push(std::mem::take(&mut current));
            current.title = row.cells[0].text.clone();
            continue;
        }
        let alone = filled(row) == 1 && !row.cells[0].text.is_empty();
        let before =
            current.rows.is_empty() && alone && rows.get(at + 1).is_some_and(|next| filled(next) > 1 || starts(next));
        if before {
            current.title = tidy(&format!("{} {}", current.title, row.cells[0].text));
            continue;
        }
        let rest_alone = rows[at..].iter().take_while(|row| !starts(row)).all(|row| filled(row) <= 1);
        if alone && rest_alone && row.cells[0].text.chars().count() > 30 {
            current.legend = tidy(&format!("{} {}", current.legend, row.cells[0].text));
            continue;
        }
        current.rows.push(row.clone());
    }
    tables.push(current);
    tables.retain(|table| !table.rows.is_empty());
    tables
}
