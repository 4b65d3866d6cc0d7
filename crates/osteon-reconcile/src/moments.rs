//! Printed means and standard deviations: whether whole numbers can give them, and whether parts pool to the whole.
//!
//! GRIM asks whether a sum of n whole numbers gives the printed mean (Brown & Heathers 2017,
//! doi:10.1177/1948550616673876); GRIMMER asks the same of the sum of squares and the printed SD
//! (Anaya 2016, doi:10.7287/peerj.preprints.2400v1, with the parity test of Allard 2018).

use crate::printed::{Interval, Printed};

/// Size, mean and SD (n - 1) of a group, as printed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    pub n: u64,
    pub mean: Printed,
    pub sd: Printed,
    /// `sd` is the standard error of the mean.
    pub is_error: bool,
}

impl std::fmt::Display for Moments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ± {}", self.mean, self.sd)
    }
}

/// What is known of a group's mean and SD.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Group {
    pub n: u64,
    pub mean: Interval,
    pub sd: Interval,
}

impl Moments {
    /// The values that round to what is printed.
    pub fn group(&self) -> Group {
        let sd = self.sd.interval().times(if self.is_error { (self.n as f64).sqrt() } else { 1.0 });
        Group { n: self.n, mean: self.mean.interval(), sd: Interval { low: sd.low.max(0.0), high: sd.high } }
    }

    /// Whether some sum of n whole numbers gives the printed mean.
    pub fn passes_grim(&self) -> bool {
        !self.sums().is_empty()
    }

    /// Whether some n whole numbers give the printed mean and SD, as far as sum, sum of squares and parity can tell.
    pub fn passes_grimmer(&self) -> bool {
        self.n < 2 || self.sums().any(|sum| self.squares(sum).is_some())
    }

    fn sums(&self) -> std::ops::RangeInclusive<i64> {
        self.mean.numerators(self.n as i64)
    }

    /// The least and the greatest sum of squares of n whole numbers with this sum and the printed SD: whole, not
    /// below the flattest way to share the sum out, and odd exactly when the sum is.
    fn squares(&self, sum: i64) -> Option<(i64, i64)> {
        let (n, sd, total) = (self.n as f64, self.group().sd, sum as f64);
        let square = |sd: f64| (n - 1.0) * sd * sd + total * total / n;
        let (each, over) = (sum.div_euclid(self.n as i64), sum.rem_euclid(self.n as i64));
        let flattest = (self.n as i64 - over) * each * each + over * (each + 1) * (each + 1);
        let slack = 1e-9 * square(sd.high);
        let low = ((square(sd.low) - slack).ceil() as i64).max(flattest);
        let high = (square(sd.high) + slack).floor() as i64;
        let parity = sum.rem_euclid(2);
        let (low, high) = (low + (low - parity).rem_euclid(2), high - (high - parity).rem_euclid(2));
        (low <= high).then_some((low, high))
    }
}

/// Whether whole numbers exist that give both parts and, together, the whole.
pub fn whole_numbers_pool(one: &Moments, other: &Moments, whole: &Moments) -> bool {
    one.sums().any(|a| {
        other.sums().filter(|b| whole.sums().contains(&(a + b))).any(|b| {
            match (one.squares(a), other.squares(b), whole.squares(a + b)) {
                (Some(x), Some(y), Some(z)) => x.0 + y.0 <= z.1 && z.0 <= x.1 + y.1,
                _ => false,
            }
        })
    })
}

/// Mean and SD of the groups taken together: every value they can have.
pub fn pool(parts: &[Group]) -> Group {
    let n: u64 = parts.iter().map(|part| part.n).sum();
    let sum = parts.iter().fold(Interval::point(0.0), |sum, part| sum.plus(part.mean.times(part.n as f64)));
    let squares = parts.iter().fold(between(parts), |sum, part| sum.plus(within(part)));
    let freedom = n.saturating_sub(1).max(1) as f64;
    Group { n, mean: sum.times(1.0 / n.max(1) as f64), sd: squares.map(|it| (it / freedom).sqrt()) }
}

/// The mean that one more group must have so that `others` and it pool to `whole`.
pub fn missing_mean(whole: &Group, others: &[Group]) -> Interval {
    let rest = pool(others);
    let missing = whole.n.saturating_sub(rest.n).max(1) as f64;
    whole.mean.times(whole.n as f64).minus(rest.mean.times(rest.n as f64)).times(1.0 / missing)
}

/// The SD that `part` must have so that `others` and it pool to `whole`; `None` when no SD does.
pub fn missing_sd(whole: &Group, others: &[Group], part: &Group) -> Option<Interval> {
    let groups: Vec<Group> = others.iter().copied().chain([*part]).collect();
    let known = others.iter().fold(between(&groups), |sum, other| sum.plus(within(other)));
    let left = within(whole).minus(known).times(1.0 / part.n.saturating_sub(1).max(1) as f64);
    (left.high >= 0.0).then(|| Interval { low: left.low.max(0.0), high: left.high }.map(f64::sqrt))
}

/// Squared deviations from the group's own mean.
pub fn within(group: &Group) -> Interval {
    group.sd.map(|sd| group.n.saturating_sub(1) as f64 * sd * sd)
}

/// Squared deviations of the group means from the common mean. The greatest lies at a corner of the box of means;
/// the least is a convex function of the common mean alone.
pub fn between(parts: &[Group]) -> Interval {
    let n: f64 = parts.iter().map(|part| part.n as f64).sum();
    let greatest = (0..1u32 << parts.len().min(16)).map(|corner| {
        let at = |index: usize| {
            let mean = parts[index].mean;
            if corner >> index & 1 == 0 { mean.low } else { mean.high }
        };
        let middle = (0..parts.len()).map(|index| parts[index].n as f64 * at(index)).sum::<f64>() / n;
        (0..parts.len()).map(|index| parts[index].n as f64 * (at(index) - middle).powi(2)).sum::<f64>()
    });
    let greatest = greatest.fold(0.0, f64::max);
    let spread = |middle: f64| -> f64 {
        parts.iter().map(|part| part.n as f64 * (middle.clamp(part.mean.low, part.mean.high) - middle).powi(2)).sum()
    };
    let mut low = parts.iter().map(|part| part.mean.low).fold(f64::INFINITY, f64::min);
    let mut high = parts.iter().map(|part| part.mean.high).fold(f64::NEG_INFINITY, f64::max);
    for _ in 0..200 {
        let (first, second) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if spread(first) <= spread(second) { high = second } else { low = first }
    }
    Interval { low: spread(0.5 * (low + high)).min(greatest), high: greatest }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(n: u64, mean: &str, sd: &str) -> Moments {
        Moments { n, mean: Printed::parse(mean).unwrap(), sd: Printed::parse(sd).unwrap(), is_error: false }
    }

    #[test]
    fn the_examples_of_the_grim_and_grimmer_papers() {
        // Brown & Heathers 2017: 28 whole numbers cannot have the mean 5.19; 5.18 and 5.21 they can.
        assert!(!moments(28, "5.19", "1.0").passes_grim());
        assert!(moments(28, "5.18", "1.0").passes_grim() && moments(28, "5.21", "1.0").passes_grim());
        // Anaya 2016: n = 18, mean 3.44 and SD 2.47 fail, though the mean alone passes.
        assert!(moments(18, "3.44", "2.47").passes_grim() && !moments(18, "3.44", "2.47").passes_grimmer());
    }

    #[test]
    fn real_whole_numbers_always_pass_and_pool() {
        let mut state = 1u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        for _ in 0..300 {
            let sizes = [2 + next(40), 2 + next(40)];
            let data = sizes.map(|n| (0..n).map(|_| next(90) as f64).collect::<Vec<f64>>());
            let describe = |values: &[f64]| {
                let n = values.len() as f64;
                let mean = values.iter().sum::<f64>() / n;
                let sd = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
                moments(values.len() as u64, &format!("{mean:.2}"), &format!("{sd:.2}"))
            };
            let [one, other] = [describe(&data[0]), describe(&data[1])];
            let whole = describe(&data.concat());
            assert!(one.passes_grimmer() && other.passes_grimmer() && whole.passes_grimmer());
            assert!(whole_numbers_pool(&one, &other, &whole), "{one:?} {other:?} {whole:?}");
            let pooled = pool(&[one.group(), other.group()]);
            assert!(whole.mean.meets(pooled.mean) && whole.sd.meets(pooled.sd));
            let sd = missing_sd(&whole.group(), &[one.group()], &other.group()).unwrap();
            assert!(other.sd.meets(sd) && other.mean.meets(missing_mean(&whole.group(), &[one.group()])));
        }
    }
}
