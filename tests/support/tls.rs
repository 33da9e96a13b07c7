//! A certificate authority for tests, and a TLS proxy in front of a server.

use std::fs;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// An authority that has signed one certificate, for `localhost`.
pub struct Authority {
    folder: TempDir,
}

const OF_SERVER: [&str; 4] = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];

impl Authority {
    pub fn new() -> Self {
        let authority = Self { folder: TempDir::new().unwrap() };
        authority.make(&["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Our own"]);
        let of_ca = ["-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.pem"];
        let no_authority = ["-addext", "basicConstraints=critical,CA:FALSE"];
        authority.make(&[&of_ca[..], &OF_SERVER, &no_authority].concat());
        authority
    }

    /// An authority whose own certificate is also the server's, as `openssl req -x509` creates it.
    pub fn self_signed() -> Self {
        let authority = Self { folder: TempDir::new().unwrap() };
        authority.make(&[&["-keyout", "server.key", "-out", "server.pem"][..], &OF_SERVER].concat());
        fs::copy(authority.file("server.pem"), authority.file("ca.pem")).unwrap();
        authority
    }

    fn make(&self, args: &[&str]) {
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        openssl.args(["-nodes", "-days", "2"]).args(args).current_dir(&self.folder);
        let made = openssl.output().expect("the openssl program is installed");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Path of its own certificate, for clients that trust it.
    pub fn certificate(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// Copies certificate and key of the server into `folder`, as `server.pem` and `server.key`.
    pub fn serve_from(&self, folder: &Path) {
        for name in ["server.pem", "server.key"] {
            fs::copy(self.file(name), folder.join(name)).unwrap();
        }
    }

    /// Starts a TLS proxy in front of `address`; returns its address.
    pub fn in_front_of(&self, address: &str) -> String {
        let behind: SocketAddr = address.trim_start_matches("http://").parse().unwrap();
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let chain = vec![CertificateDer::from_pem_file(self.file("server.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(self.file("server.key")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                while let Ok((client, _)) = listener.accept().await {
                    let acceptor = acceptor.clone();
                    tokio::spawn(async move {
                        // A client that does not trust the certificate closes the connection.
                        let Ok(mut client) = acceptor.accept(client).await else { return };
                        let Ok(mut server) = TcpStream::connect(behind).await else { return };
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    });
                }
            });
        });
        format!("https://localhost:{port}")
    }
}
