//! The 29 printed tables as HTML, TSV and DOCX made from them: the same cells in the same places.

use std::io::Write;

use osteon_reconcile::PublishedCell;
use osteon_reconcile::read::correction::Correction;
use osteon_reconcile::read::{Params, read};

use crate::reading::readings;

fn rows(markdown: &str) -> Vec<Vec<String>> {
    let lines = markdown.lines().enumerate().filter(|(at, line)| *at != 1 && line.starts_with('|'));
    lines
        .map(|(_, line)| {
            line.trim()
                .trim_start_matches('|')
                .trim_end_matches('|')
                .split('|')
                .map(|it| it.trim().to_owned())
                .collect()
        })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn html(rows: &[Vec<String>]) -> String {
    let cell = |text: &String| format!("<td>{}</td>", escaped(text));
    let row = |row: &Vec<String>| format!("<tr>{}</tr>\n", row.iter().map(cell).collect::<String>());
    format!("<!DOCTYPE html><html><body>\n<table>\n{}</table></body></html>", rows.iter().map(row).collect::<String>())
}

fn tsv(rows: &[Vec<String>]) -> String {
    rows.iter().map(|row| row.join("\t") + "\r\n").collect()
}

fn docx(rows: &[Vec<String>]) -> Vec<u8> {
    let cell = |text: &String| format!("<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>", escaped(text));
    let row = |row: &Vec<String>| format!("<w:tr>{}</w:tr>", row.iter().map(cell).collect::<String>());
    let body = rows.iter().map(row).collect::<String>();
    let xml = format!("<?xml version=\"1.0\"?><w:document><w:body><w:tbl>{body}</w:tbl></w:body></w:document>");
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("word/document.xml", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(xml.as_bytes()).unwrap();
    archive.finish().unwrap().into_inner()
}

/// What a cell says without the line in which its file has it.
fn said(cell: &PublishedCell) -> String {
    let place = &cell.place;
    let row = place.row.split(" (line ").next().unwrap().split(": row ").next().unwrap();
    format!(
        "{} {} {} {} {} {:?} {:?}",
        cell.source.column, place.set, row, place.column, cell.printed, cell.value, cell.role
    )
}

#[test]
fn the_same_table_reads_the_same_in_every_form() {
    let Some(folder) = osteon_testing::shared("cases/published/tables") else { return };
    for (name, expected) in readings(&folder) {
        let rows = rows(&std::fs::read_to_string(folder.join(&name)).unwrap());
        for (form, bytes) in
            [("html", html(&rows).into_bytes()), ("tsv", tsv(&rows).into_bytes()), ("docx", docx(&rows))]
        {
            let found = read(&bytes, &name, &Correction::default(), &Params::default()).unwrap();
            for (found, expected) in found[0].cells.iter().zip(&expected[0].cells) {
                assert_eq!(said(found), said(expected), "{name} as {form}");
            }
            assert_eq!(found[0].cells.len(), expected[0].cells.len(), "{name} as {form}");
        }
    }
}

#[test]
fn hostile_files_are_refused_or_read_but_never_hang() {
    let deep = "<table>".repeat(50_000);
    let wide = "<table><tr><td>1</td><td colspan=999999999 rowspan=999999999>1</td></tr><tr><td>2</table>";
    let cells = format!("<table><tr>{}</tr><tr><td>1", "<td colspan=1000>1".repeat(5_000));
    let pipes = format!("|a|b|\n|--|--|\n{}", "|".repeat(200_000));
    let quotes = format!("a\tb\n{}", "\"".repeat(100_000));
    for text in [deep.as_str(), wide, &cells, &pipes, &quotes, "<table", "<?xml", "PK\u{3}\u{4}", "", "|\n|--|"] {
        let _ = read(text.as_bytes(), "hostile", &Correction::default(), &Params::default());
    }
    let small = Params { max_bytes: 10, ..Params::default() };
    assert!(read(b"a,b\n1,2\n3,4\n", "large", &Correction::default(), &small).is_err());
}

#[test]
fn a_person_corrects_roles_and_the_file_is_read_again() {
    let table = "| Item | A (n = 10) | B (n = 20) | Q |\n|--|--|--|--|\n| Male | 5 (50) | 8 (40) | 0.6 |\n| Female | 5 (50) | 12 (60) | |\n";
    let said = "[[table]]\nrounding = \"cut\"\n[[table.column]]\nat = 4\nrole = \"p\"\npair = [\"A\", \"B\"]\n\
                [[table.row]]\nline = 3\nrole = \"level\"\nvariable = \"Sex\"\nlabel = \"Male\"\n";
    let correction = Correction::parse(said).unwrap();
    let readings = read(table.as_bytes(), "t.md", &correction, &Params::default()).unwrap();
    let p = readings[0].cells.iter().find(|cell| cell.source.column == 4).unwrap();
    let osteon_reconcile::role::Role::P(compared) = &p.role else { panic!("{:?}", p.role) };
    assert!(compared.is_named && compared.groups == ["A", "B"] && p.place.row == "Sex", "{p:?}");
    assert!(readings[0].cells.iter().all(|cell| cell.rounding.is_some()));
    let template = osteon_reconcile::read::correction::template(&readings);
    assert!(Correction::parse(&template).is_ok(), "{template}");
    for (wrong, part) in [
        ("[[table]]\n[[table.column]]\nat = 1\nrole = \"colour\"\n", "table 1, column 1: role \"colour\" is none of"),
        ("[[table]]\nname = 3\n", "not a correction of tables"),
        ("[[table]]\n[[table.row]]\nline = 1\nrole = \"x\"\n", "table 1, line 1: role \"x\""),
    ] {
        let error = Correction::parse(wrong).unwrap_err().to_string();
        assert!(error.starts_with(part), "{error}");
    }
}
