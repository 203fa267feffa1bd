//! A database and names in the broker that belong to one part of a measurement.

use std::str::FromStr;

use kiungo_queue_rabbit::Topology;
use kiungo_queue_rabbit::{RabbitOptions, RabbitQueue};
use kiungo_store_sql::{PostgresOptions, PostgresStore};
use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, PgConnection};

use super::SharedOptions;
use crate::BenchError;
use crate::product::setup;

/// The servers and the database with which a part works.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TestBed {
    /// The database that it was made from.
    server: String,
    /// Its own.
    name: String,
    broker: String,
}

impl TestBed {
    /// Makes the database of a part.
    async fn make(server: &str, broker: &str, part: &str) -> Result<Self, BenchError> {
        let name = format!("kiungo_bench_{}_{part}", std::process::id());
        let test_bed = Self { server: server.to_owned(), name, broker: broker.to_owned() };
        test_bed.on_server("CREATE DATABASE", "").await?;
        Ok(test_bed)
    }

    /// Makes a test bed, lends it, and removes it in any case.
    pub(crate) async fn lend<T>(
        options: &SharedOptions,
        part: &str,
        to: impl AsyncFnOnce(Self) -> Result<T, BenchError>,
    ) -> Result<T, BenchError> {
        let test_bed = Self::make(&options.database, &options.queue, part).await?;
        let found = to(test_bed.clone()).await;
        let removed = test_bed.remove().await;
        let found = found?;
        removed.map(|()| found)
    }

    /// Removes everything.
    async fn remove(&self) -> Result<(), BenchError> {
        self.on_server("DROP DATABASE IF EXISTS", "WITH (FORCE)").await?;
        let connection = self.broker().await?;
        let channel = connection.create_channel().await.map_err(|e| setup(&e))?;
        let topology = Topology::new(&self.queue_options()?);
        let mut queues: Vec<_> = topology.queues.into_iter().map(|queue| queue.name).collect();
        queues.push(self.listeners_queue());
        for queue in queues {
            let deleted = channel.queue_delete(queue.into(), QueueDeleteOptions::default());
            deleted.await.map_err(|e| setup(&e))?;
        }
        for exchange in topology.exchanges {
            let options = ExchangeDeleteOptions::default();
            let deleted = channel.exchange_delete(exchange.name.into(), options);
            deleted.await.map_err(|e| setup(&e))?;
        }
        connection.close(200, "OK".into()).await.map_err(|e| setup(&e))
    }

    async fn on_server(&self, what: &str, how: &str) -> Result<(), BenchError> {
        let mut connection = PgConnectOptions::from_str(&self.server)?.connect().await?;
        let statement = format!("{what} {} {how}", self.name);
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    /// The options by which its database is reached.
    pub(crate) fn database(&self) -> Result<PgConnectOptions, BenchError> {
        Ok(PgConnectOptions::from_str(&self.server)?.database(&self.name))
    }

    /// A connection to it.
    pub(crate) async fn connection(&self) -> Result<PgConnection, BenchError> {
        Ok(self.database()?.disable_statement_logging().connect().await?)
    }

    pub(crate) async fn store(&self) -> Result<PostgresStore, BenchError> {
        let mut options = PostgresOptions::new(&self.url()).map_err(|e| setup(&e))?;
        options.outbox = true;
        options.readers_max = READERS_MAX;
        PostgresStore::open(&options).await.map_err(|e| setup(&e))
    }

    /// The server's address with its own database instead of the other's name.
    fn url(&self) -> String {
        let (rest, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let host = rest.find("://").map_or(0, |at| at + 3);
        let end = rest[host..].find('/').map_or(rest.len(), |at| host + at);
        let url = format!("{}/{}", &rest[..end], self.name);
        if query.is_empty() { url } else { format!("{url}?{query}") }
    }

    /// Its part of the broker.
    pub(crate) async fn queue(&self) -> Result<RabbitQueue, BenchError> {
        RabbitQueue::open(self.queue_options()?).await.map_err(|e| setup(&e))
    }

    fn queue_options(&self) -> Result<RabbitOptions, BenchError> {
        let mut options = RabbitOptions::new(&self.broker).map_err(|e| setup(&e))?;
        options.prefix.clone_from(&self.name);
        Ok(options)
    }

    /// A connection to the broker for those who listen.
    pub(crate) async fn broker(&self) -> Result<Connection, BenchError> {
        let connecting = Connection::connect(&self.broker, ConnectionProperties::default());
        connecting.await.map_err(|e| setup(&e))
    }

    pub(crate) fn events_exchange(&self) -> Result<String, BenchError> {
        Ok(Topology::new(&self.queue_options()?).events_exchange())
    }

    pub(crate) fn listeners_queue(&self) -> String {
        format!("{}.listener", self.name)
    }
}

/// As the program's default.
const READERS_MAX: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_takes_the_place_of_the_servers() {
        for (server, expected) in [
            ("postgres://a@h:1/b", "postgres://a@h:1/own"),
            ("postgres://a@h", "postgres://a@h/own"),
            ("postgres:///b?host=/run/x", "postgres:///own?host=/run/x"),
        ] {
            let (name, broker) = ("own".to_owned(), String::new());
            assert_eq!(TestBed { server: server.to_owned(), name, broker }.url(), expected);
        }
    }
}
