//! Paths of tuned fields: `optimizer.learning_rate` in the arm's `train`, `method.learning_rate` in its `method`.

/// Why no field can be tuned by this path; `None` if it may name one.
pub(super) fn refusal(path: &str) -> Option<String> {
    if path.split('.').any(str::is_empty) {
        return Some("is not the path of a field; one looks like `optimizer.learning_rate`".to_owned());
    }
    if let Some(rest) = path.strip_prefix("train.") {
        return Some(format!("must be written without `train`: `{rest}`"));
    }
    (path.split('.').next() == Some("data"))
        .then(|| "cannot be tuned, because errors on different data cannot be compared".to_owned())
}

/// The pointer of the field in an arm.
pub(super) fn pointer(path: &str) -> String {
    let table = if is_of_method(path) { "" } else { "/train" };
    format!("{table}/{}", path.replace('.', "/"))
}

/// Whether a mistake at this pointer of an arm is one of the field, or of a table on the way to it.
pub(super) fn is_at(path: &str, place: &str) -> bool {
    let field = pointer(path);
    let is_above = || field.strip_prefix(place).is_some_and(|rest| rest.starts_with('/'));
    field == place || (!["", "/train", "/method"].contains(&place) && is_above())
}

fn is_of_method(path: &str) -> bool {
    path.starts_with("method.")
}
