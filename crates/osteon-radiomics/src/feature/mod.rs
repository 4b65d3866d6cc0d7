//! Feature families: each builds one summary of a region, a const table reads it.
//!
//! Names and rules are pyradiomics' 3.0.1; the code beside a name is the IBSI's for the same definition. Where the
//! two differ, the feature says so.

pub mod firstorder;
pub mod general;
pub mod glcm;
pub mod gldm;
pub mod glrlm;
pub mod glszm;
pub mod ibsi;
pub mod layout;
pub mod levels;
pub mod links;
mod logarithm;
mod mesh;
pub mod ngtdm;
mod plane;
mod second;
pub mod shape;
pub mod shape2d;
pub mod sizes;

use serde::{Deserialize, Serialize};

use crate::grid::Volume;

/// Which features are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Families by pyradiomics' names: `shape`, `firstorder`, `glcm`, `glrlm`, `glszm`, `gldm`, `ngtdm`; and `ibsi`, the
    /// families of the IBSI's manual by its own rules.
    pub families: Vec<String>,
    /// Features left out, as `family_Name`.
    pub exclude: Vec<String>,
    pub ibsi: ibsi::Params,
}

/// The name by which the families of the IBSI are asked for.
const IBSI: &str = "ibsi";

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
    pub ibsi: IbsiWanted,
}

/// Which features of the IBSI's families are kept, by position in their names.
pub struct IbsiWanted {
    pub outline: Vec<(usize, String)>,
    pub image: Vec<(usize, String)>,
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
            ibsi: IbsiWanted {
                outline: self.keep_ibsi(ibsi::outline_names()),
                image: self.keep_ibsi(ibsi::names(&self.ibsi)),
            },
        }
    }

    /// How many features are kept of one image, those of the outline among them.
    pub fn n_kept(&self) -> usize {
        let Wanted { shape, firstorder, glcm, glrlm, glszm, gldm, ngtdm, ibsi } = self.wanted();
        let of_levels = glcm.len() + glrlm.len() + glszm.len() + gldm.len() + ngtdm.len();
        shape.len() + firstorder.len() + of_levels + ibsi.outline.len() + ibsi.image.len()
    }

    /// Whether any feature of the IBSI's families is asked for.
    pub fn has_ibsi(&self) -> bool {
        self.families.iter().any(|name| name == IBSI)
    }

    /// Errors at a family or a feature that does not exist.
    pub fn check(&self) -> Result<(), UnknownName> {
        let unknown = |what, name: &String| Err(UnknownName { what, name: name.clone() });
        let family = |name: &str| Family::ALL.into_iter().find(|family| family.name() == name);
        if let Some(name) = self.families.iter().find(|name| *name != IBSI && family(name).is_none()) {
            return unknown("family", name);
        }
        let exists = |name: &str| {
            let (first, rest) = name.split_once('_').unwrap_or((name, ""));
            family(first).is_some_and(|family| family.features().iter().any(|feature| feature.0 == rest))
                || first == IBSI
                    && ibsi::outline_names().into_iter().chain(ibsi::names(&self.ibsi)).any(|it| it == rest)
        };
        self.exclude.iter().find(|name| !exists(name)).map_or(Ok(()), |name| unknown("feature", name))
    }

    fn keep_ibsi(&self, names: Vec<String>) -> Vec<(usize, String)> {
        let kept = |name: &String| self.has_ibsi() && !self.exclude.contains(&format!("{IBSI}_{name}"));
        names.into_iter().enumerate().filter(|(_, name)| kept(name)).collect()
    }

    fn keep<S>(&self, family: Family, table: &'static [Feature<S>]) -> Vec<&'static Feature<S>> {
        if !self.families.iter().any(|name| name == family.name()) {
            return Vec::new();
        }
        let excluded = |feature: &Feature<S>| self.exclude.contains(&format!("{}_{}", family.name(), feature.name));
        table.iter().filter(|feature| !excluded(feature)).collect()
    }
}

impl IbsiWanted {
    /// The wanted features of a region's outline.
    pub fn of_outline(&self, outline: &ibsi::Outline) -> Vec<Option<f64>> {
        self.outline.iter().map(|&(at, _)| outline.features[at]).collect()
    }

    /// The wanted features of a region of one image.
    pub fn of_image(
        &self,
        volume: &Volume,
        outline: &ibsi::Outline,
        params: &ibsi::Params,
        bin_width: f64,
    ) -> Result<Vec<Option<f64>>, levels::TooManyLevels> {
        if self.image.is_empty() {
            return Ok(Vec::new());
        }
        let all = ibsi::describe(volume, outline, params, bin_width)?;
        Ok(self.image.iter().map(|&(at, _)| all[at]).collect())
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
