//! Access tokens.

use crate::word::words;

words! {
    /// The scope of a token.
    pub enum Scope {
        /// Reading.
        Read,
        /// Reading and writing.
        Write,
    }
}
