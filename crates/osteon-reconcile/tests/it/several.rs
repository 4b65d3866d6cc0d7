//! Tables that mix units, denominators and cohorts, as papers do: what is consistent, and what is found nevertheless.

use osteon_reconcile::read::correction::Correction;
use osteon_reconcile::read::{Params, read};
use osteon_reconcile::{Finding, PublishedCell, Severity, judge};

use crate::forms::judged;

/// A Markdown table of a header and lines.
fn table(header: &str, lines: &str) -> String {
    format!("| {header} |\n|{}\n{lines}", "--|".repeat(header.matches('|').count() + 1))
}

/// All findings of a file of any kind.
fn all(text: &str) -> Vec<Finding> {
    let readings = read(text.as_bytes(), "t.csv", &Correction::default(), &Params::default()).unwrap();
    let cells: Vec<PublishedCell> = readings.into_iter().flat_map(|it| it.cells).collect();
    judge(&cells).findings
}

#[test]
fn a_denominator_printed_in_the_cell_is_the_denominator() {
    // SciPy: chi-square of 31/88 and 14/39 without correction has p 0.942; of 31/97 and 14/42 it has 0.874.
    let lines = "| Male | 56/97 (57.7) | 25/42 (59.5) | 0.844 |\n| Elevated LDH | 31/88 (35.2) | 14/39 (35.9) | 0.942 |\n\
                 | Metastasis | 15/97 (15.5) | 9/42 (21.4) | 0.393 |\n| Fracture | 9/97 (9.3) | 5/42 (11.9) | 0.637 |\n";
    let text = table("Characteristic | Training (n = 97) | Test (n = 42) | P", lines);
    assert_eq!(judged(&text, ""), []);
    let found = judged(&text.replace("31/88 (35.2)", "31/88 (38.2)"), "");
    assert!(found.len() == 1 && found[0].implied == "31(35.2)", "{found:#?}");
}

#[test]
fn one_number_settles_the_decimal_comma_of_its_file() {
    let text = "Model;AUC (95% CI);Accuracy;Sensitivity;Specificity\n\
                Clinical;0,685 (0,517-0,853);0,690;0,917;0,389\n\
                Radiomics;0,905 (0,813-0,997);0,833;0,833;0,833\n\
                Nomogram;0,958 (0,900-1,000);0,929;1,000;0,833\n";
    let found: Vec<Finding> = all(text).into_iter().filter(|it| it.severity != Severity::Note).collect();
    assert_eq!(found, []);
    let found = all(&text.replace("0,929", "0,729"));
    assert!(found.iter().any(|it| it.severity != Severity::Note && it.place.row == "Nomogram"), "{found:#?}");
}

#[test]
fn a_cohort_as_large_as_the_others_is_no_total() {
    // SciPy: chi-square of all three cohorts.
    let lines = "| Sex | | | | 0.662 |\n| Male | 52 (57.8%) | 25 (55.6%) | 29 (64.4%) | |\n| Female | 38 (42.2%) | 20 (44.4%) | 16 (35.6%) | |\n\
                 | Location | | | | 0.835 |\n| Femur | 45 (50.0%) | 20 (44.4%) | 25 (55.6%) | |\n| Tibia | 30 (33.3%) | 15 (33.3%) | 13 (28.9%) | |\n\
                 | Other | 15 (16.7%) | 10 (22.2%) | 7 (15.6%) | |\n\
                 | Response | | | | 0.807 |\n| Good | 40 (44.4%) | 21 (46.7%) | 18 (40.0%) | |\n| Poor | 50 (55.6%) | 24 (53.3%) | 27 (60.0%) | |\n";
    let header =
        "Characteristic | Training cohort (n = 90) | Internal validation (n = 45) | External validation (n = 45) | P";
    let text = table(header, lines);
    assert_eq!(judged(&text, ""), []);
    let found = judged(&text.replace("0.807", "0.087"), "");
    assert!(found.len() == 1 && found[0].implied == "0.807", "{found:#?}");
}

#[test]
fn sets_of_patients_are_no_parts_of_each_other_by_chance() {
    let lines = "| Sex | | | |\n| Male | 56 (57.7%) | 25 (59.5%) | 30 (54.5%) |\n| Female | 41 (42.3%) | 17 (40.5%) | 25 (45.5%) |\n\
                 | Response | | | |\n| Good | 40 (41.2%) | 18 (42.9%) | 22 (40.0%) |\n| Poor | 57 (58.8%) | 24 (57.1%) | 33 (60.0%) |\n";
    assert_eq!(
        judged(&table("Item | Training set (n=97) | Internal test (n=42) | External test (n=55)", lines), ""),
        []
    );
}

#[test]
fn a_total_by_its_size_is_one_where_counts_add_up() {
    let lines = "| Sex | | | |\n| Male | 54 (60.0) | 25 (55.6) | 29 (64.4) |\n| Female | 36 (40.0) | 20 (44.4) | 16 (35.6) |\n\
                 | Site | | | |\n| Femur | 46 (51.1) | 20 (44.4) | 25 (55.6) |\n| Tibia | 44 (48.9) | 25 (55.6) | 20 (44.4) |\n";
    let found = judged(&table("Item | Operated (n = 90) | Good (n = 45) | Poor (n = 45)", lines), "");
    assert!(found.iter().any(|it| it.place.row.contains("Femur")), "46 is not 20 + 25: {found:#?}");
}

#[test]
fn a_row_of_shares_among_percentages_keeps_its_unit() {
    let lines = "| Lin | 0.842 (0.793–0.883) | 0.78 | 0.81 |\n| Bai | 0.95 (0.91–0.99) | 93% | 97% |\n| Wu | 0.73 (0.61–0.85) | 50.0 | 76.9 |\n";
    let header = "Model | AUC (95% CI) | Sensitivity | Specificity";
    assert_eq!(judged(&table(header, lines), ""), []);
    let more = format!("{lines}| Li | 0.81 (0.70–0.92) | 71.4 | 80.0 |\n| He | 0.80 (0.70–0.90) | 75.0 | 70.0 |\n");
    assert_eq!(judged(&table(header, &more), ""), []);
}

#[test]
fn kappa_beside_a_reader_is_agreement() {
    let lines = "| Reader 1 | 75.0 | 72.2 | 73.8 | 0.72 |\n| Reader 2 | 66.7 | 83.3 | 73.8 | 0.72 |\n| Nomogram | 83.3 | 88.9 | 85.7 | — |\n";
    for heading in ["Inter-reader kappa", "κ (95% CI)"] {
        let text = table(&format!("Reader | Sensitivity (%) | Specificity (%) | Accuracy (%) | {heading}"), lines);
        assert_eq!(judged(&text, ""), []);
        let found = judged(&text.replace("73.8 | 0.72", "73.8 | 1.72"), "");
        assert!(found.iter().any(|it| it.severity == Severity::Impossible), "{found:#?}");
    }
}

#[test]
fn a_fraction_beside_its_score_has_to_give_it() {
    let lines = "| Clinical | 91.7% (22/24) | 38.9% (7/18) | 69.0% (29/42) |\n| Radiomics | 83.3% (20/24) | 83.3% (15/18) | 83.3% (35/42) |\n\
                 | Nomogram | 83.3% (20/24) | 88.9% (16/18) | 85.7% (36/42) |\n";
    let text = table("Model | Sensitivity | Specificity | Accuracy", lines);
    assert_eq!(judged(&text, ""), []);
    let found = judged(&text.replace("| Radiomics | 83.3% (20/24)", "| Radiomics | 83.3% (17/24)"), "");
    assert!(found.len() == 1 && found[0].implied == "70.8" && found[0].alternatives == ["20/24"], "{found:#?}");
    let with_intervals = "| A | 83.3 (18/24) [62.6, 95.3] | 83.3 (15/18) [58.6, 96.4] |\n| B | 83.3 (20/24) [62.6, 95.3] | 88.9 (16/18) [65.3, 98.6] |\n";
    let found =
        judged(&table("Model | Sensitivity, % (n/N) [95% CI] | Specificity, % (n/N) [95% CI]", with_intervals), "");
    assert!(found.len() == 1 && found[0].implied == "75.0", "{found:#?}");
}

#[test]
fn a_heading_whose_size_no_row_has_is_a_finding() {
    let lines = "| Validation cohort (n = 42) | | | | | |\n| Clinical | 0.690 | 0.917 | 0.389 | 0.667 | 0.778 |\n\
                 | Radiomics | 0.833 | 0.833 | 0.833 | 0.870 | 0.789 |\n| Nomogram | 0.857 | 0.833 | 0.889 | 0.909 | 0.800 |\n";
    let text = table("Model | Accuracy | Sensitivity | Specificity | PPV | NPV", lines);
    assert_eq!(judged(&text, ""), []);
    let found = judged(&text.replace("42", "45"), "");
    assert!(found.len() == 1 && found[0].implied.contains("n = 42 (24"), "{found:#?}");
}

#[test]
fn a_drawn_p_of_fishers_test_is_a_note() {
    // Python, the sum over all tables of these margins: 0.88286; SciPy with 9,999 drawn tables printed 0.879.
    let lines = "| Sex | | | 0.481 |\n| Male | 28 (57.1%) | 24 (50.0%) | |\n| Female | 21 (42.9%) | 24 (50.0%) | |\n\
                 | Site | | | 0.879 |\n| Femur | 22 (44.9%) | 24 (50.0%) | |\n| Tibia | 18 (36.7%) | 14 (29.2%) | |\n\
                 | Humerus | 5 (10.2%) | 5 (10.4%) | |\n| Others | 4 (8.2%) | 5 (10.4%) | |\n\
                 | ALP | | | <0.001 |\n| Normal | 38 (77.6%) | 16 (33.3%) | |\n| Elevated | 11 (22.4%) | 32 (66.7%) | |\n";
    let text = table("Item | Good (n=49) | Poor (n=48) | P", lines);
    let told = all(&text);
    assert!(told.iter().all(|it| it.severity == Severity::Note), "{told:#?}");
    assert!(told.iter().any(|it| it.place.row == "Site" && it.implied == "0.883"), "{told:#?}");
    assert!(!judged(&text.replace("0.879", "0.789"), "").is_empty());
}
