use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn place(ip: &str, external: Option<&str>) -> AxonPlace {
    AxonPlace {
        ip: self::ip(ip),
        port: 8_091,
        external_ip: external.map(self::ip),
        external_port: None,
    }
}

const NOBODY: Detection<'static> = Detection { services: &[], patience: Duration::from_secs(10) };

#[test]
fn tells_public_addresses_from_those_that_nobody_outside_reaches() {
    use Unfit::*;
    let table = [
        ("0.0.0.0", Some(Unspecified)),
        ("0.1.2.3", Some(Unspecified)),
        ("9.255.255.255", None),
        ("10.0.0.0", Some(Private)),
        ("10.255.255.255", Some(Private)),
        ("11.0.0.0", None),
        ("100.63.255.255", None),
        ("100.64.0.0", Some(Cgnat)),
        ("100.127.255.255", Some(Cgnat)),
        ("100.128.0.0", None),
        ("127.0.0.1", Some(Loopback)),
        ("127.0.0.2", Some(Loopback)),
        ("127.255.255.255", Some(Loopback)),
        ("169.253.255.255", None),
        ("169.254.169.254", Some(LinkLocal)),
        ("172.15.255.255", None),
        ("172.16.0.0", Some(Private)),
        ("172.31.255.255", Some(Private)),
        ("172.32.0.0", None),
        ("192.0.0.1", Some(Reserved)),
        ("192.0.2.1", Some(Documentation)),
        ("192.167.255.255", None),
        ("192.168.0.1", Some(Private)),
        ("192.169.0.0", None),
        ("198.17.255.255", None),
        ("198.18.0.0", Some(Reserved)),
        ("198.19.255.255", Some(Reserved)),
        ("198.51.100.7", Some(Documentation)),
        ("203.0.113.7", Some(Documentation)),
        ("223.255.255.255", None),
        ("224.0.0.1", Some(Multicast)),
        ("239.255.255.255", Some(Multicast)),
        ("240.0.0.1", Some(Reserved)),
        ("255.255.255.255", Some(Reserved)),
        ("8.8.8.8", None),
        ("::", Some(Unspecified)),
        ("::1", Some(Loopback)),
        ("::2", Some(Reserved)),
        ("100::1", Some(Reserved)),
        ("2001:db7:ffff::1", None),
        ("2001:db8::1", Some(Documentation)),
        ("2001:db9::1", None),
        ("2606:4700:4700::1111", None),
        ("3fff::1", Some(Documentation)),
        ("3fff:fff::1", Some(Documentation)),
        ("3fff:1000::1", None),
        ("4000::1", Some(Reserved)),
        ("fc00::1", Some(Private)),
        ("fdff::1", Some(Private)),
        ("fe80::1", Some(LinkLocal)),
        ("febf::1", Some(LinkLocal)),
        ("fec0::1", Some(Reserved)),
        ("ff02::1", Some(Multicast)),
        ("::ffff:8.8.8.8", None),
        ("::ffff:0.0.0.0", Some(Unspecified)),
        ("::ffff:10.0.0.1", Some(Private)),
        ("::ffff:100.64.0.1", Some(Cgnat)),
        ("::ffff:127.0.0.1", Some(Loopback)),
        ("::ffff:169.254.0.1", Some(LinkLocal)),
        ("::ffff:203.0.113.7", Some(Documentation)),
        ("::ffff:224.0.0.1", Some(Multicast)),
    ];
    for (address, expected) in table {
        assert_eq!(unfit::of(ip(address)), expected, "{address}");
    }
}

#[tokio::test]
async fn publishes_what_the_settings_say_and_asks_nobody() {
    let (public, local) = (Network::Public, Network::Local);
    let table = [
        (public, "0.0.0.0", Some("8.8.4.4"), "8.8.4.4:8091"),
        (public, "0.0.0.0", Some("2606:4700::1"), "[2606:4700::1]:8091"),
        (public, "10.0.0.5", Some("8.8.4.4"), "8.8.4.4:8091"),
        (public, "8.8.8.8", Some("8.8.4.4"), "8.8.4.4:8091"),
        (public, "8.8.8.8", None, "8.8.8.8:8091"),
        (public, "2606:4700::1", None, "[2606:4700::1]:8091"),
        (public, "::", Some("::ffff:8.8.4.4"), "8.8.4.4:8091"),
        (local, "0.0.0.0", None, "127.0.0.2:8091"),
        (local, "::", None, "127.0.0.2:8091"),
        (local, "127.0.0.2", None, "127.0.0.2:8091"),
        (local, "192.168.1.5", None, "192.168.1.5:8091"),
        (local, "0.0.0.0", Some("10.0.0.5"), "10.0.0.5:8091"),
        (local, "0.0.0.0", Some("8.8.4.4"), "8.8.4.4:8091"),
        (local, "fd00::5", None, "[fd00::5]:8091"),
    ];
    for (network, listening, external, expected) in table {
        let address = published(place(listening, external), network, &NOBODY).await;
        assert_eq!(address, Ok(expected.parse().unwrap()), "{network:?} {listening} {external:?}");
    }
}

#[tokio::test]
async fn publishes_the_external_port_where_there_is_one() {
    let place = AxonPlace { external_port: Some(80), ..place("0.0.0.0", Some("8.8.4.4")) };
    let address = published(place, Network::Public, &NOBODY).await;
    assert_eq!(address, Ok("8.8.4.4:80".parse().unwrap()));
    for (external_port, key) in [(None, "axon.port"), (Some(0), "axon.external_port")] {
        let place = AxonPlace { port: 0, external_port, ..place };
        let address = published(place, Network::Local, &NOBODY).await;
        assert_eq!(address, Err(AddressError::NoPort { key }));
    }
}

#[tokio::test]
async fn refuses_on_a_public_network_what_nobody_reaches_and_says_what_to_do() {
    let refused = async |external| {
        let place = place("0.0.0.0", Some(external));
        published(place, Network::Public, &NOBODY).await.unwrap_err().to_string()
    };
    assert_eq!(
        refused("100.64.1.2").await,
        "axon.external_ip = 100.64.1.2 cannot be published on a public network: it is an address \
         behind a provider's NAT (CGNAT, 100.64.0.0/10), so that no other neuron reaches it; set \
         axon.external_ip to the address at which the internet reaches this machine"
    );
    for external in ["10.0.0.1", "127.0.0.2", "fd00::1", "::ffff:192.168.0.1", "0.0.0.0"] {
        let error = refused(external).await;
        assert!(error.starts_with(&format!("axon.external_ip = {external} cannot")), "{error}");
    }
}

#[tokio::test]
async fn refuses_on_a_local_chain_only_what_the_chain_refuses() {
    for (external, taken) in [
        ("127.0.0.1", false),
        ("::ffff:127.0.0.1", false),
        ("::1", false),
        ("0.0.0.0", false),
        ("255.255.255.255", false),
        ("127.0.0.2", true),
        ("10.0.0.1", true),
    ] {
        let result = published(place("0.0.0.0", Some(external)), Network::Local, &NOBODY).await;
        assert_eq!(result.is_ok(), taken, "{external}: {result:?}");
    }
    // An axon that listens at 127.0.0.1 alone is not reached at 127.0.0.2.
    let result = published(place("127.0.0.1", None), Network::Local, &NOBODY).await;
    assert_eq!(result, Err(AddressError::RefusedByChain { from: Source::Ip, ip: ip("127.0.0.1") }));
}

/// Gives the same answer to everybody, and closes.
async fn serve(listener: TcpListener, answer: &str) {
    while let Ok((mut socket, _)) = listener.accept().await {
        let mut request = [0; 1_024];
        let _ = socket.read(&mut request).await;
        let _ = socket.write_all(answer.as_bytes()).await;
    }
}

/// What is published where the services give these answers.
async fn detected(answers: &[&str], patience: Duration) -> Result<SocketAddr, AddressError> {
    let (mut urls, mut serving) = (Vec::new(), Vec::new());
    for answer in answers {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        urls.push(format!("http://{}", listener.local_addr().unwrap()));
        serving.push(serve(listener, answer));
    }
    let services: Vec<&str> = urls.iter().map(String::as_str).collect();
    let detection = Detection { services: &services, patience };
    tokio::select! {
        published = published(place("0.0.0.0", None), Network::Public, &detection) => published,
        _ = join_all(serving) => panic!("the services are gone"),
    }
}

const A: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n8.8.8.8\n";
const B: &str = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n8.8.4.4";
const V6: &str = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n2606:4700::1";
const PRIVATE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n10.0.0.1";
const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>no</html>";
const BROKEN: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 7\r\n\r\n8.8.4.4";
const MOVED: &str =
    "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";

#[tokio::test]
async fn publishes_what_most_of_the_services_that_answer_see() {
    let patience = Duration::from_secs(20);
    for answers in [&[A][..], &[A, A, B], &[B, A, A], &[BROKEN, A, PAGE], &[MOVED, A, V6]] {
        let address = detected(answers, patience).await;
        assert_eq!(address, Ok("8.8.8.8:8091".parse().unwrap()), "{answers:?}");
    }
}

#[tokio::test]
async fn publishes_nothing_where_services_disagree_or_see_a_private_address() {
    let patience = Duration::from_secs(20);
    let error = detected(&[A, B], patience).await.unwrap_err();
    let seen = Undetected::Disagreement(vec![ip("8.8.4.4"), ip("8.8.8.8")]);
    assert_eq!(error, AddressError::Undetected(seen));

    let error = detected(&[PRIVATE, PRIVATE], patience).await.unwrap_err();
    let (from, ip, unfit) = (Source::Detected, ip("10.0.0.1"), Unfit::Private);
    assert_eq!(error, AddressError::Unreachable { from, ip, unfit });
}

#[tokio::test]
async fn says_of_each_service_what_is_wrong_with_it() {
    let endless = "HTTP/1.1 200 OK\r\n\r\n0000000000000000000000000000000000000000000000000000000000000000008.8.8.8";
    let error = detected(&[BROKEN, PAGE, MOVED, endless], Duration::from_secs(20)).await;
    let error = error.unwrap_err().to_string();
    for part in ["status 503", "no address of the kind", "status 302", "too long", "set axon.ext"] {
        assert!(error.contains(part), "{part:?} is not in {error}");
    }
}

#[tokio::test]
async fn waits_for_no_service_that_is_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    let detection = Detection { services: &[&silent], patience: Duration::from_millis(50) };
    let error = published(place("0.0.0.0", None), Network::Public, &detection).await.unwrap_err();
    assert!(error.to_string().contains("no answer in 50ms"), "{error}");
}
