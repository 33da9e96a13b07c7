//! A real server in its own folder, and a client for it.

#![allow(dead_code, reason = "each test file uses what it needs")]

pub mod nginx;
pub mod postgres;
pub mod processes;
pub mod slurm;
pub mod waiting;

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::thread::JoinHandle;

use processes::children;
use serde_json::{Value, json};
use tempfile::TempDir;
use waiting::{Patience, STUCK};

/// The program under test.
pub const OPTLAB: &str = env!("CARGO_BIN_EXE_optlab");

/// The two databases that optlab supports.
#[derive(Clone, Copy, Debug)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    /// Creates a database, for processes that start in `folder`; returns its URL.
    pub fn create(self, folder: &TempDir) -> String {
        match self {
            Self::Sqlite => format!("sqlite:{}/optlab.db", folder.path().display()),
            Self::Postgres => postgres::Postgres::shared().database(),
        }
    }
}

/// The runner, which the build of the workspace puts beside the program.
pub fn runner() -> PathBuf {
    let runner = Path::new(OPTLAB).with_file_name("optlab-runner");
    assert!(runner.exists(), "{} is missing: run `cargo test --workspace`", runner.display());
    runner
}

/// The absolute path of the browser, which the driver requires.
pub fn chromium() -> String {
    let named = std::env::var("OPTLAB_CHROMIUM").unwrap_or_default();
    let usual = "chromium chromium-browser google-chrome google-chrome-stable";
    let search = format!("command -v {named} {usual} | head -n 1");
    let found = Command::new("sh").args(["-c", &search]).output().unwrap().stdout;
    let path = String::from_utf8(found).unwrap().trim().to_owned();
    assert!(!path.is_empty(), "Chromium is missing: run `make setup-test`");
    path
}

/// Folder of the screenshots of `tests/browser`.
pub const SCREENSHOTS: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/screenshots");

/// Runs a script of `tests/browser` on the server at `address`.
pub fn browse(script: &str, address: &str, args: &[&str]) -> Child {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script);
    assert!(
        script.with_file_name("node_modules").exists(),
        "playwright-core is missing: run `make setup-test`"
    );
    Command::new("node")
        .arg(script)
        .args([address, &chromium(), SCREENSHOTS])
        .args(args)
        .stdout(Stdio::piped())
        .spawn()
        .expect("node starts")
}

/// An HTTP client for servers on this machine, which ignores the proxy of the environment.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().proxy(None).build().into()
}

/// A server process, which is killed when dropped.
pub struct Server {
    pub child: Child,
    pub address: String,
    /// Reads the log to its end; a failed test shows it.
    log: Option<JoinHandle<String>>,
    agent: ureq::Agent,
}

/// An HTTP response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub content_type: String,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Server {
    /// Starts `optlab serve` in `folder` with two slots.
    pub fn start(folder: &TempDir) -> Self {
        runner();
        Self::start_with(folder, &["--workers", "2"])
    }

    pub fn start_with(folder: &TempDir, args: &[&str]) -> Self {
        Self::start_on("127.0.0.1:0", folder, args)
    }

    /// Starts a server on an address. If that is 0.0.0.0, clients use 127.0.0.1.
    pub fn start_on(listen: &str, folder: &TempDir, args: &[&str]) -> Self {
        Self::start_logging("info,sqlx=warn", listen, folder, args)
    }

    pub fn start_logging(filter: &str, listen: &str, folder: &TempDir, args: &[&str]) -> Self {
        let (server, log) = Self::spawn(filter, listen, folder, args, &[]);
        server.heard(log)
    }

    /// Starts a server that may have at most `files` open files.
    pub fn start_with_files(files: u32, folder: &TempDir, args: &[&str]) -> Self {
        let mut program = Command::new("sh");
        program.args(["-c", "ulimit -n $0 && exec \"$@\"", &files.to_string(), OPTLAB]);
        let (server, log) = Self::spawn_as(program, "info,sqlx=warn", "127.0.0.1:0", folder, args, &[]);
        server.heard(log)
    }

    /// Starts the process with variables of the environment.
    pub fn start_in(environment: &[(&str, &str)], folder: &TempDir, args: &[&str]) -> Self {
        let (server, log) = Self::spawn("info,sqlx=warn", "127.0.0.1:0", folder, args, environment);
        server.heard(log)
    }

    /// Reads the log in a thread, because a full pipe would block the server.
    fn heard(mut self, log: Lines<BufReader<ChildStderr>>) -> Self {
        self.log = Some(std::thread::spawn(move || {
            let lines = log.map(|line| line.unwrap_or_default()).inspect(|line| println!("{line}"));
            lines.collect::<Vec<_>>().join("\n")
        }));
        self
    }

    /// Starts a server whose log has no reader once the address is known.
    pub fn start_unheard(folder: &TempDir) -> Self {
        Self::spawn("debug", "127.0.0.1:0", folder, &["--workers", "1"], &[]).0
    }

    fn spawn(
        filter: &str,
        listen: &str,
        folder: &TempDir,
        args: &[&str],
        environment: &[(&str, &str)],
    ) -> (Self, Lines<BufReader<ChildStderr>>) {
        Self::spawn_as(processes::optlab(), filter, listen, folder, args, environment)
    }

    fn spawn_as(
        mut program: Command,
        filter: &str,
        listen: &str,
        folder: &TempDir,
        args: &[&str],
        environment: &[(&str, &str)],
    ) -> (Self, Lines<BufReader<ChildStderr>>) {
        let mut child = program
            .args(["--log", filter, "serve", "--listen", listen])
            .args(args)
            .env("OPTLAB_LEASE_SECONDS", "5")
            .envs(environment.iter().copied())
            .current_dir(folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .expect("optlab starts");
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = loop {
            let line = log.next().expect("the server logs its address").unwrap();
            if let Some((_, rest)) = line.split_once("serving ") {
                break rest.split(' ').next().unwrap().replace("0.0.0.0", "127.0.0.1");
            }
        };
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(STUCK))
            .build();
        (Self { child, address, log: None, agent: agent.into() }, log)
    }

    /// Starts a server without slots on a database, with its files in `folder`.
    pub fn without_slots(database_url: &str, folder: &TempDir) -> Self {
        let files = folder.path().join("files");
        let place = ["--database-url", database_url, "--artifacts", files.to_str().unwrap()];
        Self::start_with(folder, &[&place[..], &["--workers", "0", "--lease-seconds", "2"]].concat())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub fn get(&self, path: &str) -> Answer {
        answer(self.agent.get(self.url(path)).call())
    }

    /// The body of a successful answer.
    pub fn read(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(self.agent.run(request.body(body.to_vec()).unwrap()))
    }

    /// The status and headers of an answer whose body may be endless.
    pub fn head_of(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> (u16, ureq::http::HeaderMap) {
        let mut request = ureq::http::Request::builder().method(method).uri(self.url(path));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.agent.run(request.body(b"{}".to_vec()).unwrap()).unwrap();
        (answer.status().as_u16(), answer.headers().clone())
    }

    /// Submits an experiment; returns its id.
    pub fn submit(&self, spec: &Value) -> i64 {
        let answer = self.post("/api/v1/experiments", spec);
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_i64().unwrap()
    }

    pub fn jobs(&self, experiment: i64) -> Vec<Value> {
        let page = self.read(&format!("/api/v1/jobs?experiment={experiment}&limit=1000"));
        page["items"].as_array().unwrap().clone()
    }

    /// Waits until `done` holds for the experiment's jobs, as long as any running job makes progress.
    #[track_caller]
    pub fn wait(&self, experiment: i64, what: &str, done: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut patience = Patience::until(what);
        loop {
            let jobs = self.jobs(experiment);
            if done(&jobs) {
                return jobs;
            }
            let running = self.read("/api/v1/jobs?state=running&limit=1000");
            patience.again((progress(&jobs), progress(running["items"].as_array().unwrap())));
        }
    }

    /// Waits until every job has ended, and asserts that all have succeeded.
    pub fn wait_for_success(&self, experiment: i64) -> Vec<Value> {
        let jobs = self.wait(experiment, "all jobs have ended", |jobs| {
            jobs.iter().all(|job| !["queued", "running"].contains(&job["state"].as_str().unwrap()))
        });
        for job in &jobs {
            assert_eq!(job["state"], "succeeded", "{job:#}");
        }
        jobs
    }

    /// Every point of a job's series, by name.
    pub fn curves(&self, job: &Value) -> Vec<(String, Vec<(i64, f64)>)> {
        curves_of(&self.read(&format!("/api/v1/jobs/{}/metrics?points=10000", job["id"])))
    }

    pub fn curve(&self, job: &Value, series: &str) -> Vec<(i64, f64)> {
        let curves = self.curves(job);
        let found = curves.into_iter().find(|(name, _)| name == series);
        found.unwrap_or_else(|| panic!("{series} is missing: {job:#}")).1
    }

    /// The runner processes of this server.
    pub fn runners(&self) -> Vec<u32> {
        children(self.child.id()).into_iter().filter(|pid| !is_query(*pid)).collect()
    }

    /// The child processes that run queries on SQLite.
    pub fn queries(&self) -> Vec<u32> {
        children(self.child.id()).into_iter().filter(|pid| is_query(*pid)).collect()
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Kills the server; returns its log after the line with its address.
    pub fn kill_for_its_log(mut self) -> String {
        self.child.kill().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The fields that change while jobs run.
fn progress(jobs: &[Value]) -> Vec<String> {
    let fields = ["id", "state", "requested", "attempt", "step", "error"];
    jobs.iter().map(|job| fields.map(|field| format!("{field}: {}", job[field])).join(", ")).collect()
}

/// The curves in an answer of `/jobs/{id}/metrics`, by name.
pub fn curves_of(metrics: &Value) -> Vec<(String, Vec<(i64, f64)>)> {
    let curve = |series: &Value| {
        let steps = series["steps"].as_array().unwrap().iter().map(|step| step.as_i64().unwrap());
        let values = series["values"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap());
        (series["name"].as_str().unwrap().to_owned(), steps.zip(values).collect())
    };
    metrics["series"].as_array().unwrap().iter().map(curve).collect()
}

/// Runs `optlab token` on the database of this folder; returns its output.
pub fn token(folder: &TempDir, args: &[&str]) -> String {
    let done = Command::new(OPTLAB).arg("token").args(args).current_dir(folder.path()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().trim().to_owned()
}

fn is_query(pid: u32) -> bool {
    std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"optlab\0query-child\0"))
}

pub fn answer(result: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Answer {
    let mut response = result.unwrap_or_else(|error| panic!("no answer: {error}"));
    let content_type = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        content_type: content_type.unwrap_or_default(),
        text: response.body_mut().read_to_string().unwrap(),
    }
}

/// The arms and data of the demo with a smaller network, which trains in a fraction of its time.
pub fn small_experiment(epochs: u64, seeds: &[u64]) -> Value {
    json!({
        "recipe": "digits-mlp",
        "overrides": { "name": "small", "seeds": seeds, "train": { "epochs": epochs, "log_every_steps": 1, "model": { "hidden": [32, 32] } } },
    })
}

/// One OPT job that takes long enough to be interrupted.
pub fn long_experiment(steps: u64) -> Value {
    json!({
        "name": "long",
        "train": {
            "steps": steps, "evaluate_every": 500, "log_every_steps": 10, "batch_size": 32,
            "data": { "name": "digits" }, "model": { "kind": "mlp", "hidden": [64, 64] },
            "optimizer": { "kind": "sgd", "learning_rate": 0.01 },
        },
        "arms": [{ "name": "opt-cayley", "method": { "kind": "opt", "transform": "cayley" } }],
    })
}
