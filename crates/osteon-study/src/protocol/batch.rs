//! What tells batches apart: a declared variable, or the scanner as DICOM names it.

use crate::protocol::codebook::variable::Role;
use crate::protocol::learn::{Harmonise, SCANNER};
use crate::protocol::{Protocol, nearest};
use osteon_base::setting::{self, Unfit};

impl Protocol {
    /// Whether features are harmonized before anything is learnt from them.
    pub fn harmonises(&self) -> bool {
        self.learn.harmonise != Harmonise::None
    }

    /// The variable that tells batches apart, or [`SCANNER`]; the variable of the role batch where none is named.
    pub fn batch_by(&self) -> Option<&str> {
        let named = (!self.learn.batch.is_empty()).then_some(self.learn.batch.as_str());
        let of_role = || self.codebook.variables.iter().find(|it| it.role == Role::Batch && !it.levels().is_empty());
        named.or_else(|| of_role().map(|it| it.name.as_str()))
    }

    /// Refuses batches that nothing tells.
    pub(in crate::protocol) fn check_batch(&self) -> Result<(), Unfit> {
        let hidden = self.codebook.hidden();
        let levelled = |it: &&crate::protocol::codebook::variable::Variable| {
            !it.levels().is_empty() && !hidden.contains(it.name.as_str())
        };
        let variables: Vec<&str> = self.codebook.variables.iter().filter(levelled).map(|it| it.name.as_str()).collect();
        let own = &self.learn.batch;
        let is_known = own.is_empty() || own == SCANNER || variables.contains(&own.as_str());
        let expected = format!("{SCANNER} or a variable with levels; the nearest is {}", nearest(own, &variables));
        setting::require(is_known, "learn.batch", own, &expected)?;
        let expected = format!(
            "{SCANNER} or a variable with levels that says where a patient was scanned, because learn.harmonise is combat"
        );
        setting::require(!self.harmonises() || self.batch_by().is_some(), "learn.batch", own, &expected)?;
        let twice = self.learn.batch_covariates.iter().find(|name| self.batch_by() == Some(name.as_str()));
        setting::require(twice.is_none(), "learn.batch_covariates", twice, "variables other than the batch")
    }
}
