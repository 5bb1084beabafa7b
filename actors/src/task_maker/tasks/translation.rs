//! `translation`: a sentence of an article in another language.

use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, OF_PROSE, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, SourceKind};
use crate::reward_scorer::rewards::{OfReferences, Weighted, relevance::RELEVANCE, rouge::ROUGE_1};
use crate::task_maker::passage::sentences_of;

/// Words of a sentence that is worth translating and short enough to be.
const WORDS: std::ops::RangeInclusive<usize> = 6..=35;

/// From which language into which. The sources are English.
const PAIRS: [(&str, &str); 5] = [
    ("English", "French"),
    ("English", "German"),
    ("English", "Spanish"),
    ("English", "Italian"),
    ("English", "Portuguese"),
];

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "translation",
    about: "a sentence, to be translated",
    desc: "get help with a translation",
    goal: "get this sentence translated",
    sources: &[SourceKind::Article],
    rewards: &[Weighted { kind: ROUGE_1, weight: 0.5 }, Weighted { kind: RELEVANCE, weight: 0.5 }],
    // The sentence itself is near its translation in meaning and shares its names.
    penalties: OF_PROSE,
    references: OfReferences::Best,
    copies: false,
    plan,
});

const TRANSLATE: &str = "{query}\nWrite only the translation.";

fn plan(context: &Context, random: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let text = context.text();
    let sentences = sentences_of(&text, WORDS);
    let (Some(sentence), Some((from, into))) = (sentences.choose(random), PAIRS.choose(random))
    else {
        return Err(Unfit::new(context, "it has no sentence of 6 to 35 words"));
    };
    Ok(TaskPlan {
        query: Text::Fixed(format!("Translate from {from} into {into}: {sentence}")),
        reference: ReferencePlan::Generated {
            material: format!("A sentence about {} is to be translated.", context.title),
            instructions: &[TRANSLATE],
        },
        form: ChallengeForm::LeadingTo {
            order: format!("Translate the following from {from} into {into}"),
            text: format!("From {from} into {into}:\n\n{sentence}"),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::testkit::{article, planned, shown, stub};
    use super::*;

    #[test]
    fn a_sentence_is_pasted_with_the_language_that_it_is_wanted_in() {
        let plan = planned(TASK, &article(), 1).unwrap();
        let Text::Fixed(query) = &plan.query else { panic!("the sentence is the article's") };
        assert_eq!(
            shown(&plan, query),
            "# query\n\
             Translate from English into Spanish: The first gardens of Darjeeling were laid out \
             in 1841 by Archibald Campbell.\n\
             # reference\n\
             A sentence about Tea is to be translated.\n\
             \n\
             Translate from English into Spanish: The first gardens of Darjeeling were laid out \
             in 1841 by Archibald Campbell.\n\
             Write only the translation.\n\
             # pasted\n\
             From English into Spanish:\n\
             \n\
             The first gardens of Darjeeling were laid out in 1841 by Archibald Campbell.\n"
        );
    }

    #[test]
    fn an_article_without_such_a_sentence_is_refused() {
        let cause = planned(TASK, &stub(), 1).unwrap_err().cause;
        assert_eq!(cause, "it has no sentence of 6 to 35 words");
    }
}
