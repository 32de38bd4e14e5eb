//! The one check of http(s) URLs, for the API's base URL, target URLs and the base URL of a mount.

use reqwest::Url;

/// What is wrong with a URL, to be put after the URL itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlProblem {
    #[error("is not an absolute URL ({0})")]
    NotAbsolute(String),
    #[error("is neither http nor https")]
    OtherScheme,
    #[error("has a query or a fragment: leave it out")]
    QueryOrFragment,
    #[error("has a user name or a password: leave them out")]
    Credentials,
}

/// Parses an absolute http or https URL. The parser normalises it: lower-case host, no default
/// port, no line breaks or spaces around it.
pub(crate) fn parse(text: &str) -> Result<Url, UrlProblem> {
    let url = Url::parse(text).map_err(|error| UrlProblem::NotAbsolute(error.to_string()))?;
    // URLs of these two schemes always have a host.
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(UrlProblem::OtherScheme) }
}

/// Parses a URL that paths will be appended to. It has no slash at its end, no query and no
/// credentials.
pub(crate) fn parse_base(text: &str) -> Result<Url, UrlProblem> {
    let mut url = parse(text)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlProblem::Credentials);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UrlProblem::QueryOrFragment);
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// The URL as errors show it: everything between the scheme and the last `@` may be a password, and
/// what follows a `?` or a `#` may have a token in it.
pub(crate) fn shown(text: &str) -> String {
    let (scheme, rest) = match text.rsplit_once('@') {
        None => ("", text),
        Some((before, rest)) => (before.split_once(':').map_or("", |(scheme, _)| scheme), rest),
    };
    let before = if rest.len() == text.len() { String::new() } else { format!("{scheme}://(hidden)@") };
    match rest.find(['?', '#']) {
        Some(end) => format!("{before}{}(hidden)", &rest[..=end]),
        None => format!("{before}{rest}"),
    }
}

/// Whether a URL leads to this machine itself.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Whether only this machine itself reaches a URL.
pub(crate) fn is_of_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    is_loopback(url) || host.ends_with(".localhost") || matches!(host, "0.0.0.0" | "[::]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_base_url_become_one() {
        for text in [
            "https://app.example.com/hooks",
            " https://app.example.com/hooks/\n",
            "HTTPS://APP.example.com:443/hooks//",
            "https:app.example.com/hooks",
            "https://app.exam\nple.com/./hooks",
        ] {
            assert_eq!(parse_base(text).unwrap().as_str(), "https://app.example.com/hooks", "{text:?}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for text in ["https://user:s3cr3t@app.example.com", "ftp:user:s3cr3t@x", "https://user:s3cr3t@@[", "s3cr3t@"] {
            assert!(!shown(text).contains("s3cr3t"), "{text}: {}", shown(text));
        }
        assert_eq!(shown("https://app.example.com/a b"), "https://app.example.com/a b");
        assert_eq!(shown("https://app.example.com/?token=s3cr3t"), "https://app.example.com/?(hidden)");
        assert_eq!(shown("https://u:s3cr3t@x/#s3cr3t"), "https://(hidden)@x/#(hidden)");
    }

    #[test]
    fn targets_of_this_machine_are_known_and_uploadcares_own_api_is_not_on_it() {
        let local = ["http://localhost:8080/hooks", "https://127.0.0.1", "http://[::1]:1", "http://a.localhost"];
        for (urls, expected) in [(&local[..], true), (&["https://app.example.com", "http://192.0.2.1"], false)] {
            for url in urls {
                assert_eq!(is_of_this_machine(&parse(url).unwrap()), expected, "{url}");
            }
        }
        let client = crate::client::Client::builder("demopublickey", "demosecretkey").build().unwrap();
        assert!(!client.is_local());
    }
}
