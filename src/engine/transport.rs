//! HTTP to an engine, over whichever byte stream reaches it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bollard::BollardRequest;
use bollard::errors::Error;
use hyper::body::Incoming;
use hyper::{Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use super::Engine;
use super::endpoint::{Certificates, Endpoint};

type Answer = Pin<Box<dyn Future<Output = Result<Response<Incoming>, Error>> + Send>>;

/// One pooled HTTP client; every request to an engine goes through it.
pub(super) type Requests = Arc<dyn Fn(BollardRequest) -> Answer + Send + Sync>;

/// How a new connection to an engine is made.
#[derive(Clone)]
pub(super) enum Route {
    Direct(Endpoint),
    /// Through a command in the engine's container: no shared folder, no port, any depth.
    Exec {
        engine: Engine,
        container: String,
        command: Vec<String>,
    },
}

/// A client for the engine at the end of a route.
pub(super) fn client(route: Route) -> Requests {
    let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(2).build(Connector(route));
    Arc::new(move |request| {
        let answer = client.request(request);
        Box::pin(async move { answer.await.map_err(Error::from) })
    })
}

#[derive(Clone)]
struct Connector(Route);

impl tower_service::Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let route = self.0.clone();
        Box::pin(async move { Ok(TokioIo::new(Stream(route.connect().await?))) })
    }
}

impl Route {
    async fn connect(self) -> std::io::Result<Box<dyn Bytes>> {
        Ok(match self {
            Self::Direct(Endpoint::Unix(path)) => Box::new(UnixStream::connect(path).await?),
            Self::Direct(Endpoint::Tcp(address)) => Box::new(tcp(&address).await?),
            Self::Direct(Endpoint::Tls { address, certificates }) => Box::new(tls(&address, &certificates).await?),
            Self::Exec { engine, container, command } => {
                Box::new(engine.pipe(&container, &command).await.map_err(std::io::Error::other)?)
            }
        })
    }
}

async fn tcp(address: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn tls(address: &str, files: &Certificates) -> std::io::Result<impl Bytes + use<>> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};

    let named = |path: &std::path::Path, error: rustls::pki_types::pem::Error| {
        std::io::Error::other(format!("{}: {error}", path.display()))
    };
    let certificates = |path: &std::path::Path| -> std::io::Result<Vec<CertificateDer<'static>>> {
        CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| named(path, error))
    };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates(&files.ca)? {
        roots.add(certificate).map_err(std::io::Error::other)?;
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| named(&files.key, error))?;
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(std::io::Error::other)?
        .with_root_certificates(roots)
        .with_client_auth_cert(certificates(&files.cert)?, key)
        .map_err(std::io::Error::other)?;
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp(address).await?).await
}

/// A byte stream to an engine.
pub(super) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// A stream as hyper's client wants it.
struct Stream(Box<dyn Bytes>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use hyper::StatusCode;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;
    use tokio::sync::mpsc;

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    /// An engine that answers the first request of each connection, and then does what `then` says. Tells of each request.
    fn engine(socket: &std::path::Path, then: Then) -> mpsc::UnboundedReceiver<()> {
        let listener = UnixListener::bind(socket).unwrap();
        let (requests, received) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (mut connection, _) = listener.accept().await.unwrap();
                let requests = requests.clone();
                tokio::spawn(async move {
                    assert!(connection.read(&mut [0; 4096]).await.unwrap() > 0);
                    requests.send(()).unwrap();
                    connection.write_all(ANSWER).await.unwrap();
                    match then {
                        Then::CloseWhenIdle => tokio::time::sleep(Duration::from_millis(50)).await,
                        Then::BreakOff => {
                            if connection.read(&mut [0; 4096]).await.unwrap() > 0 {
                                requests.send(()).unwrap();
                            }
                        }
                    }
                });
            }
        });
        received
    }

    #[derive(Clone, Copy)]
    enum Then {
        CloseWhenIdle,
        /// Takes the next request and closes without an answer.
        BreakOff,
    }

    async fn post(requests: &Requests) -> Result<StatusCode, Error> {
        let request = hyper::Request::post("http://engine/build").header(hyper::header::HOST, "engine");
        let request = request.body(bollard::body_full(bytes::Bytes::new())).unwrap();
        requests(request).await.map(|answer| answer.status())
    }

    /// What two requests, the second after the engine closed an idle connection, come to, and how many arrived.
    async fn twice(then: Then) -> (Result<StatusCode, Error>, usize) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let mut received = engine(&socket, then);
        let requests = client(Route::Direct(Endpoint::Unix(socket)));
        assert_eq!(post(&requests).await.unwrap(), StatusCode::OK);
        tokio::time::sleep(Duration::from_millis(200)).await;
        let second = post(&requests).await;
        let mut arrived = 0;
        while tokio::time::timeout(Duration::from_millis(200), received.recv()).await.is_ok_and(|one| one.is_some()) {
            arrived += 1;
        }
        (second, arrived)
    }

    #[tokio::test]
    async fn a_connection_that_the_engine_closed_loses_no_request_and_sends_none_twice() {
        let (second, arrived) = twice(Then::CloseWhenIdle).await;
        assert_eq!((second.unwrap(), arrived), (StatusCode::OK, 2));
    }

    #[tokio::test]
    async fn a_request_that_may_have_been_done_is_not_sent_again() {
        let (second, arrived) = twice(Then::BreakOff).await;
        assert!(second.is_err());
        assert_eq!(arrived, 2);
    }
}
