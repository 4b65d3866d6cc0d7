//! What screens show, as plain values; `effects.rs` gets them from the study.

use std::sync::Arc;

use osteon_stats::table::{Table, Values, natural};
use osteon_study::protocol::codebook::Codebook;
use osteon_study::report::figure::Figure;
use osteon_study::report::sheet::Sheet;

/// The eight screens, in the order of their number keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Screen {
    Study,
    Patients,
    Jobs,
    Clinical,
    Split,
    Models,
    Nomogram,
    Trail,
}

impl Screen {
    pub const ALL: [Screen; 8] = [
        Screen::Study,
        Screen::Patients,
        Screen::Jobs,
        Screen::Clinical,
        Screen::Split,
        Screen::Models,
        Screen::Nomogram,
        Screen::Trail,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Screen::Study => "Study",
            Screen::Patients => "Patients",
            Screen::Jobs => "Jobs",
            Screen::Clinical => "Clinical",
            Screen::Split => "Split",
            Screen::Models => "Models",
            Screen::Nomogram => "Nomogram",
            Screen::Trail => "Trail",
        }
    }

    /// The pages that `Tab` goes through.
    pub fn pages(self) -> &'static [Page] {
        match self {
            Screen::Study => &[Page::Overview, Page::Status, Page::Queries, Page::Masks],
            Screen::Patients => {
                &[Page::Variables, Page::Images, Page::Features, Page::Predictions, Page::Waterfall, Page::History]
            }
            Screen::Clinical => &[
                Page::Table1,
                Page::Table2,
                Page::Table4,
                Page::Forest,
                Page::Survival,
                Page::Hazards,
                Page::Prognosis,
            ],
            Screen::Split => &[Page::Members, Page::Balance],
            Screen::Models => &[
                Page::Runs,
                Page::Table3,
                Page::Table5,
                Page::Pairs,
                Page::Selected,
                Page::Roc,
                Page::Calibration,
                Page::Decision,
                Page::LassoPath,
                Page::Icc,
                Page::Shap,
                Page::External,
                Page::Centres,
                Page::Batches,
                Page::Comparison,
            ],
            Screen::Trail => &[Page::Changes, Page::Verification, Page::Reconciliation, Page::Printed, Page::Beside],
            Screen::Jobs | Screen::Nomogram => &[],
        }
    }
}

/// One view of the study. Those of a patient are loaded for the patient that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Page {
    Overview,
    Status,
    Queries,
    Masks,
    Variables,
    Images,
    Features,
    Predictions,
    History,
    Table1,
    Table2,
    Table4,
    Forest,
    Survival,
    Hazards,
    Prognosis,
    Members,
    Balance,
    Runs,
    Table3,
    Table5,
    Pairs,
    Selected,
    Roc,
    Calibration,
    Decision,
    LassoPath,
    Icc,
    Shap,
    Waterfall,
    /// Validations of model files in this study.
    External,
    /// Each centre under models of the others.
    Centres,
    Batches,
    Comparison,
    Changes,
    Verification,
    Reconciliation,
    /// The published tables as they were understood, cell by cell.
    Printed,
    Beside,
}

impl Page {
    pub fn name(self) -> &'static str {
        match self {
            Page::Overview => "Overview",
            Page::Status => "Status",
            Page::Queries => "Queries",
            Page::Masks => "Masks",
            Page::Variables => "Variables",
            Page::Images => "Images",
            Page::Features => "Features",
            Page::Predictions => "Predictions",
            Page::History => "History",
            Page::Table1 => "Table 1",
            Page::Table2 => "Table 2",
            Page::Table4 => "Table 4",
            Page::Forest => "Forest",
            Page::Survival => "Survival",
            Page::Hazards => "Hazards",
            Page::Prognosis => "Prognosis",
            Page::Members => "Members",
            Page::Balance => "Balance",
            Page::Runs => "Runs",
            Page::Table3 => "Table 3",
            Page::Table5 => "Table 5",
            Page::Pairs => "DeLong",
            Page::Selected => "Features",
            Page::Roc => "ROC",
            Page::Calibration => "Calibration",
            Page::Decision => "Decision",
            Page::LassoPath => "LASSO",
            Page::Icc => "ICC",
            Page::Shap => "SHAP",
            Page::Waterfall => "Why",
            Page::External => "External",
            Page::Centres => "Centres",
            Page::Batches => "Batches",
            Page::Comparison => "Compare",
            Page::Changes => "Changes",
            Page::Verification => "Verify",
            Page::Reconciliation => "Reconcile",
            Page::Printed => "Printed",
            Page::Beside => "Beside",
        }
    }
}

/// What a page holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Sheet(Sheet),
    /// Small tables side by side where there is room.
    Blocks(Vec<Sheet>),
    Chart(Figure),
    /// Why there is nothing, and what to do about it.
    Nothing(String),
}

/// What the frame says of the study on every screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Head {
    pub title: String,
    /// The study file's name, without its folders.
    pub file: String,
    /// When and by whom.
    pub locked: Option<String>,
    /// The data are no patients'.
    pub synthetic: bool,
    /// Hash of the newest change.
    pub trail_head: String,
    /// The protocol's parameters of learning: key and value in TOML's notation.
    pub parameters: Vec<(String, String)>,
    /// The split in force.
    pub split: Option<SplitHead>,
    /// The models that learnt from the split in force, in words.
    pub fitted: Option<String>,
    /// Whatever comes from the response is hidden.
    pub blind: bool,
    /// Names of the outcomes of kind time.
    pub outcomes: Vec<String>,
}

/// The split in force.
#[derive(Clone, Debug, PartialEq)]
pub struct SplitHead {
    /// Where it comes from and whether it is locked.
    pub words: String,
    pub locked: bool,
}

/// All patients: an id and typed columns each.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Cohort {
    pub table: Table,
    /// Each row's version, which an edit must name.
    pub versions: Vec<i64>,
    /// Widest text of each column, the id first.
    pub widths: Vec<u16>,
    /// Place of each row in the natural order of ids.
    pub rank: Vec<u32>,
    /// How many patients the study has, of which the table may hold the first page only.
    pub patients: usize,
    /// The variables behind the columns.
    pub book: Arc<Codebook>,
}

impl Cohort {
    /// Measures the columns and orders the ids: once, outside the loop.
    pub fn new(table: Table, versions: Vec<i64>) -> Cohort {
        let of_texts = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0).min(40) as u16;
        let mut widths = vec![of_texts(&mut table.rows().iter().map(|id| id.chars().count()))];
        widths.extend(table.columns().iter().map(|column| match &column.values {
            Values::Numbers(values) => of_texts(&mut values.iter().flatten().map(|value| sensible(*value).len())),
            Values::Levels { levels, .. } => of_texts(&mut levels.iter().map(|level| level.chars().count())),
        }));
        let patients = table.rows().len();
        let mut order: Vec<usize> = (0..patients).collect();
        order.sort_by(|&a, &b| natural::compare(&table.rows()[a], &table.rows()[b]));
        let mut rank = vec![0; patients];
        for (place, row) in order.into_iter().enumerate() {
            rank[row] = place as u32;
        }
        Cohort { table, versions, widths, rank, patients, book: Arc::new(Codebook::study().clone()) }
    }

    /// Text of a cell; column 0 is the id, an empty text a missing value.
    pub fn text(&self, row: usize, column: usize) -> String {
        let Some(at) = column.checked_sub(1) else { return self.table.rows()[row].clone() };
        match &self.table.columns()[at].values {
            Values::Numbers(values) => values[row].map_or_else(String::new, |value| value.to_string()),
            Values::Levels { levels, codes } => codes[row].map_or_else(String::new, |code| levels[code].clone()),
        }
    }

    /// Text of a cell for the screen: a number that was computed has the digits that somebody reads.
    pub fn shown(&self, row: usize, column: usize) -> String {
        match column.checked_sub(1).map(|at| &self.table.columns()[at].values) {
            Some(Values::Numbers(values)) => values[row].map_or_else(String::new, sensible),
            _ => self.text(row, column),
        }
    }

    /// Name of a column; 0 is the id.
    pub fn name(&self, column: usize) -> &str {
        column.checked_sub(1).map_or("id", |at| &self.table.columns()[at].name)
    }

    pub fn is_number(&self, column: usize) -> bool {
        column > 0 && matches!(self.table.columns()[column - 1].values, Values::Numbers(_))
    }

    /// Number of columns, the id counted.
    pub fn columns(&self) -> usize {
        self.table.columns().len() + 1
    }
}

/// A number as it was typed; one with more than eight signs, which nobody typed, to four digits.
fn sensible(value: f64) -> String {
    let whole = value.to_string();
    if whole.len() <= 8 {
        return whole;
    }
    let digits = if value == 0.0 { 0 } else { (3 - value.abs().log10().floor() as i64).clamp(0, 8) as usize };
    format!("{value:.digits$}")
}

/// One piece of long work.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    pub id: i64,
    pub kind: String,
    pub state: JobState,
    pub stage: String,
    pub done: u64,
    pub total: u64,
    pub who: String,
    pub queued: String,
    /// Seconds from the start to the last sign of life or the end.
    pub seconds: Option<f64>,
    /// Somebody asked it to stop.
    pub stopping: bool,
    pub error: Option<String>,
}

/// How far a job was when its present stage was first seen: stages differ in pace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Since {
    pub stage: String,
    pub done: u64,
    pub seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    Queued,
    Running,
    /// Its process is gone; the work resumes with a retry.
    Stale,
    Done,
    Failed,
    Cancelled,
}

impl JobState {
    pub fn name(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Stale => "lost",
            JobState::Done => "done",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
        }
    }

    pub fn is_active(self) -> bool {
        matches!(self, JobState::Queued | JobState::Running)
    }
}

impl JobRow {
    /// Word for its state.
    pub fn state_name(&self) -> &'static str {
        if self.stopping && self.state.is_active() { "stopping" } else { self.state.name() }
    }

    /// Where the present stage is counted from when it is first seen now: an extraction has one stage only.
    pub fn since(&self) -> Since {
        let whole = self.kind == "extract";
        let (done, seconds) = if whole { (0, 0.0) } else { (self.done, self.seconds.unwrap_or(0.0)) };
        Since { stage: self.stage.clone(), done, seconds }
    }

    /// Steps a second of the present stage; `None` before a step was seen.
    pub fn pace(&self, since: &Since) -> Option<f64> {
        let (steps, seconds) = (self.done.checked_sub(since.done)?, self.seconds? - since.seconds);
        (steps > 0 && seconds > 0.0).then(|| steps as f64 / seconds)
    }

    /// Seconds that the stage has left at its pace; `None` where it does not run.
    pub fn seconds_left(&self, since: &Since) -> Option<f64> {
        let left = self.total.saturating_sub(self.done) as f64;
        self.pace(since).filter(|_| self.state == JobState::Running).map(|pace| left / pace)
    }
}

impl From<osteon_study::study::JobRow> for JobRow {
    fn from(row: osteon_study::study::JobRow) -> JobRow {
        use osteon_study::study::JobState as Stored;
        let lost = osteon_study::study::health(&row) == osteon_study::study::Health::Dead;
        let state = match row.state {
            _ if lost => JobState::Stale,
            Stored::Queued => JobState::Queued,
            Stored::Running => JobState::Running,
            Stored::Done => JobState::Done,
            Stored::Failed => JobState::Failed,
            Stored::Cancelled => JobState::Cancelled,
        };
        let at = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        let end = at(&row.finished_at).or_else(|| at(&row.heartbeat_at));
        let seconds = at(&row.started_at).zip(end).map(|(start, end)| end.duration_since(start).as_secs_f64());
        JobRow {
            id: row.id.0,
            kind: row.kind,
            state,
            stage: row.stage,
            done: row.done as u64,
            total: row.total as u64,
            who: format!("{}@{}", row.actor, row.host),
            queued: row.queued_at,
            seconds,
            stopping: row.cancel,
            error: row.error,
        }
    }
}
