//! Tables 1, 2 and 4 of the synthetic cohort beside the published ones.

use std::path::Path;

use osteon_stats::table::Table;
use osteon_stats::table::read::Options;
use osteon_study::protocol::{Preset, Protocol};
use osteon_study::report::against::{Difference, against};
use osteon_study::report::sheet::{Format, render};
use osteon_study::study::{ClinicalTable, clinical_table, read_published, read_table};

use crate::support::{fixture, shared};

fn cohort() -> Table {
    read_table(&fixture("cohort.csv"), &Options::default()).unwrap().table
}

fn published_cells(which: ClinicalTable, path: &Path, protocol: &Protocol) -> Vec<String> {
    let (_, entries) = clinical_table(which, &cohort(), protocol).unwrap();
    let differing = against(which.number(), &entries, &read_published(path).unwrap());
    let line = |cell: &osteon_study::report::against::Compared| {
        let ours = cell.ours.as_ref().map_or("nothing".to_owned(), |ours| ours.text());
        let theirs = cell.theirs.clone().unwrap_or_else(|| "nothing".to_owned());
        format!("{} | {} | {}: {ours}, printed {theirs}", cell.set, cell.row, cell.column)
    };
    differing.iter().filter(|cell| cell.difference != Difference::Same).map(line).collect()
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_published_tables_come_out_but_for_their_known_errors() {
    let Some(path) = shared("paper/tables.csv") else { return };
    let published = Preset::Published.protocol();
    let table = |which| published_cells(which, &path, &published);
    // Miscounted, misrounded or mistyped in print, but for the SDs of the diameter: no cohort meets those of Table 1
    // and of Table 2 together.
    assert_eq!(
        table(ClinicalTable::One),
        [
            "all | Location: Femur | non-pGR: 30 (62.5), printed 30(62.4)",
            "all | Location: Tibia | non-pGR: 9 (18.8), printed 8(18.8)",
            "all | Location: Others | pGR: 7 (15.6), printed 7(15.5)",
            "all | Location: Others | non-pGR: 9 (18.8), printed 7(18.8)",
            "all | Lung metastasis: Yes | non-pGR: 4 (8.3), printed 4(8.4)",
            "all | Age | non-pGR: 17.77 ± 9.43, printed 17.77 ± 8.89",
            "all | Age | P value: 0.577, printed 0.557",
            "all | Diameter | Total: 100.24 ± 39.52, printed 100.24 ± 39.56",
            "all | Diameter | non-pGR: 96.17 ± 35.54, printed 96.17 ± 35.63",
        ]
    );
    assert_eq!(
        table(ClinicalTable::Two),
        [
            "test | Location: Femur | pGR: 5 (55.6), printed 2(55.6)",
            "test | Location: Others | non-pGR: 1 (11.1), printed 1(11.2)",
            "test | Pathological fracture: Yes | pGR: 5 (55.6), printed 5(55,6)",
        ]
    );
    // The one p value that the synthetic cohort does not meet.
    assert_eq!(table(ClinicalTable::Four), ["all | Diameter | univariate P value: 0.308, printed 0.289"]);
}

fn text(which: ClinicalTable, preset: Preset) -> String {
    render(&clinical_table(which, &cohort(), &preset.protocol()).unwrap().0, Format::Text)
}

#[test]
fn the_recommended_tables_name_other_tests_and_say_why() {
    let one = text(ClinicalTable::One, Preset::Recommended);
    assert!(one.contains("Lung metastasis: Fisher exact: 50 % of expected counts below 5, smallest 3.87"), "{one}");
    assert!(one.contains("Sex: Pearson chi-square: 0 % of expected counts below 5"), "{one}");
    assert!(one.contains("Age: Mann-Whitney Z: not normal, K-S (Lilliefors) p < 0.001"), "{one}");
    let published = text(ClinicalTable::One, Preset::Published);
    assert!(published.contains("Lung metastasis: Pearson chi-square: as the protocol sets it, though"), "{published}");
    let two = text(ClinicalTable::Two, Preset::Recommended);
    assert!(two.contains("Diameter: t: normal"), "{two}");
}

#[test]
fn table_4_says_who_decided_and_why_each_variable_is_in_or_out() {
    let published = text(ClinicalTable::Four, Preset::Published);
    assert!(published.contains("all 93 patients decide which variables enter"), "{published}");
    assert!(published.contains("ALP: in: p 0.011 is below 0.1"), "{published}");
    assert!(published.contains("Location (against Others): out: p 0.899 is not below 0.1"), "{published}");
    let recommended = text(ClinicalTable::Four, Preset::Recommended);
    assert!(recommended.contains("the 75 patients of the training set alone decide"), "{recommended}");
    // Fracture in the training set: 3.182 (1.220-8.297), from 20/11 against 16/28 patients.
    assert!(recommended.contains("3.182 (1.220-8.297)"), "{recommended}");
}

#[test]
fn every_format_holds_every_table_and_text_fits_a_terminal() {
    for which in [ClinicalTable::One, ClinicalTable::Two, ClinicalTable::Four] {
        let (sheet, _) = clinical_table(which, &cohort(), &Preset::Study.protocol()).unwrap();
        let text = render(&sheet, Format::Text);
        let widest = text.lines().map(unicode_width::UnicodeWidthStr::width).max().unwrap();
        assert!(widest <= 80, "{widest}");
        assert!(render(&sheet, Format::Latex).contains("\\toprule"));
        let json: serde_json::Value = serde_json::from_str(&render(&sheet, Format::Json)).unwrap();
        assert_eq!(json["rows"].as_array().unwrap().len(), sheet.rows.len());
        let mut csv = csv::Reader::from_reader(std::io::Cursor::new(render(&sheet, Format::Csv)));
        assert_eq!(csv.records().map(Result::unwrap).count(), sheet.rows.len());
    }
}

#[test]
fn a_preset_is_refused_where_it_has_no_say() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(crate::support::run(folder.path(), &["init"]).0, 0);
    let (code, _, error) = crate::support::run(folder.path(), &["table", "3", "--preset", "published"]);
    assert_eq!(code, 2);
    assert!(error.contains("--preset chooses the tests of Tables 1, 2 and 4; Table 3 has none"), "{error}");
}

/// `OSTEON_WRITE_TABLES=1` records them.
#[test]
fn tables_1_2_and_4_of_the_published_study_are_as_recorded() {
    for which in [ClinicalTable::One, ClinicalTable::Two, ClinicalTable::Four] {
        let (sheet, _) = clinical_table(which, &cohort(), &Preset::Study.protocol()).unwrap();
        let path = fixture(&format!("study/table_{}.csv", which.number()));
        if std::env::var_os("OSTEON_WRITE_TABLES").is_some() {
            std::fs::write(&path, render(&sheet, Format::Csv)).unwrap();
        }
        let recorded = std::fs::read_to_string(path).unwrap();
        assert_eq!(render(&sheet, Format::Csv), recorded, "Table {}", which.number());
    }
}

/// Makes, measures and fits the demonstration study, which takes minutes: `OSTEON_SWEEP=1`.
#[test]
fn tables_3_and_5_of_the_published_study_are_as_recorded() {
    if std::env::var_os("OSTEON_SWEEP").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(crate::support::run(folder.path(), &["demo", "--no-dashboard", "d"]).0, 0);
    for table in ["3", "5"] {
        let arguments = ["table", table, "--study", "d/study.db", "--format", "csv"];
        let (code, made, error) = crate::support::run(folder.path(), &arguments);
        assert_eq!(code, 0, "{error}");
        let recorded = std::fs::read_to_string(fixture(&format!("study/table_{table}.csv"))).unwrap();
        assert_eq!(made, recorded, "Table {table}");
    }
}
