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

/// It has signed one certificate, for `localhost`.
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    pub fn new() -> Self {
        let authority = Self { folder: TempDir::new().unwrap() };
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
        let make = |args: &[&str]| {
            let mut openssl = Command::new("openssl");
            openssl.args(["req", "-x509"]).args(key).args(args).current_dir(&authority.folder);
            let made = openssl.output().expect("the openssl program is installed");
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        };
        make(&["-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=Our own"]);
        let of_ca = ["-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "server.key", "-out", "server.pem"];
        let of_server = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
        make(&[&of_ca[..], &of_server[..], &["-addext", "basicConstraints=critical,CA:FALSE"]].concat());
        authority
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Its own certificate, as those who trust it name it.
    pub fn certificate(&self) -> PathBuf {
        self.file("ca.pem")
    }

    /// Copies certificate and key of the server into `folder`, as `server.pem` and `server.key`.
    pub fn serve_from(&self, folder: &Path) {
        for name in ["server.pem", "server.key"] {
            fs::copy(self.file(name), folder.join(name)).unwrap();
        }
    }

    /// TLS in front of `address`; where it is answered.
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
                        // Whoever does not trust the certificate hangs up.
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
