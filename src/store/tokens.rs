//! Tokens of other machines.

use std::fmt;

use optlab_domain::{Scope, TokenId};
use sha2::{Digest, Sha256};
use sqlx_macros::FromRow;

use crate::store::database::sql;
use crate::store::{NotFound, Store, StoreError};

/// A bearer token. The database has only its hash, and no log shows it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Prefix by which people, and scanners for leaked secrets, recognize a token.
    const PREFIX: &str = "optlab_";
    const RANDOM_BYTES: usize = 32;

    /// Draws a new token from the random numbers of the operating system.
    ///
    /// # Errors
    /// If the operating system provides none.
    #[expect(clippy::disallowed_methods, reason = "the room for randomness")]
    pub fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; Self::RANDOM_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(format!("{}{}", Self::PREFIX, hex::encode(bytes))))
    }

    /// Parses a token; `None` if the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(Self::PREFIX)?;
        let fits = digits.len() == 2 * Self::RANDOM_BYTES && digits.bytes().all(|c| c.is_ascii_hexdigit());
        fits.then(|| Self(text.to_owned()))
    }

    /// The token itself, for its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Its hash in the database, in lower-case hexadecimal. A salt is not needed, because random tokens cannot be
    /// enumerated.
    pub fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}...", Self::PREFIX)
    }
}

/// A token in a list, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Token {
    /// Its id, by which it is revoked.
    pub id: TokenId,
    /// Its owner or purpose.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// When it was created, milliseconds since the epoch.
    pub created_ms: i64,
    /// When it was revoked.
    pub revoked_ms: Option<i64>,
}

impl Store {
    /// Stores the hash of `secret` as a new token; returns its id.
    pub async fn add_token(&self, name: &str, scope: Scope, secret: &Secret) -> Result<TokenId, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let id =
            sql("INSERT INTO tokens (name, scope, sha256, created_ms) VALUES ($1, $2, $3, $4) RETURNING id")
                .bind(name)
                .bind(scope)
                .bind(secret.sha256())
                .bind(now)
                .fetch_value(&mut tx)
                .await?;
        self.commit(tx).await?;
        Ok(id)
    }

    /// All tokens, including revoked ones, the oldest first.
    pub async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        sql("SELECT id, name, scope, created_ms, revoked_ms FROM tokens ORDER BY id")
            .fetch_all(&mut self.read().await?)
            .await
    }

    /// Revokes a token; does nothing if it was revoked before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn revoke_token(&self, id: TokenId) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let revoked = sql("UPDATE tokens SET revoked_ms = coalesce(revoked_ms, $2) WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute(&mut tx)
            .await?;
        if revoked == 0 {
            return Err(NotFound::Token(id).into());
        }
        self.commit(tx).await
    }

    /// The scope of `secret`; `None` if it is unknown or revoked.
    pub async fn scope_of(&self, secret: &Secret) -> Result<Option<Scope>, StoreError> {
        let row: Option<(Scope,)> = sql("SELECT scope FROM tokens WHERE sha256 = $1 AND revoked_ms IS NULL")
            .bind(secret.sha256())
            .fetch_optional(&mut self.read().await?)
            .await?;
        Ok(row.map(|(scope,)| scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_round_trips_and_is_hidden_in_logs() {
        let secret = Secret::draw().unwrap();
        let again = Secret::parse(secret.reveal()).unwrap();
        assert_eq!(again.sha256(), secret.sha256());
        assert_ne!(Secret::draw().unwrap().sha256(), secret.sha256());
        assert_eq!(format!("{secret:?}"), "optlab_...");
        assert_eq!(secret.reveal().len(), "optlab_".len() + 64);
    }

    #[test]
    fn invalid_tokens_are_rejected() {
        let digits = "0".repeat(64);
        assert!(Secret::parse(&format!("optlab_{digits}")).is_some());
        let wrong =
            ["", "optlab_", &digits, &format!("optlab_{digits}0"), &format!("optlab_{}", "g".repeat(64))];
        assert!(wrong.iter().all(|text| Secret::parse(text).is_none()));
    }
}
