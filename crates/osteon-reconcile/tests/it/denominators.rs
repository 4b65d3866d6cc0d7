//! What percentages, P values and means are of, where a table says it in another row, a heading or a footnote: nothing
//! is told of the right tables, and a changed number is told.
//!
//! Numbers are invented; P values are SciPy's (chi2_contingency without correction, ttest_ind_from_stats, f_oneway).

use osteon_reconcile::Severity;
use osteon_reconcile::read::correction::Correction;
use osteon_reconcile::read::{Params, read, shown};

use crate::forms::judged;

/// A Markdown table of a header and lines.
pub fn table(header: &str, lines: &[&str]) -> String {
    let rule = "--|".repeat(header.matches('|').count() + 1);
    let lines: Vec<String> = lines.iter().map(|line| format!("|{line} |")).collect();
    format!("| {header} |\n|{rule}\n{}\n", lines.join("\n"))
}

/// Nothing is found in a table; each change of a number is found, in this row.
pub fn check(text: &str, changes: &[(&str, &str, &str)]) {
    let found = judged(text, "");
    assert!(found.is_empty(), "{found:#?}\n{text}");
    for (old, new, row) in changes {
        assert!(text.contains(old), "{old} is not in\n{text}");
        let found = judged(&text.replacen(old, new, 1), "");
        assert!(found.iter().any(|it| it.place.row.contains(row)), "{old} -> {new}: {found:#?}\n{text}");
    }
}

#[test]
fn percentages_of_known_values_stand_above_a_row_of_missing_ones() {
    for missing in ["Missing", "Unknown", "NA", "Not available", "Missing, n", "Not evaluated"] {
        let lines = [
            " Sex | | | 0.196",
            "   Male | 30 (57.7) | 21 (44.7) |",
            "   Female | 22 (42.3) | 26 (55.3) |",
            " KRAS | | | 0.044",
            "   Wild type | 29 (63.0) | 17 (41.5) |",
            "   Mutated | 17 (37.0) | 24 (58.5) |",
            &format!("   {missing} | 6 | 6 |"),
            " Grade | | | 0.399",
            "   1 | 12 (25.5) | 9 (20.5) |",
            "   2 | 24 (51.1) | 19 (43.2) |",
            "   3 | 11 (23.4) | 16 (36.4) |",
            &format!("   {missing} | 5 | 3 |"),
        ];
        let text = table("Variable | Good (n=52) | Poor (n=47) | P", &lines);
        check(
            &text,
            &[
                ("29 (63.0)", "29 (36.0)", "KRAS: Wild"),
                ("24 (51.1)", "42 (51.1)", "Grade"),
                ("0.399", "0.039", "Grade"),
            ],
        );
    }
}

#[test]
fn a_test_leaves_out_patients_of_whom_nothing_is_known() {
    let lines = [
        " Sex | | | 0.196",
        " Male | 30 (57.7) | 21 (44.7) |",
        " Female | 22 (42.3) | 26 (55.3) |",
        " KRAS | | | 0.044",
        " Wild type | 29 (55.8) | 17 (36.2) |",
        " Mutated | 17 (32.7) | 24 (51.1) |",
        " Unknown | 6 (11.5) | 6 (12.8) |",
        " Side | | | 0.496",
        " Left | 20 (38.5) | 15 (31.9) |",
        " Right | 32 (61.5) | 32 (68.1) |",
    ];
    check(&table("Variable | Good (n=52) | Poor (n=47) | P", &lines), &[("0.044", "0.404", "KRAS")]);
}

#[test]
fn percentages_may_be_of_the_row_above() {
    let nested = |indent: &str| {
        let lines = [
            " Sex | | | 0.196".to_owned(),
            format!("{indent}Male | 30 (57.7) | 21 (44.7) |"),
            format!("{indent}Female | 22 (42.3) | 26 (55.3) |"),
            " Metastasis, n (%) | 31 (59.6) | 18 (38.3) | 0.034".to_owned(),
            format!("{indent}Lung | 14 (45.2) | 9 (50.0) |"),
            format!("{indent}Bone | 9 (29.0) | 4 (22.2) |"),
            format!("{indent}Both | 8 (25.8) | 5 (27.8) |"),
            " Side | | | 0.496".to_owned(),
            format!("{indent}Left | 20 (38.5) | 15 (31.9) |"),
            format!("{indent}Right | 32 (61.5) | 32 (68.1) |"),
        ];
        table("Variable | Good (n=52) | Poor (n=47) | P", &lines.each_ref().map(|it| it.as_str()))
    };
    check(&nested("   "), &[("9 (29.0)", "9 (92.0)", "Bone")]);
    check(&nested(" "), &[]);
    let lines = [
        " No. of patients | 52 | 47 |",
        " Male, n (%) | 30 (57.7) | 21 (44.7) | 0.196",
        " No. of tumors | 63 | 51 |",
        " Lobe, n (%) | | | 0.551",
        " Right | 28 (44.4) | 20 (39.2) |",
        " Left | 21 (33.3) | 22 (43.1) |",
        " Both | 14 (22.2) | 9 (17.6) |",
    ];
    check(&table(" | Group 1 | Group 2 | P", &lines), &[("21 (33.3)", "21 (63.3)", "Left")]);
}

#[test]
fn percentages_may_be_of_another_column() {
    let lines = [
        " First order | 18 | 54 | 72 | 3 (4.2)",
        " Shape | 14 | – | 14 | 1 (7.1)",
        " GLCM | 24 | 72 | 96 | 4 (4.2)",
        " GLSZM | 16 | 48 | 64 | 2 (3.1)",
        " Total | 72 | 174 | 246 | 10 (4.1)",
    ];
    check(&table("Class | Original | LoG | Total | Selected, n (%)", &lines), &[]);
    let lines = [
        " Male | 99 | 30 (57.7) | 21 (44.7) | 0.196",
        " Positive margin | 80 | 22 (53.7) | 14 (35.9) | 0.110",
        " Left side | 99 | 20 (38.5) | 15 (31.9) | 0.496",
        " Age | 99 | 55.1 (10.4) | 60.2 (10.8) | 0.019",
    ];
    check(&table("Variable | N | 0 (n=52) | 1 (n=47) | P", &lines), &[]);
    // One group has all its values.
    let lines = [
        " Male | 66 | 14 (43.8) | 19 (55.9)",
        " Positive margin | 63 | 10 (31.3) | 11 (35.5)",
        " Smoking | 63 | 13 (40.6) | 14 (45.2)",
    ];
    check(&table("Variable | N | 0 (n=32) | 1 (n=34)", &lines), &[]);
}

#[test]
fn means_over_folds_of_equal_sizes_are_told_as_such() {
    // Means over five folds of 9 and 14 patients.
    let lines = [
        " A | 0.800 | 0.756 | 0.829 | 0.748 | 0.842 | 0.747",
        " B | 0.757 | 0.667 | 0.814 | 0.722 | 0.791 | 0.685",
        " C | 0.843 | 0.867 | 0.829 | 0.774 | 0.911 | 0.812",
        " D | 0.783 | 0.711 | 0.829 | 0.750 | 0.812 | 0.726",
    ];
    let header = "Classifier | ACC | SEN | SPE | PPV | NPV | F1";
    check(&table(header, &lines), &[]);
    let noted = [&lines[..], &[" Values are means over five-fold cross-validation. | | | | | |"]].concat();
    check(&table(header, &noted), &[]);
}

#[test]
fn rows_of_means_and_deviations_below_folds_are_held_against_them() {
    let lines = [
        " Fold 1 | 0.871 | 0.812 | 0.790 | 0.840",
        " Fold 2 | 0.902 | 0.843 | 0.854 | 0.832",
        " Fold 3 | 0.845 | 0.781 | 0.735 | 0.811",
        " Fold 4 | 0.888 | 0.828 | 0.812 | 0.846",
        " Mean | 0.877 | 0.816 | 0.798 | 0.832",
        " SD | 0.025 | 0.027 | 0.050 | 0.015",
    ];
    let text = table("Fold | AUC | Accuracy | Sensitivity | Specificity", &lines);
    check(&text, &[("0.877", "0.787", "Mean"), ("0.050", "0.005", "SD")]);
}

#[test]
fn standard_errors_of_means_are_no_deviations() {
    let rows = [
        "4.10 ± 0.31 | 4.55 ± 0.29 | 0.295",
        "7.90 ± 0.44 | 8.20 ± 0.51 | 0.655",
        "3.20 ± 0.39 | 4.90 ± 0.42 | 0.004",
        "5.50 ± 0.35 | 6.10 ± 0.40 | 0.260",
    ];
    let last = "61.0 ± 3.1 | 66.0 ± 3.9 | 0.314";
    for (header, suffix) in [("Marker", ", mean ± SEM"), ("Marker (mean ± SE)", "")] {
        let names = ["IL-6", "TNF", "CRP", "PCT"];
        let mut lines: Vec<String> =
            names.iter().zip(rows).map(|(name, row)| format!(" {name}{suffix} | {row}")).collect();
        lines.push(format!(" VEGF{suffix} | {last}"));
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let text = table(&format!("{header} | Good (n = 52) | Poor (n = 47) | P"), &lines);
        check(&text, &[("0.655", "0.0005", "TNF")]);
    }
}

#[test]
fn an_f_is_no_z_and_letters_mark_pairs() {
    let rows = |marks: [&str; 2]| {
        let [b, c] = marks;
        [
            format!(" ADC | 1.20 ± 0.19 | 1.09 ± 0.18{b} | 1.04 ± 0.20{c} | 5.885 | 0.004"),
            format!(" D | 0.88 ± 0.17 | 0.77 ± 0.21{b} | 0.70 ± 0.18{c} | 7.632 | 0.001"),
            " f (%) | 20.1 ± 4.8 | 20.4 ± 4.6 | 20.2 ± 5.1 | 0.029 | 0.972".to_owned(),
            " MD | 19.4 ± 5.0 | 19.6 ± 4.8 | 20.6 ± 5.5 | 0.511 | 0.601".to_owned(),
            format!(" MK | 0.92 ± 0.20 | 0.80 ± 0.21{b} | 0.71 ± 0.18{c} | 9.327 | <0.001"),
        ]
    };
    for marks in [["", ""], ["a", "ab"], ["^a^", "^a,b^"], [" (a)", " (b)"]] {
        let lines = rows(marks);
        let text =
            table("Parameter | G1 (n=31) | G2 (n=28) | G3 (n=34) | F | P", &lines.each_ref().map(|it| it.as_str()));
        check(&text, &[("0.511", "5.110", "MD"), ("0.601", "0.061", "MD"), ("0.972", "0.092", "f (%)")]);
    }
}

#[test]
fn a_t_has_degrees_of_freedom() {
    let lines = [
        " Age | 0.412 | 0.203 | 2.030 | 0.046",
        " Size | −0.655 | 0.244 | −2.684 | 0.009",
        " Sex | 0.118 | 0.190 | 0.621 | 0.537",
        " Grade | 0.377 | 0.260 | 1.450 | 0.151",
        " Stage | 0.050 | 0.171 | 0.292 | 0.771",
    ];
    check(&table("Variable | B | SE | t | P", &lines), &[("0.537", "0.053", "Sex")]);
}

#[test]
fn thousands_may_have_spaces() {
    for space in [" ", "\u{a0}", "\u{2009}", "\u{202f}"] {
        let lines = [
            " Sex | | | 0.111".to_owned(),
            format!(" Male | 702 (58.3) | 2{space}011 (55.7) |"),
            format!(" Female | 502 (41.7) | 1{space}601 (44.3) |"),
        ];
        let header = format!("Variable | Cases (n = 1{space}204) | Controls (n = 3{space}612) | P");
        check(&table(&header, &lines.each_ref().map(|it| it.as_str())), &[("702 (58.3)", "702 (85.3)", "Male")]);
    }
}

#[test]
fn marks_of_footnotes_stand_behind_numbers() {
    for mark in ["ᵃ", "¹", "Δ", "▲", "●", "*", "†", "a", " a", "(a)", "^a^", "^1"] {
        let lines = [
            format!(" Sex | | | 0.196{mark}"),
            " Male | 30 (57.7) | 21 (44.7) |".to_owned(),
            " Female | 22 (42.3) | 26 (55.3) |".to_owned(),
            format!(" Side | | | 0.496{mark}"),
            " Left | 20 (38.5) | 15 (31.9) |".to_owned(),
            " Right | 32 (61.5) | 32 (68.1) |".to_owned(),
            format!(" Node | | | 0.037{mark}"),
            " Negative | 33 (63.5) | 20 (42.6) |".to_owned(),
            " Positive | 19 (36.5) | 27 (57.4) |".to_owned(),
        ];
        let text = table("Variable | Good (n=52) | Poor (n=47) | P", &lines.each_ref().map(|it| it.as_str()));
        check(&text, &[("0.496", "0.049", "Side")]);
    }
}

#[test]
fn the_p_of_another_test_is_not_walds() {
    let lines = [
        " A | 1.91 (1.17–3.13) | 0.006",
        " B | 1.51 (0.89–2.56) | 0.128",
        " C | 1.06 (0.71–1.57) | 0.780",
        " D | 1.49 (1.08–2.07) | 0.025",
        " E | 1.72 (1.02–2.90) | 0.025",
        " F | 1.05 (0.62–1.80) | 0.858",
    ];
    check(&table("Variable | HR (95% CI) | P (log-rank)", &lines), &[]);
}

#[test]
fn halves_side_by_side_are_read_one_after_the_other() {
    let lines = [
        " Age | 55.1 ± 10.4 | 60.2 ± 10.8 | 0.019 | BMI | 23.4 ± 3.2 | 23.1 ± 3.0 | 0.632",
        " Sex | | | 0.196 | Node | | | 0.037",
        " Male | 30 (57.7) | 21 (44.7) | | Negative | 33 (63.5) | 20 (42.6) |",
        " Female | 22 (42.3) | 26 (55.3) | | Positive | 19 (36.5) | 27 (57.4) |",
    ];
    let half = "Feature | Good (n=52) | Poor (n=47) | P";
    let text = table(&format!("{half} | {half}"), &lines);
    check(&text, &[("33 (63.5)", "33 (36.5)", "Negative"), ("30 (57.7)", "30 (75.7)", "Male")]);
    let reading = &read(text.as_bytes(), "t.md", &Correction::default(), &Params::default()).unwrap()[0];
    let cell = reading.cells.iter().find(|it| it.printed == "33 (63.5)").unwrap();
    assert_eq!((cell.source.line, cell.source.column), (5, 6));
}

#[test]
fn cells_that_cannot_be_read_are_counted_and_named() {
    let lines = [" Sex | | | 0.0.196", " Male | 30 (57.7) | 21 (44.7) |", " Female | 22 (42.3) | 26 (55.3) |"];
    let text = table("Variable | Good (n=52) | Poor (n=47) | P", &lines);
    let readings = read(text.as_bytes(), "t.md", &Correction::default(), &Params::default()).unwrap();
    let coverage = shown::coverage(&readings[0], &osteon_reconcile::judge(&readings[0].cells).used);
    assert_eq!((coverage.used, coverage.cells), (4, 5), "{coverage:?}");
    assert_eq!(coverage.missing, [(3, 4, "0.0.196".to_owned())]);
    // A column of numbers in an unknown notation is no column of labels.
    let lines =
        [" LR | 0.784/0.803 | 0.809/0.781", " SVM | 0.844/0.794 | 0.882/0.732", " RF | 0.760/0.835 | 0.789/0.797"];
    let text = table("Model | AUC (train/test) | Sensitivity (train/test)", &lines);
    let readings = read(text.as_bytes(), "t.md", &Correction::default(), &Params::default()).unwrap();
    assert_eq!(shown::coverage(&readings[0], &osteon_reconcile::judge(&readings[0].cells).used).cells, 6);
}

#[test]
fn counts_with_their_percentage_behind_a_slash_a_comma_or_n() {
    for form in ["30 / 57.7%", "30, 57.7%", "n = 30 (57.7%)", "30 (57.7%)"] {
        let cell = |n: &str, percent: &str| form.replace("30", n).replace("57.7", percent);
        let lines = [
            " Sex | | | 0.196".to_owned(),
            format!(" Male | {} | {} |", cell("30", "57.7"), cell("21", "44.7")),
            format!(" Female | {} | {} |", cell("22", "42.3"), cell("26", "55.3")),
        ];
        let text = table("Variable | Good (n=52) | Poor (n=47) | P", &lines.each_ref().map(|it| it.as_str()));
        check(&text, &[("55.3", "53.5", "Female")]);
        assert!(judged(&text, "").iter().all(|it| it.severity == Severity::Note));
    }
}
