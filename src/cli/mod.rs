//! The command line: arguments in, a `study` request, printing out. No SQL, no statistics.

mod agreement;
mod cells;
mod codebook;
mod compare;
mod completions;
mod dashboard;
mod demo;
mod describe;
mod edit;
mod emit;
mod evaluate;
mod export;
mod extract;
mod features;
mod figure;
mod fit;
mod ibsi;
mod images;
mod import;
mod init;
mod jobs;
mod km;
mod log;
mod logistic;
pub mod man;
pub mod man_examples;
mod masks;
mod model;
mod names;
mod opening;
mod output;
mod patients;
mod predict;
mod process;
mod protocol;
mod query;
mod reconcile;
mod redact;
mod report;
mod roc;
mod samplesize;
mod shard;
mod split;
mod survival;
mod table;
mod trust;
mod undo;
mod validate;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use osteon_study::study::Error;

/// Study manager for MRI radiomics of osteosarcoma: features, models and Tables 1-5 from one SQLite file.
#[derive(Debug, Parser)]
#[command(name = "osteon", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done; 1 some patients failed; 2 wrong request, file or protocol; \
                        3 database; 130 cancelled.")]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(flatten)]
    dashboard: dashboard::Args,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub struct Globals {
    /// The study file
    #[arg(long, global = true, env = "OSTEON_STUDY", default_value = "study.db", value_name = "FILE")]
    pub study: PathBuf,
    /// Threads to use; all processors when not given
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// How tables are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// When to color
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Say nothing but results and errors
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Hide necrosis, response and everything made from them
    #[arg(long, global = true, env = "OSTEON_BLIND")]
    pub blind: bool,
    /// Write to a study file on a network file system, where SQLite's locks cannot be relied on
    #[arg(long, global = true)]
    pub force_network: bool,
}

/// How a table is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Csv,
    Json,
    Markdown,
    Html,
    Latex,
    /// An Excel workbook on standard output, which has to lead to a file
    Xlsx,
}

/// When output is colored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    Auto,
    Always,
    Never,
}

/// How a command ended, when it ended well enough not to be an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done,
    SomeFailed,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Init(init::Args),
    Import(import::Args),
    Images(images::Args),
    Patients(patients::ListArgs),
    Show(patients::ShowArgs),
    Edit(edit::EditArgs),
    Exclude(edit::ExcludeArgs),
    Include(edit::IncludeArgs),
    Undo(undo::Args),
    Redact(redact::RedactArgs),
    Withdraw(redact::WithdrawArgs),
    Extract(extract::Args),
    Agreement(agreement::Args),
    Split(split::Args),
    Fit(fit::Args),
    Predict(predict::Args),
    Model(model::Args),
    Validate(validate::Args),
    Compare(compare::Args),
    Evaluate(evaluate::Args),
    Features(features::Args),
    Ibsi(ibsi::Args),
    Export(export::Args),
    Figure(figure::Args),
    Report(report::Args),
    Log(log::Args),
    Query(query::Args),
    /// One row a patient and one column a step, and what comes next
    Status,
    Masks(masks::Args),
    Lock(trust::LockArgs),
    Unlock(trust::UnlockArgs),
    Verify(trust::VerifyArgs),
    Backup(trust::BackupArgs),
    Restore(trust::RestoreArgs),
    Jobs(jobs::Args),
    /// Run queued jobs until there are none
    Work,
    Shard(shard::Args),
    Emit(emit::Args),
    Table(table::Args),
    Describe(describe::Args),
    Logistic(logistic::Args),
    Roc(roc::Args),
    Survival(survival::Args),
    Km(km::Args),
    Samplesize(samplesize::Args),
    Protocol(protocol::Args),
    Codebook(codebook::Args),
    Reconcile(reconcile::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Threads beyond this do nothing but fill the machine's table of them.
const MOST_THREADS: usize = 1024;

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    process::set_up();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::usage(&error),
    };
    if let Some(threads) = cli.globals.threads.map(|n| n.min(MOST_THREADS)) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1));
        pool.build_global().expect("no pool was built before");
    }
    match run(&cli) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::SomeFailed) => ExitCode::from(1),
        Err(error) => output::failure(&error),
    }
}

/// The clap definition, from which help, completions and manual pages are made.
pub fn definition() -> clap::Command {
    Cli::command()
}

fn run(cli: &Cli) -> Result<Outcome, Error> {
    let globals = &cli.globals;
    let Some(command) = &cli.command else { return dashboard::run(&cli.dashboard, globals) };
    match command {
        Command::Demo(args) => demo::run(args, globals),
        Command::Init(args) => init::run(args, globals),
        Command::Import(args) => import::run(args, globals),
        Command::Images(args) => images::run(args, globals),
        Command::Patients(args) => patients::list(args, globals),
        Command::Show(args) => patients::show(args, globals),
        Command::Edit(args) => edit::edit(args, globals),
        Command::Exclude(args) => edit::exclude(args, globals),
        Command::Include(args) => edit::include(args, globals),
        Command::Undo(args) => undo::run(args, globals),
        Command::Redact(args) => redact::redact(args, globals),
        Command::Withdraw(args) => redact::withdraw(args, globals),
        Command::Extract(args) => extract::run(args, globals),
        Command::Agreement(args) => agreement::run(args, globals),
        Command::Split(args) => split::run(args, globals),
        Command::Fit(args) => fit::run(args, globals),
        Command::Predict(args) => predict::run(args, globals),
        Command::Model(args) => model::run(args, globals),
        Command::Validate(args) => validate::run(args, globals),
        Command::Compare(args) => compare::run(args, globals),
        Command::Evaluate(args) => evaluate::run(args, globals),
        Command::Features(args) => features::run(args, globals),
        Command::Ibsi(args) => ibsi::run(args, globals),
        Command::Export(args) => export::run(args, globals),
        Command::Figure(args) => figure::run(args, globals),
        Command::Report(args) => report::run(args, globals),
        Command::Log(args) => log::run(args, globals),
        Command::Query(args) => query::run(args, globals),
        Command::Status => {
            output::print_sheet(&opening::read(globals)?.status_sheet()?, globals.format)?;
            Ok(Outcome::Done)
        }
        Command::Masks(args) => masks::run(args, globals),
        Command::Lock(args) => trust::lock(args, globals),
        Command::Unlock(args) => trust::unlock(args, globals),
        Command::Verify(args) => trust::verify(args, globals),
        Command::Backup(args) => trust::backup(args, globals),
        Command::Restore(args) => trust::restore(args, globals),
        Command::Jobs(args) => jobs::run(args, globals),
        Command::Work => jobs::work(globals),
        Command::Shard(args) => shard::run(args, globals),
        Command::Emit(args) => emit::run(args),
        Command::Table(args) => table::run(args, globals),
        Command::Describe(args) => describe::run(args, globals),
        Command::Logistic(args) => logistic::run(args, globals),
        Command::Roc(args) => roc::run(args, globals),
        Command::Survival(args) => survival::run(args, globals),
        Command::Km(args) => km::run(args, globals),
        Command::Samplesize(args) => samplesize::run(args, globals),
        Command::Codebook(args) => codebook::run(args, globals),
        Command::Protocol(args) => protocol::run(args, globals),
        Command::Reconcile(args) => reconcile::run(args, globals),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}
