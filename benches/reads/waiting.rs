//! Measures whether waiting jobs slow down any request of a page or a command.
//!
//! There are three databases with 2,000 succeeded jobs. Two of them also have an experiment of 10,000 jobs, which are
//! cancelled in one and queued in the other. Requests alternate between the databases, so that a busy machine slows all
//! of them alike. Requests about the large experiment go to only two of them.

use std::process::Command;
use std::time::{Duration, Instant};

use optlab_domain::{ExperimentId, JobId};
use tempfile::TempDir;

use super::filled::{Curve, Database};
use super::support::{OPTLAB, Server};
use super::{curves, keep_to_one_core, median, send};

const SEEDS: i64 = 5_000;
const ROUNDS: usize = 41;

/// The state of the 10,000 jobs.
#[derive(Clone, Copy, PartialEq)]
enum Large {
    Absent,
    Cancelled,
    Waiting,
}

/// Ids of the experiments and of one job each, equal in every database.
struct Ids {
    small: ExperimentId,
    large: ExperimentId,
    succeeded: JobId,
    waiting: JobId,
}

struct Request {
    what: &'static str,
    call: Call,
    /// Whether the request is about the experiment of 10,000 jobs.
    of_large: bool,
}

enum Call {
    Get(String),
    DryRun(&'static str),
    Command(Vec<String>),
}

pub fn compare() {
    let mut ids = None;
    let servers = [Large::Absent, Large::Cancelled, Large::Waiting].map(|large| {
        let folder = TempDir::new().unwrap();
        let url = format!("sqlite:{}/optlab.db", folder.path().display());
        let filled = tokio::runtime::Runtime::new().unwrap().block_on(fill(&url, large));
        if large != Large::Absent {
            ids = Some(filled);
        }
        let server = Server::start_with(&folder, &["--database-url", &url, "--workers", "0"]);
        keep_to_one_core(server.child.id());
        (folder, server)
    });
    println!("| request | without the 10,000 jobs, ms | cancelled | waiting | to none | to cancelled |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for Request { what, call, of_large } in requests(&ids.unwrap()) {
        let mut times: [Vec<Duration>; 3] = Default::default();
        for _ in 0..ROUNDS {
            for (times, (_, server)) in times.iter_mut().zip(&servers).skip(usize::from(of_large)) {
                let began = Instant::now();
                call.of(server);
                times.push(began.elapsed());
            }
        }
        let [absent, cancelled, waiting] = times.map(|times| (!times.is_empty()).then(|| median(times)));
        let ratio =
            |to: Option<f64>| to.zip(waiting).map_or("-".to_owned(), |(to, now)| format!("{:.2}", now / to));
        let shown = |time: Option<f64>| time.map_or("-".to_owned(), |time| format!("{time:.1}"));
        println!(
            "| {what} | {} | {} | {} | {} | {} |",
            shown(absent),
            shown(cancelled),
            shown(waiting),
            ratio(absent),
            ratio(cancelled)
        );
    }
}

impl Call {
    fn of(&self, server: &Server) {
        match self {
            Self::Get(path) => {
                send(&server.address, "GET", path, "");
            }
            Self::DryRun(body) => {
                send(&server.address, "POST", "/api/v1/experiments?dry_run=true", body);
            }
            Self::Command(words) => {
                let done =
                    Command::new(OPTLAB).args(words).args(["--server", &server.address]).output().unwrap();
                assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            }
        }
    }
}

fn requests(ids: &Ids) -> Vec<Request> {
    let Ids { small, large, succeeded, waiting } = ids;
    let get =
        |what, path: String| Request { what, call: Call::Get(format!("/api/v1{path}")), of_large: false };
    let of_large = |request: Request| Request { of_large: true, ..request };
    let command = |what, words: String| {
        let words = words.split(' ').map(str::to_owned).collect();
        Request { what, call: Call::Command(words), of_large: true }
    };
    let series = "series=train/loss&points=400";
    vec![
        get("the list of experiments", "/experiments?limit=50".to_owned()),
        get("an experiment of 20 jobs", format!("/experiments/{small}")),
        get("its jobs", format!("/jobs?experiment={small}&limit=100")),
        get("its single curves", format!("/experiments/{small}/runs?{series}")),
        get("its mean curves", format!("/experiments/{small}/curves?{series}")),
        get("its comparison", format!("/experiments/{small}/comparison")),
        get("its warnings", format!("/experiments/{small}/warnings")),
        get("one of its jobs", format!("/jobs/{succeeded}")),
        get("the attempts of the job", format!("/jobs/{succeeded}/attempts")),
        get("the curves of the job", format!("/jobs/{succeeded}/metrics?points=400")),
        get("the first 100 of all jobs", "/jobs?limit=100".to_owned()),
        get("running jobs", "/jobs?state=running&limit=1000".to_owned()),
        get("the workers", "/workers".to_owned()),
        Request {
            what: "dry run of a submission",
            call: Call::DryRun(r#"{"recipe": "digits-mlp"}"#),
            of_large: false,
        },
        Request { what: "metrics for Prometheus", call: Call::Get("/metrics".to_owned()), of_large: false },
        Request { what: "readiness", call: Call::Get("/readyz".to_owned()), of_large: false },
        of_large(get("the experiment of 10,000 jobs", format!("/experiments/{large}"))),
        of_large(get("its first 100 jobs", format!("/jobs?experiment={large}&limit=100"))),
        of_large(get(
            "its last 100 jobs",
            format!("/jobs?experiment={large}&limit=100&cursor={}", i64::from(*waiting) - 100),
        )),
        of_large(get(
            "1,000 of them",
            format!("/jobs?experiment={large}&limit=1000&cursor={}", i64::from(*waiting) - 5_000),
        )),
        of_large(get("its jobs of one arm", format!("/jobs?experiment={large}&arm=arm-1&limit=100"))),
        of_large(get("its failed jobs", format!("/jobs?experiment={large}&state=failed&limit=10"))),
        of_large(get("its paused jobs", format!("/jobs?experiment={large}&state=paused&limit=1000"))),
        of_large(get("its last job", format!("/jobs/{waiting}"))),
        of_large(get("its single curves", format!("/experiments/{large}/runs?{series}"))),
        of_large(get("its mean curves", format!("/experiments/{large}/curves?{series}"))),
        of_large(get("its comparison", format!("/experiments/{large}/comparison"))),
        of_large(get("its warnings", format!("/experiments/{large}/warnings"))),
        of_large(get("its jobs as CSV", format!("/experiments/{large}/export?format=csv&table=jobs"))),
        command("optlab jobs, all 10,000", format!("jobs {large}")),
        command("optlab experiments", "experiments".to_owned()),
    ]
}

async fn fill(url: &str, large: Large) -> Ids {
    let mut database = Database::open(url).await;
    let small: [Curve; 2] = curves(2_500);
    let small = database.fill(1, 20, &small).await;
    database.fill(1, 1_900, &curves(10)).await;
    let mut ids =
        Ids { small, large: ExperimentId::from(0), succeeded: JobId::from(1), waiting: JobId::from(0) };
    let others = match large {
        Large::Absent => None,
        Large::Cancelled | Large::Waiting => {
            ids.large = database.submit(2, SEEDS).await;
            ids.waiting = JobId::from(20 + 1_900 + 2 * SEEDS);
            (large == Large::Cancelled).then_some(ids.large)
        }
    };
    if let Some(experiment) = others {
        database.cancel(experiment).await;
    }
    database.close().await;
    ids
}
