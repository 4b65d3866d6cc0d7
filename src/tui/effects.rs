//! What `update` asks for is done here, on threads of their own, each with its own door to the study.

use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use crate::tui::data::{Cohort, Content, Head, JobRow, Page, SplitHead};
use crate::tui::message::{Answer, Change, Message, Request, Work};
use crate::tui::{export, shell};
use osteon_base::seed::Seed;
use osteon_study::report::figure::TWO_COLUMNS_MM;
use osteon_study::study::readings;
use osteon_study::study::{
    Belongs, ClinicalTable, Edit, Error, ExtractRequest, FigureName, FigureRequest, Form, Health, Masks, ModelTable,
    NO_TIME, Study, health,
};
use osteon_study::study::{JobId, QueryId, RunId, StoreError};

/// Threads that ask the study: short questions never wait behind pages, pages never behind files.
pub struct Workers {
    short: Sender<Request>,
    pages: Sender<Request>,
    files: Sender<Request>,
}

/// Patients of the first answer: what fits the tallest screen.
const FIRST_PATIENTS: usize = 200;

impl Workers {
    /// Starts the workers and the watch on the file.
    pub fn start(study: &Study, to: &Sender<Message>) -> Result<Workers, Error> {
        watch(study.reopen()?, to.clone());
        let start = || Ok::<_, Error>(worker(study.reopen()?, to.clone()));
        Ok(Workers { short: start()?, pages: start()?, files: start()? })
    }

    pub fn ask(&self, request: Request) {
        use Page::{History, Images, Variables, Verification};
        use Request as R;
        let is_file = matches!(
            &request,
            R::Page(Verification, _)
                | R::Picture { .. }
                | R::Report { .. }
                | R::Write { .. }
                | R::Soundness
                | R::Command(_)
        );
        let is_light = matches!(&request, R::Page(Variables | Images | History, _));
        let is_page = matches!(&request, R::Page(..) | R::Nomogram | R::Cohort) && !is_light;
        let worker = match (is_file, is_page) {
            (true, _) => &self.files,
            (false, true) => &self.pages,
            (false, false) => &self.short,
        };
        // A worker that is gone has said why.
        let _ = worker.send(request);
    }
}

fn worker(mut study: Study, to: Sender<Message>) -> Sender<Request> {
    let waiting = to.clone();
    study.on_waiting(move || {
        let _ = waiting.send(Message::Waiting);
    });
    let (sender, requests) = channel();
    thread::spawn(move || {
        while let Ok(request) = requests.recv() {
            for request in latest(request, &requests) {
                // Somebody may have put another protocol in force; what cannot be read now is said by the answer.
                let _ = study.renew();
                let answers = answer(&study, request, &|answer| {
                    let _ = to.send(Message::Answer(answer));
                });
                if answers.into_iter().any(|answer| to.send(Message::Answer(answer)).is_err()) {
                    return;
                }
            }
        }
    });
    sender
}

/// All waiting requests in order, without those that a later one makes needless.
fn latest(first: Request, waiting: &Receiver<Request>) -> Vec<Request> {
    let mut all = vec![first];
    all.extend(waiting.try_iter());
    let replaced = |earlier: &Request, later: &Request| match (earlier, later) {
        (Request::Page(a, _), Request::Page(b, _)) => a == b,
        (
            Request::Change(_)
            | Request::Work(_)
            | Request::Write { .. }
            | Request::Report { .. }
            | Request::Command(_),
            _,
        ) => false,
        _ => earlier == later,
    };
    let kept = (0..all.len()).filter(|&at| !all[at + 1..].iter().any(|later| replaced(&all[at], later)));
    kept.collect::<Vec<_>>().into_iter().map(|at| all[at].clone()).collect()
}

/// Says once a second at most that somebody else wrote, or that a worker was lost: that is written nowhere.
fn watch(study: Study, to: Sender<Message>) {
    const LOOK_FOR_LOST: u32 = 5;
    thread::spawn(move || {
        let mut seen = (study.data_version(), lost_jobs(&study));
        for second in (0..LOOK_FOR_LOST).cycle() {
            thread::sleep(Duration::from_secs(1));
            let lost = if second == 0 { lost_jobs(&study) } else { seen.1 };
            let now = (study.data_version(), lost);
            if now != seen && to.send(Message::DataChanged).is_err() {
                return;
            }
            seen = now;
        }
    });
}

fn lost_jobs(study: &Study) -> usize {
    let is_lost = |job: &osteon_study::study::JobRow| health(job) == Health::Dead;
    study.jobs().map_or(0, |jobs| jobs.iter().filter(|job| is_lost(job)).count())
}

fn answer(study: &Study, request: Request, early: &dyn Fn(Answer)) -> Vec<Answer> {
    let said = |result: Result<String, Error>| match result {
        Ok(text) => Answer::Done(text),
        Err(error) => Answer::Refused(error.in_full()),
    };
    match request {
        Request::Head => head(study).map_or_else(|error| vec![refused(&error)], |head| vec![Answer::Head(head)]),
        Request::Jobs => jobs(study).map_or_else(|error| vec![refused(&error)], |jobs| vec![Answer::Jobs(jobs)]),
        Request::Soundness => {
            let why = study.read_only().filter(|why| *why != "as asked");
            why.map(|why| Answer::Unsound(why.to_owned())).into_iter().collect()
        }
        Request::Cohort => cohort(study, early).unwrap_or_else(|error| vec![refused(&error)]),
        Request::Page(page, patient) => {
            let content = page_content(study, page, patient.as_deref());
            let content = content.unwrap_or_else(|error| Content::Nothing(with_hint(&error)));
            vec![Answer::Page(page, patient, Box::new(content))]
        }
        Request::Picture { id, nth } => {
            let picture = study.picture(&id, nth).map(Arc::new).map_err(|error| error.in_full());
            vec![Answer::Picture { id, picture }]
        }
        Request::Command(line) => vec![shell::run(study, &line)],
        Request::Nomogram => {
            let model = study.movable_model().map(Box::new).map_err(|error| with_hint(&error));
            vec![Answer::Nomogram(model)]
        }
        Request::Values { id } => match study.values_to_move(&id) {
            Ok(values) => vec![Answer::Values { id, values }],
            Err(error) => vec![refused(&error)],
        },
        Request::Origin(asked) => {
            vec![Answer::Origin(study.origin(&asked).unwrap_or_else(|error| vec![error.in_full()]))]
        }
        Request::LastEdit { id } => match study.last_edit(&id) {
            Ok(change) => vec![Answer::LastEdit { seq: change.seq, text: told(&change), id }],
            Err(error) => vec![refused(&error)],
        },
        Request::Correct(said) => {
            let at = (said.line, said.column);
            vec![match readings::amend(&said.published, &said.table, at, &said.amendment) {
                Ok([tables, corrections]) => Answer::Corrected {
                    published: tables.display().to_string(),
                    text: format!("written: {}", corrections.display()),
                },
                Err(error) => refused(&error),
            }]
        }
        Request::Change(change) => vec![changed(study, change)],
        Request::Work(work) => vec![said(worked(study, work))],
        Request::Write { path, view, ending } => match export::text(&view, ending) {
            Some(text) => vec![said(write_new(&path, &text))],
            None => vec![Answer::Refused("this view has no such form: a table is no picture".to_owned())],
        },
        Request::Report { folder } => {
            vec![said(study.write_report(&folder, None, &Form::default()).map(|page| wrote(&page)))]
        }
    }
}

/// A change in one line.
fn told(change: &osteon_study::study::Change) -> String {
    let [old, new] = [&change.old, &change.new].map(|value| value.as_deref().unwrap_or("missing"));
    format!("{}: {old} became {new}, by {} at {}: {}", change.field, change.actor, change.at, change.reason)
}

fn refused(error: &Error) -> Answer {
    Answer::Refused(error.in_full())
}

/// The error with what to do about it.
fn with_hint(error: &Error) -> String {
    let hint = error.hint().map_or_else(String::new, |hint| format!("; {hint}"));
    format!("{}{hint}", error.in_full())
}

fn head(study: &Study) -> Result<Head, Error> {
    let osteon_study::study::Head { title, file, locked, synthetic, split, fitted } = study.head()?;
    Ok(Head {
        title,
        file,
        locked,
        synthetic,
        trail_head: study.trail_head()?,
        parameters: study.learning_parameters(),
        split: split.map(|(words, locked)| SplitHead { words, locked }),
        fitted,
        blind: study.is_blind(),
        outcomes: study.timed_outcomes().iter().map(|outcome| outcome.name.clone()).collect(),
    })
}

/// The first page at once when there are many, then all.
fn cohort(study: &Study, early: &dyn Fn(Answer)) -> Result<Vec<Answer>, Error> {
    let book = Arc::clone(&study.protocol.codebook);
    let patients = study.count_patients()?;
    if patients > 5 * FIRST_PATIENTS {
        let (table, versions) = study.patient_table(Some(FIRST_PATIENTS))?;
        early(Answer::Cohort {
            cohort: Arc::new(Cohort { patients, book: Arc::clone(&book), ..Cohort::new(table, versions) }),
            whole: false,
        });
    }
    let (table, versions) = study.patient_table(None)?;
    Ok(vec![Answer::Cohort { cohort: Arc::new(Cohort { book, ..Cohort::new(table, versions) }), whole: true }])
}

fn jobs(study: &Study) -> Result<Vec<JobRow>, Error> {
    Ok(study.jobs()?.into_iter().map(JobRow::from).collect())
}

fn page_content(study: &Study, page: Page, subject: Option<&str>) -> Result<Content, Error> {
    let id = subject.unwrap_or_default();
    let clinical = |table| Ok::<_, Error>(study.clinical_table(table, &study.protocol)?.0);
    let sheet = match page {
        Page::Overview => return Ok(Content::Blocks(study.overview()?)),
        Page::Status => study.status_sheet()?,
        Page::Queries => study.queries_sheet(false)?,
        Page::Masks => study.masks_sheet(Masks::All)?,
        Page::Variables => study.variables_sheet(id)?,
        Page::Images => study.images_sheet(id)?,
        Page::Features => study.features_sheet(id)?,
        Page::Predictions => study.predictions_sheet(id)?,
        Page::History => study.history_sheet(id)?,
        Page::Table1 => clinical(ClinicalTable::One)?,
        Page::Table2 => clinical(ClinicalTable::Two)?,
        Page::Table4 => clinical(ClinicalTable::Four)?,
        Page::Forest => return Ok(Content::Chart(study.forest_figure()?)),
        Page::Survival | Page::Hazards | Page::Prognosis if study.timed_outcomes().is_empty() => {
            return Ok(Content::Nothing(NO_TIME.to_owned()));
        }
        Page::Survival => return Ok(Content::Chart(study.time_page(subject)?)),
        Page::Hazards => study.hazard_table(subject)?,
        Page::Prognosis => study.prognosis_page(subject)?,
        Page::Members => study.members_sheet()?,
        Page::Balance => study.split_sheet()?,
        Page::Runs => study.runs_sheet()?,
        Page::Table3 | Page::Table5 => {
            let table = if page == Page::Table3 { ModelTable::Three } else { ModelTable::Five };
            let sheet = study.model_table(table)?;
            // A file that is busy now is asked again at the next look.
            let _ = study.show_test_results(&format!("dashboard, table {}", table.number()));
            sheet
        }
        Page::Pairs => study.pairs_sheet()?,
        Page::Selected => study.chosen_sheet()?,
        Page::Changes => study.changes_sheet(subject)?,
        Page::Verification => study.verification_sheet()?,
        Page::External => {
            let sheets = study.external_page()?;
            let _ = study.show_test_results("dashboard, external validation");
            return Ok(Content::Blocks(sheets));
        }
        Page::Centres => {
            let sheets = study.centres_sheets()?;
            let _ = study.show_test_results("dashboard, centres");
            return Ok(Content::Blocks(sheets));
        }
        Page::Batches => study.batch_sheet()?,
        Page::Comparison => match subject.and_then(two_runs) {
            Some([first, second]) => study.runs_beside(first, second)?,
            None => return Ok(Content::Nothing("mark two runs with c on the page Runs".to_owned())),
        },
        Page::Reconciliation | Page::Printed | Page::Beside => match subject {
            Some(text) if page == Page::Beside && text.contains('\n') => {
                return Ok(Content::Nothing(
                    "a pasted table is held against itself; r reads a file for this page".to_owned(),
                ));
            }
            Some(path) if page == Page::Beside => study.beside_published(Path::new(path))?,
            Some(text) if text.contains('\n') => published(page, readings::pasted(text)?),
            Some(path) => {
                // A dash is a file here: nobody types into the standard input of a dashboard.
                let path = if path == "-" { PathBuf::from("./-") } else { PathBuf::from(path) };
                published(page, readings::readings(&[path])?)
            }
            None => {
                return Ok(Content::Nothing("r reads a file of published tables; or paste a table here".to_owned()));
            }
        },
        Page::Roc => return figure(study, "roc", subject),
        Page::Calibration => return figure(study, "calibration", subject),
        Page::Decision => return figure(study, "dca", subject),
        Page::LassoPath => return figure(study, "lasso", subject),
        Page::Icc => return figure(study, "icc", subject),
        Page::Shap => return figure(study, "shap", subject),
        Page::Waterfall => return figure(study, "waterfall", subject),
    };
    Ok(Content::Sheet(sheet))
}

/// The findings of published tables, or the tables themselves.
fn published(page: Page, read: Vec<osteon_reconcile::read::Reading>) -> osteon_study::report::sheet::Sheet {
    let judged = readings::judged(read);
    if page == Page::Printed { judged.printed_sheet() } else { judged.sheet() }
}

fn two_runs(marked: &str) -> Option<[RunId; 2]> {
    let (first, second) = marked.split_once(' ')?;
    Some([RunId(first.parse().ok()?), RunId(second.parse().ok()?)])
}

/// A figure by its name on the command line.
fn figure(study: &Study, name: &str, patient: Option<&str>) -> Result<Content, Error> {
    let Some((name, ..)) = FigureName::ALL.iter().find(|(_, known, _)| *known == name) else {
        return Ok(Content::Nothing(format!("no figure {name}")));
    };
    let patient = patient.map(str::to_owned);
    Ok(Content::Chart(study.figure(&FigureRequest { patient, ..FigureRequest::new(*name, TWO_COLUMNS_MM) })?))
}

fn changed(study: &Study, change: Change) -> Answer {
    let result = match &change {
        Change::Edit { id, field, value, reason, version } => {
            let edit = Edit { field: field.clone(), value: value.clone() };
            study.edit(id, &[edit], reason, Some(*version)).map(|cleared| match cleared.as_slice() {
                [] => format!("{id}: {field} is now {value}"),
                _ => format!("{id}: {field} is now missing"),
            })
        }
        Change::Exclude { id, reason, version } => {
            study.decide(id, Belongs::No, reason, Some(*version)).map(|()| format!("{id} is excluded"))
        }
        Change::Include { id, reason, version } => {
            study.decide(id, Belongs::Yes, reason, Some(*version)).map(|()| format!("{id} is included"))
        }
        Change::Undo { id, reason, seq } => study.undo(id, reason, Some(*seq)).map(|what| format!("{id}: {what}")),
        Change::ImportSplit { path, column } => study
            .import_split(path, column)
            .map(|(train, test)| format!("the split of {}: {train} training, {test} test", path.display())),
        Change::Split { seed, train_percent } => study
            .draw_split(Seed(*seed), f64::from(*train_percent) / 100.0)
            .map(|(train, test)| format!("a new split: {train} training, {test} test")),
        Change::LockSplit { reason } => study.lock_split(reason).map(|()| "the split is locked".to_owned()),
        Change::Ask { id, field, text } => study.raise_query(id, field, text).map(|query| match study.may_see(field) {
            true => format!("query {} about {field} of {id}", query.0),
            false => format!("a query about {field} of {id}"),
        }),
        Change::Answer { query, text } => {
            study.answer_query(QueryId(*query), text).map(|()| format!("query {query} is answered"))
        }
        Change::Close { query, reason } => {
            study.close_query(QueryId(*query), reason).map(|()| format!("query {query} is closed"))
        }
        Change::Judge { id, mask, judgement, note } => {
            study.judge(id, Some(mask), *judgement, note).map(|mask| format!("{id}, {mask}: {}", judgement.name()))
        }
    };
    match result {
        Ok(text) => Answer::Done(text),
        Err(Error::Store(StoreError::Stale { code, found, .. })) => {
            let field = if let Change::Edit { field, .. } = &change { field } else { "included" };
            let theirs = study.value_now(&code, field).unwrap_or_else(|error| error.in_full());
            Answer::Conflict { change, theirs, version: found }
        }
        Err(error) => refused(&error),
    }
}

fn worked(study: &Study, work: Work) -> Result<String, Error> {
    match work {
        Work::Extract { ids } => {
            let job = study.queue_extraction(&ExtractRequest { codes: ids, force: false })?;
            study.start_worker()?;
            Ok(format!("extraction is job {}; it goes on when you leave", job.0))
        }
        Work::Fit { assignments } => {
            let job = study.queue_fit(&assignments)?;
            study.start_worker()?;
            Ok(format!("the fit is job {}; it goes on when you leave", job.0))
        }
        Work::Cancel { job } => Ok(match study.cancel_job(JobId(job))? {
            true => format!("job {job} is asked to stop"),
            false => format!("job {job} is over already"),
        }),
        Work::Retry { job } => {
            study.retry_job(JobId(job))?;
            study.start_worker()?;
            Ok(format!("job {job} is queued again"))
        }
    }
}

/// A new file, readable by its owner only; an existing one is never overwritten.
fn write_new(path: &Path, text: &str) -> Result<String, Error> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    let there = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => io::Error::new(error.kind(), "it is there already and stays as it is"),
        _ => error,
    };
    written.map_err(there).map_err(|source| Error::File { path: path.to_owned(), source })?;
    Ok(wrote(path))
}

/// Names a file with all its folders: a dashboard is seldom started where one thinks.
fn wrote(path: &Path) -> String {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    format!("wrote {}", whole.display())
}
