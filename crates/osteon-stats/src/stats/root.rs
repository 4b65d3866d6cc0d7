//! The root of a continuous function of one variable.

/// Where `f` changes its sign between `low` and `high`, to the last bit or nearly so; `None` when it does not.
///
/// Brent's method (Brent 1973, chapter 4) with the tolerance of the floating-point grid.
pub fn bracketed(f: impl Fn(f64) -> f64, low: f64, high: f64) -> Option<f64> {
    within(f, low, high, 2.0 * f64::EPSILON)
}

/// The same to a share of the root: for functions that are not known to the last bit.
pub fn within(f: impl Fn(f64) -> f64, low: f64, high: f64, share: f64) -> Option<f64> {
    let (mut a, mut b) = (low, high);
    let (mut fa, mut fb) = (f(a), f(b));
    if fa * fb > 0.0 || fa.is_nan() || fb.is_nan() {
        return None;
    }
    let (mut c, mut fc) = (a, fa);
    let mut step = b - a;
    let mut before = step;
    for _ in 0..300 {
        if fc.abs() < fb.abs() {
            (a, b, c) = (b, c, b);
            (fa, fb, fc) = (fb, fc, fb);
        }
        let tolerance = share * b.abs() + f64::MIN_POSITIVE;
        let half = 0.5 * (c - b);
        if half.abs() <= tolerance || fb == 0.0 {
            return Some(b);
        }
        if before.abs() >= tolerance && fa.abs() > fb.abs() {
            let (p, q) = interpolate((a, fa), (b, fb), (c, fc));
            let (p, q) = if p > 0.0 { (p, -q) } else { (-p, q) };
            if 2.0 * p < (3.0 * half * q - (tolerance * q).abs()).min((before * q).abs()) {
                before = step;
                step = p / q;
            } else {
                step = half;
                before = half;
            }
        } else {
            step = half;
            before = half;
        }
        (a, fa) = (b, fb);
        b += if step.abs() > tolerance { step } else { tolerance.copysign(half) };
        fb = f(b);
        if (fb > 0.0) == (fc > 0.0) {
            (c, fc) = (a, fa);
            step = b - a;
            before = step;
        }
    }
    Some(b)
}

/// Numerator and denominator of the secant or inverse quadratic step from `b`.
fn interpolate((a, fa): (f64, f64), (b, fb): (f64, f64), (c, fc): (f64, f64)) -> (f64, f64) {
    let s = fb / fa;
    if a == c {
        return ((c - b) * s, 1.0 - s);
    }
    let (q, r) = (fa / fc, fb / fc);
    (s * ((c - b) * q * (q - r) - (b - a) * (r - 1.0)), (q - 1.0) * (r - 1.0) * (s - 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_found_to_the_last_digits_or_not_at_all() {
        assert!((bracketed(|x| x * x - 2.0, 0.0, 2.0).unwrap() - 2.0_f64.sqrt()).abs() < 1e-15);
        assert!((bracketed(|x| (x - 1e-8).powi(3), -1.0, 3.0).unwrap() - 1e-8).abs() < 1e-6);
        assert_eq!(bracketed(|x| x * x + 1.0, -1.0, 1.0), None);
    }
}
