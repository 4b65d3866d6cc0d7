//! `osteon split`: who learns and who tests.

use std::path::PathBuf;

use crate::cli::{Globals, Outcome, opening, output};
use osteon_base::seed::Seed;
use osteon_study::study::Error;

/// Draw, show, import or lock the training and test set
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Draw a split stratified by response
    New {
        /// The protocol's seed when not given
        #[arg(long, value_name = "N")]
        seed: Option<u64>,
        /// Share of the patients in training; the protocol's when not given
        #[arg(long, value_name = "SHARE")]
        train: Option<f64>,
        /// Keep the patients of each level of a variable (a centre, a scanner) on one side
        #[arg(long, value_name = "VARIABLE")]
        whole: Option<String>,
    },
    /// Both sets side by side
    Show,
    /// Take a split from a CSV file: patient codes in the first column
    Import {
        file: PathBuf,
        /// The column that says train or test
        #[arg(long, default_value = "split")]
        column: String,
    },
    /// Freeze the split in force
    Lock,
}

pub fn run(args: &Args, globals: &Globals) -> Result<Outcome, Error> {
    let (n_train, n_test) = match &args.action {
        Action::Show => {
            output::print_sheet(&opening::read(globals)?.split_sheet()?, globals.format)?;
            return Ok(Outcome::Done);
        }
        Action::Lock => {
            opening::write(globals)?.lock_split("split lock")?;
            return Ok(Outcome::Done);
        }
        Action::New { seed, train, whole } => {
            let study = opening::write(globals)?;
            let learn = study.protocol.learn.clone();
            let (seed, train) = (seed.map_or(learn.seed, Seed), train.unwrap_or(learn.train_fraction));
            match whole {
                Some(by) => study.draw_split_whole(seed, train, by)?,
                None => study.draw_split(seed, train)?,
            }
        }
        Action::Import { file, column } => opening::write(globals)?.import_split(file, column)?,
    };
    output::say(globals, &format!("{n_train} patients in training, {n_test} in test"));
    Ok(Outcome::Done)
}
