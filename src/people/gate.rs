//! What signing in needs besides the database: the hasher, the keys, the counters of guesses, the other provider, and what the configuration
//! says. Made once by `app/`; handlers get it as `AtGate`. Holds no account and no session.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, web};
use zeroize::Zeroizing;

use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault, Refusal};
use crate::outbox::wording::Both;
use crate::people::acts_outside::Vouching;
use crate::people::hashing::{Cost, Hasher};
use crate::people::provider::{Provider, ProviderSettings};
use crate::people::rules::Email;
use crate::people::rules_outside::NOT_OFFERED;
use crate::people::rules_passwords::{self, Setting};
use crate::people::secrets::Keys;
use crate::people::throttle::{Guesses, Tried, Who};
use crate::web::context::Context;
use crate::web::envelope::client_network;
use crate::web::policy::Role;

/// What the configuration says about signing in.
#[derive(Clone, Debug)]
pub struct SignInSettings {
    /// What the hash of a password costs.
    pub cost: Cost,
    /// Hashes that are computed at once.
    pub hashes_at_once: usize,
    /// Roles that act with a second factor only.
    pub second_factor_roles: Vec<Role>,
    /// The service's address as its users see it.
    pub public_url: String,
}

/// The gate.
pub struct Gate {
    /// Computes hashes of passwords.
    pub hasher: Hasher,
    /// The keys of this floor.
    pub keys: Keys,
    /// Counts guesses.
    pub guesses: Guesses,
    /// What the configuration says.
    pub settings: SignInSettings,
    /// Another provider through which people sign in, if there is one.
    pub provider: Option<Arc<Provider>>,
}

/// Marks handlers that stand at the gate.
pub type AtGate = web::Data<Gate>;

/// Whoever tries something, and where.
pub struct Trier {
    email: String,
    network: IpAddr,
    device: Option<[u8; 16]>,
}

impl Trier {
    fn who(&self) -> Who<'_> {
        Who {
            email: &self.email,
            network: self.network,
            device: self.device,
        }
    }
}

impl Gate {
    /// Opens the gate: makes the key file if it is missing.
    ///
    /// # Errors
    /// A fault if the key cannot be read or made, or the cost of hashing is none.
    pub fn open(
        settings: SignInSettings,
        provider: Option<ProviderSettings>,
        keys_dir: &Path,
    ) -> Result<Self, Fault> {
        Ok(Self {
            hasher: Hasher::new(settings.cost, settings.hashes_at_once)?,
            keys: Keys::open(keys_dir)?,
            guesses: Guesses::default(),
            settings,
            provider: provider.map(Provider::new).transpose()?.map(Arc::new),
        })
    }

    /// The other provider.
    ///
    /// # Errors
    /// [`NOT_OFFERED`].
    pub fn provider(&self) -> Answer<&Arc<Provider>> {
        Ok(self.provider.as_ref().ok_or_else(|| NOT_OFFERED.refuse())?)
    }

    /// The other provider, as acts know it.
    ///
    /// # Errors
    /// [`NOT_OFFERED`].
    pub fn vouching(&self) -> Answer<Vouching> {
        let settings = &self.provider()?.settings;
        Ok(Vouching {
            issuer: settings.issuer.clone(),
            name: Both::new(settings.name_zh.clone(), settings.name_en.clone()),
            link_by_verified_email: settings.link_by_verified_email,
        })
    }

    /// Whoever sends this request for an address, which need not be anybody's.
    ///
    /// # Errors
    /// A fault if the key is unusable.
    pub fn trier(
        &self,
        request: &HttpRequest,
        context: &Context,
        email: &str,
        device_token: Option<&str>,
    ) -> Result<Trier, Fault> {
        let device = match device_token {
            Some(token) => self.keys.device_of(email, token)?,
            None => None,
        };
        Ok(Trier {
            email: email.to_owned(),
            network: client_network(request, context),
            device,
        })
    }

    /// Counts a try before it is judged.
    ///
    /// # Errors
    /// [`crate::web::limits::TOO_MANY_REQUESTS`].
    pub fn count(&self, tried: Tried, trier: &Trier, now: Instant) -> Answer<()> {
        self.guesses.count(tried, trier.who(), now)
    }

    /// Takes back a try that turned out right.
    pub fn forgive(&self, tried: Tried, trier: &Trier) {
        self.guesses.forgive(tried, trier.who());
    }

    /// Checks a new password for an account, and computes its hash.
    ///
    /// # Errors
    /// Those of [`rules_passwords::check`]; [`crate::people::rules_sessions::SIGN_IN_BUSY`].
    pub async fn new_password(&self, password: Zeroizing<String>, email: &Email) -> Answer<String> {
        self.check_password(&password, email)?;
        self.hasher.hash(password).await
    }

    /// Checks a new password for an account.
    ///
    /// # Errors
    /// Those of [`rules_passwords::check`].
    pub fn check_password(&self, password: &str, email: &Email) -> Result<(), Refusal> {
        let ward = self.host();
        rules_passwords::check(password, Setting { email, ward })
    }

    /// The host of the service's address.
    pub fn host(&self) -> &str {
        let url = self.settings.public_url.as_str();
        url.split_once("://").map_or(url, |(_, host)| host)
    }
}

/// The time after which a request is answered that has more to do for some than for others.
const EVENLY: Duration = Duration::from_millis(150);

/// A request that takes the same time for everyone, unless the machine is slower than that.
pub struct Evenly(tokio::time::Instant);

impl Evenly {
    /// It begins.
    pub fn begin() -> Self {
        Self(tokio::time::Instant::now())
    }

    /// It ends when its time is over.
    pub async fn end(self) {
        tokio::time::sleep_until(self.0 + EVENLY).await;
    }
}
