use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};
use parking_lot::Mutex;

use super::tasks::testkit;
use super::*;
use crate::domain::ContextBody;
use crate::model_worker::TextSource;
use crate::model_worker::scheduler::SchedulerConfig;
use crate::model_worker::stand_in::{ServiceRate, StandInCodec, StandInDevice};
use crate::ports::{Tool, ToolError};
use crate::testkit::Stage;
use crate::tool_fetcher::Prefetch;
use crate::wiring::{ModelParts, ToolParts, start_shared};

const PATIENCE: Duration = Duration::from_secs(5);

/// What a source does when it is asked for the n-th time for a kind.
type Source = fn(SourceKind, usize) -> Option<SourceContext>;

/// A source that brings what a function says; nothing means that it never answers.
struct Scripted {
    source: Source,
    offers: fn(SourceKind) -> bool,
    asked: AtomicUsize,
}

impl Tool for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn is_slow(&self) -> bool {
        false
    }

    fn offers(&self, kind: SourceKind) -> bool {
        (self.offers)(kind)
    }

    fn fetch(
        &self,
        want: Want,
        _: ChaCha8Rng,
    ) -> BoxFuture<'static, Result<SourceContext, ToolError>> {
        let Want::Random(kind) = want else { panic!("tasks take random contexts") };
        match (self.source)(kind, self.asked.fetch_add(1, Ordering::SeqCst)) {
            Some(context) => ready(Ok(context)).boxed(),
            None => pending().boxed(),
        }
    }
}

struct Made {
    task: Result<Task, Stopped>,
    passed_over: Vec<(TaskKind, String)>,
    took: Duration,
}

/// Makes the task of one conversation from kinds, with their probabilities, and a source that has
/// everything but questions.
fn make(kinds: &[(&str, f64)], conversation: u64, source: Source) -> Made {
    make_from(kinds, conversation, |kind| kind != SourceKind::Question, source)
}

fn make_from(
    kinds: &[(&str, f64)],
    conversation: u64,
    offers: fn(SourceKind) -> bool,
    source: Source,
) -> Made {
    let mut made = None;
    let kinds: Vec<TaskShare> = kinds
        .iter()
        .map(|(name, probability)| {
            let kind = TaskKind::named(name).unwrap();
            let measures = Arc::new(kind.default_measures());
            TaskShare { kind, probability: *probability, measures }
        })
        .collect();
    Stage::play(async |stage: Stage| {
        let rate = ServiceRate { per_step: Duration::from_millis(1), per_row: Duration::ZERO };
        let model = ModelParts {
            text: TextSource::Local(Arc::new(StandInCodec)),
            device: Arc::new(StandInDevice::new(Arc::clone(&stage.clock), rate)),
            scheduler: SchedulerConfig::default(),
        };
        let scripted = Scripted { source, offers, asked: AtomicUsize::new(0) };
        let tools = Arc::new([Arc::new(scripted) as _]);
        let tools = ToolParts { tools, patience: PATIENCE, prefetch: Prefetch::NONE };
        let shared = start_shared(&stage.overseer, model, tools, 4, &stage.failpoints);
        let workshop = Workshop {
            config: TaskMakerConfig {
                kinds: kinds.clone(),
                sampling: Sampling { max_new_tokens: 32, ..Sampling::ORIGINAL },
                context_patience: Duration::from_secs(30),
                text_patience: Duration::from_secs(600),
            },
            tool_fetcher: shared.fetch.clone(),
            model_worker: shared.generate.clone(),
            seed: RunSeed(7),
            clock: Arc::clone(&stage.clock),
            tasks: stage.overseer.tasks().clone(),
        };
        let events = Mutex::new(Vec::new());
        let began = stage.clock.now();
        let task = workshop.make(ConversationId(conversation), &|e| events.lock().push(e)).await;
        let took = stage.clock.now().since(began);
        if let Ok(task) = &task {
            task.references.wait().await.unwrap().unwrap();
        }
        let passed_over = events.into_inner().into_iter().map(|event| match event {
            Event::TaskPassedOver { task, cause, .. } => (task, cause),
            other => panic!("{other:?}"),
        });
        made = Some(Made { task, passed_over: passed_over.collect(), took });
    });
    made.unwrap()
}

fn any(kind: SourceKind, _: usize) -> Option<SourceContext> {
    Some(testkit::of_source(kind))
}

#[test]
fn every_kind_is_made_with_a_query_and_references() {
    for kind in tasks::ALL {
        let Made { task, passed_over, .. } = make(&[(kind.name(), 1.0)], 1, any);
        let task = task.unwrap();
        assert_eq!((task.kind, passed_over.as_slice()), (*kind, &[][..]));
        assert!(!task.query.trim().is_empty(), "{kind:?}");
        if let (ChallengeForm::LeadingTo { text, .. }, Text::Generated(_)) =
            (&task.plan.form, &task.plan.query)
        {
            assert!(text.contains(&task.query) && !text.contains(passage::QUERY), "{text}");
        }
    }
}

#[test]
fn a_context_that_is_no_good_is_passed_over_for_another_of_the_kind() {
    let good_at_last =
        |kind, asked| if asked < 2 { Some(testkit::stub()) } else { any(kind, asked) };
    let Made { task, passed_over, .. } = make(&[("qa", 0.9), ("math", 0.1)], 1, good_at_last);
    assert_eq!(task.unwrap().kind.name(), "qa");
    let cause = "no task can be made of `Tea`: it has hardly any text".to_owned();
    let qa = TaskKind::named("qa").unwrap();
    assert_eq!(passed_over, [(qa, cause.clone()), (qa, cause)]);
}

#[test]
fn a_kind_without_a_good_context_is_passed_over_for_another_kind() {
    let stubs = |kind, asked| match kind {
        SourceKind::Article => Some(testkit::stub()),
        _ => any(kind, asked),
    };
    let kinds = [("qa", 0.6), ("translation", 0.3), ("math", 0.1)];
    for conversation in 0..5 {
        let Made { task, passed_over, .. } = make(&kinds, conversation, stubs);
        assert_eq!(task.unwrap().kind.name(), "math");
        let tries = |name: &str| passed_over.iter().filter(|(kind, _)| kind.name() == name).count();
        assert!([tries("qa"), tries("translation")].iter().all(|tries| [0, 3].contains(tries)));
        let again = make(&kinds, conversation, stubs).passed_over;
        assert_eq!(again, passed_over, "the draw does not repeat");
    }
}

#[test]
fn a_source_that_never_answers_costs_one_wait_and_no_step() {
    let silent = |kind, asked| match kind {
        SourceKind::Article => None,
        _ => any(kind, asked),
    };
    let kinds = [("qa", 0.4), ("summarization", 0.3), ("translation", 0.2), ("math", 0.1)];
    for conversation in 0..5 {
        let Made { task, passed_over, took } = make(&kinds, conversation, silent);
        assert_eq!(task.unwrap().kind.name(), "math");
        assert!(passed_over.len() <= 1, "{passed_over:?}");
        assert!(took <= PATIENCE + Duration::from_secs(1), "{took:?}");
    }
}

#[test]
fn a_question_is_asked_of_whatever_kind_of_source_the_tools_have() {
    let grounded = |conversation, offers: fn(SourceKind) -> bool| {
        let made = make_from(&[("qa", 1.0)], conversation, offers, any);
        assert_eq!(made.passed_over, []);
        matches!(made.task.unwrap().context.body, ContextBody::Question { .. })
    };
    for conversation in 0..6 {
        assert!(grounded(conversation, |kind| kind == SourceKind::Question));
        assert!(!grounded(conversation, |kind| kind == SourceKind::Article));
    }
    let drawn: Vec<bool> = (0..12).map(|conversation| grounded(conversation, |_| true)).collect();
    assert!(drawn.contains(&true) && drawn.contains(&false), "{drawn:?}");
    assert_eq!(grounded(3, |_| true), drawn[3], "the draw does not repeat");
}

#[test]
fn a_kind_of_source_that_brings_nothing_leaves_a_task_its_other_one() {
    let silent = |kind, asked| match kind {
        SourceKind::Article => None,
        _ => any(kind, asked),
    };
    for conversation in 0..6 {
        let Made { task, passed_over, took } =
            make_from(&[("qa", 1.0)], conversation, |_| true, silent);
        assert!(matches!(task.unwrap().context.body, ContextBody::Question { .. }));
        assert!(passed_over.len() <= 1 && took <= PATIENCE + Duration::from_secs(1), "{took:?}");
    }
}

#[test]
fn without_any_kind_that_can_be_made_there_is_no_task_and_the_last_cause_is_told() {
    let Made { task, passed_over, .. } = make(&[("qa", 0.5), ("math", 0.5)], 1, |_, _| None);
    assert_eq!(passed_over.len(), 2);
    let Err(Stopped::NoContext(cause)) = task else { panic!("{task:?}") };
    assert!(cause.contains("scripted"), "{cause}");
    let Err(Stopped::NoContext(cause)) = make(&[("qa", 0.0)], 1, any).task else { panic!() };
    assert_eq!(cause, "no kind of task is configured");
}
