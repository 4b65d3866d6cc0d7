//! Time to event where data are few, tied, without events or without a maximum; weights and scores that R does not have.

use osteon_stats::survival::accuracy::{auc_at, brier_at, calibration_at, integrated_brier};
use osteon_stats::survival::concordance::{PairWeight, concordance};
use osteon_stats::survival::cox::{self, FitError, Method, Params, Ties, Warning};
use osteon_stats::survival::follow_up::FollowUp;
use osteon_stats::survival::incidence::gray;
use osteon_stats::survival::log_rank::{Weight, log_rank};
use osteon_stats::table::Design;
use osteon_testing::{Comparison, Frame, fixture, json};

fn design(columns: &[(&str, &[f64])]) -> Design {
    let n = columns[0].1.len();
    Design {
        rows: (0..n).map(|row| row.to_string()).collect(),
        columns: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
        x: ndarray::Array2::from_shape_fn((n, columns.len()), |(i, j)| columns[j].1[i]),
    }
}

fn followed(time: &[f64], event: &[u8]) -> FollowUp {
    FollowUp::right_censored(time.to_vec(), event.iter().map(|&event| event == 1).collect()).unwrap()
}

/// lifelines 0.30.3 and scikit-survival 0.28.0, `fixtures/survival/weighted.py`.
#[test]
fn weighted_tests_and_scores_are_those_of_lifelines_and_scikit_survival() {
    let mut comparison = Comparison::default();
    for known in json(&fixture("survival/weighted.json")).as_array().unwrap() {
        let name = known["name"].as_str().unwrap();
        let frame = Frame::read(&fixture(&format!("survival/{name}.csv")));
        let event = frame.texts("event").iter().map(|text| text == "1").collect();
        let follow_up = FollowUp::right_censored(frame.numbers("months"), event).unwrap();
        let sites = ["femur", "humerus", "tibia"];
        let group: Vec<usize> =
            frame.texts("site").iter().map(|site| sites.iter().position(|known| known == site).unwrap()).collect();
        let fleming = |rho, gamma| Weight::FlemingHarrington { rho, gamma };
        let weights = [
            ("gehan", Weight::Gehan),
            ("tarone", Weight::TaroneWare),
            ("fh_0_1", fleming(0.0, 1.0)),
            ("fh_1_1", fleming(1.0, 1.0)),
            ("fh_half_2", fleming(0.5, 2.0)),
        ];
        for (key, weight) in weights {
            let test = log_rank(&follow_up, &group, 3, None, weight);
            let theirs = |at: usize| known["tests"][key][at].as_f64().unwrap();
            comparison.close(format!("{name} {key} chi2"), test.chi2, theirs(0), 1e-8, 1e-8);
            comparison.close(format!("{name} {key} p"), test.p.unwrap(), theirs(1), 1e-8, 1e-8);
        }
        // Where an event and a censoring share a time, scikit-survival takes the event as the later one; R does not.
        if name == "tied" {
            continue;
        }
        let marker = frame.numbers("volume");
        let at: Vec<f64> = known["at"].as_array().unwrap().iter().map(|at| at.as_f64().unwrap()).collect();
        let predicted = |time: f64| marker.iter().map(|it| (-it.sqrt() / 400.0 * time).exp()).collect::<Vec<f64>>();
        for (place, &time) in at.iter().enumerate() {
            let auc = auc_at(&follow_up, &marker, time).unwrap();
            comparison.close(format!("{name} auc {time}"), auc, known["auc"][place].as_f64().unwrap(), 1e-8, 1e-8);
            let brier = brier_at(&follow_up, &predicted(time), time).unwrap();
            comparison.close(
                format!("{name} brier {time}"),
                brier,
                known["brier"][place].as_f64().unwrap(),
                1e-8,
                1e-8,
            );
        }
        let all: Vec<Vec<f64>> = at.iter().map(|&time| predicted(time)).collect();
        let integrated = integrated_brier(&follow_up, &all, &at).unwrap();
        comparison.close(format!("{name} ibs"), integrated, known["integrated"].as_f64().unwrap(), 1e-8, 1e-8);
        let uno = concordance(&follow_up, &marker, PairWeight::Uno { until: Some(30.012) }).unwrap().c;
        comparison.close(format!("{name} uno"), uno, known["uno"].as_f64().unwrap(), 1e-8, 1e-8);
    }
    comparison.finish(30);
}

#[test]
fn a_group_without_events_makes_the_likelihood_monotone_and_firth_finite() {
    let follow_up = followed(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &[1, 0, 1, 0, 1, 0, 1, 0]);
    let design = design(&[
        ("treated", &[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]),
        ("age", &[3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0]),
    ]);
    let fit = cox::fit(&design, &follow_up, None, Params::default()).unwrap();
    assert_eq!((fit.terms[0].estimate, fit.terms[0].se), (Some(f64::NEG_INFINITY), None));
    let Warning::Monotone { terms } = &fit.warnings[0] else { panic!("{:?}", fit.warnings) };
    assert_eq!((terms.len(), terms[0].term.as_str()), (1, "treated"));
    // The other term is that of the untreated alone, in the limit.
    let alone = crate::survival_edges::design(&[("age", &[3.0, 4.0, 5.0, 2.0])]);
    let untreated = followed(&[1.0, 3.0, 5.0, 7.0], &[1, 1, 1, 1]);
    let limit = cox::fit(&alone, &untreated, None, Params::default()).unwrap();
    let off = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs();
    assert!(off(fit.terms[1].estimate, limit.terms[0].estimate) < 1e-6, "{fit:?} {limit:?}");
    assert!(off(fit.terms[1].se, limit.terms[0].se) < 1e-5);
    let firth = cox::fit(&design, &follow_up, None, Params { method: Method::Firth, ..Params::default() }).unwrap();
    assert!(firth.converged && firth.terms[0].estimate.unwrap().is_finite() && firth.warnings.is_empty());
    // The log-rank test stands: the group has expected events.
    assert!(log_rank(&follow_up, &[0, 1, 0, 1, 0, 1, 0, 1], 2, None, Weight::LogRank).p.unwrap() < 0.2);
}

#[test]
fn data_without_an_event_or_with_one_row_are_refused_or_have_no_test() {
    let one_column = design(&[("age", &[1.0, 2.0])]);
    let fit = |follow_up: &FollowUp, design: &Design| cox::fit(design, follow_up, None, Params::default());
    assert_eq!(fit(&followed(&[1.0, 2.0], &[0, 0]), &one_column), Err(FitError::NoEvent { n: 2 }));
    let alone = fit(&followed(&[1.0], &[1]), &design(&[("age", &[1.0])])).unwrap();
    assert_eq!((alone.terms[0].estimate, alone.df()), (None, 0));
    assert_eq!(alone.likelihood_ratio(), None);
    let none = followed(&[1.0, 2.0, 3.0], &[0, 0, 0]);
    assert_eq!(log_rank(&none, &[0, 1, 1], 2, None, Weight::LogRank).p, None);
    assert_eq!(gray(&none, &[false; 3], &[0, 1, 1], 2, None), None);
    assert_eq!(auc_at(&none, &[1.0, 2.0, 3.0], 2.5), None);
}

#[test]
fn a_group_that_is_never_at_risk_at_an_event_takes_no_part() {
    let follow_up = followed(&[1.0, 5.0, 6.0, 7.0, 8.0], &[0, 1, 1, 0, 1]);
    let test = log_rank(&follow_up, &[0, 1, 2, 1, 2], 3, None, Weight::LogRank);
    assert_eq!((test.groups[0].n, test.groups[0].expected, test.df), (1, 0.0, 1));
}

#[test]
fn ties_are_broken_as_asked_and_too_many_for_exact_are_refused() {
    let n = 4000;
    let time = vec![1.0; n];
    let event: Vec<u8> = (0..n).map(|row| u8::from(row % 2 == 0)).collect();
    let values: Vec<f64> = (0..n).map(|row| (row % 7) as f64).collect();
    let design = design(&[("x", &values)]);
    let exact = Params { ties: Ties::Exact, ..Params::default() };
    let found = cox::fit(&design, &followed(&time, &event), None, exact);
    assert!(found.is_ok_and(|fit| fit.converged));
    let firth = cox::fit(&design, &followed(&time, &event), None, Params { method: Method::Firth, ..exact });
    assert_eq!(firth, Err(FitError::FirthExact));
    let n = 8000;
    let (time, event) = (vec![1.0; n], vec![1; n]);
    let values: Vec<f64> = (0..n).map(|row| (row % 7) as f64).collect();
    let found = cox::fit(&crate::survival_edges::design(&[("x", &values)]), &followed(&time, &event), None, exact);
    assert_eq!(found, Err(FitError::TooManyTies { events: 8000, at_risk: 8000 }));
}

#[test]
fn late_entry_of_everyone_at_zero_changes_nothing() {
    let frame = Frame::read(&fixture("survival/tied.csv"));
    let event: Vec<bool> = frame.texts("event").iter().map(|text| text == "1").collect();
    let time = frame.numbers("months");
    let plain = FollowUp::right_censored(time.clone(), event.clone()).unwrap();
    let late = FollowUp::new(Some(vec![0.0; time.len()]), time, event).unwrap();
    let design = design(&[("age", &frame.numbers("age")), ("volume", &frame.numbers("volume"))]);
    for ties in [Ties::Efron, Ties::Breslow, Ties::Exact] {
        let params = Params { ties, ..Params::default() };
        let fits = [&plain, &late].map(|follow_up| cox::fit(&design, follow_up, None, params).unwrap());
        assert_eq!(fits[0], fits[1]);
    }
}

#[test]
fn calibration_of_the_truth_is_near_one() {
    let frame = Frame::read(&fixture("survival/plain.csv"));
    let event: Vec<bool> = frame.texts("event").iter().map(|text| text == "1").collect();
    let follow_up = FollowUp::right_censored(frame.numbers("months"), event).unwrap();
    let design = design(&[("age", &frame.numbers("age")), ("volume", &frame.numbers("volume"))]);
    let fit = cox::fit(&design, &follow_up, None, Params::default()).unwrap();
    let base = cox::baseline(&design, &follow_up, None, &fit).unwrap();
    let predicted: Vec<f64> = design.x.outer_iter().map(|x| base.predict(0, &x.to_vec(), 24.0).survival).collect();
    let found = calibration_at(&follow_up, &predicted, 24.0, 4);
    assert_eq!(found.groups.iter().map(|group| group.n).sum::<usize>(), 140);
    assert_eq!(found.groups.len(), 4);
    let [lower, upper] = found.limits.unwrap();
    assert!((found.ratio.unwrap() - 1.0).abs() < 0.05 && lower < 1.0 && 1.0 < upper, "{found:?}");
}
