//! A plot as SVG: words as outlines, fixed decimals, the same bytes every time.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::font::{self, Weight};
use crate::layout::Rect;
use crate::scene::{self, Fill, Item, Scene, Stroke, Words};
use crate::{Anchor, Colour, Plot};
use osteon_base::text::clean;

/// What words are in a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Text {
    /// Shapes: the same everywhere, without any font.
    #[default]
    Outlines,
    /// Text that can be edited; its looks depend on the fonts of the reader ([`FONTS`]).
    Live,
}

/// The fonts that live text names, the first of which its places were computed for.
pub const FONTS: &str = "Inter, Arial, Helvetica, sans-serif";

/// A complete SVG document. Every text of the plot is cleaned of control characters and escaped.
pub fn render(plot: &Plot) -> String {
    render_as(plot, Text::Outlines)
}

/// The same with words as outlines or as text.
pub fn render_as(plot: &Plot, text: Text) -> String {
    let scene = scene::scene(plot);
    let name = identifier(&plot.name);
    let mut out = String::new();
    head(&mut out, plot, &scene, &name);
    definitions(&mut out, &scene, &name, text);
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
    for item in &scene.items {
        draw(&mut out, item, &scene, &name, text);
    }
    out.push_str("</svg>\n");
    out
}

/// Text for XML, without control characters.
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn identifier(name: &str) -> String {
    let kept: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("f{kept}")
}

fn head(out: &mut String, plot: &Plot, scene: &Scene, name: &str) {
    let (width, height) = (n(scene.width), n(scene.height));
    let mm = |pt: f64| n(pt * scene.scale * 25.4 / 72.0);
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}mm\" height=\"{}mm\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"{name}-title\">",
        mm(scene.width),
        mm(scene.height)
    );
    let _ = writeln!(out, "<title id=\"{name}-title\">{}</title>", escape(&plot.title));
    out.push_str("<metadata><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><rdf:Description rdf:about=\"\">");
    let _ = write!(out, "<dc:title>{}</dc:title>", escape(&plot.title));
    for line in &plot.provenance {
        let _ = write!(out, "<dc:source>{}</dc:source>", escape(line));
    }
    out.push_str("</rdf:Description></rdf:RDF></metadata>\n");
}

/// Outlines of the characters that occur, the clip areas and the rasters, each once.
fn definitions(out: &mut String, scene: &Scene, name: &str, text: Text) {
    out.push_str("<defs>\n");
    let mut used = BTreeSet::new();
    for item in &scene.items {
        if let Item::Words(words) = item
            && text == Text::Outlines
        {
            used.extend(words.text.chars().map(|c| (words.weight, c)));
        }
    }
    for (weight, c) in used {
        let outline = font::glyph(c, weight).outline;
        if !outline.is_empty() {
            let _ = writeln!(out, "<path id=\"{}\" d=\"{outline}\"/>", glyph_id(name, weight, c));
        }
    }
    for (at, clip) in clips(scene).into_iter().enumerate() {
        let Rect { left, top, width, height } = clip;
        let _ = writeln!(
            out,
            "<clipPath id=\"{name}-c{at}\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>",
            n(left),
            n(top),
            n(width),
            n(height)
        );
    }
    for (at, (columns, grey)) in rasters(scene).into_iter().enumerate() {
        let _ = writeln!(out, "<g id=\"{name}-r{at}\" shape-rendering=\"crispEdges\">");
        raster(out, columns, grey);
        out.push_str("</g>\n");
    }
    out.push_str("</defs>\n");
}

fn glyph_id(name: &str, weight: Weight, c: char) -> String {
    format!("{name}-{}{:x}", if weight == Weight::Regular { "g" } else { "b" }, c as u32)
}

fn clip_of(item: &Item) -> Option<Rect> {
    match item {
        Item::Shape { clip, .. } => *clip,
        Item::Raster { clip, .. } => Some(*clip),
        _ => None,
    }
}

fn clips(scene: &Scene) -> Vec<Rect> {
    let mut found: Vec<Rect> = Vec::new();
    for clip in scene.items.iter().filter_map(clip_of) {
        if !found.contains(&clip) {
            found.push(clip);
        }
    }
    found
}

fn rasters(scene: &Scene) -> Vec<(usize, &[u8])> {
    let mut found: Vec<(usize, &[u8])> = Vec::new();
    for item in &scene.items {
        if let Item::Raster { columns, grey, .. } = item
            && !found.contains(&(*columns, grey))
        {
            found.push((*columns, grey));
        }
    }
    found
}

/// Cells of unit size: one path a shade (of 64), each a set of horizontal runs.
fn raster(out: &mut String, columns: usize, grey: &[u8]) {
    let mut shades: BTreeMap<u8, String> = BTreeMap::new();
    for (y, row) in grey.chunks(columns).enumerate() {
        let mut x = 0;
        while x < row.len() {
            let shade = row[x] & 0xfc;
            let run = row[x..].iter().take_while(|&&cell| cell & 0xfc == shade).count();
            let _ = write!(shades.entry(shade).or_default(), "M{x} {y}h{run}v1h-{run}z");
            x += run;
        }
    }
    for (shade, path) in shades {
        let shade = shade | shade >> 6;
        let _ = writeln!(out, "<path fill=\"#{shade:02x}{shade:02x}{shade:02x}\" d=\"{path}\"/>");
    }
}

fn draw(out: &mut String, item: &Item, scene: &Scene, name: &str, text: Text) {
    let clip = clip_of(item).and_then(|clip| clips(scene).iter().position(|it| *it == clip));
    let clip = clip.map_or(String::new(), |at| format!(" clip-path=\"url(#{name}-c{at})\""));
    match item {
        Item::Shape { paths, closed, stroke, fill, .. } => {
            let mut d = String::new();
            for path in paths {
                for (at, point) in path.iter().enumerate() {
                    let _ = write!(d, "{}{} {}", if at == 0 { "M" } else { "L" }, n(point[0]), n(point[1]));
                }
                if *closed && !path.is_empty() {
                    d.push('z');
                }
            }
            if !d.is_empty() {
                let _ = writeln!(out, "<path d=\"{d}\"{}{clip}/>", look(*stroke, *fill));
            }
        }
        Item::Discs { at, radius, stroke, fill } => {
            for point in at {
                let (x, y, r) = (n(point[0]), n(point[1]), n(*radius));
                let _ = writeln!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\"{}/>", look(*stroke, *fill));
            }
        }
        Item::Words(words) if text == Text::Live => write_text(out, words),
        Item::Words(words) => write_words(out, words, name),
        Item::Raster { place, columns, grey, .. } => {
            let at = rasters(scene).iter().position(|it| *it == (*columns, grey.as_slice())).unwrap_or(0);
            let rows = grey.len().div_ceil(*columns).max(1);
            let _ = writeln!(
                out,
                "<g{clip}><use href=\"#{name}-r{at}\" transform=\"translate({} {}) scale({:.5} {:.5})\"/></g>",
                n(place.left),
                n(place.top),
                place.width / *columns as f64,
                place.height / rows as f64
            );
        }
    }
}

fn look(stroke: Option<Stroke>, fill: Option<Fill>) -> String {
    let mut text = match fill {
        Some(fill) => format!(" fill=\"{}\"{}", hex(fill.colour), opacity("fill", fill.opacity)),
        None => " fill=\"none\"".to_owned(),
    };
    if let Some(Stroke { colour, pen, opacity: part }) = stroke {
        let _ =
            write!(text, " stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"", hex(colour), n(pen.width_pt));
        text.push_str(&opacity("stroke", part));
        let dashes = scene::dashes(pen);
        if !dashes.is_empty() {
            let dashes: Vec<String> = dashes.iter().map(|length| n(*length)).collect();
            let _ = write!(text, " stroke-dasharray=\"{}\"", dashes.join(" "));
        }
    }
    text
}

fn opacity(of: &str, part: f64) -> String {
    if part >= 1.0 { String::new() } else { format!(" {of}-opacity=\"{}\"", n(part.max(0.0))) }
}

/// The words as a row of outlines, read aloud by their label.
fn write_words(out: &mut String, words: &Words, name: &str) {
    let before = font::width(&words.text, words.size, words.weight) * scene::anchor_share(words.anchor);
    let turn = if words.upright { " rotate(-90)" } else { "" };
    let scale = words.size / 1000.0;
    let _ = write!(
        out,
        "<g aria-label=\"{}\" fill=\"{}\" transform=\"translate({} {}){turn} translate({} 0) scale({scale:.5} -{scale:.5})\">",
        escape(&words.text),
        hex(words.colour),
        n(words.at[0]),
        n(words.at[1]),
        n(-before)
    );
    let mut x = 0.0;
    for c in words.text.chars() {
        let glyph = font::glyph(c, words.weight);
        if !glyph.outline.is_empty() {
            let _ = write!(out, "<use href=\"#{}\" x=\"{x:.0}\"/>", glyph_id(name, words.weight, c));
        }
        x += glyph.advance * 1000.0;
    }
    out.push_str("</g>\n");
}

/// The words as text of the reader's fonts.
fn write_text(out: &mut String, words: &Words) {
    let anchor = match words.anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    let turn = if words.upright { " rotate(-90)" } else { "" };
    let weight = if words.weight == Weight::SemiBold { " font-weight=\"600\"" } else { "" };
    let _ = writeln!(
        out,
        "<text transform=\"translate({} {}){turn}\" font-family=\"{FONTS}\" font-size=\"{}\"{weight} \
         text-anchor=\"{anchor}\" fill=\"{}\">{}</text>",
        n(words.at[0]),
        n(words.at[1]),
        n(words.size),
        hex(words.colour),
        escape(&words.text)
    );
}

fn hex(colour: Colour) -> String {
    let [r, g, b] = colour.rgb();
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Two decimals without trailing zeros; far places are cut, so that no number is unreadable.
fn n(value: f64) -> String {
    let text = format!("{:.2}", value.clamp(-1e5, 1e5));
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}
