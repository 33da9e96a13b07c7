//! Paths of the files of attempts.

use std::fmt;

use optlab_domain::{AttemptNumber, JobId, Lease};

/// The folder of the files of all jobs.
pub const JOBS: &str = "jobs";

/// The path of a file of an attempt: `jobs/JOB/ATTEMPT/FILE`. No two attempts share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptFile<'a> {
    /// The attempt.
    pub lease: Lease,
    /// The name of the file, without `/`.
    pub name: &'a str,
}

impl fmt::Display for AttemptFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lease { job, attempt } = self.lease;
        write!(f, "{JOBS}/{job}/{attempt}/{}", self.name)
    }
}

impl<'a> AttemptFile<'a> {
    /// Reads a path; `None` for one that no attempt writes to.
    pub fn parse(path: &'a str) -> Option<Self> {
        let (job, rest) = path.strip_prefix(JOBS)?.strip_prefix('/')?.split_once('/')?;
        let (attempt, name) = rest.split_once('/')?;
        let (job, attempt): (JobId, AttemptNumber) = (job.parse().ok()?, attempt.parse().ok()?);
        (!name.contains('/')).then_some(Self { lease: Lease { job, attempt }, name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_attempt() {
        let lease = Lease { job: JobId::from(7), attempt: AttemptNumber::from(2) };
        for (path, name) in [("jobs/7/2/log.txt", "log.txt"), ("jobs/7/2/log.txt#1", "log.txt#1")] {
            let file = AttemptFile { lease, name };
            assert_eq!((AttemptFile::parse(path), file.to_string().as_str()), (Some(file), path));
        }
        for path in
            ["jobs/7/log.txt", "jobs/a/2/log.txt", "jobs/7/2/more/log.txt", "other/7/2/log.txt", "jobs"]
        {
            assert_eq!(AttemptFile::parse(path), None, "{path}");
        }
    }
}
