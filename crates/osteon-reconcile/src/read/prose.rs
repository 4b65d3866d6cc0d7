//! The paragraphs of a saved article outside its tables.

use crate::read::grid::tidy;
use crate::read::markup::{Piece, pieces, resolved};
use crate::read::{Params, docx, encoding, html, is_document, markdown, markup};

/// A paragraph with the line of the file in which it begins; its number in a Word document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph {
    pub line: usize,
    pub text: String,
}

/// Letters of a paragraph that are read: more is no prose.
const LONGEST: usize = 20_000;

/// All paragraphs of a page, a document or a Markdown text; none of a file that is a table alone.
pub fn paragraphs(bytes: &[u8], params: &Params) -> Vec<Paragraph> {
    if is_document(bytes) {
        docx::document(bytes, params.max_inflated).map_or(Vec::new(), |xml| of_document(&xml))
    } else if let Some((text, _)) = markup(bytes) {
        of_page(&text)
    } else {
        let text = encoding::text(bytes).0;
        if markdown::is_markdown(&text) { of_markdown(&text) } else { Vec::new() }
    }
}

/// Paragraphs that are being collected.
#[derive(Default)]
struct Collected {
    done: Vec<Paragraph>,
    text: String,
    line: usize,
}

impl Collected {
    fn push(&mut self, text: &str, line: usize) {
        if self.text.trim().is_empty() {
            self.line = line;
        }
        if self.text.len() < LONGEST {
            self.text.push_str(text);
        }
    }

    fn end(&mut self) {
        let text = tidy(&self.text);
        self.text.clear();
        if text.contains(' ') {
            self.done.push(Paragraph { line: self.line, text });
        }
    }
}

fn of_page(text: &str) -> Vec<Paragraph> {
    let (mut found, mut depth) = (Collected::default(), 0usize);
    for piece in pieces(text) {
        match piece {
            Piece::Open { name, .. } if name.eq_ignore_ascii_case("table") => depth += 1,
            Piece::Close { name } if name.eq_ignore_ascii_case("table") => depth = depth.saturating_sub(1),
            Piece::Open { name, .. } | Piece::Close { name }
                if depth == 0 && html::is_block(&name.to_ascii_lowercase()) =>
            {
                found.end();
            }
            Piece::Text { text, line } if depth == 0 => found.push(&resolved(text), line),
            _ => (),
        }
    }
    found.end();
    found.done
}

fn of_document(xml: &str) -> Vec<Paragraph> {
    let (mut found, mut depth, mut number, mut in_text) = (Collected::default(), 0usize, 0, false);
    for piece in pieces(xml) {
        match piece {
            Piece::Open { name: "tbl", .. } => depth += 1,
            Piece::Close { name: "tbl" } => depth = depth.saturating_sub(1),
            Piece::Open { name: "t", attributes, .. } => in_text = !attributes.trim_end().ends_with('/'),
            Piece::Close { name: "t" } => in_text = false,
            Piece::Open { name: "p", .. } if depth == 0 => number += 1,
            Piece::Close { name: "p" } if depth == 0 => found.end(),
            Piece::Text { text, .. } if depth == 0 && in_text => found.push(&resolved(text), number),
            _ => (),
        }
    }
    found.end();
    found.done
}

fn of_markdown(text: &str) -> Vec<Paragraph> {
    let mut found = Collected::default();
    for (at, line) in text.lines().enumerate() {
        let words = line.trim_start_matches(['#', '>', ' ']).replace("**", "").replace('^', "");
        match line.trim().is_empty() || line.contains('|') {
            true => found.end(),
            false => found.push(&format!("{words} "), at + 1),
        }
        // Saved texts have a paragraph a line; the lines of a wrapped one do not end a sentence.
        if words.trim_end().ends_with(['.', '?', '!', ':']) {
            found.end();
        }
    }
    found.end();
    found.done
}
