//! Habits of printed tables: levels in columns, P values of each level, of whole sets and of areas, means over folds, tables
//! of totals, sets in brackets, statements of the text.

use osteon_reconcile::read::correction::Correction;
use osteon_reconcile::read::{Params, read, shown};
use osteon_reconcile::{Finding, PublishedCell, Severity, judge};

use crate::forms::judged;

/// A consistent table, and slips of it: the text that is replaced, its replacement, row and value of the only finding.
fn check(table: &str, slips: &[(&str, &str, &str, &str)]) {
    assert_eq!(judged(table, ""), [], "{table}");
    for (old, new, row, implied) in slips {
        let text = table.replacen(old, new, 1);
        assert_ne!(text, table, "{old}");
        let found = judged(&text, "");
        let told = found.iter().any(|it| it.place.row.contains(row) && it.implied.contains(implied));
        assert!(told && found.len() == 1, "{old} -> {new}: {found:#?}");
    }
}

#[test]
fn levels_that_stand_in_columns_are_tested() {
    // SciPy 1.17.1, chi2_contingency without correction.
    let table = "|  | Benign |  | Malignant |  |  |  |\n|--|--|--|--|--|--|--|\n\
                 | CT sign | Absent | Present | Absent | Present | χ² | P |\n\
                 | Spiculation | 55 | 43 | 56 | 26 | 2.797 | 0.094 |\n| Lobulation | 48 | 50 | 52 | 30 | 3.768 | 0.052 |\n\
                 | Pleural indentation | 55 | 43 | 48 | 34 | 0.106 | 0.744 |\n| Vacuole | 53 | 45 | 47 | 35 | 0.189 | 0.664 |\n";
    check(table, &[("0.664", "0.003", "Vacuole", "0.664"), ("0.106", "6.106", "Pleural", "0.106")]);
    // A wrong count is told by the statistic and the P, which agree with each other.
    let found = judged(&table.replacen("| 48 | 50", "| 57 | 50", 1), "");
    assert!(!found.is_empty() && found.iter().all(|it| it.place.row.contains("Lobulation")), "{found:#?}");
}

#[test]
fn each_level_has_a_p_of_its_own() {
    // SciPy 1.17.1, chi2_contingency without correction, each level against the others.
    let table = "| Semantic feature | Category | Group A (n = 70) | % | Group B (n = 60) | % | P |\n|--|--|--|--|--|--|--|\n\
                 | Margin | Smooth | 50 | 71.4 | 34 | 56.7 | 0.079 |\n|  | Irregular | 20 | 28.6 | 26 | 43.3 | 0.079 |\n\
                 | Periosteal reaction | None | 18 | 25.7 | 11 | 18.3 | 0.314 |\n|  | Sunburst | 36 | 51.4 | 26 | 43.3 | 0.357 |\n\
                 |  | Codman | 16 | 22.9 | 23 | 38.3 | 0.055 |\n| Site | Femur | 30 | 42.9 | 27 | 45.0 | 0.806 |\n\
                 |  | Tibia | 19 | 27.1 | 22 | 36.7 | 0.244 |\n|  | Humerus | 12 | 17.1 | 6 | 10.0 | 0.240 |\n\
                 |  | Others | 9 | 12.9 | 5 | 8.3 | 0.407 |\n";
    check(table, &[("0.055", "0.930", "Codman", "0.055")]);
}

#[test]
fn a_p_may_compare_whole_sets() {
    // SciPy 1.17.1: chi2_contingency of the columns, and of the sums of each set.
    let table = "| Variable | Training |  |  | Test |  |  | P† |\n|--|--|--|--|--|--|--|--|\n\
                 |  | Low (n=49) | High (n=37) | P* | Low (n=56) | High (n=33) | P* |  |\n\
                 | Sex |  |  | 0.780 |  |  | 0.117 | 0.260 |\n|   Sex 0 | 24 (49.0) | 17 (45.9) |  | 35 (62.5) | 15 (45.5) |  |  |\n\
                 |   Sex 1 | 25 (51.0) | 20 (54.1) |  | 21 (37.5) | 18 (54.5) |  |  |\n\
                 | Grade |  |  | 0.670 |  |  | 0.368 | 0.705 |\n|   Grade 0 | 20 (40.8) | 18 (48.6) |  | 22 (39.3) | 13 (39.4) |  |  |\n\
                 |   Grade 1 | 19 (38.8) | 11 (29.7) |  | 22 (39.3) | 9 (27.3) |  |  |\n\
                 |   Grade 2 | 10 (20.4) | 8 (21.6) |  | 12 (21.4) | 11 (33.3) |  |  |\n";
    check(table, &[]);
    let readings = read(table.as_bytes(), "t.md", &Correction::default(), &Params::default()).unwrap();
    let taken = judge(&readings[0].cells).taken.join("; ");
    assert!(taken.contains("Training Low + Training High : Test Low + Test High, 2 of 2"), "{taken}");
}

#[test]
fn totals_of_rows_and_columns_agree() {
    let matrix = "|  | Predicted benign | Predicted low | Predicted high | Total | Recall (%) |\n|--|--|--|--|--|--|\n\
                  | Actual benign | 52 | 5 | 3 | 60 | 86.7 |\n| Actual low | 6 | 27 | 7 | 40 | 67.5 |\n\
                  | Actual high | 2 | 4 | 15 | 21 | 71.4 |\n| Total | 60 | 36 | 25 | 121 |  |\n| Precision (%) | 86.7 | 75.0 | 60.0 |  | 77.7 |\n";
    check(matrix, &[("| 52 |", "| 61 |", "Actual benign", "52"), ("67.5", "58.5", "Actual low", "67.5")]);
    let centers = "| Center | Training | Validation | Total |\n|--|--|--|--|\n| Hospital 1 | 56 | 77 | 133 |\n\
                   | Hospital 2 | 65 | 20 | 85 |\n| Hospital 3 | 64 | 24 | 88 |\n| Total | 185 | 121 | 306 |\n";
    check(
        centers,
        &[
            ("| 56 |", "| 66 |", "Hospital 1", "56"),
            ("306", "315", "", "306"),
            ("| 85 |", "| 95 |", "Hospital 2", "85"),
        ],
    );
    let sets = "| Dataset | No. of patients | Positive | Negative | AUC |\n|--|--|--|--|--|\n| Internal | 130 | 50 | 80 | 0.860 |\n\
                | External 1 | 108 | 20 | 88 | 0.860 |\n| External 2 | 102 | 56 | 46 | 0.860 |\n";
    check(sets, &[("| 130 |", "| 139 |", "", "130")]);
}

#[test]
fn areas_with_their_p_values_and_intervals_by_name() {
    // P of (area - 0.5) over the standard error of the interval, SciPy 1.17.1.
    let areas = "| Index | AUC ± SE | 95% CI | P |\n|--|--|--|--|\n| I0 | 0.751 ± 0.048 | 0.658–0.845 | <0.001 |\n\
                 | I1 | 0.859 ± 0.023 | 0.813–0.904 | <0.001 |\n| I2 | 0.605 ± 0.043 | 0.522–0.689 | 0.013 |\n\
                 | I3 | 0.807 ± 0.023 | 0.763–0.852 | <0.001 |\n| I4 | 0.602 ± 0.044 | 0.515–0.689 | 0.021 |\n";
    check(areas, &[("0.013", "0.512", "I2", "about 0.01"), ("| <0.001 |\n| I4", "| 0.412 |\n| I4", "I3", "")]);
    let years = "| Model | Cohort | 1-year AUC | 3-year AUC |\n|--|--|--|--|\n| TNM | Training | 0.722 (0.652-0.792) | 0.732 (0.672-0.792) |\n\
                 | Radiomics | Training | 0.774 (0.704-0.844) | 0.784 (0.724-0.844) |\n";
    check(years, &[("0.784 (", "0.411 (", "Radiomics", ""), ("0.774 (", "0.917 (", "Radiomics", "")]);
}

#[test]
fn means_over_folds_keep_what_every_fold_keeps() {
    let folds = "| Model | Accuracy | Sensitivity | Specificity |\n|--|--|--|--|\n| LR | 0.766 ± 0.040 | 0.741 ± 0.061 | 0.790 ± 0.052 |\n\
                 | SVM | 0.791 ± 0.071 | 0.802 ± 0.050 | 0.780 ± 0.061 |\n";
    check(folds, &[("0.791 ±", "0.491 ±", "SVM", "")]);
    let report = "| Class | Precision | Recall | F1-score |\n|--|--|--|--|\n| Class 0 | 0.867 | 0.870 | 0.868 |\n\
                  | Class 1 | 0.750 | 0.680 | 0.713 |\n| Class 2 | 0.600 | 0.710 | 0.650 |\n| Class 3 | 0.412 | 0.530 | 0.464 |\n";
    check(report, &[("0.713", "0.513", "Class 1", "0.713"), ("0.650", "0.750", "Class 2", "0.650")]);
}

#[test]
fn rows_and_headings_are_understood_as_they_are_printed() {
    // A set in brackets behind each model; TP 25, FN 18, TN 20, FP 15 and so on.
    let sets = "| Metric | Clinical (Training) | Clinical (Validation) | Nomogram (Training) | Nomogram (Validation) |\n|--|--|--|--|--|\n\
                | Sensitivity | 0.754 | 0.581 | 0.600 | 0.395 |\n| Specificity | 0.648 | 0.571 | 0.967 | 0.857 |\n\
                | Accuracy | 0.692 | 0.577 | 0.814 | 0.603 |\n| PPV | 0.605 | 0.625 | 0.929 | 0.773 |\n| NPV | 0.787 | 0.526 | 0.772 | 0.536 |\n";
    let readings = read(sets.as_bytes(), "t.md", &Correction::default(), &Params::default()).unwrap();
    let cell = readings[0].cells.iter().find(|it| it.source.column == 5).unwrap();
    assert_eq!((cell.place.set.as_str(), cell.place.row.as_str()), ("Validation", "Nomogram"));
    // Percentages before counts.
    let first = "| Variable | No (n = 164) | Yes (n = 166) |\n|--|--|--|\n| Sex, % (n) |  |  |\n| Male | 39.0 (64) | 45.8 (76) |\n\
                 | Female | 61.0 (100) | 54.2 (90) |\n";
    check(first, &[("39.0", "91.2", "Male", "39.0")]);
    // Counts with what they count, in any order.
    let counts = "| Threshold | TP, n | FN, n | TN, n | FP, n | Sensitivity, % | Specificity, % |\n|--|--|--|--|--|--|--|\n\
                  | 0.3 | 56 | 4 | 35 | 35 | 93.3 | 50.0 |\n| 0.4 | 56 | 4 | 48 | 22 | 93.3 | 68.6 |\n| 0.5 | 52 | 8 | 57 | 13 | 86.7 | 81.4 |\n";
    check(counts, &[("| 0.3 | 56", "| 0.3 | 52", "0.3", "")]);
    // Grades under one arm, percentages of the arm.
    let grades = "| Adverse event | Arm A (n = 164) |  | Arm B (n = 166) |  |\n|--|--|--|--|--|\n|  | Any grade | Grade ≥ 3 | Any grade | Grade ≥ 3 |\n\
                  | Neutropenia | 54 (32.9) | 24 (14.6) | 80 (48.2) | 21 (12.7) |\n| Nausea | 64 (39.0) | 21 (12.8) | 72 (43.4) | 17 (10.2) |\n\
                  | Anemia | 62 (37.8) | 14 (8.5) | 98 (59.0) | 26 (15.7) |\n| Fatigue | 63 (38.4) | 16 (9.8) | 79 (47.6) | 25 (15.1) |\n";
    check(grades, &[("54 (32.9)", "54 (91.1)", "Neutropenia", "54(32.9)")]);
    // Counts with decimals.
    let whole = "| Variable | A (n = 98) | B (n = 90) |\n|--|--|--|\n| Age |  |  |\n|   < 60 | 52 (53.1) | 50 (55.6) |\n|   ≥ 60 | 46 (46.9) | 40 (44.4) |\n";
    check(whole, &[("46 (46.9)", "1.2 (46.9)", "60", "")]);
    // Wald's test of 90 % intervals: Python, erfc.
    let level = "| Variable | HR (90% CI) | P value |\n|--|--|--|\n| A | 1.023 (0.777–1.348) | 0.892 |\n| B | 1.832 (1.120–2.997) | 0.043 |\n\
                 | C | 1.003 (0.644–1.561) | 0.991 |\n| E | 1.821 (1.330–2.494) | 0.002 |\n| F | 1.469 (1.097–1.968) | 0.030 |\n";
    check(level, &[("0.043", "0.512", "B", "0.043")]);
    // Statistics of R beside their P values.
    let terms = "| Term | Coefficient | Std. Error | z value | Pr(>|z|) |\n|--|--|--|--|--|\n| age | 0.0145 | 0.0126 | 1.149 | 0.2505 |\n\
                 | ln | 0.4783 | 0.2901 | 1.649 | 0.0991 |\n| size | -0.0384 | 0.0480 | -0.799 | 0.4243 |\n| sex | -0.2079 | 0.2024 | -1.028 | 0.3039 |\n";
    check(terms, &[("0.3039", "0.0123", "sex", "0.3039")]);
}

#[test]
fn a_table_in_chinese_is_a_table() {
    // SciPy 1.17.1, ttest_ind and chi2_contingency without correction.
    let table = "| 项目 | 训练组(n=124) | 验证组(n=102) | t/χ2值 | P值 |\n|--|--|--|--|--|\n\
                 | 性别[例(%)] |  |  | 0.067 | 0.796 |\n| 　男 | 69(55.6) | 55(53.9) |  |  |\n| 　女 | 55(44.4) | 47(46.1) |  |  |\n\
                 | 骨折[例(%)] |  |  | 4.221 | 0.040 |\n| 　有 | 44(35.5) | 50(49.0) |  |  |\n| 　无 | 80(64.5) | 52(51.0) |  |  |\n";
    check(table, &[("0.040", "0.440", "骨折", ""), ("44(35.5)", "47(35.5)", "骨折", "44")]);
    let scores = "| 模型 | 敏感度(%) | 特异度(%) | 准确率(%) | 阳性预测值(%) | 阴性预测值(%) |\n|--|--|--|--|--|--|\n\
                  | 影像组学 | 87.2 | 97.2 | 92.0 | 97.1 | 87.5 |\n| 临床 | 76.9 | 55.6 | 66.7 | 65.2 | 69.0 |\n| 联合 | 64.1 | 86.1 | 74.7 | 83.3 | 68.9 |\n";
    check(scores, &[("74.7", "47.7", "联合", "")]);
}

#[test]
fn sections_have_their_own_sizes_and_headings_their_own_columns() {
    // SciPy 1.17.1, chi2_contingency without correction: 0.582 and 0.969.
    let table = "| Characteristic | Low risk | High risk | P |\n|--|--|--|--|\n| Training cohort | n = 78 | n = 35 |  |\n\
                 | Sex |  |  | 0.582 |\n|   Male | 27 (34.6) | 14 (40.0) |  |\n|   Female | 51 (65.4) | 21 (60.0) |  |\n\
                 | Test cohort | n = 48 | n = 61 |  |\n| Sex |  |  | 0.969 |\n|   Male | 14 (29.2) | 18 (29.5) |  |\n\
                 |   Female | 34 (70.8) | 43 (70.5) |  |\n";
    let found = judged(table, "");
    assert!(found.iter().all(|it| it.place.column == "P value"), "{found:#?}");
    let found = judged(&table.replace("14 (29.2)", "41 (29.2)"), "");
    let told = found.iter().find(|it| it.implied.starts_with("14(")).unwrap_or_else(|| panic!("{found:#?}"));
    assert_eq!((told.place.set.as_str(), told.place.row.as_str()), ("Test cohort", "Sex: Male"));
    let readers = "| Reader | Sensitivity |  | Specificity |  |\n|--|--|--|--|--|\n|  | Without AI | With AI | Without AI | With AI |\n\
                   | Junior | 0.733 (33/45) | 0.911 (41/45) | 0.691 (38/55) | 0.927 (51/55) |\n\
                   | Senior | 0.844 (38/45) | 0.933 (42/45) | 0.782 (43/55) | 0.909 (50/55) |\n";
    check(readers, &[("0.933", "0.393", "Senior", "0.933")]);
    let centers = "| Site | n | TP | FP | TN | FN | Accuracy (%) |\n|--|--|--|--|--|--|--|\n| A | 75 | 30 | 5 | 33 | 7 | 84.00 |\n\
                   | B | 60 | 20 | 6 | 29 | 5 | 81.67 |\n| C | 90 | 35 | 9 | 38 | 8 | 81.11 |\n";
    check(centers, &[("| 75 |", "| 15 |", "A", "75")]);
    // Quarters are no quartiles.
    let quarters = "| Variable | Q1 (n=50) | Q2 (n=40) |\n|--|--|--|\n| Male, n (%) | 23 (46.0) | 16 (40.0) |\n| Smoker, n (%) | 25 (50.0) | 16 (40.0) |\n";
    assert_eq!(coverage(quarters), (4, 4));
    // R 4.2.2, prop.trend.test: 0.2132, 1.8464, 0.1768 with 0.6442, 0.1742, 0.6741.
    let trend = "| Variable | Q1 (n=50) | Q2 (n=40) | Q3 (n=74) | Q4 (n=85) | χ2 | P for trend |\n|--|--|--|--|--|--|--|\n\
                 | Male, n (%) | 23 (46.0) | 16 (40.0) | 30 (40.5) | 35 (41.2) | 0.213 | 0.644 |\n\
                 | Smoker, n (%) | 25 (50.0) | 16 (40.0) | 38 (51.4) | 30 (35.3) | 1.846 | 0.174 |\n\
                 | Diabetes, n (%) | 20 (40.0) | 24 (60.0) | 41 (55.4) | 34 (40.0) | 0.177 | 0.674 |\n";
    check(trend, &[("0.644", "0.044", "Male", "0.644")]);
    // Student's t of the means has the P 0.145: SciPy 1.17.1, ttest_ind_from_stats.
    let t = "| Item | A (n=111) | B (n=134) | t/χ2 | P |\n|--|--|--|--|--|\n| Age | 24.36 ± 10.08 | 22.59 ± 8.86 | 1.463 | 0.145 |\n";
    check(t, &[("0.145", "0.445", "Age", "0.14")]);
}

#[test]
fn a_row_of_other_patients_than_all_others_is_told() {
    // 43 with the event, 49 without: 26/34, 27/46, 28/44 are right.
    let table = "| Model | Accuracy (%) | Sensitivity (%) | Specificity (%) |\n|--|--|--|--|\n| Clinical | 65.2 | 60.5 | 69.4 |\n\
                 | Radiomics | 79.3 | 62.8 | 93.9 |\n| Nomogram | 78.3 | 65.1 | 89.8 |\n";
    check(table, &[("62.8", "43.5", "Radiomics", "")]);
}

#[test]
fn raised_letters_of_footnotes_are_marks() {
    // SciPy 1.17.1, chi2_contingency without correction.
    for mark in ["ᵃ", "ᵇ", "ᶜ", "ᵈ", "ᵉ", "ᶠ", "ᵍ", "ʰ", "ⁱ", "ⁿ"] {
        let table = format!(
            "| Item | A (n = 49) | B (n = 37) | P |\n|--|--|--|--|\n| Sex |  |  | 0.780{mark} |\n| M | 24 (49.0) | 17 (45.9) |  |\n\
             | F | 25 (51.0) | 20 (54.1) |  |\n"
        );
        assert_eq!(judged(&table, ""), [], "{table}");
        assert_eq!(coverage(&table), (5, 5));
    }
}

/// Cells that took part and all cells of a table.
fn coverage(table: &str) -> (usize, usize) {
    let readings = read(table.as_bytes(), "t.md", &Correction::default(), &Params::default()).unwrap();
    let found = shown::coverage(&readings[0], &judge(&readings[0].cells).used);
    (found.used, found.cells)
}

#[test]
fn what_cannot_be_judged_did_not_take_part() {
    let table = |p: [&str; 2]| {
        format!(
            "| Item | A (n = 49) | B (n = 37) | P |\n|--|--|--|--|\n| Sex |  |  | {} |\n|   M | 24 (49.0) | 17 (45.9) |  |\n\
             |   F | 25 (51.0) | 20 (54.1) |  |\n| Grade |  |  | {} |\n|   1 | 20 (40.8) | 18 (48.6) |  |\n|   2 | 29 (59.2) | 19 (51.4) |  |\n",
            p[0], p[1]
        )
    };
    assert_eq!(coverage(&table(["0.780", "0.469"])), (10, 10));
    assert_eq!(coverage(&table(["0.041", "0.002"])), (8, 10));
    // Means that no test, total or whole number is held against.
    assert_eq!(
        coverage(
            "| Item | A (n = 49) | B (n = 37) |\n|--|--|--|\n| Age | 24.1 ± 9.0 | 25.2 ± 9.1 |\n| BMI | 22.1 ± 3.0 | 23.2 ± 3.1 |\n"
        ),
        (0, 4)
    );
}

#[test]
fn a_cell_may_have_a_line_of_its_own() {
    let row = |cells: [&str; 4]| cells.map(|it| format!("<td>{it}</td>\n")).concat();
    let rows = [
        ["Variable", "Good (n = 76)", "Poor (n = 60)", "P"],
        ["Sex (male/female)", "50/26", "37/23", "0.619"],
        ["Fracture (yes/no)", "20/56", "31/29", "0.002"],
        ["Side (left/right)", "40/36", "28/32", "0.490"],
    ];
    let page = |rows: [[&str; 4]; 4]| {
        let body: String = rows.map(|it| format!("<tr>\n{}</tr>\n", row(it))).concat();
        format!("<html><body><table>\n{body}</table></body></html>")
    };
    let found = |page: &str| -> Vec<Finding> {
        let readings = read(page.as_bytes(), "t.html", &Correction::default(), &Params::default()).unwrap();
        judge(&readings[0].cells).findings.into_iter().filter(|it| it.severity != Severity::Note).collect()
    };
    // SciPy 1.17.1, chi2_contingency without correction.
    assert_eq!(found(&page(rows)), []);
    let mut wrong = rows;
    wrong[1][3] = "0.889";
    let told = found(&page(wrong));
    assert!(told.len() == 1 && told[0].implied == "0.619", "{told:#?}");
}

#[test]
fn sentences_of_an_article_are_held_against_its_tables() {
    let article = "In all, 93 patients were split into a training set (n = 75) and a test set (n = 18), with or without \
                   pathological fracture (PF).\n\n\
                   | Model | Set | AUC (95% CI) | Accuracy |\n|--|--|--|--|\n| Model_clinical | Training | 0.737 (0.623-0.850) | 0.662 |\n\
                   | Model_rad | Training | 0.888 (0.813-0.963) | 0.747 |\n| Model_combined | Training | 0.990 (0.975-1.000) | 0.920 |\n\n\
                   By DeLong's test, in the training set the AUC of Model_combined did not differ from that of Model_clinical \
                   (P = 0.936), nor Model_rad from Model_clinical (P = 0.031). The Brier score of Model_combined was 0.193.\n";
    let cells = |text: &str| -> Vec<PublishedCell> {
        let readings = read(text.as_bytes(), "t.md", &Correction::default(), &Params::default()).unwrap();
        readings.into_iter().flat_map(|it| it.cells).collect()
    };
    let own = cells(article);
    let told: Vec<(&str, &str, usize)> = own
        .iter()
        .filter(|it| it.place.table == "text")
        .map(|it| (it.place.row.as_str(), it.printed.as_str(), it.source.line))
        .collect();
    assert_eq!(
        told,
        [
            ("n", "75", 1),
            ("DeLong: Model_combined vs Model_clinical", "0.936", 9),
            ("DeLong: Model_rad vs Model_clinical", "0.031", 9),
            ("Model_combined", "0.193", 9)
        ]
    );
    let found: Vec<Finding> =
        judge(&own).findings.into_iter().filter(|it| it.severity == Severity::Impossible).collect();
    assert!(found.len() == 1 && found[0].printed == "0.936", "{found:#?}");
    let page = article.replace("0.936", "0.001").replace('\n', " ");
    let page = format!(
        "<html><body><p>{page}</p><table><tr><td>Model<td>AUC (95% CI)<td>Accuracy<tr><td>Model_clinical<td>0.737 (0.623-0.850)<td>0.662\
                        <tr><td>Model_combined<td>0.990 (0.975-1.000)<td>0.920</table></body></html>"
    );
    let said = cells(&page).into_iter().filter(|it| it.place.table == "text").count();
    assert_eq!(said, 1, "no set of the table is named but for the Brier score, which may be of all patients");
}
