//! The image of a patient with the tumour and a ring on it, so that a wrong mask is seen.
//!
//! A cell holds two pixels, one above the other, by the half block; without Unicode or colours a cell is one sign.

use std::sync::Arc;

use ndarray::Axis;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};

use crate::tui::app::App;
use crate::tui::bindings::Action;
use crate::tui::data::Screen;
use crate::tui::grid_view::put_lines;
use crate::tui::message::{Effect, Request};
use crate::tui::theme::Theme;
use crate::tui::{layout, page, study_page};
use osteon_study::study::Judgement;
use osteon_study::study::Picture;

/// State of the viewer.
#[derive(Clone, Debug)]
pub struct Slices {
    pub id: String,
    pub picture: Option<Result<Arc<Picture>, String>>,
    pub slice: usize,
    /// Intensity in the middle of the greys, and how many intensities they span.
    pub level: f64,
    pub window: f64,
    pub outline: bool,
    /// Which of the patient's masks, from 0.
    nth: usize,
    /// The tumor and its surroundings only.
    zoom: bool,
    /// The axis that slices go along: 0 is z, 1 is y, 2 is x.
    along: usize,
}

pub fn open(app: &mut App) -> Vec<Effect> {
    if app.screen == Screen::Study {
        return app.page().and_then(|page| study_page::picture(app, page)).unwrap_or_default();
    }
    let Some(id) = app.patients.selected().map(str::to_owned) else { return Vec::new() };
    show(app, &id, 0)
}

/// The viewer on the n-th mask of a patient, as it was set for the one before.
pub fn show(app: &mut App, id: &str, nth: usize) -> Vec<Effect> {
    let fresh = Slices {
        id: id.to_owned(),
        picture: None,
        slice: 0,
        level: 0.0,
        window: 1.0,
        outline: true,
        nth,
        zoom: false,
        along: 0,
    };
    let (outline, zoom, along) =
        app.slices.as_ref().map_or((fresh.outline, fresh.zoom, fresh.along), |it| (it.outline, it.zoom, it.along));
    app.slices = Some(Slices { outline, zoom, along, ..fresh });
    vec![Effect::Ask(Request::Picture { id: id.to_owned(), nth })]
}

/// The next mask, or the one before: of this patient, then of the neighbour in the list.
pub fn next(app: &mut App, by: isize) -> Vec<Effect> {
    let Some(slices) = &app.slices else { return Vec::new() };
    let (id, nth) = (slices.id.clone(), slices.nth as isize + by);
    let count = match &slices.picture {
        Some(Ok(picture)) => picture.place[1] as isize,
        _ => 1,
    };
    if (0..count).contains(&nth) {
        return show(app, &id, nth as usize);
    }
    let rows = app.patients.cohort.table.rows();
    let order: Vec<&String> = app.patients.order.iter().map(|&row| &rows[row as usize]).collect();
    let Some(at) = order.iter().position(|other| **other == id) else { return Vec::new() };
    let Some(neighbour) = at.checked_add_signed(by.signum()).and_then(|at| order.get(at)) else {
        app.say(if by > 0 { "that was the last mask" } else { "this is the first mask" });
        return Vec::new();
    };
    let neighbour = (*neighbour).clone();
    show(app, &neighbour, if by > 0 { 0 } else { usize::MAX })
}

pub fn arrived(app: &mut App, id: &str, picture: Result<Arc<Picture>, String>) {
    let Some(slices) = app.slices.as_mut().filter(|slices| slices.id == id) else { return };
    if let Ok(picture) = &picture {
        (slices.level, slices.window) = natural_window(picture);
        slices.slice = largest(picture, slices.along);
        slices.nth = picture.place[0];
    }
    slices.picture = Some(picture);
}

/// From the 1st to the 99th percent of intensities.
fn natural_window(picture: &Picture) -> (f64, f64) {
    let step = (picture.image.as_slice().len() / 50_000).max(1);
    let mut sample: Vec<f64> = picture.image.as_slice().iter().step_by(step).copied().collect();
    sample.sort_unstable_by(f64::total_cmp);
    let at = |part: f64| sample.get((part * sample.len() as f64) as usize).copied().unwrap_or(0.0);
    let (low, high) = (at(0.01), at(0.99));
    (f64::midpoint(low, high), (high - low).max(f64::MIN_POSITIVE))
}

/// The slice with most tumor.
fn largest(picture: &Picture, along: usize) -> usize {
    let slices = picture.tumour.cells().axis_iter(Axis(along));
    let counts = slices.map(|slice| slice.iter().filter(|&&inside| inside).count());
    counts.enumerate().max_by_key(|(at, count)| (*count, usize::MAX - at)).map_or(0, |(at, _)| at)
}

pub fn act(app: &mut App, action: Action) -> Vec<Effect> {
    match action {
        Action::NextMask => return next(app, 1),
        Action::PreviousMask => return next(app, -1),
        _ => (),
    }
    let Some(slices) = &mut app.slices else { return Vec::new() };
    let Some(Ok(picture)) = slices.picture.clone() else { return Vec::new() };
    let judgement = match action {
        Action::Accept => Some(Judgement::Accepted),
        Action::Redo => Some(Judgement::ToRedo),
        Action::LeaveOut => Some(Judgement::Excluded),
        _ => None,
    };
    if let Some(judgement) = judgement {
        let (id, mask) = (slices.id.clone(), picture.mask.clone());
        let mut effects = study_page::judge(app, id, mask, judgement);
        if judgement == Judgement::Accepted && !effects.is_empty() {
            effects.extend(next(app, 1));
        }
        return effects;
    }
    let last = picture.image.geometry().shape[slices.along].saturating_sub(1);
    match action {
        Action::SliceForward => slices.slice = (slices.slice + 1).min(last),
        Action::SliceBack => slices.slice = slices.slice.saturating_sub(1),
        Action::LevelUp => slices.level += slices.window / 10.0,
        Action::LevelDown => slices.level -= slices.window / 10.0,
        Action::WindowWider => slices.window *= 1.25,
        Action::WindowNarrower => slices.window /= 1.25,
        Action::WindowReset => (slices.level, slices.window) = natural_window(&picture),
        Action::Outline => slices.outline = !slices.outline,
        Action::ToTumour => slices.slice = largest(&picture, slices.along),
        Action::Zoom => slices.zoom = !slices.zoom,
        Action::Turn => {
            slices.along = (slices.along + 1) % 3;
            slices.slice = largest(&picture, slices.along);
        }
        _ => (),
    }
    Vec::new()
}

pub fn title(slices: &Slices, theme: Theme, width: u16) -> String {
    let Some(Ok(picture)) = &slices.picture else { return slices.id.clone() };
    let inside = |mask: &osteon_radiomics::grid::Mask| {
        let slice = mask.cells().axis_iter(Axis(slices.along)).nth(slices.slice);
        slice.map_or(0, |slice| slice.iter().filter(|&&it| it).count())
    };
    let n = picture.image.geometry().shape[slices.along];
    let (tumour, ring) = if drawn_in_halves(theme) { ("red", "green") } else { ("T", "r") };
    let (at, ring_name) = (slices.slice + 1, &picture.ring_name);
    let id = match picture.place {
        [_, 0 | 1] => slices.id.clone(),
        [nth, count] => format!("{} {} ({} of {count})", slices.id, picture.mask, nth + 1),
    };
    let [tumours, rings] = [inside(&picture.tumour), inside(&picture.ring)];
    let [window, level] = [slices.window, slices.level].map(short);
    if width < 80 {
        return format!("{id} {at}/{n} tumor {tumours} {tumour}, {ring_name} {rings} {ring} W{window} L{level}");
    }
    format!("{id} {at}/{n}: tumor {tumours} voxels ({tumour}), {ring_name} {rings} ({ring}); W {window} L {level}")
}

/// About four digits.
fn short(value: f64) -> String {
    let digits = [100.0, 1.0].iter().position(|&least| value.abs() >= least).unwrap_or(3);
    format!("{value:.digits$}")
}

/// Two pixels a cell, told apart by color; or one sign a cell.
fn drawn_in_halves(theme: Theme) -> bool {
    !theme.ascii && theme.colour
}

/// What a pixel shows.
#[derive(Clone, Copy, PartialEq)]
enum Pixel {
    Outside,
    Grey(f64),
    Tumour,
    Ring,
}

pub fn draw(slices: &Slices, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let picture = match &slices.picture {
        None => return page::say("reading the image", area, buffer),
        Some(Err(why)) => return page::say(why, area, buffer),
        Some(Ok(picture)) => picture,
    };
    // A wide screen has beside the slice what the region is and what readers say.
    let beside = area.width.saturating_sub(area.width.min(layout::WIDE)).min(BESIDE);
    if beside > 20 {
        let place = Rect { x: area.right() - beside, width: beside, ..area };
        let mut lines = vec![picture.mask.clone()];
        lines.extend(picture.said.iter().cloned());
        put_lines(buffer, place, &lines);
    }
    let area = Rect { width: area.width - if beside > 20 { beside + 1 } else { 0 }, ..area };
    let halves = drawn_in_halves(theme);
    let rows = if halves { u32::from(area.height) * 2 } else { u32::from(area.height) };
    let look = Sampling::new(slices, picture, (u32::from(area.width), rows), if halves { 1.0 } else { 2.0 });
    for (y, x) in (0..area.height).flat_map(|y| (0..area.width).map(move |x| (y, x))) {
        let Some(cell) = buffer.cell_mut((area.x + x, area.y + y)) else { continue };
        let at = |row: u16| look.pixel(slices, picture, u32::from(x), u32::from(row));
        if halves {
            let (upper, lower) = (at(2 * y), at(2 * y + 1));
            if (upper, lower) != (Pixel::Outside, Pixel::Outside) {
                cell.set_char('▀').set_style(Style::new().fg(colour(upper, theme)).bg(colour(lower, theme)));
            }
        } else {
            cell.set_char(sign(at(y)));
        }
    }
}

/// How screen pixels fall on voxels: the slice whole and undistorted, in the middle.
struct Sampling {
    /// Millimetres a screen pixel, down and across.
    step_mm: [f64; 2],
    /// Screen pixel of the corner of what is seen.
    corner: [f64; 2],
    /// First voxel that is seen, down and across, and how many are.
    from: [usize; 2],
    shape: [usize; 2],
}

/// Columns of words beside a slice, at most.
const BESIDE: u16 = 60;

/// Around the tumor, in mm.
const AROUND_MM: f64 = 12.0;

/// The axes down and across the screen of slices along an axis.
fn across(along: usize) -> [usize; 2] {
    [[1, 2], [0, 2], [0, 1]][along]
}

impl Sampling {
    /// `aspect` is a pixel's height over its width.
    fn new(slices: &Slices, picture: &Picture, (columns, rows): (u32, u32), aspect: f64) -> Sampling {
        let geometry = picture.image.geometry();
        let axes = across(slices.along);
        let bounds = picture.tumour.bounds().filter(|_| slices.zoom);
        let grown = bounds.map(|tumour| {
            let voxels = geometry.spacing_mm.map(|mm| (AROUND_MM / mm).ceil() as usize);
            tumour.grown(voxels, geometry.shape)
        });
        let from = axes.map(|k| grown.as_ref().map_or(0, |it| it.low[k]));
        let shape = axes.map(|k| grown.as_ref().map_or(geometry.shape[k], |it| it.shape[k]));
        let size_mm = [0, 1].map(|k| shape[k] as f64 * geometry.spacing_mm[axes[k]]);
        let across = (size_mm[1] / f64::from(columns.max(1))).max(size_mm[0] / (f64::from(rows.max(1)) * aspect));
        let step_mm = [across * aspect, across];
        let corner =
            [(f64::from(rows) - size_mm[0] / step_mm[0]) / 2.0, (f64::from(columns) - size_mm[1] / step_mm[1]) / 2.0];
        Sampling { step_mm, corner, from, shape }
    }

    /// Voxel of a screen pixel, z, y, x. Slices from the side have the last z on top.
    fn voxel(&self, slices: &Slices, picture: &Picture, x: i64, y: i64) -> Option<[usize; 3]> {
        let geometry = picture.image.geometry();
        let axes = across(slices.along);
        let at = |k: usize, pixel: i64| {
            let mm = (pixel as f64 + 0.5 - self.corner[k]) * self.step_mm[k];
            let index = (mm / geometry.spacing_mm[axes[k]]).floor();
            let is_seen = index >= 0.0 && index < self.shape[k] as f64;
            let index = if k == 0 && slices.along > 0 { self.shape[k] as f64 - 1.0 - index } else { index };
            is_seen.then_some(index as usize + self.from[k])
        };
        let mut voxel = [slices.slice; 3];
        [voxel[axes[0]], voxel[axes[1]]] = [at(0, y)?, at(1, x)?];
        Some(voxel)
    }

    fn pixel(&self, slices: &Slices, picture: &Picture, x: u32, y: u32) -> Pixel {
        let (x, y) = (i64::from(x), i64::from(y));
        let Some(voxel) = self.voxel(slices, picture, x, y) else { return Pixel::Outside };
        let inside = |mask: &osteon_radiomics::grid::Mask, x: i64, y: i64| {
            self.voxel(slices, picture, x, y).is_some_and(|voxel| mask.cells()[voxel])
        };
        // An outline is what is inside with a neighbour on the screen that is not.
        let edge = |mask: &osteon_radiomics::grid::Mask| {
            let around = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
            inside(mask, x, y) && around.iter().any(|&(x, y)| !inside(mask, x, y))
        };
        if slices.outline && edge(&picture.tumour) {
            return Pixel::Tumour;
        }
        if slices.outline && edge(&picture.ring) && !inside(&picture.tumour, x, y) {
            return Pixel::Ring;
        }
        let value = picture.image.cells()[voxel];
        Pixel::Grey(((value - slices.level) / slices.window + 0.5).clamp(0.0, 1.0))
    }
}

/// 24 greys where there are 256 colors, four where there are sixteen.
fn colour(pixel: Pixel, theme: Theme) -> Color {
    match pixel {
        Pixel::Outside => Color::Reset,
        Pixel::Tumour => Color::LightRed,
        Pixel::Ring => Color::LightGreen,
        Pixel::Grey(part) if theme.deep => Color::Indexed(232 + (part * 23.0).round() as u8),
        Pixel::Grey(part) => [Color::Black, Color::DarkGray, Color::Gray, Color::White][(part * 3.0).round() as usize],
    }
}

/// Darker to brighter signs.
fn sign(pixel: Pixel) -> char {
    const RAMP: [char; 9] = [' ', '.', ':', '-', '=', '+', '*', '#', '@'];
    match pixel {
        Pixel::Outside => ' ',
        Pixel::Tumour => 'T',
        Pixel::Ring => 'r',
        Pixel::Grey(part) => RAMP[(part * 8.0).round() as usize],
    }
}
