//! Times: milliseconds since the epoch in the database, RFC 3339 in JSON.

use jiff::Timestamp;

/// The time in UTC, with milliseconds. A time outside the calendar of RFC 3339 is replaced by the nearest one in it.
pub fn rfc3339(ms: i64) -> String {
    let nearest = if ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    format!("{:.3}", Timestamp::from_millisecond(ms).unwrap_or(nearest))
}

/// For `#[serde(with)]` on a field of milliseconds.
pub mod as_rfc3339 {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes [`rfc3339`](super::rfc3339).
    ///
    /// # Errors
    /// Those of the serializer.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub fn serialize<S: Serializer>(ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::rfc3339(*ms))
    }

    /// Reads a time with any offset, and drops what is finer than milliseconds.
    ///
    /// # Errors
    /// Those of the deserializer, or that the text is no time.
    pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time: Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(time.as_millisecond())
    }

    /// The same for a time that may be absent.
    pub mod option {
        use serde::{Deserialize, Deserializer, Serialize, Serializer};

        #[derive(Serialize, Deserialize)]
        #[serde(transparent)]
        struct Time(#[serde(with = "super")] i64);

        /// Writes [`rfc3339`](crate::time::rfc3339) or null.
        ///
        /// # Errors
        /// Those of the serializer.
        pub fn serialize<S: Serializer>(ms: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
            ms.map(Time).serialize(serializer)
        }

        /// Reads a time or null.
        ///
        /// # Errors
        /// Those of the deserializer, or that the text is no time.
        pub fn deserialize<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Option<i64>, D::Error> {
            Ok(Option::<Time>::deserialize(deserializer)?.map(|Time(ms)| ms))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Span {
        #[serde(with = "as_rfc3339")]
        from: i64,
        #[serde(with = "as_rfc3339::option")]
        to: Option<i64>,
    }

    #[test]
    fn a_time_reads_back_to_the_millisecond() {
        let span = Span { from: 1_700_000_000_007, to: Some(0) };
        let text = json!({ "from": "2023-11-14T22:13:20.007Z", "to": "1970-01-01T00:00:00.000Z" });
        assert_eq!(serde_json::to_value(&span).unwrap(), text);
        assert_eq!(serde_json::from_value::<Span>(text).unwrap(), span);
        let open = json!({ "from": "2023-11-14T23:13:20.0071+01:00", "to": null });
        assert_eq!(serde_json::from_value::<Span>(open).unwrap(), Span { to: None, ..span });
    }

    #[test]
    fn a_time_of_a_wrong_clock_is_written_and_another_text_is_refused() {
        assert_eq!(rfc3339(i64::MAX), "9999-12-30T22:00:00.999Z");
        assert!(serde_json::from_value::<Span>(json!({ "from": "yesterday", "to": null })).is_err());
    }
}
