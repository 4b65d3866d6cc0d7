//! Layouts that papers have, with invented numbers: what each is read as, and what is wrong in it.

use osteon_reconcile::Severity;
use osteon_reconcile::read::correction::Correction;
use osteon_reconcile::read::{Params, read};

use crate::forms::judged;

/// A table of lines `a | b | c`, and what is found in it: row and column.
fn check(name: &str, lines: &[&str], expected: &[(&str, &str)]) {
    let found = judged(&markdown(lines), "");
    let said: Vec<(&str, &str)> = found.iter().map(|it| (it.place.row.as_str(), it.place.column.as_str())).collect();
    assert_eq!(said, expected, "{name}: {found:#?}");
}

fn markdown(lines: &[&str]) -> String {
    let columns = lines[0].matches('|').count() + 1;
    let line = |it: &&str| format!("| {it} |\n");
    line(&lines[0]) + &format!("|{}\n", "--|".repeat(columns)) + &lines[1..].iter().map(line).collect::<String>()
}

#[test]
fn a_heading_of_a_set_may_hold_the_p_values_of_its_models() {
    // 40 and 30 patients; the specificities of the validation cohort are swapped in the second table.
    let table = |b: &str, c: &str| {
        [
            "Cohort | A | B | C | P | |".to_owned(),
            " | | | | A vs. B | A vs. C | B vs. C".to_owned(),
            "Training cohort (n=70) | | | | 0.021 | 0.034 | 0.612".to_owned(),
            "ACC | 0.814 | 0.814 | 0.814 | | |".to_owned(),
            "SEN | 0.825 | 0.900 | 0.750 | | |".to_owned(),
            "SPE | 0.800 | 0.700 | 0.900 | | |".to_owned(),
            "Validation cohort (n=70) | | | | 0.071 | 0.015 | 0.483".to_owned(),
            "ACC | 0.814 | 0.814 | 0.814 | | |".to_owned(),
            "SEN | 0.825 | 0.900 | 0.750 | | |".to_owned(),
            format!("SPE | 0.800 | {b} | {c} | | |"),
        ]
    };
    let lines = |b, c| table(b, c).map(|it| it.to_owned());
    let as_str = |lines: &[String; 10]| lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let right = as_str(&lines("0.700", "0.900"));
    check("right", &right.lines().collect::<Vec<_>>(), &[]);
    let swapped = as_str(&lines("0.900", "0.700"));
    let found = judged(&markdown(&swapped.lines().collect::<Vec<_>>()), "");
    let rows: Vec<&str> = found.iter().map(|it| it.place.row.as_str()).collect();
    assert_eq!(rows, ["B", "C"], "{found:#?}");
}

#[test]
fn comparisons_and_differences_are_no_scores() {
    check(
        "rows of comparisons",
        &[
            " | | AUC | Accuracy | Sensitivity | Specificity",
            "Reader A | Without | 0.86 | 0.81 (57/70) | 0.83 (33/40) | 0.80 (24/30)",
            " | With | 0.87 | 0.81 (57/70) | 0.90 (36/40) | 0.70 (21/30)",
            " | Comparison | 0.100 | 0.091 | 1.000 | 0.123",
        ],
        &[],
    );
    check(
        "columns of differences",
        &[
            "Reader | Metric | Without AI | With AI | Δ (95% CI) | p-value",
            "Reader 1 | Sensitivity | 82.5% | 90.0% | +7.5% (–6.5–21.5) | 0.293",
            " | Specificity | 80.0% | 70.0% | –10.0% (–30.0–10.0) | 0.327",
            " | Accuracy | 81.4% | 81.4% | 0.0% (–12.0–12.0) | 1.000",
        ],
        &[],
    );
}

#[test]
fn one_model_at_two_thresholds_is_two_rows() {
    let table = |ratio: &'static str| {
        [
            " | | AUC | Threshold | Sensitivity% | Specificity% | LR+",
            "Model | Validation set | 0.886 | Rule-out (>0.1) | 97.5 | 40.0 | 1.63",
            " | | | Rule-in (>0.6) | 60.0 | 96.7 | ",
            "Model | Test set | 0.856 | Rule-out (>0.1) | 97.5 | 40.0 | ",
        ]
        .map(|it| if it.contains("96.7") { format!("{it}{ratio}") } else { it.to_owned() })
    };
    let lines = table("18.0");
    check("right", &lines.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    let lines = table("28.0");
    check("wrong", &lines.iter().map(String::as_str).collect::<Vec<_>>(), &[("Model (Rule-in (>0.6))", "LR+")]);
}

#[test]
fn p_values_without_a_heading_and_groups_without_a_size_are_judged() {
    // SciPy 1.17.1, chi2_contingency without correction: 0.0717, 0.1112, 0.3343; the last is misprinted.
    let table = |last: &str| {
        [
            "Variable | Low-risk group | High-risk group |".to_owned(),
            "Sex | | | 0.072".to_owned(),
            "Male | 22 | 10 |".to_owned(),
            "Female | 18 | 20 |".to_owned(),
            "Stage | | | 0.111".to_owned(),
            "I | 15 | 17 |".to_owned(),
            "II | 25 | 13 |".to_owned(),
            format!("Smoker | | | {last}"),
            "Yes | 8 | 9 |".to_owned(),
            "No | 32 | 21 |".to_owned(),
        ]
    };
    for (last, expected) in [("0.334", &[][..]), ("0.034", &[("Smoker", "P value")])] {
        let lines = table(last);
        check(last, &lines.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }
    let readings = read(
        markdown(&table("0.334").iter().map(String::as_str).collect::<Vec<_>>()).as_bytes(),
        "t",
        &Correction::default(),
        &Params::default(),
    );
    let roles: Vec<String> = readings.unwrap()[0].said.iter().map(|it| it.role.clone()).collect();
    assert!(roles[1].starts_with("group n=40, to which its levels add up"), "{roles:?}");
}

#[test]
fn a_p_beside_an_odds_ratio_is_of_the_regression() {
    // Wald's P of the counts are 0.0025, 0.0521 and 0.2957, Pearson's 0.0021, 0.0506 and 0.2933.
    check(
        "by Wald",
        &[
            "Drug | None (n = 47) | Mucositis (n = 61) | OR (95% CI) | value",
            "A | 13 (28%) | 35 (57%) | 3.521 (1.557–7.963) | 0.003",
            "B | 25 (53%) | 21 (34%) | 0.462 (0.212–1.007) | 0.052",
            "C | 9 (19%) | 17 (28%) | 1.631 (0.652–4.082) | 0.296",
        ],
        &[],
    );
}

#[test]
fn means_over_folds_and_classes_are_not_accused() {
    let rows = [
        "Model | ACC (%) | SEN (%) | SPE (%) | PPV (%) | NPV (%)",
        "W | 77.89 | 65.67 | 83.48 | 67.26 | 83.75",
        "X | 75.14 | 78.71 | 73.00 | 61.49 | 88.03",
        "Y | 69.31 | 58.39 | 73.33 | 49.77 | 83.17",
        "Z | 67.37 | 61.03 | 71.03 | 51.61 | 83.94",
    ];
    check("nearly all rows impossible", &rows, &[]);
    let titled = format!("Table 2. Performance in five-fold cross-validation\n\n{}", markdown(&rows[..3]));
    assert_eq!(judged(&titled, ""), []);
    assert_eq!(judged(&markdown(&rows[..3]), "").len(), 2, "without a word of folds two rows are wrong");
    check(
        "macro average",
        &[
            "Class | Sensitivity | Specificity | Precision | F1",
            "Type 0 | 0.850 | 0.900 | 0.773 | 0.810",
            "Macro average | 0.682 | 0.841 | 0.746 | 0.682",
        ],
        &[],
    );
}

#[test]
fn one_interval_of_areas_unlike_all_others_is_found() {
    let table = |last: &'static str| {
        [
            "Model | AUC | AUC_CI_low | AUC_CI_high",
            "A | 0.720 | 0.620 | 0.820",
            "B | 0.780 | 0.690 | 0.870",
            "C | 0.810 | 0.735 | 0.885",
            "D | 0.850 | 0.780 | 0.920",
            last,
        ]
    };
    check("even", &table("E | 0.910 | 0.870 | 0.950"), &[]);
    check("skewed", &table("E | 0.910 | 0.780 | 0.920"), &[("E", "AUC (95%CI)")]);
}

#[test]
fn statistics_of_medians_and_means_without_statistics_are_held_against_their_p() {
    // SciPy 1.17.1, chi2.sf(H, 2): 0.0773, 0.3012, 0.0072.
    let ranks = |last: &'static str| {
        [
            "Marker | OS | OC | NC | H | P value",
            "U | 0.42 (0.30-0.71) | 0.54 (0.32-0.96) | 0.43 (0.36-0.51) | 5.12 | 0.077",
            "V | 0.67 (0.52-0.97) | 0.68 (0.32-1.05) | 0.50 (0.31-0.79) | 2.40 | 0.301",
            last,
        ]
    };
    check("right", &ranks("W | 0.73 (0.52-0.97) | 0.71 (0.38-1.05) | 0.83 (0.56-1.07) | 9.87 | 0.007"), &[]);
    check(
        "wrong",
        &ranks("W | 0.73 (0.52-0.97) | 0.71 (0.38-1.05) | 0.83 (0.56-1.07) | 9.87 | 0.071"),
        &[("W", "P value")],
    );
    // SciPy 1.17.1, ttest_ind_from_stats with 60 and 50: 0.0714, 0.3667, 0.0741, 0.0440.
    let means = |last: &'static str| {
        [
            "Item | A (n = 60) | B (n = 50) | P",
            "U | 50.2 ± 10.1 | 53.9 ± 11.2 | 0.071",
            "V | 3.41 ± 0.82 | 3.55 ± 0.79 | 0.367",
            "W | 21.7 ± 4.4 | 20.1 ± 4.9 | 0.074",
            "X | 3.41 ± 0.82 | 3.55 ± 0.79 | 0.367",
            last,
        ]
    };
    check("right", &means("Y | 140.2 ± 22.5 | 131.0 ± 24.8 | 0.044"), &[]);
    check("far", &means("Y | 140.2 ± 22.5 | 131.0 ± 24.8 | 0.440"), &[("Y", "P value")]);
    check("by ranks, perhaps", &means("Y | 140.2 ± 22.5 | 131.0 ± 24.8 | 0.060"), &[]);
}

#[test]
fn a_set_whose_digits_are_cut_is_one_finding() {
    // 45 and 31 patients: 38, 35 and 41 true positives, 22, 27 and 19 true negatives, cut to three decimals.
    let lines = [
        " | Accuracy | Sensitivity | Specificity | PPV | NPV",
        "Clinical model | 0.789 | 0.844 | 0.709 | 0.808 | 0.758",
        "Radiomic model | 0.815 | 0.777 | 0.870 | 0.897 | 0.729",
        "Combined model | 0.789 | 0.911 | 0.612 | 0.773 | 0.826",
    ];
    let found = judged(&markdown(&lines), "");
    assert_eq!(found.iter().map(|it| it.severity).collect::<Vec<_>>(), [Severity::Rounding], "{found:#?}");
    assert!(found[0].why.contains("3 of 3 rows"), "{}", found[0].why);
}
