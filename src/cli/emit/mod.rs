//! `osteon emit`: scripts that run the shards of a plan under a scheduler.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cli::{Outcome, output};
use osteon_study::study::Error;
use osteon_study::study::shard::Plan;

/// Print a script that runs all shards of a plan
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  osteon emit slurm shards/plan.json > shards.sh && sbatch shards.sh\n\n\
    Each script leaves whole shards alone: what failed or was killed is run again by running it again.")]
pub struct Args {
    scheduler: Scheduler,
    plan: PathBuf,
    /// The osteon that the script calls; this one when not given
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
    /// Threads of one shard
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    cpus: u16,
    /// Memory of one shard in GB, for each thread about one patient is held
    #[arg(long, value_name = "GB", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    memory: u16,
    /// Hours that a shard may take
    #[arg(long, value_name = "HOURS", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    hours: u16,
    /// Most shards that run at once; what the scheduler allows when not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    at_once: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Scheduler {
    /// A job array for sbatch
    Slurm,
    /// GNU parallel
    Parallel,
    Snakemake,
    Nextflow,
}

impl Scheduler {
    fn template(self) -> &'static str {
        match self {
            Scheduler::Slurm => include_str!("slurm.sh"),
            Scheduler::Parallel => include_str!("parallel.sh"),
            Scheduler::Snakemake => include_str!("snakemake.smk"),
            Scheduler::Nextflow => include_str!("nextflow.nf"),
        }
    }

    /// A text as the script's language quotes it.
    fn quoted(self, text: &str) -> String {
        match self {
            Scheduler::Slurm | Scheduler::Parallel => format!("'{}'", text.replace('\'', r"'\''")),
            // Python and Groovy share what is escaped within single quotes.
            Scheduler::Snakemake | Scheduler::Nextflow => {
                format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
            }
        }
    }

    /// Slurm takes a limit as part of the array, parallel as an option; the others have options of their own for it.
    fn at_once(self, limit: Option<u16>) -> String {
        match (self, limit) {
            (Scheduler::Slurm, Some(n)) => format!("%{n}"),
            (Scheduler::Parallel, Some(n)) => format!(" --jobs {n}"),
            (Scheduler::Parallel, None) => String::new(),
            (Scheduler::Nextflow, Some(n)) => format!("    maxForks {n}\n"),
            _ => String::new(),
        }
    }
}

pub fn run(args: &Args) -> Result<Outcome, Error> {
    let plan = Plan::read(&args.plan)?;
    let path = absolute(&args.plan)?;
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    if args.scheduler == Scheduler::Snakemake && plain(&folder)?.contains(['{', '}']) {
        let why = "snakemake reads braces in its working folder as wildcards";
        return Err(Error::Request(format!("{}: {why}", folder.display())));
    }
    let program = match &args.program {
        Some(program) => program.clone(),
        None => std::env::current_exe().map_err(|source| Error::File { path: "osteon".into(), source })?,
    };
    let quoted = |path: &Path| plain(path).map(|text| args.scheduler.quoted(text));
    let values = [
        ("@PROGRAM@", quoted(&program)?),
        ("@PLAN@", quoted(&path)?),
        ("@FOLDER@", quoted(&folder)?),
        ("@STUDY@", quoted(&plan.study)?),
        ("@NAME@", format!("osteon-{}", &plan.hash[..8])),
        ("@SHARDS@", plan.shards.len().to_string()),
        ("@CPUS@", args.cpus.to_string()),
        ("@MEMORY@", args.memory.to_string()),
        ("@HOURS@", args.hours.to_string()),
        ("@AT_ONCE@", args.scheduler.at_once(args.at_once)),
    ];
    output::print(&filled(args.scheduler.template(), &values))?;
    Ok(Outcome::Done)
}

/// The template with its marks replaced, in one pass: a value that looks like a mark stays what it is.
fn filled(template: &str, values: &[(&str, String)]) -> String {
    let mut script = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('@') {
        script.push_str(&rest[..at]);
        rest = &rest[at..];
        match values.iter().find(|(mark, _)| rest.starts_with(mark)) {
            Some((mark, value)) => {
                script.push_str(value);
                rest = &rest[mark.len()..];
            }
            None => {
                script.push('@');
                rest = &rest[1..];
            }
        }
    }
    script + rest
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    path.canonicalize().map_err(|source| Error::File { path: path.to_owned(), source })
}

/// A path that can stand in a script.
fn plain(path: &Path) -> Result<&str, Error> {
    let text = path.to_str().filter(|text| !text.chars().any(char::is_control));
    text.ok_or_else(|| Error::Request(format!("{}: a path of plain text is needed in a script", path.display())))
}
