//! What the configuration says of how much may come in: requests, reports of defects, files of open contracting data.

use crate::app::settings::Settings;
use crate::contracts::reception::ReceptionLimits;
use crate::imports::desk::Imports;
use crate::web::limits::Rates;

impl Settings {
    /// Limits of requests.
    pub fn rates(&self) -> Rates {
        Rates {
            per_address: self.rate_per_address,
            per_account: self.rate_per_account,
        }
    }

    /// How many reports of defects are taken.
    pub fn reception(&self) -> ReceptionLimits {
        ReceptionLimits {
            per_network: self.defect_reports_per_network,
            per_place: self.defect_reports_per_place,
        }
    }

    /// Where files of open contracting data wait until they are read in.
    pub fn imports(&self) -> Imports {
        Imports::new(self.data_dir.join("imports"), self.open_data_bytes_max)
    }
}
