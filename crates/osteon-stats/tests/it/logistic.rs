//! Logistic regression against R 4.2.2 (glm, MASS, brglm2): `logistic/` of the statistics references.

use osteon_stats::model::logistic::{self, Fit, Grouping, Method, Params, Warning};
use osteon_stats::table::encode::{Encoded, encode};
use osteon_stats::table::event::Event;
use osteon_stats::table::{Table, read};
use serde_json::Value;

use osteon_testing::{Comparison, fixture, shared};

const SETS: [(&str, &str, &[&str]); 5] = [
    ("cohort", "necrosis_pct<90", &[]),
    ("birthwt", "low=1", &[]),
    ("aSAH", "outcome=Poor", &["wfns"]),
    ("breast_cancer", "malignant=1", &[]),
    ("titanic", "Survived=Yes", &[]),
];

fn table(set: &str, categorical: &[&str]) -> Option<Table> {
    let path = match set {
        "cohort" => fixture("cohort.csv"),
        set => shared(&format!("reference/statistics/data/{set}.csv"))?,
    };
    let bytes = std::fs::read(path).unwrap();
    let categorical: Vec<String> = categorical.iter().map(|&name| name.to_owned()).collect();
    Some(read::csv(&bytes, &categorical).unwrap().table)
}

fn json(path: &str) -> Option<Value> {
    let path = match path {
        "logistic_cohort.json" => fixture("statistics/logistic_cohort.json"),
        path => shared(&format!("reference/statistics/logistic/{path}"))?,
    };
    let text = std::fs::read_to_string(path).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

/// The model of the named variables: design, event and fit.
fn model(table: &Table, event: &str, names: &[&str], references: &Value, method: Method) -> (Encoded, Vec<bool>, Fit) {
    let event = event.parse::<Event>().unwrap().of(table).unwrap();
    let references: Vec<(&str, &str)> = references
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, level)| (name.as_str(), level.as_str().unwrap()))
        .collect();
    let encoded = encode(table, names, &references, &event).unwrap();
    let event: Vec<bool> = encoded.kept.iter().map(|&row| event[row].unwrap()).collect();
    let fit = logistic::fit(&encoded.design, &event, &Params { method, ..Params::default() }).unwrap();
    (encoded, event, fit)
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn every_reference_model_is_met() {
    let mut comparison = Comparison::default();
    for (set, event, categorical) in SETS {
        let (Some(table), Some(reference)) = (table(set, categorical), json(&format!("logistic_{set}.json"))) else {
            return;
        };
        for kind in ["univariate", "multivariable"] {
            for (model_name, expected) in reference[kind].as_object().unwrap() {
                let Some(rows) = rows(&table, model_name) else { continue };
                let terms = names(&expected["terms"]);
                let (encoded, event, fit) = model(
                    &table.select(&rows),
                    event,
                    &terms,
                    &reference["reference_levels"],
                    Method::MaximumLikelihood,
                );
                check_model(&mut comparison, &format!("{set} {model_name}"), &encoded, &event, &fit, expected);
            }
        }
    }
    // The cohort alone is about 800.
    comparison.finish(500);
}

#[test]
fn profile_limits_are_the_roots_themselves() {
    let table = table("cohort", &[]).unwrap();
    let references = serde_json::json!({"location": "other", "pathological_fracture": "no"});
    let mut comparison = Comparison::default();
    let mut reader = csv::Reader::from_path(fixture("statistics/profile.csv")).unwrap();
    for record in reader.records().map(Result::unwrap) {
        let mut variables: Vec<&str> = record[0].split(',').collect();
        variables.sort_unstable();
        let references = keep(&references, &variables);
        let (encoded, event, fit) =
            model(&table, "necrosis_pct<90", &variables, &references, Method::MaximumLikelihood);
        let at = fit.terms.iter().position(|term| term.name == record[1]).unwrap();
        let profile = logistic::profile(&fit, &encoded.design, &event)[at].unwrap();
        let ours = [fit.terms[at].estimate.unwrap(), fit.terms[at].se.unwrap(), profile.low, profile.high];
        for (ours, column) in ours.into_iter().zip(2..) {
            let theirs = record[column].parse().unwrap();
            comparison.close(format!("{} {} {column}", &record[0], &record[1]), ours, theirs, 1e-8, 1e-12);
        }
    }
    comparison.finish(32);
}

/// The references of the named variables.
fn keep(references: &Value, variables: &[&str]) -> Value {
    let kept = references.as_object().into_iter().flatten().filter(|(name, _)| variables.contains(&name.as_str()));
    kept.map(|(name, level)| (name.clone(), level.clone())).collect::<serde_json::Map<_, _>>().into()
}

/// The rows that a model of the references was fitted to; `None` where it takes scores of another file.
fn rows(table: &Table, model: &str) -> Option<Vec<usize>> {
    let stratum = match model {
        "final_train" => "train",
        "final_test" => "test",
        "combined_train" | "final_altsplit_train74" => return None,
        _ => return Some((0..table.rows().len()).collect()),
    };
    let inside = format!("split={stratum}").parse::<Event>().unwrap().of(table).unwrap();
    Some((0..inside.len()).filter(|&row| inside[row] == Some(true)).collect())
}

fn names(terms: &Value) -> Vec<&str> {
    match terms {
        Value::Array(terms) => terms.iter().map(|term| term.as_str().unwrap()).collect(),
        term => vec![term.as_str().unwrap()],
    }
}

fn check_model(
    comparison: &mut Comparison,
    name: &str,
    encoded: &Encoded,
    event: &[bool],
    fit: &Fit,
    expected: &Value,
) {
    let mut close = |key: String, ours: Option<f64>, theirs: &Value, relative: f64, absolute: f64| {
        let Some(theirs) = theirs.as_f64() else { return };
        comparison.close(format!("{name} {key}"), ours.unwrap_or(f64::NAN), theirs, relative, absolute);
    };
    let profiles = logistic::profile(fit, &encoded.design, event);
    for (at, expected) in expected["coefficients"].as_array().unwrap().iter().enumerate() {
        let label = expected["term"].as_str().unwrap();
        let term = &fit.terms[at];
        assert_eq!(term.name, label, "{name}");
        let se = expected["se"].as_f64().unwrap();
        close(format!("{label} estimate"), term.estimate, &expected["estimate"], 1e-8, 1e-8 * se);
        // glm takes the weights of the iteration before its last: its SEs are off by up to 1e-7.
        close(format!("{label} se"), term.se, &expected["se"], 1e-6, 0.0);
        close(format!("{label} z"), term.z(), &expected["z"], 1e-6, 1e-8);
        close(format!("{label} p"), term.p(), &expected["p_wald"], 1e-5, 0.0);
        close(format!("{label} or"), term.odds_ratio(), &expected["or"], 1e-7, 0.0);
        let wald = term.odds_ratio_wald();
        close(format!("{label} wald low"), wald.map(|ci| ci[0]), &expected["or_lo_wald"], 1e-6, 0.0);
        close(format!("{label} wald high"), wald.map(|ci| ci[1]), &expected["or_hi_wald"], 1e-6, 0.0);
        // R interpolates the profile by a spline: its limits are good to 1e-4 and a thousandth of an SE.
        for (side, key) in [(0, "or_lo_profile"), (1, "or_hi_profile")] {
            let ours = profiles[at].map(|profile| [profile.low, profile.high][side]);
            let theirs = expected[key].as_f64().map(f64::ln).into();
            close(format!("{label} ln {key}"), ours, &theirs, 0.0, 1e-4 + 1e-3 * se);
        }
    }
    close("loglik".into(), Some(fit.log_likelihood), &expected["loglik"], 1e-10, 1e-10);
    close("loglik_null".into(), Some(fit.null_log_likelihood), &expected["loglik_null"], 1e-10, 0.0);
    close("cox_snell".into(), fit.cox_snell_r2(), &expected["cox_snell_r2"], 1e-8, 1e-13);
    close("nagelkerke".into(), fit.nagelkerke_r2(), &expected["nagelkerke_r2"], 1e-8, 1e-13);
    for (variable, expected) in encoded.variables.iter().zip(expected["lr_tests"].as_array().unwrap()) {
        let test = logistic::likelihood_ratio(fit, &encoded.design, event, variable.columns.clone());
        let label = &variable.name;
        close(format!("{label} lr"), test.map(|test| test.statistic), &expected["lr_chi2"], 1e-8, 1e-11);
        close(format!("{label} lr p"), test.map(|test| test.p), &expected["p_lr"], 1e-8, 0.0);
    }
    let groups: Vec<_> = encoded.variables.iter().map(|variable| variable.columns.clone()).collect();
    for (variable, vif) in encoded.variables.iter().zip(logistic::variance_inflation(&encoded.design, &groups)) {
        close(format!("{} vif", variable.name), vif, &expected["vif"][&variable.name], 1e-8, 0.0);
    }
    let groupings = [
        (Grouping::Spss, "hosmer_lemeshow_spss_sas"),
        (Grouping::Quantile, "hosmer_lemeshow_quantile_type7"),
        (Grouping::Rank, "hosmer_lemeshow_equal_rank"),
    ];
    for (grouping, key) in groupings {
        let test = logistic::hosmer_lemeshow(event, &fit.probabilities, grouping, 10);
        close(format!("{key} chisq"), test.map(|test| test.statistic), &expected[key]["chisq"], 1e-6, 1e-9);
        if expected[key]["df"].as_f64() > Some(0.0) {
            close(format!("{key} df"), test.map(|test| test.df as f64), &expected[key]["df"], 0.0, 0.0);
            close(format!("{key} p"), test.and_then(|test| test.p), &expected[key]["p"], 1e-6, 0.0);
        }
    }
}

/// Name in the reference, data set, event, variables, categorical columns.
const FIRTH: [(&str, &str, &str, &[&str]); 8] = [
    ("complete", "sep_complete", "y=1", &["x"]),
    ("complete_two_vars", "sep_complete", "y=1", &["x", "z"]),
    ("quasi_continuous", "sep_quasi_cont", "y=1", &["x"]),
    ("quasi_categorical", "sep_quasi_cat", "y=1", &["marker", "age"]),
    ("endometrial", "endometrial", "HG=1", &["NV", "PI", "EH"]),
    ("cohort_test_lung_metastasis_zero_cell", "cohort", "necrosis_pct<90", &["lung_metastasis"]),
    ("cohort_final_firth", "cohort", "necrosis_pct<90", &["alp", "pathological_fracture"]),
    ("birthwt_firth", "birthwt", "low=1", &["lwt", "race", "smoke", "ht"]),
];

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn firths_likelihood_meets_brglm2_and_its_profile() {
    let Some(reference) = json("separation_firth.json") else { return };
    let references = serde_json::json!({"lung_metastasis": "yes", "race": "white"});
    let mut comparison = Comparison::default();
    for (name, set, event, variables) in FIRTH {
        let Some(mut table) = table(set, &[]) else { return };
        if name.contains("_test_") {
            table = table.select(&rows(&table, "final_test").unwrap());
        }
        let (encoded, event, fit) = model(&table, event, variables, &references, Method::Firth);
        let profiles = logistic::profile(&fit, &encoded.design, &event);
        let expected = reference[name].get("firth").unwrap_or(&reference[name]);
        let mut close = |key: String, ours: Option<f64>, theirs: &Value, relative: f64| {
            comparison.close(
                format!("{name} {key}"),
                ours.unwrap_or(f64::NAN),
                theirs.as_f64().unwrap(),
                relative,
                1e-12,
            );
        };
        for (at, expected) in expected["coefficients"].as_array().unwrap().iter().enumerate() {
            let label = expected["term"].as_str().unwrap();
            let (term, profile) = (&fit.terms[at], profiles[at].unwrap());
            assert_eq!(term.name, label, "{name}");
            close(format!("{label} estimate"), term.estimate, &expected["estimate"], 1e-8);
            close(format!("{label} se"), term.se, &expected["se_info_W"], 1e-8);
            close(format!("{label} lr"), Some(profile.test.statistic), &expected["plr_chi2"], 1e-8);
            close(format!("{label} lr p"), Some(profile.test.p), &expected["plr_p"], 1e-8);
            close(format!("{label} low"), Some(profile.low.exp()), &expected["or_lo_profile"], 1e-6);
            close(format!("{label} high"), Some(profile.high.exp()), &expected["or_hi_profile"], 1e-6);
        }
        close("penalized".into(), Some(fit.log_likelihood), &expected["penalized_loglik"], 1e-9);
        close(
            "penalized null".into(),
            Some(fit.null_log_likelihood),
            &expected["penalized_loglik_intercept_only"],
            1e-9,
        );
    }
    comparison.finish(150);
}

/// The separated terms with their signs, of a maximum-likelihood fit.
fn separated(set: &str, event: &str, variables: &[&str], rows_of: &str) -> Option<(bool, String, Fit)> {
    let table = table(set, &[])?;
    let table = table.select(&rows(&table, rows_of)?);
    let references = serde_json::json!({"lung_metastasis": "yes"});
    let references = if set == "cohort" { references } else { Value::Null };
    let (.., fit) = model(&table, event, variables, &references, Method::MaximumLikelihood);
    let found = fit.warnings.iter().find_map(|warning| match warning {
        Warning::Separation { complete, terms } => Some((*complete, terms.clone())),
        _ => None,
    });
    let (complete, terms) = found.unwrap_or((false, Vec::new()));
    let text: Vec<String> =
        terms.iter().map(|term| format!("{}{}", if term.positive { '+' } else { '-' }, term.term)).collect();
    Some((complete, text.join(" "), fit))
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn separation_is_named_with_its_direction_and_what_overlaps_is_still_estimated() {
    let Some((complete, terms, fit)) = separated("sep_complete", "y=1", &["x"], "all") else { return };
    assert_eq!((complete, terms.as_str()), (true, "+x -(Intercept)"));
    assert_eq!((fit.terms[1].estimate, fit.terms[1].se), (Some(f64::INFINITY), None));
    assert_eq!(fit.log_likelihood, 0.0);
    let (complete, terms, _) = separated("sep_quasi_cont", "y=1", &["x"], "all").unwrap();
    assert_eq!((complete, terms.as_str()), (false, "+x -(Intercept)"));
    let (complete, terms, _) = separated("endometrial", "HG=1", &["NV", "PI", "EH"], "all").unwrap();
    assert_eq!((complete, terms.as_str()), (false, "+NV"));
    let (complete, terms, _) = separated("cohort", "necrosis_pct<90", &["lung_metastasis"], "final_test").unwrap();
    assert_eq!((complete, terms.as_str()), (false, "+lung_metastasisno -(Intercept)"));
    let (complete, terms, fit) = separated("sep_quasi_cat", "y=1", &["marker", "age"], "all").unwrap();
    assert_eq!((complete, terms.as_str()), (false, "+markerpos"));
    // glm stops at its tolerance of 1e-8 on the deviance.
    let reference = json("separation_firth.json").unwrap();
    let glm = &reference["quasi_categorical"]["glm"];
    let mut comparison = Comparison::default();
    for name in ["(Intercept)", "age"] {
        let term = fit.term(name).unwrap();
        comparison.close(name, term.estimate.unwrap(), glm["coefficients"][name].as_f64().unwrap(), 1e-6, 0.0);
        comparison.close(name, term.se.unwrap(), glm["se"][name].as_f64().unwrap(), 1e-6, 0.0);
    }
    comparison.close("deviance", -2.0 * fit.log_likelihood, glm["deviance"].as_f64().unwrap(), 1e-6, 0.0);
    comparison.finish(5);
}

#[test]
fn a_separation_that_newtons_steps_never_reach_is_found() {
    // Those without the event are all of a and b, the larger x of c, and in d alone both outcomes meet at x = 0: the
    // slope falls to -infinity, c rises above it. x = 19 makes the information singular before that shows. SciPy's
    // linprog agrees: Σ margin = 8.16 over coefficients within ±1, no margin negative.
    let csv = "y,level,x\n0,c,18.981484296015896\n0,d,0\n0,b,0\n0,d,0.17885147576709823\n1,d,0\n1,c,0.27157671291795143\n0,a,0\n";
    let table = read::csv(csv.as_bytes(), &[]).unwrap().table;
    let references = serde_json::json!({"level": "d"});
    let (.., fit) = model(&table, "y=1", &["x", "level"], &references, Method::MaximumLikelihood);
    let Some(Warning::Separation { complete: false, terms }) = fit.warnings.first() else {
        panic!("{:?}", fit.warnings)
    };
    let signs: Vec<(&str, bool)> = terms.iter().map(|term| (term.term.as_str(), term.positive)).collect();
    assert_eq!(signs, [("x", false), ("levela", false), ("levelb", false), ("levelc", true)]);
    assert!(fit.term("(Intercept)").unwrap().estimate.unwrap().abs() < 1e-9, "one of two");
    assert!((fit.log_likelihood - 2.0 * 0.5_f64.ln()).abs() < 1e-12, "{}", fit.log_likelihood);
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn a_model_without_separation_is_not_suspected() {
    for (set, event, variables) in
        [("birthwt", "low=1", "lwt"), ("breast_cancer", "malignant=1", "mean_concave_points")]
    {
        let Some((_, terms, fit)) = separated(set, event, &[variables], "all") else { return };
        assert_eq!((terms.as_str(), fit.converged), ("", true), "{set}");
    }
}

#[test]
fn firths_fit_of_two_rows_converges_to_the_closed_form() {
    // Both leverages are 1, so p = (y + 1/2) / 2: the log odds are ∓ln 3.
    let table = read::csv(b"y,x\n0,1\n1,2\n", &[]).unwrap().table;
    let (.., fit) = model(&table, "y=1", &["x"], &Value::Null, Method::Firth);
    assert!(fit.converged);
    let estimates: Vec<f64> = fit.terms.iter().map(|term| term.estimate.unwrap()).collect();
    let ln_3 = 3.0_f64.ln();
    assert!((estimates[0] + 3.0 * ln_3).abs() < 1e-12 && (estimates[1] - 2.0 * ln_3).abs() < 1e-12, "{estimates:?}");
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn an_aliased_term_is_named_with_what_it_repeats() {
    let (Some(table), Some(reference)) = (table("rank_deficient", &[]), json("separation_firth.json")) else { return };
    let cases = [
        ("dup_scaled", vec!["age", "lwt", "lwt_kg"], "lwt_kg is a linear combination of lwt and was left out"),
        (
            "linear_combination",
            vec!["age", "lwt", "sum_al"],
            "sum_al is a linear combination of age, lwt and was left out",
        ),
        ("constant", vec!["age", "const"], "const is constant and was left out"),
    ];
    let mut comparison = Comparison::default();
    for (case, variables, warning) in cases {
        let (.., fit) = model(&table, "low=1", &variables, &Value::Null, Method::MaximumLikelihood);
        comparison.same(case, fit.warnings.iter().map(Warning::to_string).collect(), vec![warning.to_owned()]);
        for (name, theirs) in reference["rank_deficient"][case]["glm"]["coefficients"]
            .as_object()
            .or(reference["rank_deficient"][case]["coefficients"].as_object())
            .unwrap()
        {
            let ours = fit.term(name).unwrap().estimate;
            comparison.close(
                format!("{case} {name}"),
                ours.unwrap_or(f64::NAN),
                theirs.as_f64().unwrap_or(f64::NAN),
                1e-7,
                0.0,
            );
        }
    }
    comparison.finish(12);
}
