//! Relations between the columns of a printed table: coefficients, spreads, differences, denominators, exchanged numbers.

use osteon_reconcile::{Finding, Kind, Severity};

use crate::forms::judged;

/// A Markdown table of a header and lines.
fn table(header: &str, lines: &[&str]) -> String {
    let rule = "--|".repeat(header.matches('|').count() + 1);
    let lines: Vec<String> = lines.iter().map(|line| format!("| {line} |")).collect();
    format!("| {header} |\n|{rule}\n{}\n", lines.join("\n"))
}

/// The only finding of a text.
fn one(text: &str) -> Finding {
    let found = judged(text, "");
    assert_eq!(found.len(), 1, "{found:#?}\n{text}");
    found[0].clone()
}

#[test]
fn coefficients_errors_statistics_and_ratios_follow_from_each_other() {
    // Python: exp, erfc.
    let text = table(
        "Variable | β | SE | Wald χ2 | P | OR | 95% CI",
        &[
            "Age | -0.021 | 0.025 | 0.706 | 0.401 | 0.979 | 0.932-1.028",
            "Male sex | 0.412 | 0.455 | 0.820 | 0.365 | 1.510 | 0.619-3.683",
            "ALP | 0.911 | 0.431 | 4.468 | 0.035 | 2.487 | 1.069-5.788",
            "Tumor size | 0.152 | 0.071 | 4.583 | 0.032 | 1.164 | 1.013-1.338",
            "Rad-score | 2.436 | 0.663 | 13.500 | <0.001 | 11.427 | 3.116-41.908",
        ],
    );
    assert_eq!(judged(&text, ""), []);
    for (old, new, column, implied) in [
        ("13.500", "19.496", "statistic", "13.500"),
        ("| 2.436", "| -2.436", "beta (95%CI)", "2.436"),
        ("| 0.911", "| 0.991", "beta (95%CI)", "0.911"),
        ("| 0.431", "| 0.341", "SE", "0.431"),
    ] {
        let found = one(&text.replace(old, new));
        assert_eq!((found.place.column.as_str(), found.implied.as_str()), (column, implied), "{found:?}");
    }
    let areas = table(
        "Model | AUC | SE | 95% CI",
        &[
            "Clinical | 0.702 | 0.054 | 0.596-0.808",
            "Radiomics | 0.811 | 0.045 | 0.723-0.899",
            "DL | 0.824 | 0.042 | 0.742-0.906",
            "Nomogram | 0.862 | 0.038 | 0.788-0.936",
        ],
    );
    assert_eq!(judged(&areas, ""), []);
    assert_eq!(one(&areas.replace("0.038", "0.083")).implied, "0.038");
}

#[test]
fn spreads_hold_their_mean_or_median() {
    let text = table(
        "Variable | Good (n=48) | Poor (n=49)",
        &[
            "Age, mean ± SD (range), years | 19.6 ± 10.3 (9-52) | 20.3 ± 9.9 (8-55)",
            "ALP, median (range) | 190 (102-1200) | 180 (60-900)",
            "LDH, median (IQR) | 210 (180-260) | 230 (190-300)",
        ],
    );
    assert_eq!(judged(&text, ""), []);
    // Bhatia and Davis: sqrt((52 - 19.6)(19.6 - 9) 48/47) is 18.7.
    assert_eq!(one(&text.replace("10.3", "40.3")).kind, Kind::Sd);
    assert_eq!(one(&text.replace("| 190", "| 90")).kind, Kind::Mean);
    assert_eq!(one(&text.replace("210 (180", "210 (280")).kind, Kind::Mean);
}

#[test]
fn a_mean_beyond_all_its_groups_is_no_matter_of_missing_values() {
    let text = table(
        "Variable | Total (n=97) | Good (n=49) | Poor (n=48)",
        &["Age | 18.10 ± 9.06 | 17.02 ± 8.12 | 19.21 ± 9.90"],
    );
    assert_eq!(judged(&text, ""), []);
    assert_eq!(one(&text.replace("18.10", "24.08")).kind, Kind::Mean);
    assert_eq!(judged(&text.replace("18.10", "18.40"), ""), [], "values may be missing");
}

#[test]
fn numbers_of_things_are_whole() {
    let text =
        table("Variable | Good (n=18) | Poor (n=20)", &["Number of chemotherapy cycles | 4.56 ± 1.20 | 4.60 ± 1.31"]);
    assert_eq!(judged(&text, ""), []);
    assert_eq!(one(&text.replace("4.56", "4.55")).kind, Kind::Grim);
    // 68 of 17.
    assert_eq!(judged(&text.replace("4.56", "4.53"), ""), []);
}

#[test]
fn one_wrong_row_percentage_is_one_finding_with_or_without_a_column_of_totals() {
    // SciPy: chi-square without correction.
    let text = table(
        "Characteristic | n | Response (n=35) | No response (n=42) | P",
        &[
            "Sex | | | | 0.800",
            "Male | 45 | 21 (46.7%) | 24 (53.3%) | ",
            "Female | 32 | 14 (43.8%) | 18 (56.2%) | ",
            "Stage | | | | 0.088",
            "II | 47 | 25 (53.2%) | 22 (46.8%) | ",
            "III | 30 | 10 (33.3%) | 20 (66.7%) | ",
            "Fracture | | | | 0.243",
            "Yes | 13 | 4 (30.8%) | 9 (69.2%) | ",
            "No | 64 | 31 (48.4%) | 33 (51.6%) | ",
        ],
    );
    assert_eq!(judged(&text, ""), []);
    let found = one(&text.replace("53.2%", "35.2%"));
    assert_eq!((found.kind, found.implied.as_str()), (Kind::Percent, "25(53.2)"));
    assert_eq!(one(&text.replace("0.088", "0.012")).kind, Kind::PValue);
    let without: String = text
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split('|').collect();
            [&cells[..2], &cells[3..]].concat().join("|") + "\n"
        })
        .collect();
    assert_eq!(judged(&without, ""), []);
    assert_eq!(one(&without.replace("53.2%", "35.2%")).implied, "25(53.2)");
}

#[test]
fn groups_without_a_size_have_that_of_their_percentages() {
    let text = table(
        "Finding | Reader 1 | Reader 2",
        &[
            "Soft tissue mass | 58 (59.8%) | 61 (62.9%)",
            "Joint effusion | 28 (28.9%) | 30 (30.9%)",
            "Skip lesion | 9 (9.3%) | 8 (8.2%)",
            "Fracture | 14 (14.4%) | 12 (12.4%)",
        ],
    );
    assert_eq!(judged(&text, ""), []);
    assert_eq!(one(&text.replace("28.9", "38.9")).implied, "28(28.9)");
}

#[test]
fn percentages_of_the_known_values_are_no_means() {
    // 31 of 88 and 28 of 83 patients; SciPy: chi-square 0.837.
    let text = table(
        "Variable | Good (n=97) | Poor (n=90) | P",
        &[
            "Male | 52 (53.6) | 45 (50.0) | 0.622",
            "LDH elevated† | 31 (35.2) | 28 (33.7) | 0.837",
            "ALP elevated | 41 (42.3) | 33 (36.7) | 0.435",
        ],
    );
    assert_eq!(judged(&text, ""), []);
    assert_eq!(one(&text.replace("0.837", "0.037")).implied, "0.837");
}

#[test]
fn exchanged_numbers_are_named() {
    let header = "Model | Sensitivity | Specificity | Accuracy | PPV | NPV";
    let rows = [
        "Clinical | 0.750 | 0.778 | 0.762 | 0.818 | 0.700",
        "Radiomics | 0.833 | 0.778 | 0.810 | 0.778 | 0.833",
        "Nomogram | 0.833 | 0.833 | 0.833 | 0.870 | 0.789",
    ];
    let found = one(&table(header, &rows));
    assert!(found.why.starts_with("Precision and NPV are exchanged"), "{found:?}");
    let counts = table(
        "Model | TP | FN | TN | FP | Sensitivity | Specificity | Accuracy | PPV | NPV",
        &[
            "Clinical | 18 | 6 | 14 | 4 | 0.750 | 0.778 | 0.762 | 0.818 | 0.700",
            "Radiomics | 20 | 4 | 14 | 4 | 0.833 | 0.778 | 0.810 | 0.833 | 0.778",
            "Nomogram | 20 | 4 | 15 | 3 | 0.833 | 0.833 | 0.833 | 0.870 | 0.789",
        ],
    );
    assert_eq!(judged(&counts, ""), []);
    let found = one(&counts.replace("20 | 4 | 14 | 4", "20 | 4 | 4 | 14"));
    assert!(found.why.starts_with("TN and FP are exchanged"), "{found:?}");
    let rows = counts.replace("Clinical | 18 | 6 | 14 | 4", "Clinical | 20 | 4 | 14 | 4");
    let found = one(&rows.replace("Radiomics | 20 | 4 | 14 | 4", "Radiomics | 18 | 6 | 14 | 4"));
    assert!(found.why.contains("the counts of Radiomics"), "{found:?}");
    let titled = format!("Table 2. Performance of three models (n = 42)\n\n{counts}");
    let found = one(&titled
        .replace("20 | 4 | 15 | 3 | 0.833 | 0.833 | 0.833 | 0.870", "22 | 4 | 15 | 3 | 0.846 | 0.833 | 0.841 | 0.880"));
    assert_eq!(found.kind, Kind::GroupSize);
}

#[test]
fn means_over_folds_are_not_accused_row_by_row() {
    // Python: means of five folds of 43 and 54 patients.
    let text = table(
        "Model | Accuracy | Sensitivity | Specificity | Precision | F1",
        &[
            "LR | 0.804 | 0.744 | 0.853 | 0.798 | 0.766",
            "SVM | 0.741 | 0.839 | 0.662 | 0.677 | 0.742",
            "RF | 0.774 | 0.864 | 0.702 | 0.705 | 0.776",
            "KNN | 0.755 | 0.725 | 0.778 | 0.739 | 0.731",
            "XGBoost | 0.805 | 0.836 | 0.780 | 0.777 | 0.798",
        ],
    );
    assert_eq!(judged(&text, ""), []);
}

#[test]
fn standardized_differences_and_correlations_follow_from_their_row() {
    // Python: by the mean of the two variances.
    let text = table(
        "Variable | Treated (n=120) | Control (n=140) | SMD",
        &[
            "Age | 52.1 ± 10.2 | 50.0 ± 11.1 | 0.197",
            "BMI | 24.2 ± 3.1 | 25.1 ± 3.5 | 0.272",
            "Male | 70 (58.3) | 75 (53.6) | 0.096",
            "Diabetes | 22 (18.3) | 30 (21.4) | 0.078",
        ],
    );
    assert_eq!(judged(&text, ""), []);
    assert_eq!(one(&text.replace("0.272", "0.722")).place.row, "BMI");
    // SciPy: pearsonr of 64 patients.
    let text = table(
        "Feature | Spearman r | P value",
        &["A | 0.225 | 0.074", "B | 0.236 | 0.061", "C | 0.311 | 0.012", "D | -0.253 | 0.044", "E | 0.412 | <0.001"],
    );
    assert_eq!(judged(&text, ""), []);
    assert_eq!(one(&text.replace("0.074", "0.740")).place.row, "A");
}

#[test]
fn intervals_say_how_many_patients_they_are_of() {
    // Python: Wilson's intervals of 130 and 180 patients, of which no share alone speaks.
    let text = table(
        "Model | Sensitivity (95% CI) | Specificity (95% CI) | Accuracy (95% CI)",
        &[
            "A | 0.700 (0.616–0.772) | 0.750 (0.682–0.808) | 0.729 (0.677–0.775)",
            "B | 0.769 (0.690–0.833) | 0.722 (0.653–0.782) | 0.742 (0.690–0.787)",
            "C | 0.815 (0.740–0.873) | 0.800 (0.736–0.852) | 0.806 (0.759–0.847)",
        ],
    );
    assert_eq!(judged(&text, ""), []);
    assert_eq!(one(&text.replace("0.736–0.852", "0.736–0.952")).place.row, "C");
}

#[test]
fn counts_between_slashes_are_levels() {
    // SciPy: chi-square without correction.
    let text = table(
        "Characteristic | Mutant (n=60) | Wild type (n=80) | P",
        &[
            "Sex (male/female) | 20/40 | 50/30 | <0.001",
            "Stage (I/II/III/IV) | 10/20/20/10 | 12/30/20/18 | 0.649",
            "Smoking (yes/no) | 25/35 | 41/39 | 0.261",
        ],
    );
    assert_eq!(judged(&text, ""), []);
    assert_eq!(one(&text.replace("0.261", "0.021")).implied, "0.261");
}

#[test]
fn a_file_of_windows_is_read() {
    let text = "Variable;Good (n = 48);Poor (n = 49);P\nMale – sex;26 (54.2);24 (49.0);0.609\n";
    let bytes: Vec<u8> = text.chars().map(|c| if c == '–' { 0x96 } else { c as u8 }).collect();
    let readings = osteon_reconcile::read::read(
        &bytes,
        "t.csv",
        &osteon_reconcile::read::correction::Correction::default(),
        &osteon_reconcile::read::Params::default(),
    )
    .unwrap();
    assert!(readings[0].cells.iter().any(|it| it.place.row.starts_with("Male – sex")), "{:?}", readings[0].cells);
    let notes = osteon_reconcile::reading_notes(&readings);
    assert!(
        notes.len() == 1 && notes[0].severity == Severity::Note && notes[0].why.contains("Windows-1252"),
        "{notes:?}"
    );
}
