//! A stage for the dashboard: a study in memory, keys as text, pictures as text.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use osteon::tui::app::{App, Options, update};
use osteon::tui::data::{Cohort, Content, Head, JobRow, JobState, Page, SplitHead};
use osteon::tui::keys::Bindings;
use osteon::tui::message::{Answer, Effect, Message, Request};
use osteon::tui::theme::Theme;
use osteon::tui::view::view;
use osteon_stats::table::{Column, Table, Values};
use osteon_study::report::sheet::{Cell, Sheet};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub const COLOURED: Theme = Theme { colour: true, ascii: false, deep: true };

/// An app that knows all its answers.
pub fn app(size: (u16, u16), patients: usize) -> App {
    app_with(size, patients, Options { theme: COLOURED, read_only: false, mouse: false })
}

pub fn app_with(size: (u16, u16), patients: usize, options: Options) -> App {
    let mut app = App::new(options, Bindings::default(), size);
    let first = app.start();
    settle(&mut app, first, patients);
    app
}

/// Sends keys such as `jj&alp > 300<enter>` and answers everything that is asked.
pub fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    let mut all = Vec::new();
    for key in read(keys) {
        let effects = update(app, Message::Key(key));
        all.extend(effects.clone());
        let patients = app.patients.cohort.patients;
        settle(app, effects, patients);
    }
    all
}

/// Pastes a text and answers everything that is asked.
pub fn paste(app: &mut App, text: &str) {
    let effects = update(app, Message::Paste(text.to_owned()));
    let patients = app.patients.cohort.patients;
    settle(app, effects, patients);
}

/// Answers questions until none is left.
fn settle(app: &mut App, mut effects: Vec<Effect>, patients: usize) {
    while let Some(effect) = effects.pop() {
        if let Effect::Ask(request) = effect
            && let Some(answer) = answer(request, patients)
        {
            effects.extend(update(app, Message::Answer(answer)));
        }
    }
}

fn answer(request: Request, patients: usize) -> Option<Answer> {
    Some(match request {
        Request::Head => Answer::Head(head()),
        Request::Cohort => Answer::Cohort { cohort: Arc::new(cohort(patients)), whole: true },
        Request::Jobs => Answer::Jobs(jobs(37)),
        Request::Page(page, patient) => {
            let content = content(page, patient.as_deref().unwrap_or_default());
            Answer::Page(page, patient, Box::new(content))
        }
        Request::Picture { id, .. } => Answer::Picture { id, picture: Ok(Arc::new(ball())) },
        Request::Nomogram => Answer::Nomogram(Ok(Box::new(movable()))),
        Request::Values { id } => Answer::Values { id, values: vec![0.75, 1.0, 412.0] },
        Request::Origin(_) => Answer::Origin(vec!["run 5, fit: 2026-11-23 09:00 by kim@ward, seed 1".into()]),
        Request::LastEdit { id } => Answer::LastEdit { id, seq: 12, text: "alp: 97 became 312, by kim".into() },
        _ => return None,
    })
}

/// A ball of tumour with a ring of four voxels in an image that grows brighter to the right.
fn ball() -> osteon_study::study::Picture {
    use ndarray::Array3;
    use osteon_radiomics::grid::{Geometry, Grid};
    let shape = [9, 40, 60];
    let axes = [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]];
    let geometry = Geometry { shape, origin_mm: [0.0; 3], spacing_mm: [3.0, 1.0, 1.0], axes };
    let distance = |(z, y, x): (usize, usize, usize)| {
        let [dz, dy, dx] = [z as f64 - 4.0, y as f64 - 20.0, x as f64 - 30.0];
        ((3.0 * dz).powi(2) + dy * dy + dx * dx).sqrt()
    };
    let mask = |from: f64, to: f64| {
        let inside = Array3::from_shape_fn(shape, |at| (from..to).contains(&distance(at)));
        Grid::new(geometry.clone(), inside).unwrap()
    };
    let image = Grid::new(geometry.clone(), Array3::from_shape_fn(shape, |(_, _, x)| x as f64)).unwrap();
    let (mask_name, said) = ("mask".to_owned(), Vec::new());
    let (tumour, ring) = (mask(0.0, 9.0), mask(9.0, 13.0));
    osteon_study::study::Picture {
        mask: mask_name,
        place: [0, 1],
        said,
        image,
        tumour,
        ring,
        ring_name: "peri_4mm".into(),
    }
}

/// A combined model of three values, learnt from five patients.
pub fn movable() -> osteon_study::study::MovableModel {
    use osteon_stats::model::nomogram::{Effect, nomogram};
    let effects = vec![
        Effect::Continuous { name: "rad_score".into(), coefficient: 4.0, low: 0.0, high: 1.0 },
        Effect::Levels { name: "pathological_fracture".into(), levels: vec![("no".into(), 0.0), ("yes".into(), 1.5)] },
        Effect::Continuous { name: "alp".into(), coefficient: 0.004, low: 50.0, high: 850.0 },
    ];
    let covariance = (0..4).map(|i| (0..4).map(|j| if i == j { 0.01 / 10_f64.powi(i) } else { 0.0 }).collect());
    let logistic = osteon_study::pipeline::clinical::Logistic {
        terms: ["rad_score", "pathological_fracture=yes", "alp"].map(str::to_owned).to_vec(),
        intercept: -3.0,
        coefficients: vec![4.0, 1.5, 0.004],
        covariance: covariance.collect(),
        n: 75,
        n_missing: 0,
        n_events: 39,
        ranges: vec![(0.0, 1.0), (0.0, 1.0), (50.0, 850.0)],
        ridge: None,
        notes: Vec::new(),
        pooled: Vec::new(),
        fill: Default::default(),
    };
    osteon_study::study::MovableModel {
        scales: nomogram(-3.0, &effects, (-3.0, 5.0)).unwrap(),
        labels: ["Rad-score", "Pathological fracture", "ALP, U/L"].map(str::to_owned).to_vec(),
        event: "non-pGR".into(),
        logistic,
        provenance: vec!["protocol: 77ab".into()],
        doubt: None,
        means: vec![0.5, 0.4, 300.0],
        swarm: vec![
            vec![-2.0, -1.0, 0.0, 1.0, 2.0],
            vec![-0.6, -0.6, -0.6, 0.9, 0.9],
            vec![-1.0, -0.8, -0.8, 0.4, 2.2],
        ],
    }
}

pub fn head() -> Head {
    Head {
        title: "Synthetic cohort".into(),
        file: "study.db".into(),
        synthetic: true,
        trail_head: "ab12".into(),
        split: Some(SplitHead { words: "drawn with seed 1, not locked".into(), locked: false }),
        fitted: Some("the 10 models of run 5".into()),
        parameters: [("learn.n_bootstraps", "20"), ("select.lasso.rule", "\"min\"")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
        ..Head::default()
    }
}

pub fn jobs(done: u64) -> Vec<JobRow> {
    let job = |id, kind: &str, state, done, total, error: Option<&str>| JobRow {
        id,
        kind: kind.into(),
        state,
        stage: "patients".into(),
        done,
        total,
        who: "kim@ward".into(),
        queued: "2026-11-23T09:00:00.000Z".into(),
        seconds: Some(60.0),
        stopping: false,
        error: error.map(str::to_owned),
    };
    vec![
        job(3, "fit", JobState::Queued, 0, 0, None),
        job(2, "extract", JobState::Running, done, 93, None),
        job(1, "extract", JobState::Failed, 12, 93, Some("SYN012: the mask is 10 x 10 x 10, its image 20 x 10 x 10")),
    ]
}

/// Patients made of their own numbers: no chance, no reader.
pub fn cohort(patients: usize) -> Cohort {
    let rows = (1..=patients).map(|n| format!("SYN{n:03}")).collect();
    let numbers = |name: &str, of: &dyn Fn(usize) -> Option<f64>| Column {
        name: name.into(),
        values: Values::Numbers((1..=patients).map(of).collect()),
    };
    let levels = |name: &str, levels: &[&str], of: &dyn Fn(usize) -> Option<usize>| Column {
        name: name.into(),
        values: Values::Levels {
            levels: levels.iter().map(|&it| it.to_owned()).collect(),
            codes: (1..=patients).map(of).collect(),
        },
    };
    let columns = vec![
        levels("sex", &["female", "male"], &|n| Some(n % 2)),
        numbers("age", &|n| Some((5 + n * 7 % 40) as f64)),
        levels("location", &["femur", "tibia", "other"], &|n| Some(n % 3)),
        numbers("diameter_mm", &|n| Some((40 + n * 13 % 120) as f64)),
        levels("pathological_fracture", &["no", "yes"], &|n| Some(usize::from(n % 5 == 0))),
        levels("lung_metastasis", &["no", "yes"], &|n| Some(usize::from(n % 4 == 0))),
        levels("subtype", &["common", "other"], &|n| Some(usize::from(n % 6 == 0))),
        numbers("alp", &|n| (n % 11 != 0).then_some((60 + n * 37 % 800) as f64)),
        numbers("ldh", &|n| Some((120 + n * 29 % 500) as f64 + 0.5)),
        numbers("necrosis_pct", &|n| Some((n * 17 % 101) as f64)),
        levels("response", &["pGR", "non-pGR"], &|n| Some(usize::from(n * 17 % 101 < 90))),
        levels("included", &["yes", "no"], &|n| Some(usize::from(n % 20 == 0))),
        levels("set", &["train", "test"], &|n| Some(usize::from(n % 5 == 0))),
        levels("images", &["image, mask"], &|n| (n % 9 != 0).then_some(0)),
        levels("extraction", &["7 done", "6 done, 1 failed"], &|n| (n % 9 != 0).then_some(usize::from(n == 7))),
    ];
    Cohort::new(Table::new(rows, columns).unwrap(), vec![1; patients])
}

/// Something of the right kind for every page.
pub fn content(page: Page, patient: &str) -> Content {
    let text = |text: &str| Cell::Text(text.to_owned());
    let sheet = |title: &str, headings: &[&str], rows: Vec<Vec<Cell>>| Sheet {
        title: title.into(),
        headings: headings.iter().map(|&it| it.to_owned()).collect(),
        rows,
        notes: vec!["t test for continuous variables, chi-squared test for categorical ones".into()],
        provenance: vec!["study: Synthetic cohort (not locked)".into(), "protocol: 77ab".into()],
    };
    match page {
        Page::Overview => Content::Blocks(vec![
            sheet("Study", &[], vec![vec![text("title"), text("Synthetic cohort")], vec![text("locked"), text("no")]]),
            sheet("Inclusion", &[], vec![vec![text("screened"), Cell::Count(93)]]),
            sheet("Missing values", &[], vec![vec![text("alp"), Cell::CountPercent { n: 8, of: 93 }]]),
        ]),
        Page::Variables => {
            let row = |name: &str, value: &str| vec![text(name), text(value), text("as entered")];
            Content::Sheet(sheet(patient, &["field", "value", "meaning"], vec![row("alp", "97"), row("ldh", "149.5")]))
        }
        Page::Features => {
            let row = |n: usize| {
                let number = |at: usize| Cell::Number { value: (n * at) as f64 / 7.0, digits: 4 };
                std::iter::once(text(&format!("original_glcm_Feature{n}"))).chain((1..8).map(number)).collect()
            };
            let headings = ["feature", "intra", "peri_2mm", "peri_4mm", "peri_6mm", "intra_peri_2mm", "a", "b"];
            Content::Sheet(sheet("Features", &headings, (0..500).map(row).collect()))
        }
        Page::Roc => Content::Chart(curves()),
        Page::Forest => Content::Chart(odds()),
        Page::Survival => Content::Chart(survival()),
        Page::Changes | Page::History => {
            let row = |n: usize| {
                let cells = [
                    "2026-11-23 09:00",
                    "kim",
                    "SYN004",
                    &format!("field {n}"),
                    "97",
                    "312",
                    "the laboratory sent a corrected report after the patient was seen again",
                ];
                cells.map(text).to_vec()
            };
            let headings = ["when", "who", "row", "field", "old", "new", "why"];
            let passing =
                |n: &usize| patient.rsplit_once("~ ").is_none_or(|(_, part)| format!("field {n}").contains(part));
            Content::Sheet(sheet("Trail", &headings, (1..40).filter(passing).map(row).collect()))
        }
        Page::Reconciliation | Page::Printed if patient.contains('\n') => {
            use osteon_study::study::readings;
            let judged = readings::judged(readings::pasted(patient).unwrap());
            Content::Sheet(if page == Page::Printed { judged.printed_sheet() } else { judged.sheet() })
        }
        Page::Calibration | Page::Decision | Page::LassoPath => Content::Nothing("no model yet".into()),
        _ => {
            let row = |n: usize| {
                let interval = Cell::Interval { estimate: 1.0 + n as f64, low: 0.5, high: 7.25, digits: 3 };
                vec![
                    text(&format!("variable {n}")),
                    Cell::CountPercent { n, of: 93 },
                    interval,
                    Cell::P(0.01 * n as f64),
                ]
            };
            Content::Sheet(sheet(page.name(), &["Variable", "All", "OR (95% CI)", "p"], (1..40).map(row).collect()))
        }
    }
}

/// Three curves in two sets, as the comparison of the clinical, radiomics and combined model.
fn curves() -> osteon_study::report::figure::Figure {
    use osteon_study::report::figure::roc::{Curve, Set, figure};
    let curve = |model: &str, power: f64| {
        let corner = |n: usize| [n as f64 / 30.0, (n as f64 / 30.0).powf(power)];
        let interval = Some([0.6, 0.9]);
        Curve {
            model: model.into(),
            points: (0..=30).map(corner).collect(),
            auc: 1.0 / (1.0 + power),
            interval,
            band: Vec::new(),
        }
    };
    let models = [("Clinical", 0.6), ("Radiomics", 0.4), ("Combined", 0.25)];
    let set = |name: &str, n: usize| {
        let curves = models.iter().map(|(model, power)| curve(model, *power)).collect();
        Set { name: name.into(), n, curves }
    };
    let paper = osteon_study::report::figure::Paper { width_mm: 174.0, provenance: vec!["protocol: 77ab".into()] };
    figure(&[set("Training set", 75), set("Test set", 18)], &paper)
}

/// Survival of three groups with numbers at risk.
fn survival() -> osteon_study::report::figure::Figure {
    use osteon_study::report::figure::kaplan_meier::{Group, Kind, figure};
    let group = |n: usize| {
        let point = |at: usize| {
            let (time, s) = (at as f64 * 6.0, 0.97_f64.powi((at * (n + 1)) as i32));
            [time, s, s * 0.8, (s * 1.1).min(1.0)]
        };
        Group {
            name: format!("group {n}"),
            n: 30,
            points: (1..=10).map(point).collect(),
            censored: vec![[20.0, 0.8], [44.0, 0.6]],
            last: 60.0,
            at_risk: vec![30, 22, 15, 9, 4],
        }
    };
    let paper = osteon_study::report::figure::Paper { width_mm: 174.0, provenance: vec!["protocol: 77ab".into()] };
    let groups: Vec<Group> = (0..3).map(group).collect();
    figure(Kind::Survival, &groups, &[0.0, 15.0, 30.0, 45.0, 60.0], "os (months)", Some("Log-rank P = 0.03"), &paper)
}

/// Odds ratios of fourteen terms, more lines than a low screen has.
fn odds() -> osteon_study::report::figure::Figure {
    use osteon_study::report::figure::forest::{Estimate, Row, figure};
    let row = |n: usize| Row {
        label: format!("Variable {n}"),
        univariable: Some(Estimate { odds_ratio: n as f64 / 7.0, low: n as f64 / 14.0, high: n as f64 / 3.5, p: 0.2 }),
        multivariable: None,
        reference: false,
    };
    let paper = osteon_study::report::figure::Paper { width_mm: 174.0, provenance: vec!["protocol: 77ab".into()] };
    figure(&(1..=14).map(row).collect::<Vec<_>>(), &paper)
}

fn read(keys: &str) -> Vec<KeyEvent> {
    let mut events = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (code, modifiers) = match name.map(|(name, _)| (name, named(name))) {
            Some((name, Some(found))) => {
                rest = &rest[name.len() + 2..];
                found
            }
            _ => {
                rest = &rest[c.len_utf8()..];
                (KeyCode::Char(c), KeyModifiers::NONE)
            }
        };
        events.push(KeyEvent::new(code, modifiers));
    }
    events
}

fn named(name: &str) -> Option<(KeyCode, KeyModifiers)> {
    if let Some(c) = name.strip_prefix("c-") {
        return Some((KeyCode::Char(c.chars().next()?), KeyModifiers::CONTROL));
    }
    let code = match name {
        "enter" => KeyCode::Enter,
        "esc" => KeyCode::Esc,
        "tab" => KeyCode::Tab,
        "s-tab" => KeyCode::BackTab,
        "up" => KeyCode::Up,
        "down" => KeyCode::Down,
        "left" => KeyCode::Left,
        "right" => KeyCode::Right,
        "bs" => KeyCode::Backspace,
        "pgdn" => KeyCode::PageDown,
        "end" => KeyCode::End,
        _ => return None,
    };
    Some((code, KeyModifiers::NONE))
}

pub fn picture(app: &App) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    view(app, &mut buffer);
    buffer
}

/// The picture as lines without trailing blanks.
pub fn text(app: &App) -> String {
    let picture = picture(app);
    let line = |cells: &[ratatui::buffer::Cell]| cells.iter().map(|cell| cell.symbol()).collect::<String>();
    let lines = picture.content.chunks(usize::from(app.size.0).max(1)).map(line);
    lines.map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
