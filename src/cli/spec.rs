//! The spec of `train` and `submit`: a recipe or a file, with fields set on the command line.

use std::path::Path;

use clap::Args;
use optlab_spec::submission::{expand, parse_json, parse_toml};
use optlab_spec::{arms, lay_over, parse_assignment, recipes};
use serde_json::Value;

use super::{Failure, input};
use crate::api::BODY_LIMIT;

#[derive(Args)]
pub(super) struct SpecArgs {
    /// Name of a recipe, or a file (JSON if it ends in .json, else TOML)
    #[arg(value_name = "RECIPE|FILE")]
    source: String,
    /// Set a field of the spec, for example train.epochs=3, seeds=[0,1] or, for one arm, arms.NAME.train.epochs=3; null
    /// resets a field to its default; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

impl SpecArgs {
    /// The spec with its fields set, not validated yet.
    pub(super) fn value(&self) -> Result<Value, Failure> {
        let value = expand(&self.source()?)?;
        let assigned: Result<Vec<Value>, _> =
            self.assignments.iter().map(|text| parse_assignment(text)).collect();
        Ok(match assigned?.into_iter().reduce(lay_over) {
            Some(patch) => arms::merge_by_name(value, patch)?,
            None => value,
        })
    }

    fn source(&self) -> Result<Value, Failure> {
        let path = Path::new(&self.source);
        // A recipe takes precedence over a file of the same name; `./digits-mlp` names the file.
        if recipes::find(&self.source).is_ok() || !path.exists() {
            let recipe = recipes::find(&self.source).map_err(|problems| {
                let is_path = path.extension().is_some() || path.components().count() > 1;
                Failure::Usage(match is_path {
                    true => format!("there is no file {}", self.source),
                    false => format!("no such file, and {}", problems.list[0].detail),
                })
            })?;
            return Ok(recipe.value());
        }
        let text = input::text(path, BODY_LIMIT)?;
        let is_json = path.extension().is_some_and(|ending| ending == "json");
        let as_json = || parse_json(text.as_bytes());
        let (read, is_the_other) = if is_json {
            (as_json(), parse_toml(&text).is_ok())
        } else {
            (parse_toml(&text), as_json().is_ok())
        };
        read.map_err(|refusal| {
            let hint = match (is_the_other, is_json) {
                (true, true) => "\nIt is TOML: rename the file, so that it does not end in .json",
                (true, false) => "\nIt is JSON: rename the file, so that it ends in .json",
                (false, _) => "",
            };
            Failure::Usage(format!("{}: {refusal}{hint}", self.source))
        })
    }
}
