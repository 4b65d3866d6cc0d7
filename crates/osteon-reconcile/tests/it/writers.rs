//! A grid of texts as a file of every format that tables are read from.

use std::io::Write;

/// Rows of cells; a table as it is printed.
pub type Rows = Vec<Vec<String>>;

pub const FORMATS: [&str; 7] = ["md", "html", "xml", "tsv", "csv", "docx", "xlsx"];

/// The table in one of `FORMATS`.
pub fn write(format: &str, rows: &Rows) -> Vec<u8> {
    match format {
        "md" => markdown(rows).into_bytes(),
        "html" => html(rows).into_bytes(),
        "xml" => jats(rows).into_bytes(),
        "tsv" => rows.iter().map(|row| row.join("\t") + "\r\n").collect::<String>().into_bytes(),
        "csv" => csv(rows),
        "docx" => docx(rows),
        "xlsx" => xlsx(rows),
        other => panic!("{other}"),
    }
}

fn markdown(rows: &Rows) -> String {
    let line = |row: &Vec<String>| {
        format!("| {} |\n", row.iter().map(|it| it.replace('|', "\\|")).collect::<Vec<_>>().join(" | "))
    };
    let rule = format!("|{}\n", "---|".repeat(rows[0].len()));
    line(&rows[0]) + &rule + &rows[1..].iter().map(line).collect::<String>()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn cells(rows: &Rows) -> String {
    let cell = |text: &String| format!("<td>{}</td>", escaped(text));
    let row = |row: &Vec<String>| format!("<tr>{}</tr>\n", row.iter().map(cell).collect::<String>());
    rows.iter().map(row).collect()
}

fn html(rows: &Rows) -> String {
    format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\"></head><body>\n<table>\n{}</table></body></html>",
        cells(rows)
    )
}

fn jats(rows: &Rows) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<article><body><sec><table-wrap id=\"t1\"><table><tbody>{}</tbody>\
         </table></table-wrap></sec></body></article>",
        cells(rows)
    )
}

fn csv(rows: &Rows) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    writer.into_inner().unwrap()
}

fn docx(rows: &Rows) -> Vec<u8> {
    let cell = |text: &String| format!("<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>", escaped(text));
    let row = |row: &Vec<String>| format!("<w:tr>{}</w:tr>", row.iter().map(cell).collect::<String>());
    let body = rows.iter().map(row).collect::<String>();
    let xml = format!("<?xml version=\"1.0\"?><w:document><w:body><w:tbl>{body}</w:tbl></w:body></w:document>");
    archive(&[("word/document.xml", xml)])
}

fn xlsx(rows: &Rows) -> Vec<u8> {
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const SHEET: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
    let cell = |(at, text): (usize, &String)| {
        let name = char::from(b'A' + (at % 26) as u8);
        let first = if at < 26 { String::new() } else { char::from(b'A' + (at / 26 - 1) as u8).to_string() };
        (first + &name.to_string(), text.clone())
    };
    let row = |(line, row): (usize, &Vec<String>)| {
        let cells = row.iter().enumerate().map(cell).map(|(name, text)| {
            format!("<c r=\"{name}{}\" t=\"inlineStr\"><is><t>{}</t></is></c>", line + 1, escaped(&text))
        });
        format!("<row r=\"{}\">{}</row>", line + 1, cells.collect::<String>())
    };
    let data: String = rows.iter().enumerate().map(row).collect();
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
    archive(&[
        (
            "[Content_Types].xml",
            format!(
                "{head}<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" \
                 ContentType=\"application/xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "{head}<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" \
                 Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "{head}<workbook xmlns=\"{SHEET}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"Sheet1\" sheetId=\"1\" \
                 r:id=\"rId1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "{head}<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" Type=\"{OFFICE}/worksheet\" \
                 Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("{head}<worksheet xmlns=\"{SHEET}\"><sheetData>{data}</sheetData></worksheet>"),
        ),
    ])
}

fn archive(parts: &[(&str, String)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}
