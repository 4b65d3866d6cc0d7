//! How numbers are printed by an outlet: decimal sign, leading zeros, P values.

use crate::report::sheet::Cell;
use osteon_stats::stats::text::fixed;

/// Whose style a table has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// Three decimals, P to three decimals.
    #[default]
    Paper,
    /// AMA Manual of Style, 11th edition: no zero before P and before what cannot exceed 1, P to two decimals above .01.
    Ama,
    /// Mid-dots, P to two significant digits and four decimals.
    Lancet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decimal {
    Point,
    Comma,
    /// `0·05`.
    Middle,
}

/// The choices for numbers of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    pub style: Style,
    pub decimal: Decimal,
    pub leading_zero: bool,
}

impl Default for Look {
    fn default() -> Self {
        Look::of(Style::Paper)
    }
}

impl Look {
    /// A style with its own decimal sign and zeros.
    pub fn of(style: Style) -> Look {
        let decimal = if style == Style::Lancet { Decimal::Middle } else { Decimal::Point };
        Look { style, decimal, leading_zero: style != Style::Ama }
    }

    /// A number with this look; `bounded` where it cannot exceed 1, so that a style may drop its zero.
    fn typeset(&self, text: &str, bounded: bool) -> String {
        let kept = if bounded && !self.leading_zero {
            match text.strip_prefix("0.") {
                Some(rest) => format!(".{rest}"),
                None => text.replacen("-0.", "-.", 1),
            }
        } else {
            text.to_owned()
        };
        let decimal = match self.decimal {
            Decimal::Point => ".",
            Decimal::Comma => ",",
            Decimal::Middle => "·",
        };
        kept.replace('.', decimal).replace('-', "−")
    }

    pub fn number(&self, value: f64, digits: usize) -> String {
        self.typeset(&fixed(value, digits), false)
    }

    /// A proportion, an AUC: never above 1.
    pub fn proportion(&self, value: f64, digits: usize) -> String {
        self.typeset(&fixed(value, digits), true)
    }

    /// `<0.001`, `.02`, `0·0012`.
    pub fn p(&self, p: f64) -> String {
        let text = match self.style {
            Style::Paper if p < 0.001 => "<0.001".to_owned(),
            Style::Paper => fixed(p, 3),
            Style::Ama if p < 0.001 => "<0.001".to_owned(),
            Style::Ama if p > 0.99 => ">0.99".to_owned(),
            // Two decimals must not move a value across .01 or .05.
            Style::Ama if p < 0.01 || (0.045..0.055).contains(&p) => fixed(p, 3),
            Style::Ama => fixed(p, 2),
            Style::Lancet if p < 0.0001 => "<0.0001".to_owned(),
            Style::Lancet if p < 0.001 => fixed(p, 4),
            Style::Lancet if p < 0.1 => fixed(p, if p < 0.01 { 4 } else { 3 }),
            Style::Lancet => fixed(p, 2),
        };
        match text.strip_prefix(['<', '>']) {
            Some(rest) => format!("{}{}", &text[..1], self.typeset(rest, true)),
            None => self.typeset(&text, true),
        }
    }

    /// `0.64 (0.53–0.75)` without a break; `to` where a sign would be mistaken for the dash.
    pub fn interval(&self, estimate: f64, [low, high]: [f64; 2], digits: usize, bounded: bool) -> Cell {
        let text = |value| self.typeset(&fixed(value, digits), bounded);
        Cell::Printed(format!("{} ({})", text(estimate), self.range(text(low), text(high))).replace(' ', "\u{a0}"))
    }

    fn range(&self, low: String, high: String) -> String {
        let dash = if low.starts_with('−') || high.starts_with('−') { " to " } else { "–" };
        format!("{low}{dash}{high}")
    }

    /// The heading of P values.
    pub fn p_heading(&self) -> &'static str {
        match self.style {
            Style::Lancet => "p value",
            Style::Paper | Style::Ama => "P value",
        }
    }

    /// The numbers of any cell in this look; words stay.
    pub fn cell(&self, cell: &Cell) -> Cell {
        let spaced = |text: String| Cell::Printed(text.replace(' ', "\u{a0}"));
        match cell {
            Cell::Empty | Cell::Text(_) | Cell::Level { .. } | Cell::Count(_) | Cell::Printed(_) => cell.clone(),
            Cell::Number { value, digits } => Cell::Printed(self.number(*value, *digits)),
            Cell::P(p) => Cell::Printed(self.p(*p)),
            Cell::Interval { estimate, low, high, digits } => self.interval(*estimate, [*low, *high], *digits, false),
            Cell::Range { low, high, digits } => {
                spaced(self.range(self.number(*low, *digits), self.number(*high, *digits)))
            }
            Cell::MedianIqr { median, q1, q3, digits } => {
                let range = self.range(self.number(*q1, *digits), self.number(*q3, *digits));
                spaced(format!("{} ({range})", self.number(*median, *digits)))
            }
            Cell::MeanSd { .. } | Cell::CountPercent { .. } => spaced(self.typeset(&cell.text(), false)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_have_the_form_of_their_outlet() {
        let check = |style, p, expected: &str| assert_eq!(Look::of(style).p(p), expected, "{style:?} {p}");
        check(Style::Paper, 0.0004, "<0.001");
        check(Style::Paper, 0.0166, "0.017");
        // AMA Manual of Style, 11th edition, 19.5: P to 2 digits, 3 where it is less than .01 or would round to .05.
        check(Style::Ama, 0.0004, "<.001");
        check(Style::Ama, 0.0043, ".004");
        check(Style::Ama, 0.0166, ".02");
        check(Style::Ama, 0.0482, ".048");
        check(Style::Ama, 0.998, ">.99");
        check(Style::Lancet, 0.00002, "<0·0001");
        check(Style::Lancet, 0.0043, "0·0043");
        check(Style::Lancet, 0.0166, "0·017");
        check(Style::Lancet, 0.77, "0·77");
    }

    #[test]
    fn an_interval_is_one_word_in_any_look() {
        let text = |look: Look| look.interval(0.637, [0.528, 0.746], 3, true).text();
        assert_eq!(text(Look::default()), "0.637\u{a0}(0.528–0.746)");
        assert_eq!(text(Look::of(Style::Ama)), ".637\u{a0}(.528–.746)");
        assert_eq!(text(Look { decimal: Decimal::Comma, ..Look::default() }), "0,637\u{a0}(0,528–0,746)");
        let below = Look::default().interval(-0.2, [-0.4, 0.1], 1, false).text();
        assert_eq!(below, "−0.2\u{a0}(−0.4\u{a0}to\u{a0}0.1)");
    }
}
