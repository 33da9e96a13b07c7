//! Random streams: every draw is a pure function of the job's seed, its purpose, and a name, an epoch or a step.
//!
//! The arms of one seed therefore share neurons, classifier and data order, whatever else they draw, and a job that
//! resumes at some step needs no state of a generator.

use optlab_opt::host;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::StandardNormal;
use sha2::{Digest, Sha256};
use tch::{Device, TchError, Tensor};

/// The purpose of a draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// The initial weight of the layer of this name.
    Neurons(&'a str),
    /// The raw parameter of the layer's rotation.
    Rotation(&'a str),
    /// The dimensions that this round of stochastic OPT rotates in the layer.
    Dimensions(&'a str, u64),
    /// The start of the power iteration on the layer's weight at this step.
    PowerIteration(&'a str, u64),
    /// The order of the samples in this epoch.
    Shuffle(u64),
    /// The augmentation of the images of the update after this many completed ones.
    Augment(u64),
    /// The pixels of synthetic images, of the training or the test set.
    Synthetic(&'a str),
    /// The training images that are used, if not all are.
    TrainSamples,
}

/// The stream of a purpose; equal arguments give equal numbers.
pub fn stream(seed: u64, purpose: Purpose<'_>) -> ChaCha8Rng {
    let (word, key) = match purpose {
        Purpose::Neurons(layer) => ("neurons", layer.to_owned()),
        Purpose::Rotation(layer) => ("rotation", layer.to_owned()),
        Purpose::Dimensions(layer, round) => ("dimensions", format!("{round}\0{layer}")),
        Purpose::PowerIteration(layer, step) => ("power iteration", format!("{step}\0{layer}")),
        Purpose::Shuffle(epoch) => ("shuffle", epoch.to_string()),
        Purpose::Augment(step) => ("augment", step.to_string()),
        Purpose::Synthetic(side) => ("synthetic", side.to_owned()),
        Purpose::TrainSamples => ("train samples", String::new()),
    };
    // Words and numbers contain no NUL, and a name is the last field, so the text is unique for each purpose.
    let digest = Sha256::digest(format!("optlab\0{seed}\0{word}\0{key}"));
    ChaCha8Rng::from_seed(digest.into())
}

/// Independent normal numbers of mean 0, as float32.
///
/// # Errors
/// libtorch's own.
pub fn gaussian(
    mut stream: ChaCha8Rng,
    size: [i64; 2],
    standard_deviation: f64,
    device: Device,
) -> Result<Tensor, TchError> {
    let draw = |_| (standard_deviation * stream.sample::<f64, _>(StandardNormal)) as f32;
    let values: Vec<f32> = (0..size[0] * size[1]).map(draw).collect();
    host::send(&values, device)?.f_view(size)
}

/// The numbers below `count` in random order.
pub fn permutation(mut stream: ChaCha8Rng, count: u64) -> Vec<i64> {
    let mut order: Vec<i64> = (0..count as i64).collect();
    order.shuffle(&mut stream);
    order
}

/// `count` whole numbers, uniform in 0..`bound`.
pub fn below(mut stream: ChaCha8Rng, bound: i64, count: i64) -> Vec<i64> {
    (0..count).map(|_| stream.random_range(0..bound)).collect()
}

/// `count` bytes, uniform over all values.
pub fn bytes(mut stream: ChaCha8Rng, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.fill(&mut bytes[..]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(seed: u64, purpose: Purpose<'_>) -> Vec<f32> {
        gaussian(stream(seed, purpose), [4, 5], 1.0, Device::Cpu).unwrap().flatten(0, 1).try_into().unwrap()
    }

    #[test]
    fn a_stream_depends_on_all_of_its_arguments() {
        let purposes = [
            Purpose::Neurons("hidden1"),
            Purpose::Neurons("hidden2"),
            Purpose::Rotation("hidden1"),
            Purpose::Neurons("1"),
            Purpose::Dimensions("hidden1", 1),
            Purpose::Dimensions("hidden1", 2),
            Purpose::PowerIteration("hidden1", 1),
            Purpose::Shuffle(1),
            Purpose::Augment(1),
            Purpose::Synthetic("1"),
            Purpose::TrainSamples,
        ];
        let mut seen = Vec::new();
        for seed in [0, 1, u64::from(u32::MAX)] {
            for purpose in purposes {
                let drawn = numbers(seed, purpose);
                assert_eq!(drawn, numbers(seed, purpose));
                assert!(!seen.contains(&drawn), "{seed} {purpose:?}");
                seen.push(drawn);
            }
        }
    }

    #[test]
    fn normal_numbers_have_their_mean_and_deviation() {
        let drawn = gaussian(stream(7, Purpose::Neurons("x")), [400, 500], 0.5, Device::Cpu).unwrap();
        let mean = drawn.mean(tch::Kind::Double).double_value(&[]);
        let deviation = drawn.std(true).double_value(&[]);
        assert!(mean.abs() < 0.005 && (deviation - 0.5).abs() < 0.005, "{mean} {deviation}");
    }

    #[test]
    fn a_permutation_contains_every_index_once() {
        let order = permutation(stream(3, Purpose::Shuffle(2)), 1000);
        assert_ne!(order, permutation(stream(3, Purpose::Shuffle(3)), 1000));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..1000) && order != sorted);
    }

    /// A change of these numbers is a change of every published curve.
    #[test]
    fn the_numbers_do_not_change() {
        let order = permutation(stream(0, Purpose::Shuffle(0)), 8);
        assert_eq!(order, [1, 0, 4, 7, 5, 6, 3, 2]);
        assert_eq!(below(stream(0, Purpose::Augment(0)), 162, 4), [49, 9, 123, 37]);
        assert_eq!(bytes(stream(0, Purpose::Synthetic("train")), 4), [144, 224, 243, 211]);
        assert_eq!(
            numbers(0, Purpose::Neurons("hidden1"))[..3],
            [-0.042_768_754, 0.308_553_43, -1.056_403_4]
        );
    }
}
