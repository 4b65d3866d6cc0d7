//! HTML and XML as a flat run of tags and texts, each with its line.
//!
//! Tables need no tree: rows and cells end where the next begins, so that unclosed and crossed tags, which saved pages
//! have, are no error, nothing recurses, and the work grows with the bytes alone.

/// A piece of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece<'a> {
    /// A tag that opens, or stands alone, with its attributes unread.
    Open {
        name: &'a str,
        attributes: &'a str,
        line: usize,
    },
    Close {
        name: &'a str,
    },
    /// Text with its references unread.
    Text {
        text: &'a str,
        line: usize,
    },
}

/// The pieces of a document in order.
pub struct Pieces<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

/// Elements whose content is no text for a reader.
const RAW: [&str; 5] = ["script", "style", "noscript", "template", "svg"];

pub fn pieces(text: &str) -> Pieces<'_> {
    Pieces { text, at: 0, line: 1 }
}

impl<'a> Pieces<'a> {
    /// What stands before `end`, and goes behind as many bytes more.
    fn take(&mut self, end: usize, more: usize) -> &'a str {
        let taken = &self.text[self.at..end];
        let next = (end + more).min(self.text.len());
        self.line += self.text[self.at..next].bytes().filter(|byte| *byte == b'\n').count();
        self.at = next;
        taken
    }

    /// Goes behind the next `mark`, or to the end.
    fn skip_past(&mut self, mark: &str) {
        let end = self.text[self.at..].find(mark).map_or(self.text.len(), |at| self.at + at);
        self.take(end, mark.len());
    }

    /// The end of the tag that begins here: its `>` outside quotes.
    fn end_of_tag(&self) -> usize {
        let mut quote = None;
        for (at, byte) in self.text[self.at..].bytes().enumerate() {
            match (quote, byte) {
                (None, b'>') => return self.at + at,
                (None, b'"' | b'\'') => quote = Some(byte),
                // A quote that is never closed must not swallow the page.
                (Some(_), b'<') if at > 4096 => return self.at + at,
                (Some(open), _) if open == byte => quote = None,
                _ => (),
            }
        }
        self.text.len()
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        loop {
            let rest = &self.text[self.at..];
            if rest.is_empty() {
                return None;
            }
            let is_tag = rest.starts_with('<')
                && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
            if !is_tag {
                let from = usize::from(rest.starts_with('<'));
                let end = rest[from..].find('<').map_or(self.text.len(), |at| self.at + from + at);
                let line = self.line;
                return Some(Piece::Text { text: self.take(end, 0), line });
            }
            if rest.starts_with("<!--") {
                self.skip_past("-->");
                continue;
            }
            if let Some(data) = rest.strip_prefix("<![CDATA[") {
                let line = self.line;
                self.take(self.at + rest.len() - data.len(), 0);
                let end = self.text[self.at..].find("]]>").map_or(self.text.len(), |at| self.at + at);
                return Some(Piece::Text { text: self.take(end, 3), line });
            }
            if rest.starts_with("<!") || rest.starts_with("<?") {
                self.skip_past(">");
                continue;
            }
            let line = self.line;
            let end = self.end_of_tag();
            let tag = &self.take(end, 1)[1..];
            let (name, attributes) = split_name(tag.trim_start_matches('/'));
            if tag.starts_with('/') {
                return Some(Piece::Close { name });
            }
            if !attributes.trim_end().ends_with('/') && RAW.iter().any(|raw| name.eq_ignore_ascii_case(raw)) {
                let close = self.text[self.at..]
                    .match_indices("</")
                    .find(|(at, _)| {
                        self.text
                            .get(self.at + at + 2..self.at + at + 2 + name.len())
                            .is_some_and(|it| it.eq_ignore_ascii_case(name))
                    })
                    .map_or(self.text.len(), |(at, _)| self.at + at);
                self.take(close, 0);
                continue;
            }
            return Some(Piece::Open { name, attributes, line });
        }
    }
}

/// The name of a tag without its namespace's prefix, and what follows.
fn split_name(tag: &str) -> (&str, &str) {
    let end = tag.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(tag.len());
    let (name, rest) = tag.split_at(end);
    (name.rsplit(':').next().unwrap_or(name), rest)
}

/// The value of an attribute, references resolved; with or without a namespace's prefix.
pub fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('=') {
            None => ("", after),
            Some(value) => {
                let value = value.trim_start();
                match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
                    Some(quote) => {
                        let inner = &value[1..];
                        inner.split_once(quote).unwrap_or((inner, ""))
                    }
                    None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
                }
            }
        };
        if name.rsplit(':').next().unwrap_or(name).eq_ignore_ascii_case(wanted) {
            return Some(resolved(value));
        }
        let next = next.trim_start();
        // A name without end would never be passed.
        rest = if next.len() < rest.len() { next } else { "" };
    }
    None
}

/// The characters that tables of papers need by name; others stand as they are written.
const NAMED: [(&str, char); 62] = [
    ("nbsp", '\u{a0}'),
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("ndash", '–'),
    ("mdash", '—'),
    ("minus", '−'),
    ("plusmn", '±'),
    ("times", '×'),
    ("middot", '·'),
    ("le", '≤'),
    ("ge", '≥'),
    ("leq", '≤'),
    ("geq", '≥'),
    ("dagger", '†'),
    ("Dagger", '‡'),
    ("sect", '§'),
    ("para", '¶'),
    ("deg", '°'),
    ("micro", 'µ'),
    ("sup1", '¹'),
    ("sup2", '²'),
    ("sup3", '³'),
    ("frac12", '½'),
    ("hellip", '…'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("Delta", 'Δ'),
    ("epsilon", 'ε'),
    ("kappa", 'κ'),
    ("lambda", 'λ'),
    ("mu", 'μ'),
    ("rho", 'ρ'),
    ("sigma", 'σ'),
    ("tau", 'τ'),
    ("chi", 'χ'),
    ("omega", 'ω'),
    ("thinsp", '\u{2009}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("hairsp", '\u{200a}'),
    ("shy", '\u{ad}'),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
    ("ast", '*'),
    ("lowast", '∗'),
    ("sim", '∼'),
    ("asymp", '≈'),
    ("ne", '≠'),
    ("infin", '∞'),
    ("bull", '•'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
];

/// A text with its character references resolved.
pub fn resolved(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        let reference = end.and_then(|end| character(&rest[1..end]).map(|c| (c, end)));
        match reference {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    NAMED.iter().find(|(known, _)| *known == name).map(|(_, c)| *c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_tags_and_texts_whatever_they_forget_to_close() {
        let text =
            "<!DOCTYPE html>\n<td class=a\n colspan='2'>1 &lt; 2<br/>x</TD><script>if (a<b) {}</script><!-- <td> -->y";
        let all: Vec<Piece> = pieces(text).collect();
        assert!(matches!(all[0], Piece::Text { text: "\n", line: 1 }));
        let Piece::Open { name: "td", attributes, line: 2 } = all[1] else { panic!("{:?}", all[1]) };
        assert_eq!(attribute(attributes, "colspan").as_deref(), Some("2"));
        assert_eq!(attribute(attributes, "class").as_deref(), Some("a"));
        assert!(matches!(all[2], Piece::Text { text: "1 &lt; 2", line: 3 }));
        assert_eq!(resolved("1 &lt; 2 &amp &#x2013;&#8211; &unknown;"), "1 < 2 &amp –– &unknown;");
        assert!(matches!(all.last(), Some(Piece::Text { text: "y", .. })));
        for text in ["<", "<a", "<a b='", "<![CDATA[", "<!--", "</", "&", "<script>", "a<b", "<a =>", "<a ==b>"] {
            for piece in pieces(text) {
                if let Piece::Open { attributes, .. } = piece {
                    attribute(attributes, "x");
                }
            }
        }
    }
}
