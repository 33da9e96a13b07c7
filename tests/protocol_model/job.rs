//! A job as the database holds it.

use std::collections::BTreeMap;

use crate::Rules;
use crate::worker::{Packet, STEPS, Write};

/// The attempt that made each update so far.
pub type History = Vec<u8>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Checkpoint {
    pub history: History,
    /// Whether its bytes can be read at present. A worker passes over a checkpoint that cannot be read.
    pub is_readable: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Job {
    pub state: State,
    /// After so many it is given up.
    max_attempts: u8,
    /// Number of the last one.
    pub attempt: u8,
    /// By step, the history that led to it: a point of another run does not continue the one before it.
    pub points: BTreeMap<usize, History>,
    /// By step; what a later attempt may go on from.
    pub checkpoints: BTreeMap<usize, Checkpoint>,
    /// How often it has ended.
    pub ends: u8,
    /// Whether a write was accepted of an attempt after which another had begun.
    pub overtaken: bool,
}

impl Job {
    pub fn new(max_attempts: u8) -> Self {
        Self {
            state: State::Queued,
            max_attempts,
            attempt: 0,
            points: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            ends: 0,
            overtaken: false,
        }
    }

    pub fn claim(&mut self) {
        self.state = State::Running;
        self.attempt += 1;
    }

    /// The fence.
    pub fn accepts(&self, packet: &Packet, rules: Rules) -> bool {
        let is_last = self.attempt == packet.attempt || !rules.attempt_is_checked;
        let is_running = self.state == State::Running || !rules.state_is_checked;
        is_last && is_running
    }

    pub fn write(&mut self, packet: &Packet, rules: Rules) {
        self.overtaken |= packet.attempt < self.attempt;
        match &packet.write {
            Write::Start(history) => {
                self.points.retain(|step, _| *step <= history.len() || !rules.start_deletes_later_points);
                self.checkpoints
                    .retain(|step, _| *step <= history.len() || !rules.start_forgets_later_checkpoints);
            }
            Write::Points(history) => {
                self.points.insert(history.len(), history.clone());
            }
            Write::Checkpoint(history) => {
                let checkpoint = Checkpoint { history: history.clone(), is_readable: true };
                self.checkpoints.insert(history.len(), checkpoint);
            }
            Write::End if rules.end_checks_points && !self.is_complete() => {
                self.checkpoints.clear();
                self.take_back();
            }
            Write::End => self.end(State::Succeeded),
        }
    }

    /// Where an attempt that begins now goes on.
    pub fn last_readable_checkpoint(&self) -> History {
        let mut latest_first = self.checkpoints.values().rev();
        latest_first
            .find(|checkpoint| checkpoint.is_readable)
            .map_or_else(History::new, |c| c.history.clone())
    }

    pub fn set_readable(&mut self, is_readable: bool) {
        for checkpoint in self.checkpoints.values_mut() {
            checkpoint.is_readable = is_readable;
        }
    }

    pub fn is_complete(&self) -> bool {
        self.points.len() == STEPS
    }

    /// The lease of its last attempt is over.
    pub fn take_back(&mut self) {
        if self.attempt == self.max_attempts {
            self.end(State::Failed);
        } else {
            self.state = State::Queued;
        }
    }

    fn end(&mut self, state: State) {
        self.state = state;
        self.ends += 1;
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.state, State::Succeeded | State::Failed)
    }
}
