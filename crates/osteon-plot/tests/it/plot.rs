//! Plots: deterministic, well-formed, inside their canvas, and readable in a terminal.

use osteon_plot::cells::{self, Charset};
use osteon_plot::{
    Anchor, Axis, Colour, Dash, Direction, Legend, Look, Mark, Marker, Panel, Pen, Plot, Scale, Shape, TextCell,
    TextColumn, TextStyle, Ticks, What, png, svg,
};
use proptest::prelude::*;
use resvg::usvg;

/// Every kind of mark and axis in two panels.
fn everything(width_mm: f64) -> Plot {
    let curve: Vec<[f64; 2]> = (0..=50).map(|n| n as f64 / 50.0).map(|x| [x, x * x]).collect();
    let x: Vec<f64> = curve.iter().map(|point| point[0]).collect();
    let low = curve.iter().map(|point| point[1] * 0.8).collect();
    let high = curve.iter().map(|point| point[1] * 0.8 + 0.15).collect();
    let steps = vec![[0.0, 0.0], [0.0, 0.4], [0.3, 0.4], [0.3, 0.8], [1.0, 1.0]];
    let first = Panel {
        title: "A  Lines".into(),
        x: Axis::fixed("1 − specificity", 0.0, 1.0),
        y: Axis { look: Look::Grid, ..Axis::fixed("Sensitivity", 0.0, 1.0) },
        marks: vec![
            Mark::new(What::Band { x, low, high }, Colour::Series(0)).faded(0.2),
            Mark::line(curve, Pen::solid(1.2), Colour::Series(0)).named("smooth"),
            Mark::new(What::Step { points: steps, pen: Pen::dashed(1.2) }, Colour::Series(1)).named("steps"),
            Mark::rule(0.5, Direction::Vertical, Pen { width_pt: 0.7, dash: Dash::Dotted }),
        ],
        legend: Legend::Inside,
        shape: Shape::Ratio(1.0),
        ..Panel::default()
    };
    let cell = |at: f64, text: &str| TextCell { at, text: text.into(), bold: false };
    let second = Panel {
        title: "B  Rows".into(),
        x: Axis { scale: Scale::Log, ..Axis::fixed("Odds ratio", 0.1, 20.0) },
        y: Axis {
            range: osteon_plot::Range::Fixed(2.5, -0.5),
            ticks: Ticks::None,
            look: Look::Hidden,
            ..Axis::default()
        },
        left: vec![TextColumn {
            heading: "Variable".into(),
            anchor: Anchor::Start,
            cells: vec![cell(0.0, "Age"), cell(1.0, "ALP"), cell(2.0, "Fracture")],
        }],
        marks: vec![
            Mark::new(
                What::Segments {
                    pairs: vec![[[0.5, 0.0], [2.0, 0.0]], [[1.2, 1.0], [9.0, 1.0]]],
                    pen: Pen::solid(0.8),
                },
                Colour::Ink,
            ),
            Mark::points(vec![[1.0, 0.0], [3.0, 1.0], [0.4, 2.0]], Marker::Square, 4.0, Colour::Series(0))
                .named("estimate"),
            Mark::new(What::Bars { boxes: vec![[0.2, 1.8, 0.3, 2.2]] }, Colour::Series(2)),
            Mark::text([5.0, 2.0], "a <note> & more", TextStyle::default()),
        ],
        legend: Legend::Below,
        ..Panel::default()
    };
    Plot {
        name: "sample".into(),
        title: "Every kind of mark".into(),
        width_mm,
        height_mm: None,
        font_pt: osteon_plot::FONT_PT,
        columns: 2,
        panels: vec![first, second],
        provenance: vec!["protocol: 0123".into()],
    }
}

#[test]
fn a_plot_is_the_same_bytes_every_time() {
    assert_eq!(svg::render(&everything(174.0)), svg::render(&everything(174.0)));
    assert_eq!(png::render(&everything(85.0), 96.0).unwrap(), png::render(&everything(85.0), 96.0).unwrap());
}

#[test]
fn an_svg_is_well_formed_and_has_no_text_elements() {
    let text = svg::render(&everything(174.0));
    let tree = usvg::Tree::from_str(&text, &usvg::Options::default()).unwrap();
    assert!((tree.size().width() - 174.0 * 96.0 / 25.4).abs() < 0.1);
    assert!(!text.contains("<text"), "words are outlines");
    assert!(text.contains("<dc:source>protocol: 0123</dc:source>"));
}

#[test]
fn words_stay_on_the_canvas_and_off_each_other() {
    for width_mm in [85.0, 120.0, 174.0] {
        crate::words::check_words(&everything(width_mm), width_mm);
    }
}

#[test]
fn hostile_words_are_harmless() {
    let hostile = "\u{1b}[2J</title><script>alert(1)</script>&\u{202e}\"'\u{0}";
    let mut plot = everything(174.0);
    plot.title = hostile.into();
    plot.name = hostile.into();
    plot.provenance = vec![hostile.into()];
    for panel in &mut plot.panels {
        panel.title = hostile.into();
        panel.x.title = hostile.into();
        panel.marks.iter_mut().for_each(|mark| mark.name = hostile.into());
    }
    let text = svg::render(&plot);
    assert!(
        !text.contains("<script") && !text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains('\0')
    );
    usvg::Tree::from_str(&text, &usvg::Options::default()).unwrap();
    let drawn = cells::render(&plot, 80, 24, Charset::Braille).to_text(false);
    assert!(drawn.chars().all(|c| c == '\n' || !c.is_control()));
}

#[test]
fn a_terminal_shows_the_plot_in_braille() {
    insta::assert_snapshot!(cells::render(&everything(174.0), 80, 24, Charset::Braille).to_text(false));
}

#[test]
fn a_plain_terminal_shows_the_plot_in_ascii() {
    let text = cells::render(&everything(174.0), 80, 24, Charset::Ascii).to_text(false);
    assert!(text.is_ascii());
    insta::assert_snapshot!(text);
}

/// Without colours, or on a terminal that shows dashes badly, curves are told apart by these signs.
#[test]
fn each_of_several_curves_has_a_sign_of_its_own_and_in_the_legend() {
    let curve = |n: usize, name: &str| {
        let points = (0..=50).map(|x| [f64::from(x), f64::from(x) * (n + 1) as f64]).collect();
        Mark::line(points, Pen::solid(1.0), Colour::Series(n)).named(name)
    };
    let chance = Mark::line(vec![[0.0, 0.0], [50.0, 50.0]], Pen::dashed(1.0), Colour::Muted).named("chance");
    let marks = vec![chance, curve(0, "first"), curve(1, "second"), curve(2, "third")];
    let panel = Panel { marks, legend: Legend::Below, ..Panel::default() };
    let plot = Plot { panels: vec![panel], columns: 1, ..everything(85.0) };
    for charset in [Charset::Braille, Charset::Ascii] {
        let text = cells::render(&plot, 60, 24, charset).to_text(false);
        let (drawing, legend) = text.split_at(text.find("chance").unwrap());
        for (sign, name) in [('*', "first"), ('+', "second"), ('o', "third")] {
            assert!(drawing.matches(sign).count() >= 3, "{sign} in\n{text}");
            assert!(legend.lines().any(|line| line.contains(sign) && line.contains(name)), "{sign} {name} in\n{text}");
        }
    }
}

#[test]
fn no_size_panics() {
    for width in [0, 1, 2, 3, 5, 9, 33, 34, 60, 200] {
        for height in [0, 1, 2, 3, 4, 9, 24, 100] {
            for charset in [Charset::Braille, Charset::Ascii] {
                let cells = cells::render(&everything(174.0), width, height, charset);
                assert_eq!((cells.width, cells.height, cells.cells.len()), (width, height, width * height));
            }
        }
    }
    for width_mm in [f64::NAN, -1.0, 0.0, 0.1, 5.0, 30.0, 5000.0, f64::INFINITY] {
        usvg::Tree::from_str(&svg::render(&everything(width_mm)), &usvg::Options::default()).unwrap();
    }
}

proptest! {
    #[test]
    fn any_numbers_can_be_plotted(points in prop::collection::vec(any::<(f64, f64)>(), 0..12), log in any::<bool>()) {
        let points: Vec<[f64; 2]> = points.into_iter().map(|(x, y)| [x, y]).collect();
        let mut plot = everything(85.0);
        let scale = if log { Scale::Log } else { Scale::Linear };
        plot.panels[0].x = Axis { scale, ..Axis::titled("x") };
        plot.panels[0].y = Axis { scale, ..Axis::titled("y") };
        plot.panels[0].marks = vec![
            Mark::line(points.clone(), Pen::solid(1.0), Colour::Series(0)),
            Mark::points(points, Marker::Cross, 3.0, Colour::Series(1)),
        ];
        let text = svg::render(&plot);
        prop_assert!(!text.contains("NaN") && !text.contains("inf"));
        prop_assert!(usvg::Tree::from_str(&text, &usvg::Options::default()).is_ok());
        cells::render(&plot, 80, 24, Charset::Braille);
    }
}
