#!/usr/bin/env bash
# Proves that the bans in .clippy.toml bite: clippy silently ignores a path that it cannot resolve,
# so each of them is broken once, in a throw-away crate under the target directory.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
target=${CARGO_TARGET_DIR:-$root/target}
fixture=$target/check-bans
mkdir -p "$fixture/src"
cp "$root/.clippy.toml" "$root/Cargo.lock" "$fixture/"

cat >"$fixture/Cargo.toml" <<'TOML'
[package]
name = "check-bans"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
actix = { version = "0.13", default-features = false, features = ["macros"] }
actix-rt = { version = "2", default-features = false }
tokio = { version = "1", features = ["macros", "rt", "sync", "time"] }
TOML

cat >"$fixture/src/lib.rs" <<'RUST'
use actix::{
    Actor, Addr, AsyncContext, Context, Handler, Message, Recipient, Supervised, Supervisor,
    SyncArbiter, SyncContext,
};

pub struct A;

impl Actor for A {
    type Context = Context<A>;
}

impl Supervised for A {}

pub struct S;

impl Actor for S {
    type Context = SyncContext<S>;
}

#[derive(Message)]
#[rtype(result = "()")]
pub struct M;

impl Handler<M> for A {
    type Result = ();

    fn handle(&mut self, _: M, ctx: &mut Context<A>) {
        ctx.notify(M);
    }
}

pub async fn sends(address: Addr<A>, recipient: Recipient<M>) {
    let _ = address.send(M).await;
    address.do_send(M);
    let _ = address.try_send(M);
    let _ = recipient.send(M).await;
    recipient.do_send(M);
    let _ = recipient.try_send(M);
}

pub fn starts(arbiter: actix::Arbiter, handle: actix_rt::ArbiterHandle) {
    A.start();
    A::create(|_| A);
    Supervisor::start(|_| A);
    SyncArbiter::start(1, || S);
    arbiter.spawn(async {});
    handle.spawn(async {});
    actix::spawn(async {});
    actix_rt::spawn(async {});
    tokio::spawn(async {});
    tokio::task::spawn_local(async {});
    std::thread::spawn(|| {});
}

pub fn clocks_and_process() {
    let _ = tokio::time::Instant::now();
    let _ = std::time::Instant::now();
    let _ = std::time::SystemTime::now();
    std::thread::sleep(std::time::Duration::ZERO);
    unsafe {
        std::env::set_var("A", "B");
        std::env::remove_var("A");
    }
    std::process::exit(0);
}
RUST

# Warnings, not errors, so that one run names them all.
found=$(cd "$fixture" && CARGO_TARGET_DIR=$target cargo clippy --quiet --offline --lib 2>&1) || {
    printf 'the fixture does not compile:\n%s\n' "$found" >&2
    exit 1
}
missing=0
while read -r path; do
    # The same function under two names: clippy reports the one that .clippy.toml has last.
    [[ $path != actix::spawn ]] || path=actix_rt::spawn
    if ! grep -qF "disallowed method \`$path\`" <<<"$found"; then
        echo "the ban of $path does not bite (or scripts/check-bans.sh does not break it)" >&2
        missing=1
    fi
done < <(sed -n 's/.*path = "\([^"]*\)".*/\1/p' .clippy.toml)
exit "$missing"
