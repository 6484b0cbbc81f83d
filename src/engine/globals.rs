// SPDX-License-Identifier: GPL-2.0-only
//! Variables of the BPF programs that are set while they run.

use std::ptr::NonNull;

/// Where they lie in the loaded object's data, which is mapped as long as the
/// object lives.
pub struct Globals {
    pub policy_version: NonNull<u64>,
    pub rules_epoch: NonNull<u64>,
    pub function_generation: NonNull<u64>,
    pub notice_execs: NonNull<bool>,
    pub bias_factor_16: NonNull<u64>,
}

/// Those of a skeleton's maps.
macro_rules! globals {
    ($maps:expr) => {{
        let (bss, data) = ($maps.bss_data.as_mut(), $maps.data_data.as_mut());
        bss.zip(data)
            .map(|(bss, data)| $crate::engine::globals::Globals {
                policy_version: (&mut bss.policy_version).into(),
                rules_epoch: (&mut bss.rules_epoch).into(),
                function_generation: (&mut bss.function_generation).into(),
                notice_execs: (&mut bss.notice_execs).into(),
                bias_factor_16: (&mut data.bias_factor_16).into(),
            })
            .ok_or_else(|| {
                anyhow::anyhow!("the BPF object has no data sections: the build is broken")
            })
    }};
}
pub(super) use globals;

impl Globals {
    pub fn set_policy_version(&mut self, version: u64) {
        write(self.policy_version, version);
    }

    pub fn set_rules_epoch(&mut self, epoch: u64) {
        write(self.rules_epoch, epoch);
    }

    pub fn set_function_generation(&mut self, generation: u64) {
        write(self.function_generation, generation);
    }

    pub fn set_notice_execs(&mut self, wanted: bool) {
        write(self.notice_execs, wanted);
    }

    pub fn set_bias_factor_16(&mut self, sixteenths: u64) {
        write(self.bias_factor_16, sixteenths);
    }
}

fn write<T>(place: NonNull<T>, value: T) {
    // SAFETY: mapped, as said above, for the engine owns the object beside this;
    // and aligned. BPF programs read it concurrently.
    unsafe { place.write_volatile(value) };
}
