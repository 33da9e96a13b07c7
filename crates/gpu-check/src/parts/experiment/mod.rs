//! An experiment whose jobs train side by side on the device for what is left of the time. Its database and checkpoints
//! are kept, and a later run goes on with them.

mod plan;

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use optlab_data::Library;
use optlab_runner::clock;
use serde_json::{Map, Value, json};

use self::plan::Plan;
use crate::error::CheckError;
use crate::server_process::Server;
use crate::setting::Setting;

/// Time to hand jobs back and to read the results. A worker kills a runner that has not stopped after 20 s.
const TIME_TO_END: Duration = Duration::from_secs(35);
/// Interval between two looks at the jobs.
const POLL: Duration = Duration::from_secs(1);
/// The comparison of the arms, for programs.
const RESULTS: &str = "results.json";

pub fn run(setting: &mut Setting) -> Result<(), CheckError> {
    let time_to_end = TIME_TO_END.min(setting.left() / 3);
    let last = setting.until - time_to_end;
    let (plan, missing) = plan::choose(&Library::from_env(), setting.tiny);
    for (data, why) in missing {
        fact(setting, data, why)?;
    }
    // A database of its own, where no job of another experiment is before it.
    let folder = setting.kept.join(plan.name);
    fs::create_dir_all(&folder)?;
    let slots = plan.slots.min(thread::available_parallelism()?.get());
    let mut server = Server::start(setting, &folder, slots)?;
    let (id, how) = match of_an_earlier_run(&server, &plan)? {
        Some(id) => (id, "goes on"),
        None => (submit(&server, &plan)?, "begins"),
    };
    fact(setting, "experiment", format!("{}, {slots} jobs at once, {how}", plan.name))?;

    let before = jobs(&server, &id)?;
    let trained = train(&mut server, &id, last);
    // Also if the server has died, because the worker needs only the database.
    if !server.drain(time_to_end * 3 / 4)? {
        fact(setting, "worker", "did not end in good order; its jobs resume from their last checkpoints")?;
    }
    trained?;
    let after = jobs(&server, &id)?;
    record_progress(setting, &server, &before, &after)?;
    record_jobs(setting, after)?;
    let comparison = server.command(&["compare", &id, "--json"])?;
    fs::write(folder.join(RESULTS), &comparison)?;
    record_arms(setting, &serde_json::from_str(&comparison)?)?;
    Ok(server.stop(time_to_end / 4)?)
}

/// Lets the worker train until no job is left, or until `last`.
fn train(server: &mut Server, experiment: &str, last: Instant) -> Result<(), CheckError> {
    while jobs(server, experiment)?.iter().any(is_open) && clock::instant() < last {
        if server.has_lost_its_worker()? {
            return Err(CheckError::Program(format!("the worker has ended\n{}", server.log())));
        }
        thread::sleep(POLL);
    }
    Ok(())
}

fn fact(setting: &mut Setting, what: &str, value: impl ToString) -> Result<(), CheckError> {
    setting.records.row("experiment", None, json!({ "what": what, "value": value.to_string() }))
}

/// The id of the experiment in a database that an earlier run left.
fn of_an_earlier_run(server: &Server, plan: &Plan) -> Result<Option<String>, CheckError> {
    let experiments = server.json(&["experiments", "--json"])?;
    let known = experiments.as_array().into_iter().flatten().find(|known| known["name"] == plan.name);
    Ok(known.map(|known| known["id"].to_string()))
}

fn submit(server: &Server, plan: &Plan) -> Result<String, CheckError> {
    let name = format!("name={}", plan.name);
    let mut arguments = vec!["submit", plan.recipe, "--json", "--set", &name];
    arguments.extend(plan.changes.iter().flat_map(|change| ["--set", change]));
    arguments.extend(plan.arms.iter().flat_map(|arm| ["--arm", arm]));
    Ok(server.json(&arguments)?["id"].to_string())
}

type Job = Map<String, Value>;

/// The jobs of an experiment in the order of the queue, with the accuracy of their last evaluation.
fn jobs(server: &Server, experiment: &str) -> Result<Vec<Job>, CheckError> {
    let last = |column: &str| {
        format!(
            "(SELECT c.{column} FROM curves c WHERE c.job_id = j.id AND c.series = 'test/accuracy' \
             ORDER BY c.step DESC LIMIT 1)"
        )
    };
    let query = format!(
        "SELECT arm, seed, state, attempt AS attempts, step, steps, {} AS test_accuracy, {} AS at_step, error \
         FROM jobs j WHERE experiment_id = {experiment} ORDER BY id",
        last("value"),
        last("step"),
    );
    let answer = server.json(&["sql", &query, "--json"])?;
    let columns: Vec<&str> = texts(&answer["columns"]).collect();
    let job = |row: &Value| {
        let values = row.as_array().into_iter().flatten();
        columns.iter().map(ToString::to_string).zip(values.cloned()).collect()
    };
    Ok(answer["rows"].as_array().into_iter().flatten().map(job).collect())
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn is_open(job: &Job) -> bool {
    job["state"] == "queued" || job["state"] == "running"
}

fn has_begun(job: &Job) -> bool {
    job["attempts"] != 0
}

/// How many jobs have ended and how many have trained in this run. It is a failure if none did and one could have.
fn record_progress(
    setting: &mut Setting,
    server: &Server,
    before: &[Job],
    after: &[Job],
) -> Result<(), CheckError> {
    let open = after.iter().filter(|job| is_open(job)).count();
    let begun = after.iter().filter(|job| is_open(job) && has_begun(job)).count();
    let ended = after.len() - open;
    fact(setting, "jobs", format!("{ended} of {} have ended, {begun} will go on", after.len()))?;
    let trained = before.iter().zip(after).filter(|(before, after)| before["step"] != after["step"]).count();
    let is_right = trained > 0 || !before.iter().any(is_open);
    if !is_right {
        eprintln!("no job has trained\n{}", server.log());
    }
    let cells = json!({ "what": "jobs that trained in this run", "value": trained });
    setting.records.row("experiment", Some(is_right), cells)
}

/// Every job that has begun, also in an earlier run.
fn record_jobs(setting: &mut Setting, jobs: Vec<Job>) -> Result<(), CheckError> {
    for mut job in jobs.into_iter().filter(has_begun) {
        if job["error"].is_null() {
            job.remove("error");
        }
        let is_right = job["state"] != "failed";
        setting.records.row("jobs", Some(is_right), job)?;
    }
    Ok(())
}

/// The arms with jobs that have ended well, compared with the baseline.
fn record_arms(setting: &mut Setting, comparison: &Value) -> Result<(), CheckError> {
    for arm in comparison["arms"].as_array().into_iter().flatten().filter(|arm| arm["n"] != 0) {
        let cells = json!({
            "arm": arm["arm"], "seeds": arm["n"], "test_error": arm["mean"], "std": arm["std"],
            "minus_baseline": arm["mean_difference"], "from": arm["difference"]["low"],
            "to": arm["difference"]["high"], "energy": arm["energy"], "seconds": arm["seconds"],
        });
        setting.records.row(
            "arms, test error in percent with the 95% interval of the difference",
            None,
            cells,
        )?;
    }
    fact(setting, "verdict", comparison["verdict"].as_str().unwrap_or_default())
}
