//! What a tool brings home: the real source that grounds a task.

use serde::{Deserialize, Serialize};

/// Which kind of source a task wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// An encyclopedia article with sections.
    Article,
    /// A mathematics problem with its solution.
    Maths,
    /// A dated fact.
    DatedFact,
    /// A source file.
    Code,
    /// A programming question with its answer.
    Question,
}

impl SourceKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Article, Self::Maths, Self::DatedFact, Self::Code, Self::Question];

    /// The name in the journal and in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Article => "article",
            Self::Maths => "maths",
            Self::DatedFact => "dated_fact",
            Self::Code => "code",
            Self::Question => "question",
        }
    }
}

/// One section of an article; the lead has no heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The heading, or `None` for the lead.
    pub heading: Option<String>,
    /// Plain text.
    pub text: String,
}

/// The content of a context, by kind of source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ContextBody {
    /// An article: lead first.
    Article {
        /// At least one section.
        sections: Vec<Section>,
    },
    /// A problem as it is put to a person, and its solution.
    Maths {
        /// The statement, with the wanted rounding and form if there is a choice.
        problem: String,
        /// The solution: decimal text, or an exact form (a fraction, a set, a matrix, a word).
        solution: String,
    },
    /// Something that happened on a known day.
    DatedFact {
        /// `YYYY-MM-DD`.
        date: String,
        /// `Events`, `Births` or `Deaths`.
        section: String,
        /// What happened, without the date.
        text: String,
    },
    /// A source file.
    Code {
        /// The language's usual name.
        language: String,
        /// The file's text.
        text: String,
    },
    /// A question and its best answer.
    Question {
        /// The question's text, code included.
        question: String,
        /// The answer's text, code included.
        answer: String,
    },
}

/// Where a context was published, for attribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its page.
    pub url: String,
    /// Who wrote it, if one person did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Under which licence, as the source names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
}

/// One piece of source material, as the original's `Context` named its fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// Which tool brought it, for example `builtin` or `maths`.
    pub source: String,
    /// The article's title, the kind of problem, the file's name.
    pub title: String,
    /// What the context is about.
    pub topic: String,
    /// A narrower subject: the first category, the subfield.
    pub subtopic: String,
    /// Categories and links by which it can be found.
    pub tags: Vec<String>,
    /// Where it was published; `None` for what was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What it says.
    pub body: ContextBody,
}

impl Context {
    /// All its text in reading order, headings left out.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.body {
            ContextBody::Article { sections } => {
                let texts: Vec<&str> = sections.iter().map(|s| s.text.as_str()).collect();
                texts.join("\n\n")
            }
            ContextBody::Maths { problem, .. } => problem.clone(),
            ContextBody::DatedFact { text, .. } | ContextBody::Code { text, .. } => text.clone(),
            ContextBody::Question { question, answer } => format!("{question}\n\n{answer}"),
        }
    }
}
