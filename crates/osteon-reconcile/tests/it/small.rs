//! Small inputs of one fault each, and inputs that are not at fault.

use osteon_reconcile::{Finding, Severity, read, reconcile};
use osteon_testing::shared;

/// Row, column and what the implied value or the reason holds.
type Said = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const INPUTS: [(&str, &[Said]); 20] = [
    ("accuracy_outside", &[("W-L IVIM D", "Sensitivity, Specificity, Accuracy", "outside the range")]),
    ("count_95_percent", &[]),
    ("counts_of_matrix", &[("junior", "Precision", "0.659")]),
    ("fisher_3x4_AJCC", &[]),
    ("fisher_3x4_Differentiated", &[]),
    ("fisher_3x4_N", &[]),
    ("fisher_5x4_559", &[("Pathological T staging (%): Ta", "Training", "125(43.0)")]),
    ("hazard_ratio", &[("WHO", "multivariate HR (95%CI)", "outside its own interval")]),
    ("joint_sizes", &[("Clinic AP", "Specificity", "0.885")]),
    ("median_iqr_as_mean_sd", &[]),
    ("or_slip", &[("Elastography grade", "multivariate OR (95%CI)", "lower end 1.17")]),
    ("ordinal_kruskal", &[]),
    ("p_borderline", &[]),
    ("percent_without_sign", &[]),
    ("score_outside_its_interval", &[("model", "NPV", "outside its own interval")]),
    ("single_group_total", &[]),
    ("slow_fisher_5x4", &[("Pathological T staging (%): Ta", "Training", "125(43.0)"), ("Diameter of lesion (%): ≥ 3 cm", "Training", "swapped"), ("No. of lesions (%): Multiple", "Training", "81(27.8)")]),
    ("subset_p", &[]),
    ("swapped_counts", &[("Diameter: >= 3 cm", "Training", "swapped")]),
    ("truncated_twice", &[("Morphologic MRI", "Precision, NPV", "cut off")]),
];

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn each_small_input_gives_its_fault_and_nothing_else() {
    let Some(folder) = shared("cases/published") else { return };
    let mut wrong = Vec::new();
    for (name, expected) in INPUTS {
        let cells = read(&std::fs::read_to_string(folder.join(format!("{name}.csv"))).unwrap()).unwrap();
        let start = std::time::Instant::now();
        let findings = reconcile(&cells);
        if start.elapsed().as_secs_f64() > 4.0 {
            wrong.push(format!("{name} took {:?}", start.elapsed()));
        }
        let said: Vec<&Finding> = findings.iter().filter(|it| it.severity != Severity::Note).collect();
        let is = |it: &Finding, (row, column, told): &Said| {
            it.place.row == *row && it.place.column == *column && (it.implied.contains(told) || it.why.contains(told))
        };
        let missed: Vec<&Said> = expected.iter().filter(|want| !said.iter().any(|it| is(it, want))).collect();
        let alarms: Vec<&&Finding> = said.iter().filter(|it| !expected.iter().any(|want| is(it, want))).collect();
        if !missed.is_empty() || !alarms.is_empty() {
            wrong.push(format!("{name}: missed {missed:?}, said {alarms:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn numbers_that_cannot_be_are_found_under_any_name() {
    let Some(folder) = shared("cases/published") else { return };
    let cells = read(&std::fs::read_to_string(folder.join("unknown_columns_silent.csv")).unwrap()).unwrap();
    let findings = reconcile(&cells);
    for (column, severity) in [
        ("Area under the curve", Severity::Impossible),
        ("Youden", Severity::Impossible),
        ("C-index", Severity::Impossible),
        ("ICC (95%CI)", Severity::Inconsistent),
    ] {
        assert!(
            findings.iter().any(|it| it.place.column == column && it.severity == severity),
            "{column}: {findings:#?}"
        );
    }
}
