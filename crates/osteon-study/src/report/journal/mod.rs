//! Tables in the form that a journal takes: proper names, units, reference levels, one P value a comparison, lettered
//! footnotes that say test and n.

mod clinical;
mod look;
mod models;
mod regression;

pub use clinical::{table_1, table_2};
pub use look::{Decimal, Look, Style};
pub use models::models;
pub use regression::table_4;

use crate::report::sheet::Cell;

/// Footnotes in the order of their first use, each with its letter; the same words share one.
#[derive(Clone, Debug, Default)]
pub(in crate::report) struct Footnotes {
    texts: Vec<String>,
}

/// Superscript letters that fonts have; q is not among them.
const LETTERS: [char; 18] = ['ᵃ', 'ᵇ', 'ᶜ', 'ᵈ', 'ᵉ', 'ᶠ', 'ᵍ', 'ʰ', 'ⁱ', 'ʲ', 'ᵏ', 'ˡ', 'ᵐ', 'ⁿ', 'ᵒ', 'ᵖ', 'ʳ', 'ˢ'];

impl Footnotes {
    /// The letter of a footnote.
    fn mark(&mut self, text: &str) -> String {
        let at = self.texts.iter().position(|known| known == text).unwrap_or_else(|| {
            self.texts.push(text.to_owned());
            self.texts.len() - 1
        });
        letter(at)
    }

    fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.texts.iter().enumerate().map(|(at, text)| format!("{} {text}.", letter(at)))
    }
}

/// `ᵃ` to `ˢ`, then doubled.
fn letter(at: usize) -> String {
    LETTERS[at % LETTERS.len()].to_string().repeat(1 + at / LETTERS.len())
}

fn heading(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn level(of: &str, level: &str) -> Cell {
    Cell::Level { of: of.to_owned(), level: level.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn footnotes_share_letters_and_never_run_out() {
        let mut notes = Footnotes::default();
        assert_eq!(
            (notes.mark("t test"), notes.mark("Fisher"), notes.mark("t test")),
            ("ᵃ".into(), "ᵇ".into(), "ᵃ".into())
        );
        (0..20).for_each(|n| {
            notes.mark(&n.to_string());
        });
        assert_eq!(notes.lines().last().unwrap(), "ᵈᵈ 19.");
    }
}
