//! Networks of addresses, as the configuration names them.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

/// A network of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Network {
    first: u128,
    bits: u32,
}

/// The reason why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not an address or a network such as 10.0.0.0/8")]
pub struct NetworkError(String);

impl Network {
    /// The IPv4 loopback network, from which a reverse proxy on the same machine comes.
    pub const LOOPBACK_V4: Self = Self { first: 0xffff_7f00_0000, bits: 104 };

    /// The IPv6 loopback address.
    pub const LOOPBACK_V6: Self = Self { first: 1, bits: 128 };

    /// Returns true for an address of this network.
    pub fn contains(&self, address: IpAddr) -> bool {
        prefix(wide(address), self.bits) == self.first
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest: u32 = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(longest), |l| l.parse::<u32>().map_err(|_| wrong()))?;
        if length > longest {
            return Err(wrong());
        }
        // An IPv4 address stands at the end of 128 bits.
        let bits = 128 - longest + length;
        Ok(Self { first: prefix(wide(address), bits), bits })
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

/// The address under which a peer is counted: an IPv6 network of 64 bits is one peer, because the
/// owner of one of its addresses has them all.
pub(super) fn peer(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(four) => four.to_ipv6_mapped().to_bits(),
        IpAddr::V6(six) if six == Ipv6Addr::LOCALHOST => six.to_bits(),
        IpAddr::V6(six) => prefix(six.to_bits(), 64),
    }
}

fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => four.to_ipv6_mapped().to_bits(),
        IpAddr::V6(six) => six.to_bits(),
    }
}

fn prefix(address: u128, bits: u32) -> u128 {
    address & u128::MAX.checked_shl(128 - bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(network: &str, address: &str) -> bool {
        network.parse::<Network>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_in_its_network_alone() {
        assert!(contains("10.1.0.0/16", "10.1.255.1") && !contains("10.1.0.0/16", "10.2.0.1"));
        assert!(contains("10.1.2.3", "10.1.2.3") && !contains("10.1.2.3", "10.1.2.4"));
        assert!(contains("10.1.2.3/16", "10.1.9.9") && contains("10.1.2.3", "::ffff:10.1.2.3"));
        assert!(contains("0.0.0.0/0", "203.0.113.9") && !contains("0.0.0.0/0", "2001:db8::1"));
        assert!(contains("2001:db8::/32", "2001:db8:1::1") && contains("::/0", "2001:db8::1"));
        for (constant, text) in
            [(Network::LOOPBACK_V4, "127.0.0.0/8"), (Network::LOOPBACK_V6, "::1/128")]
        {
            assert_eq!(Ok(constant), text.parse());
        }
    }

    #[test]
    fn a_text_that_is_no_network_is_refused() {
        for text in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/-1", "proxy"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_network_of_64_bits_is_one_peer() {
        let of = |text: &str| peer(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
