//! What an optimizer steps, and how its gradients come about.

use optlab_opt::{Error, OwnStep, State};
use tch::{TchError, Tensor};

/// What outlives a step, by names that are unique in a job.
pub type Parts<'a> = Vec<(String, State<'a>)>;

/// A tensor that is stepped in place, outside any graph.
#[derive(Debug)]
pub struct Parameter {
    /// What it is to its optimizer.
    pub role: Role,
    /// Shares its memory with the owner's.
    pub tensor: Tensor,
}

/// What a parameter is to its optimizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A weight: it decays.
    Weight,
    /// A bias, or batch normalisation's factor or offset: it does not decay.
    Offset,
    /// The raw parameter of a rotation, with a rate and a decay of its own.
    Rotation,
}

/// What became of the parameters after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameters {
    /// The same as before.
    Kept,
    /// Others in their place: what an optimizer remembers of the old ones says nothing of these.
    Renewed,
}

/// A tensor that a layer computes with, made of parameters that are stepped in place; after each step,
/// [`refresh`](Self::refresh).
pub trait Trained {
    /// The layer's and its own, unique in a network: `hidden1.weight`.
    fn name(&self) -> &str;
    /// What is stepped, always in the same order.
    fn parameters(&self) -> Vec<Parameter>;
    /// Everything that its next step depends on: the parameters, in their order, then the rest. After it was
    /// overwritten, [`refresh`](Self::refresh).
    fn state(&mut self) -> Parts<'_> {
        let named = |parameter: Parameter| (self.name().to_owned(), State::Tensor(parameter.tensor));
        self.parameters().into_iter().map(named).collect()
    }
    /// What the layer computes with: of a rotated weight W, not its raw parameter.
    fn value(&self) -> &Tensor;
    /// dL/dx since the last refresh, for x the [`value`](Self::value). What scales it in place scales
    /// [`gradients`](Self::gradients) too.
    ///
    /// # Errors
    /// If no backward pass has reached it.
    fn effective_gradient(&self) -> Result<Tensor, Error>;
    /// The gradients of the parameters, made from the effective one; for the caller to keep or change.
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
    /// Makes the next forward pass see what was stepped.
    ///
    /// # Errors
    /// libtorch's own.
    fn refresh(&mut self) -> Result<(), Error>;
    /// Exchanges the parameters for others where their time is over after `updates` updates.
    ///
    /// # Errors
    /// libtorch's own.
    fn renew(&mut self, _updates: u64) -> Result<Parameters, Error> {
        Ok(Parameters::Kept)
    }
}

/// A tensor that is trained as it is.
#[derive(Debug)]
pub struct Plain {
    name: String,
    tensor: Tensor,
    /// Shares the tensor's memory. Made anew for each step, as a rotated weight is: its gradient then starts empty,
    /// and libtorch hands it over instead of adding it to zeros.
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

    /// What a forward pass uses.
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
