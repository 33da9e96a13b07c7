//! The faults of the chaos test.

use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use crate::support::processes::{Worker, kill, kill_if_there, signal};
use crate::{LEASE_MS, Round, files_below, start_server};

#[derive(Clone, Copy, Debug)]
pub enum Fault {
    KillRunner(usize),
    KillWorker(usize),
    KillServer,
    /// The worker is stopped beyond its lease and then continued.
    FreezeWorker(usize),
    /// The same for a worker that may have ended by then.
    FreezeRunner(usize),
    /// Every runner on this machine is killed for a while.
    BadMachine(usize),
    /// SIGHUP, which a closed terminal sends.
    HangUpWorker(usize),
    HangUpServer,
    /// All checkpoints are missing for a while, while every job needs one.
    HideCheckpoints,
    FillFiles,
    /// Only with SQLite.
    FillDatabase,
    /// Only with Postgres.
    CrashDatabase,
}

/// The faults that this database and this machine support, each for one worker.
pub fn kinds(postgres: bool, disks: bool) -> Vec<fn(usize) -> Fault> {
    let mut kinds: Vec<fn(usize) -> Fault> = vec![
        Fault::KillRunner,
        Fault::KillWorker,
        Fault::FreezeWorker,
        Fault::FreezeRunner,
        Fault::BadMachine,
        Fault::HangUpWorker,
        |_| Fault::KillServer,
        |_| Fault::HangUpServer,
        |_| Fault::HideCheckpoints,
    ];
    if disks {
        kinds.push(|_| Fault::FillFiles);
    }
    match postgres {
        true => kinds.push(|_| Fault::CrashDatabase),
        false if disks => kinds.push(|_| Fault::FillDatabase),
        false => {}
    }
    kinds
}

impl Round {
    pub fn happen(&mut self, fault: Fault) {
        let lease = Duration::from_millis(LEASE_MS);
        match fault {
            Fault::KillRunner(worker) => self.workers[worker].runners().into_iter().for_each(kill_if_there),
            Fault::KillWorker(worker) => self.workers[worker] = Worker::start(&self.url),
            Fault::KillServer => {
                self.server.take().expect("one is running").kill();
                self.server = Some(start_server(&self.url, &self.folder));
            }
            Fault::FreezeWorker(worker) => freeze(&[self.workers[worker].child.id()], 2 * lease),
            Fault::FreezeRunner(worker) => freeze(&self.workers[worker].runners(), 2 * lease),
            Fault::BadMachine(worker) => {
                for _ in 0..20 {
                    self.note_runners();
                    self.workers[worker].runners().into_iter().for_each(kill_if_there);
                    sleep(lease / 10);
                }
            }
            Fault::HangUpWorker(worker) => {
                hang_up(&mut self.workers[worker].child);
                self.workers[worker] = Worker::start(&self.url);
            }
            Fault::HangUpServer => {
                hang_up(&mut self.server.as_mut().expect("one is running").child);
                self.server = None;
                self.server = Some(start_server(&self.url, &self.folder));
            }
            Fault::HideCheckpoints => self.hide_checkpoints(2 * lease),
            Fault::FillFiles => {
                let _ballast = self.files.as_ref().expect("requires a disk that can be filled").fill();
                sleep(2 * lease);
            }
            Fault::FillDatabase => {
                let _ballast =
                    self.data.as_ref().expect("requires SQLite on a disk that can be filled").fill();
                sleep(2 * lease);
            }
            Fault::CrashDatabase => {
                let postgres = self.postgres.as_mut().expect("only with Postgres");
                postgres.crash();
                postgres.start();
            }
        }
    }

    fn hide_checkpoints(&self, time: Duration) {
        let root = self.folder.path();
        let hidden = root.join("hidden");
        let is_checkpoint = |file: &std::path::Path| file.to_string_lossy().contains("checkpoint-");
        let mut moved = Vec::new();
        for file in files_below(&root.join("files/jobs")).into_iter().filter(|file| is_checkpoint(file)) {
            let place = hidden.join(file.strip_prefix(root).unwrap());
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            // On another file system, where another process may be deleting it.
            if fs::copy(&file, &place).is_ok() && fs::remove_file(&file).is_ok() {
                moved.push((file, place));
            }
        }
        self.workers.iter().flat_map(Worker::runners).for_each(kill_if_there);
        sleep(time);
        for (file, place) in moved {
            fs::rename(&place, &file).or_else(|_| fs::copy(&place, &file).map(drop)).unwrap();
        }
    }
}

fn freeze(processes: &[u32], time: Duration) {
    let all = |name| {
        for &process in processes {
            signal(process, name);
        }
    };
    all("STOP");
    sleep(time);
    all("CONT");
}

/// Waits for its end. A process that ignores the signal, as under `nohup`, is killed after a while.
fn hang_up(child: &mut Child) {
    signal(child.id(), "HUP");
    for _ in 0..600 {
        if child.try_wait().unwrap().is_some() {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    kill(child.id());
    child.wait().unwrap();
}
