//! Table `tokens`.

use async_trait::async_trait;
use sqlx::FromRow;

use super::SqlStore;
use super::statement::sql;
use crate::store::{Scope, Secret, StoreError, Token, Tokens};

#[derive(FromRow)]
struct Row {
    id: i64,
    name: String,
    scope: String,
    created_ms: i64,
    revoked_ms: Option<i64>,
}

impl TryFrom<Row> for Token {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let Row { id, name, scope, created_ms, revoked_ms } = row;
        Ok(Self { id, name, scope: parse_scope(&scope)?, created_ms, revoked_ms })
    }
}

#[async_trait]
impl Tokens for SqlStore {
    async fn add_token(&self, name: &str, scope: Scope, secret: &Secret) -> Result<i64, StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let id =
            sql("INSERT INTO tokens (name, scope, sha256, created_ms) VALUES ($1, $2, $3, $4) RETURNING id")
                .bind(name)
                .bind(scope.as_str())
                .bind(secret.sha256())
                .bind(now)
                .fetch_number(&mut tx)
                .await?;
        self.commit(tx).await?;
        Ok(id)
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let rows: Vec<Row> = sql("SELECT id, name, scope, created_ms, revoked_ms FROM tokens ORDER BY id")
            .fetch_all(&mut self.read().await?)
            .await?;
        rows.into_iter().map(Token::try_from).collect()
    }

    async fn revoke_token(&self, id: i64) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let now = self.now(&mut tx).await?;
        let revoked = sql("UPDATE tokens SET revoked_ms = coalesce(revoked_ms, $2) WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute(&mut tx)
            .await?;
        if revoked == 0 {
            return Err(StoreError::NotFound { what: "token", id });
        }
        self.commit(tx).await
    }

    async fn scope_of(&self, secret: &Secret) -> Result<Option<Scope>, StoreError> {
        let row: Option<(String,)> = sql("SELECT scope FROM tokens WHERE sha256 = $1 AND revoked_ms IS NULL")
            .bind(secret.sha256())
            .fetch_optional(&mut self.read().await?)
            .await?;
        row.map(|(scope,)| parse_scope(&scope)).transpose()
    }
}

fn parse_scope(word: &str) -> Result<Scope, StoreError> {
    Scope::parse(word).ok_or_else(|| StoreError::Corrupt(format!("the scope `{word}` of a token")))
}
