//! `describe`, `logistic` and `roc` from the command line, and what they say of odd files.

use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;

use crate::support::fixture;

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn osteon(arguments: &[&str]) -> Ran {
    let mut command = Command::cargo_bin("osteon").unwrap();
    let output = command.args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn file(folder: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("data.csv");
    std::fs::write(&path, text).unwrap();
    path
}

/// The JSON of a command on a file of the given text; JSON has no word for NaN, so parsing it is a check by itself.
fn json(text: &str, arguments: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, text);
    let mut all = vec![arguments[0], path.to_str().unwrap(), "--format", "json"];
    all.extend(&arguments[1..]);
    let ran = osteon(&all);
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn describe_has_every_documented_key() {
    let cohort = fixture("cohort.csv");
    let ran = osteon(&["describe", cohort.to_str().unwrap(), "--event", "necrosis_pct<90", "--format", "json"]);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(found["n"], 93);
    let variable = |name: &str| {
        found["variables"].as_array().unwrap().iter().find(|variable| variable["name"] == name).unwrap().clone()
    };
    let age = variable("age");
    assert_eq!((age["kind"].as_str(), age["chosen"].as_str()), (Some("continuous"), Some("mann_whitney")));
    assert_eq!((age["groups"][0]["n"].as_u64(), age["groups"][1]["n"].as_u64()), (Some(45), Some(48)));
    for key in ["t_pooled", "t_welch", "levene"] {
        assert!(["statistic", "df", "p"].iter().all(|part| age["tests"][key][part].is_number()), "{key}");
    }
    assert!(["u", "z", "p", "p_exact"].iter().all(|part| age["tests"]["mann_whitney"][part].is_number()));
    assert!(age["tests"]["ks_lilliefors"]["p"].is_number() && age["tests"]["shapiro"]["p"].is_number());
    let sex = variable("sex");
    assert_eq!(sex["groups"][1]["counts"]["male"], 13);
    assert!(["pearson_chi2", "yates_chi2", "fisher"].iter().all(|test| sex["tests"][test]["p"].is_number()));
}

#[test]
fn logistic_and_roc_have_every_documented_key() {
    let cohort = fixture("cohort.csv");
    let base = [cohort.to_str().unwrap(), "--event", "necrosis_pct<90", "--format", "json"];
    let with = |command: &str, more: &[&str]| -> Value {
        let ran = osteon(&[&[command], &base[..], more].concat());
        serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err))
    };
    let model = with("logistic", &["--terms", "alp,location", "--reference", "location=other"]);
    let names: Vec<&str> =
        model["terms"].as_array().unwrap().iter().map(|term| term["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["(Intercept)", "alp", "locationfemur", "locationtibia"]);
    assert!(model["terms"][1]["or_ci_profile"][1].is_number() && model["hosmer_lemeshow"]["p"].is_number());
    assert_eq!((model["events"].as_u64(), model["converged"].as_bool()), (Some(48), Some(true)));
    let roc = with("roc", &["--score", "alp,ldh"]);
    // All ALP are above.
    assert_eq!(
        (&roc["scores"][0]["at_0.5"]["sensitivity"], &roc["scores"][0]["at_0.5"]["tn"]),
        (&1.0.into(), &0.into())
    );
    assert!(roc["scores"][0]["youden"]["threshold"].is_number() && roc["comparisons"][0]["z"].is_number());
    let again = with("roc", &["--score", "alp,ldh", "--threads", "1"]);
    assert_eq!(roc, again);
}

#[test]
fn odd_variables_have_clear_answers() {
    let describe = |text: &str| json(text, &["describe", "--event", "y=1"])["variables"][0].clone();
    let constant = describe("y,x\n0,3\n0,3\n1,3\n1,3\n");
    assert_eq!((&constant["tests"]["t_pooled"], &constant["chosen"]), (&Value::Null, &Value::Null));
    assert_eq!(constant["groups"][0]["sd"], 0.0);
    let empty_group = describe("y,x\n0,3\n0,4\n0,5\n");
    assert_eq!(
        (&empty_group["groups"][1]["mean"], &empty_group["tests"]["mann_whitney"]),
        (&Value::Null, &Value::Null)
    );
    let missing = describe("y,x\n0,\n1,NA\n");
    assert_eq!(missing["groups"][0]["missing"], 1);
    let one_level = describe("y,x\n0,a\n1,a\n");
    assert_eq!((&one_level["tests"]["fisher"], &one_level["chosen"]), (&Value::Null, &Value::Null));
    let pair = describe("y,x\n0,1\n1,2\n");
    assert_eq!((&pair["tests"]["t_pooled"], &pair["tests"]["mann_whitney"]["p_exact"]), (&Value::Null, &1.0.into()));
    let huge = describe("y,x\n0,1e300\n0,2e300\n1,4e300\n1,9e300\n");
    assert!(huge["groups"][1]["sd"].as_f64().unwrap() > 3e300 && huge["tests"]["t_welch"]["p"].is_number());
}

#[test]
fn levels_beyond_a_bound_are_counted_and_not_tested() {
    let described = |levels: usize, rows: usize| {
        let rows: String = (0..rows).map(|row| format!("{},level {}\n", row % 3 / 2, row % levels)).collect();
        json(&format!("y,x\n{rows}"), &["describe", "--event", "y=1", "--variables", "x"])["variables"][0].clone()
    };
    for (levels, rows) in [(10_000, 20_000), (58, 60), (21, 104)] {
        let found = described(levels, rows);
        assert_eq!((&found["chosen"], &found["tests"]["fisher"]), (&Value::Null, &Value::Null), "{levels}");
        let why = found["why"].as_str().unwrap();
        assert!(why.contains(&format!("no test: {levels} levels on {rows} rows are too many")), "{why}");
    }
    assert!(described(21, 105)["chosen_p"].is_number() && described(20, 40)["chosen_p"].is_number());
}

#[test]
fn two_values_are_levels_unless_told_otherwise() {
    let text = "y,x,z\n0,0,1.5\n0,1,2\n1,1,3\n1,1,1\n0,0,7\n1,,8\n";
    let found = json(text, &["describe", "--event", "y=1"]);
    let x = &found["variables"][0];
    assert_eq!(
        (x["kind"].as_str(), &x["groups"][0]["counts"]),
        (Some("categorical"), &serde_json::json!({"0": 2, "1": 1}))
    );
    assert_eq!(found["variables"][1]["kind"], "continuous");
    let told = json(text, &["describe", "--event", "y=1", "--continuous", "x"]);
    assert_eq!(told["variables"][0]["kind"], "continuous");
}

#[test]
fn small_groups_without_ties_print_the_exact_p_and_json_says_by_which_p_the_test_was_chosen() {
    // R 4.2.2: wilcox.test(c(1, 8, 27, 64), c(1001, 1010, 1100), conf.int = TRUE).
    let text = "x,y\n1,0\n8,0\n27,0\n64,0\n1001,1\n1010,1\n1100,1\n";
    let found = json(text, &["describe", "--event", "y=1"])["variables"][0].clone();
    assert!((found["chosen_p"].as_f64().unwrap() - 0.057_142_857_142_857_14).abs() < 1e-15, "{found}");
    assert_eq!(found["chosen_p_from"], "exact");
    let shift = &found["tests"]["hodges_lehmann"];
    assert_eq!((&shift["estimate"], &shift["ci"]), (&(-1001.0).into(), &serde_json::json!([-1099.0, -937.0])));
    assert_eq!(found["tests"]["mann_whitney"]["rank_biserial"], -1.0);
    let why = found["why"].as_str().unwrap();
    assert!(why.contains("exact P, no ties") && why.contains("94.3 %"), "{why}");
    let tied = json(&text.replace("1,0\n8,0", "8,0\n8,0"), &["describe", "--event", "y=1"])["variables"][0].clone();
    assert_eq!(
        (tied["chosen_p_from"].as_str(), &tied["chosen_p"]),
        (Some("asymptotic"), &tied["tests"]["mann_whitney"]["p"])
    );
    assert!(tied["why"].as_str().unwrap().contains("asymptotic P, with ties"));
    // Chosen by the groups' own tests, while `tests` holds that of all values.
    let cohort = fixture("cohort.csv");
    let ran = osteon(&["describe", cohort.to_str().unwrap(), "--event", "necrosis_pct<90", "--format", "json"]);
    let all: Value = serde_json::from_str(&ran.out).unwrap();
    let age = all["variables"].as_array().unwrap().iter().find(|variable| variable["name"] == "age").unwrap();
    let by = age["chosen_by"].as_array().unwrap();
    assert_eq!(
        (by.len(), &by[0]["test"], &by[0]["of"], &by[1]["of"]),
        (2, &"ks_lilliefors".into(), &"no event".into(), &"event".into())
    );
    assert!(by.iter().any(|by| by["p"].as_f64().unwrap() < by["alpha"].as_f64().unwrap()));
}

#[test]
fn a_table_with_a_cell_that_is_no_number_is_read_as_asked_or_refused_at_the_cell() {
    let rows: String = (0..60).map(|at| format!("{},{}\n", at % 2, 1.5 + f64::from(at * 7 % 31))).collect();
    let text = format!("y,crp\n{rows}").replacen("0,1.5\n", "0,<0.5\n", 1);
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, &text);
    for command in ["describe", "logistic", "roc", "evaluate"] {
        let mut arguments = vec![command, path.to_str().unwrap(), "--event", "y=1"];
        match command {
            "logistic" => arguments.extend(["--terms", "crp"]),
            "roc" | "evaluate" => arguments.extend(["--score", "crp"]),
            _ => {}
        }
        let ran = osteon(&arguments);
        assert_eq!(ran.code, 2, "{command}: {}", ran.out);
        assert!(ran.err.contains("line 2, column 2 (crp): <0.5 is no number, but 59 of 60"), "{}", ran.err);
        assert!(ran.err.contains("--below-detection half or limit"), "{}", ran.err);
        for choice in [&["--below-detection", "half"][..], &["--missing", "<0.5"]] {
            assert_eq!(osteon(&[&arguments[..], choice].concat()).code, 0, "{command} {choice:?}");
        }
    }
    // A column that is not used refuses nothing.
    let unused = "crp,y,z\n1,0,1\n2,1,2\n3,0,4\nlow,1,5\n";
    assert_eq!(json(unused, &["describe", "--event", "y=1", "--variables", "z"])["n"], 4);
}

#[test]
fn a_reference_that_no_complete_row_has_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "y,x,z\n1,a,1\n0,b,2\n1,b,3\n0,a,4\n1,a,2\n0,b,5\n1,c,\n");
    let fit = |level: &str| {
        let reference = format!("x={level}");
        osteon(&["logistic", path.to_str().unwrap(), "--event", "y=1", "--terms", "x,z", "--reference", &reference])
    };
    assert!(
        fit("c").code == 2 && fit("c").err.contains("--reference x=c: no row that is complete"),
        "{}",
        fit("c").err
    );
    assert!(fit("b").code == 0 && fit("b").out.contains("x: reference level b"));
}

#[test]
fn a_unit_that_makes_an_odds_ratio_meaningless_is_named() {
    let rows: String = (0..40).map(|at| format!("{}e-9,{}\n", 50 + at * 7919 % 97, at * 31 % 7 / 4)).collect();
    let model = json(&format!("alp,y\n{rows}"), &["logistic", "--event", "y=1", "--terms", "alp"]);
    assert!(model["warnings"].to_string().contains("rescale alp, for example by 1e8"), "{}", model["warnings"]);
}

#[test]
fn low_areas_directions_and_areas_of_one_are_said() {
    let text = "s,y\n1,1\n2,1\n3,0\n4,1\n5,0\n6,0\n7,0\n";
    let roc = |more: &[&str]| json(text, &[&["roc", "--event", "y=1", "--score", "s"], more].concat());
    let (high, low) = (roc(&[]), roc(&["--direction", "low"]));
    let auc = |found: &Value| found["scores"][0]["auc"].as_f64().unwrap();
    assert!((auc(&high) + auc(&low) - 1.0).abs() < 1e-12 && auc(&high) < 0.5);
    assert_eq!(high["scores"][0]["youden"], Value::Null);
    assert_eq!(low["scores"][0]["youden"]["threshold"], 4.5);
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, text);
    let said = osteon(&["roc", path.to_str().unwrap(), "--event", "y=1", "--score", "s"]).out.replace('\n', " ");
    assert!(said.contains("below one half") && said.contains("--direction low turns it"), "{said}");
    let perfect =
        json(&text.replace("3,0\n4,1", "3,1\n4,0"), &["roc", "--event", "y=1", "--score", "s", "--direction", "low"]);
    let score = &perfect["scores"][0];
    assert_eq!((&score["auc"], &score["ci_method"], &score["ci"][1]), (&1.0.into(), &"newcombe".into(), &1.0.into()));
    assert!(score["ci"][0].as_f64().unwrap() < 0.9 && score["bootstrap"]["percentile"].is_null());
}

#[test]
fn a_bootstrap_of_many_rows_is_made_only_when_asked_for() {
    let rows: String = (0..20_001_u64).map(|at| format!("{},{}\n", at * 7919 % 997, at * 31 % 7 / 4)).collect();
    let text = format!("s,y\n{rows}");
    let roc = |more: &[&str]| json(&text, &[&["roc", "--event", "y=1", "--score", "s"], more].concat());
    assert_eq!(roc(&[])["scores"][0]["bootstrap"]["replicates"], 0);
    assert!(roc(&["--replicates", "20"])["scores"][0]["bootstrap"]["percentile"][0].is_number());
}

#[test]
fn a_separated_model_is_named_by_variable_and_level() {
    let text = "y,marker,age\n0,neg,40\n1,neg,50\n0,neg,45\n1,neg,44\n0,neg,52\n1,pos,47\n1,pos,43\n1,pos,60\n";
    let model = json(text, &["logistic", "--event", "y=1", "--terms", "marker,age"]);
    let warning = model["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("quasi-complete separation: marker = pos goes to +infinity"), "{warning}");
    assert_eq!(model["terms"][1]["estimate"], Value::Null);
    let firth = json(text, &["logistic", "--event", "y=1", "--terms", "marker,age", "--firth"]);
    assert!(firth["terms"][1]["or_ci_profile"][0].is_number() && firth["warnings"].as_array().unwrap().is_empty());
}

#[test]
fn a_model_with_as_many_terms_as_rows_is_fitted_and_says_so() {
    let model = |terms: &str| json("y,a,b\n0,1,5\n1,2,4\n0,3,9\n", &["logistic", "--event", "y=1", "--terms", terms]);
    let found = model("a,b");
    let warnings: Vec<&str> = found["warnings"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert!(warnings[0].starts_with("complete separation"), "{warnings:?}");
    assert!(warnings[1].starts_with("the model has as many estimates as rows (3)"), "{warnings:?}");
    assert_eq!((&found["log_likelihood"], &found["hosmer_lemeshow"]), (&0.0.into(), &Value::Null));
    // More terms than rows: what is left over is aliased, as in R.
    let more = json("y,a,b,c\n0,1,5,2\n1,2,4,2\n0,3,9,7\n", &["logistic", "--event", "y=1", "--terms", "a,b,c"]);
    assert_eq!(more["terms"][3]["estimate"], Value::Null);
    assert!(more["warnings"].to_string().contains("c is a linear combination of a, b and was left out"), "{more}");
}

#[test]
fn a_profile_limit_far_from_the_maximum_is_still_the_root() {
    // mpmath 1.3 with 25 digits: bisection of the profile, itself maximised by bisection of the score.
    let text = "y,x\n0,21.2\n0,3.34\n1,0.0244\n0,0.0234\n0,0.231\n";
    let model = json(text, &["logistic", "--event", "y=1", "--terms", "x"]);
    let limits = &model["terms"][0]["or_ci_profile"];
    for (at, expected) in [(0, 0.0412090414196279), (1, 1.438784622611512e30)] {
        let found = limits[at].as_f64().unwrap();
        assert!((found / expected - 1.0).abs() < 1e-6, "{found} {expected}");
    }
}

#[test]
fn values_of_1e300_are_fitted_as_their_hundredths_are() {
    let text = |unit: &str| {
        let rows = [(0, 1), (0, 2), (1, 3), (0, 4), (1, 5), (0, 6), (1, 7), (1, 8), (0, 9), (1, 9)];
        let rows: String = rows.iter().map(|(y, x)| format!("{y},{x}{unit}\n")).collect();
        format!("y,x\n{rows}")
    };
    let model = |unit: &str| json(&text(unit), &["logistic", "--event", "y=1", "--terms", "x"]);
    let (huge, plain) = (model("e299"), model(""));
    for key in ["z", "p", "lr_p"] {
        let (huge, plain) = (huge["terms"][1][key].as_f64().unwrap(), plain["terms"][1][key].as_f64().unwrap());
        assert!((huge / plain - 1.0).abs() < 1e-10, "{key}: {huge} {plain}");
    }
    assert_eq!(huge["converged"], true);
}

#[test]
fn p_values_keep_their_digits_down_to_1e_300() {
    // mpmath 1.3: chi-square of a 2 x 2 table, t and Mann-Whitney Z of two shifted ranges.
    let rows: String = (0..2000)
        .map(|at| format!("{},{}\n", at % 2, if at % 2 == usize::from(at < 1828) { "a" } else { "b" }))
        .collect();
    let found = json(&format!("y,x\n{rows}"), &["describe", "--event", "y=1"]);
    let test = &found["variables"][0]["tests"]["pearson_chi2"];
    let expected = (1371.168, 3.870173972308133e-300);
    assert!((test["statistic"].as_f64().unwrap() / expected.0 - 1.0).abs() < 1e-10, "{test}");
    assert!((test["p"].as_f64().unwrap() / expected.1 - 1.0).abs() < 1e-9, "{test}");
    let rows: String = (0..1400).map(|at| format!("{},{}\n", at % 2, at / 2 + 520 * (at % 2))).collect();
    let found = json(&format!("y,x\n{rows}"), &["describe", "--event", "y=1"]);
    for (test, expected) in [("t_pooled", 8.947651429547576e-299), ("mann_whitney", 5.170806171552817e-201)] {
        let p = found["variables"][0]["tests"][test]["p"].as_f64().unwrap();
        assert!((p / expected - 1.0).abs() < 1e-9, "{test}: {p}");
    }
}

#[test]
fn many_terms_are_fitted_without_profiles_or_refused_but_never_for_minutes() {
    let rows: String = (0..800).map(|at| format!("{},l{}\n", at * 7 % 11 % 2, at % 60)).collect();
    let model = json(&format!("y,x\n{rows}"), &["logistic", "--event", "y=1", "--terms", "x"]);
    assert!(model["terms"][1]["se"].is_number() && model["terms"][1]["or_ci_profile"].is_null());
    assert!(model["warnings"].to_string().contains("profile intervals of 60 terms on 800 rows were left out"));
}

#[test]
fn names_with_commas_quotes_and_signs_can_be_asked_for() {
    let text = "\"a=1,b\",y<2,\"say \"\"x\"\"\"\n1,0,u\n2,1,v\n4,0,u\n3,1,u\n5,0,v\n";
    let event = ["--event", "\"y<2\"=1"];
    let described = json(text, &[&["describe"], &event[..], &["--variables", "\"a=1,b\""]].concat());
    assert_eq!(described["variables"][0]["name"], "a=1,b");
    let coded = ["--categorical", "\"a=1,b\"", "--reference", "a=1,b=2", "--terms", "\"a=1,b\"", "--firth"];
    let model = json(text, &[&["logistic"], &event[..], &coded].concat());
    assert_eq!((&model["terms"][1]["name"], &model["terms"][2]["name"]), (&"a=1,b1".into(), &"a=1,b3".into()));
    let twice = ["--terms", "\"say \"\"x\"\"\"", "--terms", "\"a=1,b\""];
    let model = json(text, &[&["logistic"], &event[..], &twice].concat());
    assert_eq!((&model["terms"][1]["name"], &model["terms"][2]["name"]), (&"say \"x\"v".into(), &"a=1,b".into()));
    assert_eq!(json(text, &[&["roc"], &event[..], &["--score", "\"a=1,b\""]].concat())["n"], 5);
}

#[test]
fn a_wrong_file_or_request_is_answered_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |text: &str, arguments: &[&str]| -> String {
        let path = file(&folder, text);
        let ran = osteon(&[&[arguments[0], path.to_str().unwrap()], &arguments[1..]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        ran.err
    };
    assert!(refused("y,x\n0,1\n1\n", &["describe", "--event", "y=1"]).contains("line 3 has 1 fields, the heading 2"));
    assert!(refused("y,x\n0,1\n", &["describe", "--event", "z=1"]).contains("no column z"));
    assert!(refused("y,x\n0,1\n", &["describe", "--event", "y"]).contains("expected COLUMN=VALUE"));
    assert!(refused("y,x\na,1\n", &["describe", "--event", "y=b"]).contains("column y has no value b, it has a"));
    assert!(
        refused("y,x\n1,1\n1,2\n", &["logistic", "--event", "y=1", "--terms", "x"])
            .contains("2 of 2 rows have the event")
    );
    assert!(refused("y,x\n1,1\n0,2\n", &["roc", "--event", "y=1", "--score", "w"]).contains("no column w"));
    assert!(refused("y,x\n1,a\n0,b\n", &["roc", "--event", "y=1", "--score", "x"]).contains("column x holds levels"));
    let many: String = (0..10_000).map(|row| format!("{},l{row}\n", row % 2)).collect();
    let text = format!("y,x\n{many}");
    assert!(
        refused(&text, &["logistic", "--event", "y=1", "--terms", "x"])
            .contains("column x has 10000 levels for 10000 complete rows: is it an identifier?")
    );
}

/// The folder of a file's name in text, and what a command on the simulated patients prints.
fn on_evidence(arguments: &[&str]) -> Ran {
    let path = fixture("statistics/evidence.csv");
    osteon(&[&[arguments[0], path.to_str().unwrap()], &arguments[1..]].concat())
}

#[test]
fn samplesize_answers_as_pmsampsize_and_names_what_it_refuses() {
    let rows = |arguments: &[&str]| -> Vec<(String, u64)> {
        let ran = osteon(&[&["samplesize"], arguments, &["--format", "json"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        let sheet: Value = serde_json::from_str(&ran.out).unwrap();
        let rows = sheet["rows"].as_array().unwrap().iter();
        rows.map(|row| (row.as_object().unwrap().values().next().unwrap().to_string(), row["n"].as_u64().unwrap()))
            .collect()
    };
    // pmsampsize 0.1.0 and pmvalsampsize 0.2.1: fixtures/statistics/samplesize.json.
    let found = rows(&["develop", "--parameters", "24", "--prevalence", "0.174", "--r2", "0.288"]);
    assert_eq!(found.iter().map(|row| row.1).collect::<Vec<_>>(), [623, 662, 221, 801, 662, 801]);
    let found = rows(&["validate", "--prevalence", "0.5", "--auc", "0.75", "--lp-normal", "0,1"]);
    assert_eq!((found[0].1, found[2].1), (385, 364));
    assert!(found[1].1.abs_diff(2664) < 6, "{found:?}");
    let found = rows(&["auc", "--auc", "0.8", "--against", "0.7", "--patients", "60,60"]);
    assert_eq!(found.len(), 3);
    for (arguments, said) in [
        (&["develop", "--parameters", "5", "--prevalence", "1.2"][..], "--prevalence is \"1.2\", expected a number"),
        (&["develop", "--parameters", "0", "--prevalence", "0.5"], "--parameters is \"0\""),
        (&["develop", "--parameters", "5", "--prevalence", "0.5", "--r2", "0.8"], "the largest at this prevalence"),
        (&["validate", "--prevalence", "0.5", "--auc", "0.4"], "an AUC between 0.5 and 1"),
        (&["validate", "--prevalence", "0.5", "--auc", "0.7", "--lp-normal", "0"], "two numbers with a comma"),
    ] {
        let ran = osteon(&[&["samplesize"], arguments].concat());
        assert!(ran.code == 2 && ran.err.contains(said), "{}", ran.err);
    }
}

#[test]
fn logistic_has_splines_products_ridge_shrinkage_and_refits_on_request() {
    let base = ["logistic", "--event", "y=1", "--terms", "age,dose,stage,sex,volume"];
    let ran = on_evidence(
        &[
            &base[..],
            &["--spline", "age=4", "--interaction", "dose:sex", "--ridge", "aicc", "--shrink", "bootstrap"],
            &["--bootstrap", "20", "--thresholds", "0.3,0.5", "--format", "json"],
        ]
        .concat(),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let found: Value = serde_json::from_str(&ran.out).unwrap();
    let names: Vec<&str> =
        found["terms"].as_array().unwrap().iter().map(|term| term["name"].as_str().unwrap()).collect();
    assert_eq!(names[..4], ["(Intercept)", "age", "age'", "age''"]);
    assert_eq!(names[names.len() - 1], "dose:sexmale");
    assert_eq!(found["splines"][0]["nonlinearity_lr"]["df"], 2.0);
    assert!(found["ridge"]["penalty"].as_f64().unwrap() > 0.0 && found["ridge"]["df"].as_f64().unwrap() < 9.0);
    let indices = found["validation"]["indices"].as_array().unwrap();
    assert_eq!((indices.len(), indices[6]["name"].as_str()), (7, Some("Net benefit at 0.5")));
    let (apparent, corrected) = (indices[0]["apparent"].as_f64().unwrap(), indices[0]["corrected"].as_f64().unwrap());
    let left = &found["validation"]["left_out"];
    assert!(corrected < apparent && left["auc"].as_f64().unwrap() < apparent, "{left}");
    assert_eq!(found["shrunken"]["factor"], indices[4]["corrected"]);
    let text = on_evidence(&[&base[..], &["--spline", "age=4"]].concat());
    assert!(text.out.contains("restricted cubic spline with knots at") && text.out.contains("non-linearity: LR chi2"));
    for (wrong, said) in [
        (["--spline", "stage=4"], "stage holds levels: a spline needs numbers"),
        (["--spline", "age=9"], "3 to 7 knots"),
        (["--interaction", "age:height"], "height is no term of the model"),
        (["--ridge", "-1"], "a penalty of at least 0"),
        (["--shrink", "bootstrap"], "--bootstrap N beside it"),
    ] {
        let wrong = [wrong[0], wrong[1]].join("=");
        let ran = on_evidence(&[&base[..], &[&wrong]].concat());
        assert!(ran.code == 2 && ran.err.contains(said), "{wrong}: {}", ran.err);
    }
}

#[test]
fn describe_has_adjusted_values_differences_and_patterns_on_request() {
    let base = ["describe", "--event", "y=1", "--variables", "age,marker,stage,sex,volume"];
    let ran = on_evidence(&[&base[..], &["--adjust", "bh", "--differences", "--format", "csv"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.lines().next().unwrap().contains("q (BH),difference (95% CI) estimate"), "{}", ran.out);
    let json: Value = serde_json::from_str(&on_evidence(&[&base[..], &["--format", "json"]].concat()).out).unwrap();
    // R 4.2.2, t.test(age ~ y): fixtures/statistics/evidence_r.json.
    let welch = &json["variables"][0]["tests"]["mean_difference"]["welch"];
    assert!((welch["ci"][0].as_f64().unwrap() + 2.140_523_234_479_85).abs() < 1e-9, "{welch}");
    assert!(json["variables"][3]["tests"]["risk_differences"]["male"]["ci"][1].is_number());
    assert!(json["variables"][1]["p_adjusted"]["holm"].as_f64() >= json["variables"][1]["p_adjusted"]["bh"].as_f64());
    let missing = on_evidence(&[&base[..], &["--missing-values"]].concat());
    assert!(
        missing.out.contains("196 of 240 rows are complete") && missing.out.contains("marker, stage"),
        "{}",
        missing.out
    );
}

#[test]
fn evaluate_writes_intervals_bands_and_figures() {
    let folder = tempfile::tempdir().unwrap();
    let figures = folder.path().join("figures");
    let base = ["evaluate", "--event", "y=1", "--score", "p1,p2", "--by", "set", "--replicates", "200"];
    let further = ["--thresholds", "0.3,0.5", "--at-sensitivity", "0.9", "--figures", figures.to_str().unwrap()];
    let ran = on_evidence(&[&base[..], &further, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let sheets: Value = serde_json::from_str(&ran.out).unwrap();
    let titles: Vec<&str> = sheets.as_array().unwrap().iter().map(|sheet| sheet["title"].as_str().unwrap()).collect();
    let expected = [
        "Operating points at sensitivity 0.9",
        "Calibration with intervals",
        "Calibration curves",
        "Net benefit with intervals",
        "Differences of net benefit",
        "Differences of AUC",
        "Sensitivity along the ROC curve",
        "Precision and recall",
    ];
    assert_eq!(titles[6..], expected);
    // The threshold is that of the training rows in both sets.
    let points = sheets[6]["rows"].as_array().unwrap();
    let of =
        |set: &str| points.iter().find(|row| row["Set"] == set && row["Model"] == "p1").unwrap()["Threshold"].clone();
    assert_eq!(of("training"), of("test"));
    // scikit-learn 1.9.1: fixtures/statistics/evidence_py.json.
    let row = sheets[13]["rows"].as_array().unwrap().iter().find(|row| row["Set"] == "test").unwrap();
    let area = row["Average precision (95% CI)"]["estimate"].as_f64().unwrap();
    assert!((area - 0.812_982_749_541_140_6).abs() < 1e-12, "{row}");
    for name in ["roc", "dca", "calibration"] {
        let svg = std::fs::read_to_string(figures.join(format!("{name}.svg"))).unwrap();
        assert!(svg.contains("<svg") && figures.join(format!("{name}.numbers.csv")).is_file(), "{name}");
    }
    let again = on_evidence(&[&base[..], &further, &["--format", "json", "--threads", "1"]].concat());
    assert_eq!(again.out, ran.out);
    let wrong = on_evidence(&[&base[..], &["--thresholds", "0.3,1.5"]].concat());
    assert!(wrong.err.contains("--thresholds is \"1.5\", expected a number between 0 and 1"), "{}", wrong.err);
}
