//! Descriptions and tests against R 4.2.2: `table1/` of the statistics references.

use osteon_stats::stats::compare::{self, Categorical, Continuous, Params};
use osteon_stats::stats::describe::{Quantiles, summary};
use osteon_stats::stats::two_groups::Test;
use osteon_stats::table::event::Event;
use osteon_stats::table::{Table, Values, read};
use serde_json::Value;

use osteon_testing::{Comparison, fixture, shared};

/// Data set, its event, the columns that hold numbers but are categories.
const SETS: [(&str, &str, &[&str]); 5] = [
    ("cohort", "necrosis_pct<90", &[]),
    ("birthwt", "low=1", &[]),
    ("aSAH", "outcome=Poor", &["wfns"]),
    ("breast_cancer", "malignant=1", &[]),
    ("titanic", "Survived=Yes", &[]),
];

#[test]
#[cfg_attr(not(reference), ignore = "needs the reference collection")]
fn table_1_of_every_reference_is_met() {
    let mut comparison = Comparison::default();
    for (set, event, categorical) in SETS {
        let (Some(data), Some(reference)) = (data(set), reference(set)) else { continue };
        let bytes = std::fs::read(data).unwrap();
        let categorical: Vec<String> = categorical.iter().map(|&name| name.to_owned()).collect();
        let table = read::csv(&bytes, &categorical).unwrap().table;
        let event = event.parse::<Event>().unwrap().of(&table).unwrap();
        let reference: Value = serde_json::from_str(&std::fs::read_to_string(reference).unwrap()).unwrap();
        for (stratum, expected) in reference["strata"].as_object().unwrap() {
            let rows = stratum_rows(&table, stratum);
            let name = |variable: &str| format!("{set} {stratum} {variable}");
            for (variable, expected) in expected["continuous"].as_object().into_iter().flatten() {
                let values = table.numbers(variable).unwrap();
                let of = |group: bool| -> Vec<f64> {
                    rows.iter().filter(|&&row| event[row] == Some(group)).filter_map(|&row| values[row]).collect()
                };
                check_continuous(&mut comparison, &name(variable), [&of(false), &of(true)], expected);
            }
            for (variable, expected) in expected["categorical"].as_object().into_iter().flatten() {
                let counts = counts(&table, variable, &rows, &event, expected);
                check_categorical(&mut comparison, &name(variable), &counts, expected);
            }
        }
    }
    // The cohort alone, which every clone has, is 912 values.
    comparison.finish(912);
}

fn data(set: &str) -> Option<std::path::PathBuf> {
    if set == "cohort" { Some(fixture("cohort.csv")) } else { shared(&format!("reference/statistics/data/{set}.csv")) }
}

fn reference(set: &str) -> Option<std::path::PathBuf> {
    match set {
        "cohort" => Some(fixture("statistics/table1_cohort.json")),
        set => shared(&format!("reference/statistics/table1/table1_{set}.json")),
    }
}

#[test]
fn tails_and_quantiles_keep_twelve_digits() {
    use osteon_stats::stats::distribution as d;
    let mut comparison = Comparison::default();
    let mut reader = csv::Reader::from_path(fixture("statistics/tails.csv")).unwrap();
    for record in reader.records().map(Result::unwrap) {
        let number = |at: usize| record[at].parse::<f64>().unwrap_or(0.0);
        let (x, a, b) = (number(1), number(2), number(3));
        let ours = match &record[0] {
            "normal_two_sided" => Some(d::normal_two_sided(x)),
            "normal_quantile" => Some(d::normal_quantile(x)),
            "chi2_sf" => Some(d::chi2_sf(x, a)),
            "t_two_sided" => Some(d::t_two_sided(x, a)),
            "f_sf" => Some(d::f_sf(x, a, b)),
            "kolmogorov_sf" => Some(d::kolmogorov_sf(x)),
            "chi2_quantile" => d::chi2_quantile(x, a),
            "t_quantile" => d::t_quantile(x, a),
            "f_quantile" => d::f_quantile(x, a, b),
            "beta_quantile" => d::beta_quantile(x, a, b),
            other => panic!("no function {other}"),
        };
        comparison.close(record.iter().collect::<Vec<_>>().join(" "), ours.unwrap_or(f64::NAN), number(4), 1e-12, 0.0);
    }
    comparison.finish(60);
}

fn stratum_rows(table: &Table, stratum: &str) -> Vec<usize> {
    let all = 0..table.rows().len();
    if stratum == "all" {
        return all.collect();
    }
    let inside = format!("split={stratum}").parse::<Event>().unwrap().of(table).unwrap();
    all.filter(|&row| inside[row] == Some(true)).collect()
}

/// Counts in the order of the reference's levels.
fn counts(table: &Table, variable: &str, rows: &[usize], event: &[Option<bool>], expected: &Value) -> Vec<Vec<usize>> {
    let Values::Levels { levels, codes } = &table.column(variable).unwrap().values else { panic!("{variable}") };
    let order = expected["levels"].as_array().unwrap().iter().map(|level| level.as_str().unwrap());
    let row = |level: &str| {
        let code = levels.iter().position(|found| found == level);
        let count = |group| rows.iter().filter(|&&row| codes[row] == code && event[row] == Some(group)).count();
        vec![count(false), count(true)]
    };
    order.map(row).collect()
}

struct Against<'a> {
    comparison: &'a mut Comparison,
    name: &'a str,
    expected: &'a Value,
}

impl Against<'_> {
    /// A reference that R could not compute is null or absent and not compared.
    fn close(&mut self, key: &str, ours: Option<f64>, relative: f64, absolute: f64) {
        let Some(theirs) = self.expected[key].as_f64() else { return };
        match ours {
            Some(ours) => self.comparison.close(format!("{} {key}", self.name), ours, theirs, relative, absolute),
            None => self.comparison.miss(format!("{} {key}: none, reference {theirs}", self.name)),
        }
    }

    fn test(&mut self, test: Option<Test>, statistic: &str, df: &str, p: &str) {
        self.close(statistic, test.map(|test| test.statistic), 1e-10, 1e-13);
        self.close(df, test.map(|test| test.df), 1e-10, 0.0);
        self.close(p, test.map(|test| test.p), 1e-9, 0.0);
    }
}

fn check_continuous(comparison: &mut Comparison, name: &str, groups: [&[f64]; 2], expected: &Value) {
    // Group 0 is the one without the event, as in the references.
    let Continuous { t_pooled, t_welch, levene, mann_whitney, ks, shapiro, standardised_difference, .. } =
        compare::continuous(groups[0], groups[1], &Params::default());
    let all: Vec<f64> = groups.concat();
    for (key, values) in [("describe_total", &all[..]), ("describe_0", groups[0]), ("describe_1", groups[1])] {
        let mut against = Against { comparison, name: &format!("{name} {key}"), expected: &expected[key] };
        let (r, spss) = (summary(values, Quantiles::Type7), summary(values, Quantiles::Type6));
        against.close("n", Some(r.n as f64), 0.0, 0.0);
        let pairs = [
            ("mean", r.mean),
            ("sd", r.sd),
            ("median", r.median),
            ("q1_type7", r.q1),
            ("q3_type7", r.q3),
            ("q1_type6_spss", spss.q1),
            ("q3_type6_spss", spss.q3),
            ("min", r.min),
            ("max", r.max),
        ];
        pairs.into_iter().for_each(|(key, ours)| against.close(key, ours, 1e-10, 0.0));
    }
    for (at, key) in ["normality_total", "normality_0", "normality_1"].into_iter().enumerate() {
        let mut against = Against { comparison, name: &format!("{name} {key}"), expected: &expected[key] };
        against.close("ks_D", ks[at].map(|ks| ks.d), 1e-10, 1e-12);
        // R stops its alternating series early.
        against.close("p_plain_asymptotic", ks[at].map(|ks| ks.p_plain), 0.0, 1e-4);
        against.close("p_lilliefors_R_nortest", ks[at].map(|ks| ks.p_lilliefors), 1e-9, 1e-12);
        against.close("shapiro_W", shapiro[at].map(|shapiro| shapiro.w), 1e-10, 0.0);
        against.close("shapiro_p", shapiro[at].map(|shapiro| shapiro.p), 1e-9, 0.0);
    }
    let mut against = Against { comparison, name, expected: &expected["t_test"] };
    against.test(t_pooled, "t_pooled", "df_pooled", "p_pooled");
    against.test(t_welch, "t_welch", "df_welch", "p_welch");
    against.test(levene, "levene_F_mean_spss", "", "levene_p_mean_spss");
    against.close("smd", standardised_difference, 1e-10, 1e-13);
    let mut against = Against { comparison, name, expected: &expected["mann_whitney"] };
    let test = mann_whitney.unwrap();
    against.close("U_min", Some(test.u), 1e-10, 0.0);
    against.close("Z_spss", test.z, 1e-10, 0.0);
    against.close("p_asymp", test.p, 1e-9, 0.0);
    against.close("p_exact_untied_dist", test.p_exact, 1e-9, 0.0);
    against.close("p_exact_conditional_ties", test.p_exact_ties, 1e-9, 0.0);
}

fn check_categorical(comparison: &mut Comparison, name: &str, counts: &[Vec<usize>], expected: &Value) {
    let Categorical { counts, pearson, yates, likelihood_ratio, linear_by_linear, fisher, cramers_v, .. } =
        compare::categorical(counts, &Params::default());
    let mut against = Against { comparison, name, expected };
    against.close("N", Some(counts.n() as f64), 0.0, 0.0);
    against.test(pearson, "pearson_chi2", "df", "pearson_p");
    against.test(yates, "yates_chi2", "", "yates_p");
    against.test(likelihood_ratio, "lr_G2", "df", "lr_p");
    against.test(linear_by_linear, "linear_by_linear", "", "linear_by_linear_p");
    against.close("fisher_p_two_sided", fisher, 1e-9, 0.0);
    against.close("min_expected", Some(counts.sparseness(5.0).1), 1e-10, 0.0);
    against.close("cramers_v", cramers_v, 1e-10, 1e-13);
}
