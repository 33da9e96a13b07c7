//! Trained tensors: the parameters of an optimizer, and their gradients.

use optlab_opt::{Error, OwnStep, State};
use tch::{TchError, Tensor};

/// State that outlives a step, by names that are unique in a job.
pub type Parts<'a> = Vec<(String, State<'a>)>;

/// A parameter, which is stepped in place, outside any graph.
#[derive(Debug)]
pub struct Parameter {
    /// Its role for the optimizer.
    pub role: Role,
    /// Shares its memory with the owner's.
    pub tensor: Tensor,
}

/// The role of a parameter for its optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A weight: it decays.
    Weight,
    /// A bias, or batch normalisation's factor or offset: it does not decay.
    Offset,
    /// The raw parameter of a rotation, with a rate and a decay of its own.
    Rotation,
}

/// Whether the parameters were replaced after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// The same as before.
    Kept,
    /// They were replaced, so the optimizer's memory of the old ones is obsolete.
    Renewed,
}

/// An effective tensor of a layer, computed from parameters that are stepped in place; after each step, call
/// [`refresh`](Self::refresh).
pub trait Trained {
    /// Name of the layer and the tensor, unique in a network: `hidden1.weight`.
    fn name(&self) -> &str;
    /// The parameters, always in the same order.
    fn parameters(&self) -> Vec<Parameter>;
    /// Everything on which its next step depends: the parameters, in their order, then the rest. After overwriting it,
    /// call [`refresh`](Self::refresh).
    fn state(&mut self) -> Parts<'_> {
        let named = |parameter: Parameter| (self.name().to_owned(), State::Tensor(parameter.tensor));
        self.parameters().into_iter().map(named).collect()
    }
    /// The effective tensor: W for a rotated weight, not its raw parameter.
    fn value(&self) -> &Tensor;
    /// dL/dx since the last refresh, for x the [`value`](Self::value). What scales it in place scales
    /// [`gradients`](Self::gradients) too.
    ///
    /// # Errors
    /// If no backward pass has reached it.
    fn effective_gradient(&self) -> Result<Tensor, Error>;
    /// The gradients of the parameters, computed from the effective one. The caller may keep or change them.
    ///
    /// # Errors
    /// If no backward pass has reached it.
    fn gradients(&self) -> Result<Vec<Tensor>, Error> {
        Ok(vec![self.effective_gradient()?])
    }
    /// The rotation that steps the parameter of role [`Role::Rotation`] by its own rule, if there is one.
    fn own_step(&mut self) -> Option<&mut dyn OwnStep> {
        None
    }
    /// Updates the effective tensor after a step.
    ///
    /// # Errors
    /// libtorch's own.
    fn refresh(&mut self) -> Result<(), Error>;
    /// Replaces the parameters if their round ends after `updates` updates.
    ///
    /// # Errors
    /// libtorch's own.
    fn renew(&mut self, _updates: u64) -> Result<Parameters, Error> {
        Ok(Parameters::Kept)
    }
}

/// A tensor that is its own parameter.
#[derive(Debug)]
pub struct Plain {
    name: String,
    tensor: Tensor,
    /// Shares the tensor's memory. Created again for each step, as a rotated weight is, so that its gradient starts
    /// empty and libtorch does not add it to zeros.
    leaf: Tensor,
    role: Role,
}

impl Plain {
    /// Trains `tensor` from now on, as `name`.
    ///
    /// # Errors
    /// libtorch's own.
    pub fn new(name: String, tensor: Tensor, role: Role) -> Result<Self, TchError> {
        Ok(Self { name, leaf: leaf(&tensor)?, tensor, role })
    }

    /// The tensor for a forward pass.
    pub fn value(&self) -> &Tensor {
        &self.leaf
    }
}

fn leaf(tensor: &Tensor) -> Result<Tensor, TchError> {
    tensor.f_detach()?.f_set_requires_grad(true)
}

impl Trained for Plain {
    fn name(&self) -> &str {
        &self.name
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![Parameter { role: self.role, tensor: self.tensor.shallow_clone() }]
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
