//! Calibration curves, net benefit, precision and recall, splines, penalties, adjusted P values, differences, missing
//! values and sample sizes on simulated patients (`fixtures/statistics/evidence.csv`): R 4.2.2 with rms 6.5.0, pROC 1.18.0
//! and mice 3.15.0 by `evidence.R`; scikit-learn 1.9.1, dcurves 1.1.7 and statsmodels 0.15.0 by `evidence.py`; pmsampsize
//! 0.1.0 and pmvalsampsize 0.2.1 by `samplesize.py`.

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_stats::evaluate::bootstrap::{self, AucOfRows, Params};
use osteon_stats::evaluate::external_size::{Expected, Predictor, external};
use osteon_stats::evaluate::refits::{self, Refit};
use osteon_stats::evaluate::roc::{self, Wanted};
use osteon_stats::evaluate::{
    calibration, decision, flexible, precision_recall, repeated, roc_band, sample_size, smooth,
};
use osteon_stats::model::logistic::{self, likelihood_ratio, ridge, wald};
use osteon_stats::stats::adjust::{Adjustment, adjust};
use osteon_stats::stats::difference::{self, Variances};
use osteon_stats::stats::proportion::wilson;
use osteon_stats::table::encode::{Encoded, encode};
use osteon_stats::table::expand::{Expansion, expand};
use osteon_stats::table::missing::missing;
use osteon_stats::table::{Table, read, spline};
use osteon_testing::{Comparison, fixture, json};
use serde_json::Value;

fn patients() -> Table {
    read::csv(&std::fs::read(fixture("statistics/evidence.csv")).unwrap(), &[]).unwrap().table
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

/// Events and scores of one set.
fn of_set(table: &Table, set: &str, name: &str) -> (Vec<bool>, Vec<f64>) {
    let inside = format!("set={set}").parse::<osteon_stats::table::event::Event>().unwrap().of(table).unwrap();
    let (y, score) = (table.numbers("y").unwrap(), table.numbers(name).unwrap());
    let rows: Vec<usize> = (0..y.len()).filter(|&row| inside[row] == Some(true)).collect();
    (rows.iter().map(|&row| y[row] == Some(1.0)).collect(), rows.iter().map(|&row| score[row].unwrap()).collect())
}

#[test]
fn calibration_curves_and_their_bands_are_those_of_r() {
    let (table, reference) = (patients(), json(&fixture("statistics/evidence_r.json")));
    let mut off = Comparison::default();
    for name in ["p1", "p2"] {
        let (event, p) = of_set(&table, "test", name);
        let theirs = &reference["calibration"][name];
        let at = list(&theirs["at"]);
        let mut all = |what: &str, ours: Vec<f64>, theirs: &Value| {
            let theirs = match theirs {
                Value::Array(_) => list(theirs),
                one => vec![number(one)],
            };
            assert_eq!(ours.len(), theirs.len(), "{what}");
            for (k, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
                off.close(format!("{name} {what} {k}"), ours, theirs, 1e-8, 1e-10);
            }
        };
        let y: Vec<f64> = event.iter().map(|&event| f64::from(event)).collect();
        let curve = smooth::loess_curve(&p, &y, 0.75, &at).unwrap();
        all("loess", curve.points.iter().map(|point| point[1]).collect(), &theirs["loess"]);
        all("standard errors", curve.points.iter().map(|point| point[2]).collect(), &theirs["loess_se"]);
        all("residual scale", vec![curve.sigma], &theirs["residual_scale"]);
        let spline = flexible::spline(&event, &p, &at).unwrap();
        all("knots", spline.knots.clone(), &theirs["knots"]);
        all("spline", spline.points.iter().map(|point| point.observed).collect(), &theirs["spline"]);
        all("spline low", spline.points.iter().map(|point| point.low).collect(), &theirs["spline_low"]);
        all("spline high", spline.points.iter().map(|point| point.high).collect(), &theirs["spline_high"]);
        let found = calibration::calibration(&event, &p).unwrap();
        let loess = found.loess.unwrap();
        all("ICI", vec![loess.mean], &theirs["ici"]);
        all("E50", vec![loess.median], &theirs["e50"]);
        all("E90", vec![loess.q90], &theirs["e90"]);
        all("Emax", vec![loess.max], &theirs["emax"]);
        all("ECI", vec![found.eci.unwrap()], &theirs["eci"]);
        let fit = found.recalibration.unwrap();
        all("intercept", vec![fit.intercept], &theirs["intercept"]);
        all("slope", vec![fit.slope], &theirs["slope"]);
        all("intercept interval", fit.intercept_ci().to_vec(), &theirs["intercept_ci"]);
        all("slope interval", fit.slope_ci().to_vec(), &theirs["slope_ci"]);
        all("in the large", vec![found.in_the_large.unwrap().0], &theirs["large"]);
        all("in the large interval", found.in_the_large_ci().unwrap().to_vec(), &theirs["large_ci"]);
    }
    off.finish(118);
}

#[test]
fn precision_recall_and_net_benefit_are_those_of_python() {
    let (table, reference) = (patients(), json(&fixture("statistics/evidence_py.json")));
    let mut off = Comparison::default();
    for name in ["p1", "p2", "score"] {
        let (event, scores) = of_set(&table, "test", name);
        let theirs = &reference["precision_recall"][name];
        let area = precision_recall::average_precision(&scores, &event).unwrap();
        off.close(format!("{name} average precision"), area, number(&theirs["average_precision"]), 1e-12, 0.0);
        let curve = precision_recall::curve(&scores, &event);
        // The last of theirs is (1, 0), without a threshold.
        assert_eq!(curve.len() + 1, theirs["precision"].as_array().unwrap().len());
        for (k, point) in curve.iter().enumerate() {
            off.close(format!("{name} precision {k}"), point.precision, number(&theirs["precision"][k]), 1e-12, 0.0);
            off.close(format!("{name} recall {k}"), point.recall, number(&theirs["recall"][k]), 1e-12, 0.0);
            off.close(format!("{name} threshold {k}"), point.threshold, number(&theirs["threshold"][k]), 1e-12, 0.0);
        }
    }
    let theirs = &reference["net_benefit"];
    let thresholds = list(&theirs["thresholds"]);
    let (event, first) = of_set(&table, "test", "p1");
    let second = of_set(&table, "test", "p2").1;
    let (params, job) = (Params { replicates: 4000 }, Job::unwatched());
    let mut check = |name: &str, ours: Vec<decision::Uncertain>, [value, se, ci]: [&Value; 3]| {
        for (k, ours) in ours.iter().enumerate() {
            let name = format!("{name} at {}", ours.threshold);
            off.close(&name, ours.value, number(&value[k]), 1e-12, 1e-15);
            off.close(format!("{name}, se"), ours.se, number(&se[k]), 1e-12, 1e-15);
            // NumPy's limits of 40,000 resamples: ours of 4,000 have a Monte Carlo error of 0.042 standard errors of the
            // net benefit where that is normal; bound 4 of it.
            for (limit, theirs) in ours.ci.into_iter().zip(list(&ci[k])) {
                off.close(format!("{name}, limit"), limit, theirs, 0.0, 0.17 * ours.se);
            }
        }
    };
    for (name, p) in [("p1", &first), ("p2", &second)] {
        let ours = decision::benefits(&event, p, &thresholds, &params, Seed(3), &job).unwrap();
        check(name, ours, ["dcurves", "se", "ci"].map(|key| &theirs[name][key]));
    }
    let ours = decision::differences(&event, [&first, &second], &thresholds, &params, Seed(3), &job).unwrap();
    check("difference", ours, ["difference", "difference_se", "difference_ci"].map(|key| &theirs[key]));
    let learnt = of_set(&table, "training", "p1");
    for theirs in reference["operating"].as_array().unwrap() {
        let wanted = number(&theirs["sensitivity"]);
        let point = roc::reaching(&roc::curve(&learnt.1, &learnt.0), Wanted::Sensitivity(wanted)).unwrap();
        off.close(format!("threshold of {wanted}"), point.threshold, number(&theirs["threshold"]), 1e-12, 0.0);
        let called = roc::confusion(&first, &event, point.threshold);
        off.same(format!("hits at {wanted}"), called.tp, theirs["hits"].as_u64().unwrap() as usize);
        off.same(format!("quiet at {wanted}"), called.tn, theirs["quiet"].as_u64().unwrap() as usize);
        let ours = wilson(called.tp, called.tp + called.fn_).unwrap();
        (0..2).for_each(|k| off.close(format!("limit {k} at {wanted}"), ours[k], number(&theirs["ci"][k]), 1e-10, 0.0));
    }
    off.finish(300);
}

#[test]
fn areas_by_bootstrap_are_within_chance_of_proc() {
    let (table, reference) = (patients(), json(&fixture("statistics/evidence_r.json")));
    let (event, first) = of_set(&table, "test", "p1");
    let second = of_set(&table, "test", "p2").1;
    let theirs = &reference["roc"];
    let (a, b) = (AucOfRows::new(&first, &event), AucOfRows::new(&second, &event));
    let (params, job) = (Params { replicates: 20_000 }, Job::unwatched());
    let ours = bootstrap::area_difference(&a, &b, &params, Seed(11), &job).unwrap().unwrap();
    let mut off = Comparison::default();
    // Two standard deviations from 20,000 resamples each: relative error of either 0.5 %, of both 0.7 %; bound 3 of it.
    off.close("D", ours.z, number(&theirs["boot_d"]), 0.021, 0.0);
    let delong = roc::paired(&roc::auc(&first, &event).unwrap(), &roc::auc(&second, &event).unwrap()).unwrap();
    off.close("DeLong's z", delong.z.unwrap(), number(&theirs["delong_z"]), 1e-10, 0.0);
    let at = list(&theirs["specificity"]);
    let band = roc_band::band(&first, &event, &at, &params, Seed(11), &job).unwrap();
    for (k, limits) in band.iter().enumerate() {
        // A sensitivity of 46 events has steps of 1/46: limits may be one apart.
        off.close(format!("low at {}", at[k]), limits.low, number(&theirs["low"][k]), 0.0, 1.0 / 46.0 + 1e-9);
        off.close(format!("high at {}", at[k]), limits.high, number(&theirs["high"][k]), 0.0, 1.0 / 46.0 + 1e-9);
    }
    off.finish(10);
}

/// Training rows that are complete in the variables of the models, and the event.
fn training(terms: &[&str]) -> (Encoded, Vec<bool>) {
    let whole = patients();
    let inside = "set=training".parse::<osteon_stats::table::event::Event>().unwrap().of(&whole).unwrap();
    let complete = ["age", "marker", "dose", "stage", "sex", "volume"];
    let holes = |row: usize| complete.iter().any(|name| whole.column(name).unwrap().values.is_hole(row));
    let rows: Vec<usize> = (0..inside.len()).filter(|&row| inside[row] == Some(true) && !holes(row)).collect();
    let mut table = whole.select(&rows);
    let logged = table.numbers("marker").unwrap().iter().map(|it| it.map(f64::ln)).collect();
    let mut columns = table.columns().to_vec();
    columns.push(osteon_stats::table::Column {
        name: "lmarker".into(),
        values: osteon_stats::table::Values::Numbers(logged),
    });
    table = Table::new(table.rows().to_vec(), columns).unwrap();
    let event: Vec<bool> = table.numbers("y").unwrap().iter().map(|y| *y == Some(1.0)).collect();
    let known: Vec<Option<bool>> = event.iter().map(|&event| Some(event)).collect();
    (encode(&table, terms, &[], &known).unwrap(), event)
}

#[test]
fn splines_and_products_are_those_of_rms() {
    let reference = json(&fixture("statistics/evidence_r.json"));
    let mut off = Comparison::default();
    let theirs = &reference["spline"];
    let (encoded, event) = training(&["age", "dose", "stage"]);
    let splines = vec![("age".to_owned(), 4), ("dose".to_owned(), 3)];
    let expanded = expand(&encoded, &Expansion { splines, interactions: Vec::new() }).unwrap();
    let design = &expanded.encoded.design;
    assert_eq!(design.columns, ["age", "age'", "age''", "dose", "dose'", "stageII", "stageIII"]);
    for (k, key) in ["knots_age", "knots_dose"].iter().enumerate() {
        for (ours, theirs) in expanded.splines[k].1.iter().zip(list(&theirs[*key])) {
            off.close(*key, *ours, theirs, 1e-12, 0.0);
        }
    }
    let fit = logistic::fit(design, &event, &logistic::Params::default()).unwrap();
    for (k, term) in fit.terms.iter().enumerate() {
        off.close(&term.name, term.estimate.unwrap(), number(&theirs["coef"][k]), 1e-8, 1e-10);
        off.close(format!("{} se", term.name), term.se.unwrap(), number(&theirs["se"][k]), 1e-8, 1e-10);
    }
    let mut wald_of = |name: &str, columns: std::ops::Range<usize>, place: usize| {
        let (ours, theirs) = (wald(&fit, columns).unwrap(), &theirs["wald"][place]);
        off.close(name, ours.statistic, number(&theirs["chi2"]), 1e-7, 0.0);
        off.close(format!("{name} p"), ours.p, number(&theirs["p"]), 1e-7, 0.0);
    };
    wald_of("age", 0..3, 0);
    wald_of("age, nonlinear", expanded.splines[0].2.clone(), 1);
    wald_of("dose", 3..5, 2);
    wald_of("dose, nonlinear", expanded.splines[1].2.clone(), 3);
    wald_of("stage", 5..7, 4);
    wald_of("all", 0..7, 6);
    for (key, columns) in [("lr_nonlinear_age", 1..3), ("lr_age", 0..3)] {
        let ours = likelihood_ratio(&fit, design, &event, columns).unwrap();
        off.close(key, ours.statistic, number(&theirs[key]["chi2"]), 1e-8, 0.0);
        off.close(format!("{key} p"), ours.p, number(&theirs[key]["p"]), 1e-8, 0.0);
    }
    let theirs = &reference["interaction"];
    let (encoded, event) = training(&["age", "stage", "sex"]);
    let by = Expansion { splines: Vec::new(), interactions: vec![["age".to_owned(), "stage".to_owned()]] };
    let design = expand(&encoded, &by).unwrap().encoded.design;
    let fit = logistic::fit(&design, &event, &logistic::Params::default()).unwrap();
    for (k, term) in fit.terms.iter().enumerate() {
        off.same(format!("name {k}"), term.name.as_str(), theirs["names"][k].as_str().unwrap());
        off.close(&term.name, term.estimate.unwrap(), number(&theirs["coef"][k]), 1e-8, 1e-10);
        off.close(format!("{} se", term.name), term.se.unwrap(), number(&theirs["se"][k]), 1e-8, 1e-10);
    }
    let ours = likelihood_ratio(&fit, &design, &event, 4..6).unwrap();
    off.close("age:stage", ours.statistic, number(&theirs["lr"]["chi2"]), 1e-8, 0.0);
    let table = patients();
    let column = |name: &str| table.numbers(name).unwrap().iter().flatten().copied().collect::<Vec<f64>>();
    let (dose, volume) = (table.numbers("dose").unwrap(), table.numbers("volume").unwrap());
    let spike =
        dose.iter().zip(volume).filter_map(|(dose, volume)| if *dose == Some(0.0) { Some(0.0) } else { *volume });
    let cases = [
        ("volume", column("volume")),
        ("dose", column("dose")),
        ("small", column("age")[..40].to_vec()),
        ("score", column("score")),
        ("spike", spike.collect()),
    ];
    for (name, x) in cases {
        for (k, theirs) in reference["knots"][name].as_array().unwrap().iter().enumerate() {
            let ours = spline::knots(&x, k + 3).unwrap();
            off.same(format!("{name}, number of {} knots", k + 3), ours.len(), theirs.as_array().unwrap().len());
            for (ours, theirs) in ours.iter().zip(list(theirs)) {
                off.close(format!("{name}, {} knots", k + 3), *ours, theirs, 1e-12, 1e-12);
            }
        }
    }
    let theirs = &reference["basis"];
    let knots = list(&theirs["knots"]);
    for (k, x) in list(&theirs["x"]).into_iter().enumerate() {
        for (j, ours) in spline::basis(x, &knots).into_iter().enumerate() {
            off.close(format!("basis {j} at {x}"), ours, number(&theirs["values"][k][j]), 1e-10, 1e-10);
        }
    }
    off.finish(150);
}

#[test]
fn penalised_and_shrunken_estimates_are_those_of_rms() {
    let reference = json(&fixture("statistics/evidence_r.json"));
    let mut off = Comparison::default();
    let terms = ["age", "lmarker", "stage", "sex", "volume"];
    let (encoded, event) = training(&terms);
    let design = &encoded.design;
    let levels: Vec<_> =
        encoded.variables.iter().filter(|it| it.reference.is_some()).map(|it| it.columns.clone()).collect();
    for theirs in reference["penalty"].as_array().unwrap() {
        let penalty = number(&theirs["penalty"]);
        let ours = ridge::ridge(design, &event, &levels, penalty).unwrap();
        for (k, term) in ours.fit.terms.iter().enumerate() {
            let name = format!("{} at {penalty}", term.name);
            off.close(&name, term.estimate.unwrap(), number(&theirs["coef"][k]), 1e-8, 1e-10);
            off.close(format!("{name}, se"), term.se.unwrap(), number(&theirs["se"][k]), 1e-8, 1e-10);
        }
        off.close(format!("df at {penalty}"), ours.df, number(&theirs["df"]), 1e-8, 0.0);
        off.close(format!("chi2 at {penalty}"), ours.chi2, number(&theirs["chi2"]), 1e-8, 0.0);
    }
    let theirs = &reference["pentrace"];
    for (k, penalty) in list(&theirs["penalty"]).into_iter().enumerate() {
        let ours = ridge::ridge(design, &event, &levels, penalty).unwrap();
        off.close(format!("aicc at {penalty}"), ours.aicc(), number(&theirs["aicc"][k]), 1e-8, 0.0);
    }
    off.close(
        "chosen",
        ridge::ridge_by_aicc(design, &event, &levels).unwrap().penalty,
        number(&theirs["best"]),
        0.0,
        0.0,
    );
    let fit = logistic::fit(design, &event, &logistic::Params::default()).unwrap();
    let theirs = &reference["shrinkage"];
    let factor = sample_size::heuristic_shrinkage(fit.model_chi2(), fit.df());
    off.close("heuristic", factor, number(&theirs["heuristic"]), 1e-8, 0.0);
    let shrunken = ridge::shrink(&fit, design, &event, factor).unwrap();
    off.close("intercept", shrunken.intercept, number(&theirs["intercept"]), 1e-8, 0.0);
    for (k, slope) in shrunken.slopes.iter().enumerate() {
        off.close(&design.columns[k], slope.unwrap(), number(&theirs["slopes"][k]), 1e-8, 0.0);
    }
    for (variable, theirs) in encoded.variables.iter().zip(reference["drop_one"].as_array().unwrap()) {
        let ours = likelihood_ratio(&fit, design, &event, variable.columns.clone()).unwrap();
        off.close(&variable.name, ours.statistic, number(&theirs["chi2"]), 1e-8, 0.0);
        off.close(format!("{} p", variable.name), ours.p, number(&theirs["p"]), 1e-7, 0.0);
    }
    off.finish(70);
}

#[test]
fn adjusted_values_differences_and_missing_values_are_those_of_r_and_statsmodels() {
    let reference = json(&fixture("statistics/evidence_r.json"));
    let mut off = Comparison::default();
    let theirs = &reference["adjust"];
    let mut p: Vec<Option<f64>> = list(&theirs["p"]).into_iter().map(Some).collect();
    // A test that could not be made changes no other value.
    p.insert(3, None);
    for how in [Adjustment::Holm, Adjustment::Bh] {
        let ours: Vec<f64> = adjust(&p, how).into_iter().flatten().collect();
        let theirs = list(&theirs[how.key()]);
        assert_eq!(ours.len(), theirs.len());
        for (k, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
            off.close(format!("{} {k}", how.key()), ours, theirs, 1e-12, 0.0);
        }
    }
    let table = patients();
    let y = table.numbers("y").unwrap();
    let of = |class: f64| -> Vec<f64> {
        let age = table.numbers("age").unwrap();
        (0..y.len()).filter(|&row| y[row] == Some(class)).filter_map(|row| age[row]).collect()
    };
    let theirs = &reference["difference"];
    for (key, variances) in [("welch", Variances::Separate), ("pooled", Variances::Pooled)] {
        let ours = difference::means(&of(0.0), &of(1.0), variances).unwrap();
        off.close("difference of means", ours.estimate, number(&theirs["mean"]), 1e-10, 0.0);
        off.close(format!("{key} low"), ours.low, number(&theirs[key][0]), 1e-9, 0.0);
        off.close(format!("{key} high"), ours.high, number(&theirs[key][1]), 1e-9, 0.0);
    }
    for theirs in json(&fixture("statistics/evidence_py.json"))["newcombe"].as_array().unwrap() {
        let counts: Vec<usize> = list(&theirs["counts"]).into_iter().map(|it| it as usize).collect();
        let ours = difference::shares((counts[0], counts[1]), (counts[2], counts[3])).unwrap();
        off.close(format!("{counts:?} low"), ours.low, number(&theirs["ci"][0]), 1e-9, 1e-12);
        off.close(format!("{counts:?} high"), ours.high, number(&theirs["ci"][1]), 1e-9, 1e-12);
    }
    let theirs = &reference["missing"];
    let ours = missing(&table, &["age", "marker", "stage", "volume"]).unwrap();
    for (k, (name, n)) in ours.variables.iter().enumerate() {
        off.same(format!("missing {name}"), *n as f64, number(&theirs["counts"][k]));
    }
    // Both lists by pattern: the order of equally frequent ones is nobody's.
    let mut known: Vec<(Vec<bool>, f64)> = ours.patterns.iter().map(|it| (it.known.clone(), it.rows as f64)).collect();
    let rows = theirs["known"].as_array().unwrap().iter().zip(list(&theirs["n"]));
    let mut expected: Vec<(Vec<bool>, f64)> =
        rows.map(|(known, n)| (list(known).into_iter().map(|it| it == 1.0).collect(), n)).collect();
    known.sort_by(|a, b| a.0.cmp(&b.0));
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    off.same("patterns", known, expected);
    assert_eq!(ours.complete(), 196);
    off.finish(35);
}

#[test]
fn sample_sizes_are_those_of_pmsampsize_and_pmvalsampsize() {
    let reference = json(&fixture("statistics/samplesize.json"));
    let mut off = Comparison::default();
    for theirs in reference["development"].as_array().unwrap() {
        let parameters = theirs["parameters"].as_u64().unwrap() as usize;
        let of = |key: &str| number(&theirs[key]);
        let ours = sample_size::sample_size(parameters, of("prevalence"), of("r2"), of("shrinkage"));
        let name = format!("{parameters} parameters");
        for (k, ours) in [ours.for_shrinkage, ours.for_optimism, ours.for_risk].into_iter().enumerate() {
            off.same(format!("{name}, criterion {}", k + 1), ours as f64, number(&theirs["n"][k]));
        }
        off.same(format!("{name}, error"), ours.for_error as f64, of("mape"));
        off.same(format!("{name}, all"), ours.n as f64, of("total"));
    }
    for theirs in reference["validation"].as_array().unwrap() {
        let of = |key: &str, usual: f64| theirs[key].as_f64().unwrap_or(usual);
        let pair = |key: &str| theirs[key].as_array().map(|pair| [number(&pair[0]), number(&pair[1])]);
        let predictor = match (pair("lpnormal"), pair("lpbeta")) {
            (Some([mean, sd]), _) => Predictor::Normal { mean, sd },
            (_, Some([a, b])) => Predictor::Beta { a, b },
            _ => Predictor::OfAuc,
        };
        let expected = Expected {
            prevalence: of("prevalence", 0.0),
            auc: of("cstatistic", 0.0),
            predictor,
            oe: 1.0,
            oe_width: of("oeciwidth", 0.2),
            slope_width: of("csciwidth", 0.2),
            auc_width: of("cstatciwidth", 0.1),
            net_benefit: theirs["threshold"].as_f64().map(|threshold| (threshold, 0.2)),
            operating_point: None,
        };
        let ours = external(&expected);
        let row = |k: usize| theirs["rows"][k][1].as_str().unwrap().parse::<f64>().unwrap();
        let name = format!("{predictor:?}");
        off.same(format!("{name}, O/E"), ours.for_oe as f64, row(0));
        // Theirs is the mean over 4,000,000 draws: 0.2 %.
        off.close(format!("{name}, slope"), ours.for_slope as f64, row(1), 2e-3, 1.0);
        off.same(format!("{name}, AUC"), ours.for_auc as f64, row(2));
        if let Some([sensitivity, specificity]) = ours.operating_point {
            off.close("sensitivity", sensitivity, of("sensitivity", 0.0), 0.0, 1.5e-3);
            off.close("specificity", specificity, of("specificity", 0.0), 0.0, 1.5e-3);
            let point = Some([of("sensitivity", 0.0), of("specificity", 0.0)]);
            let ours = external(&Expected { operating_point: point, ..expected });
            off.same(format!("{name}, net benefit"), ours.for_net_benefit.unwrap() as f64, row(3));
        }
    }
    for theirs in reference["power"].as_array().unwrap() {
        let (auc, n) = (list(&theirs["auc"]), list(&theirs["n"]));
        let (m, k) = (n[0] as usize, n[1] as usize);
        let ours = sample_size::power_of_auc_difference(auc[0], auc[1], number(&theirs["correlation"]), m, k);
        off.close(format!("power of {auc:?}"), ours, number(&theirs["power"]), 1e-10, 0.0);
    }
    off.finish(36);
}

#[test]
fn left_out_pairs_and_632_plus_are_those_of_plain_loops() {
    let theirs = json(&fixture("statistics/refits.json"));
    let event: Vec<bool> = theirs["event"].as_array().unwrap().iter().map(|it| it.as_bool().unwrap()).collect();
    let of = |(rows, scores): (&Value, &Value)| Refit {
        rows: list(rows).into_iter().map(|row| row as usize).collect(),
        scores: list(scores).into_iter().map(Some).collect(),
    };
    let both = theirs["rows"].as_array().unwrap().iter().zip(theirs["scores"].as_array().unwrap());
    let found = refits::out_of_bag(&event, &both.map(of).collect::<Vec<_>>()).unwrap();
    let mut off = Comparison::default();
    off.close("AUC", found.auc, number(&theirs["auc"]), 1e-12, 0.0);
    off.close("SE", found.se, number(&theirs["se"]), 1e-10, 0.0);
    off.close("Monte Carlo error", found.monte_carlo, number(&theirs["monte_carlo"]), 1e-10, 0.0);
    off.close("pairs", found.pairs, number(&theirs["pairs"]), 1e-12, 0.0);
    let point = refits::point_632_plus(number(&theirs["apparent"]), found.auc, 0.5);
    off.close(".632+", point, number(&theirs["point_632_plus"]), 1e-12, 0.0);
    // Nothing overfits, nothing is mixed away: an AUC of chance stays one.
    off.close("no overfitting", refits::point_632_plus(0.5, 0.5, 0.5), 0.5, 0.0, 0.0);
    off.close("all overfitting", refits::point_632_plus(1.0, 0.4, 0.5), 0.5, 0.0, 1e-12);
    // One repeat of five folds: DeLong's variance times 1 + 5 / 4.
    let table = patients();
    let (event, p) = of_set(&table, "test", "p1");
    let held: Vec<Option<f64>> = p.iter().copied().map(Some).collect();
    let one = repeated::cross_validated(&event, std::slice::from_ref(&held), 5).unwrap();
    let delong = roc::auc(&p, &event).unwrap();
    off.close("one repeat", one.se, 1.5 * delong.se().unwrap(), 1e-12, 0.0);
    let ten = repeated::cross_validated(&event, &vec![held; 10], 5).unwrap();
    off.close("ten repeats", ten.se, (0.1_f64 + 1.25).sqrt() * delong.se().unwrap(), 1e-12, 0.0);
    off.close("ten equal repeats", ten.monte_carlo, 0.0, 0.0, 1e-15);
    off.finish(10);
}
