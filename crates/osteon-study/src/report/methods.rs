//! The methods in words, made from settings in force and from what was done with them.

use toml::{Table, Value};

use crate::protocol::Protocol;
use crate::protocol::codebook::variable::Variable;
use crate::protocol::keys;

/// Parts of the methods that come from settings: table of the protocol and heading, in their order.
const HEADINGS: &[(&str, &str)] = &[
    ("acquisition", "Acquisition"),
    ("query", "Checks of clinical data"),
    ("mask", "Masks"),
    ("preprocess", "Image preparation"),
    ("roi", "Regions"),
    ("filter", "Filtered images"),
    ("feature", "Features"),
    ("select", "Choice of features"),
    ("forest", "Random forests"),
    ("learn", "Learning"),
    ("compare", "Comparison of groups"),
    ("screen", "Clinical variables (Table 4)"),
    ("logistic", "Logistic regression (Table 4)"),
];

/// A paragraph for each of the protocol's tables named in `parts`: heading and sentences of the settings that have a
/// say, but for those that `untold` names.
pub fn methods(protocol: &Protocol, parts: &[&str], untold: &[&str]) -> Vec<(String, String)> {
    let document = protocol.to_table();
    let tell = |(part, heading): &(&str, &str)| {
        let own = format!("{part}.");
        let settings = keys::all().filter(|key| key.name.starts_with(&own) && !untold.contains(&key.name));
        let sentence = |key: &keys::Key| {
            let value = keys::value(&document, key.name).filter(|_| key.no_say(protocol).is_none())?;
            match key.name {
                "filter.images" => Some(images(protocol)),
                "query.usual" => usual(protocol),
                "screen.references" => references(protocol),
                // The same threshold as that of Table 4, which is told with it.
                "learn.p_enter" if !protocol.learn.screens() => None,
                _ => key.sentence(value),
            }
        };
        let mut text = settings.filter_map(sentence).collect::<Vec<_>>().join(" ");
        // A sentence of several settings ends with the last that has something to tell.
        if text.ends_with(',') {
            text.pop();
            text.push('.');
        }
        ((*heading).to_owned(), text)
    };
    let wanted = HEADINGS.iter().filter(|(part, _)| parts.contains(part));
    wanted.map(tell).filter(|(_, text)| !text.is_empty()).collect()
}

/// Every key with its value as written, for the table of settings.
pub fn settings(protocol: &Protocol) -> Vec<(String, String)> {
    flat(&protocol.to_table(), "").into_iter().map(|(key, value)| (key, value.to_string())).collect()
}

fn flat<'a>(table: &'a Table, prefix: &str) -> Vec<(String, &'a Value)> {
    let mut found = Vec::new();
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Table(inner) => found.extend(flat(inner, &key)),
            value => found.push((key, value)),
        }
    }
    found
}

/// How many filtered images there are under these settings.
fn images(protocol: &Protocol) -> String {
    let chosen = osteon_radiomics::filter::chosen(&protocol.filter).unwrap_or_default();
    let names: Vec<String> = chosen.into_iter().flat_map(|chosen| chosen.names).collect();
    let filtered: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name != "original").collect();
    match (names.len() > filtered.len(), filtered.len()) {
        (true, 0) => "Features were measured on the original image alone.".to_owned(),
        (original, n) => {
            let first = if original { "the original image and on " } else { "" };
            let plural = if n == 1 { "image" } else { "images" };
            format!("Features were measured on {first}{n} filtered {plural}: {}.", filtered.join(", "))
        }
    }
}

/// The usual range of each number, in the order of the codebook.
fn usual(protocol: &Protocol) -> Option<String> {
    let range = |variable: &Variable| {
        let [low, high] = protocol.query.usual.get(&variable.name)?;
        Some(format!("{} {low} to {high} {}", variable.label, variable.unit).trim_end().to_owned())
    };
    let ranges: Vec<String> = protocol.codebook.variables.iter().filter_map(range).collect();
    (!ranges.is_empty()).then(|| format!("A number outside its usual range raised one: {}.", ranges.join(", ")))
}

/// The reference level of each candidate with levels.
fn references(protocol: &Protocol) -> Option<String> {
    let level = |variable: &&Variable| {
        let level = protocol.screen.references.get(&variable.name)?;
        Some(format!("{}: {}", variable.label, level.replace('_', " ")))
    };
    let levels: Vec<String> = protocol.codebook.predictors().iter().filter_map(level).collect();
    (!levels.is_empty()).then(|| format!("Reference levels: {}.", levels.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Preset;

    fn text(protocol: &Protocol) -> String {
        let parts: Vec<&str> = HEADINGS.iter().map(|(part, _)| *part).collect();
        methods(protocol, &parts, &[]).into_iter().map(|(_, text)| text + "\n").collect()
    }

    #[test]
    fn every_key_is_in_the_settings_and_presets_differ_in_words() {
        let study = Preset::Study.protocol();
        let keys: Vec<String> = settings(&study).into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, study.keys());
        assert!(text(&study).contains("resampled to 1 × 1 × 3 mm"));
        assert!(
            text(&study).contains("usual range raised one: Age 3 to 80 years, Diameter 10 to 400 mm,"),
            "{}",
            text(&study)
        );
        assert!(text(&study).contains("generated by 2-, 4- and 6-mm expansion"));
        assert!(text(&study).contains("maximum depth 2, 3, 5 or unlimited"));
        let fine = study.set(["preprocess.spacing_mm=[1.05, 1.05, 3.0]"]).unwrap();
        assert!(text(&fine).contains("resampled to 1.05 × 1.05 × 3 mm"));
        assert!(text(&Preset::Pyradiomics.protocol()).contains("kept their own voxels"));
    }

    #[test]
    fn details_of_what_was_not_done_are_not_told() {
        let [study, published, recommended] =
            [Preset::Study, Preset::Published, Preset::Recommended].map(|preset| text(&preset.protocol()));
        assert!(study.contains("Lilliefors") && !published.contains("Lilliefors"));
        assert!(study.contains("univariable P below 0.1 in training") && !study.contains("ICC(2,1)"));
        assert!(recommended.contains("ICC(2,1) of at least 0.75"));
        assert!(!published.contains("in training entered a multivariable model"));
    }

    #[test]
    fn every_table_of_the_protocol_has_a_heading() {
        let parts: Vec<String> = Preset::Study.protocol().to_table().keys().cloned().collect();
        let lost: Vec<&String> = parts.iter().filter(|part| !HEADINGS.iter().any(|(known, _)| known == part)).collect();
        assert_eq!(lost, Vec::<&String>::new());
    }
}
