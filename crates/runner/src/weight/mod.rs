//! The weight of a method layer.

mod rotated;

use optlab_opt::{EnergyConfig, RotatedWeight, refine};
use optlab_spec::{MethodSpec, NeuronInit, OptSpec};
use tch::Tensor;

use crate::failure::JobError;
use crate::random::{self, Purpose};
use crate::start::Start;
use crate::trained::{Plain, Role, Trained};

pub use rotated::Rotated;

/// W^T, `[n, d]`, of a layer: rows are neurons.
#[derive(Debug)]
pub enum Weight {
    /// Trained as it is.
    Plain(Plain),
    /// R V with V as drawn, and R trained.
    Rotated(Rotated),
}

impl Weight {
    /// A weight of a hidden layer under the arm's method: V ~ N(0, 2/d) where it is trained directly, R_0 V with the
    /// same V for OPT (He et al., ICCV 2015).
    ///
    /// # Errors
    /// libtorch's own.
    pub fn by_method(start: Start<'_>, layer: &str, d: i64, n: i64) -> Result<Self, JobError> {
        let neurons = neurons(start, layer, d, n, 2.0)?;
        let plain = |tensor| Plain::new(format!("{layer}.weight"), tensor, Role::Weight);
        let orthogonal = matches!(start.method, MethodSpec::Baseline { init: NeuronInit::Orthogonal });
        Ok(match start.method.rotates(layer) {
            Some(opt) => Self::Rotated(Rotated::new(opt, start, layer, &moved(neurons, opt)?)?),
            None if orthogonal => Self::Plain(plain(orthogonalised(&neurons)?)?),
            None => Self::Plain(plain(neurons)?),
        })
    }

    /// A weight that is trained normally in every arm: the classifier's, N(0, 1/d), because no ReLU follows it.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn plain(start: Start<'_>, layer: &str, d: i64, n: i64) -> Result<Self, JobError> {
        let neurons = neurons(start, layer, d, n, 1.0)?;
        Ok(Self::Plain(Plain::new(format!("{layer}.weight"), neurons, Role::Weight)?))
    }

    /// The effective weight.
    pub fn value(&self) -> &Tensor {
        match self {
            Self::Plain(plain) => plain.value(),
            Self::Rotated(weight) => weight.rotated().value(),
        }
    }

    /// The weight with its learned rotation, if it has one.
    pub fn rotated(&self) -> Option<&RotatedWeight> {
        match self {
            Self::Plain(_) => None,
            Self::Rotated(weight) => Some(weight.rotated()),
        }
    }

    /// The trained tensor.
    pub fn trained(&mut self) -> &mut dyn Trained {
        match self {
            Self::Plain(plain) => plain,
            Self::Rotated(weight) => weight,
        }
    }
}

/// Neurons of mean square length `variance`.
fn neurons(start: Start<'_>, layer: &str, d: i64, n: i64, variance: f64) -> Result<Tensor, JobError> {
    let stream = random::stream(start.seed, Purpose::Neurons(layer));
    Ok(random::gaussian(stream, [n, d], (variance / d as f64).sqrt(), start.device)?)
}

/// Applies the ablations of an OPT arm to drawn neurons.
fn moved(neurons: Tensor, opt: &OptSpec) -> Result<Tensor, JobError> {
    let neurons = if opt.neuron_mean == 0.0 { neurons } else { neurons.f_add_scalar(opt.neuron_mean)? };
    // One neuron has no energy to lower.
    let refined = opt.refine_steps > 0 && neurons.size()[0] > 1;
    Ok(if refined { refine(&neurons, &EnergyConfig::default(), opt.refine_steps)? } else { neurons })
}

/// The orthonormal rows or columns, whichever are fewer, nearest in span to those of `neurons`, `[n, d]`, at the same
/// mean square length (Saxe, McClelland and Ganguli, ICLR 2014).
fn orthogonalised(neurons: &Tensor) -> Result<Tensor, JobError> {
    let _guard = tch::no_grad_guard();
    let wide = neurons.size()[0] <= neurons.size()[1];
    let columns = if wide { neurons.f_tr()? } else { neurons.shallow_clone() };
    let (q, r) = columns.f_qr(true)?;
    // A positive diagonal makes the factor unique, and uniform over the orthogonal matrices.
    let signs = r.f_diagonal(0, 0, 1)?.f_sign()?;
    let orthonormal = q.f_mul(&signs)?;
    let scale = neurons.f_norm()?.f_div(&orthonormal.f_norm()?)?;
    let scaled = orthonormal.f_mul(&scale)?;
    Ok(if wide { scaled.f_tr()? } else { scaled }.f_contiguous()?)
}

#[cfg(test)]
mod tests {
    use optlab_spec::ExperimentSpec;
    use serde_json::{Value, json};
    use tch::{Device, Kind};

    use super::*;
    use crate::trained::Parameters;

    const LAYER: &str = "hidden1";

    /// A weight of the layer with neurons of length `d`, under `method` as a spec gives it.
    fn weight(method: Value, d: i64, n: i64) -> Weight {
        let train = json!({
            "epochs": 1, "data": { "name": "digits" }, "model": { "kind": "mlp", "hidden": [16] },
        });
        let arms = json!([{ "name": "arm", "method": method }]);
        let spec = json!({ "name": "x", "train": train, "arms": arms });
        let spec = ExperimentSpec::from_value(&spec).unwrap_or_else(|problems| panic!("{problems}"));
        Weight::by_method(Start { method: &spec.arms[0].method, ..Start::baseline(5) }, LAYER, d, n).unwrap()
    }

    fn baseline(d: i64, n: i64) -> Tensor {
        weight(json!({ "kind": "baseline" }), d, n).value().detach()
    }

    #[test]
    fn every_arm_starts_from_the_same_neurons() {
        let neurons = baseline(12, 7);
        for transform in ["gram_schmidt", "householder", "lowdin", "cayley", "relaxed", "unconstrained"] {
            for init in ["identity", "gaussian", "scaled"] {
                let turned = weight(json!({ "kind": "opt", "transform": transform, "init": init }), 12, 7);
                let r = turned.rotated().unwrap().rotation().matrix().unwrap().unwrap();
                let (value, expected) = (turned.value().detach(), neurons.matmul(&r.tr()));
                assert!(value.allclose(&expected, 1e-4, 1e-5, false), "{transform} {init}");
                let same = value.allclose(&neurons, 1e-6, 1e-6, false);
                assert_eq!(same, init == "identity", "{transform} {init}");
            }
        }
        for form in ["omega", "low_rank"] {
            let descent = weight(json!({ "kind": "opt", "transform": "descent", "form": form }), 12, 7);
            assert_eq!(*descent.value(), neurons);
        }
    }

    #[test]
    fn a_round_rotates_its_own_dimensions_and_the_next_continues_from_there() {
        let stochastic = json!({ "fraction": 0.5, "inner_steps": 2 });
        let method = json!({ "kind": "opt", "transform": "cayley", "stochastic": stochastic });
        let mut weight = weight(method, 12, 7);
        let start = weight.value().detach();
        assert_eq!(start, baseline(12, 7));
        // What one update of all of a round's raw parameter changes.
        let mut turned = |updates: u64, expected| {
            let before = weight.value().detach();
            let trained = weight.trained();
            let _ = trained.parameters()[0].tensor.f_add_(&skew(6)).unwrap();
            trained.refresh().unwrap();
            assert_eq!(trained.renew(updates).unwrap(), expected);
            let moved = (trained.value().detach() - before).abs().amax([0], false).gt(1e-6);
            Vec::<bool>::try_from(moved).unwrap()
        };
        let (first, second) = (turned(1, Parameters::Kept), turned(2, Parameters::Renewed));
        let (third, fourth) = (turned(3, Parameters::Kept), turned(4, Parameters::Renewed));
        assert_eq!((&first, &third), (&second, &fourth));
        assert_eq!(first.iter().filter(|turned| **turned).count(), 6);
        assert_ne!(first, third);
        let rotated = weight.rotated().unwrap();
        assert!(rotated.orthogonality_error().unwrap() < 1e-6);
        assert_eq!(*rotated.frozen_weight(), weight.value().detach());
    }

    fn skew(p: i64) -> Tensor {
        let upper = Tensor::ones([p, p], (Kind::Float, Device::Cpu)).triu(1) * 0.1;
        &upper - upper.tr()
    }

    #[test]
    fn an_orthogonal_start_has_the_norm_of_a_gaussian_one() {
        for (d, n) in [(12, 7), (7, 12), (9, 9)] {
            let (gaussian, w) =
                (baseline(d, n), weight(json!({ "kind": "baseline", "init": "orthogonal" }), d, n));
            let w = w.value().detach();
            let gram = if n <= d { w.matmul(&w.tr()) } else { w.tr().matmul(&w) };
            let scale = gaussian.square().sum(Kind::Float) / n.min(d);
            let expected = Tensor::eye(n.min(d), (Kind::Float, Device::Cpu)) * scale;
            assert!(gram.allclose(&expected, 1e-4, 1e-5, false), "{d} {n}");
            // The first neuron, or dimension, keeps its direction: signs are those of the drawn one.
            let first = |w: &Tensor| if n <= d { w.get(0) } else { w.select(1, 0) };
            assert!((first(&w) * first(&gaussian)).sum(Kind::Float).double_value(&[]) > 0.0, "{d} {n}");
        }
    }

    #[test]
    fn ablations_change_the_initial_neurons() {
        let opt = |field: &str, value: Value| {
            let mut method = json!({ "kind": "opt", "transform": "cayley" });
            method[field] = value;
            weight(method, 12, 7).value().detach()
        };
        let neurons = baseline(12, 7);
        assert!(opt("neuron_mean", json!(0.5)).allclose(&(&neurons + 0.5), 1e-6, 1e-6, false));
        let refined = opt("refine_steps", json!(20));
        let lengths = |w: &Tensor| w.square().sum_dim_intlist(1, false, Kind::Float);
        assert!(lengths(&refined).allclose(&lengths(&neurons), 1e-5, 1e-6, false));
        let energy = |w: &Tensor| optlab_opt::hyperspherical_energy(w, &EnergyConfig::default()).unwrap();
        assert!(energy(&refined) < energy(&neurons));
        assert_eq!(opt("layers", json!("all")), neurons);
    }
}
