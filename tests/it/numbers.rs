//! What `describe`, `logistic`, `roc`, `evaluate`, `survival` and `km` refuse, leave out or say beside their numbers.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::run;

/// Exit code, results and messages of a command on a file of the given text.
fn on(text: &str, arguments: &[&str]) -> (i32, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("data.csv");
    std::fs::write(&path, text).unwrap();
    let mut all = vec![arguments[0], path.to_str().unwrap()];
    all.extend(&arguments[1..]);
    run(folder.path(), &all)
}

fn json(text: &str, arguments: &[&str]) -> Value {
    let (code, out, err) = on(text, &[arguments, &["--format", "json"]].concat());
    assert_eq!(code, 0, "{err}");
    serde_json::from_str(&out).unwrap()
}

/// All notes and warnings of a JSON, in one text.
fn said(json: &Value) -> String {
    let of = |sheet: &Value| ["notes", "warnings"].map(|key| sheet[key].to_string()).join(" ");
    json.as_array().map_or_else(|| of(json), |sheets| sheets.iter().map(of).collect::<Vec<_>>().join(" "))
}

fn refused(text: &str, arguments: &[&str], wanted: &str) {
    let (code, out, err) = on(text, arguments);
    assert!(code == 2 && out.is_empty() && err.contains(wanted), "{arguments:?}: {code} {err}");
}

/// 24 rows: g = a always has the event, g = b in part; z, two scores, time and status.
fn rows() -> String {
    let mut text = String::from("y,g,z,p,q,set,t,d\n");
    for at in 0..24 {
        let g = if at % 4 == 0 { "a" } else { "b" };
        let y = u8::from(g == "a" || at % 3 == 0);
        let z = f64::from(at * 7 % 11) / 10.0;
        let p = f64::from(1 + at * 5 % 23) / 25.0;
        let set = if at % 2 == 0 { "training" } else { "test" };
        text.push_str(&format!("{y},{g},{z},{p},{},{set},{},{}\n", 1.0 - p, 1 + at, at % 2));
    }
    text
}

#[test]
fn a_separation_says_what_is_true_of_the_rows() {
    let model = json(&rows(), &["logistic", "--event", "y=1", "--terms", "g,z"]);
    let warning = model["warnings"][0].as_str().unwrap();
    let expected = "quasi-complete separation: g = b goes to -infinity, (Intercept) goes to +infinity: all 6 rows with g = a \
                    have the event; Firth's penalized likelihood (--firth) gives finite estimates";
    assert_eq!(warning, expected);
    let divided: String = (0..10).map(|at| format!("{},{at},{}\n", u8::from(at > 4), at * 3 % 7)).collect();
    let model = json(&format!("y,x,z\n{divided}"), &["logistic", "--event", "y=1", "--terms", "x,z"]);
    let warnings = said(&model);
    assert!(warnings.contains("complete separation: x goes to +infinity"), "{warnings}");
    assert!(warnings.contains("rows with the event have x of 5 or above, the others of 4 or below"), "{warnings}");
    assert!(warnings.contains("z: undetermined, any coefficient fits as well"), "{warnings}");
    assert!(!warnings.contains("z goes to") && !warnings.contains("larger values"), "{warnings}");
    // Its odds ratio may be anything: no estimate, and from 0 to infinity, which JSON has no word for.
    assert_eq!((&model["terms"][2]["or"], &model["terms"][2]["lr_p"]), (&Value::Null, &1.0.into()));
    assert_eq!(model["terms"][2]["or_ci_profile"], serde_json::json!([0.0, null]));
}

#[test]
fn the_outcome_is_no_predictor_score_stratum_group_or_set() {
    let text = rows();
    let tells = "tells the outcome itself";
    refused(
        &text,
        &["logistic", "--event", "y=1", "--terms", "z,y"],
        "y tells the outcome itself and cannot be a term",
    );
    refused(&text, &["roc", "--event", "p>=0.5", "--score", "q,p"], "p tells the outcome itself and cannot be a score");
    refused(&text, &["evaluate", "--event", "y=1", "--score", "y"], tells);
    refused(&text, &["evaluate", "--event", "y=1", "--score", "p", "--by", "y"], tells);
    let time = ["--time", "t", "--event", "d=1"];
    for more in [["--terms", "t"], ["--terms", "d"]] {
        refused(&text, &[&["survival"], &time[..], &more].concat(), tells);
    }
    refused(&text, &[&["survival"], &time[..], &["--terms", "z", "--strata", "d"]].concat(), tells);
    refused(&text, &[&["km"], &time[..], &["--by", "d"]].concat(), tells);
    let described = on(&text, &["describe", "--event", "y=1", "--variables", "y,z"]).1.replace('\n', " ");
    assert!(described.contains("its test only repeats the division"), "{described}");
}

#[test]
fn options_that_would_do_nothing_are_refused() {
    let text = rows();
    let logistic = ["logistic", "--event", "y=1", "--terms", "z"];
    refused(&text, &[&logistic[..], &["--categorical", "set"]].concat(), "--categorical");
    refused(&text, &[&logistic[..], &["--seed", "5"]].concat(), "--bootstrap");
    refused(&text, &["logistic", "--event", "y=1", "--terms", "z,z"], "z is named twice");
    refused(&text, &["roc", "--event", "y=1", "--score", "p,p"], "p is named twice");
    let describe = ["describe", "--event", "y=1", "--variables", "p"];
    refused(&text, &[&describe[..], &["--categorical", "q"]].concat(), "--categorical");
    refused(&text, &["describe", "--event", "y=1", "--continuous", "y"], "--continuous");
    refused(&text, &["km", "--time", "t", "--event", "d=1", "--categorical", "z"], "--categorical");
    let evaluate = ["evaluate", "--event", "y=1", "--score", "p", "--by", "set"];
    refused(
        &text,
        &[&evaluate[..], &["--cutoff-set", "nope"]].concat(),
        "column set has no such set, it has training, test",
    );
    refused(
        &text,
        &["evaluate", "--event", "y=1", "--score", "p", "--by", "p"],
        "p is a score and cannot tell the sets",
    );
}

#[test]
fn thresholds_and_resamples_that_mean_nothing_are_refused() {
    let text = rows();
    let base = ["evaluate", "--event", "y=1", "--score", "p"];
    refused(&text, &[&base[..], &["--threshold", "nan"]].concat(), "--threshold");
    refused(&text, &[&base[..], &["--threshold", "2"]].concat(), "a number from 0 to 1");
    refused(&text, &[&base[..], &["--replicates", "1"]].concat(), "at least 2");
    refused(&text, &["roc", "--event", "y=1", "--score", "p", "--replicates", "1"], "at least 2");
    let (_, out, _) = on(&text, &["evaluate", "--event", "y=1", "--score", "t", "--threshold", "30"]);
    assert!(out.replace('\n', " ").contains("none of the scores (1 to 24) reach the threshold"), "{out}");
    let few = said(&json(&text, &[&base[..], &["--replicates", "5"]].concat()));
    assert!(few.contains("5 resamples are too few"), "{few}");
}

#[test]
fn without_resamples_limits_are_called_walds_or_left_out() {
    let base = ["evaluate", "--event", "y=1", "--score", "p,q", "--replicates", "0"];
    let sheets = json(&rows(), &base);
    let said = said(&sheets);
    assert!(said.contains("Wald 95% CI: no resamples were drawn") && !said.contains("0 resamples"), "{said}");
    let titles: Vec<&str> = sheets.as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap()).collect();
    assert!(!titles.contains(&"Sensitivity along the ROC curve"), "{titles:?}");
    // Wald's by formula: the net benefit is a mean of one value a row.
    let of =
        |title: &str| sheets.as_array().unwrap().iter().find(|it| it["title"] == title).unwrap()["rows"][0].clone();
    let cell = &of("Net benefit with intervals")["at 0.5"];
    let worth = |line: &str| {
        let cells: Vec<f64> = line.split(',').map(|cell| cell.parse().unwrap_or(0.0)).collect();
        if cells[3] >= 0.5 { 2.0 * cells[0] - 1.0 } else { 0.0 }
    };
    let text = rows();
    let worths: Vec<f64> = text.lines().skip(1).map(worth).collect();
    let mean = worths.iter().sum::<f64>() / 24.0;
    let half = 1.959_963_984_540_054 * (worths.iter().map(|it| (it - mean).powi(2)).sum::<f64>()).sqrt() / 24.0;
    let close = |key: &str, value: f64| (cell[key].as_f64().unwrap() - value).abs() < 1e-12;
    assert!(close("estimate", mean) && close("low", mean - half) && close("high", mean + half), "{cell}");
}

#[test]
fn a_set_of_one_class_teaches_no_cutoff_and_the_note_says_so() {
    // Training has events alone.
    let of = |line: &str| if line.contains("training") { format!("1{}\n", &line[1..]) } else { format!("{line}\n") };
    let text: String = rows().lines().map(of).collect();
    let said = said(&json(&text, &["evaluate", "--event", "y=1", "--score", "p", "--by", "set", "--replicates", "0"]));
    assert!(said.contains("p, test: training has one outcome, so that no cut-off can be learnt there"), "{said}");
    assert!(
        !said.contains("no cut-off has a Youden index above 0") && !said.contains("largest Youden index in training"),
        "{said}"
    );
}

#[test]
fn tests_of_calibration_that_cannot_be_made_or_hang_on_one_row_say_so() {
    let base = ["evaluate", "--event", "y=1", "--score", "p", "--replicates", "0"];
    let mut text = String::from("y,p\n");
    (0..40).for_each(|at| text.push_str(&format!("{},{}\n", u8::from(at % 3 == 0), f64::from(at % 10) / 10.0)));
    // Four rows of probability 0, of which two have the event: the first group expects none.
    let told = said(&json(&text, &base));
    assert!(told.contains("no Hosmer-Lemeshow test: a group is expected to have no event"), "{told}");
    let certain: String = (0..12).map(|at| format!("{},{}\n", at % 2, f64::from((at / 2) % 3) / 2.0)).collect();
    let told = said(&json(&format!("y,p\n{certain}"), &base));
    assert!(told.contains("no Spiegelhalter test"), "{told}");
    let tiny = text.replace(",0\n", ",1e-17\n");
    let told = said(&json(&tiny, &base));
    assert!(told.contains("the probability of what happened is below 1e-6 in 2 rows, but not 0"), "{told}");
    assert!(!said(&json(&rows(), &base)).contains("below 1e-6"));
}

#[test]
fn firths_null_is_what_its_test_is_against() {
    // By definition: chi-square of the test is twice the difference of the two likelihoods that are printed.
    let model = json(&rows(), &["logistic", "--event", "y=1", "--terms", "g,z,p", "--firth"]);
    let number = |key: &str| model[key].as_f64().unwrap();
    let chi2 = model["lr"]["statistic"].as_f64().unwrap();
    assert!((2.0 * (number("log_likelihood") - number("null_log_likelihood")) - chi2).abs() < 1e-9, "{model}");
    let text = on(&rows(), &["logistic", "--event", "y=1", "--terms", "g,z,p", "--firth"]).1.replace('\n', " ");
    assert!(text.contains("penalized -2 log L") && text.contains("with all terms held at 0"), "{text}");
}

#[test]
fn a_term_that_others_nearly_repeat_is_warned_of() {
    let mut text = String::from("y,x,w,z\n");
    for at in 0..30 {
        let x = f64::from(at * 7 % 31);
        let w = 2.0 * x + 1.0 + 1e-6 * f64::from(at % 5);
        text.push_str(&format!("{},{x},{w},{}\n", u8::from(at * 11 % 17 > 8), at % 4));
    }
    let warnings = said(&json(&text, &["logistic", "--event", "y=1", "--terms", "x,w,z"]));
    assert!(warnings.contains("x, w: almost a linear combination of the other terms"), "{warnings}");
    assert!(!said(&json(&text, &["logistic", "--event", "y=1", "--terms", "x,z"])).contains("almost"));
}

#[test]
fn the_words_beside_numbers_count_what_they_say() {
    let text = on(&rows(), &["logistic", "--event", "y=1", "--terms", "z,p"]).1.replace('\n', " ");
    // 12 of 24 have the event.
    assert!(text.contains("12 events for 2 estimated terms: 6.0 each"), "{text}");
    let fewer = rows().replace("\n0,b,0.4", "\n1,b,0.4");
    let text = on(&fewer, &["logistic", "--event", "y=1", "--terms", "z"]).1.replace('\n', " ");
    assert!(text.contains("rows without the event, the rarer outcome, for 1 estimated term:"), "{text}");
    let described = json(&rows(), &["describe", "--event", "y=1", "--variables", "z,p"]);
    for variable in described["variables"].as_array().unwrap() {
        let t = variable["chosen"].as_str().unwrap().starts_with("t_");
        assert_eq!(variable["chosen_p_from"] == "t", t, "{variable}");
    }
}
