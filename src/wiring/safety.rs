//! What is good for tries and no good where others' money is: refused for a validator on a public
//! network unless the settings allow it by name.

use sn1_actors::task_maker::tasks::TaskKind;

use super::model::FAKE;
use crate::config::{Settings, SourceName};
use crate::exit::{Ended, Exit};

/// The model that every machine can run, whose references are too weak to judge by.
const SMALL: &str = "smollm2-135m-instruct";

/// Refuses what a validator must not do on a public network. Development keys are refused where
/// they are read.
///
/// # Errors
/// Every reason at once, each with the key that allows it all the same.
pub fn check(settings: &Settings, network: &str) -> Result<(), Ended> {
    let reasons = reasons(settings);
    if reasons.is_empty() {
        return Ok(());
    }
    let mut message = format!("not on `{network}`, where others' stake follows the weights:");
    for reason in reasons {
        message.push_str("\n  ");
        message.push_str(&reason);
    }
    Err(Ended::new(Exit::Usage, message))
}

/// What a validator must not do on a public network, each reason with the key that allows it.
#[must_use]
pub fn reasons(settings: &Settings) -> Vec<String> {
    let mut reasons = Vec::new();
    let model = settings.neuron.model_id.as_str();
    // Servers write in the small model's place, and never in the stand-in's.
    let weak = model == FAKE || (model == SMALL && settings.engine.servers.is_empty());
    if weak && !settings.public.allow_small_model {
        reasons.push(format!(
            "neuron.model_id = `{model}` cannot write references to judge answers by; choose a \
             larger one (zephyr-7b-beta is the original's), here or on engine.servers, or allow it \
             with --public.allow_small_model"
        ));
    }
    let has = |source: SourceName, task: TaskKind| source.has_any(task.definition().sources);
    let tasks = &settings.neuron.task_mix;
    let corpus = settings.tools.sources.contains(&SourceName::Builtin)
        && tasks.iter().any(|share| has(SourceName::Builtin, share.kind));
    if corpus && !settings.public.allow_embedded_corpus {
        reasons.push(
            "tools.sources has `builtin`, a corpus inside the program that miners can learn by \
             heart; choose others (wikipedia and zim have articles), or allow it with \
             --public.allow_embedded_corpus"
                .to_owned(),
        );
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wiring::validator_settings;

    const BUILTIN: (&str, &str) = ("tools.sources", "builtin,maths");

    fn refusal(flags: &[(&str, &str)]) -> Option<String> {
        let settings = validator_settings(flags);
        check(&settings, "finney").err().map(|ended| ended.message)
    }

    #[test]
    fn what_is_no_good_is_refused_with_every_reason_and_its_key() {
        let refusal = refusal(&[BUILTIN]).unwrap();
        for part in ["finney", SMALL, "public.allow_small_model", "public.allow_embedded_corpus"] {
            assert!(refusal.contains(part), "{part} is not in {refusal}");
        }
    }

    #[test]
    fn model_servers_replace_the_small_model_and_not_the_stand_in() {
        let servers = ("engine.servers", "http://127.0.0.1:8000/v1");
        let named = ("engine.server_model", "zephyr-7b-beta");
        assert_eq!(refusal(&[servers, named]), None);
        let fake = refusal(&[servers, named, ("neuron.model_id", FAKE)]).unwrap();
        assert!(fake.contains("neuron.model_id = `fake`"), "{fake}");
    }

    #[test]
    fn what_is_allowed_by_name_or_not_used_is_no_reason() {
        let (small, corpus) =
            (("public.allow_small_model", "true"), ("public.allow_embedded_corpus", "true"));
        assert_eq!(refusal(&[small, corpus, BUILTIN]), None);
        assert!(refusal(&[small, BUILTIN]).unwrap().contains("corpus"));
        assert_eq!(refusal(&[small]), None, "real sources are");
        let math = [("neuron.tasks", "math"), ("neuron.task_p", "1")];
        let zephyr = ("neuron.model_id", "zephyr-7b-beta");
        assert_eq!(refusal(&[math[0], math[1], zephyr, ("tools.sources", "maths,builtin")]), None);
        assert!(refusal(&[math[0], math[1], ("neuron.model_id", "fake")]).is_some());
    }
}
