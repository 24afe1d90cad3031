//! Who publishes open contracting data, as the configuration says.

use crate::app::settings::{Environment, Settings};
use crate::kernel::refusal::Fault;
use crate::kernel::text::Text;
use crate::publish::rules_publisher::{EXAMPLE_PREFIX, Publisher};

impl Settings {
    /// Who publishes open contracting data, and under which names.
    ///
    /// # Errors
    /// A fault if the prefix is none, or is that of examples in production; or if the licence is no address.
    pub fn publisher(&self) -> Result<Publisher, Fault> {
        let is_real = self.environment == Environment::Production;
        let prefix = match (self.ocds_prefix.as_str(), is_real) {
            ("", true) => None,
            ("", false) => Some(EXAMPLE_PREFIX),
            (EXAMPLE_PREFIX, true) => {
                return Err(Fault::broken(
                    "ocds_prefix = \"ocds-213czf\" needs environment = \"development\": it is that of examples; the Open Contracting Partnership issues yours",
                ));
            }
            (given, _) => Some(given),
        };
        if !self.ocds_license.starts_with("https://") && !self.ocds_license.starts_with("http://") {
            return Err(Fault::broken("ocds_license is not an address"));
        }
        let prefix = prefix.map(str::parse).transpose();
        Ok(Publisher {
            prefix: prefix.map_err(|error| Fault::caused("ocds_prefix", error))?,
            public_url: self.public_url(),
            ward: Text::made(self.ward_name_zh.clone(), self.ward_name_en.clone()),
            scheme: self.ocds_publisher_scheme.clone(),
            uid: self.ocds_publisher_uid.clone(),
            license: self.ocds_license.clone(),
            zone: self.zone,
        })
    }
}
