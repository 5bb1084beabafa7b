//! What can be seen from outside: the roster and progress.

use std::time::Duration;

use sn1_actors::runtime::{ActorHealth, ActorStatus, Progress};

use super::stage::{CrashBefore, NAME, POLICY, Say, staged};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_roster_records_restarts_and_the_last_crash() {
    staged(async |stage| {
        let (crash, say) = (stage.port(1), stage.port(1));
        let watch = stage.supervise(POLICY);
        let fresh = ActorStatus {
            name: NAME.to_owned(),
            health: ActorHealth::Running,
            restarts: 0,
            last_crash: None,
            idle: Duration::ZERO,
        };
        assert_eq!(watch.status(), fresh);

        for n in 1..=2 {
            crash.push(CrashBefore(u32::MAX)).await;
            watch.settle().await;
            let down = watch.status();
            let boom = format!("boom in generation {}", n - 1);
            assert_eq!((down.health, down.restarts), (ActorHealth::BackingOff, n));
            assert_eq!(down.last_crash, Some(boom.clone()));
            assert_eq!(watch.overseer.roster().alive(), [NAME], "it will be back");

            assert!(say.ask(Say("up again"), say.within(MINUTE)).await.is_ok());
            let up = watch.status();
            assert_eq!((up.health, up.restarts), (ActorHealth::Running, n));
            assert_eq!(up.last_crash, Some(boom));
        }
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn the_roster_shows_how_long_an_actor_has_got_nothing_done() {
    staged(async |stage| {
        let (crash, say) = (stage.port(1), stage.port(1));
        let watch = stage.supervise(POLICY);
        watch.pass(MINUTE).await;
        assert_eq!(watch.status().idle, MINUTE);
        assert!(say.ask(Say("awake"), say.within(MINUTE)).await.is_ok());
        assert_eq!(watch.status().idle, Duration::ZERO);
        watch.pass(MINUTE).await;
        crash.push(CrashBefore(u32::MAX)).await;
        watch.settle().await;
        assert!(watch.status().idle > MINUTE, "a crash is no progress");
    })
    .await;
}

#[tokio::test(flavor = "current_thread", start_paused = true)]
async fn idleness_grows_until_something_is_done_and_hides_in_a_protected_zone() {
    staged(async |stage| {
        let progress = Progress::new(stage.overseer.clock());
        let watch = stage.supervise(POLICY);
        assert_eq!(progress.idle(), Duration::ZERO);
        watch.pass(MINUTE).await;
        assert_eq!(progress.idle(), MINUTE);
        progress.clone().record();
        assert_eq!(progress.idle(), Duration::ZERO);

        watch.pass(MINUTE).await;
        let outer = progress.protect();
        assert_eq!(progress.idle(), Duration::ZERO);
        let inner = progress.protect();
        watch.pass(MINUTE).await;
        drop(inner);
        watch.pass(MINUTE).await;
        assert_eq!(progress.idle(), Duration::ZERO, "the outer zone still holds");
        drop(outer);
        assert_eq!(progress.idle(), Duration::ZERO, "the end of the wait was progress");
        watch.pass(MINUTE).await;
        assert_eq!(progress.idle(), MINUTE);
    })
    .await;
}
