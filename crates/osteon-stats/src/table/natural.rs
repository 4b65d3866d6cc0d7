//! The order in which people read names: `P2` before `P10`.

use std::cmp::Ordering;

/// Compares digits as numbers, the rest without case; texts that differ in writing only keep a fixed order.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (Some(x), Some(y)) = (left.chars().next(), right.chars().next()) else {
            return left.len().cmp(&right.len()).then_with(|| a.cmp(b));
        };
        let order = if x.is_ascii_digit() && y.is_ascii_digit() {
            let (m, n) = (take_digits(&mut left), take_digits(&mut right));
            m.len().cmp(&n.len()).then_with(|| m.cmp(n))
        } else {
            left = &left[x.len_utf8()..];
            right = &right[y.len_utf8()..];
            x.to_lowercase().cmp(y.to_lowercase())
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// The leading digits without leading zeros; any count of digits is fine.
fn take_digits<'a>(text: &mut &'a str) -> &'a str {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits.trim_start_matches('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut names = ["P10", "p2", "P1", "P02", "Q1", "P", "12", "P99999999999999999999999", "P3x"];
        names.sort_by(|a, b| compare(a, b));
        assert_eq!(names, ["12", "P", "P1", "P02", "p2", "P3x", "P10", "P99999999999999999999999", "Q1"]);
    }
}
