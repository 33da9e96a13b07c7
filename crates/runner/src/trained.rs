//! Tensors that an optimizer steps, and how their gradients come about.

use optlab_opt::{Error, RotatedWeight};
use tch::{TchError, Tensor};

/// What a trained tensor is to its optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A weight: it decays.
    Weight,
    /// A bias, or batch normalisation's factor or offset: it does not decay.
    Offset,
    /// The raw parameter of a rotation, with a rate and a decay of its own.
    Rotation,
}

/// A tensor that is stepped in place; after each step, [`refresh`](Self::refresh).
pub trait Trained {
    /// What it is to its optimizer.
    fn role(&self) -> Role;
    /// The tensor to step, outside any graph.
    fn tensor(&self) -> Tensor;
    /// What the layer computes with: of a rotated weight W, not its raw parameter.
    fn value(&self) -> &Tensor;
    /// dL/dx since the last refresh, for x the [`value`](Self::value). What scales it in place scales [`gradient`](Self::gradient) too.
    ///
    /// # Errors
    /// If no backward pass has reached it.
    fn effective_gradient(&self) -> Result<Tensor, Error>;
    /// The gradient of the tensor to step, made from the effective one; for the caller to keep or change.
    ///
    /// # Errors
    /// If no backward pass has reached it.
    fn gradient(&self) -> Result<Tensor, Error> {
        self.effective_gradient()
    }
    /// Steps the tensor by a rule of its own; `false`, with nothing done, where there is none.
    ///
    /// # Errors
    /// libtorch's own.
    fn step_along(&mut self, _gradient: &Tensor, _rate: f64) -> Result<bool, Error> {
        Ok(false)
    }
    /// Makes the next forward pass see what was stepped.
    ///
    /// # Errors
    /// libtorch's own.
    fn refresh(&mut self) -> Result<(), Error>;
}

/// A tensor that is trained as it is.
#[derive(Debug)]
pub struct Plain {
    tensor: Tensor,
    /// Shares the tensor's memory. Made anew for each step, as a rotated weight is: its gradient then starts empty,
    /// and libtorch hands it over instead of adding it to zeros.
    leaf: Tensor,
    role: Role,
}

impl Plain {
    /// Trains `tensor` from now on.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(tensor: Tensor, role: Role) -> Result<Self, TchError> {
        Ok(Self { leaf: leaf(&tensor)?, tensor, role })
    }

    /// What a forward pass uses.
    pub fn value(&self) -> &Tensor {
        &self.leaf
    }
}

fn leaf(tensor: &Tensor) -> Result<Tensor, TchError> {
    tensor.f_detach()?.f_set_requires_grad(true)
}

impl Trained for Plain {
    fn role(&self) -> Role {
        self.role
    }

    fn tensor(&self) -> Tensor {
        self.tensor.shallow_clone()
    }

    fn value(&self) -> &Tensor {
        Self::value(self)
    }

    fn effective_gradient(&self) -> Result<Tensor, Error> {
        Ok(self.leaf.f_grad()?)
    }

    fn refresh(&mut self) -> Result<(), Error> {
        self.leaf = leaf(&self.tensor)?;
        Ok(())
    }
}

impl Trained for RotatedWeight {
    fn role(&self) -> Role {
        Role::Rotation
    }

    fn tensor(&self) -> Tensor {
        self.raw().shallow_clone()
    }

    fn value(&self) -> &Tensor {
        Self::value(self)
    }

    fn effective_gradient(&self) -> Result<Tensor, Error> {
        self.weight_gradient()
    }

    fn gradient(&self) -> Result<Tensor, Error> {
        self.raw_gradient()
    }

    fn step_along(&mut self, gradient: &Tensor, rate: f64) -> Result<bool, Error> {
        Self::step_along(self, gradient, rate)
    }

    fn refresh(&mut self) -> Result<(), Error> {
        Self::refresh(self)
    }
}
