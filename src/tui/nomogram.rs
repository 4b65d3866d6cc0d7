//! The nomogram to move: values by the arrow keys, points and probability at once.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::model::nomogram::Effect as Scale;
use crate::study::MovableModel;
use crate::tui::app::App;
use crate::tui::bindings::Action;
use crate::tui::dialog::Dialog;
use crate::tui::form::{Form, Purpose};
use crate::tui::grid_view::put;
use crate::tui::message::Effect;
use crate::tui::page;

/// State of the screen.
#[derive(Clone, Debug, Default)]
pub struct NomogramScreen {
    pub model: Option<Result<Box<MovableModel>, String>>,
    /// One value an effect: a number, or the position of a level.
    pub values: Vec<f64>,
    pub at: usize,
    /// Whose values these are, until one is moved.
    pub patient: Option<String>,
}

/// Steps over the range of a number.
const STEPS: f64 = 50.0;

pub fn arrived(app: &mut App, model: Result<Box<MovableModel>, String>) {
    let screen = &mut app.nomogram;
    if let Ok(model) = &model
        && screen.values.len() != model.scales.effects.len()
    {
        screen.values = model.scales.effects.iter().map(middle).collect();
    }
    screen.model = Some(model);
}

fn middle(scale: &Scale) -> f64 {
    match scale {
        Scale::Continuous { low, high, .. } => low + ((high - low) / STEPS * (STEPS / 2.0).round()),
        Scale::Levels { .. } => 0.0,
    }
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
        Action::TakePatient => {
            let selected = app.patients.selected().unwrap_or_default().to_owned();
            let form = Form::new("Values of a patient", Purpose::TakePatient, &[("id", &selected)]);
            app.dialog = Some(Dialog::Form(form));
        }
        Action::CopyCell => {
            let text = lines(app).join("\n");
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
        lines.push(format!("{:<24} {:>12} {points:>8} points", scale.name(), value_text(scale, screen.values[at])));
    }
    lines.push(format!("{:<24} {:>12} {total:>8.1} points", "Total", ""));
    let (risk, [low, high]) = model.risk(&screen.values);
    lines.push(format!("{:<24} {risk:>12.4}  95% interval {low:.4} to {high:.4}", "Probability of non-pGR"));
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
            format!("combined model, {} events in {} patients{whose}", model.logistic.n_events, model.logistic.n)
        }
        _ => "Nomogram".to_owned(),
    }
}

pub fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let theme = app.options.theme;
    let screen = &app.nomogram;
    let model = match &screen.model {
        None => return page::say("reading the model", area, buffer),
        Some(Err(why)) => return page::say(why, area, buffer),
        Some(Ok(model)) => model,
    };
    let signs = theme.signs();
    let texts = lines(app);
    let width = usize::from(area.width.saturating_sub(4));
    let mut y = area.y;
    for (at, scale) in model.scales.effects.iter().enumerate() {
        let here = at == screen.at;
        let style = if here { theme.heading() } else { Style::new() };
        put(buffer, area.x, y, 1, if here { signs.cursor } else { " " }, false, style);
        put(buffer, area.x + 2, y, area.width.saturating_sub(3), &texts[at], false, style);
        put(buffer, area.x + 2, y + 1, width as u16, &bar(part(scale, screen.values[at]), width, theme), false, style);
        y += 3;
    }
    put(buffer, area.x + 2, y, area.width.saturating_sub(3), &texts[texts.len() - 2], false, Style::new());
    put(buffer, area.x + 2, y + 1, area.width.saturating_sub(3), &texts[texts.len() - 1], false, theme.heading());
    let (risk, _) = model.risk(&screen.values);
    put(buffer, area.x + 2, y + 2, width as u16, &bar(risk, width, theme), false, theme.heading());
}

fn part(scale: &Scale, value: f64) -> f64 {
    match scale {
        Scale::Continuous { low, high, .. } => (value - low) / (high - low),
        Scale::Levels { levels, .. } => value / (levels.len().max(2) - 1) as f64,
    }
}

/// A line with a thumb.
fn bar(part: f64, width: usize, theme: crate::tui::theme::Theme) -> String {
    let signs = theme.signs();
    let at = (part.clamp(0.0, 1.0) * width.saturating_sub(1) as f64).round() as usize;
    (0..width).map(|x| if x == at { signs.bar_full } else { signs.dash }).collect()
}
