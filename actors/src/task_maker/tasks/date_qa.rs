//! `date_qa`: the exact date of something that happened.

use rand_chacha::ChaCha8Rng;

use super::{ChallengeForm, Definition, ReferencePlan, TaskKind, TaskPlan, Text, Unfit};
use crate::domain::{Context, ContextBody, Date, Score, SourceKind};
use crate::reward_scorer::effort::Effort;
use crate::reward_scorer::rewards::{
    OfReferences, Weighted,
    date::{DATE, nearness_of_dates},
    too_long::TOO_LONG,
};
use crate::task_maker::passage::word_count;

/// An event of fewer words is told by too little to be found.
const MIN_WORDS: usize = 3;

pub(super) const TASK: TaskKind = TaskKind(&Definition {
    name: "date_qa",
    about: "the exact date of an event, a birth or a death",
    desc: "get help on finding out when something happened",
    goal: "get the exact date that this question asks for",
    sources: &[SourceKind::DatedFact],
    rewards: &[Weighted { kind: DATE, weight: 1.0 }],
    // One date of an answer counts, however many it lists. What is asked for is that date, and not
    // an essay in which it stands somewhere.
    penalties: &[Weighted { kind: TOO_LONG, weight: 1.0 }],
    references: OfReferences::Best,
    copies: false,
    plan,
});

fn plan(context: &Context, _: &mut ChaCha8Rng) -> Result<TaskPlan, Unfit> {
    let ContextBody::DatedFact { date, section, text } = &context.body else {
        return Err(Unfit::new(context, "it is no dated fact"));
    };
    let date = written(date).ok_or_else(|| Unfit::new(context, "its date is not YYYY-MM-DD"))?;
    let what = text.trim().trim_end_matches('.');
    if word_count(what) < MIN_WORDS {
        return Err(Unfit::new(context, "its text is too short"));
    }
    if nearness_of_dates(&date, what, &Effort::default()) > Score::ZERO {
        return Err(Unfit::new(context, "its text tells the date"));
    }
    let query = match section.as_str() {
        "Births" => format!("On what exact date was this person born: {what}?"),
        "Deaths" => format!("On what exact date did this person die: {what}?"),
        _ => format!("On what exact date did this happen: {what}?"),
    };
    Ok(TaskPlan {
        query: Text::Fixed(query),
        reference: ReferencePlan::Fixed(vec![date]),
        form: ChallengeForm::Phrased,
    })
}

/// `1969-07-20` as `July 20, 1969`. Years of fewer than three digits are not told from days and are
/// refused.
fn written(date: &str) -> Option<String> {
    let date = Date::parse(date)?.in_words();
    let nearness = nearness_of_dates(&date, &date, &Effort::default());
    (nearness == Score::ONE).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::super::testkit::{earns, fact, fitting, planned, shown};
    use super::*;

    #[test]
    fn an_event_is_asked_for_and_its_date_is_the_reference() {
        let plan = planned(TASK, &fitting(TASK), 1).unwrap();
        assert_eq!(
            shown(&plan, ""),
            "# query\n\
             On what exact date did this happen: Two astronauts land on the Moon and walk on it?\n\
             # reference\n\
             July 20, 1969\n"
        );
        let birth = fact("1571-12-27", "Births", "Johannes Kepler, German astronomer.");
        let plan = planned(TASK, &birth, 1).unwrap();
        assert_eq!(
            shown(&plan, ""),
            "# query\n\
             On what exact date was this person born: Johannes Kepler, German astronomer?\n\
             # reference\n\
             December 27, 1571\n"
        );
        let death = fact("0476-09-04", "Deaths", "Orestes, Roman general.");
        assert!(shown(&planned(TASK, &death, 1).unwrap(), "").contains("this person die: Orestes"));
    }

    #[test]
    fn the_date_earns_all_and_a_year_or_the_question_nothing() {
        let reference = "July 20, 1969";
        let question = "On what exact date did this happen: Two astronauts land on the Moon?";
        assert_eq!(earns(TASK, reference, question, "It was 20 July 1969."), 1.0);
        assert_eq!(earns(TASK, reference, question, "1969"), 0.0);
        assert_eq!(earns(TASK, reference, question, question), 0.0);
    }

    #[test]
    fn a_fact_that_tells_its_date_or_has_none_is_refused() {
        let cause = |date: &str, text: &str| {
            planned(TASK, &fact(date, "Events", text), 1).unwrap_err().cause
        };
        assert_eq!(cause("1969-07-20", "On 20 July 1969 people landed"), "its text tells the date");
        assert_eq!(cause("1969-07-20", "It was."), "its text is too short");
        for date in ["", "1969", "1969-7", "1969-02-30", "1969-13-01", "-0044-03-15", "0079-08-24"]
        {
            assert_eq!(
                cause(date, "Something of note happens"),
                "its date is not YYYY-MM-DD",
                "{date}"
            );
        }
    }
}
