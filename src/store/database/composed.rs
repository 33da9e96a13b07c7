//! Statements whose parts depend on the request.

use sqlx::AssertSqlSafe;

use super::statement::{Statement, Value};

/// A statement that is being put together. Every part is a text of this program, and every value a parameter, so that no
/// request can change the meaning of the statement.
#[derive(Default)]
pub(in crate::store) struct Composed {
    sqlite: String,
    postgres: String,
    values: Vec<Value>,
}

/// A parameter of the statement that is being put together.
#[derive(Clone, Copy)]
pub(in crate::store) struct Parameter(usize);

impl Composed {
    /// Adds a part that both databases understand.
    pub(in crate::store) fn push(&mut self, part: &'static str) -> &mut Self {
        self.push_for(part, part)
    }

    /// Adds a part with a text per database.
    pub(in crate::store) fn push_for(&mut self, sqlite: &'static str, postgres: &'static str) -> &mut Self {
        self.sqlite.push_str(sqlite);
        self.postgres.push_str(postgres);
        self
    }

    /// A new parameter, which may be pushed several times.
    pub(in crate::store) fn parameter(&mut self, value: impl Into<Value>) -> Parameter {
        self.values.push(value.into());
        Parameter(self.values.len())
    }

    /// Adds a parameter.
    pub(in crate::store) fn push_parameter(&mut self, Parameter(number): Parameter) -> &mut Self {
        let name = format!("${number}");
        self.sqlite.push_str(&name);
        self.postgres.push_str(&name);
        self
    }

    /// Adds a part with a text per database, in which `$?` stands for the parameter.
    pub(in crate::store) fn push_with(
        &mut self,
        Parameter(number): Parameter,
        sqlite: &'static str,
        postgres: &'static str,
    ) -> &mut Self {
        let name = format!("${number}");
        self.sqlite.push_str(&sqlite.replace("$?", &name));
        self.postgres.push_str(&postgres.replace("$?", &name));
        self
    }

    /// Adds a new parameter.
    pub(in crate::store) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        let parameter = self.parameter(value);
        self.push_parameter(parameter)
    }
}

impl From<Composed> for Statement {
    fn from(composed: Composed) -> Self {
        let Composed { sqlite, postgres, values } = composed;
        Self::new(AssertSqlSafe(sqlite), AssertSqlSafe(postgres)).bind_all(values)
    }
}
