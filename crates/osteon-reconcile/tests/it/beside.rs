//! Numbers that stand beside those that they follow from: P values in the cell of their estimate, areas beside their
//! pairs, totals beside row percentages, statistics without sizes, events beside patients.
//!
//! Numbers are invented; P values are SciPy's (chi2_contingency without correction, ttest_ind_from_stats, norm, t, f,
//! chi2).

use crate::denominators::{check, table};
use crate::forms::judged;

#[test]
fn a_p_may_stand_in_the_cell_of_its_estimate() {
    let lines = [
        " A | 1.05 (0.71–1.56), p = 0.803",
        " B | 1.36 (0.94–1.98), p = 0.103",
        " C | 1.73 (1.13–2.67), p = 0.012",
        " D | 2.27 (1.42–3.63), p < 0.001",
        " E | 0.89 (0.59–1.34), p = 0.568",
    ];
    check(&table("Variable | HR (95% CI), p", &lines), &[("0.568", "0.006", "E"), ("0.012", "0.612", "C")]);
}

#[test]
fn areas_may_stand_beside_the_p_values_of_their_pairs() {
    let lines = [
        " Clinical | 0.712 (0.650–0.774) | – | 0.021 | 0.003",
        " Radiomics | 0.812 (0.750–0.874) | 0.021 | – | 0.112",
        " Nomogram | 0.851 (0.790–0.912) | 0.003 | 0.112 | –",
    ];
    let text = table("Model | AUC (95% CI) | Clinical | Radiomics | Nomogram", &lines);
    check(&text, &[("(0.750–0.874)", "(0.874–0.750)", "Radiomics"), ("0.112 | –", "0.211 | –", "Nomogram")]);
}

#[test]
fn a_total_beside_row_percentages_is_no_compared_group() {
    let lines = [
        " Sex | Female | 64 (35.8) | 37 (57.8) | 27 (42.2) | 0.133",
        " | Male | 115 (64.2) | 53 (46.1) | 62 (53.9) |",
        " Side | Left | 72 (40.2) | 28 (38.9) | 44 (61.1) | 0.012",
        " | Right | 107 (59.8) | 62 (57.9) | 45 (42.1) |",
        " Grade | Low | 50 (27.9) | 30 (60.0) | 20 (40.0) | 0.017",
        " | Mid | 74 (41.3) | 41 (55.4) | 33 (44.6) |",
        " | High | 55 (30.7) | 19 (34.5) | 36 (65.5) |",
    ];
    let text = table("Variable | Level | No. of patients (%) | No | Yes | P", &lines);
    check(&text, &[("0.012", "0.512", "Side")]);
}

#[test]
fn statistics_say_their_p_where_no_size_is_printed() {
    let lines = [
        " K0 | 1.20 ± 0.19 | 1.23 ± 0.20 | −0.600 | 0.551",
        " K1 | 1.16 ± 0.18 | 1.25 ± 0.21 | −1.803 | 0.077",
        " K2 | 1.21 ± 0.17 | 1.19 ± 0.21 | 0.411 | 0.683",
        " K3 | 1.19 ± 0.16 | 1.10 ± 0.17 | 2.127 | 0.038",
    ];
    check(
        &table("Parameter | Benign | Malignant | t | P", &lines),
        &[("2.127", "5.127", "K3"), ("0.683", "0.068", "K2")],
    );
    let lines = [
        " D0 | 1.26 ± 0.26 | 1.20 ± 0.17 | 1.13 ± 0.16 | 2.366 | 0.103",
        " D1 | 1.21 ± 0.23 | 1.23 ± 0.16 | 1.17 ± 0.16 | 0.597 | 0.554",
        " D2 | 1.13 ± 0.24 | 1.26 ± 0.20 | 1.23 ± 0.25 | 1.972 | 0.148",
        " D3 | 1.14 ± 0.18 | 1.20 ± 0.22 | 1.19 ± 0.23 | 0.505 | 0.606",
    ];
    check(&table("Parameter | G1 | G2 | G3 | F value | P value", &lines), &[("1.972", "7.972", "D2")]);
}

#[test]
fn tables_of_survival_are_held_against_themselves() {
    let lines = [
        " Sex | | | | | 0.767 | 0.381",
        "   Male | 54 | 22.7 | 17.9–26.5 | | |",
        "   Female | 67 | 23.0 | 19.1–31.8 | | |",
        " Stage | | | | | 1.134 | 0.287",
        "   Early | 42 | 33.5 | 29.0–42.1 | | |",
        "   Late | 67 | 25.1 | 21.8–30.5 | | |",
        " Side | | | | | 0.067 | 0.796",
        "   Left | 52 | 28.5 | 22.0–35.1 | | |",
        "   Right | 57 | 27.1 | 21.8–33.5 | | |",
    ];
    let lines = lines.map(|it| it.replacen(" | | |", " | |", 1));
    let text = table("Factor | n | Median OS (months) | 95% CI | χ2 | P", &lines.each_ref().map(|it| it.as_str()));
    check(&text, &[("17.9–26.5", "51.2–60.3", "Male"), ("0.287", "0.912", "Stage")]);
    let lines = [
        " Male | 65 | 43 | 75.4 (63.0–84.1) | 33.5 (21.1–46.3)",
        " Female | 102 | 63 | 67.6 (57.6–75.8) | 33.6 (23.1–44.4)",
    ];
    let text = table("Group | n | Events | 1-year OS (%) | 3-year OS (%)", &lines);
    check(&text, &[("33.5 (21.1–46.3)", "83.5 (71.1–96.3)", "Male"), ("| 63 |", "| 163 |", "Female")]);
}

#[test]
fn means_of_scores_with_their_errors_are_within_what_scores_can_be() {
    let lines = [
        " I0 | 0.751 ± 0.048 | 0.657–0.845",
        " I1 | 0.859 ± 0.023 | 0.814–0.904",
        " I2 | 0.605 ± 0.043 | 0.521–0.689",
        " I3 | 0.807 ± 0.023 | 0.762–0.852",
    ];
    let text = table("Index | AUC ± SE | 95% CI", &lines);
    check(&text, &[("0.859", "0.659", "I1"), ("0.605", "1.605", "I2"), ("0.048", "0.084", "I0")]);
    let lines =
        [" A | 85.27 ± 2.30 | 81.07 ± 4.15", " B | 88.20 ± 2.19 | 83.47 ± 4.86", " C | 88.45 ± 1.09 | 81.33 ± 3.65"];
    check(&table("Method | AUC (%) | ACC (%)", &lines), &[("88.20", "188.20", "B")]);
}

#[test]
fn percentages_are_of_their_fraction_or_of_the_rows_number() {
    let lines = [
        " R1 vs R2 | 93/120 (77.5%) | 0.59 (0.49–0.70)",
        " R1 vs R3 | 91/120 (75.8%) | 0.85 (0.74–0.95)",
        " R2 vs R3 | 89/120 (74.2%) | 0.61 (0.49–0.74)",
    ];
    check(&table("Reader pair | Agreement, n/N (%) | κ (95% CI)", &lines), &[("75.8", "57.8", "R1 vs R3")]);
    let lines = [
        " Training | 148 | 66 (44.6) | 0.868 (0.809–0.928)",
        " Validation | 55 | 34 (61.8) | 0.933 (0.865–1.000)",
        " External | 87 | 31 (35.6) | 0.802 (0.711–0.893)",
    ];
    let found = judged(&table("Cohort | Patients, n | Events, n (%) | C-index (95% CI)", &lines), "");
    assert!(found.is_empty(), "{found:#?}");
    let wrong = table("Cohort | Patients, n | Events, n (%) | C-index (95% CI)", &lines).replace("61.8", "81.6");
    assert_eq!(judged(&wrong, "").len(), 1);
    let lines = [
        " Side | Left | 20 | 38.5 | 15 | 31.9 | 0.496",
        " | Right | 32 | 61.5 | 32 | 68.1 |",
        " Node | Negative | 33 | 63.5 | 20 | 42.6 | 0.037",
        " | Positive | 19 | 36.5 | 27 | 57.4 |",
    ];
    check(&table("Feature | Level | A (n=52) | % | B (n=47) | % | P", &lines), &[("63.5", "36.5", "Node: Negative")]);
}

#[test]
fn fractions_give_the_last_digit_of_their_score() {
    let lines = [
        " A | 63.5% (54/85) | 81.1% (43/53)",
        " B | 70.6% (60/85) | 77.4% (41/53)",
        " C | 76.5% (65/85) | 84.9% (45/53)",
    ];
    check(&table("Reader | Sensitivity | Specificity", &lines), &[("63.5%", "63.6%", "A")]);
}

#[test]
fn a_bracket_behind_means_may_be_a_range() {
    let lines = [
        " Age | 57.1 ± 10.5 (30–81) | 59.0 ± 9.9 (37–83)",
        " Size | 6.3 ± 2.3 (1.8–14.5) | 9.3 ± 4.1 (3.9–25.7)",
        " ALP | 180 ± 119 (36–554) | 172 ± 118 (43–696)",
    ];
    check(&table("Feature | Good (n=70) | Poor (n=60)", &lines), &[("172 ± 118", "172 ± 9000", "ALP")]);
}

#[test]
fn means_speak_for_the_groups_of_few_counts() {
    // Ages: Student's t; with three rows of means the P of the counts are of the same two groups.
    let lines = [
        " Age, mean ± SD | 55.1 ± 10.4 | 60.2 ± 10.8 | 0.019",
        " Side | | | 0.496",
        " Left | 20 (38.5) | 15 (31.9) |",
        " Right | 32 (61.5) | 32 (68.1) |",
        " Node | | | 0.037",
        " Negative | 33 (63.5) | 20 (42.6) |",
        " Positive | 19 (36.5) | 27 (57.4) |",
    ];
    check(&table("Variable | No (n = 52) | Yes (n = 47) | P", &lines), &[("0.496", "0.049", "Side")]);
}
