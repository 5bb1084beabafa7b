//! `qa`: a question about a passage of an article, or one that people asked and answered.
//!
//! What people asked is handed over in their own words. What they answered is only the material of
//! the reference: answers of theirs run from a line to pages, and those to be measured do not.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, OF_PROSE, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, ContextBody, SourceKind};
use crate::reward_scorer::rewards::{OfReferences, Weighted, relevance::RELEVANCE, rouge::ROUGE_1};
use crate::task_maker::passage::{excerpt, whole_sentences, word_count};
use crate::text::fences::fences;

/// A passage of this length is enough for a question and short enough to be read quickly.
const PASSAGE_WORDS: usize = 120;
/// Of less nothing can be asked.
const MIN_WORDS: usize = 10;
/// As much of a question is put to miners, in characters.
const QUESTION: usize = 2_000;
/// As much of an answer is read by the model, in characters.
const ANSWERED: usize = 1_200;
/// Fewer words ask nothing, and answer nothing.
const MIN_POST: usize = 4;

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "qa",
    about: "a question about an article, or one that people asked",
    desc: "get help on answering a question",
    goal: "get the answer to this question",
    sources: &[SourceKind::Article, SourceKind::Question],
    rewards: &[Weighted { kind: ROUGE_1, weight: 0.5 }, Weighted { kind: RELEVANCE, weight: 0.5 }],
    penalties: OF_PROSE,
    references: OfReferences::Best,
    copies: true,
    plan,
});

/// What can be asked of anything.
const OTHERWISE: [&str; 4] = [
    "What is {}, and what is it known for?",
    "What are the main facts about {}?",
    "Why does {} matter?",
    "How would you explain {} to a beginner?",
];
const ASK: &str = "Write one clear question that this text answers. It must be understood without \
                   the text. Write only the question, in one sentence.";
const ANSWER: &str = "Question: {query}\nAnswer the question from the text, in two or three plain \
                      and complete sentences. State facts and do not mention the text.";

fn plan(context: &Context, random: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    if let ContextBody::Question { question, answer } = &context.body {
        return asked(context, question, answer);
    }
    let passage = excerpt(context, PASSAGE_WORDS, random);
    if word_count(&passage) < MIN_WORDS {
        return Err(Unfit::new(context, "it has hardly any text"));
    }
    let material = format!("Text about {}:\n{passage}", context.title);
    let otherwise = OTHERWISE[random.random_range(0..OTHERWISE.len())];
    let otherwise = otherwise.replace("{}", &context.title);
    Ok(TaskPlan {
        query: Text::Question { material: material.clone(), instruction: ASK, otherwise },
        reference: ReferencePlan::Generated { material, instructions: &[ANSWER] },
        form: ChallengeForm::Phrased,
    })
}

/// The plan of a question that people asked; one with code is handed over unaltered.
fn asked(context: &Context, question: &str, answer: &str) -> Result<TaskPlan, Unfit> {
    let whole = |text, characters| {
        whole_sentences(text, characters).filter(|text| word_count(text) >= MIN_POST)
    };
    let question = whole(question, QUESTION)
        .ok_or_else(|| Unfit::new(context, "its question is too short, or too long to be cut"))?;
    let answer = whole(answer, ANSWERED)
        .ok_or_else(|| Unfit::new(context, "its answer is too short, or too long to be cut"))?;
    let form = match fences(question).is_empty() {
        true => ChallengeForm::Phrased,
        false => ChallengeForm::LeadingTo {
            order: format!("Answer a question about {}", context.title),
            text: question.to_owned(),
        },
    };
    Ok(TaskPlan {
        query: Text::Fixed(question.to_owned()),
        reference: ReferencePlan::Generated {
            material: format!("Answer to `{}`:\n{answer}", context.title),
            instructions: &[ANSWER],
        },
        form,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testkit::{article, of_source, planned, question, shown, stub};
    use super::*;

    #[test]
    fn a_question_and_its_answer_are_drawn_from_the_same_passage() {
        let plan = planned(TASK, &article(), 2).unwrap();
        assert_eq!(
            shown(&plan, "Where?"),
            "# query\n\
             Text about Tea:\n\
             Tea is a drink made of leaves. It has been traded by sea since 1610. The Dutch \
             brought the first tea to Amsterdam in 1610. In London Thomas Garraway sold it from \
             1657 on in his coffee house. In India Robert Bruce found wild tea plants in Assam \
             in 1823. The first gardens of Darjeeling were laid out in 1841 by Archibald \
             Campbell. A duty on tea led to a famous protest in Boston in 1773. The clipper \
             Cutty Sark was built by Hercules Linton in 1869 to bring tea home faster. Black \
             tea is made with boiling water, and green tea with cooler water. In 1908 Thomas \
             Sullivan sent out his samples in small bags of silk.\n\
             \n\
             Write one clear question that this text answers. It must be understood without the \
             text. Write only the question, in one sentence.\n\
             or: How would you explain Tea to a beginner?\n\
             # reference\n\
             …\n\
             \n\
             Question: Where?\n\
             Answer the question from the text, in two or three plain and complete sentences. \
             State facts and do not mention the text.\n"
        );
    }

    #[test]
    fn a_question_of_people_is_asked_in_their_words_and_answered_from_their_answer() {
        let plan = planned(TASK, &of_source(SourceKind::Question), 1).unwrap();
        let Text::Fixed(query) = &plan.query else { panic!("it is known") };
        assert_eq!(plan.form, ChallengeForm::Phrased);
        assert_eq!(
            shown(&plan, query),
            "# query\n\
             How do I keep tea fresh?\n\
             \n\
             Mine has no smell after a month on the shelf. Does the tin matter, or the light?\n\
             # reference\n\
             Answer to `How do I keep tea fresh?`:\n\
             Keep it in a closed tin, away from light and from spices. Air takes its smell \
             within weeks.\n\
             \n\
             Question: How do I keep tea fresh?\n\
             \n\
             Mine has no smell after a month on the shelf. Does the tin matter, or the light?\n\
             Answer the question from the text, in two or three plain and complete sentences. \
             State facts and do not mention the text.\n"
        );
    }

    #[test]
    fn a_question_keeps_its_code_and_loses_what_is_too_long() {
        let code = "Why does this fail?\n\n```python\nx = 1. \nprint(y)\n```";
        let long = format!("{code}\n\n{}", "I tried it twice. ".repeat(200));
        let plan = planned(TASK, &question(&long, "The name y is never set."), 1).unwrap();
        let Text::Fixed(query) = &plan.query else { panic!("it is known") };
        assert!(query.starts_with(code) && query.ends_with("twice."), "{query}");
        assert!((QUESTION - 100..=QUESTION).contains(&query.len()), "{}", query.len());
        assert!(shown(&plan, query).ends_with("# pasted\nthe query\n"));
        let endless = "a".repeat(100_000);
        for (asked, answered) in [(&*endless, code), (code, &endless), (code, "No.")] {
            assert!(planned(TASK, &question(asked, answered), 1).is_err());
        }
    }

    #[test]
    fn an_article_without_text_is_refused() {
        assert_eq!(planned(TASK, &stub(), 1).unwrap_err().cause, "it has hardly any text");
    }
}
