//! `optlab sql`.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::client::Door;
use crate::support::{Database, OPTLAB};

#[test]
fn the_sql_command_prints_every_format() {
    let door = Door::open(Database::Sqlite, &[]);
    let sql = |args: &[&str], input: &str| -> Output {
        let mut command = Command::new(OPTLAB);
        command.arg("sql").args(args).env("OPTLAB_SERVER", &door.server.address).current_dir(&door.folder);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let out = |args: &[&str], input: &str| {
        let output = sql(args, input);
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let question = "SELECT arm, seed, 'a,b' AS \"x\", NULL AS missing FROM jobs ORDER BY id LIMIT 2";
    let csv = "arm,seed,x,missing\nbaseline,0,\"a,b\",\nopt-cayley,0,\"a,b\",\n";
    assert_eq!(out(&["--format", "csv", question], ""), csv);
    assert_eq!(out(&["--format", "csv"], question), csv);
    std::fs::write(door.folder.path().join("question.sql"), question).unwrap();
    assert_eq!(out(&["--format", "csv", "--file", "question.sql"], ""), csv);
    let table = out(&[question], "");
    assert!(table.lines().next().unwrap().contains("arm"), "{table}");
    assert!(table.contains("opt-cayley") && !table.contains('|'), "{table}");
    let markdown = out(&["--format", "markdown", question], "");
    assert!(markdown.starts_with("| arm") && markdown.lines().count() == 4, "{markdown}");
    let json: Value = serde_json::from_str(&out(&["--json", question], "")).unwrap();
    assert_eq!((&json["rows"][1][0], &json["truncated"]), (&"opt-cayley".into(), &false.into()));

    let cut = sql(&["--limit", "1", "--format", "csv", question], "");
    assert_eq!(String::from_utf8(cut.stdout).unwrap().lines().count(), 2);
    let told = String::from_utf8_lossy(&cut.stderr).into_owned();
    assert!(told.contains("more rows than the 1 printed; --limit allows up to 10000"), "{told}");

    let refused = sql(&["DELETE FROM jobs"], "");
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("only SELECT"), "{refused:?}");
    assert_eq!(sql(&["--file", "no such file"], "").status.code(), Some(1));
}
