//! The archive for a machine with a GPU, made of this build: unpacked elsewhere, it runs to its end on the CPU, with
//! nothing but a Python that has torch.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;
use tempfile::TempDir;

/// A machine to which the archive was copied.
struct Machine {
    folder: TempDir,
}

impl Machine {
    /// Unpacks an archive of the programs that the workspace's build has put beside the one under test.
    fn new() -> Self {
        let programs = Path::new(env!("CARGO_BIN_EXE_optlab-gpu-check")).parent().unwrap();
        for name in ["optlab", "optlab-runner"] {
            assert!(programs.join(name).exists(), "{name} is missing: run `cargo test --workspace`");
        }
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("bundle.tar.gz");
        let mut bundle = Command::new(root().join("crates/gpu-check/bundle.sh"));
        // Data sets of whoever runs the tests stay out.
        bundle.args([programs, &archive]).env_remove("OPTLAB_DATA_DIR").env("XDG_CACHE_HOME", folder.path());
        succeeds(&mut bundle);
        succeeds(Command::new("tar").arg("xzf").arg(&archive).arg("--directory").arg(folder.path()));
        fs::remove_file(archive).unwrap();
        let machine = Self { folder };
        for name in ["optlab-runner", "optlab-gpu-check"] {
            forget_libtorch(&machine.path("optlab-gpu-check/bin").join(name));
        }
        machine.install_torch();
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A virtual environment with a torch that has its version and its libraries, as pip lays them out.
    fn install_torch(&self) {
        let environment = self.path("python");
        succeeds(Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(&environment));
        let mut python = Command::new(environment.join("bin/python3"));
        python.args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]);
        let packages = PathBuf::from(succeeds(&mut python).trim());
        fs::create_dir_all(packages.join("torch")).unwrap();
        fs::write(packages.join("torch/__init__.py"), "raise ImportError('torch is not to be imported')\n")
            .unwrap();
        std::os::unix::fs::symlink(libtorch(), packages.join("torch/lib")).unwrap();
        let facts = packages.join("torch-2.11.0.dist-info");
        fs::create_dir(&facts).unwrap();
        fs::write(facts.join("METADATA"), "Metadata-Version: 2.1\nName: torch\nVersion: 2.11.0\n").unwrap();
    }

    /// The launcher in a shell that has the Python first in its path and no other variables.
    fn check(&self, arguments: &[&str]) -> Command {
        let mut path = self.path("python/bin").into_os_string();
        path.push(":");
        path.push(env::var_os("PATH").unwrap());
        let mut check = Command::new(self.path("optlab-gpu-check/gpu-check"));
        check.env_clear().env("PATH", path).env("HOME", self.folder.path()).current_dir(self.folder.path());
        check.args(["--device", "cpu", "--output", "results"]).args(arguments);
        check
    }

    fn report(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("results/report.json")).unwrap()).unwrap()
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn libtorch() -> PathBuf {
    let libtorch = env::var_os("LIBTORCH").expect("cargo sets it, see .cargo/config.toml");
    fs::canonicalize(libtorch).unwrap().join("lib")
}

/// Replaces the folder of libtorch that the build has put into a program: another machine does not have it. Another process
/// writes the program, because one that this process writes cannot start while a child of another test has it open.
fn forget_libtorch(program: &Path) {
    const REPLACE: &str = "import sys
program, folder = sys.argv[1], sys.argv[2].encode()
content = open(program, 'rb').read()
assert folder in content, program
open(program, 'wb').write(content.replace(folder, b'/' + b'x' * (len(folder) - 1)))";
    succeeds(Command::new("python3").args(["-c", REPLACE]).arg(program).arg(libtorch()));
    let alone = Command::new(program).arg("--help").env_remove("LD_LIBRARY_PATH").output().unwrap();
    assert!(
        !alone.status.success() && text(&alone).contains("libtorch"),
        "without the launcher, libtorch is not found: {}",
        text(&alone)
    );
}

fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn text(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned()).concat()
}

/// The rows of a table of a part.
fn rows<'a>(part: &'a Value, table: &str) -> Vec<&'a Value> {
    let rows = part["rows"].as_array().unwrap();
    rows.iter().filter(|row| row["table"] == table).map(|row| &row["cells"]).collect()
}

#[test]
fn an_unpacked_archive_checks_the_cpu_to_the_end() {
    let machine = Machine::new();
    let output = machine.check(&["5"]).output().unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");

    let report = machine.report();
    assert_eq!((&report["device"], &report["tiny"]), (&"cpu".into(), &true.into()));
    let parts = report["parts"].as_array().unwrap();
    let names: Vec<&str> = parts.iter().map(|part| part["name"].as_str().unwrap()).collect();
    let names = names.join(" ");
    assert_eq!(
        names,
        "environment transforms cost launches resume training memory service growth experiment"
    );
    for part in parts {
        assert_eq!(part["verdict"], "passed", "{said}");
        assert!(!part["rows"].as_array().unwrap().is_empty(), "{part}");
    }
    let experiment = parts.last().unwrap();
    for job in rows(experiment, "jobs") {
        assert_eq!((&job["state"], &job["step"]), (&"succeeded".into(), &job["steps"]), "{job}");
        assert!(job["test_accuracy"].as_f64() > Some(50.0), "{job}");
    }
    assert_eq!(rows(experiment, "jobs").len(), 4);
    let markdown = fs::read_to_string(machine.path("results/report.md")).unwrap();
    assert!(markdown.contains("| cayley |"), "{markdown}");
    let files = fs::read_dir(machine.path("results")).unwrap().map(|file| file.unwrap().file_name());
    let files: BTreeSet<_> = files.map(|name| name.into_string().unwrap()).collect();
    assert_eq!(Vec::from_iter(files), ["experiment", "log.txt", "report.json", "report.md"]);
    let results = fs::read(machine.path("results/experiment/digits-mlp-tiny/results.json")).unwrap();
    let results: Value = serde_json::from_slice(&results).unwrap();
    assert_eq!(results["arms"][1]["pairs"], 2);
}

/// Interval between two looks at a log, and how many are made: for longer than any machine takes for this.
const POLL: Duration = Duration::from_millis(10);
const TRIES: usize = 20_000;

#[test]
fn a_later_run_goes_on_with_an_experiment_that_was_killed() {
    let machine = Machine::new();
    let mut check = machine.check(&["--only", "experiment", "5"]);
    let mut killed = check.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let log = machine.path("results/experiment/digits-mlp-tiny/worker.log");
    let logged = || fs::read_to_string(&log).unwrap_or_default();
    let both_slots_train = (0..TRIES).any(|_| {
        thread::sleep(POLL);
        logged().matches(": started ").count() == 2
    });
    assert!(both_slots_train, "{}", logged());
    // The part, with the server and the worker in its process group.
    let part = child_of(killed.id()).unwrap();
    kill_process_group(part, Signal::KILL).unwrap();
    assert_eq!(killed.wait().unwrap().code(), Some(1));
    assert_eq!(machine.report()["parts"][0]["verdict"], "crashed");

    for run in ["the second", "the third"] {
        let output = machine.check(&["--only", "experiment", "5"]).output().unwrap();
        assert!(output.status.success(), "{run}: {}", text(&output));
        let report = machine.report();
        let part = &report["parts"][0];
        let cell = |job: &Value, column: &str| job[column].to_string();
        let jobs = rows(part, "jobs");
        let jobs: Vec<String> = jobs
            .iter()
            .map(|job| ["seed", "arm", "attempts"].map(|name| cell(job, name)).join(" "))
            .collect();
        let expected = ["0 \"baseline\" 2", "0 \"opt-cayley\" 2", "1 \"baseline\" 1", "1 \"opt-cayley\" 1"];
        assert_eq!(jobs, expected, "{run}");
        let facts = rows(part, "experiment");
        let jobs = facts.iter().find(|fact| fact["what"] == "jobs").unwrap();
        assert_eq!(jobs["value"], "4 of 4 have ended, 0 will go on", "{run}");
    }
}

#[test]
fn a_part_ends_with_the_process_that_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut part = Command::new(env!("CARGO_BIN_EXE_optlab-gpu-check"));
    // With the sizes of a GPU, it would take minutes.
    part.args(["--part", "growth", "--device", "cpu", "--seconds", "3600", "--output"]).arg(folder.path());
    fs::create_dir_all(folder.path().join("work/growth")).unwrap();
    let mut part = part.stdin(Stdio::piped()).process_group(0).spawn().unwrap();
    // The end of the other process closes its side of the pipe.
    drop(part.stdin.take());
    assert_eq!(part.wait().unwrap().signal(), Some(Signal::KILL.as_raw()));
}

fn child_of(parent: u32) -> Option<Pid> {
    let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).ok()?;
    Pid::from_raw(children.split_whitespace().next()?.parse().ok()?)
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
