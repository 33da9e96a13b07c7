//! The two parts of an arm that are resolved together, because a method inherits rates from the training.

use serde_json::{Value, json};

use crate::fields::Fields;
use crate::merge::merge;
use crate::method::MethodSpec;
use crate::problem::shown;
use crate::train::TrainSpec;

/// The `train` of an experiment, which its arms inherit.
pub(crate) struct Base<'a> {
    pub(crate) train: TrainSpec,
    /// The table as it is written.
    pub(crate) written: Option<&'a Value>,
    /// Whether the table is free of mistakes. Otherwise, arms would repeat them.
    pub(crate) is_sound: bool,
}

/// The method and the training of an arm.
pub(crate) struct Parts {
    pub(crate) method: MethodSpec,
    pub(crate) train: TrainSpec,
}

impl Parts {
    /// The field at a pointer such as `/train/optimizer/learning_rate`; `None` if there is none.
    pub(crate) fn value(&self, pointer: &str) -> Option<Value> {
        let whole = json!({ "method": self.method, "train": self.train });
        whole.pointer(pointer).cloned()
    }
}

/// Reads `train` and `method` of an arm.
pub(crate) fn read_parts(fields: &mut Fields<'_>, base: &Base<'_>) -> Parts {
    let own = fields.raw("train");
    let train = match own {
        Some(Value::Object(_)) if !base.is_sound => base.train.clone(),
        // In a stored spec every arm is spelled out, and most are equal to the base, which need not be read again.
        Some(own) if base.written == Some(own) => base.train.clone(),
        Some(own @ Value::Object(_)) => {
            let inherited = serde_json::to_value(&base.train).expect("a spec is JSON");
            fields.nested("train", &merge(inherited, own), TrainSpec::read)
        }
        Some(other) => {
            fields.wrong("train", format!("must be a table of fields of `train`, is {}", shown(other)));
            base.train.clone()
        }
        None => base.train.clone(),
    };
    let example = "{ kind = \"opt\", transform = \"cayley\" }";
    let method = fields.table("method", Some(example), |method| MethodSpec::read(method, &train));
    Parts { method, train }
}
