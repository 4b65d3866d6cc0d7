//! A document for word processors: headings, real tables, figures as pictures. The same bytes every time.

use std::io::Cursor;

use docx_rs::{
    AlignmentType, BorderType, Docx, LineSpacing, PageMargin, Paragraph, Pic, Run, RunFonts, Style, StyleType, Table,
    TableBorder, TableBorderPosition, TableCell, TableCellBorder, TableCellBorderPosition, TableCellMargins,
    TableLayoutType, TableRow, WidthType,
};

use crate::report::docx_parts::{self, END_OF_LANDSCAPE, END_OF_PORTRAIT, completed};
use crate::report::figure::{DPI, Figure, TWO_COLUMNS_MM};
use crate::report::page::{Block, Numbers, Page, Sources};
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
/// Word's own names of the styles of titles and captions: lists of tables and figures are made from them.
const TITLE: &str = "Title";
const CAPTION: &str = "Caption";
const SMALL: &str = "808080";

/// A document in pieces; paragraphs are numbered, so that no two runs of the program differ.
struct Writer {
    docx: Docx,
    n_paragraphs: u32,
    n_figures: usize,
    numbers: Numbers,
    sources: Sources,
    /// Titles of tables and of pictures, in their order.
    tables: Vec<String>,
    pictures: Vec<String>,
    is_landscape: bool,
}

pub fn docx(page: &Page) -> Result<Vec<u8>, PngError> {
    let mut writer = Writer {
        docx: empty(),
        n_paragraphs: 0,
        n_figures: 0,
        numbers: Numbers::default(),
        sources: Sources::of(page),
        tables: Vec::new(),
        pictures: Vec::new(),
        is_landscape: false,
    };
    writer.title(&page.title);
    for text in &page.first {
        writer.warning(text);
    }
    for section in &page.sections {
        writer.heading(&section.heading);
        for block in &section.blocks {
            writer.block(block)?;
        }
    }
    writer.turned(false);
    writer.heading("Provenance");
    for (n, lines) in std::mem::take(&mut writer.sources).lists.iter().enumerate() {
        writer.provenance(n + 1, lines);
    }
    let [width, height] = PAGE_MM.map(|mm| (mm * TWIPS_PER_MM) as u32);
    let paper = docx_parts::Paper { width, height, margin: (MARGIN_MM * TWIPS_PER_MM) as u32 };
    let parts = completed(writer.docx.build(), &page.title, &writer.tables, &writer.pictures, paper);
    let mut file = Cursor::new(Vec::new());
    parts.pack(&mut file).expect("a document is written to memory");
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
    let title = Style::new(TITLE, StyleType::Paragraph)
        .name("Title")
        .size(36)
        .bold()
        .line_spacing(LineSpacing::new().after(120));
    let caption = Style::new(CAPTION, StyleType::Paragraph)
        .name("caption")
        .size(18)
        .line_spacing(LineSpacing::new().before(160).after(80));
    let [width, height] = PAGE_MM.map(|mm| (mm * TWIPS_PER_MM) as u32);
    Docx::new()
        .page_size(width, height)
        .page_margin(margins)
        .default_fonts(RunFonts::new().ascii("Arial").hi_ansi("Arial").cs("Arial"))
        .default_size(20)
        .add_style(heading)
        .add_style(title)
        .add_style(caption)
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
        self.n_paragraphs += 1;
        let paragraph = Paragraph::new().id(format!("{:08x}", self.n_paragraphs)).style(TITLE);
        self.add(paragraph.add_run(words(text)));
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

    fn provenance(&mut self, number: usize, lines: &[String]) {
        for (n, line) in lines.iter().enumerate() {
            let line = if n == 0 { format!("[{number}] {line}") } else { line.clone() };
            let paragraph = self.paragraph().line_spacing(LineSpacing::new().after(0));
            self.add(paragraph.add_run(words(&line).size(14).color(SMALL)));
        }
        let paragraph = self.paragraph();
        self.add(paragraph);
    }

    /// `Table 1. Title` or `Figure 1. Title` and what follows, in Word's style of captions.
    fn caption(&mut self, title: &str, text: &str, keep_next: bool) {
        self.n_paragraphs += 1;
        let paragraph = Paragraph::new().id(format!("{:08x}", self.n_paragraphs)).style(CAPTION).keep_next(keep_next);
        self.add(match text {
            "" => paragraph.add_run(words(title).bold()),
            text => paragraph.add_run(words(&format!("{title} ")).bold()).add_run(words(text)),
        });
    }

    /// A short mark of where a table or figure comes from.
    fn mark(&mut self, lines: &[String]) {
        let mark = format!("Provenance [{}]", self.sources.mark(lines));
        let paragraph = self.paragraph().line_spacing(LineSpacing::new().after(160));
        self.add(paragraph.add_run(words(&mark).size(14).color(SMALL)));
    }

    /// Further pages in landscape or portrait format.
    fn turned(&mut self, is_landscape: bool) {
        if self.is_landscape != is_landscape {
            let mark = if self.is_landscape { END_OF_LANDSCAPE } else { END_OF_PORTRAIT };
            let paragraph = self.paragraph().add_run(Run::new().add_text(mark));
            self.add(paragraph);
            self.is_landscape = is_landscape;
        }
    }

    fn block(&mut self, block: &Block) -> Result<(), PngError> {
        if !matches!(block, Block::Sheet(_)) {
            self.turned(false);
        }
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
        let head = format!("Figure {}. {}.", self.numbers.of(figure), figure.plot.title);
        self.pictures.push(format!("{head} {}", figure.caption));
        self.caption(&head, &figure.caption, false);
        self.mark(&figure.plot.provenance);
        Ok(())
    }

    /// In portrait format where it fits, else in landscape, else in parts.
    fn sheet(&mut self, sheet: &Sheet) {
        let fits = |format: PageFormat| least_widths(sheet, HALF_POINTS).iter().sum::<usize>() <= format.room();
        let (format, parts) = match () {
            () if fits(PageFormat::Portrait) => (PageFormat::Portrait, vec![sheet.clone()]),
            () if fits(PageFormat::Landscape) => (PageFormat::Landscape, vec![sheet.clone()]),
            () => (PageFormat::Landscape, sheet.parts(PageFormat::Landscape.characters())),
        };
        self.turned(format == PageFormat::Landscape);
        for part in &parts {
            self.part(part, format);
        }
        self.mark(&sheet.provenance);
    }

    fn part(&mut self, sheet: &Sheet, format: PageFormat) {
        self.caption(&sheet.title, "", true);
        self.tables.push(sheet.title.clone());
        let widths = widths(sheet, format);
        let right = |column: usize| sheet.right_aligned(column);
        let headings: Vec<String> = sheet.headings.clone();
        let mut rows = vec![self.row(&headings, &widths, &right, HALF_POINTS, true)];
        for row in &sheet.rows {
            let texts: Vec<String> = row.iter().map(Cell::text).collect();
            rows.push(self.row(&texts, &widths, &right, HALF_POINTS, false));
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
        for note in &sheet.notes {
            let paragraph = self.paragraph().line_spacing(LineSpacing::new().before(20).after(0));
            self.add(paragraph.add_run(words(note).size(14)));
        }
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

/// Half points of the text of tables.
const HALF_POINTS: usize = 16;
/// Between the words of two columns, in twips: the margins of both cells.
const BESIDE: usize = 120;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PageFormat {
    Portrait,
    Landscape,
}

impl PageFormat {
    /// Between the margins, in twips.
    fn room(self) -> usize {
        let across = if self == PageFormat::Landscape { PAGE_MM[1] } else { PAGE_MM[0] };
        ((across - 2.0 * MARGIN_MM) * TWIPS_PER_MM) as usize
    }

    /// Characters of the text of tables that stand beside each other, with what columns need between them.
    fn characters(self) -> usize {
        self.room() / twips_of(1, HALF_POINTS, true)
    }
}

/// Width of so many characters: Arial's figures are 0.556 em wide, its words a little less; bold ones are wider.
fn twips_of(n: usize, half_points: usize, bold: bool) -> usize {
    n * half_points * if bold { 62 } else { 56 } / 10
}

/// The longest part of a text that a line break must not divide.
fn longest_word(text: &str) -> usize {
    text.split([' ', '\n']).map(|word| word.chars().count()).max().unwrap_or(0)
}

/// What each column needs so that no number and no word is broken, in twips; words of more than [`LONGEST`] may be.
fn least_widths(sheet: &Sheet, half_points: usize) -> Vec<usize> {
    const LONGEST: usize = 40;
    let of = |column: usize| {
        let heading = twips_of(longest_word(&sheet.headings[column]).min(LONGEST), half_points, true);
        let cell = |cell: &Cell| match cell {
            cell if cell.is_number() => twips_of(cell.text().chars().count(), half_points, false),
            cell => twips_of(longest_word(&cell.text()).min(LONGEST) + 1, half_points, false),
        };
        let cells = sheet.rows.iter().filter_map(|row| row.get(column)).map(cell);
        cells.fold(heading, usize::max) + BESIDE
    };
    (0..sheet.headings.len()).map(of).collect()
}

/// Each column has what it needs; what is left goes to those whose text is longer, up to the whole of it.
fn widths(sheet: &Sheet, format: PageFormat) -> Vec<usize> {
    const LONGEST: usize = 70;
    let least = least_widths(sheet, HALF_POINTS);
    let whole = |column: usize| {
        let cells = sheet.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text().chars().count());
        twips_of(cells.max().unwrap_or(0).min(LONGEST) + 1, HALF_POINTS, false) + BESIDE
    };
    let wish: Vec<usize> = (0..least.len()).map(|column| whole(column).max(least[column])).collect();
    let (taken, more) =
        (least.iter().sum::<usize>(), wish.iter().zip(&least).map(|(wish, least)| wish - least).sum::<usize>());
    let free = format.room().saturating_sub(taken).min(more);
    let grown = |(least, wish): (&usize, &usize)| least + (wish - least) * free / more.max(1);
    let widths: Vec<usize> = least.iter().zip(&wish).map(grown).collect();
    let (sum, room) = (widths.iter().sum::<usize>(), format.room());
    // Parts of a table may still be wider where single words are: they share what there is.
    if sum <= room { widths } else { widths.iter().map(|width| width * room / sum).collect() }
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
    fn no_number_and_no_word_of_a_heading_is_broken() {
        let number = |text: &str| Cell::Printed(text.to_owned());
        let row: Vec<Cell> = std::iter::once(Cell::Text("Pathological fracture, No. (%)".into()))
            .chain((0..7).map(|_| number("216.0 (136.0–360.0)")))
            .collect();
        let headings = (0..8).map(|n| format!("Training: non-pGR (n = {n})")).collect();
        let sheet = Sheet { headings, rows: vec![row], ..Sheet::default() };
        assert!(least_widths(&sheet, HALF_POINTS).iter().sum::<usize>() > PageFormat::Portrait.room());
        let widths = widths(&sheet, PageFormat::Landscape);
        assert!(widths.iter().sum::<usize>() <= PageFormat::Landscape.room());
        // Arial at 8 points: a digit is 0.556 em, 19 characters 84.5 points, or 1690 twips.
        assert!(widths[1..].iter().all(|&width| width >= 1690), "{widths:?}");
        // Of many columns, each part has room for its own.
        let wide = Sheet {
            headings: (0..30).map(|n| format!("Column {n}")).collect(),
            rows: vec![(0..30).map(|n| number(&format!("{n}.123 (0.111–0.999)"))).collect()],
            ..Sheet::default()
        };
        for part in wide.parts(PageFormat::Landscape.characters()) {
            let least: usize = least_widths(&part, HALF_POINTS).iter().sum();
            assert!(least <= PageFormat::Landscape.room(), "{} columns: {least}", part.headings.len());
        }
    }

    #[test]
    fn a_document_has_the_same_bytes_every_time_and_no_control_characters() {
        let bytes = docx(&page()).unwrap();
        assert_eq!(bytes, docx(&page()).unwrap());
        assert!(bytes.starts_with(b"PK"));
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("<w:tblHeader />") && text.contains("<w:tblCaption w:val=\"Table &lt;1&gt;\" />"));
        assert!(text.contains("<dc:title>Report</dc:title>") && text.contains("w:val=\"Caption\""));
        assert!(text.contains("a &lt;b&gt; &amp; ") && text.contains("protocol: 0123") && text.contains("<w:tbl>"));
        assert!(!text.contains('\u{1b}'));
    }
}
