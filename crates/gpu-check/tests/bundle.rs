//! The archive for a machine with a GPU, made of this build: unpacked elsewhere, it runs to its end on the CPU.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Unpacks an archive of the programs that the workspace's build has put beside the one under test.
fn unpacked() -> (TempDir, PathBuf) {
    let programs = Path::new(env!("CARGO_BIN_EXE_optlab-gpu-check")).parent().unwrap();
    for name in ["optlab", "optlab-runner"] {
        assert!(programs.join(name).exists(), "{name} is missing: run `cargo test --workspace`");
    }
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("bundle.tar.gz");
    succeeds(Command::new(root().join("crates/gpu-check/bundle.sh")).args([programs, &archive]));
    succeeds(Command::new("tar").arg("xzf").arg(&archive).arg("--directory").arg(folder.path()));
    fs::remove_file(archive).unwrap();
    let launcher = folder.path().join("optlab-gpu-check/gpu-check");
    (folder, launcher)
}

fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

#[test]
fn an_unpacked_archive_checks_the_cpu_to_the_end() {
    let (folder, launcher) = unpacked();
    let libtorch = env::var_os("LIBTORCH").expect("cargo sets it, see .cargo/config.toml");
    let libtorch = fs::canonicalize(Path::new(&libtorch).join("lib")).unwrap();
    let results = folder.path().join("results");
    let mut check = Command::new(&launcher);
    check.arg("--libtorch").arg(libtorch).args(["--device", "cpu", "--output"]).arg(&results).arg("30");
    let output = check.current_dir(folder.path()).output().unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");

    let report: Value = serde_json::from_slice(&fs::read(results.join("report.json")).unwrap()).unwrap();
    assert_eq!((&report["device"], &report["tiny"]), (&"cpu".into(), &true.into()));
    let parts = report["parts"].as_array().unwrap();
    let names: Vec<&str> = parts.iter().map(|part| part["name"].as_str().unwrap()).collect();
    let names = names.join(" ");
    assert_eq!(names, "environment transforms cost launches resume training memory service growth");
    for part in parts {
        assert_eq!(part["verdict"], "passed", "{said}");
        assert!(!part["rows"].as_array().unwrap().is_empty(), "{part}");
    }
    let markdown = fs::read_to_string(results.join("report.md")).unwrap();
    assert!(markdown.contains("| cayley |"), "{markdown}");
    let mut files: Vec<_> = fs::read_dir(&results).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["log.txt", "report.json", "report.md"]);
}

#[test]
fn a_launcher_without_torch_says_what_to_do() {
    let launcher = Path::new(env!("CARGO_MANIFEST_DIR")).join("gpu-check");
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    for (arguments, says) in [
        (vec!["--libtorch", empty], "has no libtorch_cpu.so"),
        (vec!["--python", "/bin/false"], "has no torch"),
        (vec!["--python"], "needs a value"),
    ] {
        let output = Command::new(&launcher).args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output).contains(says), "{arguments:?}: {}", text(&output));
    }
}
