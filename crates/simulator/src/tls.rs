//! TLS in front of a simulator, with client certificates where they are wanted
//! (`gsma-mobile-money-api.md` §3).

use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

/// The PEM files that a simulator needs to speak TLS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The simulator's certificate, with the chain that leads to its authority.
    pub certificate_file: PathBuf,
    /// Its private key.
    pub key_file: PathBuf,
    /// The authority of the clients' certificates: who has none of it is not let in. If absent,
    /// everybody is.
    #[serde(default)]
    pub client_authority_file: Option<PathBuf>,
}

/// TLS that cannot be spoken.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file that is missing or is no PEM.
    #[error("{}: {error}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The fault in the file.
        #[source]
        error: pem::Error,
    },
    /// A certificate and a key that do not fit together, or an authority that is none.
    #[error("the certificates cannot be used: {0}")]
    Certificates(#[from] rustls::Error),
    /// An authority that no client can be checked against.
    #[error("the clients' authority cannot be used: {0}")]
    Authority(#[from] VerifierBuilderError),
}

/// A simulator's side of TLS handshakes; cheap to clone.
#[derive(Clone)]
pub struct Tls(tokio_rustls::TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// A file that cannot be read, or certificates that cannot be used.
    pub fn read(files: &TlsFiles) -> Result<Self, TlsError> {
        let certificate = certificates(&files.certificate_file)?;
        let key = PrivateKeyDer::from_pem_file(&files.key_file)
            .map_err(|error| TlsError::File { file: files.key_file.clone(), error })?;
        // The provider is named, because a process may have several and no default.
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?;
        let config = match &files.client_authority_file {
            None => config.with_no_client_auth(),
            Some(file) => {
                let mut roots = RootCertStore::empty();
                for authority in certificates(file)? {
                    roots.add(authority)?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                config.with_client_cert_verifier(verifier.build()?)
            }
        };
        Ok(Self(Arc::new(config.with_single_cert(certificate, key)?).into()))
    }

    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

fn certificates(file: &PathBuf) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |error| TlsError::File { file: file.clone(), error };
    CertificateDer::pem_file_iter(file).map_err(failed)?.collect::<Result<_, _>>().map_err(failed)
}
