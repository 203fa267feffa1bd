//! Who talks to whom: the providers, the addresses at which everybody listens, and the secrets that
//! only they know.

use std::net::{Ipv4Addr, SocketAddr};

use crate::secrets::{self, NoChance};

/// The login of Kiungo at the simulated core.
pub(crate) const CORE_USER: &str = "kiungo";
/// Characters of an API key of M-Pesa.
const MPESA_KEY_LENGTH: usize = 32;

/// A simulated provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Wallet {
    Gsma,
    Mpesa,
}

impl Wallet {
    pub(crate) const ALL: [Self; 2] = [Self::Gsma, Self::Mpesa];

    /// Its id in the configuration: that of the shipped mapping.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Gsma => "gsma-sandbox",
            Self::Mpesa => "mpesa-tz",
        }
    }
}

/// The secrets that only these parties know.
pub(crate) struct Secrets {
    pub(crate) api_key: String,
    pub(crate) core_password: String,
    pub(crate) gsma_client: String,
    pub(crate) gsma_secret: String,
    pub(crate) mpesa_api_key: String,
    pub(crate) callback: String,
}

impl Secrets {
    /// New ones.
    pub(crate) fn new() -> Result<Self, NoChance> {
        let mut mpesa_api_key = secrets::fresh()?;
        mpesa_api_key.truncate(MPESA_KEY_LENGTH);
        Ok(Self {
            api_key: secrets::fresh()?,
            core_password: secrets::fresh()?,
            gsma_client: secrets::fresh()?,
            gsma_secret: secrets::fresh()?,
            mpesa_api_key,
            callback: secrets::fresh()?,
        })
    }

    /// Each with the name of its file.
    pub(crate) fn named(&self) -> [(&'static str, &str); 6] {
        [
            ("core-password", &self.core_password),
            ("gsma-client-id", &self.gsma_client),
            ("gsma-client-secret", &self.gsma_secret),
            ("mpesa-api-key", &self.mpesa_api_key),
            ("callback", &self.callback),
            ("api-key", &self.api_key),
        ]
    }
}

/// The addresses at which everybody listens.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    pub(crate) kiungo: SocketAddr,
    pub(crate) fineract: SocketAddr,
    pub(crate) gsma: SocketAddr,
    pub(crate) mpesa: SocketAddr,
}

impl Addresses {
    /// Loopback addresses: Kiungo's port, and the three after it.
    pub(crate) fn from_port(port: u16) -> Self {
        let at = |offset| SocketAddr::from((Ipv4Addr::LOCALHOST, port.saturating_add(offset)));
        Self { kiungo: at(0), fineract: at(1), gsma: at(2), mpesa: at(3) }
    }

    /// The address at which `wallet` calls back, with the secret and a trailing slash.
    pub(crate) fn callbacks(&self, wallet: Wallet, secrets: &Secrets) -> String {
        format!("http://{}/callbacks/{}/{}/", self.kiungo, wallet.id(), secrets.callback)
    }
}
