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
    /// Name, patients and events of each set; empty before the split, no events for a blind reader.
    pub sets: Vec<(String, usize, Option<usize>)>,
    /// What an event is: `non-pGR`.
    pub event: String,
}

pub fn figure(flow: &Flow, paper: &Paper) -> Figure {
    let draft = Draft {
        name: "flow",
        title: "Inclusion of patients",
        caption: "Patients from assessment to the sets that models learn from and are tested on.".to_owned(),
        columns: 1,
        headings: &["step", "patients", "events"],
    };
    let mut rows = vec![vec![words("assessed"), Cell::Count(flow.assessed), Cell::Empty]];
    let row = |(reason, n): &(String, usize)| vec![words(&format!("excluded: {reason}")), Cell::Count(*n), Cell::Empty];
    rows.extend(flow.excluded.iter().map(row));
    rows.push(vec![words("included"), Cell::Count(included(flow)), Cell::Empty]);
    let row = |(name, n, events): &(String, usize, Option<usize>)| {
        vec![words(name), Cell::Count(*n), events.map_or(Cell::Empty, Cell::Count)]
    };
    rows.extend(flow.sets.iter().map(row));
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
    let (first, side) = (1.5, 4.2 + aside_lines / 2.0);
    let second = if aside.is_some() { side + aside_lines / 2.0 + 2.7 } else { 6.0 };
    let third = second + 5.0;
    let bottom = if flow.sets.is_empty() { second + 1.5 } else { third + 2.0 };
    // Half a box of one line, of two lines, and its inner margin, in the units of the two axes.
    let (half, half_two, inner) = (0.82, 1.32, 4.9 / (paper.width_mm * 72.0 / 25.4 - 6.0).max(10.0));
    // Reasons stand to the right; without them the boxes are in the middle.
    let middle = if aside.is_some() { 0.36 } else { 0.5 };
    let mut lines = Vec::new();
    let mut arrows = vec![[[middle, first + half], [middle, second - half]]];
    let mut boxes = vec![
        text([middle, first], &format!("Patients assessed (n = {})", flow.assessed), Anchor::Middle),
        text([middle, second], &format!("Included (n = {})", included(flow)), Anchor::Middle),
    ];
    if let Some(reasons) = aside {
        arrows.push([[middle, side], [0.46 - inner, side]]);
        boxes.push(text([0.46, side], &reasons, Anchor::Start));
    }
    for (n, (name, patients, events)) in flow.sets.iter().enumerate() {
        let x = middle + (n as f64 - (flow.sets.len() as f64 - 1.0) / 2.0) * 0.38;
        let fork = second + half + 1.0;
        lines.extend([[[middle, second + half], [middle, fork]], [[middle, fork], [x, fork]]]);
        arrows.push([[x, fork], [x, third - half_two]]);
        let events = events.map_or(String::new(), |events| format!("\n{} = {events}", flow.event));
        boxes.push(text([x, third], &format!("{name} (n = {patients}){events}"), Anchor::Middle));
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
