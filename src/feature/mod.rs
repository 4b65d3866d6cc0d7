//! Feature families: each builds one summary of a region, a const table reads it.
//!
//! Names and rules are pyradiomics' 3.0.1; the code beside a name is the IBSI's for the same definition. Where the
//! two differ, the feature says so.

pub mod firstorder;
pub mod glcm;
pub mod gldm;
pub mod glrlm;
pub mod glszm;
pub mod layout;
pub mod levels;
pub mod links;
mod logarithm;
mod mesh;
pub mod ngtdm;
pub mod shape;
pub mod sizes;

use serde::{Deserialize, Serialize};

/// Which features are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Families by pyradiomics' names: `shape`, `firstorder`, `glcm`, `glrlm`, `glszm`, `gldm`, `ngtdm`.
    pub families: Vec<String>,
    /// Features left out, as `family_Name`.
    pub exclude: Vec<String>,
}

/// One number that is read from a family's summary; `None` where it is undefined.
pub struct Feature<S: 'static> {
    pub name: &'static str,
    /// The code of the same definition in the IBSI's manual.
    pub ibsi: Option<&'static str>,
    pub of: fn(&S) -> Option<f64>,
}

/// A group of features that are read from one summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Shape,
    FirstOrder,
    Glcm,
    Glrlm,
    Glszm,
    Gldm,
    Ngtdm,
}

/// A name of the parameters that no family or feature has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no {what} is called {name}")]
pub struct UnknownName {
    pub what: &'static str,
    pub name: String,
}

impl Family {
    pub const ALL: [Family; 7] =
        [Family::Shape, Family::FirstOrder, Family::Glcm, Family::Glrlm, Family::Glszm, Family::Gldm, Family::Ngtdm];

    pub fn name(self) -> &'static str {
        match self {
            Family::Shape => "shape",
            Family::FirstOrder => "firstorder",
            Family::Glcm => "glcm",
            Family::Glrlm => "glrlm",
            Family::Glszm => "glszm",
            Family::Gldm => "gldm",
            Family::Ngtdm => "ngtdm",
        }
    }

    /// Name and IBSI code of every feature, in the order of the catalogue.
    pub fn features(self) -> Vec<(&'static str, Option<&'static str>)> {
        match self {
            Family::Shape => names(shape::FEATURES),
            Family::FirstOrder => names(firstorder::FEATURES),
            Family::Glcm => names(glcm::FEATURES),
            Family::Glrlm => names(glrlm::FEATURES),
            Family::Glszm => names(glszm::FEATURES),
            Family::Gldm => names(gldm::FEATURES),
            Family::Ngtdm => names(ngtdm::FEATURES),
        }
    }
}

fn names<S>(table: &'static [Feature<S>]) -> Vec<(&'static str, Option<&'static str>)> {
    table.iter().map(|feature| (feature.name, feature.ibsi)).collect()
}

/// The features that the parameters keep, by family.
pub struct Wanted {
    pub shape: Vec<&'static Feature<shape::Shape>>,
    pub firstorder: Vec<&'static Feature<firstorder::FirstOrder>>,
    pub glcm: Vec<&'static Feature<glcm::Glcm>>,
    pub glrlm: Vec<&'static Feature<sizes::Sizes>>,
    pub glszm: Vec<&'static Feature<sizes::Sizes>>,
    pub gldm: Vec<&'static Feature<sizes::Sizes>>,
    pub ngtdm: Vec<&'static Feature<ngtdm::Ngtdm>>,
}

impl Params {
    /// The features that are kept.
    pub fn wanted(&self) -> Wanted {
        Wanted {
            shape: self.keep(Family::Shape, shape::FEATURES),
            firstorder: self.keep(Family::FirstOrder, firstorder::FEATURES),
            glcm: self.keep(Family::Glcm, glcm::FEATURES),
            glrlm: self.keep(Family::Glrlm, glrlm::FEATURES),
            glszm: self.keep(Family::Glszm, glszm::FEATURES),
            gldm: self.keep(Family::Gldm, gldm::FEATURES),
            ngtdm: self.keep(Family::Ngtdm, ngtdm::FEATURES),
        }
    }

    /// Errors at a family or a feature that does not exist.
    pub fn check(&self) -> Result<(), UnknownName> {
        let unknown = |what, name: &String| Err(UnknownName { what, name: name.clone() });
        let family = |name: &str| Family::ALL.into_iter().find(|family| family.name() == name);
        if let Some(name) = self.families.iter().find(|name| family(name).is_none()) {
            return unknown("family", name);
        }
        let exists = |name: &str| {
            let (first, rest) = name.split_once('_').unwrap_or((name, ""));
            family(first).is_some_and(|family| family.features().iter().any(|feature| feature.0 == rest))
        };
        self.exclude.iter().find(|name| !exists(name)).map_or(Ok(()), |name| unknown("feature", name))
    }

    fn keep<S>(&self, family: Family, table: &'static [Feature<S>]) -> Vec<&'static Feature<S>> {
        if !self.families.iter().any(|name| name == family.name()) {
            return Vec::new();
        }
        let excluded = |feature: &Feature<S>| self.exclude.contains(&format!("{}_{}", family.name(), feature.name));
        table.iter().filter(|feature| !excluded(feature)).collect()
    }
}

impl Wanted {
    /// Family and name of the features that need the region's outline only.
    pub fn of_outline(&self) -> Vec<(Family, &'static str)> {
        named(Family::Shape, &self.shape)
    }

    /// Family and name of the features of one image.
    pub fn of_image(&self) -> Vec<(Family, &'static str)> {
        [
            named(Family::FirstOrder, &self.firstorder),
            named(Family::Glcm, &self.glcm),
            named(Family::Glrlm, &self.glrlm),
            named(Family::Glszm, &self.glszm),
            named(Family::Gldm, &self.gldm),
            named(Family::Ngtdm, &self.ngtdm),
        ]
        .concat()
    }
}

fn named<S>(family: Family, features: &[&'static Feature<S>]) -> Vec<(Family, &'static str)> {
    features.iter().map(|feature| (family, feature.name)).collect()
}

/// What the features of one table say about one summary.
fn read<S>(features: &[&'static Feature<S>], summary: &S) -> Vec<Option<f64>> {
    features.iter().map(|feature| (feature.of)(summary).filter(|value| value.is_finite())).collect()
}

/// The mean over those summaries in which a feature is defined; pyradiomics' mean over directions.
fn read_mean<S>(features: &[&'static Feature<S>], summaries: &[S]) -> Vec<Option<f64>> {
    let mean = |feature: &&'static Feature<S>| {
        let values = summaries.iter().filter_map(|summary| (feature.of)(summary).filter(|value| value.is_finite()));
        let (sum, n) = values.fold((0.0, 0), |(sum, n), value| (sum + value, n + 1));
        (n > 0).then(|| sum / f64::from(n))
    };
    features.iter().map(mean).collect()
}
