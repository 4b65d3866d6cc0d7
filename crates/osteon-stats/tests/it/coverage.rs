//! How often the interval of a cross-validated AUC covers the truth: simulated studies without a signal and with one.
//!
//! 75 patients, 2,264 standard normal features; the model takes the ten features with the largest |t| in its training
//! rows, weighted by t over the SD. `OSTEON_SWEEP=1` draws 500 studies; figures are in `benches/README.md`.

use ndarray::{Array2, s};
use osteon_base::seed::Seed;
use osteon_stats::evaluate::repeated::cross_validated;
use osteon_stats::evaluate::roc;
use osteon_testing::rounds;
use rand::Rng;
use rayon::prelude::*;

const EVENTS: usize = 38;
const PATIENTS: usize = 75;
const SIGNALS: usize = 20;
const CHOSEN: usize = 10;
const FOLDS: usize = 5;
const REPEATS: usize = 10;

/// Two standard normal values (Box and Muller).
fn normal(rng: &mut impl Rng) -> [f64; 2] {
    let (u, v): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random_range(0.0..1.0));
    let (radius, angle) = ((-2.0 * u.ln()).sqrt(), std::f64::consts::TAU * v);
    [radius * angle.cos(), radius * angle.sin()]
}

fn drawn(rows: usize, events: usize, features: usize, signal: f64, seed: Seed) -> (Array2<f64>, Vec<bool>) {
    let mut rng = seed.rng();
    let mut x = Array2::zeros((rows, features));
    let values = x.as_slice_mut().expect("rows of one block");
    for pair in values.chunks_mut(2) {
        let two = normal(&mut rng);
        pair.iter_mut().zip(two).for_each(|(to, from)| *to = from);
    }
    x.slice_mut(s![..events, ..SIGNALS.min(features)]).mapv_inplace(|value| value + signal);
    (x, (0..rows).map(|row| row < events).collect())
}

/// Columns and weights of the model learnt on some rows.
fn learnt(x: &Array2<f64>, event: &[bool], rows: &[usize]) -> Vec<(usize, f64)> {
    let p = x.ncols();
    let (mut sums, mut squares, mut n) = ([vec![0.0; p], vec![0.0; p]], vec![0.0; p], [0.0; 2]);
    for &row in rows {
        let class = usize::from(event[row]);
        n[class] += 1.0;
        for (j, value) in x.row(row).iter().enumerate() {
            sums[class][j] += value;
            squares[j] += value * value;
        }
    }
    let of = |j: usize| {
        let (a, b) = (sums[1][j] / n[1], sums[0][j] / n[0]);
        let within = squares[j] - n[1] * a * a - n[0] * b * b;
        let sd = (within / (n[0] + n[1] - 2.0)).sqrt();
        ((a - b) / sd, sd)
    };
    let mut all: Vec<(usize, f64, f64)> = (0..p).map(|j| (j, of(j).0, of(j).1)).collect();
    all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    all[..CHOSEN].iter().map(|&(j, t, sd)| (j, t / sd)).collect()
}

fn score(model: &[(usize, f64)], x: &Array2<f64>, row: usize) -> f64 {
    model.iter().map(|&(j, weight)| weight * x[[row, j]]).sum()
}

/// Folds that divide either outcome evenly.
fn folds(event: &[bool], seed: Seed) -> Vec<usize> {
    let mut fold = vec![0; event.len()];
    for class in [false, true] {
        let mut rows: Vec<usize> = (0..event.len()).filter(|&row| event[row] == class).collect();
        rows.sort_by_key(|&row| seed.nth(row).0);
        rows.iter().enumerate().for_each(|(at, &row)| fold[row] = at % FOLDS);
    }
    fold
}

struct Study {
    covers: bool,
    width: f64,
    /// Of DeLong's interval in a test set of as many patients.
    width_of_test: f64,
    estimate: f64,
    truth: f64,
}

fn study(signal: f64, seed: Seed) -> Study {
    const FEATURES: usize = 2264;
    let (x, event) = drawn(PATIENTS, EVENTS, FEATURES, signal, seed.named("training"));
    let all: Vec<usize> = (0..PATIENTS).collect();
    let model = learnt(&x, &event, &all);
    // A test set of the same size, and 10,000 patients for the truth; without a signal that is 0.5.
    let of = |rows: usize, events: usize, name: &str| {
        let (mut kept, event) = drawn(rows, events, CHOSEN, 0.0, seed.named(name));
        for (k, &(j, _)) in model.iter().enumerate().filter(|(_, (j, _))| *j < SIGNALS) {
            let _ = j;
            kept.slice_mut(s![..events, k]).mapv_inplace(|value| value + signal);
        }
        let scores: Vec<f64> = (0..rows)
            .map(|row| model.iter().enumerate().map(|(k, (_, weight))| weight * kept[[row, k]]).sum())
            .collect();
        roc::auc(&scores, &event).unwrap()
    };
    let truth = if signal == 0.0 { 0.5 } else { of(10_000, 5_000, "truth").auc };
    let [low, high] = of(PATIENTS, EVENTS, "test").interval().0;
    let repeat = |repeat: usize| {
        let fold = folds(&event, seed.named("folds").nth(repeat));
        let mut held = vec![None; PATIENTS];
        for k in 0..FOLDS {
            let rows: Vec<usize> = all.iter().copied().filter(|&row| fold[row] != k).collect();
            let model = learnt(&x, &event, &rows);
            all.iter().filter(|&&row| fold[row] == k).for_each(|&row| held[row] = Some(score(&model, &x, row)));
        }
        held
    };
    let repeats: Vec<_> = (0..REPEATS).map(repeat).collect();
    let found = cross_validated(&event, &repeats, FOLDS).unwrap();
    Study {
        covers: (found.ci[0]..=found.ci[1]).contains(&truth),
        width: found.ci[1] - found.ci[0],
        width_of_test: high - low,
        estimate: found.auc,
        truth,
    }
}

#[test]
fn intervals_of_nested_cross_validation_cover_what_they_say_on_noise() {
    let n = rounds(12, 500);
    for (signal, name) in [(0.0, "noise"), (0.6, "signal 0.6 SD"), (0.9, "signal 0.9 SD")] {
        let seed = Seed(20_260_930).named(name);
        let studies: Vec<Study> = (0..n).into_par_iter().map(|at| study(signal, seed.nth(at))).collect();
        let covered = studies.iter().filter(|study| study.covers).count();
        let mean = |of: fn(&Study) -> f64| studies.iter().map(of).sum::<f64>() / n as f64;
        let (width, test) = (mean(|study| study.width), mean(|study| study.width_of_test));
        eprintln!(
            "{name}: {covered} of {n} intervals cover; mean estimate {:.3}, mean truth {:.3}; mean width {width:.3}, DeLong's \
             on a test set of {PATIENTS} {test:.3}, ratio {:.2}",
            mean(|study| study.estimate),
            mean(|study| study.truth),
            width / test
        );
        // With a signal, width and coverage are figures to be read, not limits: each fold learns from four fifths of the
        // patients, so that it estimates a weaker model than the one in force.
        if name == "noise" {
            assert!(width < 1.5 * test, "{name}: {width} {test}");
            // 500 studies: 465 to 487; of few studies, what a coverage of 95 % gives but once in a thousand times.
            let (low, high) = if n == 500 { (465, 487) } else { (n - n.div_ceil(4), n) };
            assert!((low..=high).contains(&covered), "{covered} of {n}");
        }
    }
}
