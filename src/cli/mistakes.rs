//! Mistakes in a spec, at the places where a person wrote them.

use optlab_spec::arms;
use optlab_spec::submission::{parse_toml, place};

use super::Failure;

/// Where the fields of a spec were written.
pub(super) struct Mistakes<'a> {
    /// Path and text of a file of TOML.
    pub(super) file: Option<(&'a str, &'a str)>,
    /// Fields that were set on the command line, as they were typed.
    pub(super) assignments: &'a [String],
}

impl Mistakes<'_> {
    /// The failure with its mistakes as they were written: `train.epochs` for a field that was set on the command line,
    /// `mine.toml:7:1: /train/epochs` for one in the file, where 7 is the line and 1 the column.
    pub(super) fn located(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Usage(text) => {
                Failure::Usage(text.split('\n').map(|line| self.line(line)).collect::<Vec<_>>().join("\n"))
            }
            other => other,
        }
    }

    /// A line `/POINTER: DETAIL`, possibly indented.
    fn line(&self, line: &str) -> String {
        let mistake = line.trim_start();
        let indent = &line[..line.len() - mistake.len()];
        let Some((pointer, detail)) = mistake.strip_prefix('/').and_then(|rest| rest.split_once(": ")) else {
            return line.to_owned();
        };
        let steps: Vec<&str> = pointer.split('/').collect();
        // Arms are set by name, and mistakes in an arm end with its name, also if the mistake is in what arms share.
        let arm = match steps[..] {
            ["arms", _, ..] => detail.strip_suffix("`)").and_then(|detail| detail.rsplit_once("(arm `")),
            _ => None,
        };
        let mut named = steps.clone();
        if let Some((_, name)) = arm {
            named[1] = name;
        }
        let path = named.join(".");
        let is_below = |key: &str| {
            // Names with dots are typed in quotation marks.
            let key = key.replace(['"', '\''], "");
            path.strip_prefix(&key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let mut keys = self.assignments.iter().filter_map(|text| Some(text.split_once('=')?.0.trim()));
        if keys.any(is_below) {
            return format!("{indent}{path}: {detail}");
        }
        match self.place(&steps, arm.map(|(_, name)| name)) {
            Some(place) => format!("{indent}{place}: {mistake}"),
            None => line.to_owned(),
        }
    }

    /// `FILE:LINE:COLUMN` of a field. Arms are found by their names, because some may have been left out.
    fn place(&self, steps: &[&str], arm: Option<&str>) -> Option<String> {
        let (path, text) = self.file?;
        let mut pointer = format!("/{}", steps.join("/"));
        if let Some(name) = arm {
            let written = parse_toml(text).ok()?;
            let spec = written.get("overrides").unwrap_or(&written);
            let index = arms::names(spec).iter().position(|written| *written == name)?.to_string();
            pointer = format!("/{}", [&["arms", &index], &steps[2..]].concat().join("/"));
        }
        let (line, column) =
            place(text, &pointer).or_else(|| place(text, &format!("/overrides{pointer}")))?;
        Some(format!("{path}:{line}:{column}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn located(mistakes: &Mistakes<'_>, text: &str) -> String {
        let Failure::Usage(located) = mistakes.located(Failure::Usage(text.to_owned())) else {
            unreachable!()
        };
        located
    }

    #[test]
    fn fields_of_the_command_line_are_named_as_they_were_typed() {
        let assignments = [
            "train.optimizer.lerning_rate=1",
            "seeds=[-1]",
            "arms.s-0.5.train.epochs=0",
            "tune.space.\"optimizer.learning_rate\".to=-1",
        ]
        .map(str::to_owned);
        let mistakes = Mistakes { file: None, assignments: &assignments };
        assert_eq!(
            located(
                &mistakes,
                "/train/optimizer/lerning_rate: is unknown\n  /seeds/0: must be positive\n  /train/epochs: is missing\n\
                 /arms/1/train/epochs: must be positive (arm `s-0.5`)\n\
                 /tune/space/optimizer.learning_rate/to: must be positive\nthe spec: is wrong"
            ),
            "train.optimizer.lerning_rate: is unknown\n  seeds.0: must be positive\n  /train/epochs: is missing\n\
             arms.s-0.5.train.epochs: must be positive (arm `s-0.5`)\n\
             tune.space.optimizer.learning_rate.to: must be positive\nthe spec: is wrong"
        );
    }

    #[test]
    fn fields_of_a_file_have_line_and_column() {
        let toml = "seeds = [-1]\n[train]\nepochs = 0\n[[arms]]\nname = \"left-out\"\n[[arms]]\nname = \"b\"\nkind = 1\n";
        let assignments = ["train.batch_size=0".to_owned()];
        let mistakes = Mistakes { file: Some(("mine.toml", toml)), assignments: &assignments };
        assert_eq!(
            located(
                &mistakes,
                "the spec has mistakes:\n  /train/epochs: must be positive\n  /train/batch_size: must be positive\n  \
                 /arms/0/kind: is unknown (arm `b`)\n  /data: is missing"
            ),
            "the spec has mistakes:\n  mine.toml:3:1: /train/epochs: must be positive\n  train.batch_size: must be \
             positive\n  mine.toml:8:1: /arms/0/kind: is unknown (arm `b`)\n  /data: is missing"
        );
        // A range that all arms share, in which one arm has found the mistake.
        let toml = "name = \"x\"\n[tune.space]\nx = { from = 0 }\n[[arms]]\nname = \"b\"\n";
        let mistakes = Mistakes { file: Some(("mine.toml", toml)), assignments: &assignments };
        assert_eq!(
            located(&mistakes, "/tune/space/x/from: no (arm `b`)"),
            "mine.toml:3:7: /tune/space/x/from: no (arm `b`)"
        );
        let recipe = "recipe = \"digits-mlp\"\n[overrides.train]\nepochs = 0\n";
        let mistakes = Mistakes { file: Some(("mine.toml", recipe)), assignments: &[] };
        assert_eq!(located(&mistakes, "/train/epochs: no"), "mine.toml:3:1: /train/epochs: no");
    }
}
