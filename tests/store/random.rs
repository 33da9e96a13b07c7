//! Random operations of several clients: in any order, both databases answer as the model does and contain the same
//! jobs. `OPTLAB_TEST_CASES` sets the number of cases.

use optlab_domain::{Action, Device, EndReason, JobId, JobState, Lease, WantedDevice};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestRunner;
use tokio::runtime::Runtime;

use crate::client::{ask, report, views};
use crate::fixture::{Fixture, LEASE_MS};
use crate::model::{Answer, Call, Model, PLACES};

const CASES: u32 = 20;
const OPERATIONS: usize = 100;
/// Maximum number of concurrent jobs, without those that have succeeded.
const JOBS: usize = 3;
const CLIENTS: usize = 3;

#[test]
fn sqlite_agrees_with_the_model() {
    try_many(async || Fixture::sqlite().await);
}

#[test]
fn postgres_agrees_with_the_model() {
    try_many(async || Fixture::postgres().await);
}

fn try_many(new: impl AsyncFn() -> Fixture) {
    let cases = std::env::var("OPTLAB_TEST_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let runtime = Runtime::new().unwrap();
    let operations = vec((0..CLIENTS, operation()), OPERATIONS);
    let result = TestRunner::new(config).run(&operations, |operations| {
        runtime.block_on(async { compare(new().await, operations).await });
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
}

async fn compare(fixture: Fixture, operations: Vec<(usize, Operation)>) {
    let mut clients = vec![fixture.store.clone()];
    while clients.len() < CLIENTS {
        clients.push(fixture.other_process().await);
    }
    report(&fixture).await;
    let mut model = Model::default();
    let mut leases = Vec::new();
    for (client, operation) in operations {
        let Some(call) = operation.call(&model, &leases) else { continue };
        let client = clients[client].as_ref();
        let expected = model.answer(&call);
        assert_eq!(ask(&fixture, client, &call).await, expected, "{call:?}");
        assert_eq!(views(client).await, model.views(), "after {call:?}");
        if let Answer::Claimed(Some((lease, _))) = expected {
            leases.push(lease);
        }
    }
    for client in clients {
        client.close().await;
    }
}

/// An operation of a client, before the jobs and leases are known.
#[derive(Clone, Debug)]
enum Operation {
    /// The call itself.
    Call(Call),
    /// With the lease of a running job or, sometimes, with any earlier lease.
    Write {
        stale: bool,
        lease: Index,
        write: Write,
    },
    Act {
        job: Index,
        action: Action,
        on_all: bool,
    },
    Delete {
        job: Index,
    },
}

#[derive(Clone, Debug)]
enum Write {
    /// From the last checkpoint, or from the beginning.
    Start {
        goes_on: bool,
    },
    /// Points at the present step and this many after it.
    Record {
        points: i64,
    },
    /// At the present step.
    AddCheckpoint,
    End(EndReason),
}

fn operation() -> impl Strategy<Value = Operation> {
    let device = || select(PLACES.to_vec());
    let wanted = vec![WantedDevice::Any, WantedDevice::Any, WantedDevice::Any, WantedDevice::Cuda];
    let submit = (0..2i64, select(wanted), 1..4i64)
        .prop_map(|(priority, device, max_attempts)| Call::Submit { priority, device, max_attempts });
    let advance = select(vec![500, 1_000, 4_000, LEASE_MS, LEASE_MS + 1, 600_000]);
    let calls = prop_oneof![
        3 => submit,
        4 => device().prop_map(|device| Call::Claim { device }),
        1 => Just(Call::Reap),
        2 => advance.prop_map(|ms| Call::Advance { ms }),
    ];
    let actions = vec![(2, Action::Cancel), (3, Action::Pause), (3, Action::Resume), (4, Action::Retry)];
    let action =
        prop::strategy::Union::new_weighted(actions.into_iter().map(|(n, a)| (n, Just(a))).collect());
    let action = (any::<Index>(), action, any::<bool>()).prop_map(|(job, action, on_all)| Operation::Act {
        job,
        action,
        on_all,
    });
    let write = (prop::bool::weighted(0.2), any::<Index>(), write())
        .prop_map(|(stale, lease, write)| Operation::Write { stale, lease, write });
    let delete = any::<Index>().prop_map(|job| Operation::Delete { job });
    prop_oneof![30 => calls.prop_map(Operation::Call), 30 => write, 20 => action, 2 => delete]
}

fn write() -> impl Strategy<Value = Write> {
    let ends = vec![
        EndReason::HandedBack,
        EndReason::Completed,
        EndReason::Diverged,
        EndReason::OutOfMemory,
        EndReason::RunnerCrashed,
        EndReason::RunnerCrashed,
        EndReason::MachineFault,
        EndReason::WorkerLost,
        EndReason::Cancelled,
    ];
    prop_oneof![
        2 => any::<bool>().prop_map(|goes_on| Write::Start { goes_on }),
        3 => (0..3i64).prop_map(|points| Write::Record { points }),
        2 => Just(Write::AddCheckpoint),
        2 => select(ends).prop_map(Write::End),
    ]
}

impl Model {
    /// Any job, also a deleted one; `None` without jobs.
    fn any(&self, index: Index) -> Option<JobId> {
        let jobs = self.jobs.len();
        (jobs > 0).then(|| JobId::from(index.index(jobs) as i64 + 1))
    }
}

impl Operation {
    /// The resulting call; `None` if there is no such job or lease.
    fn call(self, model: &Model, leases: &[Lease]) -> Option<Call> {
        match self {
            Self::Call(Call::Submit { .. }) if model.unfinished() == JOBS => None,
            Self::Call(call) => Some(call),
            Self::Delete { job } => Some(Call::Delete { job: model.any(job)? }),
            Self::Act { job, action, on_all } => {
                let job = model.any(job)?;
                Some(if on_all { Call::ActOnAll { job, action } } else { Call::Act { job, action } })
            }
            Self::Write { stale, lease, write } => {
                let may_be_meant = |lease: &&Lease| {
                    let job = &model.job(lease.job).view;
                    stale || (job.attempt == lease.attempt && job.state == JobState::Running)
                };
                let candidates: Vec<&Lease> = leases.iter().filter(may_be_meant).collect();
                // A client without a job claims one.
                Some(match candidates.is_empty() {
                    true => Call::Claim { device: Device::Cpu },
                    false => write.call(model, **lease.get(&candidates)),
                })
            }
        }
    }
}

impl Write {
    fn call(self, model: &Model, lease: Lease) -> Call {
        let job = model.job(lease.job);
        let step = job.view.step;
        match self {
            Self::Start { goes_on } => {
                Call::Start { lease, step: if goes_on { job.last_checkpoint() } else { 0 } }
            }
            Self::Record { points } => Call::Record { lease, steps: (step..=step + points).collect() },
            Self::AddCheckpoint => Call::AddCheckpoint { lease, step },
            Self::End(reason) => Call::End { lease, reason },
        }
    }
}
