//! What a model is worth on patients that it did not learn from, from models refitted on bootstrap samples: the AUC of
//! left-out pairs with its standard error, and the .632+ estimate.

use serde::{Deserialize, Serialize};

use crate::evaluate::roc;
use crate::stats::distribution::Z_975;

/// One refit: the rows drawn, and the scores that the model learnt on them gives to all rows. `None` for a row without
/// a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Refit {
    pub rows: Vec<usize>,
    pub scores: Vec<Option<f64>>,
}

/// The area under the curve among left-out patients.
///
/// Each pair of a patient with and one without the event is judged by the models that saw neither (leave-pair-out
/// bootstrap; Yousef, Wagner and Loew 2005). The standard error is the delta method after the bootstrap (Efron and
/// Tibshirani 1997, section 5): it counts what a patient changes as one who is judged, and as one who is learnt from,
/// and needs no further refits. The share of its square that is Monte Carlo noise is taken off (Wager, Hastie and Efron
/// 2014). Where nothing can be learnt it is too large, not too small: on simulated noise it was 1.6 times the spread of
/// the estimate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutOfBag {
    pub auc: f64,
    pub se: f64,
    /// Wald's 95 % interval, clipped at 0 and 1.
    pub ci: [f64; 2],
    /// Standard deviation of `auc` over other sets of as many bootstrap samples.
    pub monte_carlo: f64,
    /// Samples from which something was learnt.
    pub used: usize,
    /// Share of the pairs that some sample left out together.
    pub pairs: f64,
}

/// `None` unless both outcomes have two rows and a pair was left out by at least two samples.
pub fn out_of_bag(event: &[bool], refits: &[Refit]) -> Option<OutOfBag> {
    let n = event.len();
    let rows = |wanted: bool| (0..n).filter(|&row| event[row] == wanted).collect::<Vec<_>>();
    let (events, others) = (rows(true), rows(false));
    if events.len() < 2 || others.len() < 2 || refits.len() < 2 {
        return None;
    }
    let counts: Vec<Vec<f64>> = refits.iter().map(|refit| drawn(n, &refit.rows)).collect();
    let judge = |refit: usize, row: usize| {
        if counts[refit][row] == 0.0 { refits[refit].scores[row] } else { None }
    };
    let (mut sum, mut known) = (vec![0.0; events.len() * others.len()], vec![0.0; events.len() * others.len()]);
    let mut wins: Vec<Vec<(usize, f64)>> = Vec::with_capacity(refits.len());
    for refit in 0..refits.len() {
        let mut own = Vec::new();
        for (a, &i) in events.iter().enumerate() {
            let Some(high) = judge(refit, i) else { continue };
            for (b, &j) in others.iter().enumerate() {
                let Some(low) = judge(refit, j) else { continue };
                let win = if high > low { 1.0 } else { f64::from(u8::from(high == low)) / 2.0 };
                let pair = a * others.len() + b;
                sum[pair] += win;
                known[pair] += 1.0;
                own.push((pair, win));
            }
        }
        wins.push(own);
    }
    let judged: Vec<usize> = (0..sum.len()).filter(|&pair| known[pair] > 1.0).collect();
    if judged.is_empty() {
        return None;
    }
    let of_pair = |pair: usize| sum[pair] / known[pair];
    let total = judged.len() as f64;
    let auc = judged.iter().map(|&pair| of_pair(pair)).sum::<f64>() / total;
    // How far each sample moves the mean over pairs.
    let moved = |own: &Vec<(usize, f64)>| {
        let of = |&(pair, win): &(usize, f64)| {
            if known[pair] > 1.0 { (win - of_pair(pair)) / known[pair] } else { 0.0 }
        };
        own.iter().map(of).sum::<f64>() / total
    };
    let moved: Vec<f64> = wins.iter().map(moved).collect();
    let mut influence = vec![0.0; n];
    let mut of_row = vec![(0.0, 0.0); n];
    for &pair in &judged {
        for row in [events[pair / others.len()], others[pair % others.len()]] {
            of_row[row].0 += of_pair(pair) - auc;
            of_row[row].1 += 1.0;
        }
    }
    let mut spread = 0.0;
    for row in 0..n {
        let of_class = if event[row] { events.len() } else { others.len() } as f64;
        let judged_as = if of_row[row].1 > 0.0 { of_row[row].0 / of_row[row].1 / of_class } else { 0.0 };
        let mean = counts.iter().map(|counts| counts[row]).sum::<f64>() / refits.len() as f64;
        let learnt: f64 = moved.iter().zip(&counts).map(|(moved, counts)| moved * (counts[row] - mean)).sum();
        influence[row] = judged_as + learnt;
        spread += counts.iter().map(|counts| (counts[row] - mean).powi(2)).sum::<f64>() / refits.len() as f64;
    }
    let noise: f64 = moved.iter().map(|it| it * it).sum();
    let variance: f64 = influence.iter().map(|it| it * it).sum::<f64>() - noise * spread;
    let least: f64 = (0..n)
        .map(|row| {
            let of_class = if event[row] { events.len() } else { others.len() } as f64;
            if of_row[row].1 > 0.0 { (of_row[row].0 / of_row[row].1 / of_class).powi(2) } else { 0.0 }
        })
        .sum();
    let se = variance.max(least).sqrt();
    Some(OutOfBag {
        auc,
        se,
        ci: [(auc - Z_975 * se).max(0.0), (auc + Z_975 * se).min(1.0)],
        monte_carlo: noise.sqrt(),
        used: wins.iter().filter(|own| !own.is_empty()).count(),
        pairs: total / sum.len() as f64,
    })
}

/// How often each row was drawn.
fn drawn(n: usize, rows: &[usize]) -> Vec<f64> {
    let mut counts = vec![0.0; n];
    rows.iter().for_each(|&row| counts[row] += 1.0);
    counts
}

/// Efron and Tibshirani's (1997) .632+ estimate of a quantity of which larger is better: the apparent value and that of
/// left-out rows, mixed by how far the apparent one overfits; `no_information` is what scores without any relation to
/// the event reach (0.5 for an AUC). Of an AUC as Jiang and Simon (2007) give it.
pub fn point_632_plus(apparent: f64, left_out: f64, no_information: f64) -> f64 {
    let left_out = left_out.max(no_information).min(apparent.max(no_information));
    let overfit = if apparent > left_out && apparent > no_information {
        (apparent - left_out) / (apparent - no_information)
    } else {
        0.0
    };
    let weight = 0.632 / (1.0 - 0.368 * overfit.clamp(0.0, 1.0));
    (1.0 - weight) * apparent + weight * left_out
}

/// The mean AUC in each sample's own left-out rows; what the AUC of left-out pairs is held against.
pub fn mean_of_samples(event: &[bool], refits: &[Refit]) -> Option<f64> {
    let one = |refit: &Refit| {
        let counts = drawn(event.len(), &refit.rows);
        let left: Vec<usize> =
            (0..event.len()).filter(|&row| counts[row] == 0.0 && refit.scores[row].is_some()).collect();
        let scores: Vec<f64> = left.iter().filter_map(|&row| refit.scores[row]).collect();
        let of: Vec<bool> = left.iter().map(|&row| event[row]).collect();
        roc::auc(&scores, &of).map(|auc| auc.auc)
    };
    let found: Vec<f64> = refits.iter().filter_map(one).collect();
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}
