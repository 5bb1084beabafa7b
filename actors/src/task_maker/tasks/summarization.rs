//! `summarization`: a summary of what is known about a topic.

use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, OF_PROSE, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, SourceKind};
use crate::reward_scorer::rewards::{OfReferences, Weighted, relevance::RELEVANCE, rouge::ROUGE_L};
use crate::task_maker::passage::{first_words, word_count};

/// What the reference is drawn from: the lead and as much after it as fits.
const MATERIAL_WORDS: usize = 160;
/// Less needs no summary.
const MIN_WORDS: usize = 10;

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "summarization",
    about: "a summary of an article",
    desc: "get help with summarization",
    goal: "get a summary of this topic",
    sources: &[SourceKind::Article],
    rewards: &[Weighted { kind: ROUGE_L, weight: 0.5 }, Weighted { kind: RELEVANCE, weight: 0.5 }],
    penalties: OF_PROSE,
    references: OfReferences::Best,
    copies: true,
    plan,
});

const SUMMARISE: &str = "Topic: {query}\nSum up what the text says about the topic, in one short \
                         paragraph of plain and neutral sentences. State facts and do not mention \
                         the text.";

fn plan(context: &Context, _: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let text = first_words(&context.text(), MATERIAL_WORDS);
    if word_count(&text) < MIN_WORDS {
        return Err(Unfit::new(context, "it has hardly any text"));
    }
    if context.title.trim().is_empty() {
        return Err(Unfit::new(context, "it has no title"));
    }
    Ok(TaskPlan {
        query: Text::Fixed(context.title.clone()),
        reference: ReferencePlan::Generated {
            material: format!("Text about {}:\n{text}", context.title),
            instructions: &[SUMMARISE],
        },
        form: ChallengeForm::Phrased,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testkit::{article, planned, shown, stub};
    use super::*;

    #[test]
    fn the_title_is_asked_for_and_the_lead_summed_up() {
        let plan = planned(TASK, &article(), 2).unwrap();
        assert_eq!(
            shown(&plan, "Tea"),
            "# query\n\
             Tea\n\
             # reference\n\
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
             Topic: Tea\n\
             Sum up what the text says about the topic, in one short paragraph of plain and \
             neutral sentences. State facts and do not mention the text.\n"
        );
    }

    #[test]
    fn an_article_without_text_is_refused() {
        assert_eq!(planned(TASK, &stub(), 1).unwrap_err().cause, "it has hardly any text");
    }
}
