//! Who was assessed, who was left out and why, and who is in which set.

use crate::report::figure::{Draft, Figure, Paper, words};
use crate::report::sheet::Cell;
use osteon_plot::{Anchor, Axis, Colour, Mark, Panel, Pen, Shape, TextStyle, What};

/// Counts of patients.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    pub assessed: usize,
    /// Reason and patients.
    pub excluded: Vec<(String, usize)>,
    /// Of the included patients; none for a blind reader.
    pub outcome: Option<Outcome>,
    /// Name, patients and outcomes of each set; empty before the split, no outcomes for a blind reader.
    pub sets: Vec<(String, usize, Option<Outcome>)>,
    /// What an event is, and its absence: `non-pGR`, `pGR`.
    pub event: String,
    pub other: String,
}

/// Patients by their outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub events: usize,
    pub others: usize,
    /// Not known, or not yet.
    pub unknown: usize,
}

impl Outcome {
    pub fn of(events: impl Iterator<Item = Option<bool>>) -> Outcome {
        events.fold(Outcome::default(), |mut sum, event| {
            match event {
                Some(true) => sum.events += 1,
                Some(false) => sum.others += 1,
                None => sum.unknown += 1,
            }
            sum
        })
    }
}

pub fn figure(flow: &Flow, paper: &Paper) -> Figure {
    let draft = Draft {
        name: "flow",
        title: "Flow of participants",
        caption: format!(
            "Flow of participants from assessment to the analyzed sets{}.",
            if flow.outcome.is_some() {
                format!(", with numbers of events ({}) and non-events ({})", flow.event, flow.other)
            } else {
                String::new()
            }
        ),
        columns: 1,
        headings: &["step", "patients", "events", "non_events", "outcome_unknown"],
    };
    let row = |name: &str, n: usize, outcome: Option<Outcome>| {
        let counts = outcome
            .map_or([Cell::Empty, Cell::Empty, Cell::Empty], |it| [it.events, it.others, it.unknown].map(Cell::Count));
        [words(name), Cell::Count(n)].into_iter().chain(counts).collect::<Vec<Cell>>()
    };
    let mut rows = vec![row("assessed", flow.assessed, None)];
    rows.extend(flow.excluded.iter().map(|(reason, n)| row(&format!("excluded: {reason}"), *n, None)));
    rows.push(row("included", included(flow), flow.outcome));
    rows.extend(flow.sets.iter().map(|(name, n, outcome)| row(name, *n, *outcome)));
    draft.finish(paper, vec![panel(flow, paper)], rows)
}

fn included(flow: &Flow) -> usize {
    flow.assessed - flow.excluded.iter().map(|(_, n)| n).sum::<usize>().min(flow.assessed)
}

/// Heights are in lines of text, so that boxes and arrows keep their distance whatever the reasons.
fn panel(flow: &Flow, paper: &Paper) -> Panel {
    let out = flow.excluded.iter().map(|(_, n)| n).sum::<usize>();
    let aside = (!flow.excluded.is_empty()).then(|| {
        // About half of the paper, at half an em a character.
        let room = (paper.width_mm * 72.0 / 25.4 * 0.5 / 3.6) as usize;
        let reasons =
            flow.excluded.iter().flat_map(|(reason, n)| broken(&format!("{reason} (n\u{a0}=\u{a0}{n})"), room));
        [format!("Excluded (n = {out})")].into_iter().chain(reasons).collect::<Vec<_>>().join("\n")
    });
    let aside_lines = aside.as_ref().map_or(0.0, |text| text.lines().count() as f64);
    // Half a box of so many lines, and its inner margin, in the units of the two axes.
    let half_of = |text: &str| text.lines().count() as f64 / 2.0 + 0.32;
    let inner = 4.9 / (paper.width_mm * 72.0 / 25.4 - 6.0).max(10.0);
    let assessed = format!("Assessed for eligibility (n = {})", flow.assessed);
    let included_text = format!("Included in the analysis (n = {}){}", included(flow), outcomes(flow, flow.outcome));
    let sets: Vec<String> = flow
        .sets
        .iter()
        .map(|(name, patients, outcome)| format!("{name} (n = {patients}){}", outcomes(flow, *outcome)))
        .collect();
    let half_set = sets.iter().map(|text| half_of(text)).fold(0.0, f64::max);
    let (half, half_second) = (half_of(&assessed), half_of(&included_text));
    let (first, side) = (1.5, 4.2 + aside_lines / 2.0);
    let second = if aside.is_some() { side + aside_lines / 2.0 + 1.9 } else { 5.2 } + half_second;
    let third = second + half_second + 2.9 + half_set;
    let bottom = if sets.is_empty() { second + half_second + 0.7 } else { third + half_set + 0.7 };
    // Reasons stand to the right; without them the boxes are in the middle.
    let middle = if aside.is_some() { 0.36 } else { 0.5 };
    let mut lines = Vec::new();
    let mut arrows = vec![[[middle, first + half], [middle, second - half_second]]];
    let mut boxes =
        vec![text([middle, first], &assessed, Anchor::Middle), text([middle, second], &included_text, Anchor::Middle)];
    if let Some(reasons) = aside {
        arrows.push([[middle, side], [0.46 - inner, side]]);
        boxes.push(text([0.46, side], &reasons, Anchor::Start));
    }
    for (n, set) in sets.iter().enumerate() {
        let x = middle + (n as f64 - (sets.len() as f64 - 1.0) / 2.0) * 0.38;
        let fork = second + half_second + 1.0;
        lines.extend([[[middle, second + half_second], [middle, fork]], [[middle, fork], [x, fork]]]);
        arrows.push([[x, fork], [x, third - half_of(set)]]);
        boxes.push(text([x, third], set, Anchor::Middle));
    }
    let pen = Pen::solid(0.8);
    let lines = Mark::new(What::Segments { pairs: lines, pen }, Colour::Ink);
    let arrows = Mark::new(What::Arrows { pairs: arrows, pen }, Colour::Ink);
    Panel {
        x: Axis::hidden(0.0, 1.0),
        y: Axis::hidden(bottom, 0.0),
        marks: [lines, arrows].into_iter().chain(boxes).collect(),
        shape: Shape::Height { mm: bottom * 7.0 * 1.25 * 25.4 / 72.0 },
        ..Panel::default()
    }
}

/// A line each of events, non-events and unknown outcomes.
fn outcomes(flow: &Flow, outcome: Option<Outcome>) -> String {
    let Some(Outcome { events, others, unknown }) = outcome else { return String::new() };
    let unknown = if unknown > 0 { format!("\nOutcome unknown: {unknown}") } else { String::new() };
    format!("\n{}: {events}\n{}: {others}{unknown}", flow.event, flow.other)
}

/// Lines of at most so many characters, later ones set in.
fn broken(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let last = lines.last_mut().expect("there is a first line");
        if last.is_empty() {
            last.push_str(word);
        } else if last.chars().count() + word.chars().count() < room {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(format!("\u{a0}\u{a0}{word}"));
        }
    }
    lines
}

fn text(at: [f64; 2], words: &str, anchor: Anchor) -> Mark {
    Mark::text(at, words, TextStyle { anchor, framed: true, ..TextStyle::default() })
}
