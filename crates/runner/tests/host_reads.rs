//! The reads by the host in the training steps of every arm, each of which would make a GPU wait.
//!
//! On a CPU the rotations and the energy have other algorithms, of which some read: those that are listed here. The
//! tests `host_reads` of `crates/opt` count the reads of both.

mod support;

use std::collections::BTreeMap;

use optlab_data::{Library, Silent};
use optlab_opt::host;
use optlab_runner::data::DataSource;
use optlab_runner::job::Job;
use optlab_runner::training;
use optlab_spec::{JobSpec, LowdinForm, MethodSpec, TransformSpec};
use tch::Device;

use support::factors::{FACTORS, STEPS, job};
use support::pairs::pairs;

/// The reads per step for each of the layers that the method is about.
fn listed(method: &MethodSpec) -> u64 {
    match method {
        // Which pairs of neurons are close, and which are close to each other's mirrors. On a GPU all are computed.
        MethodSpec::Mhe { half_space: false, .. } => 1,
        MethodSpec::Mhe { half_space: true, .. } => 2,
        MethodSpec::Opt(opt) => match opt.transform {
            // LAPACK's singular vectors, of both sides, may not be finite. On a GPU libtorch reports a failure.
            TransformSpec::Lowdin { form: LowdinForm::Exact, .. } => 2,
            // Whether P is in the range of the polynomial, on a GPU too.
            TransformSpec::Lowdin { form: LowdinForm::Polynomial, .. } => 1,
            _ => 0,
        },
        MethodSpec::Baseline { .. } | MethodSpec::SoftOrthogonal { .. } => 0,
    }
}

/// The reads of the first `steps` updates, and those that are listed.
fn reads(spec: &JobSpec, steps: u64, source: &mut DataSource) -> (Vec<u64>, Vec<u64>) {
    let mut job = Job::prepare(spec, Device::Cpu, source, &mut Silent).unwrap();
    let layers = job.network.method_layers();
    let is_opt = matches!(spec.method, MethodSpec::Opt(_));
    let concerned = layers.filter(|(_, weight)| !is_opt || weight.rotated().is_some()).count() as u64;
    let stochastic = match &spec.method {
        MethodSpec::Opt(opt) => opt.stochastic,
        _ => None,
    };
    // At the end of a round, a weight is computed two more times: to be frozen, and with the next rotation.
    let weights = |step: u64| match stochastic {
        Some(rounds) if step.is_multiple_of(rounds.inner_steps) => 3,
        _ => 1,
    };
    let expected = (1..=steps).map(|step| weights(step) * listed(&spec.method) * concerned).collect();
    let mut update = |step| {
        let before = host::reads();
        training::update(&mut job, step, |_| ()).unwrap();
        host::reads() - before
    };
    ((1..=steps).map(&mut update).collect(), expected)
}

/// At a low rate the polynomial stays in its range.
fn with_low_rate(mut spec: JobSpec) -> JobSpec {
    if let MethodSpec::Opt(opt) = &mut spec.method
        && let TransformSpec::Lowdin { form: LowdinForm::Polynomial, .. } = opt.transform
    {
        opt.learning_rate = 1e-9;
    }
    spec
}

#[test]
fn a_step_with_any_pair_of_options_reads_nothing_but_what_is_listed() {
    tch::set_num_threads(1);
    let mut source = DataSource::new(Library::from_env());
    let mut arms = BTreeMap::new();
    for row in pairs(&FACTORS.map(<[_]>::len), |row| job(row).is_some()) {
        let spec = with_low_rate(job(&row).unwrap());
        let (reads, expected) = reads(&spec, STEPS, &mut source);
        assert_eq!(reads, expected, "{}", serde_json::to_string(&spec).unwrap());
        *arms.entry(FACTORS[0][row[0]]).or_insert(0) += 1;
    }
    assert_eq!(arms.len(), FACTORS[0].len(), "{arms:?}");
}

/// [`optlab_opt::Descent`] repairs its weight every 50 steps.
#[test]
fn a_repair_of_descent_reads_nothing() {
    let mut source = DataSource::new(Library::from_env());
    for (option, method) in FACTORS[0].iter().enumerate() {
        if method.contains("descent") {
            let mut row = [0; FACTORS.len()];
            row[0] = option;
            let (reads, _) = reads(&job(&row).unwrap(), 51, &mut source);
            assert_eq!(reads, [0; 51], "{method}");
        }
    }
}
