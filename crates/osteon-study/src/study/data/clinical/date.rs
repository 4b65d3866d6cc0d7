//! Dates as a file writes them.

use jiff::civil::Date;

/// The order of day, month and year, and what stands between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Letter and number of digits that it stands for, or a sign.
    parts: Vec<(char, usize)>,
}

impl Order {
    /// Reads such as `DD.MM.YYYY`, `M/D/YYYY` or `YYYYMMDD`; the error is what was expected.
    pub fn parse(text: &str) -> Result<Order, &'static str> {
        let mut parts: Vec<(char, usize)> = Vec::new();
        for c in text.to_uppercase().chars().filter(|c| !c.is_whitespace()) {
            match parts.last_mut() {
                Some((last, n)) if *last == c && c.is_alphabetic() => *n += 1,
                _ => parts.push((c, 1)),
            }
        }
        let of = |letter: char| parts.iter().filter(|(c, _)| *c == letter).map(|(_, n)| *n).collect::<Vec<_>>();
        if of('Y') != [4] {
            return Err("a year of four digits, as in DD.MM.YYYY");
        }
        let is_one = |letter: char| matches!(of(letter)[..], [1 | 2]);
        let known = |(c, _): &(char, usize)| matches!(c, 'D' | 'M' | 'Y') || !c.is_alphanumeric();
        if !is_one('D') || !is_one('M') || !parts.iter().all(known) {
            return Err("day, month and year once each, as in DD.MM.YYYY");
        }
        Ok(Order { parts })
    }

    /// The date of a cell; `None` where it is none in this order.
    pub fn read(&self, cell: &str) -> Option<Date> {
        let (mut rest, mut found) = (cell.trim(), [0_i16; 3]);
        for (at, &(letter, digits)) in self.parts.iter().enumerate() {
            let place = match letter {
                'Y' => 0,
                'M' => 1,
                'D' => 2,
                sign => {
                    rest = rest.strip_prefix(sign)?.trim_start();
                    continue;
                }
            };
            // Before a sign a day may have one digit or two; without signs the digits are counted.
            let has_signs = self.parts.iter().any(|(part, _)| !part.is_alphabetic());
            let stands_alone = has_signs && self.parts.get(at + 1).is_none_or(|(next, _)| !next.is_alphabetic());
            let most = if stands_alone { digits.max(2) } else { digits };
            let end = rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
            if end == 0 || !stands_alone && end < digits || letter == 'Y' && end != 4 {
                return None;
            }
            found[place] = rest[..end].parse().ok()?;
            rest = &rest[end..];
        }
        let [year, month, day] = found;
        let small = |number: i16| i8::try_from(number).ok();
        rest.is_empty().then(|| Date::new(year, small(month)?, small(day)?).ok()).flatten()
    }
}

/// The day of `2020-03-05 10:30` or `2020-03-05T10:30:00`, and whether there was a time of day beside midnight.
pub fn day(cell: &str) -> Option<(Date, bool)> {
    let (date, time) = cell.split_at_checked(10)?;
    let date: Date = date.parse().ok()?;
    let time = time.strip_prefix([' ', 'T'])?;
    let is_time = time.len() >= 5 && time.parse::<jiff::civil::Time>().is_ok();
    is_time.then(|| (date, time.bytes().any(|byte| matches!(byte, b'1'..=b'9'))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_its_order_or_not_at_all() {
        let check = |order: &str, cell: &str, expected: Option<&str>| {
            let found = Order::parse(order).unwrap().read(cell).map(|date| date.to_string());
            assert_eq!(found.as_deref(), expected, "{order} {cell}");
        };
        check("DD.MM.YYYY", "03.02.1999", Some("1999-02-03"));
        check("DD.MM.YYYY", "3.2.1999", Some("1999-02-03"));
        check("DD. MM. YYYY", "3. 2. 1999", Some("1999-02-03"));
        check("M/D/YYYY", "1/7/2001", Some("2001-01-07"));
        check("YYYYMMDD", "20010107", Some("2001-01-07"));
        check("YYYYMMDD", "2001017", None);
        check("DD.MM.YYYY", "31.02.1999", None);
        check("DD.MM.YYYY", "03.02.99", None);
        check("DD.MM.YYYY", "03.02.1999 x", None);
        for wrong in ["DD.MM.YY", "MM.YYYY", "D.D.YYYY", "dd mon yyyy"] {
            assert!(Order::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_of_day_is_told() {
        assert_eq!(
            day("2020-03-05 10:30").map(|(date, time)| (date.to_string(), time)),
            Some(("2020-03-05".into(), true))
        );
        assert_eq!(day("2020-03-05T00:00:00").map(|(_, time)| time), Some(false));
        assert_eq!(day("2020-03-05"), None);
        assert_eq!(day("2020-03-05 soon"), None);
    }
}
