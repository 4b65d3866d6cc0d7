//! The study file that a command works on.

use std::io::{self, Write};

use crate::cli::{Globals, output};
use osteon_study::store::Access;
use osteon_study::study::{Error, Study, View};

/// Opens the study to read it.
pub fn read(globals: &Globals) -> Result<Study, Error> {
    open(globals, Access::Read)
}

/// Opens the study to change it; what can only be read says why at the first write.
pub fn write(globals: &Globals) -> Result<Study, Error> {
    let mut study = open(globals, if globals.force_network { Access::WriteOnNetwork } else { Access::Write })?;
    if !globals.quiet {
        study.store.on_waiting(|| {
            let _ = writeln!(io::stderr(), "waiting: another program is writing to the study file");
        });
    }
    Ok(study)
}

/// Opens the study as the reader may see it, and says what had to be done first.
pub fn open(globals: &Globals, access: Access) -> Result<Study, Error> {
    let view = if globals.blind { View::Blind } else { View::Full };
    let study = Study::open(&globals.study, access)?.seen(view);
    if let Some(copy) = study.store.migrated() {
        let copy = copy.display();
        output::warn(&format!("the study file was brought to this osteon's schema; what it was before is {copy}"));
    }
    Ok(study)
}
