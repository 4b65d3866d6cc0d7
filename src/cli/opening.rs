//! The study file that a command works on.

use std::io::{self, Write};

use crate::cli::{Globals, output};
use osteon_study::study::Access;
use osteon_study::study::{Error, Study, View};

/// Opens the study to read it.
pub fn read(globals: &Globals) -> Result<Study, Error> {
    open(globals, Access::Read)
}

/// Opens the study to change it; what can only be read says why at the first write.
pub fn write(globals: &Globals) -> Result<Study, Error> {
    let mut study = open(globals, if globals.force_network { Access::WriteOnNetwork } else { Access::Write })?;
    if !globals.quiet {
        study.on_waiting(|| {
            let _ = writeln!(io::stderr(), "waiting: another program is writing to the study file");
        });
    }
    Ok(study)
}

/// Has the trail keep, once a split, that results of the test set were shown. A file that cannot be written to, or a blind
/// reader, leaves no word; that a writable file is busy is said.
pub fn shown(globals: &Globals, study: &Study, what: &str) {
    // Asked of the reader first: a file that holds the word, or that is of an older schema, is not opened to be written to.
    if globals.blind || !study.has_present_schema() || !matches!(study.test_results_shown(), Ok(None)) {
        return;
    }
    let access = if globals.force_network { Access::WriteOnNetwork } else { Access::Write };
    let kept = Study::open(&globals.study, access).and_then(|study| study.show_test_results(what));
    if let Err(cause) = kept {
        output::warn(&format!("the trail has no word that test results were shown: {cause}"));
    }
}

/// Refuses what tells of a response without a study being opened: a model file's numbers, and what it makes of an image.
pub fn needs_sight(globals: &Globals) -> Result<(), Error> {
    if globals.blind { Err(Error::Blind) } else { Ok(()) }
}

/// Opens the study as the reader may see it, and says what had to be done first.
pub fn open(globals: &Globals, access: Access) -> Result<Study, Error> {
    let view = if globals.blind { View::Blind } else { View::Full };
    let study = Study::open(&globals.study, access)?.seen(view);
    if let Some(copy) = study.migrated() {
        let copy = copy.display();
        output::warn(&format!("the study file was brought to this osteon's schema; what it was before is {copy}"));
    }
    Ok(study)
}
