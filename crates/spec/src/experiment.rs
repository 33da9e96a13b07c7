//! An experiment and its jobs.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::arm::Arm;
use crate::checkpoint::CheckpointSpec;
use crate::fields::Fields;
use crate::job::JobSpec;
use crate::method::MethodSpec;
use crate::parts::{Base, Parts};
use crate::problem::{Problems, alternatives, quoted};
use crate::resources::Resources;
use crate::seeds::{MOST_JOBS, Seeds, read_seeds, repeated};
use crate::train::TrainSpec;
use crate::tune::{Point, TuneSpec, Tuning, at_trial};

/// The only version of the spec format so far.
pub const VERSION: u64 = 1;

/// A named comparison: one base training spec, several arms, several seeds. Every default is spelled out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExperimentSpec {
    /// Version of the spec format.
    pub version: u64,
    /// The name, which need not be unique.
    #[cfg_attr(feature = "openapi", schema(value_type = crate::schema::Name))]
    pub name: String,
    /// Free text of the researcher.
    #[cfg_attr(feature = "openapi", schema(max_length = 100_000))]
    pub notes: String,
    /// Words for searches.
    #[cfg_attr(feature = "openapi", schema(max_items = 50))]
    pub tags: Vec<String>,
    /// One job for each arm and seed.
    #[cfg_attr(
        feature = "openapi",
        schema(min_items = 1, max_items = 10_000, value_type = Vec<crate::schema::Seed>)
    )]
    pub seeds: Vec<u64>,
    /// Jobs of higher priority are claimed first.
    #[cfg_attr(feature = "openapi", schema(minimum = -1_000_000, maximum = 1_000_000))]
    pub priority: i64,
    /// Maximum number of attempts at a job whose worker is lost or whose runner crashes.
    pub max_attempts: u64,
    /// Wall time after which an attempt ends as `timed_out`.
    pub time_limit_seconds: u64,
    /// Requirements on the slot.
    pub resources: Resources,
    /// The intervals between checkpoints of its jobs.
    pub checkpoint: CheckpointSpec,
    /// The training that arms inherit.
    pub train: TrainSpec,
    /// The arms that are compared.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 1000))]
    pub arms: Vec<Arm>,
    /// Name of the arm that the others are compared with; by default the only arm whose method is `baseline`, else none.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<crate::schema::Name>))]
    pub baseline: Option<String>,
    /// How the settings of each arm are tuned before its confirming runs; `None` if every arm has fixed settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub tune: Option<TuneSpec>,
}

impl ExperimentSpec {
    /// Reads and validates a whole experiment.
    ///
    /// # Errors
    /// Every mistake with its path, if there is any.
    pub fn from_value(value: &Value) -> Result<Self, Problems> {
        Fields::read(value, Self::read)
    }

    /// Reads an experiment that was validated when this version or an older one stored it.
    ///
    /// # Errors
    /// If this version cannot interpret it.
    pub fn from_stored(value: &Value) -> Result<Self, Problems> {
        Fields::read_stored(value, Self::read)
    }

    /// Reads `{"seeds": [...]}`: more seeds for every arm.
    ///
    /// # Errors
    /// Every mistake with its path.
    pub fn read_more_seeds(&self, value: &Value) -> Result<Vec<u64>, Problems> {
        Fields::read(value, |fields| {
            let seeds = read_seeds(fields, Seeds::Required);
            self.check_seeds(fields, &seeds);
            let new = seeds.iter().filter(|seed| !self.seeds.contains(seed)).count();
            check_number(fields, "seeds", self.jobs_with(self.seeds.len() + new));
            seeds
        })
    }

    /// The jobs that a submission queues. A tuned experiment begins with its trials; [`confirmed`](Self::confirmed) are
    /// queued once the choice of their arm is frozen. In order: for each trial and seed every arm, so that an unfinished
    /// experiment already has pairs.
    pub fn jobs(&self) -> Vec<JobSpec> {
        let Some(tune) = &self.tune else { return self.confirmed() };
        let mut jobs = Vec::new();
        for trial in 0..tune.trials {
            let arms: Vec<JobSpec> = self.arms.iter().filter_map(|arm| self.trial(arm, trial)).collect();
            for &seed in &tune.seeds {
                jobs.extend(arms.iter().map(|job| JobSpec { seed, ..job.clone() }));
            }
        }
        jobs
    }

    /// One job for each seed and arm, which count in the comparison. Those of a tuned arm are at its first point.
    pub fn confirmed(&self) -> Vec<JobSpec> {
        self.seeds.iter().flat_map(|&seed| self.arms.iter().map(move |arm| self.job(arm, seed))).collect()
    }

    /// The job of one arm with one seed. That of a tuned arm is at its first point.
    pub fn job(&self, arm: &Arm, seed: u64) -> JobSpec {
        JobSpec {
            arm: arm.name.clone(),
            seed,
            trial: None,
            point: Point::new(),
            rungs: Vec::new(),
            method: arm.method.clone(),
            train: arm.train.clone(),
            resources: self.resources.clone(),
            checkpoint: self.checkpoint,
        }
    }

    /// The job of a trial of a tuned arm, with the first seed; `None` if the arm is not tuned.
    pub fn trial(&self, arm: &Arm, trial: u64) -> Option<JobSpec> {
        let tune = self.tune.as_ref()?;
        let tuning = Tuning::of(tune, self.arms.iter().filter_map(|arm| arm.tune.as_ref()));
        let base = Base { train: self.train.clone(), written: None, is_sound: true };
        let (space, source) = (arm.tune.as_ref()?, arm.source.as_ref()?);
        let (point, Parts { method, train }) = at_trial(&base, &tuning, space, source, trial).ok()?;
        let rungs = tune.halving.iter().flat_map(|halving| halving.steps(&train)).collect();
        let job = self.job(arm, tune.seeds[0]);
        Some(JobSpec { trial: Some(trial), point, rungs, method, train, ..job })
    }

    /// The largest number of jobs that it can have: all trials and all that confirm.
    pub fn most_jobs(&self) -> usize {
        self.jobs_with(self.seeds.len())
    }

    /// Updates of all jobs of an arm; of trials, the number that is expected with early stopping.
    pub fn expected_updates(&self, arm: &Arm) -> f64 {
        let steps = arm.train.total_steps();
        let trials = self.tune.as_ref().map_or(0.0, |tune| {
            let halving = tune.halving.as_ref();
            let trial = halving
                .map_or(steps as f64, |halving| halving.expected_updates(tune.trials as usize, steps, 0, 0));
            tune.runs() as f64 * trial
        });
        trials + self.seeds.len() as f64 * steps as f64
    }

    /// This experiment with the arms at their choices, of which these are jobs.
    pub fn with_choices(mut self, chosen: &[JobSpec]) -> Self {
        for job in chosen {
            for arm in self.arms.iter_mut().filter(|arm| arm.name == job.arm) {
                (arm.method, arm.train) = (job.method.clone(), job.train.clone());
            }
        }
        self
    }

    /// Number of jobs with this number of confirming seeds.
    fn jobs_with(&self, seeds: usize) -> usize {
        let trials = self.tune.as_ref().map_or(0, TuneSpec::runs);
        self.arms.len().saturating_mul(trials.saturating_add(seeds))
    }

    /// Records seeds that are those of trials.
    fn check_seeds(&self, fields: &mut Fields<'_>, seeds: &[u64]) {
        let of_trials = self.tune.iter().flat_map(|tune| &tune.seeds);
        if let Some(both) = of_trials.filter(|seed| seeds.contains(seed)).min() {
            let detail =
                format!("must differ from `tune.seeds`, because fresh seeds confirm; {both} is in both");
            fields.wrong("seeds", detail);
        }
    }

    /// Records rungs that are not at evaluations of their own before the end of the run.
    fn check_rungs(&self, fields: &mut Fields<'_>) {
        let Some(halving) = self.tune.as_ref().and_then(|tune| tune.halving.as_ref()) else { return };
        let trials = self.tune.iter().flat_map(|tune| 0..tune.trials);
        // The length of a run may be tuned.
        for (trial, arm) in trials.flat_map(|trial| self.arms.iter().map(move |arm| (trial, arm))) {
            let Some(job) = self.trial(arm, trial) else { continue };
            if let Err(detail) = halving.check(&job.train) {
                return fields.wrong_below("/tune/halving/rungs", format!("{detail} (arm `{}`)", arm.name));
            }
        }
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Self {
        fields.integer("version", Some(VERSION), VERSION..=VERSION);
        let name = fields.name("name");
        let seeds = read_seeds(fields, Seeds::OfRuns);
        let before = fields.mistakes();
        let train = fields.table("train", Some("{ epochs = 10, ... }"), TrainSpec::read);
        let base = Base { train, written: fields.raw("train"), is_sound: fields.mistakes() == before };
        let tuning = Tuning::read(fields);
        let mut spec = Self {
            version: VERSION,
            name,
            notes: fields.notes(),
            tags: fields.tags(),
            priority: fields.priority(),
            max_attempts: fields.integer("max_attempts", Some(5), 1..=1000),
            time_limit_seconds: fields.integer("time_limit_seconds", Some(86_400), 1..=31_536_000),
            resources: fields.table("resources", None, Resources::read),
            checkpoint: fields.table("checkpoint", None, CheckpointSpec::read),
            arms: fields.list("arms", None, 1..=1000, |value, pointer, problems| {
                let before = problems.list.len();
                let arm = Fields::of(value, pointer, problems, |arm| Arm::read(arm, &base, tuning.as_ref()));
                arm.sign(&mut problems.list[before..]);
                arm
            }),
            seeds,
            train: base.train,
            baseline: None,
            tune: tuning.map(|tuning| tuning.spec),
        };
        spec.baseline = read_baseline(fields, &spec.arms);
        let names: Vec<&str> = spec.arms.iter().map(|arm| arm.name.as_str()).collect();
        if let Some(twice) = repeated(&names) {
            fields.wrong("arms", format!("must have unique names; `{twice}` is not unique"));
        }
        spec.check_seeds(fields, &spec.seeds);
        spec.check_rungs(fields);
        let (trials, jobs) = (spec.jobs_with(0), spec.jobs_with(spec.seeds.len()));
        check_number(fields, if trials > jobs / 2 { "tune" } else { "seeds" }, jobs);
        spec
    }
}

fn read_baseline(fields: &mut Fields<'_>, arms: &[Arm]) -> Option<String> {
    if !fields.has("baseline") {
        let mut plain = arms.iter().filter(|arm| matches!(arm.method, MethodSpec::Baseline { .. }));
        let only = plain.next().filter(|_| plain.next().is_none());
        return only.map(|arm| arm.name.clone());
    }
    let named = fields.identifier("baseline");
    if !named.is_empty() && !arms.iter().any(|arm| arm.name == named) {
        let known = alternatives(arms.iter().map(|arm| arm.name.as_str()));
        fields.wrong("baseline", format!("must be the name of an arm, {known}, is {}", quoted(&named)));
    }
    Some(named)
}

/// Records that an experiment has too many jobs because of this field.
fn check_number(fields: &mut Fields<'_>, field: &'static str, jobs: usize) {
    if jobs > MOST_JOBS {
        fields.wrong(field, format!("would make {jobs} jobs of all arms; at most {MOST_JOBS} are allowed"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::optimizer::OptimizerSpec;

    /// A spec as the first version stored it, with a field of a later version and without one of this version.
    fn stored() -> Value {
        json!({
            "version": 1, "name": "old", "notes": "", "seeds": [0, 7], "colour": "from the future",
            "train": {
                "epochs": 2, "steps": null, "batch_size": 32,
                "data": { "name": "digits", "shuffle": "from the future" },
                "model": { "kind": "mlp", "hidden": [8] },
                "optimizer": { "kind": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 0.0 },
            },
            "arms": [
                { "name": "baseline", "method": { "kind": "baseline" } },
                { "name": "opt", "method": { "kind": "opt", "transform": "cayley" } },
            ],
        })
    }

    #[test]
    fn a_spec_of_another_version_still_runs() {
        assert!(
            ExperimentSpec::from_value(&stored()).is_err(),
            "in a submission, the unknown fields are mistakes"
        );
        let spec = ExperimentSpec::from_stored(&stored()).unwrap();
        for job in spec.jobs() {
            let mut value = serde_json::to_value(&job).unwrap();
            value["train"]["later"] = json!(true);
            assert_eq!(JobSpec::from_stored(&value).unwrap(), job);
            value.as_object_mut().unwrap().remove("checkpoint");
            assert_eq!(JobSpec::from_stored(&value).unwrap(), job, "stored before there were checkpoints");
        }
        assert!(JobSpec::from_stored(&json!({ "arm": "opt" })).is_err());
    }

    #[test]
    fn a_stored_name_that_is_now_invalid_is_still_read() {
        for (pointer, name) in [("/name", "17"), ("/name", "-x"), ("/arms/1/name", "..")] {
            let mut value = stored();
            *value.pointer_mut(pointer).unwrap() = json!(name);
            let spec = ExperimentSpec::from_stored(&value).unwrap();
            assert!([&spec.name, &spec.arms[1].name].contains(&&name.to_owned()), "{spec:?}");
            let problems = ExperimentSpec::from_value(&value).unwrap_err();
            assert!(problems.list.iter().any(|problem| problem.pointer == pointer), "{problems}");
        }
    }

    #[test]
    fn the_baseline_is_the_named_arm_else_the_only_plain_one() {
        let baseline = |named: Value, methods: &[&str]| {
            let arm = |(i, kind): (usize, &&str)| {
                let opt = json!({ "kind": "opt", "transform": "cayley" });
                let method = if *kind == "opt" { opt } else { json!({ "kind": kind }) };
                json!({ "name": format!("arm{i}"), "method": method })
            };
            let arms: Vec<Value> = methods.iter().enumerate().map(arm).collect();
            let train = json!({ "epochs": 1, "data": { "name": "digits" }, "model": { "kind": "mlp", "hidden": [8] } });
            let spec = json!({ "name": "x", "train": train, "arms": arms, "baseline": named });
            ExperimentSpec::from_value(&spec)
                .map(|spec| spec.baseline)
                .map_err(|problems| problems.to_string())
        };
        let name = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(baseline(Value::Null, &["opt", "baseline"]), name("arm1"));
        assert_eq!(
            baseline(Value::Null, &["baseline", "baseline"]),
            Ok(None),
            "never silently the first of several"
        );
        assert_eq!(baseline(Value::Null, &["opt", "mhe"]), Ok(None));
        assert_eq!(baseline(json!("arm0"), &["opt", "baseline"]), name("arm0"));
        assert_eq!(
            baseline(json!("arm9"), &["opt", "baseline"]),
            Err("/baseline: must be the name of an arm, `arm0` or `arm1`, is \"arm9\"".to_owned())
        );
    }

    #[test]
    fn an_arm_runs_as_it_was_validated() {
        let mut value = stored();
        // The base has the default `kind` and the arm spells it out, so the optimizer is the same.
        value["train"]["optimizer"] = json!({ "learning_rate": 0.05 });
        value["arms"][1]["train"] = json!({ "optimizer": { "kind": "sgd", "nesterov": true } });
        let spec = ExperimentSpec::from_stored(&value).unwrap();
        let job = spec.jobs().into_iter().find(|job| job.arm == "opt").unwrap();
        let MethodSpec::Opt(opt) = &job.method else { panic!("{job:?}") };
        assert_eq!((job.train.optimizer.learning_rate(), opt.learning_rate), (0.05, 0.05));
        assert!(matches!(job.train.optimizer, OptimizerSpec::Sgd { nesterov: true, .. }));
    }
}
