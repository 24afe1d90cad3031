//! Another provider of sign-ins (OpenID Connect): asks it, and believes it as far as its signature goes. Every request has a time
//! and every answer a size; none is redirected. Nothing that it says of a person goes into the log of operation.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient, CoreClientAuthMethod,
    CoreErrorResponseType, CoreGrantType, CoreIdToken, CoreIdTokenClaims, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessToken, AdditionalProviderMetadata, AuthType, AuthenticationContextClass, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, ProviderMetadata, RedirectUrl, RequestTokenError, Scope, SignatureVerificationError,
    SubjectIdentifier, TokenResponse,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use zeroize::Zeroizing;

use crate::kernel::clock::Instant;
use crate::kernel::refusal::{Answer, Fault, Refusal};
use crate::people::rules_outside::{ANSWER_REFUSED, Demands, PROVIDER_UNAVAILABLE, is_subject};

/// How long what the provider says of itself, and its keys, are believed.
const KNOWN_FOR: chrono::Duration = chrono::Duration::hours(1);
/// How old its keys are before they are asked for again because a token names another one.
const KEYS_AGE_MIN: chrono::Duration = chrono::Duration::seconds(30);
/// How far from now a token may say that it was issued.
const ISSUED_WITHIN: chrono::Duration = chrono::Duration::minutes(10);
/// Bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 262_144;
/// Questions to the provider at once; each holds a thread.
const QUESTIONS_MAX: usize = 8;
/// How long a question waits for its turn.
const TURN_WAIT: Duration = Duration::from_secs(2);
/// Seconds after which it makes sense to ask again.
const RETRY_SECONDS: u32 = 10;

/// The algorithms by which a token may be signed: with keys of two halves, of which only the provider has both.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What the configuration says about the provider.
#[derive(Clone)]
pub struct ProviderSettings {
    /// Its address, which is also its name.
    pub issuer: String,
    /// By what name it knows this service.
    pub client_id: String,
    /// The secret that goes with it; none for a public client.
    pub client_secret: Option<Zeroizing<String>>,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// Where it sends the browser back to.
    pub redirect_url: String,
    /// What its button says, in Chinese.
    pub name_zh: String,
    /// What its button says, in English.
    pub name_en: String,
    /// True if an identity that nobody has linked is linked to the account that has its verified mail address.
    pub link_by_verified_email: bool,
    /// What it has to say about how somebody proved who they are.
    pub demands: Demands,
    /// Certificate authorities of its own (PEM); none: the usual ones.
    pub authorities: Option<Vec<u8>>,
    /// How long one request may take.
    pub timeout: Duration,
}

/// What standard metadata leave out.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Extra {
    /// It names itself in what it sends by the browser (RFC 9207).
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extra {}

type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What the provider says of itself, with its keys, and since when this is known.
struct Known {
    metadata: Metadata,
    at: Instant,
}

/// What is kept here of an attempt, so that nobody else can finish it.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    /// Comes back in the token.
    pub nonce: String,
    /// Shows that whoever exchanges the code is who asked for it.
    pub verifier: String,
}

/// What the browser brings back.
#[derive(Clone)]
pub struct Brought {
    /// The code to exchange.
    pub code: String,
    /// Who says that they sent it.
    pub issuer: Option<String>,
}

/// Whom the provider vouches for.
#[derive(Clone, Serialize, Deserialize)]
pub struct Proof {
    /// By what it knows them.
    pub subject: String,
    /// Their mail address, if it says that it has verified it.
    pub verified_email: Option<String>,
    /// True if what it says counts as a second factor.
    pub strong: bool,
}

/// The provider.
pub struct Provider {
    /// What the configuration says.
    pub settings: ProviderSettings,
    agent: ureq::Agent,
    known: Mutex<Option<Arc<Known>>>,
    turns: Semaphore,
}

impl Provider {
    /// Nothing is asked yet: a provider that is away does not keep the service from starting.
    ///
    /// # Errors
    /// A fault if the certificate authorities cannot be read.
    pub fn new(settings: ProviderSettings) -> Result<Self, Fault> {
        let mut config = ureq::Agent::config_builder()
            .timeout_global(Some(settings.timeout))
            .max_redirects(0)
            .http_status_as_error(false)
            .https_only(settings.issuer.starts_with("https://"))
            .user_agent(concat!("wardbook/", env!("CARGO_PKG_VERSION")));
        if let Some(pem) = &settings.authorities {
            let roots = ureq::tls::parse_pem(pem)
                .filter_map(|item| match item {
                    Ok(ureq::tls::PemItem::Certificate(one)) => Some(Ok(one)),
                    Ok(_) => None,
                    Err(error) => Some(Err(error)),
                })
                .collect::<Result<Vec<Certificate<'static>>, _>>()
                .map_err(|error| Fault::caused("oidc_ca_file", error))?;
            if roots.is_empty() {
                return Err(Fault::broken("oidc_ca_file holds no certificate"));
            }
            let roots = RootCerts::new_with_certs(&roots);
            config = config.tls_config(TlsConfig::builder().root_certs(roots).build());
        }
        Ok(Self {
            settings,
            agent: config.build().new_agent(),
            known: Mutex::default(),
            turns: Semaphore::new(QUESTIONS_MAX),
        })
    }

    /// Where the browser is to go. `state` comes back with it.
    ///
    /// # Errors
    /// [`PROVIDER_UNAVAILABLE`].
    pub async fn address(self: &Arc<Self>, state: &str, kept: &Kept, now: Instant) -> Answer<String> {
        let (state, nonce) = (state.to_owned(), kept.nonce.clone());
        let verifier = PkceCodeVerifier::new(kept.verifier.clone());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        self.ask(move |this| {
            let client = this.client(&*this.known(now)?)?;
            let mut request = client
                .authorize_url(
                    CoreAuthenticationFlow::AuthorizationCode,
                    move || CsrfToken::new(state),
                    move || Nonce::new(nonce),
                )
                .set_pkce_challenge(challenge);
            for scope in &this.settings.scopes {
                request = request.add_scope(Scope::new(scope.clone()));
            }
            for class in &this.settings.demands.required_acr {
                request = request.add_auth_context_value(AuthenticationContextClass::new(class.clone()));
            }
            let address = request.url().0.to_string();
            // A provider that is asked over TLS sends nobody where others can listen.
            if this.settings.issuer.starts_with("https://") && !address.starts_with("https://") {
                return Err(unavailable("it sends people to an address without TLS").into());
            }
            Ok(address)
        })
        .await
    }

    /// Exchanges what the browser brought for a proof of who it was.
    ///
    /// # Errors
    /// [`PROVIDER_UNAVAILABLE`]; [`ANSWER_REFUSED`]; [`crate::people::rules_outside::PROOF_TOO_WEAK`].
    pub async fn proof(self: &Arc<Self>, brought: Brought, kept: Kept, now: Instant) -> Answer<Proof> {
        self.ask(move |this| this.exchange(brought, kept, now)).await
    }

    /// Runs a question on a thread that may block, when it is its turn.
    async fn ask<T, F>(self: &Arc<Self>, question: F) -> Answer<T>
    where
        F: FnOnce(&Self) -> Answer<T> + Send + 'static,
        T: Send + 'static,
    {
        let turn = tokio::time::timeout(TURN_WAIT, self.turns.acquire())
            .await
            .map_err(|_| unavailable("too many questions at once"))?;
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || question(&this)).await;
        drop(turn);
        done.map_err(|error| Fault::caused("a question to the provider panicked", error))?
    }

    fn exchange(&self, brought: Brought, kept: Kept, now: Instant) -> Answer<Proof> {
        let known = self.known(now)?;
        let names_itself = known
            .metadata
            .additional_metadata()
            .authorization_response_iss_parameter_supported;
        // Another provider's answer must not be taken to this one.
        match &brought.issuer {
            Some(issuer) if *issuer != self.settings.issuer => return Err(refused("another issuer").into()),
            None if names_itself => return Err(refused("no issuer").into()),
            _ => {}
        }
        let client = self.client(&known)?;
        let http = |request: HttpRequest| self.send(request);
        let response = client
            .exchange_code(AuthorizationCode::new(brought.code))
            .map_err(|_| unavailable("it names no token endpoint"))?
            .set_pkce_verifier(PkceCodeVerifier::new(kept.verifier))
            .request(&http)
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(said) => match said.error() {
                    CoreErrorResponseType::InvalidGrant => refused("its code is not good"),
                    _ => unavailable("it does not accept this client"),
                },
                _ => unavailable("its token endpoint did not answer as it should"),
            })?;
        let token = response.id_token().ok_or_else(|| refused("no token"))?;
        let nonce = Nonce::new(kept.nonce);
        let claims = match verified(&client, token, &nonce, now) {
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            )) if now - known.at >= KEYS_AGE_MIN => {
                let client = self.client(&*self.discover(now)?)?;
                verified(&client, token, &nonce, now).map_err(|error| refused(why(&error)))?
            }
            other => other.map_err(|error| refused(why(&error)))?,
        };
        self.judged(&client, &claims, &response)
    }

    /// What verified claims are worth here.
    fn judged(
        &self,
        client: &Client,
        claims: &CoreIdTokenClaims,
        response: &CoreTokenResponse,
    ) -> Answer<Proof> {
        let subject = claims.subject().as_str().to_owned();
        if !is_subject(&subject) {
            return Err(refused("a subject that is none").into());
        }
        if claims
            .authorized_party()
            .is_some_and(|party| party.as_str() != self.settings.client_id)
        {
            return Err(refused("another party").into());
        }
        let amr: Vec<String> = claims
            .auth_method_refs()
            .into_iter()
            .flatten()
            .map(|method| method.as_str().to_owned())
            .collect();
        let acr = claims.auth_context_ref().map(|class| class.as_str());
        let strong = self.settings.demands.weigh(acr, &amr)?;
        let verified_email = match (self.settings.link_by_verified_email, claims.email()) {
            (false, _) => None,
            (true, Some(email)) => (claims.email_verified() == Some(true)).then(|| email.as_str().to_owned()),
            // With this flow a provider may tell it here only.
            (true, None) => self.told_email(client, response.access_token(), claims.subject())?,
        };
        Ok(Proof {
            subject,
            verified_email,
            strong,
        })
    }

    fn told_email(
        &self,
        client: &Client,
        token: &AccessToken,
        subject: &SubjectIdentifier,
    ) -> Answer<Option<String>> {
        let http = |request: HttpRequest| self.send(request);
        let Ok(question) = client.user_info(token.clone(), Some(subject.clone())) else {
            return Ok(None);
        };
        let told: CoreUserInfoClaims = question
            .request(&http)
            .map_err(|_| unavailable("it did not say who it was as it should"))?;
        let email = told.email().filter(|_| told.email_verified() == Some(true));
        Ok(email.map(|email| email.as_str().to_owned()))
    }

    fn client(&self, known: &Known) -> Answer<Client> {
        let settings = &self.settings;
        let secret = settings.client_secret.as_ref();
        let redirect = RedirectUrl::new(settings.redirect_url.clone())
            .map_err(|error| Fault::caused("oidc_redirect_url", error))?;
        let methods = known.metadata.token_endpoint_auth_methods_supported();
        let knows = |method| methods.is_some_and(|methods| methods.contains(&method));
        // Basic is the usual one, also where nothing is said.
        let by_body =
            knows(CoreClientAuthMethod::ClientSecretPost) && !knows(CoreClientAuthMethod::ClientSecretBasic);
        let client = CoreClient::from_provider_metadata(
            known.metadata.clone(),
            ClientId::new(settings.client_id.clone()),
            secret.map(|secret| ClientSecret::new(secret.to_string())),
        );
        Ok(client.set_redirect_uri(redirect).set_auth_type(if by_body {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        }))
    }

    fn known(&self, now: Instant) -> Answer<Arc<Known>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(known) if now - known.at < KNOWN_FOR => Ok(known),
            _ => self.discover(now),
        }
    }

    fn discover(&self, now: Instant) -> Answer<Arc<Known>> {
        let issuer = IssuerUrl::new(self.settings.issuer.clone())
            .map_err(|error| Fault::caused("oidc_issuer", error))?;
        let http = |request: HttpRequest| self.send(request);
        let metadata = Metadata::discover(&issuer, &http)
            .map_err(|_| unavailable("what it says of itself, or its keys, could not be had"))?;
        let known = Arc::new(Known { metadata, at: now });
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
        Ok(known)
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, io::Error> {
        let (head, body) = self.agent.run(request).map_err(io::Error::other)?.into_parts();
        let mut body = body;
        let bytes = body
            .with_config()
            .limit(ANSWER_BYTES_MAX)
            .read_to_vec()
            .map_err(io::Error::other)?;
        Ok(HttpResponse::from_parts(head, bytes))
    }
}

/// The claims of a token that is signed by the provider, for this client, for this attempt, and not over.
fn verified(
    client: &Client,
    token: &CoreIdToken,
    nonce: &Nonce,
    now: Instant,
) -> Result<CoreIdTokenClaims, ClaimsVerificationError> {
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now)
        .set_issue_time_verifier_fn(move |at| {
            let off = (now - at).abs();
            (off <= ISSUED_WITHIN)
                .then_some(())
                .ok_or_else(|| "issued at another time".to_owned())
        });
    token.claims(&verifier, nonce).cloned()
}

/// A word for the log of operation: the error itself may hold what is personal.
fn why(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "its token is over, or from another time",
        ClaimsVerificationError::InvalidAudience(_) => "its token is for another client",
        ClaimsVerificationError::InvalidIssuer(_) => "its token is another issuer's",
        ClaimsVerificationError::InvalidNonce(_) => "its token is for another attempt",
        ClaimsVerificationError::SignatureVerification(_) => "its token is not signed as it should be",
        _ => "its token does not hold",
    }
}

fn refused(why: &'static str) -> Refusal {
    tracing::warn!(why, "an answer of the provider of sign-ins is refused");
    ANSWER_REFUSED.refuse()
}

fn unavailable(why: &'static str) -> Refusal {
    tracing::warn!(why, "the provider of sign-ins cannot be asked");
    PROVIDER_UNAVAILABLE.refuse().retry_after(RETRY_SECONDS)
}
