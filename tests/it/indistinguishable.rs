//! What miners' sockets see of users' queries beside the validator's own, who ask at the same time
//! through the same actors, in the same rhythm and by the same transport, as the program wires them:
//! the validator's from a task to the socket, users' from the gateway's door on.
//!
//! Left out: what is said, its length and the moments, which `scripts/indistinguishable.sh` has a
//! classifier look at.

mod compare;
mod net;

use std::collections::BTreeMap;

use compare::{CapturedRequest, StructuralDifference, compare};
use net::{FAN_OUT, Seen, seen};

/// The names of what differs.
fn facets(found: &[StructuralDifference]) -> Vec<&str> {
    found.iter().map(|difference| difference.facet.as_str()).collect()
}

/// The shares of the validator's requests and of users' that came over a connection which carried
/// requests of both kinds.
fn mixed(seen: &Seen) -> [f64; 2] {
    let mut connections = BTreeMap::<_, [u32; 2]>::new();
    for (kind, requests) in [&seen.own, &seen.users].into_iter().enumerate() {
        for request in requests {
            connections.entry(request.from).or_default()[kind] += 1;
        }
    }
    let both = connections.values().filter(|carried| !carried.contains(&0));
    let [own, users] = both.fold([0, 0], |sum, carried| [sum[0] + carried[0], sum[1] + carried[1]]);
    [f64::from(own) / seen.own.len() as f64, f64::from(users) / seen.users.len() as f64]
}

#[test]
fn a_thousand_rounds_of_users_have_no_structural_difference_to_the_validator_s_own() {
    let seen = seen(1_000);
    assert_eq!((seen.own.len(), seen.users.len()), (1_000 * FAN_OUT, 1_000 * FAN_OUT));
    assert_eq!(compare(&seen.own, &seen.users), []);
    let [own, users] = mixed(&seen);
    assert!(own > 0.5 && users > 0.5, "one kind has connections of its own: {own}, {users}");
}

#[test]
fn each_mutation_of_one_kind_is_found() {
    let Seen { own, users } = seen(12);
    let changed = |change: &dyn Fn(&mut CapturedRequest)| {
        let mut users = users.clone();
        change(&mut users[1]);
        let found = compare(&own, &users);
        assert_eq!(compare(&users, &own).len(), found.len());
        facets(&found).join(", ")
    };
    assert_eq!(changed(&|_| {}), "");
    let header = |name: &str, value: &str| {
        let (name, value) = (name.to_owned(), value.to_owned());
        changed(&move |request| request.headers.push((name.clone(), value.clone())))
    };
    assert_eq!(header("x-user", "1"), "header: x-user, headers");
    assert_eq!(changed(&|request| request.headers.swap(1, 2)), "headers");
    let upper = changed(&|request| request.headers[1].0.make_ascii_uppercase());
    assert!(upper.ends_with(", headers"), "{upper}");
    assert_eq!(changed(&|request| request.line.insert(6, 'X')), "request line");
    let named = |name: &str, value: &str| {
        changed(&|request| {
            let header = request.headers.iter_mut().find(|(found, _)| found == name);
            header.unwrap().1 = value.to_owned();
        })
    };
    let uuid = named("bt_header_dendrite_uuid", "0f0e0d0c-1111-1222-8333-444455556666");
    assert_eq!(uuid, "header: bt_header_dendrite_uuid");
    assert_eq!(named("bt_header_dendrite_nonce", "17"), "header: bt_header_dendrite_nonce");
    assert_eq!(named("bt_header_dendrite_version", "9"), "header: bt_header_dendrite_version");
    assert_eq!(named("timeout", "31.0"), "header: timeout");
    let body = |from: &str, to: &str| {
        changed(&|request| {
            assert!(request.body.contains(from), "{}", request.body);
            request.body = request.body.replacen(from, to, 1);
        })
    };
    assert_eq!(body("\"completion\":\"\"", "\"completion\":null"), "body: completion");
    assert_eq!(body("{\"name\"", "{\"user\":7,\"name\""), "body keys, body: user");
    assert_eq!(body("{\"name\":\"PromptingSynapse\",", "{"), "body keys");
    assert_eq!(body("\"roles\":", "\"roles\": "), "body spacing");
    assert_eq!(body("\"timeout\":30.0", "\"timeout\":31.0"), "body: timeout");
    let last = |request: &mut CapturedRequest| {
        let (_, rest) = request.body.split_once(",\"timeout\":30.0").unwrap();
        request.body = format!("{{\"timeout\":30.0,\"name\":\"PromptingSynapse\"{rest}");
    };
    assert_eq!(changed(&last), "body keys");
}

#[test]
fn another_fan_out_is_found() {
    let Seen { own, mut users } = seen(12);
    users.pop();
    let found = compare(&own, &users);
    assert_eq!(facets(&found), ["fan-out"]);
    assert_eq!(found[0].to_string(), "fan-out: only in the second: 2");
}

#[test]
fn connections_of_one_kind_alone_are_found() {
    let mut seen = seen(12);
    for (n, request) in seen.users.iter_mut().enumerate() {
        // Somewhere else, each time anew.
        request.from = ([10, 0, 0, 1], u16::try_from(n).unwrap()).into();
    }
    assert_eq!(mixed(&seen), [0.0, 0.0]);
}
