//! Texts that are read while they are written, and texts that end at a stop string.

use futures_util::future::join;
use sn1_actors::domain::FinishReason;
use sn1_actors::model_worker::scheduler::{Refusal, SchedulerConfig};
use sn1_actors::model_worker::{Generate, ModelError};
use sn1_actors::testkit::Stage;
use tokio::sync::mpsc;

use super::bench::{Bench, STEP, ask};

const WORDS: &str = "thé vert 🍵 et un café très fort: ça coûte 3 € à Paris, déjà payé";

#[test]
fn pieces_together_are_the_text_however_slowly_they_are_read() {
    for (places, pause) in [(1, 0), (2, 0), (64, 0), (2, 7), (64, 1_000)] {
        Stage::play(async |stage: Stage| {
            let bench = Bench::start(&stage, SchedulerConfig::default());
            let (sender, mut reader) = mpsc::channel(places);
            let request = Generate { pieces: Some(sender), ..ask(WORDS) };
            let read = async {
                let mut pieces = Vec::new();
                while let Some(piece) = reader.recv().await {
                    pieces.push(piece);
                    stage.clock.sleep(pause * STEP).await;
                }
                pieces
            };
            let began = stage.clock.now();
            let write = async { (bench.generate(request).await, stage.clock.now().since(began)) };
            let (pieces, (made, took)) = join(read, write).await;
            let made = made.unwrap();
            assert!(made.text.len() > 30, "{made:?}");
            assert_eq!(pieces.concat(), made.text, "{places} places, {pause} steps");
            assert!(took < 110 * STEP, "the reader holds nothing up: {took:?}");
            if places > 2 && pause == 0 {
                assert!(pieces.len() > 20, "{pieces:?}");
            }
        });
    }
}

#[test]
fn a_reader_that_leaves_ends_the_text() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, SchedulerConfig::default());
        let (sender, mut reader) = mpsc::channel(4);
        let request = Generate { pieces: Some(sender), ..ask(WORDS) };
        let read = async {
            let first = reader.recv().await;
            drop(reader);
            first
        };
        let (first, made) = join(read, bench.generate(request)).await;
        assert!(first.is_some());
        assert_eq!(made, Err(ModelError::Cancelled));
        bench.assert_nothing_is_left(&stage).await;
    });
}

#[test]
fn a_stop_string_ends_the_text_before_it_and_is_never_shown() {
    Stage::play(async |stage: Stage| {
        let bench = Bench::start(&stage, SchedulerConfig::default());
        let whole = bench.generate(ask(WORDS)).await.unwrap();
        let at = whole.text.char_indices().nth(20).unwrap().0;
        let stop: String = whole.text[at..].chars().take(5).collect();
        let before = whole.text[..at].trim_end();
        let (sender, mut reader) = mpsc::channel(256);
        let stops = vec!["never written".to_owned(), stop.clone()];
        let request = Generate { stop: stops, pieces: Some(sender), ..ask(WORDS) };
        let made = bench.generate(request).await.unwrap();
        assert_eq!((made.text.as_str(), made.finish_reason), (before, FinishReason::Stop));
        assert!(made.generated_ids.len() < whole.generated_ids.len(), "it stopped at once");
        let mut shown = String::new();
        while let Ok(piece) = reader.try_recv() {
            shown += &piece;
        }
        assert_eq!(shown, before);
        let refused = bench.generate(Generate { stop: vec![String::new()], ..ask(WORDS) }).await;
        let refusal = Refusal::StopStrings { count: 16, length: 256 };
        assert_eq!(refused, Err(ModelError::Refused(refusal)));
        assert_eq!(bench.stats().refused, 1);
    });
}
