//! A fully connected layer with rotated weights.

use tch::{Tensor, nn};

use crate::{Error, RotatedWeight, Rotation};

/// xs W + bias with W = R V: a [`nn::Linear`] whose neurons are frozen and rotated together.
#[derive(Debug)]
pub struct OptLinear {
    /// R V; its raw parameter is what the layer learns.
    pub weight: RotatedWeight,
    /// `[out]`: an ordinary leaf, with its gradient in `bias.grad()`.
    pub bias: Option<Tensor>,
}

impl OptLinear {
    /// A layer over `frozen_weight`, `[out, in]`, a rotation of `in` dimensions, and a `bias`, `[out]`, a leaf
    /// that gathers gradients from here on.
    ///
    /// # Errors
    /// [`Error::BiasShape`], and those of [`Rotation::rotate`].
    pub fn new(
        frozen_weight: &Tensor,
        rotation: Box<dyn Rotation>,
        bias: Option<Tensor>,
    ) -> Result<Self, Error> {
        let weight = RotatedWeight::new(frozen_weight, rotation)?;
        gather_gradients(bias.as_ref(), weight.frozen_weight().size()[0])?;
        Ok(Self { weight, bias })
    }
}

/// Makes a leaf of a layer's bias, if it has one entry for each of its `neurons`.
pub(crate) fn gather_gradients(bias: Option<&Tensor>, neurons: i64) -> Result<(), Error> {
    if let Some(bs) = bias {
        if bs.size() != [neurons] {
            return Err(Error::BiasShape { neurons, size: bs.size() });
        }
        let _same = bs.f_set_requires_grad(true)?;
    }
    Ok(())
}

impl nn::Module for OptLinear {
    /// Maps `xs`, `[..., in]`, to `[..., out]`.
    fn forward(&self, xs: &Tensor) -> Tensor {
        xs.linear(self.weight.value(), self.bias.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;
    use tch::nn::Module;

    use super::*;
    use crate::draws::gaussian;
    use crate::{Cayley, EnergyConfig, GramSchmidt, hyperspherical_energy};

    const IN: i64 = 6;
    const OUT: i64 = 4;

    fn rotations(kind: Kind) -> [Box<dyn Rotation>; 2] {
        let raw = gaussian(&[IN, IN], 1, kind);
        [Box::new(Cayley::new(&(&raw * 0.4)).unwrap()), Box::new(GramSchmidt::new(&raw).unwrap())]
    }

    fn layer(rotation: Box<dyn Rotation>) -> OptLinear {
        let kind = rotation.raw().kind();
        let bias = gaussian(&[OUT], 3, kind);
        OptLinear::new(&gaussian(&[OUT, IN], 2, kind), rotation, Some(bias)).unwrap()
    }

    fn loss(layer: &OptLinear) -> Tensor {
        let kind = layer.weight.raw().kind();
        let (xs, target) = (gaussian(&[16, IN], 4, kind), gaussian(&[16, OUT], 5, kind));
        layer.forward(&xs).tanh().mse_loss(&target, tch::Reduction::Mean)
    }

    #[test]
    fn agrees_with_a_plain_layer_with_the_merged_weight() {
        for rotation in rotations(Kind::Float) {
            let layer = layer(rotation);
            let plain = nn::Linear { ws: layer.weight.merged(), bs: layer.bias.as_ref().map(Tensor::detach) };
            let xs = gaussian(&[7, IN], 6, Kind::Float);
            assert_eq!(layer.forward(&xs), plain.forward(&xs));
            let r = layer.weight.rotation().matrix().unwrap().unwrap();
            let ws = layer.weight.frozen_weight().matmul(&r.tr());
            assert!(plain.ws.allclose(&ws, 1e-5, 1e-5, false));
        }
    }

    #[test]
    fn gradient_agrees_with_finite_differences() {
        const STEP: f64 = 1e-5;
        for (rotation, skew) in rotations(Kind::Double).into_iter().zip([true, false]) {
            let mut layer = layer(rotation);
            loss(&layer).backward();
            let gradient = layer.weight.raw_gradient().unwrap();
            let shifted_loss = |layer: &mut OptLinear, shift: &Tensor| {
                let _ = layer.weight.raw().shallow_clone().g_add_(shift);
                layer.weight.refresh().unwrap();
                let value = loss(layer).double_value(&[]);
                let _ = layer.weight.raw().shallow_clone().g_sub_(shift);
                value
            };
            for (i, j) in (0..IN).flat_map(|i| (i + 1..IN).map(move |j| (i, j))) {
                let mut shift = layer.weight.raw().zeros_like();
                let _ = shift.get(i).get(j).fill_(STEP);
                if skew {
                    shift = &shift - shift.tr();
                }
                let difference = shifted_loss(&mut layer, &shift) - shifted_loss(&mut layer, &-&shift);
                let (ours, expected) = (gradient.double_value(&[i, j]), difference / (2.0 * STEP));
                assert!((ours - expected).abs() < 1e-8, "({i}, {j}): {ours} for {expected}");
            }
        }
    }

    #[test]
    fn training_lowers_the_loss_and_keeps_the_energy() {
        for rotation in rotations(Kind::Float) {
            let mut layer = layer(rotation);
            let config = EnergyConfig::default();
            let energy = hyperspherical_energy(layer.weight.frozen_weight(), &config).unwrap();
            let first = loss(&layer).double_value(&[]);
            for _ in 0..300 {
                loss(&layer).backward();
                let gradient = layer.weight.raw_gradient().unwrap();
                let bias = layer.bias.as_mut().unwrap();
                tch::no_grad(|| {
                    let _ = layer.weight.raw().shallow_clone().g_sub_(&(gradient * 0.2));
                    let _ = bias.g_sub_(&(bias.grad() * 0.2));
                });
                bias.zero_grad();
                layer.weight.refresh().unwrap();
            }
            let last = loss(&layer).double_value(&[]);
            println!("loss {first} -> {last}");
            assert!(last < 0.6 * first, "{first} -> {last}");
            let after = hyperspherical_energy(layer.weight.value(), &config).unwrap();
            assert!(((after - energy) / energy).abs() < 1e-5, "{energy} -> {after}");
            assert!(layer.weight.orthogonality_error().unwrap() < 5e-6);
        }
    }

    #[test]
    fn rejects_a_bias_of_the_wrong_size() {
        let [rotation, _] = rotations(Kind::Float);
        let bias = Some(gaussian(&[IN], 3, Kind::Float));
        let message = OptLinear::new(&gaussian(&[OUT, IN], 2, Kind::Float), rotation, bias).unwrap_err();
        assert_eq!(message.to_string(), "the bias of a layer of 4 neurons must be [4], got [6]");
    }
}
