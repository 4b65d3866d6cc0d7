//! Alterations of a study file by somebody who knows the program: each is named by `verify`, or cannot be made.

use std::path::Path;
use std::sync::LazyLock;

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_study::store::{Access, ImageFile, Judgement, NewRun, Role};
use osteon_study::study::{Edit, Study};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use crate::fit;

/// What is altered, and by which statements. Triggers in the way are dropped and made again as they were.
const ALTERATIONS: &[(&str, &str)] = &[
    ("a value", "UPDATE clinical SET number = number + 1 WHERE patient = 3 AND kind = 'number'"),
    (
        "a level",
        "UPDATE clinical SET word = 'tibia' WHERE word = 'femur' AND patient = (SELECT max(patient) FROM clinical WHERE word = 'femur')",
    ),
    ("a value that is gone", "DELETE FROM clinical WHERE patient = 3 AND kind = 'number'"),
    (
        "a value that is made missing",
        "UPDATE clinical SET number = NULL, missing = 'unknown' WHERE patient = 3 AND number IS NOT NULL",
    ),
    (
        "values of two patients exchanged",
        "UPDATE clinical SET patient = CASE patient WHEN 1 THEN 1000 ELSE 1 END WHERE patient IN (1, 2) AND kind = 'number' AND variable = 8 AND patient = 1; UPDATE clinical SET patient = 1 WHERE patient = 2 AND variable = 8; UPDATE clinical SET patient = 2 WHERE patient = 1000",
    ),
    ("a patient's id", "UPDATE patient SET code = 'NOBODY' WHERE id = 3"),
    (
        "ids of two patients exchanged",
        "UPDATE patient SET code = 'x' WHERE id = 1; UPDATE patient SET code = 'SYN001' WHERE id = 2; UPDATE patient SET code = 'SYN002' WHERE id = 1",
    ),
    ("an exclusion", "UPDATE patient SET included = 0, exclusion_reason = 'x' WHERE id = 3"),
    ("a patient", "INSERT INTO patient (code) VALUES ('NEW')"),
    ("an outcome", "UPDATE outcome SET event = 1 - event WHERE patient = 3"),
    ("an outcome that is gone", "DELETE FROM outcome WHERE patient = 3"),
    ("a bound of a variable", "UPDATE variable SET high = 1e9 WHERE key = 'alp'"),
    ("a variable's name", "UPDATE variable SET name = 'ldh2' WHERE key = 'ldh'"),
    ("a level that is gone", "DELETE FROM level WHERE name = 'tibia'"),
    ("the view of the cohort", "DROP VIEW cohort; CREATE VIEW cohort AS SELECT code AS id, 1 AS alp FROM patient"),
    ("the protocol's text", "UPDATE protocol SET toml = replace(toml, 'seed', 'Seed')"),
    (
        "another protocol in force",
        "INSERT INTO protocol SELECT replace(hash, substr(hash, 1, 4), 'abcd'), toml FROM protocol LIMIT 1; UPDATE study SET protocol_hash = (SELECT hash FROM protocol WHERE hash LIKE 'abcd%')",
    ),
    ("the study's title", "UPDATE study SET title = 'Another study'"),
    ("a lock", "UPDATE study SET locked_at = '2026-01-01T00:00:00Z', locked_by = 'x'"),
    ("a set of the split", "UPDATE split_member SET side = iif(side = 'train', 'test', 'train') WHERE patient = 3"),
    ("all sets of the split", "UPDATE split_member SET side = iif(side = 'train', 'test', 'train')"),
    ("a member of the split that is gone", "DELETE FROM split_member WHERE patient = 3"),
    ("the split's seed", "UPDATE split SET seed = 99"),
    ("a lock of the split", "UPDATE split SET locked = 1"),
    ("a feature value", "UPDATE feature_block SET v2 = v2 * 1.5 WHERE extraction = 1"),
    ("a feature value, hashed again", "UPDATE feature_block SET v2 = v2 * 1.5 WHERE extraction = 1; RESEAL"),
    ("a feature rescaled in all, hashed again", "UPDATE feature_block SET v0 = v0 * (1 + 0.01 * extraction); RESEAL"),
    ("a feature made undefined, hashed again", "UPDATE feature_block SET v1 = NULL; RESEAL"),
    (
        "values of two patients exchanged, hashed again",
        "UPDATE extraction SET patient = -1 WHERE patient = 1; UPDATE extraction SET patient = 1 WHERE patient = 2; UPDATE extraction SET patient = 2 WHERE patient = -1; RESEAL",
    ),
    (
        "names of two features exchanged",
        "UPDATE feature SET name = 'x' WHERE id = 1; UPDATE feature SET name = (SELECT name FROM feature WHERE id = 2) || '' WHERE id = 1 AND 0; UPDATE feature SET name = 'y' WHERE id = 2",
    ),
    (
        "names of two features exchanged, hashed again",
        "UPDATE feature SET name = 'x' WHERE id = 1; UPDATE feature SET name = 'y' WHERE id = 2; RESEAL",
    ),
    ("the order of a layout, hashed again", "UPDATE layout SET features = replace(features, '[1,2,', '[2,1,'); RESEAL"),
    ("results of one patient that are gone", "DELETE FROM extraction WHERE patient = 3"),
    ("all results that are gone", "DELETE FROM feature_block; DELETE FROM extraction"),
    (
        "a result of another image, hashed again",
        "UPDATE extraction SET image_sha256 = 'another' WHERE patient = 3; RESEAL",
    ),
    (
        "a result of another rater, hashed again",
        "UPDATE extraction SET rater = 'x' WHERE patient = 3 AND rater = 'mask'; RESEAL",
    ),
    ("a prediction", "UPDATE prediction SET probability = 0.5 WHERE patient = 3"),
    ("predictions that are gone", "DELETE FROM prediction WHERE patient = 3"),
    ("a model's recipe", "UPDATE model SET recipe = '{}' WHERE name = 'clinical'"),
    ("a selected feature", "UPDATE selected_feature SET weight = -weight"),
    ("a fit's seed", "UPDATE run SET seed = 7 WHERE kind = 'fit'"),
    ("the actor of a change", "UPDATE change SET actor = 'nobody' WHERE seq = 9"),
    ("the value of a change", "UPDATE change SET new = '1' WHERE seq = 9"),
    ("the reason of a change", "UPDATE change SET reason = 'x' WHERE seq = 9"),
    (
        "a number as a word",
        "UPDATE clinical SET word = CAST(CAST(number AS INT) AS TEXT), number = NULL WHERE variable = (SELECT id FROM variable WHERE key = 'alp') AND number = CAST(number AS INT)",
    ),
    (
        "a missing value as a word",
        "UPDATE clinical SET word = 'missing: unknown', number = NULL WHERE patient = 3 AND kind = 'number'",
    ),
    (
        "a fit that never was",
        "INSERT INTO run SELECT 77, kind, protocol_hash, inputs, seed, program_version, actor, host, started_at, finished_at, locked, trail_head FROM run WHERE kind = 'fit'; INSERT INTO model SELECT id + 1000, 77, split, name, kind, recipe FROM model; INSERT INTO prediction SELECT model + 1000, patient, origin, 1 - probability, linear FROM prediction",
    ),
    (
        "a verdict that nobody gave",
        "INSERT INTO verdict VALUES (1, 3, 'image', '1', 'mask', substr(hex(zeroblob(32)), 1, 64), 'dr', 'accepted', '', '2026-01-01T00:00:00Z')",
    ),
    (
        "a merge that never was",
        "INSERT INTO shard SELECT max(id), substr(hex(zeroblob(32)), 1, 64), 1, 1, substr(hex(zeroblob(32)), 1, 64) FROM run",
    ),
    (
        "a set that is told twice",
        "UPDATE split_member SET side = 'train' WHERE patient = 3; APPEND split|1|SYN003|train",
    ),
    (
        "a link rewritten under a redaction",
        "UPDATE change SET new = '6300', actor = 'prof' WHERE seq = 11; UPDATE clinical SET number = 6300 WHERE patient = 1 AND variable = 8; APPEND redaction|SYN001|change 11|SEAL",
    ),
    (
        "the hash of a fit taken away by a redaction",
        "UPDATE change SET tbl = 'runs', new = '[redacted]' WHERE tbl = 'run'; UPDATE prediction SET probability = 0.5; APPEND redaction|x|change 0|SEAL",
    ),
    ("the salt of a change", "UPDATE change SET salt = replace(salt, 'a', 'b'), new = new WHERE seq BETWEEN 9 AND 20"),
    ("the end of the trail", "DELETE FROM change WHERE seq > 100"),
    ("a change in the middle", "DELETE FROM change WHERE seq = 50"),
    (
        "a change that was never made",
        "INSERT INTO change SELECT seq + 1, at, actor, host, tbl, row_key, field, old, '7', reason, hash, 'x', salt, sealed FROM change ORDER BY seq DESC LIMIT 1",
    ),
    ("a trigger of another", "CREATE TRIGGER sqlite1 AFTER UPDATE ON patient BEGIN SELECT 1; END"),
    ("a table of another", "CREATE TABLE notes (text)"),
    ("a view of another", "CREATE VIEW notes AS SELECT 1"),
    ("an index of another", "CREATE INDEX notes ON patient (code)"),
    ("a trigger that is gone", "DROP TRIGGER patient_kept"),
    (
        "an import",
        "INSERT INTO import VALUES (9, 'clinical', 'x.csv', substr(hex(zeroblob(32)), 1, 64), 5, 9, '2026-01-01T00:00:00Z', NULL, '')",
    ),
    (
        "numbers of two patients without images exchanged",
        "UPDATE patient SET id = 9001 WHERE code = 'LATE1'; UPDATE patient SET id = (SELECT id FROM patient WHERE code = 'LATE2') + 5000 WHERE code = 'LATE2'; UPDATE clinical SET patient = 9001 WHERE patient = (SELECT 94); UPDATE patient SET id = 95 WHERE code = 'LATE1'; UPDATE patient SET id = 94 WHERE code = 'LATE2'; UPDATE clinical SET patient = 9002 WHERE patient = 95; UPDATE clinical SET patient = 95 WHERE patient = 9001; UPDATE clinical SET patient = 94 WHERE patient = 9002; UPDATE outcome SET patient = 9001 WHERE patient = 94; UPDATE outcome SET patient = 94 WHERE patient = 95; UPDATE outcome SET patient = 95 WHERE patient = 9001; UPDATE query SET patient = 9001 WHERE patient = 94; UPDATE query SET patient = 94 WHERE patient = 95; UPDATE query SET patient = 95 WHERE patient = 9001",
    ),
    (
        "a prediction of a run that never ended",
        "INSERT INTO run SELECT 77, 'predict', protocol_hash, 'models of run 2', seed, program_version, actor, host, started_at, NULL, locked, trail_head FROM run WHERE kind = 'fit'; INSERT INTO model SELECT 5000, 77, split, 'radiomics', 'forest', '{}' FROM model LIMIT 1; INSERT INTO prediction VALUES (5000, 3, 'fitted', 0.9, NULL)",
    ),
    ("the settings of a run that never ended", "UPDATE run SET inputs = 'x' WHERE finished_at IS NULL"),
    (
        "answers of two queries exchanged",
        "UPDATE query SET answer = CASE id WHEN (SELECT min(id) FROM query WHERE field = 'alp' AND source = 'person') THEN 'no' ELSE 'yes' END WHERE field = 'alp' AND source = 'person'",
    ),
    ("numbers of queries", "UPDATE query SET id = id + 40000 WHERE field = 'alp' AND source = 'person'"),
    ("an import's file", "UPDATE import SET path = 'other.csv'"),
    ("an import's date", "UPDATE import SET at = '2019-01-01T00:00:00Z'"),
    ("when the study was made", "UPDATE study SET created_at = '2019-01-01T00:00:00Z'"),
    ("who made the study", "UPDATE study SET created_by = 'prof'"),
    ("the share of a split", "UPDATE split SET train_fraction = 0.5"),
    ("what a split was stratified by", "UPDATE split SET strata = 'response, age and centre'"),
    ("when a split was made", "UPDATE split SET created_at = '2019-01-01T00:00:00Z'"),
    (
        "a trigger that poses as SQLite's own",
        "PRAGMA writable_schema = ON; CREATE TRIGGER sqlite_autotrigger_1 AFTER INSERT ON prediction BEGIN SELECT 1; END; PRAGMA writable_schema = OFF",
    ),
    (
        "a second fit of the same data with other predictions, told as the program would",
        "INSERT INTO run SELECT 77, kind, protocol_hash, inputs, seed, program_version, actor, host, started_at, finished_at, locked, trail_head FROM run WHERE kind = 'fit'; INSERT INTO model SELECT id + 1000, 77, split, name, kind, recipe FROM model; INSERT INTO selected_feature SELECT model + 1000, position, feature, weight FROM selected_feature; INSERT INTO prediction SELECT model + 1000, patient, origin, 1 - probability, linear FROM prediction; APPEND run|77|models|RUN",
    ),
    ("an answer to a query", "UPDATE query SET answer = 'another' WHERE id = 1"),
];

/// A fitted study, in one file.
fn fitted(folder: &Path) -> std::path::PathBuf {
    static FITTED: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.db");
        let study = fit::study(Some(&path));
        study.draw_split(Seed(4), 0.806).unwrap();
        study.fit(&Job::unwatched()).unwrap();
        drop(study);
        std::fs::read(path).unwrap()
    });
    std::fs::write(folder.join("study.db"), &*FITTED).unwrap();
    folder.join("study.db")
}

/// Changes that somebody makes after the fit; gives the head that was noted then.
fn changed(path: &Path) -> String {
    let study = Study::open(path, Access::Write).unwrap();
    let query = study.raise_query("SYN001", "alp", "really?").unwrap();
    study.answer_query(query, "yes").unwrap();
    let second = study.raise_query("SYN001", "alp", "and then?").unwrap();
    study.answer_query(second, "no").unwrap();
    let late = path.with_file_name("late.csv");
    std::fs::write(&late, "patient_id,alp\nLATE1,100\nLATE2,200\n").unwrap();
    study.import_clinical(&late, None, osteon_study::study::BadRows::Refuse).unwrap();
    // An extraction that was killed.
    let begun = NewRun { kind: "extract", inputs: "settings", seed: Seed(0) };
    study.store().write::<_, osteon_study::store::StoreError>("extract", |write| write.begin_run(&begun)).unwrap();
    study.edit("SYN050", &[Edit { field: "alp".into(), value: "123".into() }], "typing error", None).unwrap();
    study.store().trail_head().unwrap()
}

fn hash(fields: &[Option<String>]) -> String {
    let digest = Sha256::digest(serde_json::to_string(fields).unwrap());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(value: ValueRef) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

fn know_seal(file: &Connection) {
    let seal =
        |context: &Context| Ok(hash(&(0..context.len()).map(|at| text(context.get_raw(at))).collect::<Vec<_>>()));
    file.create_scalar_function("osteon_seal", -1, FunctionFlags::SQLITE_UTF8, move |context| seal(context)).unwrap();
}

/// Computes the hashes of rows and values anew, as the documentation of the schema tells anybody to.
fn reseal(file: &Connection) {
    let mut ids = file.prepare("SELECT id FROM extraction WHERE status = 'done'").unwrap();
    let ids: Vec<i64> = ids.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for id in ids {
        let sql = "SELECT value FROM feature_value WHERE extraction = ?1 ORDER BY feature";
        let mut values = file.prepare_cached(sql).unwrap();
        let mut digest = Sha256::new();
        for value in values.query_map([id], |row| row.get::<_, Option<f64>>(0)).unwrap() {
            digest.update((value.unwrap().unwrap_or(f64::NAN) + 0.0).to_le_bytes());
        }
        let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        file.execute("UPDATE extraction SET values_sha256 = ?2 WHERE id = ?1", (id, digest)).unwrap();
    }
    file.execute_batch(
        "UPDATE layout SET seal = osteon_seal(features, (SELECT json_group_array(name ORDER BY place.key)
             FROM json_each(features) AS place JOIN feature ON feature.id = place.value));
         UPDATE extraction SET seal = osteon_seal(patient, slot, region, lesion, rater, run, image_sha256, mask_sha256,
             status, error, values_sha256, layout, diagnostics);",
    )
    .unwrap();
}

/// Puts a link at the end of the chain that continues it as the program would: `table|row|field|new`, where `SEAL` is the
/// hash of the link that the field names, as it stands.
fn append(file: &Connection, link: &str) {
    let parts: Vec<&str> = link.split('|').collect();
    let last = "SELECT seq, at, actor, host, hash FROM change ORDER BY seq DESC LIMIT 1";
    let last: (i64, String, String, String, String) =
        file.query_row(last, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))).unwrap();
    let (seq, at, actor, host, previous) = last;
    let new = match parts[3] {
        "SEAL" => {
            let sql = "SELECT seq, at, actor, host, tbl, row_key, field, old, new, reason, previous, hash, salt, sealed
                       FROM change WHERE 'change ' || seq = ?1";
            let row = |row: &rusqlite::Row| (0..14).map(|at| Ok(text(row.get_ref(at)?))).collect::<Result<Vec<_>, _>>();
            file.query_row(sql, [parts[2]], row).map(|row| hash(&row)).unwrap_or_default()
        }
        "RUN" => seal_of_run(file, parts[1]),
        other => other.to_owned(),
    };
    let salt = ["0".repeat(32), "1".repeat(32), "2".repeat(32)];
    let texts = [("old", None), ("new", Some(new.clone())), ("reason", Some("x".to_owned()))];
    let sealed = salt
        .iter()
        .zip(&texts)
        .map(|(salt, (name, text))| hash(&[Some(salt.clone()), Some((*name).to_owned()), text.clone()]));
    let sealed = sealed.collect::<Vec<_>>().join(" ");
    let link = serde_json::json!([seq + 1, at, actor, host, parts[0], parts[1], parts[2], sealed, previous]);
    let own: String = Sha256::digest(link.to_string()).iter().map(|byte| format!("{byte:02x}")).collect();
    let sql = "INSERT INTO change VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, ?8, 'x', ?9, ?10, ?11, ?12)";
    let bound = rusqlite::params![
        seq + 1,
        at,
        actor,
        host,
        parts[0],
        parts[1],
        parts[2],
        new,
        previous,
        own,
        salt.join(" "),
        sealed
    ];
    file.execute(sql, bound).unwrap();
}

/// The hash of a finished run with its models, by the rules that anybody can read.
fn seal_of_run(file: &Connection, run: &str) -> String {
    let json = |sql: &str, bound: &str| -> Vec<serde_json::Value> {
        let mut statement = file.prepare(sql).unwrap();
        let rows = statement.query_map([bound], |row| row.get::<_, String>(0)).unwrap();
        rows.map(|row| serde_json::from_str(&row.unwrap()).unwrap()).collect()
    };
    let bits = |value: &serde_json::Value| value.as_f64().map(f64::to_bits);
    let of_run = "SELECT json_array(kind, protocol_hash, inputs, seed, program_version, actor, host, started_at)
                  FROM run WHERE id = ?1";
    let rest = "SELECT json_array(finished_at, locked, trail_head) FROM run WHERE id = ?1";
    let mut rest = json(rest, run).remove(0);
    rest[1] = (rest[1] == 1).into();
    let mut models = Vec::new();
    for model in json("SELECT json_array(id, split, name, kind, recipe) FROM model WHERE run = ?1 ORDER BY id", run) {
        let of = "SELECT json_array(patient, iif(origin = 'fitted', origin, 'out of fold'), probability, linear)
                  FROM prediction WHERE model = ?1 ORDER BY patient, origin";
        let mut predictions = json(of, &model[0].to_string());
        for one in &mut predictions {
            (one[2], one[3]) = (bits(&one[2]).into(), bits(&one[3]).into());
        }
        models.push(serde_json::json!([model[1], model[2], model[3], model[4], predictions]));
    }
    let selected = "SELECT json_array(name, feature, weight) FROM selected_feature JOIN model ON model.id = model
                    WHERE run = ?1 ORDER BY model, position";
    let mut selected = json(selected, run);
    selected.iter_mut().for_each(|one| one[2] = bits(&one[2]).into());
    let all = serde_json::json!([json(of_run, run)[0], rest, models, selected]);
    Sha256::digest(all.to_string()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes the alteration with every trigger out of the way; false where the file does not allow it.
fn alter(path: &Path, statements: &str) -> bool {
    let file = Connection::open(path).unwrap();
    file.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    let mut triggers = file.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let triggers: Vec<(String, String)> =
        triggers.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    for (name, _) in triggers.iter().filter(|_| !statements.contains("TRIGGER")) {
        file.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
    }
    let (sql, again) = statements.split_once("; RESEAL").map_or((statements, false), |(sql, _)| (sql, true));
    let (sql, appended) = sql.split_once("; APPEND ").map_or((sql, None), |(sql, link)| (sql, Some(link)));
    know_seal(&file);
    if file.execute_batch(sql).is_err() {
        return false;
    }
    if again {
        reseal(&file);
    }
    if let Some(link) = appended {
        append(&file, link);
    }
    for (_, sql) in triggers.iter().filter(|_| !statements.contains("TRIGGER")) {
        file.execute_batch(sql).unwrap();
    }
    true
}

#[test]
fn every_alteration_is_named_by_verify_or_cannot_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = fitted(folder.path());
    let head = changed(&path);
    let verify = |study: &Study| {
        let found = study.verify(Some(&head), &Job::unwatched()).unwrap().findings;
        found.into_iter().filter(|it| !it.contains("other files")).collect::<Vec<_>>()
    };
    assert_eq!(verify(&Study::open(&path, Access::Read).unwrap()), [""; 0]);
    let mut unseen = Vec::new();
    let mut impossible = Vec::new();
    for (at, (what, statements)) in ALTERATIONS.iter().enumerate() {
        let copy = folder.path().join(format!("copy{at}.db"));
        std::fs::copy(&path, &copy).unwrap();
        if !alter(&copy, statements) {
            impossible.push(*what);
            continue;
        }
        // A file that is not opened at all is named too.
        match Study::open(&copy, Access::Read) {
            Ok(study) if verify(&study).is_empty() => unseen.push(*what),
            _ => (),
        }
        std::fs::remove_file(&copy).unwrap();
    }
    assert!(ALTERATIONS.len() >= 40);
    assert_eq!(unseen, [""; 0], "unseen by verify");
    assert_eq!(impossible, [""; 0], "an alteration of this list that cannot be made tests nothing");
}

#[test]
fn what_a_fit_left_is_checked_by_whoever_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = fitted(folder.path());
    let readers: [&[&str]; 7] = [
        &["table", "3"],
        &["table", "5"],
        &["figure", "roc", "-o", "roc.svg"],
        &["evaluate"],
        &["predict", "SYN003"],
        &["model", "export", "-o", "model.json"],
        &["report", "-o", "report"],
    ];
    for sql in
        ["UPDATE prediction SET probability = 0.5 WHERE patient = 3", "UPDATE selected_feature SET weight = -weight"]
    {
        let copy = folder.path().join("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        assert!(alter(&copy, sql));
        for reader in readers {
            let (code, printed, said) = crate::support::run(folder.path(), &[&["--study", "copy.db"], reader].concat());
            assert_eq!(code, 3, "{sql}, {reader:?}: {printed}{said}");
            assert!(said.contains("are not those that the trail has a hash of"), "{sql}, {reader:?}: {said}");
        }
        std::fs::remove_file(&copy).unwrap();
    }
}

#[test]
fn a_link_that_the_test_computes_is_the_program_s_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = fitted(folder.path());
    let file = Connection::open(&path).unwrap();
    let told = "SELECT row_key, new FROM change WHERE tbl = 'run' AND field = 'models'";
    let (run, told): (String, String) = file.query_row(told, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert_eq!(seal_of_run(&file, &run), told);
}

#[test]
fn verify_says_what_stands_behind_the_expected_head() {
    let folder = tempfile::tempdir().unwrap();
    let path = fitted(folder.path());
    let head = changed(&path);
    let study = Study::open(&path, Access::Write).unwrap();
    study.edit("SYN051", &[Edit { field: "alp".into(), value: "124".into() }], "typing error", None).unwrap();
    let notes = study.verify(Some(&head), &Job::unwatched()).unwrap().notes;
    assert!(notes.iter().any(|note| note.ends_with("; 1 after it")), "{notes:?}");
    assert!(notes.iter().any(|note| note.starts_with("after the expected head: 1 change of patient by ")), "{notes:?}");
}

#[test]
fn grids_and_verdicts_are_held_against_files_and_trail() {
    let (folder, study) = crate::extract::study();
    study.import_images(&folder.path().join("images"), osteon_study::study::BadRows::Refuse).unwrap();
    let masks = study.store().images().unwrap();
    let rated = masks.iter().find(|file| file.role == Role::RepeatMask).map(ImageFile::title);
    let judged = rated.clone().or_else(|| masks.iter().find(|it| it.role == Role::Mask).map(ImageFile::title)).unwrap();
    let code = study.store().patients().unwrap()[0].code.clone();
    study.judge(&code, Some(&judged), Judgement::ToRedo, "cut off").unwrap();
    let path = study.store().path().to_owned();
    drop(study);
    let found = |sql: &str| {
        let copy = folder.path().join("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        assert!(sql.is_empty() || alter(&copy, sql));
        Study::open(&copy, Access::Read).unwrap().verify(None, &Job::unwatched()).unwrap().findings
    };
    assert_eq!(found(""), [""; 0]);
    let sealed =
        "seal = osteon_seal(patient, kind, slot, lesion, rater, path, sha256, bytes, label, geometry, acquisition)";
    let grid = format!(
        "UPDATE image SET geometry = json_set(geometry, '$.spacing_mm', json('[9, 9, 9]')); UPDATE image SET {sealed}"
    );
    assert!(found(&grid).iter().any(|it| it.contains("not that of the file")), "{:?}", found(&grid));
    let size = format!("UPDATE image SET bytes = 7; UPDATE image SET {sealed}");
    assert!(found(&size).iter().any(|it| it.contains("not that of the file")));
    let moved = found(
        "UPDATE verdict SET lesion = lesion || ' ' || substr(rater, 1, instr(rater, ' ') - 1), rater = substr(rater, instr(rater, ' ') + 1)",
    );
    assert!(moved.iter().any(|it| it.starts_with("verdict ")), "{moved:?}");
}
