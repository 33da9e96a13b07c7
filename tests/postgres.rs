//! The PostgreSQL servers of the other tests.

mod support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};
use support::postgres::Postgres;
use support::waiting::wait_until;

/// Set for the copy of this program that starts a server and is killed.
const VICTIM: &str = "OPTLAB_TEST_VICTIM";

async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.unwrap()
}

async fn tables(connection: &mut PgConnection) -> i64 {
    let count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    sqlx::query_scalar(count).fetch_one(connection).await.unwrap()
}

#[tokio::test]
async fn every_database_is_new_and_empty() {
    let (first, second) = (Postgres::shared().database(), Postgres::shared().database());
    let (mut first, mut second) = (connect(&first).await, connect(&second).await);
    first.execute("CREATE TABLE here (id BIGINT)").await.unwrap();
    assert_eq!((tables(&mut first).await, tables(&mut second).await), (1, 0));
}

#[tokio::test]
async fn a_crash_closes_connections_and_keeps_what_was_committed() {
    let mut server = Postgres::own();
    let url = server.database();
    let mut connection = connect(&url).await;
    connection.execute("CREATE TABLE here (id BIGINT)").await.unwrap();
    connection.execute("BEGIN; CREATE TABLE uncommitted (id BIGINT)").await.unwrap();
    server.crash();
    assert!(connection.execute("SELECT 1").await.is_err());
    assert!(PgConnection::connect(&url).await.is_err());
    server.start();
    assert_eq!(tables(&mut connect(&url).await).await, 1);
}

#[test]
fn the_postgres_server_ends_with_its_test_process() {
    if std::env::var_os(VICTIM).is_some() {
        println!("victim: {}", Postgres::shared().database());
        std::io::stdin().lines().for_each(drop);
        return;
    }
    for killed in [true, false] {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_postgres_server_ends_with_its_test_process", "--nocapture"])
            .env(VICTIM, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(victim.stdout.take().unwrap()).lines();
        let url = output.find_map(|line| Some(line.unwrap().split_once("victim: ")?.1.to_owned())).unwrap();
        let folder = Path::new(url.split_once("?host=").unwrap().1);
        let pid = fs::read_to_string(folder.join("postmaster.pid")).unwrap();
        let server = Path::new("/proc").join(pid.lines().next().unwrap()).join("cmdline");
        // A zombie process has an empty command line.
        let runs = || fs::read(&server).is_ok_and(|words| !words.is_empty());
        assert!(runs());
        if killed {
            victim.kill().unwrap();
        }
        // Waiting closes the process's input, which ends it in good order.
        assert_eq!(victim.wait().unwrap().success(), !killed);
        wait_until(&format!("{url} is gone"), || !runs() && !folder.exists());
    }
}
