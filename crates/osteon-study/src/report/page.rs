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
    out.push_str("</header>\n<nav><ol>\n");
    for (n, section) in page.sections.iter().enumerate() {
        let _ = writeln!(out, "<li><a href=\"#s{n}\">{}</a></li>", escape(&section.heading));
    }
    out.push_str("<li><a href=\"#provenance\">Provenance</a></li>\n</ol></nav>\n<main>\n");
    let (mut numbers, mut sources) = (Numbers::default(), Sources::of(page));
    for (n, section) in page.sections.iter().enumerate() {
        let _ = writeln!(out, "<section id=\"s{n}\"><h2>{}</h2>", escape(&section.heading));
        for block in &section.blocks {
            html_block(&mut out, block, &mut numbers, &mut sources);
        }
        out.push_str("</section>\n");
    }
    out.push_str("<section id=\"provenance\"><h2>Provenance</h2>\n");
    for (n, lines) in sources.lists.iter().enumerate() {
        let lines: Vec<String> = lines.iter().map(|line| escape(line)).collect();
        let _ =
            writeln!(out, "<p class=\"from\" id=\"p{0}\"><strong>[{0}]</strong> {1}</p>", n + 1, lines.join("<br>\n"));
    }
    out.push_str("</section>\n</main>\n</body>\n</html>\n");
    out
}

fn html_block(out: &mut String, block: &Block, numbers: &mut Numbers, sources: &mut Sources) {
    let mark = |n: usize| format!("<span class=\"from\">Provenance <a href=\"#p{n}\">[{n}]</a></span>");
    let _ = match block {
        Block::Text(text) => writeln!(out, "<p>{}</p>", escape(text)),
        Block::Warning(text) => writeln!(out, "<p class=\"warning\"><strong>Warning.</strong> {}</p>", escape(text)),
        Block::Sheet(sheet) => {
            let wide = if sheet.headings.len() > WIDE { " wide" } else { "" };
            let mark = mark(sources.mark(&sheet.provenance));
            writeln!(out, "<div class=\"sheet{wide}\" tabindex=\"0\">{}</div>", sheet::in_page(sheet, &mark))
        }
        Block::Figure(figure) => {
            writeln!(
                out,
                "<figure>\n{}<figcaption><strong>Figure {}. {}.</strong> {} {}</figcaption>\n</figure>",
                figure.svg(),
                numbers.of(figure),
                escape(&figure.plot.title),
                escape(&figure.caption),
                mark(sources.mark(&figure.plot.provenance))
            )
        }
    };
}

/// The same document; figures are links to `figures/NAME.svg`.
pub fn markdown(page: &Page) -> String {
    let mut out = format!("# {}\n", plain(&page.title));
    for text in &page.first {
        let _ = write!(out, "\n> {}\n", plain(text));
    }
    let (mut numbers, mut sources) = (Numbers::default(), Sources::of(page));
    for section in &page.sections {
        let _ = write!(out, "\n## {}\n", plain(&section.heading));
        for block in &section.blocks {
            let _ = match block {
                Block::Text(text) => write!(out, "\n{}\n", plain(text)),
                Block::Warning(text) => write!(out, "\n> **Warning.** {}\n", plain(text)),
                Block::Sheet(sheet) => {
                    let bare = Sheet { provenance: Vec::new(), ..sheet.clone() };
                    let mark = sources.mark(&sheet.provenance);
                    write!(out, "\n{}\nProvenance [{mark}]\n", sheet::render(&bare, Format::Markdown))
                }
                Block::Figure(figure) => {
                    let (name, caption) = (&figure.plot.name, plain(&figure.caption));
                    let (number, title) = (numbers.of(figure), plain(&figure.plot.title));
                    let mark = sources.mark(&figure.plot.provenance);
                    write!(
                        out,
                        "\n![{title}](figures/{name}.svg)\n\n**Figure {number}. {title}.** {caption} Provenance [{mark}]\n"
                    )
                }
            };
        }
    }
    out.push_str("\n## Provenance\n");
    for (n, lines) in sources.lists.iter().enumerate() {
        let lines: Vec<String> = lines.iter().map(|line| plain(line)).collect();
        let _ = write!(out, "\n[{}] {}\n", n + 1, lines.join("  \n"));
    }
    out
}

/// The sentences of a page as text of at most 80 columns, headings above them.
pub fn text(page: &Page) -> String {
    let mut out = format!("{}\n", osteon_base::text::clean(&page.title));
    let mut add = |text: &str| {
        out.push('\n');
        out.extend(sheet::wrapped(text, 80).into_iter().map(|line| line + "\n"));
    };
    page.first.iter().for_each(|text| add(text));
    for section in &page.sections {
        let texts = section.blocks.iter().filter_map(|block| match block {
            Block::Text(text) | Block::Warning(text) => Some(text),
            Block::Sheet(_) | Block::Figure(_) => None,
        });
        texts.enumerate().for_each(|(n, text)| match n {
            0 => add(&format!("{}: {text}", section.heading)),
            _ => add(text),
        });
    }
    page.provenance.iter().for_each(|line| add(line));
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

/// Where results come from: each list of lines once, at the end of the document, and a number where it is needed.
#[derive(Default)]
pub struct Sources {
    pub lists: Vec<Vec<String>>,
}

impl Sources {
    /// Those of the whole document first.
    pub fn of(page: &Page) -> Sources {
        let mut sources = Sources::default();
        sources.mark(&page.provenance);
        sources
    }

    /// The number of a list.
    pub fn mark(&mut self, lines: &[String]) -> usize {
        match self.lists.iter().position(|known| known == lines) {
            Some(at) => at + 1,
            None => {
                self.lists.push(lines.to_vec());
                self.lists.len()
            }
        }
    }
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
    /// Every sentence and every title of a table.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().flat_map(|section| &section.blocks).filter_map(|block| match block {
            Block::Text(text) | Block::Warning(text) => Some(text.as_str()),
            Block::Sheet(sheet) => Some(sheet.title.as_str()),
            Block::Figure(_) => None,
        })
    }

    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        blocks.filter_map(|block| if let Block::Figure(figure) = block { Some(figure.as_ref()) } else { None })
    }
}

/// A table of more columns is printed on a page turned on its side.
const WIDE: usize = 8;

const STYLE: &str = "\
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --soft: #5c5c5c; --rule: #1a1a1a; --faint: #ccc; \
--link: #0060a0; --warn: #fdf3ec; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --paper: #161616; --soft: #a8a8a8; --rule: #bdbdbd; --faint: #444; --link: #7ab8e6; \
--warn: #3a2417; }
  figure svg { background: #fff; border-radius: 3px; }
}
body { font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; \
color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; border-bottom: 1px solid var(--faint); padding-bottom: .25rem; }
p { max-width: 46rem; overflow-wrap: break-word; }
a { color: var(--link); }
nav ol { columns: 2; padding-left: 1.25rem; margin: 1rem 0; }
nav a { text-decoration: none; }
nav a:hover { text-decoration: underline; }
.from, tfoot { color: var(--soft); font-size: .8rem; line-height: 1.35; overflow-wrap: anywhere; }
figcaption .from { display: block; margin-top: .25rem; }
.warning { border-left: 4px solid #d55e00; background: var(--warn); padding: .5rem .75rem; }
.sheet { overflow-x: auto; margin: 1.25rem 0; }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; \
border-top: 1.5px solid var(--rule); border-bottom: 1.5px solid var(--rule); }
caption { text-align: left; font-weight: 600; padding: 0 0 .4rem; }
thead th { border-bottom: 1px solid var(--rule); font-weight: 600; text-align: left; vertical-align: bottom; }
th, td { padding: .2rem .7rem .2rem 0; vertical-align: top; }
tbody th { font-weight: 400; text-align: left; min-width: 8rem; }
tbody th.level { padding-left: 1.1rem; }
td.n { text-align: right; white-space: nowrap; }
th.n { text-align: right; }
tfoot td { border-top: 1px solid var(--rule); padding-top: .3rem; max-width: 46rem; }
figure { margin: 1.5rem 0; }
figure svg { max-width: 100%; height: auto; display: block; }
figcaption { font-size: .87rem; margin-top: .5rem; max-width: 46rem; }
@media (max-width: 600px) {
  body { margin: 1rem auto; padding: 0 .75rem; }
  nav ol { columns: 1; }
  table { font-size: .8rem; }
  tbody th { min-width: 6.5rem; position: sticky; left: 0; background: var(--paper); }
}
@media print {
  :root { color-scheme: light; --ink: #1a1a1a; --paper: #fff; --soft: #5c5c5c; --rule: #1a1a1a; --faint: #ccc; \
--link: #1a1a1a; --warn: #fff; }
  @page { size: A4; margin: 18mm 16mm; }
  @page wide { size: A4 landscape; margin: 12mm 10mm; }
  body { font-size: 10pt; max-width: none; margin: 0; padding: 0; }
  nav { display: none; }
  figure, tr, .warning { break-inside: avoid; }
  h2 { break-after: avoid; }
  thead { display: table-header-group; }
  tfoot { display: table-row-group; }
  .sheet { overflow: visible; }
  .wide { page: wide; }
  caption { break-after: avoid; }
  .wide table, .wide tfoot { font-size: 7.5pt; }
  .wide th, .wide td { padding-right: .35rem; }
  tbody th { min-width: 0; }
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
