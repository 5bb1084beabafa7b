//! Clocks that are wrong, and clocks that are set back while their process runs.

use std::future::ready;
use std::sync::Mutex;

use sn1_actors::domain::{MinerReply, StatusCode, Uid};
use sn1_actors::ports::{AxonTarget, MinerTransport, Standing};

use super::tests::{UNIX, echo_at, seat, serve};
use super::*;
use crate::wire::testkit::{self, StoppedClock};
use crate::wire::{HttpTransport, NonceBook, TransportOptions, Verifier};

const HOUR: Duration = Duration::from_secs(3_600);
const TEN: Duration = Duration::from_secs(10);

/// A dendrite of //Bob, and its clock.
fn dendrite(unix: Duration) -> (HttpTransport, Arc<StoppedClock>) {
    let options = TransportOptions { allow_local: true, ..TransportOptions::default() };
    let clock = StoppedClock::at(unix);
    let uuids = Arc::new(UuidSource::from_entropy());
    let wall = Arc::<StoppedClock>::clone(&clock);
    (HttpTransport::new(Arc::new(testkit::bob()), wall, uuids, options), clock)
}

async fn ask(transport: &HttpTransport, address: SocketAddr, timeout: Duration) -> MinerReply {
    let target = AxonTarget { uid: Uid(0), hotkey: testkit::alice().hotkey(), address };
    transport.ask(target, Arc::new(Query::from_user("hi")), timeout).await
}

#[test]
fn a_dendrite_whose_clock_is_off_hears_by_how_much_and_one_within_the_window_is_answered() {
    let two = Duration::from_secs(2);
    for (unix, timeout, refusal) in [
        (UNIX - TEN, TEN, None),
        (UNIX + TEN, TEN, None),
        (UNIX - TEN, two, Some("acceptable delta is 6.00 seconds but request was 10.00 seconds")),
        (UNIX + TEN + two, TEN, Some("may be 10 seconds ahead but is 12.00; set your clock")),
    ] {
        let (transport, _) = dendrite(unix);
        let asking = async |address| ask(&transport, address, timeout).await;
        let reply = serve(UNIX, echo_at(UNIX), asking);
        match refusal {
            None => assert_eq!(reply.status, StatusCode::OK, "{}", reply.message),
            Some(says) => {
                assert_eq!(reply.status, StatusCode(401));
                assert!(reply.message.contains(says), "{}", reply.message);
            }
        }
    }
}

#[test]
fn a_dendrite_whose_clock_is_set_right_is_answered_at_once() {
    let (transport, clock) = dendrite(UNIX + HOUR);
    serve(UNIX, echo_at(UNIX), async |address| {
        let reply = ask(&transport, address, TEN).await;
        assert!(reply.message.contains("set your clock"), "{}", reply.message);
        clock.set(UNIX);
        for _ in 0..3 {
            let reply = ask(&transport, address, TEN).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.message);
        }
    });
}

#[test]
fn an_axon_whose_clock_was_ahead_when_it_started_serves_as_soon_as_that_is_set_right() {
    let axon = StoppedClock::at(UNIX + HOUR);
    let book = NonceBook::new(UNIX + HOUR - Duration::from_secs(60), true);
    let verifier = Mutex::new(Verifier::new(testkit::alice().hotkey(), book, None));
    let clock = Arc::<StoppedClock>::clone(&axon);
    let door: AxonDoor = Arc::new(move |knock| {
        let now = clock.unix();
        let verified = verifier.lock().unwrap().verify(&knock.head, Standing::Registered, now);
        let verified = verified.map_err(|error| Refusal::not_verified(&error.to_string()));
        let echo = |query: Query| ready(Ok(query.messages.last().unwrap().clone()));
        Box::pin(ready(verified.map(|_| seat(echo))))
    });
    serve(UNIX, door, async |address| {
        let (early, _) = dendrite(UNIX + HOUR);
        assert_eq!(ask(&early, address, TEN).await.status, StatusCode::OK);
        axon.set(UNIX);
        let (right, clock) = dendrite(UNIX);
        // The first one tells the axon what time it is, and is from no later than that.
        let first = ask(&right, address, TEN).await;
        assert!(first.message.contains("before this axon's memory"), "{}", first.message);
        clock.set(UNIX + Duration::from_millis(1));
        let next = ask(&right, address, TEN).await;
        assert_eq!(next.status, StatusCode::OK, "{}", next.message);
    });
}
