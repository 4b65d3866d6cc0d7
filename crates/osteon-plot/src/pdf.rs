//! A plot as a PDF page of its own size: vectors, words as outlines with their text beside, no date.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::LineJoinStyle;
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Ref, TextStr};

use crate::font;
use crate::layout::Rect;
use crate::scene::{self, Fill, Item, Scene, Stroke, Words};
use crate::{Colour, Plot};
use osteon_base::text::clean;

const CATALOG: Ref = Ref::new(1);
const TREE: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const INFO: Ref = Ref::new(5);
/// Numbers of pictures and of opacities begin here.
const FURTHER: i32 = 6;

/// The document; the same bytes every time.
pub fn render(plot: &Plot) -> Vec<u8> {
    let scene = scene::scene(plot);
    let rasters: Vec<(usize, &[u8])> = scene.items.iter().filter_map(raster).collect();
    let opacities = opacities(&scene);
    let height = scene.height * scene.scale;
    let mut content = Content::new();
    let scale = scene.scale as f32;
    // A scene has y downwards, a page upwards.
    content.transform([scale, 0.0, 0.0, -scale, 0.0, height as f32]);
    let mut n_rasters = 0;
    for item in &scene.items {
        draw(&mut content, item, &opacities, &mut n_rasters);
    }
    let mut pdf = Pdf::new();
    pdf.catalog(CATALOG).pages(TREE);
    pdf.pages(TREE).kids([PAGE]).count(1);
    let mut page = pdf.page(PAGE);
    page.media_box(pdf_writer::Rect::new(0.0, 0.0, (scene.width * scene.scale) as f32, height as f32));
    page.parent(TREE);
    page.contents(CONTENT);
    let picture = |at: usize| Ref::new(FURTHER + at as i32);
    let state = |at: usize| Ref::new(FURTHER + (rasters.len() + at) as i32);
    let mut resources = page.resources();
    let mut pictures = resources.x_objects();
    for at in 0..rasters.len() {
        pictures.pair(Name(picture_name(at).as_bytes()), picture(at));
    }
    pictures.finish();
    let mut states = resources.ext_g_states();
    for at in 0..opacities.len() {
        states.pair(Name(state_name(at).as_bytes()), state(at));
    }
    states.finish();
    resources.finish();
    page.finish();
    pdf.stream(CONTENT, &deflated(&content.finish())).filter(Filter::FlateDecode);
    for (at, (columns, grey)) in rasters.iter().enumerate() {
        let bytes = deflated(grey);
        let mut image = pdf.image_xobject(picture(at), &bytes);
        image.filter(Filter::FlateDecode);
        image.width(*columns as i32);
        image.height((grey.len() / columns) as i32);
        image.color_space().device_gray();
        image.bits_per_component(8);
    }
    for (at, opacity) in opacities.iter().enumerate() {
        let part = *opacity as f32 / 1000.0;
        pdf.ext_graphics(state(at)).non_stroking_alpha(part).stroking_alpha(part);
    }
    let provenance: Vec<String> = plot.provenance.iter().map(|line| clean(line).into_owned()).collect();
    let mut info = pdf.document_info(INFO);
    info.title(TextStr(&clean(&plot.title)));
    info.subject(TextStr(&provenance.join("; ")));
    info.creator(TextStr("osteon"));
    info.finish();
    pdf.finish()
}

fn raster(item: &Item) -> Option<(usize, &[u8])> {
    match item {
        Item::Raster { columns, grey, .. } => Some((*columns, grey)),
        _ => None,
    }
}

/// Thousandths of every opacity that is used, ascending.
fn opacities(scene: &Scene) -> Vec<u32> {
    let mut found = BTreeSet::from([1000]);
    for item in &scene.items {
        if let Item::Shape { stroke, fill, .. } | Item::Discs { stroke, fill, .. } = item {
            found.extend(
                [stroke.map(|it| it.opacity), fill.map(|it| it.opacity)].into_iter().flatten().map(thousandths),
            );
        }
    }
    found.into_iter().collect()
}

fn thousandths(opacity: f64) -> u32 {
    (opacity.clamp(0.0, 1.0) * 1000.0).round() as u32
}

fn picture_name(at: usize) -> String {
    format!("Im{at}")
}

fn state_name(at: usize) -> String {
    format!("Gs{at}")
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes).expect("memory takes bytes");
    encoder.finish().expect("memory takes bytes")
}

fn draw(content: &mut Content, item: &Item, opacities: &[u32], n_rasters: &mut usize) {
    content.save_state();
    match item {
        Item::Shape { paths, closed, stroke, fill, clip } => {
            clipped(content, *clip);
            let trace = |content: &mut Content| {
                for path in paths {
                    polygon(content, path, *closed);
                }
            };
            painted(content, *stroke, *fill, opacities, &trace);
        }
        Item::Discs { at, radius, stroke, fill } => {
            // One by one: where discs overlap and are not opaque, each shows, as in SVG.
            for point in at {
                painted(content, *stroke, *fill, opacities, &|content: &mut Content| disc(content, *point, *radius));
            }
        }
        Item::Words(words) => write_words(content, words),
        Item::Raster { place, clip, .. } => {
            clipped(content, Some(*clip));
            let [left, bottom, width, height] =
                [place.left, place.bottom(), place.width, place.height].map(|v| v as f32);
            // Pictures stand upright where y goes upwards.
            content.transform([width, 0.0, 0.0, -height, left, bottom]);
            content.x_object(Name(picture_name(*n_rasters).as_bytes()));
            *n_rasters += 1;
        }
    }
    content.restore_state();
}

fn clipped(content: &mut Content, clip: Option<Rect>) {
    if let Some(Rect { left, top, width, height }) = clip {
        content.rect(left as f32, top as f32, width as f32, height as f32).clip_nonzero().end_path();
    }
}

/// Fill first, stroke over it, each with its own opacity.
fn painted(
    content: &mut Content,
    stroke: Option<Stroke>,
    fill: Option<Fill>,
    opacities: &[u32],
    trace: &dyn Fn(&mut Content),
) {
    let state = |content: &mut Content, opacity: f64| {
        let at = opacities.binary_search(&thousandths(opacity)).expect("every opacity was listed");
        content.set_parameters(Name(state_name(at).as_bytes()));
    };
    if let Some(Fill { colour, opacity }) = fill {
        state(content, opacity);
        let [r, g, b] = rgb(colour);
        content.set_fill_rgb(r, g, b);
        trace(content);
        content.fill_nonzero();
    }
    if let Some(Stroke { colour, pen, opacity }) = stroke {
        state(content, opacity);
        let [r, g, b] = rgb(colour);
        content.set_stroke_rgb(r, g, b).set_line_width(pen.width_pt as f32).set_line_join(LineJoinStyle::RoundJoin);
        content.set_dash_pattern(scene::dashes(pen).iter().map(|length| *length as f32), 0.0);
        trace(content);
        content.stroke();
    }
}

fn rgb(colour: Colour) -> [f32; 3] {
    colour.rgb().map(|part| f32::from(part) / 255.0)
}

/// Far places are cut, as in SVG: a page has no number beyond what `f32` tells apart.
fn polygon(content: &mut Content, path: &[[f64; 2]], closed: bool) {
    for (at, point) in path.iter().enumerate() {
        let [x, y] = point.map(|v| v.clamp(-1e5, 1e5) as f32);
        if at == 0 {
            content.move_to(x, y)
        } else {
            content.line_to(x, y)
        };
    }
    if closed && !path.is_empty() {
        content.close_path();
    }
}

/// Four cubic arcs; 0.5523 is 4/3 (sqrt 2 - 1), within 0.03 % of a circle.
fn disc(content: &mut Content, at: [f64; 2], radius: f64) {
    let [x, y, r] = [at[0], at[1], radius].map(|v| v.clamp(-1e5, 1e5) as f32);
    let k = r * 0.552_284_8;
    content.move_to(x + r, y);
    content.cubic_to(x + r, y + k, x + k, y + r, x, y + r);
    content.cubic_to(x - k, y + r, x - r, y + k, x - r, y);
    content.cubic_to(x - r, y - k, x - k, y - r, x, y - r);
    content.cubic_to(x + k, y - r, x + r, y - k, x + r, y);
    content.close_path();
}

/// Outlines, marked with the text that they show, for those who search or listen.
fn write_words(content: &mut Content, words: &Words) {
    let mut marked = content.begin_marked_content_with_properties(Name(b"Span"));
    marked.properties().actual_text(TextStr(&words.text));
    marked.finish();
    let [r, g, b] = rgb(words.colour);
    content.set_fill_rgb(r, g, b);
    let before = font::width(&words.text, words.size, words.weight) * scene::anchor_share(words.anchor);
    let scale = words.size / 1000.0;
    let (x, y) = (words.at[0], words.at[1]);
    // Glyphs have y upwards; upright words run up the page.
    let matrix = match words.upright {
        false => [scale, 0.0, 0.0, -scale, x - before, y],
        true => [0.0, -scale, -scale, 0.0, x, y + before],
    };
    content.transform(matrix.map(|v| v as f32));
    let mut along = 0.0;
    for c in words.text.chars() {
        let glyph = font::glyph(c, words.weight);
        if !glyph.outline.is_empty() {
            outline(content, glyph.outline, along);
            content.fill_nonzero();
        }
        along += glyph.advance * 1000.0;
    }
    content.end_marked_content();
}

/// The glyph tables' paths: `M` absolute, `l`, `c` and `z` relative.
fn outline(content: &mut Content, path: &str, along: f64) {
    let mut at = [0.0, 0.0];
    for (command, numbers) in font::commands(path) {
        let point = |k: usize| [at[0] + numbers[k], at[1] + numbers[k + 1]];
        let paper = |p: [f64; 2]| [(p[0] + along) as f32, p[1] as f32];
        match (command, numbers.len()) {
            ('M', 2) => {
                at = [numbers[0], numbers[1]];
                let [x, y] = paper(at);
                content.move_to(x, y);
            }
            ('l', 2) => {
                at = point(0);
                let [x, y] = paper(at);
                content.line_to(x, y);
            }
            ('c', 6) => {
                let [a, b, end] = [point(0), point(2), point(4)];
                let ([ax, ay], [bx, by], [x, y]) = (paper(a), paper(b), paper(end));
                content.cubic_to(ax, ay, bx, by, x, y);
                at = end;
            }
            ('z', 0) => {
                content.close_path();
            }
            (other, n) => unreachable!("the glyph tables have no {other} of {n} numbers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::font::Weight;

    #[test]
    fn every_glyph_is_drawn() {
        for weight in [Weight::Regular, Weight::SemiBold] {
            for c in font::characters(weight) {
                let mut content = Content::new();
                outline(&mut content, font::glyph(c, weight).outline, 0.0);
            }
        }
    }
}
