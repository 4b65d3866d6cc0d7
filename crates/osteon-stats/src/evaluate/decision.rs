//! Decision curves (Vickers and Elkin 2006): what acting on a probability is worth, in true positives.

/// Net benefit at one threshold probability, per patient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetBenefit {
    pub threshold: f64,
    /// Acting on probabilities of at least the threshold.
    pub model: f64,
    /// Acting on everybody; acting on nobody is worth 0.
    pub all: f64,
    pub true_positives: usize,
    pub false_positives: usize,
    /// Actions avoided per 100 patients without missing an event more than acting on everybody.
    pub avoided_per_100: f64,
}

/// One value a threshold, which lies between 0 and 1.
pub fn curve(event: &[bool], p: &[f64], thresholds: &[f64]) -> Vec<NetBenefit> {
    let n = p.len() as f64;
    let prevalence = event.iter().filter(|&&event| event).count() as f64 / n;
    let at = |&threshold: &f64| {
        let positive =
            |class: bool| event.iter().zip(p).filter(|(event, p)| **event == class && **p >= threshold).count();
        let (true_positives, false_positives) = (positive(true), positive(false));
        let odds = threshold / (1.0 - threshold);
        let model = true_positives as f64 / n - false_positives as f64 / n * odds;
        let all = prevalence - (1.0 - prevalence) * odds;
        let avoided_per_100 = 100.0 * (model - all) / odds;
        NetBenefit { threshold, model, all, true_positives, false_positives, avoided_per_100 }
    };
    thresholds.iter().map(at).collect()
}

/// Thresholds from 1 to 99 %.
pub fn percents() -> Vec<f64> {
    (1..100).map(|percent| f64::from(percent) / 100.0).collect()
}
