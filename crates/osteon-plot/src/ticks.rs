//! Where ticks stand and how their numbers are written.

/// A place on an axis and its words.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    pub at: f64,
    pub label: String,
}

/// At most `most` (at least 2) ticks in `[low, high]`, one nice step apart: 1, 2 or 5 times a power of ten.
pub fn linear(low: f64, high: f64, most: usize) -> Vec<Tick> {
    let most = most.max(2);
    let rough = (high - low) / most as f64;
    if !(rough.is_finite() && rough > 0.0) {
        return Vec::new();
    }
    let power = rough.log10().floor() as i32;
    let steps = [(1.0, power), (2.0, power), (5.0, power), (1.0, power + 1), (2.0, power + 1), (5.0, power + 1)];
    steps
        .into_iter()
        .map(|(factor, power)| stepped(low, high, factor, power))
        .find(|ticks| ticks.len() <= most)
        .unwrap_or_default()
}

/// Multiples of `factor * 10^power` inside the range; what rounding puts just outside counts as inside.
fn stepped(low: f64, high: f64, factor: f64, power: i32) -> Vec<Tick> {
    let step = factor * 10f64.powi(power);
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    let count = (last - first).clamp(-1.0, 1e3) as i64 + 1;
    let digits = (-power).max(0) as usize;
    (0..count).map(|n| (first + n as f64) * step).map(|at| Tick { at, label: number(at, digits) }).collect()
}

/// At most `most` ticks on a logarithmic axis: powers of ten, then their 2 and 5 fold, then a linear rule.
pub fn logarithmic(low: f64, high: f64, most: usize) -> Vec<Tick> {
    if !(low > 0.0 && high > low && high.is_finite()) {
        return Vec::new();
    }
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    let inside = |at: f64| at >= low * (1.0 - 1e-9) && at <= high * (1.0 + 1e-9);
    let of = |factors: &[f64], every: usize| -> Vec<Tick> {
        let powers = decades.clone().filter(|power| power.rem_euclid(every as i32) == 0);
        powers
            .flat_map(|power| factors.iter().map(move |factor| (*factor, power)))
            .filter(|&(factor, power)| inside(factor * 10f64.powi(power)))
            .map(|(factor, power)| Tick { at: factor * 10f64.powi(power), label: decade(factor, power) })
            .collect()
    };
    for (factors, every) in [(&[1.0, 2.0, 5.0][..], 1), (&[1.0, 3.0], 1), (&[1.0], 1), (&[1.0], 2), (&[1.0], 5)] {
        let found = of(factors, every);
        if found.len() <= most.max(2) {
            return if found.len() >= 2 { found } else { linear(low, high, most.min(4)) };
        }
    }
    let all = of(&[1.0], 1);
    let every = all.len().div_ceil(most.max(2));
    all.into_iter().step_by(every).collect()
}

/// A number with a true minus sign and so many digits after the point; powers of ten where plain digits get long.
pub fn number(value: f64, digits: usize) -> String {
    let size = value.abs();
    if size != 0.0 && (size >= 1e6 || digits > 5) {
        let power = size.log10().floor() as i32;
        let factor = value / 10f64.powi(power);
        let factor = format!("{factor:.2}").trim_end_matches('0').trim_end_matches('.').replace('-', "−");
        return format!("{factor}×10{}", superscript(power));
    }
    let text = format!("{value:.digits$}");
    let zero = text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.');
    if zero { text.trim_start_matches('-').to_owned() } else { text.replace('-', "−") }
}

fn decade(factor: f64, power: i32) -> String {
    match power {
        0..=4 => format!("{}", factor * 10f64.powi(power)),
        -3..=-1 => format!("{:.*}", -power as usize, factor * 10f64.powi(power)),
        _ if factor == 1.0 => format!("10{}", superscript(power)),
        _ => format!("{factor}×10{}", superscript(power)),
    }
}

fn superscript(power: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    power.to_string().chars().map(|c| c.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: Vec<Tick>) -> String {
        ticks.into_iter().map(|tick| tick.label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ticks_are_round_numbers_inside_the_range() {
        assert_eq!(labels(linear(0.0, 1.0, 6)), "0.0 0.2 0.4 0.6 0.8 1.0");
        assert_eq!(labels(linear(0.0, 1.0, 3)), "0.0 0.5 1.0");
        assert_eq!(labels(linear(-3.2, 7.9, 6)), "−2 0 2 4 6");
        assert_eq!(labels(linear(0.0, 6400.0, 4)), "0 2000 4000 6000");
        assert_eq!(labels(linear(0.0012, 0.0038, 4)), "0.002 0.003");
        assert_eq!(labels(linear(5.0, 5.0, 4)), "");
    }

    #[test]
    fn logarithmic_ticks_keep_to_powers_of_ten_and_their_parts() {
        assert_eq!(labels(logarithmic(0.1, 10.0, 7)), "0.1 0.2 0.5 1 2 5 10");
        assert_eq!(labels(logarithmic(0.1, 10.0, 5)), "0.1 0.3 1 3 10");
        assert_eq!(labels(logarithmic(1e-6, 1e3, 5)), "10⁻⁶ 10⁻⁴ 0.01 1 100");
        assert_eq!(labels(logarithmic(2.1, 4.4, 5)), "2.5 3.0 3.5 4.0");
        assert_eq!(labels(logarithmic(-1.0, 1.0, 5)), "");
    }

    #[test]
    fn a_number_has_a_minus_sign_but_no_negative_zero() {
        assert_eq!(number(-0.04, 1), "0.0");
        assert_eq!(number(-2.5, 1), "−2.5");
        assert_eq!(number(12_500_000.0, 0), "1.25×10⁷");
    }
}
