//! Rubin's rules against mice 3.15.0 on the same imputations: `fixtures/statistics/mice.R` and `mice_auxiliary.R`.

use osteon_stats::model::logistic::{self, Params};
use osteon_stats::stats::distribution::t_two_sided;
use osteon_stats::stats::rubin::pool;
use osteon_stats::table::encode::encode;
use osteon_stats::table::read::csv;
use osteon_testing::fixture;

#[test]
fn pooling_is_that_of_mice_on_the_same_imputations() {
    check("mice", 5, &["a", "b"]);
}

#[test]
fn pooling_is_that_of_mice_where_an_auxiliary_variable_imputed_what_is_missing() {
    // The auxiliary variable is no term: complete degrees of freedom count those of the model, with a factor of two.
    check("mice_auxiliary", 20, &["a", "b", "g"]);
}

fn check(name: &str, imputations: u32, terms: &[&str]) {
    let of = |part: &str| std::fs::read(fixture(&format!("statistics/{name}_{part}.csv"))).unwrap();
    let (imputed, expected) = (csv(&of("imputed"), &["g".to_owned()][..terms.len() - 2]), csv(&of("pooled"), &[]));
    let (imputed, expected) = (imputed.unwrap().table, expected.unwrap().table);
    let of = |imputation: f64| {
        let numbers = imputed.numbers(".imp").unwrap();
        let rows: Vec<usize> = (0..numbers.len()).filter(|&row| numbers[row] == Some(imputation)).collect();
        let one = imputed.select(&rows);
        let event: Vec<bool> = one.numbers("y").unwrap().iter().map(|y| *y == Some(1.0)).collect();
        let known: Vec<Option<bool>> = event.iter().map(|event| Some(*event)).collect();
        let encoded = encode(&one, terms, &[], &known).unwrap();
        logistic::fit(&encoded.design, &event, &Params::default()).unwrap()
    };
    let fits: Vec<_> = (1..=imputations).map(|imputation| of(f64::from(imputation))).collect();
    let n_terms = fits[0].terms.len();
    assert_eq!(n_terms, expected.rows().len());
    for term in 0..n_terms {
        let estimates: Vec<f64> = fits.iter().map(|fit| fit.terms[term].estimate.unwrap()).collect();
        let variances: Vec<f64> = fits.iter().map(|fit| fit.terms[term].se.unwrap().powi(2)).collect();
        let found = pool(&estimates, &variances, (fits[0].n - n_terms) as f64).unwrap();
        let se = found.total.sqrt();
        let values = [
            ("estimate", found.estimate),
            ("ubar", found.within),
            ("b", found.between),
            ("t", found.total),
            ("df", found.df),
            ("fmi", found.fmi),
            ("se", se),
            ("p", t_two_sided(found.estimate / se, found.df)),
        ];
        for (name, value) in values {
            let expected = expected.numbers(name).unwrap()[term].unwrap();
            assert!((value / expected - 1.0).abs() < 1e-8, "{term} {name}: {value}, mice {expected}");
        }
    }
}

#[test]
fn one_imputation_and_no_variance_have_nothing_to_pool() {
    assert_eq!(pool(&[1.0], &[0.1], 10.0), None);
    assert_eq!(pool(&[0.0, 0.0], &[0.0, 0.0], 10.0), None);
    // Nothing is missing: the complete data's degrees of freedom, nearly.
    let same = pool(&[1.0, 1.0, 1.0], &[0.1, 0.1, 0.1], 50.0).unwrap();
    assert!(same.df > 47.0 && same.df < 50.0 && same.fmi < 0.05, "{same:?}");
}
