//! The specs of `train` and `submit`: a recipe, a file or an experiment, with fields set on the command line.

use std::path::Path;

use clap::Args;
use optlab_api_types::StoredSubmission;
use optlab_spec::submission::{expand, parse, parse_json, parse_toml};
use optlab_spec::written::WrittenSpec;
use optlab_spec::{arms, lay_over, parse_assignment, recipes};
use serde_json::Value;

use super::client::Client;
use super::mistakes::Mistakes;
use super::{Failure, input, which};
use crate::api::BODY_LIMIT;

#[derive(Args)]
pub(super) struct Changes {
    /// Set a field of the spec, for example train.epochs=3, seeds=[0,1] or, for one arm, arms.NAME.train.epochs=3; null
    /// resets a field to its default; can be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    assignments: Vec<String>,
}

impl Changes {
    /// The assignments as they were typed.
    pub(super) fn assignments(&self) -> &[String] {
        &self.assignments
    }

    /// The spec with its fields set, not validated yet.
    pub(super) fn apply(&self, spec: Value) -> Result<Value, Failure> {
        let assigned: Result<Vec<Value>, _> =
            self.assignments.iter().map(|text| parse_assignment(text)).collect();
        Ok(match assigned?.into_iter().reduce(lay_over) {
            Some(patch) => arms::merge_by_name(spec, patch)?,
            None => spec,
        })
    }
}

/// A spec as a person wrote it.
pub(super) struct Written {
    /// TOML or JSON.
    pub(super) text: String,
    /// The parsed text, with a recipe filled in; not validated.
    pub(super) spec: Value,
    /// Path of the text, if it is a file of TOML.
    toml_file: Option<String>,
}

impl Written {
    /// The recipe or the file that `source` names.
    pub(super) fn read(source: &str) -> Result<Self, Failure> {
        let (text, value, toml_file) = read(source)?;
        let mistakes =
            Mistakes { file: toml_file.as_deref().map(|path| (path, text.as_str())), assignments: &[] };
        let spec = expand(&value).map_err(|problems| mistakes.located(problems.into()))?;
        Ok(Self { text, spec, toml_file })
    }

    /// How mistakes in this spec and in its changes are reported.
    pub(super) fn mistakes<'a>(&'a self, changes: &'a Changes) -> Mistakes<'a> {
        let file = self.toml_file.as_deref().map(|path| (path, self.text.as_str()));
        Mistakes { file, assignments: &changes.assignments }
    }

    /// The submission of an experiment, which is given by id or name.
    pub(super) fn of_experiment(client: &Client, experiment: &str) -> Result<Self, Failure> {
        let id = which::find(client, experiment)?;
        let StoredSubmission { text, draft: WrittenSpec(draft) } =
            client.get(&format!("/experiments/{id}/submission"))?;
        let says_the_same =
            |text: &String| parse(text).is_ok_and(|value| expand(&value).is_ok_and(|spec| spec == draft));
        Ok(Self {
            text: text.filter(says_the_same).unwrap_or_else(|| draft.to_string()),
            spec: draft,
            toml_file: None,
        })
    }
}

/// The text of a recipe or a file, its value, and its path if it is a file of TOML.
fn read(source: &str) -> Result<(String, Value, Option<String>), Failure> {
    let path = Path::new(source);
    // A recipe takes precedence over a file of the same name; `./digits-mlp` names the file.
    if recipes::find(source).is_ok() || !path.exists() {
        let recipe = recipes::find(source).map_err(|problems| {
            let is_path = path.extension().is_some() || path.components().count() > 1;
            Failure::Usage(match is_path {
                true => format!("there is no file {source}"),
                false => format!("no such file, and {}", problems.list[0].detail),
            })
        })?;
        return Ok((recipe.toml.to_owned(), recipe.value(), None));
    }
    let text = input::text(path, BODY_LIMIT)?;
    let is_json = path.extension().is_some_and(|ending| ending == "json");
    let as_json = || parse_json(text.as_bytes());
    let (read, is_the_other) =
        if is_json { (as_json(), parse_toml(&text).is_ok()) } else { (parse_toml(&text), as_json().is_ok()) };
    let value = read.map_err(|refusal| {
        let hint = match (is_the_other, is_json) {
            (true, true) => "\nIt is TOML: rename the file, so that it does not end in .json",
            (true, false) => "\nIt is JSON: rename the file, so that it ends in .json",
            (false, _) => "",
        };
        Failure::Usage(format!("{source}: {refusal}{hint}"))
    })?;
    Ok((text, value, (!is_json).then(|| source.to_owned())))
}
