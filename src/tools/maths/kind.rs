//! What a kind of problem is; the fields next door fill tables of them.

use rand_chacha::ChaCha8Rng;

/// A problem and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// As it is put to a person, with the wanted rounding.
    pub(super) statement: String,
    /// Decimal text; with two decimals exactly when the statement asks for rounding.
    pub(super) solution: String,
    /// The field, by mathgenerator's name for it.
    pub(super) topic: &'static str,
    /// The kind's title.
    pub(super) subtopic: &'static str,
    /// The kind's name.
    pub(super) kind_name: &'static str,
}

/// One kind of problem.
pub(super) struct Kind {
    /// Unique among all fields; mathgenerator's name where it has the kind.
    pub(super) name: &'static str,
    /// The field, by mathgenerator's name for it.
    pub(super) topic: &'static str,
    /// The title for people.
    pub(super) subtopic: &'static str,
    /// Draws the operands and puts the question.
    pub(super) pose: fn(&mut ChaCha8Rng) -> Posed,
}

/// A question and its answer, before it is labelled.
pub(super) struct Posed {
    pub(super) statement: String,
    pub(super) solution: String,
}

impl Posed {
    /// A question whose answer is exact.
    pub(super) fn new(statement: String, solution: impl ToString) -> Self {
        Self { statement, solution: solution.to_string() }
    }

    /// A question whose answer has two decimals, which it then says.
    pub(super) fn rounded(statement: String, solution: String) -> Self {
        Self { statement: statement + " Round to two decimals.", solution }
    }
}

impl Kind {
    /// Draws one problem.
    pub(super) fn generate(&self, random: &mut ChaCha8Rng) -> Problem {
        let Posed { statement, solution } = (self.pose)(random);
        Problem {
            statement,
            solution,
            topic: self.topic,
            subtopic: self.subtopic,
            kind_name: self.name,
        }
    }
}
