//! Incomplete gamma and beta functions that keep their relative precision in both tails.

use statrs::function::gamma::ln_gamma;

/// Steps of a series or continued fraction; both need about the square root of their largest parameter.
const MAX_STEPS: usize = 1_000_000;

/// Upper regularised incomplete gamma function Q(a, x), a > 0, x >= 0.
pub fn gamma_q(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    // x^a e^-x / Γ(a), in logarithms and free of cancellation for large a.
    let prefix = (gamma_exponent(a, x)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum) = (1.0 / a, 1.0 / a);
        for n in 1..MAX_STEPS {
            term *= x / (a + n as f64);
            sum += term;
            if term < sum * f64::EPSILON / 4.0 {
                break;
            }
        }
        1.0 - prefix * sum
    } else {
        // DLMF 8.9.2 by the modified Lentz method.
        let b = |n: usize| x + (2 * n + 1) as f64 - a;
        prefix / lentz(b(0), |n| (-(n as f64) * (n as f64 - a), b(n)))
    }
}

/// a ln x - x - lnΓ(a).
fn gamma_exponent(a: f64, x: f64) -> f64 {
    if a < 10.0 {
        return a * x.ln() - x - ln_gamma(a);
    }
    let d = (x - a) / a;
    a * (ln_1p_minus(d)) + 0.5 * (a / std::f64::consts::TAU).ln() - stirling_rest(a)
}

/// ln(1 + d) - d, without cancellation for small d.
fn ln_1p_minus(d: f64) -> f64 {
    if d.abs() > 0.01 {
        return d.ln_1p() - d;
    }
    let (mut power, mut sum) = (d, 0.0);
    for k in 2..12 {
        power *= -d;
        sum += power / f64::from(k);
    }
    sum
}

/// Regularised incomplete beta function I_x(a, b), given both x and y = 1 - x so that neither loses digits.
pub fn beta_i(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if y <= 0.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_i(b, a, y, x);
    }
    let (ln_x, ln_y) = (ln_of(x, y), ln_of(y, x));
    let prefix = (a * ln_x + b * ln_y - ln_beta(a, b)).exp();
    // The even part of DLMF 8.17.22 (Didonato and Morris 1992, equation 9): it does not cancel for large a or b.
    let lambda = if a > b { (a + b) * y - b } else { a - (a + b) * x };
    let term = |n: usize| {
        let m = n as f64;
        let s = a + 2.0 * m - 1.0;
        let w = m * (b - m) * x;
        let alpha = (a + m - 1.0) / s * ((a + b + m - 1.0) / s) * w * x;
        (alpha, m + w / s + (a + m) / (s + 2.0) * (lambda + 1.0 + m * (1.0 + y)))
    };
    prefix / lentz(a / (a + 1.0) * (lambda + 1.0), term)
}

/// b0 + a1/(b1 + a2/(b2 + ...)), `term(n)` giving (an, bn).
fn lentz(b0: f64, term: impl Fn(usize) -> (f64, f64)) -> f64 {
    let nonzero = |value: f64| if value == 0.0 { f64::MIN_POSITIVE } else { value };
    let mut f = nonzero(b0);
    let (mut c, mut d) = (f, 0.0);
    for n in 1..MAX_STEPS {
        let (an, bn) = term(n);
        d = 1.0 / nonzero(bn + an * d);
        c = nonzero(bn + an / c);
        let step = c * d;
        f *= step;
        if (step - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    f
}

/// ln x, from 1 - x where that is the smaller one.
fn ln_of(x: f64, one_minus_x: f64) -> f64 {
    if one_minus_x < 0.5 { (-one_minus_x).ln_1p() } else { x.ln() }
}

/// ln B(a, b), without the cancellation of three large gammas (Didonato and Morris 1992, ACM TOMS 708).
pub fn ln_beta(a: f64, b: f64) -> f64 {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    if b < 10.0 {
        return ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
    }
    let rest = stirling_rest(b) - stirling_rest(a + b);
    if a < 10.0 {
        return ln_gamma(a) - (a + b - 0.5) * (a / b).ln_1p() - a * b.ln() + a + rest;
    }
    let half_ln_tau = 0.5 * std::f64::consts::TAU.ln();
    half_ln_tau - 0.5 * b.ln() - (a - 0.5) * (b / a).ln_1p() - b * (a / b).ln_1p() + stirling_rest(a) + rest
}

/// lnΓ(z) - [(z - 1/2) ln z - z + ln(2π)/2] for z >= 10 (DLMF 5.11.1).
fn stirling_rest(z: f64) -> f64 {
    const C: [f64; 7] =
        [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0, 1.0 / 156.0];
    let w = 1.0 / (z * z);
    C.iter().rev().fold(0.0, |sum, c| sum * w + c) / z
}
