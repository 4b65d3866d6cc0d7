//! Speed of learning: `cargo bench --bench learn`; `benches/peer_learn.py` times the peers on the same sizes.

use ndarray::Array2;
use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_stats::evaluate::bootstrap::{AucOfRows, stratified};
use osteon_stats::model::forest::{ClassWeight, Params, Ranked, probabilities_of_settings};
use osteon_stats::select::lasso::{self, Convention};
use osteon_stats::select::mrmr::{self, Method};
use osteon_stats::table::{Column, Table, Values};
use osteon_study::pipeline::cohort::{Cohort, Features};
use osteon_study::pipeline::{learn, region};
use osteon_study::protocol::Preset;
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

/// A cohort of 75 with one region of 2264 features in groups of correlated ones, as filtered images give.
fn cohort(n_regions: usize) -> Cohort {
    let region = |at: usize| {
        let mut rng = Seed(11).nth(at).rng();
        let sources = Array2::from_shape_fn((75, 60), |_| rng.random_range(-2.0..2.0));
        let (_, event) = data(1);
        let value = |row: usize, column: usize, rng: &mut rand_chacha::ChaCha8Rng| {
            let told = if column < 5 && event[row] { 0.8 } else { 0.0 };
            Some(sources[[row, column % 60]] + rng.random_range(-1.0..1.0) + told)
        };
        Features {
            region: format!("region_{at}"),
            names: (0..2264).map(|column| format!("feature_{column}")).collect(),
            rows: (0..75).map(|row| Some((0..2264).map(|column| value(row, column, &mut rng)).collect())).collect(),
            eligible: vec![true; 2264],
            batch: None,
        }
    };
    let codes: Vec<String> = (0..75).map(|row| format!("P{row}")).collect();
    let alp = Values::Numbers(data(1).0.column(0).iter().map(|&x| Some(x)).collect());
    let clinical = Table::new(codes.clone(), vec![Column { name: "alp".to_owned(), values: alp }]).unwrap();
    Cohort { codes, event: data(1).1, clinical, regions: (0..n_regions).map(region).collect(), strata: Vec::new() }
}

/// Selection, grid search and forest of one region, as every part of every resample does it.
#[divan::bench]
fn one_region(bencher: divan::Bencher) {
    let (cohort, rows) = (cohort(1), (0..75).collect::<Vec<_>>());
    let protocol = Preset::Study.protocol();
    bencher.bench(|| region::learn(&cohort, &cohort.regions[0], &rows, &protocol, Seed(1), &Job::unwatched()).unwrap());
}

/// The whole chain over seven regions: the unit that a bootstrap sample, a fold or a permutation repeats.
#[divan::bench(sample_count = 5)]
fn whole_chain(bencher: divan::Bencher) {
    let (cohort, rows) = (cohort(7), (0..75).collect::<Vec<_>>());
    let protocol = Preset::Study.protocol();
    bencher.bench(|| learn::learn(&cohort, &rows, &protocol, Seed(1), &Job::unwatched()).unwrap());
}
