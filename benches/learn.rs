//! Speed of learning: `cargo bench --bench learn`; `benches/peer_learn.py` times the peers on the same sizes.

use ndarray::Array2;
use osteon::evaluate::bootstrap::{AucOfRows, stratified};
use osteon::model::forest::{ClassWeight, Params, Ranked, probabilities_of_settings};
use osteon::seed::Seed;
use osteon::select::lasso::{self, Convention};
use osteon::select::mrmr::{self, Method};
use rand::Rng;

fn main() {
    divan::main();
}

/// 75 patients, every second one with the event; the first columns tell of it.
fn data(columns: usize) -> (Array2<f64>, Vec<bool>) {
    let mut rng = Seed(7).rng();
    let event: Vec<bool> = (0..75).map(|row| row % 2 == 0).collect();
    let x = Array2::from_shape_fn((75, columns), |(row, column)| {
        rng.random_range(-2.0..2.0) + if column < 5 && event[row] { 0.8 } else { 0.0 }
    });
    (x, event)
}

/// 48 settings in five folds on 75 x 8.
#[divan::bench]
fn grid_search(bencher: divan::Bencher) {
    let (x, event) = data(8);
    let settings = Params::default().settings();
    assert_eq!(settings.len(), 48);
    bencher.bench(|| {
        for fold in 0..5 {
            let (held, learnt): (Vec<usize>, Vec<usize>) = (0..75).partition(|row| row % 5 == fold);
            let (train, test) = (x.select(ndarray::Axis(0), &learnt), x.select(ndarray::Axis(0), &held));
            let y: Vec<bool> = learnt.iter().map(|&row| event[row]).collect();
            let ranked = Ranked::new(train.view(), &y);
            let seed = Seed(1).nth(fold);
            divan::black_box(probabilities_of_settings(&ranked, test.view(), &settings, ClassWeight::Equal, seed));
        }
    });
}

/// A path of 100 lambdas with five folds on 75 x 2264, ratio 0.01 as glmnet takes with fewer rows than columns.
#[divan::bench]
fn lasso_path_with_five_folds(bencher: divan::Bencher) {
    let (x, event) = data(2264);
    let y: Vec<f64> = event.iter().map(|&event| f64::from(event)).collect();
    let folds: Vec<usize> = (0..75).map(|row| row % 5).collect();
    let params = lasso::Params { convention: Convention::Glmnet, lambda_ratio: 0.01, ..lasso::Params::default() };
    bencher.bench(|| lasso::fit(x.view(), &y, &folds, &params).unwrap());
}

/// 50 of 2264 by the F statistic and correlations, as mrmr-selection.
#[divan::bench(args = [Method::Fcq, Method::Miq])]
fn mrmr_50_of_2264(bencher: divan::Bencher, method: Method) {
    let (x, event) = data(2264);
    let params = mrmr::Params { method, n_features: 50, ..mrmr::Params::default() };
    bencher.bench(|| mrmr::order(x.view(), &event, &params));
}

/// 2000 stratified bootstrap AUCs of 75 scores.
#[divan::bench]
fn bootstrap_2000_aucs(bencher: divan::Bencher) {
    let (x, event) = data(1);
    let scores: Vec<f64> = x.column(0).to_vec();
    bencher.bench(|| {
        let auc = AucOfRows::new(&scores, &event);
        (0..2000).map(|at| auc.of(&stratified(&event, Seed(3).nth(at))).unwrap()).sum::<f64>()
    });
}
