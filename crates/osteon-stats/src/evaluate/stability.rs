//! How alike the choices of many resamples are.

/// Stability of Nogueira, Sechidis and Brown (2018): 1 where every resample chose the same, about 0 where they chose by
/// chance, below 0 where less alike than by chance. `counts` has how often each thing was chosen in `samples` resamples,
/// those never chosen may be left out; `of` is how many could be chosen.
///
/// `None` with fewer than two resamples, or where all or none were chosen throughout.
pub fn nogueira(counts: &[usize], samples: usize, of: usize) -> Option<f64> {
    if samples < 2 || of == 0 {
        return None;
    }
    let (m, d) = (samples as f64, of as f64);
    let variance = |&n: &usize| m / (m - 1.0) * (n as f64 / m) * (1.0 - n as f64 / m);
    let observed = counts.iter().map(variance).sum::<f64>() / d;
    let share = counts.iter().sum::<usize>() as f64 / m / d;
    let by_chance = share * (1.0 - share);
    (by_chance > 0.0).then(|| 1.0 - observed / by_chance)
}
