//! A plot as PNG with its resolution and provenance in the file.

use resvg::{tiny_skia, usvg};

use crate::{Plot, svg};
use osteon_base::text::clean;

/// Why a plot has no picture.
#[derive(Debug, thiserror::Error)]
pub enum PngError {
    #[error("the picture would be {width} x {height} pixels")]
    Size { width: f64, height: f64 },
    #[error("the drawing is not readable")]
    Svg(#[from] usvg::Error),
    #[error("the picture cannot be written")]
    Encoding(#[from] png::EncodingError),
}

/// Red, green and blue of each dot, row after row.
pub(crate) struct Picture {
    pub width: u32,
    pub height: u32,
    pub rgb: Vec<u8>,
}

/// The picture at so many dots to the inch, on white.
pub fn render(plot: &Plot, dpi: f64) -> Result<Vec<u8>, PngError> {
    encode(plot, &pixels(plot, dpi)?, dpi)
}

/// White lies under everything, so the dots are opaque and three channels say all.
pub(crate) fn pixels(plot: &Plot, dpi: f64) -> Result<Picture, PngError> {
    let tree = usvg::Tree::from_str(&svg::render(plot), &usvg::Options::default())?;
    // usvg gives sizes in CSS pixels, 96 to the inch.
    let scale = dpi / 96.0;
    let (width, height) = (f64::from(tree.size().width()) * scale, f64::from(tree.size().height()) * scale);
    let pixels = (width.round() <= 32_000.0 && height.round() <= 32_000.0)
        .then(|| tiny_skia::Pixmap::new(width.round() as u32, height.round() as u32))
        .flatten();
    let mut pixels = pixels.ok_or(PngError::Size { width, height })?;
    let transform = tiny_skia::Transform::from_scale(scale as f32, scale as f32);
    pixels.fill(tiny_skia::Color::WHITE);
    resvg::render(&tree, transform, &mut pixels.as_mut());
    let rgb = pixels.data().chunks_exact(4).flat_map(|rgba| [rgba[0], rgba[1], rgba[2]]).collect();
    Ok(Picture { width: pixels.width(), height: pixels.height(), rgb })
}

fn encode(plot: &Plot, picture: &Picture, dpi: f64) -> Result<Vec<u8>, PngError> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    let per_metre = (dpi / 0.0254).round() as u32;
    let unit = png::Unit::Meter;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit }));
    encoder.add_itxt_chunk("Title".to_owned(), clean(&plot.title).into_owned())?;
    encoder.add_itxt_chunk(
        "Source".to_owned(),
        plot.provenance.iter().map(|line| clean(line)).collect::<Vec<_>>().join("\n"),
    )?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.rgb)?;
    writer.finish()?;
    Ok(file)
}
