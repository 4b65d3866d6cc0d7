//! A document for word processors: headings, real tables, figures as pictures. The same bytes every time.

use std::io::Cursor;

use docx_rs::{
    AlignmentType, BorderType, Docx, LineSpacing, PageMargin, Paragraph, Pic, Run, RunFonts, Style, StyleType, Table,
    TableBorder, TableBorderPosition, TableCell, TableCellBorder, TableCellBorderPosition, TableCellMargins,
    TableLayoutType, TableRow, WidthType,
};

use crate::report::figure::{DPI, Figure, TWO_COLUMNS_MM};
use crate::report::page::{Block, Numbers, Page};
use crate::report::sheet::{Cell, Sheet};
use osteon_base::text::clean;
use osteon_plot::png::PngError;

/// Twentieths of a point, Word's unit, to the millimetre.
const TWIPS_PER_MM: f64 = 1440.0 / 25.4;
/// English metric units, the unit of pictures, to the millimetre.
const EMU_PER_MM: f64 = 36_000.0;
/// A4 with margins that leave two columns of a journal.
const PAGE_MM: [f64; 2] = [210.0, 297.0];
const MARGIN_MM: f64 = 18.0;
/// A higher picture is made smaller, so that its caption stays on its page.
const PICTURE_MM: f64 = 225.0;

const HEADING: &str = "Heading1";
const SMALL: &str = "808080";

/// A document in pieces; paragraphs are numbered, so that no two runs of the program differ.
struct Writer {
    docx: Docx,
    n_paragraphs: u32,
    n_figures: usize,
    numbers: Numbers,
}

pub fn docx(page: &Page) -> Result<Vec<u8>, PngError> {
    let mut writer = Writer { docx: empty(), n_paragraphs: 0, n_figures: 0, numbers: Numbers::default() };
    writer.title(&page.title);
    for text in &page.first {
        writer.warning(text);
    }
    writer.provenance(&page.provenance);
    for section in &page.sections {
        writer.heading(&section.heading);
        for block in &section.blocks {
            writer.block(block)?;
        }
    }
    let mut file = Cursor::new(Vec::new());
    writer.docx.pack(&mut file).expect("a document is written to memory");
    Ok(file.into_inner())
}

fn empty() -> Docx {
    let margin = (MARGIN_MM * TWIPS_PER_MM) as i32;
    let margins =
        PageMargin { top: margin, left: margin, bottom: margin, right: margin, header: 0, footer: 0, gutter: 0 };
    let heading = Style::new(HEADING, StyleType::Paragraph)
        .name("heading 1")
        .size(28)
        .bold()
        .outline_lvl(0)
        .line_spacing(LineSpacing::new().before(360).after(120));
    let [width, height] = PAGE_MM.map(|mm| (mm * TWIPS_PER_MM) as u32);
    Docx::new()
        .page_size(width, height)
        .page_margin(margins)
        .default_fonts(RunFonts::new().ascii("Arial").hi_ansi("Arial").cs("Arial"))
        .default_size(20)
        .add_style(heading)
        // A time of its own would make every file another one.
        .created_at("1980-01-01T00:00:00Z")
        .updated_at("1980-01-01T00:00:00Z")
}

impl Writer {
    fn paragraph(&mut self) -> Paragraph {
        self.n_paragraphs += 1;
        Paragraph::new().id(format!("{:08x}", self.n_paragraphs)).line_spacing(LineSpacing::new().after(80))
    }

    fn add(&mut self, paragraph: Paragraph) {
        self.docx = std::mem::take(&mut self.docx).add_paragraph(paragraph);
    }

    fn title(&mut self, text: &str) {
        let paragraph = self.paragraph().add_run(words(text).size(36).bold());
        self.add(paragraph);
    }

    fn warning(&mut self, text: &str) {
        let paragraph = self.paragraph().add_run(words(text).bold().color("A04000"));
        self.add(paragraph);
    }

    fn heading(&mut self, text: &str) {
        self.n_paragraphs += 1;
        let paragraph = Paragraph::new().id(format!("{:08x}", self.n_paragraphs)).style(HEADING).keep_next(true);
        self.add(paragraph.add_run(words(text)));
    }

    fn provenance(&mut self, lines: &[String]) {
        for line in lines {
            let paragraph = self.paragraph().line_spacing(LineSpacing::new().after(0));
            self.add(paragraph.add_run(words(line).size(14).color(SMALL)));
        }
        let paragraph = self.paragraph();
        self.add(paragraph);
    }

    fn block(&mut self, block: &Block) -> Result<(), PngError> {
        match block {
            Block::Text(text) => {
                let paragraph = self.paragraph().add_run(words(text));
                self.add(paragraph);
            }
            Block::Warning(text) => {
                let paragraph = self.paragraph().add_run(words("Warning. ").bold().color("A04000"));
                self.add(paragraph.add_run(words(text)));
            }
            Block::Sheet(sheet) => self.sheet(sheet),
            Block::Figure(figure) => self.figure(figure)?,
        }
        Ok(())
    }

    fn figure(&mut self, figure: &Figure) -> Result<(), PngError> {
        self.n_figures += 1;
        let bytes = figure.png(DPI)?;
        let [across, down] = dimensions(&bytes);
        let width_mm = figure.plot.width_mm.min(TWO_COLUMNS_MM);
        let height_mm = width_mm * f64::from(down) / f64::from(across.max(1));
        let shrink = (PICTURE_MM / height_mm).min(1.0) * EMU_PER_MM;
        let picture = Pic::new_with_dimensions(bytes, across, down)
            .id(format!("rIdImage{}", self.n_figures))
            .size((width_mm * shrink) as u32, (height_mm * shrink) as u32);
        let paragraph = self.paragraph().keep_next(true).add_run(Run::new().add_image(picture));
        self.add(paragraph);
        let head = format!("Figure {}. {}. ", self.numbers.of(figure), figure.plot.title);
        let paragraph = self.paragraph().add_run(words(&head).bold().size(18));
        self.add(paragraph.add_run(words(&figure.caption).size(18)));
        self.provenance(&figure.plot.provenance);
        Ok(())
    }

    fn sheet(&mut self, sheet: &Sheet) {
        let paragraph = self.paragraph().keep_next(true).add_run(words(&sheet.title).bold());
        self.add(paragraph);
        let widths = widths(sheet);
        let half_points = if sheet.headings.len() > 7 { 13 } else { 16 };
        let right = |column: usize| sheet.right_aligned(column);
        let headings: Vec<String> = sheet.headings.clone();
        let mut rows = vec![self.row(&headings, &widths, &right, half_points, true)];
        for row in &sheet.rows {
            let texts: Vec<String> = row.iter().map(Cell::text).collect();
            rows.push(self.row(&texts, &widths, &right, half_points, false));
        }
        let line = |position| TableBorder::new(position).border_type(BorderType::Single).size(8).color("1A1A1A");
        let table = Table::without_borders(rows)
            .set_grid(widths.clone())
            .width(widths.iter().sum(), WidthType::Dxa)
            .layout(TableLayoutType::Fixed)
            .margins(TableCellMargins::new().margin(15, 60, 15, 60))
            .set_border(line(TableBorderPosition::Top))
            .set_border(line(TableBorderPosition::Bottom));
        self.docx = std::mem::take(&mut self.docx).add_table(table);
        let notes = sheet.notes.iter().map(String::as_str).collect::<Vec<_>>().join("; ");
        if !notes.is_empty() {
            let paragraph = self.paragraph().line_spacing(LineSpacing::new().before(40).after(0));
            self.add(paragraph.add_run(words(&notes).size(14)));
        }
        self.provenance(&sheet.provenance);
    }

    fn row(
        &mut self,
        texts: &[String],
        widths: &[usize],
        right: &dyn Fn(usize) -> bool,
        half_points: usize,
        heading: bool,
    ) -> TableRow {
        let cell = |(column, (text, &width)): (usize, (&String, &usize))| {
            let run = words(text).size(half_points);
            let run = if heading { run.bold() } else { run };
            let indent = text.chars().take_while(|c| *c == ' ').count() as i32 * 60;
            let paragraph = self.paragraph().line_spacing(LineSpacing::new().after(0));
            let paragraph = paragraph.indent(Some(indent), None, None, None).keep_next(heading);
            let paragraph = if right(column) { paragraph.align(AlignmentType::Right) } else { paragraph };
            let cell = TableCell::new().width(width, WidthType::Dxa).add_paragraph(paragraph.add_run(run));
            let line = TableCellBorder::new(TableCellBorderPosition::Bottom).size(6).color("1A1A1A");
            if heading { cell.set_border(line) } else { cell }
        };
        TableRow::new(texts.iter().zip(widths).enumerate().map(cell).collect()).cant_split()
    }
}

/// A run of text without control characters.
fn words(text: &str) -> Run {
    Run::new().add_text(clean(text).trim().to_owned() + if text.ends_with(' ') { " " } else { "" })
}

/// Columns share the page by their longest words and their longest cells, in twips.
fn widths(sheet: &Sheet) -> Vec<usize> {
    const LONGEST: usize = 60;
    let texts = |column: usize| {
        let cells = sheet.rows.iter().filter_map(move |row| row.get(column)).map(Cell::text);
        std::iter::once(sheet.headings[column].clone()).chain(cells)
    };
    let wish = |column: usize| {
        let word = |text: &String| text.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0);
        let word = texts(column).map(|text| word(&text)).max().unwrap_or(1).min(LONGEST);
        let whole = texts(column).map(|text| text.chars().count()).max().unwrap_or(1).min(LONGEST);
        (word.max(whole / 2).max(whole.min(24)) + 2) as f64
    };
    let wishes: Vec<f64> = (0..sheet.headings.len()).map(wish).collect();
    // About two millimetres a character is as wide as a short table gets.
    let room = (TWO_COLUMNS_MM).min(wishes.iter().sum::<f64>() * 2.0) * TWIPS_PER_MM;
    let total: f64 = wishes.iter().sum();
    wishes.iter().map(|wish| (wish / total * room) as usize).collect()
}

/// Width and height of a PNG in pixels, from its header.
fn dimensions(png: &[u8]) -> [u32; 2] {
    let at = |from: usize| u32::from_be_bytes(png[from..from + 4].try_into().expect("four bytes"));
    [at(16), at(20)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::page::Section;

    fn page() -> Page {
        let row = vec![Cell::Text("a <b> & \u{1b}[2J c".into()), Cell::Number { value: 1.5, digits: 1 }];
        let sheet = Sheet {
            title: "Table <1>".into(),
            headings: vec!["What".into(), "How much".into()],
            rows: vec![row],
            notes: vec!["a note".into()],
            provenance: vec!["protocol: 0123".into()],
        };
        let blocks = vec![Block::Text("Words.".into()), Block::Warning("Look.".into()), Block::Sheet(sheet)];
        Page {
            title: "Report".into(),
            first: vec!["Research use only.".into()],
            sections: vec![Section { heading: "One".into(), blocks }],
            provenance: vec![],
        }
    }

    #[test]
    fn a_document_has_the_same_bytes_every_time_and_no_control_characters() {
        let bytes = docx(&page()).unwrap();
        assert_eq!(bytes, docx(&page()).unwrap());
        assert!(bytes.starts_with(b"PK"));
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("a &lt;b&gt; &amp; ") && text.contains("protocol: 0123") && text.contains("<w:tbl>"));
        assert!(!text.contains('\u{1b}'));
    }
}
