//! A time to event in the report, in figures and on the dashboard's pages.

use crate::protocol::codebook::outcome::Outcome;
use crate::report::curves::Curves;
use crate::report::figure::{Figure, Paper, TWO_COLUMNS_MM};
use crate::report::hazards::{Hazards, side_by_side};
use crate::report::page::{Block, Section};
use crate::report::sheet::Sheet;
use crate::study::learn::timed::of;
use crate::study::report::survive::{CurveRequest, Followed, HazardRequest, curves, each_alone, hazards};
use crate::study::{Error, Study, View};
use osteon_stats::stats::text::fixed;
use osteon_stats::survival::cox::{Method, Params, Ties};
use osteon_stats::survival::kaplan_meier::Interval;
use osteon_stats::table::read::Read;

/// Why a study has nothing of this kind, and what declares it.
pub const NO_TIME: &str = "the study declares no outcome of kind time: [outcome.os] kind = \"time\" with event, origin, \
                           event_date and last_seen in the protocol declares one";

/// Which curves are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// Survival; refused where events compete.
    Survival,
    /// Cumulative incidence; refused where none compete.
    Incidence,
    /// Whichever is right.
    Either,
}

impl Study {
    /// Curves of a time to event, of all patients or by a variable; of the first declared outcome that has such curves
    /// where none is named.
    pub fn time_curves(
        &self,
        outcome: Option<&str>,
        by: Option<&str>,
        kind: Curve,
    ) -> Result<(Curves, Followed, Vec<String>), Error> {
        if self.view == View::Blind {
            return Err(Error::Blind);
        }
        let fits = |it: &&Outcome| match kind {
            Curve::Survival => of(it).competing.is_empty(),
            Curve::Incidence => !of(it).competing.is_empty(),
            Curve::Either => true,
        };
        let outcome = match outcome {
            Some(_) => self.timed_outcome(outcome)?,
            None => {
                let all = self.timed_outcomes();
                let first = all.into_iter().find(fits);
                first.ok_or_else(|| match kind {
                    Curve::Incidence => Error::Request("no outcome of kind time has competing events".to_owned()),
                    _ => Error::Request(NO_TIME.to_owned()),
                })?
            }
        };
        if !fits(&outcome) {
            let name = &outcome.name;
            return Err(Error::Request(match kind {
                Curve::Survival => format!("{name} has competing events: osteon figure cif shows their incidence"),
                _ => format!("{name} has no competing events: osteon figure km shows its survival"),
            }));
        }
        let used: Vec<String> = by.iter().map(|&by| by.to_owned()).collect();
        let found = self.followed(Some(&outcome.name), &used)?;
        let request = CurveRequest {
            time: found.time.clone(),
            entry: None,
            event: found.event.clone(),
            competing: found.competing.clone(),
            by: by.map(str::to_owned),
            strata: None,
            at: Vec::new(),
            interval: Interval::LogLog,
        };
        let (drawn, notes) = curves(&found.read, &request)?;
        Ok((drawn, found, notes))
    }

    /// The same as a figure, with numbers at risk.
    pub(in crate::study) fn time_figure(
        &self,
        outcome: Option<&str>,
        by: Option<&str>,
        kind: Curve,
        paper: &Paper,
    ) -> Result<Figure, Error> {
        let (curves, found, notes) = self.time_curves(outcome, by, kind)?;
        let mut figure = curves.figure(&found.time, paper);
        let mut said = notes;
        said.insert(0, found.title.clone());
        figure.caption = format!("{}. {}.", figure.caption.trim_end_matches('.'), said.join("; "));
        Ok(figure)
    }

    /// Curves of an outcome for a page of the dashboard.
    pub fn time_page(&self, outcome: Option<&str>) -> Result<Figure, Error> {
        let paper = Paper { width_mm: TWO_COLUMNS_MM, provenance: self.provenance()? };
        self.time_figure(outcome, None, Curve::Either, &paper)
    }

    /// Hazard ratios in the form of Table 4: of every candidate alone, and together of the predictors that the protocol
    /// names, else of those with a univariable likelihood-ratio P below `learn.p_enter`.
    pub fn hazard_table(&self, outcome: Option<&str>) -> Result<Sheet, Error> {
        if outcome.is_none() && self.timed_outcomes().is_empty() {
            return Err(Error::Request(NO_TIME.to_owned()));
        }
        let first = self.timed_outcomes().first().map(|it| it.name.clone());
        let outcome = self.timed_outcome(outcome.or(first.as_deref()))?;
        let (candidates, late) = self.timed_candidates(outcome);
        let found = self.followed(Some(&outcome.name), &candidates)?;
        let mut request = HazardRequest {
            time: found.time.clone(),
            entry: None,
            event: found.event.clone(),
            terms: candidates,
            references: found.references.clone(),
            strata: None,
            cluster: None,
            params: Params::default(),
        };
        let alone = each_alone(&found.read, &request);
        let alone: Vec<(String, Option<Hazards>)> = alone.into_iter().map(|(name, fit)| (name, fit.ok())).collect();
        let p = |(name, fit): &(String, Option<Hazards>)| Some((name.clone(), fit.as_ref()?.fit.likelihood_ratio()?.p));
        let tested: Vec<(String, f64)> = alone.iter().filter_map(p).collect();
        let learn = &self.protocol.learn;
        let named: Vec<String> = learn.clinical.iter().filter(|name| !late.contains(name)).cloned().collect();
        let entered = tested.iter().filter(|(_, p)| *p < learn.p_enter).map(|(name, _)| name.clone());
        let (mut terms, rule) = match named.is_empty() {
            false => (named, "multivariable: the predictors that learn.clinical names".to_owned()),
            true => {
                (entered.collect(), format!("multivariable: univariable likelihood-ratio P below {}", learn.p_enter))
            }
        };
        if terms.is_empty() {
            let smallest = tested.iter().reduce(|best, next| if next.1 < best.1 { next } else { best });
            terms.extend(smallest.map(|(name, _)| name.clone()));
        }
        if terms.is_empty() {
            return Err(Error::Request(format!("no variable can be fitted to the times of {}", outcome.name)));
        }
        let mut monotone = Vec::new();
        let alone = finite(&found.read, &request, alone, &mut monotone);
        request.references.retain(|(name, _)| terms.contains(name));
        request.terms = terms;
        let (mut together, _) = hazards(&found.read, &request)?;
        if together.fit.is_monotone() {
            (together, _) = hazards(&found.read, &HazardRequest { params: FIRTH, ..request.clone() })?;
            monotone.push("all terms together".to_owned());
        }
        let mut sheet = side_by_side(format!("Hazard ratios, {}", found.title), &alone, &together);
        sheet.notes.push(rule);
        if !monotone.is_empty() {
            sheet.notes.push(format!(
                "the likelihood is monotone (a hazard ratio without bound), fitted by Firth's penalized likelihood: {}",
                monotone.join(", ")
            ));
        }
        sheet.notes.extend(found.read.notes.clone());
        if !late.is_empty() {
            sheet.notes.push(format!("measured after time begins, so no predictors: {}", late.join(", ")));
        }
        sheet.provenance = self.provenance()?;
        Ok(sheet)
    }

    /// The section of the report; `None` for a blind reader and a study without such an outcome.
    pub(in crate::study) fn time_section(&self) -> Result<Option<Section>, Error> {
        if self.view == View::Blind || self.timed_outcomes().is_empty() {
            return Ok(None);
        }
        let mut blocks = Vec::new();
        for outcome in self.timed_outcomes() {
            match self.time_blocks(&outcome.name) {
                Ok(own) => blocks.extend(own),
                // Nobody has a time, or nobody the event: that is what the section says.
                Err(Error::Request(why)) => blocks.push(Block::Text(format!("{}: {why}.", outcome.name))),
                Err(other) => return Err(other),
            }
        }
        Ok(Some(Section { heading: "Time to event".to_owned(), blocks }))
    }

    fn time_blocks(&self, name: &str) -> Result<Vec<Block>, Error> {
        let paper = Paper { width_mm: TWO_COLUMNS_MM, provenance: self.provenance()? };
        let (curves, found, notes) = self.time_curves(Some(name), None, Curve::Either)?;
        let n: usize = curves.groups.iter().map(|group| group.curve.n).sum();
        let events: usize = curves.groups.iter().map(|group| group.curve.events).sum();
        let competing: usize = curves.groups.iter().map(|group| group.competing).sum();
        let others = if competing > 0 { format!(", {competing} ended with a competing event") } else { String::new() };
        let median = curves.median_follow_up.map_or_else(
            || "the median follow-up cannot be told".to_owned(),
            |median| format!("the median follow-up is {} (reverse Kaplan-Meier)", fixed(median, 1)),
        );
        let rest: String = notes.iter().map(|note| format!(" {note}.")).collect();
        let text = format!(
            "{}. {n} patients have a time and {events} of them the event{others}; {median}.{rest}",
            found.title
        );
        let mut blocks = vec![Block::Text(text)];
        blocks.push(Block::Figure(Box::new(self.time_figure(Some(name), None, Curve::Either, &paper)?)));
        let mut sheets = curves.sheets(format!("Curves, {}", found.title));
        match self.hazard_table(Some(name)) {
            Ok(sheet) => sheets.push(sheet),
            Err(Error::Request(why)) => blocks.push(Block::Text(format!("No hazard ratios of {name}: {why}."))),
            Err(other) => return Err(other),
        }
        match self.prognosis_sheets(Some(name)) {
            Ok(own) => sheets.extend(own),
            Err(Error::NoResult { .. } | Error::NoSplit) => {
                let text = format!("No models of {name} yet: osteon fit --outcome {name} learns them.");
                blocks.push(Block::Text(text));
            }
            Err(other) => return Err(other),
        }
        for sheet in &mut sheets {
            if sheet.provenance.is_empty() {
                sheet.provenance.clone_from(&paper.provenance);
            }
        }
        blocks.extend(sheets.into_iter().map(Block::Sheet));
        blocks.extend(self.risk_figures(name, &paper)?.into_iter().map(|figure| Block::Figure(Box::new(figure))));
        Ok(blocks)
    }
}

const FIRTH: Params = Params { ties: Ties::Efron, method: Method::Firth };

/// The fits of each term alone, by Firth's penalty where the likelihood is monotone; those are named.
fn finite(
    read: &Read,
    request: &HazardRequest,
    alone: Vec<(String, Option<Hazards>)>,
    monotone: &mut Vec<String>,
) -> Vec<(String, Option<Hazards>)> {
    let mut one = |(name, fit): (String, Option<Hazards>)| {
        if !fit.as_ref().is_some_and(|fit| fit.fit.is_monotone()) {
            return (name, fit);
        }
        let asked = HazardRequest { terms: vec![name.clone()], params: FIRTH, ..request.clone() };
        let again = each_alone(read, &asked).pop().and_then(|(_, found)| found.ok());
        monotone.push(format!("{name} alone"));
        (name, again.or(fit))
    };
    alone.into_iter().map(&mut one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use osteon_stats::table::event::{Event, Relation};
    use osteon_stats::table::{Column, Table, Values};

    #[test]
    fn a_monotone_likelihood_gives_a_finite_ratio_by_firth_and_is_named() {
        // Whoever has the event has the highest x among those at risk.
        let column = |name: &str, values: [f64; 6]| Column {
            name: name.to_owned(),
            values: Values::Numbers(values.map(Some).to_vec()),
        };
        let columns = vec![
            column("time", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
            column("event", [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
            column("x", [6.0, 5.0, 4.0, 1.0, 2.0, 3.0]),
            column("y", [2.0, 1.0, 3.0, 2.0, 1.0, 2.5]),
        ];
        let rows = (1..=6).map(|row| row.to_string()).collect();
        let read = Read { table: Table::new(rows, columns).unwrap(), notes: Vec::new() };
        let request = HazardRequest {
            time: "time".to_owned(),
            entry: None,
            event: Event { column: "event".to_owned(), relation: Relation::Equal, value: "1".to_owned() },
            terms: vec!["x".to_owned(), "y".to_owned()],
            references: Vec::new(),
            strata: None,
            cluster: None,
            params: Params::default(),
        };
        let alone: Vec<(String, Option<Hazards>)> =
            each_alone(&read, &request).into_iter().map(|(name, fit)| (name, fit.ok())).collect();
        let mut monotone = Vec::new();
        let found = finite(&read, &request, alone, &mut monotone);
        assert_eq!(monotone, ["x alone"]);
        let fits: Vec<_> = found.iter().map(|(_, fit)| &fit.as_ref().unwrap().fit).collect();
        assert!(fits[0].terms[0].estimate.unwrap().is_finite() && fits[0].params.method == Method::Firth);
        assert_eq!(fits[1].params.method, Method::PartialLikelihood);
    }
}
