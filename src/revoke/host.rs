//! Which server is asked to revoke, and what a server of its kind asks for.
//!
//! Everything that differs between kinds of hosts is answered here, so that a further kind is a
//! further variant and the compiler's list of places to look at. The room's other files must not
//! look at a host's name to find out what it is.

use url::{Host as UrlHost, Url};

/// The version of GitHub's REST API that is asked for unless the user names another.
const API_VERSION: &str = "2026-03-10";

/// The kinds of tokens that GitHub's cloud takes (`POST /credentials/revoke`, since 2026-03-26).
const CLOUD_KINDS: &[&str] = &[
    "github_personal_access_token",
    "github_fine_grained_personal_access_token",
    "github_oauth_access_token",
    "github_app_user_access_token",
    "github_refresh_token",
];

/// A server that revokes, by its API's base address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    kind: HostKind,
    reach: Reach,
    key: String,
    api_version: String,
}

/// What sort of server it is. Authentication, limits and the kinds taken depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostKind {
    /// github.com, or a company's subdomain of ghe.com: revoking is anonymous, and a request that
    /// carries an `Authorization` header is refused. A loopback host plays this part in tests.
    Cloud,
}

/// Whether a host is this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Nothing leaves the machine: plain http and any budget are fine.
    Loopback,
    /// A server that others own; GitHub's limits hold.
    Remote,
}

/// Why an address is not that of a host.
///
/// No text repeats the address: it may hold a password, or a token pasted into the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// It does not parse as a URL.
    #[error("the API URL is not a URL: {0}")]
    Url(#[from] url::ParseError),
    /// It has another scheme than https, and is not plain http to this machine.
    #[error("the API URL must begin with https:// (plain http is for loopback hosts only)")]
    Scheme,
    /// It has a user name, a password, a query or a fragment.
    #[error("the API URL must be bare: without user name, password, query and fragment")]
    NotBare,
    /// It is the web site's address.
    #[error("that is the web site: the API of github.com is at https://api.github.com")]
    WebSite,
    /// It is that of a GitHub Enterprise Server.
    #[error("GitHub Enterprise Server (a URL that ends in /api/v3) is not supported yet")]
    EnterpriseServer,
    /// It is of no form that is known.
    #[error(
        "the API URL must be https://api.github.com, https://api.SUBDOMAIN.ghe.com \
         or https://HOST/api/v3"
    )]
    Form,
    /// The API version is not a date.
    #[error("the API version must be a date such as {API_VERSION}")]
    ApiVersion,
}

impl Host {
    /// Reads an API's base address, such as `https://api.github.com`.
    pub fn parse(url: &str) -> Result<Self, HostError> {
        let url = Url::parse(url)?;
        let name = url.host().ok_or(HostError::Form)?;
        let reach = reach(&name);
        match (url.scheme(), reach) {
            ("https", Reach::Loopback | Reach::Remote) | ("http", Reach::Loopback) => {}
            _ => return Err(HostError::Scheme),
        }
        let credentials = !url.username().is_empty() || url.password().is_some();
        if credentials || url.query().is_some() || url.fragment().is_some() {
            return Err(HostError::NotBare);
        }
        Ok(Self {
            kind: kind(&url, &name, reach)?,
            reach,
            // The parser has lowered the case and dropped the port where it is the scheme's own.
            key: url.origin().ascii_serialization(),
            api_version: API_VERSION.to_owned(),
        })
    }

    /// The same host, asked for another version of its API: a date, as in `2022-11-28`.
    pub fn with_api_version(mut self, version: &str) -> Result<Self, HostError> {
        let date = version.len() == 10
            && version.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            });
        if !date {
            return Err(HostError::ApiVersion);
        }
        version.clone_into(&mut self.api_version);
        Ok(self)
    }

    /// What sort of server it is.
    pub fn kind(&self) -> HostKind {
        self.kind
    }

    /// Whether it is this machine.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        self.reach == Reach::Loopback
    }

    /// Its name in the ledger: scheme, host and port, in lower case.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The version of its API to ask for.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// Where tokens are sent to.
    pub fn revoke_url(&self) -> String {
        match self.kind {
            HostKind::Cloud => format!("{}/credentials/revoke", self.key),
        }
    }

    /// The identifiers of the kinds of tokens it takes. No other secret is to be shown to it.
    pub fn takes(&self) -> &'static [&'static str] {
        match self.kind {
            HostKind::Cloud => CLOUD_KINDS,
        }
    }
}

fn reach(name: &UrlHost<&str>) -> Reach {
    let loopback = match name {
        UrlHost::Domain(domain) => *domain == "localhost",
        UrlHost::Ipv4(address) => address.is_loopback(),
        UrlHost::Ipv6(address) => address.is_loopback(),
    };
    if loopback {
        Reach::Loopback
    } else {
        Reach::Remote
    }
}

fn kind(url: &Url, name: &UrlHost<&str>, reach: Reach) -> Result<HostKind, HostError> {
    let domain = match name {
        UrlHost::Domain(domain) => *domain,
        UrlHost::Ipv4(_) | UrlHost::Ipv6(_) => "",
    };
    if matches!(domain, "github.com" | "www.github.com") {
        return Err(HostError::WebSite);
    }
    let cloud = domain == "api.github.com" || is_ghe_api(domain);
    match url.path().trim_end_matches('/') {
        "" if reach == Reach::Loopback => Ok(HostKind::Cloud),
        "" if cloud && url.port().is_none() => Ok(HostKind::Cloud),
        "/api/v3" if !cloud => Err(HostError::EnterpriseServer),
        _ => Err(HostError::Form),
    }
}

/// Whether `domain` is `api.SUBDOMAIN.ghe.com`, the subdomain being one label.
fn is_ghe_api(domain: &str) -> bool {
    domain
        .strip_prefix("api.")
        .and_then(|rest| rest.strip_suffix(".ghe.com"))
        .is_some_and(|label| !label.is_empty() && !label.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(url: &str) -> String {
        Host::parse(url).expect(url).key().to_owned()
    }

    #[test]
    fn every_spelling_of_a_host_has_one_key() {
        for url in [
            "https://api.github.com",
            "https://api.github.com/",
            "HTTPS://API.GitHub.com:443",
        ] {
            assert_eq!(key(url), "https://api.github.com");
        }
        assert_eq!(key("https://api.Acme.ghe.com/"), "https://api.acme.ghe.com");
        assert_eq!(key("http://127.0.0.9:8080/"), "http://127.0.0.9:8080");
        assert_eq!(key("http://[::1]:8080"), "http://[::1]:8080");
        assert_eq!(key("https://localhost"), "https://localhost");
    }

    #[test]
    fn tokens_go_to_one_address() {
        let host = Host::parse("https://api.github.com/").unwrap();
        assert_eq!(
            host.revoke_url(),
            "https://api.github.com/credentials/revoke"
        );
        assert_eq!(host.kind(), HostKind::Cloud);
        assert_eq!((host.reach(), host.is_loopback()), (Reach::Remote, false));
        assert!(Host::parse("http://localhost:1").unwrap().is_loopback());
    }

    #[test]
    fn other_addresses_are_refused_with_their_reason() {
        for (url, error) in [
            ("http://api.github.com", HostError::Scheme),
            ("http://localhost.example", HostError::Scheme),
            ("http://10.0.0.1", HostError::Scheme),
            ("ftp://127.0.0.1", HostError::Scheme),
            ("https://me@api.github.com", HostError::NotBare),
            ("https://:pw@api.github.com", HostError::NotBare),
            ("https://api.github.com?", HostError::NotBare),
            ("https://api.github.com#x", HostError::NotBare),
            ("https://github.com", HostError::WebSite),
            ("https://www.github.com/api/v3", HostError::WebSite),
            ("https://git.example/api/v3/", HostError::EnterpriseServer),
            ("http://127.0.0.1:8080/api/v3", HostError::EnterpriseServer),
            ("https://git.example", HostError::Form),
            ("https://acme.ghe.com", HostError::Form),
            ("https://api.ghe.com", HostError::Form),
            ("https://api.a.b.ghe.com", HostError::Form),
            ("https://api.github.com.", HostError::Form),
            ("https://api.github.com:8443", HostError::Form),
            ("https://api.github.com/api/v3", HostError::Form),
            ("https://api.github.com/credentials/revoke", HostError::Form),
            ("https://api.github.com.evil.example", HostError::Form),
        ] {
            assert_eq!(Host::parse(url), Err(error), "{url}");
        }
        assert!(matches!(
            Host::parse("api.github.com"),
            Err(HostError::Url(_))
        ));
    }

    #[test]
    fn an_api_version_is_a_date() {
        let host = Host::parse("https://api.github.com").unwrap();
        assert_eq!(host.api_version(), "2026-03-10");
        let older = host.clone().with_api_version("2022-11-28").unwrap();
        assert_eq!(older.api_version(), "2022-11-28");
        for version in [
            "",
            "v3",
            "2022-11-2",
            "2022-11-28\n",
            "2022/11/28",
            "２022-11-28",
        ] {
            let refused = host.clone().with_api_version(version);
            assert_eq!(refused, Err(HostError::ApiVersion), "{version:?}");
        }
    }
}
