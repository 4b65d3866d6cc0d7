//! Whether a figure has room for its words and data at its size.

use crate::layout;
use crate::scene::{self, Item, Words};
use crate::{Legend, Plot};

/// What a figure has no room for.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Tight {
    #[error("“{0}” would be cut at its edge")]
    Cut(String),
    #[error("“{0}” would lie on “{1}”")]
    Overlap(String, String),
    #[error("{0:.0} mm would be left between the axes of a panel, at least {LEAST_MM} mm are needed")]
    Frame(f64),
    #[error("{0:.0} mm of height are needed")]
    Height(f64),
}

/// Less than this between two axes shows nothing.
const LEAST_MM: f64 = 9.0;
const LEAST_HIGH_MM: f64 = 3.0;
const MM: f64 = 25.4 / 72.0;

/// The first thing that has no room.
pub fn check(plot: &Plot) -> Result<(), Tight> {
    let (_, height, panels) = layout::place(plot);
    for placed in &panels {
        let (width, high) = (placed.frame.width * plot.scale() * MM, placed.frame.height * plot.scale() * MM);
        if width < LEAST_MM * plot.scale() {
            return Err(Tight::Frame(width));
        }
        if high < LEAST_HIGH_MM * plot.scale() {
            return Err(Tight::Height(height * plot.scale() * MM));
        }
        let legend = layout::legend_width(placed.panel, &placed.legend);
        if placed.panel.legend == Legend::Inside && legend + 4.0 * layout::GAP > placed.frame.width {
            let named = placed.panel.marks.iter().map(|mark| &mark.name).max_by_key(|name| name.chars().count());
            return Err(Tight::Cut(named.cloned().unwrap_or_default()));
        }
    }
    if let Some(asked) = plot.height_mm
        && height * plot.scale() * MM > asked + 0.1
    {
        return Err(Tight::Height(height * plot.scale() * MM));
    }
    let scene = scene::scene(plot);
    let words: Vec<&Words> =
        scene.items.iter().filter_map(|it| if let Item::Words(words) = it { Some(words) } else { None }).collect();
    for (n, one) in words.iter().enumerate() {
        let a = one.extent();
        if a.left < -0.1 || a.top < -0.1 || a.right() > scene.width + 0.1 || a.bottom() > scene.height + 0.1 {
            return Err(Tight::Cut(one.text.clone()));
        }
        for other in &words[n + 1..] {
            let b = other.extent();
            let across = a.right().min(b.right()) - a.left.max(b.left);
            let down = a.bottom().min(b.bottom()) - a.top.max(b.top);
            if across > 0.3 && down > 1.2 {
                return Err(Tight::Overlap(one.text.clone(), other.text.clone()));
            }
        }
    }
    Ok(())
}
