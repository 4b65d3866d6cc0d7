//! What docx-rs cannot say of a document, put into its parts: repeated heading rows, landscape sections, alternative
//! text, titles of tables, properties.

use docx_rs::XMLDocx;

use osteon_plot::svg::escape;

/// A paragraph of this text ends a section in portrait or landscape format.
pub const END_OF_PORTRAIT: &str = "\u{e000}portrait\u{e000}";
pub const END_OF_LANDSCAPE: &str = "\u{e000}landscape\u{e000}";

/// Page and margins in twentieths of a point.
#[derive(Clone, Copy, Debug)]
pub struct Paper {
    pub width: u32,
    pub height: u32,
    pub margin: u32,
}

/// `tables` and `pictures` are their titles, in the order of the document.
pub fn completed(mut parts: XMLDocx, title: &str, tables: &[String], pictures: &[String], paper: Paper) -> XMLDocx {
    let text = String::from_utf8(parts.document).expect("a document is text");
    let text = sections(&text, paper);
    let text = headed(&text);
    let text = numbered(&text, "</w:tblPr>", tables, |title| {
        format!("<w:tblCaption w:val=\"{}\" /></w:tblPr>", escape(title))
    });
    let text = numbered(&text, "<wp:docPr ", pictures, |title| format!("<wp:docPr descr=\"{}\" ", escape(title)));
    parts.document = text.into_bytes();
    let core = String::from_utf8(parts.doc_props.core).expect("properties are text");
    let properties =
        format!("<dc:title>{}</dc:title><dc:creator>osteon {}</dc:creator>", escape(title), env!("CARGO_PKG_VERSION"));
    let core = without(&without(&core, "dc:title"), "dc:creator");
    parts.doc_props.core =
        core.replace("</cp:coreProperties>", &format!("{properties}</cp:coreProperties>")).into_bytes();
    parts
}

/// Without an element that would stand twice.
fn without(text: &str, element: &str) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    match (text.find(&open), text.find(&close)) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &text[..from], &text[to + close.len()..]),
        _ => text.to_owned(),
    }
}

/// The first row of each table stands again on each page.
fn headed(text: &str) -> String {
    let mut out = String::new();
    for (n, part) in text.split("<w:tbl>").enumerate() {
        if n > 0 {
            out.push_str("<w:tbl>");
            out.push_str(&part.replacen("<w:trPr>", "<w:trPr><w:tblHeader />", 1));
        } else {
            out.push_str(part);
        }
    }
    // The schema wants cantSplit before tblHeader.
    out.replace("<w:tblHeader /><w:cantSplit />", "<w:cantSplit /><w:tblHeader />")
}

/// The nth place of `mark` becomes what is made of the nth title.
fn numbered(text: &str, mark: &str, titles: &[String], made: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    for (n, part) in text.split(mark).enumerate() {
        if n > 0 {
            out.push_str(&titles.get(n - 1).map_or_else(|| mark.to_owned(), |title| made(title)));
        }
        out.push_str(part);
    }
    out
}

/// Marked paragraphs become ends of sections.
fn sections(text: &str, paper: Paper) -> String {
    let mut text = text.to_owned();
    for (mark, is_landscape) in [(END_OF_PORTRAIT, false), (END_OF_LANDSCAPE, true)] {
        while let Some(at) = text.find(mark) {
            let from = text[..at].rfind("<w:p ").expect("a mark stands in a paragraph");
            let to = at + text[at..].find("</w:p>").expect("a paragraph ends") + "</w:p>".len();
            text.replace_range(from..to, &section(paper, is_landscape));
        }
    }
    text
}

fn section(Paper { width, height, margin }: Paper, is_landscape: bool) -> String {
    let (width, height, orient) =
        if is_landscape { (height, width, " w:orient=\"landscape\"") } else { (width, height, "") };
    format!(
        "<w:p><w:pPr><w:spacing w:before=\"0\" w:after=\"0\" w:line=\"20\" w:lineRule=\"exact\" /><w:sectPr>\
         <w:type w:val=\"nextPage\" /><w:pgSz w:w=\"{width}\" w:h=\"{height}\"{orient} />\
         <w:pgMar w:top=\"{margin}\" w:right=\"{margin}\" w:bottom=\"{margin}\" w:left=\"{margin}\" w:header=\"0\" \
         w:footer=\"0\" w:gutter=\"0\" /></w:sectPr></w:pPr></w:p>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_of_each_table_is_its_heading() {
        let row = "<w:tr><w:trPr><w:cantSplit /></w:trPr></w:tr>";
        let table = format!("<w:tbl>{row}{row}</w:tbl>");
        let text = headed(&format!("<w:p />{table}{table}"));
        assert_eq!(text.matches("<w:cantSplit /><w:tblHeader /></w:trPr>").count(), 2);
    }

    #[test]
    fn a_mark_becomes_the_end_of_a_section() {
        let text = format!("<w:p a=\"1\">x</w:p><w:p a=\"2\">{END_OF_LANDSCAPE}</w:p><w:p a=\"3\">y</w:p>");
        let text = sections(&text, Paper { width: 10, height: 20, margin: 1 });
        assert!(text.starts_with("<w:p a=\"1\">x</w:p><w:p><w:pPr>") && text.ends_with("</w:p><w:p a=\"3\">y</w:p>"));
        assert!(text.contains("w:w=\"20\" w:h=\"10\" w:orient=\"landscape\""));
    }
}
