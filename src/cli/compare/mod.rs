//! `optlab compare`: compares the arms of experiments with one of them, as tables and claims.

mod budget;
mod claim;
mod csv;
mod latex;
mod table;

use clap::ValueEnum;
use optlab_api_types::{Comparison, List, Tuning, Warning};
use optlab_domain::{ExperimentId, Metric, parse_word};

use super::client::{Client, ServerArgs};
use super::client_error::ClientError;
use super::{Failure, output, which};
use crate::report::notes;
use claim::Claim;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id or name of an experiment, the newest of that name; of several, arms are named EXPERIMENT/ARM
    #[arg(required = true, value_name = "EXPERIMENT")]
    experiments: Vec<String>,
    #[command(flatten)]
    server: ServerArgs,
    /// Metric: test_error, best_test_error or last_test_error, the same of test_accuracy, validation_error and
    /// validation_accuracy, energy, seconds, peak_memory or parameters_trained
    #[arg(long, value_parser = parse_word::<Metric>, default_value = "test_error")]
    metric: Metric,
    /// Arm to compare with, such as baseline or 4/baseline [default: the baseline of the first experiment]
    #[arg(long, value_name = "ARM")]
    baseline: Option<String>,
    /// Number of evaluations in the mean of metrics such as last_test_error [default: 5]
    #[arg(long, value_name = "K")]
    last: Option<u32>,
    /// Show what each arm of one tuned experiment finds on validation data with this budget: time, that of the baseline's
    /// tuning
    #[arg(long, value_enum, conflicts_with_all = ["metric", "baseline", "last", "format", "require"])]
    budget: Option<Budget>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Exit with status 1 unless this claim holds by a two-sided paired t-test of the metric: `A < B @ 0.95` (A is
    /// lower), or `A > B @ 0.95`; can be repeated, and each claim is tested separately
    #[arg(long, value_name = "CLAIM")]
    require: Vec<Claim>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Markdown,
    Latex,
    Csv,
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum Budget {
    Time,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if let Some(Budget::Time) = args.budget {
        return by_time(args);
    }
    if args.last.is_some() && !args.metric.is_mean_of_last() {
        return Err(Failure::Usage(
            "--last is for metrics of the last evaluations, such as --metric last_test_error".to_owned(),
        ));
    }
    let client = args.server.client()?;
    let experiments = Experiments::find(&client, &args.experiments)?;
    let ask = |baseline: Option<&str>| ask(&client, &experiments, args.metric, args.last, baseline);
    let comparison = ask(args.baseline.as_deref().map(|arm| experiments.arm(arm)).as_deref())?;
    let mut outcomes = Vec::new();
    for claim in &args.require {
        let claim = claim.named(|arm| experiments.arm(arm));
        let against = ask(Some(claim.right()))?;
        outcomes.push(claim.outcome(&against).map_err(|error| Failure::Usage(error.to_string()))?);
    }
    print(&comparison, if args.json { Format::Json } else { args.format })?;
    experiments.warn(&client);
    for outcome in &outcomes {
        output::note(format!("optlab: {}", outcome.sentence));
    }
    if outcomes.iter().all(|outcome| outcome.holds) { Ok(()) } else { Err(Failure::Told) }
}

fn by_time(args: &Args) -> Result<(), Failure> {
    let [experiment] = &args.experiments[..] else {
        return Err(Failure::Usage("--budget is for one experiment".to_owned()));
    };
    let client = args.server.client()?;
    let id = which::find(&client, experiment)?;
    let tuning: Tuning = client.get(&format!("/experiments/{id}/tuning"))?;
    Ok(if args.json { output::json(&tuning) } else { output::line(budget::text(&tuning)?) }?)
}

/// The experiments of the command line, each as it was given, without a leading `#`, and its id.
struct Experiments {
    found: Vec<(String, ExperimentId)>,
}

impl Experiments {
    fn find(client: &Client, given: &[String]) -> Result<Self, Failure> {
        let find = |given: &String| {
            let id = which::find(client, given)?;
            Ok((given.strip_prefix('#').unwrap_or(given).to_owned(), id))
        };
        Ok(Self { found: given.iter().map(find).collect::<Result<_, Failure>>()? })
    }

    /// The name of an arm in answers of the server: `EXPERIMENT/ARM` becomes `ID/ARM`.
    fn arm(&self, given: &str) -> String {
        let of_several = given.split_once('/').and_then(|(experiment, arm)| {
            let (_, id) = self.found.iter().find(|(given, _)| given == experiment)?;
            Some(format!("{id}/{arm}"))
        });
        of_several.unwrap_or_else(|| given.to_owned())
    }

    /// Names the jobs that are not what they seem, and their arms as the table does. A server that cannot tell is no reason
    /// to fail.
    fn warn(&self, client: &Client) {
        for (_, id) in &self.found {
            let warnings = client.get::<List<Warning>>(&format!("/experiments/{id}/warnings"));
            for Warning { job_id, arm, seed, detail, .. } in
                warnings.map(|list| list.items).unwrap_or_default()
            {
                let arm = if self.found.len() > 1 { format!("{id}/{arm}") } else { arm };
                output::note(format!("optlab: warning: job {job_id} ({arm}, seed {seed}): {detail}"));
            }
        }
    }
}

fn print(comparison: &Comparison, format: Format) -> Result<(), Failure> {
    Ok(match format {
        Format::Table => print_for_people(comparison),
        Format::Markdown => output::line(table::markdown(comparison)),
        Format::Latex => output::line(latex::tabular(comparison)),
        Format::Csv => output::line(csv::rows(comparison)),
        Format::Json => output::json(comparison),
    }?)
}

/// The table with its verdict, for people.
pub(super) fn print_table(client: &Client, experiment: ExperimentId) -> anyhow::Result<()> {
    let comparison = fetch(client, experiment).map_err(ClientError::into_anyhow)?;
    output::line("")?;
    print_for_people(&comparison)
}

fn print_for_people(comparison: &Comparison) -> anyhow::Result<()> {
    output::line(format!("{}\n\n{}", table::plain(comparison), comparison.verdict))?;
    notes(comparison).into_iter().try_for_each(output::line)
}

/// The server's comparison by test error.
pub(super) fn fetch(client: &Client, experiment: ExperimentId) -> Result<Comparison, ClientError> {
    client.get(&format!("/experiments/{experiment}/comparison"))
}

fn ask(
    client: &Client,
    experiments: &Experiments,
    metric: Metric,
    last: Option<u32>,
    baseline: Option<&str>,
) -> Result<Comparison, ClientError> {
    let ids: Vec<String> = experiments.found.iter().map(|(_, id)| id.to_string()).collect();
    let (ids, last) = (ids.join(","), last.map(|last| last.to_string()));
    let mut parameters = vec![("experiments", ids.as_str()), ("metric", metric.into())];
    parameters.extend(last.as_deref().map(|last| ("last", last)));
    parameters.extend(baseline.map(|arm| ("baseline", arm)));
    client.ask("/comparison", &parameters)
}
