//! Downloads a file from its official addresses.

use std::error::Error;
use std::io::Read;
use std::time::Duration;

use optlab_net::Network;

use crate::dataset::{Dataset, RemoteFile};
use crate::error::DataError;

/// Receives the progress of downloads.
pub trait Progress {
    /// `done` of `total` bytes of `file` have arrived.
    fn fetched(&mut self, file: &str, done: u64, total: u64);
}

/// Discards progress.
pub struct Silent;

impl Progress for Silent {
    fn fetched(&mut self, _file: &str, _done: u64, _total: u64) {}
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
const FILE_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Returns the first official content from the mirror and the official addresses. `advice` is part of the error.
pub(crate) fn fetch(
    dataset: &dyn Dataset,
    file: &RemoteFile,
    mirror: Option<&str>,
    network: &Network,
    advice: impl FnOnce() -> String,
    progress: &mut dyn Progress,
) -> Result<Vec<u8>, DataError> {
    let mirrored =
        mirror.map(|mirror| format!("{}/{}/{}", mirror.trim_end_matches('/'), dataset.name(), file.name));
    let mut reasons = Vec::new();
    if mirror.is_none() && file.addresses.is_empty() {
        reasons.push("it has no address".to_owned());
    }
    for address in mirrored.into_iter().chain(file.addresses.iter().map(|&address| address.to_owned())) {
        match download(&address, file, network, progress) {
            Ok(content) if file.is(&content) => return Ok(content),
            Ok(content) => {
                reasons.push(format!("{address} sent {} other bytes (wrong SHA-256)", content.len()))
            }
            Err(error) => reasons.push(format!("{address}: {error}{}", network.hint(&address, &error))),
        }
    }
    Err(DataError::Unreachable {
        file: file.name,
        dataset: dataset.name(),
        reasons: reasons.join("; "),
        advice: advice(),
    })
}

fn download(
    address: &str,
    file: &RemoteFile,
    network: &Network,
    progress: &mut dyn Progress,
) -> Result<Vec<u8>, Box<dyn Error>> {
    let agent: ureq::Agent = network
        .agent(address)?
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_global(Some(FILE_TIMEOUT))
        .build()
        .into();
    // One byte more than the official size is enough to detect a longer file, however much is sent.
    let mut body = agent.get(address).call()?.into_body().into_reader().take(file.bytes + 1);
    let mut content = Vec::with_capacity(file.bytes as usize);
    let mut chunk = vec![0; 256 * 1024];
    loop {
        let read = body.read(&mut chunk)?;
        if read == 0 {
            return Ok(content);
        }
        content.extend_from_slice(&chunk[..read]);
        progress.fetched(file.name, content.len() as u64, file.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_address_is_reported_as_such() {
        let file = RemoteFile { name: "private.bin", bytes: 1, sha256: "", addresses: &[] };
        let digits = crate::find("digits").unwrap();
        let advice = || "Put it there".to_owned();
        let error = fetch(digits, &file, None, &Network::from_env(), advice, &mut Silent).unwrap_err();
        assert_eq!(
            error.to_string(),
            "private.bin of digits could not be downloaded: it has no address. Put it there"
        );
    }
}
