//! What the miners of one process have answered so far: how a copier sees others' answers.
//!
//! It stands for operators with many uids who share answers. Only a local network has one.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::watch;

use crate::domain::Query;

/// The oldest questions are forgotten beyond so many.
const QUESTIONS: usize = 256;

type Answers = VecDeque<(Vec<String>, String)>;

/// The first answer to each question. Clones are the same board.
#[derive(Clone, Debug)]
pub struct AnswerBoard(Arc<watch::Sender<Answers>>);

impl Default for AnswerBoard {
    fn default() -> Self {
        Self(Arc::new(watch::channel(Answers::new()).0))
    }
}

impl AnswerBoard {
    /// Shows an answer, if it is the first to its question that is not empty.
    pub fn post(&self, query: &Query, answer: &str) {
        if answer.trim().is_empty() {
            return;
        }
        self.0.send_if_modified(|answers| {
            if answers.iter().any(|(messages, _)| *messages == query.messages) {
                return false;
            }
            answers.push_back((query.messages.clone(), answer.to_owned()));
            if answers.len() > QUESTIONS {
                answers.pop_front();
            }
            true
        });
    }

    /// Waits for the first answer to a question. The caller's deadline bounds the wait.
    pub async fn first(&self, query: &Query) -> String {
        let mut board = self.0.subscribe();
        let find = |answers: &Answers| {
            let found = answers.iter().find(|(messages, _)| *messages == query.messages);
            found.map(|(_, answer)| answer.clone())
        };
        match board.wait_for(|answers| find(answers).is_some()).await {
            Ok(answers) => find(&answers).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_copier_gets_the_first_answer_to_its_own_question_even_if_it_comes_later() {
        let board = AnswerBoard::default();
        let (tea, ice) = (Query::from_user("tea?"), Query::from_user("ice?"));
        board.post(&ice, "cold");
        board.post(&tea, " ");
        let copied = board.first(&tea);
        let posted = async {
            board.post(&tea, "first");
            board.post(&tea, "second");
        };
        assert_eq!(futures_util::future::join(copied, posted).await.0, "first");
    }
}
