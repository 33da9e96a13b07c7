//! A Slurm cluster for tests: a controller and two nodes on this machine. None of its processes outlives the test
//! process.
//!
//! It needs Debian's packages slurmctld, slurmd and slurm-client. It needs no root, systemd, munge, database or cgroups.
//! Jobs run as the user of the tests.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::waiting::{Patience, wait_until};

const CONFIGURATION: &str = include_str!("slurm/slurm.conf");
const LIMIT: &str = include_str!("slurm/job_submit.lua");
const END: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/slurm/end.sh");

/// The name by which `kill` and `revive` know the controller.
pub const CONTROLLER: &str = "slurmctld";

/// The nodes.
pub const NODES: [&str; 2] = ["n1", "n2"];

/// A running cluster with the partitions `low` (the default), `high`, whose jobs preempt those of `low`, and `short`,
/// where no job may take more than five minutes. When it is dropped, and when the test process ends in any way, all its
/// processes are killed, those of its jobs included, and its folder is removed.
pub struct Slurm {
    folder: PathBuf,
    configuration: String,
    /// The controller and one slurmd per node.
    daemons: BTreeMap<&'static str, Child>,
    /// Cleans up at the end of its input, which only this process holds open.
    watchdog: Child,
}

/// A job as `squeue` describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub id: String,
    pub name: String,
    pub partition: String,
    /// Such as `PENDING` or `COMPLETING`.
    pub state: String,
    /// Empty until it has one.
    pub node: String,
    /// `None` if there is nothing to say.
    pub reason: String,
}

impl Slurm {
    /// Starts a cluster with four CPUs per node.
    pub fn start() -> Self {
        Self::start_with(4, "")
    }

    /// Starts a cluster with more lines of slurm.conf.
    pub fn start_with(cpus: u32, settings: &str) -> Self {
        for program in ["slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo"] {
            let found = with_system_programs("sh").args(["-c", "command -v $0", program]).output().unwrap();
            assert!(found.status.success(), "Slurm's {program} is missing: run `make setup-test`");
        }
        loop {
            // Another program may take a port before Slurm does.
            if let Some(cluster) = Self::try_start(cpus, settings) {
                return cluster;
            }
        }
    }

    fn try_start(cpus: u32, settings: &str) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("optlab-slurm-").tempdir().unwrap().keep();
        for name in ["log", "state", "jobs", "n1", "n2"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let values = [
            ("host", host.trim().split('.').next().unwrap().to_owned()),
            ("controller_port", free_port().to_string()),
            ("n1_port", free_port().to_string()),
            ("n2_port", free_port().to_string()),
            ("cpus", cpus.to_string()),
            ("user", fs::metadata("/proc/self").unwrap().uid().to_string()),
            ("folder", folder.to_str().unwrap().to_owned()),
            ("settings", settings.to_owned()),
        ];
        for (name, text) in [("slurm.conf", CONFIGURATION), ("job_submit.lua", LIMIT)] {
            let fill =
                |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{name}}}"), value);
            fs::write(folder.join(name), values.iter().fold(text.to_owned(), fill)).unwrap();
        }
        let configuration = folder.join("slurm.conf").to_str().unwrap().to_owned();
        let mut cluster =
            Self { watchdog: watchdog(&folder), folder, configuration, daemons: BTreeMap::new() };
        for name in [CONTROLLER].into_iter().chain(NODES) {
            cluster.spawn(name);
        }
        let mut patience = Patience::until("both nodes are idle");
        while cluster.node_states() != ["idle", "idle"] {
            if cluster.daemons.values_mut().any(|daemon| daemon.try_wait().unwrap().is_some()) {
                let log = cluster.log();
                assert!(log.contains("Address already in use"), "Slurm does not start: {log}");
                return None;
            }
            patience.again(cluster.log());
        }
        Some(cluster)
    }

    /// What a process needs in its environment to use this cluster.
    pub fn environment(&self) -> [(&str, &str); 1] {
        [("SLURM_CONF", &self.configuration)]
    }

    /// One of Slurm's commands, for this cluster, in a folder where its jobs may write.
    pub fn command(&self, program: &str) -> Command {
        let mut command = with_system_programs(program);
        command.envs(self.environment()).current_dir(self.folder.join("jobs"));
        command
    }

    /// Runs a command, which may fail.
    pub fn output(&self, program: &str, args: &[&str]) -> Output {
        self.command(program).args(args).output().unwrap()
    }

    /// Runs a command and asserts that it succeeds; returns what it prints.
    #[track_caller]
    pub fn run(&self, program: &str, args: &[&str]) -> String {
        let done = self.output(program, args);
        let complaint = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{program} {args:?}: {complaint}\n{}", self.log());
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    /// Submits a shell command as a job; returns its id.
    #[track_caller]
    pub fn submit(&self, options: &[&str], script: &str) -> String {
        let usual = ["--parsable", "--no-requeue", "--output=%j.out", "--wrap", script];
        self.run("sbatch", &[&usual[..], options].concat())
    }

    /// All jobs that the controller remembers: it forgets one some minutes after its end.
    #[track_caller]
    pub fn jobs(&self) -> Vec<Job> {
        let listed =
            self.run("squeue", &["--states=all", "--noheader", "--format=%i|%j|%P|%T|%N|%r", "--sort=i"]);
        let job = |line: &str| {
            // The reason may contain any characters.
            let [id, name, partition, state, node, reason] =
                line.splitn(6, '|').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
            Job { id, name, partition, state, node, reason }
        };
        listed.lines().map(job).collect()
    }

    #[track_caller]
    pub fn job(&self, id: &str) -> Job {
        let jobs = self.jobs();
        let found = jobs.iter().find(|job| job.id == id).cloned();
        found.unwrap_or_else(|| panic!("job {id} is unknown: {jobs:#?}"))
    }

    /// Waits until a job is in a state.
    #[track_caller]
    pub fn wait_for(&self, id: &str, state: &str) -> Job {
        let mut patience = Patience::until(format!("job {id} is {state}"));
        loop {
            let job = self.job(id);
            if job.state == state {
                return job;
            }
            patience.again(job);
        }
    }

    /// Waits until the controller would remember everything that it knows now even if it were killed, which takes up to
    /// ten seconds. A controller that is killed earlier forgets some jobs that have been submitted, and starts some
    /// that have been started a second time.
    pub fn wait_until_saved(&self) {
        let file = self.folder.join("state/job_state");
        let saved = || fs::metadata(&file).map(|file| (file.ino(), file.mtime_nsec())).ok();
        // The first may have begun before this call.
        for _ in 0..2 {
            let before = saved();
            self.run("scontrol", &["reconfigure"]);
            wait_until("the controller saves its state", || saved() != before);
        }
    }

    /// Kills the controller or the slurmd of a node. Jobs go on.
    pub fn kill(&mut self, name: &str) {
        let mut daemon = self.daemons.remove(name).expect("it runs");
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    /// Starts what `kill` has killed, and waits until it answers.
    pub fn revive(&mut self, name: &'static str) {
        assert!(!self.daemons.contains_key(name), "{name} runs");
        self.spawn(name);
        let node = NODES.iter().position(|node| *node == name);
        let mut patience = Patience::until(format!("{name} answers"));
        loop {
            let states = self.node_states();
            // A star marks a node that does not answer.
            let answers = |state: &String| !state.ends_with('*') && state != "down" && state != "unknown";
            if node.map_or(!states.is_empty(), |node| states.get(node).is_some_and(answers)) {
                return;
            }
            let ended = self.daemons.get_mut(name).unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "{name} does not start: {}", self.log());
            patience.again(states);
        }
    }

    /// Takes a node away: its jobs end as NODE_FAIL and none starts there.
    pub fn set_down(&self, node: &str) {
        self.run("scontrol", &["update", &format!("nodename={node}"), "state=down", "reason=test"]);
    }

    /// Gives a node back that `set_down` has taken away.
    pub fn set_up(&self, node: &str) {
        self.run("scontrol", &["update", &format!("nodename={node}"), "state=resume"]);
    }

    /// Lets sbatch fail while the user has this many unfinished jobs, as a limit on submissions does.
    pub fn limit_jobs(&self, most: u32) {
        let (file, new) = (self.folder.join("limit"), self.folder.join("limit.new"));
        fs::write(&new, most.to_string()).unwrap();
        fs::rename(new, file).unwrap();
        // The plugin reads the list of jobs at most once per second. Without this pause, two requests just after the start
        // of the controller would both find it empty.
        sleep(Duration::from_millis(1100));
    }

    pub fn lift_limit(&self) {
        fs::remove_file(self.folder.join("limit")).unwrap();
    }

    /// The folder where jobs start and leave their output.
    pub fn jobs_folder(&self) -> PathBuf {
        self.folder.join("jobs")
    }

    /// The ids of all processes of the cluster and of its jobs.
    pub fn processes(&self) -> Vec<u32> {
        let listed = Command::new(END).arg(&self.folder).arg("list").output().unwrap();
        assert!(listed.status.success());
        String::from_utf8(listed.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect()
    }

    /// The states of the nodes in the order of their names, or nothing if the controller does not answer.
    fn node_states(&self) -> Vec<String> {
        let args = ["--Node", "--noheader", "--partition=low", "--format=%T"];
        let listed = self.output("sinfo", &args).stdout;
        String::from_utf8(listed).unwrap().lines().map(str::to_owned).collect()
    }

    fn spawn(&mut self, name: &'static str) {
        let mut program = self.command(if name == CONTROLLER { CONTROLLER } else { "slurmd" });
        program.arg("-D");
        if name != CONTROLLER {
            program.args(["-N", name]);
        }
        let output = File::options().create(true).append(true).open(self.folder.join("output")).unwrap();
        // Its own process group protects it from Ctrl-C: the watchdog ends it.
        let child = program
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .process_group(0)
            .spawn()
            .unwrap();
        self.daemons.insert(name, child);
    }

    /// The last lines that the daemons have logged and printed.
    fn log(&self) -> String {
        let files = ["log/slurmctld", "log/n1", "log/n2", "output"];
        let tail = |name: &str| {
            let text = fs::read_to_string(self.folder.join(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("{name}:\n{}\n", lines[lines.len().saturating_sub(30)..].join("\n"))
        };
        files.map(tail).concat()
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.log());
        }
        // `wait` closes the input of the watchdog first.
        let _ = self.watchdog.wait();
        for daemon in self.daemons.values_mut() {
            let _ = daemon.wait();
        }
    }
}

fn watchdog(folder: &Path) -> Child {
    Command::new(END)
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}

/// A command that also finds the programs that Debian installs outside the PATH of other users than root.
fn with_system_programs(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()));
    command
}

/// A port that nobody uses, below those that Linux gives to outgoing connections: a daemon that starts again finds it
/// free.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        // Test processes that run at the same time begin at different places.
        let offset = u32::from(NEXT.fetch_add(1, Ordering::Relaxed)) + std::process::id() * 101;
        let port = 10_000 + u16::try_from(offset % 22_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
