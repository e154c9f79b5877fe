//! The verdict on files for Android (PEP 738).

use super::Requirement;
use super::elf::Demand;
use crate::name::PlatformTag;
use crate::policy;

/// Returns the tag of the lowest API level, that of the requirement or above, at which every file
/// runs. Lower levels are not tried: symbols of libraries other than the C library do not show at
/// which level they came.
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
    // The policy that holds at `least`, and those that came later.
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
