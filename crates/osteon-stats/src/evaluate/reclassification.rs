//! What a second model adds to a first: net reclassification and integrated discrimination improvement.

use crate::stats::distribution::normal_two_sided;

/// An estimate with its standard error, z against 0 and two-sided p.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    pub value: f64,
    pub se: f64,
    pub z: f64,
    pub p: f64,
}

/// Net reclassification improvement (Pencina et al. 2008; variance as Pencina et al. 2011): risk classes are cut at
/// `cuts`, or any change counts when there are none (continuous NRI). `None` without both classes or without spread.
pub fn nri(event: &[bool], old: &[f64], new: &[f64], cuts: &[f64]) -> Option<Gain> {
    let class = |p: f64| cuts.iter().filter(|&&cut| p >= cut).count();
    let change = |(old, new): (&f64, &f64)| match cuts {
        [] => new.total_cmp(old) as i32,
        _ => class(*new).cmp(&class(*old)) as i32,
    };
    let changes: Vec<f64> = old.iter().zip(new).map(change).map(f64::from).collect();
    difference(event, &changes, Spread::Multinomial)
}

/// Integrated discrimination improvement: gain in mean probability among events less that among the others.
pub fn idi(event: &[bool], old: &[f64], new: &[f64]) -> Option<Gain> {
    let changes: Vec<f64> = old.iter().zip(new).map(|(old, new)| new - old).collect();
    difference(event, &changes, Spread::Sample)
}

/// How the variance of a mean change is estimated.
#[derive(Clone, Copy, PartialEq)]
enum Spread {
    /// Divided by n: shares of a multinomial.
    Multinomial,
    /// Divided by n − 1.
    Sample,
}

/// Mean change among events minus mean change among the others.
fn difference(event: &[bool], changes: &[f64], spread: Spread) -> Option<Gain> {
    let of = |class: bool| {
        let values: Vec<f64> =
            event.iter().zip(changes).filter(|(event, _)| **event == class).map(|(_, change)| *change).collect();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let variance = squares / if spread == Spread::Sample { n - 1.0 } else { n };
        (values.len(), mean, variance / n)
    };
    let ((n1, mean1, variance1), (n0, mean0, variance0)) = (of(true), of(false));
    let se = (variance1 + variance0).sqrt();
    if n1 < 2 || n0 < 2 || se.is_nan() || se <= 0.0 {
        return None;
    }
    let (value, z) = (mean1 - mean0, (mean1 - mean0) / se);
    Some(Gain { value, se, z, p: normal_two_sided(z) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_that_move_up_and_down_are_counted_by_hand() {
        let event = [true, true, true, true, false, false, false, false, false];
        let old = [0.4, 0.4, 0.6, 0.7, 0.4, 0.4, 0.6, 0.2, 0.1];
        let new = [0.6, 0.7, 0.4, 0.8, 0.3, 0.6, 0.4, 0.2, 0.2];
        // Events: 2 up, 1 down of 4; others: 1 up, 1 down of 5.
        let gain = nri(&event, &old, &new, &[0.5]).unwrap();
        assert!((gain.value - 0.25).abs() < 1e-15);
        let variance: f64 = (0.75 - 0.0625) / 4.0 + 0.4 / 5.0;
        assert!((gain.se - variance.sqrt()).abs() < 1e-15);
        let gain = idi(&event, &old, &new).unwrap();
        assert!((gain.value - (0.1 - 0.0)).abs() < 1e-15);
        assert_eq!(nri(&event, &old, &old, &[0.5]), None);
    }
}
