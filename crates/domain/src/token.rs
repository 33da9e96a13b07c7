//! Access tokens.

use crate::word::words;

words! {
    /// What a token allows.
    pub enum Scope {
        /// To read.
        Read,
        /// To read and to write.
        Write,
    }
}
