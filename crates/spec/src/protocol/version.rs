//! The version of the protocol. The first message in each direction has it, and its reader rejects another version.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of this program. It grows with every change that the other end would misread.
pub const VERSION: u32 = 4;

/// A field with the value [`VERSION`]. Reading any other value, or none, is an error that explains what to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version;

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A missing field reads as `None`: programs before the first version do not send it.
        let theirs = match Option::<u32>::deserialize(deserializer)? {
            Some(VERSION) => return Ok(Self),
            Some(other) => format!("version {other}"),
            None => "no version".to_owned(),
        };
        Err(D::Error::custom(format!(
            "`optlab` and `optlab-runner` are not from the same release: the other end names {theirs} of the runner \
             protocol, and this program speaks version {VERSION}. Install both from the same build"
        )))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::de::DeserializeOwned;

    use super::*;
    use crate::protocol::{Command, Probe};

    fn refusal<T: DeserializeOwned + Debug>(line: &str) -> String {
        serde_json::from_str::<T>(line).unwrap_err().to_string()
    }

    #[test]
    fn another_version_is_rejected_at_both_ends() {
        let ours = format!(r#"{{"protocol":{VERSION},"libtorch":"2","devices":[],"threads":1}}"#);
        assert!(serde_json::from_str::<Probe>(&ours).is_ok());
        let theirs = ours.replace(&format!(":{VERSION},"), ":70,");
        let unversioned = r#"{"libtorch":"2","devices":[]}"#;
        for (error, names) in [
            (refusal::<Probe>(&theirs), "names version 70"),
            (refusal::<Probe>(unversioned), "names no version"),
            // Other fields of a command of that version do not matter.
            (refusal::<Command>(r#"{"type":"run","protocol":70,"job":{"id":1}}"#), "names version 70"),
            (refusal::<Command>(r#"{"type":"run"}"#), "names no version"),
        ] {
            assert!(error.contains(names) && error.contains("Install both from the same build"), "{error}");
        }
    }
}
