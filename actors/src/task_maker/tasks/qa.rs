//! `qa`: a question about a passage of an article.

use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, SourceKind};
use crate::persona_agent::cleaners::Cleaner;
use crate::reward_scorer::rewards::{Weighted, relevance::RELEVANCE, rouge::ROUGE_1};
use crate::task_maker::passage::{excerpt, prompt, word_count};

/// A passage of this length is enough for a question and short enough to be read quickly.
const PASSAGE_WORDS: usize = 120;
/// Of less nothing can be asked.
const MIN_WORDS: usize = 10;

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "qa",
    about: "a question about a passage of an article",
    desc: "get help on answering a question",
    goal: "get the answer to this question",
    source: SourceKind::Article,
    rewards: &[Weighted { kind: ROUGE_1, weight: 0.5 }, Weighted { kind: RELEVANCE, weight: 0.5 }],
    // The original's weight: at less, whoever repeats the challenge earns by it.
    penalties: &[Weighted { kind: ROUGE_1, weight: 1.0 }],
    plan,
});

const ASK: &str = "Write one clear question that this text answers. It must be understood without \
                   the text. Write only the question, in one sentence.";
const ANSWER: &str = "Question: {query}\nAnswer the question from the text, in two or three plain \
                      and complete sentences. State facts and do not mention the text.";

fn plan(context: &Context, random: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let passage = excerpt(context, PASSAGE_WORDS, random);
    if word_count(&passage) < MIN_WORDS {
        return Err(Unfit::new(context, "it has hardly any text"));
    }
    let material = format!("Text about {}:\n{passage}", context.title);
    Ok(TaskPlan {
        topic: context.topic.clone(),
        subtopic: context.subtopic.clone(),
        query: Text::Generated(prompt(&material, ASK)),
        reference: ReferencePlan::Generated { material, instructions: &[ANSWER] },
        form: ChallengeForm::Phrased,
        cleaners: &[Cleaner::RemoveQuotes, Cleaner::PruneEnding, Cleaner::RemoveRoles],
    })
}

#[cfg(test)]
mod tests {
    use super::super::testkit::{article, planned, shown, stub};
    use super::*;

    #[test]
    fn a_question_and_its_answer_are_drawn_from_the_same_passage() {
        let plan = planned(TASK, &article(), 2).unwrap();
        assert_eq!(
            shown(&plan, "Where?"),
            "# query\n\
             system: You do exactly what the last line asks for, and write nothing else.\n\
             user: Text about Tea:\n\
             Tea is a drink made of leaves. It has been traded by sea since 1610. The Dutch \
             brought the first tea to Amsterdam in 1610. In London Thomas Garraway sold it from \
             1657 on in his coffee house. In India Robert Bruce found wild tea plants in Assam in \
             1823. The first gardens of Darjeeling were laid out in 1841 by Archibald Campbell. A \
             duty on tea led to a famous protest in Boston in 1773. The clipper Cutty Sark was \
             built by Hercules Linton in 1869 to bring tea home faster. Black tea is made with \
             boiling water, and green tea with cooler water. In 1908 Thomas Sullivan sent out his \
             samples in small bags of silk.\n\
             \n\
             Write one clear question that this text answers. It must be understood without the \
             text. Write only the question, in one sentence.\n\
             # reference\n\
             system: You do exactly what the last line asks for, and write nothing else.\n\
             user: Text about Tea:\n\
             Tea is a drink made of leaves. It has been traded by sea since 1610. The Dutch \
             brought the first tea to Amsterdam in 1610. In London Thomas Garraway sold it from \
             1657 on in his coffee house. In India Robert Bruce found wild tea plants in Assam in \
             1823. The first gardens of Darjeeling were laid out in 1841 by Archibald Campbell. A \
             duty on tea led to a famous protest in Boston in 1773. The clipper Cutty Sark was \
             built by Hercules Linton in 1869 to bring tea home faster. Black tea is made with \
             boiling water, and green tea with cooler water. In 1908 Thomas Sullivan sent out his \
             samples in small bags of silk.\n\
             \n\
             Question: Where?\n\
             Answer the question from the text, in two or three plain and complete sentences. \
             State facts and do not mention the text.\n"
        );
    }

    #[test]
    fn an_article_without_text_is_refused() {
        assert_eq!(planned(TASK, &stub(), 1).unwrap_err().cause, "it has hardly any text");
    }
}
