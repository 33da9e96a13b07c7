//! The choice of an experiment by id or name.

use std::str::FromStr;

use anyhow::anyhow;
use optlab_api_types::ExperimentSummary;
use optlab_domain::ExperimentId;

use super::client::Client;
use super::{Failure, output};

/// A text is not an id.
#[derive(Debug, thiserror::Error)]
#[error("must be an id, like 7 or #7")]
pub(super) struct NotAnId;

/// Parses an id, with or without a leading `#`.
pub(super) fn id<T: FromStr>(given: &str) -> Result<T, NotAnId> {
    given.strip_prefix('#').unwrap_or(given).parse().map_err(|_| NotAnId)
}

/// The experiment with this id, or the newest with this name; reports the choice on standard error if there are
/// several. Ids and names cannot be confused, because no name consists only of digits.
pub(super) fn find(client: &Client, given: &str) -> Result<ExperimentId, Failure> {
    if let Ok(id) = id(given) {
        return Ok(id);
    }
    newest(&called(client, given)?, given)
}

/// The experiment with this id, or the only one with this name.
pub(super) fn find_only(client: &Client, given: &str) -> Result<ExperimentId, Failure> {
    if let Ok(id) = id(given) {
        return Ok(id);
    }
    let called = called(client, given)?;
    if called.len() > 1 {
        let ids = called.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!("the experiments {ids} have the name `{given}`; give an id")));
    }
    newest(&called, given)
}

/// The experiments with this name, the newest first.
fn called(client: &Client, name: &str) -> Result<Vec<ExperimentId>, Failure> {
    let all: Vec<ExperimentSummary> = client.list("/experiments", &[])?;
    Ok(all.into_iter().filter(|one| one.name == name).map(|one| one.id).collect())
}

/// The first of the experiments with this name, the newest first; reports the choice if there are several.
pub(super) fn newest(called: &[ExperimentId], name: &str) -> Result<ExperimentId, Failure> {
    match *called {
        [] => Err(anyhow!("there is no experiment `{name}`; `optlab experiments` lists them").into()),
        [id] => Ok(id),
        [newest, ..] => {
            let count = called.len();
            output::note(format!(
                "optlab: {count} experiments have the name `{name}`; {newest} is the newest"
            ));
            Ok(newest)
        }
    }
}
