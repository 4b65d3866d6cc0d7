//! Uneven slices to even ones.

use crate::grid::Element;
use crate::read::dicom::frame::Plane;

/// Planes at every `gap_mm` from the first, each interpolated linearly between the two stored ones around it. `stack` is
/// sorted by height.
pub fn even(stack: Vec<Plane>, height: &impl Fn(&Plane) -> f64, gap_mm: f64, notes: &mut Vec<String>) -> Vec<Plane> {
    let heights: Vec<f64> = stack.iter().map(height).collect();
    let (first, last) = (heights[0], heights[heights.len() - 1]);
    // A part of a gap that is rounding alone does not lose the last slice.
    let n = ((last - first) / gap_mm + 1e-3) as usize + 1;
    let mut between = 0;
    let planes = (0..n).map(|at| {
        let wanted = first + at as f64 * gap_mm;
        let above = heights.partition_point(|&own| own < wanted).clamp(1, heights.len() - 1);
        let (low, high) = (&stack[above - 1], &stack[above]);
        let share = ((wanted - heights[above - 1]) / (heights[above] - heights[above - 1])).clamp(0.0, 1.0);
        between += usize::from(share.min(1.0 - share) > 1e-3);
        let mix = |a: f64, b: f64| a + share * (b - a);
        Plane {
            position_mm: std::array::from_fn(|k| mix(low.position_mm[k], high.position_mm[k])),
            values: low.values.iter().zip(&high.values).map(|(&a, &b)| mix(a, b)).collect(),
            element: Element::F64,
            ..low.clone()
        }
    });
    let planes: Vec<Plane> = planes.collect();
    notes.push(format!(
        "uneven slices were resampled, as accepted: {n} slices {gap_mm:.4} mm apart from {} stored ones, {between} of them \
         interpolated",
        stack.len()
    ));
    planes
}
