//! Selection against glmnet 4.1.6, scikit-learn 1.9.1, mrmr-selection 0.2.8 and psych 2.2.9.

use ndarray::{Array1, Array2, Axis};
use osteon_stats::select::icc::icc;
use osteon_stats::select::lasso::{self, Columns, Convention, Family, Params};
use osteon_stats::select::mrmr::{self, Bins, Method};
use osteon_stats::select::scale::Scaling;
use rand::Rng;
use serde_json::Value;

use osteon_testing::{Comparison, Frame, json, shared};

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

/// Names and values of features, outcome and folds (from 0).
type Data = (Vec<String>, Array2<f64>, Vec<f64>, Vec<usize>);

fn data(name: &str) -> Option<Data> {
    let (file, outcome, folds) = match name {
        "diabetes" => ("diabetes", "target", "folds_diabetes"),
        "radsim" => ("radsim_75x300", "y", "folds_radsim_75x300"),
        _ => ("breast_cancer", "malignant", "folds_breast_cancer"),
    };
    let frame = Frame::read(&shared(&format!("reference/statistics/data/{file}.csv"))?);
    let folds = Frame::read(&shared(&format!("reference/statistics/data/{folds}.csv"))?);
    let names: Vec<String> = frame.names.iter().filter(|name| *name != "id" && *name != outcome).cloned().collect();
    let folds = folds.numbers("fold").iter().map(|fold| *fold as usize - 1).collect();
    Some((names.clone(), frame.matrix(&names), frame.numbers(outcome), folds))
}

/// Tolerance on lambda_max 1e-10, on cvm 1e-4, on coefficients 1e-5 of the largest; lambda.min exact.
/// Where glmnet itself stops more than 1e-6 lambda short of the optimum, the step is named and ours must be optimal;
/// there scikit-learn's exact solution differs from glmnet's cvsd by 1.2e-4.
fn glmnet(name: &str, family: Family) -> Option<Comparison> {
    let mut off = Comparison::default();
    let tag = if family == Family::Gaussian { "gaussian" } else { "binomial" };
    let reference = json(&shared(&format!("reference/statistics/lasso/glmnet_{name}_{tag}.json"))?);
    let (names, x, y, folds) = data(name)?;
    let theirs = numbers(&reference["lambda"]);
    let ours = lasso::lambdas(x.view(), &y, Columns::Standardised, 1, 1.0);
    off.close(format!("{name} {tag} lambda_max"), ours[0], theirs[0], 1e-10, 0.0);

    let ratio = theirs[theirs.len() - 1] / theirs[0];
    let params = Params {
        family,
        convention: Convention::Glmnet,
        n_lambdas: theirs.len(),
        lambda_ratio: ratio,
        ..Params::default()
    };
    let fit = lasso::fit(x.view(), &y, &folds, &params).unwrap();
    for (k, (error, se)) in numbers(&reference["cvm"]).into_iter().zip(numbers(&reference["cvsd"])).enumerate() {
        off.close(format!("{name} {tag} cvm {k}"), fit.errors[k], error, 1e-4, 0.0);
        off.close(format!("{name} {tag} cvsd {k}"), fit.standard_errors[k], se, 2e-4, 0.0);
    }
    off.same(format!("{name} {tag} lambda.min"), fit.at_min + 1, reference["index_min"].as_u64().unwrap() as usize);
    off.same(format!("{name} {tag} lambda.1se"), fit.at_one_se + 1, reference["index_1se"].as_u64().unwrap() as usize);

    let path = Frame::read(&shared(&format!("reference/statistics/lasso/glmnet_{name}_{tag}_path.csv"))?);
    let dense: Vec<Vec<f64>> = (0..theirs.len())
        .map(|k| {
            let mut dense = vec![0.0; names.len()];
            fit.path.coefficients[k].iter().for_each(|&(j, b)| dense[j] = b);
            dense
        })
        .collect();
    let columns: Vec<Option<Vec<f64>>> =
        names.iter().map(|name| path.names.contains(name).then(|| path.numbers(name))).collect();
    let z = Scaling::of(x.view()).apply(x.view());
    let sds = Scaling::of(x.view()).sds;
    for k in 0..theirs.len() {
        let reference: Vec<f64> =
            columns.iter().map(|column| column.as_ref().map_or(0.0, |column| column[k])).collect();
        let largest = reference.iter().fold(0.0, |most: f64, b| most.max(b.abs()));
        let worst = dense[k].iter().zip(&reference).map(|(ours, theirs)| (ours - theirs).abs()).fold(0.0, f64::max);
        let own = violation(&z, &y, family, &sds, fit.path.intercepts[k], &dense[k], &x, theirs[k]);
        off.close(format!("{name} {tag} optimality at {k}"), own, 0.0, 0.0, 1e-9);
        let intercept = path.numbers("(Intercept)")[k];
        let short = violation(&z, &y, family, &sds, intercept, &reference, &x, theirs[k]);
        if worst > 1e-5 * largest && short > 1e-6 {
            eprintln!(
                "{name} {tag} step {k}: glmnet misses the optimum by {short:.0e} lambda, coefficients by {worst:.0e}"
            );
            off.close(format!("{name} {tag} coefficients at {k}"), worst, 0.0, 0.0, 1e-3 * largest);
        } else {
            off.close(format!("{name} {tag} coefficients at {k}"), worst, 0.0, 0.0, 1e-5 * largest);
        }
    }
    Some(off)
}

/// How far coefficients (on the scale of `x`) are from optimal, in parts of lambda: the largest excess of a slope.
#[allow(clippy::too_many_arguments, reason = "one formula")]
fn violation(
    z: &Array2<f64>,
    y: &[f64],
    family: Family,
    sds: &[f64],
    intercept: f64,
    b: &[f64],
    x: &Array2<f64>,
    lambda: f64,
) -> f64 {
    let eta = x.dot(&Array1::from(b.to_vec())) + intercept;
    let mean = |eta: f64| if family == Family::Gaussian { eta } else { 1.0 / (1.0 + (-eta).exp()) };
    let residual: Array1<f64> = y.iter().zip(&eta).map(|(y, &eta)| y - mean(eta)).collect();
    let slopes = z.t().dot(&residual) / y.len() as f64;
    let excess = |(j, slope): (usize, &f64)| match b[j] * sds[j] {
        0.0 => (slope.abs() - lambda).max(0.0),
        b => (slope - lambda * b.signum()).abs(),
    };
    slopes.iter().enumerate().map(excess).fold(0.0, f64::max) / lambda
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn lasso_paths_are_those_of_glmnet() {
    let Some(off) = glmnet("diabetes", Family::Gaussian) else { return };
    off.finish(300);
    glmnet("radsim", Family::Gaussian).unwrap().finish(300);
    glmnet("breast_cancer", Family::Gaussian).unwrap().finish(200);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn binomial_lasso_paths_are_those_of_glmnet() {
    let Some(off) = glmnet("radsim", Family::Binomial) else { return };
    off.finish(200);
    glmnet("breast_cancer", Family::Binomial).unwrap().finish(200);
}

/// Columns as a study may have them, in turn: independent, nearly the same, of few values, multiples of each other, far
/// from zero; always with a duplicate and a negative of another column.
fn awkward(kind: usize) -> (Array2<f64>, Vec<f64>) {
    let mut rng = osteon_base::seed::Seed(9).nth(kind).rng();
    let (n, p) = ([12, 35, 60][kind % 3], [8, 80, 150][kind / 3 % 3]);
    let source = Array2::from_shape_fn((n, 5), |_| rng.random_range(-1.0..1.0));
    let mut x = Array2::from_shape_fn((n, p), |(i, j)| match kind % 5 {
        0 => rng.random_range(-1.0..1.0),
        1 => source[[i, j % 5]] + 1e-6 * rng.random_range(-1.0..1.0),
        2 => f64::from(rng.random_range(0..3)),
        3 => source[[i, j % 5]] * (1 + j) as f64,
        _ => 1e6 + rng.random_range(-1.0..1.0),
    });
    let (first, second) = (x.column(0).to_owned(), x.column(1).to_owned());
    x.column_mut(p - 1).assign(&first);
    x.column_mut(2).assign(&-second);
    let mut y: Vec<f64> = (0..n).map(|i| f64::from(x[[i, 0]] - x[[0, 0]] > rng.random_range(-1.0..1.0))).collect();
    (y[0], y[1]) = (1.0, 0.0);
    (x, y)
}

#[test]
fn lasso_solutions_are_optimal_on_columns_as_they_come() {
    for kind in 0..15 {
        let (x, y) = awkward(kind);
        let scaling = Scaling::of(x.view());
        let z = scaling.apply(x.view());
        for (family, ratio) in [(Family::Gaussian, 1e-3), (Family::Binomial, 0.05)] {
            let lambdas = lasso::lambdas(x.view(), &y, Columns::Standardised, 40, ratio);
            let path = lasso::path(x.view(), &y, family, Columns::Standardised, &lambdas);
            for (at, &lambda) in lambdas.iter().enumerate() {
                let mut b = vec![0.0; x.ncols()];
                path.coefficients[at].iter().for_each(|&(j, value)| b[j] = value);
                // Centred columns: an intercept of columns far from zero would round what is to be seen.
                let mean = |j: usize| b[j] * scaling.means[j];
                let shift: f64 = path.intercepts[at] + (0..b.len()).map(mean).sum::<f64>();
                let centred = &x - &Array1::from(scaling.means.clone());
                let off = violation(&z, &y, family, &scaling.sds, shift, &b, &centred, lambda);
                assert!(off < 2e-8, "kind {kind}, {family:?}, lambda {at}: {off:e}");
            }
        }
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn lasso_cross_validation_is_that_of_scikit_learn() {
    let mut off = Comparison::default();
    for name in ["diabetes", "radsim", "breast_cancer"] {
        let Some(path) = shared(&format!("reference/statistics/lasso/sklearn_{name}_lasso.json")) else { return };
        let reference = &json(&path)["A_LassoCV_zscored_once"];
        let (_, x, y, folds) = data(name).unwrap();
        let z = Scaling::of(x.view()).apply(x.view());
        let params = Params { convention: Convention::ScikitLearn, ..Params::default() };
        let fit = lasso::fit(z.view(), &y, &folds, &params).unwrap();
        off.close(
            format!("{name} alpha_max"),
            fit.path.lambdas[0],
            reference["alpha_max"].as_f64().unwrap(),
            1e-10,
            0.0,
        );
        for (k, error) in numbers(&reference["mean_mse"]).into_iter().enumerate() {
            off.close(format!("{name} mse {k}"), fit.errors[k], error, 1e-8, 0.0);
        }
        off.same(format!("{name} alpha"), fit.at_min, reference["index_min"].as_u64().unwrap() as usize);
        let one_se = reference["alpha_1se"].as_f64().unwrap();
        off.close(format!("{name} alpha_1se"), fit.path.lambdas[fit.at_one_se], one_se, 1e-10, 0.0);
        let theirs = reference["coef_std"].as_object().unwrap();
        off.same(format!("{name} non-zero"), fit.weights().len(), theirs.len());
        for &(j, b) in fit.weights() {
            let expected = theirs.get(&j.to_string()).map_or(0.0, |b| b.as_f64().unwrap());
            off.close(format!("{name} coefficient {j}"), b, expected, 1e-7, 1e-9);
        }
    }
    off.finish(330);
}

#[test]
fn lasso_agrees_with_linfa_on_centred_columns() {
    use linfa::prelude::*;
    let mut rng = osteon_base::seed::Seed(5).named("columns").rng();
    let x = Array2::from_shape_fn((60, 12), |_| rand::Rng::random_range(&mut rng, -1.0..1.0));
    let z = Scaling::of(x.view()).apply(x.view());
    let y: Array1<f64> = z.rows().into_iter().map(|row| 2.0 * row[0] - row[3] + 0.3 * row[7] + row[1].sin()).collect();
    let ours = lasso::path(z.view(), y.as_slice().unwrap(), Family::Gaussian, Columns::AsGiven, &[0.2, 0.05]);
    let mut off = Comparison::default();
    for (at, penalty) in [0.2, 0.05].into_iter().enumerate() {
        let params = linfa_elasticnet::ElasticNet::params().penalty(penalty).l1_ratio(1.0);
        let fit = params.tolerance(1e-14).max_iterations(100_000).fit(&Dataset::new(z.clone(), y.clone())).unwrap();
        for j in 0..12 {
            let b = ours.coefficients[at].iter().find(|(k, _)| *k == j).map_or(0.0, |(_, b)| *b);
            off.close(format!("{penalty} coefficient {j}"), b, fit.hyperplane()[j], 1e-6, 1e-7);
        }
    }
    off.finish(24);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn mrmr_orders_are_exact() {
    let mut off = Comparison::default();
    for name in ["breast_cancer", "radsim"] {
        let Some(path) = shared(&format!("reference/statistics/mrmr/mrmr_{name}.json")) else { return };
        let reference = json(&path);
        let (_, x, y, _) = data(name).unwrap();
        let event: Vec<bool> = y.iter().map(|&y| y == 1.0).collect();
        for (variant, theirs) in reference["variants"].as_object().unwrap() {
            let (method, bins, sd_multiple) = match variant.as_str() {
                "FCQ" => (Method::Fcq, Bins::MeanSd, 1.0),
                "FCD" => (Method::Fcd, Bins::MeanSd, 1.0),
                "MID_gauss" => (Method::MidGauss, Bins::MeanSd, 1.0),
                other => {
                    let method = if other.starts_with("MID") { Method::Mid } else { Method::Miq };
                    let bins = if other.ends_with("q5") { Bins::Quantiles } else { Bins::MeanSd };
                    (method, bins, if other.ends_with("0.5") { 0.5 } else { 1.0 })
                }
            };
            let n_features = reference["K"].as_u64().unwrap() as usize;
            let params = mrmr::Params { method, bins, sd_multiple, n_quantiles: 5, n_features };
            let ours = mrmr::order(x.view(), &event, &params);
            let order: Vec<u64> = ours.iter().map(|&(j, _)| j as u64).collect();
            let expected: Vec<u64> = theirs["index0"].as_array().unwrap().iter().map(|j| j.as_u64().unwrap()).collect();
            off.same(format!("{name} {variant}"), order, expected);
            for (rank, (ours, theirs)) in ours.iter().zip(numbers(&theirs["score"])).enumerate() {
                off.close(format!("{name} {variant} score {rank}"), ours.1, theirs, 1e-9, 1e-12);
            }
        }
    }
    off.finish(400);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn icc_and_its_intervals_are_those_of_psych() {
    let mut off = Comparison::default();
    let Some(path) = shared("reference/statistics/icc/icc.csv") else { return };
    let reference = Frame::read(&path);
    let features = Frame::read(&shared("reference/statistics/data/icc_features_30x2x12.csv").unwrap());
    for (at, case) in reference.texts("feature").iter().enumerate() {
        let x = if case.starts_with("feat") {
            let rows: Vec<usize> =
                (0..features.rows.len()).filter(|&i| features.texts("feature")[i] == *case).collect();
            features.matrix(&["reader1".to_owned(), "reader2".to_owned()]).select(Axis(0), &rows)
        } else {
            let file = if case.starts_with("icc") { case.clone() } else { format!("icc_{case}") };
            let frame = Frame::read(&shared(&format!("reference/statistics/data/{file}.csv")).unwrap());
            frame.matrix(&frame.names[1..])
        };
        let form = &reference.texts("type")[at];
        let ours = icc(x.view()).unwrap().into_iter().find(|icc| icc.form.name() == form).unwrap();
        let pairs = [
            ("ICC", ours.value),
            ("F", ours.f),
            ("df1", ours.df1),
            ("df2", ours.df2),
            ("p", ours.p),
            ("lo", ours.low),
            ("hi", ours.high),
        ];
        for (column, value) in pairs {
            off.close(format!("{case} {form} {column}"), value, reference.numbers(column)[at], 1e-9, 1e-12);
        }
    }
    off.finish(15 * 6 * 7);
}
