//! The nomogram as a page that calculates: self-contained, without network, for one patient at a time.

use serde_json::{Value, json};

use osteon_plot::svg::escape;
use osteon_stats::model::nomogram::{Effect, Nomogram};

/// What the page is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Calculator<'a> {
    pub title: String,
    /// The event in words: `non-pGR`.
    pub event: String,
    pub nomogram: &'a Nomogram,
    /// Words for each effect, with its unit.
    pub labels: Vec<String>,
    /// Covariance of intercept and coefficients in the order of the effects, for the 95 % interval; empty for none.
    pub covariance: Vec<Vec<f64>>,
    /// What the standard error of the linear predictor is multiplied by for the interval.
    pub quantile: f64,
    /// The nomogram drawn, as SVG; empty for none.
    pub svg: String,
    /// What a user must know: sample size, optimism, who was studied.
    pub warnings: Vec<String>,
    pub provenance: Vec<String>,
}

/// A complete HTML document. Inputs never leave the page: nothing may be fetched or sent.
pub fn html(calculator: &Calculator) -> String {
    let warnings: String =
        calculator.warnings.iter().map(|text| format!("<p class=\"warning\">{}</p>\n", escape(text))).collect();
    let provenance: Vec<String> = calculator.provenance.iter().map(|line| escape(line)).collect();
    let fields: String = calculator.nomogram.effects.iter().zip(&calculator.labels).enumerate().map(field).collect();
    // A closing tag inside the data would end the script.
    let data = data(calculator).to_string().replace('<', "\\u003c");
    fill(&[
        ("{title}", &escape(&calculator.title)),
        ("{event}", &escape(&calculator.event)),
        ("{warnings}", &warnings),
        ("{fields}", &fields),
        ("{provenance}", &provenance.join("<br>\n")),
        ("{svg}", &calculator.svg),
        ("{data}", &data),
    ])
}

/// The page with its places filled in one pass: what fills a place is never searched for another.
fn fill(places: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut rest = PAGE;
    while let Some((at, (place, text))) =
        places.iter().filter_map(|it| Some((rest.find(it.0)?, it))).min_by_key(|(at, _)| *at)
    {
        out.push_str(&rest[..at]);
        out.push_str(text);
        rest = &rest[at + place.len()..];
    }
    out + rest
}

fn field((n, (effect, label)): (usize, (&Effect, &String))) -> String {
    let label = escape(label);
    let input = match effect {
        Effect::Continuous { low, high, .. } => {
            format!(
                "<input id=\"x{n}\" type=\"number\" step=\"any\" inputmode=\"decimal\" required>\
                 <small>training patients: {} to {}</small>",
                short(*low),
                short(*high)
            )
        }
        Effect::Levels { levels, .. } => {
            let option =
                |(k, (name, _)): (usize, &(String, f64))| format!("<option value=\"{k}\">{}</option>", escape(name));
            let options: String = levels.iter().enumerate().map(option).collect();
            format!("<select id=\"x{n}\" required><option value=\"\"></option>{options}</select>")
        }
    };
    format!(
        "<div class=\"row\"><label for=\"x{n}\">{label}</label><span>{input}</span><output id=\"p{n}\"></output></div>\n"
    )
}

fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn data(calculator: &Calculator) -> Value {
    let nomogram = calculator.nomogram;
    let mut start = 0.0;
    let effects: Vec<Value> = nomogram
        .effects
        .iter()
        .zip(&nomogram.axes)
        .map(|(effect, axis)| {
            let contributions = axis.marks.iter().map(|mark| match effect {
                Effect::Continuous { coefficient, .. } => coefficient * mark.value,
                Effect::Levels { .. } => mark.value,
            });
            let least = contributions.fold(f64::INFINITY, f64::min);
            start += least;
            match effect {
                Effect::Continuous { coefficient, low, high, .. } => {
                    json!({"coefficient": coefficient, "low": low, "high": high, "least": least})
                }
                Effect::Levels { levels, .. } => {
                    json!({"levels": levels.iter().map(|level| level.1).collect::<Vec<f64>>(), "least": least})
                }
            }
        })
        .collect();
    json!({
        "intercept": nomogram.origin - start,
        "points_per_unit": nomogram.points_per_unit,
        "effects": effects,
        "covariance": calculator.covariance,
        "quantile": calculator.quantile,
    })
}

const PAGE: &str = include_str!("calculator.html");

#[cfg(test)]
mod tests {
    use super::*;
    use osteon_stats::model::nomogram::nomogram;

    #[test]
    fn the_page_holds_the_model_and_no_foreign_markup() {
        let effects = [
            Effect::Continuous { name: "alp".into(), coefficient: 0.004, low: 40.0, high: 900.0 },
            Effect::Levels { name: "fracture".into(), levels: vec![("</script>".into(), 0.0), ("yes".into(), 1.2)] },
        ];
        let nomogram = nomogram(-1.5, &effects, (-1.4, 3.0)).unwrap();
        let calculator = Calculator {
            title: "Model".into(),
            event: "non-pGR".into(),
            nomogram: &nomogram,
            labels: vec!["ALP, U/L".into(), "Fracture </script>".into()],
            covariance: Vec::new(),
            quantile: 1.96,
            svg: String::new(),
            warnings: vec!["75 patients".into()],
            provenance: vec!["protocol: 0".into()],
        };
        let data = data(&calculator);
        assert!((data["intercept"].as_f64().unwrap() + 1.5).abs() < 1e-12, "{data}");
        let page = html(&calculator);
        assert_eq!(page.matches("</script>").count(), 1);
        assert!(!page.contains("http://") && !page.contains("https://"));
    }
}
