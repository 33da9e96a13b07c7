//! Runs a statement on either database.
//!
//! Both understand `$1`, `$2`, ... and the portable columns of the schema, so a statement is written once. The rows of
//! either database are read by the names of their columns.

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, PgConnection, Postgres, SqlSafeStr, SqlStr, Sqlite, SqliteConnection};

use crate::store::StoreError;

/// A statement with its parameters.
pub(in crate::store) struct Statement {
    sqlite: SqlStr,
    postgres: SqlStr,
    values: Vec<Value>,
}

/// A parameter. An absent one also has a type, because Postgres requires it.
pub(in crate::store) enum Value {
    Int(Option<i64>),
    Real(Option<f64>),
    Text(Option<String>),
    Bytes(Vec<u8>),
    /// A column of a batch; Postgres only.
    Ints(Vec<i64>),
    /// A column of a batch; Postgres only.
    Reals(Vec<f64>),
}

/// A type that can be read from a row of either database.
pub(in crate::store) trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin> Row for T {}

/// The connection on which a statement runs.
pub(in crate::store) enum Connection<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

/// A connection for reading.
pub(in crate::store) enum Reader {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// A write transaction, which is rolled back unless it is committed.
pub(in crate::store) enum Transaction {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// Something that has a connection.
pub(in crate::store) trait Connect: Send {
    fn connection(&mut self) -> Connection<'_>;
}

impl Connect for Reader {
    fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(connection) => Connection::Sqlite(connection),
            Self::Postgres(connection) => Connection::Postgres(connection),
        }
    }
}

impl Connect for Transaction {
    fn connection(&mut self) -> Connection<'_> {
        match self {
            Self::Sqlite(transaction) => Connection::Sqlite(transaction),
            Self::Postgres(transaction) => Connection::Postgres(transaction),
        }
    }
}

impl Transaction {
    pub(in crate::store) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.commit().await?,
            Self::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    pub(in crate::store) async fn rollback(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(transaction) => transaction.rollback().await?,
            Self::Postgres(transaction) => transaction.rollback().await?,
        }
        Ok(())
    }
}

/// A statement that both databases understand.
pub(in crate::store) fn sql(text: &'static str) -> Statement {
    per_database(text, text)
}

/// A statement with a text per database. The parameters are the same.
pub(in crate::store) fn per_database(sqlite: &'static str, postgres: &'static str) -> Statement {
    Statement::new(sqlite, postgres)
}

/// A query that locks its rows against other writers until the transaction ends. SQLite has only one writer.
macro_rules! locked {
    ($query:expr) => {
        $crate::store::database::per_database($query, concat!($query, " FOR UPDATE"))
    };
}
pub(in crate::store) use locked;

/// Runs the query on either connection.
macro_rules! run {
    ($statement:expr, $on:expr, $query:ident, $method:ident $(, $after:ident)?) => {{
        let Statement { sqlite, postgres, values } = $statement;
        match $on.connection() {
            Connection::Sqlite(connection) => {
                let query = values.into_iter().fold(sqlx::$query(sqlite), |query, value| match value {
                    Value::Int(value) => query.bind(value),
                    Value::Real(value) => query.bind(value),
                    Value::Text(value) => query.bind(value),
                    Value::Bytes(value) => query.bind(value),
                    Value::Ints(_) | Value::Reals(_) => unreachable!("SQLite has no arrays"),
                });
                query.$method(connection).await?$(.$after())?
            }
            Connection::Postgres(connection) => {
                let query = values.into_iter().fold(sqlx::$query(postgres), |query, value| match value {
                    Value::Int(value) => query.bind(value),
                    Value::Real(value) => query.bind(value),
                    Value::Text(value) => query.bind(value),
                    Value::Bytes(value) => query.bind(value),
                    Value::Ints(values) => query.bind(values),
                    Value::Reals(values) => query.bind(values),
                });
                query.$method(connection).await?$(.$after())?
            }
        }
    }};
}

impl Statement {
    pub(super) fn new(sqlite: impl SqlSafeStr, postgres: impl SqlSafeStr) -> Self {
        Self { sqlite: sqlite.into_sql_str(), postgres: postgres.into_sql_str(), values: Vec::new() }
    }

    /// The next parameter.
    pub(in crate::store) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The next parameters.
    pub(in crate::store) fn bind_all(mut self, values: Vec<Value>) -> Self {
        self.values.extend(values);
        self
    }

    /// Returns the number of rows that it wrote.
    pub(in crate::store) async fn execute(self, on: &mut impl Connect) -> Result<u64, StoreError> {
        Ok(run!(self, on, query, execute, rows_affected))
    }

    /// Runs a statement that writes one row.
    ///
    /// # Errors
    /// [`StoreError::NotOneRow`] if it wrote another number of rows. The transaction must be rolled back then.
    pub(in crate::store) async fn execute_one(self, on: &mut impl Connect) -> Result<(), StoreError> {
        let text = self.sqlite.clone();
        match self.execute(on).await? {
            1 => Ok(()),
            rows => Err(StoreError::NotOneRow { rows, statement: text.as_str().to_owned() }),
        }
    }

    pub(in crate::store) async fn fetch_one<R: Row>(self, on: &mut impl Connect) -> Result<R, StoreError> {
        Ok(run!(self, on, query_as, fetch_one))
    }

    pub(in crate::store) async fn fetch_optional<R: Row>(
        self,
        on: &mut impl Connect,
    ) -> Result<Option<R>, StoreError> {
        Ok(run!(self, on, query_as, fetch_optional))
    }

    pub(in crate::store) async fn fetch_all<R: Row>(
        self,
        on: &mut impl Connect,
    ) -> Result<Vec<R>, StoreError> {
        Ok(run!(self, on, query_as, fetch_all))
    }

    /// The one value of the one row.
    pub(in crate::store) async fn fetch_value<T>(self, on: &mut impl Connect) -> Result<T, StoreError>
    where
        (T,): Row,
    {
        Ok(self.fetch_one::<(T,)>(on).await?.0)
    }

    /// The single number of the single row.
    pub(in crate::store) async fn fetch_number(self, on: &mut impl Connect) -> Result<i64, StoreError> {
        self.fetch_value(on).await
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(Some(value))
    }
}

impl From<Option<f64>> for Value {
    fn from(value: Option<f64>) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        value.to_owned().into()
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Some(value).into()
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        value.map(str::to_owned).into()
    }
}

impl From<Option<String>> for Value {
    /// Replaces NUL, which Postgres cannot store, for both databases. Requests with NUL are rejected before; this last
    /// resort ensures that NUL from elsewhere does not prevent the end of an attempt from being stored.
    fn from(value: Option<String>) -> Self {
        let storable = |text: String| if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text };
        Self::Text(value.map(storable))
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl From<Vec<i64>> for Value {
    fn from(values: Vec<i64>) -> Self {
        Self::Ints(values)
    }
}

impl From<Vec<f64>> for Value {
    fn from(values: Vec<f64>) -> Self {
        Self::Reals(values)
    }
}
