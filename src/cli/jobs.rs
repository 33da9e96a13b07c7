//! `optlab jobs`: lists jobs, the values of their fields, and why they failed.

use std::num::NonZeroUsize;

use comfy_table::Table;
use optlab_api_types::{Job, ListedJob};
use optlab_domain::{AttemptNumber, EndReason, JobRecord, JobState};
use serde_json::Value;

use super::client::ServerArgs;
use super::outcome::TOLD;
use super::table::table;
use super::{Failure, output, which};
use crate::exchange::{JobTable, USUAL_COLUMNS};
use crate::store::Field;

/// The columns of the usual table.
const USUAL: [&str; 9] = ["job", "experiment", "arm", "phase", "seed", "state", "step", "attempt", "device"];

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of an experiment [default: all]
    experiment: Option<String>,
    /// Only jobs in this state: running, queued, paused, succeeded, failed or cancelled
    #[arg(long)]
    state: Option<String>,
    /// Only jobs of this arm
    #[arg(long)]
    arm: Option<String>,
    /// Only jobs that satisfy comparisons joined by `and`, such as "batch_size = 64 and test_error < 5". The operators
    /// are = != < <= > >= and ~ for a part of a text; docs/runs.md has the fields
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<String>,
    /// The field by which jobs are ordered, such as test_error or train.optimizer.learning_rate [default: id]
    #[arg(long, value_name = "FIELD")]
    sort: Option<String>,
    /// The highest first
    #[arg(long, requires = "sort")]
    descending: bool,
    /// Fields to show, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "FIELDS")]
    columns: Vec<String>,
    /// Maximum number of jobs
    #[arg(long, value_name = "NUMBER")]
    limit: Option<NonZeroUsize>,
    #[command(flatten)]
    server: ServerArgs,
    /// Print JSON
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let columns = args.columns()?;
    let order = args.unusual_order();
    let jobs = fetch(args, if columns.is_empty() { order.as_slice() } else { &columns })?;
    if args.json {
        return Ok(output::json(&jobs)?);
    }
    if args.csv {
        let mut file = Vec::new();
        let mut rows = JobTable::new(&mut file, &columns)?;
        jobs.iter().try_for_each(|job| rows.write(&job.fields))?;
        rows.finish()?;
        return Ok(output::verbatim(file.as_slice())?);
    }
    if jobs.is_empty() {
        output::note("optlab: no jobs match");
        return Ok(());
    }
    if !columns.is_empty() {
        return Ok(output::line(with_columns(&columns, &jobs).trim_fmt())?);
    }
    let header: Vec<&str> = USUAL.into_iter().chain(order).collect();
    let mut table = table(header, &[0, 1, 4, 6, 7, USUAL.len()]);
    table.add_rows(jobs.iter().map(|listed| {
        let figure = order.iter().map(|field| cell(listed, field));
        row(&listed.job).into_iter().chain(figure).collect::<Vec<_>>()
    }));
    output::line(table.trim_fmt())?;
    print_remarks(&jobs)
}

impl Args {
    /// The whole names of the fields that are printed; empty for the usual table.
    fn columns(&self) -> Result<Vec<&'static str>, Failure> {
        if self.columns.is_empty() {
            return Ok(if self.csv { USUAL_COLUMNS.to_vec() } else { Vec::new() });
        }
        let name = |given: &String| Field::parse(given).map(Field::name);
        let names: Result<_, _> = self.columns.iter().map(name).collect();
        names.map_err(|wrong| Failure::Usage(format!("--columns: {wrong}")))
    }

    /// The field by which jobs are ordered, if the usual table lacks it. The server refuses a wrong one.
    fn unusual_order(&self) -> Option<&'static str> {
        let field = Field::parse(self.sort.as_ref()?).ok()?.name();
        (!USUAL.contains(&field) && field != "id").then_some(field)
    }
}

fn fetch(args: &Args, columns: &[&str]) -> Result<Vec<ListedJob>, Failure> {
    let client = args.server.client()?;
    let experiment = args.experiment.as_deref().map(|given| which::find(&client, given)).transpose()?;
    let filters = [
        ("experiment", experiment.map(|id| id.to_string())),
        ("state", args.state.clone()),
        ("arm", args.arm.clone()),
        ("where", args.condition.clone()),
        ("sort", args.sort.clone()),
        ("order", args.descending.then(|| "desc".to_owned())),
        ("fields", Some(columns.join(",")).filter(|fields| !fields.is_empty())),
    ];
    let filters: Vec<(&str, &str)> =
        filters.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect();
    Ok(client.first("/jobs", &filters, args.limit.map_or(usize::MAX, NonZeroUsize::get))?)
}

/// The value of a field.
fn cell(job: &ListedJob, field: &str) -> String {
    match job.fields.get(field) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A table of the job's id and its fields. Columns of numbers are aligned at the right.
fn with_columns(columns: &[&str], jobs: &[ListedJob]) -> Table {
    let is_figure = |column: &str| {
        let mut values = jobs.iter().filter_map(|job| job.fields.get(column));
        values.all(|value| value.is_number() || value.is_null())
    };
    let figures: Vec<usize> =
        (1..).zip(columns).filter(|(_, column)| is_figure(column)).map(|(place, _)| place).collect();
    let header: Vec<&str> = ["job"].iter().chain(columns).copied().collect();
    let mut table = table(header, &[&[0][..], &figures].concat());
    table.add_rows(jobs.iter().map(|job| {
        let cells = columns.iter().map(|column| cell(job, column));
        [job.job.record.id.to_string()].into_iter().chain(cells).collect::<Vec<_>>()
    }));
    table
}

fn print_remarks(jobs: &[ListedJob]) -> Result<(), Failure> {
    let remarks: Vec<_> = jobs.iter().filter_map(|it| Some((it.job.record.id, remark(&it.job)?))).collect();
    for (job, remark) in remarks.iter().take(TOLD) {
        output::line(format!("job {job}: {remark}"))?;
    }
    if remarks.len() > TOLD {
        output::line(format!("and {} more: --json has them all", remarks.len() - TOLD))?;
    }
    Ok(())
}

fn row(job: &Job) -> [String; 9] {
    [
        job.record.id.to_string(),
        job.record.experiment_id.to_string(),
        job.record.arm.clone(),
        phase(&job.record),
        job.record.seed.to_string(),
        condition(job),
        format!("{}/{}", job.record.step, job.record.steps),
        job.record.attempt.to_string(),
        job.device.clone().unwrap_or_else(|| "-".to_owned()),
    ]
}

/// `confirm`, or `trial 3`.
fn phase(job: &JobRecord) -> String {
    job.trial.map_or_else(|| job.phase.to_string(), |trial| format!("{} {trial}", job.phase))
}

/// The state with what explains it: `failed (diverged)`, `running (pause)`, `queued (waits at step 150)`.
pub(super) fn condition(job: &Job) -> String {
    let JobRecord { state, requested, end_reason, waits_at, .. } = job.record;
    let request = requested.map(|request| request.to_string());
    let rung = waits_at.filter(|_| !state.has_ended()).map(|step| format!("waits at step {step}"));
    let explains = |reason: &EndReason| state == JobState::Failed || *reason == EndReason::StoppedEarly;
    let reason = end_reason.filter(explains).map(|reason| reason.to_string());
    request.or(rung).or(reason).map_or_else(|| state.to_string(), |words| format!("{state} ({words})"))
}

/// What is wrong with the job: the warning of its worker, or why it was queued again.
fn remark(job: &Job) -> Option<&str> {
    job.trouble
        .as_deref()
        .or_else(|| job.why_queued.as_deref().filter(|_| job.record.attempt > AttemptNumber::NONE))
        .filter(|_| job.record.waits_at.is_none())
}
