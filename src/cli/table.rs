//! `osteon table N`.

use std::path::PathBuf;

use crate::cli::describe::Correction;
use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::protocol::{Preset, Protocol};
use osteon_study::report::differences::Asked;
use osteon_study::report::journal::{Decimal, Look, Style};
use osteon_study::report::sheet::Sheet;
use osteon_study::study::{ClinicalTable, Error, Form, ModelTable, Study};

/// Print a table of the study, alone or beside the published one
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  osteon table 1\n  osteon table 1 --form journal\n  \
    osteon --format latex table 5 --form journal --style ama > table5.tex\n  osteon table 4 --against published.csv")]
pub struct Args {
    /// 1 the cohort by response; 2 the same in the training and test sets; 3 the regions' forests; 4 logistic regression;
    /// 5 the clinical, radiomics and combined models; survival the models of a time to event (osteon fit --outcome); batch
    /// how many features differ between scanners or centres (learn.batch); centres each centre under models of the others
    /// (osteon fit --leave-out)
    #[arg(value_parser = ["1", "2", "3", "4", "5", "survival", "batch", "centres"])]
    number: String,
    /// An outcome of kind time: Table 1 by its event, and which models the table survival shows
    #[arg(long, value_name = "NAME", conflicts_with_all = ["against", "preset"])]
    outcome: Option<String>,
    /// Table 1 by the risk groups of the combined model of the outcome: below and above the median of the training patients
    #[arg(long, requires = "outcome")]
    by_risk: bool,
    /// Published cells (a CSV file: table,set,row,column,printed) to compare with
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// Choose the tests of Tables 1, 2 and 4 by this preset instead of the study's protocol: published or recommended
    #[arg(long, value_name = "PRESET")]
    preset: Option<String>,
    /// Tables 1 and 2 with adjusted P values: holm, or bh for q values
    #[arg(long, value_name = "holm|bh", conflicts_with = "against")]
    adjust: Option<Correction>,
    /// Tables 1 and 2 with differences, their 95 % intervals, and standardized differences
    #[arg(long, conflicts_with = "against")]
    differences: bool,
    /// Which values are missing among the variables of Tables 1 and 2, each and together, below the table
    #[arg(long, conflicts_with = "against")]
    missing_values: bool,
    /// full: every statistic; journal: proper names, units, reference levels, one P value a comparison, lettered footnotes
    #[arg(long, value_enum, default_value_t = FormName::Full, conflicts_with = "against")]
    form: FormName,
    #[command(flatten)]
    looks: Looks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum FormName {
    Full,
    Journal,
}

/// How numbers of a table in journal form are printed.
#[derive(Debug, clap::Args)]
pub struct Looks {
    /// paper: three decimals; ama: AMA/JAMA, P to two digits without its zero; lancet: mid-dots (journal form)
    #[arg(long, value_enum)]
    style: Option<StyleName>,
    /// Decimal sign (journal form); that of the style when not given
    #[arg(long, value_enum)]
    decimal: Option<DecimalName>,
    /// Whether numbers that cannot exceed 1 have a zero before the decimal sign (journal form); as the style has it when
    /// not given
    #[arg(long, value_enum)]
    leading_zero: Option<YesNo>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum StyleName {
    Paper,
    Ama,
    Lancet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum DecimalName {
    Point,
    Comma,
    Middot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum YesNo {
    Yes,
    No,
}

impl Looks {
    /// The form with its look; looks of the full form are refused, which has one.
    pub fn form(&self, form: FormName) -> Result<Form, Error> {
        let asked = self.style.is_some() || self.decimal.is_some() || self.leading_zero.is_some();
        match form {
            FormName::Full if asked => Err(Error::Request(
                "--style, --decimal and --leading-zero are for tables in journal form: add --form journal".to_owned(),
            )),
            FormName::Full => Ok(Form::Full),
            FormName::Journal => {
                let mut look = Look::of(match self.style {
                    None | Some(StyleName::Paper) => Style::Paper,
                    Some(StyleName::Ama) => Style::Ama,
                    Some(StyleName::Lancet) => Style::Lancet,
                });
                look.decimal = match self.decimal {
                    None => look.decimal,
                    Some(DecimalName::Point) => Decimal::Point,
                    Some(DecimalName::Comma) => Decimal::Comma,
                    Some(DecimalName::Middot) => Decimal::Middle,
                };
                look.leading_zero = self.leading_zero.map_or(look.leading_zero, |choice| choice == YesNo::Yes);
                Ok(Form::Journal(look))
            }
        }
    }
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let form = args.looks.form(args.form)?;
    if matches!(form, Form::Journal(_)) && (args.missing_values || !asked(args).nothing()) {
        let why = "--adjust, --differences and --missing-values are of the full form: leave --form journal out";
        return Err(Error::Request(why.to_owned()));
    }
    let study = opening::read(globals)?;
    if ["batch", "centres"].contains(&args.number.as_str()) {
        return several_centres(&study, args, globals);
    }
    if args.number == "survival" || args.outcome.is_some() {
        return survival(&study, args, globals);
    }
    let shown = || {
        if ["3", "5"].contains(&args.number.as_str()) {
            opening::shown(globals, &study, &format!("table {}", args.number));
        }
    };
    if let Form::Journal(look) = &form {
        let sheet = journal(&study, args, look)?;
        shown();
        output::print_journal(&sheet, globals.format)?;
        return Ok(Outcome::Done);
    }
    let sheet = match args.number.as_str() {
        "1" => clinical(&study, ClinicalTable::One, args)?,
        "2" => clinical(&study, ClinicalTable::Two, args)?,
        "3" => models(&study, ModelTable::Three, args)?,
        "4" => clinical(&study, ClinicalTable::Four, args)?,
        _ => models(&study, ModelTable::Five, args)?,
    };
    shown();
    if args.missing_values {
        let sheets = [vec![sheet], study.missing_values()?].concat();
        output::print_sheets(&sheets, globals.format)?;
    } else {
        output::print_sheet(&sheet, globals.format)?;
    }
    Ok(Outcome::Done)
}

/// Tables of several scanners or centres.
fn several_centres(study: &Study, args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let other = args.outcome.is_some() || args.against.is_some() || args.preset.is_some() || args.missing_values;
    if other || args.form == FormName::Journal || !asked(args).nothing() {
        return Err(Error::Request(format!("the table {} takes no other option", args.number)));
    }
    match args.number.as_str() {
        "batch" => output::print_sheet(&study.batch_sheet()?, globals.format)?,
        _ => {
            let sheets = study.centres_sheets()?;
            opening::shown(globals, study, "table centres");
            output::print_sheets(&sheets, globals.format)?;
        }
    }
    Ok(Outcome::Done)
}

/// Tables of a time to event.
fn survival(study: &Study, args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let no = |why: &str| Err(Error::Request(why.to_owned()));
    let outcome = args.outcome.as_deref();
    if args.form == FormName::Journal || args.missing_values || args.against.is_some() || args.preset.is_some() {
        return no("--form journal, --missing-values, --against and --preset are not for tables of a time to event");
    }
    match args.number.as_str() {
        "1" => output::print_sheet(&study.table_1_of_time(outcome, args.by_risk, asked(args))?, globals.format)?,
        "survival" if args.by_risk => return no("--by-risk is for Table 1"),
        "survival" if !asked(args).nothing() => return no("--adjust and --differences are for Tables 1 and 2"),
        "survival" => output::print_sheets(&study.prognosis_sheets(outcome)?, globals.format)?,
        number => {
            return no(&format!(
                "--outcome is for Table 1 and for the table survival; Table {number} is of the response; hazard ratios: \
                 osteon survival --outcome"
            ));
        }
    }
    Ok(Outcome::Done)
}

fn journal(study: &Study, args: &Args, look: &Look) -> Result<Sheet, Error> {
    let clinical = |table| study.journal_clinical(table, &protocol_of(study, args)?, look);
    let models = |table: ModelTable| no_preset(table, args).and_then(|()| study.journal_models(table, look));
    match args.number.as_str() {
        "1" => clinical(ClinicalTable::One),
        "2" => clinical(ClinicalTable::Two),
        "3" => models(ModelTable::Three),
        "4" => clinical(ClinicalTable::Four),
        _ => models(ModelTable::Five),
    }
}

fn protocol_of(study: &Study, args: &Args) -> Result<Protocol, Error> {
    Ok(match &args.preset {
        None => study.protocol.clone(),
        Some(name) => study.protocol.clone().with_statistics_of(name.parse::<Preset>()?),
    })
}

fn no_preset(table: ModelTable, args: &Args) -> Result<(), Error> {
    if args.preset.is_none() {
        return Ok(());
    }
    let number = table.number();
    Err(Error::Request(format!(
        "--preset chooses the tests of Tables 1, 2 and 4; Table {number} has none: its models are those of the newest fit"
    )))
}

fn clinical(study: &Study, table: ClinicalTable, args: &Args) -> Result<Sheet, Error> {
    let protocol = protocol_of(study, args)?;
    match &args.against {
        None => Ok(study.clinical_table_as(table, &protocol, asked(args))?.0),
        Some(path) => study.clinical_beside(table, &protocol, path),
    }
}

fn asked(args: &Args) -> Asked {
    Asked { adjust: args.adjust.map(Into::into), differences: args.differences }
}

fn models(study: &Study, table: ModelTable, args: &Args) -> Result<Sheet, Error> {
    no_preset(table, args)?;
    if !asked(args).nothing() {
        let number = table.number();
        return Err(Error::Request(format!(
            "--adjust and --differences are for Tables 1 and 2; Table {number} compares no groups of patients"
        )));
    }
    match &args.against {
        None => study.model_table(table),
        Some(path) => study.models_beside(table, path),
    }
}
