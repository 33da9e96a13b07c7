//! Every pair of options: an interrupted job resumes with the same bits.

mod support;

use support::Runner;
use support::factors::{FACTORS, STEPS, job};
use support::interruption::interrupt;
use support::pairs::pairs;

#[test]
fn every_pair_of_options_resumes_with_the_same_bits() {
    let rows = pairs(&FACTORS.map(<[_]>::len), |row| job(row).is_some());
    assert!(rows.len() >= FACTORS[0].len() * FACTORS[1].len(), "{} rows", rows.len());
    let mut runners = [(); 3].map(|()| Runner::start());
    for (number, row) in rows.iter().enumerate() {
        let job = job(row).unwrap();
        println!("{number}: {}", serde_json::to_string(&job).unwrap());
        // Which updates are between the two processes changes from row to row.
        interrupt(&job, number as u64 * 7 % (STEPS - 1) + 1, &mut runners);
    }
}
