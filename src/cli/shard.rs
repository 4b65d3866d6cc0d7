//! `osteon shard`: an extraction in parts on many machines.

use std::path::{Path, PathBuf};

use crate::cli::watch::watched;
use crate::cli::{Globals, Outcome, extract, opening, output};
use osteon_study::study::shard::{MergeOptions, MergeReport, Plan, PlanReport, Shards, ranges};
use osteon_study::study::{Error, ExtractRequest};

/// Extract on many machines: plan, run each shard, merge
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  osteon shard plan --shards 20 -o shards/plan.json\n  \
    osteon shard run shards/plan.json 1     # ... 20, wherever the images can be read\n  \
    osteon shard status shards\n  osteon shard merge shards\n\n\
    osteon emit prints scripts that run all shards.")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Plan(PlanArgs),
    Run(RunArgs),
    Status(StatusArgs),
    Merge(MergeArgs),
}

/// Divide what is to be measured into shards of even cost
#[derive(Debug, clap::Args)]
struct PlanArgs {
    /// Patients; all included ones when not given
    ids: Vec<String>,
    /// Number of shards; no shard is empty
    #[arg(long, value_name = "N")]
    shards: usize,
    /// The plan, a new file; shards are looked for in its folder
    #[arg(short, long, value_name = "FILE", default_value = "plan.json")]
    output: PathBuf,
    /// Plan also what is measured already
    #[arg(long)]
    force: bool,
}

/// Measure one shard without the study file; a shard that is whole is left alone
#[derive(Debug, clap::Args)]
struct RunArgs {
    plan: PathBuf,
    /// The shard, from 1
    number: usize,
    /// The shard's file; shard-NUMBER.db beside the plan when not given
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Measure again although the file is whole
    #[arg(long)]
    force: bool,
}

/// Tell which shards are whole, missing or broken; exit code 1 while some are not whole
#[derive(Debug, clap::Args)]
struct StatusArgs {
    #[command(flatten)]
    place: Place,
    /// Print only the numbers that are to be run, as in 3,7-9; nothing when all are whole
    #[arg(long)]
    missing: bool,
}

/// Take the results of all shards into the study, in one transaction
#[derive(Debug, clap::Args)]
struct MergeArgs {
    #[command(flatten)]
    place: Place,
    /// Merge whole shards although others are missing
    #[arg(long)]
    partial: bool,
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The folder with the shards' files, shard-*.db
    dir: PathBuf,
    /// The plan; plan.json in the folder when not given
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    match &args.action {
        Action::Plan(args) => plan(args, globals),
        Action::Run(args) => run_one(args, globals),
        Action::Status(args) => status(args, globals),
        Action::Merge(args) => merge(args, globals),
    }
}

fn plan(args: &PlanArgs, globals: &Globals) -> Result<Outcome, Error> {
    let study = opening::read(globals)?;
    let request = ExtractRequest { codes: args.ids.clone(), force: args.force };
    let PlanReport { plan, skipped, without_images } =
        watched(globals, |job| study.plan_shards(&request, args.shards, job))?;
    plan.write(&args.output)?;
    let sizes: Vec<u64> = plan.shards.iter().map(|shard| shard.iter().map(|patient| patient.size).sum()).collect();
    let patients: usize = plan.shards.iter().map(Vec::len).sum();
    let (most, all) = (sizes.iter().max().copied().unwrap_or(0), sizes.iter().sum::<u64>());
    let over = most as f64 * sizes.len() as f64 / (all as f64).max(1.0);
    output::say(globals, &format!("{patients} patients in {} shards, {skipped} as they were", sizes.len()));
    if without_images > 0 {
        output::say(globals, &format!("{without_images} patients have no image and mask"));
    }
    output::say(globals, &format!("the largest shard has {over:.2} times the mean size"));
    Ok(Outcome::Done)
}

fn run_one(args: &RunArgs, globals: &Globals) -> Result<Outcome, Error> {
    let plan = Plan::read(&args.plan)?;
    let beside = || args.plan.with_file_name(format!("shard-{}.db", args.number));
    let to = args.output.clone().unwrap_or_else(beside);
    let report = watched(globals, |job| plan.run_shard(args.number, &to, args.force, job))?;
    Ok(extract::tell(&report, globals))
}

fn status(args: &StatusArgs, globals: &Globals) -> Result<Outcome, Error> {
    let shards = args.place.shards()?;
    let missing = shards.missing();
    if args.missing {
        if !missing.is_empty() {
            output::print(&format!("{}\n", ranges(&missing)))?;
        }
        return Ok(Outcome::Done);
    }
    output::print_sheet(&shards.sheet(), globals.format)?;
    Ok(if missing.is_empty() && shards.foreign.is_empty() { Outcome::Done } else { Outcome::SomeFailed })
}

fn merge(args: &MergeArgs, globals: &Globals) -> Result<Outcome, Error> {
    let shards = args.place.shards()?;
    let study = opening::write(globals)?;
    let report = study.merge_shards(&shards, MergeOptions { partial: args.partial })?;
    let MergeReport { merged, unchanged, regions, missing, failures } = &report;
    output::say(globals, &format!("{merged} shards merged with {regions} regions, {unchanged} as they were"));
    if !missing.is_empty() {
        output::warn(&format!("shards {} are missing", ranges(missing)));
    }
    for failure in failures {
        output::warn(&format!("{} {}: {}", failure.code, failure.roi, failure.reason));
    }
    Ok(if report.some_failed() { Outcome::SomeFailed } else { Outcome::Done })
}

impl Place {
    fn shards(&self) -> Result<Shards, Error> {
        let plan: &Path = &self.plan.clone().unwrap_or_else(|| self.dir.join("plan.json"));
        Shards::in_folder(&self.dir, Plan::read(plan)?)
    }
}
