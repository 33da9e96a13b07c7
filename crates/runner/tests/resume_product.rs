//! The whole product of options: an interrupted job resumes with the same bits.
//!
//! Crossed in full are the factors that a checkpoint has to do with: method, model, rounds, learned neurons, where
//! neurons start, which layers, optimizer and averaged weights, every combination that a spec may ask for. The other
//! factors and the steps of the interruption would make that many rows times 2880, so that they take turns over the
//! rows: schedule, data, clipping, smoothing, precision and what is measured when. Their options, and the combinations
//! of them, are spread as evenly as can be.
//!
//! OPTLAB_RESUME_SEED determines the options of each row; it is random by default. OPTLAB_RESUME_PART=2/8 runs the
//! second of eight parts, each a sample of all rows. A failure prints how to repeat its row alone.

mod support;

use std::collections::HashSet;
use std::env;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use optlab_spec::JobSpec;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use support::Runner;
use support::factors::{FACTORS, STATEFUL, STEPS, job};
use support::interruption::interrupt;

/// Rows between two reports of progress.
const REPORT_EVERY: usize = 250;

#[test]
#[ignore = "half an hour on two cores; `make chaos` runs it"]
fn the_product_of_options_resumes_with_the_same_bits() {
    let seed = env::var("OPTLAB_RESUME_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut rows = stateful_rows();
    rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let part = part(&env::var("OPTLAB_RESUME_PART").unwrap_or("1/1".to_owned()), rows.len());
    println!("{} of {} rows: OPTLAB_RESUME_SEED={seed}", part.len(), rows.len());

    let (numbers, failed) = (Mutex::new(part.clone()), AtomicUsize::new(0));
    let next = || numbers.lock().unwrap().next();
    let work = || {
        let mut runners = [(); 3].map(|()| Runner::start_quiet());
        while let Some(number) = next() {
            let begun = number - part.start + 1;
            if begun.is_multiple_of(REPORT_EVERY) {
                println!("{begun} of {} rows", part.len());
            }
            let (job, every_steps) = take_turns(&rows[number], number);
            // A failed row does not hide the others; the panic was printed.
            if catch_unwind(AssertUnwindSafe(|| interrupt(&job, every_steps, &mut runners))).is_err() {
                let repeat = format!("OPTLAB_RESUME_PART={}/{}", number + 1, rows.len());
                let job = serde_json::to_string(&job).unwrap();
                println!("OPTLAB_RESUME_SEED={seed} {repeat} fails, a checkpoint every {every_steps}: {job}");
                failed.fetch_add(1, Ordering::Relaxed);
                runners = [(); 3].map(|()| Runner::start_quiet());
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().unwrap().get() {
            scope.spawn(work);
        }
    });
    assert_eq!(failed.into_inner(), 0, "failures in {} rows", part.len());
}

/// The product of the factors with state, each job once, with the first option of every other factor.
fn stateful_rows() -> Vec<Vec<usize>> {
    let product = FACTORS[..STATEFUL].iter().fold(vec![Vec::new()], |rows, factor| {
        let with = |row: &Vec<usize>, option| [row, &[option][..]].concat();
        rows.iter().flat_map(|row| (0..factor.len()).map(move |option| with(row, option))).collect()
    });
    // Two options may mean the same: rounds start at the identity, whether a transform says so or not.
    let mut jobs = HashSet::new();
    let mut is_new =
        |row: &[usize]| job(row).is_some_and(|job| jobs.insert(serde_json::to_string(&job).unwrap()));
    product.into_iter().filter(|row| is_new(row)).collect()
}

/// The numbers of the rows of part `i` of `n`, given as `i/n`, from 1.
fn part(part: &str, rows: usize) -> Range<usize> {
    let (i, n) = part.split_once('/').expect("OPTLAB_RESUME_PART is like 2/8");
    let (i, n): (usize, usize) = (i.parse().unwrap(), n.parse().unwrap());
    assert!((1..=n).contains(&i), "OPTLAB_RESUME_PART={part}");
    (i - 1) * rows / n..i * rows / n
}

/// The job of a row with those options of the other factors whose turn it is, and after how many updates each there is
/// a checkpoint. `turn` counts in digits, one for each of them.
fn take_turns(row: &[usize], mut turn: usize) -> (JobSpec, u64) {
    let mut digit = |size: usize| {
        let digit = turn % size;
        turn /= size;
        digit
    };
    let every_steps = digit(STEPS as usize - 1) as u64 + 1;
    let row: Vec<_> =
        row.iter().copied().chain(FACTORS[STATEFUL..].iter().map(|factor| digit(factor.len()))).collect();
    let job = job(&row).unwrap_or_else(|| panic!("options without state go with any: {row:?}"));
    (job, every_steps)
}
