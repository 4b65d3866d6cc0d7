//! The dashboard in memory: keys in, pictures out.

use osteon::tui::app::{App, Options, update};
use osteon::tui::data::Page;
use osteon::tui::message::{Answer, Change, Effect, Message, Request, Work};
use osteon::tui::theme::Theme;
use rand::Rng;

use crate::tui_stage::{COLOURED, app, app_with, paste, picture, press, text};

/// Every screen, page and dialog, and the keys that lead there from the start.
const PLACES: &[(&str, &str)] = &[
    ("patients", ""),
    ("patients_filtered", "&alp > 300 and pf = yes<enter>"),
    ("patients_filter_wrong", "&alp >> 300<enter>"),
    ("patients_columns", "c  j "),
    ("patient", "<enter>"),
    ("patient_features", "<enter><tab><tab>"),
    ("edit", "lllllllle"),
    ("exclude", "X"),
    ("find", "/syn04"),
    ("help", "?"),
    ("help_search", "?filter"),
    ("command", ":fit"),
    ("study", "1"),
    ("jobs", "3"),
    ("jobs_cancel", "3jc"),
    ("clinical", "4"),
    ("origin", "4ll<enter>"),
    ("forest", ":forest<enter>"),
    ("forest_below", ":forest<enter>j"),
    ("split", "5"),
    ("split_new", "5s"),
    ("split_lock", "5L"),
    ("models", "6"),
    ("chart", ":roc<enter>"),
    ("models_marked", "6c"),
    ("compare", "6cjc"),
    ("fit_form", "6f"),
    ("delong", ":delong<enter>"),
    ("origin_block", "1jjj<enter>"),
    ("undo", "u"),
    ("split_import", "5i"),
    ("nomogram", "7"),
    ("nomogram_explained", "7lllll<tab>"),
    ("take_patient", "7p"),
    ("reconcile", "8r"),
    ("report", "8R"),
    ("trail", "8"),
    ("trail_filtered", "8&field ~ 17<enter>"),
    ("export", "4x"),
    ("slices", "i"),
    ("slices_first", "ikkkkkkkk+++"),
];

/// At one size, so that a change can be read; that others hold is the sweep's to say.
#[test]
fn every_screen_is_drawn_as_it_was_approved() {
    for (name, keys) in PLACES {
        let mut app = app((80, 24), 93);
        press(&mut app, keys);
        insta::assert_snapshot!(*name, text(&app));
    }
}

#[test]
fn a_finding_of_a_pasted_table_leads_to_its_cell_and_what_is_said_there_is_read_again() {
    let table = "Item\tA (n = 30)\tB (n = 45)\nSex\t\t\nMale\t21 (66.7)\t31 (68.9)\nFemale\t10 (33.3)\t14 (31.3)\n";
    let mut app = app((200, 60), 93);
    press(&mut app, "8r");
    paste(&mut app, table);
    assert_eq!(app.page(), Some(Page::Reconciliation));
    press(&mut app, "f");
    let place = |app: &App| (app.pages[&Page::Printed].view.row, app.pages[&Page::Printed].view.column);
    assert_eq!((app.page(), place(&app)), (Some(Page::Printed), (3, 4)), "line 3, column 2");
    assert!(text(&app).contains("21 (66.7) [?]"), "{}", text(&app));
    press(&mut app, "f");
    assert_eq!(place(&app), (4, 5), "line 4, column 3: the next finding's");
    press(&mut app, "c");
    let sent = press(&mut app, "ignore<tab><tab><tab>cut<c-s>");
    let said = sent.iter().find_map(|effect| match effect {
        Effect::Ask(Request::Correct(said)) => Some(said),
        _ => None,
    });
    let said = said.expect("the correction is sent");
    assert_eq!((said.line, said.column, said.amendment.role.as_str()), (4, 3, "ignore"));
    assert_eq!((said.amendment.rounding.as_str(), said.amendment.pair.as_str()), ("cut", ""));
    let asked = update(
        &mut app,
        Message::Answer(Answer::Corrected { published: "pasted-1.txt".into(), text: "written".into() }),
    );
    let pages = [Page::Printed, Page::Reconciliation];
    assert!(pages.iter().all(|page| asked.contains(&Effect::Ask(Request::Page(*page, Some("pasted-1.txt".into()))))));
    assert_eq!(app.published, "pasted-1.txt");
}

#[test]
fn no_size_panics_on_any_screen_or_dialog() {
    for (place, (_, keys)) in PLACES.iter().enumerate() {
        let mut app = app((80, 24), 93);
        press(&mut app, keys);
        for (width, height) in (0..40).flat_map(|width| (0..14).map(move |y| (width, y))) {
            update(&mut app, Message::Resize(width, height));
            picture(&app);
        }
        // Every size meets some place in an ordinary run, and every place with `OSTEON_SWEEP`.
        let step = if std::env::var_os("OSTEON_SWEEP").is_some() { 1 } else { PLACES.len() };
        let sizes = (0..=120).flat_map(|width| (0..=50).map(move |height| (width, height)));
        for (width, height) in sizes.skip(place % step).step_by(step) {
            update(&mut app, Message::Resize(width, height));
            picture(&app);
        }
    }
}

/// `OSTEON_RANDOM_EVENTS` asks for more than the few thousand of an ordinary run.
#[test]
fn no_sequence_of_events_panics() {
    let length = std::env::var("OSTEON_RANDOM_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(4000);
    let mut rng = osteon_base::seed::Seed(6).named("events").rng();
    let words = ["<enter>", "<esc>", "<tab>", "<up>", "<down>", "<bs>", "<c-d>", "<c-u>", "alp > 3", "no", "<c-y>"];
    let mut app = app((80, 24), 93);
    for n in 0..length {
        match rng.random_range(0..20) {
            0 => {
                update(&mut app, Message::Resize(rng.random_range(0..210), rng.random_range(0..60)));
            }
            1 => {
                update(&mut app, Message::Paste("alp\u{1b}[31m > 1\nsecond line".into()));
            }
            2 => {
                update(&mut app, Message::Answer(Answer::Refused("no".into())));
            }
            3..8 => {
                press(&mut app, words[rng.random_range(0..words.len())]);
            }
            _ => {
                press(&mut app, &char::from(rng.random_range(b' '..=b'~')).to_string());
            }
        }
        if n % 16 == 0 {
            picture(&app);
        }
    }
}

#[test]
fn a_row_is_chosen_by_its_patient_and_not_by_its_place() {
    let mut app = app((80, 24), 93);
    press(&mut app, "/SYN050<enter>");
    assert_eq!(app.patients.selected(), Some("SYN050"));
    press(&mut app, ":sort -alp<enter>");
    assert_eq!(app.patients.selected(), Some("SYN050"));
    press(&mut app, "&pf = yes<enter>");
    assert_eq!(app.patients.selected(), Some("SYN050"));
}

#[test]
fn esc_goes_back_and_never_quits() {
    let mut app = app((80, 24), 93);
    let effects = press(&mut app, "&alp > 300<enter><enter>?<esc><esc><esc><esc><esc>");
    assert!(!effects.contains(&Effect::Quit));
    assert!(app.patients.filter_text.is_empty() && app.patients.open.is_none());
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
}

#[test]
fn an_edit_names_the_version_that_was_seen_and_needs_a_reason() {
    let mut app = app((80, 24), 93);
    assert!(press(&mut app, ":sort alp<enter>llllllll").iter().all(|it| !matches!(it, Effect::Copy(_))));
    let refused = press(&mut app, "e<bs><bs><bs>312<enter><enter>");
    assert!(changes(&refused).is_empty());
    assert!(text(&app).contains("a change needs a reason"));
    let effects = press(&mut app, "lab report<enter>");
    let expected = Change::Edit {
        id: app.patients.selected().unwrap().to_owned(),
        field: "alp".into(),
        value: "312".into(),
        reason: "lab report".into(),
        version: 1,
    };
    assert_eq!(changes(&effects), [expected]);
}

#[test]
fn what_is_typed_takes_the_place_of_a_given_text_and_arrows_edit_it() {
    let written = |keys: &str| match press(&mut app((80, 24), 93), keys).pop() {
        Some(Effect::Ask(Request::Write { path, .. })) => path.display().to_string(),
        other => panic!("{keys}: {other:?}"),
    };
    assert_eq!(written("4x<enter>"), "table-1.csv");
    assert_eq!(written("4xmine.md<enter>"), "mine.md");
    assert_eq!(written("4x<end><bs><bs><bs>md<enter>"), "table-1.md");
    assert_eq!(written("4x<left><left><left><left>x<enter>"), "table-1x.csv");
    let mut app = app((80, 24), 93);
    press(&mut app, "4x");
    update(&mut app, Message::Paste("pasted.json".into()));
    assert!(text(&app).contains("file  pasted.json "), "{}", text(&app));
}

#[test]
fn a_stage_has_its_own_pace() {
    use osteon::tui::data::JobState;
    let row = |stage: &str, done, seconds| osteon::tui::data::JobRow {
        kind: "fit".into(),
        state: JobState::Running,
        stage: stage.into(),
        done,
        total: 20,
        seconds: Some(seconds),
        ..crate::tui_stage::jobs(0).remove(0)
    };
    let mut app = app((80, 24), 93);
    press(&mut app, "3");
    for (stage, done, seconds) in [("regions", 19, 60.0), ("bootstrap", 0, 70.0), ("bootstrap", 5, 80.0)] {
        update(&mut app, Message::Answer(Answer::Jobs(vec![row(stage, done, seconds)])));
    }
    assert!(
        text(&app).contains("30.0 a minute") && text(&app).contains("about 30 s left of this stage"),
        "{}",
        text(&app)
    );
}

#[test]
fn a_change_of_the_trail_is_shown_whole() {
    let mut app = app((80, 24), 93);
    press(&mut app, "8<enter>");
    let seen = text(&app);
    for part in ["who: kim", "row: SYN004", "old: 97", "new: 312", "after the patient was seen", "again"] {
        assert!(seen.contains(part), "{part:?} is not in\n{seen}");
    }
}

#[test]
fn a_filter_of_the_trail_is_asked_of_the_study_and_a_wrong_one_keeps_the_form() {
    let mut app = app((80, 24), 93);
    let effects = press(&mut app, "8&field ~ 17<enter>");
    let asked = Request::Page(osteon::tui::data::Page::Changes, Some("field ~ 17".into()));
    assert_eq!(effects.last(), Some(&Effect::Ask(asked)));
    press(&mut app, "&feild ~ 17<enter>");
    assert!(text(&app).contains("Show only changes") && text(&app).contains("feild"), "{}", text(&app));
}

#[test]
fn a_wide_screen_shows_list_and_detail_side_by_side() {
    for (keys, part) in [
        ("", "as entered"),
        ("3", "asked for by kim@ward"),
        ("4", "protocol: 77ab"),
        ("8", "why: the laboratory"),
        ("<enter><tab><tab>", "protocol: 77ab"),
        ("7", "SHAP of these values"),
    ] {
        let mut app = app((140, 40), 93);
        press(&mut app, keys);
        let line = text(&app).lines().find(|line| line.contains(part)).map(str::to_owned);
        let place = line.as_ref().and_then(|line| line.find(part));
        assert!(place.is_some_and(|at| at > 40), "{keys}: {part} is not beside a list\n{}", text(&app));
    }
}

#[test]
fn a_file_that_cannot_be_written_disables_changes_and_says_why() {
    let mut app = app((80, 24), 93);
    update(&mut app, Message::Answer(Answer::Unsound("it is damaged (page 7)".into())));
    assert!(text(&app).contains("nothing can be written: it is damaged (page 7)"));
    assert!(press(&mut app, "X").is_empty() && text(&app).contains("reading only"));
}

#[test]
fn a_patients_pages_are_reached_by_name() {
    let mut app = app((80, 24), 93);
    press(&mut app, "j:history<enter>");
    assert!(text(&app).contains(" SYN002  Variables") && text(&app).contains("2026-11-23"), "{}", text(&app));
}

fn changes(effects: &[Effect]) -> Vec<Change> {
    let change = |effect: &Effect| match effect {
        Effect::Ask(Request::Change(change)) => Some(change.clone()),
        _ => None,
    };
    effects.iter().filter_map(change).collect()
}

#[test]
fn a_conflict_shows_both_versions_and_writes_only_when_told() {
    let mut app = app((80, 24), 93);
    let change = Change::Edit {
        id: "SYN001".into(),
        field: "alp".into(),
        value: "312".into(),
        reason: "lab".into(),
        version: 1,
    };
    let theirs = "300 (last change: alp by lee at 09:00)".to_owned();
    update(&mut app, Message::Answer(Answer::Conflict { change, theirs, version: 2 }));
    let seen = text(&app);
    assert!(seen.contains("theirs: 300 (last change: alp by lee") && seen.contains("yours: 312"), "{seen}");
    let effects = press(&mut app, "<enter><enter>");
    assert!(matches!(&changes(&effects)[..], [Change::Edit { version: 2, .. }]));
}

#[test]
fn a_disabled_key_says_why_and_help_says_it_too() {
    let options = Options { theme: COLOURED, read_only: true, mouse: false };
    let mut app = app_with((100, 30), 93, options);
    assert!(press(&mut app, "e").is_empty());
    assert!(text(&app).contains("reading only"));
    press(&mut app, "?exclude");
    assert!(text(&app).contains("not now: the study is open for reading only"));
}

#[test]
fn marked_patients_are_those_that_are_extracted() {
    let mut app = app((80, 24), 93);
    let effects = press(&mut app, "  E");
    assert_eq!(effects, [Effect::Ask(Request::Work(Work::Extract { ids: vec!["SYN001".into(), "SYN002".into()] }))]);
}

#[test]
fn a_destructive_action_wants_another_key() {
    let mut app = app((80, 24), 93);
    assert!(press(&mut app, "3jcc").is_empty());
    assert!(matches!(press(&mut app, "cY")[..], [Effect::Ask(Request::Work(Work::Cancel { job: 2 }))]));
}

#[test]
fn a_copy_has_every_digit() {
    let mut app = app((80, 24), 93);
    let effects = press(&mut app, "<enter><tab><tab>jjly");
    assert_eq!(effects.last(), Some(&Effect::Copy((2.0_f64 / 7.0).to_string())));
}

#[test]
fn a_number_says_what_it_means_and_then_what_the_study_knows() {
    let mut app = app((100, 40), 93);
    let effects = press(&mut app, ":table-5<enter>ll<enter>");
    assert!(matches!(effects.last(), Some(Effect::Ask(Request::Origin(_)))));
    let seen = text(&app);
    assert!(seen.contains("variable 1, OR (95% CI): 2.000 (0.500-7.250)") && seen.contains("estimate 2"), "{seen}");
    assert!(seen.contains("run 5, fit") && !seen.contains("asking"), "{seen}");
}

#[test]
fn a_command_is_found_by_its_words() {
    for (typed, page) in [("table 3", Page::Table3), ("table-5", Page::Table5), ("tab 4", Page::Table4)] {
        let mut app = app((80, 24), 93);
        press(&mut app, &format!(":{typed}<enter>"));
        assert_eq!(app.page(), Some(page), "{typed}");
    }
    let mut app = app((80, 24), 93);
    press(&mut app, ":filt alp > 300<enter>");
    assert_eq!(app.patients.filter_text, "alp > 300");
}

#[test]
fn a_locked_split_is_not_drawn_imported_or_locked_again() {
    let mut app = app((80, 24), 93);
    let effects = press(&mut app, "5Lbefore the analysis<enter>");
    assert_eq!(changes(&effects), [Change::LockSplit { reason: "before the analysis".into() }]);
    app.head.split.as_mut().unwrap().locked = true;
    for key in ["s", "i", "L"] {
        press(&mut app, key);
        assert!(app.dialog.is_none() && text(&app).contains("the split is locked"), "{key}\n{}", text(&app));
    }
}

#[test]
fn a_text_that_is_longer_than_the_screen_says_where_it_is() {
    let mut app = app((60, 12), 93);
    press(&mut app, ":table-5<enter>ll<enter>");
    assert!(text(&app).contains(" 1-7 of 11 lines"), "{}", text(&app));
    press(&mut app, "jj");
    assert!(text(&app).contains(" 3-9 of 11 lines"), "{}", text(&app));
}

#[test]
fn a_form_whose_answers_are_refused_comes_back_with_them_and_the_reason() {
    let mut app = app((80, 24), 93);
    press(&mut app, "lllllllle<bs>many<enter>typed<enter>");
    assert!(app.dialog.is_none());
    update(&mut app, Message::Answer(Answer::Refused("alp: many is no number".into())));
    let seen = text(&app);
    assert!(
        ["value   many", "reason  typed", "alp: many is no number"].iter().all(|part| seen.contains(part)),
        "{seen}"
    );
    press(&mut app, "<esc>x<enter>j");
    update(&mut app, Message::Answer(Answer::Refused("too late to ask again".into())));
    assert!(app.dialog.is_none() && text(&app).contains("too late"), "{}", text(&app));
}

#[test]
fn an_excluded_patient_is_counted_and_has_a_sign() {
    let mut app = app((80, 24), 93);
    press(&mut app, "/SYN020<enter>k");
    let seen = text(&app);
    assert!(seen.contains("93 patients; 4 excluded: x") && seen.contains("\nxSYN020 "), "{seen}");
}

#[test]
fn two_marked_runs_are_asked_for_side_by_side() {
    let mut app = app((80, 24), 93);
    let effects = press(&mut app, "6cjc");
    let asked = Request::Page(osteon::tui::data::Page::Comparison, Some("variable 1 variable 2".into()));
    assert_eq!(effects.last(), Some(&Effect::Ask(asked)));
}

#[test]
fn an_undo_shows_what_it_turns_back_and_names_it() {
    let mut app = app((80, 24), 93);
    press(&mut app, "u");
    assert!(text(&app).contains("alp: 97 became 312, by kim"));
    let effects = press(&mut app, "typed twice<enter>");
    let expected = Change::Undo { id: "SYN001".into(), reason: "typed twice".into(), seq: 12 };
    assert_eq!(changes(&effects), [expected]);
}

#[test]
fn a_new_split_warns_of_the_models_that_it_leaves_behind() {
    for keys in ["5s", "5i"] {
        let mut app = app((80, 24), 93);
        press(&mut app, keys);
        assert!(text(&app).contains("warning: the 10 models of run 5 learnt from the split in force"));
    }
}

#[test]
fn the_nomogram_says_what_each_value_adds_to_the_mean() {
    // 4 x (0.75 - 0.5), 1.5 x (1 - 0.4), 0.004 x (412 - 300).
    let shares = crate::tui_stage::movable().shares(&[0.75, 1.0, 412.0]);
    for (share, expected) in shares.iter().zip([1.0, 0.9, 0.448]) {
        assert!((share - expected).abs() < 1e-12, "{shares:?}");
    }
    let mut app = app((80, 24), 93);
    press(&mut app, "7pSYN003<enter>");
    let seen = text(&app);
    assert!(seen.contains("values of SYN003") && seen.contains("+0.448"), "{seen}");
}

#[test]
fn too_large_a_copy_is_refused_and_an_export_leaves_the_loop() {
    let mut app = app((80, 24), 3000);
    assert!(press(&mut app, "<c-y>").is_empty());
    assert!(text(&app).contains("3000 rows are too many to copy; x writes them to a file"));
    let effects = press(&mut app, "x<enter>");
    assert!(matches!(effects.last(), Some(Effect::Ask(Request::Write { .. }))));
    press(&mut app, "x<end><bs><bs><bs>gif<enter>");
    assert!(text(&app).contains("no form of this view ends in .gif"));
}

#[test]
fn keys_and_words_reach_the_same_places() {
    for (keys, command) in
        [("3", ":jobs<enter>"), ("4<tab>", ":table-2<enter>"), ("<enter>", ":patients SYN001<enter>")]
    {
        let (mut one, mut other) = (app((80, 24), 93), app((80, 24), 93));
        press(&mut one, keys);
        press(&mut other, command);
        assert_eq!(text(&one), text(&other), "{keys} and {command}");
    }
}

#[test]
fn without_colours_no_cell_has_one_and_every_state_has_a_word() {
    for (_, keys) in PLACES {
        let options = Options { theme: Theme::PLAIN, read_only: false, mouse: false };
        let mut app = app_with((80, 24), 93, options);
        press(&mut app, keys);
        let drawn = picture(&app);
        let plain = drawn.content.iter().all(|cell| cell.symbol().is_ascii());
        assert!(plain, "a sign beyond ASCII:\n{}", text(&app));
        let reset = ratatui::style::Color::Reset;
        assert!(drawn.content.iter().all(|cell| cell.fg == reset && cell.bg == reset));
    }
}

#[test]
fn outside_images_only_colours_are_used_that_are_read_on_white_and_on_black() {
    use ratatui::style::Color;
    for (name, keys) in PLACES.iter().filter(|(name, _)| !name.starts_with("slices")) {
        let mut app = app((80, 24), 93);
        press(&mut app, keys);
        // Lines of a chart may be a little paler than text.
        let is_chart = name.starts_with("chart") || name.starts_with("forest");
        let is_read = |colour| match colour {
            Color::Reset | Color::Red | Color::Magenta => true,
            Color::Cyan | Color::Green => is_chart,
            _ => false,
        };
        assert!(picture(&app).content.iter().all(|cell| is_read(cell.fg) && cell.bg == Color::Reset), "{name}");
    }
}

#[test]
fn keys_pressed_before_the_first_patients_are_here_wait_for_them() {
    let options = Options { theme: COLOURED, read_only: false, mouse: false };
    let mut app = App::new(options, osteon::tui::keys::Bindings::default(), (80, 24));
    assert!(press(&mut app, "jlllllllle").is_empty());
    let first = crate::tui_stage::cohort(200).into();
    update(&mut app, Message::Answer(Answer::Cohort { cohort: first, whole: false }));
    assert!(text(&app).contains("SYN002, alp"), "{}", text(&app));
    let mut app = App::new(options, osteon::tui::keys::Bindings::default(), (80, 24));
    assert_eq!(press(&mut app, "jq"), [Effect::Quit]);
    let mut app = App::new(options, osteon::tui::keys::Bindings::default(), (80, 24));
    press(&mut app, "jj");
    update(&mut app, Message::Answer(Answer::Refused("the disk is gone".into())));
    assert!(press(&mut app, "3").is_empty() && text(&app).contains("jobs"), "no key waits for what will not come");
}

#[test]
fn the_first_page_is_shown_before_all_patients_are_read() {
    let options = Options { theme: COLOURED, read_only: false, mouse: false };
    let mut app = App::new(options, osteon::tui::keys::Bindings::default(), (80, 24));
    let mut first = crate::tui_stage::cohort(200);
    first.patients = 100_000;
    update(&mut app, Message::Answer(Answer::Cohort { cohort: first.into(), whole: false }));
    assert!(text(&app).contains("200 of 100000 patients; reading"), "{}", text(&app));
}
