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

    let agent: ureq::Agent =
        config(env)?.timeout_recv_response(Some(Duration::from_mins(1))).build().into();
    let response = agent.get(url).call().map_err(|error| error.to_string())?;
    Ok(Box::new(response.into_body().into_reader()))
}

/// Returns the settings of all connections: proxies of `env`, certificates of the system.
#[cfg(feature = "fetch")]
pub(super) fn config(
    env: &Env,
) -> Result<ureq::config::ConfigBuilder<ureq::typestate::AgentScope>, String> {
    use std::time::Duration;

    let proxy = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"]
        .iter()
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
