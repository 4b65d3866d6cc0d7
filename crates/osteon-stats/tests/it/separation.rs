//! Separated events: which coefficients run to infinity, which any value fits, and what the profile says of them.

use osteon_stats::model::logistic::{self, Fit, Params, Profile, Warning};
use osteon_stats::survival::cox;
use osteon_stats::survival::follow_up::FollowUp;
use osteon_stats::table::Design;

/// x divides the event between -0.5 and 0.5; z says nothing of it.
const X: [f64; 8] = [-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0];
const Z: [f64; 8] = [0.3, -1.2, 0.8, -0.4, -0.9, 1.1, -0.2, 0.6];

fn design(columns: &[(&str, &[f64])]) -> Design {
    let n = columns[0].1.len();
    Design {
        rows: (0..n).map(|row| row.to_string()).collect(),
        columns: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
        x: ndarray::Array2::from_shape_fn((n, columns.len()), |(i, j)| columns[j].1[i]),
    }
}

fn fitted(columns: &[(&str, &[f64])], event: &[bool]) -> (Fit, Vec<Option<Profile>>) {
    let (design, params) = (design(columns), Params::default());
    let fit = logistic::fit(&design, event, &params).unwrap();
    let profiles = logistic::profile(&fit, &design, event);
    (fit, profiles)
}

/// The separating terms with their signs, and those that are undetermined.
fn named(fit: &Fit) -> (String, Vec<String>) {
    let mut found = (String::new(), Vec::new());
    for warning in &fit.warnings {
        match warning {
            Warning::Separation { terms, .. } => {
                let signed = terms.iter().map(|it| format!("{}{}", if it.positive { '+' } else { '-' }, it.term));
                found.0 = signed.collect::<Vec<_>>().join(" ");
            }
            Warning::Undetermined { terms } => found.1.clone_from(terms),
            other => panic!("{other}"),
        }
    }
    found
}

fn is_flat(profile: Option<Profile>) -> bool {
    let profile = profile.unwrap();
    let whole = (profile.low, profile.high) == (f64::NEG_INFINITY, f64::INFINITY);
    whole && profile.test.statistic == 0.0 && profile.test.p == 1.0
}

#[test]
fn a_term_beside_one_that_separates_alone_is_undetermined_and_its_profile_is_flat() {
    // By formula: whatever z's coefficient b is, an x coefficient above 2 max|b z| tells every row, so that the
    // likelihood comes as near to 1 as one likes. So for the intercept, whose cut lies anywhere from -0.5 to 0.5.
    let event: Vec<bool> = X.iter().map(|&x| x > 0.0).collect();
    let (fit, profiles) = fitted(&[("x", &X), ("z", &Z)], &event);
    assert_eq!(named(&fit), ("+x".to_owned(), vec!["z".to_owned(), "(Intercept)".to_owned()]));
    assert!(is_flat(profiles[2]) && is_flat(profiles[0]), "{profiles:?}");
    assert_eq!((fit.terms[2].estimate, fit.terms[2].se, fit.df()), (None, None, 2));
    let x = profiles[1].unwrap();
    assert!(x.low.is_finite() && x.low > 0.0 && x.high == f64::INFINITY, "{x:?}");
    // Away from 0 the cut is between 9.5 and 10.5: the intercept falls with the slope.
    let far = X.map(|x| x + 10.0);
    let (fit, profiles) = fitted(&[("x", &far), ("z", &Z)], &event);
    assert_eq!(named(&fit), ("+x -(Intercept)".to_owned(), vec!["z".to_owned()]));
    let intercept = profiles[0].unwrap();
    assert!(intercept.low == f64::NEG_INFINITY && intercept.high.is_finite(), "{intercept:?}");
}

#[test]
fn two_terms_of_which_each_separates_alone_are_both_undetermined() {
    let event: Vec<bool> = X.iter().map(|&x| x > 0.0).collect();
    let cubed = X.map(|x| x.powi(3) + 0.1 * x * x);
    let (fit, profiles) = fitted(&[("x", &X), ("cubed", &cubed)], &event);
    assert_eq!(named(&fit).0, "");
    assert_eq!(named(&fit).1, ["x", "cubed", "(Intercept)"]);
    assert!(profiles.into_iter().all(is_flat));
}

#[test]
fn a_quasi_separation_leaves_the_terms_that_the_overlap_tells_as_they_were() {
    // Only rows with g = 1 are told; z is estimated from the others: R's glm on these 8 rows alone.
    let g = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let z: Vec<f64> = Z.iter().copied().chain([0.5, -0.5, 1.0]).collect();
    let event = [true, false, false, true, false, true, true, false, true, true, true];
    let (fit, profiles) = fitted(&[("g", &g), ("z", &z)], &event);
    assert_eq!(named(&fit), ("+g".to_owned(), Vec::new()));
    let (alone, of_alone) = fitted(&[("z", &Z)], &event[..8]);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-7 * (1.0 + b.abs());
    assert!(close(fit.terms[2].estimate.unwrap(), alone.terms[1].estimate.unwrap()), "{fit:?}");
    let (found, expected) = (profiles[2].unwrap(), of_alone[1].unwrap());
    assert!(close(found.low, expected.low) && close(found.high, expected.high), "{found:?} {expected:?}");
}

#[test]
fn a_monotone_likelihood_has_undetermined_terms_too() {
    // x orders the events alone, whoever dies has the highest x: the partial likelihood comes as near to 1 as one likes
    // with any coefficient of z.
    let x: Vec<f64> = (0..8).map(|at| 8.0 - f64::from(at)).collect();
    let time = (1..=8).map(f64::from).collect();
    let follow_up = FollowUp::right_censored(time, vec![true; 8]).unwrap();
    let fit = cox::fit(&design(&[("x", &x), ("z", &Z)]), &follow_up, None, cox::Params::default()).unwrap();
    let names = |infinite: &logistic::Infinite| (infinite.term.clone(), infinite.positive);
    let cox::Warning::Monotone { terms } = &fit.warnings[0] else { panic!("{:?}", fit.warnings) };
    assert_eq!(terms.iter().map(names).collect::<Vec<_>>(), [("x".to_owned(), true)]);
    assert_eq!(fit.warnings[1], cox::Warning::Undetermined { terms: vec!["z".to_owned()] });
    assert_eq!((fit.terms[1].estimate, fit.df()), (None, 2));
}
