//! What can happen to the dashboard, and what it can ask for.

use std::path::PathBuf;

use crossterm::event::KeyEvent;

use crate::tui::data::{Cohort, Content, Head, JobRow, Page};
use crate::tui::export::{Ending, View};
use osteon_study::study::Judgement;
use osteon_study::study::{Amendment, Asked, MovableModel, Picture};

/// Everything that reaches `update`.
#[derive(Clone, Debug)]
pub enum Message {
    Key(KeyEvent),
    Paste(String),
    Pointer(Pointer, u16, u16),
    Resize(u16, u16),
    /// Somebody else wrote to the study file.
    DataChanged,
    Answer(Answer),
    /// The terminal is gone, or the program was asked to end.
    Hangup,
    /// Another program is writing; our change waits for it.
    Waiting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointer {
    Click,
    WheelUp,
    WheelDown,
}

/// What `update` wants done outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Ask(Request),
    /// To the terminal's clipboard.
    Copy(String),
    /// The next picture is drawn whole.
    Redraw,
    /// Stop like any program under job control, and go on where we were.
    Suspend,
    Quit,
}

/// What the study is asked, outside the loop.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    Head,
    Cohort,
    Jobs,
    /// Whether the file can be written; a large one is looked through.
    Soundness,
    /// Of a patient, of two runs, of a file or of what passes a filter where the page is about one.
    Page(Page, Option<String>),
    /// What else is known of a number.
    Origin(Asked),
    /// The image of a patient with the n-th of the masks.
    Picture {
        id: String,
        nth: usize,
    },
    /// A command line in the words of the shell, run beside the dashboard.
    Command(String),
    Nomogram,
    Values {
        id: String,
    },
    /// The patient's last change that can be turned back.
    LastEdit {
        id: String,
    },
    /// The whole report into a folder.
    Report {
        folder: PathBuf,
    },
    /// What a person says of a cell of published tables, put beside their file.
    Correct(Correction),
    Change(Change),
    Work(Work),
    Write {
        path: PathBuf,
        view: View,
        ending: Ending,
    },
}

/// A change to the study's data, each with its reason in the trail.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// `version` is the row's as it was shown; another one in the file is a conflict.
    Edit {
        id: String,
        field: String,
        value: String,
        reason: String,
        version: i64,
    },
    Exclude {
        id: String,
        reason: String,
        version: i64,
    },
    Include {
        id: String,
        reason: String,
        version: i64,
    },
    /// The patient's last change is turned back, as a new change.
    Undo {
        id: String,
        reason: String,
        /// The change that was seen as the last one.
        seq: i64,
    },
    Split {
        seed: u64,
        train_percent: u32,
    },
    ImportSplit {
        path: PathBuf,
        column: String,
    },
    LockSplit {
        reason: String,
    },
    /// A question about a patient's field.
    Ask {
        id: String,
        field: String,
        text: String,
    },
    Answer {
        query: i64,
        text: String,
    },
    Close {
        query: i64,
        reason: String,
    },
    /// What the reader says of a mask.
    Judge {
        id: String,
        mask: String,
        judgement: Judgement,
        note: String,
    },
}

/// What a person says of the column, row and table of one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// The file of the tables, or the tables themselves (several lines).
    pub published: String,
    /// As findings call it.
    pub table: String,
    pub line: usize,
    pub column: usize,
    pub amendment: Amendment,
}

/// Long work, in a process of its own.
#[derive(Clone, Debug, PartialEq)]
pub enum Work {
    Extract { ids: Vec<String> },
    Fit { assignments: Vec<String> },
    Cancel { job: i64 },
    Retry { job: i64 },
}

/// What came back.
#[derive(Clone, Debug)]
pub enum Answer {
    Head(Head),
    /// The first page comes alone, so that something is on the screen at once; `whole` says that all rows are here.
    Cohort {
        cohort: std::sync::Arc<Cohort>,
        whole: bool,
    },
    Jobs(Vec<JobRow>),
    /// Why nothing can be written.
    Unsound(String),
    Page(Page, Option<String>, Box<Content>),
    Picture {
        id: String,
        picture: Result<std::sync::Arc<Picture>, String>,
    },
    /// What a command printed.
    Said {
        title: String,
        lines: Vec<String>,
    },
    Nomogram(Result<Box<MovableModel>, String>),
    /// A patient's values for the nomogram.
    Values {
        id: String,
        values: Vec<f64>,
    },
    /// What else is known of the number that was asked for.
    Origin(Vec<String>),
    /// The change that an undo would turn back, in words.
    LastEdit {
        id: String,
        seq: i64,
        text: String,
    },
    /// The file of the published tables whose corrections were written, and what was written.
    Corrected {
        published: String,
        text: String,
    },
    /// Something was done; say so.
    Done(String),
    Refused(String),
    /// Somebody changed the row since it was shown: what they wrote, what we wanted, and the row's version now.
    Conflict {
        change: Change,
        theirs: String,
        version: i64,
    },
}
