//! pyradiomics' feature classes: names, order, and what became of those that it calls deprecated.

use std::collections::HashMap;

use crate::feature::{self, Family, shape2d};

/// A class by pyradiomics' name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Of(Family),
    Shape2D,
}

/// Values of one class by feature.
pub type Found = HashMap<String, Option<f64>>;

/// Deprecated features that pyradiomics still computes, and those of which it gives no value and says where to look.
const COMPUTED: [(Class, &str, &[&str]); 5] = [
    (Class::Of(Family::FirstOrder), "StandardDeviation", &["Variance"]),
    (Class::Of(Family::Shape), "Compactness1", &["MeshVolume", "SurfaceArea"]),
    (Class::Of(Family::Shape), "Compactness2", &["MeshVolume", "SurfaceArea"]),
    (Class::Of(Family::Shape), "SphericalDisproportion", &["Sphericity"]),
    (Class::Shape2D, "SphericalDisproportion", &["SphericalDisproportion"]),
];
const WITHOUT_VALUE: [(Family, &str, &str); 6] = [
    (Family::Glcm, "Dissimilarity", "glcm DifferenceAverage"),
    (Family::Glcm, "Homogeneity1", "glcm Id"),
    (Family::Glcm, "Homogeneity2", "glcm Idm"),
    (Family::Glcm, "SumVariance", "glcm ClusterTendency"),
    (Family::Gldm, "GrayLevelNonUniformityNormalized", "firstorder Uniformity"),
    (Family::Gldm, "DependencePercentage", "nothing: it is always 1"),
];

impl Class {
    /// In the order of a run without a parameter file; `shape2D` is not among them.
    pub const USUAL: [Class; 7] = [
        Class::Of(Family::FirstOrder),
        Class::Of(Family::Glcm),
        Class::Of(Family::Gldm),
        Class::Of(Family::Glrlm),
        Class::Of(Family::Glszm),
        Class::Of(Family::Ngtdm),
        Class::Of(Family::Shape),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Class::Of(family) => family.name(),
            Class::Shape2D => "shape2D",
        }
    }

    pub fn from_name(name: &str) -> Option<Class> {
        Class::USUAL.into_iter().chain([Class::Shape2D]).find(|class| class.name() == name)
    }

    pub fn is_shape(self) -> bool {
        matches!(self, Class::Of(Family::Shape) | Class::Shape2D)
    }

    /// The features that are meant when none is named.
    pub fn usual(self) -> Vec<&'static str> {
        match self {
            Class::Of(family) => family.features().into_iter().map(|feature| feature.0).collect(),
            Class::Shape2D => shape2d::NAMES[..9].to_vec(),
        }
    }

    /// Whether pyradiomics knows the feature, deprecated or not.
    pub fn knows(self, feature: &str) -> bool {
        self.usual().contains(&feature) || self.deprecated().any(|name| name == feature)
    }

    fn deprecated(self) -> impl Iterator<Item = &'static str> {
        let computed = COMPUTED.iter().filter(move |it| it.0 == self).map(|it| it.1);
        computed.chain(WITHOUT_VALUE.iter().filter(move |it| Class::Of(it.0) == self).map(|it| it.1))
    }

    /// Of a deprecated feature of which there is no value: what says the same.
    pub fn instead_of(self, feature: &str) -> Option<&'static str> {
        WITHOUT_VALUE.iter().find(|it| Class::Of(it.0) == self && it.1 == feature).map(|it| it.2)
    }

    /// The features that have to be measured for one to be known.
    fn needs(self, feature: &str) -> Vec<&str> {
        let computed = COMPUTED.iter().find(|it| it.0 == self && it.1 == feature);
        computed.map_or_else(|| vec![feature], |it| it.2.to_vec())
    }

    /// A feature's value from those that it needs.
    pub fn value(self, feature: &str, found: &Found) -> Option<f64> {
        use std::f64::consts::PI;
        let own = |name: &str| found.get(name).copied().flatten();
        match (self, feature) {
            (Class::Of(Family::FirstOrder), "StandardDeviation") => own("Variance").map(f64::sqrt),
            (Class::Of(Family::Shape), "Compactness1") => {
                Some(own("MeshVolume")? / (own("SurfaceArea")?.powf(1.5) * PI.sqrt()))
            }
            (Class::Of(Family::Shape), "Compactness2") => {
                Some(36.0 * PI * own("MeshVolume")?.powi(2) / own("SurfaceArea")?.powi(3))
            }
            (Class::Of(Family::Shape), "SphericalDisproportion") => Some(1.0 / own("Sphericity")?),
            _ => own(feature),
        }
        .filter(|value| value.is_finite())
    }
}

/// What the engine has to measure for these classes and features.
pub fn wanted(classes: &[(Class, Vec<String>)]) -> feature::Params {
    let mut params =
        feature::Params { families: Vec::new(), exclude: Vec::new(), ibsi: feature::ibsi::Params::default() };
    for (class, features) in classes {
        let Class::Of(family) = class else { continue };
        params.families.push(family.name().to_owned());
        let needed: Vec<&str> = features.iter().flat_map(|feature| class.needs(feature)).collect();
        let left_out = class.usual().into_iter().filter(|name| !needed.contains(name));
        params.exclude.extend(left_out.map(|name| format!("{}_{name}", family.name())));
    }
    params
}
