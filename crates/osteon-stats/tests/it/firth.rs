//! Firth's fits of data whose penalised likelihood has several maxima: the highest is found, and profiles do not pass it.

use osteon_stats::model::logistic::{Fit, Method, Params, Profile, fit_with_profiles, likelihood_ratio};
use osteon_stats::table::Design;
use osteon_stats::table::encode::encode;
use osteon_stats::table::event::Event;
use osteon_stats::table::read::csv;
use osteon_testing::{fixture, shared};

/// The highest of the maxima that 60 starts of R 4.2.2's `optim` (BFGS) reached, zero and 59 random ones, by file.
const HIGHEST: [(&str, f64); 12] = [
    ("firth_local_100", -25.667147),
    ("firth_local_116", -30.521090),
    ("firth_local_122", -19.241355),
    ("firth_local_150", -12.059707),
    ("firth_local_153", -4.591051),
    ("firth_local_190", -36.985982),
    ("firth_local_214", -26.588431),
    ("firth_local_221", -12.164793),
    ("firth_local_227", -30.799218),
    ("firth_local_44", -39.430389),
    ("firth_local_75", -21.436586),
    ("firth_local_8", -29.239570),
];

struct Fitted {
    design: Design,
    event: Vec<bool>,
    fit: Fit,
    profiles: Vec<Option<Profile>>,
}

fn fitted(bytes: &[u8], event: &str, terms: &[&str]) -> Fitted {
    let table = csv(bytes, &[]).unwrap().table;
    let event: Event = event.parse().unwrap();
    let known = event.of(&table).unwrap();
    let named: Vec<&str> = table.columns().iter().map(|it| it.name.as_str()).filter(|it| it.starts_with('V')).collect();
    let encoded = encode(&table, if terms.is_empty() { &named } else { terms }, &[], &known).unwrap();
    let event: Vec<bool> = encoded.kept.iter().filter_map(|&row| known[row]).collect();
    let params = Params { method: Method::Firth, ..Params::default() };
    let groups: Vec<_> = encoded.variables.iter().map(|variable| variable.columns.clone()).collect();
    let (fit, profiles) = fit_with_profiles(&encoded.design, &event, &params, &groups).unwrap();
    Fitted { design: encoded.design, event, fit, profiles }
}

/// No likelihood ratio is below 0 or cut there, and every limit lies on its side of the estimate.
fn check(name: &str, found: &Fitted, highest: f64) {
    let log_likelihood = found.fit.log_likelihood;
    // The reference has six decimals.
    assert!(log_likelihood > highest - 2e-6, "{name}: {log_likelihood}, highest {highest}");
    assert!(found.fit.converged, "{name}");
    for (at, (term, profile)) in found.fit.terms.iter().zip(&found.profiles).enumerate() {
        let (estimate, profile) = (term.estimate.unwrap(), profile.unwrap());
        assert!(profile.low < estimate && estimate < profile.high, "{name} {}: {profile:?}", term.name);
        if at > 0 {
            let ratio = likelihood_ratio(&found.fit, &found.design, &found.event, at - 1..at).unwrap();
            let close = (ratio.statistic - profile.test.statistic).abs() < 1e-5;
            assert!(close && ratio.statistic > 0.0, "{name} {}: {ratio:?} {profile:?}", term.name);
        }
    }
}

#[test]
fn the_highest_of_several_maxima_is_found() {
    for name in ["firth_local_75", "firth_local_122"] {
        let bytes = std::fs::read(fixture(&format!("statistics/{name}.csv"))).unwrap();
        let (_, highest) = HIGHEST.iter().find(|(known, _)| *known == name).unwrap();
        check(name, &fitted(&bytes, "y=1", &[]), *highest);
    }
}

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn the_highest_of_several_maxima_is_found_in_all_cases() {
    let Some(folder) = shared("cases/numbers") else { return };
    for (name, highest) in HIGHEST {
        let bytes = std::fs::read(folder.join(format!("{name}.csv"))).unwrap();
        check(name, &fitted(&bytes, "y=1", &[]), highest);
    }
    let davis = std::fs::read(folder.join("davis.csv")).unwrap();
    // brglm2 0.9, type = "MPL_Jeffreys": 183 complete rows.
    check("davis", &fitted(&davis, "EV__=1", &["weight", "height", "repwt"]), -30.332348020);
}

/// File, term, and the outermost limits of its 95 % profile interval; the fifth profile crosses the limit four times.
const OUTERMOST: [(&str, usize, f64, f64); 10] = [
    ("firth_local_75", 1, -0.067089, 3.664033),  // 2 crossings
    ("firth_local_75", 2, -3.020115, 0.635657),  // 2 crossings
    ("firth_local_122", 1, -0.044269, 3.893325), // 2 crossings
    ("firth_local_122", 2, -2.802426, 1.658182), // 2 crossings
    ("firth_local_214", 1, -0.366711, 0.913658), // 2 crossings
    ("firth_local_214", 2, -0.370470, 0.982242), // 2 crossings
    ("firth_local_44", 1, 0.765873, 3.624581),   // 2 crossings
    ("firth_local_44", 2, -2.432564, -0.012877), // 2 crossings
    ("firth_local_116", 1, 0.118281, 4.111190),  // 4 crossings
    ("firth_local_116", 2, -2.847486, 0.600403), // 2 crossings
];

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn a_far_limit_is_the_outermost_root() {
    // R 4.2.2: the penalised profile of the coefficient on a grid, each point maximised from 20 starts by optim (BFGS).
    let Some(folder) = shared("cases/numbers") else { return };
    for (name, term, low, high) in OUTERMOST {
        let bytes = std::fs::read(folder.join(format!("{name}.csv"))).unwrap();
        let found = fitted(&bytes, "y=1", &[]);
        let profile = found.profiles[term].unwrap();
        let close = |found: f64, expected: f64| (found - expected).abs() < 2e-4 * (1.0 + expected.abs());
        assert!(close(profile.low, low) && close(profile.high, high), "{name} {term}: {profile:?}");
    }
}

/// Estimate, standard error and profile limits by brglm2 and R: `fixtures/statistics/firth_many.R`.
const MANY: [[f64; 4]; 4] = [
    [-1.04323194255, 0.0458411213772, -1.13373958887, -0.954070524782],
    [0.815721665075, 0.0553467148249, 0.707914610585, 0.924833166117],
    [-0.562847011505, 0.0517550260182, -0.664675377768, -0.461841905035],
    [0.323576713387, 0.0750075569964, 0.176420714387, 0.470367654545],
];

#[test]
fn four_thousand_rows_are_fitted_with_their_limits_in_seconds() {
    let rows: Vec<f64> = (1..=4000).map(f64::from).collect();
    let (mut text, logistic) = (String::from("y,V1,V2,V3\n"), |eta: f64| 1.0 / (1.0 + (-eta).exp()));
    for i in rows {
        let (a, g) = (i.sin(), f64::from(u8::from(i % 3.0 == 0.0)));
        let b = (1.7 * i).cos() + 0.3 * a;
        let y = (i * 0.618_033_988_749_894_9) % 1.0 < logistic(-1.0 + 0.8 * a - 0.5 * b + 0.3 * g);
        text.push_str(&format!("{},{a},{b},{g}\n", u8::from(y)));
    }
    let began = std::time::Instant::now();
    let found = fitted(text.as_bytes(), "y=1", &[]);
    // Two seconds when it is optimised and alone; it was more than a minute.
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    assert!(found.fit.converged && (found.fit.log_likelihood + 2273.741288248).abs() < 1e-8);
    for (at, [estimate, se, low, high]) in MANY.into_iter().enumerate() {
        let (term, profile) = (&found.fit.terms[at], found.profiles[at].unwrap());
        let ours = [term.estimate.unwrap(), term.se.unwrap(), profile.low, profile.high];
        for (ours, theirs) in ours.into_iter().zip([estimate, se, low, high]) {
            assert!((ours - theirs).abs() < 1e-8, "{}: {ours}, R {theirs}", term.name);
        }
    }
}
