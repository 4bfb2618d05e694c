//! A registry that others run: where it is, and requests to it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::error::Error;
use super::name::Repository;

const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// Bytes of an error's text that are told on.
const LARGEST_COMPLAINT: usize = 4 << 10;

/// `http://HOST:PORT`, as the engine's host sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

/// A registry, and the repository prefix below which everything that is put there stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    pub address: Address,
    pub namespace: Repository,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| Err(format!("{what}: write http://HOST:PORT"));
        let Ok(uri) = text.parse::<Uri>() else { return wrong("not a URL") };
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return wrong("a registry's certificate is never checked here, so https is refused"),
            _ => return wrong("not the URL of a registry"),
        }
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        if authority.contains('@') {
            return wrong("a user name is refused, because the registry must answer without one");
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return wrong("a path or a query is refused, because a registry answers at /v2/");
        }
        Ok(Self(authority.to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

impl FromStr for Upstream {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.strip_prefix("http://").and_then(|rest| rest.split_once('/'));
        let (authority, namespace) = parts.ok_or("not http://HOST:PORT/REPOSITORY")?;
        let namespace = namespace.parse().map_err(|error: Error| error.to_string())?;
        Ok(Self { address: format!("http://{authority}").parse()?, namespace })
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.namespace)
    }
}

/// Requests to one registry, over connections that are kept.
pub(super) struct Requests {
    address: Address,
    client: Client<HttpConnector, Body>,
}

impl Requests {
    pub fn to(address: Address) -> Self {
        let mut connector = HttpConnector::new();
        // A small packet that waits for more would be counted as the engine's time.
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_DEADLINE));
        Self { address, client: Client::builder(TokioExecutor::new()).build(connector) }
    }

    /// Sends one request to a path with its query.
    ///
    /// # Errors
    /// [`Error::Unreachable`]; [`Error::Elsewhere`] for an answer that leads away from this registry.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<Response<Incoming>, Error> {
        let unreachable = |reason: String| Error::Unreachable { address: self.address.clone(), reason };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .body(body)
            .map_err(|error| unreachable(error.to_string()))?;
        *request.headers_mut() = headers;
        let answer = self.client.request(request).await.map_err(|error| unreachable(innermost(&error)))?;
        match location(answer.headers()) {
            Some(location) if answer.status().is_redirection() => Err(self.elsewhere(location)),
            _ => Ok(answer),
        }
    }

    /// Path and query of a place that this registry named.
    ///
    /// # Errors
    /// [`Error::Elsewhere`] where it is not here.
    pub fn local<'a>(&self, location: &'a str) -> Result<&'a str, Error> {
        let path = location.strip_prefix(&self.address.to_string()).unwrap_or(location);
        if path.starts_with('/') && !path.starts_with("//") {
            return Ok(path);
        }
        Err(self.elsewhere(location))
    }

    pub fn elsewhere(&self, location: &str) -> Error {
        Error::Elsewhere { address: self.address.clone(), location: location.to_owned() }
    }

    /// The answer, where it has the status that it should have.
    ///
    /// # Errors
    /// [`Error::Refused`] with what the registry said.
    pub async fn expect(
        &self,
        status: StatusCode,
        asked: String,
        answer: Response<Incoming>,
    ) -> Result<HeaderMap, Error> {
        let (parts, body) = answer.into_parts();
        let body = Limited::new(body, LARGEST_COMPLAINT).collect().await.map(|body| body.to_bytes());
        if parts.status == status {
            return Ok(parts.headers);
        }
        let said = body.map_or_else(|error| error.to_string(), |body| String::from_utf8_lossy(&body).trim().to_owned());
        Err(Error::Refused { address: self.address.clone(), asked, status: parts.status, said })
    }
}

/// Where an answer points to.
pub(super) fn location(headers: &HeaderMap) -> Option<&str> {
    headers.get(LOCATION)?.to_str().ok()
}

/// The error behind all others says what happened.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_scheme_a_host_and_a_port() {
        for good in ["http://127.0.0.1:5000", "http://registry.local:80/", "http://[::1]:5000", "http://registry"] {
            let address: Address = good.parse().unwrap_or_else(|error| panic!("{good}: {error}"));
            assert_eq!(address.to_string(), good.trim_end_matches('/'));
        }
        for bad in ["", "registry:5000", "127.0.0.1:5000", "ftp://a:1", "http://", "http:///v2/", "http://a:1/v2/"] {
            assert!(bad.parse::<Address>().is_err(), "{bad}");
        }
        for (bad, why) in
            [("https://a:5000", "https is refused"), ("http://u:p@a:1", "user name"), ("http://a:1/?b", "query")]
        {
            let error = bad.parse::<Address>().expect_err(bad);
            assert!(error.contains(why) && error.ends_with("write http://HOST:PORT"), "{error}");
            assert!(!error.contains(":p@"), "{error}");
        }
    }

    #[test]
    fn a_registry_and_its_namespace_are_one_word() {
        let text = "http://127.0.0.1:5000/dindbench-1/a";
        let upstream: Upstream = text.parse().unwrap();
        assert_eq!((upstream.namespace.to_string(), upstream.to_string()), ("dindbench-1/a".into(), text.into()));
        for bad in ["http://127.0.0.1:5000", "http://127.0.0.1:5000/", "http://127.0.0.1:5000/A", "https://a:1/b"] {
            assert!(bad.parse::<Upstream>().is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn only_what_is_on_the_registry_itself_is_gone_to() {
        let requests = Requests::to("http://a:1".parse().unwrap());
        assert_eq!(requests.local("http://a:1/v2/x?y=z").unwrap(), "/v2/x?y=z");
        assert_eq!(requests.local("/v2/x").unwrap(), "/v2/x");
        for elsewhere in ["http://a:12/v2/", "https://a:1/v2/", "//b/v2/", "v2/x", "", "http://a:1"] {
            assert!(matches!(requests.local(elsewhere), Err(Error::Elsewhere { .. })), "{elsewhere}");
        }
    }
}
