//! Network: reads a URL.

use std::io::Read;

use super::Env;

/// Opens `url` (http or https) for reading. Proxies are those of `env`; certificates are checked by
/// the operating system's rules.
///
/// # Errors
/// Returns the reason in words.
#[cfg(feature = "fetch")]
pub fn get(url: &str, env: &Env) -> Result<Box<dyn Read>, String> {
    use std::time::Duration;

    let agent: ureq::Agent = config(env, !is_direct(env, url))?
        .timeout_recv_response(Some(Duration::from_mins(1)))
        .build()
        .into();
    let response = agent.get(url).call().map_err(|error| error.to_string())?;
    Ok(Box::new(response.into_body().into_reader()))
}

/// True if a URL is read without a proxy: those of this machine, and those of `NO_PROXY`, which has
/// hosts, domains and `*`, separated by commas.
#[cfg(feature = "fetch")]
pub(super) fn is_direct(env: &Env, url: &str) -> bool {
    use super::url::{authority, is_loopback};

    let host = authority(url).rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let host = host.to_ascii_lowercase();
    let is_host = |entry: &str| {
        let entry = entry.trim().to_ascii_lowercase();
        let domain = entry.trim_start_matches("*.").trim_start_matches('.');
        let ending = host.strip_suffix(domain);
        entry == "*"
            || !domain.is_empty()
                && ending.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let listed = ["no_proxy", "NO_PROXY"].iter().find_map(|name| env.get(name));
    is_loopback(url) || listed.is_some_and(|list| list.split(',').any(is_host))
}

/// Returns the settings of connections: proxies of `env` if `proxy` is true, certificates of the
/// system.
#[cfg(feature = "fetch")]
pub(super) fn config(
    env: &Env,
    proxy: bool,
) -> Result<ureq::config::ConfigBuilder<ureq::typestate::AgentScope>, String> {
    use std::time::Duration;

    let proxy = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"]
        .iter()
        .filter(|_| proxy)
        .find_map(|name| env.get(name))
        .map(ureq::Proxy::new)
        .transpose()
        .map_err(|error| error.to_string())?;
    let tls =
        ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build();
    Ok(ureq::Agent::config_builder()
        .proxy(proxy)
        .tls_config(tls)
        .timeout_connect(Some(Duration::from_secs(30)))
        .user_agent(concat!("wheelsmith/", env!("CARGO_PKG_VERSION"))))
}

/// Returns the error that this build cannot download.
///
/// # Errors
/// Always returns an error.
#[cfg(not(feature = "fetch"))]
pub fn get(_: &str, _: &Env) -> Result<Box<dyn Read>, String> {
    Err("this build of wheelsmith cannot download (feature `fetch`)".to_owned())
}

#[cfg(all(test, feature = "fetch"))]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_has_hosts_and_domains() {
        let check = |list: &str, url: &str, expected: bool| {
            let mut env = Env::default();
            env.set("NO_PROXY", list);
            assert_eq!(is_direct(&env, url), expected, "{list} {url}");
        };
        check("", "http://127.0.0.1:80/", true);
        check("", "https://example.org/", false);
        check("a.org, example.org", "https://example.org:8443/a", true);
        check("example.org", "https://files.example.org/", true);
        check(".example.org", "https://files.example.org/", true);
        check("example.org", "https://badexample.org/", false);
        check("*", "https://example.org/", true);
    }
}
