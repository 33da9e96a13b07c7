//! `optlab compare`: a table of the arms.

use clap::ValueEnum;
use comfy_table::presets;
use comfy_table::{CellAlignment, Table, TableStyle};
use serde::{Deserialize, Serialize};

use super::client::{Client, ClientError, ServerArgs};
use super::{Failure, experiments};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Id of the experiment, or its name: the newest of that name
    experiment: String,
    #[command(flatten)]
    server: ServerArgs,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Table,
    Markdown,
    Csv,
    Json,
}

#[derive(Deserialize, Serialize)]
pub(super) struct Comparison {
    metric: String,
    unit: String,
    baseline: Option<String>,
    verdict: String,
    arms: Vec<Arm>,
}

#[derive(Deserialize, Serialize)]
struct Arm {
    arm: String,
    method: String,
    n: usize,
    mean: Option<f64>,
    std: Option<f64>,
    energy: Option<f64>,
    seconds: Option<f64>,
    difference: Option<Difference>,
}

#[derive(Deserialize, Serialize)]
struct Difference {
    n: usize,
    mean: f64,
    low: f64,
    high: f64,
    p_value: f64,
}

const HEADER: [&str; 7] = ["arm", "method", "n", "test error %", "energy", "seconds", "vs baseline [95%]"];

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let client = args.server.client();
    let experiment = experiments::find(&client, &args.experiment)?;
    let comparison = fetch(&client, experiment)?;
    match if args.json { Format::Json } else { args.format } {
        Format::Json => println!("{}", serde_json::to_string_pretty(&comparison)?),
        Format::Csv => print_csv(&comparison),
        Format::Markdown => println!("{}", table(&comparison, presets::ASCII_MARKDOWN)),
        Format::Table => println!("{}\n\n{}", table(&comparison, presets::NOTHING), comparison.verdict),
    }
    Ok(())
}

/// The table with its verdict, for people.
pub(super) fn print_table(client: &Client, experiment: i64) -> anyhow::Result<()> {
    let comparison = fetch(client, experiment).map_err(ClientError::into_anyhow)?;
    println!("\n{}\n\n{}", table(&comparison, presets::NOTHING), comparison.verdict);
    Ok(())
}

pub(super) fn fetch(client: &Client, experiment: i64) -> Result<Comparison, ClientError> {
    client.get(&format!("/experiments/{experiment}/comparison"))
}

fn table(comparison: &Comparison, style: TableStyle) -> Table {
    let mut table = Table::new();
    table.load_style(style).set_header(HEADER);
    for arm in &comparison.arms {
        table.add_row(row(arm));
    }
    for index in 2..HEADER.len() {
        let column = table.column_mut(index).expect("the header has this many");
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn row(arm: &Arm) -> [String; 7] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let error = match (arm.mean, arm.std) {
        (Some(mean), Some(std)) => Some(format!("{mean:.2} ± {std:.2}")),
        (mean, _) => mean.map(|mean| format!("{mean:.2}")),
    };
    let difference = arm.difference.as_ref().map(|d| {
        // The star says that the interval leaves out zero.
        let star = if d.low > 0.0 || d.high < 0.0 { " *" } else { "" };
        format!("{:+.2} [{:+.2}, {:+.2}]{star}", d.mean, d.low, d.high)
    });
    [
        arm.arm.clone(),
        arm.method.clone(),
        arm.n.to_string(),
        or_dash(error),
        or_dash(arm.energy.map(|energy| format!("{energy:.4}"))),
        or_dash(arm.seconds.map(|seconds| format!("{seconds:.1}"))),
        or_dash(difference),
    ]
}

/// Full precision, for programs; arm names need no quotes.
fn print_csv(comparison: &Comparison) {
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
    println!("arm,method,n,mean,std,energy,seconds,difference,low,high,p_value");
    for arm in &comparison.arms {
        let of = |pick: fn(&Difference) -> f64| number(arm.difference.as_ref().map(pick));
        let (mean, std) = (number(arm.mean), number(arm.std));
        let (energy, seconds) = (number(arm.energy), number(arm.seconds));
        let (difference, low, high, p) = (of(|d| d.mean), of(|d| d.low), of(|d| d.high), of(|d| d.p_value));
        let (name, method, n) = (&arm.arm, &arm.method, arm.n);
        println!("{name},{method},{n},{mean},{std},{energy},{seconds},{difference},{low},{high},{p}");
    }
}
