//! The report: before anything is measured, after a fit, and for a blind reader; the same document in three formats.

use osteon_base::job::Job;
use osteon_base::seed::Seed;
use osteon_study::report::docx::docx;
use osteon_study::report::figure::{Figure, ONE_COLUMN_MM, TWO_COLUMNS_MM};
use osteon_study::report::journal::{Look, Style};
use osteon_study::report::page::{Block, Page, html, markdown};
use osteon_study::report::sheet::{self, Cell, Sheet};
use osteon_study::study::{ClinicalTable, FigureName, FigureRequest, ForestShap, ModelTable, Study};

use crate::fit::study;
use crate::words::check_words;

fn fitted() -> Study {
    let study = study(None);
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    study
}

fn texts(page: &Page) -> String {
    let blocks = page.sections.iter().flat_map(|section| &section.blocks);
    let text = |block: &Block| match block {
        Block::Text(text) | Block::Warning(text) => text.clone(),
        Block::Sheet(sheet) => sheet.title.clone(),
        Block::Figure(figure) => figure.plot.name.clone(),
    };
    blocks.map(text).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_report_of_a_fitted_study_has_every_table_figure_and_caution_with_where_it_comes_from() {
    let page = fitted().report(None).unwrap();
    let text = texts(&page);
    for wanted in [
        "Table 1",
        "Table 2",
        "Table 3",
        "Table 4",
        "Table 5",
        "flow",
        "icc",
        "lasso",
        "nomogram",
        "roc",
        "dca",
        "calibration",
        "shap",
        "forest",
        "Riley",
        "too good by",
        "Sample size",
        "leak",
        "CLEAR",
        "TRIPOD+AI",
        "held against each other (percentages, sums, tests, intervals, confusion matrices, AUCs): no finding",
        "and 1297 more, which osteon verify lists",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    for block in page.sections.iter().flat_map(|section| &section.blocks) {
        let from = match block {
            Block::Sheet(sheet) => &sheet.provenance,
            Block::Figure(figure) => &figure.plot.provenance,
            Block::Text(_) | Block::Warning(_) => continue,
        };
        for wanted in ["trail head: ", "protocol: ", "seed: ", "osteon: "] {
            assert!(from.iter().any(|line| line.starts_with(wanted)), "{wanted}{block:?}");
        }
    }
    let page_html = html(&page);
    assert!(!page_html.contains("NaN") && !page_html.contains("<script") && !page_html.contains("href=\"http"));
    assert!(page_html.contains("Figure 7.") && markdown(&page).contains("**Figure 2. LASSO"));
    assert!(docx(&page).unwrap().starts_with(b"PK"));
}

#[test]
fn checklists_are_filled_where_the_program_knows() {
    let page = fitted().report(None).unwrap();
    let sheets = page.sections.iter().flat_map(|section| &section.blocks);
    let blank = |title: &str| {
        let sheet = sheets.clone().find_map(|block| match block {
            Block::Sheet(sheet) if sheet.title.starts_with(title) => Some(sheet),
            _ => None,
        });
        let blank = sheet.unwrap().rows.iter().filter(|row| row[2] == Cell::Empty);
        blank.map(|row| row[0].text()).collect::<Vec<_>>().join(" ")
    };
    // What only the authors know: wording, ethics, dates, centres, people, earlier work, sharing.
    assert_eq!(blank("CLEAR"), "1 2 3 4 5 6 8 10 11 12 13 14 16 19 20 36 49 50 51 52 53 54 56");
    assert_eq!(
        blank("TRIPOD+AI"),
        "1 2 3a 3b 3c 4 5a 5b 6a 6b 6c 8b 8c 9c 12d 12f 14 16 17 18a 18b 18d 18e 18f 19 20c 23b 24 25 26 27a 27b 27c"
    );
}

#[test]
fn a_report_of_a_study_without_results_says_so() {
    let study = study(None);
    let page = study.report(None).unwrap();
    assert!(texts(&page).contains("No models yet: osteon fit learns them."));
    docx(&page).unwrap();
}

#[test]
fn a_forest_is_explained_both_ways_and_the_parts_add_up_to_its_score() {
    let study = fitted();
    let region = Some("peri_4mm".to_owned());
    let drawn = |name, forest_shap| -> Figure {
        let request = FigureRequest { region: region.clone(), forest_shap, ..FigureRequest::new(name, ONE_COLUMN_MM) };
        study.figure(&request).unwrap()
    };
    let last = |figure: &Figure| figure.numbers.rows.last().unwrap()[2].clone();
    let [path, own] =
        [ForestShap::PathDependent, ForestShap::Interventional].map(|how| drawn(FigureName::Waterfall, how));
    let (Cell::Number { value: a, .. }, Cell::Number { value: b, .. }) = (last(&path), last(&own)) else { panic!() };
    assert!((a - b).abs() < 1e-12, "both end at the patient's probability: {a} {b}");
    for figure in [path, drawn(FigureName::Shap, ForestShap::PathDependent)] {
        assert!(figure.caption.contains("path-dependent"), "{}", figure.caption);
        check_words(&figure.plot, ONE_COLUMN_MM);
    }
}

#[test]
fn every_figure_of_a_study_names_its_protocol_and_fits_its_paper() {
    let study = fitted();
    // Selection frequencies take more resamples than this fit has.
    let without = [FigureName::Workflow, FigureName::Selection];
    for (name, word, _) in FigureName::ALL.into_iter().filter(|(name, ..)| !without.contains(name)) {
        for width_mm in [ONE_COLUMN_MM, TWO_COLUMNS_MM] {
            let figure = study.figure(&FigureRequest::new(name, width_mm)).unwrap();
            check_words(&figure.plot, width_mm);
            assert!(figure.svg().contains("<dc:source>protocol: "), "{word}");
            let from_run = figure.svg().contains("<dc:source>run: ");
            assert_eq!(from_run, ![FigureName::Flow, FigureName::Forest, FigureName::Icc].contains(&name), "{word}");
        }
    }
    assert!(study.figure(&FigureRequest::new(FigureName::Roc, f64::NAN)).is_err());
}

/// Every paragraph of the methods and every filled item of both checklists, a line each; days and people left out.
fn sentences(page: &Page) -> String {
    let mut lines = Vec::new();
    let methods = page.sections.iter().find(|section| section.heading == "Methods").unwrap();
    for block in &methods.blocks {
        if let Block::Text(text) = block {
            lines.push(text.clone());
        }
    }
    for title in ["CLEAR", "TRIPOD+AI"] {
        let sheets = page.sections.iter().flat_map(|section| &section.blocks);
        let mut sheet = sheets.filter_map(|block| match block {
            Block::Sheet(sheet) if sheet.title.starts_with(title) => Some(sheet),
            _ => None,
        });
        for row in sheet.next_back().unwrap().rows.iter().filter(|row| row[2] != Cell::Empty) {
            lines.push(format!("{title} {}: {}", row[0].text(), row[2].text()));
        }
    }
    let day = jiff::Timestamp::now().to_string()[..10].to_owned();
    let text = lines.join("\n") + "\n";
    let (before, after) = text.split_once(&format!("on {day} by ")).unwrap();
    let who = after.split([':', ',', '.']).next().unwrap();
    let text =
        format!("{before}on DAY by WHO{}", &after[who.len()..]).replace(&format!("on {day} by {who}"), "on DAY by WHO");
    let is_hash = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let hashes: Vec<String> =
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_hash).map(str::to_owned).collect();
    hashes.iter().fold(text, |text, hash| text.replace(hash, "HASH"))
}

/// An imported split, no imputation, no resampling, and P values of exact tests. `OSTEON_WRITE_SENTENCES=1` records the
/// sentences; whoever does so reads every one of them.
#[test]
fn no_sentence_tells_what_this_study_did_not_do() {
    let set = ["learn.n_bootstraps=0", "learn.n_repeats=0", "filter.images=[\"original\", \"log\"]"];
    let study = crate::fit::study_measured_with(&set);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("split.csv");
    let rows: Vec<String> = study
        .store()
        .patients()
        .unwrap()
        .into_iter()
        .enumerate()
        .map(|(at, it)| format!("{},{}\n", it.code, if at % 5 == 0 { "test" } else { "train" }))
        .collect();
    std::fs::write(&file, format!("patient_id,set\n{}", rows.concat())).unwrap();
    study.import_split(&file, "set").unwrap();
    study.fit(&Job::unwatched()).unwrap();
    let page = study.report(None).unwrap();
    let told = texts(&page);
    for said in [
        "imported on ",
        "how the sets were made is not known to the program",
        "DeLong",
        "Brier score",
        "decision curves",
        "linear predictor against the training patients",
        "included patients with exactly 90 % counted as pGR",
        "on the original image and on 4 filtered images",
        "P values are two-sided",
        "the significance level is 0.05",
        "the exact Mann-Whitney U test (",
        "No training patient lacked a predictor",
        "There was no nested cross-validation",
    ] {
        assert!(told.contains(said), "{said}\n{told}");
    }
    for wrong in [
        "drawn at random",
        "was drawn for training",
        "imput",
        "24 filtered",
        "bootstrap sample",
        "The split was drawn",
        "ICC(2,1) of at least",
        "Firth",
        "Rubin",
        "expected repetition time",
        "0 permuted",
    ] {
        assert!(!told.contains(wrong), "{wrong}\n{told}");
    }
    let found = sentences(&page);
    let path = crate::support::fixture("study/sentences.txt");
    if std::env::var_os("OSTEON_WRITE_SENTENCES").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(path).unwrap());
}

/// LASSO's score of one region, ridge, nothing resampled, no gate of agreement: what the published chain does is not told.
#[test]
fn a_report_of_another_chain_tells_of_that_one() {
    let set = [
        "learn.n_bootstraps=0",
        "learn.n_repeats=0",
        "learn.sources=[\"intra\"]",
        "learn.rad_score=\"lasso\"",
        "learn.penalty=\"ridge\"",
        "select.reproducible=\"all\"",
        "forest.n_trees=[20]",
        "forest.max_depth=[2]",
        "forest.min_samples_leaf=[1]",
        "forest.max_features=[\"sqrt\"]",
    ];
    let study = crate::fit::study_measured_with(&set);
    study.draw_split(Seed(4), 0.806).unwrap();
    study.fit(&Job::unwatched()).unwrap();
    let page = study.report(None).unwrap();
    let captions: String = page.figures().map(|figure| format!("{}\n", figure.caption)).collect();
    let rows = page.sections.iter().flat_map(|section| &section.blocks).filter_map(|block| match block {
        Block::Sheet(sheet) => Some(sheet.rows.iter().flatten().map(|it| it.text() + "\n").collect::<String>()),
        _ => None,
    });
    let told = texts(&page) + &captions + &rows.collect::<String>();
    for said in [
        "LASSO for each source on features ranked by mRMR",
        "logistic models with a ridge penalty",
        "intra: the only source that could be learnt from",
        "those of the clinical and the combined model come from coefficients that were fitted to the same patients",
        "drawn from the same patients as the training set",
        "A random forest of each region had 20 trees, maximum depth 2,",
        "with equal class weights.",
    ] {
        assert!(told.contains(said), "{said}\n{told}");
    }
    for wrong in [
        "probabilities of the training set are out-of-fold",
        "Random forest for each",
        "the region with the largest",
        "validation repeats all",
        "stratified folds of the training patients",
        "were left out of learning (section",
    ] {
        assert!(!told.contains(wrong), "{wrong}\n{told}");
    }
}

#[test]
fn methods_and_checklists_tell_of_parts_that_were_done() {
    let study = study(None);
    let told = texts(&study.report(None).unwrap());
    assert!(told.contains("There are no training and test sets, no models."), "{told}");
    for wrong in ["random forest", "LASSO had", "DeLong", "mRMR", "Riley"] {
        assert!(!told.contains(wrong), "{wrong}\n{told}");
    }
}

#[test]
fn an_option_that_a_figure_does_not_heed_is_refused() {
    let study = fitted();
    let region = || Some("intra".to_owned());
    for name in [FigureName::Roc, FigureName::Dca, FigureName::Flow, FigureName::Nomogram, FigureName::Forest] {
        let asked = FigureRequest { region: region(), ..FigureRequest::new(name, TWO_COLUMNS_MM) };
        let refused = study.figure(&asked).unwrap_err().in_full();
        assert!(refused.contains("no --region; workflow, icc, lasso"), "{refused}");
    }
    let icc = FigureRequest { region: region(), ..FigureRequest::new(FigureName::Icc, TWO_COLUMNS_MM) };
    assert_eq!(study.figure(&icc).unwrap().plot.panels.len(), 1);
    let unknown = FigureRequest { region: Some("peri_5mm".into()), ..icc };
    assert!(study.figure(&unknown).unwrap_err().in_full().starts_with("no region peri_5mm, expected one of intra, "));
    let patient = FigureRequest { patient: Some("P01".into()), ..FigureRequest::new(FigureName::Roc, TWO_COLUMNS_MM) };
    assert!(study.figure(&patient).unwrap_err().in_full().contains("no --patient"));
}

#[test]
fn a_width_that_would_cut_is_refused_with_one_that_is_enough() {
    let study = fitted();
    let narrow = FigureRequest::new(FigureName::Forest, 45.0);
    let refused = study.fitting_figure(&narrow).unwrap_err();
    let hint = refused.hint().unwrap();
    let enough: f64 = hint.split(' ').nth(1).unwrap().parse().unwrap();
    assert!(refused.in_full().starts_with("forest does not fit 45 mm at 7 points"), "{}", refused.in_full());
    study.fitting_figure(&FigureRequest { width_mm: enough, ..narrow }).unwrap();
}

#[test]
fn numbers_name_patients_by_id_or_by_a_code_that_stays() {
    let study = fitted();
    let asked = FigureRequest::new(FigureName::Shap, TWO_COLUMNS_MM);
    let named = |deidentify: bool| -> std::collections::BTreeSet<String> {
        let figure = study.figure(&FigureRequest { deidentify, ..asked.clone() }).unwrap();
        figure.numbers.rows.iter().map(|row| row[1].text()).collect()
    };
    let (ids, codes) = (named(false), named(true));
    assert_eq!((ids.len(), codes.clone()), (codes.len(), named(true)), "the same codes every time");
    assert!(ids.is_disjoint(&codes) && codes.iter().all(|code| code.starts_with('C')), "{codes:?}");
}

#[test]
fn the_forest_plot_has_reference_levels_and_increases() {
    let figure = fitted().figure(&FigureRequest::new(FigureName::Forest, TWO_COLUMNS_MM)).unwrap();
    let panel = &figure.plot.panels[0];
    let labels: Vec<&str> = panel.left[0].cells.iter().map(|cell| cell.text.as_str()).collect();
    assert!(labels.iter().any(|label| label.contains(", per 1 U/L")), "{labels:?}");
    assert!(panel.right[0].cells.iter().any(|cell| cell.text == "1 (reference)"));
}

#[test]
fn tables_of_a_journal_have_units_references_proper_names_and_lettered_footnotes() {
    let study = fitted();
    let look = Look::default();
    let print = |sheet: &Sheet| sheet::render(sheet, sheet::Format::Text);
    let [one, two, four] = [ClinicalTable::One, ClinicalTable::Two, ClinicalTable::Four]
        .map(|table| study.journal_clinical(table, &study.protocol, &look).unwrap());
    let [three, five] = [ModelTable::Three, ModelTable::Five].map(|table| study.journal_models(table, &look).unwrap());
    for sheet in [&one, &two, &three, &four, &five] {
        let text = print(sheet);
        assert!(!text.contains("intra_peri") && !text.contains("peri_"), "{text}");
        assert!(sheet.headings.len() <= 8, "{:?}", sheet.headings);
        let letters = sheet.notes.iter().filter(|note| note.starts_with('ᵃ')).count();
        assert!(letters == 1 || sheet.title.contains("Performance"), "{:?}", sheet.notes);
    }
    let text = print(&one);
    for wanted in ["ALP, U/L, median", "Sex, No. (%)", "test, n = ", "P value"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert_eq!(one.headings.iter().filter(|heading| heading.contains("P value")).count(), 1);
    let text = print(&four);
    for wanted in ["ALP, per 1 U/L", "(reference)", "Wald test, n = "] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let named = |row: &Vec<Cell>| row[0].text().contains("Intratumoral and peritumoral, ");
    assert!(three.rows.iter().any(named), "{:?}", three.rows);
    let lancet = study.journal_models(ModelTable::Five, &Look::of(Style::Lancet)).unwrap();
    assert!(print(&lancet).contains('·') && !lancet.rows[1][1].text().contains('.'));
}

#[test]
fn the_numbers_of_a_journal_table_are_those_of_the_full_one() {
    let study = fitted();
    let full = study.model_table(ModelTable::Five).unwrap();
    let journal = study.journal_models(ModelTable::Five, &Look::default()).unwrap();
    let printed = |row: &Vec<Cell>| row[1].text().replace('\u{a0}', " ").replace('–', "-");
    let own: Vec<String> = journal.rows.iter().map(printed).filter(|text| !text.is_empty()).collect();
    assert_eq!(own, full.rows.iter().map(|row| row[2].text()).collect::<Vec<_>>());
    let (sheet, _) = study.clinical_table(ClinicalTable::Four, &study.protocol).unwrap();
    let table = study.journal_clinical(ClinicalTable::Four, &study.protocol, &Look::default()).unwrap();
    let p = |text: &str| text.trim_end_matches(|c: char| !c.is_ascii_digit()).to_owned();
    let known: Vec<String> = sheet.rows.iter().map(|row| row[2].text()).collect();
    let own: Vec<String> = table.rows.iter().map(|row| p(&row[2].text())).filter(|text| !text.is_empty()).collect();
    assert!(!own.is_empty() && own.iter().all(|text| known.contains(text)), "{own:?} {known:?}");
}

#[test]
fn where_results_come_from_stands_once_at_the_end() {
    let page = fitted().report(None).unwrap();
    // Drawings in the page have metadata of their own.
    let heads = markdown(&page).matches("trail head: ").count();
    assert!((1..=4).contains(&heads), "one list for each run: {heads}");
    for text in [html(&page), markdown(&page)] {
        assert!(text.contains("Table S1") && text.contains("[1]"));
    }
    assert!(html(&page).contains("prefers-color-scheme: dark") && html(&page).contains("<th scope=\"row\""));
}

#[test]
fn latex_has_one_float_a_table_and_leaves_the_counter_alone() {
    let study = fitted();
    for table in [ClinicalTable::One, ClinicalTable::Two, ClinicalTable::Four] {
        let sheet = study.journal_clinical(table, &study.protocol, &Look::default()).unwrap();
        let latex = sheet::for_journal(&sheet, sheet::Format::Latex, 80);
        assert_eq!(latex.matches("\\begin{table}").count(), 1);
        assert!(latex.starts_with("% needs \\usepackage{") && !latex.contains("counter"), "{latex}");
        assert!(latex.contains("\\textsuperscript{a}") && !latex.contains('ᵃ') && !latex.contains('\u{a0}'), "{latex}");
    }
}

#[test]
fn the_summary_is_one_page_of_who_what_result_and_worth() {
    let study = fitted();
    let page = study.summary().unwrap();
    let text = osteon_study::report::page::text(&page);
    for wanted in ["Who: ", "What: Prediction of ", "combined model, test: AUC ", "What it is worth: ", "single center"]
    {
        assert!(text.replace('\n', " ").contains(wanted), "{wanted}: {text}");
    }
    assert!(text.lines().count() < 60 && text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn a_report_ends_with_statements_evidence_and_the_codebook_and_cites_what_it_names() {
    let page = fitted().report(None).unwrap();
    let text = page.texts().collect::<Vec<_>>().join("\n");
    for wanted in [
        "Data availability. ",
        "Code availability. ",
        "Limitations. The study has ",
        "METRICS: ",
        "PROBAST+AI: ",
        "Codebook",
        "References (references.bib",
        "Breiman L. Random forests. Machine Learning. 2001; 45(1):5–32.",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("total score"));
}
