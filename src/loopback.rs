//! Which addresses mean this machine.

use std::net::IpAddr;

use reqwest::Url;

/// Whether an address is one of this machine, for programs on it alone.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
