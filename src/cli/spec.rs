//! The specs of `train` and `submit`: a recipe, a file or an experiment, with fields set on the command line.

use std::path::Path;

use clap::Args;
use optlab_api_types::StoredSubmission;
use optlab_spec::submission::{expand, parse, parse_json, parse_toml};
use optlab_spec::written::WrittenSpec;
use optlab_spec::{arms, lay_over, parse_assignment, recipes};
use serde_json::Value;

use super::client::Client;
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

    /// The failure with the fields that `--set` has set named as they were typed: `train.epochs`, not `/train/epochs`.
    pub(super) fn as_typed(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Usage(text) => Failure::Usage(
                text.split('\n').map(|line| self.line_as_typed(line)).collect::<Vec<_>>().join("\n"),
            ),
            other => other,
        }
    }

    /// A line `/POINTER: DETAIL`, possibly indented.
    fn line_as_typed(&self, line: &str) -> String {
        let mistake = line.trim_start();
        let Some((pointer, detail)) = mistake.strip_prefix('/').and_then(|rest| rest.split_once(": ")) else {
            return line.to_owned();
        };
        let mut steps: Vec<&str> = pointer.split('/').collect();
        // Arms are set by name, and mistakes in an arm end with its name.
        let arm = detail.strip_suffix("`)").and_then(|detail| detail.rsplit_once("(arm `"));
        if let ([_, index, ..], Some((_, name))) = (steps.as_mut_slice(), arm) {
            *index = name;
        }
        let path = steps.join(".");
        let is_below =
            |key: &str| path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let mut keys = self.assignments.iter().filter_map(|text| Some(text.split_once('=')?.0.trim()));
        match keys.any(is_below) {
            true => format!("{}{path}: {detail}", &line[..line.len() - mistake.len()]),
            false => line.to_owned(),
        }
    }
}

/// A spec as a person wrote it.
pub(super) struct Written {
    /// TOML or JSON.
    pub(super) text: String,
    /// The parsed text, with a recipe filled in; not validated.
    pub(super) spec: Value,
}

impl Written {
    /// The recipe or the file that `source` names.
    pub(super) fn read(source: &str) -> Result<Self, Failure> {
        let (text, value) = read(source)?;
        Ok(Self { text, spec: expand(&value)? })
    }

    /// The submission of an experiment, which is given by id or name.
    pub(super) fn of_experiment(client: &Client, experiment: &str) -> Result<Self, Failure> {
        let id = which::find(client, experiment)?;
        let StoredSubmission { text, draft: WrittenSpec(draft) } =
            client.get(&format!("/experiments/{id}/submission"))?;
        let says_the_same =
            |text: &String| parse(text).is_ok_and(|value| expand(&value).is_ok_and(|spec| spec == draft));
        Ok(Self { text: text.filter(says_the_same).unwrap_or_else(|| draft.to_string()), spec: draft })
    }
}

fn read(source: &str) -> Result<(String, Value), Failure> {
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
        return Ok((recipe.toml.to_owned(), recipe.value()));
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
    Ok((text, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_name_fields_as_they_were_typed() {
        let assignments = ["train.optimizer.lerning_rate=1", "seeds=[-1]", "arms.s-0.5.train.epochs=0"];
        let changes = Changes { assignments: assignments.map(str::to_owned).to_vec() };
        let text = "/train/optimizer/lerning_rate: is unknown\n  /seeds/0: must be positive\n  /train/epochs: is missing\n\
                    /arms/1/train/epochs: must be positive (arm `s-0.5`)\nthe spec: is wrong";
        let Failure::Usage(typed) = changes.as_typed(Failure::Usage(text.to_owned())) else { unreachable!() };
        assert_eq!(
            typed,
            "train.optimizer.lerning_rate: is unknown\n  seeds.0: must be positive\n  /train/epochs: is missing\n\
             arms.s-0.5.train.epochs: must be positive (arm `s-0.5`)\nthe spec: is wrong"
        );
    }
}
