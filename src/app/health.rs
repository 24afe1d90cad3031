//! Asks a running server whether it is ready.

use crate::app::settings::Settings;

/// How long a server may think about how it is: longer than it waits for a connection to its database.
const WAIT: std::time::Duration = std::time::Duration::from_secs(10);

/// Whether the server of these settings is ready, and what it says.
pub fn asked(settings: &Settings) -> (bool, String) {
    let mut address = settings.listen;
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    let url = format!("http://{address}/health/ready");
    // No proxy of the environment's knows the way to this machine's own port.
    let agent = ureq::Agent::config_builder()
        .proxy(None)
        .timeout_global(Some(WAIT))
        .build()
        .new_agent();
    match agent.get(&url).call() {
        Ok(mut response) => {
            let said = response.body_mut().read_to_string().unwrap_or_default();
            (true, said.trim().to_owned())
        }
        Err(error) => (false, format!("{url}: {error}")),
    }
}
