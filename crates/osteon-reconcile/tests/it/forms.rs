//! The 29 printed tables in every format made from them: the same cells in the same places, the same findings.

use osteon_reconcile::read::correction::Correction;
use osteon_reconcile::read::{Params, read};
use osteon_reconcile::{Finding, PublishedCell, Severity, judge};

use crate::reading::readings;
use crate::writers::{FORMATS, write};

fn rows(markdown: &str) -> Vec<Vec<String>> {
    let lines = markdown.lines().enumerate().filter(|(at, line)| *at != 1 && line.starts_with('|'));
    lines
        .map(|(_, line)| {
            line.trim()
                .trim_start_matches('|')
                .trim_end_matches('|')
                .split('|')
                .map(|it| it.trim().to_owned())
                .collect()
        })
        .collect()
}

/// What a cell says without the line in which its file has it.
fn said(cell: &PublishedCell) -> String {
    let place = &cell.place;
    let row = bare(&place.row);
    format!(
        "{} {} {} {} {} {:?} {:?}",
        cell.source.column, place.set, row, place.column, cell.printed, cell.value, cell.role
    )
}

/// A name of a row without the line that tells it from others.
fn bare(row: &str) -> &str {
    row.split(" (line ").next().unwrap().split(": row ").next().unwrap().split(" from line ").next().unwrap()
}

/// What a finding says without lines and the table's name.
fn told(finding: &Finding) -> String {
    let place = &finding.place;
    format!(
        "{:?} {:?} {} {} {} {} -> {}",
        finding.severity,
        finding.kind,
        place.set,
        bare(&place.row),
        place.column,
        finding.printed,
        finding.implied
    )
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_same_table_reads_and_is_judged_the_same_in_every_form() {
    let Some(folder) = osteon_testing::shared("cases/published/tables") else { return };
    for (name, expected) in readings(&folder) {
        let rows = rows(&std::fs::read_to_string(folder.join(&name)).unwrap());
        let findings: Vec<String> = judge(&expected[0].cells).findings.iter().map(told).collect();
        for form in FORMATS {
            let found = read(&write(form, &rows), &name, &Correction::default(), &Params::default()).unwrap();
            for (found, expected) in found[0].cells.iter().zip(&expected[0].cells) {
                assert_eq!(said(found), said(expected), "{name} as {form}");
            }
            assert_eq!(found[0].cells.len(), expected[0].cells.len(), "{name} as {form}");
            let judged: Vec<String> = judge(&found[0].cells).findings.iter().map(told).collect();
            assert_eq!(judged, findings, "{name} as {form}");
        }
    }
}

#[test]
fn hostile_files_are_refused_or_read_but_never_hang() {
    let deep = "<table>".repeat(50_000);
    let wide = "<table><tr><td>1</td><td colspan=999999999 rowspan=999999999>1</td></tr><tr><td>2</table>";
    let cells = format!("<table><tr>{}</tr><tr><td>1", "<td colspan=1000>1".repeat(5_000));
    let pipes = format!("|a|b|\n|--|--|\n{}", "|".repeat(200_000));
    let quotes = format!("a\tb\n{}", "\"".repeat(100_000));
    for text in [deep.as_str(), wide, &cells, &pipes, &quotes, "<table", "<?xml", "PK\u{3}\u{4}", "", "|\n|--|"] {
        let _ = read(text.as_bytes(), "hostile", &Correction::default(), &Params::default());
    }
    let small = Params { max_bytes: 10, ..Params::default() };
    assert!(read(b"a,b\n1,2\n3,4\n", "large", &Correction::default(), &small).is_err());
}

#[test]
fn a_person_corrects_roles_and_the_file_is_read_again() {
    let table = "| Item | A (n = 10) | B (n = 20) | Q |\n|--|--|--|--|\n| Male | 5 (50) | 8 (40) | 0.6 |\n| Female | 5 (50) | 12 (60) | |\n";
    let said = "[[table]]\nrounding = \"cut\"\n[[table.column]]\nat = 4\nrole = \"p\"\npair = [\"A\", \"B\"]\n\
                [[table.row]]\nline = 3\nrole = \"level\"\nvariable = \"Sex\"\nlabel = \"Male\"\n";
    let correction = Correction::parse(said).unwrap();
    let readings = read(table.as_bytes(), "t.md", &correction, &Params::default()).unwrap();
    let p = readings[0].cells.iter().find(|cell| cell.source.column == 4).unwrap();
    let osteon_reconcile::role::Role::P(compared) = &p.role else { panic!("{:?}", p.role) };
    assert!(compared.is_named && compared.groups == ["A", "B"] && p.place.row == "Sex", "{p:?}");
    assert!(readings[0].cells.iter().all(|cell| cell.rounding.is_some()));
    let template = osteon_reconcile::read::correction::template(&readings);
    assert!(Correction::parse(&template).is_ok(), "{template}");
    for (wrong, part) in [
        ("[[table]]\n[[table.column]]\nat = 1\nrole = \"colour\"\n", "table 1, column 1: role \"colour\" is none of"),
        ("[[table]]\nname = 3\n", "not a correction of tables"),
        ("[[table]]\n[[table.row]]\nline = 1\nrole = \"x\"\n", "table 1, line 1: role \"x\""),
    ] {
        let error = Correction::parse(wrong).unwrap_err().to_string();
        assert!(error.starts_with(part), "{error}");
    }
}

/// The findings beyond notes of a Markdown table read under a correction.
pub fn judged(table: &str, correction: &str) -> Vec<Finding> {
    let readings = read(table.as_bytes(), "t.md", &Correction::parse(correction).unwrap(), &Params::default()).unwrap();
    let cells: Vec<PublishedCell> = readings.into_iter().flat_map(|it| it.cells).collect();
    judge(&cells).findings.into_iter().filter(|it| it.severity != Severity::Note).collect()
}

#[test]
fn what_a_person_says_of_rounding_changes_the_judgement() {
    // 20/30, 10/30, 31/45, 14/45 and 7/30, 23/30, 8/45, 37/45 with their digits cut off.
    let table = "| Item | A (n = 30) | B (n = 45) |\n|--|--|--|\n| Sex | | |\n| Male | 20 (66.6) | 31 (68.8) |\n\
                 | Female | 10 (33.3) | 14 (31.1) |\n| Fracture | | |\n| Yes | 7 (23.3) | 8 (17.7) |\n| No | 23 (76.6) | 37 (82.2) |\n";
    assert_eq!(judged(table, "").len(), 1, "one finding for the habit");
    assert_eq!(judged(table, "[[table]]\nrounding = \"rounded\"\n").len(), 4, "each by itself");
    assert_eq!(judged(table, "[[table]]\nrounding = \"cut\"\n"), []);
    let rounded = table.replace("66.6", "66.7");
    let found = judged(&rounded, "[[table]]\nrounding = \"cut\"\n");
    assert!(found.len() == 1 && found[0].implied == "20(66.6)", "{found:#?}");
}

#[test]
fn what_a_person_says_of_a_pair_changes_the_judgement() {
    // SciPy 1.17.1, chi2_contingency without correction of A and C: 0.0339, 0.0053, 0.2568, 0.0206; the last is misprinted.
    let table = "| Item | A (n = 50) | B (n = 60) | C (n = 40) | P |\n|--|--|--|--|--|\n| U | | | | 0.034 |\n\
                 | a | 20 | 31 | 25 | |\n| b | 30 | 29 | 15 | |\n| V | | | | 0.005 |\n| a | 12 | 20 | 21 | |\n| b | 38 | 40 | 19 | |\n\
                 | W | | | | 0.257 |\n| a | 26 | 28 | 16 | |\n| b | 24 | 32 | 24 | |\n| X | | | | 0.720 |\n| a | 9 | 30 | 16 | |\n\
                 | b | 41 | 30 | 24 | |\n";
    let found = judged(table, "");
    assert!(found.len() == 1 && found[0].place.row == "X" && found[0].implied == "0.021", "{found:#?}");
    let said = |pair: &str| format!("[[table]]\n[[table.column]]\nat = 5\npair = [{pair}]\n");
    let named = judged(table, &said("\"A\", \"C\""));
    assert!(named.len() == 1 && named[0].place == found[0].place && named[0].implied == "0.021", "{named:#?}");
    assert_eq!(judged(table, &said("\"A\", \"B\"")), [], "nothing is explained by this pair, and nothing asserted");
}

#[test]
fn what_a_person_says_of_roles_and_units_changes_the_judgement() {
    let table = "| Item | A (n = 50) | C (n = 40) | Q |\n|--|--|--|--|\n| U | | | 0.034 |\n| a | 20 | 25 | |\n| b | 30 | 15 | |\n\
                 | V | | | 0.005 |\n| a | 12 | 21 | |\n| b | 38 | 19 | |\n| W | | | 0.754 |\n| a | 26 | 16 | |\n| b | 24 | 24 | |\n";
    assert_eq!(judged(table, ""), []);
    let found = judged(table, "[[table]]\n[[table.column]]\nat = 4\nrole = \"p\"\n");
    assert!(found.len() == 1 && found[0].place.row == "W" && found[0].implied == "0.257", "{found:#?}");
    let left_out = "[[table]]\n[[table.column]]\nat = 4\nrole = \"p\"\n[[table.row]]\nline = 9\nrole = \"ignore\"\n";
    assert_eq!(judged(table, left_out), []);
    let scores = "| Model | Sensitivity (%) | Specificity (%) | Accuracy |\n|--|--|--|--|\n| X | 50.0 | 60.0 | 0.55 |\n| Y | 70.0 | 90.0 | 0.80 |\n";
    assert_eq!(judged(scores, ""), []);
    let found = judged(scores, "[[table]]\n[[table.column]]\nat = 4\nunit = \"percent\"\n");
    assert_eq!(found.len(), 2, "an accuracy of 0.55 % lies outside: {found:#?}");
    let found = judged(scores, "[[table]]\n[[table.column]]\nat = 2\nunit = \"share\"\n");
    assert!(found.iter().any(|it| it.severity == Severity::Impossible), "a sensitivity of 50: {found:#?}");
}

#[test]
fn what_reading_lost_or_assumed_is_said() {
    let said = |bytes: &[u8]| {
        let readings = read(bytes, "t", &Correction::default(), &Params::default()).unwrap();
        let notes = osteon_reconcile::reading_notes(&readings);
        notes.into_iter().map(|it| it.why).collect::<Vec<_>>().join(" ")
    };
    let page = b"<html><table><tr><td>Gr\xf6\xdfe<td>A<td>B<tr><td>x<td>1<td>2</table>";
    assert!(said(page).starts_with("The page names no encoding"), "{}", said(page));
    let wide = |cell: &str, from: &str, to: &str| {
        let row = |first: &str| format!("{from}{first}{}{to}", cell.repeat(210));
        row("x") + &row("y")
    };
    let html = format!("<table>{}</table>", wide("<td>1", "<tr><td>", ""));
    let tsv = wide("\t1", "", "\n");
    for text in [html, tsv] {
        assert!(said(text.as_bytes()).starts_with("22 cells beyond column 200"), "{}", said(text.as_bytes()));
    }
    let markdown = format!("|x{}|\n|{}\n|y{}|\n", "|1".repeat(210), "--|".repeat(211), "|1".repeat(210));
    assert!(said(markdown.as_bytes()).starts_with("22 cells beyond column 200"), "{}", said(markdown.as_bytes()));
    let table = "| Item | A (n = 9) | B (n = 9) | P |\n|--|--|--|--|\n| Age | 9.1 ± 1.0 | 9.2 ± 1.1 | 0.84 |\n| Size | 3.1 ± 1.0 | 3.2 ± 1.1 | 1.20 |\n\
                 | Dose | 3.1 ± 1.0 | 3.2 ± 1.1 | 0.84 |\n";
    let found = judged(table, "");
    assert!(found.len() == 1 && found[0].severity == Severity::Impossible && found[0].printed == "1.20", "{found:#?}");
}

#[test]
fn tables_of_one_paper_are_matched_by_the_names_of_their_sets() {
    let cohort = "| Item | Training cohort | | | Testing cohort | | |\n|--|--|--|--|--|--|--|\n\
                  | | Good (n = 40) | Poor (n = 60) | P | Good (n = 20) | Poor (n = 30) | P |\n\
                  | Male | 20 (50.0) | 30 (50.0) | 1.000 | 10 (50.0) | 15 (50.0) | 1.000 |\n";
    // 45 of 60 and 30 of 40 are right; 0.78 is no fraction of 60 or 40.
    let models = "| Model | Cohort | Sensitivity | Specificity | Accuracy |\n|--|--|--|--|--|\n| X | Training set | 0.750 | 0.750 | 0.750 |\n\
                  | X | Test set | 0.800 | 0.700 | 0.760 |\n| Y | Training set | 0.750 | 0.775 | 0.784 |\n";
    assert!(judged(models, "").iter().all(|it| it.place.row != "X"));
    let cells = |text: &str, name: &str| {
        read(text.as_bytes(), name, &Correction::default(), &Params::default()).unwrap().remove(0).cells
    };
    let both = [cells(cohort, "t1.md"), cells(models, "t3.md")].concat();
    let found: Vec<Finding> = judge(&both).findings.into_iter().filter(|it| it.severity != Severity::Note).collect();
    assert!(found.len() == 1 && found[0].place.row == "Y" && found[0].why.contains("60/40"), "{found:#?}");
}

#[test]
fn a_matrix_of_pairs_is_read_and_held_against_itself_and_the_areas() {
    let areas = "| Model | AUC (95% CI) |\n|--|--|\n| Clinical | 0.700 (0.600-0.800) |\n| Radiomics | 0.800 (0.720-0.880) |\n\
                 | Combined | 0.900 (0.850-0.950) |\n";
    let matrix = |mirror: &str, impossible: &str| {
        format!(
            "| DeLong P | Clinical | Radiomics | Combined |\n|--|--|--|--|\n| Clinical | - | 0.041 | {impossible} |\n\
             | Radiomics | {mirror} | - | 0.020 |\n| Combined | {impossible} | 0.020 | - |\n"
        )
    };
    let judged = |mirror: &str, impossible: &str| {
        let text = format!("{areas}\n{}", matrix(mirror, impossible));
        let readings = read(text.as_bytes(), "t.md", &Correction::default(), &Params::default()).unwrap();
        let cells: Vec<PublishedCell> = readings.into_iter().flat_map(|it| it.cells).collect();
        let found = judge(&cells).findings.into_iter().filter(|it| it.severity != Severity::Note);
        found.map(|it| it.place.row).collect::<Vec<_>>()
    };
    assert_eq!(judged("0.041", "0.001"), [""; 0]);
    assert_eq!(judged("0.210", "0.001"), ["DeLong: Radiomics vs Clinical"]);
    // The largest P of 0.700 against 0.900 with these intervals is 0.009.
    assert_eq!(judged("0.041", "0.400"), ["DeLong: Clinical vs Combined", "DeLong: Combined vs Clinical"]);
    let correlation = "| Correlation | A | B | C |\n|--|--|--|--|\n| A | 1.00 | 0.40 | -0.20 |\n| B | 0.40 | 1.00 | 0.10 |\n| C | -0.20 | 1.10 | 1.00 |\n";
    let found = crate::forms::judged(&correlation.replace("1.10", "0.30"), "");
    assert!(found.len() == 1 && found[0].implied == "0.10", "{found:#?}");
}
