//! `osteon masks`: readers' verdicts on masks.

use clap::ValueEnum;

use crate::cli::{Globals, Outcome, opening, output};
use osteon_study::study::Judgement;
use osteon_study::study::{Error, Masks};

/// Judge masks, and list what has to be drawn again
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List masks with their verdicts, files and, for two readers, kappa
    List {
        /// Only those without a verdict on the mask as it is now
        #[arg(long, conflicts_with = "to_redo")]
        open: bool,
        /// Only those that somebody wants drawn again
        #[arg(long)]
        to_redo: bool,
    },
    /// Say what you think of a patient's mask; a reader's newest verdict stands
    Judge {
        id: String,
        verdict: Said,
        /// Which mask, where the patient has several, as `masks list` names it
        #[arg(long, value_name = "MASK")]
        mask: Option<String>,
        /// Why; needed unless the mask is accepted
        #[arg(long, default_value = "")]
        note: String,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Said {
    Accepted,
    ToRedo,
    Excluded,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    match &args.action {
        Action::List { open, to_redo } => {
            let which = match (open, to_redo) {
                (true, _) => Masks::Open,
                (_, true) => Masks::ToRedo,
                _ => Masks::All,
            };
            output::print_sheet(&opening::read(globals)?.masks_sheet(which)?, globals.format)?;
        }
        Action::Judge { id, verdict, mask, note } => {
            let judgement = match verdict {
                Said::Accepted => Judgement::Accepted,
                Said::ToRedo => Judgement::ToRedo,
                Said::Excluded => Judgement::Excluded,
            };
            let title = opening::write(globals)?.judge(id, mask.as_deref(), judgement, note)?;
            output::say(globals, &format!("{id}, {title}: {}", judgement.name()));
        }
    }
    Ok(Outcome::Done)
}
