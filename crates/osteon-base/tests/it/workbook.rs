//! XLSX workbooks as grids of cells. The workbooks are written by openpyxl (`fixtures/cells/make.py`).

use std::io::Write;

use osteon_base::cells::{CellsError, Grid, Params, read};
use osteon_testing::fixture;

fn workbook(name: &str, params: &Params) -> Result<Grid, CellsError> {
    read(&std::fs::read(fixture("cells").join(name)).unwrap(), params)
}

fn clinical() -> Grid {
    workbook("clinical.xlsx", &Params::default()).unwrap()
}

#[test]
fn values_are_read_as_the_sheet_shows_them() {
    let grid = clinical();
    let rows: Vec<_> = grid.rows().map(|row| (row.line, row.texts().collect::<Vec<_>>().join("|"))).collect();
    let expected = [
        (1, "patient_id|alp|necrosis|seen|started|smoker|note|ldh|"),
        (2, "007|312.5|7%|2020-03-05|8:30:00|TRUE|Mölheim\nward 2|0.3|"),
        (3, "P8||95.5%|2020-03-05 13:45:00|26:30:00|FALSE|#N/A|340|"),
        (5, "009||||||||far"),
    ];
    assert_eq!(rows, expected.map(|(line, text)| (line, text.to_owned())));
}

#[test]
fn places_are_named_as_the_sheet_names_them() {
    let grid = clinical();
    let far = grid.rows().last().unwrap().cells().last().unwrap();
    assert_eq!((grid.place(&far).to_string().as_str(), far.line, far.column), ("Data!I5", 5, 9));
}

#[test]
fn what_was_passed_over_or_understood_is_said() {
    let notes: Vec<String> = clinical().notes.iter().map(ToString::to_string).collect();
    let expected = [
        "sheet Data was read; not read: Empty, Key",
        "2 percentages read as shown with the percent sign, the first at Data!C2",
        "1 merged region: only the first cell of each has a value",
    ];
    assert_eq!(notes, expected);
}

#[test]
fn a_sheet_can_be_asked_for() {
    let named = |name: &str| Params { sheet: Some(name.to_owned()), ..Params::default() };
    let key = workbook("clinical.xlsx", &named("Key")).unwrap();
    assert_eq!(key.rows().next().unwrap().texts().collect::<Vec<_>>(), ["code", "name"]);
    let told = workbook("clinical.xlsx", &named("Kez")).unwrap_err().to_string();
    assert_eq!(told, "no sheet Kez; the sheets are Empty, Data, Key");
}

#[test]
fn formulas_without_a_value_and_other_archives_are_refused() {
    let refused = |name: &str| workbook(name, &Params::default()).unwrap_err().to_string();
    assert_eq!(refused("formula.xlsx"), "Data!B2: a formula without a stored value");
    assert!(refused("no_workbook.xlsx").starts_with("an archive that is no Excel workbook"));
}

#[test]
fn a_damaged_or_endless_workbook_is_refused() {
    let bytes = std::fs::read(fixture("cells/clinical.xlsx")).unwrap();
    let small = Params { max_inflated: 2000, ..Params::default() };
    assert_eq!(read(&bytes, &small), Err(CellsError::TooMuchText { limit: 2000 }));
    let few = Params { max_cells: 12, ..Params::default() };
    assert_eq!(read(&bytes, &few), Err(CellsError::TooManyCells { limit: 12 }));
    for at in (0..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xFF;
        let _ = read(&damaged, &Params::default());
        let _ = read(&bytes[..at], &Params::default());
    }
}

/// A workbook of one sheet with the given rows.
fn with_rows(rows: &str) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    let book = format!(
        "<workbook xmlns:r=\"{relations}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let rels = format!(
        "<Relationships><Relationship Id=\"r1\" Type=\"{relations}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
    );
    let strings = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(1 << 16));
    let top = format!(
        "<Relationships><Relationship Id=\"r1\" Type=\"{relations}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    for (name, text) in [
        ("_rels/.rels", &top),
        ("xl/workbook.xml", &book),
        ("xl/_rels/workbook.xml.rels", &rels),
        ("xl/worksheets/sheet1.xml", &sheet),
        ("xl/sharedStrings.xml", &strings),
    ] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn small_workbooks_that_unfold_to_much_are_refused() {
    let told = |rows: &str| read(&with_rows(rows), &Params::default()).unwrap_err().to_string();
    // Two corners of a sheet of 16,384 columns, 2,000 times.
    let corners: String = (1..2001).map(|row| format!("<row><c r=\"XFD{row}\"><v>1</v></c></row>")).collect();
    assert_eq!(told(&corners), "more than 20000000 cells");
    // One long string in every cell.
    let shared = "<c t=\"s\"><v>0</v></c>".repeat(5000);
    assert_eq!(told(&format!("<row>{shared}</row>")), "the workbook unpacks to more than 268435456 bytes");
    assert_eq!(
        told("<row><c r=\"XFE1\"><v>1</v></c></row>"),
        "S!XFE1: outside the 1,048,576 rows and 16,384 columns of a sheet"
    );
    for odd in ["AAAAAAAAAAAAAA1", "A99999999999999", "1", "A", "é1", ""] {
        let _ = read(&with_rows(&format!("<row><c r=\"{odd}\"><v>1</v></c></row>")), &Params::default());
    }
}
