//! Times at risk and how they ended, checked.

/// Rows with a time, whether it ended with the event, and when they came under observation.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowUp {
    entry: Option<Vec<f64>>,
    time: Vec<f64>,
    event: Vec<bool>,
}

/// Why times are no follow-up.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FollowUpError {
    #[error("there are no rows to follow")]
    Empty,
    #[error("{time} times, {event} events and {entry} entries are not of the same rows")]
    Length { time: usize, event: usize, entry: usize },
    #[error("row {row}: the time {time} is no number of at least 0")]
    Time { row: usize, time: f64 },
    #[error("row {row}: the entry {entry} is not before the time {time}, so the row was never at risk")]
    Order { row: usize, entry: f64, time: f64 },
}

/// Times nearer than this, absolutely or in parts of their mean, are one time: differences of computed times that
/// rounding made (R's `aeqSurv`).
const SAME_TIME: f64 = 1.490_116_119_384_765_6e-8;

impl FollowUp {
    /// Times from 0 on; a row with an entry is at risk after it. Rows are numbered from 0 in errors.
    pub fn new(entry: Option<Vec<f64>>, time: Vec<f64>, event: Vec<bool>) -> Result<FollowUp, FollowUpError> {
        let n = time.len();
        let entries = entry.as_ref().map_or(n, Vec::len);
        if n == 0 {
            return Err(FollowUpError::Empty);
        }
        if event.len() != n || entries != n {
            return Err(FollowUpError::Length { time: n, event: event.len(), entry: entries });
        }
        for row in 0..n {
            if !(time[row] >= 0.0 && time[row].is_finite()) {
                return Err(FollowUpError::Time { row, time: time[row] });
            }
            if let Some(entry) = &entry
                && (entry[row].is_nan() || entry[row] >= time[row])
            {
                return Err(FollowUpError::Order { row, entry: entry[row], time: time[row] });
            }
        }
        Ok(FollowUp { entry, time, event }.with_one_time_for_near_ones())
    }

    pub fn right_censored(time: Vec<f64>, event: Vec<bool>) -> Result<FollowUp, FollowUpError> {
        FollowUp::new(None, time, event)
    }

    pub fn len(&self) -> usize {
        self.time.len()
    }

    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    pub fn n_events(&self) -> usize {
        self.event.iter().filter(|&&event| event).count()
    }

    pub fn times(&self) -> &[f64] {
        &self.time
    }

    pub fn events(&self) -> &[bool] {
        &self.event
    }

    pub fn enters_late(&self) -> bool {
        self.entry.is_some()
    }

    /// When the row came under observation; minus infinity where rows do not enter late.
    pub fn entry(&self, row: usize) -> f64 {
        self.entry.as_ref().map_or(f64::NEG_INFINITY, |entry| entry[row])
    }

    /// Whether the row is at risk at a time.
    pub fn at_risk(&self, row: usize, time: f64) -> bool {
        self.entry(row) < time && time <= self.time[row]
    }

    /// The rows at the given positions; `None` where there is none.
    pub fn select(&self, rows: &[usize]) -> Option<FollowUp> {
        (!rows.is_empty()).then(|| FollowUp {
            entry: self.entry.as_ref().map(|entry| rows.iter().map(|&row| entry[row]).collect()),
            time: rows.iter().map(|&row| self.time[row]).collect(),
            event: rows.iter().map(|&row| self.event[row]).collect(),
        })
    }

    /// The same rows with the events of others: those of one cause, or the censorings.
    pub fn with_events(&self, event: Vec<bool>) -> FollowUp {
        assert_eq!(event.len(), self.len(), "one answer a row");
        FollowUp { event, ..self.clone() }
    }

    /// The distinct times of events, rising.
    pub fn event_times(&self) -> Vec<f64> {
        let events = self.time.iter().zip(&self.event).filter(|(_, event)| **event);
        let mut times: Vec<f64> = events.map(|(&time, _)| time).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        times
    }

    fn with_one_time_for_near_ones(mut self) -> FollowUp {
        let mut all: Vec<f64> = self.time.iter().chain(self.entry.iter().flatten()).copied().collect();
        all.retain(|time| time.is_finite());
        all.sort_by(f64::total_cmp);
        all.dedup();
        let mean = all.iter().map(|time| time.abs()).sum::<f64>() / all.len() as f64;
        let near = |gap: f64| gap <= SAME_TIME || gap / mean <= SAME_TIME;
        if !all.windows(2).any(|pair| near(pair[1] - pair[0])) {
            return self;
        }
        let mut first = Vec::with_capacity(all.len());
        for (at, &time) in all.iter().enumerate() {
            let start = if at > 0 && near(time - all[at - 1]) { first[at - 1] } else { time };
            first.push(start);
        }
        let moved = |time: f64| all.binary_search_by(|known| known.total_cmp(&time)).map_or(time, |at| first[at]);
        let time: Vec<f64> = self.time.iter().map(|&time| moved(time)).collect();
        let entry: Option<Vec<f64>> =
            self.entry.as_ref().map(|entry| entry.iter().map(|&entry| moved(entry)).collect());
        // An interval that is no longer than rounding keeps its ends.
        let whole = entry.iter().flatten().zip(&time).all(|(entry, time)| entry < time);
        if whole {
            (self.time, self.entry) = (time, entry);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_cannot_be_are_refused_by_row() {
        let check = |entry: Option<Vec<f64>>, time: &[f64], expected: &str| {
            let event = vec![true; time.len()];
            assert_eq!(FollowUp::new(entry, time.to_vec(), event).unwrap_err().to_string(), expected);
        };
        check(None, &[], "there are no rows to follow");
        check(None, &[1.0, -2.0], "row 1: the time -2 is no number of at least 0");
        check(None, &[f64::NAN], "row 0: the time NaN is no number of at least 0");
        check(Some(vec![3.0]), &[3.0], "row 0: the entry 3 is not before the time 3, so the row was never at risk");
    }

    #[test]
    fn times_that_differ_by_rounding_are_one() {
        let follow_up = FollowUp::right_censored(vec![0.1 + 0.2, 0.3, 1.0], vec![true; 3]).unwrap();
        assert_eq!(follow_up.event_times(), [0.3, 1.0]);
    }
}
