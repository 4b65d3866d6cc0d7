//! A document of sections, written as one self-contained HTML page or as Markdown with figures beside it.

use std::fmt::Write;

use crate::report::figure::Figure;
use crate::report::sheet::{self, Format, Sheet};
use osteon_plot::svg::escape;

/// A document.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub title: String,
    /// What a reader must know before anything else, right below the title.
    pub first: Vec<String>,
    pub sections: Vec<Section>,
    /// Lines of `name: value`.
    pub provenance: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub heading: String,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    Text(String),
    /// Something that a reader must not overlook.
    Warning(String),
    Sheet(Sheet),
    Figure(Box<Figure>),
}

/// One page with everything in it: no network, no script, readable on paper.
pub fn html(page: &Page) -> String {
    let mut out = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    // Nothing may be fetched, whatever a name in the study contains.
    out.push_str(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    );
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    let title = escape(&page.title);
    let _ =
        write!(out, "<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header><h1>{title}</h1>\n");
    for text in &page.first {
        let _ = writeln!(out, "<p class=\"warning\">{}</p>", escape(text));
    }
    let _ = writeln!(out, "<p class=\"from\">{}</p></header>", lines(&page.provenance));
    out.push_str("<nav><ol>\n");
    for (n, section) in page.sections.iter().enumerate() {
        let _ = writeln!(out, "<li><a href=\"#s{n}\">{}</a></li>", escape(&section.heading));
    }
    out.push_str("</ol></nav>\n<main>\n");
    let mut numbers = Numbers::default();
    for (n, section) in page.sections.iter().enumerate() {
        let _ = writeln!(out, "<section id=\"s{n}\"><h2>{}</h2>", escape(&section.heading));
        for block in &section.blocks {
            html_block(&mut out, block, &mut numbers);
        }
        out.push_str("</section>\n");
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn html_block(out: &mut String, block: &Block, numbers: &mut Numbers) {
    let _ = match block {
        Block::Text(text) => writeln!(out, "<p>{}</p>", escape(text)),
        Block::Warning(text) => writeln!(out, "<p class=\"warning\"><strong>Warning.</strong> {}</p>", escape(text)),
        Block::Sheet(sheet) => {
            let wide = if sheet.headings.len() > WIDE { " wide" } else { "" };
            writeln!(out, "<div class=\"sheet{wide}\">{}</div>", sheet::render(sheet, Format::Html))
        }
        Block::Figure(figure) => {
            writeln!(
                out,
                "<figure>\n{}<figcaption><strong>Figure {}. {}.</strong> {} <span class=\"from\">{}</span></figcaption>\n</figure>",
                figure.svg(),
                numbers.of(figure),
                escape(&figure.plot.title),
                escape(&figure.caption),
                lines(&figure.plot.provenance)
            )
        }
    };
}

fn lines(provenance: &[String]) -> String {
    provenance.iter().map(|line| escape(line)).collect::<Vec<_>>().join("<br>\n")
}

/// The same document; figures are links to `figures/NAME.svg`.
pub fn markdown(page: &Page) -> String {
    let mut out = format!("# {}\n", plain(&page.title));
    for text in &page.first {
        let _ = write!(out, "\n> {}\n", plain(text));
    }
    for line in &page.provenance {
        let _ = write!(out, "\n{}  ", plain(line));
    }
    out.push('\n');
    let mut numbers = Numbers::default();
    for section in &page.sections {
        let _ = write!(out, "\n## {}\n", plain(&section.heading));
        for block in &section.blocks {
            let _ = match block {
                Block::Text(text) => write!(out, "\n{}\n", plain(text)),
                Block::Warning(text) => write!(out, "\n> **Warning.** {}\n", plain(text)),
                Block::Sheet(sheet) => write!(out, "\n{}", sheet::render(sheet, Format::Markdown)),
                Block::Figure(figure) => {
                    let (name, caption) = (&figure.plot.name, plain(&figure.caption));
                    let (number, title) = (numbers.of(figure), plain(&figure.plot.title));
                    let from = figure.plot.provenance.iter().map(|line| format!("\n{}  ", plain(line)));
                    let from: String = from.collect();
                    write!(out, "\n![{title}](figures/{name}.svg)\n\n**Figure {number}. {title}.** {caption}\n{from}\n")
                }
            };
        }
    }
    out
}

/// The captions of all figures, each to be read alone; empty where there is none.
pub fn captions(page: &Page) -> String {
    let mut numbers = Numbers::default();
    let mut out = "# Figure captions\n".to_owned();
    for figure in page.figures() {
        let number = numbers.of(figure);
        let (title, caption) = (plain(&figure.plot.title), plain(&figure.caption));
        let _ = write!(out, "\n**Figure {number}. {title}.** {caption} (figures/{}.svg)\n", figure.plot.name);
    }
    out
}

/// Backslashes before what Markdown would take for markup.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in osteon_base::text::clean(text).chars() {
        if matches!(c, '\\' | '|' | '*' | '_' | '`' | '<' | '[' | ']' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Figures that a paper numbers, in its order; others are supplementary, S1 and on as they come.
const NUMBERED: [&str; 7] = ["workflow", "lasso", "nomogram", "roc", "dca", "calibration", "shap"];

/// Gives figures their numbers, in the order of the page.
#[derive(Default)]
pub struct Numbers {
    supplementary: usize,
}

impl Numbers {
    pub fn of(&mut self, figure: &Figure) -> String {
        if let Some(at) = NUMBERED.iter().position(|name| *name == figure.plot.name) {
            return (at + 1).to_string();
        }
        self.supplementary += 1;
        format!("S{}", self.supplementary)
    }
}

impl Page {
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        blocks.filter_map(|block| if let Block::Figure(figure) = block { Some(figure.as_ref()) } else { None })
    }
}

/// A table of more columns is printed on a page turned on its side.
const WIDE: usize = 8;

const STYLE: &str = "\
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; color: #1a1a1a; \
background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; border-bottom: 1px solid #ccc; padding-bottom: .25rem; }
p { max-width: 46rem; }
nav ol { columns: 2; padding-left: 1.25rem; margin: 1rem 0; }
nav a { color: #0060a0; text-decoration: none; }
nav a:hover { text-decoration: underline; }
.from, tfoot { color: #666; font-size: .8rem; line-height: 1.35; overflow-wrap: anywhere; }
figcaption .from { display: block; margin-top: .25rem; }
.warning { border-left: 4px solid #d55e00; background: #fdf3ec; padding: .5rem .75rem; }
.sheet { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; border-top: 1.5px solid #1a1a1a; \
border-bottom: 1.5px solid #1a1a1a; }
caption { text-align: left; font-weight: 600; padding: 0 0 .4rem; }
th { border-bottom: 1px solid #1a1a1a; font-weight: 600; text-align: left; vertical-align: bottom; }
th, td { padding: .2rem .7rem .2rem 0; vertical-align: top; }
tfoot td { border-top: 1px solid #1a1a1a; padding-top: .3rem; }
figure { margin: 1.5rem 0; }
figure svg { max-width: 100%; height: auto; display: block; }
figcaption { font-size: .87rem; margin-top: .5rem; max-width: 46rem; }
@media print {
  @page { margin: 18mm 16mm; }
  @page wide { size: landscape; margin: 12mm 10mm; }
  body { font-size: 10pt; max-width: none; margin: 0; padding: 0; }
  nav { display: none; }
  figure, tr, .warning { break-inside: avoid; }
  h2 { break-after: avoid; }
  thead { display: table-header-group; }
  .sheet { overflow: visible; }
  .wide { page: wide; }
  caption { break-after: avoid; }
  .wide table, .wide tfoot { font-size: 7.5pt; }
  .wide th, .wide td { padding-right: .35rem; }
}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_words_stay_words() {
        let hostile = "<script>alert(1)</script>\u{1b}[2J *x* [y](z)";
        let page = Page {
            title: hostile.into(),
            first: vec![hostile.into()],
            provenance: vec![hostile.into()],
            sections: vec![Section {
                heading: hostile.into(),
                blocks: vec![Block::Text(hostile.into()), Block::Warning(hostile.into())],
            }],
        };
        let text = html(&page);
        assert!(!text.contains("<script") && !text.contains('\u{1b}'));
        let text = markdown(&page);
        assert!(!text.contains('\u{1b}') && text.contains("\\<script>") && text.contains("\\[y\\]"));
    }
}
