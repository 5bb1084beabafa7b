//! Questions and answers as the API writes them, and as a context.

use serde::Deserialize;
use sn1_actors::domain::{Context, ContextBody, Origin};

use super::NAME;
use crate::tools::html;

/// A post has 30 000 characters at most; its HTML takes a little more.
const LONGEST_BODY: usize = 64 << 10;
/// A title has 150 characters, escaped ones count for up to six.
const LONGEST_TITLE: usize = 1_000;
/// A question has five tags.
const MOST_TAGS: usize = 10;
/// Names, tags, licences, addresses.
const LONGEST_WORD: usize = 300;

/// A question of the API. What is not named here is not read.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Question {
    pub(super) question_id: u64,
    pub(super) accepted_answer_id: Option<u64>,
    #[serde(default)]
    answer_count: u64,
    score: i64,
    title: String,
    #[serde(default)]
    body: String,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    link: String,
    owner: Option<Owner>,
    content_license: Option<String>,
}

/// An answer of the API.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Answer {
    pub(super) question_id: u64,
    body: String,
    owner: Option<Owner>,
    content_license: Option<String>,
}

/// A deleted user has a name at most.
#[derive(Clone, Debug, Deserialize)]
struct Owner {
    display_name: Option<String>,
}

impl Question {
    /// Whether it is worth asking for its answers.
    pub(super) fn fits(&self, least_score: i64) -> bool {
        self.score >= least_score
            && self.answer_count > 0
            && self.title.len() <= LONGEST_TITLE
            && self.body.len() <= LONGEST_BODY
    }
}

/// None where the question or the answer has no text.
pub(super) fn context(question: Question, answer: Answer, site: &str) -> Option<Context> {
    // The API escapes titles and names as if they were put into a page.
    let title = line(&question.title);
    let body = html::text(&question.body);
    let answered = (answer.body.len() <= LONGEST_BODY).then(|| html::text(&answer.body))?;
    if title.is_empty() || answered.is_empty() {
        return None;
    }
    let asked = if body.is_empty() { title.clone() } else { format!("{title}\n\n{body}") };
    let tags: Vec<String> =
        question.tags.iter().filter_map(|tag| word(tag)).take(MOST_TAGS).collect();
    let author = |owner: Option<Owner>| word(&owner?.display_name?);
    let licence = |licence: Option<String>| word(&licence?);
    let origin = Origin {
        url: address(&question, site),
        author: both(author(question.owner), author(answer.owner)),
        license: both(licence(question.content_license), licence(answer.content_license)),
    };
    Some(Context {
        source: NAME.to_owned(),
        topic: title.clone(),
        subtopic: tags.first().map_or_else(|| site.to_owned(), Clone::clone),
        tags,
        origin: Some(origin),
        body: ContextBody::Question { question: asked, answer: answered },
        title,
    })
}

/// The question's page. Both posts stand on it.
fn address(question: &Question, site: &str) -> String {
    let Question { link, question_id, .. } = question;
    let is_address = (link.starts_with("https://") || link.starts_with("http://"))
        && link.len() <= LONGEST_WORD
        && !link.contains(|c: char| c.is_whitespace() || c.is_control());
    if is_address { link.clone() } else { format!("{site}, question {question_id}") }
}

/// Of the question and of the answer.
fn both(question: Option<String>, answer: Option<String>) -> Option<String> {
    match (question, answer) {
        (Some(one), Some(other)) if one == other => Some(one),
        (Some(one), Some(other)) => Some(format!("{one} (question), {other} (answer)")),
        (Some(one), None) => Some(format!("{one} (question)")),
        (None, Some(other)) => Some(format!("{other} (answer)")),
        (None, None) => None,
    }
}

fn word(text: &str) -> Option<String> {
    let word = (text.len() <= LONGEST_WORD).then(|| line(text))?;
    (!word.is_empty()).then_some(word)
}

/// Escaped text in one line.
fn line(escaped: &str) -> String {
    html::text(escaped).split_whitespace().collect::<Vec<_>>().join(" ")
}
