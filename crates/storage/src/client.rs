//! Clients of storage, one for each bucket or host.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::TryStreamExt as _;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::http::HttpBuilder;
use object_store::path::Path as Location;
use object_store::{
    BackoffConfig, ClientConfigKey, ClientOptions, Error, GetOptions, GetRange, ObjectMeta, ObjectStore, RetryConfig,
};

use crate::address::Address;
use crate::{Late, StorageError, Version, runtime};

/// How often a request that failed on the way is made again.
const RETRIES: usize = 4;
/// No retry begins later than this after the first try.
const RETRY_FOR: Duration = Duration::from_mins(1);
/// A connection on which nothing arrives for so long is given up.
const SILENCE: &str = "15 seconds";

/// Where one object is, and the client for it.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    pub(crate) address: PathBuf,
    /// The server, for names in caches.
    pub(crate) server: String,
    store: Arc<dyn ObjectStore>,
    location: Location,
}

impl Remote {
    /// The client for an address; no request is made.
    pub(crate) fn new(address: &Path) -> Result<Self, StorageError> {
        let wrong = |error: object_store::path::Error| StorageError::Address {
            address: address.to_owned(),
            reason: error.to_string(),
        };
        let (place, location) = match Address::parse(address)? {
            Address::S3 { bucket, key } => (format!("s3://{bucket}"), Location::parse(key).map_err(wrong)?),
            Address::Http { host, path } => (host, Location::from_url_path(path).map_err(wrong)?),
        };
        let Client { server, store } = client(&place)?;
        Ok(Self { address: address.to_owned(), server, store, location })
    }

    /// Asks which content the object has.
    pub(crate) fn head(&self, late: Late) -> Result<Version, StorageError> {
        let (store, location) = (Arc::clone(&self.store), self.location.clone());
        let options = GetOptions { head: true, ..GetOptions::default() };
        let answer = runtime::wait(&self.address, late, async move { store.get_opts(&location, options).await })?;
        answer.map(|found| version(&found.meta)).map_err(|error| self.failure(&error))
    }

    /// Reads bytes of the object as it was when it had that version.
    pub(crate) fn get(&self, range: Range<u64>, wanted: &Version, late: Late) -> Result<Vec<u8>, StorageError> {
        let (store, location) = (Arc::clone(&self.store), self.location.clone());
        // Only a strong tag can be a condition (RFC 9110, 8.8.3).
        let if_match = Some(wanted.tag.clone()).filter(|tag| tag.starts_with('"'));
        let options = GetOptions { range: Some(GetRange::Bounded(range.clone())), if_match, ..GetOptions::default() };
        let count = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let (found, bytes) = runtime::wait(&self.address, late, async move {
            let found = store.get_opts(&location, options).await?;
            let version = version(&found.meta);
            let mut bytes = Vec::with_capacity(count);
            let mut parts = found.into_stream();
            while let Some(part) = parts.try_next().await? {
                bytes.extend_from_slice(&part);
            }
            Ok((version, bytes))
        })?
        .map_err(|error: Error| self.failure(&error))?;
        if found != *wanted {
            return Err(StorageError::Changed { address: self.address.clone() });
        }
        if bytes.len() != count {
            return Err(self.network(format!("{} bytes came of the {count} that were asked for", bytes.len())));
        }
        Ok(bytes)
    }

    /// The keys below this one, from it on.
    pub(crate) fn list(&self, late: Late) -> Result<Vec<String>, StorageError> {
        let (store, location) = (Arc::clone(&self.store), self.location.clone());
        let found: Result<Vec<ObjectMeta>, _> =
            runtime::wait(&self.address, late, async move { store.list(Some(&location)).try_collect().await })?;
        let below = |meta: &ObjectMeta| {
            let key = meta.location.as_ref().strip_prefix(self.location.as_ref())?;
            Some(key.trim_start_matches('/').to_owned())
        };
        Ok(found.map_err(|error| self.failure(&error))?.iter().filter_map(below).collect())
    }

    fn failure(&self, error: &Error) -> StorageError {
        let address = self.address.clone();
        match error {
            Error::NotFound { .. } => StorageError::NotFound { address },
            Error::Precondition { .. } => StorageError::Changed { address },
            Error::PermissionDenied { source, .. } | Error::Unauthenticated { source, .. } => {
                StorageError::Denied { address, reason: causes(source.as_ref()) }
            }
            error => self.network(causes(error)),
        }
    }

    fn network(&self, reason: String) -> StorageError {
        StorageError::Network { address: self.address.clone(), reason }
    }
}

/// An error with those causes that its own text leaves out.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

fn version(meta: &ObjectMeta) -> Version {
    Version { bytes: meta.size, tag: meta.e_tag.clone().unwrap_or_else(|| meta.last_modified.to_rfc3339()) }
}

#[derive(Clone)]
struct Client {
    server: String,
    store: Arc<dyn ObjectStore>,
}

/// The client for a bucket or host, made once.
fn client(place: &str) -> Result<Client, StorageError> {
    static CLIENTS: Mutex<Option<HashMap<String, Client>>> = Mutex::new(None);
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let clients = clients.get_or_insert_default();
    if let Some(client) = clients.get(place) {
        return Ok(client.clone());
    }
    // Fails if the program has chosen another provider of TLS already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let failed = |error: Error| StorageError::Settings { reason: format!("for {place}: {}", causes(&error)) };
    let made = match place.strip_prefix("s3://") {
        Some(bucket) => s3(bucket),
        None => http(place),
    };
    let made = made.map_err(failed)?;
    clients.insert(place.to_owned(), made.clone());
    Ok(made)
}

/// Credentials, region, endpoint and limits are those of the environment (`AWS_*`).
fn s3(bucket: &str) -> Result<Client, Error> {
    let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket).with_retry(retries());
    let silence = AmazonS3ConfigKey::Client(ClientConfigKey::ReadTimeout);
    if builder.get_config_value(&silence).is_none() {
        builder = builder.with_config(silence, SILENCE);
    }
    let server = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint]
        .into_iter()
        .find_map(|key| builder.get_config_value(&key))
        .unwrap_or_default();
    Ok(Client { server, store: Arc::new(builder.build()?) })
}

fn http(host: &str) -> Result<Client, Error> {
    let options = ClientOptions::new().with_allow_http(true).with_config(ClientConfigKey::ReadTimeout, SILENCE);
    let store = HttpBuilder::new().with_url(host).with_client_options(options).with_retry(retries()).build()?;
    Ok(Client { server: String::new(), store: Arc::new(store) })
}

fn retries() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(5), base: 3.0 };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRY_FOR }
}
