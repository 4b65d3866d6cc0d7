//! Rows of scores with a fault each, of invented patients.

use osteon_reconcile::{Finding, Severity, read, reconcile};

/// Cells `row, column, printed` of table 3 in one set.
fn said(cells: &[[&str; 3]]) -> Vec<Finding> {
    let mut text = String::from("table,set,row,column,printed\n");
    for [row, column, printed] in cells {
        text.push_str(&format!("3,test,{row},{column},{printed}\n"));
    }
    reconcile(&read(&text).unwrap()).into_iter().filter(|it| it.severity != Severity::Note).collect()
}

/// Column, severity and what is implied.
fn check(cells: &[[&str; 3]], expected: &[(&str, Severity, &str)]) {
    let said = said(cells);
    let found: Vec<(&str, Severity, &str)> =
        said.iter().map(|it| (it.place.column.as_str(), it.severity, it.implied.as_str())).collect();
    assert_eq!(found, expected, "{said:#?}");
}

#[test]
fn one_quantity_under_two_names_has_one_value() {
    // 17 of 20 and 45 of 50; the false negative rate and the recall say the same of the first.
    let row = |rate: &'static str, recall: &'static str| {
        [
            ["A", "Sensitivity", "0.850"],
            ["A", "Specificity", "0.900"],
            ["A", "False negative rate", rate],
            ["A", "Recall", recall],
        ]
    };
    check(&row("0.150", "0.85"), &[]);
    check(&row("0.150", "0.95"), &[("Recall", Severity::Typo, "0.85")]);
    check(&row("0.200", "0.85"), &[("False negative rate", Severity::Typo, "0.150")]);
    check(&row("0.150", "0.84"), &[("Recall", Severity::Rounding, "0.85")]);
}

#[test]
fn what_follows_from_other_scores_is_held_against_them() {
    let shares = [["A", "Sensitivity", "85.0%"], ["A", "Specificity", "90.0%"]];
    let with = |column: &'static str, value: &'static str| [shares[0], shares[1], ["A", column, value]];
    for (column, right, wrong, implied, severity) in [
        ("Youden index", "0.750", "0.650", "0.750", Severity::Typo),
        ("LR+", "8.5", "9.1", "8.5", Severity::Inconsistent),
        ("LR-", "0.17", "0.37", "0.17", Severity::Typo),
    ] {
        check(&with(column, right), &[]);
        check(&with(column, wrong), &[(column, severity, implied)]);
    }
}

#[test]
fn mcc_follows_from_the_four_rates() {
    // TP 17, FN 3, TN 45, FP 5: by hand 750 / sqrt(22 * 20 * 48 * 50) is 0.7298.
    let row = |mcc: &'static str| {
        [
            ["A", "Sensitivity", "0.850"],
            ["A", "Specificity", "0.900"],
            ["A", "PPV", "0.773"],
            ["A", "NPV", "0.938"],
            ["A", "MCC", mcc],
        ]
    };
    check(&row("0.730"), &[]);
    check(&row("0.760"), &[("MCC", Severity::Typo, "0.730")]);
}

#[test]
fn a_wrong_count_is_told_from_wrong_scores() {
    let model = |name: &'static str, fp: &'static str, precision: &'static str| {
        [
            [name, "TP", "17"],
            [name, "FN", "3"],
            [name, "TN", "45"],
            [name, "FP", fp],
            [name, "Accuracy", "88.57%"],
            [name, "Specificity", "0.900"],
            [name, "Precision", precision],
        ]
    };
    let right = model("A", "5", "0.773");
    let table = |other: [[&'static str; 3]; 7]| [right, other].concat();
    check(&table(model("B", "5", "0.773")), &[]);
    check(&table(model("B", "8", "0.773")), &[("FP", Severity::Typo, "5")]);
    check(&table(model("B", "5", "0.695")), &[("Precision", Severity::Inconsistent, "0.773")]);
    check(&table(model("B", "5", "0.772")), &[("Precision", Severity::Rounding, "0.773")]);
}

#[test]
fn a_model_chosen_by_its_test_area_is_told() {
    let mut text = String::from("table,set,row,column,printed\n");
    for (table, set, row, area) in [
        ("3", "training", "A", "0.95"),
        ("3", "training", "B", "0.88"),
        ("3", "training", "C", "0.93"),
        ("3", "test", "A", "0.70"),
        ("3", "test", "B", "0.81"),
        ("3", "test", "C", "0.66"),
        ("5", "test", "radiomics", "0.81"),
    ] {
        text.push_str(&format!("{table},{set},{row},AUC,{area}\n"));
    }
    let findings = reconcile(&read(&text).unwrap());
    let told: Vec<_> = findings.iter().filter(|it| it.implied == "chosen by its test AUC").collect();
    assert!(told.len() == 1 && told[0].place.row == "B" && told[0].place.set == "test", "{findings:#?}");
}

#[test]
fn shap_values_point_where_the_odds_ratio_does() {
    // 24 and 12 without, 21 and 36 with a fracture: the odds ratio of the event Poor is 3.43.
    let table = "table,set,row,column,printed\n1,all,n,Good,45\n1,all,n,Poor,48\n1,all,Fracture: None,Good,24\n\
                 1,all,Fracture: None,Poor,12\n1,all,Fracture: Yes,Good,21\n1,all,Fracture: Yes,Poor,36\n\
                 1,all,Site: Femur,Good,30\n1,all,Site: Femur,Poor,20\n1,all,Site: Other,Good,15\n\
                 1,all,Site: Other,Poor,28\n4,all,Fracture: Yes,univariate OR (95%CI),3.429(1.426-8.244)\n\
                 4,all,Site: Other,univariate OR (95%CI),2.800(1.207-6.495)\n";
    for (towards, contradicts) in [("Good", true), ("Poor", false)] {
        let text = format!("{table}text,all,SHAP: Fracture: Yes,{towards},+1\n");
        let findings = reconcile(&read(&text).unwrap());
        let told = findings.iter().any(|it| it.place.table == "text" && it.implied == "Poor");
        assert_eq!(told, contradicts, "{findings:#?}");
    }
}

#[test]
fn a_wrong_group_size_is_one_finding_and_not_one_for_each_percentage() {
    // 40 and 50 patients; the first size misprinted as 45.
    let mut text = String::from("table,set,row,column,printed\n1,all,n,A,45\n1,all,n,B,50\n");
    for (variable, a, b) in [("Sex", 22, 30), ("Fracture", 13, 19), ("Smoker", 9, 27), ("Side", 17, 24)] {
        for (level, a, b) in [("yes", a, b), ("no", 40 - a, 50 - b)] {
            let percent = |n: i32, of: f64| 100.0 * f64::from(n) / of;
            text.push_str(&format!("1,all,{variable}: {level},A,{a} ({:.1})\n", percent(a, 40.0)));
            text.push_str(&format!("1,all,{variable}: {level},B,{b} ({:.1})\n", percent(b, 50.0)));
        }
    }
    let findings = reconcile(&read(&text).unwrap());
    let said: Vec<&Finding> = findings.iter().filter(|it| it.severity != Severity::Note).collect();
    assert!(said.len() == 1 && said[0].place.row == "n" && said[0].implied == "40", "{findings:#?}");
}

#[test]
fn averages_over_classes_are_not_accused() {
    let row = [["A", "Accuracy", "0.850"], ["A", "Precision", "0.870"], ["A", "Recall", "0.830"], ["A", "F1", "0.810"]];
    check(&row, &[]);
}
