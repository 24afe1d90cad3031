//! A provider of sign-ins (OpenID Connect) for the tests: a real server with a key made for it, which checks what it is sent as strictly
//! as a real one does, and which can be told to go wrong in one way at a time.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, Mac};
use rsa::RsaPrivateKey;
use rsa::pkcs1v15;
use rsa::signature::SignatureEncoding;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use wardbook::app::settings::{Secret, Settings};
use wardbook::kernel::id;

use crate::harness::Ward;

/// By what name this service is known to the provider.
pub const CLIENT: &str = "wardbook at the ward";
/// The secret that goes with it; it has what must be encoded on the way.
pub const SECRET: &str = "s3cret: 100% & more";

/// Whoever sits at the browser, as the provider knows them.
#[derive(Clone)]
pub struct Someone {
    pub subject: String,
    pub email: Option<&'static str>,
    pub email_verified: bool,
    pub acr: Option<&'static str>,
    pub amr: Vec<&'static str>,
}

/// Somebody of whom the provider knows no more than the name.
pub fn someone(subject: &str) -> Someone {
    Someone {
        subject: subject.to_owned(),
        email: None,
        email_verified: false,
        acr: None,
        amr: Vec::new(),
    }
}

/// How it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    WrongNonce,
    NoNonce,
    OtherAudience,
    MoreAudiences,
    OtherParty,
    Expired,
    IssuedLongAgo,
    OtherIssuer,
    AlgNone,
    ForeignKey,
    UnknownKey,
    SecretAsKey,
    NoToken,
    /// Answers nothing at all.
    Hangs,
    /// An answer without end.
    Huge,
    /// Something that is no JSON.
    Nonsense,
    /// 500.
    Fails,
    /// Sends the caller elsewhere.
    Redirects,
    /// Calls itself another provider.
    Misnamed,
}

/// What it remembers of a code.
struct Issued {
    who: Someone,
    redirect: String,
    nonce: String,
    challenge: String,
    used: bool,
}

pub struct State {
    issuer: String,
    /// Who sits at the browser.
    pub who: Someone,
    /// What goes wrong.
    pub fault: Fault,
    /// What time it is there.
    pub now: i64,
    /// True if it tells the mail address when it is asked, and not in the token.
    pub tells_when_asked: bool,
    /// True if it names itself in what the browser brings back.
    pub names_itself: bool,
    /// True if it signs with RSA.
    pub rsa: Option<RsaPrivateKey>,
    /// Its key, and by what name.
    key: (SigningKey, String),
    codes: HashMap<String, Issued>,
    /// How often it was asked for its keys.
    pub asked_for_keys: usize,
}

/// The provider; gone when it is dropped.
pub struct Provider {
    state: Arc<Mutex<State>>,
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

/// What the browser brings back.
#[derive(Clone, Debug)]
pub struct Brought {
    pub code: String,
    pub state: String,
    pub iss: Option<String>,
    /// The whole query.
    pub query: String,
}

impl Provider {
    /// Starts one.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}/realms/ward", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            issuer,
            who: someone("248289761001"),
            fault: Fault::None,
            now: crate::harness::start().timestamp(),
            tells_when_asked: false,
            names_itself: true,
            rsa: None,
            key: (new_key(), "one".to_owned()),
            codes: HashMap::new(),
            asked_for_keys: 0,
        }));
        let shared = web::Data::from(state.clone());
        let (ready, started) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || {
                    let at = |path: &str| web::resource(format!("/realms/ward{path}"));
                    App::new()
                        .app_data(shared.clone())
                        .service(at("/.well-known/openid-configuration").to(configuration))
                        .service(at("/keys").to(keys))
                        .service(at("/authorize").to(authorize))
                        .service(at("/token").to(token))
                        .service(at("/userinfo").to(userinfo))
                };
                let server = HttpServer::new(app)
                    .workers(1)
                    .disable_signals()
                    .shutdown_timeout(0)
                    .listen(listener)
                    .unwrap()
                    .run();
                ready.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self {
            state,
            handle: started.recv().unwrap(),
            thread: Some(thread),
        }
    }

    /// What it is and does, to look at and to change.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Its name.
    pub fn issuer(&self) -> String {
        self.state().issuer.clone()
    }

    /// From now on it has another key.
    pub fn change_key(&self, name: &str) {
        self.state().key = (new_key(), name.to_owned());
    }

    /// The settings of a ward that knows it.
    pub fn known_to(&self, settings: &mut Settings) {
        settings.oidc_issuer = self.issuer();
        settings.oidc_client_id = CLIENT.to_owned();
        settings.oidc_client_secret = Secret(SECRET.to_owned());
        settings.oidc_timeout_seconds = 1;
    }

    /// Does as the browser does: goes where it is sent, and brings back what it is given.
    pub fn visit(&self, url: &str) -> Brought {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(20)))
            .build()
            .new_agent();
        let mut response = agent.get(url).call().unwrap();
        let location = response
            .headers()
            .get("location")
            .map(|it| it.to_str().unwrap().to_owned());
        let Some(location) = location else {
            panic!("{}", response.body_mut().read_to_string().unwrap());
        };
        let query = location.split_once('?').unwrap().1.to_owned();
        let of = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.into_owned())
        };
        Brought {
            code: of("code").unwrap(),
            state: of("state").unwrap(),
            iss: of("iss"),
            query,
        }
    }

    /// A ward's clock is this one's too.
    pub fn follow_clock(&self, ward: &Ward) {
        self.state().now = ward.context().clock.now().timestamp();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn new_key() -> SigningKey {
    SigningKey::from_bytes(&id::random::<32>().unwrap())
}

type Shared = web::Data<Mutex<State>>;

fn state_of(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What goes wrong with any answer, if that is what is wanted.
async fn wrong(shared: &Shared) -> Option<HttpResponse> {
    let (fault, issuer) = {
        let state = state_of(shared);
        (state.fault, state.issuer.clone())
    };
    match fault {
        Fault::Hangs => {
            // Longer than anybody waits; the server is stopped before.
            actix_web::rt::time::sleep(Duration::from_secs(600)).await;
            Some(HttpResponse::Ok().finish())
        }
        Fault::Huge => Some(
            HttpResponse::Ok()
                .content_type("application/json")
                .body(vec![b' '; 5 << 20]),
        ),
        Fault::Nonsense => Some(HttpResponse::Ok().content_type("application/json").body("<html>")),
        Fault::Fails => Some(HttpResponse::InternalServerError().body("no")),
        Fault::Redirects => {
            let elsewhere = format!("{issuer}/elsewhere");
            Some(
                HttpResponse::Found()
                    .insert_header(("location", elsewhere))
                    .finish(),
            )
        }
        _ => None,
    }
}

async fn configuration(shared: Shared) -> HttpResponse {
    if let Some(wrong) = wrong(&shared).await {
        return wrong;
    }
    let state = state_of(&shared);
    let issuer = &state.issuer;
    let named = if state.fault == Fault::Misnamed {
        "https://other.example"
    } else {
        issuer
    };
    HttpResponse::Ok().json(json!({
        "issuer": named,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "RS256", "HS256", "none"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": state.names_itself,
    }))
}

async fn keys(shared: Shared) -> HttpResponse {
    if let Some(wrong) = wrong(&shared).await {
        return wrong;
    }
    let mut state = state_of(&shared);
    state.asked_for_keys += 1;
    let mut keys = vec![json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": state.key.1,
        "x": BASE64_URL_SAFE_NO_PAD.encode(state.key.0.verifying_key().as_bytes()),
    })];
    if let Some(rsa) = &state.rsa {
        let number = |bytes: Vec<u8>| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        keys.push(json!({
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "rsa",
            "n": number(rsa.n().to_bytes_be()), "e": number(rsa.e().to_bytes_be()),
        }));
    }
    HttpResponse::Ok().json(json!({ "keys": keys }))
}

fn bad(error: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(json!({ "error": error }))
}

async fn authorize(shared: Shared, query: web::Query<HashMap<String, String>>) -> HttpResponse {
    let mut state = state_of(&shared);
    let of = |name: &str| query.get(name).cloned().unwrap_or_default();
    let scopes = of("scope");
    let complete = of("response_type") == "code"
        && of("client_id") == CLIENT
        && scopes.split(' ').any(|scope| scope == "openid")
        && of("code_challenge_method") == "S256"
        && of("code_challenge").len() == 43
        && of("state").len() >= 40
        && of("nonce").len() >= 40
        && of("redirect_uri").starts_with("http://ward.test/");
    if !complete {
        return bad("invalid_request");
    }
    let code = BASE64_URL_SAFE_NO_PAD.encode(id::random::<24>().unwrap());
    let issued = Issued {
        who: state.who.clone(),
        redirect: of("redirect_uri"),
        nonce: of("nonce"),
        challenge: of("code_challenge"),
        used: false,
    };
    state.codes.insert(code.clone(), issued);
    let mut back = form_urlencoded::Serializer::new(String::new());
    back.append_pair("state", &of("state")).append_pair("code", &code);
    if state.names_itself {
        back.append_pair("iss", &state.issuer);
    }
    back.append_pair("session_state", "of its own");
    let location = format!("{}?{}", of("redirect_uri"), back.finish());
    HttpResponse::Found()
        .insert_header(("location", location))
        .finish()
}

/// True if the client is who it says, by HTTP Basic with both parts encoded (RFC 6749, 2.3.1).
fn is_client(request: &HttpRequest) -> bool {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let expected = BASE64_STANDARD.encode(format!("{}:{}", encoded(CLIENT), encoded(SECRET)));
    let given = request
        .headers()
        .get("authorization")
        .and_then(|it| it.to_str().ok());
    given == Some(&format!("Basic {expected}"))
}

async fn token(
    shared: Shared,
    request: HttpRequest,
    form: web::Form<HashMap<String, String>>,
) -> HttpResponse {
    if let Some(wrong) = wrong(&shared).await {
        return wrong;
    }
    let mut state = state_of(&shared);
    let of = |name: &str| form.get(name).cloned().unwrap_or_default();
    if !is_client(&request) {
        return HttpResponse::Unauthorized().json(json!({ "error": "invalid_client" }));
    }
    let hash = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(of("code_verifier").as_bytes()));
    let Some(issued) = state.codes.get_mut(&of("code")) else {
        return bad("invalid_grant");
    };
    let fits = of("grant_type") == "authorization_code"
        && issued.redirect == of("redirect_uri")
        && issued.challenge == hash
        && !issued.used;
    issued.used = true;
    if !fits {
        return bad("invalid_grant");
    }
    let (who, nonce) = (issued.who.clone(), issued.nonce.clone());
    let mut answer = json!({ "access_token": who.subject, "token_type": "Bearer", "expires_in": 60 });
    if state.fault != Fault::NoToken {
        answer["id_token"] = json!(signed(&state, &claims(&state, &who, &nonce)));
    }
    HttpResponse::Ok().json(answer)
}

fn claims(state: &State, who: &Someone, nonce: &str) -> Value {
    let fault = state.fault;
    let mut claims = json!({
        "iss": if fault == Fault::OtherIssuer { "https://other.example" } else { &state.issuer },
        "sub": who.subject,
        "aud": match fault {
            Fault::OtherAudience => json!("another client"),
            Fault::MoreAudiences => json!([CLIENT, "another client"]),
            _ => json!(CLIENT),
        },
        "exp": state.now + if fault == Fault::Expired { -1 } else { 300 },
        "iat": state.now - if fault == Fault::IssuedLongAgo { 3_600 } else { 0 },
    });
    match fault {
        Fault::NoNonce => {}
        Fault::WrongNonce => claims["nonce"] = json!("of another attempt"),
        _ => claims["nonce"] = json!(nonce),
    }
    if fault == Fault::OtherParty {
        claims["azp"] = json!("another client");
    }
    if let Some(acr) = who.acr {
        claims["acr"] = json!(acr);
    }
    if !who.amr.is_empty() {
        claims["amr"] = json!(who.amr);
    }
    if let (Some(email), false) = (who.email, state.tells_when_asked) {
        claims["email"] = json!(email);
        claims["email_verified"] = json!(who.email_verified);
    }
    claims
}

fn signed(state: &State, claims: &Value) -> String {
    let encoded = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let (algorithm, key) = match (state.fault, &state.rsa) {
        (Fault::AlgNone, _) => ("none", "one"),
        (Fault::SecretAsKey, _) => ("HS256", "one"),
        (Fault::UnknownKey, _) => ("EdDSA", "nobody's"),
        (_, Some(_)) => ("RS256", "rsa"),
        _ => ("EdDSA", state.key.1.as_str()),
    };
    let head = json!({ "alg": algorithm, "kid": key, "typ": "JWT" });
    let text = format!("{}.{}", encoded(&head), encoded(claims));
    let signature = match (algorithm, &state.rsa) {
        ("none", _) => Vec::new(),
        ("HS256", _) => {
            let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
            mac.update(text.as_bytes());
            mac.finalize().into_bytes().to_vec()
        }
        ("RS256", Some(key)) => {
            let key = pkcs1v15::SigningKey::<Sha256>::new(key.clone());
            key.sign(text.as_bytes()).to_vec()
        }
        _ if state.fault == Fault::ForeignKey => new_key().sign(text.as_bytes()).to_bytes().to_vec(),
        _ => state.key.0.sign(text.as_bytes()).to_bytes().to_vec(),
    };
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

async fn userinfo(shared: Shared, request: HttpRequest) -> HttpResponse {
    let state = state_of(&shared);
    let who = &state.who;
    let given = request
        .headers()
        .get("authorization")
        .and_then(|it| it.to_str().ok());
    if given != Some(&format!("Bearer {}", who.subject)) {
        return HttpResponse::Unauthorized().finish();
    }
    HttpResponse::Ok()
        .json(json!({ "sub": who.subject, "email": who.email, "email_verified": who.email_verified }))
}
