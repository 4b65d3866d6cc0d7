//! The analysis plan: a protocol that is frozen before its results are seen, and when test results were first shown.

use crate::store::{Change, ChangeFilter};
use crate::study::data::edit::required;
use crate::study::{Error, Study, View};

/// The fields of the trail that tell of it.
const PLAN: &str = "analysis plan";
const SHOWN: &str = "test results shown";

/// The last word of the trail on the analysis plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Hash of the protocol that was locked last.
    pub protocol: String,
    pub at: String,
    pub by: String,
    /// Whether it still is; otherwise when, by whom and why it was unlocked.
    pub unlocked: Option<(String, String, String)>,
}

impl Study {
    /// Freezes the protocol in force as the analysis plan.
    ///
    /// # Errors
    /// When a plan is locked already.
    pub fn lock_plan(&self, reason: &str) -> Result<(), Error> {
        let hash = self.protocol.hash();
        if let Some(plan) = self.analysis_plan()?.filter(|plan| plan.unlocked.is_none()) {
            return Err(Error::Request(format!(
                "the analysis plan is locked already, since {} by {}",
                plan.at, plan.by
            )));
        }
        Ok(self.store.write(&required(reason)?, |write| write.tell_plan(None, Some(&hash)))?)
    }

    /// Lets the protocol be changed again; the trail keeps that it was locked, and the report names the change.
    ///
    /// # Errors
    /// When no plan is locked.
    pub fn unlock_plan(&self, reason: &str) -> Result<(), Error> {
        let Some(plan) = self.analysis_plan()?.filter(|plan| plan.unlocked.is_none()) else {
            return Err(Error::Request("no analysis plan is locked".to_owned()));
        };
        Ok(self.store.write(&required(reason)?, |write| write.tell_plan(Some(&plan.protocol), None))?)
    }

    /// What the trail says of the analysis plan; `None` where none was ever locked.
    pub fn analysis_plan(&self) -> Result<Option<Plan>, Error> {
        let mut plan = None;
        for change in self.told_of_study(PLAN)? {
            let Change { at, actor, reason, new, .. } = change;
            plan = match (new, plan) {
                (Some(protocol), _) => Some(Plan { protocol, at, by: actor, unlocked: None }),
                (None, Some(before)) => Some(Plan { unlocked: Some((at, actor, reason)), ..before }),
                (None, None) => None,
            };
        }
        Ok(plan)
    }

    /// The plan in a sentence; `None` where none was ever locked.
    pub fn plan_in_words(&self) -> Result<Option<String>, Error> {
        let Some(plan) = self.analysis_plan()? else { return Ok(None) };
        let short = |hash: &str| hash.get(..12).unwrap_or(hash).to_owned();
        let day = |at: &str| at.get(..10).unwrap_or(at).to_owned();
        let mut text = format!(
            "The analysis plan (protocol {}) was locked on {} by {}",
            short(&plan.protocol),
            day(&plan.at),
            plan.by
        );
        if let Some((at, by, reason)) = &plan.unlocked {
            text.push_str(&format!(" and unlocked on {} by {by} ({reason})", day(at)));
        }
        let now = self.protocol.hash();
        text.push_str(&match now == plan.protocol {
            true => "; the protocol in force is the one that was locked".to_owned(),
            false => format!("; the protocol in force ({}) was changed after the lock", short(&now)),
        });
        Ok(Some(text))
    }

    /// Refuses another protocol while the plan is locked.
    pub(in crate::study) fn plan_allows(&self, hash: &str) -> Result<(), Error> {
        match self.analysis_plan()?.filter(|plan| plan.unlocked.is_none() && plan.protocol != hash) {
            None => Ok(()),
            Some(plan) => Err(Error::Request(format!(
                "the analysis plan is locked since {} by {} (protocol {}): osteon unlock --protocol --reason WHY lets it be \
                 changed, and the report names every change after the lock",
                plan.at,
                plan.by,
                plan.protocol.get(..12).unwrap_or(&plan.protocol)
            ))),
        }
    }

    /// Records, once a split, that results of its test set are shown (`table 5`, ...). Nothing is recorded for blind
    /// readers, for a split without a fit, or where the file can only be read; whether it was recorded now.
    pub fn show_test_results(&self, what: &str) -> Result<bool, Error> {
        if self.view == View::Blind || self.store.kept_from_writing().is_some() {
            return Ok(false);
        }
        let Some(split) = self.store.split()? else { return Ok(false) };
        if self.store.fit_on(split.id)?.is_none() || self.test_results_shown()?.is_some() {
            return Ok(false);
        }
        self.store.write(what, |write| write.tell_shown(split.id, what))?;
        Ok(true)
    }

    /// When, to whom and as what results of the test set in force were first shown; `None` where never.
    pub fn test_results_shown(&self) -> Result<Option<(String, String, String)>, Error> {
        let Some(split) = self.store.split()? else { return Ok(None) };
        let of_split = ChangeFilter { row: split.id.0.to_string(), field: SHOWN.to_owned(), ..ChangeFilter::default() };
        let told = self.store.changes(&of_split)?.into_iter();
        let mut told = told.filter(|change| change.table == "shown" && change.field == SHOWN);
        Ok(told.next().map(|change| (change.at, change.actor, change.new.unwrap_or_default())))
    }

    /// The same in a sentence; `None` without a fit.
    pub fn first_look_in_words(&self) -> Result<Option<String>, Error> {
        let Some(split) = self.store.split()? else { return Ok(None) };
        if self.store.fit_on(split.id)?.is_none() {
            return Ok(None);
        }
        Ok(Some(match self.test_results_shown()? {
            Some((at, by, what)) => {
                format!("Results of the test set were first shown on {at} to {by} ({what})")
            }
            None => "No showing of test results is recorded for the split in force".to_owned(),
        }))
    }

    fn told_of_study(&self, field: &str) -> Result<Vec<Change>, Error> {
        let all = self.store.changes(&ChangeFilter { field: field.to_owned(), ..ChangeFilter::default() })?;
        let mut own: Vec<Change> =
            all.into_iter().filter(|change| change.table == "plan" && change.field == field).collect();
        own.sort_by_key(|change| change.seq);
        Ok(own)
    }
}
