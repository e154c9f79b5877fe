//! What the files of a wheel for Android earn (PEP 738).

use super::elf::Demand;
use super::wanted::Linux;
use crate::name::{Arch, PlatformTag};
use crate::policy;

/// The tag of the lowest API level, `api` or above, at which every file runs. What is below `api` is
/// not asked for: of libraries other than the C library nothing shows at which level a symbol came.
pub(super) fn earned(demands: &[Demand<'_>], api: u16, arch: Arch) -> PlatformTag {
    let noted = demands.iter().filter_map(|demand| demand.elf.android_api?.try_into().ok());
    let versions = demands.iter().flat_map(Demand::versions);
    let asked = versions.filter_map(|(_, version)| policy::android::level(version));
    let least: u16 = noted.chain(asked).fold(api, u16::max);
    let policies = policy::android::policies(arch);
    let levels = policies.iter().filter_map(|policy| match policy.tag {
        PlatformTag::Android { api, .. } => Some((api, policy)),
        _ => None,
    });
    let levels: Vec<_> = levels.collect();
    // The policy that holds at `least`, and those that came later.
    let first = levels.iter().rposition(|(level, _)| *level <= least).unwrap_or(0);
    let wanted = Linux::Android { api: least, arch };
    let kept = |policy| demands.iter().all(|demand: &Demand<'_>| demand.keeps(policy, &wanted));
    let best = levels[first.min(levels.len())..].iter().find(|(_, policy)| kept(policy));
    match (best, PlatformTag::android(least, arch)) {
        (Some((level, _)), Some(_)) if least < policy::android::NEVER => {
            PlatformTag::android(least.max(*level), arch).unwrap_or(PlatformTag::Linux { arch })
        }
        _ => PlatformTag::Linux { arch },
    }
}
