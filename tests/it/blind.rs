//! What a reader who must stay blinded sees: nothing of necrosis, response, and whatever is made from them.

use std::fs;
use std::path::Path;

use osteon_base::seed::Seed;
use osteon_study::study::{Edit, Study, View};

use crate::support::run;

/// Necrosis that no other number of the study looks like.
const NECROSIS: &str = "37.0625";

fn study(folder: &Path) -> Study {
    let study = crate::fit::study(Some(&folder.join("study.db")));
    let edit = |value: &str| [Edit { field: "necrosis_pct".into(), value: value.into() }];
    study.edit("SYN001", &edit("12"), "a typing error", None).unwrap();
    study.edit("SYN001", &edit(NECROSIS), "read again", None).unwrap();
    study.raise_query("SYN001", "necrosis_pct", "is the necrosis really 37.0625?").unwrap();
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&osteon_base::job::Job::unwatched()).unwrap();
    study
}

#[test]
fn an_edit_that_comes_too_late_is_not_told_a_hidden_value() {
    let folder = tempfile::tempdir().unwrap();
    let study = study(folder.path());
    assert!(study.value_now("SYN001", "necrosis_pct").unwrap().starts_with(NECROSIS));
    let alp = study.value_now("SYN001", "alp").unwrap();
    let blind = study.seen(View::Blind);
    // The last changes of all are of a hidden variable, and are not told.
    let seen = blind.value_now("SYN001", "alp").unwrap();
    assert!(alp.starts_with("63 ") && seen.starts_with("63 ") && !seen.contains("necrosis"), "{alp}; {seen}");
    let told = blind.value_now("SYN001", "necrosis_pct").unwrap();
    assert!(told.starts_with("(hidden)") && !leaks(&told), "{told}");
}

fn leaks(text: &str) -> bool {
    text.contains(NECROSIS) || text.contains("pGR,") || text.contains("non-pGR")
}

#[test]
fn no_command_shows_a_blind_reader_the_response_or_what_is_made_from_it() {
    let folder = tempfile::tempdir().unwrap();
    drop(study(folder.path()));
    let all = |arguments: &[&str]| run(folder.path(), arguments);
    assert!(leaks(&all(&["show", "SYN001"]).1) && leaks(&all(&["log", "-n", "0", "--format", "csv"]).1));
    let shown: &[&[&str]] = &[
        &["patients"],
        &["patients", "--filter", "alp > 0"],
        &["show", "SYN001"],
        &["log", "-n", "0"],
        &["log", "SYN001"],
        &["query", "list", "--all"],
        &["agreement"],
        &["jobs"],
        &["export", "features"],
    ];
    for arguments in shown {
        for format in ["text", "csv", "json", "markdown", "html", "latex"] {
            let (code, printed, said) = all(&[arguments, &["--blind", "--format", format][..]].concat());
            let only_csv = arguments[0] == "export" && !matches!(format, "text" | "csv");
            assert_eq!(code, if only_csv { 2 } else { 0 }, "{arguments:?} {format}: {said}");
            assert!(!leaks(&printed) && !leaks(&said), "{arguments:?} {format}: {printed}{said}");
        }
    }
    let refused: &[&[&str]] = &[
        &["table", "1"],
        &["table", "2"],
        &["table", "3"],
        &["table", "4"],
        &["table", "5"],
        &["predict", "SYN001"],
        &["predict", "--set", "alp=100"],
        &["fit"],
        &["split", "show"],
        &["redact", "SYN001", "necrosis_pct", "--reason", "x"],
        &["patients", "--filter", "set = train"],
        &["patients", "--filter", "response = pGR"],
        &["patients", "--filter", "necrosis_pct > 90"],
        &["figure", "roc"],
        &["figure", "nomogram"],
        &["figure", "shap"],
        &["figure", "lasso"],
        &["figure", "dca"],
        &["figure", "calibration"],
    ];
    for arguments in refused {
        let (code, printed, said) = all(&[arguments, &["--blind"][..]].concat());
        assert_eq!(code, 2, "{arguments:?}: {printed}{said}");
        assert!(printed.is_empty() && !said.contains(NECROSIS), "{arguments:?}: {printed}{said}");
    }
}

#[test]
fn no_file_of_a_blind_export_or_report_holds_the_response() {
    let folder = tempfile::tempdir().unwrap();
    drop(study(folder.path()));
    for arguments in [["export", "out", "--blind"], ["report", "-oreport", "--blind"]] {
        let (code, _, said) = run(folder.path(), &arguments);
        assert_eq!(code, 0, "{said}");
    }
    let mut files = Vec::new();
    for name in ["out", "report", "report/figures"] {
        files.extend(fs::read_dir(folder.path().join(name)).into_iter().flatten().map(|it| it.unwrap().path()));
    }
    assert!(files.len() > 5);
    for file in files.iter().filter(|path| path.is_file()) {
        let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
        assert!(!text.contains(NECROSIS), "{}", file.display());
        assert!(
            !text.contains("LASSO of the region") && !text.contains("AUC 0.") && !text.contains(",non-pGR,"),
            "{}",
            file.display()
        );
    }
}

#[test]
fn no_screen_shows_a_blind_reader_a_hidden_value() {
    let folder = tempfile::tempdir().unwrap();
    let full = study(folder.path());
    assert!(format!("{:?}", full.history_sheet("SYN001").unwrap()).contains(NECROSIS));
    let blind = full.seen(View::Blind);
    let sheets = [
        blind.history_sheet("SYN001"),
        blind.changes_sheet(None),
        blind.variables_sheet("SYN001"),
        blind.patients_sheet(),
        blind.patient_sheet("SYN001"),
        blind.queries_sheet(true),
        blind.runs_sheet(),
    ];
    for sheet in sheets {
        let text = format!("{:?}", sheet.unwrap());
        assert!(!text.contains(NECROSIS), "{text}");
    }
    assert!(!format!("{:?}", blind.overview().unwrap()).contains(NECROSIS));
    assert!(!format!("{:?}", blind.last_change("SYN001").unwrap()).contains(NECROSIS));
    assert!(!format!("{:?}", blind.patient_table(None).unwrap()).contains(NECROSIS));
    assert!(blind.movable_model().is_err() && blind.values_to_move("SYN001").is_err());
    assert!(blind.predictions_sheet("SYN001").is_err() && blind.chosen_sheet().is_err());
    assert!(blind.forest_figure().is_err() && blind.calculator().is_err());
    assert!(!format!("{:?}", blind.last_edit("SYN001")).contains(NECROSIS));
    let asked = osteon_study::study::Asked::Variable { code: "SYN001".into(), field: "necrosis_pct".into() };
    assert!(!format!("{:?}", blind.origin(&asked).unwrap()).contains(NECROSIS));
    // That there is a hidden change to turn back would tell that there is a value.
    assert!(matches!(blind.undo("SYN001", "a try", None), Err(osteon_study::study::Error::NothingToUndo(_))));
}

/// What a blind reader finds out by asking: a rule on necrosis, or the same value entered again.
#[test]
fn neither_rules_nor_guesses_tell_a_blind_reader_a_hidden_value() {
    let folder = tempfile::tempdir().unwrap();
    drop(study(folder.path()));
    let blind = |arguments: &[&str]| run(folder.path(), &[&["--blind"], arguments].concat());
    let full = |arguments: &[&str]| run(folder.path(), arguments);
    let protocol = blind(&["protocol", "show"]).1;
    let rule = protocol.replace("inconsistent = []", "inconsistent = [\"necrosis_pct: necrosis_pct < 90\"]");
    assert_ne!(rule, protocol);
    fs::write(folder.path().join("rule.toml"), rule).unwrap();
    let usual = protocol.replace("[query.usual]", "[query.usual]\nnecrosis_pct = [0.0, 50.0]");
    assert_ne!(usual, protocol);
    fs::write(folder.path().join("usual.toml"), usual).unwrap();
    for file in ["rule.toml", "usual.toml"] {
        let (code, _, told) = blind(&["protocol", "use", file, "--reason", "x"]);
        assert_eq!(code, 2, "{file}: {told}");
    }
    // Where somebody else made the rule, nothing of it is there to be counted: no query, no gap in the numbers.
    let before = blind(&["log", "-n", "0", "--format", "csv"]).1.lines().count();
    assert_eq!(full(&["protocol", "use", "rule.toml", "--reason", "x"]).0, 0);
    let raised = full(&["query", "list", "--format", "csv"]).1.matches("do not fit together").count();
    assert!(raised > 20);
    assert_eq!(full(&["query", "raise", "SYN009", "alp", "really?"]).0, 0);
    let log = blind(&["log", "-n", "0", "--format", "csv"]).1;
    let queries = log.lines().filter(|line| line.contains(",query,") && line.contains("necrosis")).count();
    // The new protocol, and the question on alp.
    assert_eq!((queries, log.lines().count()), (0, before + 2));
    let numbers: Vec<i64> = log.lines().skip(1).filter_map(|line| line.split(',').next()?.parse().ok()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] == pair[1] + 1), "{numbers:?}");
    let asked = blind(&["query", "list", "--format", "csv"]).1;
    let ids: Vec<i64> = asked.lines().skip(1).filter_map(|line| line.split(',').next()?.parse().ok()).collect();
    assert!(ids.iter().max().is_some_and(|most| usize::try_from(*most).unwrap() <= ids.len() + 1), "{ids:?}");
    assert_eq!(blind(&["export", "out"]).0, 0);
    let trail = fs::read_to_string(folder.path().join("out/trail.csv")).unwrap();
    assert!(!trail.lines().any(|line| line.contains(",query,") && line.contains("necrosis")));
    // A guess looks the same, right or wrong: nothing that is told changes.
    let all = || [blind(&["verify"]).1, blind(&["log", "-n", "0", "--format", "csv"]).1, blind(&["query", "list"]).1];
    let was = all();
    for guess in [NECROSIS, "55", "55", ""] {
        let value = format!("necrosis_pct={guess}");
        let said = blind(&["edit", "SYN001", &value, "--reason", "g"]);
        assert_eq!(said.0, 0, "{guess}");
        assert_eq!(all(), was, "{guess}");
    }
    assert_eq!(full(&["edit", "SYN001", &format!("necrosis_pct={NECROSIS}"), "--reason", "back"]).0, 0);
    let mut told = Vec::new();
    for guess in [NECROSIS, "55"] {
        fs::write(folder.path().join("g.csv"), format!("patient_id,necrosis_pct\nSYN001,{guess}\n")).unwrap();
        let import = blind(&["import", "clinical", "g.csv", "--reason", "r"]);
        assert_eq!(import.0, 0, "{}", import.2);
        let number = full(&["import", "list", "--format", "csv"])
            .1
            .lines()
            .nth(1)
            .unwrap()
            .split(',')
            .next()
            .unwrap()
            .to_owned();
        let undone = blind(&["undo", "--import", &number, "--reason", "z"]);
        assert_eq!(undone.0, 0, "{}", undone.2);
        told.push([import.1, import.2, undone.1, undone.2].map(|text| text.replace(|c: char| c.is_ascii_digit(), "")));
    }
    assert_eq!(told[0], told[1]);
    // Nor does an empty cell tell whether there is a value.
    assert_eq!(full(&["edit", "SYN002", "necrosis_pct=", "--reason", "lost"]).0, 0);
    let empty = |code: &str| {
        fs::write(folder.path().join("e.csv"), format!("patient_id,necrosis_pct\n{code},\n")).unwrap();
        let said = blind(&["import", "clinical", "e.csv", "--dry-run"]);
        (said.0, said.1.replace(code, ""), said.2.replace(code, ""))
    };
    assert_eq!(empty("SYN001"), empty("SYN002"));
    let of = |code: &str| blind(&["log", code, "--format", "csv"]).1.matches("necrosis").count();
    assert_eq!((of("SYN001"), of("SYN002")), (0, 0));
    let raised = |code: &str| blind(&["query", "raise", code, "necrosis_pct", "why?"]);
    assert_eq!(raised("SYN001"), raised("SYN002"));
    let rows = blind(&["status", "--format", "csv"]).1;
    assert!(!rows.contains(",train,") && !rows.contains(",test,"), "{rows}");
    let told = full(&["verify"]).2;
    assert!(!told.contains("trail"), "{told}");
}

/// Two studies that differ in one patient's necrosis alone, under a rule on it: what a blind reader takes out or turns back is
/// told with the same words and numbers.
#[test]
fn what_is_taken_out_or_turned_back_tells_a_blind_reader_nothing_hidden() {
    let told = ["95", "55", ""].map(|necrosis| {
        let folder = tempfile::tempdir().unwrap();
        let full = |arguments: &[&str]| run(folder.path(), arguments);
        let blind = |arguments: &[&str]| {
            let (code, printed, said) = run(folder.path(), &[&["--blind"], arguments].concat());
            assert_eq!(code, 0, "{arguments:?}: {said}");
            [printed, said]
        };
        fs::write(
            folder.path().join("p.toml"),
            "[query]\nmissing = true\n[query.usual]\nnecrosis_pct = [90.0, 100.0]\n",
        )
        .unwrap();
        assert_eq!(full(&["init", "--protocol", "p.toml"]).0, 0);
        let rows = format!("patient_id,age,alp,necrosis_pct\nA,14,100,{necrosis}\nB,15,200,95\nC,16,300,40\n");
        fs::write(folder.path().join("c.csv"), rows).unwrap();
        assert_eq!(full(&["import", "clinical", "c.csv"]).0, 0);
        let log = || {
            // Times and hashes differ between any two studies.
            let text = blind(&["log", "-n", "0", "--format", "json"])[0].clone();
            let rows: serde_json::Value = serde_json::from_str(&text).unwrap();
            let kept = ["seq", "table", "row", "field", "old", "reason"];
            let row = |it: &serde_json::Value| kept.map(|key| it[key].to_string()).join(" ");
            let rows = rows["rows"].as_array().or_else(|| rows.as_array()).unwrap().iter().map(row);
            rows.collect::<Vec<_>>()
        };
        assert_eq!(full(&["edit", "A", "necrosis_pct=", "--reason", "cleared"]).0, 0);
        let mut told = vec![blind(&["edit", "B", "alp=201", "--reason", "x"]), blind(&["undo", "B", "--reason", "y"])];
        assert_eq!(full(&["edit", "A", &format!("necrosis_pct={necrosis}"), "--reason", "again"]).0, 0);
        told.push(blind(&["undo", "B", "--reason", "z"]));
        told.push(blind(&["redact", "B", "age", "--reason", "r"]));
        told.push(blind(&["withdraw", "A", "--erase", "--reason", "w"]));
        assert_eq!(full(&["withdraw", "C", "--erase", "--reason", "w"]).0, 0);
        let log = log();
        assert!(
            log.iter().any(|it| it.contains("redaction")) && log.iter().any(|it| it.contains("turned back")),
            "{log:?}"
        );
        (told, log)
    });
    assert_eq!(told[0], told[1], "good and poor");
    assert_eq!(told[0], told[2], "known and missing");
}

#[test]
fn a_model_file_is_not_asked_by_a_blind_reader() {
    let folder = tempfile::tempdir().unwrap();
    drop(study(folder.path()));
    assert_eq!(run(folder.path(), &["model", "export", "-o", "m.json"]).0, 0);
    for arguments in [
        &["model", "show", "m.json"][..],
        &["model", "check", "m.json"],
        &["predict", "--model", "m.json", "image.nii", "mask.nii"],
    ] {
        let (code, printed, said) = run(folder.path(), &[&["--blind"], arguments].concat());
        assert!(code == 2 && printed.is_empty() && said.contains("blind"), "{arguments:?}: {code} {printed}{said}");
    }
}
