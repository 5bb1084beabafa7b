//! What a kind of problem is; the fields next door fill tables of them.

use rand_chacha::ChaCha8Rng;

/// A problem and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// As it is put to a person, with the wanted rounding or form.
    pub(super) statement: String,
    /// In the form of its kind.
    pub(super) solution: String,
}

/// How the answers of a kind are written. Only a [`Form::Number`] can be compared by its distance
/// from the right one; the others are right or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Decimal text, `-12.5`; with two decimals exactly when the statement asks for rounding.
    Number,
    /// A reduced fraction, `-3/4`, or a whole number, `2`.
    Fraction,
    /// Numbers whose order counts, `2, 2, 3`.
    List,
    /// Numbers whose order does not count, `{1, 4, 9}`.
    Set,
    /// Numbers in round brackets, each of which has its own meaning, `(3, -1)`.
    Tuple,
    /// Rows, `[[1, 2], [3, 4]]`.
    Matrix,
    /// Falling powers of x, `3x^2 - (1/2)x + 5`.
    Polynomial,
    /// `3+4i`, `-2i` or `7`.
    Complex,
    /// One word or symbol, `yes`, `<`, `XIV`, `1a3f`; capitals do not count.
    Word,
    /// Another expression, `y = 2x + 1`; spaces and capitals do not count.
    Text,
}

/// One kind of problem.
#[derive(Debug)]
pub struct Kind {
    /// Unique among all fields; mathgenerator's name where it has the kind.
    pub name: &'static str,
    /// The field, by mathgenerator's name for it.
    pub topic: &'static str,
    /// The title for people.
    pub subtopic: &'static str,
    /// How its answers are written.
    pub form: Form,
    pose: fn(&mut ChaCha8Rng) -> Posed,
}

/// A question and its answer, before it is labelled.
pub(super) struct Posed {
    statement: String,
    solution: String,
}

impl Posed {
    /// A question whose answer is exact; one that can be written in several ways says in which.
    pub(super) fn new(statement: String, solution: impl ToString) -> Self {
        Self { statement, solution: solution.to_string() }
    }

    /// A question whose answer has two decimals, which it then says.
    pub(super) fn rounded(statement: String, solution: String) -> Self {
        Self { statement: statement + " Round to two decimals.", solution }
    }
}

impl Kind {
    /// `pose` draws the operands and puts the question.
    pub(super) const fn new(
        topic: &'static str,
        form: Form,
        name: &'static str,
        subtopic: &'static str,
        pose: fn(&mut ChaCha8Rng) -> Posed,
    ) -> Self {
        Self { name, topic, subtopic, form, pose }
    }

    /// Draws one problem.
    pub(super) fn generate(&self, random: &mut ChaCha8Rng) -> Problem {
        let Posed { statement, solution } = (self.pose)(random);
        Problem { statement, solution }
    }
}
