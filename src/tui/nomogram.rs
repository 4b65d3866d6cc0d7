//! The nomogram to move: values by the arrow keys, points and probability at once.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::tui::app::App;
use crate::tui::bindings::Action;
use crate::tui::dialog::Dialog;
use crate::tui::form::{Form, Purpose};
use crate::tui::grid_view::put;
use crate::tui::message::Effect;
use crate::tui::theme::Theme;
use crate::tui::{forms, layout, page};
use osteon_stats::model::nomogram::Effect as Scale;
use osteon_study::report::sheet::{Cell, Sheet};
use osteon_study::study::{MovableModel, USE};

/// State of the screen.
#[derive(Clone, Debug, Default)]
pub struct NomogramScreen {
    pub model: Option<Result<Box<MovableModel>, String>>,
    /// One value an effect: a number, or the position of a level.
    pub values: Vec<f64>,
    pub at: usize,
    /// Whose values these are, until one is moved.
    pub patient: Option<String>,
    /// First line that is seen.
    pub top: usize,
}

/// Steps over the range of a number.
const STEPS: f64 = 50.0;

pub fn arrived(app: &mut App, model: Result<Box<MovableModel>, String>) {
    let screen = &mut app.nomogram;
    if let Ok(model) = &model
        && screen.values.len() != model.scales.effects.len()
    {
        screen.values = start(model);
    }
    screen.model = Some(model);
}

/// Means of the training patients and reference levels.
fn start(model: &MovableModel) -> Vec<f64> {
    let mut at = 0;
    let value = |scale: &Scale| match scale {
        Scale::Continuous { low, high, .. } => {
            at += 1;
            model.means.get(at - 1).map_or(*low, |mean| mean.clamp(*low, *high))
        }
        Scale::Levels { levels, .. } => {
            at += levels.len() - 1;
            0.0
        }
    };
    model.scales.effects.iter().map(value).collect()
}

pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    let screen = &mut app.nomogram;
    let Some(Ok(model)) = &screen.model else { return Vec::new() };
    let last = model.scales.effects.len().saturating_sub(1);
    match action {
        Action::NextValue => screen.at = (screen.at + 1).min(last),
        Action::PreviousValue => screen.at = screen.at.saturating_sub(1),
        Action::More | Action::Less => {
            let sign = if action == Action::More { 1.0 } else { -1.0 };
            if let Some(scale) = model.scales.effects.get(screen.at) {
                screen.values[screen.at] = moved(scale, screen.values[screen.at], sign);
                screen.patient = None;
            }
        }
        Action::Explain => {
            let height = usize::from(app.size.1.saturating_sub(3));
            let all = picture(app, usize::from(app.size.0)).len();
            if all <= height || app.size.0 >= layout::WIDE {
                app.say("all of it is on the screen");
                return Vec::new();
            }
            let screen = &mut app.nomogram;
            let next = screen.top + height.saturating_sub(1).max(1);
            screen.top = if screen.top + height >= all { 0 } else { next.min(all.saturating_sub(height)) };
        }
        Action::Export => return forms::export_form(app),
        Action::TakePatient => {
            let selected = app.patients.selected().unwrap_or_default().to_owned();
            let form = Form::new("Values of a patient", Purpose::TakePatient, &[("id", &selected)]);
            app.dialog = Some(Dialog::Form(form));
        }
        Action::CopyCell => {
            let text = [title(app)].into_iter().chain(lines(app)).collect::<Vec<_>>().join("\n");
            app.say("copied the values and the probability");
            return vec![Effect::Copy(text)];
        }
        _ => (),
    }
    Vec::new()
}

/// One step on, within the range of the training rows.
fn moved(scale: &Scale, value: f64, sign: f64) -> f64 {
    match scale {
        Scale::Continuous { low, high, .. } => (value + sign * (high - low) / STEPS).clamp(*low, *high),
        Scale::Levels { levels, .. } => (value + sign).clamp(0.0, levels.len().saturating_sub(1) as f64),
    }
}

impl NomogramScreen {
    /// Sets the values to those of a patient.
    pub fn take(&mut self, id: String, values: Vec<f64>) {
        if values.len() == self.values.len() {
            self.values = values;
            self.patient = Some(id);
        }
    }
}

/// Each effect with its value and points, then total and probability.
fn lines(app: &App) -> Vec<String> {
    let screen = &app.nomogram;
    let Some(Ok(model)) = &screen.model else { return Vec::new() };
    let scales = &model.scales;
    let points: Vec<Option<f64>> =
        screen.values.iter().enumerate().map(|(at, &value)| scales.points(at, value)).collect();
    let total: f64 = points.iter().flatten().sum();
    let mut lines: Vec<String> = Vec::new();
    for (at, (scale, points)) in scales.effects.iter().zip(&points).enumerate() {
        let points = points.map_or_else(|| "-".to_owned(), |points| format!("{points:.1}"));
        let value = value_text(scale, screen.values[at]);
        lines.push(format!("{:<22} {value:>10} {points:>8} points", model.labels[at]));
    }
    lines.push(format!("{:<22} {:>10} {total:>8.1} points", "Total", ""));
    let (risk, [low, high]) = model.risk(&screen.values);
    lines.push(format!("{:<22} {risk:>10.4}  (95% {low:.4}-{high:.4})", format!("Probability of {}", model.event)));
    lines
}

fn value_text(scale: &Scale, value: f64) -> String {
    match scale {
        Scale::Continuous { .. } => format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned(),
        Scale::Levels { levels, .. } => levels.get(value as usize).map_or_else(String::new, |(name, _)| name.clone()),
    }
}

pub fn title(app: &App) -> String {
    match &app.nomogram.model {
        Some(Ok(model)) => {
            let whose = app.nomogram.patient.as_ref().map_or_else(String::new, |id| format!("; values of {id}"));
            let doubt = model.doubt.as_ref().map_or_else(String::new, |doubt| format!("{doubt}: "));
            let (events, n) = (model.logistic.n_events, model.logistic.n);
            format!("{doubt}combined model, {events} events in {n} patients{whose}; research use only")
        }
        _ => "Nomogram".to_owned(),
    }
}

/// The prediction as a table, for a file.
pub fn sheet(app: &App) -> Option<Sheet> {
    let screen = &app.nomogram;
    let Some(Ok(model)) = &screen.model else { return None };
    let shares = model.shares(&screen.values);
    let row = |(at, scale): (usize, &Scale)| {
        let value = match scale {
            Scale::Continuous { .. } => Cell::Number { value: screen.values[at], digits: 3 },
            Scale::Levels { .. } => Cell::Text(value_text(scale, screen.values[at])),
        };
        let points = Cell::number(model.scales.points(at, screen.values[at]), 1);
        vec![Cell::Text(scale.name().to_owned()), value, points, Cell::Number { value: shares[at], digits: 3 }]
    };
    let mut rows: Vec<Vec<Cell>> = model.scales.effects.iter().enumerate().map(row).collect();
    let (estimate, [low, high]) = model.risk(&screen.values);
    let risk = Cell::Interval { estimate, low, high, digits: 4 };
    rows.push(vec![Cell::Text(format!("probability of {}", model.event)), risk, Cell::Empty, Cell::Empty]);
    let mut used = USE.map(|text| Cell::Text(text.to_owned())).to_vec();
    used.resize(4, Cell::Empty);
    rows.push(used);
    let doubt = model.doubt.as_ref().map_or_else(String::new, |doubt| format!("{doubt}: "));
    let whose = screen.patient.as_ref().map_or("Prediction".to_owned(), |id| format!("Prediction for {id}"));
    Some(Sheet {
        title: format!("{doubt}{whose}"),
        headings: ["variable", "value", "points", "SHAP, log odds"].map(str::to_owned).to_vec(),
        rows,
        notes: vec![model.logistic.interval_in_words()],
        provenance: model.provenance.clone(),
    })
}

pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    match &app.nomogram.model {
        None => return page::say("reading the model", area, buffer),
        Some(Err(why)) => return page::say(why, area, buffer),
        Some(Ok(_)) => (),
    }
    let (left, right) = layout::halves(area);
    if let Some(right) = right {
        show(&values(app, usize::from(left.width)), 0, left, buffer);
        return show(&shap(app, usize::from(right.width)), 0, right, buffer);
    }
    show(&picture(app, usize::from(area.width)), app.nomogram.top, area, buffer);
}

/// Lines from the first that is seen on, or from earlier where they end before the area does.
fn show(lines: &[(String, Style)], top: usize, area: Rect, buffer: &mut Buffer) {
    let top = top.min(lines.len().saturating_sub(usize::from(area.height)));
    for ((text, style), y) in lines[top..].iter().zip(area.y..area.bottom()) {
        put(buffer, area.x, y, area.width, text, false, *style);
    }
}

/// Every line of a screen that is not wide.
fn picture(app: &App, width: usize) -> Vec<(String, Style)> {
    values(app, width).into_iter().chain(shap(app, width)).collect()
}

/// Values with their place on their scales, total and probability.
fn values(app: &App, width: usize) -> Vec<(String, Style)> {
    let theme = app.options.theme;
    let screen = &app.nomogram;
    let Some(Ok(model)) = &screen.model else { return Vec::new() };
    let texts = lines(app);
    let mut all: Vec<(String, Style)> = Vec::new();
    for (at, scale) in model.scales.effects.iter().enumerate() {
        let here = at == screen.at;
        let (sign, style) = if here { (theme.signs().cursor, theme.heading()) } else { (" ", Style::new()) };
        all.push((format!("{sign} {}", texts[at]), style));
        all.push((bar(part(scale, screen.values[at]), ends(scale), width, theme), style));
    }
    all.push((format!("  {}", texts[texts.len() - 2]), Style::new()));
    all.push((format!("  {}", texts[texts.len() - 1]), theme.heading()));
    let (risk, _) = model.risk(&screen.values);
    all.push((bar(risk, ["0", "1"].map(str::to_owned), width, theme), theme.heading()));
    all
}

/// What each value adds, and where the study's patients lie.
fn shap(app: &App, width: usize) -> Vec<(String, Style)> {
    let screen = &app.nomogram;
    let Some(Ok(model)) = &screen.model else { return Vec::new() };
    let (bars, theme) = (width.saturating_sub(2), app.options.theme);
    let mut all = shap_bars(model, &screen.values, bars, theme);
    all.extend(shap_strips(model, &screen.values, bars, theme));
    all
}

/// Columns before a bar or a strip: a name and a number.
const LABEL: usize = 34;

/// What each value adds to the log odds of an average training patient, the largest first.
fn shap_bars(model: &MovableModel, values: &[f64], width: usize, theme: Theme) -> Vec<(String, Style)> {
    let shares = model.shares(values);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by(|&a, &b| shares[b].abs().total_cmp(&shares[a].abs()));
    let most = shares.iter().fold(f64::MIN_POSITIVE, |most, share| share.abs().max(most));
    let half = width.saturating_sub(LABEL) / 2;
    let signs = theme.signs();
    let line = |&at: &usize| {
        let name = &model.labels[at];
        let n = (shares[at].abs() / most * half as f64).round() as usize;
        let (left, right) = if shares[at] < 0.0 { (n, 0) } else { (0, n) };
        let full = |n: usize| signs.bar_full.repeat(n);
        let bar = format!("{}{}{}{}", " ".repeat(half - left), full(left), signs.separator, full(right));
        (format!("  {name:<22} {:>+8.3} {bar}", shares[at]), Style::new())
    };
    let title = "  SHAP of these values, log odds: - left, + right".to_owned();
    std::iter::once((title, theme.heading())).chain(order.iter().map(line)).collect()
}

/// Where the training patients' SHAP values lie, the variable with the largest mean first; `o` is where these values are.
fn shap_strips(model: &MovableModel, values: &[f64], width: usize, theme: Theme) -> Vec<(String, Style)> {
    let size = |at: usize| {
        let own = &model.swarm[at];
        own.iter().map(|share| share.abs()).sum::<f64>() / own.len().max(1) as f64
    };
    let mut order: Vec<usize> = (0..model.swarm.len()).collect();
    order.sort_by(|&a, &b| size(b).total_cmp(&size(a)));
    let shares = model.shares(values);
    let all = || model.swarm.iter().flatten().chain(&shares);
    let most = all().fold(f64::MIN_POSITIVE, |most, share| share.abs().max(most));
    let cells = width.saturating_sub(LABEL).max(1);
    let place = |share: f64| (((share / most + 1.0) / 2.0 * (cells - 1) as f64).round() as usize).min(cells - 1);
    let line = |&at: &usize| {
        let mut counts = vec![0_usize; cells];
        model.swarm[at].iter().for_each(|&share| counts[place(share)] += 1);
        let mut strip: Vec<char> = counts.into_iter().map(density).collect();
        strip[place(shares[at])] = 'o';
        let name = &model.labels[at];
        (format!("  {name:<22} {:>8.3} {}", size(at), strip.into_iter().collect::<String>()), Style::new())
    };
    let n = model.swarm.first().map_or(0, Vec::len);
    let title = format!("  SHAP of {n} training patients, mean size; o: these values");
    std::iter::once((title, theme.heading())).chain(order.iter().map(line)).collect()
}

/// A sign for how many patients fall on one place.
fn density(n: usize) -> char {
    match n {
        0 => ' ',
        1 => '.',
        2 | 3 => ':',
        4..=7 => '*',
        _ => '#',
    }
}

fn part(scale: &Scale, value: f64) -> f64 {
    match scale {
        Scale::Continuous { low, high, .. } => (value - low) / (high - low),
        Scale::Levels { levels, .. } => value / (levels.len().max(2) - 1) as f64,
    }
}

/// What stands at both ends of a scale.
fn ends(scale: &Scale) -> [String; 2] {
    match scale {
        Scale::Continuous { low, high, .. } => [*low, *high].map(|end| value_text(scale, end)),
        Scale::Levels { levels, .. } => {
            let name = |level: Option<&(String, f64)>| level.map_or_else(String::new, |(name, _)| name.clone());
            [name(levels.first()), name(levels.last())]
        }
    }
}

/// A line with a thumb between its ends.
fn bar(part: f64, ends: [String; 2], width: usize, theme: Theme) -> String {
    let signs = theme.signs();
    let [low, high] = ends;
    let room = width.saturating_sub(2 + 2 * (END + 1)).max(1);
    let at = (part.clamp(0.0, 1.0) * (room - 1) as f64).round() as usize;
    let line: String = (0..room).map(|x| if x == at { signs.bar_full } else { signs.dash }).collect();
    format!("  {low:>END$.END$} {line} {high:.END$}")
}

/// Columns for what stands at an end of a scale.
const END: usize = 6;
