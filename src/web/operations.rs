//! Where a slice registers its operations: with the server, which answers them, or with the document, which describes them. A server has one
//! set of them on each of its threads, and describes none.

use actix_web::dev::HttpServiceFactory;
use actix_web::web;
use utoipa_actix_web::OpenApiFactory;
use utoipa_actix_web::service_config::ServiceConfig;

/// Takes operations.
pub trait Operations: Sized {
    /// Takes one.
    fn service<F>(&mut self, operation: F) -> &mut Self
    where
        F: HttpServiceFactory + OpenApiFactory + 'static;

    /// Takes those of a file.
    fn configure(&mut self, file: impl FnOnce(&mut Self)) -> &mut Self {
        file(self);
        self
    }
}

/// Describes them.
impl Operations for ServiceConfig<'_> {
    fn service<F>(&mut self, operation: F) -> &mut Self
    where
        F: HttpServiceFactory + OpenApiFactory + 'static,
    {
        ServiceConfig::service(self, operation)
    }
}

/// Answers them.
impl Operations for web::ServiceConfig {
    fn service<F>(&mut self, operation: F) -> &mut Self
    where
        F: HttpServiceFactory + OpenApiFactory + 'static,
    {
        web::ServiceConfig::service(self, operation)
    }
}
