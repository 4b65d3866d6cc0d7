//! How numbers are written for people: one rule each.

/// More decimals than these are written in powers of ten.
const MAX_DECIMALS: usize = 8;

/// A number with a fixed count of decimals; from a thousand million on, or with very many decimals, in powers of ten.
pub fn fixed(value: f64, digits: usize) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "inf".to_owned() } else { "-inf".to_owned() };
    }
    if value.abs() >= 1e9 {
        return format!("{value:.digits$e}");
    }
    if digits > MAX_DECIMALS {
        return format!("{value:.2e}");
    }
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        _ => text,
    }
}

/// As many decimals as show two digits of a spread (a standard deviation or error), but at least `least`.
pub fn decimals(spread: Option<f64>, least: usize) -> usize {
    let wanted = |spread: f64| (1.0 - spread.log10().floor()).max(0.0) as usize;
    spread.filter(|&spread| spread > 0.0).map_or(least, wanted).max(least)
}

/// Three decimals, `<0.001` below.
pub fn p_text(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { fixed(p, 3) }
}
