//! Precision and recall over thresholds, and average precision, as scikit-learn.

/// What calling every score of at least the threshold an event gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub threshold: f64,
    pub precision: f64,
    pub recall: f64,
}

/// One point a different score, thresholds rising; empty without events.
pub fn curve(scores: &[f64], event: &[bool]) -> Vec<Point> {
    let n_events = event.iter().filter(|&&event| event).count();
    if n_events == 0 {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&i, &j| scores[j].total_cmp(&scores[i]));
    let (mut called, mut hits) = (0, 0);
    let mut points = Vec::new();
    for equal in order.chunk_by(|&i, &j| scores[i] == scores[j]) {
        called += equal.len();
        hits += equal.iter().filter(|&&row| event[row]).count();
        points.push(Point {
            threshold: scores[equal[0]],
            precision: hits as f64 / called as f64,
            recall: hits as f64 / n_events as f64,
        });
    }
    points.reverse();
    points
}

/// Σ (recall gained) × precision from the highest threshold down, without interpolation; `None` without events.
pub fn average_precision(scores: &[f64], event: &[bool]) -> Option<f64> {
    let points = curve(scores, event);
    let mut before = 0.0;
    let mut area = 0.0;
    for point in points.iter().rev() {
        area += (point.recall - before) * point.precision;
        before = point.recall;
    }
    (!points.is_empty()).then_some(area)
}
