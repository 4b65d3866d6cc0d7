//! `osteon survival` and `osteon km` on files of cells.

use std::path::Path;

use crate::support::osteon;
use osteon_testing::fixture;

fn json(arguments: &[&str]) -> serde_json::Value {
    let run = osteon(Path::new("."), &[arguments, &["--format", "json"]].concat());
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let run = osteon(Path::new("."), arguments);
    assert_eq!(run.status.code(), Some(2), "{}", String::from_utf8_lossy(&run.stdout));
    String::from_utf8_lossy(&run.stderr).into_owned()
}

/// R 4.2.2, survival 3.5-3: `coxph(Surv(months, event) ~ age + volume + site + arm)` of `tied.csv`, as
/// `fixtures/survival/reference.json.gz` has it.
#[test]
fn a_cox_regression_of_a_file_is_that_of_r() {
    let path = fixture("survival/tied.csv");
    let path = path.to_str().unwrap();
    let model = ["survival", path, "--time", "months", "--event", "event=1", "--terms", "age,volume,site,arm"];
    let found = json(&model);
    let all = osteon_testing::gunzip(&fixture("survival/reference.json.gz"));
    let all: serde_json::Value = serde_json::from_slice(&all).unwrap();
    let theirs = &all.as_array().unwrap().iter().find(|set| set["name"] == "tied").unwrap()["cox"][0];
    let mut comparison = osteon_testing::Comparison::default();
    for (at, term) in found["terms"].as_array().unwrap().iter().enumerate() {
        let (name, close) = (term["name"].as_str().unwrap(), |value: &serde_json::Value| value.as_f64().unwrap());
        comparison.close(name, close(&term["estimate"]), close(&theirs["coef"][at]), 1e-8, 1e-8);
        comparison.close(name, close(&term["p"]), close(&theirs["p"][at]), 1e-8, 1e-8);
    }
    let global = found["proportional"]["global"]["p"].as_f64().unwrap();
    comparison.close("zph", global, theirs["zph"][0]["p"][4].as_f64().unwrap(), 1e-8, 1e-8);
    comparison.close(
        "C",
        found["concordance"]["c"].as_f64().unwrap(),
        theirs["harrell"]["c"].as_f64().unwrap(),
        1e-8,
        0.0,
    );
    comparison.finish(12);
    let text = osteon(Path::new("."), &[&model[..], &["--robust", "centre", "--ties", "breslow"]].concat());
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("robust variance of 9 clusters") && text.contains("breslow ties"), "{text}");
}

#[test]
fn a_group_without_events_is_named_and_firth_is_finite() {
    let path = fixture("survival/small.csv");
    let model =
        ["survival", path.to_str().unwrap(), "--time", "months", "--event", "event=1", "--terms", "age,treated"];
    let found = json(&model);
    let warnings = found["warnings"].to_string();
    assert!(warnings.contains("monotone likelihood: treated = yes goes to -infinity"), "{warnings}");
    assert!(found["terms"][1]["estimate"].is_null() && found["terms"][0]["estimate"].is_number());
    let firth = json(&[&model[..], &["--firth"]].concat());
    assert!(firth["terms"][1]["hr"].as_f64().unwrap() < 1.0);
}

#[test]
fn curves_have_numbers_at_risk_tests_and_a_figure() {
    let path = fixture("survival/plain.csv");
    let path = path.to_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let figure = folder.path().join("km.svg");
    let ask = ["km", path, "--time", "months", "--event", "event=1", "--by", "site", "-o", figure.to_str().unwrap()];
    let found = json(&ask);
    assert_eq!(found["groups"].as_array().unwrap().len(), 3);
    assert_eq!(found["groups"][0]["at_risk"][0]["n"], found["groups"][0]["n"]);
    assert_eq!(found["tests"][0]["name"], "Log-rank");
    assert!(std::fs::read_to_string(&figure).unwrap().contains("At risk"));
    assert!(figure.with_extension("numbers.csv").is_file());
    let text = osteon(Path::new("."), &ask);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.contains("Numbers at risk") && text.contains("Median (95% CI)"), "{text}");
    let competing =
        json(&["km", path, "--time", "months", "--event", "cause=1", "--competing", "cause=2", "--by", "arm"]);
    assert!(competing["gray"]["p"].is_number() && competing["tests"].as_array().unwrap().is_empty());
}

#[test]
fn times_that_cannot_be_are_refused_with_their_row() {
    let folder = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        let path = folder.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let path = file("t,e,x\n5,1,1\n-2,0,2\n7,1,3\n");
    let why = refused(&["survival", &path, "--time", "t", "--event", "e=1", "--terms", "x"]);
    assert!(why.contains("column t, row 3: the time is -2, expected at least 0"), "{why}");
    let path = file("s,t,e,x\n0,5,1,1\n3,3,0,2\n1,7,1,3\n");
    let why = refused(&["survival", &path, "--time", "t", "--entry", "s", "--event", "e=1", "--terms", "x"]);
    assert!(why.contains("row 3: s 3 is not before t 3"), "{why}");
    let path = file("t,e,x\n5,0,1\n2,0,2\n");
    let why = refused(&["survival", &path, "--time", "t", "--event", "e=1", "--terms", "x"]);
    assert!(why.contains("none of 2 rows has the event"), "{why}");
    let why = refused(&["km", &path, "--time", "t", "--event", "e=1", "--by", "nothing"]);
    assert!(why.contains("no column nothing"), "{why}");
}
