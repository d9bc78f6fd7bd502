//! What one running simulator holds. Knows no vendor and no HTTP.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Vendor, credentials::Credentials, faults::Faults, log::RequestLog};

/// One running simulator: the vendor's tenant, and what the kit keeps beside it.
pub struct World<V: Vendor> {
    /// The vendor's code, with what it keeps outside its tenant.
    pub vendor: V,
    /// The known credentials.
    pub credentials: Credentials<V::Grant>,
    /// The requests seen.
    pub log: RequestLog,
    /// The faults to inject.
    pub faults: Faults,
    tenant: Mutex<V::Tenant>,
}

impl<V: Vendor> World<V> {
    /// A world around `tenant`, with no credentials and no faults yet.
    pub fn new(vendor: V, tenant: V::Tenant) -> Self {
        Self {
            vendor,
            credentials: Credentials::default(),
            log: RequestLog::default(),
            faults: Faults::default(),
            tenant: Mutex::new(tenant),
        }
    }

    /// The tenant, locked. A handler that panicked leaves it usable.
    pub fn tenant(&self) -> MutexGuard<'_, V::Tenant> {
        self.tenant.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the tenant, after the vendor has checked it.
    ///
    /// # Errors
    /// What the vendor finds wrong; the current tenant stays.
    pub fn replace(&self, mut tenant: V::Tenant) -> Result<(), String> {
        self.vendor.admit(&mut tenant)?;
        *self.tenant() = tenant;
        Ok(())
    }
}
