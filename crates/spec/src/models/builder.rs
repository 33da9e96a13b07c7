//! Builds a network layer by layer: sizes are carried along, and the first misfit is recorded.

use super::batch_norm::BatchNorm;
use crate::architecture::{Architecture, Layer, Task};

/// Adds layers one after another. The first size that does not fit is reported at the end, by
/// [`classifier`](Self::classifier), so that a model reads as the list of its layers.
pub(crate) struct Builder {
    layers: Vec<Layer>,
    shape: Shape,
    classes: u64,
    misfit: Option<String>,
}

/// Shape of the next layer's input, without the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// Channels, height and width.
    Image([u64; 3]),
    Flat(u64),
}

/// Sizes of a convolution.
#[derive(Clone, Copy)]
pub(crate) struct Conv {
    pub(crate) c_out: u64,
    pub(crate) kernel: u64,
    pub(crate) stride: u64,
    pub(crate) padding: u64,
    pub(crate) bias: bool,
}

impl Builder {
    /// Starts at the images of a task.
    pub(crate) fn new(task: &Task) -> Self {
        Self { layers: Vec::new(), shape: Shape::Image(task.shape), classes: task.classes, misfit: None }
    }

    /// A linear layer that the method trains; an image is flattened before it.
    pub(crate) fn linear(&mut self, name: String, n: u64, bias: bool) {
        let d = self.flatten();
        self.layers.push(Layer::Linear { name, d, n, bias, by_method: true });
        self.shape = Shape::Flat(n);
    }

    /// A convolution that the method trains.
    pub(crate) fn conv(&mut self, name: String, conv: Conv) {
        let Conv { c_out, kernel, stride, padding, bias } = conv;
        let c_in = self.channels();
        self.slide(c_out, kernel, stride, padding);
        self.layers.push(Layer::Conv2d { name, c_in, c_out, kernel, stride, padding, bias, by_method: true });
    }

    pub(crate) fn batch_norm(&mut self, name: String, settings: &BatchNorm) {
        let (Shape::Image([n, ..]) | Shape::Flat(n)) = self.shape;
        let BatchNorm { momentum, epsilon } = *settings;
        self.layers.push(Layer::BatchNorm { name, n, momentum, epsilon });
    }

    pub(crate) fn relu(&mut self) {
        self.layers.push(Layer::Relu);
    }

    pub(crate) fn max_pool(&mut self, size: u64, stride: u64, padding: u64) {
        self.slide(self.channels(), size, stride, padding);
        self.layers.push(Layer::MaxPool { size, stride, padding });
    }

    pub(crate) fn global_average_pool(&mut self) {
        self.shape = Shape::Flat(self.channels());
        self.layers.push(Layer::GlobalAveragePool);
    }

    /// The sum of a branch and a shortcut, each built from the present shape.
    pub(crate) fn residual(&mut self, branch: impl FnOnce(&mut Self), shortcut: impl FnOnce(&mut Self)) {
        let (branch, shortcut) = (self.side(branch), self.side(shortcut));
        assert_eq!(branch.shape, shortcut.shape, "the sides of a residual block end in one shape");
        self.shape = branch.shape;
        self.misfit = self.misfit.take().or(branch.misfit).or(shortcut.misfit);
        self.layers.push(Layer::Residual { branch: branch.layers, shortcut: shortcut.layers });
    }

    fn side(&self, build: impl FnOnce(&mut Self)) -> Self {
        let mut side = Self { layers: Vec::new(), misfit: None, ..*self };
        build(&mut side);
        side
    }

    /// The shortcut of a block that changes sizes, without parameters.
    pub(crate) fn zero_pad_shortcut(&mut self, c_out: u64, stride: u64) {
        let [c_in, height, width] = self.image();
        self.shape = Shape::Image([c_out, height.div_ceil(stride), width.div_ceil(stride)]);
        self.layers.push(Layer::ZeroPadShortcut { c_in, c_out, stride });
    }

    /// Channels of the next layer's input.
    pub(crate) fn channels(&self) -> u64 {
        self.image()[0]
    }

    /// Ends with the layer of the logits.
    ///
    /// # Errors
    /// The misfit, as the end of a sentence about the model.
    pub(crate) fn classifier(mut self) -> Result<Architecture, String> {
        let (name, d) = ("classifier".to_owned(), self.flatten());
        self.layers.push(Layer::Linear { name, d, n: self.classes, bias: true, by_method: false });
        match self.misfit {
            Some(misfit) => Err(misfit),
            None => Ok(Architecture { layers: self.layers }),
        }
    }

    /// The width of a flat input.
    fn flatten(&mut self) -> u64 {
        match self.shape {
            Shape::Flat(width) => width,
            Shape::Image(shape) => {
                self.layers.push(Layer::Flatten);
                shape.iter().product()
            }
        }
    }

    fn image(&self) -> [u64; 3] {
        match self.shape {
            Shape::Image(shape) => shape,
            Shape::Flat(_) => panic!("a model asks for images after they were flattened"),
        }
    }

    /// The shape after a layer with `c_out` channels per patch.
    fn slide(&mut self, c_out: u64, size: u64, stride: u64, padding: u64) {
        let [_, height, width] = self.image();
        let [rows, columns] = [height, width].map(|length| match (length + 2 * padding).checked_sub(size) {
            Some(rest) => rest / stride + 1,
            None => {
                let misfit = format!(
                    "does not fit images this small: a layer needs {size}x{size} pixels, but a side has only {length} left"
                );
                self.misfit.get_or_insert(misfit);
                // One patch, so that the following layers can be built.
                1
            }
        });
        self.shape = Shape::Image([c_out, rows, columns]);
    }
}
