//! The cluster behaves as the other tests assume.

use std::fs;

use crate::support::slurm::{CONTROLLER, NODES, Slurm};
use crate::support::waiting::{turn, wait_until};

/// Waits until the job's first line of output is complete; returns it.
fn first_line(slurm: &Slurm, id: &str) -> String {
    let file = slurm.jobs_folder().join(format!("{id}.out"));
    let read = || fs::read_to_string(&file).unwrap_or_default();
    wait_until("the job prints a line", || read().contains('\n'));
    read().lines().next().unwrap().to_owned()
}

/// Whether a process runs. One that has ended may stay listed as a zombie in a container whose first process waits for
/// no orphans.
fn is_alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The program's name, in brackets, may contain any characters.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

#[test]
fn a_job_runs_on_its_node() {
    let _turn = turn();
    let slurm = Slurm::start();
    for node in NODES {
        let id =
            slurm.submit(&["--job-name=hello", "--nodelist", node], "echo $SLURM_JOB_ID on $SLURMD_NODENAME");
        let job = slurm.wait_for(&id, "COMPLETED");
        assert_eq!((&job.name[..], &job.partition[..], &job.node[..]), ("hello", "low", node));
        assert_eq!(first_line(&slurm, &id), format!("{id} on {node}"));
    }
}

#[test]
fn a_job_of_the_higher_partition_takes_the_place_of_another() {
    let _turn = turn();
    let slurm = Slurm::start_with(2, "");
    let all = |partition: &str| {
        let options = ["--nodelist=n1", "--cpus-per-task=2", &format!("--partition={partition}")];
        slurm.submit(&options, "echo $$; exec sleep 1000")
    };
    let low = all("low");
    let process = first_line(&slurm, &low);
    let high = all("high");
    slurm.wait_for(&high, "RUNNING");
    assert_eq!(slurm.job(&low).state, "PREEMPTED");
    assert!(!is_alive(&process), "the preempted job still runs");
}

#[test]
fn a_killed_controller_keeps_its_queue_and_its_jobs() {
    let _turn = turn();
    let mut slurm = Slurm::start();
    let running = slurm.submit(&[], "echo $$; exec sleep 1000");
    let pending = slurm.submit(&["--hold"], "true");
    let ended = slurm.submit(&[], "exit 3");
    let process = first_line(&slurm, &running);
    assert_eq!(slurm.wait_for(&ended, "FAILED").reason, "NonZeroExitCode");
    slurm.wait_until_saved();
    slurm.kill(CONTROLLER);
    assert!(!slurm.output("squeue", &[]).status.success(), "squeue works without a controller");
    slurm.revive(CONTROLLER);
    let states = slurm.jobs().into_iter().map(|job| (job.id, job.state)).collect::<Vec<_>>();
    let expected = [(&running, "RUNNING"), (&pending, "PENDING"), (&ended, "FAILED")];
    assert_eq!(states, expected.map(|(id, state)| (id.clone(), state.to_owned())));
    assert!(is_alive(&process), "the running job was started anew");
    slurm.run("scontrol", &["release", &pending]);
    slurm.wait_for(&pending, "COMPLETED");
    slurm.run("scancel", &[&running]);
    slurm.wait_for(&running, "CANCELLED");
    assert!(!is_alive(&process), "the cancelled job still runs");
}

#[test]
fn the_jobs_of_a_lost_node_end() {
    let _turn = turn();
    let mut slurm = Slurm::start();
    let on = |slurm: &Slurm, node: &str| {
        let id = slurm.submit(&["--nodelist", node], "echo $$; exec sleep 1000");
        let process = first_line(slurm, &id);
        (id, process)
    };
    let (first, process) = on(&slurm, "n1");
    slurm.set_down("n1");
    assert_eq!(slurm.wait_for(&first, "NODE_FAIL").reason, "NodeDown");
    wait_until("the process of a node that was set down ends", || !is_alive(&process));
    slurm.set_up("n1");
    on(&slurm, "n1");

    let (second, process) = on(&slurm, "n2");
    slurm.kill("n2");
    slurm.wait_for(&second, "NODE_FAIL");
    assert!(is_alive(&process), "killing slurmd killed its job");
    slurm.revive("n2");
    wait_until("the process of a node that came back ends", || !is_alive(&process));
    on(&slurm, "n2");
}

#[test]
fn a_limit_refuses_jobs() {
    let _turn = turn();
    let slurm = Slurm::start();
    slurm.limit_jobs(1);
    slurm.submit(&["--hold"], "true");
    let refused = slurm.output("sbatch", &["--wrap", "true"]);
    assert_eq!(refused.status.code(), Some(1));
    let complaint = String::from_utf8(refused.stderr).unwrap();
    assert!(complaint.contains("Job violates accounting/QOS policy"), "{complaint}");
    slurm.lift_limit();
    slurm.submit(&["--hold"], "true");
    assert_eq!(slurm.jobs().len(), 2);
}

#[test]
fn a_request_that_can_never_fit_is_refused_or_waits_for_ever() {
    let _turn = turn();
    let slurm = Slurm::start();
    let long = slurm.submit(&["--partition=short", "--time=6"], "true");
    // More than the whole cluster has. What only no single node has is refused.
    let wide = slurm.submit(&["--cpus-per-task=9"], "true");
    let refused = slurm.output("sbatch", &["--cpus-per-task=5", "--wrap", "true"]);
    let complaint = String::from_utf8(refused.stderr).unwrap();
    assert!(complaint.contains("Requested node configuration is not available"), "{complaint}");
    for (id, reason) in [(long, "PartitionTimeLimit"), (wide, "PartitionConfig")] {
        wait_until(reason, || slurm.job(&id).reason == reason);
        assert_eq!(slurm.job(&id).state, "PENDING");
    }
}

#[test]
fn nothing_is_left_over() {
    let _turn = turn();
    let mut slurm = Slurm::start();
    let folder = slurm.jobs_folder();
    // Children in other sessions, one without its parent and one without its environment.
    let script =
        "trap '' TERM; setsid sleep 1001 & (setsid sleep 1002 &); env -i setsid sleep 1003 & echo; wait";
    for node in NODES {
        let id = slurm.submit(&["--nodelist", node], script);
        first_line(&slurm, &id);
    }
    slurm.kill("n2");
    slurm.kill(CONTROLLER);
    // One slurmd, and for each job slurmstepd, the script and its children.
    wait_until("all processes have started", || slurm.processes().len() == 1 + 2 * 5);
    let processes = slurm.processes();
    drop(slurm);
    let left: Vec<_> = processes.iter().filter(|pid| is_alive(&pid.to_string())).collect();
    assert!(left.is_empty(), "processes are left over: {left:?}");
    assert!(!folder.exists(), "files are left over");
}
