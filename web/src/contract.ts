// Generated from the OpenAPI document by `npm run contract`. Do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An experiment after an action on its jobs. */
        ActionResult: components["schemas"]["Experiment"] & {
            /**
             * Format: int64
             * @description Number of jobs that the action changed.
             */
            changed_jobs: number;
        };
        /** @description The parameters of Adam and AdamW. */
        AdamSpec: {
            /**
             * Format: double
             * @description Decay of the first moment.
             */
            beta1: number;
            /**
             * Format: double
             * @description Decay of the second moment.
             */
            beta2: number;
            /**
             * Format: double
             * @description Added to the root of the second moment.
             */
            epsilon: number;
            /**
             * Format: double
             * @description Step size before the schedule's factor.
             */
            learning_rate: number;
            /**
             * Format: double
             * @description Decay of every tensor that decays.
             */
            weight_decay: number;
        };
        /** @description What an arm can try in some time. */
        Afforded: {
            best_of: components["schemas"]["BestOf"] | null;
            /** @description Number of its trials that fit, if each takes the mean time; at most all. */
            trials: number;
        };
        /**
         * @description The word `"all"`.
         * @enum {string}
         */
        AllWord: "all";
        /** @description One way of training in an experiment. */
        Arm: {
            /** @description The method of the arm. */
            method: components["schemas"]["MethodSpec"];
            /** @description Unique in the experiment. */
            name: components["schemas"]["Name"];
            /**
             * @description `method` and `train` of a tuned arm as they were written, in a resolved spec. The arm's own `method` and `train`
             *     are then those of its first trial.
             */
            source?: components["schemas"]["ArmSource"];
            /** @description The training of the arm. Fields that the arm does not set are inherited from the experiment's `train`. */
            train: components["schemas"]["TrainSpec"];
            /**
             * @description The ranges of a tuned arm, by the paths of the fields. In a written spec, those that it adds to the ranges of
             *     every arm or that replace them; in a resolved spec all of them.
             */
            tune?: {
                [key: string]: components["schemas"]["RangeSpec"];
            };
        };
        /** @description An arm over its seeds. */
        ArmCurve: components["schemas"]["Band"] & {
            /** @description Name of the arm. */
            arm: string;
            bound: components["schemas"]["EnergyBound"] | null;
            /** @description `baseline`, `opt:cayley`, ... */
            method: string;
        };
        /** @description One arm. */
        ArmResult: {
            /** @description Its name. */
            arm: string;
            /** @description Why nothing can be concluded. */
            cannot_tell: string | null;
            difference: components["schemas"]["Difference"] | null;
            /**
             * Format: double
             * @description Mean of the last `energy/mean`.
             */
            energy: number | null;
            /**
             * Format: double
             * @description How far `energy` is above the least possible energy, the mean over the layers of theirs, in percent of the latter's
             *     size. Where a layer has more neurons than a regular simplex (in half-space, than orthonormal ones) can have, the
             *     least energy is a bound that cannot be reached.
             */
            energy_excess: number | null;
            /**
             * Format: int64
             * @description The experiment that it belongs to.
             */
            experiment_id: number;
            /**
             * Format: double
             * @description Mean of the figure.
             */
            mean: number | null;
            /**
             * Format: double
             * @description Mean over the pairs of the arm's figure minus the baseline's.
             */
            mean_difference: number | null;
            /** @description `baseline`, `opt:cayley`, ... */
            method: string;
            /** @description Number of jobs with the figure. */
            n: number;
            /**
             * @description Number of seeds for which this arm and the baseline have the figure, 0 if equal seeds are no pairs; null for the
             *     baseline itself.
             */
            pairs: number | null;
            /**
             * Format: double
             * @description Mean wall time of a run.
             */
            seconds: number | null;
            standing: components["schemas"]["Standing"] | null;
            /**
             * Format: double
             * @description Sample standard deviation of the figure.
             */
            std: number | null;
            /** @description The figure of each job that has it. */
            values: components["schemas"]["SeedValue"][];
            wins: components["schemas"]["Wins"] | null;
        };
        /**
         * @description `method` and `train` of a tuned arm as they were written. The values of a point are written into them before they are
         *     resolved, so that a field that inherits a tuned one inherits its value at each point.
         */
        ArmSource: {
            /** @description The method without defaults. */
            method: Record<string, unknown>;
            /** @description The arm's own fields of `train`; null if it has none. */
            train: Record<string, unknown> | null;
        };
        /** @description An arm by name and method. */
        ArmSummary: {
            /** @description `baseline`, `opt:cayley`, ... */
            method: string;
            /** @description Its name. */
            name: string;
        };
        /** @description The tuning of one arm. */
        ArmTuning: {
            /** @description Its name. */
            arm: string;
            /**
             * @description The lowest score of k trials that are drawn from these with replacement, for k from 1, once all have ended.
             *     Failed trials count with an error of 100 percent. Of Sobol points it is an approximation. Empty with `halving`,
             *     because the trials that were stopped early have no score.
             */
            best_of: components["schemas"]["BestOf"][];
            /** @description The trials, the best first; those that have no score yet, or failed, come last. */
            candidates: components["schemas"]["Trial"][];
            /**
             * Format: int64
             * @description Number of the chosen trial.
             */
            chosen: number | null;
            /** @description When the choice was frozen. It never changes afterwards. */
            frozen_at: string | null;
            in_baseline_time: components["schemas"]["Afforded"] | null;
            /** @description `baseline`, `opt:cayley`, ... */
            method: string;
            /** @description `trial` until its choice is frozen, then `confirm`. */
            phase: components["schemas"]["Phase"];
            /** @description Its ranges, by the paths of the fields. */
            space: {
                [key: string]: components["schemas"]["RangeSpec"];
            };
            stopped_early: components["schemas"]["StoppedEarly"] | null;
            /**
             * Format: double
             * @description Mean training time of a trial in seconds, the runs of all seeds together. Runs that are not complete count with
             *     the time of their attempts. Null until all have ended.
             */
            trial_seconds: number | null;
            /** @description Why the choice is not made although no trial is waiting or running, and what to do. */
            waits: string | null;
            /** @description Chosen values at the end of what was tried. */
            warnings: string[];
        };
        /** @description Arms to add to an experiment. */
        Arms: {
            /** @description The arms, as in a spec; their names must be new. */
            arms: Record<string, unknown>[];
        };
        /** @description A file of a job. */
        Artifact: {
            /**
             * Format: int64
             * @description Number of the attempt that wrote it.
             */
            attempt: number;
            /**
             * Format: int64
             * @description Its length.
             */
            bytes: number;
            /** @description The kind of its content. */
            kind: components["schemas"]["ArtifactKind"];
            /** @description The name for `/artifacts/{name}`. */
            name: string;
            /** @description Its SHA-256 in lower-case hexadecimal. */
            sha256: string;
            /**
             * Format: int64
             * @description Completed updates when it was written.
             */
            step: number;
        };
        /**
         * @description The kind of a job's file.
         * @enum {string}
         */
        ArtifactKind: "checkpoint" | "weights" | "log" | "spec" | "environment";
        /** @description One lease of a job by a worker. */
        Attempt: {
            /** @description `cpu`, `cuda:0`, ... */
            device: string;
            end_reason: components["schemas"]["EndReason"] | null;
            /** @description When it ended. */
            ended_at: string | null;
            engine: components["schemas"]["Engine"] | null;
            /** @description The engine's id for the job that ran the worker. */
            engine_job: string | null;
            environment: components["schemas"]["Environment"] | null;
            /** @description What went wrong, in a sentence. */
            error: string | null;
            /** @description The engine's name of the machine. */
            node: string | null;
            /**
             * Format: int64
             * @description Its number, from 1.
             */
            number: number;
            /**
             * Format: int64
             * @description Completed updates when it began: those of the checkpoint that it continued from.
             */
            start_step: number;
            /** @description When the job was claimed. */
            started_at: string;
            /**
             * Format: int64
             * @description Id of the worker.
             */
            worker_id: number;
        };
        /**
         * @description A random change of an image that keeps its class.
         * @enum {string}
         */
        Augment: "pad-crop" | "pad-crop-zero" | "flip";
        /**
         * @description The mean of several seeds with its spread, column by column, one entry per bucket of steps. In a bucket of more than
         *     one step each seed counts with its mean, and `min` and `max` are those of single points.
         */
        Band: {
            /** @description Highest point of any seed. */
            max: number[];
            /** @description Mean over the seeds that have points in the bucket. */
            mean: number[];
            /** @description Lowest point of any seed. */
            min: number[];
            /** @description Number of seeds that have points in the bucket. */
            n: number[];
            /** @description Sample standard deviation; null for a single seed. */
            std: (number | null)[];
            /** @description Where each bucket begins. */
            steps: number[];
        };
        /** @description Settings of batch normalisation, as fields of the model. */
        BatchNorm: {
            /**
             * Format: double
             * @description Added to a variance.
             */
            batch_norm_epsilon: number;
            /**
             * Format: double
             * @description Weight of the newest batch in the running statistics.
             */
            batch_norm_momentum: number;
        };
        /** @description The lowest score of some trials, over all draws, in percent. */
        BestOf: {
            /**
             * Format: double
             * @description Its mean (Dodge et al., EMNLP 2019).
             */
            expected: number;
            /**
             * Format: double
             * @description Its 90th percentile.
             */
            high: number;
            /**
             * Format: double
             * @description Its 10th percentile.
             */
            low: number;
        };
        /** @description How the bootstrap intervals can be reproduced. */
        Bootstrap: {
            /** @description Number of resamples. */
            resamples: number;
            /**
             * Format: int64
             * @description Seed of PCG64, stream 0.
             */
            seed: number;
        };
        /**
         * @description The times at which a checkpoint is due, whichever comes first. Checkpoints do not affect the training, so wall time
         *     may decide.
         */
        CheckpointSpec: {
            /**
             * Format: int64
             * @description Wall time since the last checkpoint or the start of training; `None` if only updates count.
             */
            every_seconds: number | null;
            /**
             * Format: int64
             * @description Number of updates between checkpoints; `None` if only time counts.
             */
            every_steps: number | null;
        };
        /** @description Fields of `model = { kind = "resnet20", ... }` and its siblings. */
        CifarResnet: components["schemas"]["BatchNorm"] & {
            /**
             * Format: int64
             * @description c for stages of c, 2c and 4c neurons; 16 in the paper.
             */
            width: number;
        };
        /** @description Points of a curve, column by column. */
        Columns: {
            /** @description Completed updates. */
            steps: number[];
            /** @description The value at each step. */
            values: number[];
        };
        /** @description A compared experiment. */
        ComparedExperiment: {
            /**
             * Format: int64
             * @description Its id.
             */
            id: number;
            /** @description Its name, which other experiments may share. */
            name: string;
        };
        /**
         * @description The arms of one or several experiments, compared over their succeeded jobs. An arm is named as in its spec if there
         *     is one experiment, and `ID/ARM` if there are several.
         */
        Comparison: {
            /** @description The arms, in the order of the experiments and their specs. */
            arms: components["schemas"]["ArmResult"][];
            /**
             * @description Name of the arm that the others are compared with; null if none is named and the spec of the first experiment
             *     has none.
             */
            baseline: string | null;
            /** @description How the bootstrap intervals can be reproduced. */
            bootstrap: components["schemas"]["Bootstrap"];
            /** @description Every field of the specs in which arms differ. */
            differences: components["schemas"]["SpecDifference"][];
            /** @description Pairs that were trained in more than one environment. */
            environments: components["schemas"]["EnvironmentDifference"][];
            /** @description The experiments, in the order of the request. */
            experiments: components["schemas"]["ComparedExperiment"][];
            /** @description Which direction is better; null if neither is. */
            higher_is_better: boolean | null;
            /**
             * Format: int64
             * @description Number of evaluations whose mean each value is, for the metrics that are such a mean.
             */
            last: number | null;
            /** @description The compared figure. */
            metric: components["schemas"]["Metric"];
            /** @description Jobs without the figure. No pair of theirs counts. */
            missing: components["schemas"]["MissingCell"][];
            /** @description Number of pairs that a conclusion needs. */
            pairs_needed: number;
            /** @description Whether the test set has selected the evaluation that it judges, which makes every arm look better. */
            selected_on_test_set: boolean;
            /** @description Unit of every value; empty for a pure number. */
            unit: string;
            /** @description The result as a sentence. */
            verdict: string;
        };
        /** @description Jobs by state. */
        Counts: {
            /** Format: int64 */
            cancelled: number;
            /** Format: int64 */
            failed: number;
            /** Format: int64 */
            paused: number;
            /** Format: int64 */
            queued: number;
            /** Format: int64 */
            running: number;
            /** Format: int64 */
            succeeded: number;
        };
        /** @description The factor as a function of the completed share of the run. */
        CurveSpec: {
            /** @enum {string} */
            kind: "constant";
        } | {
            /**
             * Format: double
             * @description Factor of the rate at each milestone.
             */
            factor: number;
            /** @enum {string} */
            kind: "step";
            /** @description Shares of the whole run, the ramp included, in (0, 1), ascending. */
            milestones: number[];
        } | {
            /**
             * Format: double
             * @description The last factor.
             */
            floor: number;
            /** @enum {string} */
            kind: "cosine";
        };
        /** @description One series of an experiment. */
        Curves: {
            /** @description One curve per arm. */
            arms: components["schemas"]["ArmCurve"][];
            /** @description Which direction is better; null if neither is. */
            higher_is_better: boolean | null;
            /** @description Name of the series. */
            series: string;
            /** @description Unit of its values; empty for a pure number. */
            unit: string;
            /**
             * Format: int64
             * @description Steps per bucket; 1 if no point was left out.
             */
            width: number;
        };
        /** @description The data of a run. */
        DataSpec: {
            /**
             * Format: int64
             * @description Number of classes.
             */
            classes?: number;
            /**
             * Format: int64
             * @description Images of the training set; the test set has a tenth as many.
             */
            samples?: number;
            /** @description Channels, height and width of an image. */
            shape?: number[];
        } & {
            /** @description Random changes of each training image at each use. */
            augment: components["schemas"]["Augment"][];
            /** @description A name that `optlab data list` shows, or `synthetic`. */
            name: string;
            /**
             * Format: int64
             * @description Number of training images; null for all that are not held out, also if their number was given. Each class keeps
             *     its share of them, and at least one image. The seed of the run decides which images these are, so the arms of a
             *     seed share them.
             */
            train_samples: number | null;
            /**
             * Format: double
             * @description Share of the training set that is held out: no update learns from it, and the series `validation/loss` and
             *     `validation/accuracy` are measured on it. Which images these are depends on the data set and the share alone.
             *     The test set is unaffected.
             */
            validation: number;
        };
        /**
         * @description The form of a step along the orthogonal group.
         * @enum {string}
         */
        DescentForm: "omega" | "low_rank";
        /**
         * @description A kind of device.
         * @enum {string}
         */
        DeviceKind: "cpu" | "cuda";
        /** @description A paired difference, arm minus baseline, with its uncertainty. */
        Difference: {
            /**
             * Format: double
             * @description Upper end of the 95% interval by the percentile bootstrap; null below five pairs.
             */
            bootstrap_high: number | null;
            /**
             * Format: double
             * @description Lower end of the 95% interval by the percentile bootstrap; null below five pairs, of which it is much too short.
             */
            bootstrap_low: number | null;
            /**
             * Format: double
             * @description Cohen's d_z: `mean` divided by `std`; null below five pairs.
             */
            effect_size: number | null;
            /**
             * Format: double
             * @description Upper end of the 95% interval by Student's t.
             */
            high: number;
            /**
             * Format: double
             * @description Lower end of the 95% interval by Student's t.
             */
            low: number;
            /**
             * Format: double
             * @description Mean of the differences.
             */
            mean: number;
            /** @description Number of pairs. */
            n: number;
            /**
             * Format: double
             * @description `p_value` after Holm's procedure over all tested arms.
             */
            p_adjusted: number;
            /**
             * Format: double
             * @description Two-sided p-value of the paired t-test.
             */
            p_value: number;
            /**
             * @description Number of seeds with which 80% of experiments would find a true difference of this size at 0.05 divided by the
             *     number of tested arms, the first and strictest level of Holm's procedure; null above 10,000 and below five pairs.
             */
            seeds_needed: number | null;
            /** @description The test that assumes no distribution. */
            sign_flip: components["schemas"]["SignFlip"];
            /** @description Whether `p_adjusted` is below 0.05 and the pairs suffice for a conclusion. */
            significant: boolean;
            /**
             * Format: double
             * @description Sample standard deviation of the differences; never 0.
             */
            std: number;
        };
        /** @description The experiment that a submission would create. */
        DryRun: {
            /** @description Estimate of their time. */
            estimate: components["schemas"]["Estimate"];
            /** @description Its jobs. */
            jobs: components["schemas"]["PlannedJob"][];
            /** @description Number of slots of active workers that could run them. */
            slots: number;
            /** @description The spec with every default filled in. */
            spec: components["schemas"]["ExperimentSpec"];
            /** @description Why its jobs would wait, if they were submitted now. */
            why_queued: string | null;
        };
        /** @description Changes of an experiment. A field that is left out stays as it is. */
        Edit: {
            /** @description Whether lists leave it out by default. */
            archived?: boolean | null;
            name?: components["schemas"]["Name"] | null;
            /** @description The new notes. */
            notes?: string | null;
            /**
             * Format: int64
             * @description Priority of the jobs that have not succeeded and of seeds that are added later.
             */
            priority?: number | null;
            /** @description The new tags, in place of the old ones. */
            tags?: string[] | null;
        };
        /**
         * @description The reason why an attempt or a job ended.
         * @enum {string}
         */
        EndReason: "completed" | "stopped_early" | "user_error" | "diverged" | "out_of_memory" | "runner_crashed" | "machine_fault" | "worker_lost" | "cancelled" | "timed_out" | "handed_back" | "at_rung" | "preempted";
        /**
         * @description The lower bound of a hyperspherical energy. For n neurons of length d it is that of the regular simplex, or in
         *     half-space that of orthonormal neurons; for the mean of layers, the mean of their bounds.
         */
        EnergyBound: {
            /**
             * Format: double
             * @description How far the last value of the curve is above the bound, in percent of the bound's size.
             */
            excess: number | null;
            /**
             * Format: double
             * @description The bound.
             */
            least: number;
            /** @description Whether some neurons have this energy: in every layer n <= d + 1, or n <= d in half-space. */
            reachable: boolean;
        };
        /** @description The energy that is plotted (Liu et al., NeurIPS 2018, section 3). */
        EnergySpec: {
            /**
             * Format: int64
             * @description Updates between two points. Step 0 and the end always have points.
             */
            every_steps: number;
            /** @description A neuron and its mirror image count as one direction. */
            half_space: boolean;
            /**
             * Format: int32
             * @description s of the kernel z^-s; 0 means log(1/z).
             */
            power: number;
        };
        /**
         * @description A system that starts and stops machines.
         * @enum {string}
         */
        Engine: "slurm" | "kubernetes";
        /** @description The environment of an attempt. Two curves can be bit-identical only in the same environment. */
        Environment: {
            /** @description `cpu` or `cuda:0`, ... */
            device: string;
            /** @description The processor's or the GPU's name. */
            device_name: string;
            /** @description Version of libtorch. */
            libtorch: string;
            /** @description Version of optlab. */
            optlab: string;
            /**
             * Format: int64
             * @description Threads of libtorch.
             */
            threads: number;
        };
        /** @description A pair that was trained in more than one environment. */
        EnvironmentDifference: {
            /** @description Name of the arm. */
            arm: string;
            /** @description `optlab`, `libtorch`, `device`, `device_name` or `threads`. */
            field: string;
            /**
             * Format: int64
             * @description The seed of the pair.
             */
            seed: number;
            /** @description All values that it had. */
            values: string[];
        };
        /**
         * @description The word `"epoch"`.
         * @enum {string}
         */
        EpochWord: "epoch";
        /** @description Estimated time of the jobs of a submission, from similar jobs that have succeeded. */
        Estimate: {
            /** @description Number of jobs on which the estimate is based. */
            jobs_measured: number;
            /**
             * Format: double
             * @description Time of all jobs, one after another; null if an arm has no similar job that has succeeded.
             */
            seconds: number | null;
        };
        /** @description The interval between two evaluations. */
        EvaluateEvery: number | components["schemas"]["EpochWord"];
        /** @description One event of the stream, by its lines. */
        Event: {
            /** @description JSON: a `Job`, a `MetricsHint`, an `ExperimentHint`, or an empty object. */
            data: string;
            /** @description `job`, `metrics`, `experiment`, `reset` or `alive`. */
            event: string;
            /** @description Value for `Last-Event-ID`. A `reset` and an `alive` have no such line. */
            id?: string;
        };
        /** @description An experiment with its spec and its series. */
        Experiment: components["schemas"]["ExperimentSummary"] & {
            /** @description Where it was submitted. */
            provenance: components["schemas"]["Provenance"];
            /** @description The series that its jobs have recorded so far. */
            series: components["schemas"]["SeriesInfo"][];
            /** @description The spec with every default filled in. */
            spec: components["schemas"]["ExperimentSpec"];
        };
        /** @description The data of an `experiment` event: the experiment itself has changed. */
        ExperimentHint: {
            /**
             * Format: int64
             * @description Id of the experiment.
             */
            experiment_id: number;
        };
        /** @description A named comparison: one base training spec, several arms, several seeds. Every default is spelled out. */
        ExperimentSpec: {
            /** @description The arms that are compared. */
            arms: components["schemas"]["Arm"][];
            baseline: components["schemas"]["Name"] | null;
            /** @description The intervals between checkpoints of its jobs. */
            checkpoint: components["schemas"]["CheckpointSpec"];
            /**
             * Format: int64
             * @description Maximum number of attempts at a job whose worker is lost or whose runner crashes.
             */
            max_attempts: number;
            /** @description The name, which need not be unique. */
            name: components["schemas"]["Name"];
            /** @description Free text of the researcher. */
            notes: string;
            /**
             * Format: int64
             * @description Jobs of higher priority are claimed first.
             */
            priority: number;
            /** @description Requirements on the slot. */
            resources: components["schemas"]["Resources"];
            /** @description One job for each arm and seed. */
            seeds: components["schemas"]["Seed"][];
            /** @description Words for searches. */
            tags: string[];
            /**
             * Format: int64
             * @description Wall time after which an attempt ends as `timed_out`.
             */
            time_limit_seconds: number;
            /** @description The training that arms inherit. */
            train: components["schemas"]["TrainSpec"];
            /** @description How the settings of each arm are tuned before its confirming runs; `None` if every arm has fixed settings. */
            tune?: components["schemas"]["TuneSpec"];
            /**
             * Format: int64
             * @description Version of the spec format.
             */
            version: number;
        };
        /** @description An experiment and its progress. */
        ExperimentSummary: {
            /** @description Whether lists leave it out by default. */
            archived: boolean;
            /** @description Its arms, in the order of the spec. */
            arms: components["schemas"]["ArmSummary"][];
            /** @description The arm that the others are compared with; null if there is none. */
            baseline: string | null;
            /** @description Its jobs by state. */
            counts: components["schemas"]["Counts"];
            /** @description When it was submitted. */
            created_at: string;
            /**
             * Format: double
             * @description Time left at the present pace.
             */
            eta_seconds: number | null;
            /**
             * Format: int64
             * @description Its id.
             */
            id: number;
            /** @description Its name, which other experiments may share. */
            name: string;
            /** @description Free text. */
            notes: string;
            /** @description Its seeds; each arm has one job per seed. Trials of tuned arms have seeds of their own. */
            seeds: number[];
            /**
             * Format: int64
             * @description Completed updates of all jobs.
             */
            step: number;
            /**
             * Format: int64
             * @description Updates of all jobs, also of those that are queued only after a choice.
             */
            steps: number;
            /** @description Words for searches. */
            tags: string[];
            tuning: components["schemas"]["TuningProgress"] | null;
        };
        /**
         * @description A kind of values.
         * @enum {string}
         */
        FieldKind: "number" | "time" | "text";
        /**
         * @description Early stopping of the trials of an arm. At each rung, every trial waits until all have come so far; the best go on
         *     with the same bits.
         */
        HalvingSpec: {
            /**
             * Format: double
             * @description Share of the trials that go on, rounded up, between 0 and 1.
             */
            keep: number;
            /** @description Shares of the updates of a run, ascending. A rung is at the first evaluation from there on. */
            rungs: number[];
        };
        /** @description A sign of life. */
        Health: {
            /** @description Always `ok`. */
            status: string;
            /** @description Version of the server. */
            version: string;
        };
        /** @description One training run, with what the server knows about its present. */
        Job: components["schemas"]["JobRecord"] & {
            /** @description Device of its last attempt. */
            device: string | null;
            /**
             * Format: double
             * @description Last mean energy of a job that has succeeded.
             */
            energy: number | null;
            /**
             * Format: double
             * @description Time left at the present pace of a running job.
             */
            eta_seconds: number | null;
            /**
             * Format: int64
             * @description Place in the queue, from 1; null if the job is not queued or more than 1,000 jobs are before it.
             */
            queue_position: number | null;
            /**
             * Format: double
             * @description Wall time of a job that has succeeded.
             */
            seconds: number | null;
            /**
             * Format: double
             * @description Last test error in percent of a job that has succeeded.
             */
            test_error: number | null;
            /** @description Warning about a running job, for example that its runner has been silent for long. */
            trouble: string | null;
            /** @description Why a queued job waits; null in events and in the answers to submissions and imports. */
            why_queued: string | null;
        };
        /** @description One curve of a job. */
        JobCurve: components["schemas"]["SeriesInfo"] & components["schemas"]["Columns"] & {
            bound: components["schemas"]["EnergyBound"] | null;
            /**
             * Format: int64
             * @description Steps per bucket; 1 if no point was left out.
             */
            width: number;
        };
        /** @description A field by which jobs can be selected, ordered and grouped. */
        JobField: {
            /** @description Whether it is a figure of a result, whose mean and best value groups can show. */
            is_figure: boolean;
            /** @description The word of a column, or the path of a setting, such as `train.batch_size`. */
            name: string;
            /** @description What a condition compares it with. */
            takes: components["schemas"]["FieldKind"][];
            /** @description All of its texts, if they are a closed set; otherwise empty. */
            words: string[];
        };
        /** @description The jobs that have the same values. A job is in the group of each of its tags. */
        JobGroup: {
            /**
             * Format: double
             * @description Its best value: the lowest one, or the highest accuracy.
             */
            best: number | null;
            /**
             * Format: int64
             * @description Id of the job with the best value.
             */
            best_job: number | null;
            /**
             * Format: int64
             * @description Number of its jobs.
             */
            jobs: number;
            /**
             * Format: double
             * @description Mean of the figure.
             */
            mean: number | null;
            /**
             * Format: int64
             * @description Number of those that have the figure.
             */
            measured: number;
            /**
             * Format: int64
             * @description Number of those that have succeeded.
             */
            succeeded: number;
            /** @description The values, in the order of the fields; null if the jobs lack one. */
            values: unknown[];
        };
        /** @description Jobs by the values of one field or two. */
        JobGroups: {
            /** @description The groups. If there are two fields, they are ordered by the first one; then by the mean, the best first. */
            groups: components["schemas"]["JobGroup"][];
            /** @description Whether there are more groups, which are left out. */
            truncated: boolean;
        };
        /** @description The curves of a job. */
        JobMetrics: {
            /**
             * Format: int64
             * @description Id of the job.
             */
            job_id: number;
            /** @description One curve per series. */
            series: components["schemas"]["JobCurve"][];
        };
        /** @description One training run. */
        JobRecord: {
            /** @description Name of its arm. */
            arm: string;
            /**
             * Format: int64
             * @description Number of its last attempt; 0 before the first.
             */
            attempt: number;
            /** @description When it was submitted. */
            created_at: string;
            end_reason: components["schemas"]["EndReason"] | null;
            /** @description When it ended. */
            ended_at: string | null;
            /** @description What went wrong, in a sentence. */
            error: string | null;
            /**
             * Format: int64
             * @description Id of its experiment.
             */
            experiment_id: number;
            /**
             * Format: int64
             * @description Its id.
             */
            id: number;
            /** @description `baseline`, `opt:cayley`, ... */
            method: string;
            /** @description Whether it tries a point of the arm's space or counts in the comparison. */
            phase: components["schemas"]["Phase"];
            /**
             * Format: int64
             * @description Jobs of higher priority are claimed first.
             */
            priority: number;
            requested: components["schemas"]["Request"] | null;
            /**
             * Format: int64
             * @description Number of rungs of `tune.halving` at which it was among the best and went on.
             */
            rungs_passed?: number;
            /**
             * Format: int64
             * @description Its seed.
             */
            seed: number;
            /** @description When its last attempt started. */
            started_at: string | null;
            /** @description Where it is in its life. */
            state: components["schemas"]["JobState"];
            /**
             * Format: int64
             * @description Completed updates.
             */
            step: number;
            /**
             * Format: int64
             * @description Updates of the whole run.
             */
            steps: number;
            /**
             * Format: int64
             * @description Number of the trial, from 0; null for a job that counts in the comparison.
             */
            trial: number | null;
            /**
             * Format: int64
             * @description The step of the rung that it has reached, until the trials that go on are chosen; null otherwise.
             */
            waits_at: number | null;
        };
        /**
         * @description The state of a job. Lists of jobs and counts have the states in this order.
         * @enum {string}
         */
        JobState: "running" | "queued" | "paused" | "succeeded" | "failed" | "cancelled";
        /** @description Some of a network's method layers. */
        LayerChoice: components["schemas"]["AllWord"] | string[];
        /** @description A page of a list. */
        List_Artifact: {
            items: components["schemas"]["Artifact"][];
            /** @description Value of `cursor` for the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A page of a list. */
        List_Attempt: {
            items: components["schemas"]["Attempt"][];
            /** @description Value of `cursor` for the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A page of a list. */
        List_ExperimentSummary: {
            items: components["schemas"]["ExperimentSummary"][];
            /** @description Value of `cursor` for the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A page of a list. */
        List_JobField: {
            items: components["schemas"]["JobField"][];
            /** @description Value of `cursor` for the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A page of a list. */
        List_ListedJob: {
            items: components["schemas"]["ListedJob"][];
            /** @description Value of `cursor` for the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A page of a list. */
        List_Pool: {
            items: components["schemas"]["Pool"][];
            /** @description Value of `cursor` for the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A page of a list. */
        List_Recipe: {
            items: components["schemas"]["Recipe"][];
            /** @description Value of `cursor` for the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A page of a list. */
        List_Warning: {
            items: components["schemas"]["Warning"][];
            /** @description Value of `cursor` for the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A page of a list. */
        List_Worker: {
            items: components["schemas"]["Worker"][];
            /** @description Value of `cursor` for the next page; null on the last page. */
            next_cursor: string | null;
        };
        /** @description A job in a list, with the requested fields. */
        ListedJob: components["schemas"]["Job"] & {
            /** @description The values of the fields that were requested with `fields`, by their names; null if the job lacks one. */
            fields: {
                [key: string]: unknown;
            };
        };
        /**
         * @description The computation of the nearest orthogonal matrix.
         * @enum {string}
         */
        LowdinForm: "exact" | "polynomial";
        /** @description How the hidden layers are trained; the classifier is trained normally in every arm. */
        MethodSpec: {
            /** @description Initialization of the neurons of the hidden layers. */
            init: components["schemas"]["NeuronInit"];
            /** @enum {string} */
            kind: "baseline";
        } | (components["schemas"]["OptSpec"] & {
            /** @enum {string} */
            kind: "opt";
        }) | {
            /** @description A neuron and its mirror image count as one direction. */
            half_space: boolean;
            /** @enum {string} */
            kind: "mhe";
            /**
             * Format: int32
             * @description s of the kernel z^-s; 0 means log(1/z).
             */
            power: number;
            /**
             * Format: double
             * @description Factor of the energies, each the mean over its layer's pairs.
             */
            weight: number;
        } | {
            /** @description The measure of the distance. */
            form: components["schemas"]["SoftForm"];
            /** @enum {string} */
            kind: "soft_orthogonal";
            /**
             * Format: double
             * @description Factor of the distances.
             */
            weight: number;
        };
        /**
         * @description A final figure of a run.
         * @enum {string}
         */
        Metric: "test_error" | "best_test_error" | "last_test_error" | "test_accuracy" | "best_test_accuracy" | "last_test_accuracy" | "validation_error" | "best_validation_error" | "last_validation_error" | "validation_accuracy" | "best_validation_accuracy" | "last_validation_accuracy" | "energy" | "seconds" | "peak_memory" | "parameters_trained";
        /** @description The data of a `metrics` event: a job has new points. */
        MetricsHint: {
            /**
             * Format: int64
             * @description Id of the job's experiment.
             */
            experiment_id: number;
            /**
             * Format: int64
             * @description Id of the job.
             */
            job_id: number;
            /**
             * Format: int64
             * @description Its completed updates.
             */
            step: number;
        };
        /** @description A job without the figure. */
        MissingCell: {
            /** @description Name of its arm. */
            arm: string;
            end_reason: components["schemas"]["EndReason"] | null;
            /** @description What went wrong, in a sentence. */
            error: string | null;
            /**
             * Format: int64
             * @description Its id.
             */
            job_id: number;
            /**
             * Format: int64
             * @description Its seed.
             */
            seed: number;
            /** @description Its state; `succeeded` if it has succeeded without recording the figure. */
            state: components["schemas"]["JobState"];
        };
        /** @description One mistake in a submitted spec. */
        Mistake: {
            /** @description What is wrong and what would be right, one sentence. */
            detail: string;
            /** @description JSON pointer (RFC 6901) of the field, for example `/train/model/hidden/0`. */
            pointer: string;
        };
        /** @description Fields of `model = { kind = "mlp", ... }`. */
        Mlp: components["schemas"]["OptionalBatchNorm"] & {
            /** @description Width of each hidden layer. */
            hidden: number[];
        };
        /** @description The network of a run. */
        ModelSpec: (components["schemas"]["Mlp"] & {
            /** @enum {string} */
            kind: "mlp";
        }) | (components["schemas"]["PlainCnn"] & {
            /** @enum {string} */
            kind: "cnn6";
        }) | (components["schemas"]["PlainCnn"] & {
            /** @enum {string} */
            kind: "cnn9";
        }) | (components["schemas"]["CifarResnet"] & {
            /** @enum {string} */
            kind: "resnet20";
        }) | (components["schemas"]["CifarResnet"] & {
            /** @enum {string} */
            kind: "resnet32";
        }) | (components["schemas"]["Resnet18"] & {
            /** @enum {string} */
            kind: "resnet18";
        });
        Name: string;
        /**
         * @description Initialization of neurons that are trained directly.
         * @enum {string}
         */
        NeuronInit: "gaussian" | "orthogonal";
        /**
         * @description Whether V is trained.
         * @enum {string}
         */
        Neurons: "fixed" | "learned";
        /** @description A device on which a worker runs jobs. */
        OfferedDevice: {
            /** @description `cpu`, `cuda:0`, ... */
            device: string;
            /**
             * Format: int64
             * @description Memory of the GPU or, for `cpu`, of the machine; null if unknown.
             */
            memory_bytes: number | null;
            /**
             * Format: int64
             * @description Memory in use by all programs a few seconds ago.
             */
            memory_used_bytes: number | null;
            /** @description Name given by its maker; null if libtorch does not find it. */
            name: string | null;
            /** @description Jobs that it runs at a time. */
            slots: number;
        };
        /** @description An OPT arm; the options beyond the transform are the ablations of Liu et al. (CVPR 2021). */
        OptSpec: components["schemas"]["TransformSpec"] & {
            /** @description The layers whose neurons are rotated; the others are trained directly. */
            layers: components["schemas"]["LayerChoice"];
            /**
             * Format: double
             * @description Step size of the raw parameters before the schedule's factor; default: that of the other tensors, or for descent
             *     the published 0.02.
             */
            learning_rate: number;
            /**
             * Format: double
             * @description Mean of the normal distribution of the entries of neurons. Any mean but 0 raises the energy.
             */
            neuron_mean: number;
            /** @description Whether the neurons are trained as well. */
            neurons: components["schemas"]["Neurons"];
            /**
             * Format: int32
             * @description Steps before training that move the drawn neurons to lower energy (power 1, whole sphere) and keep their
             *     lengths.
             */
            refine_steps: number;
            /** @description Rounds that each rotate some of the dimensions; `None` to rotate all dimensions all the time. */
            stochastic?: components["schemas"]["StochasticSpec"];
            /**
             * Format: double
             * @description Decay of the raw parameters; default: that of the other tensors, or for descent none.
             */
            weight_decay: number;
        };
        /**
         * @description The optimizer of every trained tensor; rotations may have their own learning rate and weight decay
         *     (see [`MethodSpec`](crate::MethodSpec)).
         */
        OptimizerSpec: {
            /** @enum {string} */
            kind: "sgd";
            /**
             * Format: double
             * @description Step size before the schedule's factor.
             */
            learning_rate: number;
            /**
             * Format: double
             * @description Share of the previous step that is kept.
             */
            momentum: number;
            /** @description Look ahead by one momentum step. */
            nesterov: boolean;
            /**
             * Format: double
             * @description L2 penalty, added to the gradient of every tensor that decays.
             */
            weight_decay: number;
        } | (components["schemas"]["AdamSpec"] & {
            /** @enum {string} */
            kind: "adam";
        }) | (components["schemas"]["AdamSpec"] & {
            /** @enum {string} */
            kind: "adamw";
        });
        /** @description Optional batch normalisation. */
        OptionalBatchNorm: {
            /**
             * Format: double
             * @description Added to a variance.
             */
            batch_norm_epsilon?: number;
            /**
             * Format: double
             * @description Weight of the newest batch in the running statistics.
             */
            batch_norm_momentum?: number;
        } & {
            /** @description Normalise before each ReLU; the preceding layer then has no bias. */
            batch_norm: boolean;
        };
        /**
         * @description The purpose of a job.
         * @enum {string}
         */
        Phase: "trial" | "confirm";
        /** @description A pilot, as its engine last reported it. */
        Pilot: {
            /** @description The engine's id for it. */
            engine_job: string;
            /** @description The machine that it runs on. */
            node: string | null;
            /** @description Why it waits, in the engine's word: `Resources`, `Priority`, ... */
            reason: string | null;
            /** @description What it does. */
            state: components["schemas"]["PilotState"];
        };
        /**
         * @description What a pilot does.
         * @enum {string}
         */
        PilotState: "pending" | "running" | "ending";
        /** @description Fields of `model = { kind = "cnn6", ... }` and its siblings; exactly one of `width` and `widths` is given. */
        PlainCnn: components["schemas"]["OptionalBatchNorm"] & {
            /**
             * Format: int64
             * @description c for stages of c, 2c and 4c neurons.
             */
            width: number | null;
            /** @description Neurons of a convolution in each stage; the last hidden layer has as many as the last stage. */
            widths: number[] | null;
        };
        /** @description A job that a submission would create. */
        PlannedJob: {
            /** @description Name of its arm. */
            arm: string;
            /**
             * @description Whether it is a trial or counts in the comparison. In a tuned experiment, a job that counts is queued once the
             *     choice of its arm is made.
             */
            phase: components["schemas"]["Phase"];
            /**
             * Format: int64
             * @description Its seed.
             */
            seed: number;
            /**
             * Format: int64
             * @description Its updates.
             */
            steps: number;
            /**
             * Format: int64
             * @description Number of the trial.
             */
            trial: number | null;
        };
        /** @description A set of pilots, workers that an engine starts while there are jobs for them. */
        Pool: {
            /** @description The devices of its pilots. */
            device: components["schemas"]["DeviceKind"];
            /** @description The engine. */
            engine: components["schemas"]["Engine"];
            /**
             * Format: int64
             * @description Requests and pilots that failed, since the last pilot that worked.
             */
            failures: number;
            /** @description When a process last looked after it. */
            last_seen_at: string;
            /**
             * Format: int64
             * @description Maximum number of pilots.
             */
            max_workers: number;
            /** @description Its name. */
            name: string;
            /** @description Until then no pilot is requested, because of these failures. */
            paused_until: string | null;
            /** @description Its pilots, as the engine last reported them. */
            pilots: components["schemas"]["Pilot"][];
            /** @description What failed last, or why the engine cannot be asked. */
            trouble: string | null;
            /** @description Whether no process looks after it: neither `optlab slurm` nor a server with the pool in its settings runs. */
            unattended: boolean;
        };
        /**
         * @description The arithmetic of a network's layers. Weights, their updates and the loss are always float32.
         * @enum {string}
         */
        Precision: "float32" | "tf32" | "bfloat16";
        /** @description An error, as `application/problem+json` (RFC 9457). */
        ProblemDetails: {
            /** @description The mistake and the valid values, or the reason and the remedy. */
            detail: string;
            /**
             * @description The mistakes of a spec, each with its path. If there are more than 50, the last entry says how many are not
             *     listed.
             */
            errors?: components["schemas"]["Mistake"][];
            /**
             * Format: int32
             * @description The HTTP status.
             */
            status: number;
            /** @description The kind in words. */
            title: string;
            /** @description Stable identifier of the kind of error. */
            type: string;
        };
        /** @description Where a submission came from, as far as the client told. */
        Provenance: {
            /** @description The command, without secrets. */
            command_line: string | null;
            /** @description Whether tracked files of that folder had changes that were not committed. */
            commit_dirty: boolean | null;
            /** @description Hash of the git commit of the client's working folder. */
            commit_hash: string | null;
        };
        /** @description A query. */
        Question: {
            /**
             * Format: int64
             * @description Maximum number of rows, 1 to 10,000; default 1,000.
             */
            limit?: number | null;
            /** @description One SELECT, WITH or VALUES in the SQL of the server's database. docs/database.md describes the tables. */
            sql: string;
        };
        /** @description The values that trials may try of one field. */
        RangeSpec: {
            /**
             * Format: double
             * @description Lower end.
             */
            from: number;
            /** @description How points are spread between the ends. */
            scale: components["schemas"]["Scale"];
            /**
             * Format: double
             * @description Upper end.
             */
            to: number;
        } | {
            /** @description The values. */
            values: unknown[];
        };
        /** @description A built-in experiment. */
        Recipe: {
            /** @description Its purpose. */
            description: string;
            /** @description Its name. */
            name: string;
        };
        /** @description A built-in experiment with its spec. */
        RecipeDetail: components["schemas"]["Recipe"] & {
            /** @description The spec as it is written. */
            spec: {
                [key: string]: unknown;
            };
            /** @description The file with its comments. */
            toml: string;
        };
        /** @description A built-in experiment with changes. */
        RecipeSubmission: {
            /** @description Fields of the spec that replace those of the recipe. */
            overrides?: Record<string, unknown> | null;
            /** @description Name of the recipe. */
            recipe: components["schemas"]["Name"];
        };
        /**
         * @description A request for the worker of a running job.
         * @enum {string}
         */
        Request: "cancel" | "pause";
        /** @description Fields of `model = { kind = "resnet18", ... }`. */
        Resnet18: components["schemas"]["BatchNorm"] & {
            /**
             * Format: int64
             * @description c for stages of c, 2c, 4c and 8c neurons; 64 in the paper.
             */
            width: number;
        };
        /** @description Requirements of a job on its slot. */
        Resources: {
            /** @description Devices on which the job may run. */
            device: components["schemas"]["WantedDevice"];
            /**
             * Format: int64
             * @description Threads of libtorch. They are part of the spec, because sums depend on how they are split.
             */
            threads: number;
        };
        /**
         * @description Initial value of a raw parameter.
         * @enum {string}
         */
        RotationInit: "identity" | "gaussian" | "scaled";
        /** @description The curve of one job. */
        Run: components["schemas"]["Columns"] & {
            /** @description Name of its arm. */
            arm: string;
            /**
             * Format: int64
             * @description Id of the job.
             */
            job_id: number;
            /**
             * Format: int64
             * @description Its seed.
             */
            seed: number;
        };
        /** @description One series of the jobs of an experiment. */
        Runs: {
            /** @description Which direction is better; null if neither is. */
            higher_is_better: boolean | null;
            /** @description One curve per job. */
            runs: components["schemas"]["Run"][];
            /** @description Name of the series. */
            series: string;
            /** @description Unit of its values; empty for a pure number. */
            unit: string;
            /**
             * Format: int64
             * @description Steps per bucket; 1 if no point was left out.
             */
            width: number;
        };
        /**
         * @description How points are chosen.
         * @enum {string}
         */
        Sampler: "sobol" | "grid";
        /**
         * @description How points are spread over an interval.
         * @enum {string}
         */
        Scale: "log" | "linear";
        /** @description A factor of every learning rate: a ramp over the first updates, times a curve. */
        ScheduleSpec: components["schemas"]["CurveSpec"] & {
            /**
             * Format: double
             * @description Share of the run in [0, 1) over which the rate rises linearly from 0 (Goyal et al., arXiv 1706.02677,
             *     section 2.2). No update has the rate 0, and the first update after the ramp has the full rate.
             */
            warmup: number;
        };
        /**
         * @description The scope of a token.
         * @enum {string}
         */
        Scope: "read" | "write";
        /** Format: int64 */
        Seed: number;
        /** @description The figure of one job. */
        SeedValue: {
            /**
             * Format: int64
             * @description The seed of the job.
             */
            seed: number;
            /**
             * Format: double
             * @description The figure.
             */
            value: number;
        };
        /** @description Seeds to add to every arm. */
        Seeds: {
            /** @description The seeds. Those that the experiment already has are ignored. */
            seeds: components["schemas"]["Seed"][];
        };
        /** @description A named series. */
        SeriesInfo: {
            /** @description Which direction is better; null if neither is. */
            higher_is_better: boolean | null;
            /** @description `test/accuracy`, `energy/mean`, ... */
            name: string;
            /** @description Unit of its values; empty for a pure number. */
            unit: string;
        };
        /** @description The scope of the client. */
        Session: {
            /** @description The scope of its token; `write` if the server needs no tokens. */
            scope: components["schemas"]["Scope"];
            /** @description Whether it has sent a token. */
            signed_in: boolean;
        };
        /** @description The sign-flip permutation test. */
        SignFlip: {
            /** @description Whether all signs were tried, and not 100,000 random ones. */
            exact: boolean;
            /**
             * Format: double
             * @description The least p-value that this number of pairs can reach.
             */
            least_p: number;
            /**
             * Format: double
             * @description `p_value` after Holm's procedure over all tested arms.
             */
            p_adjusted: number;
            /**
             * Format: double
             * @description Two-sided p-value.
             */
            p_value: number;
        };
        /** @description A token for a session. */
        SignIn: {
            /** @description Path of the page on the host; default: the server's base path. */
            path?: string;
            /** @description The token. */
            token: string;
        };
        /**
         * @description A distance of W^T W from I, with neurons as columns; of W W^T if there are more neurons than dimensions.
         * @enum {string}
         */
        SoftForm: "frobenius" | "srip";
        /** @description A field in which arms differ. */
        SpecDifference: {
            /**
             * @description JSON pointer of the field in a job's spec, or of `/seeds`, `/max_attempts` or `/time_limit_seconds` in that of
             *     its experiment.
             */
            pointer: string;
            /**
             * @description The value in each arm that has the field, by the name of the arm; null if the field is switched off. For an arm
             *     without rotations, `/method/learning_rate` and `/method/weight_decay` are those of its optimizer, which train the
             *     same layers.
             */
            values: {
                [key: string]: unknown;
            };
        };
        /**
         * @description What a comparison concludes of an arm.
         * @enum {string}
         */
        Standing: "better" | "worse" | "different" | "no_clear_difference" | "too_few_seeds" | "not_comparable";
        /** @description Stochastic OPT: in each round, a random subset of the dimensions has its own rotation, which is then merged. */
        StochasticSpec: {
            /**
             * Format: double
             * @description Share of a layer's dimensions that a round rotates. At least two are rotated, because one alone cannot be.
             */
            fraction: number;
            /**
             * Format: int64
             * @description Updates per round.
             */
            inner_steps: number;
        };
        /** @description The trials of an arm that were stopped early. */
        StoppedEarly: {
            /**
             * Format: int64
             * @description Number of updates of all trials of the arm, if none were left out.
             */
            steps: number;
            /**
             * Format: int64
             * @description Number of updates that were left out.
             */
            steps_saved: number;
            /** @description Their number. */
            trials: number;
        };
        /** @description The text that was submitted for an experiment, and a draft for a copy of it. */
        StoredSubmission: {
            /**
             * @description A spec that resolves to that of the experiment and contains no inherited field: the text with its recipe filled
             *     in, and with the present seeds and priority. Without a text, the resolved spec without what its arms would
             *     inherit.
             */
            draft: components["schemas"]["WrittenExperimentSpec"];
            /** @description The body of the request as it was sent, JSON or TOML; null if it was not stored. */
            text: string | null;
        };
        /**
         * @description A new experiment: a recipe with changes, or a whole spec.
         * @example {
         *       "recipe": "digits-mlp",
         *       "overrides": {
         *         "name": "mine",
         *         "seeds": [
         *           0,
         *           1
         *         ]
         *       }
         *     }
         */
        Submission: components["schemas"]["RecipeSubmission"] | components["schemas"]["WrittenExperimentSpec"];
        /** @description The experiment that a submission or an import has created. */
        Submitted: {
            /**
             * Format: int64
             * @description Its id.
             */
            id: number;
            /** @description Its jobs. */
            jobs: components["schemas"]["Job"][];
            /** @description Its name. */
            name: string;
        };
        /** @description The answer of the database. */
        Table: {
            /** @description Names of the columns as the statement gives them; they may repeat. */
            columns: string[];
            /**
             * @description One value per column: null, a number, a text, true or false, or `{"hex": "00ff"}` for bytes. Integers are exact, also
             *     beyond 2^53. A number that JSON cannot represent is the text `NaN`, `Infinity` or `-Infinity`.
             */
            rows: unknown[][];
            /** @description Whether rows are missing because of `limit`, or because they would take more than 8 MB. */
            truncated: boolean;
        };
        /** @description Everything of a run except the arm's method and the seed. */
        TrainSpec: {
            /**
             * Format: double
             * @description Decay of an exponential moving average of the weights, which the test and validation series then measure and the
             *     run saves; `None` for the weights themselves. Energy and orthogonality are always those of the trained weights,
             *     because the average of rotated neurons is not a rotation of them.
             */
            average_decay: number | null;
            /**
             * Format: int64
             * @description Samples per update. Samples that do not fill the last batch of an epoch are left to the next shuffle.
             */
            batch_size: number;
            /**
             * Format: double
             * @description Maximum norm of the gradient over all trained tensors together; `None` for no limit. A rotated weight counts
             *     with dL/dW, not with the gradient of its raw parameter, so that the norm means the same in every arm. The
             *     penalty of relaxed OPT, which acts on the raw parameter, is added afterwards.
             */
            clip_norm: number | null;
            /** @description The data. */
            data: components["schemas"]["DataSpec"];
            /** @description The measure of hyperspherical energy. */
            energy: components["schemas"]["EnergySpec"];
            /**
             * Format: int64
             * @description Passes over the training set; `None` if `steps` is given.
             */
            epochs: number | null;
            /**
             * @description Interval between evaluations of the test set, and of the validation set if there is one. Step 0 and the end are
             *     always evaluated.
             */
            evaluate_every: components["schemas"]["EvaluateEvery"];
            /**
             * Format: double
             * @description Share of the target probability spread over all classes (Szegedy et al., CVPR 2016).
             */
            label_smoothing: number;
            /**
             * Format: int64
             * @description Updates between two points of the training series.
             */
            log_every_steps: number;
            /** @description The network. */
            model: components["schemas"]["ModelSpec"];
            /** @description The optimizer. */
            optimizer: components["schemas"]["OptimizerSpec"];
            /** @description The arithmetic of the network. */
            precision: components["schemas"]["Precision"];
            /** @description The schedule of the learning rate. */
            schedule: components["schemas"]["ScheduleSpec"];
            /**
             * Format: int64
             * @description Optimizer updates; `None` if `epochs` is given.
             */
            steps: number | null;
        };
        /** @description The transforms, by the names of Liu et al. (CVPR 2021), section 4. */
        TransformSpec: {
            /** @description Initial value of the matrix. */
            init: components["schemas"]["RotationInit"];
            /** @enum {string} */
            transform: "gram_schmidt";
        } | {
            /** @description Initial value of the matrix. */
            init: components["schemas"]["RotationInit"];
            /** @enum {string} */
            transform: "householder";
        } | {
            /** @description The computation. */
            form: components["schemas"]["LowdinForm"];
            /** @description Initial value of the matrix. */
            init: components["schemas"]["RotationInit"];
            /** @enum {string} */
            transform: "lowdin";
        } | {
            /** @description Initial value of the skew matrix. */
            init: components["schemas"]["RotationInit"];
            /** @enum {string} */
            transform: "cayley";
        } | {
            /** @description The form of a step. */
            form: components["schemas"]["DescentForm"];
            /** @enum {string} */
            transform: "descent";
        } | {
            /**
             * Format: double
             * @description Factor of the penalty.
             */
            beta: number;
            /** @description Initial value of R. */
            init: components["schemas"]["RotationInit"];
            /** @enum {string} */
            transform: "relaxed";
        } | {
            /** @description Initial value of R. */
            init: components["schemas"]["RotationInit"];
            /** @enum {string} */
            transform: "unconstrained";
        };
        /** @description A trial: one point of the space of an arm. */
        Trial: {
            /** @description Whether the arm is confirmed with it. */
            chosen: boolean;
            /** @description The values of the tuned fields. */
            point: {
                [key: string]: unknown;
            };
            /** @description Place by the score, from 1; null without a score. */
            rank: number | null;
            /** @description Its runs by seed. */
            runs: components["schemas"]["TrialRun"][];
            /**
             * Format: double
             * @description Mean over the seeds of the last validation error in percent; null until every run is complete. A trial with a
             *     failed run, or one that was stopped early, has none, which is worse than any.
             */
            score: number | null;
            /**
             * Format: int64
             * @description Its number, from 0.
             */
            trial: number;
        };
        /** @description A run of a trial with one seed. */
        TrialRun: {
            end_reason: components["schemas"]["EndReason"] | null;
            /**
             * Format: int64
             * @description Its job.
             */
            job_id: number | null;
            /**
             * Format: double
             * @description Training time; of a run that is not complete, the time of its attempts.
             */
            seconds: number | null;
            /**
             * Format: int64
             * @description The seed.
             */
            seed: number;
            /** @description Its state; in a frozen choice, that of the moment of the choice. */
            state: components["schemas"]["JobState"];
            /**
             * Format: double
             * @description The last error on the validation set in percent; that of the rung if it was stopped there.
             */
            validation_error: number | null;
        };
        /** @description The tuning of an experiment, the same for every arm. */
        TuneSpec: {
            /** @description Early stopping of trials; every trial runs to its end without it. */
            halving?: components["schemas"]["HalvingSpec"];
            /** @description How points are chosen. */
            sampler: components["schemas"]["Sampler"];
            /** @description Seed that scrambles the points. */
            seed: components["schemas"]["Seed"];
            /** @description Seeds of the trials: each point is tried with each of them. They must differ from the seeds that confirm. */
            seeds: components["schemas"]["Seed"][];
            /**
             * @description The ranges that every arm tries, by the path of the field in the arm: `optimizer.learning_rate` for a field of
             *     `train`, `method.learning_rate` for one of `method`.
             */
            space: {
                [key: string]: components["schemas"]["RangeSpec"];
            };
            /**
             * Format: int64
             * @description Number of points that each arm tries.
             */
            trials: number;
        };
        /** @description The tuning of an experiment: the trials and the choice of each arm. No figure in it is of the test set. */
        Tuning: {
            /** @description The arms, in the order of the spec. */
            arms: components["schemas"]["ArmTuning"][];
            /** @description Name of the arm that the others are compared with, if the spec has one. */
            baseline: string | null;
            /**
             * Format: double
             * @description Training time of all trials of the baseline in seconds; null until they have ended.
             */
            baseline_seconds: number | null;
            halving: components["schemas"]["HalvingSpec"] | null;
            /** @description How the points were chosen. */
            sampler: components["schemas"]["Sampler"];
            /**
             * Format: int64
             * @description Seed that scrambles the points.
             */
            seed: number;
            /** @description Seeds of each trial. */
            seeds: number[];
            /**
             * Format: int64
             * @description Number of trials of each arm.
             */
            trials: number;
        };
        /** @description How far the arms of an experiment are tuned. */
        TuningProgress: {
            /** @description Number of tuned arms. */
            arms: number;
            /**
             * @description Number of choices that will be made soon, because all trials of the arm have ended, or once the experiment is
             *     resumed.
             */
            due: number;
            /** @description Number of arms whose choice is frozen. */
            frozen: number;
            /** @description Number of confirming jobs that are queued once the choices are made. */
            to_come: number;
            /** @description Its trials by state. */
            trials: components["schemas"]["Counts"];
        };
        /**
         * @description Devices on which a job may run.
         * @enum {string}
         */
        WantedDevice: "any" | "cpu" | "cuda";
        /** @description A job that is not what it seems. */
        Warning: {
            /** @description Name of its arm. */
            arm: string;
            /** @description The warning as a sentence. */
            detail: string;
            /**
             * Format: int64
             * @description Id of the job.
             */
            job_id: number;
            /** @description What is wrong. */
            kind: components["schemas"]["WarningKind"];
            /**
             * Format: int64
             * @description Its seed.
             */
            seed: number;
            /** @description The series that shows it. */
            series: string;
            /**
             * Format: double
             * @description The value that rounding or chance can explain; for a loss, its start.
             */
            tolerance: number;
            /**
             * Format: double
             * @description The largest deviation, relative to the start for an energy; the final accuracy; or the lowest of the last losses.
             */
            value: number;
        };
        /**
         * @description Why a job is not what it seems.
         * @enum {string}
         */
        WarningKind: "invariant_broken" | "at_chance" | "loss_rose";
        /** @description How often an arm is better than the baseline with the same seed. */
        Wins: {
            /**
             * Format: double
             * @description Upper end of the exact 95% interval of the probability.
             */
            high: number;
            /**
             * Format: double
             * @description Lower end of the exact 95% interval of the probability (Clopper and Pearson).
             */
            low: number;
            /**
             * Format: double
             * @description P(arm better), the estimated probability that the arm is better with a fresh seed: the share of the pairs that it
             *     wins, with ties as halves.
             */
            probability: number;
            /** @description Number of pairs in which both are equal. */
            ties: number;
            /** @description Number of pairs in which the arm is better. */
            wins: number;
        };
        /** @description A process that claims jobs. */
        Worker: {
            /** @description Its devices. */
            devices: components["schemas"]["OfferedDevice"][];
            engine: components["schemas"]["Engine"] | null;
            /** @description The engine's id for it. */
            engine_job: string | null;
            /**
             * Format: int64
             * @description Its id.
             */
            id: number;
            /** @description Ids of the jobs that it is running. */
            jobs: number[];
            /** @description When it last reported. */
            last_seen_at: string;
            /** @description Host and process. */
            name: string;
            /** @description The engine's name of its machine. */
            node: string | null;
            /** @description The pool whose pilot it is. */
            pool: string | null;
            /** @description Why the engine took its machine away. */
            preempted: string | null;
            /** @description Slots of all its devices. */
            slots: number;
            /** @description When it started. */
            started_at: string;
            /** @description Whether it claims jobs. */
            state: components["schemas"]["WorkerState"];
            /** @description Why the worker, or one of its slots, claims nothing at present. */
            trouble: string | null;
            /** @description When its machine goes away, if that is known. */
            until: string | null;
        };
        /**
         * @description Whether a worker claims jobs.
         * @enum {string}
         */
        WorkerState: "active" | "draining" | "gone";
        /** @description One way of training in an experiment. */
        WrittenArm: {
            /** @description The method of the arm. */
            method: components["schemas"]["WrittenMethodSpec"];
            name: components["schemas"]["Name"] | null;
            /**
             * @description `method` and `train` of a tuned arm as they were written, in a resolved spec. The arm's own `method` and `train`
             *     are then those of its first trial.
             */
            source?: components["schemas"]["WrittenArmSource"];
            /** @description The training of the arm. Fields that the arm does not set are inherited from the experiment's `train`. */
            train?: components["schemas"]["WrittenTrainSpec"];
            /**
             * @description The ranges of a tuned arm, by the paths of the fields. In a written spec, those that it adds to the ranges of
             *     every arm or that replace them; in a resolved spec all of them.
             */
            tune?: {
                [key: string]: components["schemas"]["WrittenRangeSpec"];
            } | null;
        } | null;
        /**
         * @description `method` and `train` of a tuned arm as they were written. The values of a point are written into them before they are
         *     resolved, so that a field that inherits a tuned one inherits its value at each point.
         */
        WrittenArmSource: {
            /** @description The method without defaults. */
            method?: Record<string, unknown> | null;
            /** @description The arm's own fields of `train`; null if it has none. */
            train?: Record<string, unknown> | null;
        } | null;
        /**
         * @description The times at which a checkpoint is due, whichever comes first. Checkpoints do not affect the training, so wall time
         *     may decide.
         */
        WrittenCheckpointSpec: {
            /**
             * Format: int64
             * @description Wall time since the last checkpoint or the start of training; `None` if only updates count.
             */
            every_seconds?: number | null;
            /**
             * Format: int64
             * @description Number of updates between checkpoints; `None` if only time counts.
             */
            every_steps?: number | null;
        } | null;
        /** @description The data of a run. */
        WrittenDataSpec: {
            /** @description Random changes of each training image at each use. */
            augment?: components["schemas"]["Augment"][] | null;
            /**
             * Format: int64
             * @description Number of classes.
             */
            classes?: number | null;
            /** @description A name that `optlab data list` shows, or `synthetic`. */
            name?: string | null;
            /**
             * Format: int64
             * @description Images of the training set; the test set has a tenth as many.
             */
            samples?: number | null;
            /** @description Channels, height and width of an image. */
            shape?: number[] | null;
            /**
             * Format: int64
             * @description Number of training images; null for all that are not held out, also if their number was given. Each class keeps
             *     its share of them, and at least one image. The seed of the run decides which images these are, so the arms of a
             *     seed share them.
             */
            train_samples?: number | null;
            /**
             * Format: double
             * @description Share of the training set that is held out: no update learns from it, and the series `validation/loss` and
             *     `validation/accuracy` are measured on it. Which images these are depends on the data set and the share alone.
             *     The test set is unaffected.
             */
            validation?: number | null;
        } | null;
        /** @description The energy that is plotted (Liu et al., NeurIPS 2018, section 3). */
        WrittenEnergySpec: {
            /**
             * Format: int64
             * @description Updates between two points. Step 0 and the end always have points.
             */
            every_steps?: number | null;
            /** @description A neuron and its mirror image count as one direction. */
            half_space?: boolean | null;
            /**
             * Format: int32
             * @description s of the kernel z^-s; 0 means log(1/z).
             */
            power?: number | null;
        } | null;
        /** @description A named comparison: one base training spec, several arms, several seeds. Every default is spelled out. */
        WrittenExperimentSpec: {
            /** @description The arms that are compared. */
            arms: components["schemas"]["WrittenArm"][] | null;
            baseline?: components["schemas"]["Name"] | null;
            /** @description The intervals between checkpoints of its jobs. */
            checkpoint?: components["schemas"]["WrittenCheckpointSpec"];
            /**
             * Format: int64
             * @description Maximum number of attempts at a job whose worker is lost or whose runner crashes.
             */
            max_attempts?: number | null;
            name: components["schemas"]["Name"] | null;
            /** @description Free text of the researcher. */
            notes?: string | null;
            /**
             * Format: int64
             * @description Jobs of higher priority are claimed first.
             */
            priority?: number | null;
            /** @description Requirements on the slot. */
            resources?: components["schemas"]["WrittenResources"];
            /** @description One job for each arm and seed. */
            seeds?: components["schemas"]["Seed"][] | null;
            /** @description Words for searches. */
            tags?: string[] | null;
            /**
             * Format: int64
             * @description Wall time after which an attempt ends as `timed_out`.
             */
            time_limit_seconds?: number | null;
            /** @description The training that arms inherit. */
            train: components["schemas"]["WrittenTrainSpec"];
            /** @description How the settings of each arm are tuned before its confirming runs; `None` if every arm has fixed settings. */
            tune?: components["schemas"]["WrittenTuneSpec"];
            /**
             * Format: int64
             * @description Version of the spec format.
             */
            version?: number | null;
        };
        /**
         * @description Early stopping of the trials of an arm. At each rung, every trial waits until all have come so far; the best go on
         *     with the same bits.
         */
        WrittenHalvingSpec: {
            /**
             * Format: double
             * @description Share of the trials that go on, rounded up, between 0 and 1.
             */
            keep?: number | null;
            /** @description Shares of the updates of a run, ascending. A rung is at the first evaluation from there on. */
            rungs?: number[] | null;
        } | null;
        /** @description How the hidden layers are trained; the classifier is trained normally in every arm. */
        WrittenMethodSpec: ({
            init?: components["schemas"]["NeuronInit"] | null;
            /** @enum {string|null} */
            kind: "baseline" | null;
        } | null) | ({
            init?: components["schemas"]["RotationInit"] | null;
            /** @enum {string|null} */
            kind: "opt" | null;
            layers?: components["schemas"]["LayerChoice"] | null;
            /**
             * Format: double
             * @description Step size of the raw parameters before the schedule's factor; default: that of the other tensors, or for descent
             *     the published 0.02.
             */
            learning_rate?: number | null;
            /**
             * Format: double
             * @description Mean of the normal distribution of the entries of neurons. Any mean but 0 raises the energy.
             */
            neuron_mean?: number | null;
            neurons?: components["schemas"]["Neurons"] | null;
            /**
             * Format: int32
             * @description Steps before training that move the drawn neurons to lower energy (power 1, whole sphere) and keep their
             *     lengths.
             */
            refine_steps?: number | null;
            /** @description Rounds that each rotate some of the dimensions; `None` to rotate all dimensions all the time. */
            stochastic?: components["schemas"]["WrittenStochasticSpec"];
            /** @enum {string|null} */
            transform: "gram_schmidt" | null;
            /**
             * Format: double
             * @description Decay of the raw parameters; default: that of the other tensors, or for descent none.
             */
            weight_decay?: number | null;
        } | null) | ({
            init?: components["schemas"]["RotationInit"] | null;
            /** @enum {string|null} */
            kind: "opt" | null;
            layers?: components["schemas"]["LayerChoice"] | null;
            /**
             * Format: double
             * @description Step size of the raw parameters before the schedule's factor; default: that of the other tensors, or for descent
             *     the published 0.02.
             */
            learning_rate?: number | null;
            /**
             * Format: double
             * @description Mean of the normal distribution of the entries of neurons. Any mean but 0 raises the energy.
             */
            neuron_mean?: number | null;
            neurons?: components["schemas"]["Neurons"] | null;
            /**
             * Format: int32
             * @description Steps before training that move the drawn neurons to lower energy (power 1, whole sphere) and keep their
             *     lengths.
             */
            refine_steps?: number | null;
            /** @description Rounds that each rotate some of the dimensions; `None` to rotate all dimensions all the time. */
            stochastic?: components["schemas"]["WrittenStochasticSpec"];
            /** @enum {string|null} */
            transform: "householder" | null;
            /**
             * Format: double
             * @description Decay of the raw parameters; default: that of the other tensors, or for descent none.
             */
            weight_decay?: number | null;
        } | null) | ({
            form?: components["schemas"]["LowdinForm"] | null;
            init?: components["schemas"]["RotationInit"] | null;
            /** @enum {string|null} */
            kind: "opt" | null;
            layers?: components["schemas"]["LayerChoice"] | null;
            /**
             * Format: double
             * @description Step size of the raw parameters before the schedule's factor; default: that of the other tensors, or for descent
             *     the published 0.02.
             */
            learning_rate?: number | null;
            /**
             * Format: double
             * @description Mean of the normal distribution of the entries of neurons. Any mean but 0 raises the energy.
             */
            neuron_mean?: number | null;
            neurons?: components["schemas"]["Neurons"] | null;
            /**
             * Format: int32
             * @description Steps before training that move the drawn neurons to lower energy (power 1, whole sphere) and keep their
             *     lengths.
             */
            refine_steps?: number | null;
            /** @description Rounds that each rotate some of the dimensions; `None` to rotate all dimensions all the time. */
            stochastic?: components["schemas"]["WrittenStochasticSpec"];
            /** @enum {string|null} */
            transform: "lowdin" | null;
            /**
             * Format: double
             * @description Decay of the raw parameters; default: that of the other tensors, or for descent none.
             */
            weight_decay?: number | null;
        } | null) | ({
            init?: components["schemas"]["RotationInit"] | null;
            /** @enum {string|null} */
            kind: "opt" | null;
            layers?: components["schemas"]["LayerChoice"] | null;
            /**
             * Format: double
             * @description Step size of the raw parameters before the schedule's factor; default: that of the other tensors, or for descent
             *     the published 0.02.
             */
            learning_rate?: number | null;
            /**
             * Format: double
             * @description Mean of the normal distribution of the entries of neurons. Any mean but 0 raises the energy.
             */
            neuron_mean?: number | null;
            neurons?: components["schemas"]["Neurons"] | null;
            /**
             * Format: int32
             * @description Steps before training that move the drawn neurons to lower energy (power 1, whole sphere) and keep their
             *     lengths.
             */
            refine_steps?: number | null;
            /** @description Rounds that each rotate some of the dimensions; `None` to rotate all dimensions all the time. */
            stochastic?: components["schemas"]["WrittenStochasticSpec"];
            /** @enum {string|null} */
            transform: "cayley" | null;
            /**
             * Format: double
             * @description Decay of the raw parameters; default: that of the other tensors, or for descent none.
             */
            weight_decay?: number | null;
        } | null) | ({
            form?: components["schemas"]["DescentForm"] | null;
            /** @enum {string|null} */
            kind: "opt" | null;
            layers?: components["schemas"]["LayerChoice"] | null;
            /**
             * Format: double
             * @description Step size of the raw parameters before the schedule's factor; default: that of the other tensors, or for descent
             *     the published 0.02.
             */
            learning_rate?: number | null;
            /**
             * Format: double
             * @description Mean of the normal distribution of the entries of neurons. Any mean but 0 raises the energy.
             */
            neuron_mean?: number | null;
            neurons?: components["schemas"]["Neurons"] | null;
            /**
             * Format: int32
             * @description Steps before training that move the drawn neurons to lower energy (power 1, whole sphere) and keep their
             *     lengths.
             */
            refine_steps?: number | null;
            /** @description Rounds that each rotate some of the dimensions; `None` to rotate all dimensions all the time. */
            stochastic?: components["schemas"]["WrittenStochasticSpec"];
            /** @enum {string|null} */
            transform: "descent" | null;
            /**
             * Format: double
             * @description Decay of the raw parameters; default: that of the other tensors, or for descent none.
             */
            weight_decay?: number | null;
        } | null) | ({
            /**
             * Format: double
             * @description Factor of the penalty.
             */
            beta?: number | null;
            init?: components["schemas"]["RotationInit"] | null;
            /** @enum {string|null} */
            kind: "opt" | null;
            layers?: components["schemas"]["LayerChoice"] | null;
            /**
             * Format: double
             * @description Step size of the raw parameters before the schedule's factor; default: that of the other tensors, or for descent
             *     the published 0.02.
             */
            learning_rate?: number | null;
            /**
             * Format: double
             * @description Mean of the normal distribution of the entries of neurons. Any mean but 0 raises the energy.
             */
            neuron_mean?: number | null;
            neurons?: components["schemas"]["Neurons"] | null;
            /**
             * Format: int32
             * @description Steps before training that move the drawn neurons to lower energy (power 1, whole sphere) and keep their
             *     lengths.
             */
            refine_steps?: number | null;
            /** @description Rounds that each rotate some of the dimensions; `None` to rotate all dimensions all the time. */
            stochastic?: components["schemas"]["WrittenStochasticSpec"];
            /** @enum {string|null} */
            transform: "relaxed" | null;
            /**
             * Format: double
             * @description Decay of the raw parameters; default: that of the other tensors, or for descent none.
             */
            weight_decay?: number | null;
        } | null) | ({
            init?: components["schemas"]["RotationInit"] | null;
            /** @enum {string|null} */
            kind: "opt" | null;
            layers?: components["schemas"]["LayerChoice"] | null;
            /**
             * Format: double
             * @description Step size of the raw parameters before the schedule's factor; default: that of the other tensors, or for descent
             *     the published 0.02.
             */
            learning_rate?: number | null;
            /**
             * Format: double
             * @description Mean of the normal distribution of the entries of neurons. Any mean but 0 raises the energy.
             */
            neuron_mean?: number | null;
            neurons?: components["schemas"]["Neurons"] | null;
            /**
             * Format: int32
             * @description Steps before training that move the drawn neurons to lower energy (power 1, whole sphere) and keep their
             *     lengths.
             */
            refine_steps?: number | null;
            /** @description Rounds that each rotate some of the dimensions; `None` to rotate all dimensions all the time. */
            stochastic?: components["schemas"]["WrittenStochasticSpec"];
            /** @enum {string|null} */
            transform: "unconstrained" | null;
            /**
             * Format: double
             * @description Decay of the raw parameters; default: that of the other tensors, or for descent none.
             */
            weight_decay?: number | null;
        } | null) | ({
            /** @description A neuron and its mirror image count as one direction. */
            half_space?: boolean | null;
            /** @enum {string|null} */
            kind: "mhe" | null;
            /**
             * Format: int32
             * @description s of the kernel z^-s; 0 means log(1/z).
             */
            power?: number | null;
            /**
             * Format: double
             * @description Factor of the energies, each the mean over its layer's pairs.
             */
            weight?: number | null;
        } | null) | ({
            form?: components["schemas"]["SoftForm"] | null;
            /** @enum {string|null} */
            kind: "soft_orthogonal" | null;
            /**
             * Format: double
             * @description Factor of the distances.
             */
            weight?: number | null;
        } | null);
        /** @description The network of a run. */
        WrittenModelSpec: ({
            /** @description Normalise before each ReLU; the preceding layer then has no bias. */
            batch_norm?: boolean | null;
            /**
             * Format: double
             * @description Added to a variance.
             */
            batch_norm_epsilon?: number | null;
            /**
             * Format: double
             * @description Weight of the newest batch in the running statistics.
             */
            batch_norm_momentum?: number | null;
            /** @description Width of each hidden layer. */
            hidden?: number[] | null;
            /** @enum {string|null} */
            kind?: "mlp" | null;
        } | null) | ({
            /** @description Normalise before each ReLU; the preceding layer then has no bias. */
            batch_norm?: boolean | null;
            /**
             * Format: double
             * @description Added to a variance.
             */
            batch_norm_epsilon?: number | null;
            /**
             * Format: double
             * @description Weight of the newest batch in the running statistics.
             */
            batch_norm_momentum?: number | null;
            /** @enum {string|null} */
            kind?: "cnn6" | null;
            /**
             * Format: int64
             * @description c for stages of c, 2c and 4c neurons.
             */
            width?: number | null;
            /** @description Neurons of a convolution in each stage; the last hidden layer has as many as the last stage. */
            widths?: number[] | null;
        } | null) | ({
            /** @description Normalise before each ReLU; the preceding layer then has no bias. */
            batch_norm?: boolean | null;
            /**
             * Format: double
             * @description Added to a variance.
             */
            batch_norm_epsilon?: number | null;
            /**
             * Format: double
             * @description Weight of the newest batch in the running statistics.
             */
            batch_norm_momentum?: number | null;
            /** @enum {string|null} */
            kind?: "cnn9" | null;
            /**
             * Format: int64
             * @description c for stages of c, 2c and 4c neurons.
             */
            width?: number | null;
            /** @description Neurons of a convolution in each stage; the last hidden layer has as many as the last stage. */
            widths?: number[] | null;
        } | null) | ({
            /**
             * Format: double
             * @description Added to a variance.
             */
            batch_norm_epsilon?: number | null;
            /**
             * Format: double
             * @description Weight of the newest batch in the running statistics.
             */
            batch_norm_momentum?: number | null;
            /** @enum {string|null} */
            kind?: "resnet20" | null;
            /**
             * Format: int64
             * @description c for stages of c, 2c and 4c neurons; 16 in the paper.
             */
            width?: number | null;
        } | null) | ({
            /**
             * Format: double
             * @description Added to a variance.
             */
            batch_norm_epsilon?: number | null;
            /**
             * Format: double
             * @description Weight of the newest batch in the running statistics.
             */
            batch_norm_momentum?: number | null;
            /** @enum {string|null} */
            kind?: "resnet32" | null;
            /**
             * Format: int64
             * @description c for stages of c, 2c and 4c neurons; 16 in the paper.
             */
            width?: number | null;
        } | null) | ({
            /**
             * Format: double
             * @description Added to a variance.
             */
            batch_norm_epsilon?: number | null;
            /**
             * Format: double
             * @description Weight of the newest batch in the running statistics.
             */
            batch_norm_momentum?: number | null;
            /** @enum {string|null} */
            kind?: "resnet18" | null;
            /**
             * Format: int64
             * @description c for stages of c, 2c, 4c and 8c neurons; 64 in the paper.
             */
            width?: number | null;
        } | null);
        /**
         * @description The optimizer of every trained tensor; rotations may have their own learning rate and weight decay
         *     (see [`MethodSpec`](crate::MethodSpec)).
         */
        WrittenOptimizerSpec: ({
            /** @enum {string|null} */
            kind?: "sgd" | null;
            /**
             * Format: double
             * @description Step size before the schedule's factor.
             */
            learning_rate?: number | null;
            /**
             * Format: double
             * @description Share of the previous step that is kept.
             */
            momentum?: number | null;
            /** @description Look ahead by one momentum step. */
            nesterov?: boolean | null;
            /**
             * Format: double
             * @description L2 penalty, added to the gradient of every tensor that decays.
             */
            weight_decay?: number | null;
        } | null) | ({
            /**
             * Format: double
             * @description Decay of the first moment.
             */
            beta1?: number | null;
            /**
             * Format: double
             * @description Decay of the second moment.
             */
            beta2?: number | null;
            /**
             * Format: double
             * @description Added to the root of the second moment.
             */
            epsilon?: number | null;
            /** @enum {string|null} */
            kind?: "adam" | null;
            /**
             * Format: double
             * @description Step size before the schedule's factor.
             */
            learning_rate?: number | null;
            /**
             * Format: double
             * @description Decay of every tensor that decays.
             */
            weight_decay?: number | null;
        } | null) | ({
            /**
             * Format: double
             * @description Decay of the first moment.
             */
            beta1?: number | null;
            /**
             * Format: double
             * @description Decay of the second moment.
             */
            beta2?: number | null;
            /**
             * Format: double
             * @description Added to the root of the second moment.
             */
            epsilon?: number | null;
            /** @enum {string|null} */
            kind?: "adamw" | null;
            /**
             * Format: double
             * @description Step size before the schedule's factor.
             */
            learning_rate?: number | null;
            /**
             * Format: double
             * @description Decay of every tensor that decays.
             */
            weight_decay?: number | null;
        } | null);
        /** @description The values that trials may try of one field. */
        WrittenRangeSpec: ({
            /**
             * Format: double
             * @description Lower end.
             */
            from: number | null;
            scale?: components["schemas"]["Scale"] | null;
            /**
             * Format: double
             * @description Upper end.
             */
            to: number | null;
        } | null) | ({
            /** @description The values. */
            values: unknown[] | null;
        } | null);
        /** @description Requirements of a job on its slot. */
        WrittenResources: {
            device?: components["schemas"]["WantedDevice"] | null;
            /**
             * Format: int64
             * @description Threads of libtorch. They are part of the spec, because sums depend on how they are split.
             */
            threads?: number | null;
        } | null;
        /** @description A factor of every learning rate: a ramp over the first updates, times a curve. */
        WrittenScheduleSpec: ({
            /** @enum {string|null} */
            kind?: "constant" | null;
            /**
             * Format: double
             * @description Share of the run in [0, 1) over which the rate rises linearly from 0 (Goyal et al., arXiv 1706.02677,
             *     section 2.2). No update has the rate 0, and the first update after the ramp has the full rate.
             */
            warmup?: number | null;
        } | null) | ({
            /**
             * Format: double
             * @description Factor of the rate at each milestone.
             */
            factor?: number | null;
            /** @enum {string|null} */
            kind?: "step" | null;
            /** @description Shares of the whole run, the ramp included, in (0, 1), ascending. */
            milestones?: number[] | null;
            /**
             * Format: double
             * @description Share of the run in [0, 1) over which the rate rises linearly from 0 (Goyal et al., arXiv 1706.02677,
             *     section 2.2). No update has the rate 0, and the first update after the ramp has the full rate.
             */
            warmup?: number | null;
        } | null) | ({
            /**
             * Format: double
             * @description The last factor.
             */
            floor?: number | null;
            /** @enum {string|null} */
            kind?: "cosine" | null;
            /**
             * Format: double
             * @description Share of the run in [0, 1) over which the rate rises linearly from 0 (Goyal et al., arXiv 1706.02677,
             *     section 2.2). No update has the rate 0, and the first update after the ramp has the full rate.
             */
            warmup?: number | null;
        } | null);
        /** @description Stochastic OPT: in each round, a random subset of the dimensions has its own rotation, which is then merged. */
        WrittenStochasticSpec: {
            /**
             * Format: double
             * @description Share of a layer's dimensions that a round rotates. At least two are rotated, because one alone cannot be.
             */
            fraction?: number | null;
            /**
             * Format: int64
             * @description Updates per round.
             */
            inner_steps: number | null;
        } | null;
        /** @description Everything of a run except the arm's method and the seed. */
        WrittenTrainSpec: {
            /**
             * Format: double
             * @description Decay of an exponential moving average of the weights, which the test and validation series then measure and the
             *     run saves; `None` for the weights themselves. Energy and orthogonality are always those of the trained weights,
             *     because the average of rotated neurons is not a rotation of them.
             */
            average_decay?: number | null;
            /**
             * Format: int64
             * @description Samples per update. Samples that do not fill the last batch of an epoch are left to the next shuffle.
             */
            batch_size?: number | null;
            /**
             * Format: double
             * @description Maximum norm of the gradient over all trained tensors together; `None` for no limit. A rotated weight counts
             *     with dL/dW, not with the gradient of its raw parameter, so that the norm means the same in every arm. The
             *     penalty of relaxed OPT, which acts on the raw parameter, is added afterwards.
             */
            clip_norm?: number | null;
            /** @description The data. */
            data?: components["schemas"]["WrittenDataSpec"];
            /** @description The measure of hyperspherical energy. */
            energy?: components["schemas"]["WrittenEnergySpec"];
            /**
             * Format: int64
             * @description Passes over the training set; `None` if `steps` is given.
             */
            epochs?: number | null;
            evaluate_every?: components["schemas"]["EvaluateEvery"] | null;
            /**
             * Format: double
             * @description Share of the target probability spread over all classes (Szegedy et al., CVPR 2016).
             */
            label_smoothing?: number | null;
            /**
             * Format: int64
             * @description Updates between two points of the training series.
             */
            log_every_steps?: number | null;
            /** @description The network. */
            model?: components["schemas"]["WrittenModelSpec"];
            /** @description The optimizer. */
            optimizer?: components["schemas"]["WrittenOptimizerSpec"];
            precision?: components["schemas"]["Precision"] | null;
            /** @description The schedule of the learning rate. */
            schedule?: components["schemas"]["WrittenScheduleSpec"];
            /**
             * Format: int64
             * @description Optimizer updates; `None` if `epochs` is given.
             */
            steps?: number | null;
        } | null;
        /** @description The tuning of an experiment, the same for every arm. */
        WrittenTuneSpec: {
            /** @description Early stopping of trials; every trial runs to its end without it. */
            halving?: components["schemas"]["WrittenHalvingSpec"];
            sampler?: components["schemas"]["Sampler"] | null;
            seed?: components["schemas"]["Seed"] | null;
            /** @description Seeds of the trials: each point is tried with each of them. They must differ from the seeds that confirm. */
            seeds?: components["schemas"]["Seed"][] | null;
            /**
             * @description The ranges that every arm tries, by the path of the field in the arm: `optimizer.learning_rate` for a field of
             *     `train`, `method.learning_rate` for one of `method`.
             */
            space?: {
                [key: string]: components["schemas"]["WrittenRangeSpec"];
            } | null;
            /**
             * Format: int64
             * @description Number of points that each arm tries.
             */
            trials: number | null;
        } | null;
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type ActionResult = components['schemas']['ActionResult'];
export type AdamSpec = components['schemas']['AdamSpec'];
export type Afforded = components['schemas']['Afforded'];
export type AllWord = components['schemas']['AllWord'];
export type Arm = components['schemas']['Arm'];
export type ArmCurve = components['schemas']['ArmCurve'];
export type ArmResult = components['schemas']['ArmResult'];
export type ArmSource = components['schemas']['ArmSource'];
export type ArmSummary = components['schemas']['ArmSummary'];
export type ArmTuning = components['schemas']['ArmTuning'];
export type Arms = components['schemas']['Arms'];
export type Artifact = components['schemas']['Artifact'];
export type ArtifactKind = components['schemas']['ArtifactKind'];
export type Attempt = components['schemas']['Attempt'];
export type Augment = components['schemas']['Augment'];
export type Band = components['schemas']['Band'];
export type BatchNorm = components['schemas']['BatchNorm'];
export type BestOf = components['schemas']['BestOf'];
export type Bootstrap = components['schemas']['Bootstrap'];
export type CheckpointSpec = components['schemas']['CheckpointSpec'];
export type CifarResnet = components['schemas']['CifarResnet'];
export type Columns = components['schemas']['Columns'];
export type ComparedExperiment = components['schemas']['ComparedExperiment'];
export type Comparison = components['schemas']['Comparison'];
export type Counts = components['schemas']['Counts'];
export type CurveSpec = components['schemas']['CurveSpec'];
export type Curves = components['schemas']['Curves'];
export type DataSpec = components['schemas']['DataSpec'];
export type DescentForm = components['schemas']['DescentForm'];
export type DeviceKind = components['schemas']['DeviceKind'];
export type Difference = components['schemas']['Difference'];
export type DryRun = components['schemas']['DryRun'];
export type Edit = components['schemas']['Edit'];
export type EndReason = components['schemas']['EndReason'];
export type EnergyBound = components['schemas']['EnergyBound'];
export type EnergySpec = components['schemas']['EnergySpec'];
export type Engine = components['schemas']['Engine'];
export type Environment = components['schemas']['Environment'];
export type EnvironmentDifference = components['schemas']['EnvironmentDifference'];
export type EpochWord = components['schemas']['EpochWord'];
export type Estimate = components['schemas']['Estimate'];
export type EvaluateEvery = components['schemas']['EvaluateEvery'];
export type Event = components['schemas']['Event'];
export type Experiment = components['schemas']['Experiment'];
export type ExperimentHint = components['schemas']['ExperimentHint'];
export type ExperimentSpec = components['schemas']['ExperimentSpec'];
export type ExperimentSummary = components['schemas']['ExperimentSummary'];
export type FieldKind = components['schemas']['FieldKind'];
export type HalvingSpec = components['schemas']['HalvingSpec'];
export type Health = components['schemas']['Health'];
export type Job = components['schemas']['Job'];
export type JobCurve = components['schemas']['JobCurve'];
export type JobField = components['schemas']['JobField'];
export type JobGroup = components['schemas']['JobGroup'];
export type JobGroups = components['schemas']['JobGroups'];
export type JobMetrics = components['schemas']['JobMetrics'];
export type JobRecord = components['schemas']['JobRecord'];
export type JobState = components['schemas']['JobState'];
export type LayerChoice = components['schemas']['LayerChoice'];
export type ListArtifact = components['schemas']['List_Artifact'];
export type ListAttempt = components['schemas']['List_Attempt'];
export type ListExperimentSummary = components['schemas']['List_ExperimentSummary'];
export type ListJobField = components['schemas']['List_JobField'];
export type ListListedJob = components['schemas']['List_ListedJob'];
export type ListPool = components['schemas']['List_Pool'];
export type ListRecipe = components['schemas']['List_Recipe'];
export type ListWarning = components['schemas']['List_Warning'];
export type ListWorker = components['schemas']['List_Worker'];
export type ListedJob = components['schemas']['ListedJob'];
export type LowdinForm = components['schemas']['LowdinForm'];
export type MethodSpec = components['schemas']['MethodSpec'];
export type Metric = components['schemas']['Metric'];
export type MetricsHint = components['schemas']['MetricsHint'];
export type MissingCell = components['schemas']['MissingCell'];
export type Mistake = components['schemas']['Mistake'];
export type Mlp = components['schemas']['Mlp'];
export type ModelSpec = components['schemas']['ModelSpec'];
export type Name = components['schemas']['Name'];
export type NeuronInit = components['schemas']['NeuronInit'];
export type Neurons = components['schemas']['Neurons'];
export type OfferedDevice = components['schemas']['OfferedDevice'];
export type OptSpec = components['schemas']['OptSpec'];
export type OptimizerSpec = components['schemas']['OptimizerSpec'];
export type OptionalBatchNorm = components['schemas']['OptionalBatchNorm'];
export type Phase = components['schemas']['Phase'];
export type Pilot = components['schemas']['Pilot'];
export type PilotState = components['schemas']['PilotState'];
export type PlainCnn = components['schemas']['PlainCnn'];
export type PlannedJob = components['schemas']['PlannedJob'];
export type Pool = components['schemas']['Pool'];
export type Precision = components['schemas']['Precision'];
export type ProblemDetails = components['schemas']['ProblemDetails'];
export type Provenance = components['schemas']['Provenance'];
export type Question = components['schemas']['Question'];
export type RangeSpec = components['schemas']['RangeSpec'];
export type Recipe = components['schemas']['Recipe'];
export type RecipeDetail = components['schemas']['RecipeDetail'];
export type RecipeSubmission = components['schemas']['RecipeSubmission'];
export type Request = components['schemas']['Request'];
export type Resnet18 = components['schemas']['Resnet18'];
export type Resources = components['schemas']['Resources'];
export type RotationInit = components['schemas']['RotationInit'];
export type Run = components['schemas']['Run'];
export type Runs = components['schemas']['Runs'];
export type Sampler = components['schemas']['Sampler'];
export type Scale = components['schemas']['Scale'];
export type ScheduleSpec = components['schemas']['ScheduleSpec'];
export type Scope = components['schemas']['Scope'];
export type Seed = components['schemas']['Seed'];
export type SeedValue = components['schemas']['SeedValue'];
export type Seeds = components['schemas']['Seeds'];
export type SeriesInfo = components['schemas']['SeriesInfo'];
export type Session = components['schemas']['Session'];
export type SignFlip = components['schemas']['SignFlip'];
export type SignIn = components['schemas']['SignIn'];
export type SoftForm = components['schemas']['SoftForm'];
export type SpecDifference = components['schemas']['SpecDifference'];
export type Standing = components['schemas']['Standing'];
export type StochasticSpec = components['schemas']['StochasticSpec'];
export type StoppedEarly = components['schemas']['StoppedEarly'];
export type StoredSubmission = components['schemas']['StoredSubmission'];
export type Submission = components['schemas']['Submission'];
export type Submitted = components['schemas']['Submitted'];
export type Table = components['schemas']['Table'];
export type TrainSpec = components['schemas']['TrainSpec'];
export type TransformSpec = components['schemas']['TransformSpec'];
export type Trial = components['schemas']['Trial'];
export type TrialRun = components['schemas']['TrialRun'];
export type TuneSpec = components['schemas']['TuneSpec'];
export type Tuning = components['schemas']['Tuning'];
export type TuningProgress = components['schemas']['TuningProgress'];
export type WantedDevice = components['schemas']['WantedDevice'];
export type Warning = components['schemas']['Warning'];
export type WarningKind = components['schemas']['WarningKind'];
export type Wins = components['schemas']['Wins'];
export type Worker = components['schemas']['Worker'];
export type WorkerState = components['schemas']['WorkerState'];
export type WrittenArm = components['schemas']['WrittenArm'];
export type WrittenArmSource = components['schemas']['WrittenArmSource'];
export type WrittenCheckpointSpec = components['schemas']['WrittenCheckpointSpec'];
export type WrittenDataSpec = components['schemas']['WrittenDataSpec'];
export type WrittenEnergySpec = components['schemas']['WrittenEnergySpec'];
export type WrittenExperimentSpec = components['schemas']['WrittenExperimentSpec'];
export type WrittenHalvingSpec = components['schemas']['WrittenHalvingSpec'];
export type WrittenMethodSpec = components['schemas']['WrittenMethodSpec'];
export type WrittenModelSpec = components['schemas']['WrittenModelSpec'];
export type WrittenOptimizerSpec = components['schemas']['WrittenOptimizerSpec'];
export type WrittenRangeSpec = components['schemas']['WrittenRangeSpec'];
export type WrittenResources = components['schemas']['WrittenResources'];
export type WrittenScheduleSpec = components['schemas']['WrittenScheduleSpec'];
export type WrittenStochasticSpec = components['schemas']['WrittenStochasticSpec'];
export type WrittenTrainSpec = components['schemas']['WrittenTrainSpec'];
export type WrittenTuneSpec = components['schemas']['WrittenTuneSpec'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;

/** In the order of the server. */
export const JOB_STATES: readonly JobState[] = ["running","queued","paused","succeeded","failed","cancelled"];
export const HIGHEST_PRIORITY = 1000000;
