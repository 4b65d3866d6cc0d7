//! pyradiomics' parameters as a protocol, and what of them has no counterpart.

use serde_json::Value;

use crate::protocol::{Preset, Protocol, ProtocolError};
use osteon_radiomics::preprocess::Interpolator;
use osteon_radiomics::pyradiomics::{Class, ImageType, Parameters, Settings};

/// A protocol over the preset `pyradiomics`, its changes as assignments, and what could not be said in it.
#[derive(Clone, Debug)]
pub struct Translated {
    pub protocol: Protocol,
    pub assignments: Vec<String>,
    pub without: Vec<String>,
}

/// What of the parameters a protocol can say.
pub fn translated(parameters: &Parameters) -> Result<Translated, ProtocolError> {
    let (mut set, mut without) = (Vec::new(), parameters.left_out.clone());
    let settings = &parameters.settings;
    if settings.normalize {
        set.push("preprocess.normalise=true".to_owned());
    }
    if settings.interpolator.is_some() && !settings.resampled_spacing_mm.is_empty() {
        set.push(format!("preprocess.spacing_mm={:?}", settings.resampled_spacing_mm));
        match settings.interpolator {
            Some(Interpolator::Bspline) | None => (),
            Some(Interpolator::Linear) => set.push("preprocess.interpolation=linear".to_owned()),
            Some(_) => without.push(told("interpolator", parameters)),
        }
    }
    if settings.bin_width != Settings::default().bin_width {
        set.push(format!("preprocess.bin_width={:?}", settings.bin_width));
    }
    images(parameters, &mut set, &mut without);
    classes(parameters, &mut set, &mut without);
    const SAID: [&str; 9] = [
        "normalize",
        "resampledPixelSpacing",
        "interpolator",
        "binWidth",
        "additionalInfo",
        "correctMask",
        "geometryTolerance",
        "minimumROIDimensions",
        "sigma",
    ];
    let usual = Parameters::default();
    for key in parameters.given.keys().filter(|key| !SAID.contains(&key.as_str())) {
        let mut plain = Settings::default();
        let is_usual = plain.set(key, &parameters.given[key]).is_ok() && plain == Settings::default();
        if !is_usual && parameters.given.get(key) != usual.given.get(key) {
            without.push(told(key, parameters));
        }
    }
    if settings.correct_mask {
        set.push("mask.resample=nearest".to_owned());
    }
    if let Some(tolerance) = settings.geometry_tolerance.filter(|tolerance| *tolerance > 0.01) {
        set.push(format!("mask.tolerance_voxels={:?}", tolerance.min(0.49)));
    }
    if settings.minimum_dimensions != 2 {
        without.push(told("minimumROIDimensions", parameters));
    }
    let protocol = Preset::Pyradiomics.protocol().set(set.iter().map(String::as_str))?;
    Ok(Translated { protocol, assignments: set, without })
}

fn told(key: &str, parameters: &Parameters) -> String {
    format!("setting {key}: {}", parameters.given.get(key).unwrap_or(&Value::Null))
}

fn images(parameters: &Parameters, set: &mut Vec<String>, without: &mut Vec<String>) {
    let (mut names, mut sigmas) = (Vec::new(), Vec::new());
    for (kind, own) in &parameters.images {
        let here = parameters.settings_of(*kind);
        match kind {
            ImageType::Original => names.push("original"),
            ImageType::LoG if !here.sigma_mm.is_empty() => {
                names.push("log");
                sigmas.extend(here.sigma_mm.iter().map(|sigma| sigma.0));
            }
            ImageType::LoG => (),
            ImageType::Wavelet if here.wavelet == "coif1" && here.level == 1 && here.start_level == 0 => {
                names.push("wavelet");
            }
            ImageType::Wavelet => {
                without.push(format!("imageType Wavelet: {} (protocols have coif1, level 1)", here.wavelet))
            }
            other => without.push(format!("imageType {}", other.name())),
        }
        let is_said = |key: &&String| ["sigma", "wavelet", "level", "start_level"].contains(&key.as_str());
        let odd: Vec<&String> = own.keys().filter(|key| !is_said(key)).collect();
        without.extend(odd.iter().map(|key| format!("{key} of imageType {} alone", kind.name())));
    }
    if names != ["original"] && !names.is_empty() {
        set.push(format!("filter.images={names:?}"));
    }
    if !sigmas.is_empty() {
        set.push(format!("filter.log_sigma_mm={sigmas:?}"));
    }
}

fn classes(parameters: &Parameters, set: &mut Vec<String>, without: &mut Vec<String>) {
    let (mut families, mut exclude) = (Vec::new(), Vec::new());
    for (class, features) in &parameters.classes {
        if *class == Class::Shape2D {
            without.push("featureClass shape2D".to_owned());
            continue;
        }
        families.push(class.name());
        let usual = class.usual();
        exclude.extend(
            usual
                .iter()
                .filter(|name| !features.iter().any(|own| own == *name))
                .map(|name| format!("{}_{name}", class.name())),
        );
        let odd = features.iter().filter(|own| !usual.contains(&own.as_str()));
        without.extend(odd.map(|name| format!("feature {} {name} (deprecated)", class.name())));
    }
    let all = Class::USUAL.map(Class::name);
    if all.iter().any(|name| !families.contains(name)) {
        set.push(format!("feature.families={families:?}"));
    }
    if !exclude.is_empty() {
        set.push(format!("feature.exclude={exclude:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osteon_radiomics::pyradiomics::Strictness;

    #[test]
    fn what_a_protocol_can_say_is_said_and_the_rest_is_named() {
        let text = "imageType: {Original: {}, LoG: {sigma: [1, 2.5]}, Square: {}}\n\
                    featureClass: {shape: , glcm: [Contrast]}\n\
                    setting: {binWidth: 5, normalize: true, normalizeScale: 100, resampledPixelSpacing: [1, 1, 3], label: 1}";
        let read = Parameters::parse(text, Strictness::Refuse).unwrap();
        let Translated { protocol, without, .. } = translated(&read).unwrap();
        assert_eq!((protocol.preprocess.bin_width, protocol.preprocess.normalise), (5.0, true));
        assert_eq!(protocol.preprocess.spacing_mm, [1.0, 1.0, 3.0]);
        assert_eq!(
            (protocol.filter.images, protocol.filter.log_sigma_mm),
            (vec!["original".to_owned(), "log".to_owned()], vec![1.0, 2.5])
        );
        assert_eq!(
            (protocol.feature.families, protocol.feature.exclude.len()),
            (vec!["shape".to_owned(), "glcm".to_owned()], 23)
        );
        assert_eq!(without, ["imageType Square", "setting normalizeScale: 100"]);
        assert!(translated(&Parameters::default()).unwrap().without.is_empty());
        assert_eq!(translated(&Parameters::default()).unwrap().protocol, Preset::Pyradiomics.protocol());
    }
}
