//! The fields by which jobs are selected, ordered and grouped: columns, and settings of the spec by their paths.

use std::fmt;

use optlab_spec::nearest;
use optlab_spec::settings::{Setting, settings};
use strum::VariantArray;

use super::column::{Column, Kind};

/// A column of a job, or a setting of its spec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A column.
    Column(Column),
    /// A setting.
    Setting(&'static Setting),
}

/// What a condition can compare a field with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Takes {
    /// Whether it holds numbers.
    pub numbers: bool,
    /// Whether it holds times.
    pub times: bool,
    /// Whether it holds texts.
    pub texts: bool,
    /// All of its texts, if they are a closed set; otherwise empty.
    pub words: Vec<&'static str>,
}

impl Default for Field {
    fn default() -> Self {
        Self::Column(Column::default())
    }
}

impl From<Column> for Field {
    fn from(column: Column) -> Self {
        Self::Column(column)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Field {
    /// Every field: the columns, then the settings in alphabetical order.
    pub fn all() -> impl Iterator<Item = Self> {
        let columns = Column::VARIANTS.iter().map(|&column| Self::Column(column));
        columns.chain(settings().iter().map(Self::Setting))
    }

    /// The word of a column, or the path of a setting.
    pub fn name(self) -> &'static str {
        match self {
            Self::Column(column) => column.into(),
            Self::Setting(setting) => &setting.path,
        }
    }

    /// The field of a name. The end of a path is enough if no other path ends with it: `batch_size` is
    /// `train.batch_size`.
    ///
    /// # Errors
    /// The reason why there is no such field and the nearest one, as a sentence.
    pub fn parse(name: &str) -> Result<Self, String> {
        if let Some(field) = Self::all().find(|field| field.name() == name) {
            return Ok(field);
        }
        let end = format!(".{name}");
        let ending: Vec<Self> = Self::all().filter(|field| field.name().ends_with(&end)).collect();
        match ending.as_slice() {
            [only] => Ok(*only),
            [] => Err(unknown(name)),
            several => {
                let paths: Vec<String> = several.iter().map(|field| format!("`{field}`")).collect();
                Err(format!("`{name}` is ambiguous: give one of {}", paths.join(", ")))
            }
        }
    }

    /// What a condition can compare it with.
    pub fn takes(self) -> Takes {
        let mut takes = Takes::default();
        match self {
            Self::Column(column) => match column.about().0 {
                Kind::Number => takes.numbers = true,
                Kind::Time => takes.times = true,
                Kind::Text | Kind::List => takes.texts = true,
                Kind::Words(words) => (takes.texts, takes.words) = (true, words.to_vec()),
            },
            Self::Setting(setting) => {
                (takes.numbers, takes.texts) = (setting.values.numbers, setting.values.texts);
                takes.words = setting.values.words.iter().map(String::as_str).collect();
            }
        }
        takes
    }

    /// Whether a job has a list of texts, each of which a condition compares.
    pub(super) fn is_list_of_words(self) -> bool {
        matches!(self, Self::Column(column) if column.about().0 == Kind::List)
    }
}

fn unknown(name: &str) -> String {
    let last = |name: &'static str| name.rsplit('.').next().unwrap_or(name);
    let names = || Field::all().map(Field::name);
    let similar = nearest(name, names()).or_else(|| {
        let word = nearest(name.rsplit('.').next().unwrap_or(name), names().map(last))?;
        names().filter(|name| last(name) == word).max_by_key(|name| name.starts_with("train."))
    });
    match similar {
        Some(similar) => format!("there is no field `{name}`; did you mean `{similar}`?"),
        None => format!("there is no field `{name}`; GET /api/v1/jobs/fields lists them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> String {
        Field::parse(name).unwrap_err()
    }

    #[test]
    fn a_field_is_found_by_its_name_or_the_end_of_its_path() {
        for (given, name) in [
            ("state", "state"),
            ("train.batch_size", "train.batch_size"),
            ("batch_size", "train.batch_size"),
            ("optimizer.learning_rate", "train.optimizer.learning_rate"),
            // A column comes before the setting `train.steps`.
            ("steps", "steps"),
        ] {
            assert_eq!(Field::parse(given).unwrap().name(), name);
        }
        for field in Field::all() {
            assert_eq!(Field::parse(field.name()), Ok(field));
        }
    }

    #[test]
    fn an_unknown_field_is_rejected_with_the_nearest_one() {
        let near = "there is no field `trian.batch_size`; did you mean `train.batch_size`?";
        assert_eq!(refused("trian.batch_size"), near);
        assert_eq!(refused("batchsize"), "there is no field `batchsize`; did you mean `train.batch_size`?");
        assert_eq!(refused("lr"), "there is no field `lr`; did you mean `train.optimizer.learning_rate`?");
        assert!(refused("colour").ends_with("GET /api/v1/jobs/fields lists them"));
        assert_eq!(
            refused("learning_rate"),
            "`learning_rate` is ambiguous: give one of `method.learning_rate`, `train.optimizer.learning_rate`"
        );
    }
}
