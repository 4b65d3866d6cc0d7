//! The works that the methods cite, as a list of references and for BibTeX.

/// One work. `cited` is how the methods name it; either spelling is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    pub key: &'static str,
    pub cited: &'static [&'static str],
    pub authors: &'static str,
    pub year: u16,
    pub title: &'static str,
    pub source: &'static str,
    /// Volume and pages, as `58(1):267–288`; empty for a book.
    pub place: &'static str,
    pub doi: &'static str,
}

/// The works that a text cites, in the order of this list.
pub fn cited(text: &str) -> Vec<Work> {
    WORKS.iter().copied().filter(|work| work.cited.iter().any(|name| text.contains(name))).collect()
}

impl Work {
    /// As a list of references prints it.
    pub fn reference(&self) -> String {
        let place = if self.place.is_empty() { String::new() } else { format!(" {}", self.place) };
        let doi = if self.doi.is_empty() { String::new() } else { format!(" doi:{}", self.doi) };
        format!("{}. {}. {}. {};{place}.{doi}", self.authors, self.title, self.source, self.year)
    }

    /// As BibTeX.
    pub fn bibtex(&self) -> String {
        let (kind, source) = if self.place.is_empty() { ("book", "publisher") } else { ("article", "journal") };
        let mut fields = vec![
            ("author", self.authors.replace(", ", " and ").replace(" and et al", " and others")),
            ("year", self.year.to_string()),
            ("title", format!("{{{}}}", self.title)),
            (source, self.source.to_owned()),
        ];
        if let Some((volume, pages)) = self.place.split_once(':') {
            fields.push(("volume", volume.split('(').next().unwrap_or(volume).to_owned()));
            fields.push(("pages", pages.replace('–', "--")));
        }
        if !self.doi.is_empty() {
            fields.push(("doi", self.doi.to_owned()));
        }
        let fields: Vec<String> = fields.into_iter().map(|(name, value)| format!("  {name} = {{{value}}}")).collect();
        format!("@{kind}{{{},\n{}\n}}\n", self.key, fields.join(",\n"))
    }
}

/// A `.bib` file of these works.
pub fn bibliography(works: &[Work]) -> String {
    works.iter().map(Work::bibtex).collect::<Vec<_>>().join("\n")
}

/// Title, source, volume with pages, and DOI are `about`.
const fn work(
    key: &'static str,
    cited: &'static [&'static str],
    authors: &'static str,
    year: u16,
    about: [&'static str; 4],
) -> Work {
    let [title, source, place, doi] = about;
    Work { key, cited, authors, year, title, source, place, doi }
}

const WORKS: &[Work] = &[
    work(
        "zwanenburg2020",
        &["Zwanenburg et al. 2020"],
        "Zwanenburg A, Vallières M, Abdalah MA, et al",
        2020,
        [
            "The Image Biomarker Standardization Initiative: standardized quantitative radiomics for high-throughput image-based phenotyping",
            "Radiology",
            "295(2):328–338",
            "10.1148/radiol.2020191145",
        ],
    ),
    work(
        "griethuysen2017",
        &["van Griethuysen et al. 2017"],
        "van Griethuysen JJM, Fedorov A, Parmar C, et al",
        2017,
        [
            "Computational radiomics system to decode the radiographic phenotype",
            "Cancer Research",
            "77(21):e104–e107",
            "10.1158/0008-5472.CAN-17-0339",
        ],
    ),
    work(
        "peng2005",
        &["Peng et al. 2005"],
        "Peng H, Long F, Ding C",
        2005,
        [
            "Feature selection based on mutual information: criteria of max-dependency, max-relevance, and min-redundancy",
            "IEEE Transactions on Pattern Analysis and Machine Intelligence",
            "27(8):1226–1238",
            "10.1109/TPAMI.2005.159",
        ],
    ),
    work(
        "tibshirani1996",
        &["Tibshirani 1996"],
        "Tibshirani R",
        1996,
        [
            "Regression shrinkage and selection via the lasso",
            "Journal of the Royal Statistical Society: Series B",
            "58(1):267–288",
            "10.1111/j.2517-6161.1996.tb02080.x",
        ],
    ),
    work(
        "breiman2001",
        &["Breiman 2001"],
        "Breiman L",
        2001,
        ["Random forests", "Machine Learning", "45(1):5–32", "10.1023/A:1010933404324"],
    ),
    work(
        "delong1988",
        &["DeLong et al. 1988"],
        "DeLong ER, DeLong DM, Clarke-Pearson DL",
        1988,
        [
            "Comparing the areas under two or more correlated receiver operating characteristic curves: a nonparametric approach",
            "Biometrics",
            "44(3):837–845",
            "10.2307/2531595",
        ],
    ),
    work(
        "sun2014",
        &["Sun and Xu 2014"],
        "Sun X, Xu W",
        2014,
        [
            "Fast implementation of DeLong's algorithm for comparing the areas under correlated receiver operating characteristic curves",
            "IEEE Signal Processing Letters",
            "21(11):1389–1393",
            "10.1109/LSP.2014.2337313",
        ],
    ),
    work(
        "newcombe2006",
        &["Newcombe"],
        "Newcombe RG",
        2006,
        [
            "Confidence intervals for an effect size measure based on the Mann–Whitney statistic. Part 2: asymptotic methods and evaluation",
            "Statistics in Medicine",
            "25(4):559–573",
            "10.1002/sim.2324",
        ],
    ),
    work(
        "wilson1927",
        &["Wilson"],
        "Wilson EB",
        1927,
        [
            "Probable inference, the law of succession, and statistical inference",
            "Journal of the American Statistical Association",
            "22(158):209–212",
            "10.1080/01621459.1927.10502953",
        ],
    ),
    work(
        "vickers2006",
        &["Vickers and Elkin 2006", "Elkin 2006"],
        "Vickers AJ, Elkin EB",
        2006,
        [
            "Decision curve analysis: a novel method for evaluating prediction models",
            "Medical Decision Making",
            "26(6):565–574",
            "10.1177/0272989X06295361",
        ],
    ),
    work(
        "lundberg2017",
        &["Lundberg and Lee 2017"],
        "Lundberg SM, Lee SI",
        2017,
        [
            "A unified approach to interpreting model predictions",
            "Advances in Neural Information Processing Systems",
            "30:4765–4774",
            "",
        ],
    ),
    work(
        "harrell1996",
        &["Harrell"],
        "Harrell FE, Lee KL, Mark DB",
        1996,
        [
            "Multivariable prognostic models: issues in developing models, evaluating assumptions and adequacy, and measuring and reducing errors",
            "Statistics in Medicine",
            "15(4):361–387",
            "10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4",
        ],
    ),
    work(
        "firth1993",
        &["Firth 1993", "Firth"],
        "Firth D",
        1993,
        ["Bias reduction of maximum likelihood estimates", "Biometrika", "80(1):27–38", "10.1093/biomet/80.1.27"],
    ),
    work(
        "rubin1987",
        &["Rubin 1987", "Rubin's rules"],
        "Rubin DB",
        1987,
        ["Multiple imputation for nonresponse in surveys", "New York: John Wiley & Sons", "", "10.1002/9780470316696"],
    ),
    work(
        "barnard1999",
        &["Barnard and Rubin"],
        "Barnard J, Rubin DB",
        1999,
        [
            "Small-sample degrees of freedom with multiple imputation",
            "Biometrika",
            "86(4):948–955",
            "10.1093/biomet/86.4.948",
        ],
    ),
    work(
        "riley2020",
        &["Riley"],
        "Riley RD, Ensor J, Snell KIE, et al",
        2020,
        [
            "Calculating the sample size required for developing a clinical prediction model",
            "BMJ",
            "368:m441",
            "10.1136/bmj.m441",
        ],
    ),
    work(
        "collins2024",
        &["TRIPOD+AI"],
        "Collins GS, Moons KGM, Dhiman P, et al",
        2024,
        [
            "TRIPOD+AI statement: updated guidance for reporting clinical prediction models that use regression or machine learning methods",
            "BMJ",
            "385:e078378",
            "10.1136/bmj-2023-078378",
        ],
    ),
    work(
        "kocak2023",
        &["CLEAR"],
        "Kocak B, Baessler B, Bakas S, et al",
        2023,
        [
            "CheckList for EvaluAtion of Radiomics research (CLEAR): a step-by-step reporting guideline for authors and reviewers endorsed by ESR and EuSoMII",
            "Insights into Imaging",
            "14(1):75",
            "10.1186/s13244-023-01415-8",
        ],
    ),
    work(
        "johnson2007",
        &["Johnson et al. 2007"],
        "Johnson WE, Li C, Rabinovic A",
        2007,
        [
            "Adjusting batch effects in microarray expression data using empirical Bayes methods",
            "Biostatistics",
            "8(1):118–127",
            "10.1093/biostatistics/kxj037",
        ],
    ),
    work(
        "fortin2018",
        &["Fortin et al. 2018"],
        "Fortin JP, Cullen N, Sheline YI, et al",
        2018,
        [
            "Harmonization of cortical thickness measurements across scanners and sites",
            "NeuroImage",
            "167:104–120",
            "10.1016/j.neuroimage.2017.11.024",
        ],
    ),
    work(
        "riley2011",
        &["Riley et al. 2011"],
        "Riley RD, Higgins JPT, Deeks JJ",
        2011,
        ["Interpretation of random effects meta-analyses", "BMJ", "342:d549", "10.1136/bmj.d549"],
    ),
    work(
        "kocak2024",
        &["METRICS"],
        "Kocak B, Akinci D'Antonoli T, Mercaldo N, et al",
        2024,
        [
            "METhodological RadiomICs Score (METRICS): a quality scoring tool for radiomics research endorsed by EuSoMII",
            "Insights into Imaging",
            "15(1):8",
            "10.1186/s13244-023-01572-w",
        ],
    ),
    work(
        "moons2025",
        &["PROBAST+AI"],
        "Moons KGM, Damen JAA, Kaul T, et al",
        2025,
        [
            "PROBAST+AI: an updated quality, risk of bias, and applicability assessment tool for prediction models using regression or artificial intelligence methods",
            "BMJ",
            "388:e082505",
            "10.1136/bmj-2024-082505",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cited_has_an_entry_that_bibtex_reads() {
        let works =
            cited("DeLong's 95% interval (DeLong et al. 1988), Tibshirani 1996 (LASSO), pooled by Rubin's rules");
        assert_eq!(
            works.iter().map(|work| work.key).collect::<Vec<_>>(),
            ["tibshirani1996", "delong1988", "rubin1987"]
        );
        let text = bibliography(&works);
        assert!(text.contains("@article{delong1988,\n  author = {DeLong ER and DeLong DM and Clarke-Pearson DL},"));
        assert!(
            text.contains("volume = {44}") && text.contains("pages = {837--845}") && text.contains("@book{rubin1987,")
        );
        assert_eq!(text.matches('{').count(), text.matches('}').count());
        let mut keys: Vec<&str> = WORKS.iter().map(|work| work.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), WORKS.len());
    }
}
