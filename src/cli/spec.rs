//! What `train` and `submit` name: a recipe or a file, with fields set on the command line.

use std::path::Path;

use anyhow::Context;
use clap::Args;
use optlab_spec::submission::{parse_json, parse_toml};
use optlab_spec::{merge, parse_assignment, recipes};
use serde_json::Value;

use super::Failure;

#[derive(Args)]
pub(super) struct SpecArgs {
    /// Name of a recipe, or a file (TOML, or JSON by its ending)
    #[arg(value_name = "RECIPE|FILE")]
    source: String,
    /// Set a field of the spec, for example train.epochs=3 or seeds=[0,1]; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

impl SpecArgs {
    /// The spec as it is to be submitted: unchecked, fields set.
    pub(super) fn value(&self) -> Result<Value, Failure> {
        let mut value = self.source()?;
        for assignment in &self.assignments {
            value = merge(value, &parse_assignment(assignment)?);
        }
        Ok(value)
    }

    fn source(&self) -> Result<Value, Failure> {
        let path = Path::new(&self.source);
        // A recipe wins over a file of the same name: `./digits-mlp` still names the file.
        if recipes::find(&self.source).is_ok() || !path.exists() {
            let recipe = recipes::find(&self.source).map_err(|problems| {
                Failure::Usage(format!("{}, and no such file", problems.list[0].detail))
            })?;
            return Ok(recipe.value());
        }
        let text = std::fs::read_to_string(path).with_context(|| self.source.clone())?;
        let is_json = path.extension().is_some_and(|ending| ending == "json");
        Ok(if is_json { parse_json(text.as_bytes())? } else { parse_toml(&text)? })
    }
}
