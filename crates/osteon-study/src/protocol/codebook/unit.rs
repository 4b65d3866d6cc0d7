//! Units of measurement that are converted by a factor: length, mass, volume, time, shares, and the prefixes of others.
//!
//! What needs to know the substance (mmol/L to mg/dL) or the assay (kat to U) has no factor here.

/// What a unit measures. Units of two dimensions have no factor between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dimension {
    Length,
    Area,
    Mass,
    Volume,
    /// Days and what they are made of.
    Time,
    /// Months and years: no whole number of days.
    Calendar,
    Amount,
    /// International and enzyme units, by their prefixes.
    Units,
    Catalysis,
    Share,
}

/// Names of a unit in lower case, what it measures, and how many of the dimension's first unit it is.
const UNITS: &[(&[&str], Dimension, f64)] = &[
    (&["mm", "millimeter", "millimeters", "millimetre", "millimetres"], Dimension::Length, 1.0),
    (&["nm"], Dimension::Length, 1e-6),
    (&["um", "micron", "microns"], Dimension::Length, 1e-3),
    (&["cm", "centimeter", "centimeters", "centimetre", "centimetres"], Dimension::Length, 10.0),
    (&["dm"], Dimension::Length, 100.0),
    (&["m", "meter", "meters", "metre", "metres"], Dimension::Length, 1000.0),
    (&["in", "inch", "inches"], Dimension::Length, 25.4),
    (&["mm2"], Dimension::Area, 1.0),
    (&["cm2"], Dimension::Area, 100.0),
    (&["m2"], Dimension::Area, 1e6),
    (&["mg", "milligram", "milligrams"], Dimension::Mass, 1.0),
    (&["pg"], Dimension::Mass, 1e-9),
    (&["ng"], Dimension::Mass, 1e-6),
    (&["ug", "mcg"], Dimension::Mass, 1e-3),
    (&["g", "gram", "grams"], Dimension::Mass, 1e3),
    (&["kg", "kilogram", "kilograms"], Dimension::Mass, 1e6),
    (&["ml", "cm3", "cc", "ccm", "milliliter", "milliliters", "millilitre", "millilitres"], Dimension::Volume, 1.0),
    (&["nl"], Dimension::Volume, 1e-6),
    (&["ul", "mm3"], Dimension::Volume, 1e-3),
    (&["cl"], Dimension::Volume, 10.0),
    (&["dl"], Dimension::Volume, 100.0),
    (&["l", "dm3", "liter", "liters", "litre", "litres"], Dimension::Volume, 1000.0),
    (&["d", "day", "days", "tag", "tage"], Dimension::Time, 1.0),
    (&["week", "weeks", "wk", "wks", "woche", "wochen"], Dimension::Time, 7.0),
    (&["h", "hr", "hrs", "hour", "hours", "stunden"], Dimension::Time, 1.0 / 24.0),
    (&["min", "minute", "minutes", "minuten"], Dimension::Time, 1.0 / 1440.0),
    (&["s", "sec", "second", "seconds", "sekunden"], Dimension::Time, 1.0 / 86_400.0),
    (&["month", "months", "mo", "mos", "monat", "monate"], Dimension::Calendar, 1.0),
    (&["y", "yr", "yrs", "year", "years", "jahr", "jahre"], Dimension::Calendar, 12.0),
    (&["mmol"], Dimension::Amount, 1.0),
    (&["pmol"], Dimension::Amount, 1e-9),
    (&["nmol"], Dimension::Amount, 1e-6),
    (&["umol"], Dimension::Amount, 1e-3),
    (&["mol"], Dimension::Amount, 1e3),
    (&["u", "iu", "ui", "ie", "e", "units", "unit"], Dimension::Units, 1.0),
    (&["mu", "miu"], Dimension::Units, 1e-3),
    (&["ku", "kiu"], Dimension::Units, 1e3),
    (&["ukat"], Dimension::Catalysis, 1.0),
    (&["nkat"], Dimension::Catalysis, 1e-3),
    (&["mkat"], Dimension::Catalysis, 1e3),
    (&["kat"], Dimension::Catalysis, 1e6),
    (&["%", "pct", "percent", "percentage", "prozent"], Dimension::Share, 1.0),
    (&["fraction", "proportion"], Dimension::Share, 100.0),
];

/// A unit, or one by another: `U/L`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Unit {
    of: Dimension,
    by: Option<Dimension>,
    size: f64,
}

/// By what a value in one unit is multiplied to be in another; `None` where one of the two is no unit listed here, or
/// where they measure different things.
pub fn factor(from: &str, to: &str) -> Option<f64> {
    let (from, to) = (parse(from)?, parse(to)?);
    (from.of == to.of && from.by == to.by).then(|| digits(from.size / to.size))
}

/// Whether a text is a unit listed here, or one by another.
pub fn is_unit(text: &str) -> bool {
    parse(text).is_some()
}

/// Whether two texts name the same unit: `µL` and `mm³`, `IU/L` and `U/l`; or are the same but for case and blanks.
pub fn is_same(one: &str, other: &str) -> bool {
    plain(one) == plain(other) || factor(one, other) == Some(1.0)
}

/// The text without its unit, and the unit: `ALP (U/L)`, `ALP [U/L]`, `ALP, U/L`, `ALP in U/L`, `alp_u_l`, `% necrosis`.
/// What stands there and is no unit listed here stays part of the text.
pub fn split(header: &str) -> (&str, Option<String>) {
    let header = header.trim();
    let known = |text: &str| is_unit(text).then(|| text.trim().to_owned());
    for (open, close) in [('(', ')'), ('[', ']')] {
        let parts = header.strip_suffix(close).and_then(|rest| rest.rsplit_once(open));
        if let Some((base, unit)) = parts.and_then(|(base, inner)| Some((base, known(inner)?))) {
            return (base.trim(), Some(unit));
        }
    }
    for sign in [", ", " in "] {
        let parts = header.rsplit_once(sign).and_then(|(base, unit)| Some((base, known(unit)?)));
        if let Some((base, unit)) = parts {
            return (base.trim(), Some(unit));
        }
    }
    if let Some(base) = header.strip_prefix('%').or(header.strip_suffix('%')) {
        return (base.trim(), Some("%".to_owned()));
    }
    // A last word with a stroke is a unit: `ALP U/L`.
    if let Some((base, unit)) = header.rsplit_once(' ')
        && unit.contains('/')
        && let Some(unit) = known(unit)
    {
        return (base, Some(unit));
    }
    ending(header)
}

/// Names cannot hold a stroke: `alp_iu_l` is by litre, `diameter_cm` in cm. One letter alone is no unit of a name.
fn ending(name: &str) -> (&str, Option<String>) {
    let cuts: Vec<usize> = name.match_indices('_').map(|(at, _)| at).collect();
    if let [.., first, second] = cuts[..] {
        let (base, unit) = (&name[..first], name[first + 1..].replacen('_', "/", 1));
        let by = parse(&name[second + 1..]).is_some_and(|it| it.of == Dimension::Volume && it.by.is_none());
        if by && !base.is_empty() && is_unit(&unit) {
            return (base, Some(unit));
        }
    }
    match cuts.last() {
        Some(&at) if at > 0 && name.len() - at > 2 && is_unit(&name[at + 1..]) => {
            (&name[..at], Some(name[at + 1..].to_owned()))
        }
        _ => (name, None),
    }
}

fn parse(text: &str) -> Option<Unit> {
    // A lone capital M is a word, not a metre.
    if text.trim() == "M" {
        return None;
    }
    let text = plain(text);
    let one = |name: &str| {
        let (_, of, size) = UNITS.iter().find(|(names, ..)| names.contains(&name))?;
        Some((*of, *size))
    };
    match text.split_once('/') {
        None => one(&text).map(|(of, size)| Unit { of, by: None, size }),
        Some((above, below)) => {
            let ((of, size), (by, per)) = (one(above)?, one(below)?);
            Some(Unit { of, by: Some(by), size: size / per })
        }
    }
}

/// In lower case, without blanks and raised digits.
fn plain(text: &str) -> String {
    let text = text.trim().to_lowercase().replace(" per ", "/");
    let plain = |c: char| match c {
        'µ' | 'μ' => 'u',
        '²' => '2',
        '³' => '3',
        c => c,
    };
    text.chars().filter(|c| !c.is_whitespace() && *c != '^').map(plain).collect()
}

/// To fifteen digits: what a product of typed numbers has no more of.
pub fn digits(value: f64) -> f64 {
    format!("{value:.14e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_is_exact_or_there_is_none() {
        let check = |from: &str, to: &str, expected: Option<f64>| assert_eq!(factor(from, to), expected, "{from} {to}");
        check("cm", "mm", Some(10.0));
        check("Inches", "mm", Some(25.4));
        check("mm³", "mL", Some(0.001));
        check("cc", "ml", Some(1.0));
        check("g/L", "mg/dL", Some(100.0));
        check("µg/mL", "mg/L", Some(1.0));
        check("kU/L", "U/L", Some(1000.0));
        check("years", "months", Some(12.0));
        check("weeks", "days", Some(7.0));
        check("h", "days", Some(digits(1.0 / 24.0)));
        check("fraction", "%", Some(100.0));
        check("umol/L", "mmol/L", Some(0.001));
        // The substance, the assay, the calendar would have to be known.
        check("mmol/L", "mg/dL", None);
        check("µkat/L", "U/L", None);
        check("months", "days", None);
        check("kg", "mm", None);
        check("furlong", "mm", None);
        assert!(is_same("IU/l", "U/L") && is_same("mm3", "µL") && is_same("10^9/L", "10^9/l"));
        assert!(!is_same("cm", "mm") && !is_same("", "mm"));
    }

    #[test]
    fn a_unit_is_told_from_the_words_around_it() {
        let check = |header: &str, base: &str, unit: Option<&str>| {
            assert_eq!(split(header), (base, unit.map(str::to_owned)), "{header}");
        };
        check("Long. diam (cm)", "Long. diam", Some("cm"));
        check("ALP [µkat/L]", "ALP", Some("µkat/L"));
        check("LDH, U/L", "LDH", Some("U/L"));
        check("Größe in cm", "Größe", Some("cm"));
        check("ALP U/l", "ALP", Some("U/l"));
        check("% necrosis", "necrosis", Some("%"));
        check("alp_iu_l", "alp", Some("iu/l"));
        check("diameter_cm", "diameter", Some("cm"));
        check("age (at diagnosis)", "age (at diagnosis)", None);
        check("group_d", "group_d", None);
        check("alp", "alp", None);
        check("Path. #", "Path. #", None);
    }
}
