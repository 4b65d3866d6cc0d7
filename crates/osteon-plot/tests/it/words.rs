//! Words of a figure against its canvas and each other.

use osteon_plot::Plot;
use osteon_plot::scene::{Item, scene};

/// No line of words leaves the canvas or touches another.
pub fn check_words(plot: &Plot, width_mm: f64) {
    let scene = scene(plot);
    let words: Vec<_> =
        scene.items.iter().filter_map(|it| if let Item::Words(words) = it { Some(words) } else { None }).collect();
    let mut wrong = Vec::new();
    for (n, one) in words.iter().enumerate() {
        let a = one.extent();
        if a.left < -0.1 || a.top < -0.1 || a.right() > scene.width + 0.1 || a.bottom() > scene.height + 0.1 {
            wrong.push(format!("{:?} leaves the canvas: {a:?} of {} x {}", one.text, scene.width, scene.height));
        }
        for other in &words[n + 1..] {
            let b = other.extent();
            let across = a.right().min(b.right()) - a.left.max(b.left);
            let down = a.bottom().min(b.bottom()) - a.top.max(b.top);
            if across > 0.3 && down > 1.2 {
                wrong.push(format!("{:?} lies on {:?}", one.text, other.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{} at {width_mm} mm:\n{}", plot.name, wrong.join("\n"));
}
