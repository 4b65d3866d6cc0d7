//! Figures: words inside and apart at one and two columns of a journal, the same bytes every time, numbers beside.

use osteon_base::seed::Seed;
use osteon_plot::cells::{self, Charset};
use osteon_plot::{Range, What};
use osteon_study::report::figure::{
    Figure, ONE_COLUMN_MM, Paper, TWO_COLUMNS_MM, calibration, decision, flow, forest, icc, lasso, nomogram, roc,
    scored, shap, workflow,
};
use osteon_study::report::performance::{Corrected, Scored};
use resvg::usvg;

use crate::words::check_words;

/// Uneven numbers from 0 to 1 (splitmix64). Sample data use whole numbers and the four operations only: sines and
/// powers differ in their last digit between machines, and pictures with them.
fn wave(n: usize) -> f64 {
    let mut z = (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Up and down between -0.5 and 0.5 along `x`.
fn bend(x: f64) -> f64 {
    let part = x - x.floor();
    4.0 * part * (1.0 - part) - 0.5
}

fn paper(width_mm: f64) -> Paper {
    Paper { width_mm, provenance: vec!["study: sample".into(), "protocol: 0123456789abcdef".into()] }
}

const MODELS: [&str; 3] = ["Clinical", "Radiomics", "Combined"];

fn rocs(paper: &Paper) -> Figure {
    let curve = |model: usize, n: usize| {
        let mut points = vec![[0.0, 0.0]];
        for step in 1..=n {
            let x = step as f64 / n as f64;
            let y = 1.0 - (1.0 - x).powi(model as i32 + 2);
            points.push([x - 1.0 / n as f64, (y * 20.0).round() / 20.0]);
            points.push([x, (y * 20.0).round() / 20.0]);
        }
        roc::Curve {
            model: MODELS[model].into(),
            points,
            auc: 0.724 + 0.1 * model as f64,
            interval: Some([0.6 + 0.1 * model as f64, 0.848 + 0.05 * model as f64]),
            band: Vec::new(),
        }
    };
    let set = |name: &str, n: usize, steps: usize| roc::Set {
        name: name.into(),
        n,
        curves: (0..3).map(|model| curve(model, steps)).collect(),
    };
    roc::figure(&[set("Training set", 75, 36), set("Test set", 18, 9)], paper)
}

fn decisions(paper: &Paper) -> Figure {
    let curve = |model: usize| decision::Curve {
        model: MODELS[model].into(),
        points: (1..99)
            .map(|n| n as f64 / 100.0)
            .map(|t| [t, 0.5 - 0.4 * t.powi(1 + model as i32) - 0.02 * wave((t * 20.0) as usize + model)])
            .collect(),
        band: Vec::new(),
    };
    let set =
        |name: &str, n| decision::Set { name: name.into(), n, prevalence: 0.52, curves: (0..3).map(curve).collect() };
    decision::figure(&[set("Training set", 75), set("Test set", 18)], paper)
}

fn calibrations(paper: &Paper) -> Figure {
    let grid: Vec<f64> = (1..=49).map(|n| n as f64 / 50.0).collect();
    let model = |at: usize| {
        let observed = |p: f64| (p + 0.2 * bend(p * (1.0 + at as f64 / 2.0)) * (1.0 - p)).clamp(0.0, 1.0);
        let last = at == 2;
        calibration::Model {
            name: MODELS[at].into(),
            brier: 0.2 - 0.04 * at as f64,
            intercept: Some(0.1 - 0.2 * at as f64),
            slope: (at > 0).then_some(0.6 + 0.3 * at as f64),
            smooth: grid.iter().map(|&p| [p, observed(p)]).collect(),
            band: if last {
                grid.iter().map(|&p| [p, observed(p) - 0.14, observed(p) + 0.12]).collect()
            } else {
                Vec::new()
            },
            groups: if last {
                [0.08, 0.27, 0.5, 0.74, 0.93].map(|p| [p, observed(p), observed(p) - 0.1, observed(p) + 0.06]).to_vec()
            } else {
                Vec::new()
            },
        }
    };
    let set = |name: &str, n: usize| calibration::Set {
        name: name.into(),
        n,
        models: (0..3).map(model).collect(),
        patients: (0..n).map(|n| (wave(n), wave(n) + 0.3 * wave(n + 7) > 0.6)).collect(),
    };
    calibration::figure(&[set("Training set", 75), set("Test set", 18)], paper)
}

fn lassos(paper: &Paper) -> Figure {
    let lambdas: Vec<f64> = (0..60).scan(0.22, |at, _| Some(std::mem::replace(at, *at * 0.89))).collect();
    let names = [
        "original_glcm_Idmn",
        "wavelet-LLH_glszm_SmallAreaEmphasis",
        "log-sigma-3-0-mm-3D_firstorder_Kurtosis",
        "square_ngtdm_Busyness",
        "lbp-3D-m1_glrlm_LongRunEmphasis",
        "original_shape_Sphericity",
        "log-sigma-0-5-mm-3D_gldm_DependenceNonUniformityNormalized",
    ];
    let feature = |n: usize| {
        let start = 3.0 + 4.0 * n as f64;
        let slope = (wave(n + 3) - 0.5) * 0.012;
        let path = (0..60).map(|at| (at as f64 - start).max(0.0) * slope).collect();
        (names.get(n).map_or_else(|| format!("noise_{n}"), |name| (*name).to_owned()), path)
    };
    let error = |at: usize| 0.17 + 0.00006 * (at as f64 - 30.0).powi(2);
    let lasso = lasso::Lasso {
        region: "intra + peri 2 mm".into(),
        features: (0..14).map(feature).collect(),
        error: "Mean squared error".into(),
        errors: (0..60).map(error).collect(),
        standard_errors: (0..60).map(|at| 0.012 + 0.004 * wave(at)).collect(),
        at_min: 30,
        at_one_se: 16,
        chosen: 30,
        lambdas,
    };
    lasso::figure(&lasso, paper)
}

fn nomograms(paper: &Paper) -> Figure {
    let scale = |name: &str, ticks: &[(&str, f64)]| nomogram::Scale {
        name: name.into(),
        ticks: ticks.iter().map(|(label, at)| ((*label).to_owned(), *at)).collect(),
    };
    let steps = |from: f64, step: f64, n: usize, points: f64| -> Vec<(String, f64)> {
        (0..n)
            .map(|k| (osteon_plot::number(from + step * k as f64, usize::from(step < 1.0)), points * k as f64))
            .collect()
    };
    let nomogram = nomogram::Nomogram {
        most_points: 100.0,
        variables: vec![
            nomogram::Scale { name: "Rad-score".into(), ticks: steps(0.0, 0.1, 11, 10.0) },
            nomogram::Scale { name: "ALP, U/L".into(), ticks: steps(0.0, 500.0, 14, 4.3) },
            scale("Pathological fracture", &[("No", 0.0), ("Yes", 12.5)]),
        ],
        total: nomogram::Scale { name: "Total points".into(), ticks: steps(0.0, 20.0, 9, 20.0) },
        probability: scale(
            "Probability of non-pGR",
            &[
                ("0.01", 51.0),
                ("0.1", 61.5),
                ("0.3", 68.0),
                ("0.5", 72.0),
                ("0.7", 76.0),
                ("0.9", 84.0),
                ("0.99", 95.0),
            ],
        ),
    };
    nomogram::figure(&nomogram, paper)
}

fn patients() -> Vec<String> {
    (0..75).map(|n| format!("P{n:03}")).collect()
}

fn variables() -> Vec<shap::Variable> {
    let variable = |name: &str, at: usize, size: f64, binary: bool| {
        let level = |n: usize| if binary { wave(n * 5 + at).round() } else { wave(n * 7 + at) };
        shap::Variable {
            name: name.into(),
            shap: (0..75).map(|n| size * (level(n) - 0.45) + 0.03 * size * wave(n + 50)).collect(),
            values: (0..75).map(level).collect(),
        }
    };
    vec![
        variable("ALP", 1, 0.7, false),
        variable("Rad-score", 2, 6.0, false),
        variable("Pathological fracture", 3, 1.4, true),
    ]
}

fn waterfalls(paper: &Paper) -> Figure {
    let patient = shap::Patient {
        name: "P017".into(),
        base: 0.21,
        steps: vec![
            ("Pathological fracture = Yes".into(), 0.62),
            ("Rad-score = 0.81".into(), 2.31),
            ("ALP = 96 U/L".into(), -0.18),
        ],
        unit: "log odds".into(),
    };
    shap::waterfall(&patient, paper)
}

fn forests(paper: &Paper) -> Figure {
    let estimate = |odds_ratio: f64, low: f64, high: f64, p: f64| Some(forest::Estimate { odds_ratio, low, high, p });
    let row = |label: &str, univariable, multivariable, reference| forest::Row {
        label: label.into(),
        univariable,
        multivariable,
        reference,
    };
    let rows = [
        row("Age, years", estimate(1.004, 0.959, 1.051, 0.87), None, false),
        row("Sex", None, None, false),
        row("  Female", None, None, true),
        row("  Male", estimate(0.897, 0.354, 2.27, 0.82), None, false),
        row("Location", None, None, false),
        row("  Femur", None, None, true),
        row("  Tibia", estimate(1.56, 0.52, 4.67, 0.43), None, false),
        row("  Others", estimate(1.11, 0.35, 3.5, 0.86), None, false),
        row("Pathological fracture", None, None, false),
        row("  None", None, None, true),
        row("  Yes", estimate(3.2, 1.33, 7.7, 0.009), estimate(3.6, 1.4, 9.1, 0.007), false),
        row("ALP, U/L", estimate(1.003, 1.001, 1.006, 0.02), estimate(1.004, 1.001, 1.006, 0.013), false),
        row("Pathological subtype, others", estimate(14.2, 0.003, 2400.0, 0.7), None, false),
    ];
    forest::figure(&rows, paper)
}

fn iccs(paper: &Paper) -> Figure {
    let names =
        ["Intra", "Peri 2 mm", "Peri 4 mm", "Peri 6 mm", "Intra + peri 2 mm", "Intra + peri 4 mm", "Intra + peri 6 mm"];
    let skewed = |x: f64, by: f64| x * (1.0 - by + by * x * x);
    let region = |(at, name): (usize, &&str)| icc::Region {
        name: (*name).into(),
        icc: (0..400).map(|n| (n % 50 > 0).then(|| 1.0 - skewed(wave(n + at * 400), at as f64 / 7.0))).collect(),
    };
    icc::figure(&names.iter().enumerate().map(region).collect::<Vec<_>>(), "the mask and the repeat mask", 0.75, paper)
}

fn workflows(paper: &Paper) -> Figure {
    let (columns, rows) = (72usize, 64usize);
    let distance = |at: usize| {
        let (x, y) = ((at % columns) as f64 - 36.0, (at / columns) as f64 - 30.0);
        (x * x * 0.8 + y * y * 1.4 + 6.0 * x * bend(y * 0.05)).max(0.0).sqrt()
    };
    let inside =
        |from: f64, to: f64| (0..columns * rows).map(|at| (from..to).contains(&distance(at))).collect::<Vec<_>>();
    let regions = [
        ("Intra", 0.0, 14.0),
        ("Peri 2 mm", 14.0, 16.0),
        ("Intra + peri 2 mm", 0.0, 16.0),
        ("Peri 4 mm", 14.0, 18.0),
        ("Intra + peri 4 mm", 0.0, 18.0),
        ("Peri 6 mm", 14.0, 20.0),
        ("Intra + peri 6 mm", 0.0, 20.0),
    ];
    let slice = workflow::Slice {
        patient: "P017".into(),
        columns,
        intensities: (0..columns * rows)
            .map(|at| 300.0 / (1.0 + (distance(at) / 16.0).powi(4)) + 120.0 * wave(at) + 2.0 * (at % columns) as f64)
            .collect(),
        spacing_mm: [1.0, 1.0],
        regions: regions.into_iter().map(|(name, from, to)| (name.to_owned(), inside(from, to))).collect(),
    };
    workflow::figure(&slice, paper)
}

fn flows(paper: &Paper) -> Figure {
    let flow = flow::Flow {
        assessed: 121,
        excluded: vec![
            ("no MRI before chemotherapy".into(), 14),
            ("incomplete chemotherapy".into(), 9),
            ("images of poor quality, or with movement that hides the border of the tumour".into(), 5),
        ],
        outcome: Some(flow::Outcome { events: 48, others: 45, unknown: 0 }),
        sets: vec![
            ("Training set".into(), 75, Some(flow::Outcome { events: 39, others: 36, unknown: 0 })),
            ("Test set".into(), 18, Some(flow::Outcome { events: 9, others: 8, unknown: 1 })),
        ],
        event: "non-pGR".into(),
        other: "pGR".into(),
    };
    flow::figure(&flow, paper)
}

/// Every figure at a width.
fn all(width_mm: f64) -> Vec<Figure> {
    let paper = &paper(width_mm);
    let makers: [fn(&Paper) -> Figure; 11] = [
        rocs,
        decisions,
        calibrations,
        lassos,
        nomograms,
        |paper| shap::summary(&variables(), &patients(), "log odds", paper),
        waterfalls,
        forests,
        iccs,
        workflows,
        flows,
    ];
    makers.iter().map(|make| make(paper)).collect()
}

#[test]
fn words_of_every_figure_stay_inside_and_apart() {
    for width_mm in [ONE_COLUMN_MM, 120.0, TWO_COLUMNS_MM] {
        for figure in all(width_mm) {
            check_words(&figure.plot, width_mm);
        }
    }
}

#[test]
fn every_figure_is_well_formed_and_the_same_bytes_every_time() {
    for (one, other) in all(TWO_COLUMNS_MM).into_iter().zip(all(TWO_COLUMNS_MM)) {
        assert_eq!(one.svg(), other.svg());
        usvg::Tree::from_str(&one.svg(), &usvg::Options::default()).unwrap();
        assert!(one.svg().contains("protocol: 0123456789abcdef"), "{} says where it comes from", one.plot.name);
    }
}

#[test]
fn every_figure_has_its_numbers_as_csv() {
    for figure in all(TWO_COLUMNS_MM) {
        let csv = figure.csv();
        let mut lines = csv.lines().filter(|line| !line.starts_with('#'));
        let fields = lines.next().unwrap().split(',').count();
        assert!(fields >= 3 && lines.clone().count() > 2, "{}: {csv}", figure.plot.name);
        assert!(!csv.contains("NaN") && !csv.contains("inf"), "{}", figure.plot.name);
    }
}

/// `OSTEON_WRITE_FIGURES=DIR` leaves pictures of all sample figures in a folder, to be looked at.
#[test]
fn every_figure_can_be_a_picture() {
    let dir = std::env::var_os("OSTEON_WRITE_FIGURES").map(std::path::PathBuf::from);
    for figure in all(TWO_COLUMNS_MM).into_iter().chain(dir.iter().flat_map(|_| all(ONE_COLUMN_MM))) {
        let picture = figure.png(150.0).unwrap();
        assert!(picture.starts_with(b"\x89PNG"));
        if let Some(dir) = &dir {
            let name = format!("{}-{}", figure.plot.name, figure.plot.width_mm);
            std::fs::write(dir.join(format!("{name}.png")), picture).unwrap();
            std::fs::write(dir.join(format!("{name}.svg")), figure.svg()).unwrap();
            std::fs::write(dir.join(format!("{name}.pdf")), figure.pdf()).unwrap();
            std::fs::write(dir.join(format!("{name}.tiff")), figure.tiff(150.0).unwrap()).unwrap();
        }
    }
}

#[test]
fn a_terminal_shows_every_figure() {
    let drawn = all(TWO_COLUMNS_MM).into_iter().map(|figure| {
        format!(
            "== {}\n{}",
            figure.plot.name,
            figure.cells(80, cells::height(&figure.plot, 80, Charset::Braille), Charset::Braille).to_text(false)
        )
    });
    insta::assert_snapshot!(drawn.collect::<String>());
}

#[test]
fn every_figure_is_a_vector_page_and_a_picture_of_its_size_with_the_same_bytes_every_time() {
    for figure in all(TWO_COLUMNS_MM) {
        let pdf = figure.pdf();
        assert_eq!(pdf, figure.pdf());
        assert!(pdf.starts_with(b"%PDF-") && pdf.trim_ascii_end().ends_with(b"%%EOF"), "{}", figure.plot.name);
        let text = String::from_utf8_lossy(&pdf);
        assert!(!text.contains("/Font") && !text.contains("CreationDate"), "outlines, and no date");
        // 174 mm in points.
        assert!(text.contains("/MediaBox [0 0 493.2"), "{}", &text[..400]);
        let tiff = figure.tiff(100.0).unwrap();
        assert_eq!(tiff, figure.tiff(100.0).unwrap());
        assert!(tiff.starts_with(b"II*\0"));
        let live = figure.svg_as(osteon_plot::svg::Text::Live);
        assert!(live.contains("<text ") && live.contains("font-family=\"Inter, Arial"));
        usvg::Tree::from_str(&live, &usvg::Options::default()).unwrap();
    }
}

#[test]
fn a_width_at_which_words_would_be_cut_is_known() {
    let paper = paper(40.0);
    for figure in [rocs(&paper), nomograms(&paper), forests(&paper)] {
        let tight = figure.fits().expect_err(&figure.plot.name).to_string();
        assert!(tight.contains("would") || tight.contains("at least"), "{tight}");
    }
    for width_mm in [ONE_COLUMN_MM, 120.0, TWO_COLUMNS_MM] {
        for figure in all(width_mm) {
            assert_eq!(figure.fits(), Ok(()), "{} at {width_mm} mm", figure.plot.name);
        }
    }
}

#[test]
fn a_figure_takes_the_height_and_the_font_size_that_it_is_given() {
    for mut figure in all(120.0).into_iter().filter(|figure| figure.plot.name != "workflow") {
        figure.plot.height_mm = Some(190.0);
        assert_eq!(figure.fits(), Ok(()), "{}", figure.plot.name);
        assert!(
            figure.svg().contains("width=\"120mm\" height=\"190mm\""),
            "{}: {}",
            figure.plot.name,
            &figure.svg()[..160]
        );
        figure.plot.height_mm = Some(12.0);
        assert!(figure.fits().is_err(), "{} is higher than 12 mm", figure.plot.name);
    }
    // Twice the size of the words on twice the paper is the same figure.
    let (small, mut large) = (rocs(&paper(85.0)), rocs(&paper(85.0)));
    (large.plot.width_mm, large.plot.font_pt) = (170.0, 14.0);
    assert_eq!(large.fits(), Ok(()));
    let drawing = |svg: String| svg.split_once("viewBox").unwrap().1.to_owned();
    assert_eq!(drawing(small.svg()), drawing(large.svg()));
}

fn points(figure: &Figure, panel: usize) -> Vec<[f64; 2]> {
    let marks = figure.plot.panels[panel].marks.iter();
    marks
        .filter_map(|mark| if let What::Points { at, .. } = &mark.what { Some(at.clone()) } else { None })
        .flatten()
        .collect()
}

#[test]
fn points_of_shap_values_stand_at_their_values_also_where_many_are_equal() {
    let values: Vec<f64> = (0..75).map(|n| if n % 3 == 0 { -0.738 } else { 0.520 }).collect();
    let variable = shap::Variable { name: "Fracture".into(), shap: values.clone(), values };
    let figure = shap::summary(&[variable], &patients(), "log odds", &paper(TWO_COLUMNS_MM));
    let drawn = points(&figure, 0);
    assert_eq!(drawn.len(), 75);
    assert!(drawn.iter().all(|at| [-0.738, 0.520].contains(&at[0])), "{drawn:?}");
    let mut heights: Vec<i64> = drawn.iter().filter(|at| at[0] > 0.0).map(|at| (at[1] * 1e9) as i64).collect();
    heights.sort_unstable();
    heights.dedup();
    assert_eq!(heights.len(), 50, "stacked, each at a height of its own");
    assert!(figure.csv().contains(",P017,"), "numbers name the patient");
}

#[test]
fn decision_curves_stay_on_their_axis_over_the_range_that_the_caption_states() {
    let score: Vec<f64> = (0..18).map(|n| n as f64 / 18.0).collect();
    let event: Vec<bool> = (0..18).map(|n| n % 4 != 0).collect();
    let some: Vec<Option<f64>> = score.iter().copied().map(Some).collect();
    let row = Scored::new("combined", "test", &event, &some, Corrected::default());
    let figure = scored::decision(std::slice::from_ref(&row), None, Seed(1), &paper(TWO_COLUMNS_MM));
    // The fifth largest probability is 13 / 18.
    assert!(figure.caption.contains("from 0.01 to 0.70"), "{}", figure.caption);
    let asked = scored::decision(&[row], Some([0.1, 0.4]), Seed(1), &paper(TWO_COLUMNS_MM));
    assert!(asked.caption.contains("from 0.10 to 0.40"), "{}", asked.caption);
    for figure in [figure, asked, decisions(&paper(TWO_COLUMNS_MM))] {
        for panel in &figure.plot.panels {
            let (Range::Fixed(left, right), Range::Fixed(bottom, top)) = (panel.x.range, panel.y.range) else {
                panic!()
            };
            for mark in panel.marks.iter().filter(|mark| mark.name != "Treat all") {
                let points: Vec<[f64; 2]> = match &mark.what {
                    What::Line { points, .. } => points.clone(),
                    What::Band { x, low, high } => {
                        x.iter().zip(low).chain(x.iter().zip(high)).map(|(x, y)| [*x, *y]).collect()
                    }
                    other => panic!("{other:?}"),
                };
                let inside = |p: &[f64; 2]| (left..=right).contains(&p[0]) && (bottom..=top).contains(&p[1]);
                assert!(points.iter().all(inside), "{}", mark.name);
            }
        }
    }
}

#[test]
fn the_first_figure_tells_no_patient() {
    let figure = workflows(&paper(TWO_COLUMNS_MM));
    for text in
        [figure.caption.clone(), figure.csv(), figure.svg(), String::from_utf8_lossy(&figure.pdf()).into_owned()]
    {
        assert!(!text.contains("P017"), "{text}");
    }
}

#[test]
fn a_lasso_of_many_features_stays_on_a_page() {
    for width_mm in [ONE_COLUMN_MM, TWO_COLUMNS_MM] {
        let lasso = lasso::Lasso {
            region: "intra".into(),
            features: (0..80)
                .map(|n| (format!("wavelet-LLH_glcm_Feature{n}"), vec![0.0, 0.1 + n as f64 * 0.01]))
                .collect(),
            lambdas: vec![0.2, 0.1],
            error: "Mean squared error".into(),
            errors: vec![0.2, 0.1],
            standard_errors: vec![0.01, 0.01],
            at_min: 1,
            at_one_se: 0,
            chosen: 1,
        };
        let figure = lasso::figure(&lasso, &paper(width_mm));
        let scene = osteon_plot::scene::scene(&figure.plot);
        assert!(scene.height * 25.4 / 72.0 < 235.0, "{} mm", scene.height * 25.4 / 72.0);
        assert!(figure.caption.contains("largest of 80"), "{}", figure.caption);
        assert_eq!(figure.fits(), Ok(()));
    }
}

#[test]
fn narrow_intervals_are_seen_over_their_squares() {
    let figure = forests(&paper(TWO_COLUMNS_MM));
    let marks = &figure.plot.panels[0].marks;
    let squares = marks.iter().rposition(|mark| matches!(mark.what, What::Points { .. })).unwrap();
    let bars = marks.iter().position(|mark| matches!(mark.what, What::Segments { .. })).unwrap();
    assert!(squares < bars, "drawn later, over the squares");
    let named: Vec<&str> = marks.iter().map(|mark| mark.name.as_str()).filter(|name| !name.is_empty()).collect();
    assert_eq!(named, ["95% CI excludes 1", "95% CI includes 1"], "the legend tells the colors");
}
