//! The tables themselves.

use optlab::store;

use crate::fixture::Fixture;

pub async fn a_newer_schema_is_rejected(fixture: Fixture) {
    let sql =
        "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
               SELECT 9999, 'of tomorrow', installed_on, success, checksum, execution_time
               FROM _sqlx_migrations WHERE version = 1";
    assert_eq!(fixture.execute(sql).await, 1);
    let error = store::open(&fixture.url).await.err().expect("refused").to_string();
    assert!(error.starts_with("the database was written by a newer optlab; "), "{error}");
}
