//! A number as printed: not a point but the set of values that round to it.

/// A decimal number as printed, `scaled / 10^decimals`, exact or after a `<` or `>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Printed {
    scaled: i64,
    decimals: u32,
    side: Side,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Rounded,
    /// Known to be cut off, towards zero.
    Cut,
    /// One minus a number whose digits were cut off: away from zero.
    Up,
    Below,
    Above,
}

/// How a number lost its digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, halves either way.
    Nearest,
    /// Towards zero.
    Cut,
    /// In any way: less than one unit of the last digit off.
    Any,
}

/// How far beyond half a unit a computed value may lie, relative to it: the rounding of `f64` arithmetic.
const SLACK: f64 = 1e-9;

/// Digits from which a number is a double written whole, and how many of them are then read.
const DOUBLE: u32 = 14;
const KEPT: u32 = 12;

impl Printed {
    /// Reads `0.84`, `.84`, `-0.558`, `<0.001`, `12.5%` or, with a decimal comma, `0,84`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Printed> {
        let text = text.trim().trim_end_matches('%').trim_end();
        let (side, text) = match text.chars().next()? {
            '<' | '≤' => (Side::Below, text.trim_start_matches(['<', '≤', '=']).trim_start()),
            '>' | '≥' => (Side::Above, text.trim_start_matches(['>', '≥', '=']).trim_start()),
            _ => (Side::Rounded, text),
        };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let digits = digits.replace(',', ".");
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        let all: String = [whole, fraction].concat();
        if all.is_empty() || all.len() > 18 || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut scaled: i64 = all.parse().ok()?;
        let mut decimals = u32::try_from(fraction.len()).ok()?;
        // So many digits are those of a double, which a program wrote whole: the last ones are its rounding.
        if scaled >= 10i64.pow(DOUBLE) {
            while scaled >= 10i64.pow(KEPT) && decimals > 0 {
                scaled = (scaled + 5) / 10;
                decimals -= 1;
            }
        }
        Some(Printed { scaled: if negative { -scaled } else { scaled }, decimals, side })
    }

    /// What a program prints for `value` with `decimals` decimals.
    pub fn of(value: f64, decimals: u32) -> Printed {
        let scaled = (value * 10f64.powi(decimals as i32)).round() as i64;
        Printed { scaled, decimals, side: Side::Rounded }
    }

    /// The same number with at least so many decimals, for files that lost their trailing zeros.
    pub fn at_least(self, decimals: u32) -> Printed {
        let more = decimals.saturating_sub(self.decimals);
        Printed { scaled: self.scaled * 10i64.pow(more), decimals: self.decimals + more, ..self }
    }

    pub fn value(self) -> f64 {
        self.scaled as f64 / self.power()
    }

    pub fn decimals(self) -> u32 {
        self.decimals
    }

    /// One unit of the last printed digit.
    pub fn unit(self) -> f64 {
        1.0 / self.power()
    }

    /// The values that round to this, by half up or half to even: closed at both ends.
    pub fn interval(self) -> Interval {
        let half = 0.5 / self.power();
        match self.side {
            Side::Rounded => Interval { low: self.value() - half, high: self.value() + half },
            Side::Cut | Side::Up => {
                let beyond = if (self.scaled < 0) == (self.side == Side::Cut) { -self.unit() } else { self.unit() };
                Interval::spanning(self.value(), self.value() + beyond)
            }
            Side::Below => Interval { low: f64::NEG_INFINITY, high: self.value() },
            Side::Above => Interval { low: self.value(), high: f64::INFINITY },
        }
    }

    /// Whether `numerator / denominator` is printed like this, in whole numbers; a zero denominator never is.
    pub fn is_ratio(self, numerator: i64, denominator: i64) -> bool {
        let (numerator, denominator) = (i128::from(numerator), i128::from(denominator));
        let off = numerator * 10i128.pow(self.decimals) - i128::from(self.scaled) * denominator;
        denominator > 0
            && match self.side {
                Side::Rounded => 2 * off.abs() <= denominator,
                Side::Cut => (0..denominator).contains(&off),
                Side::Up => (0..denominator).contains(&-off),
                Side::Below => off <= 0,
                Side::Above => off >= 0,
            }
    }

    /// The values that any way of rounding prints so (nearest, cut off, or up): less than one unit away.
    pub fn loose(self) -> Interval {
        let unit = self.unit() * (1.0 - SLACK);
        match self.side {
            Side::Rounded => Interval { low: self.value() - unit, high: self.value() + unit },
            _ => self.interval(),
        }
    }

    /// A percentage as a share: 75.7 is 0.757, with the digits that it has.
    pub fn as_share(self) -> Printed {
        Printed { decimals: self.decimals + 2, ..self }
    }

    /// A number with decimals between 0 and 1, at least two of them: no percentage is written so.
    pub fn is_two_digit_share(self) -> bool {
        self.decimals > 1 && self.value() > 0.0 && self.value() <= 1.0
    }

    /// One minus this, with the same digits.
    pub fn complement(self) -> Printed {
        let side = match self.side {
            Side::Rounded => Side::Rounded,
            Side::Cut => Side::Up,
            Side::Up => Side::Cut,
            Side::Below => Side::Above,
            Side::Above => Side::Below,
        };
        Printed { scaled: 10i64.pow(self.decimals.min(17)) - self.scaled, decimals: self.decimals, side }
    }

    /// Neither `<` nor `>`.
    pub fn is_exact(self) -> bool {
        !matches!(self.side, Side::Below | Side::Above)
    }

    /// The same number, its further digits known to be cut off.
    pub fn cut(self) -> Printed {
        Printed { side: if self.side == Side::Rounded { Side::Cut } else { self.side }, ..self }
    }

    /// Whether a quotient is printed like this; exact where both numbers are whole. A zero denominator never is.
    pub fn is_quotient(self, [above, below]: [f64; 2], rounding: Rounding) -> bool {
        let off = above * self.power() - self.scaled as f64 * below;
        // Far above what sums of squares lose in `f64`, far below one count in a million.
        let slack = 1e-11 * below;
        below > 0.0
            && match (self.side, rounding) {
                (Side::Rounded, Rounding::Nearest) => 2.0 * off.abs() <= below + slack,
                (Side::Rounded, Rounding::Cut) => (0.0..below - slack).contains(&(off + slack * 0.5)),
                (Side::Rounded, Rounding::Any) => off.abs() < below - slack,
                (Side::Cut, _) => (0.0..below - slack).contains(&(off + slack * 0.5)),
                (Side::Up, _) => (0.0..below - slack).contains(&(slack * 0.5 - off)),
                (Side::Below, _) => off <= slack,
                (Side::Above, _) => off >= -slack,
            }
    }

    /// Whether `numerator / denominator` is printed like this when digits are cut off instead of rounded.
    pub fn is_truncated_ratio(self, numerator: i64, denominator: i64) -> bool {
        let cut = i128::from(numerator) * 10i128.pow(self.decimals) / i128::from(denominator.max(1));
        denominator > 0 && self.side == Side::Rounded && cut == i128::from(self.scaled)
    }

    /// Whether some whole `k` has `k / n` printed like this.
    pub fn is_share_of(self, n: i64, rounding: Rounding) -> bool {
        let near = (self.value() * n as f64).floor() as i64;
        (near - 1..=near + 2).any(|k| (0..=n).contains(&k) && self.is_quotient([k as f64, n as f64], rounding))
    }

    /// The whole numbers `k` with `k / n` printed like this, as a closed range; empty when none.
    pub fn numerators(self, n: i64) -> std::ops::RangeInclusive<i64> {
        let (n, scaled, unit) = (i128::from(n), i128::from(self.scaled), 2 * 10i128.pow(self.decimals));
        let above = |halves: i128| (n * halves).div_euclid(unit) + i128::from((n * halves).rem_euclid(unit) != 0);
        let below = |halves: i128| (n * halves).div_euclid(unit);
        let (low, high) = match self.side {
            Side::Cut => (above(2 * scaled), above(2 * scaled + 2) - 1),
            Side::Up => (below(2 * scaled - 2) + 1, below(2 * scaled)),
            _ => (above(2 * scaled - 1), below(2 * scaled + 1)),
        };
        low as i64..=high as i64
    }

    /// Whether some value of `computed` is printed like this.
    pub fn meets(self, computed: Interval) -> bool {
        self.interval().widened().overlaps(computed)
    }

    /// Whether `computed` is printed like this.
    pub fn is(self, computed: f64) -> bool {
        self.meets(Interval::point(computed))
    }

    /// How far `computed` lies from the printed value, in units of the last printed digit.
    pub fn units_off(self, computed: f64) -> f64 {
        (computed - self.value()) / self.unit()
    }

    /// `computed` with as many decimals as this.
    pub fn like(self, computed: f64) -> String {
        if self.side == Side::Cut {
            let cut = (computed.abs() * self.power() + SLACK).floor() / self.power();
            return format!("{:.*}", self.decimals as usize, cut.copysign(computed));
        }
        format!("{computed:.*}", self.decimals as usize)
    }

    /// Whether one slip of a finger makes `other` of this: one digit changed, or two neighbours swapped.
    pub fn is_slip_of(self, other: Printed) -> bool {
        let decimals = self.decimals.max(other.decimals);
        let digits = |it: Printed| format!("{:018}", it.at_least(decimals).scaled).into_bytes();
        let (ours, theirs) = (digits(self), digits(other));
        if ours.len() != theirs.len() {
            return false;
        }
        let off: Vec<usize> = (0..ours.len()).filter(|&at| ours[at] != theirs[at]).collect();
        match off[..] {
            [_] => true,
            [first, second] => second == first + 1 && ours[first] == theirs[second] && ours[second] == theirs[first],
            _ => false,
        }
    }

    fn power(self) -> f64 {
        10f64.powi(self.decimals as i32)
    }
}

impl std::fmt::Display for Printed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match self.side {
            Side::Rounded | Side::Cut | Side::Up => "",
            Side::Below => "<",
            Side::Above => ">",
        };
        write!(f, "{sign}{:.*}", self.decimals as usize, self.value())
    }
}

/// A closed interval of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    pub fn point(value: f64) -> Interval {
        Interval { low: value, high: value }
    }

    /// The smallest interval that holds both.
    pub fn spanning(one: f64, other: f64) -> Interval {
        Interval { low: one.min(other), high: one.max(other) }
    }

    pub fn overlaps(self, other: Interval) -> bool {
        self.low <= other.high && other.low <= self.high
    }

    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// What both hold; `None` when nothing.
    pub fn common(self, other: Interval) -> Option<Interval> {
        let common = Interval { low: self.low.max(other.low), high: self.high.min(other.high) };
        (common.low <= common.high).then_some(common)
    }

    pub fn middle(self) -> f64 {
        0.5 * (self.low + self.high)
    }

    pub fn plus(self, other: Interval) -> Interval {
        Interval { low: self.low + other.low, high: self.high + other.high }
    }

    pub fn minus(self, other: Interval) -> Interval {
        Interval { low: self.low - other.high, high: self.high - other.low }
    }

    pub fn times(self, factor: f64) -> Interval {
        Interval::spanning(self.low * factor, self.high * factor)
    }

    /// The absolute values.
    pub fn magnitude(self) -> Interval {
        let low = if self.low <= 0.0 && self.high >= 0.0 { 0.0 } else { self.low.abs().min(self.high.abs()) };
        Interval { low, high: self.low.abs().max(self.high.abs()) }
    }

    /// Images of both ends under a monotone function.
    pub fn map(self, monotone: impl Fn(f64) -> f64) -> Interval {
        Interval::spanning(monotone(self.low), monotone(self.high))
    }

    fn widened(self) -> Interval {
        Interval { low: self.low - SLACK * self.low.abs() - 1e-12, high: self.high + SLACK * self.high.abs() + 1e-12 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Printed {
        Printed::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_read_as_people_print_them() {
        for (text, value, decimals) in [
            ("0.84", 0.84, 2),
            (".5", 0.5, 1),
            ("-0.558", -0.558, 3),
            ("55,6", 55.6, 1),
            ("100", 100.0, 0),
            ("8%", 8.0, 0),
        ] {
            assert_eq!((printed(text).value(), printed(text).decimals()), (value, decimals), "{text}");
        }
        for text in ["", "-", "1.2.3", "abc", "1e5", "--2", "9999999999999999999"] {
            assert_eq!(Printed::parse(text), None, "{text}");
        }
    }

    #[test]
    fn both_ways_of_rounding_a_half_are_accepted_and_nothing_beyond() {
        assert!(printed("0.813").is_ratio(13, 16), "0.8125 half up");
        assert!(printed("0.812").is_ratio(13, 16), "0.8125 half to even");
        assert!(!printed("0.814").is_ratio(13, 16));
        assert!(!printed("15.5").is_ratio(700, 45), "15.556");
        assert!(printed("15.5").is_truncated_ratio(700, 45));
        assert!(printed("<0.001").is(0.0004) && !printed("<0.001").is(0.0011));
    }

    #[test]
    fn digits_known_to_be_cut_stand_for_what_is_cut_to_them() {
        let cut = printed("15.5").cut();
        assert!(cut.is_ratio(700, 45) && !cut.is_ratio(3095, 200) && cut.is_exact());
        assert!(cut.meets(Interval::point(15.599)) && !cut.is(15.49) && cut.like(15.59) == "15.5");
        assert!(printed("0.84").cut().complement().is(0.152) && !printed("0.84").cut().complement().is(0.165));
        for n in [7, 45, 100] {
            let expected: Vec<i64> = (-50..2000).filter(|&k| cut.is_ratio(k, n)).collect();
            assert_eq!(cut.numerators(n).collect::<Vec<_>>(), expected, "of {n}");
        }
    }

    #[test]
    fn numerators_are_those_whose_ratio_is_printed_so() {
        for (text, n) in [("18.8", 48), ("16.97", 36), ("-2.25", 4), ("0.5", 1)] {
            let expected: Vec<i64> = (-2000..2000).filter(|&k| printed(text).is_ratio(k, n)).collect();
            assert_eq!(printed(text).numerators(n).collect::<Vec<_>>(), expected, "{text} of {n}");
        }
    }

    #[test]
    fn a_slip_is_one_digit_or_two_swapped() {
        assert!(printed("0.557").is_slip_of(printed("0.577")));
        assert!(printed("35.63").is_slip_of(printed("36.53")));
        assert!(!printed("8.89").is_slip_of(printed("9.43")));
    }
}
