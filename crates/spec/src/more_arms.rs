//! Arms that are added to a stored experiment.

use serde_json::Value;

use crate::experiment::ExperimentSpec;
use crate::fields::Fields;
use crate::problem::{Problems, shown};
use crate::submission::is_json;

impl ExperimentSpec {
    /// This experiment with the arms that were `sent` as `{"arms": [...]}`, and the text of its extended submission.
    /// The new arms extend what was `submitted`, so that inherited fields stay inherited in copies. Comments of a TOML
    /// text are kept if new TOML can be appended to it. The baseline stays the same.
    ///
    /// # Errors
    /// Every mistake with its path in the new arms.
    pub fn with_more_arms(
        &self,
        submitted: Option<&str>,
        text: &str,
        sent: &Value,
    ) -> Result<(Self, String), Problems> {
        let new = Fields::read(sent, |fields| match fields.raw("arms") {
            Some(Value::Array(arms)) if !arms.is_empty() => arms.clone(),
            other => {
                let is = match other {
                    None => "is missing".to_owned(),
                    Some(Value::Array(_)) => "is empty".to_owned(),
                    Some(other) => format!("is {}", shown(other)),
                };
                fields.wrong("arms", format!("must be a list with at least one arm, {is}"));
                Vec::new()
            }
        })?;
        let mut draft = self.draft(submitted);
        if let Some(Value::Array(arms)) = draft.get_mut("arms") {
            arms.extend(new);
        }
        let read = Self::from_value(&draft).map_err(|problems| count_from(self.arms.len(), problems));
        let (mut spec, mut head) = (read?, String::new());
        if let Some(baseline) = self.baseline.as_ref().filter(|_| spec.baseline.is_none()) {
            // It was the only plain arm, and is not any more.
            draft["baseline"] = baseline.as_str().into();
            spec.baseline = Some(baseline.clone());
            head = format!("baseline = {baseline:?}\n");
        }
        let appended = submitted.filter(|submitted| !is_json(submitted) && !is_json(text));
        let appended = appended.map(|submitted| format!("{head}{}\n\n{text}", submitted.trim_end()));
        let appended = appended.filter(|appended| spec.draft(Some(appended)) == draft);
        let text = appended.unwrap_or_else(|| format!("{draft:#}"));
        Ok((spec, text))
    }
}

/// The problems with the arms counted from the arm `first`. If the experiment has too many jobs now, the arms are the reason.
fn count_from(first: usize, mut problems: Problems) -> Problems {
    for problem in &mut problems.list {
        if ["/seeds", "/tune"].contains(&problem.pointer.as_str()) {
            problem.pointer = "/arms".to_owned();
        }
        let Some(path) = problem.pointer.strip_prefix("/arms/") else { continue };
        let (index, rest) = path.split_at(path.find('/').unwrap_or(path.len()));
        if let Some(index) = index.parse::<usize>().ok().and_then(|index| index.checked_sub(first)) {
            problem.pointer = format!("/arms/{index}{rest}");
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::submission::{parse, resolve};

    const TOML: &str = r#"# Why.
        name = "x"
        seeds = [0, 1]
        [train]
        epochs = 1
        data = { name = "digits" }
        model = { kind = "mlp", hidden = [8] }
        optimizer = { learning_rate = 0.1 }
        [[arms]]
        name = "baseline"
        method = { kind = "baseline" }
    "#;
    const MORE: &str = r#"
        # More.
        [[arms]]
        name = "opt"
        method = { kind = "opt", transform = "cayley" }
        [[arms]]
        name = "large"
        method = { kind = "baseline" }
        train = { batch_size = 256 }
    "#;

    fn extend(submitted: Option<&str>, text: &str) -> Result<(ExperimentSpec, String), Problems> {
        let spec = resolve(&parse(TOML).unwrap()).unwrap();
        spec.with_more_arms(submitted, text, &parse(text).unwrap())
    }

    #[test]
    fn new_arms_inherit_and_the_text_keeps_its_comments() {
        let (spec, text) = extend(Some(TOML), MORE).unwrap();
        assert_eq!(resolve(&parse(&text).unwrap()).unwrap(), spec);
        assert_eq!(spec.baseline.as_deref(), Some("baseline"), "though `large` is plain too");
        assert!(text.contains("# Why.") && text.contains("# More."), "{text}");
        let sizes: Vec<_> = spec.arms.iter().map(|arm| (arm.name.as_str(), arm.train.batch_size)).collect();
        assert_eq!(sizes, [("baseline", 128), ("opt", 128), ("large", 256)]);
        // Other texts are extended as JSON.
        let as_json = parse(MORE).unwrap().to_string();
        let recipe = r#"{ "recipe": "digits-mlp" }"#;
        for (submitted, more) in [(None, MORE), (Some(TOML), as_json.as_str()), (Some(recipe), MORE)] {
            let (again, text) = extend(submitted, more).unwrap();
            assert_eq!(again, spec);
            let arms = &parse(&text).unwrap()["arms"];
            assert_eq!(arms[1], json!({ "name": "opt", "method": { "kind": "opt", "transform": "cayley" } }));
        }
    }

    #[test]
    fn mistakes_in_new_arms_are_counted_from_the_first_new_arm() {
        let mistakes = |text: &str| extend(Some(TOML), text).unwrap_err().to_string();
        let wrong = mistakes("[[arms]]\nname = \"new\"\nmethod = { kind = \"opt\", transform = \"cayly\" }");
        assert!(wrong.starts_with("/arms/0/method/transform: ") && wrong.ends_with("(arm `new`)"), "{wrong}");
        let twice = mistakes("[[arms]]\nname = \"baseline\"\nmethod = { kind = \"baseline\" }");
        assert_eq!(twice, "/arms: must have unique names; `baseline` is not unique");
        assert_eq!(mistakes("arms = []"), "/arms: must be a list with at least one arm, is empty");
        assert_eq!(mistakes(""), "/arms: must be a list with at least one arm, is missing");
        assert!(mistakes("seeds = [3]\narms = [{}]").contains("/seeds: "));
    }

    #[test]
    fn an_experiment_with_too_many_jobs_names_what_was_sent() {
        let seeds: Vec<u64> = (0..4000).collect();
        let spec = parse(TOML).unwrap();
        let spec = resolve(&crate::merge::lay_over(spec, json!({ "seeds": seeds }))).unwrap();
        let more = spec.with_more_arms(None, MORE, &parse(MORE).unwrap()).unwrap_err().to_string();
        assert_eq!(more, "/arms: would make 12000 jobs of all arms; at most 10000 are allowed");
        let more = |seeds: std::ops::Range<u64>| {
            let seeds: Vec<u64> = seeds.collect();
            spec.read_more_seeds(&json!({ "seeds": seeds })).map_err(|problems| problems.to_string())
        };
        assert!(more(0..4000).is_ok(), "they are there already");
        assert!(more(3000..10_000).is_ok());
        let too_many = "/seeds: would make 10001 jobs of all arms; at most 10000 are allowed";
        assert_eq!(more(3000..10_001), Err(too_many.to_owned()));
    }
}
