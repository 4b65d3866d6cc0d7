//! Sheets as a workbook (XLSX): numbers in full behind their digits, texts as texts.
//!
//! The same sheets give the same bytes: the document's date is fixed, and entries of the archive have none.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::report::sheet::{Cell, Sheet};

/// Longest name of a sheet in Excel.
const LONGEST_NAME: usize = 31;
/// Numbers of so many digits are shown as they are.
const AS_IT_IS: usize = 10;

/// One worksheet a sheet: title, headings, rows, then notes and provenance. The error tells what Excel cannot hold.
pub fn workbook(sheets: &[Sheet]) -> Result<Vec<u8>, String> {
    write(sheets).map_err(|cause| cause.to_string())
}

fn write(sheets: &[Sheet]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    book.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_ymd(2000, 1, 1)?));
    let mut names = Vec::new();
    for sheet in sheets {
        let name = name(&sheet.title, &names);
        fill(book.add_worksheet(), sheet, &name)?;
        names.push(name.to_lowercase());
    }
    book.save_to_buffer()
}

fn fill(page: &mut Worksheet, sheet: &Sheet, name: &str) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    page.set_name(name)?;
    let mut line = 0;
    // What is a table of its own is read by other programs from its first row.
    if !sheet.notes.is_empty() || !sheet.provenance.is_empty() {
        page.write_string_with_format(0, 0, text(&sheet.title), &bold)?;
        line = 2;
    }
    for (at, heading) in (0..).zip(&sheet.headings) {
        page.write_string_with_format(line, at, text(heading), &bold)?;
    }
    page.set_freeze_panes(line + 1, 0)?;
    for row in &sheet.rows {
        line += 1;
        for (at, cell) in (0..).zip(row) {
            enter(page, (line, at), cell)?;
        }
    }
    page.autofit();
    line += 1;
    for note in sheet.notes.iter().chain(&sheet.provenance) {
        line += 1;
        page.write_string(line, 0, text(note))?;
    }
    Ok(())
}

fn enter(page: &mut Worksheet, (line, at): (u32, u16), cell: &Cell) -> Result<(), XlsxError> {
    match cell {
        Cell::Empty => (),
        Cell::Count(n) => {
            page.write_number(line, at, *n as f64)?;
        }
        Cell::Number { value, digits } if value.is_finite() && *digits < AS_IT_IS => {
            let zeros = "0".repeat(*digits);
            let format = if *digits == 0 { "0".to_owned() } else { format!("0.{zeros}") };
            page.write_number_with_format(line, at, *value, &Format::new().set_num_format(format))?;
        }
        Cell::Number { value, .. } if value.is_finite() => {
            page.write_number(line, at, *value)?;
        }
        Cell::P(p) if p.is_finite() => {
            let format = Format::new().set_num_format("[<0.001]\"<0.001\";0.000");
            page.write_number_with_format(line, at, *p, &format)?;
        }
        other => {
            page.write_string(line, at, text(&other.text()))?;
        }
    }
    Ok(())
}

/// Text without what acts instead of showing.
fn text(text: &str) -> String {
    osteon_base::text::clean(text).into_owned()
}

/// A title as the name of a sheet: up to a full stop, without the signs that Excel forbids, and not twice.
fn name(title: &str, taken: &[String]) -> String {
    let allowed = |c: &char| !"[]:*?/\\'".contains(*c);
    let clean: String = osteon_base::text::clean(title).chars().filter(allowed).collect();
    let clean = if clean.trim().is_empty() { "Sheet" } else { clean.trim() };
    let short: String = clean.split(". ").next().unwrap_or(clean).chars().take(LONGEST_NAME).collect();
    let short = short.trim().to_owned();
    let numbered = |n: usize| {
        let end = format!(" {n}");
        short.chars().take(LONGEST_NAME - end.len()).collect::<String>() + &end
    };
    let free = |name: &String| !taken.contains(&name.to_lowercase());
    std::iter::once(short.clone()).chain((2..).map(numbered)).find(free).expect("some number is free")
}

#[cfg(test)]
mod tests {
    use super::*;
    use osteon_base::cells;

    fn sheet(title: &str, notes: &[&str]) -> Sheet {
        Sheet {
            title: title.to_owned(),
            headings: ["id", "alp", "P", "text"].map(str::to_owned).to_vec(),
            rows: vec![
                vec![
                    Cell::Text("007".to_owned()),
                    Cell::Number { value: 12.25, digits: 1 },
                    Cell::P(0.5),
                    Cell::MeanSd { mean: 1.0, sd: 2.0, digits: 1 },
                ],
                vec![Cell::Text("=1+1".to_owned()), Cell::Count(3), Cell::Empty, Cell::Text("a\u{202e}b".to_owned())],
            ],
            notes: notes.iter().map(|note| (*note).to_owned()).collect(),
            provenance: Vec::new(),
        }
    }

    fn read(bytes: &[u8], sheet: Option<&str>) -> Vec<Vec<String>> {
        let params = cells::Params { sheet: sheet.map(str::to_owned), ..cells::Params::default() };
        let grid = cells::read(bytes, &params).unwrap();
        grid.rows().map(|row| row.texts().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn a_workbook_reads_back_with_every_digit_and_no_formula() {
        let bytes = workbook(&[sheet("Cohort", &[])]).unwrap();
        assert_eq!(
            read(&bytes, None),
            [["id", "alp", "P", "text"], ["007", "12.25", "0.5", "1.0 ± 2.0"], ["=1+1", "3", "", "ab"]]
        );
        assert_eq!(bytes, workbook(&[sheet("Cohort", &[])]).unwrap(), "the same bytes every time");
    }

    #[test]
    fn sheets_have_names_that_excel_takes_and_notes_below() {
        let long = "Table 1. Clinical characteristics [all]: by response/other";
        let bytes = workbook(&[sheet(long, &["a note"]), sheet("Table 1", &[]), sheet("", &[])]).unwrap();
        let first = read(&bytes, Some("Table 1"));
        assert_eq!((first[0][0].as_str(), first[1][0].as_str(), first[4][0].as_str()), (long, "id", "a note"));
        assert_eq!(read(&bytes, Some("Table 1 2")).len(), 3);
        assert_eq!(read(&bytes, Some("Sheet")).len(), 3);
    }
}
