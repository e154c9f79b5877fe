//! The verdict on files for Android (PEP 738).

use super::Requirement;
use super::elf::Demand;
use crate::name::PlatformTag;
use crate::policy;

/// Returns the tag of the lowest API level at which every file runs, starting at the level of the
/// requirement. Lower levels are not tried, because symbols of libraries other than the C library
/// do not record the level that introduced them.
pub(super) fn verdict(demands: &[Demand<'_>], requirement: &Requirement) -> PlatformTag {
    let PlatformTag::Android { api, abi } = *requirement.tag() else {
        return requirement.tag().clone();
    };
    let arch = abi.arch();
    let noted = demands.iter().filter_map(|demand| demand.elf.android_api?.try_into().ok());
    let versions = demands.iter().flat_map(Demand::versions);
    let needed = versions.filter_map(|(_, version)| policy::android::level(version));
    let least: u16 = noted.chain(needed).fold(api, u16::max);
    let levels: Vec<_> = policy::android::policies(arch)
        .iter()
        .filter_map(|policy| match policy.tag {
            PlatformTag::Android { api, .. } => Some((api, policy)),
            _ => None,
        })
        .collect();
    // The policy that applies at `least`, and the newer ones.
    let first = levels.iter().rposition(|(level, _)| *level <= least).unwrap_or(0);
    let qualifies = |policy| demands.iter().all(|demand| demand.keeps(policy, requirement));
    let best = levels[first.min(levels.len())..].iter().find(|(_, policy)| qualifies(policy));
    match best {
        Some((level, _)) if least < policy::android::NEVER => {
            PlatformTag::Android { api: least.max(*level), abi }
        }
        _ => PlatformTag::Linux { arch },
    }
}
