//! The broker of a demo whose work is shared: names of its own in one that may have other users.

use anyhow::{Context as _, bail};
use kiungo_queue_rabbit::{RabbitOptions, RabbitQueue};
use secrecy::SecretString;
use uuid::Uuid;

/// Parts of the work: more than the workers, few enough to be made and deleted quickly.
const SHARDS: u16 = 16;

/// The address of the broker, and the names of everything in it.
pub(super) struct Broker {
    options: RabbitOptions,
    /// The address as it was given, which may hold a password.
    url: SecretString,
}

impl Broker {
    /// The broker at `url`, under names that are not in use.
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        let mut options = RabbitOptions::new(url).context("--queue")?;
        if !options.is_private() {
            bail!("--queue: the broker is on another machine: use amqps://");
        }
        if !options.has_password() {
            bail!("--queue: write the password of {} into the address", options.user());
        }
        options.prefix = format!("kiungo-demo-{}", Uuid::now_v7().simple());
        options.shards = SHARDS;
        Ok(Self { options, url: SecretString::from(url) })
    }

    /// The section of a configuration that names it, whose address stands in a file.
    pub(super) fn section(&self, url_file: &str) -> String {
        let RabbitOptions { prefix, shards, .. } = &self.options;
        format!("\n[queue]\nurl_file = {url_file}\nprefix = \"{prefix}\"\nshards = {shards}\n")
    }

    pub(super) fn url(&self) -> SecretString {
        self.url.clone()
    }

    /// Deletes what the demo has made; what is left otherwise.
    pub(super) async fn clear(&self) -> Result<(), String> {
        let mut options = self.options.clone();
        options.declares = false;
        let cleared = async {
            let queue = RabbitQueue::open(options).await?;
            let deleted = queue.delete_all().await;
            queue.close().await;
            anyhow::Ok(deleted?)
        };
        cleared.await.map_err(|error| {
            let (broker, prefix) = (self.options.shown(), &self.options.prefix);
            format!("{broker}: what begins with {prefix} was not deleted: {error:#}")
        })
    }
}
