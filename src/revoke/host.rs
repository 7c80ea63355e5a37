//! Which server is asked to revoke, and what a server of its kind asks for.
//!
//! Everything that differs between kinds of hosts is answered here, so that a further kind is a
//! further variant and the compiler's list of places to look at. The room's other files must not
//! look at a host's name to find out what it is.

use url::{Host as UrlHost, Url};

use crate::vocabulary::Call;

/// The version of GitHub's REST API that is asked for unless the user names another. github.com
/// takes it, and so does GitHub Enterprise Server from 3.21 on; before, a server answers 410.
const API_VERSION: &str = "2026-03-10";

/// The kinds of tokens that `POST /credentials/revoke` takes: github.com's since 2026-03-26, that of
/// GitHub Enterprise Server from 3.21 on.
const ALL_KINDS: &[&str] = &[
    "github_personal_access_token",
    "github_fine_grained_personal_access_token",
    "github_oauth_access_token",
    "github_app_user_access_token",
    "github_refresh_token",
];

/// The kinds that a server takes which knows only an older version of the API: 3.18 to 3.20.
const OLD_SERVER_KINDS: &[&str] = &[
    "github_personal_access_token",
    "github_fine_grained_personal_access_token",
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
    /// A GitHub Enterprise Server: revoking takes a login.
    EnterpriseServer,
}

/// Whether requests to revoke are made with a token of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authentication {
    /// They must not be: a request with a login is refused.
    Never,
    /// They must be.
    Always,
}

/// Whose limits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limits {
    /// GitHub's documented ones: they can only be lowered.
    Github,
    /// Those that the owner of the host has set: any are taken.
    Owners,
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
    #[error("the API URL is not a URL such as https://api.github.com")]
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
        let kind = kind(&url, &name, reach)?;
        // The parser has lowered the case and dropped the port where it is the scheme's own.
        let origin = url.origin().ascii_serialization();
        Ok(Self {
            kind,
            reach,
            key: match kind {
                HostKind::Cloud => origin,
                HostKind::EnterpriseServer => origin + SERVER_PATH,
            },
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

    /// Whether requests to revoke are made with a token of ours.
    pub fn authentication(&self) -> Authentication {
        match self.kind {
            HostKind::Cloud => Authentication::Never,
            HostKind::EnterpriseServer => Authentication::Always,
        }
    }

    /// Whose limits hold.
    pub fn limits(&self) -> Limits {
        match (self.kind, self.reach) {
            (HostKind::Cloud, Reach::Remote) => Limits::Github,
            (HostKind::Cloud, Reach::Loopback) | (HostKind::EnterpriseServer, _) => Limits::Owners,
        }
    }

    /// Its name in the ledger: its API's base address, in lower case.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The version of its API to ask for.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// Where a call is sent to.
    pub fn url(&self, call: &Call) -> String {
        let key = &self.key;
        match call {
            Call::Revoke => format!("{key}/credentials/revoke"),
            Call::RevokeAll { enterprise, .. } => {
                format!("{key}/enterprises/{enterprise}/credential-authorizations/revoke-all")
            }
            Call::RevokeUser {
                enterprise, user, ..
            } => format!("{key}/enterprises/{enterprise}/credential-authorizations/{user}/revoke"),
        }
    }

    /// The identifiers of the kinds of tokens it takes. No other secret is to be shown to it.
    ///
    /// What release a server is of is not asked: one that takes the newer version of the API takes
    /// all kinds, and who names an older one gets the kinds that all servers take.
    pub fn takes(&self) -> &'static [&'static str] {
        match self.kind {
            // Dates in this form are in the order of their texts.
            HostKind::EnterpriseServer if self.api_version.as_str() < API_VERSION => {
                OLD_SERVER_KINDS
            }
            HostKind::Cloud | HostKind::EnterpriseServer => ALL_KINDS,
        }
    }
}

/// Where the API of a GitHub Enterprise Server lies.
const SERVER_PATH: &str = "/api/v3";

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
        SERVER_PATH if !cloud => Ok(HostKind::EnterpriseServer),
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
    use crate::vocabulary::Credentials;

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
            host.url(&Call::Revoke),
            "https://api.github.com/credentials/revoke"
        );
        assert_eq!(host.kind(), HostKind::Cloud);
        assert_eq!((host.reach(), host.is_loopback()), (Reach::Remote, false));
        assert!(Host::parse("http://localhost:1").unwrap().is_loopback());
    }

    #[test]
    fn a_server_is_told_by_its_path() {
        let server = Host::parse("https://Git.example:8443/api/v3/").unwrap();
        assert_eq!(server.kind(), HostKind::EnterpriseServer);
        assert_eq!(server.authentication(), Authentication::Always);
        assert_eq!(server.limits(), Limits::Owners);
        assert_eq!(server.key(), "https://git.example:8443/api/v3");
        let call = Call::RevokeUser {
            enterprise: "acme".to_owned(),
            user: "mona_acme".to_owned(),
            credentials: Credentials::Kept,
        };
        assert_eq!(
            server.url(&call),
            "https://git.example:8443/api/v3/enterprises/acme/credential-authorizations/mona_acme/revoke"
        );
        assert_eq!(server.takes().len(), 5);
        let old = server.with_api_version("2022-11-28").unwrap();
        assert_eq!(old.takes().len(), 2);
        // Here every server plays the part that its address names.
        let ours = Host::parse("http://127.0.0.1:8080/api/v3").unwrap();
        assert_eq!(
            (ours.kind(), ours.reach()),
            (HostKind::EnterpriseServer, Reach::Loopback)
        );
        let cloud = Host::parse("https://api.acme.ghe.com").unwrap();
        assert_eq!(cloud.authentication(), Authentication::Never);
        assert_eq!(cloud.limits(), Limits::Github);
        assert_eq!(
            cloud.with_api_version("2022-11-28").unwrap().takes().len(),
            5
        );
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
            ("https://git.example/api", HostError::Form),
            ("http://git.example/api/v3", HostError::Scheme),
            ("https://api.acme.ghe.com/api/v3", HostError::Form),
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
